//! What must be in the store after a crash, and what is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_api::Timestamp;
use bytes::Bytes;
use store::{Class, QueueId, QueueRow, Space, Store, StoreError};

use super::{MOVED_MILLIS, Number, QUEUES, TASKS};

/// More than any round makes.
const PAGE: usize = 1 << 20;

/// What the store acknowledged, over all rounds.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Per round and task the last unit done.
    done: BTreeMap<(u64, u64), u64>,
    /// Entries opened.
    opened: BTreeSet<Number>,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Found {
    /// Units in the store.
    pub units: u64,
    /// Of them, units whose end nobody had been told of.
    pub surplus: u64,
    /// What is not as it must be.
    pub faults: Vec<String>,
}

impl Found {
    fn fault(&mut self, text: String) {
        self.faults.push(text);
    }

    fn expect_equal<T: PartialEq>(&mut self, what: &str, number: Number, found: &T, expected: &T) {
        if found != expected {
            self.fault(format!("{what} of {number:?} is not as it must be"));
        }
    }
}

impl Ledger {
    /// Takes what the process printed.
    ///
    /// Panics at a line that is none of [`run`](super::run)'s.
    pub fn read(&mut self, lines: &[String]) {
        for line in lines {
            let (what, number) = line.split_once(' ').unwrap_or_default();
            let number = Number::unpack(number.parse().unwrap_or_else(|_| panic!("{line}")));
            match what {
                "open" => drop(self.opened.insert(number)),
                "done" => {
                    let last = self.done.entry((number.round, number.task)).or_default();
                    *last = number.unit.max(*last);
                }
                _ => panic!("{line}"),
            }
        }
    }

    /// Units acknowledged.
    pub fn units(&self) -> u64 {
        self.done.values().map(|last| last + 1).sum()
    }

    /// Compares a store that was opened after a crash with what was acknowledged before. What is there beyond it is durable
    /// now, so the ledger takes it in.
    pub async fn check(&mut self, store: &Store, dir: &Path) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let lasts = self.check_log(store, &mut found)?;
        let expected = expected(&lasts);
        let blobs = check_rows(store, &expected, &mut found).await?;
        check_queues(store, &expected, &lasts, &mut found)?;
        self.check_entries(store, &lasts, &mut found)?;
        check_cursors(store, &lasts, &mut found)?;
        store.swept().await;
        let files = count_files(&dir.join("blobs"))?;
        if files != blobs {
            found.fault(format!("{files} files of blobs, {blobs} of them named"));
        }
        self.done = lasts;
        Ok(found)
    }

    /// The log is dense (the store checks its numbers), each record is there once and whole, and each task's go up to the
    /// last done or one further. Returns where they end.
    fn check_log(&self, store: &Store, found: &mut Found) -> Result<BTreeMap<(u64, u64), u64>, StoreError> {
        let mut next = BTreeMap::<(u64, u64), u64>::new();
        for (seq, record) in store.log().read(1, PAGE, usize::MAX)? {
            let number = number_of(&record);
            let expected = next.entry((number.round, number.task)).or_default();
            if number.unit != *expected {
                found.fault(format!("record {seq} is of {number:?} where unit {expected} must be"));
            }
            *expected = number.unit + 1;
            found.expect_equal("the record", number, &record, &Bytes::from(number.record()));
            found.units += 1;
        }
        let known = self.done.keys().chain(next.keys()).copied().collect::<BTreeSet<_>>();
        for key in known {
            let acknowledged = self.done.get(&key).map_or(0, |last| last + 1);
            let there = next.get(&key).copied().unwrap_or(0);
            found.surplus += there.saturating_sub(acknowledged);
            if there < acknowledged || there > acknowledged + 1 {
                found.fault(format!("{key:?}: {acknowledged} units acknowledged, records of {there}"));
            }
        }
        Ok(next.into_iter().map(|(key, next)| (key, next - 1)).collect())
    }

    fn check_entries(
        &mut self,
        store: &Store,
        lasts: &BTreeMap<(u64, u64), u64>,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let is_done =
            |number: &Number| lasts.get(&(number.round, number.task)).is_some_and(|last| number.unit <= *last);
        self.opened.retain(|number| !is_done(number));
        let mut there = BTreeSet::new();
        for (_, record) in store.open_entries()? {
            let number = number_of(&record);
            found.expect_equal("the opening entry", number, &record, &Bytes::from(number.record()));
            if is_done(&number) {
                found.fault(format!("the entry of {number:?} is still open"));
            }
            there.insert(number);
        }
        for lost in self.opened.difference(&there) {
            found.faults.push(format!("the opening entry of {lost:?} is lost"));
        }
        self.opened = there;
        Ok(())
    }
}

fn number_of(content: &[u8]) -> Number {
    Number::unpack(content.first_chunk().map_or(0, |number| u64::from_be_bytes(*number)))
}

