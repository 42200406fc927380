//! Carries records from the event log through the pipeline.
//!
//! One task, in the order of the log, in which changes of trails stand, too ([`crate::passed`]). What a record leads to is
//! committed together with the place in the log, so that after a crash nothing is passed on twice and nothing is left out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_api::{Change, Timestamp};
use bytes::Bytes;
use pipeline::{Step, Tally};
use record::{Entry, EntryError, Logged};
use store::{Space, StoreError, Unit};
use tokio::sync::watch;

use crate::app::App;
use crate::clock::{self, stopped};
use crate::counters::add;
use crate::detector;
use crate::history;
use crate::passed::{self, marked};
use crate::queues::visible_queues;
use crate::waiting::{self, Batch};

/// The name of the place in the log.
pub const CURSOR: &str = "pipeline";
/// Records that are passed on in one unit.
const BATCH_COUNT_MAX: usize = 256;
/// Bytes of them.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// After a batch, so long for each of its records is waited for more of them: a unit for many costs little more than a unit
/// for one. The first record after a calm waits for nothing.
const PAUSE_PER_RECORD: Duration = Duration::from_micros(200);
/// But no longer.
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// Runs until `stop` turns true or the store fails; then all that is in the log has been passed on, or waits for the next
/// start.
pub async fn run(app: Arc<App>, bare: bool, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let mut appended = app.store.log().subscribe();
    loop {
        appended.mark_unchanged();
        let entries = app.store.log().read(app.passed.last() + 1, BATCH_COUNT_MAX, BATCH_BYTES_MAX)?;
        if !entries.is_empty() {
            let count = pass_on(&app, bare, &entries).await?;
            if count < BATCH_COUNT_MAX && !*stop.borrow() {
                pause(count, &mut stop).await;
            }
            continue;
        }
        tokio::select! {
            changed = appended.changed() => if changed.is_err() { return Ok(()) },
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

async fn pause(count: usize, stop: &mut watch::Receiver<bool>) {
    let pause = PAUSE_PER_RECORD.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)).min(PAUSE_MAX);
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = stopped(stop) => {}
    }
}

/// Passes on what can be in one unit: records up to the next change, or a change. Tells how many entries that were.
async fn pass_on(app: &Arc<App>, bare: bool, entries: &[(u64, Bytes)]) -> Result<usize, StoreError> {
    let mut passing = Passing::new(app, clock::now());
    for (seq, bytes) in entries {
        // Passing it over would lose it: it stays where it is until somebody looks.
        match Logged::decode(bytes).map_err(|error| damaged(*seq, &error))? {
            Logged::Record(entry) => {
                let outline = &entry.outline;
                if !bare && &*outline.event_source == "s3.amazonaws.com" {
                    detector::cover(app, &outline.recipient_account_id, &outline.aws_region, passing.now).await;
                }
                passing.pass(app, &entry, *seq)?;
            }
            Logged::Change(marker) if passing.count == 0 => {
                take_in(app, &marked(*seq, marker)?, *seq).await?;
                return Ok(1);
            }
            Logged::Change(_) => break,
        }
    }
    passing.commit(app).await
}

/// From here on the trail is what the change says.
async fn take_in(app: &App, change: &Change, seq: u64) -> Result<(), StoreError> {
    if change.row.is_none() {
        // Another trail of the same name starts with nothing.
        waiting::forget(app, &change.key).await?;
    }
    let mut unit = Unit::new();
    unit.cursor(CURSOR, seq);
    passed::stage(&mut unit, change);
    app.store.commit(unit).await?;
    let read = app.passed.absorb(change);
    read.map_err(|error| StoreError::Damaged { detail: format!("change {seq} of a trail: {error}") })?;
    app.passed.reached(seq);
    Ok(())
}

/// Records that are passed on in one unit.
struct Passing {
    now: Timestamp,
    signing_cert_url: String,
    unit: Unit,
    count: usize,
    last: u64,
    waiting: Batch,
    callers: BTreeSet<pipeline::RowKey>,
    rung: Vec<u64>,
    tally: Tally,
}

impl Passing {
    fn new(app: &App, now: Timestamp) -> Self {
        let signing_cert_url = app.signing_cert_url(app.endpoint());
        let (unit, waiting, callers) = (Unit::new(), Batch::default(), BTreeSet::new());
        Self {
            now,
            signing_cert_url,
            unit,
            count: 0,
            last: 0,
            waiting,
            callers,
            rung: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn pass(&mut self, app: &App, entry: &Entry<'_>, seq: u64) -> Result<(), StoreError> {
        let step = app.surrounded(self.now, app.endpoint(), &self.signing_cert_url, &mut self.tally, |around| {
            let with_failures = app.config.record_auth_failures;
            pipeline::step(&app.registry(), &app.passed.trails(), entry, with_failures, around)
        })?;
        for trail in &step.trails {
            self.waiting.add(trail, &entry.outline.aws_region, seq, entry.json.len());
        }
        history::stage(&mut self.unit, entry, seq).map_err(|error| damaged(seq, &error))?;
        self.stage(app, step)?;
        if entry.outline.is_sigv2() {
            self.callers.extend(app.with_callers(|callers| callers.observe(entry.outcome, &entry.outline)));
        }
        (self.count, self.last) = (self.count + 1, seq);
        Ok(())
    }

    fn stage(&mut self, app: &App, step: Step) -> Result<(), StoreError> {
        add(&app.counters.records, 1);
        add(&app.counters.events, usize::from(!step.trails.is_empty()));
        app.count(&step.counts, step.effects.len());
        self.rung.extend(visible_queues(&step.effects));
        app.stage(&mut self.unit, step.effects).map_err(|error| StoreError::Damaged { detail: error.message })
    }

    async fn commit(mut self, app: &App) -> Result<usize, StoreError> {
        self.unit.cursor(CURSOR, self.last);
        app.with_callers(|callers| {
            for (key, caller) in self.callers.iter().filter_map(|key| Some((key, callers.get(key)?))) {
                match serde_json::to_vec(caller) {
                    Ok(row) => self.unit.put(Space::Callers, *key, row),
                    Err(error) => tracing::error!(%error, "a caller could not be written down"),
                }
            }
        });
        self.waiting.stage(&mut self.unit, &app.waiting);
        let still = app.meter.still().await;
        app.meter.take_in(&mut self.tally, self.now);
        app.meter.stage(&still, &mut self.unit);
        app.store.commit(self.unit).await?;
        drop(still);
        self.rung.sort_unstable();
        self.rung.dedup();
        app.wakers.ring_all(&self.rung);
        if !self.callers.is_empty() {
            app.callers_changed.send_modify(|changes| *changes += 1);
        }
        app.passed.reached(self.last);
        Ok(self.count)
    }
}

fn damaged(seq: u64, error: &EntryError) -> StoreError {
    StoreError::Damaged { detail: format!("record {seq}: {error}") }
}
