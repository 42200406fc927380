//! Applying units: the one place where anything is written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fjall::{Database, PersistMode};
use tokio::sync::watch;

use crate::blob::BlobFiles;
use crate::counter::Counter;
use crate::keeper::Chore;
use crate::queue::QueueMemory;
use crate::sync::GroupSync;
use crate::tree::{Tree, Trees};
use crate::{Applied, BlobId, Options, StoreError, Ticket, Unit, log};

/// What every handle and both threads share.
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) dir: PathBuf,
    pub(crate) trees: Trees,
    /// Held from the choice of sequence numbers to the batch's commit, so that no reader sees a hole.
    pub(crate) commit: Mutex<()>,
    pub(crate) sync: GroupSync,
    pub(crate) log_first: AtomicU64,
    /// The last record applied; `first - 1` while the log is empty.
    pub(crate) log_last: watch::Sender<u64>,
    /// The last record known to be in a table file, out of the journal.
    pub(crate) log_checked: AtomicU64,
    pub(crate) queues: QueueMemory,
    pub(crate) message_ids: Counter,
    pub(crate) blob_ids: Counter,
    pub(crate) blob_files: BlobFiles,
    /// Blobs given up, with the ticket that has to be durable first.
    pub(crate) doomed: Mutex<Vec<(Ticket, BlobId)>>,
    pub(crate) chores: mpsc::Sender<Chore>,
    pub(crate) swept: watch::Sender<Option<u64>>,
    /// Where the last synced record's number is noted.
    pub(crate) synced_file: File,
    pub(crate) db: Database,
    /// Locked for as long as the store is open.
    pub(crate) _lock: File,
}

/// A lock whose holder panicked is still a lock: everything it guards is written in one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// Writes a unit to memory and to the journal's buffer. Visible at once, durable after the next sync.
    pub(crate) fn apply(&self, unit: Unit) -> Result<Applied, StoreError> {
        self.sync.check()?;
        if unit.is_empty() {
            return Ok(Applied { ticket: self.sync.last_ticket(), last_seq: None });
        }
        let (writes, held) = unit.into_parts();
        let commit = lock(&self.commit);
        let mut rows = writes.rows;
        let effects = self.queues.plan(&self.trees, &mut rows, writes.queue_ops)?;
        let mut last = *self.log_last.borrow();
        let last_seq = (!writes.records.is_empty()).then(|| {
            for record in &writes.records {
                last += 1;
                rows.put(Tree::Log, last.to_be_bytes().to_vec(), log::frame(last, record));
            }
            last
        });
        let mut batch = self.db.batch();
        rows.write_to(&mut batch, &self.trees);
        batch.commit().map_err(|error| self.sync.fail(format!("write to the journal: {error}")))?;
        self.queues.absorb(effects);
        let ticket = self.sync.next_ticket();
        if !writes.unlinked.is_empty() {
            lock(&self.doomed).extend(writes.unlinked.into_iter().map(|blob| (ticket, blob)));
        }
        if let Some(last) = last_seq {
            self.log_last.send_replace(last);
        }
        drop(commit);
        drop(held);
        Ok(Applied { ticket, last_seq })
    }

    /// Makes everything that was applied before the call durable: `fdatasync` of the journal. A file that the engine has
    /// moved on from was synced by it, with its directory.
    pub(crate) fn sync_journal(&self) -> Result<(), fjall::Error> {
        if let Some(hook) = &self.options.sync_hook {
            hook.before_sync()?;
        }
        self.db.persist(PersistMode::SyncData)
    }

    /// What may be done once a sync has ended: it has waiters, so the slow part goes to the keeper.
    pub(crate) fn after_sync(&self, through: Ticket, log_seq: u64) {
        // A note for the next start, not a promise: it is written without a sync of its own.
        if let Err(error) = self.synced_file.write_all_at(&log::note(log_seq), 0) {
            tracing::warn!(%error, "the number of the last synced record was not noted");
        }
        let mut doomed = lock(&self.doomed);
        if !doomed.is_empty() {
            let gone: Vec<BlobId> =
                doomed.extract_if(.., |(ticket, _)| *ticket <= through).map(|(_, blob)| blob).collect();
            drop(doomed);
            self.send(Chore::Delete(gone));
        }
        if log_seq.saturating_sub(self.log_checked.load(std::sync::atomic::Ordering::Relaxed)) >= log::CHECK_INTERVAL {
            self.send(Chore::CheckLog);
        }
    }

    /// The keeper outlives every sender but the last, so a chore is lost only when the process ends; the next start makes
    /// up for it.
    pub(crate) fn send(&self, chore: Chore) {
        let _ = self.chores.send(chore);
    }

    pub(crate) fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
