//! A moment in time, as a value.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const SECONDS: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MILLIS: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const BASIC: &[BorrowedFormatItem<'static>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const HTTP: &[BorrowedFormatItem<'static>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Only `server` asks the operating system for one; everywhere else it is an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest moment that the text forms can show: 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since the epoch, held to the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// From whole seconds since the epoch, held to the years 1970 to 9999.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment and `millis` more (or fewer, if negative).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This moment and `secs` seconds more (or fewer, if negative).
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        self.plus_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to this moment; negative if it is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// `2026-03-14T09:26:53Z`, as `CloudTrail` and `EventBridge` write it.
    pub fn to_rfc3339_seconds(self) -> String {
        self.format(SECONDS)
    }

    /// `2026-03-14T09:26:53.104Z`, as SNS and S3's XML write it.
    pub fn to_rfc3339_millis(self) -> String {
        self.format(MILLIS)
    }

    /// `20260314T092653Z`, the ISO 8601 basic form of `x-amz-date`.
    pub fn to_iso8601_basic(self) -> String {
        self.format(BASIC)
    }

    /// `Sat, 14 Mar 2026 09:26:53 GMT`, the `IMF-fixdate` of RFC 9110 §5.6.7.
    pub fn to_http_date(self) -> String {
        self.format(HTTP)
    }

    /// Reads `2026-03-14T09:26:53Z`, with or without a fraction of a second or another offset (RFC 3339).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().filter(|millis| *millis >= 0).map(Self)
    }

    /// The same moment as a value of the `time` crate.
    pub fn to_offset_date_time(self) -> OffsetDateTime {
        // The constructors hold the value to years that `time` can represent.
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn format(self, items: &[BorrowedFormatItem<'_>]) -> String {
        self.to_offset_date_time().format(items).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let moment = Timestamp::from_millis(1_773_480_413_104);
        assert_eq!(moment.to_rfc3339_seconds(), "2026-03-14T09:26:53Z");
        assert_eq!(moment.to_rfc3339_millis(), "2026-03-14T09:26:53.104Z");
        assert_eq!(moment.to_iso8601_basic(), "20260314T092653Z");
        assert_eq!(moment.to_http_date(), "Sat, 14 Mar 2026 09:26:53 GMT");
        assert_eq!(Timestamp::parse_rfc3339("2026-03-14T10:26:53.104+01:00"), Some(moment));
        assert_eq!(Timestamp::parse_rfc3339("1969-12-31T23:59:59Z"), None);
    }

    #[test]
    fn held_to_the_years_that_text_can_show() {
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(-1).as_millis(), 0);
        assert_eq!(Timestamp::MAX.to_rfc3339_millis(), "9999-12-31T23:59:59.999Z");
    }
}
