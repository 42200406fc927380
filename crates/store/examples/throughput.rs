//! Durable commits a second with 64 writers, beside what the disk does alone: with a sync for each commit the two would be
//! about equal, with a sync for each group the first is several times the second.
//!
//! `cargo run --release -p store --example throughput [DIR]`

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use store::{Options, Space, Store};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const WRITERS: u64 = 64;
const VALUE_BYTES: usize = 1024;
const COMMITS_EACH: u64 = 4_000;
const RAW_SYNCS: u32 = 2_000;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn raw_syncs(dir: &Path) -> std::io::Result<()> {
    let mut file = File::create(dir.join("raw"))?;
    file.set_len(64 * 1024 * 1024)?;
    file.sync_all()?;
    file.rewind()?;
    for _ in 0..RAW_SYNCS {
        file.write_all(&[7; VALUE_BYTES])?;
        file.sync_data()?;
    }
    Ok(())
}

async fn commits(store: &Store) -> Outcome {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..COMMITS_EACH {
                let mut unit = store.unit();
                let key = [writer.to_be_bytes(), number.to_be_bytes()].concat();
                unit.put(Space::Objects, key, Bytes::from_static(&[7; VALUE_BYTES]));
                unit.append(Bytes::from_static(b"{\"eventName\":\"PutObject\"}"));
                store.commit(unit).await?;
            }
            Ok::<(), store::StoreError>(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    Ok(())
}

fn main() -> Outcome {
    let dir = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(dir)?;
    let (raw, took) = timed(|| raw_syncs(dir.path()));
    raw?;
    println!("raw fdatasync            {:>9.0} a second", rate(u64::from(RAW_SYNCS), took));
    let store = Store::open(&dir.path().join("data"), Options::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let (done, took) = timed(|| runtime.block_on(commits(&store)));
    done?;
    let (count, stats) = (WRITERS * COMMITS_EACH, store.stats());
    println!("durable commits of 1 KiB {:>9.0} a second, {WRITERS} writers", rate(count, took));
    println!("syncs                    {:>9} for {count} commits", stats.syncs);
    assert_eq!(store.log().last_seq(), count, "every commit has its record");
    Ok(())
}
