//! How finely points are kept, and for how long.

use std::collections::BTreeMap;

use crate::statistic::merge_into;
use crate::{SeriesId, Statistics};

/// Points of one length, packed into blocks that are one row each.
///
/// "Metrics retention" in "CloudWatch concepts": high resolution for 3 hours, a minute for 15 days, five minutes for 63 days,
/// an hour for 455 days. A point is in one tier only: at the end of its time its block moves into the next one, so whoever
/// looks adds up all tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// A second, in blocks of ten minutes.
    Second,
    /// A minute, in blocks of an hour.
    Minute,
    /// Five minutes, in blocks of a day.
    FiveMinutes,
    /// An hour, in blocks of 30 days.
    Hour,
}

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

impl Tier {
    /// From the finest on.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::FiveMinutes, Self::Hour];

    /// Seconds that one point is of.
    pub const fn step_s(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => HOUR_S,
        }
    }

    /// Seconds that one block is of; a whole number of points, and of the next tier's points.
    pub const fn block_s(self) -> i64 {
        match self {
            Self::Second => 600,
            Self::Minute => HOUR_S,
            Self::FiveMinutes => DAY_S,
            Self::Hour => 30 * DAY_S,
        }
    }

    /// Seconds that points stay here.
    pub const fn retention_s(self) -> i64 {
        match self {
            Self::Second => 3 * HOUR_S,
            Self::Minute => 15 * DAY_S,
            Self::FiveMinutes => 63 * DAY_S,
            Self::Hour => 455 * DAY_S,
        }
    }

    /// Where points go after that.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Second => Some(Self::Minute),
            Self::Minute => Some(Self::FiveMinutes),
            Self::FiveMinutes => Some(Self::Hour),
            Self::Hour => None,
        }
    }

    /// The number that stands for it in rows.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.code() == code)
    }

    /// The beginning of the block that holds a moment.
    pub const fn block_of(self, secs: i64) -> i64 {
        secs - secs.rem_euclid(self.block_s())
    }

    /// The tier for a point of this moment: `self`, or the first after it that still keeps it.
    #[must_use]
    pub fn for_moment(self, secs: i64, now_secs: i64) -> Self {
        let mut tier = self;
        while let Some(next) = tier.next()
            && tier.is_over(tier.block_of(secs), now_secs)
        {
            tier = next;
        }
        tier
    }

    /// Is the time of a block over that begins at this moment? All of its points must be old enough.
    pub const fn is_over(self, block_start_secs: i64, now_secs: i64) -> bool {
        block_start_secs < self.over_before(now_secs)
    }

    /// The time of blocks is over that begin before this moment.
    pub(crate) const fn over_before(self, now_secs: i64) -> i64 {
        now_secs - self.retention_s() - self.block_s() + 1
    }
}

/// Points of one tier by their beginnings, in seconds since the epoch.
pub type Points = BTreeMap<i64, Statistics>;

/// The points of `points`, which are finer, as those of `tier`.
pub fn roll_up(points: &Points, tier: Tier) -> Points {
    let mut rolled = Points::new();
    for (secs, values) in points {
        merge_into(&mut rolled, secs - secs.rem_euclid(tier.step_s()), *values);
    }
    rolled
}

/// Where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// Of which series.
    pub series: SeriesId,
    /// How fine.
    pub tier: Tier,
    /// The beginning, in seconds since the epoch.
    pub start: i64,
}

impl BlockId {
    /// The block that a point is in.
    pub fn of(series: SeriesId, tier: Tier, secs: i64) -> Self {
        Self { series, tier, start: tier.block_of(secs) }
    }
}
