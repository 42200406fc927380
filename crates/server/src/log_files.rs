//! Delivers log files: the records that a trail chose, into its bucket.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_api::{Entity, Timestamp};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use gateway::{Backend, BucketInfo};
use record::{Entry, Outcome, S3Call, UserIdentity};
use s3_embedded::StagedObject;
use store::{Space, StoreError, Unit};
use tokio::sync::watch;
use trail::{LOG_FILE_BYTES_MAX, Trail, log_file_body, log_file_key, unique16};

use crate::app::App;
use crate::clock::{self, stopped};
use crate::digests::{self, Described};

/// Records that go into one file at most, so that a backlog does not have to fit into memory.
const RECORDS_PER_FILE_MAX: usize = 20_000;
/// Bytes of records, uncompressed, that go into one file at most. CloudTrail's bound is on the compressed file.
const FILE_BYTES_MAX: usize = LOG_FILE_BYTES_MAX;

/// Rows that are forgotten in one unit.
const FORGOTTEN_COUNT: usize = 10_000;

/// The key of a row that says: this record belongs into a log file of this trail. Rows of one trail are neighbours, in the
/// order of the log.
pub fn index_key(trail: &str, seq: u64) -> Vec<u8> {
    [trail.as_bytes(), &[0], &seq.to_be_bytes()].concat()
}

/// The first record that still waits for a file of some trail, which the log must keep.
pub fn oldest_waiting(app: &App) -> Result<Option<u64>, StoreError> {
    let keys: Vec<_> = app.registry().trails.iter().map(Entity::key).collect();
    let mut oldest = None;
    for key in keys {
        let first = app.store.range(Space::TrailIndex, index_key(&key, 0)..=index_key(&key, u64::MAX)).next();
        let seq = first.transpose()?.and_then(|(key, _)| seq_of(&key));
        oldest = [oldest, seq].into_iter().flatten().min();
    }
    Ok(oldest)
}

fn seq_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// Forgets what was to go into the files of trails that are gone.
pub async fn forget_deleted(app: &App) -> Result<(), StoreError> {
    let mut from = Vec::new();
    let mut unit = Unit::new();
    let mut count = 0;
    // Of each trail one row is looked at, unless the trail is gone.
    while let Some((row, _)) = app.store.range(Space::TrailIndex, from.clone()..).next().transpose()? {
        let trail = row.split(|byte| *byte == 0).next().unwrap_or_default();
        // Asked after the row was read: rows are only written of trails that there are.
        if app.registry().trails.iter().any(|other| other.key().as_bytes() == trail) {
            from = [trail, &[1]].concat();
            continue;
        }
        unit.delete(Space::TrailIndex, row.to_vec());
        from = [&row[..], &[0]].concat();
        count += 1;
        if count % FORGOTTEN_COUNT == 0 {
            app.store.commit(std::mem::take(&mut unit)).await?;
        }
    }
    if !unit.is_empty() {
        app.store.commit(unit).await?;
    }
    Ok(())
}

