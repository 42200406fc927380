//! The group sync: one `fdatasync` for everyone who waits.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::core::{Core, lock};
use crate::{Applied, StoreError, Ticket, Unit};

/// So long the free space may go unlooked at while there is too little of it.
const ROOM_INTERVAL: Duration = Duration::from_secs(1);

/// Called before each sync of the journal; an error counts as the sync's own. For tests that need a disk to fail.
pub trait SyncHook: Send + Sync {
    /// Stands in for the disk's answer.
    fn before_sync(&self) -> io::Result<()>;
}

/// What the waiters, the syncing thread and the writers share.
pub(crate) struct GroupSync {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// The last ticket whose batch is in the journal.
    applied: AtomicU64,
    failed: OnceLock<String>,
    room: AtomicBool,
    syncs: AtomicU64,
}

type Answer = oneshot::Sender<Result<Applied, StoreError>>;

impl Waiting {
    fn is_idle(&self) -> bool {
        self.units.is_empty() && self.waiters.is_empty()
    }
}

#[derive(Default)]
struct Waiting {
    /// All tickets up to this one are durable.
    through: u64,
    /// Units to apply before the next sync. A sender that is dropped unused tells of a failure.
    units: Vec<(Unit, Answer)>,
    /// Who waits for a later one without a unit.
    waiters: Vec<(Ticket, oneshot::Sender<()>)>,
    stop: bool,
}

enum Work {
    Sync,
    LookForRoom,
    Stop,
}

impl GroupSync {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
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
        let mut waiting = lock(&self.waiting);
        let gone = (std::mem::take(&mut waiting.units), std::mem::take(&mut waiting.waiters));
        drop(waiting);
        drop(gone);
        StoreError::Poisoned { reason: reason.clone() }
    }

    pub(crate) async fn wait(&self, ticket: Ticket) -> Result<(), StoreError> {
        let done = {
            let mut waiting = lock(&self.waiting);
            if waiting.through >= ticket.0 {
                return Ok(());
            }
            // Under the lock: whoever fails clears the waiters after it has said so.
            self.check()?;
            let (sender, done) = oneshot::channel();
            waiting.waiters.push((ticket, sender));
            done
        };
        self.wake.notify_one();
        done.await.map_err(|_| self.ended())
    }

    /// Has the syncing thread apply a unit and sync it with all others that came meanwhile.
    ///
    /// A caller that applied it by itself would wait for the engine's lock, which a sync holds, and its thread with it;
    /// and what cannot be written during a sync does not gather for the next.
    pub(crate) async fn commit(&self, unit: Unit) -> Result<Applied, StoreError> {
        self.submit(unit)?.await.map_err(|_| self.ended()).flatten()
    }

    /// The same without waiting. Units are applied in the order in which they are handed over.
    pub(crate) fn submit(&self, unit: Unit) -> Result<oneshot::Receiver<Result<Applied, StoreError>>, StoreError> {
        let done = {
            let mut waiting = lock(&self.waiting);
            self.check()?;
            let (sender, done) = oneshot::channel();
            waiting.units.push((unit, sender));
            done
        };
        self.wake.notify_one();
        Ok(done)
    }

    /// Why a waiter was let go without an answer.
    fn ended(&self) -> StoreError {
        self.check().err().unwrap_or_else(|| self.fail("the syncing thread ended".to_owned()))
    }

    pub(crate) fn stop(&self) {
        lock(&self.waiting).stop = true;
        self.wake.notify_one();
    }

    /// Waits for a request; now and then for the moment to look at the disk.
    fn next_work(&self) -> Work {
        let idle = |waiting: &mut Waiting| waiting.is_idle() && !waiting.stop;
        let waiting = lock(&self.waiting);
        let waiting = if self.has_room() {
            self.wake.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner)
        } else {
            let woken = self.wake.wait_timeout_while(waiting, ROOM_INTERVAL, idle);
            let (waiting, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return Work::LookForRoom;
            }
            waiting
        };
        if waiting.is_idle() { Work::Stop } else { Work::Sync }
    }

    pub(crate) fn look_for_room(&self, core: &Core) {
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
        let units = std::mem::take(&mut lock(&self.waiting).units);
        let mut answers = Vec::with_capacity(units.len());
        for (unit, answer) in units {
            match core.apply(unit) {
                Ok(applied) => answers.push((applied, answer)),
                // Whoever gave up waiting need not be told, here and below.
                Err(error) => {
                    let _ = answer.send(Err(error));
                }
            }
        }
        // Read before the sync starts: whoever has a later ticket waits for the next one.
        let log_seq = *core.log_last.borrow();
        let through = self.last_ticket();
        core.sync_journal().map_err(|error| self.fail(format!("sync of the journal: {error}")))?;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let waiters: Vec<_> = {
            let mut waiting = lock(&self.waiting);
            waiting.through = through.0;
            waiting.waiters.extract_if(.., |(ticket, _)| *ticket <= through).collect()
        };
        for (applied, answer) in answers {
            let _ = answer.send(Ok(applied));
        }
        for (_, waiter) in waiters {
            let _ = waiter.send(());
        }
        core.after_sync(through, log_seq);
        Ok(())
    }
}

/// The body of the syncing thread.
pub(crate) fn run(core: &Arc<Core>) {
    let _dart = Dart(core);
    let sync = &core.sync;
    sync.look_for_room(core);
    loop {
        match sync.next_work() {
            Work::Stop => return,
            Work::LookForRoom => {
                sync.look_for_room(core);
            }
            Work::Sync => {
                if sync.sync_once(core).is_err() {
                    return;
                }
                // A look costs next to nothing beside a sync.
                sync.look_for_room(core);
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
