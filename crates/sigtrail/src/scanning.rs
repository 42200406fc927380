//! `sigtrail scan`: who must migrate, from archives.

mod archive;
mod progress;
mod state;

use std::fs::File;
use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use event_pattern::Pattern;
use report::findings::{BucketDays, CheckTitle, Findings, Found, Skipped, csv, html, json, table};
use report::sanitize::sanitize;
use scan::{Limits, Outcome, Question, Scan, Selection};

use self::archive::Everything;
use self::progress::Bar;
use self::state::State;
use crate::args::{ScanArguments, ScanFormat};
use crate::matching::{Input, asked_by, read_pattern};
use crate::terminal;

/// `sigtrail checks`
pub fn list_checks() -> Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    for check in checks::all() {
        let date = check.date.unwrap_or("-");
        writeln!(out, "{:<28} {:<12} {:<11} {}", check.name, check.kind.as_str(), date, check.title)?;
    }
    Ok(out.flush()?)
}

pub fn run(arguments: &ScanArguments) -> Result<ExitCode> {
    let asked = asked(arguments)?;
    let patterns: Vec<_> = asked.iter().map(|asked| asked.pattern.clone()).collect();
    let question = Question::new(&patterns);
    let limits = limits(arguments);
    // Before anything is read: a file that cannot be written would be known only at the end.
    let mut out = output(arguments.output.as_deref())?;
    let outcome = find(arguments, &question, limits, &asked, &mut out)?;
    let matched = outcome.matched > 0;
    let findings = findings(outcome, &asked);
    write(arguments, &findings, &mut out)?;
    out.flush()?;
    Ok(if arguments.exit_code && matched { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is asked, and how it is called.
struct Asked {
    title: CheckTitle,
    pattern: Pattern,
}

fn asked(arguments: &ScanArguments) -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    let default = (arguments.pattern.is_empty() && arguments.check.is_empty()).then(|| checks::DEFAULT.to_owned());
    for name in arguments.check.iter().chain(&default) {
        let check = named_check(name)?;
        asked.push(Asked {
            title: CheckTitle {
                name: check.name.to_owned(),
                title: check.title.to_owned(),
                hygiene: check.kind == checks::Kind::Hygiene,
                date: check.date.map(ToOwned::to_owned),
            },
            pattern: Pattern::compile(check.pattern())?,
        });
    }
    let inputs: Vec<_> = arguments.paths.iter().map(|path| Input::of(Path::new(path))).collect();
    for file in &arguments.pattern {
        let name = file.display().to_string();
        let title = CheckTitle { title: name.clone(), name, ..CheckTitle::default() };
        asked.push(Asked { title, pattern: read_pattern(&asked_by(file, &inputs)?)? });
    }
    Ok(asked)
}

/// A check of the catalogue.
pub fn named_check(name: &str) -> Result<&'static checks::Check> {
    checks::find(name).with_context(|| format!("no check is named {name}: `sigtrail checks` lists them"))
}

fn limits(arguments: &ScanArguments) -> Limits {
    let selection = Selection {
        accounts: arguments.account.clone(),
        regions: arguments.region.clone(),
        since: arguments.since,
        until: arguments.until,
    };
    // The page tells of all buckets, also of those in which nothing matches. A state is of use for a page later on.
    let inventory = arguments.format == ScanFormat::Html || arguments.state.is_some();
    Limits { selection, dedup: arguments.dedup, inventory }
}

type Output = BufWriter<Box<dyn Write + Send>>;

fn output(file: Option<&Path>) -> Result<Output> {
    let out: Box<dyn Write + Send> = match file {
        None => Box::new(stdout()),
        Some(file) => Box::new(File::create(file).with_context(|| file.display().to_string())?),
    };
    Ok(BufWriter::with_capacity(1 << 18, out))
}

fn find(
    arguments: &ScanArguments,
    question: &Question,
    limits: Limits,
    asked: &[Asked],
    out: &mut Output,
) -> Result<Outcome> {
    let (mut everything, failed) = Everything::list(arguments, &limits.selection)?;
    let mut state = arguments.state.as_deref().map(|file| State::read(file, asked, &limits)).transpose()?;
    let changed = state.as_ref().map(|state| everything.leave_out(state)).unwrap_or_default();
    let bar = Bar::new(everything.len(), !arguments.no_progress);
    let lines = Mutex::new(Lines { out, error: None });
    let told = |record: &[u8]| lines.lock().unwrap_or_else(PoisonError::into_inner).write(record);
    let scan = Scan {
        question,
        limits,
        threads: threads(arguments, &everything),
        matches: (arguments.format == ScanFormat::Ndjson).then_some(&told),
    };
    let mut outcome = scan.run(&everything, &|progress| bar.add(progress));
    bar.end();
    let Lines { out, error } = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Before the state says that they were told.
    error.map_or_else(|| out.flush(), Err)?;
    if let Some(state) = &mut state {
        let unread = outcome.skipped.iter().filter(|one| one.is_unread).cloned().collect::<Vec<_>>();
        state.add(&everything, &outcome);
        state.write()?;
        outcome = state.outcome().clone();
        outcome.skipped.extend(unread);
    }
    outcome.skipped.extend(failed.into_iter().chain(changed));
    outcome.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(outcome)
}

/// Buckets are waited for, so that more of their objects are asked for at one time.
fn threads(arguments: &ScanArguments, everything: &Everything) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = || if everything.is_remote() { 16 } else { processors() };
    arguments.threads.map_or_else(wanted, usize::from).min(everything.len().max(1))
}

