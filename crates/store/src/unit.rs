//! What a caller wants stored, all of it or nothing.

use std::fmt;

use aws_api::{Change, Timestamp};
use bytes::Bytes;

use crate::queue::{QueueOp, QueueOps};
use crate::tree::{Rows, Tree};
use crate::{BlobId, Class, QueueId, Slot, Space};

/// Writes that are applied together: rows, records of the event log, messages, blobs named or given up.
///
/// Later writes win over earlier ones of the same key. Nothing happens until [`Store::apply`](crate::Store::apply) or
/// [`Store::commit`](crate::Store::commit); a unit that is dropped did nothing.
#[derive(Default)]
pub struct Unit {
    pub(crate) rows: Rows,
    pub(crate) records: Vec<Bytes>,
    pub(crate) queue_ops: QueueOps,
    pub(crate) unlinked: Vec<BlobId>,
    held: Vec<Box<dyn Send>>,
}

impl Unit {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a row.
    pub fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Bytes>) {
        self.rows.put(Tree::Space(space), key.into(), value.into());
    }

    /// Removes a row; no error if there is none.
    pub fn delete(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.rows.delete(Tree::Space(space), key.into());
    }

    /// Appends a record to the event log. Records of one unit stand next to each other, in the order given.
    pub fn append(&mut self, record: Bytes) {
        self.records.push(record);
    }

    /// Notes that an answer has begun, with the record to complete if it never ends
    /// ([`Store::open_entries`](crate::Store::open_entries)).
    pub fn open_entry(&mut self, id: [u8; 16], record: Bytes) {
        self.rows.put(Tree::Open, id.to_vec(), record);
    }

    /// Forgets what [`Self::open_entry`] noted, usually beside the [`Self::append`] of the completed record.
    pub fn close_entry(&mut self, id: [u8; 16]) {
        self.rows.delete(Tree::Open, id.to_vec());
    }

    /// Writes or removes a row of the registry.
    pub fn change(&mut self, change: &Change) {
        let key = crate::registry::key(change);
        match &change.row {
            Some(row) => self.rows.put(Tree::Registry, key, Bytes::copy_from_slice(row)),
            None => self.rows.delete(Tree::Registry, key),
        }
    }

    /// Moves a reader's place in the event log: all before and including `seq` is done with.
    pub fn cursor(&mut self, name: &str, seq: u64) {
        self.rows.put(Tree::Cursors, name.as_bytes().to_vec(), Bytes::copy_from_slice(&seq.to_be_bytes()));
    }

    /// Keeps `guard`, a key's lock for example, until the unit is applied or dropped.
    pub fn hold(&mut self, guard: impl Send + 'static) {
        self.held.push(Box::new(guard));
    }

    /// Names a finished blob: from here on its file outlives a restart.
    pub fn link(&mut self, blob: BlobId) {
        self.rows.put(Tree::BlobRefs, blob.0.to_be_bytes().to_vec(), Bytes::new());
    }

    /// Gives a blob up: its file is deleted once this unit is durable.
    pub fn unlink(&mut self, blob: BlobId) {
        self.rows.delete(Tree::BlobRefs, blob.0.to_be_bytes().to_vec());
        self.unlinked.push(blob);
    }

    /// Puts a message into a queue. `seq` comes from [`QueueStore::next_seq`](crate::QueueStore::next_seq), `message` never
    /// changes again, `state` with each [`Self::queue_move`].
    pub fn queue_send(
        &mut self,
        queue: QueueId,
        seq: u64,
        visible_at: Timestamp,
        class: Class,
        message: Bytes,
        state: Bytes,
    ) {
        self.queue_ops.push(QueueOp::Send { queue, slot: Slot { visible_at, seq }, class, message, state });
    }

    /// Gives a message another moment of visibility, class and state. Refused with
    /// [`StoreError::Stale`](crate::StoreError::Stale), unit and all, if it is not at `from` any more.
    ///
    /// `from` and `to` are of the same message; `to.seq` is not looked at.
    pub fn queue_move(&mut self, queue: QueueId, from: Slot, to: Slot, class: Class, state: Bytes) {
        self.queue_ops.push(QueueOp::Move { queue, from, to: to.visible_at, class, state });
    }

    /// Removes a message. Refused with [`StoreError::Stale`](crate::StoreError::Stale), unit and all, if it is not at `slot`
    /// any more.
    pub fn queue_remove(&mut self, queue: QueueId, slot: Slot) {
        self.queue_ops.push(QueueOp::Remove { queue, slot });
    }

    /// Removes a message wherever it is now; nothing if it is gone.
    pub fn queue_discard(&mut self, queue: QueueId, seq: u64) {
        self.queue_ops.push(QueueOp::Discard { queue, seq });
    }

    /// Forgets the counts of a queue that was deleted and cleared.
    pub fn queue_forget(&mut self, queue: QueueId) {
        self.queue_ops.push(QueueOp::Forget { queue });
    }

    /// The writes, and what is to be let go of once they are applied.
    pub(crate) fn into_parts(self) -> (Writes, Vec<Box<dyn Send>>) {
        let Self { rows, records, queue_ops, unlinked, held } = self;
        (Writes { rows, records, queue_ops, unlinked }, held)
    }

    /// Whether it would write nothing.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.records.is_empty() && self.queue_ops.is_empty() && self.unlinked.is_empty()
    }

    /// Adds the writes and guards of another unit, after its own.
    pub fn merge(&mut self, other: Unit) {
        self.rows.merge(other.rows);
        self.records.extend(other.records);
        self.queue_ops.extend(other.queue_ops);
        self.unlinked.extend(other.unlinked);
        self.held.extend(other.held);
    }
}

/// A unit without its guards.
pub(crate) struct Writes {
    pub(crate) rows: Rows,
    pub(crate) records: Vec<Bytes>,
    pub(crate) queue_ops: QueueOps,
    pub(crate) unlinked: Vec<BlobId>,
}

impl fmt::Debug for Unit {
    /// Counts only: rows hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit")
            .field("rows", &self.rows.len())
            .field("records", &self.records.len())
            .field("queue_ops", &self.queue_ops.len())
            .field("unlinked", &self.unlinked)
            .field("held", &self.held.len())
            .finish()
    }
}
