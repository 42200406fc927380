//! Bytes of a message's rows, and what a unit does with them.

use std::ops::RangeInclusive;

use aws_api::Timestamp;
use bytes::{BufMut, Bytes, BytesMut};

use super::{Class, QueueId, Slot};
use crate::StoreError;

/// What a unit does with messages.
pub(crate) enum QueueOp {
    Send { queue: QueueId, slot: Slot, class: Class, message: Bytes, state: Bytes },
    Move { queue: QueueId, from: Slot, to: Timestamp, class: Class, state: Bytes },
    Remove { queue: QueueId, slot: Slot },
    Discard { queue: QueueId, seq: u64 },
    Forget { queue: QueueId },
}

pub(crate) type QueueOps = Vec<QueueOp>;

const STATE_HEAD_LEN: usize = 9;

pub(super) fn state_key(queue: QueueId, seq: u64) -> Vec<u8> {
    [queue.0.to_be_bytes(), seq.to_be_bytes()].concat()
}

pub(super) fn index_key(queue: QueueId, slot: Slot) -> Vec<u8> {
    [queue.0.to_be_bytes(), millis(slot.visible_at).to_be_bytes(), slot.seq.to_be_bytes()].concat()
}

pub(super) fn index_range(queue: QueueId, slots: RangeInclusive<Slot>) -> RangeInclusive<Vec<u8>> {
    index_key(queue, *slots.start())..=index_key(queue, *slots.end())
}

/// A moment as unsigned milliseconds, whose big-endian bytes sort as it does. It is never negative.
fn millis(moment: Timestamp) -> u64 {
    moment.as_millis().unsigned_abs()
}

fn moment(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// The number of eight bytes at `place`.
fn word(bytes: &[u8], place: usize) -> Result<u64, StoreError> {
    let word = bytes.get(place * 8..place * 8 + 8).and_then(|word| word.try_into().ok());
    word.map(u64::from_be_bytes).ok_or_else(|| StoreError::damaged("a row of a queue is too short"))
}

pub(super) fn seq_of(state_key: &[u8]) -> Result<u64, StoreError> {
    word(state_key, 1)
}

pub(super) fn slot_of(index_key: &[u8]) -> Result<Slot, StoreError> {
    Ok(Slot { visible_at: moment(word(index_key, 1)?), seq: word(index_key, 2)? })
}

pub(super) fn class_byte(class: Class) -> u8 {
    match class {
        Class::Delayed => 0,
        Class::Visible => 1,
        Class::InFlight => 2,
    }
}

pub(super) fn read_class(byte: Option<&u8>) -> Result<Class, StoreError> {
    match byte {
        Some(0) => Ok(Class::Delayed),
        Some(1) => Ok(Class::Visible),
        Some(2) => Ok(Class::InFlight),
        other => Err(StoreError::damaged(format!("a message of class {other:?}"))),
    }
}

pub(super) fn state_value(visible_at: Timestamp, class: Class, state: &[u8]) -> Bytes {
    let mut value = BytesMut::with_capacity(STATE_HEAD_LEN + state.len());
    value.put_u64(millis(visible_at));
    value.put_u8(class_byte(class));
    value.put_slice(state);
    value.freeze()
}

pub(super) fn read_state(value: &Bytes) -> Result<(Timestamp, Class, Bytes), StoreError> {
    let (visible_at, class) = (moment(word(value, 0)?), read_class(value.get(8))?);
    Ok((visible_at, class, value.slice(STATE_HEAD_LEN..)))
}

/// A queue's row of totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) messages: u64,
    /// No message stands below this slot.
    pub(super) head: Slot,
    /// No message has a lower number.
    pub(super) floor: u64,
}

impl Totals {
    /// Nothing known: every scan starts at the beginning.
    pub(super) const EMPTY: Self = Self { messages: 0, head: FIRST_SLOT, floor: 0 };

    pub(super) fn to_value(self) -> Bytes {
        let words = [self.messages, millis(self.head.visible_at), self.head.seq, self.floor];
        Bytes::from(words.map(u64::to_be_bytes).concat())
    }

    pub(super) fn from_value(value: &[u8]) -> Result<Self, StoreError> {
        let head = Slot { visible_at: moment(word(value, 1)?), seq: word(value, 2)? };
        Ok(Self { messages: word(value, 0)?, head, floor: word(value, 3)? })
    }
}

/// Below every slot.
pub(super) const FIRST_SLOT: Slot = Slot { visible_at: Timestamp::from_millis(0), seq: 0 };

/// A row points to another that is not there.
pub(super) fn lost(queue: QueueId, seq: u64) -> StoreError {
    StoreError::damaged(format!("message {seq} of queue {} has lost a row", queue.0))
}
