//! What a scan of an archive found, and its reports.
//!
//! The scanner fills [`Findings`]; [`table`], [`json`], [`csv`] and [`html`] write them. `by` are the fields that tell callers
//! apart: those that differ in nothing else are one. Where several checks ran, a caller has a row for each that found it.
//!
//! ```
//! use report::Field;
//! use report::findings::{Findings, html};
//!
//! let findings = Findings { files: 2, records: 40, generated: "2026-04-01T08:12:00Z".into(), ..Findings::default() };
//! let mut page = Vec::new();
//! html::write(&findings, &[Field::Identity, Field::Bucket], &mut page)?;
//! assert!(page.starts_with(b"<!DOCTYPE html>"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod advice;
mod calendar;
pub mod csv;
mod grouped;
pub mod html;
pub mod json;
pub mod table;

use std::collections::BTreeMap;

use pipeline::Caller;
use serde::Serialize;

/// Requests by day, `2026-03-14`. Days without any may be missing.
pub type Days = BTreeMap<String, u64>;

/// All that a scan found. Texts of it may be strangers': nothing is taken for safe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The checks that ran, in the order in which they are told.
    pub checks: Vec<CheckTitle>,
    /// Files that were read to their end.
    pub files: u64,
    /// Records in them.
    pub records: u64,
    /// Their size, decompressed, in bytes.
    pub bytes: u64,
    /// Records that matched a check.
    pub matched: u64,
    /// Records that were left out because they had been read before.
    pub duplicates: u64,
    /// Files that could not be read. The scanner bounds the list.
    pub skipped: Vec<Skipped>,
    /// How many more were skipped than are listed.
    pub skipped_more: u64,
    /// Whom the checks found.
    pub callers: Vec<Found>,
    /// The buckets with data events, in any order.
    pub buckets: Vec<BucketDays>,
    /// `eventTime` of the first of all records, RFC 3339 in UTC; `None` if there was no record.
    pub first_time: Option<String>,
    /// `eventTime` of the last of all records.
    pub last_time: Option<String>,
    /// Data events among the records, which CloudTrail charges for.
    pub data_events: u64,
    /// When the report was made, RFC 3339 in UTC.
    pub generated: String,
}

/// A check that ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckTitle {
    /// Its name on the command line.
    pub name: String,
    /// What it looks for, for a headline: `Signature Version 2`.
    pub title: String,
    /// Is it good practice only, which nobody is going to enforce?
    pub hygiene: bool,
    /// When it ends or ended, as AWS announced it: `2025-12-31`.
    pub date: Option<String>,
}

/// A file that was not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Which.
    pub path: String,
    /// Why.
    pub error: String,
}

/// A caller that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who, and what it did.
    pub caller: Caller,
    /// The check's name.
    pub check: String,
    /// Its requests that matched, by day.
    pub days: Days,
}

/// When a bucket had data events, and when some matched. Days are `2026-03-14`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BucketDays {
    /// Its name.
    pub bucket: String,
    /// Its data events.
    pub data_events: u64,
    /// How many of them matched a check.
    pub matched: u64,
    /// The day of its first data event.
    pub first_day: String,
    /// The day of its last data event.
    pub last_day: String,
    /// The day of the last that matched.
    pub last_matched_day: Option<String>,
}

impl Findings {
    /// Files that were skipped, listed or not.
    fn skipped_count(&self) -> u64 {
        self.skipped_more.saturating_add(self.skipped.len() as u64)
    }

    /// Does it matter which check found a caller?
    fn has_several_checks(&self) -> bool {
        self.checks.len() > 1
    }
}
