//! Events that were seen: the same in several files, and calls between accounts, of which each account has a copy.

use std::sync::{Mutex, PoisonError};

use hashbrown::{HashMap, HashSet};
use sha2::{Digest, Sha256};

use crate::tally::Sighting;

/// What there is of a record of which only one copy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    /// It counts.
    First,
    /// It counts, and one that was kept for the end does not.
    Better,
    /// Another was counted.
    Second,
    /// It was kept for the end: the caller's copy, which says more, may yet come.
    Kept,
}

/// Of an id, to be small.
type Key = [u8; 16];

/// Shared by all threads: a copy is in another file, mostly.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    events: HashSet<Key>,
    /// `sharedEventID`s of which the caller's copy was seen.
    shared: HashSet<Key>,
    /// Records of the accounts that were called, by their `sharedEventID`s.
    kept: HashMap<Key, Vec<u8>>,
}

impl Seen {
    /// Sees a record that matches.
    ///
    /// The account that was called gets a copy with an `eventID` of its own and the same `sharedEventID`, which says neither the
    /// name nor the key of the caller ("CloudTrail record contents").
    pub fn see(&self, seen: &Sighting<'_>, record: &[u8]) -> Copy {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.event_id().is_some_and(|id| !ids.events.insert(key(id))) {
            return Copy::Second;
        }
        let Some(shared) = seen.shared_event_id().map(key) else { return Copy::First };
        if seen.is_of_foreign_caller() {
            if ids.shared.contains(&shared) {
                return Copy::Second;
            }
            ids.kept.insert(shared, record.to_owned());
            return Copy::Kept;
        }
        ids.shared.insert(shared);
        if ids.kept.remove(&shared).is_some() { Copy::Better } else { Copy::First }
    }

    /// The records that were kept, and whose callers' copies did not come.
    pub fn left(self) -> Vec<Vec<u8>> {
        let ids = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        ids.kept.into_values().collect()
    }
}

fn key(id: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(id)[..16]);
    key
}
