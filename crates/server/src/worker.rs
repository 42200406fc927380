//! Carries records from the event log through the pipeline.
//!
//! One task, in the order of the log. What a record leads to is committed together with the place in the log, so that after
//! a crash nothing is passed on twice and nothing is left out.

use std::sync::Arc;

use pipeline::Step;
use record::Entry;
use store::{Space, StoreError, Unit};
use tokio::sync::watch;

use crate::app::App;
use crate::clock::{self, stopped};
use crate::counters::add;
use crate::detector;
use crate::history;
use crate::queues::visible_queues;
use crate::waiting::Batch;

/// The name of the place in the log.
pub const CURSOR: &str = "pipeline";
/// Records that are passed on in one unit.
const BATCH_COUNT_MAX: usize = 256;
/// Bytes of them.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Runs until `stop` turns true or the store fails; then all that is in the log has been passed on, or waits for the next
/// start.
pub async fn run(app: Arc<App>, bare: bool, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let mut appended = app.store.log().subscribe();
    let mut done = app.store.cursor(CURSOR)?.unwrap_or_default();
    loop {
        appended.mark_unchanged();
        let entries = app.store.log().read(done + 1, BATCH_COUNT_MAX, BATCH_BYTES_MAX)?;
        if let Some((last, _)) = entries.last() {
            let last = *last;
            pass_on(&app, bare, entries).await?;
            done = last;
            continue;
        }
        tokio::select! {
            changed = appended.changed() => if changed.is_err() { return Ok(()) },
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

async fn pass_on(app: &Arc<App>, bare: bool, entries: Vec<(u64, bytes::Bytes)>) -> Result<(), StoreError> {
    let mut decoded = Vec::with_capacity(entries.len());
    let mut last = 0;
    for (seq, bytes) in entries {
        last = seq;
        match Entry::decode(&bytes) {
            Ok(entry) => decoded.push((seq, entry)),
            // Passing it over would lose it: it stays where it is until somebody looks.
            Err(error) => return Err(StoreError::Damaged { detail: format!("record {seq}: {error}") }),
        }
    }
    if !bare {
        detector::cover(app, decoded.iter().map(|(_, entry)| &entry.record)).await;
    }
    let now = clock::now();
    let steps = app.surrounded(now, app.endpoint(), |around| {
        let registry = app.registry();
        let with_failures = app.config.record_auth_failures;
        decoded.iter().map(|(_, entry)| pipeline::step(&registry, entry, with_failures, around)).collect::<Vec<_>>()
    })?;
    let mut unit = Unit::new();
    unit.cursor(CURSOR, last);
    let (mut waiting, mut rung) = (Batch::default(), Vec::new());
    for ((seq, entry), step) in decoded.iter().zip(steps) {
        for trail in &step.trails {
            waiting.add(trail, &entry.record.aws_region, *seq, entry.json.len());
        }
        history::stage(&mut unit, entry, *seq);
        stage(app, &mut unit, entry, step, &mut rung)?;
    }
    let sizes = waiting.stage(&mut unit);
    app.store.commit(unit).await?;
    app.waiting.count(&sizes);
    rung.sort_unstable();
    rung.dedup();
    app.wakers.ring_all(&rung);
    Ok(())
}

fn stage(app: &App, unit: &mut Unit, entry: &Entry, step: Step, rung: &mut Vec<u64>) -> Result<(), StoreError> {
    add(&app.counters.records, 1);
    add(&app.counters.events, usize::from(!step.trails.is_empty()));
    app.count(&step.counts, step.effects.len());
    rung.extend(visible_queues(&step.effects));
    app.stage(unit, step.effects).map_err(|error| StoreError::Damaged { detail: error.message })?;
    app.with_callers(|callers| {
        if let Some((key, caller)) = callers.observe(entry.outcome, &entry.record) {
            match serde_json::to_vec(caller) {
                Ok(row) => unit.put(Space::Callers, key, row),
                Err(error) => tracing::error!(%error, "a caller could not be written down"),
            }
            app.callers_changed.send_modify(|changes| *changes += 1);
        }
    });
    Ok(())
}
