//! Which records wait for a log file of which trail.
//!
//! A row names the records of one batch of the pipeline that a trail chose in one region: its key is the trail, the region and
//! the number of the first, its value has a bit for each number from there on. Rows of one trail and region are neighbours, in
//! the order of the log. A row for each record would be most of what the pipeline writes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_api::Entity;
use store::{Space, StoreError, Unit};
use tokio::sync::Notify;
use trail::Trail;

use crate::app::App;
use crate::forget;
use crate::log_files::FILE_BYTES_MAX;

/// Rows that are forgotten in one unit.
const FORGOTTEN_COUNT: usize = 10_000;

/// How much waits for each trail, for the metrics; and with a full file it is not waited for the end of the interval.
#[derive(Debug, Default)]
pub struct Waiting {
    amounts: Mutex<BTreeMap<String, Amount>>,
    full: Notify,
    /// Of trails and regions of which files were written: below this number nothing waits. What the store remembers of rows that
    /// were deleted would be walked over each time.
    floors: Mutex<BTreeMap<Vec<u8>, u64>>,
}

/// What waits for the files of one trail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Records in no file yet.
    pub records: u64,
    /// Bytes of those that came since the last try to write a file, or since the start.
    bytes: u64,
}

impl Waiting {
    /// Counts the records of a batch that was committed.
    fn add(&self, amounts: &Amounts) {
        let mut all = self.lock();
        for (trail, more) in amounts {
            let sum = all.entry(trail.clone()).or_default();
            sum.records += more.records;
            sum.bytes += more.bytes;
            if sum.bytes >= FILE_BYTES_MAX as u64 {
                self.full.notify_one();
            }
        }
    }

    /// All rows of a trail and region are deleted, up to the one of this key.
    pub fn deleted_through(&self, key: &[u8]) {
        if let Some((group, seq)) = key.split_last_chunk() {
            self.lock_floors().insert(group.to_vec(), u64::from_be_bytes(*seq) + 1);
        }
    }

    /// So many records of a trail are in a file.
    pub fn written(&self, trail: &str, records: u64) {
        if let Some(amount) = self.lock().get_mut(trail) {
            amount.records = amount.records.saturating_sub(records);
        }
    }

    /// The trail is gone.
    fn forget(&self, trail: &str) {
        let first = of_trail(trail);
        let end = after(first.clone());
        self.lock_floors().retain(|group, _| !(&first..&end).contains(&group));
    }

    /// Whether so many bytes have come for a trail since the last try; this is the next.
    pub fn takes_up(&self, trail: &str, bytes_min: u64) -> bool {
        match self.lock().get_mut(trail) {
            Some(amount) if amount.bytes >= bytes_min => {
                amount.bytes = 0;
                true
            }
            _ => bytes_min == 0,
        }
    }

    /// Records that wait for a trail.
    pub fn records(&self, trail: &str) -> u64 {
        self.lock().get(trail).map_or(0, |amount| amount.records)
    }

