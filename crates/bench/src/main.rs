//! Benchmarks of whole processes: the built server, and a load from beside it over real sockets on a real disk;
//! and of scans.
//!
//! `cargo run --release -p bench -- [NAME…]`. Each benchmark checks what it measures: every answer's status, and that what was
//! answered was recorded and delivered. The load shares the processors with the server; so do the figures it is compared with.

#![allow(clippy::cast_precision_loss, reason = "counts become figures of three digits")]

mod large;
mod latency;
mod load;
mod memory;
mod metrics;
mod process;
mod report;
mod s3;
mod scan;
mod sqs;
mod stacks;
mod start;
mod sync;
mod unaudited;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use crate::report::Report;

/// The same as the server's, so that the one without auditing is no slower for another reason.
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::ALLOCATOR;

#[derive(Debug, Parser)]
#[command(name = "bench", about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    child: Option<Child>,
    /// Which benchmarks; all if none is named
    #[arg(value_name = "NAME")]
    names: Vec<Name>,
    /// A million requests for `memory`, 5 GiB for `large`
    #[arg(long)]
    full: bool,
    /// How long each load runs
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    seconds: u64,
    /// Of `s3`, so many of its cases
    #[arg(long, value_name = "COUNT", default_value_t = usize::MAX, hide_default_value = true)]
    cases: usize,
}

#[derive(Debug, Subcommand)]
enum Child {
    /// Serve S3 without the audit layer, for `s3` to compare with
    #[command(hide = true)]
    Unaudited { dir: PathBuf },
    /// Unpack the files of a folder, for `scan` to compare with
    #[command(hide = true)]
    Decompress { dir: PathBuf },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Syncs a second of the disk, alone
    Sync,
    /// Signed PUT and GET of 1 KiB and 1 MiB, with and without auditing
    S3,
    /// Messages sent, and received and deleted
    Sqs,
    /// From a PUT's answer to its message
    Latency,
    /// Stacks from their request to their end
    Stacks,
    /// From the start of the process to its ready line
    Start,
    /// Resident memory, idle and after many requests
    Memory,
    /// One object of 1 GiB, written and read
    Large,
    /// What metrics cost of the processor and the disk
    Metrics,
    /// Archives searched, beside decompression alone
    Scan,
}

/// What all benchmarks are told.
#[derive(Debug, Clone, Copy)]
struct Settings {
    full: bool,
    /// How long each load runs.
    duration: Duration,
    /// Cases of `s3`.
    cases: usize,
}

fn main() -> Result<()> {
    allocator::keep_memory();
    let arguments = Arguments::parse();
    match arguments.child {
        Some(Child::Unaudited { dir }) => return unaudited::serve(&dir),
        Some(Child::Decompress { dir }) => return scan::decompress(&dir),
        None => {}
    }
    let duration = Duration::from_secs(arguments.seconds.max(1));
    let settings = Settings { full: arguments.full, duration, cases: arguments.cases };
    let all = Name::value_variants();
    let names = if arguments.names.is_empty() { all } else { &arguments.names };
    let mut report = Report::default();
    for name in names {
        eprintln!("{name:?} …");
        run(*name, settings, &mut report).with_context(|| format!("{name:?}"))?;
    }
    print!("{report}");
    Ok(())
}

fn run(name: Name, settings: Settings, report: &mut Report) -> Result<()> {
    match name {
        Name::Sync => sync::run(settings, report),
        Name::S3 => s3::run(settings, report),
        Name::Sqs => sqs::run(settings, report),
        Name::Latency => latency::run(report),
        Name::Metrics => metrics::run(settings, report),
        Name::Stacks => stacks::run(report),
        Name::Start => start::run(report),
        Name::Memory => memory::run(settings, report),
        Name::Large => large::run(settings, report),
        Name::Scan => scan::run(report),
    }
}
