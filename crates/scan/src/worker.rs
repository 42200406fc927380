//! One thread's part of a scan: records in, counts out.

use std::collections::BTreeMap;
use std::ops::Range;

use access_log::{Line, Origin};
use event_pattern::PathsRoom;
use serde::{Deserialize, Serialize};

use crate::document::records_of;
use crate::extract::Sink;
use crate::literal::{Hits, Literals};
use crate::seen::Seen;
use crate::sighting::Sighting;
use crate::tally::Tally;
use crate::{Limits, Matches, Question};

/// So many records are looked into together: what does that stays at hand, and if all are wanted, so do they.
const WANTED_MAX: usize = 16;

/// What a thread counted.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub records: u64,
    pub matched: u64,
    pub duplicates: u64,
    /// Records and lines that could not be read.
    pub broken: u64,
    /// What the first of them was, since somebody last asked.
    pub why: Option<String>,
    /// The first and the last.
    pub times: (String, String),
    pub data_events: u64,
    pub buckets: BTreeMap<String, Bucket>,
}

/// The data events of one bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// All of them.
    pub data_events: u64,
    /// Of them, those that matched a pattern.
    pub matched: u64,
    /// The day of the first, `2026-03-14`.
    pub first_day: String,
    /// The day of the last.
    pub last_day: String,
    /// The day of the last that matched.
    pub last_matched_day: Option<String>,
}

/// Matches and counts.
pub(crate) struct Worker<'q> {
    question: &'q Question,
    limits: &'q Limits,
    seen: &'q Seen,
    several: Option<&'q Literals>,
    hits: Hits,
    /// Records at hand that are to be looked into.
    wanted: Vec<Range<usize>>,
    event: Vec<u8>,
    matched: Vec<usize>,
    room: PathsRoom,
    line_record: Vec<u8>,
    /// Its name says where the lines of an access log are from.
    pub file: String,
    told: Option<Matches<'q>>,
    pub tally: Tally,
    pub totals: Totals,
}

impl<'q> Worker<'q> {
    pub fn new(question: &'q Question, limits: &'q Limits, seen: &'q Seen, told: Option<Matches<'q>>) -> Self {
        Self {
            question,
            limits,
            seen,
            several: None,
            hits: Hits::default(),
            wanted: Vec::new(),
            event: Vec::new(),
            matched: Vec::new(),
            room: PathsRoom::default(),
            line_record: Vec::new(),
            file: String::new(),
            told,
            tally: Tally::default(),
            totals: Totals::default(),
        }
    }

    /// Adds the counts of other files.
    pub fn absorb(&mut self, other: Self) {
        self.tally.absorb(other.tally);
        self.totals.absorb(other.totals);
    }

    /// A record that may match.
    pub fn examine(&mut self, record: &[u8]) {
        self.look_into(record, |worker, sighting| {
            if worker.limits.dedup && !worker.matched.is_empty() {
                let admission = worker.seen.see(sighting, record, &worker.matched);
                worker.totals.duplicates += admission.duplicates;
                if !admission.counts {
                    return;
                }
            }
            worker.count(sighting, record);
        });
    }

    /// A record that was kept for the end: but for patterns that were counted, to which those are added that are counted now. One
    /// that matches no other is a duplicate.
    pub fn examine_kept(&mut self, record: &[u8], counted: &mut Vec<usize>) {
        self.look_into(record, |worker, sighting| {
            worker.matched.retain(|pattern| !counted.contains(pattern));
            if worker.matched.is_empty() {
                worker.totals.duplicates += 1;
                return;
            }
            worker.count(sighting, record);
            counted.extend_from_slice(&worker.matched);
        });
    }

    /// Which patterns a record matches, and what is counted of it, if anything is.
    fn look_into(&mut self, record: &[u8], then: impl FnOnce(&mut Self, &Sighting<'_>)) {
        if let Err(error) = self.question.matches(record, &mut self.event, &mut self.matched) {
            return self.broken(error);
        }
        if self.matched.is_empty() && !self.limits.inventory {
            return;
        }
        let mut room = std::mem::take(&mut self.room);
        match Sighting::of(record, &mut room) {
            Ok(sighting) if self.limits.is_within(sighting.event_time()) => then(self, &sighting),
            Ok(_) => {}
            Err(error) => self.broken(format_args!("a record that is not one: {error}")),
        }
        self.room = room;
    }

    fn count(&mut self, sighting: &Sighting<'_>, record: &[u8]) {
        if self.limits.inventory {
            self.totals.take_stock(sighting, !self.matched.is_empty());
        }
        if self.matched.is_empty() {
            return;
        }
        self.totals.matched += 1;
        if let Some(told) = self.told {
            told(record);
        }
        self.matched.iter().for_each(|pattern| self.tally.add(*pattern, sighting));
    }

    fn broken(&mut self, why: impl std::fmt::Display) {
        self.totals.broken += 1;
        self.totals.why.get_or_insert_with(|| why.to_string());
    }

    fn line(&mut self, line: &[u8]) {
        let mut record = std::mem::take(&mut self.line_record);
        record.clear();
        match Line::parse(line) {
            Ok(line) => {
                line.record_of(&Origin::of_object_key(&self.file), &mut record);
                self.examine(&record);
            }
            Err(error) => self.broken(format_args!("a line of an access log: {error}")),
        }
        self.line_record = record;
    }
}

/// Adds the first and the last of other files; empty texts are none.
pub(crate) fn merge_times((first, last): &mut (String, String), (other_first, other_last): (String, String)) {
    if first.is_empty() || (!other_first.is_empty() && other_first < *first) {
        *first = other_first;
    }
    if other_last > *last {
        *last = other_last;
    }
}

/// Adds the counts of other files.
pub(crate) fn merge_buckets(buckets: &mut BTreeMap<String, Bucket>, other: BTreeMap<String, Bucket>) {
    for (bucket, counts) in other {
        buckets.entry(bucket).or_default().merge(counts);
    }
}

impl Totals {
    fn absorb(&mut self, other: Self) {
        self.records += other.records;
        self.matched += other.matched;
        self.duplicates += other.duplicates;
        self.data_events += other.data_events;
        merge_times(&mut self.times, other.times);
        merge_buckets(&mut self.buckets, other.buckets);
    }

