//! The headers of a write: those that are kept with the object, those that are refused because they mean what we do not do.

use std::collections::BTreeMap;

use http::HeaderMap;
use s3s::{S3ErrorCode, S3Result};

use crate::error::{custom, fail, header_not_implemented, invalid_argument};
use crate::row::Meta;

/// Names and values of user metadata together ("Working with object metadata": 2 KB).
const USER_METADATA_MAX: usize = 2048;
/// Tags of an object ("Categorizing your storage using tags").
pub(crate) const TAGS_MAX: usize = 10;
/// Keys that services keep for themselves.
pub(crate) const SYSTEM_TAG: &str = "aws:";
const TAG_KEY_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;

/// Headers that ask for something we do not do. Each is refused, never silently dropped.
const REFUSED: [&str; 5] = [
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
];
const ENCRYPTION: &str = "x-amz-server-side-encryption";
const COPY_SOURCE_ENCRYPTION: &str = "x-amz-copy-source-server-side-encryption";

/// Refuses what the store does not do: encryption, object lock, redirects, other storage classes.
pub(crate) fn refuse_unsupported(head: &HeaderMap) -> S3Result<()> {
    for name in head.keys() {
        let name = name.as_str();
        if REFUSED.contains(&name) || name.starts_with(ENCRYPTION) || name.starts_with(COPY_SOURCE_ENCRYPTION) {
            return Err(header_not_implemented());
        }
    }
    match text(head, "x-amz-storage-class") {
        None | Some("STANDARD") => Ok(()),
        Some(_) => Err(fail(S3ErrorCode::InvalidStorageClass, "The storage class you specified is not valid")),
    }
}

/// Refuses customer keys on reads: nothing here is encrypted with one.
pub(crate) fn refuse_customer_key(head: &HeaderMap) -> S3Result<()> {
    if head.keys().any(|name| name.as_str().starts_with(ENCRYPTION)) {
        return Err(fail(S3ErrorCode::InvalidRequest, "The encryption parameters are not applicable to this object."));
    }
    Ok(())
}

/// Reads what is kept. `user` is the decoded `x-amz-meta-*`.
pub(crate) fn read(head: &HeaderMap, user: Option<impl IntoIterator<Item = (String, String)>>) -> S3Result<Meta> {
    let kept = |name| text(head, name).map(str::to_owned);
    let user: BTreeMap<String, String> = user.into_iter().flatten().collect();
    let size: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > USER_METADATA_MAX {
        return Err(fail(
            S3ErrorCode::MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    Ok(Meta {
        content_type: kept("content-type"),
        cache_control: kept("cache-control"),
        content_disposition: kept("content-disposition"),
        content_encoding: text(head, "content-encoding").and_then(without_aws_chunked),
        content_language: kept("content-language"),
        expires: kept("expires"),
        user,
    })
}

/// `aws-chunked` is how the body travelled, not what it is.
fn without_aws_chunked(value: &str) -> Option<String> {
    let codings: Vec<&str> = value.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked").collect();
    Some(codings.join(",")).filter(|rest| !rest.is_empty())
}

/// Reads `x-amz-tagging`: `key=value&…`, URL-encoded.
pub(crate) fn tags(head: &HeaderMap) -> S3Result<Vec<(String, String)>> {
    let Some(header) = text(head, "x-amz-tagging") else { return Ok(Vec::new()) };
    let decode = |text: &str| -> S3Result<String> {
        let text = text.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
        decoded.map(std::borrow::Cow::into_owned).map_err(|_| {
            invalid_argument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
        })
    };
    let mut tags = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        tags.push((decode(key)?, decode(value)?));
    }
    check_tags(&tags)?;
    Ok(tags)
}

/// The rules of "Categorizing your storage using tags".
pub(crate) fn check_tags(tags: &[(String, String)]) -> S3Result<()> {
    if tags.len() > TAGS_MAX {
        return Err(custom("BadRequest", http::StatusCode::BAD_REQUEST, "Object tags cannot be greater than 10"));
    }
    check_tag_texts(tags)?;
    if tags.iter().any(|(key, _)| key.starts_with(SYSTEM_TAG)) {
        return Err(fail(S3ErrorCode::InvalidTag, "System tags cannot be added/updated by requester"));
    }
    Ok(())
}

/// The rules of keys and values, which tags of buckets have, too.
pub(crate) fn check_tag_texts(tags: &[(String, String)]) -> S3Result<()> {
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c));
    for (position, (key, value)) in tags.iter().enumerate() {
        let invalid = |message| Err(fail(S3ErrorCode::InvalidTag, message));
        if key.is_empty() || key.chars().count() > TAG_KEY_MAX || !allowed(key) {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > TAG_VALUE_MAX || !allowed(value) {
            return invalid("The TagValue you have provided is invalid");
        }
        if tags[..position].iter().any(|(known, _)| known == key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(())
}

/// A header's text: once, UTF-8, not empty.
fn text<'h>(head: &'h HeaderMap, name: &str) -> Option<&'h str> {
    head.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn what_we_do_not_do_is_refused() {
        let cases = [
            ("x-amz-server-side-encryption", "AES256", Some("NotImplemented")),
            ("x-amz-server-side-encryption-customer-key", "a", Some("NotImplemented")),
            ("x-amz-object-lock-mode", "GOVERNANCE", Some("NotImplemented")),
            ("x-amz-website-redirect-location", "/x", Some("NotImplemented")),
            ("x-amz-storage-class", "GLACIER", Some("InvalidStorageClass")),
            ("x-amz-storage-class", "STANDARD", None),
            ("x-amz-meta-a", "b", None),
        ];
        for (name, value, expected) in cases {
            let code = refuse_unsupported(&head(name, value)).err().map(|error| error.code().as_str().to_owned());
            assert_eq!(code.as_deref(), expected, "{name}: {value}");
        }
    }

    #[test]
    fn tags_of_the_header() {
        let read =
            |value: &str| tags(&head("x-amz-tagging", value)).map_err(|error| error.message().map(str::to_owned));
        assert_eq!(
            read("a=b&c=d+e%2Ff&g"),
            Ok(vec![("a".into(), "b".into()), ("c".into(), "d e/f".into()), ("g".into(), String::new())])
        );
        for bad in ["a=1&a=2", "=1", "aws:x=1", "a=%3C", &format!("{}=1", "k".repeat(129)), "a=1&b&c&d&e&f&g&h&i&j&k"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn aws_chunked_is_not_kept() {
        let encoding = |value| read(&head("content-encoding", value), None::<[_; 0]>).unwrap().content_encoding;
        assert_eq!(encoding("aws-chunked"), None);
        assert_eq!(encoding("gzip,aws-chunked").as_deref(), Some("gzip"));
        assert_eq!(encoding("gzip").as_deref(), Some("gzip"));
    }

    #[test]
    fn user_metadata_is_bounded() {
        let user = |length| [("n".to_owned(), "v".repeat(length))];
        assert!(read(&HeaderMap::new(), Some(user(2047))).is_ok());
        assert!(read(&HeaderMap::new(), Some(user(2048))).is_err());
    }
}
