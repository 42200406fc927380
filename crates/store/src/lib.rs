//! Everything that lasts, in one embedded engine.

mod blob;
mod core;
mod counter;
mod error;
mod journal;
mod keeper;
mod log;
mod open;
mod queue;
mod registry;
mod sync;
mod tree;
mod unit;

use std::fmt;
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use aws_api::Change;
use bytes::Bytes;

pub use blob::{BlobId, BlobReader, BlobWriter, Blobs, CHUNK_BYTES};
pub use error::{OpenError, StoreError};
pub use log::EventLog;
pub use queue::{Class, Counts, QueueId, QueueRow, QueueStore, Slot};
pub use sync::SyncHook;
pub use tree::{Range, Row, Space};
pub use unit::Unit;

use crate::core::Core;
use crate::keeper::Chore;
use crate::tree::Tree;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Memory for blocks read from the disk.
    pub cache_bytes: u64,
    /// Below so much free space [`Store::has_room`] says no.
    pub low_disk_bytes: u64,
    /// Called before each sync, for tests.
    pub sync_hook: Option<Arc<dyn SyncHook>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024, low_disk_bytes: 512 * 1024 * 1024, sync_hook: None }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("cache_bytes", &self.cache_bytes)
            .field("low_disk_bytes", &self.low_disk_bytes)
            .finish_non_exhaustive()
    }
}

/// A unit's place in the order of writes, to wait for with [`Store::durable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// A unit that readers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// What to wait for before anybody is told.
    pub ticket: Ticket,
    /// The number of the unit's last record in the event log, if it has one.
    pub last_seq: Option<u64>,
}

/// What the store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Syncs of the journal.
    pub syncs: u64,
    /// Units applied.
    pub units: u64,
}

/// An open data directory. Clones are the same store; the last one to go closes it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    log: EventLog,
    queues: QueueStore,
    blobs: Blobs,
    core: Arc<Core>,
    /// Last: it is dropped when nothing else needs it.
    threads: Threads,
}

struct Threads {
    syncer: Option<JoinHandle<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.sync.stop();
        self.core.send(Chore::Stop);
        for thread in [self.threads.syncer.take(), self.threads.keeper.take()].into_iter().flatten() {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens a data directory, and makes it if it is not there.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        let (core, threads) = open::open(dir, options)?;
        Ok(Self(Arc::new(Inner {
            log: EventLog::new(Arc::clone(&core)),
            queues: QueueStore::new(Arc::clone(&core)),
            blobs: Blobs::new(Arc::clone(&core)),
            core,
            threads,
        })))
    }

    /// An empty unit; the same as [`Unit::new`].
    pub fn unit(&self) -> Unit {
        Unit::new()
    }

    /// Writes a unit: visible to all readers on return, durable after [`Self::durable`]. What the unit holds is let go.
    ///
    /// # Errors
    /// [`StoreError::Stale`]: a message had moved, and nothing was written. [`StoreError::Poisoned`]: an earlier write failed.
    pub fn apply(&self, unit: Unit) -> Result<Applied, StoreError> {
        self.0.core.apply(unit)
    }

    /// Waits for a sync that began after the unit was applied. All units before it are durable then, too.
    pub async fn durable(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.0.core.sync.wait(ticket).await
    }

    /// Writes a unit and waits until it is durable. Without any writes it waits for the units applied before: whoever
    /// answers from what it read may need that.
    pub async fn commit(&self, unit: Unit) -> Result<Applied, StoreError> {
        let applied = self.apply(unit)?;
        self.durable(applied.ticket).await?;
        Ok(applied)
    }

    /// Reads a row.
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.core.trees.get(Tree::Space(space), key)
    }

    /// Rows of a range of keys, as they are now, read as the iterator is walked (with `rev()` from the back).
    pub fn range(&self, space: Space, range: impl RangeBounds<Vec<u8>>) -> Range {
        self.0.core.trees.range(Tree::Space(space), range)
    }

    /// Files of large bodies.
    pub fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// The event log.
    pub fn log(&self) -> &EventLog {
        &self.0.log
    }

    /// Messages of queues.
    pub fn queues(&self) -> &QueueStore {
        &self.0.queues
    }

    /// Every row of the registry, as changes to absorb.
    pub fn registry(&self) -> Result<Vec<Change>, StoreError> {
        registry::read_all(&self.0.core.trees)
    }

    /// A reader's place in the event log: the last number it is done with; `None` before [`Unit::cursor`] first set it.
    pub fn cursor(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.0.core.trees.get_u64(Tree::Cursors, name.as_bytes())
    }

    /// Answers that began and are not known to have ended: at a start, those that a crash cut off.
    pub fn open_entries(&self) -> Result<Vec<([u8; 16], Bytes)>, StoreError> {
        let rows = self.0.core.trees.range(Tree::Open, ..);
        rows.map(|row| {
            let (key, record) = row?;
            let id = (*key).try_into().map_err(|_| StoreError::damaged("an open entry without an id"))?;
            Ok((id, record))
        })
        .collect()
    }

    /// Whether there is enough free space to take writes. Looked up about once a second while there are writes.
    pub fn has_room(&self) -> bool {
        self.0.core.sync.has_room()
    }

    /// Why the store acknowledges nothing any more, if so.
    pub fn failed(&self) -> Option<String> {
        self.0.core.sync.failed().cloned()
    }

    /// What was done since the store was opened.
    pub fn stats(&self) -> Stats {
        let sync = &self.0.core.sync;
        Stats { syncs: sync.syncs(), units: sync.last_ticket().0 }
    }

    /// Waits until the files that a crash left without a name are deleted, and tells how many there were. They are looked
    /// for once after the start, while requests are served.
    pub async fn swept(&self) -> u64 {
        let mut swept = self.0.core.swept.subscribe();
        // The sender lives in `core`, so the wait ends with a number.
        swept.wait_for(Option::is_some).await.ok().and_then(|swept| *swept).unwrap_or(0)
    }

    /// Syncs what was applied. The directory is free for another once all clones are gone.
    pub async fn close(self) -> Result<(), StoreError> {
        self.durable(self.0.core.sync.last_ticket()).await
    }
}
