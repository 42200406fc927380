//! What state an alarm's data says it is in.
//!
//! "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide: a few more
//! periods are looked at than are evaluated; where there are enough data points, only they count, and what stands for missing
//! ones is used as few times as possible.

use aws_api::Timestamp;

use super::{Alarm, Comparison, Missing, Settings, StateValue};
use crate::{Ask, Periods, Statistic, Statistics, Window};

/// Periods that are looked at besides those that are evaluated: for three, CloudWatch looks at five.
const EXTRA_PERIODS: u32 = 2;
/// Alarms are evaluated each minute, those of a shorter period each ten seconds.
const STEP_S: i64 = 60;
const SHORT_STEP_S: i64 = 10;

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The state; `None` leaves it as it is.
    pub state: Option<StateValue>,
    /// The data points that decided, from the latest on, each with the beginning of its period.
    pub points: Vec<(i64, Statistics)>,
    /// How many data points something else stood for.
    pub filled: u32,
    /// The data points of the evaluated periods, from the oldest on.
    pub recent: Vec<(i64, Statistics)>,
}

/// The data that an evaluation at some moment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Whole periods, up to the last step of the clock.
    pub closed: Ask,
    /// Up to the next step: what is in it already may be enough to say that the threshold is crossed.
    pub early: Ask,
}

impl Settings {
    /// Seconds between evaluations.
    pub fn step_s(&self) -> i64 {
        if self.period_s < 60 { SHORT_STEP_S } else { STEP_S }
    }

    /// How many data points must be breaching.
    pub fn datapoints(&self) -> u32 {
        self.datapoints_to_alarm.unwrap_or(self.evaluation_periods)
    }

    /// The periods that an evaluation looks at whose last one ends at this moment.
    fn window(&self, end: i64) -> Window {
        let period = i64::from(self.period_s);
        let count = i64::from(self.evaluation_periods + EXTRA_PERIODS);
        Window { start: end - period * count, end, period }
    }

    fn is_breaching(&self, values: &Statistics) -> bool {
        self.comparison.is_breaching(values.get(self.statistic), self.threshold)
    }

    /// Whether a data point that is breaching stays so whatever else comes in its period.
    fn stays_breaching(&self, values: &Statistics) -> bool {
        let greater =
            matches!(self.comparison, Comparison::GreaterThanThreshold | Comparison::GreaterThanOrEqualToThreshold);
        match self.statistic {
            Statistic::SampleCount | Statistic::Maximum => greater,
            // What is not negative yet is taken for something that is counted.
            Statistic::Sum => greater && values.min >= 0.0,
            Statistic::Minimum => !greater,
            Statistic::Average => false,
        }
    }
}

impl Alarm {
    /// The data to read for an evaluation now.
    pub fn outlook(&self, now: Timestamp) -> Outlook {
        let step = self.settings.step_s();
        let end = now.as_secs() - now.as_secs().rem_euclid(step);
        let ask = |end| Ask {
            metric: self.settings.metric.clone(),
            unit: self.settings.unit,
            window: self.settings.window(end),
        };
        Outlook { closed: ask(end), early: ask(end + step) }
    }

    /// The verdict on the data of an outlook: on whole periods, unless the threshold is crossed for certain already.
    pub fn evaluate(&self, outlook: &Outlook, closed: &Periods, early: &Periods) -> Verdict {
        let settings = &self.settings;
        let newest = outlook.early.window.end - i64::from(settings.period_s);
        let certain =
            early.get(&newest).is_some_and(|values| settings.is_breaching(values) && settings.stays_breaching(values));
        if certain {
            let verdict = settings.judge(outlook.early.window, early);
            if verdict.state == Some(StateValue::Alarm) {
                return verdict;
            }
        }
        settings.judge(outlook.closed.window, closed)
    }
}

impl Settings {
    /// The verdict on the data points of a window.
    pub(super) fn judge(&self, window: Window, periods: &Periods) -> Verdict {
        let wanted = self.evaluation_periods;
        let real: Vec<(i64, Statistics)> = periods.iter().rev().map(|(secs, values)| (*secs, *values)).collect();
        let count = u32::try_from(real.len()).unwrap_or(u32::MAX);
        let points: Vec<_> = real.into_iter().take(wanted as usize).collect();
        let filled = wanted.saturating_sub(count);
        let breaching = points.iter().filter(|(_, values)| self.is_breaching(values)).count();
        let breaching = u32::try_from(breaching).unwrap_or(u32::MAX);
        let all_breaching = breaching > 0 && points.len() == breaching as usize;
        let alarm_if = |crossed: bool| Some(if crossed { StateValue::Alarm } else { StateValue::Ok });
        let needed = self.datapoints();
        let state = match self.missing.unwrap_or(Missing::Missing) {
            _ if filled == 0 => alarm_if(breaching >= needed),
            Missing::Breaching => alarm_if(breaching + filled >= needed),
            Missing::Ignore if breaching >= needed => Some(StateValue::Alarm),
            Missing::Ignore => (!points.is_empty() && !all_breaching).then_some(StateValue::Ok),
            Missing::Missing if points.is_empty() => Some(StateValue::InsufficientData),
            Missing::Missing if all_breaching => {
                // "The oldest available breaching data point … is at least as old as the value of Datapoints to Alarm, and all of
                // the more recent data points are either breaching or missing."
                let oldest = points.last().map_or(window.end, |(secs, _)| *secs);
                let age = (window.end - oldest) / window.period;
                let old_enough = age >= i64::from(needed);
                Some(if old_enough { StateValue::Alarm } else { StateValue::InsufficientData })
            }
            Missing::NotBreaching | Missing::Missing => alarm_if(breaching >= needed),
        };
        let since = window.end - window.period * i64::from(wanted);
        let recent = periods.range(since..).map(|(secs, values)| (*secs, *values)).collect();
        Verdict { state, points, filled, recent }
    }
}
