//! Series and their points, between `metric` and the rows of `store`.
//!
//! What the worker counts is in the units of what it counted. What requests put is durable before their answer. What requests
//! and gauges count by themselves is written once a second: a crash loses a second of that.
//!
//! A point is in a row of deltas first, and some minutes later in its block ([`metric::row`]): so a minute's point is not
//! written with its whole block each time that it changes.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_api::{ApiError, Timestamp};
use metric::{Ask, BlockId, Damaged, Metric, Periods, Points, Put, SeriesId, Table, Tier, row};
use pipeline::Tally;
use store::{Space, Store, StoreError, Unit};
use tokio::sync::{Notify, OwnedRwLockReadGuard, RwLock, watch};

use crate::alarms::{self, Watched};
use crate::app::{App, RestoreError, unavailable};
use crate::bucket_sizes;
use crate::clock::{self, stopped};
use crate::gauges::Activity;

/// How often what is in no row is written.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// How often points are put into their blocks.
const FOLD_INTERVAL_S: i64 = 300;
/// Or when there are so many of them.
const FOLD_POINTS: usize = 50_000;
/// Or so many rows of deltas.
const FOLD_ROWS: u64 = 2_000;
/// How often blocks are looked at whose time may be over.
const AGE_INTERVAL_S: i64 = 3600;

/// Series whose blocks are moved in one unit: few enough that nobody waits long for it.
const AGE_SERIES: usize = 64;

/// Series and their points.
#[derive(Debug)]
pub struct Meter {
    table: Mutex<Table>,
    counted: Mutex<Counted>,
    activity: Activity,
    watched: Mutex<Watched>,
    changed: Notify,
    /// Held for reading by who writes deltas or reads points, for writing by who moves points into blocks.
    moving: Arc<RwLock<()>>,
    /// Rows of deltas since the last fold.
    rows: AtomicU64,
    /// Values of ours that no series could be made for.
    lost: AtomicU64,
}

/// What requests counted since it was last taken, all of one minute.
#[derive(Debug, Default)]
struct Counted {
    moment: Timestamp,
    tally: Tally,
}

/// While it is held points stay where they are.
pub type Still = OwnedRwLockReadGuard<()>;

impl Meter {
    /// Takes up what the store holds.
    pub fn restore(store: &Store) -> Result<Self, RestoreError> {
        let mut table = Table::default();
        for row in store.range(Space::Metrics, row::series_range()) {
            let (key, value) = row?;
            let Some(id) = row::read_series_key(&key) else { continue };
            table.absorb_series(id, &value).map_err(|source| RestoreError::Row { kind: "series", source })?;
        }
        let mut rows = 0;
        for row in store.range(Space::Metrics, row::deltas_range()) {
            let (key, value) = row?;
            let Some(number) = row::read_deltas_key(&key) else { continue };
            table.absorb_deltas(number, &value).map_err(|Damaged| damaged("deltas"))?;
            rows += 1;
        }
        if let Some(row) = store.get(Space::Metrics, &row::aged_key())? {
            table.age(row::read_aged_row(&row).ok_or_else(|| damaged("the moment"))?);
        }
        Ok(Self {
            table: Mutex::new(table),
            counted: Mutex::default(),
            activity: Activity::default(),
            watched: Mutex::default(),
            changed: Notify::new(),
            moving: Arc::default(),
            rows: AtomicU64::new(rows),
            lost: AtomicU64::new(0),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the series.
    pub fn with_table<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.table())
    }

    /// Values of ours that no series could be made for, since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// When queues were last used.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Counts something that a request did. Cheap: a lock and a look for each resource.
    pub fn count(&self, now: Timestamp, count: impl FnOnce(&mut Tally)) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.moment.as_secs() / 60 != now.as_secs() / 60 {
            let moment = counted.moment;
            self.take_in(&mut counted.tally, moment);
            counted.moment = now;
        }
        count(&mut counted.tally);
    }

    /// Makes points of what was counted at a moment.
    pub fn take_in(&self, tally: &mut Tally, moment: Timestamp) {
        if tally.is_empty() {
            return;
        }
        for (queue, counts) in tally.queues() {
            self.activity.note(queue, counts, moment);
        }
        self.add(tally.take(moment), moment);
    }

