//! A moment as a member of a shape, which each protocol writes in its own way.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// Smithy's `timestamp`: seconds since the epoch in JSON, ISO 8601 text in the Query protocol, tag 1 in CBOR.
///
/// It is a newtype of the name [`Moment::NAME`], by which a codec knows it, around the seconds with their fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// The name that serde sees.
    pub const NAME: &'static str = "aws_api::Moment";
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Milliseconds of the years 1970 to 9999 are exact in 53 bits.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let secs = self.0.as_millis() as f64 / 1000.0;
        serializer.serialize_newtype_struct(Self::NAME, &secs)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::NAME, Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Moment, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_i64<E: serde::de::Error>(self, secs: i64) -> Result<Moment, E> {
        Ok(Moment(Timestamp::from_secs(secs)))
    }

    fn visit_u64<E: serde::de::Error>(self, secs: u64) -> Result<Moment, E> {
        self.visit_i64(i64::try_from(secs).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: serde::de::Error>(self, secs: f64) -> Result<Moment, E> {
        if !secs.is_finite() {
            return Err(E::custom("a timestamp is a finite number of seconds"));
        }
        // A float's cast is held to the bounds of the integer.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        let millis = (secs * 1000.0).round() as i64;
        Ok(Moment(Timestamp::from_millis(millis)))
    }

    /// Clients leave out the seconds' fraction, the offset, or the time of the day.
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Moment, E> {
        let zoned = || Timestamp::parse_rfc3339(&format!("{text}Z"));
        let minutes = || Timestamp::parse_rfc3339(&format!("{}:00Z", text.strip_suffix('Z').unwrap_or(text)));
        let day = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
        let parsed = Timestamp::parse_rfc3339(text).or_else(zoned).or_else(minutes).or_else(day);
        parsed.map(Moment).ok_or_else(|| E::custom("timestamp must follow ISO8601"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts() {
        let moment = Moment(Timestamp::from_millis(1_773_480_413_104));
        assert_eq!(serde_json::to_string(&moment).unwrap(), "1773480413.104");
        let whole = Moment(Timestamp::from_secs(1_773_480_413));
        for (text, expected) in [
            ("1773480413.104", moment),
            ("1773480413", whole),
            ("\"2026-03-14T09:26:53.104Z\"", moment),
            ("\"2026-03-14T10:26:53+01:00\"", whole),
            ("\"2026-03-14T09:26:53\"", whole),
            ("\"2026-03-14T09:26Z\"", Moment(Timestamp::from_secs(1_773_480_360))),
            ("\"2026-03-14\"", Moment(Timestamp::from_secs(1_773_446_400))),
        ] {
            assert_eq!(serde_json::from_str::<Moment>(text).unwrap(), expected, "{text}");
        }
        for text in ["\"yesterday\"", "\"\"", "null", "[]"] {
            assert!(serde_json::from_str::<Moment>(text).is_err(), "{text}");
        }
    }
}
