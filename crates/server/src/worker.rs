//! Carries records from the event log through the pipeline.
//!
//! One task, in the order of the log, in which changes of trails stand, too ([`crate::passed`]). What a record leads to is
//! committed together with the place in the log, so that after a crash nothing is passed on twice and nothing is left out.

use std::sync::Arc;

use aws_api::Change;
use pipeline::Step;
use record::{Entry, Logged};
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

/// Runs until `stop` turns true or the store fails; then all that is in the log has been passed on, or waits for the next
/// start.
pub async fn run(app: Arc<App>, bare: bool, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let mut appended = app.store.log().subscribe();
    loop {
        appended.mark_unchanged();
        let entries = app.store.log().read(app.passed.last() + 1, BATCH_COUNT_MAX, BATCH_BYTES_MAX)?;
        if !entries.is_empty() {
            let Piece { last, events, change } = piece(entries)?;
            match change {
                Some(change) => take_in(&app, &change, last).await?,
                None => pass_on(&app, bare, &events, last).await?,
            }
            app.passed.reached(last);
            continue;
        }
        tokio::select! {
            changed = appended.changed() => if changed.is_err() { return Ok(()) },
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

/// Entries that are passed on in one unit: records up to the next change, or a change.
#[derive(Default)]
struct Piece {
    /// The last of them.
    last: u64,
    events: Vec<(u64, Entry)>,
    change: Option<Change>,
}

fn piece(entries: Vec<(u64, bytes::Bytes)>) -> Result<Piece, StoreError> {
    let mut piece = Piece::default();
    for (seq, bytes) in entries {
        // Passing it over would lose it: it stays where it is until somebody looks.
        let logged =
            Logged::decode(&bytes).map_err(|error| StoreError::Damaged { detail: format!("record {seq}: {error}") })?;
        match logged {
            Logged::Record(entry) => piece.events.push((seq, entry)),
            Logged::Change(marker) => {
                if piece.events.is_empty() {
                    piece = Piece { last: seq, change: Some(marked(seq, marker)?), ..piece };
                }
                break;
            }
        }
        piece.last = seq;
    }
    Ok(piece)
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
    read.map_err(|error| StoreError::Damaged { detail: format!("change {seq} of a trail: {error}") })
}

async fn pass_on(app: &Arc<App>, bare: bool, decoded: &[(u64, Entry)], last: u64) -> Result<(), StoreError> {
    if !bare {
        detector::cover(app, decoded.iter().map(|(_, entry)| &entry.record)).await;
    }
    let now = clock::now();
    let steps = app.surrounded(now, app.endpoint(), |around| {
        let (trails, registry) = (app.passed.trails(), app.registry());
        let with_failures = app.config.record_auth_failures;
        decoded
            .iter()
            .map(|(_, entry)| pipeline::step(&registry, &trails, entry, with_failures, around))
            .collect::<Vec<_>>()
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