/// The units whose row, message and blob are not taken back.
fn expected(lasts: &BTreeMap<(u64, u64), u64>) -> BTreeSet<Number> {
    let mut numbers = BTreeSet::new();
    for (&(round, task), &last) in lasts {
        for unit in 0..=last {
            let number = Number { round, task, unit };
            numbers.insert(number);
            if let Some(removed) = number.removes() {
                numbers.remove(&removed);
            }
        }
    }
    numbers
}

/// Rows and the blobs they name. Returns how many blobs there must be.
async fn check_rows(store: &Store, expected: &BTreeSet<Number>, found: &mut Found) -> Result<u64, StoreError> {
    let mut missing = expected.clone();
    let mut blobs = 0;
    for row in store.range(Space::Objects, ..) {
        let (key, value) = row?;
        let number = number_of(&key);
        if !missing.remove(&number) {
            found.fault(format!("a row of {number:?}, whose unit is not there or took it back"));
            continue;
        }
        found.expect_equal("the row", number, &value.get(8..).unwrap_or_default(), &number.body().as_slice());
        let named = value.first_chunk().map_or(0, |blob| u64::from_be_bytes(*blob));
        let Some(bytes) = number.blob() else { continue };
        blobs += 1;
        match read_blob(store, store::BlobId(named)).await {
            Ok(read) => found.expect_equal("the blob", number, &read, &bytes),
            Err(error) => found.fault(format!("the blob of {number:?}: {error}")),
        }
    }
    for lost in missing {
        found.fault(format!("the row of {lost:?} is lost"));
    }
    Ok(blobs)
}

async fn read_blob(store: &Store, blob: store::BlobId) -> Result<Vec<u8>, StoreError> {
    let mut reader = store.blobs().open(blob).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn check_queues(
    store: &Store,
    expected: &BTreeSet<Number>,
    lasts: &BTreeMap<(u64, u64), u64>,
    found: &mut Found,
) -> Result<(), StoreError> {
    let mut missing = expected.clone();
    let mut seqs = BTreeSet::new();
    for queue in (1..=QUEUES).map(QueueId) {
        let rows = store.queues().oldest(queue, PAGE)?;
        let counts = store.queues().counts(queue, Timestamp::from_secs(0))?;
        if counts.visible + counts.in_flight + counts.delayed != rows.len() as u64 {
            found.fault(format!("queue {queue:?} counts {counts:?} for {} messages", rows.len()));
        }
        for row in rows {
            let number = number_of(&row.message);
            if !missing.remove(&number) || number.queue() != queue || !seqs.insert(row.slot.seq) {
                found.fault(format!("a message of {number:?} that must not be"));
            }
            check_message(number, &row, lasts, found);
        }
    }
    for lost in missing {
        found.fault(format!("the message of {lost:?} is lost"));
    }
    Ok(())
}

fn check_message(number: Number, row: &QueueRow, lasts: &BTreeMap<(u64, u64), u64>, found: &mut Found) {
    let last = lasts.get(&(number.round, number.task)).copied().unwrap_or(0);
    let next = Number { unit: number.unit + 1, ..number };
    let is_moved = next.moves() == Some(number) && next.unit <= last;
    let (state, class, later) =
        if is_moved { (&b"moved"[..], Class::InFlight, MOVED_MILLIS) } else { (&b"new"[..], Class::Visible, 0) };
    found.expect_equal("the message", number, &row.message, &Bytes::from(number.message()));
    let as_found = (&row.state[..], row.class, row.slot.visible_at);
    found.expect_equal("the state", number, &as_found, &(state, class, number.visible_at().plus_millis(later)));
}

fn check_cursors(store: &Store, lasts: &BTreeMap<(u64, u64), u64>, found: &mut Found) -> Result<(), StoreError> {
    for task in 0..TASKS {
        // Rounds come in order, so the last is the latest.
        let last = lasts.iter().rfind(|((_, of), _)| *of == task);
        let number = last.map(|(&(round, task), &unit)| Number { round, task, unit });
        let name = Number { round: 0, task, unit: 0 }.cursor();
        let there = store.cursor(&name)?;
        if there != number.map(Number::pack) {
            found.fault(format!("the cursor {name} is {there:?} where {number:?} must be"));
        }
        if store.get(Space::Callers, name.as_bytes())? != number.map(|number| Bytes::from(number.latest())) {
            found.fault(format!("the latest row of {name} is not that of {number:?}"));
        }
    }
    Ok(())
}

fn count_files(dir: &Path) -> std::io::Result<u64> {
    let mut count = 0;
    for shard in std::fs::read_dir(dir)? {
        count += std::fs::read_dir(shard?.path())?.count() as u64;
    }
    Ok(count)
}
