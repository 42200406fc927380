//! The request-URI: `GET /bucket/key?name=value HTTP/1.1`.

use std::borrow::Cow;

use aws_api::s3::{Head, Method};
use percent_encoding::percent_decode;

use crate::Line;

/// How long the ids of access keys are (IAM API reference, `AccessKeyId`).
const ACCESS_KEY_ID_LEN: std::ops::RangeInclusive<usize> = 16..=128;

/// Parameters that are read of a query; the operations of S3 have a handful.
const PARAMETERS_MAX: usize = 128;

/// A request line, as far as it is needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    method: &'a [u8],
    query: &'a [u8],
}

impl<'a> Request<'a> {
    pub(crate) fn of(line: &Line<'a>) -> Option<Self> {
        let uri = line.request_uri?;
        let blank = memchr::memchr(b' ', uri)?;
        let (method, target) = (&uri[..blank], &uri[blank + 1..]);
        let target = match memchr::memrchr(b' ', target) {
            Some(at) if target[at + 1..].starts_with(b"HTTP/") => &target[..at],
            _ => target,
        };
        let query = memchr::memchr(b'?', target).map_or(&[][..], |at| &target[at + 1..]);
        Some(Self { method, query })
    }

    pub(crate) fn method(self) -> Option<Method> {
        Method::parse(str::from_utf8(self.method).ok()?)
    }

    /// Names and values as they are sent.
    fn parameters(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let parameters = self.query.split(|&byte| byte == b'&').filter(|parameter| !parameter.is_empty());
        parameters.take(PARAMETERS_MAX).map(|parameter| match memchr::memchr(b'=', parameter) {
            Some(at) => (&parameter[..at], &parameter[at + 1..]),
            None => (parameter, &[][..]),
        })
    }

    /// The value of a parameter, decoded.
    pub(crate) fn parameter(self, name: &str) -> Option<Vec<u8>> {
        let (_, value) = self.parameters().find(|(found, _)| *found == name.as_bytes())?;
        let spaced: Vec<u8> = value.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        Some(percent_decode(&spaced).collect())
    }

    /// The query, decoded, for the table of operations.
    pub(crate) fn decoded(self) -> Decoded {
        let text = |bytes: &[u8]| percent_decode(bytes).decode_utf8_lossy().into_owned();
        Decoded(self.parameters().map(|(name, value)| (text(name), text(value))).collect())
    }
}

/// A query. Headers are not in the log.
pub(crate) struct Decoded(Vec<(String, String)>);

impl Head for Decoded {
    fn query(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn has_header(&self, _: &str) -> bool {
        false
    }
}

/// The id of the access key with which the request was signed, where its query shows it: `AWSAccessKeyId` of Version 2,
/// the beginning of `X-Amz-Credential` of Version 4.
///
/// Parameters of these names mean nothing in a request that was signed in its header.
pub(crate) fn access_key_id(line: &Line<'_>) -> Option<String> {
    if !matches!(line.authentication_type, None | Some(b"QueryString")) {
        return None;
    }
    let request = Request::of(line)?;
    let (v2, v4) = (line.signature_version == Some(b"SigV2"), line.signature_version.is_some());
    let mut ids = request.parameters().filter_map(|(name, value)| {
        let id = if name == b"AWSAccessKeyId" && (v2 || !v4) {
            Cow::from(percent_decode(value))
        } else if name.eq_ignore_ascii_case(b"X-Amz-Credential") && !v2 {
            let credential: Vec<u8> = percent_decode(value).collect();
            let len = memchr::memchr(b'/', &credential).unwrap_or(credential.len());
            Cow::Owned(credential[..len].to_vec())
        } else {
            return None;
        };
        Some(id)
    });
    let id = ids.next()?;
    // Two that differ: nobody knows which one S3 took.
    if ids.any(|other| other != id) || !is_access_key_id(&id) {
        return None;
    }
    String::from_utf8(id.into_owned()).ok()
}

/// Some who pass logs on put a row of one letter in the place of an id.
fn is_access_key_id(id: &[u8]) -> bool {
    ACCESS_KEY_ID_LEN.contains(&id.len())
        && id.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && id.iter().any(|byte| *byte != id[0])
}
