//! Delivers digests: what each names, and how they hang together, is decided by `trail::digest`.
//!
//! Rows in `Meta`:
//!
//! | key | value |
//! |---|---|
//! | `digest/file`, NUL, trail, NUL, length of region (2 bytes), region, delivery (8 bytes), key | a [`NotedFile`]: a log file that waits for its digest |
//! | `digest/chain`, NUL, trail, NUL, region | the [`Chain`] so far |
//!
//! A log file's row is written in the unit that writes the file; it is removed, and the chain goes on, in the unit that
//! writes the digest. So each log file is in one digest, whenever the server stops.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_api::{Entity, Timestamp};
use bytes::Bytes;
use event_pattern::{Paths, PathsRoom, Value};
use flate2::Compression;
use flate2::write::GzEncoder;
use s3_embedded::StagedObject;
use serde::Deserialize;
use store::{Space, StoreError, Unit};
use tokio::sync::{Mutex, MutexGuard, watch};
use trail::Trail;
use trail::digest::{
    Chain, DIGEST_FILES_MAX, Digest, Due, HASH_ALGORITHM, Hash, LogFile, NotedFile, PreviousDigest,
    SIGNATURE_ALGORITHM, Situation, digest_key, due, hash,
};

use crate::app::App;
use crate::clock::{self, stopped};
use crate::digest_keys::DigestKey;
use crate::{deliveries, forget};

const FILE: &[u8] = b"digest/file\0";
const CHAIN: &[u8] = b"digest/chain\0";
/// Greater than all that follows a region in a key.
const AFTER: [u8; 1] = [0xff];

/// Log files and digests are delivered one after the other, so that a file is delivered either before or after the end of
/// an interval.
#[derive(Debug, Default)]
pub struct Turns(Mutex<()>);

impl Turns {
    /// Waits for one's turn.
    pub async fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }
}

/// What a digest tells of a log file, gathered while the file is written.
#[derive(Default)]
pub struct Description {
    hash: Hash,
    newest: Option<String>,
    oldest: Option<String>,
    room: PathsRoom,
}

static EVENT_TIME: LazyLock<Paths> = LazyLock::new(|| Paths::new(["eventTime"]));

impl Description {
    /// So much more of the file's content, before compression.
    pub fn content(&mut self, content: &[u8]) {
        self.hash.update(content);
    }

    /// One of its records.
    pub fn record(&mut self, json: &[u8]) {
        let Ok(found) = EVENT_TIME.read(json, &mut self.room) else { return };
        let Some(Value::String(time)) = found.last(0) else { return };
        if self.oldest.as_deref().is_none_or(|oldest| time < oldest) {
            self.oldest = Some(time.to_owned());
        }
        if self.newest.as_deref().is_none_or(|newest| time > newest) {
            self.newest = Some(time.to_owned());
        }
    }
}

/// Notes a log file for the next digest, in the unit that delivers it.
pub fn note(unit: &mut Unit, trail: &Trail, region: &str, key: &str, described: Description, now: Timestamp) {
    let Some(since) = trail.digests_since.filter(|_| trail.log_file_validation) else { return };
    let file = LogFile {
        s3_bucket: trail.s3_bucket_name.clone(),
        s3_object: key.to_owned(),
        hash_value: described.hash.finish(),
        hash_algorithm: HASH_ALGORITHM.to_owned(),
        newest_event_time: described.newest,
        oldest_event_time: described.oldest,
    };
    let row = [&files_of(trail, region)[..], &now.as_millis().to_be_bytes(), key.as_bytes()].concat();
    // Texts and numbers are always JSON.
    unit.put(Space::Meta, row, serde_json::to_vec(&NotedFile { since, delivered: now, file }).unwrap_or_default());
}