/// Delivers at the end of each interval until `stop` turns true.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let interval = app.config.delivery_interval;
    loop {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        let rest = interval_ms - clock::now().as_millis().rem_euclid(interval_ms);
        let wait = Duration::from_millis(u64::try_from(rest).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(wait) => deliver_all(&app).await?,
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

async fn deliver_all(app: &Arc<App>) -> Result<(), StoreError> {
    let trails: Vec<Trail> = app.registry().trails.iter().cloned().collect();
    for trail in trails {
        while deliver(app, &trail).await? {}
    }
    Ok(())
}

/// Writes one file of a trail; true if there may be more to write.
async fn deliver(app: &Arc<App>, trail: &Trail) -> Result<bool, StoreError> {
    let turn = app.turns.take().await;
    // As it is now: the turn may have taken its time.
    let trail = app.registry().trails.trail(&trail.account, &trail.region, &trail.name).cloned();
    let Some(trail) = &trail else { return Ok(false) };
    let Some(file) = collect(app, trail)? else { return Ok(false) };
    let now = clock::now();
    let (key, more) = (log_file_key(trail, &file.region, now, &unique16(clock::new_id())), file.more);
    let outcome = write(app, trail, &key, file, now).await?;
    drop(turn);
    let failed = outcome.err();
    if let Some(code) = &failed {
        app.counters.failed_log_files.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(trail = %trail.arn(), bucket = trail.s3_bucket_name, code, "a log file could not be delivered; its records are kept");
    } else {
        app.counters.log_files.fetch_add(1, Ordering::Relaxed);
    }
    let told = failed.as_deref().map_or(Ok(()), Err);
    let status = app.change(|registry| {
        let change = registry.trails.delivery_attempted(trail.reference(), now, told);
        Ok(((), change.into_iter().collect()))
    });
    if let Err(error) = status.await {
        tracing::error!(%error, "the status of a trail could not be written");
    }
    Ok(more && failed.is_none())
}

/// Records for one file: of one region, as the file's name says.
struct Collected {
    region: String,
    records: Vec<Bytes>,
    rows: Vec<Vec<u8>>,
    more: bool,
}

fn collect(app: &App, trail: &Trail) -> Result<Option<Collected>, StoreError> {
    let name = trail.key();
    let mut file: Option<Collected> = None;
    let mut unreadable = Vec::new();
    let mut bytes = 0;
    for row in app.store.range(Space::TrailIndex, index_key(&name, 0)..=index_key(&name, u64::MAX)) {
        let (key, _) = row?;
        let Some(seq) = seq_of(&key) else { continue };
        let entry = app.store.log().read(seq, 1, usize::MAX)?.into_iter().find(|(found, _)| *found == seq);
        let Some(entry) = entry.and_then(|(_, entry)| Entry::decode(&entry).ok()) else {
            tracing::error!(seq, "a record that belongs into a log file cannot be read");
            unreadable.push(key.to_vec());
            continue;
        };
        let file = file.get_or_insert_with(|| Collected {
            region: entry.record.aws_region.clone(),
            records: Vec::new(),
            rows: Vec::new(),
            more: false,
        });
        let is_full = file.records.len() >= RECORDS_PER_FILE_MAX || bytes + entry.json.len() > FILE_BYTES_MAX;
        if is_full && !file.records.is_empty() {
            file.more = true;
            break;
        }
        if entry.record.aws_region == file.region {
            bytes += entry.json.len();
            file.records.push(entry.json.into());
            file.rows.push(key.to_vec());
        } else {
            file.more = true;
        }
    }
    if let Some(file) = &mut file {
        // They go with the file, so that they are not tried, and do not hold the log, for ever.
        file.rows.append(&mut unreadable);
    }
    Ok(file)
}

/// The file, the removal of its records from what waits, and the record of the delivery: all in one unit. `Ok(Err(code))`
/// if the bucket does not take it.
async fn write(
    app: &App,
    trail: &Trail,
    key: &str,
    file: Collected,
    now: Timestamp,
) -> Result<Result<(), String>, StoreError> {
    let bucket = app.s3.bucket(&trail.s3_bucket_name).ok().flatten();
    // Until bucket policies are evaluated a bucket takes the files of its own account's trails.
    let Some(bucket) = bucket.filter(|bucket| bucket.owner == trail.account) else {
        return Ok(Err("NoSuchBucket".into()));
    };
    if !app.store.has_room() {
        return Ok(Err("ServiceUnavailable".into()));
    }
    let Collected { region, records, rows, .. } = file;
    let validates = trail.log_file_validation;
    let compressed = tokio::task::spawn_blocking(move || compress(&records, validates)).await;
    let Ok(Ok((body, described))) = compressed else { return Ok(Err("InternalError".into())) };
    let body = Bytes::from(body);
    let object = StagedObject {
        body: body.clone(),
        content_type: Some("application/json".into()),
        content_encoding: Some("gzip".into()),
        ..StagedObject::default()
    };
    let staged = app.embedded.stage_put(&trail.s3_bucket_name, key, object, now).await;
    let mut unit = match staged {
        Ok(unit) => unit,
        Err(error) => return Ok(Err(error.code().as_str().to_owned())),
    };
    for row in rows {
        unit.delete(Space::TrailIndex, row);
    }
    if let Some(described) = described {
        digests::note(&mut unit, trail, &region, key, described, now);
    }
    let call = delivery(trail, key, &bucket, body.len() as u64);
    unit.append(Entry::encode(Outcome::Admitted, &call.record(now)).into());
    app.store.commit(unit).await?;
    Ok(Ok(()))
}

/// The file, and what its digest tells of it if there is to be one.
fn compress(records: &[Bytes], describe: bool) -> std::io::Result<(Vec<u8>, Option<Described>)> {
    let body = log_file_body(records.iter().map(|record| &record[..]));
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::default());
    gzip.write_all(&body)?;
    let described = describe.then(|| digests::describe(records, &body));
    Ok((gzip.finish()?, described))
}

/// CloudTrail's own PUT, as it stands in the bucket owner's records.
pub fn delivery(trail: &Trail, key: &str, bucket: &BucketInfo, len: u64) -> S3Call {
    const SERVICE: &str = "cloudtrail.amazonaws.com";
    let (request_id, event_id) = (clock::new_id().simple().to_string(), clock::new_id());
    S3Call {
        op: aws_api::s3::operation("PutObject").unwrap_or(&aws_api::s3::UNKNOWN),
        bucket: Some(trail.s3_bucket_name.clone()),
        key: Some(key.to_owned()),
        host: format!("{}.s3.{}.amazonaws.com", trail.s3_bucket_name, bucket.region),
        query: Vec::new(),
        headers: vec![("x-amz-acl".into(), "bucket-owner-full-control".into())],
        identity: UserIdentity::service(SERVICE),
        claimed_access_key_id: None,
        signed: Some(record::Signed { version: "SigV4", method: "AuthHeader" }),
        source_ip: SERVICE.into(),
        user_agent: Some(SERVICE.into()),
        region: bucket.region.clone(),
        bucket_owner: Some(bucket.owner.clone()),
        recipient_account: bucket.owner.clone(),
        tls: None,
        request_id: request_id[..16].to_ascii_uppercase(),
        host_id: String::new(),
        event_id: event_id.to_string(),
        bytes_in: len,
        bytes_out: 0,
        failure: None,
    }
}