    /// Makes points of what requests counted.
    pub fn take_counted(&self) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = counted.moment;
        self.take_in(&mut counted.tally, moment);
    }

    /// Takes in values of ours. An account with too many series loses them, and that is counted.
    pub fn add(&self, values: impl IntoIterator<Item = Put>, now: Timestamp) {
        let mut table = self.table();
        for put in values {
            self.note(&put);
            let Put { series, tier, moment, values } = put;
            if table.add(series, tier, moment, values, now).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, put: &Put) {
        if self.watched().note(&put.series.metric) {
            self.changed.notify_one();
        }
    }

    /// Says which metrics alarms look at.
    pub fn watch(&self, metrics: HashSet<Metric>) {
        self.watched().watch(metrics);
    }

    /// Waits until one of them changes.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Those of them that changed since the last call.
    pub fn take_changed(&self) -> HashSet<Metric> {
        self.watched().take()
    }

    /// To be held from [`Self::stage`] until the unit is committed.
    pub async fn still(&self) -> Still {
        Arc::clone(&self.moving).read_owned().await
    }

    /// Adds to a unit what is in no row yet.
    pub fn stage(&self, _: &Still, unit: &mut Unit) {
        let rows = self.table().save();
        self.rows.fetch_add(u64::from(!rows.is_empty()), Ordering::Relaxed);
        for (key, value) in rows {
            unit.put(Space::Metrics, key, value);
        }
    }

    /// Takes in what a request puts; durable on return.
    pub async fn put(&self, store: &Store, puts: Vec<Put>, now: Timestamp) -> Result<(), ApiError> {
        let still = self.still().await;
        let mut unit = Unit::new();
        let added = {
            let mut table = self.table();
            puts.into_iter().try_for_each(|put| {
                self.note(&put);
                let Put { series, tier, moment, values } = put;
                table.add(series, tier, moment, values, now).map(drop)
            })
        };
        self.stage(&still, &mut unit);
        let store = store.clone();
        // To its end, even if the client does not wait for it: until then points must stay where they are.
        let committed = tokio::spawn(async move {
            let committed = store.commit(unit).await;
            drop(still);
            committed
        });
        match committed.await {
            Ok(Ok(_)) => added.map_err(|_| metric::too_many_series()),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(ApiError::internal("The request could not be stored. Please try again.")),
        }
    }

    /// Reads the points of each question, those of each unit apart.
    pub async fn read(&self, app: &Arc<App>, asks: Vec<Ask>) -> Result<Vec<Vec<(metric::Unit, Periods)>>, StoreError> {
        let still = self.still().await;
        self.take_counted();
        let app = Arc::clone(app);
        clock::blocking(move || {
            let _still = still;
            asks.iter().map(|ask| app.meter.read_one(&app.store, ask)).collect()
        })
        .await
    }

    fn read_one(&self, store: &Store, ask: &Ask) -> Result<Vec<(metric::Unit, Periods)>, StoreError> {
        let found = self.table().find(&ask.metric, ask.unit);
        let mut units = Vec::with_capacity(found.len());
        for (series, unit) in found {
            let periods = self.periods(store, ask, series)?;
            if !periods.is_empty() {
                units.push((unit, periods));
            }
        }
        Ok(units)
    }

    fn periods(&self, store: &Store, ask: &Ask, series: SeriesId) -> Result<Periods, StoreError> {
        let (window, mut periods) = (ask.window, Periods::new());
        for tier in window.tiers() {
            for row in store.range(Space::Metrics, row::blocks_range(series, tier, window.start, window.end)) {
                let (key, value) = row?;
                let Some(block) = row::read_block_key(&key) else { continue };
                window.gather(&mut periods, read_block(block, &value)?);
            }
            window.gather(&mut periods, self.table().pending(series, tier, window.start, window.end));
        }
        Ok(periods)
    }

    /// Puts all points into their blocks.
    pub async fn fold(&self, store: &Store) -> Result<(), StoreError> {
        let _moving = self.moving.write().await;
        self.take_counted();
        let fold = self.table().fold();
        if fold.blocks.is_empty() && fold.rows.is_empty() {
            return Ok(());
        }
        let mut unit = Unit::new();
        for (key, value) in fold.rows {
            unit.put(Space::Metrics, key, value);
        }
        for (block, points) in fold.blocks {
            merge_block(store, &mut unit, block, points)?;
        }
        for row in store.range(Space::Metrics, row::deltas_key(0)..row::deltas_key(fold.deltas_before)) {
            unit.delete(Space::Metrics, row?.0.to_vec());
        }
        self.rows.store(0, Ordering::Relaxed);
        store.commit(unit).await.map(drop)
    }

    /// Moves the blocks whose time is over into the next tier, and forgets series that have none left.
    pub async fn age(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let now_secs = now.as_secs();
        let (ids, before) = {
            let mut table = self.table();
            (table.ids(), table.age(now_secs))
        };
        // What was added before that is in its block then, and moves on with it.
        self.fold(store).await?;
        for some in ids.chunks(AGE_SERIES) {
            let _moving = self.moving.write().await;
            // A tier's blocks move into what the unit before has written.
            for tier in Tier::ALL {
                let mut unit = Unit::new();
                for series in some {
                    let old = row::old_blocks_range(*series, tier, before, now_secs);
                    age_series(store, &mut unit, tier, old)?;
                }
                if !unit.is_empty() {
                    store.commit(unit).await?;
                }
            }
        }
        let mut unit = Unit::new();
        for series in self.table().forget(now) {
            unit.delete(Space::Metrics, row::series_key(series));
        }
        unit.put(Space::Metrics, row::aged_key(), row::aged_row(now_secs));
        store.commit(unit).await.map(drop)
    }
}

