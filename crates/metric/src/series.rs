//! What tells one series of points from another.

use std::fmt;

use aws_api::cloudwatch::Dimension;
use serde::{Deserialize, Serialize};

/// A metric: everything but the unit. Its dimensions are in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Metric {
    /// Whose.
    pub account: String,
    /// Where.
    pub region: String,
    /// `AWS/SQS`.
    pub namespace: String,
    /// `NumberOfMessagesSent`.
    pub name: String,
    /// `QueueName` = `sigv2`.
    pub dimensions: Vec<Dimension>,
}

impl Metric {
    /// Puts the dimensions in their order.
    pub fn new(account: &str, region: &str, namespace: &str, name: &str, mut dimensions: Vec<Dimension>) -> Self {
        dimensions.sort();
        Self {
            account: account.into(),
            region: region.into(),
            namespace: namespace.into(),
            name: name.into(),
            dimensions,
        }
    }

    /// One of AWS's own, with dimensions as they are given.
    pub fn of_service(account: &str, region: &str, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let dimension = |(name, value): &(&str, &str)| Dimension { name: (*name).into(), value: (*value).into() };
        Self::new(account, region, namespace, name, dimensions.iter().map(dimension).collect())
    }
}

/// Points of one metric in one unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    /// The metric.
    #[serde(flatten)]
    pub metric: Metric,
    /// The unit.
    pub unit: Unit,
}

/// A series' number, by which its points are kept. Never used again for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u64);

/// One of the units of `StandardUnit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Unit(usize);

/// `StandardUnit` in the model.
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

impl Unit {
    /// Seconds.
    pub const SECONDS: Self = Self(0);
    /// Bytes.
    pub const BYTES: Self = Self(3);
    /// Things.
    pub const COUNT: Self = Self(14);
    /// None was given.
    pub const NONE: Self = Self(26);

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        UNITS.iter().position(|unit| *unit == name).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        UNITS[self.0]
    }
}

impl From<Unit> for &'static str {
    fn from(unit: Unit) -> Self {
        unit.name()
    }
}

impl TryFrom<String> for Unit {
    type Error = UnknownUnit;

    fn try_from(name: String) -> Result<Self, UnknownUnit> {
        Self::parse(&name).ok_or(UnknownUnit)
    }
}

/// A text that is no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownUnit;

impl fmt::Display for UnknownUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of CloudWatch's units")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_by_name() {
        let named = [Unit::SECONDS, Unit::BYTES, Unit::COUNT, Unit::NONE].map(Unit::name);
        assert_eq!(named, ["Seconds", "Bytes", "Count", "None"]);
        assert!(UNITS.iter().all(|name| Unit::parse(name).is_some_and(|unit| unit.name() == *name)));
        assert_eq!(Unit::parse("count"), None);
    }

    #[test]
    fn the_order_of_dimensions_makes_no_difference() {
        let of = |dimensions| Metric::of_service("1", "r", "n", "m", dimensions);
        assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
    }
}
