//! A process that is started to be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running child and what it prints. It is killed when dropped; nothing else ever is.
#[derive(Debug)]
pub struct Victim {
    child: Child,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Victim {
    /// Starts the command. Its errors go where the test's go.
    ///
    /// Panics if it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the child starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let (sender, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            // Half a line before the kill was acknowledged to nobody.
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            while stdout.read_line(&mut line).is_ok_and(|len| len > 0) && line.ends_with('\n') {
                line.pop();
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, reader: Some(reader) }
    }

    /// The next line.
    ///
    /// Panics if none comes in time, or none can come any more.
    pub fn line(&mut self, within: Duration) -> String {
        match self.lines.recv_timeout(within) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("the child said nothing for {within:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the child ended: {:?}", self.child.wait()),
        }
    }

    /// Takes lines until `after` has passed, or the child has ended by itself.
    pub fn lines_for(&mut self, after: Duration) -> Vec<String> {
        let deadline = Instant::now() + after;
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            lines.push(line);
        }
        lines
    }

    /// Kills it with SIGKILL and returns what it had still printed.
    ///
    /// Panics if it had ended by itself: whoever is to be killed lives.
    pub fn kill(mut self) -> Vec<String> {
        let ended = self.child.try_wait().expect("the child can be asked");
        assert!(ended.is_none(), "the child ended before it was killed: {ended:?}");
        self.end();
        self.lines.iter().collect()
    }

    fn end(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.end();
    }
}
