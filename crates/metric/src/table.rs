//! All series, and the points that are in no block yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_api::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pack::{Damaged, Delta, decode_deltas, encode_deltas};
use crate::statistic::merge_into;
use crate::tier::{BlockId, Points};
use crate::{Metric, Series, SeriesId, Statistics, Tier, Unit, row};

/// Series of one account: what more come are refused, or counted as lost if they are our own.
pub const SERIES_MAX: usize = 10_000;
/// A series' row says when it last had data to so many seconds.
const LAST_FINENESS_S: i64 = 3600;

/// The account has as many series as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySeries;

/// A row to write.
pub type Row = (Vec<u8>, Vec<u8>);

/// What is written together when points go into their blocks.
#[derive(Debug, Default)]
pub struct Fold {
    /// The points, by their blocks; to be merged with what is there.
    pub blocks: BTreeMap<BlockId, Points>,
    /// Rows of series.
    pub rows: Vec<Row>,
    /// The numbers of the deltas that are in blocks then: those before this one.
    pub deltas_before: u64,
}

/// Series and their latest points. The rest of the points is in the blocks of the store.
///
/// A point is in memory at once, in a row of deltas with the next [`Self::save`], and in its block with the next
/// [`Self::fold`]. Nobody may write deltas while a fold is on its way into the store, and nobody read points.
#[derive(Debug, Default)]
pub struct Table {
    ids: HashMap<Arc<Metric>, Vec<SeriesId>>,
    series: BTreeMap<SeriesId, Known>,
    of_account: HashMap<String, usize>,
    next_id: u64,
    next_deltas: u64,
    /// Since the last fold.
    pending: BTreeMap<SeriesId, BTreeMap<(Tier, i64), Statistics>>,
    pending_count: usize,
    /// Of those, what is in no row of deltas yet.
    unsaved: BTreeMap<(SeriesId, Tier, i64), Statistics>,
    /// Series whose rows are to be written.
    unwritten: Vec<SeriesId>,
    /// When blocks were last moved from tier to tier, in seconds.
    aged_secs: Option<i64>,
}

#[derive(Debug)]
struct Known {
    metric: Arc<Metric>,
    unit: Unit,
    last_secs: i64,
    written_last_secs: i64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    series: Series,
    last_secs: i64,
}

impl Table {
    /// Takes in the row of a series.
    pub fn absorb_series(&mut self, id: SeriesId, row: &[u8]) -> Result<(), serde_json::Error> {
        let Stored { series, last_secs } = serde_json::from_slice(row)?;
        self.insert(id, series, last_secs);
        Ok(())
    }

    /// Takes in a row of deltas.
    pub fn absorb_deltas(&mut self, number: u64, row: &[u8]) -> Result<(), Damaged> {
        for delta in decode_deltas(row)? {
            self.pend(&delta);
        }
        self.next_deltas = self.next_deltas.max(number + 1);
        Ok(())
    }

    /// Takes in values of a moment, kept as finely as `tier` says if it is not too long ago for that.
    pub fn add(
        &mut self,
        series: Series,
        tier: Tier,
        moment: Timestamp,
        values: Statistics,
        now: Timestamp,
    ) -> Result<SeriesId, TooManySeries> {
        let id = self.id_of(series, moment)?;
        // What is moved already does not get a block again.
        let now_secs = self.aged_secs.map_or(now.as_secs(), |aged| aged.max(now.as_secs()));
        let tier = tier.for_moment(moment.as_secs(), now_secs);
        let secs = moment.as_secs() - moment.as_secs().rem_euclid(tier.step_s());
        let delta = Delta { series: id, tier, secs, values };
        self.pend(&delta);
        merge_into(&mut self.unsaved, (id, tier, secs), values);
        Ok(id)
    }

    fn id_of(&mut self, series: Series, moment: Timestamp) -> Result<SeriesId, TooManySeries> {
        let known = self.ids.get(&series.metric).into_iter().flatten();
        if let Some(id) = known.copied().find(|id| self.series.get(id).is_some_and(|one| one.unit == series.unit)) {
            return Ok(id);
        }
        if self.of_account.get(&series.metric.account).is_some_and(|count| *count >= SERIES_MAX) {
            return Err(TooManySeries);
        }
        let id = SeriesId(self.next_id);
        self.insert(id, series, moment.as_secs());
        self.unwritten.push(id);
        Ok(id)
    }

    fn insert(&mut self, id: SeriesId, series: Series, last_secs: i64) {
        let metric = Arc::new(series.metric);
        *self.of_account.entry(metric.account.clone()).or_default() += 1;
        self.ids.entry(Arc::clone(&metric)).or_default().push(id);
        self.series.insert(id, Known { metric, unit: series.unit, last_secs, written_last_secs: last_secs });
        self.next_id = self.next_id.max(id.0 + 1);
    }

    fn pend(&mut self, delta: &Delta) {
        // Deltas of a series whose row is gone are of no use to anybody.
        let Some(known) = self.series.get_mut(&delta.series) else { return };
        known.last_secs = known.last_secs.max(delta.secs);
        let points = self.pending.entry(delta.series).or_default();
        let before = points.len();
        merge_into(points, (delta.tier, delta.secs), delta.values);
        self.pending_count += points.len() - before;
    }

