//! Makes records durable: at once for a short answer, before its first byte for a long one.
//!
//! Of a long answer an opening entry is durable before anything is sent: its record as it will be if all of it is sent. At the
//! end the record takes the entry's place, without anybody waiting for it: who has read the last byte can rely on the entry.
//! What a crash cuts off is recorded as sent, since nobody can say how much of it was read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_api::Timestamp;
use record::{Failure, Outcome, S3Call};
use store::{Store, StoreError, Unit};
use uuid::Uuid;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A streamed answer on which nothing moved for so long is recorded as it stands, and ended.
pub const STALLED_AFTER_MILLIS: i64 = 60_000;

/// Writes records into the event log.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
    clock: Clock,
    open: Arc<Mutex<HashMap<[u8; 16], Weak<OpenAnswer>>>>,
}

impl Recorder {
    /// Into this store, by this clock.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, open: Arc::default() }
    }

    /// Completes the records of answers that a crash cut off. Called once, before requests are served.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let cut_off = self.store.open_entries()?;
        let mut unit = Unit::new();
        for (id, entry) in &cut_off {
            unit.close_entry(*id);
            unit.append(entry.clone());
        }
        self.store.commit(unit).await?;
        Ok(cut_off.len())
    }

    /// Commits what a request staged together with its record. After this it is done and recorded, or neither.
    pub(crate) async fn record(&self, mut unit: Unit, call: &S3Call, outcome: Outcome) -> Result<(), StoreError> {
        append(&mut unit, call, outcome, (self.clock)());
        self.store.commit(unit).await?;
        Ok(())
    }

    /// The same for an answer that is about to be streamed, of `call.bytes_out` bytes: the opening entry is durable when this
    /// returns.
    pub(crate) async fn open(
        &self,
        mut unit: Unit,
        call: S3Call,
        outcome: Outcome,
    ) -> Result<Arc<OpenAnswer>, StoreError> {
        let now = (self.clock)();
        let (entry, copy) = call.entries(outcome, now);
        let ids: Vec<_> = event_ids(&call).collect();
        for (id, entry) in ids.iter().zip([entry].into_iter().chain(copy)) {
            unit.open_entry(*id, entry.into());
        }
        self.store.commit(unit).await?;
        let answer = Arc::new(OpenAnswer {
            recorder: self.clone(),
            ids,
            call,
            outcome,
            sent: AtomicU64::new(0),
            moved: AtomicI64::new(now.as_millis()),
            finished: AtomicBool::new(false),
        });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend(answer.ids.first().map(|id| (*id, Arc::downgrade(&answer))));
        Ok(answer)
    }

    /// Records, as they stand, the streamed answers on which nothing has moved for [`STALLED_AFTER_MILLIS`].
    pub fn finish_stalled(&self, now: Timestamp) -> Result<(), StoreError> {
        let stalled: Vec<_> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let answers = open.values().filter_map(Weak::upgrade);
            answers
                .filter(|answer| now.as_millis() - answer.moved.load(Ordering::Relaxed) > STALLED_AFTER_MILLIS)
                .collect()
        };
        stalled.iter().try_for_each(|answer| answer.finish(None))
    }
}

/// Adds the entries of a call, one for each account that gets a copy.
fn append(unit: &mut Unit, call: &S3Call, outcome: Outcome, now: Timestamp) {
    let (entry, copy) = call.entries(outcome, now);
    [entry].into_iter().chain(copy).for_each(|entry| unit.append(entry.into()));
}

/// The ids of the events of a call's entries.
fn event_ids(call: &S3Call) -> impl Iterator<Item = [u8; 16]> {
    let copy = call.callers_copy.as_ref().map(|copy| &copy.event_id);
    [&call.common.event_id].into_iter().chain(copy).map(|id| Uuid::parse_str(id).unwrap_or_default().into_bytes())
}

/// A streamed answer between its opening entry and its record.
pub(crate) struct OpenAnswer {
    recorder: Recorder,
    /// Of its opening entries, one for each account that gets a copy.
    ids: Vec<[u8; 16]>,
    call: S3Call,
    outcome: Outcome,
    sent: AtomicU64,
    moved: AtomicI64,
    finished: AtomicBool,
}

impl OpenAnswer {
    /// So many bytes more are handed to the connection.
    pub fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.moved.store((self.recorder.clock)().as_millis(), Ordering::Relaxed);
    }

    /// Whether its record is written: nothing more may be sent.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Has the record written with what was sent, unless that was done before. The opening entry lasts until it is.
    pub fn finish(&self, failure: Option<Failure>) -> Result<(), StoreError> {
        if self.finished.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let recorder = &self.recorder;
        let mut open = recorder.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.ids.first().map(|id| open.remove(id));
        drop(open);
        let mut call = self.call.clone();
        call.bytes_out = self.sent.load(Ordering::Relaxed);
        call.common.failure = failure;
        let mut unit = Unit::new();
        self.ids.iter().for_each(|id| unit.close_entry(*id));
        append(&mut unit, &call, self.outcome, (recorder.clock)());
        recorder.store.submit(unit)
    }
}
