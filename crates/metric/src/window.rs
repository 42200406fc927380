//! Points of a stretch of time, gathered into periods.

use std::collections::BTreeMap;

use aws_api::{ApiError, Timestamp};

use crate::statistic::merge_into;
use crate::{Metric, Statistics, Tier, Unit, refusal};

/// A stretch of time in periods, all in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first period's beginning.
    pub start: i64,
    /// The first moment that is too late.
    pub end: i64,
    /// Seconds of a period.
    pub period: i64,
}

/// Which points are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Of which metric.
    pub metric: Metric,
    /// Of which unit; of all if `None`.
    pub unit: Option<Unit>,
    /// When.
    pub window: Window,
}

/// Values by the beginning of their period.
pub type Periods = BTreeMap<i64, Statistics>;

impl Window {
    /// The period that a moment is in; `None` if it is outside.
    pub fn period_of(&self, secs: i64) -> Option<i64> {
        let within = secs >= self.start && secs < self.end;
        within.then(|| secs - (secs - self.start).rem_euclid(self.period))
    }

    /// Where points may be that are fine enough.
    pub fn tiers(&self) -> impl Iterator<Item = Tier> + use<> {
        let only_seconds = self.period < Tier::Minute.step_s();
        Tier::ALL.into_iter().filter(move |tier| !only_seconds || *tier == Tier::Second)
    }

    /// Adds points to the periods they are in.
    pub fn gather(&self, periods: &mut Periods, points: impl IntoIterator<Item = (i64, Statistics)>) {
        for (secs, values) in points {
            if let Some(period) = self.period_of(secs) {
                merge_into(periods, period, values);
            }
        }
    }

    /// How many periods there are.
    pub fn count(&self) -> i64 {
        (self.end - self.start + self.period - 1).div_euclid(self.period)
    }
}

/// Puts the units together, for who did not ask for one.
pub fn all_units(units: Vec<(Unit, Periods)>) -> Periods {
    let mut all = Periods::new();
    for (_, periods) in units {
        for (period, values) in periods {
            merge_into(&mut all, period, values);
        }
    }
    all
}

/// A period of a request: 1, 5, 10, 20, 30, or a multiple of 60 seconds.
pub(crate) fn period(given: Option<i32>, parameter: &str) -> Result<i64, ApiError> {
    let period = given.ok_or_else(|| refusal::missing(parameter))?;
    let fits = matches!(period, 1 | 5 | 10 | 20 | 30) || (period > 0 && period % 60 == 0);
    if fits { Ok(period.into()) } else { Err(refusal::invalid_value(period, parameter)) }
}

/// A start is rounded down: to what points there are of its time, or of its period if that is shorter than a minute.
pub(crate) fn rounded_start(start: Timestamp, period: i64, now: Timestamp) -> i64 {
    const DAY_S: i64 = 86_400;
    let age = now.as_secs() - start.as_secs();
    let step = match age {
        _ if period < 60 => period,
        _ if age <= 15 * DAY_S => 60,
        _ if age <= 63 * DAY_S => 300,
        _ => 3600,
    };
    start.as_secs() - start.as_secs().rem_euclid(step)
}

/// The end's second, begun or not.
pub(crate) fn rounded_end(end: Timestamp) -> i64 {
    end.plus_millis(999).as_secs()
}
