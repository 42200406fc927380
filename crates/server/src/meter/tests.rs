//! Points through saves, folds, ages and restarts, against a list of all values.

use std::collections::BTreeMap;

use metric::{Series, Statistics, Window};
use proptest::prelude::*;
use store::Options;
use tempfile::TempDir;

use super::*;

const DAY_S: i64 = 86_400;
/// Midnight, so that periods of all lengths begin there.
const BEGIN_S: i64 = 20_000 * DAY_S;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn series(name: &str) -> Series {
    let metric = Metric::of_service("111122223333", "us-east-1", "AWS/SQS", name, &[("QueueName", "q")]);
    Series { metric, unit: metric::Unit::COUNT }
}

fn put(name: &str, tier: Tier, secs: i64, value: f64) -> Put {
    Put { series: series(name), tier, moment: at(secs), values: Statistics::one(value) }
}

fn ask(name: &str, start: i64, end: i64, period: i64) -> Ask {
    Ask { metric: series(name).metric, unit: None, window: Window { start, end, period } }
}

fn periods(meter: &Meter, store: &Store, ask: &Ask) -> Periods {
    meter.read_one(store, ask).unwrap().pop().map(|(_, periods)| periods).unwrap_or_default()
}

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    Put {
        days_ago: i64,
        secs: i64,
        value: i32,
        high_resolution: bool,
    },
    /// The clock may be put back, too.
    Pass {
        hours: i64,
    },
    Fold,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let put = (0..14_i64, 0..DAY_S, -50..50_i32, any::<bool>());
    prop_oneof![
        6 => put.prop_map(|(days_ago, secs, value, high_resolution)| Step::Put { days_ago, secs, value, high_resolution }),
        2 => prop_oneof![4 => 1..3000_i64, 1 => Just(-1)].prop_map(|hours| Step::Pass { hours }),
        1 => Just(Step::Fold),
        1 => Just(Step::Restart),
    ]
}

/// Values added up period by period, as the guide's words have it, but for those that are too old to be kept.
fn naive(values: &[(i64, f64)], window: Window, kept_from: i64) -> BTreeMap<i64, [f64; 4]> {
    let mut all = BTreeMap::<i64, Vec<f64>>::new();
    for (secs, value) in values.iter().filter(|(secs, _)| *secs >= kept_from) {
        if let Some(period) = window.period_of(*secs) {
            all.entry(period).or_default().push(*value);
        }
    }
    let statistics = |values: Vec<f64>| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        [f64::from(u32::try_from(values.len()).unwrap()), values.iter().sum(), least, greatest]
    };
    all.into_iter().map(|(period, values)| (period, statistics(values))).collect()
}

fn shown(periods: &Periods) -> BTreeMap<i64, [f64; 4]> {
    periods.iter().map(|(period, one)| (*period, [one.count, one.sum, one.min, one.max])).collect()
}

