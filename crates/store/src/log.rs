//! The event log: records in the order in which they were applied, numbered without a hole.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::sync::watch;

use crate::core::{Core, lock};
use crate::tree::{Tree, Trees, read_u64};
use crate::{StoreError, Unit};

/// Records whose numbers the next start may have to walk.
pub(crate) const CHECK_INTERVAL: u64 = 200_000;
/// Records that one batch of [`EventLog::trim`] removes.
const TRIM_CHUNK: u64 = 4096;
const CRC_LEN: usize = 4;
const NOTE_LEN: usize = 12;

const FIRST: &[u8] = b"log.first";
const CHECKED: &[u8] = b"log.checked";

/// Reads and trims the event log; [`Unit::append`] writes it.
pub struct EventLog {
    core: Arc<Core>,
}

impl EventLog {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Records from number `from` on, or from the first that is left, in order: at most `max_entries`, and no more after
    /// `max_bytes` of them (but always one, if there is one).
    pub fn read(&self, from: u64, max_entries: usize, max_bytes: usize) -> Result<Vec<(u64, Bytes)>, StoreError> {
        if let Some(entries) = lock(&self.core.log_tail).read(from.max(self.first_seq()), max_entries, max_bytes) {
            return Ok(entries);
        }
        let rows = self.core.trees.range(Tree::Log, from.to_be_bytes().to_vec()..);
        // Read after the range was opened: what `trim` takes away meanwhile is still in the range, and is passed over.
        let first = self.first_seq();
        let mut expected = from.max(first);
        let mut bytes = 0;
        let mut entries = Vec::new();
        for row in rows {
            if entries.len() >= max_entries || bytes >= max_bytes {
                break;
            }
            let (key, value) = row?;
            let seq = read_u64(&key)?;
            if seq < expected {
                continue;
            }
            if seq > expected {
                return Err(StoreError::damaged(format!("record {expected} of the event log is missing")));
            }
            let record = unframe(seq, &value)?;
            bytes += record.len();
            entries.push((seq, record));
            expected += 1;
        }
        Ok(entries)
    }

    /// The number of the last record applied; one below [`Self::first_seq`] if there is none.
    pub fn last_seq(&self) -> u64 {
        *self.core.log_last.borrow()
    }

    /// The number of the first record that [`Self::trim`] has left. The first ever is 1.
    pub fn first_seq(&self) -> u64 {
        self.core.log_first.load(Ordering::Acquire)
    }

    /// Removes the records below `before`, in batches of a few thousand; blocks meanwhile. Returns how many there were.
    pub fn trim(&self, before: u64) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let first = self.first_seq();
            let end = before.min(self.last_seq() + 1).min(first + TRIM_CHUNK);
            if end <= first {
                return Ok(removed);
            }
            let mut unit = Unit::new();
            for seq in first..end {
                unit.rows.delete(Tree::Log, seq.to_be_bytes().to_vec());
            }
            unit.rows.put(Tree::Counters, FIRST.to_vec(), Bytes::copy_from_slice(&end.to_be_bytes()));
            // Before the rows go, so that a reader never takes them for missing.
            self.core.log_first.fetch_max(end, Ordering::AcqRel);
            self.core.apply(unit)?;
            removed += end - first;
        }
    }

    /// Tells of each record applied: the value is [`Self::last_seq`].
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.core.log_last.subscribe()
    }
}

fn crc(seq: u64, record: &[u8]) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(&seq.to_be_bytes());
    digest.update(record);
    // The library gives 64 bits; a 32-bit checksum is their low half.
    let [_, _, _, _, low @ ..] = digest.finalize().to_be_bytes();
    u32::from_be_bytes(low)
}

/// CRC-32C of number and record, then the record.
pub(crate) fn frame(seq: u64, record: &[u8]) -> Bytes {
    let mut value = BytesMut::with_capacity(CRC_LEN + record.len());
    value.put_u32(crc(seq, record));
    value.put_slice(record);
    value.freeze()
}

fn unframe(seq: u64, value: &Bytes) -> Result<Bytes, StoreError> {
    let record = match value.split_first_chunk::<CRC_LEN>() {
        Some((stored, record)) if u32::from_be_bytes(*stored) == crc(seq, record) => record.len(),
        _ => return Err(StoreError::damaged(format!("record {seq} of the event log is not what was written"))),
    };
    Ok(value.slice(value.len() - record..))
}

/// The note of the last synced record: its number and the number's checksum.
pub(crate) fn note(seq: u64) -> [u8; NOTE_LEN] {
    let mut note = [0; NOTE_LEN];
    note[..8].copy_from_slice(&seq.to_be_bytes());
    note[8..].copy_from_slice(&crc(seq, b"").to_be_bytes());
    note
}

/// The number of a note; 0 if there is none, or only half of one.
fn read_note(note: &[u8]) -> u64 {
    match note.split_first_chunk::<8>() {
        Some((seq, sum)) if *sum == crc(u64::from_be_bytes(*seq), b"").to_be_bytes() => u64::from_be_bytes(*seq),
        _ => 0,
    }
}

/// The ends of the log, once it was found whole.
pub(crate) struct Checked {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) checked: u64,
}

/// Walks the numbers that may have been in the journal when the last process ended, and compares the last with the note.
///
/// The engine drops what follows a damaged place of its journal without a word (fjall#311). In a sealed journal file that
/// leaves a hole, in the last one it takes the end away: the note tells.
pub(crate) fn check(trees: &Trees, note: &[u8]) -> Result<Checked, StoreError> {
    let first = trees.get_u64(Tree::Counters, FIRST)?.unwrap_or(1);
    let checked = trees.get_u64(Tree::Counters, CHECKED)?.unwrap_or(0).max(first - 1);
    let mut last = checked;
    for guard in trees.of(Tree::Log).range((checked + 1).to_be_bytes().to_vec()..) {
        let seq = read_u64(&guard.key()?)?;
        if seq != last + 1 {
            return Err(StoreError::damaged(format!(
                "records {} to {} of the event log are missing",
                last + 1,
                seq - 1
            )));
        }
        last = seq;
    }
    let noted = read_note(note);
    if noted > last {
        return Err(StoreError::damaged(format!(
            "records {} to {noted} of the event log were synced and are missing",
            last + 1
        )));
    }
    Ok(Checked { first, last, checked })
}

/// Moves the place from which [`check`] has to walk, in two steps a call apart: the engine is asked to write the log's
/// memory to a table; when it has done so, all numbers up to there are known to be out of the journal.
pub(crate) fn advance_check(core: &Core, asked: &mut Option<u64>) -> Result<(), StoreError> {
    let log = core.trees.of(Tree::Log);
    if let Some(seq) = asked.take() {
        if log.sealed_memtable_count() > 0 {
            *asked = Some(seq);
            return Ok(());
        }
        let mut unit = Unit::new();
        unit.rows.put(Tree::Counters, CHECKED.to_vec(), Bytes::copy_from_slice(&seq.to_be_bytes()));
        core.apply(unit)?;
        core.log_checked.store(seq, Ordering::Relaxed);
        return Ok(());
    }
    // Under the commit lock no batch is half way into the memory that is sealed.
    let commit = lock(&core.commit);
    let seq = *core.log_last.borrow();
    log.rotate_memtable()?;
    drop(commit);
    *asked = Some(seq);
    Ok(())
}