    /// The rows that make durable what came since the last call. Empty if nothing did.
    pub fn save(&mut self) -> Vec<Row> {
        let mut rows = self.series_rows();
        if !self.unsaved.is_empty() {
            let unsaved = std::mem::take(&mut self.unsaved);
            let deltas: Vec<_> = unsaved
                .into_iter()
                .map(|((series, tier, secs), values)| Delta { series, tier, secs, values })
                .collect();
            rows.push((row::deltas_key(self.next_deltas), encode_deltas(&deltas)));
            self.next_deltas += 1;
        }
        rows
    }

    fn series_rows(&mut self) -> Vec<Row> {
        let unwritten = std::mem::take(&mut self.unwritten);
        unwritten.into_iter().filter_map(|id| self.series_row(id)).collect()
    }

    fn series_row(&mut self, id: SeriesId) -> Option<Row> {
        let known = self.series.get_mut(&id)?;
        known.written_last_secs = known.last_secs;
        let series = Series { metric: (*known.metric).clone(), unit: known.unit };
        // Texts and a number: they have a form in JSON.
        let row = serde_json::to_vec(&Stored { series, last_secs: known.last_secs }).ok()?;
        Some((row::series_key(id), row))
    }

    /// Takes the points out that are in no block, to be put there.
    pub fn fold(&mut self) -> Fold {
        self.unsaved.clear();
        self.pending_count = 0;
        let pending = std::mem::take(&mut self.pending);
        for id in pending.keys() {
            let stale = |known: &Known| known.last_secs >= known.written_last_secs + LAST_FINENESS_S;
            if self.series.get(id).is_some_and(stale) {
                self.unwritten.push(*id);
            }
        }
        let mut fold = Fold { rows: self.series_rows(), deltas_before: self.next_deltas, ..Fold::default() };
        for (series, points) in pending {
            for ((tier, secs), values) in points {
                merge_into(fold.blocks.entry(BlockId::of(series, tier, secs)).or_default(), secs, values);
            }
        }
        fold
    }

    /// Says that blocks are moved now, or were at that moment, and tells when they were before. What is added from here on goes
    /// to where it would be moved.
    pub fn age(&mut self, now_secs: i64) -> Option<i64> {
        self.aged_secs.replace(now_secs)
    }

    /// How many points are in no block.
    pub fn pending_count(&self) -> usize {
        self.pending_count
    }

    /// Whether [`Self::save`] has something to write.
    pub fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty() || !self.unwritten.is_empty()
    }

    /// The series of a metric: of all units, or of one.
    pub fn find(&self, metric: &Metric, unit: Option<Unit>) -> Vec<(SeriesId, Unit)> {
        let ids = self.ids.get(metric).into_iter().flatten();
        let known = ids.filter_map(|id| Some((*id, self.series.get(id)?.unit)));
        known.filter(|(_, other)| unit.is_none_or(|unit| unit == *other)).collect()
    }

    /// The points of a series from `from` to before `to`, in seconds, that are in no block.
    pub fn pending(
        &self,
        series: SeriesId,
        tier: Tier,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (i64, Statistics)> + '_ {
        let points = self.pending.get(&series).filter(|_| from < to);
        let within = points.into_iter().flat_map(move |points| points.range((tier, from)..(tier, to)));
        within.map(|((_, secs), values)| (*secs, *values))
    }

    /// Every metric of an account in a region with when it last had data, in no order.
    pub(crate) fn metrics<'t>(
        &'t self,
        account: &'t str,
        region: &'t str,
    ) -> impl Iterator<Item = (&'t Metric, i64)> + 't {
        let of_caller = self.ids.iter().filter(move |(metric, _)| metric.account == account && metric.region == region);
        of_caller.map(|(metric, ids)| {
            let last = ids.iter().filter_map(|id| self.series.get(id)).map(|known| known.last_secs).max();
            (&**metric, last.unwrap_or_default())
        })
    }

    /// Every series' number.
    pub fn ids(&self) -> Vec<SeriesId> {
        self.series.keys().copied().collect()
    }

    /// Forgets the series that have had no data for so long that none is kept, and tells which they were.
    pub fn forget(&mut self, now: Timestamp) -> Vec<SeriesId> {
        let too_old = now.as_secs() - Tier::Hour.retention_s() - Tier::Hour.block_s() - LAST_FINENESS_S;
        let old: Vec<_> = self.series.iter().filter(|(_, one)| one.last_secs < too_old).map(|(id, _)| *id).collect();
        for id in &old {
            let Some(known) = self.series.remove(id) else { continue };
            if let Some(ids) = self.ids.get_mut(&known.metric) {
                ids.retain(|other| other != id);
                if ids.is_empty() {
                    self.ids.remove(&known.metric);
                }
            }
            if let Some(count) = self.of_account.get_mut(&known.metric.account) {
                *count = count.saturating_sub(1);
            }
        }
        old
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}
