//! How far the worker is in the event log, and the trails as they were there.
//!
//! A change of a trail holds for the records after it in the log, and for none before it, however far behind the worker is.
//! So it does not ask the registry, which is ahead of it, but keeps trails of its own: a change stands in the log as a
//! [`Marker`], and is taken in where the worker passes it.
//!
//! Rows in `Meta`, written in the unit that moves the worker's place:
//!
//! | key | value |
//! |---|---|
//! | `passed/trails` | nothing: there are rows of trails, if only none |
//! | `passed/trail`, NUL, trail | the trail |

use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use aws_api::{Change, Entity};
use record::Marker;
use store::{Space, Store, StoreError, Unit};
use tokio::sync::watch;
use trail::{Trail, Trails};

use crate::app::RestoreError;
use crate::worker::CURSOR;

const BEGUN: &[u8] = b"passed/trails";
const TRAIL: &[u8] = b"passed/trail\0";
/// Greater than all that follows in a key.
const AFTER: [u8; 1] = [0xff];

/// The worker's place, and what holds there.
#[derive(Debug)]
pub struct Passed {
    trails: RwLock<Trails>,
    /// The last entry that was passed on.
    last: watch::Sender<u64>,
}

impl Passed {
    /// Takes up what the store holds. A data directory of an earlier version has no trails of the worker's own: they are
    /// those of the registry then.
    pub fn restore(store: &Store, registry: &[Change]) -> Result<Self, RestoreError> {
        let mut trails = Trails::default();
        let rows = if store.get(Space::Meta, BEGUN)?.is_some() {
            stored(store)?
        } else {
            let rows: Vec<_> = registry.iter().filter(|change| change.kind == Trail::KIND).cloned().collect();
            let mut unit = Unit::new();
            unit.put(Space::Meta, BEGUN, Vec::new());
            for change in &rows {
                stage(&mut unit, change);
            }
            // Durable with the first unit that is committed.
            store.submit(unit)?;
            rows
        };
        for change in &rows {
            trails.absorb(change).map_err(|source| RestoreError::Row { kind: Trail::KIND, source })?;
        }
        let last = store.cursor(CURSOR)?.unwrap_or_default();
        Ok(Self { trails: RwLock::new(trails), last: watch::Sender::new(last) })
    }

    /// The trails as they were at the worker's place. Never held across an await.
    pub fn trails(&self) -> RwLockReadGuard<'_, Trails> {
        self.trails.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last entry that was passed on.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// The unit that moves the place to `seq` is durable.
    pub fn reached(&self, seq: u64) {
        self.last.send_replace(seq);
    }

    /// The unit that takes this change in is durable.
    pub fn absorb(&self, change: &Change) -> Result<(), serde_json::Error> {
        self.trails.write().unwrap_or_else(PoisonError::into_inner).absorb(change)
    }

    /// Waits until this entry was passed on; false if that takes too long.
    pub async fn wait_for(&self, seq: u64, at_most: Duration) -> bool {
        let mut last = self.last.subscribe();
        let reached = last.wait_for(|last| *last >= seq);
        matches!(tokio::time::timeout(at_most, reached).await, Ok(Ok(_)))
    }
}

fn stored(store: &Store) -> Result<Vec<Change>, StoreError> {
    let rows = store.range(Space::Meta, TRAIL.to_vec()..[TRAIL, &AFTER].concat());
    rows.map(|row| {
        let (key, row) = row?;
        let key = String::from_utf8_lossy(&key[TRAIL.len()..]).into_owned();
        Ok(Change { kind: Trail::KIND, key, row: Some(row.to_vec()) })
    })
    .collect()
}

/// Adds a change of the worker's trails to a unit.
pub fn stage(unit: &mut Unit, change: &Change) {
    let key = [TRAIL, change.key.as_bytes()].concat();
    match &change.row {
        Some(row) => unit.put(Space::Meta, key, row.clone()),
        None => unit.delete(Space::Meta, key),
    }
}

/// Gives the changes of trails their places in the log, in the unit that makes them.
pub fn mark(unit: &mut Unit, changes: &[Change]) {
    for change in changes.iter().filter(|change| change.kind == Trail::KIND) {
        unit.append(Marker::encode(change).into());
    }
}

/// The change that a marker stands for.
pub fn marked(seq: u64, marker: Marker) -> Result<Change, StoreError> {
    if marker.kind != Trail::KIND {
        let detail =
            format!("entry {seq} of the log is a change of kind {}; was it written by a newer version?", marker.kind);
        return Err(StoreError::Damaged { detail });
    }
    Ok(Change { kind: Trail::KIND, key: marker.key, row: marker.row })
}
