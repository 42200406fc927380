//! Conditional requests: RFC 9110 §13 with the order of precedence that S3 documents on the pages of `GetObject`, `PutObject` and
//! `CopyObject`.

use aws_api::Timestamp;
use http::{HeaderMap, HeaderValue};
use s3s::{S3Error, S3ErrorCode, S3Result};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::error;

/// What a condition is tested against.
pub(crate) struct Validators<'a> {
    /// Without quotes.
    pub etag: &'a str,
    pub modified: Timestamp,
}

/// Checks the conditions of a read: 412 `PreconditionFailed`, or 304 without a body, or nothing to object to.
///
/// `If-Match` that holds outweighs `If-Unmodified-Since`; `If-None-Match` outweighs `If-Modified-Since`.
pub(crate) fn check_read(head: &HeaderMap, object: &Validators<'_>, now: Timestamp) -> S3Result<()> {
    if let Some(tags) = text(head, "if-match") {
        if !names(tags, object.etag) {
            return Err(error::precondition_failed("If-Match"));
        }
    } else if let Some(moment) = date(head, "if-unmodified-since")
        && object.modified.as_secs() > moment.as_secs()
    {
        return Err(error::precondition_failed("If-Unmodified-Since"));
    }
    if let Some(tags) = text(head, "if-none-match") {
        if names(tags, object.etag) {
            return Err(not_modified(object));
        }
    } else if let Some(moment) = date(head, "if-modified-since")
        && moment <= now
        && object.modified.as_secs() <= moment.as_secs()
    {
        return Err(not_modified(object));
    }
    Ok(())
}

/// Checks `x-amz-copy-source-if-*`; a condition that fails is always 412.
pub(crate) fn check_copy_source(head: &HeaderMap, object: &Validators<'_>) -> S3Result<()> {
    let failed = |name: &'static str| Err(error::precondition_failed(name));
    if let Some(tags) = text(head, "x-amz-copy-source-if-match") {
        if !names(tags, object.etag) {
            return failed("x-amz-copy-source-If-Match");
        }
    } else if let Some(moment) = date(head, "x-amz-copy-source-if-unmodified-since")
        && object.modified.as_secs() > moment.as_secs()
    {
        return failed("x-amz-copy-source-If-Unmodified-Since");
    }
    if let Some(tags) = text(head, "x-amz-copy-source-if-none-match") {
        if names(tags, object.etag) {
            return failed("x-amz-copy-source-If-None-Match");
        }
    } else if let Some(moment) = date(head, "x-amz-copy-source-if-modified-since")
        && object.modified.as_secs() <= moment.as_secs()
    {
        return failed("x-amz-copy-source-If-Modified-Since");
    }
    Ok(())
}

/// Checks the conditions of a write (user guide, "How to prevent object overwrites with conditional writes"): `If-None-Match: *`
/// wants no object there, `If-Match` the one with this `ETag`. Other forms are not S3's.
pub(crate) fn check_write(head: &HeaderMap, key: &str, current: Option<&str>) -> S3Result<()> {
    match (text(head, "if-match"), text(head, "if-none-match")) {
        (None, None) => Ok(()),
        (None, Some("*")) => match current {
            Some(_) => Err(error::precondition_failed("If-None-Match")),
            None => Ok(()),
        },
        (Some(tags), None) => match current {
            None => Err(error::no_such_key(key)),
            Some(etag) if names(tags, etag) => Ok(()),
            Some(_) => Err(error::precondition_failed("If-Match")),
        },
        _ => Err(error::header_not_implemented()),
    }
}

/// Whether `If-Range`, if there is one, lets `Range` stand (RFC 9110 §13.1.5).
pub(crate) fn range_stands(head: &HeaderMap, object: &Validators<'_>) -> bool {
    text(head, "if-range").is_none_or(|value| match parse_http_date(value) {
        Some(moment) => moment.as_secs() == object.modified.as_secs(),
        None => !value.starts_with("W/") && names(value, object.etag),
    })
}

/// Whether a list of entity tags, or `*`, names this one. S3 takes tags without quotes too.
pub(crate) fn names(list: &str, etag: &str) -> bool {
    let bare = |tag: &str| -> bool {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(tag) == etag
    };
    list.trim() == "*" || list.split(',').any(bare)
}

fn text<'h>(head: &'h HeaderMap, name: &str) -> Option<&'h str> {
    head.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
}

/// A date that cannot be read is as good as none (RFC 9110 §13.1.3: "MUST ignore").
fn date(head: &HeaderMap, name: &str) -> Option<Timestamp> {
    parse_http_date(text(head, name)?)
}

