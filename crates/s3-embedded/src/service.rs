//! The HTTP side: what `s3s` needs around it to answer as S3 does.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, StdError};

use crate::EmbeddedS3;
use crate::body::body_error;
use crate::checksum::{Claimed, Hasher};
use crate::context::{ExpectedOperation, Owner, RawHead, Trailers};
use crate::error::{DETAIL, access_denied, default_message, fail, header_not_implemented, internal, invalid_argument};
use crate::object::attributes::UnquotedETag;
use crate::object::check_key;

/// Most bytes of an XML body: 10,000 completed parts with checksums, or 1,000 keys of 1,024 bytes, fit.
pub(crate) const XML_BODY_MAX: usize = 4 * 1024 * 1024;

/// Headers that our own code reads from the head as it came: `s3s` would refuse values that S3 ignores or keeps as they are.
/// `Host` is among them because bucket names are in the path by now.
const OWN_HEADERS: [HeaderName; 14] = [
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::EXPIRES,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("x-amz-decoded-content-length"),
];
/// What an SDK would do with a body that it does not have yet; it says nothing of the one that came.
const NOT_HOISTED: [&str; 1] = ["x-amz-sdk-checksum-algorithm"];
const COPY_SOURCE_IF: &str = "x-amz-copy-source-if-";

/// S3 as an HTTP service over an open store.
///
/// A request is path-style, without credentials, its body decoded; extensions carry what is known of it (`RequestTime`,
/// `RequestId`, `Owner`, `Requester`, `Trailers`, `ExpectedOperation`, `DeferredUnit`). If `x-amz-decoded-content-length` is there, it is the
/// length of the body; else `Content-Length`, if that is there.
#[derive(Clone, Debug)]
pub struct Service(S3Service);

impl Service {
    pub(crate) fn new(s3: EmbeddedS3) -> Self {
        let mut builder = S3ServiceBuilder::new(s3);
        builder.set_auth(NoKeys);
        builder.set_access(Access);
        Self(builder.build())
    }

    /// Answers a request. Every failure is an answer, too.
    ///
    /// A body that ends in an [`S3Error`] (a chunk with a wrong signature, say) fails the operation with that error; any other
    /// error of the body is `IncompleteBody`.
    pub async fn call<B>(&self, request: http::Request<B>) -> http::Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        let method = request.method().clone();
        let answer = match prepare(request).await {
            Ok(request) => self.0.call(request).await.map_err(|error| internal(StdError::from(error))),
            Err(error) => Err(error),
        };
        finish(&method, answer.or_else(S3Error::to_http_response))
    }
}

async fn prepare<B>(request: http::Request<B>) -> S3Result<http::Request<Body>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    let (mut parts, body) = request.into_parts();
    hoist(&mut parts)?;
    let head = Arc::new(parts.headers.clone());
    let body = if streams(&parts) {
        Body::http_body_unsync(body.map_err(Into::into))
    } else {
        let whole = collect(body).await?;
        verify(&parts, &head, &whole)?;
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
        Body::from(whole)
    };
    for name in &OWN_HEADERS {
        parts.headers.remove(name);
    }
    let conditions: Vec<HeaderName> =
        parts.headers.keys().filter(|name| name.as_str().starts_with(COPY_SOURCE_IF)).cloned().collect();
    for name in conditions {
        parts.headers.remove(name);
    }
    join_metadata(&mut parts.headers);
    parts.extensions.insert(RawHead(head));
    Ok(http::Request::from_parts(parts, body))
}

/// User metadata that comes twice becomes one comma-separated value ("Working with object metadata").
fn join_metadata(headers: &mut HeaderMap) {
    let repeated =
        |name: &HeaderName| name.as_str().starts_with("x-amz-meta-") && headers.get_all(name).iter().nth(1).is_some();
    let names: Vec<HeaderName> = headers.keys().filter(|name| repeated(name)).cloned().collect();
    for name in names {
        let values: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(&b',')) {
            headers.insert(name, joined);
        }
    }
}