/// Records that match, one a line.
struct Lines<'o> {
    out: &'o mut Output,
    error: Option<io::Error>,
}

impl Lines<'_> {
    fn write(&mut self, record: &[u8]) {
        if self.error.is_some() {
            return;
        }
        // No text of JSON holds a line break, so that those that there are stand between tokens.
        let mut pieces = record.split(|byte| *byte == b'\n' || *byte == b'\r');
        let written = pieces.try_for_each(|piece| self.out.write_all(piece));
        self.error = written.and_then(|()| self.out.write_all(b"\n")).err();
    }
}

fn findings(outcome: Outcome, asked: &[Asked]) -> Findings {
    let name = |pattern: usize| asked.get(pattern).map(|asked| asked.title.name.clone()).unwrap_or_default();
    let found = |found: scan::Found| Found { check: name(found.pattern), caller: found.caller, days: found.days };
    let bucket = |(bucket, days): (String, scan::Bucket)| BucketDays {
        bucket,
        data_events: days.data_events,
        matched: days.matched,
        first_day: days.first_day,
        last_day: days.last_day,
        last_matched_day: days.last_matched_day,
    };
    let time = |time: String| Some(time).filter(|time| !time.is_empty());
    Findings {
        checks: asked.iter().map(|asked| asked.title.clone()).collect(),
        files: outcome.files,
        records: outcome.records,
        bytes: outcome.bytes,
        matched: outcome.matched,
        duplicates: outcome.duplicates,
        skipped: outcome.skipped.into_iter().map(|one| Skipped { path: one.path, error: one.error }).collect(),
        skipped_more: outcome.skipped_more,
        callers: outcome.found.into_iter().map(found).collect(),
        buckets: outcome.buckets.into_iter().map(bucket).collect(),
        first_time: time(outcome.times.0),
        last_time: time(outcome.times.1),
        data_events: outcome.data_events,
        generated: server::now().to_rfc3339_seconds(),
    }
}

fn write(arguments: &ScanArguments, findings: &Findings, out: &mut Output) -> io::Result<()> {
    let by = &arguments.by;
    match arguments.format {
        ScanFormat::Table => {
            let columns = arguments.output.is_none().then(terminal::size).flatten().map(|size| size.columns);
            table::write(findings, by, columns, out)
        }
        ScanFormat::Json => json::write(findings, by, out),
        ScanFormat::Csv => csv::write(findings, by, out),
        ScanFormat::Html => html::write(findings, by, out),
        ScanFormat::Ndjson => {
            tell_skipped(findings);
            Ok(())
        }
    }
}

/// Where the output has no place for it.
fn tell_skipped(findings: &Findings) {
    for skipped in &findings.skipped {
        eprintln!("sigtrail: {}: {}", sanitize(&skipped.path), sanitize(&skipped.error));
    }
    if findings.skipped_more > 0 {
        eprintln!("sigtrail: {} more were skipped", findings.skipped_more);
    }
}

/// The paths that were given and are of a disk.
fn local(paths: &[String]) -> Vec<PathBuf> {
    paths.iter().filter(|path| !path.starts_with("s3://") && *path != "-").map(PathBuf::from).collect()
}
