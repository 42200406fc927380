//! `sigtrail serve`: the server, from the ready line to a clean stop.

use std::convert::Infallible;
use std::future::pending;
use std::io::{Write, stdout};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use server::{ServeOptions, TlsSource};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServeArguments;
use crate::live::Live;
use crate::logging;

/// After so long a stop is explained.
const LONG_STOP: Duration = Duration::from_secs(2);
/// Threads that still read or write a file when everything else has stopped may take so long.
const LAST_FILES_TIMEOUT: Duration = Duration::from_secs(2);

pub fn run(arguments: ServeArguments) -> Result<()> {
    let live = Live::new(arguments.config.is_none());
    logging::start(live.log_writer())?;
    let runtime = Runtime::new().context("the runtime cannot be started")?;
    let served = runtime.block_on(serve(arguments, live));
    runtime.shutdown_timeout(LAST_FILES_TIMEOUT);
    served
}

async fn serve(arguments: ServeArguments, live: Live) -> Result<()> {
    let mut stops = Stops::new()?;
    let mut running = tokio::select! {
        started = server::start(options(arguments)) => started?,
        () = stops.next() => return Ok(()),
    };
    // Whoever closed stdout does not want to know.
    let _ = writeln!(stdout(), "ready {}", running.endpoint()).and_then(|()| stdout().flush());
    // Before the callers are read, so that no change is missed.
    let mut changed = running.callers_changed();
    let mut watcher = live.start(&running.endpoint(), running.callers())?;
    loop {
        tokio::select! {
            reason = running.failed() => bail!("{reason}"),
            () = stops.next() => break,
            () = watcher.due(&mut changed) => watcher.show(|| running.callers()),
        }
    }
    watcher.finish(running.callers()).await;
    tokio::select! {
        never = tell_of_a_long_stop() => match never {},
        stopped = running.stop() => stopped.context("the server did not stop as it should"),
        () = stops.next() => bail!("stopped by a second signal, before what was in flight had ended"),
    }
}

async fn tell_of_a_long_stop() -> Infallible {
    tokio::time::sleep(LONG_STOP).await;
    eprintln!("sigtrail: finishing what is in flight; a second signal stops at once");
    pending().await
}

fn options(arguments: ServeArguments) -> ServeOptions {
    let files = arguments.tls_cert.zip(arguments.tls_key).map(|(cert, key)| TlsSource::Files { cert, key });
    ServeOptions {
        listen: arguments.listen,
        admin_listen: arguments.admin_listen,
        data: arguments.data,
        config: arguments.config,
        tls: files.or(arguments.tls_self_signed.then_some(TlsSource::SelfSigned)),
        bare: arguments.bare,
    }
}

/// SIGTERM and SIGINT.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be waited for");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
