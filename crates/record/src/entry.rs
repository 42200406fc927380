//! How a record stands in the event log.

use crate::Record;
use crate::size::EVENT_LEN_MAX;

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
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Was the request let in?
    pub outcome: Outcome,
    /// The record, for those who ask about its fields.
    pub record: Record,
    /// The record as text, for those who write it.
    pub json: Vec<u8>,
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
}

const ADMITTED: u8 = 1;
const REFUSED: u8 = 2;

impl Entry {
    /// The bytes of a new entry. An event longer than [`EVENT_LEN_MAX`] is cut.
    pub fn encode(outcome: Outcome, record: &Record) -> Vec<u8> {
        let mut bytes = write(outcome, record);
        let mut shrunk = None;
        // The byte before the JSON is not part of the event.
        while bytes.len() > 1 + EVENT_LEN_MAX {
            let smaller = shrunk.get_or_insert_with(|| record.clone());
            if !smaller.shrink() {
                break;
            }
            bytes = write(outcome, smaller);
        }
        bytes
    }

    /// The record's text alone, for those who only write it on.
    pub fn json_of(bytes: &[u8]) -> Result<&[u8], EntryError> {
        outcome(bytes).map(|_| &bytes[1..])
    }

    /// Reads an entry back.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let outcome = outcome(bytes)?;
        let json = &bytes[1..];
        Ok(Self { outcome, record: serde_json::from_slice(json)?, json: json.to_vec() })
    }
}

fn outcome(bytes: &[u8]) -> Result<Outcome, EntryError> {
    match bytes.first() {
        Some(&ADMITTED) => Ok(Outcome::Admitted),
        Some(&REFUSED) => Ok(Outcome::Refused),
        other => Err(EntryError::Kind(other.copied())),
    }
}

fn write(outcome: Outcome, record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2048);
    bytes.push(match outcome {
        Outcome::Admitted => ADMITTED,
        Outcome::Refused => REFUSED,
    });
    #[expect(clippy::expect_used, reason = "texts, numbers and maps with text keys serialise")]
    serde_json::to_writer(&mut bytes, record).expect("a record serialises to JSON");
    bytes
}
