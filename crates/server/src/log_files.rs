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
use record::{Entry, EntryError, Outcome, S3Call, UserIdentity};
use s3_embedded::StagedObject;
use store::StoreError;
use tokio::sync::watch;
use trail::{LOG_FILE_BYTES_MAX, Trail, log_file_body, log_file_key, unique16};

use crate::app::App;
use crate::clock::{self, stopped};
use crate::waiting;

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

/// Writes one file of a trail with records of one region; true if there may be more to write.
async fn deliver(app: &Arc<App>, trail: &Trail, region: &str) -> Result<bool, StoreError> {
    let Some(file) = collect(app, trail, region)? else { return Ok(false) };
    let now = clock::now();
    let (key, more) = (log_file_key(trail, region, now, &unique16(clock::new_id())), file.more);
    let outcome = write(app, trail, &key, file, now).await?;
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

/// Records for one file.
struct Collected {
    records: Vec<Bytes>,
    rows: Vec<Vec<u8>>,
    more: bool,
}

fn collect(app: &App, trail: &Trail, region: &str) -> Result<Option<Collected>, StoreError> {
    let mut file = Collected { records: Vec::new(), rows: Vec::new(), more: false };
    let mut bytes = 0;
    for found in waiting::rows(app, &trail.key(), region) {
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
    let Collected { records, rows, .. } = file;
    let compressed = tokio::task::spawn_blocking(move || compress(&records)).await;
    let Ok(Ok(body)) = compressed else { return Ok(Err("InternalError".into())) };
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
    let call = delivery(trail, key, &bucket, body.len() as u64);
    unit.append(Entry::encode(Outcome::Admitted, &call.record(now)).into());
    app.store.commit(unit).await?;
    Ok(Ok(()))
}

fn compress(records: &[Bytes]) -> std::io::Result<Vec<u8>> {
    let body = log_file_body(records.iter().map(|record| &record[..]));
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::default());
    gzip.write_all(&body)?;
    gzip.finish()
}

/// CloudTrail's own PUT, as it stands in the bucket owner's records.
fn delivery(trail: &Trail, key: &str, bucket: &BucketInfo, len: u64) -> S3Call {
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
