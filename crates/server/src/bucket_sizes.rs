//! S3's storage metrics: how much is in each bucket, once a day.
//!
//! "Amazon S3 daily storage metrics for buckets": `BucketSizeBytes` by storage class, of which there is one here, and
//! `NumberOfObjects` of all of them, at the day's beginning. A bucket that is new gets its first values within the hour.

use std::sync::Arc;

use aws_api::Timestamp;
use metric::{Ask, Metric, Put, Series, Statistics, Tier, Unit, Window};
use s3_embedded::{EmbeddedS3, Usage, UsageWalk};
use store::StoreError;

use crate::app::App;
use crate::clock;

const DAY_S: i64 = 86_400;
/// Buckets that are asked for at once.
const PAGE_COUNT: usize = 100;
/// Rows that are counted without a pause for others.
const STEP_ROWS: usize = 2000;

/// Tells the size of each bucket that has none of today yet.
pub async fn look(app: &Arc<App>, now: Timestamp) -> Result<(), StoreError> {
    let today = Timestamp::from_secs(now.as_secs() - now.as_secs().rem_euclid(DAY_S));
    let mut last = String::new();
    loop {
        let page = app.embedded.buckets_behind(&last, PAGE_COUNT).map_err(|error| unread(&error))?;
        let Some((name, _)) = page.last() else { return Ok(()) };
        last.clone_from(name);
        for (bucket, home) in page {
            let size = |account: &str| metric(account, &app.config.region, &bucket, SIZE);
            let window = Window { start: today.as_secs(), end: today.as_secs() + DAY_S, period: DAY_S };
            let ask = Ask { metric: size(&home.owner), unit: None, window };
            if app.meter.read(app, vec![ask]).await?.iter().any(|units| !units.is_empty()) {
                continue;
            }
            let usage = count(app.embedded.clone(), bucket.clone()).await?;
            app.meter.add(values(&home.owner, &app.config.region, &bucket, usage, today), now);
        }
    }
}

/// Counts one bucket, a step at a time.
async fn count(s3: EmbeddedS3, bucket: String) -> Result<Usage, StoreError> {
    let mut walk = UsageWalk::new(bucket);
    loop {
        let s3 = s3.clone();
        let step = move || {
            let counted = s3.count_usage(&mut walk, STEP_ROWS).map_err(|error| unread(&error))?;
            Ok((walk, counted))
        };
        let (rest, counted) = clock::blocking(step).await?;
        if let Some(usage) = counted {
            return Ok(usage);
        }
        walk = rest;
    }
}

fn unread(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { detail: format!("a bucket could not be counted: {error}") }
}

/// Name, storage type, unit.
type Kind = (&'static str, &'static str, Unit);
const SIZE: Kind = ("BucketSizeBytes", "StandardStorage", Unit::BYTES);
const OBJECTS: Kind = ("NumberOfObjects", "AllStorageTypes", Unit::COUNT);

fn metric(account: &str, region: &str, bucket: &str, (name, storage_type, _): Kind) -> Metric {
    let dimensions = [("BucketName", bucket), ("StorageType", storage_type)];
    Metric::of_service(account, region, "AWS/S3", name, &dimensions)
}

#[expect(clippy::cast_precision_loss, reason = "as in all of CloudWatch, sizes are doubles")]
fn values(account: &str, region: &str, bucket: &str, usage: Usage, today: Timestamp) -> Vec<Put> {
    let value = |kind: Kind, value: u64| Put {
        series: Series { metric: metric(account, region, bucket, kind), unit: kind.2 },
        tier: Tier::Minute,
        moment: today,
        values: Statistics::one(value as f64),
    };
    vec![value(SIZE, usage.bytes), value(OBJECTS, usage.objects)]
}
