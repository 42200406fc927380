//! `requestParameters`: what a request asked for, without what nobody else should read.

use serde::{Serialize, Serializer};
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

/// `requestParameters` in order, with every text cut to its length: each name once.
pub(crate) struct RequestParameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> RequestParameters<'a> {
    /// Bucket, host and key, then the query under its wire names, then the headers that matter.
    pub fn new(
        op: &S3Op,
        bucket: Option<&'a str>,
        key: Option<&'a str>,
        host: &'a str,
        query: &'a [(String, String)],
        headers: &'a [(String, String)],
    ) -> Self {
        let key = key.filter(|_| op.level == aws_api::s3::Level::Object);
        let named = [("bucketName", bucket), ("Host", Some(host)), ("key", key)];
        let named = named.into_iter().filter_map(|(name, value)| Some((name, cut(value?))));
        let mut parameters = Self(named.collect());
        let query = query.iter().filter(|(name, _)| !is_secret_query(name));
        let headers = headers.iter().filter(|(name, _)| is_shown_header(name));
        for (name, value) in query.chain(headers).take(PARAMETERS_MAX) {
            // What is set above came from the path: a query parameter cannot say otherwise.
            if !parameters.0.iter().any(|(given, _)| given == name) {
                parameters.add(cut(name), cut(value));
            }
        }
        parameters
    }

    /// Of two long names that are cut to the same, the later counts.
    fn add(&mut self, name: &'a str, value: &'a str) {
        match self.0.iter_mut().find(|(given, _)| *given == name) {
            Some((_, given)) => *given = value,
            None => self.0.push((name, value)),
        }
    }

    /// The same as a JSON object.
    pub fn to_map(&self) -> Map<String, Value> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    }
}

impl Serialize for RequestParameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

fn is_secret_query(name: &str) -> bool {
    SECRET_QUERY.iter().any(|secret| name.eq_ignore_ascii_case(secret))
        || name.to_ascii_lowercase().contains(SECRET_HEADER_PART)
}

/// Whether a header, its name in lower case, is among the `requestParameters` of a record; all others need not be kept for it.
pub fn is_shown_header(name: &str) -> bool {
    SHOWN_HEADERS.contains(&name)
        || (SHOWN_HEADER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !name.contains(SECRET_HEADER_PART))
}

pub(crate) fn cut(text: &str) -> &str {
    cut_to(text, VALUE_LEN_MAX)
}

pub(crate) fn cut_to(text: &str, len_max: usize) -> &str {
    &text[..text.floor_char_boundary(len_max)]
}
