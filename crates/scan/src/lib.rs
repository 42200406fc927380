//! Archives of CloudTrail records and S3 access logs, searched with event patterns at the speed of decompression.
//!
//! Most of an archive is of no interest. What a pattern requires literally is looked for in whole files ([`literal`]), the
//! records are found by their brackets alone ([`split`]), and only a record that may match is read at all. The answers are those
//! of matching every record: [`Question::without_literals`] does, and a test compares the two.
//!
//! ```
//! use scan::{Limits, Question, Scan};
//!
//! let sigv2 = r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#;
//! let question = Question::new([("sigv2".to_owned(), sigv2)])?;
//! let scan = Scan { question: &question, limits: Limits::default(), threads: 1 };
//! let outcome = scan.read(std::io::Cursor::new(br#"{"Records":[]}"#));
//! assert_eq!((outcome.files, outcome.records), (1, 0));
//! # Ok::<(), scan::QuestionError>(())
//! ```

mod blocks;
mod document;
mod extract;
mod layout;
mod literal;
mod question;
mod read;
mod split;
mod tally;
mod walk;
mod worker;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_api::Timestamp;

pub use layout::Selection;
pub use question::{Question, QuestionError};
pub use tally::Found;
pub use worker::Bucket;

use crate::read::{ReadError, Reader};
use crate::tally::Tally;
use crate::walk::Entry;
use crate::worker::{Seen, Totals, Worker};

/// Skipped files that are told by name; the others are counted.
pub const SKIPPED_MAX: usize = 10_000;

/// What is counted of what matches.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Which files, and records of which time.
    pub selection: Selection,
    /// Count an event that stands in several files once.
    pub dedup: bool,
    /// Also count the data events of every bucket, whether or not they match: all records are read.
    pub inventory: bool,
}

impl Limits {
    /// Whether a record of this time, in RFC 3339 and UTC, is of interest.
    fn is_within(&self, time: &str) -> bool {
        let Selection { since, until, .. } = &self.selection;
        if since.is_none() && until.is_none() {
            return true;
        }
        let Some(time) = Timestamp::parse_rfc3339(time) else { return false };
        since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until)
    }
}

/// A file of which something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub path: String,
    /// What, and why.
    pub error: String,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files that were read, also those of which something was skipped.
    pub files: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of their content, unpacked.
    pub bytes: u64,
    /// Records that matched a pattern.
    pub matched: u64,
    /// Records that would have matched and were counted before.
    pub duplicates: u64,
    /// What was not read, by path.
    pub skipped: Vec<Skipped>,
    /// Beyond [`SKIPPED_MAX`].
    pub skipped_more: u64,
    /// Who matched, the most active first.
    pub found: Vec<Found>,
    /// Of the inventory: the first and last `eventTime`, empty if there is none.
    pub times: (String, String),
    /// Of the inventory: the data events of S3.
    pub data_events: u64,
    /// Of the inventory: them by bucket.
    pub buckets: BTreeMap<String, Bucket>,
}

/// How far a scan is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files done.
    pub files: usize,
    /// Of so many.
    pub of: usize,
}

/// A search.
#[derive(Debug)]
pub struct Scan<'q> {
    /// What is asked.
    pub question: &'q Question,
    /// Of what.
    pub limits: Limits,
    /// How many threads read files.
    pub threads: usize,
}

