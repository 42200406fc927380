//! The date forms that clients sign with.

use aws_api::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

type Format = &'static [BorrowedFormatItem<'static>];

const ISO_BASIC: Format = format_description!("[year][month][day]T[hour][minute][second]Z");
const RFC_850: Format =
    format_description!("[weekday repr:long], [day]-[month repr:short]-[year] [hour]:[minute]:[second] GMT");
/// RFC 1123 and `asctime` (RFC 9110 §5.6.7), then the ISO 8601 forms.
const UTC_FORMS: [Format; 6] = [
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"),
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] UTC"),
    format_description!("[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"),
    ISO_BASIC,
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"),
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"),
];
const WITH_OFFSET: Format = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

/// `20260314T092653Z`, nothing else.
pub(crate) fn parse_iso_basic(text: &str) -> Option<Timestamp> {
    parse_utc(text, ISO_BASIC)
}

/// Any form that a `Date` or (`SigV2`) `x-amz-date` header may have; nothing before 1970.
pub(crate) fn parse_any(text: &str) -> Option<Timestamp> {
    UTC_FORMS
        .iter()
        .find_map(|format| parse_utc(text, format))
        .or_else(|| parse_utc(&with_century(text)?, RFC_850))
        .or_else(|| parse_offset(text))
}

/// Writes the date again: what is not written the same way (a weekday that is not that day's, a sign) is refused.
fn parse_utc(text: &str, format: Format) -> Option<Timestamp> {
    let date = PrimitiveDateTime::parse(text, format).ok()?;
    if date.format(format).ok()? == text { since_1970(date.assume_utc()) } else { None }
}

fn parse_offset(text: &str) -> Option<Timestamp> {
    let date = OffsetDateTime::parse(text, WITH_OFFSET).ok()?;
    if date.format(WITH_OFFSET).ok()? == text.replace(" -0000", " +0000") { since_1970(date) } else { None }
}

/// RFC 850 has a year of two digits; those from 70 on are of the last century.
fn with_century(text: &str) -> Option<String> {
    let (before, after) = text.rsplit_once('-')?;
    let century = if after.as_bytes().first()? < &b'7' { "20" } else { "19" };
    Some(format!("{before}-{century}{after}"))
}

fn since_1970(date: OffsetDateTime) -> Option<Timestamp> {
    let secs = date.unix_timestamp();
    (secs >= 0).then(|| Timestamp::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_one_moment() {
        let moment = Some(Timestamp::from_secs(1_773_480_413));
        for text in [
            "Sat, 14 Mar 2026 09:26:53 GMT",
            "Sat, 14 Mar 2026 09:26:53 +0000",
            "Sat, 14 Mar 2026 09:26:53 -0000",
            "Sat, 14 Mar 2026 10:26:53 +0100",
            "Saturday, 14-Mar-26 09:26:53 GMT",
            "Sat Mar 14 09:26:53 2026",
            "20260314T092653Z",
            "2026-03-14T09:26:53Z",
            "2026-03-14T09:26:53.000Z",
        ] {
            assert_eq!(parse_any(text), moment, "{text}");
        }
        assert_eq!(parse_any("Sun Mar  1 00:00:00 2026"), Some(Timestamp::from_secs(1_772_323_200)));
    }

    #[test]
    fn no_date() {
        for text in [
            "",
            " ",
            "Sun, 14 Mar 2026 09:26:53 GMT",
            "sat, 14 Mar 2026 09:26:53 GMT",
            "Tue, 07 Jul 1960 01:00:00 GMT",
            "Sat, 14 Mar 2026 09:26:53",
            "20260314T092653",
            "20260314t092653Z",
            "+0260314T092653Z",
            "99999999T999999Z",
            "1773480413",
        ] {
            assert_eq!(parse_any(text), None, "{text}");
        }
        assert_eq!(parse_iso_basic("Sat, 14 Mar 2026 09:26:53 GMT"), None);
    }
}
