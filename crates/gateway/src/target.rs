//! What a request's head names: bucket, key and operation.

use aws_api::s3::{self, Level, Method, S3Op};
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// What a request asks for, as its head says it.
#[derive(Clone)]
pub struct Target {
    /// The operation.
    pub op: &'static S3Op,
    /// The bucket, decoded.
    pub bucket: Option<String>,
    /// The key, decoded.
    pub key: Option<String>,
    /// Did the Host header name the bucket?
    pub virtual_host: bool,
    /// The Host header as it came.
    pub host: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
}

/// A head that names nothing that could be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// A path or a query that is not UTF-8 once decoded.
    #[error("Couldn't parse the specified URI.")]
    Uri,
    /// A bucket of characters that no bucket's name has. Whatever passes stands in one segment of a path, so that the bucket
    /// that is recorded is the bucket that the backend sees.
    #[error("The specified bucket is not valid.")]
    BucketName,
}

/// The longest name of a bucket, in bytes ("Bucket naming rules" in the S3 user guide; older ones have up to 255).
const BUCKET_LEN_MAX: usize = 255;

impl Target {
    /// Reads a request's head. `domains` are the host names under which the server itself is known, besides S3's own.
    pub fn of(parts: &Parts, domains: &[String]) -> Result<Self, InvalidTarget> {
        let host = host(parts);
        let host_bucket = host_bucket(&host, domains);
        let virtual_host = host_bucket.is_some();
        let (bucket, key) = split_path(parts.uri.path(), host_bucket)?;
        if bucket.as_deref().is_some_and(|bucket| !could_be_bucket(bucket)) {
            return Err(InvalidTarget::BucketName);
        }
        let query = decode_query(parts.uri.query().unwrap_or_default())?;
        let level = match (&bucket, &key) {
            (None, _) => Level::Service,
            (Some(_), None) => Level::Bucket,
            (Some(_), Some(_)) => Level::Object,
        };
        let head = Head { query: &query, parts };
        let op = if is_form_upload(parts, level) {
            &s3::POST_OBJECT
        } else if parts.method == http::Method::OPTIONS && level != Level::Service {
            &s3::PREFLIGHT
        } else {
            Method::parse(parts.method.as_str())
                .and_then(|method| s3::route(method, level, &head))
                .unwrap_or(&s3::UNKNOWN)
        };
        Ok(Self { op, bucket, key, virtual_host, host, query })
    }

    /// Stands for a head that cannot be read.
    pub fn unreadable(parts: &Parts) -> Self {
        Self { op: &s3::UNKNOWN, bucket: None, key: None, virtual_host: false, host: host(parts), query: Vec::new() }
    }
}

struct Head<'a> {
    query: &'a [(String, String)],
    parts: &'a Parts,
}

impl s3::Head for Head<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// In a presigned URL, parameters of the query stand for headers.
    fn has_header(&self, name: &str) -> bool {
        let is_presigned = || self.query("Signature").or_else(|| self.query("X-Amz-Signature")).is_some();
        self.parts.headers.contains_key(name) || (self.query(name).is_some() && is_presigned())
    }
}

fn host(parts: &Parts) -> String {
    let header =
        parts.headers.get(http::header::HOST).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    header.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default()
}

fn is_form_upload(parts: &Parts, level: Level) -> bool {
    let content_type = parts.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| {
        value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("multipart/form-data"))
    });
    parts.method == http::Method::POST && level == Level::Bucket && is_form
}

/// The bucket in a virtual-hosted-style Host header: what stands before `.s3.`, `.s3-`, `.localhost` or a configured domain.
///
/// Source: S3 user guide, "Virtual hosting of buckets".
pub fn host_bucket(host: &str, domains: &[String]) -> Option<String> {
    let name = without_port(host).to_ascii_lowercase();
    if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') {
        return None;
    }
    let of_domain = |domain: &str| name.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.')).map(str::to_owned);
    if domains.contains(&name) {
        return None;
    }
    if let Some(bucket) = domains.iter().find_map(|domain| of_domain(domain)) {
        return Some(bucket).filter(|bucket| !bucket.is_empty());
    }
    if name.starts_with("s3.") || name.starts_with("s3-") {
        return None;
    }
    let before_s3 = [".s3.", ".s3-"].iter().filter_map(|mark| name.find(mark)).min();
    let bucket = before_s3.map(|end| name[..end].to_owned()).or_else(|| of_domain("localhost"));
    bucket.filter(|bucket| !bucket.is_empty() && bucket != "s3")
}

