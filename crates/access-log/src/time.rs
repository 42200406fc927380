//! The time of a line: `14/Mar/2026:09:26:53 +0000`, a format of its own.

use aws_api::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The moment, if the text is one.
pub(crate) fn parse(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 26] = text.try_into().ok()?;
    let separators = [text[2], text[6], text[11], text[14], text[17], text[20]];
    if separators != *b"//::: " {
        return None;
    }
    let month = MONTHS.iter().position(|name| **name == text[3..6])?;
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let year = i32::from(two(text, 7)?) * 100 + i32::from(two(text, 9)?);
    let date = Date::from_calendar_date(year, month, two(text, 0)?).ok()?;
    let time = Time::from_hms(two(text, 12)?, two(text, 15)?, two(text, 18)?).ok()?;
    let direction = match text[21] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = i8::try_from(two(text, 22)?).ok()? * direction;
    let minutes = i8::try_from(two(text, 24)?).ok()? * direction;
    let offset = UtcOffset::from_hms(hours, minutes, 0).ok()?;
    let secs = PrimitiveDateTime::new(date, time).assume_offset(offset).unix_timestamp();
    Some(Timestamp::from_secs(secs)).filter(|moment| moment.as_secs() == secs)
}

/// Two digits.
fn two(text: &[u8; 26], at: usize) -> Option<u8> {
    let (tens, ones) = (text[at], text[at + 1]);
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let shown = |text: &str| parse(text.as_bytes()).map(Timestamp::to_rfc3339_seconds);
        assert_eq!(shown("14/Mar/2026:09:26:53 +0000").as_deref(), Some("2026-03-14T09:26:53Z"));
        assert_eq!(shown("01/Jan/2020:00:30:00 +0130").as_deref(), Some("2019-12-31T23:00:00Z"));
        assert_eq!(shown("29/Feb/2024:23:59:59 -0800").as_deref(), Some("2024-03-01T07:59:59Z"));
    }

    #[test]
    fn no_moments() {
        for text in [
            "",
            "14/Mar/2026:09:26:53",
            "14/Mar/2026:09:26:53 0000",
            "14/mar/2026:09:26:53 +0000",
            "31/Feb/2026:09:26:53 +0000",
            "14/Mar/2026:24:26:53 +0000",
            "14/Mar/2026:09:26:60 +0000",
            "14/Mar/2026:09:26:53 +9900",
            "1a/Mar/2026:09:26:53 +0000",
            "14/Mar/1969:09:26:53 +0000",
            "14/Mar/2026:09:26:53 +00000",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
