//! Who calls with SigV2, told while the server runs: as a view that is kept up to date where stdout is a terminal, else as
//! a line for each new caller.
//!
//! A thread of its own prints, so that a terminal that was stopped or a pipe that nobody reads holds up no request; it gets
//! the newest state only, and skips what it had no time for.

mod block;
mod lines;
mod view;

use std::future::pending;
use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use pipeline::Caller;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

use self::block::Block;
use self::lines::Lines;
use self::view::View;
use crate::terminal;

/// From one view to the next.
const REFRESH_MIN: Duration = Duration::from_millis(250);
/// Copying the callers, where there are many, takes one part in so many of the time at most.
const COPYING_SHARE: u32 = 20;
/// What is still to be printed at the end may take so long; a pipe that nobody reads would take for ever.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(1);

/// Where callers are told. It is there before the server, because log lines go through it.
pub struct Live {
    block: Option<SharedBlock>,
    test_key: bool,
}

impl Live {
    /// `test_key`: the server knows `test`/`test`, so the hint how to try it can name that.
    pub fn new(test_key: bool) -> Self {
        let block = terminal::size().map(|_| SharedBlock::default());
        Self { block, test_key }
    }

    /// Log lines for stderr; above the view where both are on one terminal.
    pub fn log_writer(&self) -> LogWriter {
        LogWriter { block: self.block.clone().filter(|_| stderr().is_terminal()) }
    }

    /// Starts telling. Callers of earlier runs are known already.
    pub fn start(self, endpoint: &str, known: Vec<Caller>) -> Result<Watcher> {
        let output = match self.block.clone() {
            Some(block) => Output::View(View::new(endpoint, self.test_key), block),
            None => Output::Lines(Lines::new(&known)),
        };
        let (latest, shown) = watch::channel(known);
        let (done, finished) = oneshot::channel();
        let handle = Handle::current();
        let printer = thread::Builder::new().name("live-view".to_owned());
        printer
            .spawn(move || {
                // A terminal that is gone, or a pipe whose reader is: nobody is left to be told.
                let _ = print(shown, output, &handle);
                let _ = done.send(());
            })
            .context("the thread of the live view cannot be started")?;
        Watcher::new(latest, finished, self.block)
    }
}

/// Hands the state to the printing thread.
pub struct Watcher {
    latest: watch::Sender<Vec<Caller>>,
    finished: oneshot::Receiver<()>,
    block: Option<SharedBlock>,
    resized: Signal,
    continued: Signal,
    not_before: Instant,
}

impl Watcher {
    fn new(
        latest: watch::Sender<Vec<Caller>>,
        finished: oneshot::Receiver<()>,
        block: Option<SharedBlock>,
    ) -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be waited for");
        let resized = listen(SignalKind::window_change())?;
        let continued = listen(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
        Ok(Self { latest, finished, block, resized, continued, not_before: Instant::now() })
    }

    /// Waits until the callers are to be shown again: they have changed, or the terminal has, and the last time is long
    /// enough ago.
    pub async fn due(&mut self, changed: &mut watch::Receiver<u64>) {
        tokio::time::sleep_until(self.not_before).await;
        tokio::select! {
            change = changed.changed() => if change.is_err() { pending::<()>().await },
            _ = self.resized.recv() => {}
            _ = self.continued.recv() => {
                // The shell has written below since.
                self.block.iter().for_each(|block| block.lock().forget());
            }
        }
    }

    /// Has the callers shown, soon.
    pub fn show(&mut self, callers: impl FnOnce() -> Vec<Caller>) {
        let began = Instant::now();
        self.latest.send_replace(callers());
        self.not_before = Instant::now() + REFRESH_MIN.max(began.elapsed() * COPYING_SHARE);
    }

    /// Has them shown a last time, and waits for it.
    pub async fn finish(self, callers: Vec<Caller>) {
        self.latest.send_replace(callers);
        drop(self.latest);
        // Late or not, the server stops.
        let _ = tokio::time::timeout(LAST_LINES_TIMEOUT, self.finished).await;
    }
}

enum Output {
    View(View, SharedBlock),
    Lines(Lines),
}

/// Prints each state until the server drops the sender.
fn print(mut shown: watch::Receiver<Vec<Caller>>, mut output: Output, handle: &Handle) -> io::Result<()> {
    shown.mark_changed();
    while handle.block_on(shown.changed()).is_ok() {
        let callers = shown.borrow_and_update();
        match &mut output {
            Output::View(view, block) => {
                let Some(size) = terminal::size().filter(|_| terminal::in_foreground()) else { continue };
                let lines = view.lines(&callers, size);
                drop(callers);
                block.lock().replace(&mut stdout(), lines, size.columns)?;
            }
            Output::Lines(lines) => {
                let text = lines.new_callers(&callers);
                drop(callers);
                let mut out = stdout().lock();
                out.write_all(text.as_bytes())?;
                out.flush()?;
            }
        }
    }
    Ok(())
}

/// The part of the terminal that is printed over.
#[derive(Clone, Default)]
struct SharedBlock(Arc<Mutex<Block>>);

impl SharedBlock {
    fn lock(&self) -> MutexGuard<'_, Block> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes to stderr, one log line at a call.
#[derive(Clone)]
pub struct LogWriter {
    block: Option<SharedBlock>,
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let drawable = terminal::size().filter(|_| terminal::in_foreground());
        let (Some(block), Some(size)) = (&self.block, drawable) else {
            return stderr().write_all(line).map(|()| line.len());
        };
        block.lock().print_above(&mut stdout(), size.columns, || stderr().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
