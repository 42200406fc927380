//! Who must migrate: the callers that sign with SigV2, counted.

use std::collections::{BTreeMap, HashMap};

use record::{Outcome, Outline};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Callers that are told apart; what more come are counted together.
pub const CALLERS_MAX: usize = 50_000;
/// The same for refused requests, which anybody can send under any name.
pub const REFUSED_CALLERS_MAX: usize = 10_000;
/// Stands for the fields of the callers that are counted together.
pub const OTHERS: &str = "(others)";

/// What tells one caller from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallerKey {
    /// The role behind a session, else the ARN, … ([`record::UserIdentity::grouping`]); empty if it was refused.
    pub identity: String,
    /// The key that signed; of a refused request, the one that it named.
    pub access_key_id: String,
    /// The address.
    pub source_ip: String,
    /// Without the square brackets, and without the list of features that AWS's SDKs vary from call to call (`m/E,Z,b`).
    pub user_agent: String,
    /// The bucket, empty for calls on none.
    pub bucket: String,
}

/// One caller and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Who.
    #[serde(flatten)]
    pub key: CallerKey,
    /// Did its requests fail authentication?
    #[serde(default)]
    pub refused: bool,
    /// How the signature was carried, counted.
    pub auth_methods: BTreeMap<String, u64>,
    /// `eventName`, counted.
    pub actions: BTreeMap<String, u64>,
    /// `errorCode`, counted.
    pub errors: BTreeMap<String, u64>,
    /// Requests.
    pub count: u64,
    /// `eventTime` of the first.
    pub first_seen: String,
    /// `eventTime` of the last.
    pub last_seen: String,
}

/// The key of a caller's stored row.
pub type RowKey = [u8; 16];

/// All callers, in memory; each change of one is a row to store.
#[derive(Debug, Default)]
pub struct Callers {
    rows: HashMap<RowKey, Caller>,
    admitted: usize,
    refused: usize,
}

impl Callers {
    /// Takes in a stored row.
    pub fn absorb(&mut self, row: &[u8]) -> Result<(), serde_json::Error> {
        let caller: Caller = serde_json::from_slice(row)?;
        self.insert(caller);
        Ok(())
    }

    /// Counts a record that was signed with SigV2, and tells whose row is to be stored anew. `None` for any other.
    pub fn observe(&mut self, outcome: Outcome, record: &Outline<'_>) -> Option<RowKey> {
        // The caller's own copy counts, which says who it is.
        if !record.is_sigv2() || record.is_of_foreign_caller() {
            return None;
        }
        let refused = outcome == Outcome::Refused;
        let mut key = key_of(refused, record);
        let mut id = row_key(refused, &key);
        let full = if refused { self.refused >= REFUSED_CALLERS_MAX } else { self.admitted >= CALLERS_MAX };
        if full && !self.rows.contains_key(&id) {
            key = others();
            id = row_key(refused, &key);
        }
        if !self.rows.contains_key(&id) {
            self.insert(Caller {
                key,
                refused,
                auth_methods: BTreeMap::new(),
                actions: BTreeMap::new(),
                errors: BTreeMap::new(),
                count: 0,
                first_seen: record.event_time.to_string(),
                last_seen: record.event_time.to_string(),
            });
        }
        self.rows.get_mut(&id)?.count(record);
        Some(id)
    }

    /// One caller.
    pub fn get(&self, key: &RowKey) -> Option<&Caller> {
        self.rows.get(key)
    }

    /// Every caller, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Caller> {
        self.rows.values()
    }

    fn insert(&mut self, caller: Caller) {
        let refused = caller.refused;
        if self.rows.insert(row_key(refused, &caller.key), caller).is_none() {
            if refused {
                self.refused += 1;
            } else {
                self.admitted += 1;
            }
        }
    }
}

impl Caller {
    fn count(&mut self, record: &Outline<'_>) {
        let add = |counts: &mut BTreeMap<String, u64>, name: Option<&str>| {
            if let Some(name) = name {
                *counts.entry(name.to_owned()).or_default() += 1;
            }
        };
        let extra = record.additional_event_data.as_ref();
        add(&mut self.auth_methods, extra.and_then(|extra| extra.authentication_method.as_deref()));
        add(&mut self.actions, Some(&record.event_name));
        add(&mut self.errors, record.error_code.as_deref());
        self.count += 1;
        // RFC 3339 in UTC sorts as text.
        if *record.event_time < *self.first_seen {
            self.first_seen = record.event_time.to_string();
        }
        if *record.event_time > *self.last_seen {
            self.last_seen = record.event_time.to_string();
        }
    }
}

fn key_of(refused: bool, record: &Outline<'_>) -> CallerKey {
    let claimed = record.additional_event_data.as_ref().and_then(|extra| extra.claimed_access_key_id.as_deref());
    CallerKey {
        identity: if refused { String::new() } else { record.user_identity.grouping().into_owned() },
        access_key_id: record.user_identity.access_key_id.as_deref().or(claimed).unwrap_or_default().to_owned(),
        source_ip: record.source_ip_address.to_string(),
        user_agent: software(&record.user_agent),
        bucket: record.bucket().unwrap_or_default().into_owned(),
    }
}

/// A program's name from `userAgent`: without the square brackets that S3 puts around it, and without the features of its SDK
/// that each call uses: one program is one caller.
pub fn software(user_agent: &str) -> String {
    let bare = user_agent.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(user_agent);
    let kept: Vec<_> = bare.split(' ').filter(|part| !part.starts_with("m/")).collect();
    kept.join(" ")
}

fn others() -> CallerKey {
    let other = || OTHERS.to_owned();
    CallerKey { identity: other(), access_key_id: other(), source_ip: other(), user_agent: other(), bucket: other() }
}

/// Half of the SHA-256 of the fields, each behind its length.
fn row_key(refused: bool, key: &CallerKey) -> RowKey {
    let mut hash = Sha256::new();
    hash.update([u8::from(refused)]);
    for field in [&key.identity, &key.access_key_id, &key.source_ip, &key.user_agent, &key.bucket] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    let mut half = RowKey::default();
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}

#[cfg(test)]
mod tests;