    fn take_stock(&mut self, seen: &Sighting<'_>, matched: bool) {
        let time = seen.event_time();
        let (first, last) = &mut self.times;
        if first.is_empty() || time < first.as_str() {
            time.clone_into(first);
        }
        if time > last.as_str() {
            time.clone_into(last);
        }
        if !seen.is_data_event() {
            return;
        }
        self.data_events += 1;
        let (bucket, day) = (seen.bucket(), seen.day());
        if !self.buckets.contains_key(bucket) {
            self.buckets.insert(bucket.to_string(), Bucket::default());
        }
        if let Some(counts) = self.buckets.get_mut(bucket) {
            counts.add(day, matched);
        }
    }
}

impl Bucket {
    fn add(&mut self, day: &str, matched: bool) {
        self.data_events += 1;
        if self.first_day.is_empty() || day < self.first_day.as_str() {
            day.clone_into(&mut self.first_day);
        }
        if day > self.last_day.as_str() {
            day.clone_into(&mut self.last_day);
        }
        if matched {
            self.matched += 1;
            if self.last_matched_day.as_deref().is_none_or(|last| day > last) {
                self.last_matched_day = Some(day.to_owned());
            }
        }
    }

    /// Adds the counts of the same bucket elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.data_events += other.data_events;
        self.matched += other.matched;
        if self.first_day.is_empty() || (!other.first_day.is_empty() && other.first_day < self.first_day) {
            self.first_day = other.first_day;
        }
        self.last_day = std::mem::take(&mut self.last_day).max(other.last_day);
        self.last_matched_day = self.last_matched_day.take().max(other.last_matched_day);
    }
}

impl<'q> Sink<'q> for Worker<'q> {
    fn text(&mut self, text: &[u8], several: Option<&'q Literals>) {
        self.several = several;
        if let Some(literals) = several {
            self.hits.begin(literals, text);
        }
    }

    fn record(&mut self, text: &[u8], range: Range<usize>, is_hit: bool) {
        self.totals.records += 1;
        let mut is_one_of_several = || self.several.is_some_and(|literals| self.hits.any_in(literals, text, &range));
        if is_hit || self.limits.inventory || is_one_of_several() {
            self.wanted.push(range);
            if self.wanted.len() == WANTED_MAX {
                self.end(text);
            }
        }
    }

    fn end(&mut self, text: &[u8]) {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.drain(..).for_each(|range| self.examine(&text[range]));
        self.wanted = wanted;
    }

    fn document(&mut self, document: &[u8]) {
        let mut records = 0;
        let count = records_of(document, &mut |record| {
            records += 1;
            self.examine(record);
        });
        self.totals.records += records;
        if count.is_none() {
            self.broken("a JSON object that is no CloudTrail record and holds none");
        }
    }

    fn lines(&mut self, lines: &[u8]) {
        let literals = self.question.line_literals().filter(|_| !self.limits.inventory);
        let Some(literals) = literals else {
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                self.totals.records += 1;
                self.line(line);
            }
            return;
        };
        let mut hits = Hits::default();
        hits.begin(literals, lines);
        self.totals.records += records_in(lines);
        while let Some(at) = hits.first() {
            let start = memchr::memrchr(b'\n', &lines[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |end| at + end);
            self.line(&lines[start..end]);
            if !hits.skip_to(literals, lines, end) {
                break;
            }
        }
    }
}

/// How many lines there are that are not blank.
fn records_in(lines: &[u8]) -> u64 {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', lines).chain([lines.len()]);
    let is_record = |end: usize| {
        let line = &lines[std::mem::replace(&mut start, end + 1).min(end)..end];
        // Nearly all begin with something else than white space.
        line.first().is_some_and(|first| !first.is_ascii_whitespace()) || !line.trim_ascii().is_empty()
    };
    ends.map(is_record).map(u64::from).sum()
}
