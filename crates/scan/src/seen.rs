//! Events that were seen: the same in several files, and calls between accounts, of which each account has a copy.

use std::sync::{Mutex, PoisonError};

use hashbrown::{HashMap, HashSet};
use sha2::{Digest, Sha256};

use crate::sighting::Sighting;

/// What to do with a record that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    /// It is counted now.
    pub counts: bool,
    /// Copies that are not counted, it or others.
    pub duplicates: u64,
}

/// Of an id, to be small.
type Key = [u8; 16];

/// Shared by all threads: a copy is in another file, mostly.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    events: HashSet<Key>,
    /// The patterns that callers' copies matched, by their `sharedEventID`s.
    callers: HashMap<Key, Vec<usize>>,
    /// Records of the accounts that were called.
    kept: HashMap<Key, Vec<Kept>>,
}

/// A record, and the patterns that it matches.
#[derive(Debug)]
struct Kept {
    record: Vec<u8>,
    matched: Vec<usize>,
}

impl Seen {
    /// Sees a record that matches these patterns.
    ///
    /// The account that was called gets a copy with an `eventID` of its own and the same `sharedEventID`, which says neither the
    /// name nor the key of the caller ("CloudTrail record contents"). It is kept for the end: for each pattern that the caller's
    /// copy does not match.
    pub fn see(&self, seen: &Sighting<'_>, record: &[u8], matched: &[usize]) -> Admission {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.event_id().is_some_and(|id| !ids.events.insert(key(id))) {
            return Admission { counts: false, duplicates: 1 };
        }
        let Some(shared) = seen.shared_event_id().map(key) else { return Admission { counts: true, duplicates: 0 } };
        let Ids { callers, kept, .. } = &mut *ids;
        if seen.is_of_foreign_caller() {
            let is_counted = callers.get(&shared).is_some_and(|counted| are_in(matched, counted));
            if !is_counted {
                kept.entry(shared).or_default().push(Kept { record: record.to_owned(), matched: matched.to_owned() });
            }
            return Admission { counts: false, duplicates: u64::from(is_counted) };
        }
        let counted = callers.entry(shared).or_default();
        counted.extend_from_slice(matched);
        let duplicates = kept.get_mut(&shared).map_or(0, |kept| {
            let before = kept.len();
            kept.retain(|one| !are_in(&one.matched, counted));
            before - kept.len()
        });
        Admission { counts: true, duplicates: duplicates as u64 }
    }

    /// The records that were kept, in an order that the files have no part in, and the patterns that were counted for each call.
    pub fn left(self) -> impl Iterator<Item = (Vec<usize>, Vec<Vec<u8>>)> {
        let Ids { mut callers, kept, .. } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        kept.into_iter().map(move |(shared, kept)| {
            let mut records: Vec<_> = kept.into_iter().map(|one| one.record).collect();
            records.sort_unstable();
            (callers.remove(&shared).unwrap_or_default(), records)
        })
    }
}

fn are_in(patterns: &[usize], counted: &[usize]) -> bool {
    patterns.iter().all(|pattern| counted.contains(pattern))
}

fn key(id: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(id)[..16]);
    key
}
