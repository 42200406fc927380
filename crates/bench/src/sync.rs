//! What the disk can do: appends of 1 KiB, each synced, one after the other.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Settings;
use crate::process::folder;
use crate::report::Report;

pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    report.add("fdatasync of 1 KiB appends, alone", format!("{:.0}/s", rate(settings.duration)?), "");
    Ok(())
}

/// Syncs a second.
pub fn rate(duration: Duration) -> Result<f64> {
    let folder = folder()?;
    let mut file = File::create(folder.path().join("appended"))?;
    let begun = Instant::now();
    let mut syncs = 0_u32;
    while begun.elapsed() < duration {
        file.write_all(&[b'x'; 1024])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / begun.elapsed().as_secs_f64())
}