    /// Resolves when a full file waits for some trail.
    pub async fn full(&self) {
        self.full.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Amount>> {
        self.amounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_floors(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, u64>> {
        self.floors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first key of a trail and region that there may be.
    fn first_key(&self, group: &[u8]) -> Vec<u8> {
        let floor = self.lock_floors().get(group).copied().unwrap_or_default();
        [group, &floor.to_be_bytes()].concat()
    }

    /// The ranges of keys in which rows of a trail may be.
    fn ranges(&self, trail: &str) -> Vec<Range<Vec<u8>>> {
        let mut from = of_trail(trail);
        let end = after(from.clone());
        let mut ranges = Vec::new();
        for (group, floor) in self.lock_floors().range(from.clone()..end.clone()) {
            ranges.push(std::mem::replace(&mut from, [&group[..], &floor.to_be_bytes()].concat())..group.clone());
        }
        ranges.push(from..end);
        ranges
    }
}

/// By trail.
pub type Amounts = BTreeMap<String, Amount>;

/// The records of one batch, by trail and region.
#[derive(Debug, Default)]
pub struct Batch {
    rows: BTreeMap<Vec<u8>, Row>,
    amounts: Amounts,
}

/// The records of one batch that go into files of one trail and region, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    first: u64,
    bits: Vec<u8>,
}

impl Row {
    fn new(first: u64) -> Self {
        Self { first, bits: vec![1] }
    }

    /// Later numbers only.
    fn add(&mut self, seq: u64) {
        let Some((byte, bit)) = seq.checked_sub(self.first).map(place) else { return };
        if self.bits.len() <= byte {
            self.bits.resize(byte + 1, 0);
        }
        self.bits[byte] |= bit;
    }

    fn read(key: &[u8], bits: &[u8]) -> Option<Self> {
        Some(Self { first: seq_of(key)?, bits: bits.to_vec() })
    }

    /// The first number.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// How many numbers there are from the first to the last.
    pub fn span(&self) -> usize {
        self.bits.len() * 8
    }

    /// How many numbers it names.
    pub fn len(&self) -> u64 {
        self.bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Is this number one of them?
    pub fn has(&self, seq: u64) -> bool {
        let place = seq.checked_sub(self.first).map(place);
        place.is_some_and(|(byte, bit)| self.bits.get(byte).is_some_and(|bits| bits & bit != 0))
    }
}

/// The byte and the bit of an offset.
fn place(offset: u64) -> (usize, u8) {
    (usize::try_from(offset / 8).unwrap_or(usize::MAX - 1), 1 << (offset % 8))
}

impl Batch {
    /// A trail chose a record of so many bytes. Numbers come in order.
    pub fn add(&mut self, trail: &str, region: &str, seq: u64, bytes: usize) {
        let row = self.rows.entry(group(trail, region)).or_insert_with(|| Row::new(seq));
        row.add(seq);
        let amount = self.amounts.entry(trail.to_owned()).or_default();
        amount.records += 1;
        amount.bytes += bytes as u64;
    }

    /// Adds the rows to a unit. They count at once: before the unit is committed somebody may have written their file.
    pub fn stage(self, unit: &mut Unit, waiting: &Waiting) {
        for (mut key, row) in self.rows {
            key.extend_from_slice(&row.first.to_be_bytes());
            unit.put(Space::TrailIndex, key, row.bits);
        }
        waiting.add(&self.amounts);
    }
}

/// What the keys of a trail's rows begin with. No name of a trail or region holds a zero.
fn of_trail(trail: &str) -> Vec<u8> {
    [trail.as_bytes(), &[0]].concat()
}

/// Greater than all that begins with this, which ends with a zero.
fn after(mut beginning: Vec<u8>) -> Vec<u8> {
    beginning.pop();
    beginning.push(1);
    beginning
}

/// The same for one of its regions.
fn group(trail: &str, region: &str) -> Vec<u8> {
    [trail.as_bytes(), &[0], region.as_bytes(), &[0]].concat()
}

fn seq_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// The regions of which records wait for a trail's files.
pub fn regions(app: &App, trail: &str) -> Result<Vec<String>, StoreError> {
    let beginning = of_trail(trail);
    let mut regions = Vec::new();
    for Range { mut start, end } in app.waiting.ranges(trail) {
        while let Some((key, _)) = app.store.range(Space::TrailIndex, start..end.clone()).next().transpose()? {
            let rest = &key[beginning.len()..];
            let region = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            regions.push(String::from_utf8_lossy(region).into_owned());
            start = [&beginning[..], region, &[1]].concat();
            if start >= end {
                break;
            }
        }
    }
    Ok(regions)
}

/// The rows of a trail and region with their keys, from the oldest.
pub fn rows(app: &App, trail: &str, region: &str) -> impl Iterator<Item = Result<(Vec<u8>, Row), StoreError>> {
    let group = group(trail, region);
    app.store.range(Space::TrailIndex, app.waiting.first_key(&group)..after(group)).filter_map(|row| match row {
        Ok((key, bits)) => Row::read(&key, &bits).map(|row| Ok((key.to_vec(), row))),
        Err(error) => Some(Err(error)),
    })
}

/// The first record that still waits for a file of some trail, which the log must keep.
pub fn oldest(app: &App) -> Result<Option<u64>, StoreError> {
    // Those that are gone for the registry, but not yet for the worker, are deleted: nothing of them is delivered.
    let trails: Vec<_> = app.registry().trails.iter().map(Entity::key).collect();
    let mut oldest = None;
    for trail in trails {
        oldest = [oldest, oldest_of(app, &trail)?].into_iter().flatten().min();
    }
    Ok(oldest)
}

/// Counts what an earlier run left, up to this place in the log.
pub fn count(app: &App, last: u64) -> Result<(), StoreError> {
    for row in app.store.range(Space::TrailIndex, ..) {
        let (key, bits) = row?;
        let trail = key.split(|byte| *byte == 0).next().map(String::from_utf8_lossy).unwrap_or_default();
        if let Some(row) = Row::read(&key, &bits).filter(|row| row.first <= last) {
            let amount = Amount { records: row.len(), bytes: 0 };
            app.waiting.add(&Amounts::from([(trail.into_owned(), amount)]));
        }
    }
    Ok(())
}

/// The oldest record that waits for a trail's files, as it stands in the log.
pub fn oldest_of(app: &App, trail: &str) -> Result<Option<u64>, StoreError> {
    let mut oldest = None;
    for region in regions(app, trail)? {
        let first = rows(app, trail, &region).next().transpose()?;
        oldest = [oldest, first.map(|(_, row)| row.first)].into_iter().flatten().min();
    }
    Ok(oldest)
}

/// Forgets what was to go into the files of a trail that is deleted, and tells of it: the trail's bucket took nothing any
/// more, or the requests were made while the trail was being deleted.
pub async fn forget(app: &App, trail: &str) -> Result<(), StoreError> {
    let first = of_trail(trail);
    let end = after(first.clone());
    let mut records = 0;
    loop {
        let mut unit = Unit::new();
        let mut count = 0;
        for row in app.store.range(Space::TrailIndex, first.clone()..end.clone()).take(FORGOTTEN_COUNT) {
            let (key, bits) = row?;
            records += Row::read(&key, &bits).map_or(0, |row| row.len());
            unit.delete(Space::TrailIndex, key.to_vec());
            count += 1;
        }
        if count == 0 {
            break;
        }
        app.store.commit(unit).await?;
    }
    app.waiting.written(trail, records);
    app.waiting.forget(trail);
    if records > 0 {
        app.counters.undelivered_records.fetch_add(records, Ordering::Relaxed);
        tracing::warn!(trail, records, "a trail was deleted before these records could be delivered to its bucket");
    }
    Ok(())
}

/// Forgets what is left of trails that are gone, also for the worker.
pub async fn forget_deleted(app: &App) -> Result<(), StoreError> {
    let is_there = |key: &[u8]| {
        let is_one = |other: &Trail| other.key().as_bytes() == key;
        // Rows are only written of trails that there are.
        app.registry().trails.iter().any(is_one) || app.passed.trails().iter().any(is_one)
    };
    forget::rows_of_gone_trails(app, Space::TrailIndex, &[], is_there).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is written is passed over, and nothing else.
        #[test]
        fn each_row_that_may_wait_is_in_one_range(
            deleted in prop::collection::btree_map(("[ab]", "[ab]{1,2}"), 0..4_u64, 0..6),
            row in (("[ab]", "[ab]{1,2}"), 0..5_u64),
        ) {
            let waiting = Waiting::default();
            let key = |trail: &str, region: &str, seq: u64| [&group(trail, region)[..], &seq.to_be_bytes()].concat();
            for ((trail, region), last) in &deleted {
                waiting.deleted_through(&key(trail, region, *last));
            }
            let ((trail, region), seq) = row;
            let key = key(&trail, &region, seq);
            let is_written = deleted.get(&(trail.clone(), region.clone())).is_some_and(|last| seq <= *last);
            let ranges = waiting.ranges(&trail);
            prop_assert!(ranges.iter().all(|range| range.start < range.end));
            prop_assert_eq!(ranges.iter().filter(|range| range.contains(&key)).count(), usize::from(!is_written));
            prop_assert_eq!(key >= waiting.first_key(&group(&trail, &region)), !is_written);
            waiting.forget(&trail);
            prop_assert_eq!(waiting.ranges(&trail).len(), 1);
            prop_assert!(waiting.lock_floors().keys().all(|key| !key.starts_with(&of_trail(&trail))));
        }

        #[test]
        fn a_row_holds_what_was_added(first in 0..u64::MAX - 1_000, gaps in prop::collection::vec(1..40_u64, 0..40)) {
            let mut row = Row::new(first);
            let mut seqs = vec![first];
            for gap in gaps {
                let seq = seqs[seqs.len() - 1].saturating_add(gap);
                row.add(seq);
                seqs.push(seq);
            }
            let read = Row::read(&[&b"t\0r\0"[..], &first.to_be_bytes()].concat(), &row.bits).unwrap();
            prop_assert_eq!(&read, &row);
            for seq in first.saturating_sub(9)..=first + 999 {
                prop_assert_eq!(read.has(seq), seqs.contains(&seq));
            }
            prop_assert_eq!(read.len(), seqs.len() as u64);
            prop_assert!(read.span() as u64 > seqs[seqs.len() - 1] - first);
        }
    }
}