/// Delivers at the end of each interval until `stop` turns true. What a bucket did not take is tried again whenever log files
/// are delivered.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let interval = app.config.digest_interval.min(app.config.delivery_interval);
    let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    loop {
        forget_deleted(&app).await?;
        let trails: Vec<Trail> = app.registry().trails.iter().cloned().collect();
        for trail in trails {
            deliver(&app, &trail).await?;
        }
        let rest = interval_ms - clock::now().as_millis().rem_euclid(interval_ms);
        let wait = Duration::from_millis(u64::try_from(rest).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

/// Delivers the last digests of a trail that is about to be deleted, if its bucket takes them. The caller has the turn.
pub async fn finish(app: &Arc<App>, trail: &Trail) -> Result<(), StoreError> {
    deliver_in_turn(app, trail, true).await
}

async fn deliver(app: &Arc<App>, trail: &Trail) -> Result<(), StoreError> {
    let _turn = app.turns.take().await;
    // As it is now: the turn may have taken its time.
    let Some(trail) = app.registry().trails.trail(&trail.account, &trail.region, &trail.name).cloned() else {
        return Ok(());
    };
    deliver_in_turn(app, &trail, false).await
}

async fn deliver_in_turn(app: &Arc<App>, trail: &Trail, is_last: bool) -> Result<(), StoreError> {
    let now = clock::now();
    let mut outcome = None;
    for region in regions(app, trail)? {
        loop {
            let (of, whose, place) = (Arc::clone(app), trail.clone(), region.clone());
            // Thousands of rows are read.
            let due = clock::blocking(move || next_due(&of, &whose, &place, is_last, now)).await?;
            let Some((due, files)) = due else { break };
            let written = write(app, trail, &region, &due, files, now).await?;
            let failed = written.is_err();
            if outcome.as_ref().is_none_or(Result::is_ok) {
                outcome = Some(written);
            }
            if failed {
                break;
            }
        }
    }
    if let Some(outcome) = outcome {
        tell(app, trail, outcome, now).await;
    }
    Ok(())
}

async fn tell(app: &Arc<App>, trail: &Trail, outcome: Result<(), String>, now: Timestamp) {
    if let Err(code) = &outcome {
        app.counters.failed_digests.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(trail = %trail.arn(), bucket = trail.s3_bucket_name, code, "a digest could not be delivered; the next will cover its time, too");
    }
    let told = outcome.as_ref().map_or_else(|code| Err(code.as_str()), |()| Ok(()));
    let status = app.change(|registry| {
        let change = registry.trails.digest_attempted(trail.reference(), now, told);
        Ok(((), change.into_iter().collect()))
    });
    if let Err(error) = status.await {
        tracing::error!(%error, "the status of a trail could not be written");
    }
}

/// The home region, and all in which log files wait or a chain goes on.
fn regions(app: &App, trail: &Trail) -> Result<Vec<String>, StoreError> {
    let mut regions = vec![trail.region.clone()];
    let chains = prefix(CHAIN, trail);
    for row in app.store.range(Space::Meta, chains.clone()..[&chains[..], &AFTER].concat()) {
        regions.push(String::from_utf8_lossy(&row?.0[chains.len()..]).into_owned());
    }
    let files = prefix(FILE, trail);
    let mut from = files.clone();
    while let Some((row, _)) = app.store.range(Space::Meta, from..[&files[..], &AFTER].concat()).next().transpose()? {
        let Some((len, rest)) = row[files.len()..].split_first_chunk() else { break };
        let Some(region) = rest.get(..usize::from(u16::from_be_bytes(*len))) else { break };
        let region = String::from_utf8_lossy(region).into_owned();
        from = [&files_of(trail, &region)[..], &AFTER].concat();
        regions.push(region);
    }
    regions.sort_unstable();
    regions.dedup();
    Ok(regions)
}

/// A log file that waits, and its row.
type Waiting = (Vec<u8>, NotedFile);

fn next_due(
    app: &App,
    trail: &Trail,
    region: &str,
    is_last: bool,
    now: Timestamp,
) -> Result<Option<(Due, Vec<Waiting>)>, StoreError> {
    let (mut rows, mut files) = (Vec::new(), Vec::<NotedFile>::new());
    let first = files_of(trail, region);
    for row in app.store.range(Space::Meta, first.clone()..[&first[..], &AFTER].concat()) {
        let (key, value) = row?;
        let file: NotedFile = read_row(&value)?;
        let second = file.delivered.as_secs();
        let is_enough = files.len() > DIGEST_FILES_MAX && files.last().is_some_and(|f| f.delivered.as_secs() != second);
        rows.push(key.to_vec());
        files.push(file);
        if is_enough {
            break;
        }
    }
    let chain = app.store.get(Space::Meta, &chain_key(trail, region))?;
    let chain: Option<Chain> = chain.map(|row| read_row(&row)).transpose()?;
    let situation = Situation {
        since: trail.digests_since.filter(|_| !is_last),
        // A region that it no longer covers has digests for the log files that still wait, and then no more.
        is_active: trail.has_digests() && trail.covers(region),
        is_home: region == trail.region,
        chain: chain.as_ref(),
        files: &files,
        interval_ms: i64::try_from(app.config.digest_interval.as_millis()).unwrap_or(i64::MAX),
        now,
    };
    let Some(due) = due(&situation) else { return Ok(None) };
    let count = due.files;
    Ok(Some((due, rows.into_iter().zip(files).take(count).collect())))
}

/// The digest, the chain's new end, the removal of its log files from what waits, and the record of the delivery: all in
/// one unit. `Ok(Err(code))` if the bucket does not take it.
async fn write(
    app: &App,
    trail: &Trail,
    region: &str,
    due: &Due,
    files: Vec<Waiting>,
    now: Timestamp,
) -> Result<Result<(), String>, StoreError> {
    let key = match DigestKey::current(&app.store, region, now).await {
        Ok(key) => key,
        Err(error) => {
            tracing::error!(region, %error, "there is no key to sign digests with");
            return Ok(Err("InternalError".into()));
        }
    };
    let (rows, files): (Vec<_>, Vec<_>) = files.into_iter().map(|(row, noted)| (row, noted.file)).unzip();
    let object = digest_key(trail, region, due.end);
    let digest = digest(trail, due, files, key.fingerprint(), object.clone());
    let made = tokio::task::spawn_blocking(move || sign_and_compress(&digest, &key)).await;
    let Ok(Ok((signed, body))) = made else { return Ok(Err("InternalError".into())) };
    let staged = StagedObject {
        body,
        content_type: Some("application/json".into()),
        content_encoding: Some("gzip".into()),
        metadata: [("signature", signed.signature.as_str()), ("signature-algorithm", SIGNATURE_ALGORITHM)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let mut unit = match deliveries::stage(app, trail, &object, staged, now).await {
        Ok(unit) => unit,
        Err(code) => return Ok(Err(code)),
    };
    for row in rows {
        unit.delete(Space::Meta, row);
    }
    let chain = Chain { since: due.since, end: due.end, newest: signed };
    unit.put(Space::Meta, chain_key(trail, region), serde_json::to_vec(&chain).unwrap_or_default());
    app.store.commit(unit).await?;
    app.counters.digests.fetch_add(1, Ordering::Relaxed);
    Ok(Ok(()))
}

fn digest(trail: &Trail, due: &Due, log_files: Vec<LogFile>, fingerprint: String, object: String) -> Digest {
    let digest = Digest {
        aws_account_id: trail.account.clone(),
        digest_start_time: due.start.to_rfc3339_seconds(),
        digest_end_time: due.end.to_rfc3339_seconds(),
        digest_s3_bucket: trail.s3_bucket_name.clone(),
        digest_s3_object: object,
        digest_public_key_fingerprint: fingerprint,
        digest_signature_algorithm: SIGNATURE_ALGORITHM.to_owned(),
        log_files,
        ..Digest::default()
    };
    digest.with_event_times().after(due.previous.as_ref())
}

fn sign_and_compress(digest: &Digest, key: &DigestKey) -> std::io::Result<(PreviousDigest, Bytes)> {
    let content = digest.to_json();
    let hash = hash(&content);
    let signature = key.sign(&digest.string_to_sign(&hash));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&content)?;
    let (bucket, object) = (digest.digest_s3_bucket.clone(), digest.digest_s3_object.clone());
    Ok((PreviousDigest { bucket, object, hash, signature }, gzip.finish()?.into()))
}

/// Forgets the chains of trails that are gone.
pub async fn forget_deleted(app: &App) -> Result<(), StoreError> {
    let is_there = |key: &[u8]| app.registry().trails.iter().any(|trail| trail.key().as_bytes() == key);
    for kind in [FILE, CHAIN] {
        forget::rows_of_gone_trails(app, Space::Meta, kind, is_there).await?;
    }
    Ok(())
}

fn read_row<T: for<'de> Deserialize<'de>>(row: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(row).map_err(|error| StoreError::Damaged { detail: format!("a row of digests: {error}") })
}

fn prefix(kind: &[u8], trail: &Trail) -> Vec<u8> {
    [kind, trail.key().as_bytes(), &[0]].concat()
}

fn chain_key(trail: &Trail, region: &str) -> Vec<u8> {
    [&prefix(CHAIN, trail)[..], region.as_bytes()].concat()
}

/// What the keys of a region's waiting log files begin with.
fn files_of(trail: &Trail, region: &str) -> Vec<u8> {
    // A region's name is a part of an object's key, which has 1,024 bytes at most.
    let len = u16::try_from(region.len()).unwrap_or(u16::MAX);
    [&prefix(FILE, trail)[..], &len.to_be_bytes(), region.as_bytes()].concat()
}
