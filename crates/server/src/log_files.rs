//! Delivers log files: the records that a trail chose, into its bucket.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_api::{Entity, Timestamp};
use flate2::Compression;
use flate2::write::GzEncoder;
use record::{Entry, EntryError};
use s3_embedded::StagedObject;
use store::{Space, StoreError};
use tokio::sync::watch;
use trail::{LOG_FILE_BYTES_MAX, LogFileWriter, Trail, log_file_key, unique16};

use crate::app::App;
use crate::clock::{self, stopped};
use crate::digests::{self, Description};
use crate::notices::{self, Told};
use crate::{deliveries, waiting};

/// With so many bytes of records, uncompressed, a file is full. CloudTrail's bound is on the compressed file.
pub const FILE_BYTES_MAX: usize = LOG_FILE_BYTES_MAX;
/// Of records, which are much alike, the next levels make files that are hardly smaller, for up to twice the time.
const LEVEL: Compression = Compression::new(2);

/// Delivers at the end of each interval, and when a trail has a full file before, until `stop` turns true. `last` is where the
/// worker was before it began.
pub async fn run(app: Arc<App>, last: u64, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let interval = app.config.delivery_interval;
    let of = Arc::clone(&app);
    clock::blocking(move || waiting::count(&of, last)).await?;
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
        if !app.waiting.takes_up(&name, bytes_min) {
            continue;
        }
        for region in waiting::regions(app, &name)? {
            while deliver(app, &trail, &region).await? {}
        }
    }
    Ok(())
}

/// Writes all that waits for a trail that is about to be deleted, as far as its bucket takes it. The caller has the turn.
pub async fn finish(app: &Arc<App>, trail: &Trail) -> Result<(), StoreError> {
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
    let (of, waits) = (Arc::clone(app), (trail.key(), region.to_owned(), trail.log_file_validation));
    // Up to 50 MB are read and compressed.
    let file = clock::blocking(move || collect(&of, &waits.0, &waits.1, waits.2)).await?;
    let Some(file) = file else { return Ok(false) };
    let now = clock::now();
    let (key, more) = (log_file_key(trail, region, now, &unique16(clock::new_id())), file.more);
    let outcome = write(app, trail, region, &key, file, now).await?;
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

/// One file, with what it was made of.
struct Collected {
    body: Vec<u8>,
    description: Option<Description>,
    rows: Vec<Vec<u8>>,
    records: u64,
    more: bool,
}

/// Compresses what waits of one region, whose name is in the file's.
fn collect(app: &App, trail: &str, region: &str, describe: bool) -> Result<Option<Collected>, StoreError> {
    let mut file = LogFileWriter::new(Compressor::new(describe))?;
    let (mut rows, mut records, mut bytes, mut more) = (Vec::new(), 0, 0, false);
    for found in waiting::rows(app, trail, region) {
        let (key, row) = found?;
        if bytes >= FILE_BYTES_MAX {
            more = true;
            break;
        }
        for (seq, entry) in app.store.log().read(row.first(), row.span(), usize::MAX)? {
            if row.has(seq) {
                let json = Entry::json_of(&entry).map_err(|error| damaged(seq, &error))?;
                bytes += json.len();
                file.push(json)?;
                if let Some(description) = &mut file.get_mut().description {
                    description.record(json);
                }
            }
        }
        rows.push(key);
        records += row.len();
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let Compressor { gzip, description } = file.finish()?;
    Ok(Some(Collected { body: gzip.finish()?, description, rows, records, more }))
}

/// Passing it over would lose it.
fn damaged(seq: u64, error: &EntryError) -> StoreError {
    StoreError::Damaged { detail: format!("record {seq}: {error}") }
}

/// Compresses a log file, and describes it if there is to be a digest of it.
struct Compressor {
    gzip: GzEncoder<Vec<u8>>,
    description: Option<Description>,
}

impl Compressor {
    fn new(describe: bool) -> Self {
        Self { gzip: GzEncoder::new(Vec::new(), LEVEL), description: describe.then(Description::default) }
    }
}

impl Write for Compressor {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.gzip.write_all(content)?;
        if let Some(description) = &mut self.description {
            description.content(content);
        }
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gzip.flush()
    }
}

/// The file, the record of its delivery, the notice of it, and the removal of its records from what waits: all in one unit.
/// `Ok(Err(code))` if the bucket does not take it.
async fn write(
    app: &App,
    trail: &Trail,
    region: &str,
    key: &str,
    file: Collected,
    now: Timestamp,
) -> Result<Result<Option<Told>, String>, StoreError> {
    let object = StagedObject {
        body: file.body.into(),
        content_type: Some("application/json".into()),
        content_encoding: Some("gzip".into()),
        ..StagedObject::default()
    };
    let mut unit = match deliveries::stage(app, trail, key, object, now).await {
        Ok(unit) => unit,
        Err(code) => return Ok(Err(code)),
    };
    // The rows are the oldest of their trail and region, in order.
    let last = file.rows.last().cloned();
    for row in file.rows {
        unit.delete(Space::TrailIndex, row);
    }
    if let Some(description) = file.description {
        digests::note(&mut unit, trail, region, key, description, now);
    }
    let told = notices::stage(app, trail, key, now, &mut unit);
    app.store.commit(unit).await?;
    if let Some(last) = &last {
        app.waiting.deleted_through(last);
    }
    app.waiting.written(&trail.key(), file.records);
    if let Some(told) = &told {
        told.ring(app);
    }
    Ok(Ok(told))
}
