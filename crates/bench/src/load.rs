//! Closed loops: each connection sends its next request when it has the answer to the last one.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use testkit::client::Client;

use crate::process::Server;

/// What a load did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// Requests that were answered as they should be.
    pub answered: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Processor time of the server meanwhile.
    pub cpu: Duration,
}

impl Done {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }

    /// Processor time of the server for each answer, in microseconds.
    pub fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answered as f64
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            elapsed: self.elapsed + other.elapsed,
            cpu: self.cpu + other.cpu,
        }
    }
}

/// When a connection has done enough.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so long.
    Elapsed(Duration),
    /// After so many calls on each connection.
    Calls(u64),
}

/// Runs `call(client, connection, turn)` on so many connections at once. It fails if an answer is not as it should be, and
/// tells how many requests or messages it was good for.
pub fn run<F>(server: &Server, connections: u64, until: Until, call: F) -> Result<Done>
where
    F: Fn(&mut Client, u64, u64) -> Result<u64> + Sync,
{
    let ready = Barrier::new(usize::try_from(connections)? + 1);
    let (call, ready) = (&call, &ready);
    let cpu = server.cpu()?;
    std::thread::scope(|scope| {
        let loops: Vec<_> = (0..connections)
            .map(|connection| {
                scope.spawn(move || {
                    let client = server.connect();
                    ready.wait();
                    repeat(client?, connection, until, call)
                })
            })
            .collect();
        ready.wait();
        let begun = Instant::now();
        let mut answered = 0;
        for running in loops {
            answered += running.join().map_err(|_| anyhow!("a connection's thread panicked"))??;
        }
        Ok(Done { answered, elapsed: begun.elapsed(), cpu: server.cpu()?.saturating_sub(cpu) })
    })
}

fn repeat<F>(mut client: Client, connection: u64, until: Until, call: &F) -> Result<u64>
where
    F: Fn(&mut Client, u64, u64) -> Result<u64>,
{
    let begun = Instant::now();
    let (mut answered, mut turn) = (0, 0);
    loop {
        let enough = match until {
            Until::Elapsed(duration) => begun.elapsed() >= duration,
            Until::Calls(calls) => turn >= calls,
        };
        if enough {
            return Ok(answered);
        }
        answered += call(&mut client, connection, turn)?;
        turn += 1;
    }
}
