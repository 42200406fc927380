//! Archives of CloudTrail records and S3 access logs, searched with event patterns at the speed of decompression.
//!
//! Most of an archive is of no interest. What a pattern requires literally is looked for in whole files ([`literal`]), the
//! records are found by their brackets alone ([`split`]), and only a record that may match is read at all. The answers are those
//! of matching every record: [`Question::without_literals`] does, and a test compares the two.
//!
//! ```
//! use event_pattern::Pattern;
//! use scan::{Files, Limits, Question, Scan, Selection};
//!
//! let sigv2 = Pattern::compile(r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#)?;
//! let question = Question::new(&[sigv2]);
//! let scan = Scan { question: &question, limits: Limits::default(), threads: 1, matches: None };
//! let (files, failed) = Files::list(&["src".into()], &Selection::default());
//! let outcome = scan.run(&files, &|_| {});
//! assert_eq!((outcome.records, outcome.skipped.len()), (0, files.0.len()), "these are no logs");
//! # Ok::<(), event_pattern::PatternError>(())
//! ```

mod blocks;
mod document;
mod extract;
mod layout;
mod literal;
mod part;
mod question;
mod read;
mod seen;
mod sighting;
mod split;
mod tally;
mod walk;
mod worker;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_api::Timestamp;
use serde::{Deserialize, Serialize};

pub use layout::Selection;
pub use question::Question;
pub use tally::Found;
pub use worker::Bucket;

use crate::part::{Part, Read};
use crate::read::Reader;
use crate::seen::Seen;
use crate::walk::Entry;
use crate::worker::{Worker, merge_buckets, merge_times};

/// Skipped files that are told by name; the others are counted.
pub const SKIPPED_MAX: usize = 10_000;

/// What is counted of what matches.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Which files, and records of which time.
    pub selection: Selection,
    /// Count an event that stands in several files once; and a call between two accounts, which is in the logs of both, as the
    /// caller's has it. Such copies are kept until the other one comes.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Which.
    pub path: String,
    /// What, and why.
    pub error: String,
    /// It could not be opened, or not be read to its end. Nothing of it was counted, unless duplicates are left out.
    #[serde(default)]
    pub is_unread: bool,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// What was done since the last time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
}

/// Who is given each record that matches, as it stands in its file.
pub type Matches<'m> = &'m (dyn Fn(&[u8]) + Sync);

/// A search.
#[derive(Clone)]
pub struct Scan<'q> {
    /// What is asked.
    pub question: &'q Question,
    /// Of what.
    pub limits: Limits,
    /// How many threads read files.
    pub threads: usize,
    /// Where the records that match go, too.
    pub matches: Option<Matches<'q>>,
}

/// Files that are read by number: those of a disk are [`Files`].
pub trait Archive: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// How one is called in reports.
    fn name(&self, index: usize) -> String;

    /// Opens one; its length as it is stored, if that is known.
    fn open(&self, index: usize) -> io::Result<(Box<dyn io::Read + '_>, Option<u64>)>;
}

/// Files of a disk.
#[derive(Debug, Clone, Default)]
pub struct Files(pub Vec<PathBuf>);

impl Files {
    /// The files under these paths that a selection takes, and what could not be looked into.
    pub fn list(paths: &[PathBuf], selection: &Selection) -> (Self, Vec<Skipped>) {
        let (mut files, mut failed) = (Vec::new(), Vec::new());
        for entry in paths.iter().flat_map(|path| walk::files(path, selection)) {
            match entry {
                Entry::File(path) => files.push(path),
                Entry::Failed(path, error) => {
                    let path = path.to_string_lossy().into_owned();
                    failed.push(Skipped { path, error: error.to_string(), is_unread: true });
                }
            }
        }
        (Self(files), failed)
    }
}

impl Archive for Files {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> String {
        self.0[index].to_string_lossy().into_owned()
    }

    fn open(&self, index: usize) -> io::Result<(Box<dyn io::Read + '_>, Option<u64>)> {
        let file = File::open(&self.0[index])?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other("it is no file"));
        }
        Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
    }
}

impl Scan<'_> {
    /// Reads all files, and tells after each how far it is.
    pub fn run(&self, archive: &impl Archive, progress: &(impl Fn(Progress) + Sync)) -> Outcome {
        let (next, seen) = (AtomicUsize::new(0), Seen::default());
        let mut all: Outcome = std::thread::scope(|scope| {
            let run = || self.run_one(archive, &next, &seen, progress);
            let threads: Vec<_> = (1..self.threads.max(1)).map(|_| scope.spawn(run)).collect();
            let mut all = run();
            for thread in threads {
                // A thread that panicked has said so; its part is missing, which must not be passed over.
                all.absorb(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            all.into()
        });
        all.merge(self.of_kept(seen));
        all
    }

    /// Records that were kept until it was known whether there is a better copy.
    fn of_kept(&self, seen: Seen) -> Outcome {
        let nothing = Seen::default();
        let mut part = self.part(&nothing);
        for (mut counted, records) in seen.left() {
            for record in records {
                part.worker.examine_kept(&record, &mut counted);
            }
        }
        part.into()
    }

    fn part<'p>(&'p self, seen: &'p Seen) -> Part<'p> {
        Part::new(Worker::new(self.question, &self.limits, seen, self.matches))
    }

    fn run_one<'p>(
        &'p self,
        archive: &impl Archive,
        next: &AtomicUsize,
        seen: &'p Seen,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Part<'p> {
        let (mut reader, mut all) = (Reader::new(self.question.needle()), self.part(seen));
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= archive.count() {
                return all;
            }
            let before = all.bytes;
            self.read_one(archive, index, seen, &mut reader, &mut all);
            progress(Progress { files: 1, bytes: all.bytes - before });
        }
    }

    fn read_one<'p>(
        &'p self,
        archive: &impl Archive,
        index: usize,
        seen: &'p Seen,
        reader: &mut Reader<'p>,
        all: &mut Part<'p>,
    ) {
        let name = || archive.name(index);
        let mut opened = archive.open(index);
        if let Ok((file, len)) = &mut opened
            && !read::comes_in_pieces(*len)
        {
            match all.read(reader, file, *len, name) {
                Read::Done | Read::Lost => return,
                // From its beginning, in pieces.
                Read::Grown => opened = archive.open(index),
            }
        }
        match opened {
            Ok((file, _)) => {
                // What is lost half-way is to be read again, and must not have been counted by then. Where duplicates are left
                // out it counts: copies elsewhere do not.
                let mut own = self.part(seen);
                let is_lost = own.read(reader, file, None, name) == Read::Lost;
                if is_lost && !self.limits.dedup { all.take_unread(own) } else { all.absorb(own) }
            }
            Err(error) => all.skip(name(), error.to_string(), true),
        }
    }
}

impl Outcome {
    /// Adds what was found elsewhere, or before.
    pub fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.records += other.records;
        self.bytes += other.bytes;
        self.matched += other.matched;
        self.duplicates += other.duplicates;
        self.skipped.extend(other.skipped);
        self.skipped_more += other.skipped_more + self.skipped.len().saturating_sub(SKIPPED_MAX) as u64;
        self.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        self.skipped.truncate(SKIPPED_MAX);
        self.found = tally::merge(std::mem::take(&mut self.found).into_iter().chain(other.found));
        merge_times(&mut self.times, other.times);
        self.data_events += other.data_events;
        merge_buckets(&mut self.buckets, other.buckets);
    }
}