impl Scan<'_> {
    /// The files under these paths that the selection takes, and what could not be looked into.
    pub fn list(&self, paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Skipped>) {
        let (mut files, mut failed) = (Vec::new(), Vec::new());
        for entry in paths.iter().flat_map(|path| walk::files(path, &self.limits.selection)) {
            match entry {
                Entry::File(path) => files.push(path),
                Entry::Failed(path, error) => failed.push(skipped(&path, &error)),
            }
        }
        (files, failed)
    }

    /// Reads files, and tells now and then how far it is.
    pub fn files(&self, files: &[PathBuf], progress: &(impl Fn(Progress) + Sync)) -> Outcome {
        let (next, seen) = (AtomicUsize::new(0), Seen::default());
        let parts: Vec<Part> = std::thread::scope(|scope| {
            let run = || self.run(files, &next, &seen, progress);
            let threads: Vec<_> = (1..self.threads.max(1)).map(|_| scope.spawn(run)).collect();
            let own = run();
            // A thread that panicked has said so; its part is missing, which must not be passed over.
            let others = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            std::iter::once(own).chain(others).collect()
        });
        Outcome::of(parts)
    }

    fn run(&self, files: &[PathBuf], next: &AtomicUsize, seen: &Seen, progress: &(impl Fn(Progress) + Sync)) -> Part {
        let (mut reader, mut part) = (Reader::new(), Part::default());
        let mut worker = Worker::new(self.question, &self.limits, seen);
        while let Some((index, path)) = { let index = next.fetch_add(1, Ordering::Relaxed); files.get(index).map(|path| (index, path)) } {
            let read = reader.read(path, &mut worker, &mut part.bytes);
            part.end_file(path, read, &mut worker.totals);
            progress(Progress { files: index + 1, of: files.len() });
        }
        (part.tally, part.totals) = (worker.tally, worker.totals);
        part
    }

    /// Reads a pipe to its end.
    pub fn read(&self, source: impl Read) -> Outcome {
        let (mut part, seen) = (Part::default(), Seen::default());
        let mut worker = Worker::new(self.question, &self.limits, &seen);
        let read = Reader::new().stream(source, &mut worker, &mut part.bytes);
        part.end_file(Path::new("-"), read, &mut worker.totals);
        (part.tally, part.totals) = (worker.tally, worker.totals);
        Outcome::of(vec![part])
    }
}

/// What one thread did.
#[derive(Debug, Default)]
struct Part {
    files: u64,
    bytes: u64,
    skipped: Vec<Skipped>,
    skipped_more: u64,
    tally: Tally,
    totals: Totals,
}

impl Part {
    fn end_file(&mut self, path: &Path, read: Result<(), ReadError>, totals: &mut Totals) {
        let broken = std::mem::take(&mut totals.broken);
        let why = totals.why.take();
        self.files += u64::from(!matches!(read, Err(ReadError::Io(_) | ReadError::NotAFile)));
        if let Some(why) = why {
            let more = if broken > 1 { format!(", and {} more of it", broken - 1) } else { String::new() };
            self.skip(path, format!("{why}{more}"));
        }
        if let Err(error) = read {
            self.skip(path, error.to_string());
        }
    }

    fn skip(&mut self, path: &Path, error: String) {
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push(Skipped { path: path.to_string_lossy().into_owned(), error });
        } else {
            self.skipped_more += 1;
        }
    }
}

impl Outcome {
    fn of(parts: Vec<Part>) -> Self {
        let mut outcome = Self::default();
        let mut tallies = Vec::with_capacity(parts.len());
        for part in parts {
            outcome.files += part.files;
            outcome.bytes += part.bytes;
            outcome.skipped.extend(part.skipped);
            outcome.skipped_more += part.skipped_more;
            tallies.push(part.tally);
            outcome.take(part.totals);
        }
        outcome.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        outcome.found = Tally::merge(tallies);
        outcome
    }

    fn take(&mut self, totals: Totals) {
        self.records += totals.records;
        self.matched += totals.matched;
        self.duplicates += totals.duplicates;
        self.data_events += totals.data_events;
        for (bucket, counts) in totals.buckets {
            self.buckets.entry(bucket).or_default().merge(counts);
        }
        let (first, last) = &mut self.times;
        if first.is_empty() || (!totals.first_time.is_empty() && totals.first_time < *first) {
            *first = totals.first_time;
        }
        if totals.last_time > *last {
            *last = totals.last_time;
        }
    }
}

fn skipped(path: &Path, error: &impl ToString) -> Skipped {
    Skipped { path: path.to_string_lossy().into_owned(), error: error.to_string() }
}

/// Until the crate is there.
mod access_log {
    pub fn is_access_log(_: &[u8]) -> bool { false }
    pub struct Line;
    impl Line { pub fn parse(_: &[u8]) -> Result<Self, String> { Err("none".into()) } pub fn record(&self, _: &mut Vec<u8>) {} }
}