/// SDKs that sign a URL move `x-amz-*` headers into its query (AWS SDK for JavaScript: "hoistable headers"), where S3 takes them
/// for headers. One that is in both places stays as it is in the head.
fn hoist(parts: &mut http::request::Parts) -> S3Result<()> {
    let pairs = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    for (name, value) in pairs.filter(|(name, _)| name.starts_with("x-amz-") && !NOT_HOISTED.contains(name)) {
        let value = percent_encoding::percent_decode_str(&value.replace('+', " ")).collect::<Vec<u8>>();
        let header = HeaderName::try_from(name).ok().zip(HeaderValue::from_bytes(&value).ok());
        let (name, value) = header.ok_or_else(|| invalid_argument("A header in the query of the URL is invalid."))?;
        if name.as_str() == "x-amz-copy-source" {
            return Err(header_not_implemented());
        }
        parts.headers.entry(name).or_insert(value);
    }
    Ok(())
}

/// Whether the body is an object's or a part's. All others are short, and XML if anything.
fn streams(parts: &http::request::Parts) -> bool {
    const XML: [&str; 5] = ["acl", "legal-hold", "retention", "tagging", "encryption"];
    let key = parts.uri.path().strip_prefix('/').and_then(|path| path.split_once('/')).map(|(_, key)| key);
    let query = parts.uri.query().unwrap_or_default();
    let names = || query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    parts.method == Method::PUT
        && key.is_some_and(|key| !key.is_empty())
        && !parts.headers.contains_key("x-amz-copy-source")
        && !names().any(|name| XML.contains(&name))
}

async fn collect<B>(body: B) -> S3Result<Bytes>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<StdError>,
{
    match Limited::new(body, XML_BODY_MAX).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(fail(S3ErrorCode::MaxMessageLengthExceeded, "Your request was too big."))
        }
        Err(error) => Err(body_error(error)),
    }
}

/// `CreateBucket` takes tags since 2025, and `s3s` passes over what it does not know.
fn refuse_bucket_tags(parts: &http::request::Parts, whole: &[u8]) -> S3Result<()> {
    let creates = parts.extensions.get::<ExpectedOperation>().is_some_and(|op| op.0 == "CreateBucket");
    if creates && whole.windows(4).any(|name| name == b"<Tag") {
        return Err(fail(S3ErrorCode::NotImplemented, "Tags of buckets are not supported."));
    }
    Ok(())
}

/// Checks what the head says of a short body. On `CompleteMultipartUpload` the checksum is the object's.
fn verify(parts: &http::request::Parts, head: &HeaderMap, whole: &[u8]) -> S3Result<()> {
    refuse_bucket_tags(parts, whole)?;
    if let Some(length) =
        head.get(header::CONTENT_LENGTH).filter(|_| !head.contains_key("x-amz-decoded-content-length"))
        && length.to_str().ok().and_then(|length| length.parse().ok()) != Some(whole.len())
    {
        return Err(crate::error::incomplete_body());
    }
    let completes = parts.method == Method::POST && parts.uri.query().is_some_and(|query| query.contains("uploadId="));
    let describes_body = !whole.is_empty() && !completes;
    let claimed = if describes_body { Claimed::from_head(head)? } else { Claimed::md5_only(head)? };
    let algorithms: Vec<_> = claimed.algorithm().into_iter().collect();
    let mut hasher = Hasher::new(&algorithms);
    hasher.update(whole);
    let trailers = parts.extensions.get::<Trailers>().and_then(|trailers| trailers.0.get());
    claimed.verify(&hasher.finish(), trailers)
}

