//! The request as the backend gets it: path style, without credentials, with a plain body.

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body::Body as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::audit::Exchange;
use crate::backend::Body;
use crate::payload::{Inbound, header};

/// Unreserved characters of RFC 3986 and the slash stay as they are in a path.
pub(crate) const KEY_ESCAPES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Query parameters that prove who asks; they say nothing about what is asked.
const CREDENTIAL_QUERY: &[&str] = &[
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "x-amz-security-token",
];

/// Headers that do the same, or that describe the framing that is gone.
const CREDENTIAL_HEADERS: &[&str] =
    &["x-amz-content-sha256", "x-amz-date", "x-amz-decoded-content-length", "x-amz-security-token"];

/// Builds the backend's request. `query_headers` are headers that a presigned URL carries as query parameters.
pub(crate) fn request(
    exchange: &Exchange,
    parts: Parts,
    inbound: &Inbound,
    query_headers: &[(String, String)],
) -> Request<Body> {
    let body = inbound.body();
    let mut headers = parts.headers;
    strip(&mut headers, body.size_hint().exact());
    for (name, value) in query_headers.iter().filter_map(|(name, value)| header(name, value)) {
        headers.entry(name).or_insert(value);
    }
    // The bucket stands in the path now; the host would only name it once more.
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = path_style(exchange, &parts.uri, query_headers);
    *request.headers_mut() = headers;
    request
}

fn strip(headers: &mut HeaderMap, len: Option<u64>) {
    for name in CREDENTIAL_HEADERS {
        headers.remove(*name);
    }
    for name in [AUTHORIZATION, EXPECT] {
        headers.remove(name);
    }
    if headers.remove(TRANSFER_ENCODING).is_some() || headers.contains_key(CONTENT_LENGTH) {
        headers.remove(CONTENT_LENGTH);
        if let Some(len) = len {
            headers.insert(CONTENT_LENGTH, len.into());
        }
    }
    let codings = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if codings.contains("aws-chunked") {
        let rest: Vec<_> = codings.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked").collect();
        let rest = rest.join(",");
        headers.remove(CONTENT_ENCODING);
        if let Ok(rest) = HeaderValue::from_str(&rest)
            && !rest.is_empty()
        {
            headers.insert(CONTENT_ENCODING, rest);
        }
    }
}

/// `/bucket/key?query`, made of the bucket and the key that the request is recorded under; the query without credentials.
fn path_style(exchange: &Exchange, uri: &Uri, query_headers: &[(String, String)]) -> Uri {
    let bucket = exchange.target.bucket.as_deref().unwrap_or_default();
    let mut text = match &exchange.target.key {
        Some(key) => format!("/{bucket}/{}", utf8_percent_encode(key, KEY_ESCAPES)),
        None => format!("/{bucket}"),
    };
    let is_header = |name: &str| query_headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
    let mut separator = '?';
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        if !CREDENTIAL_QUERY.contains(&&*name) && !is_header(&name) {
            text.push(separator);
            text.push_str(pair);
            separator = '&';
        }
    }
    // It is made of parts of a URI that was one.
    text.parse().unwrap_or_default()
}
