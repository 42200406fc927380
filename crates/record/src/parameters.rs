//! `requestParameters`: what a request asked for, without what nobody else should read.

use serde_json::{Map, Value};

use aws_api::s3::S3Op;

/// The longest value that is taken over, in bytes; what is longer is cut at a character.
pub const VALUE_LEN_MAX: usize = 4096;
/// How many query parameters and headers are taken over at most.
pub const PARAMETERS_MAX: usize = 128;

/// Query parameters that carry, or are, somebody's proof of identity. Compared without case.
const SECRET_QUERY: &[&str] = &[
    "signature",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-mfa",
    "x-amz-security-token",
    "x-amz-s3session-token",
    "policy-token",
];

/// Headers that say what was asked, by the names that CloudTrail shows.
const SHOWN_HEADERS: &[&str] = &[
    "range",
    "x-amz-acl",
    "x-amz-bypass-governance-retention",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-website-redirect-location",
];

/// Of these families every header is shown.
const SHOWN_HEADER_PREFIXES: &[&str] = &["x-amz-grant-", "x-amz-object-lock-", "x-amz-server-side-encryption"];

/// Never shown, although their family is: keys that the client encrypts with.
const SECRET_HEADER_PART: &str = "-customer-key";

/// Builds the map: bucket, host and key, then the query under its wire names, then the headers that matter.
pub(crate) fn request_parameters(
    op: &S3Op,
    bucket: Option<&str>,
    key: Option<&str>,
    host: &str,
    query: &[(String, String)],
    headers: &[(String, String)],
) -> Map<String, Value> {
    let mut map = Map::new();
    if let Some(bucket) = bucket {
        map.insert("bucketName".into(), text(bucket));
    }
    map.insert("Host".into(), text(host));
    if let Some(key) = key.filter(|_| op.level == aws_api::s3::Level::Object) {
        map.insert("key".into(), text(key));
    }
    let query = query.iter().filter(|(name, _)| !is_secret_query(name));
    let headers = headers.iter().filter(|(name, _)| is_shown_header(name));
    for (name, value) in query.chain(headers).take(PARAMETERS_MAX) {
        // What is set above came from the path: a query parameter cannot say otherwise.
        if !map.contains_key(name) {
            map.insert(cut(name).into(), text(value));
        }
    }
    map
}

fn is_secret_query(name: &str) -> bool {
    SECRET_QUERY.iter().any(|secret| name.eq_ignore_ascii_case(secret))
        || name.to_ascii_lowercase().contains(SECRET_HEADER_PART)
}

fn is_shown_header(name: &str) -> bool {
    SHOWN_HEADERS.contains(&name)
        || (SHOWN_HEADER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !name.contains(SECRET_HEADER_PART))
}

fn text(value: &str) -> Value {
    Value::String(cut(value).into())
}

pub(crate) fn cut(text: &str) -> &str {
    cut_to(text, VALUE_LEN_MAX)
}

pub(crate) fn cut_to(text: &str, len_max: usize) -> &str {
    &text[..text.floor_char_boundary(len_max)]
}
