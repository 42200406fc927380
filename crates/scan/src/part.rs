//! What one thread did, or one file came to.

use std::io;

use crate::read::{ReadError, Reader};
use crate::worker::Worker;
use crate::{Outcome, SKIPPED_MAX, Skipped};

/// Counts of some files.
pub(crate) struct Part<'q> {
    pub worker: Worker<'q>,
    pub bytes: u64,
    files: u64,
    skipped: Vec<Skipped>,
    skipped_more: u64,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// It was read, as far as it goes.
    Done,
    /// Reading failed.
    Lost,
    /// It is longer than was said, and nothing of it was counted.
    Grown,
}

impl<'q> Part<'q> {
    pub fn new(worker: Worker<'q>) -> Self {
        Self { worker, files: 0, bytes: 0, skipped: Vec::new(), skipped_more: 0 }
    }

    /// Reads a file.
    pub fn read(
        &mut self,
        reader: &mut Reader<'q>,
        file: impl io::Read,
        len: Option<u64>,
        name: impl Fn() -> String,
    ) -> Read {
        self.worker.file = name();
        let read = reader.read(file, len, &mut self.worker, &mut self.bytes);
        if matches!(read, Err(ReadError::Grown)) {
            return Read::Grown;
        }
        let is_lost = matches!(read, Err(ReadError::Io(_)));
        self.files += u64::from(!is_lost);
        let broken = std::mem::take(&mut self.worker.totals.broken);
        if let Some(why) = self.worker.totals.why.take() {
            let more = if broken > 1 { format!(", and {} more of such in it", broken - 1) } else { String::new() };
            self.skip(name(), format!("{why}{more}"), false);
        }
        if let Err(error) = read {
            self.skip(name(), error.to_string(), is_lost);
        }
        if is_lost { Read::Lost } else { Read::Done }
    }

    pub fn skip(&mut self, path: String, error: String, is_unread: bool) {
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push(Skipped { path, error, is_unread });
        } else {
            self.skipped_more += 1;
        }
    }

    /// Adds the counts of other files.
    pub fn absorb(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.skipped_more += other.skipped_more;
        for Skipped { path, error, is_unread } in other.skipped {
            self.skip(path, error, is_unread);
        }
        self.worker.absorb(other.worker);
    }

    /// Adds of another file only that it was not read.
    pub fn take_unread(&mut self, other: Self) {
        for Skipped { path, error, is_unread } in other.skipped.into_iter().filter(|one| one.is_unread) {
            self.skip(path, error, is_unread);
        }
    }
}

impl From<Part<'_>> for Outcome {
    fn from(part: Part<'_>) -> Self {
        let Part { worker, files, bytes, mut skipped, skipped_more } = part;
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        let totals = worker.totals;
        Self {
            files,
            records: totals.records,
            bytes,
            matched: totals.matched,
            duplicates: totals.duplicates,
            skipped,
            skipped_more,
            found: worker.tally.into_found(),
            times: totals.times,
            data_events: totals.data_events,
            buckets: totals.buckets,
        }
    }
}
