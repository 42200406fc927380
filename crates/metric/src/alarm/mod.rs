//! Alarms: their settings and states, and what is decided about them.

mod act;
mod describe;
mod evaluate;
mod history;
mod put;
mod reason;

use std::collections::BTreeMap;

use aws_api::{Arn, Change, Entity, RequestContext, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Metric, Statistic, Unit};

pub use act::{Action, Transition, region_name};
pub use evaluate::{Outlook, Verdict};
pub use history::{HISTORY_DAYS, HistoryRequest, Item};
pub use put::Decided;

/// An alarm and its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name, unique in the account and region of its metric.
    pub name: String,
    /// What it watches, and what it does.
    pub settings: Settings,
    /// Labels.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// When it was last put.
    pub configured: Timestamp,
    /// Its state.
    pub state: State,
}

/// What an alarm watches, and what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// For a person.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether the actions are done.
    pub actions_enabled: bool,
    /// Topics that are told of `OK`.
    #[serde(default)]
    pub ok_actions: Vec<String>,
    /// Topics that are told of `ALARM`.
    #[serde(default)]
    pub alarm_actions: Vec<String>,
    /// Topics that are told of `INSUFFICIENT_DATA`.
    #[serde(default)]
    pub insufficient_data_actions: Vec<String>,
    /// The metric, whose account and region are the alarm's.
    pub metric: Metric,
    /// Only data of this unit.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// Which statistic of it.
    pub statistic: Statistic,
    /// Seconds that one data point is of.
    pub period_s: u32,
    /// How many periods are looked at.
    pub evaluation_periods: u32,
    /// How many of them must cross the threshold; all if `None`.
    #[serde(default)]
    pub datapoints_to_alarm: Option<u32>,
    /// What is compared with.
    pub threshold: f64,
    /// How.
    pub comparison: Comparison,
    /// What stands for missing data; `missing` if `None`.
    #[serde(default)]
    pub missing: Option<Missing>,
}

/// How an alarm's state came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The state.
    pub value: StateValue,
    /// For a person.
    pub reason: String,
    /// For programs: JSON.
    #[serde(default)]
    pub reason_data: Option<String>,
    /// Since when it is so.
    pub updated: Timestamp,
    /// When it last became another.
    pub transitioned: Timestamp,
}

/// Gives an enum the texts that AWS has for its values.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$valuedoc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$valuedoc])* #[serde(rename = $text)] $value,)*
        }

        impl $name {
            /// Every value's text.
            pub const NAMES: &[&str] = &[$($text),*];

            /// By its text.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$value),)*
                    _ => None,
                }
            }

            /// Its text.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }
    };
}

named! {
    /// The three states.
    StateValue {
        /// Too little data to say.
        InsufficientData = "INSUFFICIENT_DATA",
        /// The threshold is crossed.
        Alarm = "ALARM",
        /// It is not.
        Ok = "OK",
    }
}

named! {
    /// When a data point is breaching. Bands of anomaly detection are not known.
    Comparison {
        /// `>=`
        GreaterThanOrEqualToThreshold = "GreaterThanOrEqualToThreshold",
        /// `>`
        GreaterThanThreshold = "GreaterThanThreshold",
        /// `<`
        LessThanThreshold = "LessThanThreshold",
        /// `<=`
        LessThanOrEqualToThreshold = "LessThanOrEqualToThreshold",
    }
}

named! {
    /// What stands for data points that are missing.
    Missing {
        /// Data points that cross the threshold.
        Breaching = "breaching",
        /// Data points that do not.
        NotBreaching = "notBreaching",
        /// The state as it is.
        Ignore = "ignore",
        /// Nothing: without any data the state is `INSUFFICIENT_DATA`.
        Missing = "missing",
    }
}

impl Comparison {
    /// Is this value breaching?
    pub fn is_breaching(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }

    /// As a reason says it.
    fn words(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "greater than or equal to",
            Self::GreaterThanThreshold => "greater than",
            Self::LessThanThreshold => "less than",
            Self::LessThanOrEqualToThreshold => "less than or equal to",
        }
    }
}

impl Entity for Alarm {
    const KIND: &'static str = "alarm";

    fn key(&self) -> String {
        key_of(&self.settings.metric.account, &self.settings.metric.region, &self.name)
    }
}

fn key_of(account: &str, region: &str, name: &str) -> String {
    format!("{account}/{region}/{name}")
}

impl Alarm {
    /// The account that it is in.
    pub fn account(&self) -> &str {
        &self.settings.metric.account
    }

    /// The region that it is in.
    pub fn region(&self) -> &str {
        &self.settings.metric.region
    }

    /// `arn:aws:cloudwatch:region:account:alarm:name`.
    pub fn arn(&self) -> Arn {
        Arn::new("cloudwatch", self.region(), self.account(), format!("alarm:{}", self.name))
    }
}

/// All alarms, by account, region and name.
#[derive(Debug, Default)]
pub struct Alarms {
    alarms: BTreeMap<String, Alarm>,
}

impl Alarms {
    /// Takes in a committed change, if it is one of an alarm.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        if change.kind != Alarm::KIND {
            return Ok(());
        }
        match &change.row {
            Some(row) => drop(self.alarms.insert(change.key.clone(), serde_json::from_slice(row)?)),
            None => drop(self.alarms.remove(&change.key)),
        }
        Ok(())
    }

    /// Every alarm, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.values()
    }

    /// The alarm of a key ([`Entity::key`]).
    pub fn get(&self, key: &str) -> Option<&Alarm> {
        self.alarms.get(key)
    }

    fn named(&self, ctx: &RequestContext, name: &str) -> Option<&Alarm> {
        self.alarms.get(&key_of(ctx.account(), &ctx.region, name))
    }

    /// The alarms of the caller's account and region, in the order of their names.
    fn of_caller<'a>(&'a self, ctx: &RequestContext) -> impl Iterator<Item = &'a Alarm> + use<'a> {
        let prefix = key_of(ctx.account(), &ctx.region, "");
        let all = self.alarms.range(prefix.clone()..);
        all.take_while(move |(key, _)| key.starts_with(&prefix)).map(|(_, alarm)| alarm)
    }
}

#[cfg(test)]
mod tests;