/// Reads the three forms of RFC 9110 §5.6.7.
fn parse_http_date(text: &str) -> Option<Timestamp> {
    const IMF_FIXDATE: &[BorrowedFormatItem<'static>] =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    const ASCTIME: &[BorrowedFormatItem<'static>] = format_description!(
        "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"
    );
    let moment = PrimitiveDateTime::parse(text, IMF_FIXDATE)
        .or_else(|_| PrimitiveDateTime::parse(text, ASCTIME))
        .map(PrimitiveDateTime::assume_utc)
        .ok()
        .or_else(|| parse_rfc850(text))
        .or_else(|| OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok())?;
    Some(Timestamp::from_secs(moment.unix_timestamp()))
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`; two digits of a year mean 1970 to 2069.
fn parse_rfc850(text: &str) -> Option<OffsetDateTime> {
    const REST: &[BorrowedFormatItem<'static>] =
        format_description!("[day]-[month repr:short]-[year] [hour]:[minute]:[second] GMT");
    let (_, rest) = text.split_once(", ")?;
    let (day_month, rest) = rest.split_at_checked(7)?;
    let (year, time) = rest.split_at_checked(2)?;
    let century = if year.parse::<u8>().ok()? < 70 { "20" } else { "19" };
    PrimitiveDateTime::parse(&format!("{day_month}{century}{year}{time}"), REST).ok().map(PrimitiveDateTime::assume_utc)
}

fn not_modified(object: &Validators<'_>) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (http::header::ETAG, format!("\"{}\"", object.etag)),
        (http::header::LAST_MODIFIED, object.modified.to_http_date()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_773_480_500);
    const WRITTEN: Timestamp = Timestamp::from_millis(1_773_480_413_104);

    fn head(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    /// The status that a read with these conditions gets.
    fn read(pairs: &[(&'static str, &str)]) -> u16 {
        let object = Validators { etag: "abc", modified: WRITTEN };
        check_read(&head(pairs), &object, NOW).map_or_else(|error| error.status_code().unwrap().as_u16(), |()| 200)
    }

    #[test]
    fn precedence_of_reads() {
        let (at, before, after) =
            ("Sat, 14 Mar 2026 09:26:53 GMT", "Sat, 14 Mar 2026 09:26:52 GMT", "Sat, 14 Mar 2026 09:27:00 GMT");
        let cases: &[(&[(&'static str, &str)], u16)] = &[
            (&[], 200),
            (&[("if-match", "\"abc\"")], 200),
            (&[("if-match", "abc")], 200),
            (&[("if-match", "\"x\", \"abc\"")], 200),
            (&[("if-match", "*")], 200),
            (&[("if-match", "\"x\"")], 412),
            (&[("if-none-match", "\"abc\"")], 304),
            (&[("if-none-match", "W/\"abc\"")], 304),
            (&[("if-none-match", "\"x\"")], 200),
            (&[("if-modified-since", at)], 304),
            (&[("if-modified-since", before)], 200),
            (&[("if-modified-since", "Sun, 14 Mar 2027 09:26:53 GMT")], 200),
            (&[("if-modified-since", "yesterday")], 200),
            (&[("if-unmodified-since", at)], 200),
            (&[("if-unmodified-since", before)], 412),
            (&[("if-match", "\"abc\""), ("if-unmodified-since", before)], 200),
            (&[("if-none-match", "\"x\""), ("if-modified-since", after)], 200),
            (&[("if-none-match", "\"abc\""), ("if-modified-since", before)], 304),
            (&[("if-match", "\"x\""), ("if-none-match", "\"abc\"")], 412),
        ];
        for (pairs, expected) in cases {
            assert_eq!(read(pairs), *expected, "{pairs:?}");
        }
    }

    #[test]
    fn dates_in_all_three_forms() {
        let expected = Some(Timestamp::from_secs(784_111_777));
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse_http_date(text), expected, "{text}");
        }
        assert_eq!(parse_http_date("Sunday, 06-Nov-é4 08:49:37 GMT"), None);
    }

    #[test]
    fn writes() {
        let code = |pairs: &[(&'static str, &str)], current: Option<&str>| {
            check_write(&head(pairs), "k", current).err().map(|error| error.code().as_str().to_owned())
        };
        assert_eq!(code(&[("if-none-match", "*")], None), None);
        assert_eq!(code(&[("if-none-match", "*")], Some("abc")).as_deref(), Some("PreconditionFailed"));
        assert_eq!(code(&[("if-none-match", "\"abc\"")], None).as_deref(), Some("NotImplemented"));
        assert_eq!(code(&[("if-match", "\"abc\"")], Some("abc")), None);
        assert_eq!(code(&[("if-match", "\"abc\"")], Some("x")).as_deref(), Some("PreconditionFailed"));
        assert_eq!(code(&[("if-match", "\"abc\"")], None).as_deref(), Some("NoSuchKey"));
    }
}
