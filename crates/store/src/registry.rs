//! Rows of the registry: what the services have configured.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use aws_api::Change;

use crate::StoreError;
use crate::tree::{Tree, Trees};

/// Kinds of rows that a store may hold; more is not ours.
const KINDS_MAX: usize = 1024;

/// `kind \0 key`: rows of a kind stand together.
pub(crate) fn key(change: &Change) -> Vec<u8> {
    [change.kind.as_bytes(), b"\0", change.key.as_bytes()].concat()
}

/// Every stored row, as a change that a core can absorb.
pub(crate) fn read_all(trees: &Trees) -> Result<Vec<Change>, StoreError> {
    trees
        .range(Tree::Registry, ..)
        .map(|row| {
            let (key, value) = row?;
            let (kind, key) = std::str::from_utf8(&key)
                .ok()
                .and_then(|key| key.split_once('\0'))
                .ok_or_else(|| StoreError::damaged("a row of the registry has no kind"))?;
            Ok(Change { kind: intern(kind)?, key: key.to_owned(), row: Some(value.to_vec()) })
        })
        .collect()
}

/// A kind as the constant that [`Change`] wants. There are a few dozen, so they are kept for the life of the process.
fn intern(kind: &str) -> Result<&'static str, StoreError> {
    static KINDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kinds = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kinds.get(kind) {
        return Ok(known);
    }
    if kinds.len() >= KINDS_MAX {
        return Err(StoreError::damaged("the registry has rows of too many kinds"));
    }
    let kept: &'static str = Box::leak(kind.to_owned().into_boxed_str());
    kinds.insert(kept);
    Ok(kept)
}
