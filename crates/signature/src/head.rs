//! The request head as it came.

use crate::denied::Denied;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Longest head that is looked at: path, query, header names and values, in bytes.
///
/// S3 itself stops at 8 KiB; session tokens and the `GET` form of the Query protocol need more.
pub const HEAD_LEN_MAX: usize = 64 * 1024;
/// Most header lines in one request.
pub const HEADERS_MAX: usize = 128;
/// Most query parameters in one request.
pub const QUERY_PARAMETERS_MAX: usize = 1024;
/// Longest access key id; IAM's limit is 128 characters.
pub const ACCESS_KEY_ID_LEN_MAX: usize = 128;

/// The request head as it came, nothing decoded.
///
/// From `http::Request` parts: `headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect::<Vec<_>>()`,
/// with a `host` line made of the authority where the request is HTTP/2.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// The path as sent, up to the `?`.
    pub raw_path: &'a str,
    /// What follows the `?`, as sent; `None` without a `?`.
    pub raw_query: Option<&'a str>,
    /// Header lines in arrival order; the names are lower-case, a repeated header has a line each time.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The bucket if it came from the `Host` header (virtual-host style or CNAME).
    pub host_bucket: Option<&'a str>,
}

/// One query parameter: the name decoded, because another spelling of a name must not hide it; the rest as sent.
#[derive(Clone)]
pub(crate) struct QueryPair<'a> {
    pub(crate) name: Cow<'a, [u8]>,
    pub(crate) raw_name: &'a str,
    /// `None`: no equals sign.
    pub(crate) raw_value: Option<&'a str>,
}

impl<'a> QueryPair<'a> {
    /// Percent-decoded; a `+` stays one, as it does where `SigV2` clients sign (and as base64 needs it).
    pub(crate) fn value(&self) -> Cow<'a, [u8]> {
        percent_decode_str(self.raw_value.unwrap_or_default()).into()
    }
}

impl<'a> RequestHead<'a> {
    /// The values of one header in arrival order, each without the blanks around it.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(given, _)| *given == name).map(|(_, value)| trim(value))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// All values of one header joined with a comma, empty if there is none.
    pub(crate) fn joined(&self, name: &str) -> Cow<'a, [u8]> {
        join(self.values(name))
    }

    /// The header as text, if it is there and is UTF-8. A repeated header reads as one joined value.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        if !self.has(name) {
            return None;
        }
        match self.joined(name) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// The query, split; refuses a head beyond the bounds and header names that are not lower-case, which would slip through
    /// the rule that every `x-amz-` header must be signed.
    pub(crate) fn checked_query(&self) -> Result<Vec<QueryPair<'a>>, Denied> {
        let query = self.raw_query.unwrap_or_default();
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        let len = self.raw_path.len() + query.len() + headers.sum::<usize>();
        if len > HEAD_LEN_MAX || self.headers.len() > HEADERS_MAX {
            return Err(Denied::head_too_large());
        }
        if self.headers.iter().any(|(name, _)| name.bytes().any(|byte| byte.is_ascii_uppercase())) {
            return Err(Denied::invalid_request("Header names must be given in lower case."));
        }
        let pairs: Vec<_> = split_query(query).take(QUERY_PARAMETERS_MAX + 1).collect();
        if pairs.len() > QUERY_PARAMETERS_MAX {
            return Err(Denied::head_too_large());
        }
        Ok(pairs)
    }
}

fn split_query(query: &str) -> impl Iterator<Item = QueryPair<'_>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (raw_name, raw_value) = match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        };
        QueryPair { name: percent_decode_str(raw_name).into(), raw_name, raw_value }
    })
}

pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

fn join<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Cow<'a, [u8]> {
    let mut joined = Cow::Borrowed(values.next().unwrap_or_default());
    for value in values {
        let all = joined.to_mut();
        all.push(b',');
        all.extend_from_slice(value);
    }
    joined
}
