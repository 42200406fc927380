//! What a process cost, to its end.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::{cpu_of, mib_of};

/// Its memory is looked at so often; it hardly changes.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Of one process.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Processor time, in seconds.
    pub cpu: f64,
    /// In seconds.
    pub wall: f64,
    /// Resident at most.
    pub peak_mib: f64,
}

/// Runs a command, and gives what it printed.
pub fn cost(command: &mut Command) -> Result<(Cost, Vec<u8>)> {
    let (cpu, begun) = (of_children()?, Instant::now());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let (id, is_over) = (child.id(), AtomicBool::new(false));
    let mut stdout = child.stdout.take().context("stdout is piped")?;
    let mut printed = Vec::new();
    let peak_mib = std::thread::scope(|scope| {
        let peak = scope.spawn(|| peak(id, &is_over));
        let read = stdout.read_to_end(&mut printed);
        is_over.store(true, Ordering::Relaxed);
        read?;
        peak.join().map_err(|_| anyhow::anyhow!("nobody looked at the memory"))
    })?;
    let status = child.wait()?;
    let cost = Cost { cpu: of_children()? - cpu, wall: begun.elapsed().as_secs_f64(), peak_mib };
    ensure!(status.success(), "{}: {status}", command.get_program().display());
    Ok((cost, printed))
}

/// The most that was resident when it was last looked at.
fn peak(id: u32, is_over: &AtomicBool) -> f64 {
    let mut peak = 0.0;
    while !is_over.load(Ordering::Relaxed) {
        peak = mib_of(id, "VmHWM:").unwrap_or(peak);
        std::thread::sleep(LOOK_EVERY);
    }
    peak
}

/// Seconds of the processes that have ended.
fn of_children() -> Result<f64> {
    // cutime and cstime
    Ok(cpu_of("self", 16)?.as_secs_f64())
}
