//! Messages of queues. What may be done with them is the `queue` crate's to decide; here they are kept and found.

mod memory;
mod rows;

use std::ops::RangeInclusive;
use std::sync::Arc;

use aws_api::Timestamp;
use bytes::Bytes;
use fjall::{Readable, Snapshot};

pub(crate) use self::memory::QueueMemory;
pub(crate) use self::rows::{QueueOp, QueueOps};

use crate::core::{Core, lock};
use crate::tree::Tree;
use crate::{StoreError, Unit};

/// A queue, by a number that is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u64);

/// Where a message stands in its queue: messages are received in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// From when on it may be received.
    pub visible_at: Timestamp,
    /// Its number: unique, rising with the order of sending.
    pub seq: u64,
}

/// Why a message stands where it stands; it tells the counts of messages not visible yet apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Sent with a delay.
    Delayed,
    /// Never received, or returned before its time.
    Visible,
    /// Received, until it becomes visible again.
    InFlight,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// Where it stands.
    pub slot: Slot,
    /// Why.
    pub class: Class,
    /// What changes with each receive.
    pub state: Bytes,
    /// What was sent.
    pub message: Bytes,
}

/// How many messages a queue holds at a moment; the three do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// To be received now.
    pub visible: u64,
    /// Received and not visible yet.
    pub in_flight: u64,
    /// Sent with a delay that has not passed.
    pub delayed: u64,
}

/// Finds messages; [`Unit`] writes them.
///
/// Moments given to one queue's calls do not go back; one that does is taken for the latest seen.
pub struct QueueStore {
    core: Arc<Core>,
}

impl QueueStore {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A number for a message, greater than all before, also after a restart.
    pub fn next_seq(&self) -> Result<u64, StoreError> {
        self.core.message_ids.next(&self.core)
    }

    /// Messages that may be received at `now`, at most `limit`, in the order of their slots.
    pub fn due(&self, queue: QueueId, now: Timestamp, limit: usize) -> Result<Vec<QueueRow>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let scan = self.core.queues.begin_head(&self.core.trees, queue)?;
        let end = Slot { visible_at: now, seq: u64::MAX };
        if scan.from > end {
            return Ok(Vec::new());
        }
        let snapshot = self.core.db.snapshot();
        let range = rows::index_range(queue, scan.from..=end);
        let mut found = Vec::new();
        for guard in snapshot.range(self.core.trees.of(Tree::QueueIndex), range).take(limit) {
            let slot = rows::slot_of(&guard.key()?)?;
            found.push(self.row(&snapshot, queue, slot.seq)?.ok_or_else(|| rows::lost(queue, slot.seq))?);
        }
        // All below the first is gone: the next call need not pass over its remains again.
        let first = found.first().map_or(Slot { visible_at: now.plus_millis(1), seq: 0 }, |row| row.slot);
        self.core.queues.end_head(queue, scan, first);
        Ok(found)
    }

    /// A message, wherever it stands.
    pub fn get(&self, queue: QueueId, seq: u64) -> Result<Option<QueueRow>, StoreError> {
        self.row(&self.core.db.snapshot(), queue, seq)
    }

    /// How many messages there are. Cheap, whatever the backlog; the first call for a queue after a start walks the keys
    /// of those not visible yet.
    pub fn counts(&self, queue: QueueId, now: Timestamp) -> Result<Counts, StoreError> {
        self.with_waiting(queue, now, memory::Waiting::counts)
    }

    /// The next moment after `now` at which a message becomes visible.
    pub fn next_visible(&self, queue: QueueId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.with_waiting(queue, now, memory::Waiting::next_visible)
    }

    /// The first messages in the order of sending, at most `limit`, visible or not: those whose retention ends first.
    pub fn oldest(&self, queue: QueueId, limit: usize) -> Result<Vec<QueueRow>, StoreError> {
        let snapshot = self.core.db.snapshot();
        let seqs = self.first_seqs(queue, u64::MAX, limit)?;
        let rows = seqs.into_iter().filter_map(|seq| self.row(&snapshot, queue, seq).transpose());
        rows.collect()
    }

    /// A unit that removes the first `limit` messages numbered up to `up_to_seq`; empty when none are left. For a purge or
    /// a deletion, piece by piece; messages moved meanwhile are removed too.
    pub fn clear(&self, queue: QueueId, up_to_seq: u64, limit: usize) -> Result<Unit, StoreError> {
        let mut unit = Unit::new();
        for seq in self.first_seqs(queue, up_to_seq, limit)? {
            unit.queue_discard(queue, seq);
        }
        Ok(unit)
    }

    fn first_seqs(&self, queue: QueueId, up_to_seq: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        let scan = self.core.queues.begin_floor(&self.core.trees, queue)?;
        if limit == 0 || scan.from > up_to_seq {
            return Ok(Vec::new());
        }
        let range: RangeInclusive<_> = rows::state_key(queue, scan.from)..=rows::state_key(queue, up_to_seq);
        let keys = self.core.trees.of(Tree::QueueStates).range(range).take(limit);
        let seqs = keys.map(|guard| rows::seq_of(&guard.key()?)).collect::<Result<Vec<u64>, StoreError>>()?;
        if let Some(first) = seqs.first() {
            self.core.queues.end_floor(queue, scan, *first);
        }
        Ok(seqs)
    }

    fn row(&self, snapshot: &Snapshot, queue: QueueId, seq: u64) -> Result<Option<QueueRow>, StoreError> {
        let key = rows::state_key(queue, seq);
        let Some(state) = snapshot.get(self.core.trees.of(Tree::QueueStates), &key)? else {
            return Ok(None);
        };
        let message =
            snapshot.get(self.core.trees.of(Tree::QueueMessages), &key)?.ok_or_else(|| rows::lost(queue, seq))?;
        let (visible_at, class, state) = rows::read_state(&state.into())?;
        Ok(Some(QueueRow { slot: Slot { visible_at, seq }, class, state, message: message.into() }))
    }

    fn with_waiting<T>(
        &self,
        queue: QueueId,
        now: Timestamp,
        read: impl Fn(&memory::Waiting) -> T,
    ) -> Result<T, StoreError> {
        if let Some(answer) = self.core.queues.waiting(queue, now, &read) {
            return Ok(answer);
        }
        // No unit may be applied while the keys are walked.
        let _commit = lock(&self.core.commit);
        self.core.queues.load_waiting(&self.core.trees, queue, now)?;
        self.core.queues.waiting(queue, now, &read).ok_or_else(|| StoreError::damaged("a queue without counts"))
    }
}
