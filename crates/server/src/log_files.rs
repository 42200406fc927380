//! Delivers log files: the records that a trail chose, into its bucket.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_api::{Entity, Timestamp};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use record::{Entry, EntryError};
use s3_embedded::StagedObject;
use store::{Space, StoreError};
use tokio::sync::watch;
use trail::{LOG_FILE_BYTES_MAX, Trail, log_file_body, log_file_key, unique16};

use crate::app::App;
use crate::clock::{self, stopped};
use crate::digests::{self, Described};
use crate::notices::{self, Told};
use crate::{deliveries, waiting};

/// With so many records a file is full, so that a backlog does not have to fit into memory.
const RECORDS_PER_FILE_MAX: usize = 20_000;
/// The same for the bytes of its records, uncompressed. CloudTrail's bound is on the compressed file.
pub const FILE_BYTES_MAX: usize = LOG_FILE_BYTES_MAX;

/// Delivers at the end of each interval, and when a trail has a full file before, until `stop` turns true.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let interval = app.config.delivery_interval;
    loop {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let rest = interval_ms - clock::now().as_millis().rem_euclid(interval_ms);
        let wait = Duration::from_millis(u64::try_from(rest).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(wait) => deliver_all(&app, 0).await?,
            () = app.waiting.full() => deliver_all(&app, FILE_BYTES_MAX as u64).await?,
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

/// Writes what waits for the trails for which so many bytes wait.
async fn deliver_all(app: &Arc<App>, bytes_min: u64) -> Result<(), StoreError> {
    let trails: Vec<Trail> = app.registry().trails.iter().cloned().collect();
    for trail in trails {
        let name = trail.key();
        if app.waiting.bytes(&name) < bytes_min {
            continue;
        }
        app.waiting.forget(&name);
        for region in waiting::regions(app, &name)? {
            while deliver(app, &trail, &region).await? {}
        }
    }
    Ok(())
}

/// Writes all that waits for a trail that is about to be deleted, as far as its bucket takes it. The caller has the turn.
pub async fn finish(app: &Arc<App>, trail: &Trail) -> Result<(), StoreError> {
    app.waiting.forget(&trail.key());
    for region in waiting::regions(app, &trail.key())? {
        while deliver_in_turn(app, trail, &region).await? {}
    }
    Ok(())
}

/// Writes one file of a trail with records of one region; true if there may be more to write.
async fn deliver(app: &Arc<App>, trail: &Trail, region: &str) -> Result<bool, StoreError> {
    let _turn = app.turns.take().await;
    // As it is now: the turn may have taken its time.
    let trail = app.registry().trails.trail(&trail.account, &trail.region, &trail.name).cloned();
    match &trail {
        Some(trail) => deliver_in_turn(app, trail, region).await,
        None => Ok(false),
    }
}

async fn deliver_in_turn(app: &Arc<App>, trail: &Trail, region: &str) -> Result<bool, StoreError> {
    let (of, key, place) = (Arc::clone(app), trail.key(), region.to_owned());
    // Up to 50 MB are read.
    let Some(file) = clock::blocking(move || collect(&of, &key, &place)).await? else { return Ok(false) };
    let now = clock::now();
    let (key, more) = (log_file_key(trail, region, now, &unique16(clock::new_id())), file.more);
    let outcome = write(app, trail, &key, file, now).await?;
    let (failed, told) = match outcome {
        Ok(told) => (None, told),
        Err(code) => (Some(code), None),
    };
    if let Some(code) = &failed {
        app.counters.failed_log_files.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(trail = %trail.arn(), bucket = trail.s3_bucket_name, code, "a log file could not be delivered; its records are kept");
    } else {
        app.counters.log_files.fetch_add(1, Ordering::Relaxed);
    }
    let outcome = failed.as_deref().map_or(Ok(()), Err);
    let notice = told.as_ref().map(|told| told.outcome.as_ref().copied().map_err(String::as_str));
    let status = app.change(|registry| {
        let change = registry.trails.delivery_attempted(trail.reference(), now, outcome, notice);
        Ok(((), change.into_iter().collect()))
    });
    if let Err(error) = status.await {
        tracing::error!(%error, "the status of a trail could not be written");
    }
    Ok(more && failed.is_none())
}

/// Records for one file.
struct Collected {
    /// All are of this region, which the file's name says.
    region: String,
    records: Vec<Bytes>,
    rows: Vec<Vec<u8>>,
    more: bool,
}

fn collect(app: &App, trail: &str, region: &str) -> Result<Option<Collected>, StoreError> {
    let mut file = Collected { region: region.to_owned(), records: Vec::new(), rows: Vec::new(), more: false };
    let mut bytes = 0;
    for found in waiting::rows(app, trail, region) {
        let (key, row) = found?;
        if file.records.len() >= RECORDS_PER_FILE_MAX || bytes >= FILE_BYTES_MAX {
            file.more = true;
            break;
        }
        for (seq, entry) in app.store.log().read(row.first(), row.span(), usize::MAX)? {
            if !row.has(seq) {
                continue;
            }
            let json = Entry::json_of(&entry).map_err(|error| damaged(seq, &error))?;
            bytes += json.len();
            file.records.push(entry.slice_ref(json));
        }
        file.rows.push(key);
    }
    Ok((!file.rows.is_empty()).then_some(file))
}

/// Passing it over would lose it.
fn damaged(seq: u64, error: &EntryError) -> StoreError {
    StoreError::Damaged { detail: format!("record {seq}: {error}") }
}

/// The file, the record of its delivery, the notice of it, and the removal of its records from what waits: all in one unit.
/// `Ok(Err(code))` if the bucket does not take it.
async fn write(
    app: &App,
    trail: &Trail,
    key: &str,
    file: Collected,
    now: Timestamp,
) -> Result<Result<Option<Told>, String>, StoreError> {
    let Collected { region, records, rows, .. } = file;
    let validates = trail.log_file_validation;
    let compressed = tokio::task::spawn_blocking(move || compress(&records, validates)).await;
    let Ok(Ok((body, described))) = compressed else { return Ok(Err("InternalError".into())) };
    let object = StagedObject {
        body: body.into(),
        content_type: Some("application/json".into()),
        content_encoding: Some("gzip".into()),
        ..StagedObject::default()
    };
    let mut unit = match deliveries::stage(app, trail, key, object, now).await {
        Ok(unit) => unit,
        Err(code) => return Ok(Err(code)),
    };
    for row in rows {
        unit.delete(Space::TrailIndex, row);
    }
    if let Some(described) = described {
        digests::note(&mut unit, trail, &region, key, described, now);
    }
    let told = notices::stage(app, trail, key, now, &mut unit);
    app.store.commit(unit).await?;
    if let Some(told) = &told {
        told.ring(app);
    }
    Ok(Ok(told))
}

/// The file, and what its digest tells of it if there is to be one.
fn compress(records: &[Bytes], describe: bool) -> std::io::Result<(Vec<u8>, Option<Described>)> {
    let body = log_file_body(records.iter().map(|record| &record[..]));
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::default());
    gzip.write_all(&body)?;
    let described = describe.then(|| digests::describe(records, &body));
    Ok((gzip.finish()?, described))
}
