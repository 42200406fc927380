//! Everything that lasts: objects, the event log, queues and the registry, in one embedded engine and one atomic batch.
//!
//! A caller fills a [`Unit`] and has it committed ([`Store::commit`]): all of it is there after a crash, or nothing. This
//! crate does not know what a bucket, a record or a receipt handle is; it keeps bytes, in order, and finds them again.
//!
//! # Format
//!
//! ```text
//! DIR/format        the layout's number, as text: 1. Written before everything else
//! DIR/lock          locked while a store is open
//! DIR/engine/       fjall: journal files N.jnl, and a log-structured tree for each keyspace
//! DIR/synced        number of the last synced record, 8 bytes, and CRC-32C of them: see below
//! DIR/blobs/xx/n    a large body: n is its number in 16 hexadecimal digits, xx the last two
//! ```
//!
//! Numbers are big-endian, so that they sort. Keyspaces of the callers ([`Space`]) hold what the callers like. The others:
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `log` | seq 8 | CRC-32C of seq and record 4, record |
//! | `open_entries` | id 16 | record |
//! | `cursors` | name | seq 8 |
//! | `registry` | kind, NUL, key | JSON |
//! | `blob_refs` | blob 8 | nothing |
//! | `counters` | `log.first`, `log.checked`, `ids.messages`, `ids.blobs` | number 8 |
//! | `queue_messages` | queue 8, seq 8 | message |
//! | `queue_states` | queue 8, seq 8 | `visible_at` in ms 8, class 1, state |
//! | `queue_index` | queue 8, `visible_at` 8, seq 8 | class 1 |
//! | `queue_totals` | queue 8 | messages 8, lowest slot 8 + 8, lowest seq 8: no message stands below these |
//!
//! # Durability
//!
//! A unit becomes one batch of the engine: in its journal's buffer and in memory, seen by all readers at once. One thread
//! calls `fdatasync` on the journal, once for all units that came during the last call, and only then does anybody learn
//! that his unit is durable. What nobody waits for ([`Store::submit`]) needs no sync of its own: it goes with the next one, or
//! gets one when nothing else comes for a moment. The journal is one sequence: when a unit is durable, all that its writer can
//! have read is, too.
//! Numbers of the log are chosen and committed under one lock, so a reader never sees a hole that is filled later.
//!
//! A large body is written and synced, with the names of its file and directory, before the unit that
//! [links](Unit::link) it is committed; the file of an [unlinked](Unit::unlink) one is deleted after that is durable. What
//! no row names at a start is swept.
//!
//! # What the disk may do to us
//!
//! - *Lose what was not synced*, all or part, in any order (power loss): nothing of it was acknowledged. The engine cuts an
//!   incomplete batch off its journal.
//! - *Fail a write or a sync*: nothing is acknowledged any more until a restart ([`StoreError::Poisoned`]). A sync is not
//!   tried again, since the kernel may have dropped the pages and would say that all is well.
//! - *Change what was synced*: tables have checksums in the engine, records of the log their own. The engine drops the
//!   rest of a journal file after a damaged place without a word (fjall#311), and goes on with the next file. So each start
//!   walks the numbers of the log that may have been in the journal, and compares the last one with `synced`, which is
//!   written after each sync, without one of its own: it is never ahead of the truth, so a log that ends before it
//!   is [`OpenError::Damaged`]. If `synced` itself is lost or torn, only that comparison is.
//! - *Fill up*: below [`Options::low_disk_bytes`], [`Store::has_room`] asks the callers to refuse writes. The store itself
//!   still takes them, so that what is under way can end.
//!
//! # Queues
//!
//! Messages are received in the order of the index. Receiving and deleting leave the engine's remains of deleted keys at
//! the head and in the stretch of the visibility timeout; scans that passed over them again and again would get slower the
//! faster a queue is. So a lower bound for the first key is kept in memory, and in the totals' row for the next start.
//! Counts are a stored total, less what is in memory of the messages that wait for their moment. Neither grows with the
//! backlog.

mod blob;
mod core;
mod counter;
mod error;
mod keeper;
mod log;
mod open;
mod queue;
mod registry;
mod sync;
mod tail;
mod tree;
mod unit;

use std::fmt;
use std::ops::{self, RangeBounds};
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
        // The last sync leaves chores, so the keeper is told after it. A thread that panicked has said so already.
        self.core.sync.stop();
        let _ = self.threads.syncer.take().map(JoinHandle::join);
        self.core.send(Chore::Stop);
        let _ = self.threads.keeper.take().map(JoinHandle::join);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.0.core.dir).field("failed", &self.failed()).finish_non_exhaustive()
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
    /// It may have to wait for a sync under way, and blocks its thread meanwhile; [`Self::commit`] does not.
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

    /// Writes a unit and waits until it is durable, together with the units of all others who wait. It is written also if
    /// the caller stops waiting. Without any writes it waits for the units applied before: whoever
    /// answers from what it read may need that.
    pub async fn commit(&self, unit: Unit) -> Result<Applied, StoreError> {
        self.0.core.sync.commit(unit).await
    }

    /// Has a unit written before all units that are committed after this call, without waiting for it: when one of those is
    /// durable, so is this. If there is none, it is durable a little later.
    pub fn submit(&self, unit: Unit) -> Result<(), StoreError> {
        // Whoever waits for a later unit learns if the store fails.
        self.0.core.sync.submit(unit)
    }

    /// Reads a row.
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.core.trees.get(Tree::Space(space), key)
    }

    /// Rows of a range of keys, as they are now, read as the iterator is walked (with `rev()` from the back).
    pub fn range(&self, space: Space, range: impl RangeBounds<Vec<u8>>) -> Range {
        self.0.core.trees.range(Tree::Space(space), range)
    }

    /// Rows of several ranges, all as they were at one moment: what one unit moved from one to another is in exactly one.
    pub fn ranges<const N: usize>(&self, ranges: [(Space, ops::Range<Vec<u8>>); N]) -> [Range; N] {
        let core = &self.0.core;
        core.trees.ranges(&core.db, ranges.map(|(space, range)| (Tree::Space(space), range)))
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
