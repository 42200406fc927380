//! What metrics cost: the processor beside the whole way of a record, and the disk for 15 months.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_api::Timestamp;
use metric::{Metric, Put, Series, Statistics, Tier, Unit};
use pipeline::{Placed, Tally};
use server::Meter;
use store::{Options, Store, Unit as Batch};
use testkit::client::Scheme;

use crate::Settings;
use crate::load::{self, Until};
use crate::process::{Server, folder};
use crate::report::Report;
use crate::s3::{BODY, CONNECTIONS, prepare, put};

const RULE: &str = "arn:aws:events:us-east-1:000000000000:rule/sigtrail-sigv2";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:sigtrail-sigv2";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:sigtrail-sigv2";
/// Bytes of an event in a queue.
const EVENT_LEN: usize = 1_900;
/// Records that are passed on in one unit, which has the points of all of them; under load they are more.
const RECORDS_OF_UNIT: usize = 32;
const UNITS: usize = 20_000;

/// The time that is kept (`Tier::Hour`), and the blocks on their way to it.
const DAYS: i64 = 455 + 31;
/// Series of the whole, and so many in a run that is not `--full`, whose size is told for the whole.
const SERIES: u32 = 1_000;
const SERIES_SAMPLE: u32 = 100;
const MIB: f64 = 1024.0 * 1024.0;

/// What a series has in a minute.
type Values = fn(u32, i64) -> Statistics;

pub fn run(settings: Settings, report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let own = runtime.block_on(processor())?;
    let whole = whole(settings)?;
    report.add(
        "metrics of a SigV2 PUT, of three resources",
        format!("{:.0} ns of processor time", own * 1e9),
        format!("{:.2} % of its {:.0} µs in the server; at most 2 %", own / whole * 100.0, whole * 1e6),
    );
    let series = if settings.full { SERIES } else { SERIES_SAMPLE };
    let empty = runtime.block_on(disk(0, mixture))?;
    // The worst is known to be more than the aim: a tenth of it tells how much.
    let kinds =
        [("as a server has them", mixture as Values, series), ("the worst there are", worst as Values, SERIES_SAMPLE)];
    for (what, values, series) in kinds {
        let size = (runtime.block_on(disk(series, values))? - empty) * f64::from(SERIES / series);
        report.add(
            format!("{DAYS} days of one-minute points of 1,000 series, {what}"),
            format!("{:.0} MiB", size / MIB),
            if series == SERIES {
                "at most 1 GiB".to_owned()
            } else {
                format!("of {series}, times {}", SERIES / series)
            },
        );
    }
    Ok(())
}

/// Seconds of processor time that counting takes for one record, from the counts to the bytes of the rows.
async fn processor() -> Result<f64> {
    let (folder, now) = (folder()?, server::now());
    let store = Store::open(folder.path(), Options::default())?;
    let meter = Meter::restore(&store).context("a new store has no metrics")?;
    let (mut tally, mut bytes) = (Tally::default(), 0);
    let delivered = Placed { delivered: 1, ..Placed::default() };
    let rules = [RULE.to_owned()];
    let begun = Instant::now();
    for _ in 0..UNITS {
        for _ in 0..RECORDS_OF_UNIT {
            tally.matched("000000000000", "us-east-1", &rules);
            tally.invoked(RULE, &delivered, true);
            tally.published(TOPIC, EVENT_LEN, &topic::Summary::default(), &delivered);
            tally.sent(QUEUE, EVENT_LEN);
        }
        meter.take_in(&mut tally, now);
        let mut unit = Batch::new();
        meter.stage(&meter.still().await, &mut unit);
        bytes += usize::from(!unit.is_empty());
    }
    let took = begun.elapsed();
    ensure!(bytes == UNITS, "each unit has rows");
    Ok(took.as_secs_f64() / (UNITS * RECORDS_OF_UNIT) as f64)
}

/// Seconds of processor time in the server for a SigV2 PUT and all that becomes of it, log files but for.
fn whole(settings: Settings) -> Result<f64> {
    let folder = folder()?;
    let server = Server::audited(folder.path())?;
    let before = prepare(&server)?;
    server.await_records(before)?;
    let cpu = server.cpu()?;
    let until = Until::Elapsed(settings.duration.max(Duration::from_secs(1)));
    let done = load::run(&server, CONNECTIONS, until, |client, connection, turn| {
        put(client, Scheme::SigV2, &format!("/bench/metrics/{connection}/{turn}"), &BODY)
    })?;
    server.await_records(before + done.answered)?;
    let spent = server.cpu()?.saturating_sub(cpu);
    server.stop()?;
    Ok(spent.as_secs_f64() / done.answered as f64)
}

/// Most bytes on the disk at the end of any day, each of which was counted, put into blocks and rolled up as the server does it.
async fn disk(series: u32, values: Values) -> Result<f64> {
    let folder = folder()?;
    let store = Store::open(folder.path(), Options::default())?;
    let meter = Meter::restore(&store).context("a new store has no metrics")?;
    let all: Vec<_> = (0..series).map(a_series).collect();
    // Midnight of some day.
    let begin = 20_000 * 86_400;
    let mut most: f64 = 0.0;
    for hour in 0..DAYS * 24 {
        for minute in 0..60 {
            let at = Timestamp::from_secs(begin + hour * 3600 + minute * 60);
            let puts = (0_u32..).zip(&all).map(|(number, series)| Put {
                series: series.clone(),
                tier: Tier::Minute,
                moment: at,
                values: values(number, hour * 60 + minute),
            });
            meter.add(puts, at);
        }
        // The server does it every five minutes, with the same blocks in the end.
        meter.fold(&store).await?;
        if hour % 24 == 23 {
            meter.age(&store, Timestamp::from_secs(begin + (hour + 1) * 3600)).await?;
            most = most.max(size_of(folder.path())?);
        }
    }
    ensure!(meter.lost() == 0, "no series is refused");
    store.close().await?;
    Ok(most.max(size_of(folder.path())?))
}

fn a_series(number: u32) -> Series {
    let queue = format!("queue-{number}");
    let metric =
        Metric::of_service("000000000000", "us-east-1", "AWS/SQS", "NumberOfMessagesSent", &[("QueueName", &queue)]);
    Series { metric, unit: Unit::COUNT }
}

/// Of ten series, four are counters, five gauges, and one has many different values a minute.
fn mixture(series: u32, minute: i64) -> Statistics {
    let value = noise(series, minute);
    match series % 10 {
        0..4 => Statistics::repeated(1.0, f64::from(value % 500)),
        4..9 => Statistics::one(f64::from(value % 5_000)),
        _ => worst(series, minute),
    }
}

/// Many values a minute, none of them round.
fn worst(series: u32, minute: i64) -> Statistics {
    let value = f64::from(noise(series, minute) % 10_007);
    Statistics { count: 500.0 + value, sum: 71.3 * value + 0.1, min: 0.013 + value / 7.0, max: 91.7 + value / 3.0 }
}

fn noise(series: u32, minute: i64) -> u32 {
    let mixed = ((u64::from(series) << 32) | minute.unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    u32::try_from(mixed >> 32).unwrap_or_default()
}

/// Bytes of all files in a folder, as far as they are on the disk.
fn size_of(folder: &Path) -> Result<f64> {
    use std::os::unix::fs::MetadataExt;

    let mut size = 0.0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.blocks() as f64 * 512.0 };
    }
    Ok(size)
}
