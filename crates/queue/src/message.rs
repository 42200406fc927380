//! What the store keeps of a message, and what a decision asks of it.

use std::collections::BTreeMap;

use aws_api::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Attribute;

/// The part of a message that never changes; its row is `MessagePack` with named fields, so that fields can be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `MessageId`.
    pub id: Uuid,
    /// `SentTimestamp`; retention counts from it, also in a dead-letter queue.
    pub sent: Timestamp,
    /// `SenderId`.
    pub sender: String,
    /// The text.
    pub body: String,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// `AWSTraceHeader`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_header: Option<String>,
    /// `MessageGroupId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `DeadLetterQueueSourceArn`: where it came from, in a dead-letter queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The part of a message that each receive changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// `ApproximateReceiveCount`; also tells the receipt handles of one message apart.
    #[serde(rename = "n", default)]
    pub receives: u32,
    /// `ApproximateFirstReceiveTimestamp`.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub first_received: Option<Timestamp>,
    /// When the latest visibility window began.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last_received: Option<Timestamp>,
}

impl Message {
    /// The bytes to store.
    ///
    /// # Panics
    /// Never: a plain struct of texts and numbers encodes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads stored bytes; unknown fields are passed over.
    pub fn decode(bytes: &[u8]) -> Result<Self, rmp_serde::decode::Error> {
        rmp_serde::from_slice(bytes)
    }

    /// Bytes of the text and the attributes: `SentMessageSize`.
    pub fn size(&self) -> usize {
        crate::content::size(&self.body, &self.attributes)
    }
}

impl State {
    /// The bytes to store.
    ///
    /// # Panics
    /// Never: a plain struct of numbers encodes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads stored bytes; unknown fields are passed over.
    pub fn decode(bytes: &[u8]) -> Result<Self, rmp_serde::decode::Error> {
        rmp_serde::from_slice(bytes)
    }
}

#[expect(clippy::expect_used, reason = "a plain struct of texts and numbers encodes")]
fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(row).expect("a row encodes")
}

/// Why a message is where it is in the index by time. A window or delay that has passed does not change the class: the time
/// in the slot decides what can be received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Sent with a delay.
    Delayed,
    /// Can be received.
    Visible,
    /// Received and not deleted.
    InFlight,
}

/// A message's place in its queue's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// It can be received from this moment on.
    pub visible_at: Timestamp,
    /// The store's number of the message; never used twice.
    pub seq: u64,
}

/// A stored message without its immutable part, which deletion and visibility do not need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where it is.
    pub slot: Slot,
    /// Why it is there.
    pub class: Class,
    /// Its receives.
    pub state: State,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Place and state.
    pub held: Held,
    /// The immutable part.
    pub message: Message,
}

/// What identifies a message that is about to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMessage {
    /// Its `MessageId`; derived from event and target for deliveries, so that a repeat is recognised.
    pub id: Uuid,
    /// The store's next number.
    pub seq: u64,
}

/// A decided change to stored messages. All effects of one decision belong into one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Stores a message.
    Send {
        /// [`crate::Queue::id`].
        queue: u64,
        /// Its place.
        slot: Slot,
        /// Visible or delayed.
        class: Class,
        /// The immutable part.
        message: Message,
        /// Not received yet.
        state: State,
    },
    /// Gives a message another place and state.
    Move {
        /// [`crate::Queue::id`].
        queue: u64,
        /// Where it was.
        from: Slot,
        /// Where it is from now on; the same number.
        to: Slot,
        /// Why it is there.
        class: Class,
        /// Its receives.
        state: State,
    },
    /// Removes a message.
    Remove {
        /// [`crate::Queue::id`].
        queue: u64,
        /// Where it was.
        slot: Slot,
    },
    /// Removes all messages that the queue holds.
    Clear {
        /// [`crate::Queue::id`].
        queue: u64,
    },
}

#[cfg(test)]
mod tests {
    use aws_api::Blob;

    use super::*;

    #[derive(Serialize)]
    struct Later {
        n: u32,
        new: &'static str,
    }

    #[test]
    fn rows_round_trip_and_can_grow() {
        let message = Message {
            id: Uuid::from_u128(7),
            sent: Timestamp::from_millis(1_773_480_413_104),
            sender: "AIDAEXAMPLE".into(),
            body: "text".into(),
            attributes: [
                ("a".to_owned(), Attribute::Text("Number.int".into(), "3".into())),
                ("b".to_owned(), Attribute::Bytes("Binary".into(), Blob(vec![0, 255]))),
            ]
            .into(),
            trace_header: None,
            group: Some("g".into()),
            source: None,
        };
        assert_eq!(Message::decode(&message.encode()).unwrap(), message);

        let state = State { receives: 2, first_received: Some(message.sent), last_received: None };
        assert_eq!(State::decode(&state.encode()).unwrap(), state);

        let later = rmp_serde::to_vec_named(&Later { n: 1, new: "field" }).unwrap();
        assert_eq!(State::decode(&later).unwrap(), State { receives: 1, ..State::default() });
        assert!(Message::decode(b"\x81").is_err());
    }

    /// Rows as they were first written: these bytes must open for ever.
    #[test]
    fn rows_of_the_first_version_open() {
        let message = concat!(
            "86a26964c41000000000000000000000000000000007a473656e74cd03e8a673656e646572a175a4",
            "626f6479a474657874aa6174747269627574657382a16181a45465787492a64e756d626572a133a1",
            "6281a5427974657392a642696e617279c40200ffa567726f7570a167",
        );
        let message = Message::decode(&hex::decode(message).unwrap()).unwrap();
        assert_eq!((message.id, &*message.sender, &*message.body), (Uuid::from_u128(7), "u", "text"));
        assert_eq!(message.attributes["a"], Attribute::Text("Number".into(), "3".into()));
        assert_eq!(message.attributes["b"], Attribute::Bytes("Binary".into(), Blob(vec![0, 255])));
        let state = State::decode(&hex::decode("83a16e02a166cd03e8a16ccd03e8").unwrap()).unwrap();
        let moment = Some(Timestamp::from_millis(1000));
        assert_eq!(state, State { receives: 2, first_received: moment, last_received: moment });
    }
}
