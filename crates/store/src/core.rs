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
use crate::tail::Tail;
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
    /// The newest records, filled under the commit lock before `log_last` tells of them.
    pub(crate) log_tail: Mutex<Tail>,
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
            lock(&self.log_tail).extend(writes.records);
            self.log_last.send_replace(last);
        }
        drop(commit);
        drop(held);
        Ok(Applied { ticket, last_seq })
    }

    /// Makes everything that was applied before the call durable: `fdatasync` of the engine's newest journal file. A file
    /// that it has moved on from was synced by it before, and the new one's name too.
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Space, Store};

    #[tokio::test]
    async fn nothing_is_lost_where_the_journal_moves_to_its_next_file() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Options::default()).unwrap();
        let core = std::sync::Arc::clone(&store.0.core);
        let mut written = 0_u64;
        while core.db.journal_count() == 1 {
            assert!(written < 400, "256 MiB and still the same file");
            let mut unit = Unit::new();
            // Not to be compressed.
            let noise: Vec<u8> = (0..1 << 17)
                .map(|word: u64| word.wrapping_mul(written ^ 0x9e37_79b9_7f4a_7c15))
                .flat_map(u64::to_be_bytes)
                .collect();
            unit.put(Space::Objects, written.to_be_bytes(), Bytes::from(noise));
            unit.append(Bytes::from(written.to_string()));
            store.commit(unit).await.unwrap();
            written += 1;
        }
        drop(core);
        drop(store);
        let store = Store::open(dir.path(), Options::default()).unwrap();
        assert_eq!(store.range(Space::Objects, ..).count() as u64, written);
        assert_eq!(store.log().last_seq(), written);
    }

    /// What the log's check has to walk gets shorter as the journal is left behind.
    #[tokio::test]
    async fn the_checked_part_of_the_log_grows() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Options::default()).unwrap();
        let mut unit = Unit::new();
        (0..1000).for_each(|number: u64| unit.append(Bytes::from(number.to_string())));
        store.commit(unit).await.unwrap();
        let core = std::sync::Arc::clone(&store.0.core);
        let mut asked = None;
        crate::log::advance_check(&core, &mut asked).unwrap();
        assert_eq!(asked, Some(1000));
        while asked.is_some() {
            crate::log::advance_check(&core, &mut asked).unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(core.log_checked.load(std::sync::atomic::Ordering::Relaxed), 1000);
        drop(core);
        store.clone().close().await.unwrap();
        drop(store);
        let store = Store::open(dir.path(), Options::default()).unwrap();
        assert_eq!(store.0.core.log_checked.load(std::sync::atomic::Ordering::Relaxed), 1000);
        assert_eq!(store.log().read(999, 5, usize::MAX).unwrap().len(), 2);
    }
}
