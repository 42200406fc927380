//! The group sync: one `fdatasync` for everyone who waits.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use crate::core::{Core, lock};
use crate::{StoreError, Ticket};

/// How long the free space may go unlooked at while something is written or while there is too little of it.
const ROOM_INTERVAL: Duration = Duration::from_secs(1);
/// The same while syncs leave no second of rest.
const ROOM_INTERVAL_SYNCS: u64 = 1024;

/// Called before each sync of the journal; an error counts as the sync's own. For tests that need a disk to fail.
pub trait SyncHook: Send + Sync {
    /// Stands in for the disk's answer.
    fn before_sync(&self) -> io::Result<()>;
}

/// What the waiters, the syncing thread and the writers share.
pub(crate) struct GroupSync {
    wanted: Mutex<Wanted>,
    wake: Condvar,
    progress: watch::Sender<Progress>,
    /// The last ticket whose batch is in the journal.
    applied: AtomicU64,
    failed: OnceLock<String>,
    room: AtomicBool,
    syncs: AtomicU64,
}

#[derive(Default)]
struct Wanted {
    ticket: u64,
    stop: bool,
}

#[derive(Clone, Copy, Default)]
struct Progress {
    /// All tickets up to this one are durable.
    through: u64,
    failed: bool,
}

enum Work {
    Sync,
    LookForRoom,
    Stop,
}

impl GroupSync {
    pub(crate) fn new() -> Self {
        Self {
            wanted: Mutex::default(),
            wake: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
            applied: AtomicU64::new(0),
            failed: OnceLock::new(),
            room: AtomicBool::new(true),
            syncs: AtomicU64::new(0),
        }
    }

    /// Called by the one writer that holds the commit lock, after its batch is in the journal.
    pub(crate) fn next_ticket(&self) -> Ticket {
        Ticket(self.applied.fetch_add(1, Ordering::AcqRel) + 1)
    }

    pub(crate) fn last_ticket(&self) -> Ticket {
        Ticket(self.applied.load(Ordering::Acquire))
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.room.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> Option<&String> {
        self.failed.get()
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.failed.get() {
            None => Ok(()),
            Some(reason) => Err(StoreError::Poisoned { reason: reason.clone() }),
        }
    }

    /// Ends all acknowledging. The first reason stays.
    pub(crate) fn fail(&self, reason: String) -> StoreError {
        let reason = self.failed.get_or_init(|| {
            tracing::error!(reason, "the store stops: nothing more is acknowledged until a restart");
            reason
        });
        self.progress.send_modify(|progress| progress.failed = true);
        StoreError::Poisoned { reason: reason.clone() }
    }

    pub(crate) async fn wait(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        if progress.borrow_and_update().through >= ticket.0 {
            return Ok(());
        }
        self.check()?;
        {
            let mut wanted = lock(&self.wanted);
            wanted.ticket = wanted.ticket.max(ticket.0);
        }
        self.wake.notify_one();
        let reached = progress.wait_for(|now| now.through >= ticket.0 || now.failed).await;
        if reached.is_ok_and(|now| now.through >= ticket.0) { Ok(()) } else { self.check() }
    }

    pub(crate) fn stop(&self) {
        lock(&self.wanted).stop = true;
        self.wake.notify_one();
    }

    /// Waits for a request; now and then for the moment to look at the disk.
    fn next_work(&self, looked: bool) -> Work {
        let through = self.progress.borrow().through;
        let idle = |wanted: &mut Wanted| wanted.ticket <= through && !wanted.stop;
        let wanted = lock(&self.wanted);
        let wanted = if looked && self.has_room() {
            self.wake.wait_while(wanted, idle).unwrap_or_else(std::sync::PoisonError::into_inner)
        } else {
            let woken = self.wake.wait_timeout_while(wanted, ROOM_INTERVAL, idle);
            let (wanted, timeout) = woken.unwrap_or_else(std::sync::PoisonError::into_inner);
            if timeout.timed_out() {
                return Work::LookForRoom;
            }
            wanted
        };
        if wanted.ticket > through { Work::Sync } else { Work::Stop }
    }

    fn look_for_room(&self, core: &Core) {
        let room = core.free_bytes().map_or_else(
            |error| {
                tracing::warn!(%error, "the free space of the data directory is unknown");
                true
            },
            |free| free >= core.options.low_disk_bytes,
        );
        if self.room.swap(room, Ordering::Relaxed) != room {
            let low_disk_bytes = core.options.low_disk_bytes;
            if room {
                tracing::info!(low_disk_bytes, "the disk has room again: writes are taken");
            } else {
                tracing::warn!(low_disk_bytes, "the disk is nearly full: writes are refused");
            }
        }
    }

    fn sync_once(&self, core: &Core) -> Result<(), StoreError> {
        // Read before the sync starts: whoever has a later ticket waits for the next one.
        let log_seq = *core.log_last.borrow();
        let through = self.last_ticket().0;
        core.sync_journal().map_err(|error| self.fail(format!("sync of the journal: {error}")))?;
        self.progress.send_modify(|progress| progress.through = through);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        core.after_sync(Ticket(through), log_seq);
        Ok(())
    }
}

/// The body of the syncing thread.
pub(crate) fn run(core: &Arc<Core>) {
    let _dart = Dart(core);
    let sync = &core.sync;
    sync.look_for_room(core);
    let mut looked = true;
    loop {
        match sync.next_work(looked) {
            Work::Stop => return,
            Work::LookForRoom => {
                sync.look_for_room(core);
                looked = true;
            }
            Work::Sync => {
                if sync.sync_once(core).is_err() {
                    return;
                }
                looked = sync.syncs().is_multiple_of(ROOM_INTERVAL_SYNCS);
                if looked {
                    sync.look_for_room(core);
                }
            }
        }
    }
}

/// Nobody waits for a thread that panicked.
struct Dart<'a>(&'a Core);

impl Drop for Dart<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.sync.fail("the syncing thread panicked".to_owned());
        }
    }
}
