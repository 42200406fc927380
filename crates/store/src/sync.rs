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

/// What nobody waits for is synced when nothing has come for so long,
const UNHURRIED: Duration = Duration::from_millis(100);
/// or has come so often without anybody who waits.
const UNHURRIED_ROUNDS: u32 = 8;

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
    /// Units to apply before the next sync, and who waits for it. A sender that is dropped unused tells of a failure.
    units: Vec<(Unit, Option<Answer>)>,
    /// Who waits for a later one without a unit.
    waiters: Vec<(Ticket, oneshot::Sender<()>)>,
    stop: bool,
}

enum Work {
    /// And a sync, if somebody waits for it.
    Apply,
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
        let (sender, done) = oneshot::channel();
        self.hand_over(unit, Some(sender))?;
        done.await.map_err(|_| self.ended()).flatten()
    }

    /// Has a unit applied, and synced with the next that somebody waits for, or a little later. Units are applied in the order
    /// in which they are handed over.
    pub(crate) fn submit(&self, unit: Unit) -> Result<(), StoreError> {
        self.hand_over(unit, None)
    }

    fn hand_over(&self, unit: Unit, answer: Option<Answer>) -> Result<(), StoreError> {
        let mut waiting = lock(&self.waiting);
        self.check()?;
        waiting.units.push((unit, answer));
        drop(waiting);
        self.wake.notify_one();
        Ok(())
    }

    /// Why a waiter was let go without an answer.
    fn ended(&self) -> StoreError {
        self.check().err().unwrap_or_else(|| self.fail("the syncing thread ended".to_owned()))
    }

    pub(crate) fn stop(&self) {
        lock(&self.waiting).stop = true;
        self.wake.notify_one();
    }

    /// Waits for a request, or for the moment to sync what came in `unsynced` rounds; now and then for the one to look at the disk.
    fn next_work(&self, unsynced: u32) -> Work {
        let idle = |waiting: &mut Waiting| waiting.is_idle() && !waiting.stop;
        let patience = if unsynced > 0 { Some(UNHURRIED) } else { (!self.has_room()).then_some(ROOM_INTERVAL) };
        let waiting = lock(&self.waiting);
        let waiting = match patience {
            None => self.wake.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let woken = self.wake.wait_timeout_while(waiting, patience, idle);
                let (waiting, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() {
                    return if unsynced > 0 { Work::Sync } else { Work::LookForRoom };
                }
                waiting
            }
        };
        match (waiting.is_idle(), unsynced) {
            (true, 0) => Work::Stop,
            (true, _) => Work::Sync,
            (false, _) => Work::Apply,
        }
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

    /// Applies what was handed over. Whether somebody waits for it.
    fn apply_all(&self, core: &Core) -> (Vec<(Applied, Answer)>, bool) {
        let units = std::mem::take(&mut lock(&self.waiting).units);
        let mut answers = Vec::with_capacity(units.len());
        for (unit, answer) in units {
            match (core.apply(unit), answer) {
                (Ok(applied), Some(answer)) => answers.push((applied, answer)),
                (Ok(_), None) => {}
                // Whoever gave up waiting need not be told, here and below.
                (Err(error), Some(answer)) => {
                    let _ = answer.send(Err(error));
                }
                (Err(error), None) => tracing::error!(%error, "what nobody waited for was not written"),
            }
        }
        let is_waited_for = !answers.is_empty() || !lock(&self.waiting).waiters.is_empty();
        (answers, is_waited_for)
    }

    /// Answers who waits for what was applied, once it is durable.
    fn sync_once(&self, core: &Core, answers: Vec<(Applied, Answer)>) -> Result<(), StoreError> {
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
    let mut unsynced = 0;
    loop {
        let work = sync.next_work(unsynced);
        match work {
            Work::Stop => return,
            Work::LookForRoom => sync.look_for_room(core),
            Work::Apply | Work::Sync => {
                let (answers, is_waited_for) = sync.apply_all(core);
                if matches!(work, Work::Apply) && !is_waited_for && unsynced < UNHURRIED_ROUNDS {
                    unsynced += 1;
                    continue;
                }
                if sync.sync_once(core, answers).is_err() {
                    return;
                }
                unsynced = 0;
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