async fn run(steps: Vec<Step>) {
    let dir = TempDir::new().unwrap();
    let mut store = Store::open(dir.path(), Options::default()).unwrap();
    let mut meter = Meter::restore(&store).unwrap();
    let (mut now, mut values) = (BEGIN_S + 20 * DAY_S, Vec::new());
    for step in steps {
        match step {
            Step::Put { days_ago, secs, value, high_resolution } => {
                let moment = (now - now % DAY_S - days_ago * DAY_S + secs).min(now);
                let tier = if high_resolution { Tier::Second } else { Tier::Minute };
                meter.put(&store, vec![put("m", tier, moment, value.into())], at(now)).await.unwrap();
                values.push((moment, f64::from(value)));
            }
            Step::Pass { hours } => {
                now += hours * 3600;
                meter.age(&store, at(now)).await.unwrap();
            }
            Step::Fold => meter.fold(&store).await.unwrap(),
            Step::Restart => {
                drop(meter);
                store.close().await.unwrap();
                store = Store::open(dir.path(), Options::default()).unwrap();
                meter = Meter::restore(&store).unwrap();
            }
        }
    }
    // Hours of all that is surely kept, five minutes of 15 days or more, and minutes of what is younger.
    for (age, period) in [(455 * DAY_S, 3600), (62 * DAY_S, 300), (14 * DAY_S, 60)] {
        let start = now - age;
        let window = Window { start: start - start % DAY_S + DAY_S, end: now + 3600, period };
        let ask = ask("m", window.start, window.end, period);
        let found = shown(&periods(&meter, &store, &ask));
        assert_eq!(found, naive(&values, window, window.start), "periods of {period} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn points_are_those_of_all_values(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

#[tokio::test]
async fn what_was_put_is_there_after_a_crash() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let meter = Meter::restore(&store).unwrap();
    meter.put(&store, vec![put("m", Tier::Minute, BEGIN_S, 2.0)], at(BEGIN_S)).await.unwrap();
    // Not saved: what our own pipeline counts rides in its units.
    meter.add([put("m", Tier::Minute, BEGIN_S, 40.0)], at(BEGIN_S));
    let restored = Meter::restore(&store).unwrap();
    let found = periods(&restored, &store, &ask("m", BEGIN_S, BEGIN_S + 60, 60));
    assert_eq!(shown(&found), BTreeMap::from([(BEGIN_S, [1.0, 2.0, 2.0, 2.0])]));
    let mut unit = Unit::new();
    meter.stage(&meter.still().await, &mut unit);
    store.commit(unit).await.unwrap();
    let restored = Meter::restore(&store).unwrap();
    let found = periods(&restored, &store, &ask("m", BEGIN_S, BEGIN_S + 60, 60));
    assert_eq!(shown(&found), BTreeMap::from([(BEGIN_S, [2.0, 42.0, 2.0, 40.0])]));
}

#[tokio::test]
async fn old_series_are_forgotten_with_all_their_rows() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let meter = Meter::restore(&store).unwrap();
    meter.put(&store, vec![put("m", Tier::Minute, BEGIN_S, 2.0)], at(BEGIN_S)).await.unwrap();
    meter.fold(&store).await.unwrap();
    let mut now = BEGIN_S;
    while now < BEGIN_S + 600 * DAY_S {
        now += 10 * DAY_S;
        meter.age(&store, at(now)).await.unwrap();
    }
    let rows: Vec<_> = store.range(Space::Metrics, ..).map(|row| row.unwrap().0.to_vec()).collect();
    assert_eq!((meter.with_table(Table::len), rows), (0, vec![row::aged_key()]));
}

#[tokio::test]
async fn counts_of_requests_belong_to_their_minute() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let meter = Meter::restore(&store).unwrap();
    let queue = "arn:aws:sqs:us-east-1:111122223333:q";
    meter.count(at(BEGIN_S + 59), |tally| tally.sent(queue, 10));
    meter.count(at(BEGIN_S + 60), |tally| tally.sent(queue, 30));
    meter.take_counted();
    let found = periods(&meter, &store, &ask("SentMessageSize", BEGIN_S, BEGIN_S + 120, 60));
    let expected = BTreeMap::from([(BEGIN_S, [1.0, 10.0, 10.0, 10.0]), (BEGIN_S + 60, [1.0, 30.0, 30.0, 30.0])]);
    assert_eq!(shown(&found), expected);
}

/// What counting costs the worker for each record that goes all the way; run with `--run-ignored only --no-capture`.
#[tokio::test]
#[ignore = "a measure, not a check"]
async fn what_counting_costs() {
    const RECORDS: u32 = 200_000;
    const BATCH: u32 = 256;
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let meter = Meter::restore(&store).unwrap();
    let (queue, now) = ("arn:aws:sqs:us-east-1:111122223333:sigtrail-sigv2", at(BEGIN_S));
    let begun = std::time::Instant::now();
    let mut units = 0;
    for batch in 0..RECORDS / BATCH {
        let mut tally = Tally::default();
        for _ in 0..BATCH {
            tally.sent(queue, 1800);
            tally.queue(queue).received += 1;
        }
        meter.take_in(&mut tally, at(BEGIN_S + i64::from(batch) / 100));
        let mut unit = Unit::new();
        meter.stage(&meter.still().await, &mut unit);
        units += usize::from(!unit.is_empty());
    }
    let each = begun.elapsed().as_nanos() / u128::from(RECORDS);
    println!("{each} ns a record, {units} rows, until {now:?}");
}