fn could_be_bucket(name: &str) -> bool {
    name.len() <= BUCKET_LEN_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn split_path(raw_path: &str, host_bucket: Option<String>) -> Result<(Option<String>, Option<String>), InvalidTarget> {
    let path = raw_path.strip_prefix('/').unwrap_or(raw_path);
    let filled = |text: &str| decode(text).map(|text| Some(text).filter(|text| !text.is_empty()));
    if let Some(bucket) = host_bucket {
        return Ok((Some(bucket), filled(path)?));
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    Ok((filled(bucket)?, filled(key)?))
}

fn decode(text: &str) -> Result<String, InvalidTarget> {
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| InvalidTarget::Uri)
}

/// In a query `+` is a blank, as S3 reads it.
fn decode_query(query: &str) -> Result<Vec<(String, String)>, InvalidTarget> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(signature::QUERY_PARAMETERS_MAX + 1);
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &str, host: &str, uri: &str) -> (Option<String>, Option<String>, &'static str) {
        let request = http::Request::builder().method(method).uri(uri).header("host", host).body(()).unwrap();
        let target = Target::of(&request.into_parts().0, &["files.example".to_owned()]).unwrap();
        (target.bucket, target.key, target.op.name)
    }

    #[test]
    fn bucket_from_host_or_path() {
        let cases = [
            ("127.0.0.1:4566", "/b/k/with/slash", Some("b"), Some("k/with/slash")),
            ("[::1]:4566", "/b/k", Some("b"), Some("k")),
            ("localhost:4566", "/b/", Some("b"), None),
            ("b.localhost:4566", "/k", Some("b"), Some("k")),
            ("s3.pipeline.test", "/b/k", Some("b"), Some("k")),
            ("b.s3.pipeline.test:9000", "/k", Some("b"), Some("k")),
            ("B.with.dots.s3.eu-central-1.amazonaws.com", "/", Some("b.with.dots"), None),
            ("b.s3-eu-west-1.amazonaws.com", "/k", Some("b"), Some("k")),
            ("s3-eu-west-1.amazonaws.com", "/b/k", Some("b"), Some("k")),
            ("files.example", "/b/k", Some("b"), Some("k")),
            ("b.files.example", "//k", Some("b"), Some("/k")),
            ("sigtrail:4566", "/000000000000/k%2Fx%20%2B", Some("000000000000"), Some("k/x +")),
        ];
        for (host, path, bucket, key) in cases {
            let (got_bucket, got_key, _) = target("GET", host, path);
            assert_eq!((got_bucket.as_deref(), got_key.as_deref()), (bucket, key), "{host} {path}");
        }
    }

    #[test]
    fn operations() {
        let cases = [
            ("GET", "/", "ListBuckets"),
            ("GET", "/b?list-type=2&prefix=a%2Bb", "ListObjectsV2"),
            ("HEAD", "/b", "HeadBucket"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("PATCH", "/b", "UnknownOperation"),
            ("OPTIONS", "/b/k", "PreflightRequest"),
            ("GET", "/b/k?X-Amz-Signature=1", "GetObject"),
        ];
        for (method, path, op) in cases {
            assert_eq!(target(method, "127.0.0.1", path).2, op, "{method} {path}");
        }
    }

    #[test]
    fn a_bucket_is_one_segment_of_a_path() {
        let long = "a".repeat(256);
        for (host, path) in [
            ("127.0.0.1", "/logs%2Fevil/k"),
            ("logs/evil.localhost", "/k"),
            ("logs%2fevil.localhost", "/k"),
            ("logs?.localhost", "/k"),
            ("127.0.0.1", "/a%20b/k"),
            ("127.0.0.1", &format!("/{long}")),
            (&format!("{long}.localhost"), "/k"),
        ] {
            let request = http::Request::builder().uri(path).header("host", host).body(()).unwrap();
            let target = Target::of(&request.into_parts().0, &[]);
            assert_eq!(target.err(), Some(InvalidTarget::BucketName), "{host} {path}");
        }
    }

    #[test]
    fn headers_may_stand_in_the_query_of_a_presigned_url() {
        assert_eq!(target("PUT", "127.0.0.1", "/bkt/k?x-amz-copy-source=a%2Fb&Signature=s").2, "CopyObject");
        assert_eq!(target("PUT", "127.0.0.1", "/bkt/k?x-amz-copy-source=a%2Fb").2, "PutObject");
    }

    #[test]
    fn bytes_that_are_not_text() {
        let request = http::Request::builder().uri("/b/%ff").body(()).unwrap();
        assert_eq!(Target::of(&request.into_parts().0, &[]).err(), Some(InvalidTarget::Uri));
    }
}