/// Makes of `s3s`'s answer what S3 would have sent.
fn finish(method: &Method, answer: S3Result<http::Response<Body>>) -> http::Response<Body> {
    let mut answer = answer.unwrap_or_else(|_| {
        let mut bare = http::Response::new(Body::empty());
        *bare.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        bare
    });
    let status = answer.status();
    let failed = status.is_client_error() || status.is_server_error();
    if status == StatusCode::NOT_MODIFIED || (failed && method == Method::HEAD) {
        *answer.body_mut() = Body::empty();
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        if status == StatusCode::NOT_MODIFIED {
            answer.headers_mut().remove(header::CONTENT_TYPE);
        }
    } else if failed {
        rewrite(&mut answer, with_message);
        if let Some(detail) = answer.headers_mut().remove(DETAIL) {
            rewrite(&mut answer, |xml| with_detail(xml, &detail));
        }
    } else if method == Method::HEAD && answer.headers().contains_key(header::CONTENT_RANGE) {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    } else if answer.extensions_mut().remove::<UnquotedETag>().is_some() {
        rewrite(&mut answer, |xml| Some(xml.replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>")));
    }
    // Bodies of objects are streams, which this leaves alone. A policy is JSON, and goes out as it came.
    if answer.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        rewrite(&mut answer, without_control_characters);
    }
    answer
}

fn rewrite(answer: &mut http::Response<Body>, change: impl FnOnce(&str) -> Option<String>) {
    let Some(bytes) = answer.body().bytes() else { return };
    if let Some(changed) = std::str::from_utf8(&bytes).ok().and_then(change) {
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        *answer.body_mut() = Body::from(changed);
    }
}

/// Writes control characters of keys as references, as S3 does: a reader of XML turns a bare CR into LF.
fn without_control_characters(xml: &str) -> Option<String> {
    let bare = |c: char| c.is_ascii_control() && c != '\n' && c != '\t';
    if !xml.contains(bare) {
        return None;
    }
    let mut written = String::with_capacity(xml.len() + 64);
    for c in xml.chars() {
        if bare(c) {
            written.extend(["&#x", &hex::encode([u8::try_from(u32::from(c)).unwrap_or_default()]), ";"]);
        } else {
            written.push(c);
        }
    }
    Some(written)
}

/// Errors that `s3s` itself finds come without a text.
fn with_message(xml: &str) -> Option<String> {
    if xml.contains("<Message>") {
        return None;
    }
    let (before, rest) = xml.split_once("</Code>")?;
    let (_, code) = before.split_once("<Code>")?;
    Some(format!("{before}</Code><Message>{}</Message>{rest}", default_message(code).unwrap_or(code)))
}

/// `Detail`, with which S3 says where a policy is wrong.
fn with_detail(xml: &str, detail: &HeaderValue) -> Option<String> {
    let detail = String::from_utf8_lossy(detail.as_bytes());
    let detail = detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (before, after) = xml.split_once("</Message>")?;
    Some(format!("{before}</Message><Detail>{detail}</Detail>{after}"))
}

/// Signatures were verified before; one that is still here is not ours to judge.
struct NoKeys;

#[async_trait::async_trait]
impl S3Auth for NoKeys {
    async fn get_secret_key(&self, _access_key: &str) -> S3Result<SecretKey> {
        Err(internal("a request's credentials were not taken off"))
    }
}

/// The check before each operation: is it the one that was announced, and does anybody ask.
struct Access;

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let announced = cx.extensions_mut().get::<ExpectedOperation>().copied();
        let operation = cx.s3_op().name();
        if let Some(ExpectedOperation(expected)) = announced
            && expected != operation
        {
            return Err(internal(format!("classified as {expected}, but it is {operation}")));
        }
        if cx.extensions_mut().get::<Owner>().is_none() {
            return Err(access_denied());
        }
        cx.s3_path().get_object_key().map_or(Ok(()), check_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_and_parts_stream() {
        let cases = [
            ("PUT", "/b/k", true),
            ("PUT", "/b/k?partNumber=1&uploadId=x", true),
            ("PUT", "/b/k?tagging", false),
            ("PUT", "/b/k?acl=", false),
            ("PUT", "/b", false),
            ("PUT", "/b/", false),
            ("POST", "/b/k?uploads", false),
            ("POST", "/b?delete", false),
            ("GET", "/b/k", false),
        ];
        for (method, uri, expected) in cases {
            let (parts, ()) = http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
            assert_eq!(streams(&parts), expected, "{method} {uri}");
        }
    }

    #[test]
    fn errors_have_a_text() {
        let xml = "<Error><Code>InvalidBucketName</Code></Error>";
        let expected =
            "<Error><Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message></Error>";
        assert_eq!(with_message(xml).as_deref(), Some(expected));
        assert_eq!(with_message(expected), None);
    }

    #[test]
    fn control_characters_are_references() {
        assert_eq!(without_control_characters("<Key>a\rb\u{1}</Key>").as_deref(), Some("<Key>a&#x0d;b&#x01;</Key>"));
        assert_eq!(without_control_characters("<Key>a\n\té</Key>"), None);
    }
}