fn read_block(block: BlockId, bytes: &[u8]) -> Result<Points, StoreError> {
    metric::decode_block(block, bytes).map_err(|Damaged| damaged("a block"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { detail: format!("{what} of a metric's points cannot be read") }
}

fn merge_block(store: &Store, unit: &mut Unit, block: BlockId, points: Points) -> Result<(), StoreError> {
    let key = row::block_key(block);
    let mut all = match store.get(Space::Metrics, &key)? {
        Some(bytes) => read_block(block, &bytes)?,
        None => Points::new(),
    };
    for (secs, values) in points {
        all.entry(secs).and_modify(|point| point.merge(values)).or_insert(values);
    }
    unit.put(Space::Metrics, key, metric::encode_block(block, &all));
    Ok(())
}

/// Moves the blocks of these keys, which are one series' of `tier`.
fn age_series(store: &Store, unit: &mut Unit, tier: Tier, old: Range<Vec<u8>>) -> Result<(), StoreError> {
    let mut next_blocks = BTreeMap::<BlockId, Points>::new();
    for row in store.range(Space::Metrics, old) {
        let (key, value) = row?;
        unit.delete(Space::Metrics, key.to_vec());
        let (Some(block), Some(next)) = (row::read_block_key(&key), tier.next()) else { continue };
        for (secs, values) in metric::roll_up(&read_block(block, &value)?, next) {
            let points = next_blocks.entry(BlockId::of(block.series, next, secs)).or_default();
            points.entry(secs).and_modify(|point| point.merge(values)).or_insert(values);
        }
    }
    next_blocks.into_iter().try_for_each(|(block, points)| merge_block(store, unit, block, points))
}

/// Saves, folds and ages until `stop` turns true or the store fails.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let (mut folded, mut aged) = (clock::now(), None);
    loop {
        tokio::select! {
            () = tokio::time::sleep(SAVE_INTERVAL) => {}
            () = stopped(&mut stop) => return Ok(()),
        }
        let meter = &app.meter;
        meter.take_counted();
        if meter.with_table(Table::is_unsaved) {
            let still = meter.still().await;
            let mut unit = Unit::new();
            meter.stage(&still, &mut unit);
            app.store.commit(unit).await?;
        }
        let now = clock::now();
        let is_due = now >= folded.plus_secs(FOLD_INTERVAL_S) || now < folded;
        let is_much = meter.with_table(Table::pending_count) >= FOLD_POINTS;
        if is_due || is_much || meter.rows.load(Ordering::Relaxed) >= FOLD_ROWS {
            meter.fold(&app.store).await?;
            folded = now;
        }
        if aged.is_none_or(|aged: Timestamp| now >= aged.plus_secs(AGE_INTERVAL_S) || now < aged) {
            meter.age(&app.store, now).await?;
            alarms::forget_old(&app).await?;
            bucket_sizes::look(&app, now).await?;
            aged = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
