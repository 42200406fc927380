//! How a record stands in the event log.

use aws_api::Change;
use serde::Serialize;

use crate::size::EVENT_LEN_MAX;
use crate::{Outline, Record};

/// Was the request let in?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its caller was proven, or it was anonymous: a CloudTrail record, whether or not the request succeeded.
    Admitted,
    /// It failed authentication: kept apart, and in trails only where the configuration says so.
    Refused,
}

/// One entry of the event log: a byte that says what follows, then the record as compact JSON, byte for byte as every later
/// stage writes it.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Was the request let in?
    pub outcome: Outcome,
    /// What decides on its way.
    pub outline: Outline<'a>,
    /// The record as text, for those who write it.
    pub json: &'a [u8],
}

/// A change of the configuration that decides what becomes of the records after it, and of none before it. It stands in the
/// log in the place in which it was made, and is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// [`Change::kind`].
    pub kind: String,
    /// [`Change::key`].
    pub key: String,
    /// [`Change::row`].
    pub row: Option<Vec<u8>>,
}

/// What stands in one place of the event log.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly all are records, and a box would be an allocation for each")]
pub enum Logged<'a> {
    /// A record.
    Record(Entry<'a>),
    /// A change between records.
    Change(Marker),
}

/// An entry that cannot be read: the log was damaged, or written by a newer version.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The first byte is none that this version writes.
    #[error(
        "an entry of the event log is of a kind that this version does not know ({0:?}); was it written by a newer one?"
    )]
    Kind(Option<u8>),
    /// The rest is not a record.
    #[error("an entry of the event log is not a record")]
    Json(#[from] serde_json::Error),
    /// The rest is not a change.
    #[error("an entry of the event log is not a change")]
    Marker,
}

const ADMITTED: u8 = 1;
const REFUSED: u8 = 2;
const CHANGE: u8 = 3;

impl<'a> Logged<'a> {
    /// Reads an entry of any kind.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EntryError> {
        match bytes.split_first() {
            Some((&CHANGE, rest)) => Marker::read(rest).map(Self::Change),
            _ => Entry::decode(bytes).map(Self::Record),
        }
    }
}

impl Marker {
    /// The bytes of an entry that says this: the kind of entry, then the change's kind, NUL, its key, NUL, its row; an empty
    /// row is one that was removed. Neither kinds nor keys hold a NUL.
    pub fn encode(change: &Change) -> Vec<u8> {
        let row = change.row.as_deref().unwrap_or_default();
        [&[CHANGE], change.kind.as_bytes(), &[0], change.key.as_bytes(), &[0], row].concat()
    }

    fn read(rest: &[u8]) -> Result<Self, EntryError> {
        let mut parts = rest.splitn(3, |byte| *byte == 0);
        let mut next = || parts.next().ok_or(EntryError::Marker);
        let text = |part: &[u8]| String::from_utf8(part.to_vec()).map_err(|_| EntryError::Marker);
        let (kind, key) = (text(next()?)?, text(next()?)?);
        let row = Some(next()?).filter(|row| !row.is_empty()).map(<[u8]>::to_vec);
        Ok(Self { kind, key, row })
    }
}

impl<'a> Entry<'a> {
    /// The bytes of a new entry. An event longer than [`EVENT_LEN_MAX`] is cut.
    pub fn encode(outcome: Outcome, record: &Record) -> Vec<u8> {
        let mut bytes = Self::write(outcome, record);
        let mut shrunk = None;
        // The byte before the JSON is not part of the event.
        while bytes.len() > 1 + EVENT_LEN_MAX {
            let smaller = shrunk.get_or_insert_with(|| record.clone());
            if !smaller.shrink() {
                break;
            }
            bytes = Self::write(outcome, smaller);
        }
        bytes
    }

    /// An entry of any length with what serialises as a record does.
    pub(crate) fn write(outcome: Outcome, record: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2048);
        bytes.push(match outcome {
            Outcome::Admitted => ADMITTED,
            Outcome::Refused => REFUSED,
        });
        #[expect(clippy::expect_used, reason = "texts, numbers and maps with text keys serialise")]
        serde_json::to_writer(&mut bytes, record).expect("a record serialises to JSON");
        bytes
    }

    /// The record's text alone, for those who only write it on.
    pub fn json_of(bytes: &[u8]) -> Result<&[u8], EntryError> {
        outcome(bytes).map(|_| &bytes[1..])
    }

    /// Reads an entry back.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let outcome = outcome(bytes)?;
        let json = &bytes[1..];
        Ok(Self { outcome, outline: serde_json::from_slice(json)?, json })
    }

    /// The whole record.
    pub fn record(&self) -> Result<Record, EntryError> {
        Ok(serde_json::from_slice(self.json)?)
    }
}

fn outcome(bytes: &[u8]) -> Result<Outcome, EntryError> {
    match bytes.first() {
        Some(&ADMITTED) => Ok(Outcome::Admitted),
        Some(&REFUSED) => Ok(Outcome::Refused),
        other => Err(EntryError::Kind(other.copied())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_change_reads_back(key in "[a-z0-9/-]{0,20}", row in prop::option::of(prop::collection::vec(any::<u8>(), 1..40))) {
            let change = Change { kind: "trail", key: key.clone(), row: row.clone() };
            let bytes = Marker::encode(&change);
            let Logged::Change(read) = Logged::decode(&bytes).unwrap() else { panic!("it is a change") };
            prop_assert_eq!(read, Marker { kind: "trail".into(), key, row });
            prop_assert!(Entry::decode(&Marker::encode(&change)).is_err(), "it is no record");
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Logged::decode(&[&[CHANGE], &bytes[..]].concat());
        }
    }
}
