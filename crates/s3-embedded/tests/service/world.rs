//! A store in a directory of its own, and requests to the service over it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_api::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use s3_embedded::{
    DeferredUnit, EmbeddedS3, ExpectedOperation, Options, Owner, RequestId, RequestTime, Requester, Service,
    ServiceWriter, Trailers,
};
use store::Store;
use tempfile::TempDir;

/// 2026-03-14T09:26:53Z; each request comes a second after the one before.
pub const START: i64 = 1_773_480_413;
pub const ALICE: &str = "111122223333";
pub const BOB: &str = "444455556666";
/// A trail of Bob's.
pub const WRITER: ServiceWriter<'static> = ServiceWriter {
    service: "cloudtrail.amazonaws.com",
    source_arn: "arn:aws:cloudtrail:us-east-1:444455556666:trail/audit",
    source_account: BOB,
};
pub const MIB: usize = 1024 * 1024;

pub struct World {
    pub s3: EmbeddedS3,
    pub store: Store,
    service: Service,
    requests: AtomicU64,
    dir: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        Self::open(tempfile::tempdir().unwrap(), options)
    }

    fn open(dir: TempDir, options: Options) -> Self {
        // The tests must pass on a nearly full disk, too.
        let store = Store::open(dir.path(), store::Options { low_disk_bytes: 0, ..store::Options::default() }).unwrap();
        let s3 = EmbeddedS3::new(store.clone(), options);
        Self { service: s3.service(), s3, store, requests: AtomicU64::new(0), dir }
    }

    /// Closes the store and opens it again, as a restart does.
    pub async fn reopen(self) -> Self {
        self.reopen_with(Options::default()).await
    }

    pub async fn reopen_with(self, options: Options) -> Self {
        let Self { s3, store, service, requests, dir } = self;
        drop((s3, service));
        store.close().await.unwrap();
        let world = Self::open(dir, options);
        world.requests.store(requests.into_inner(), Ordering::Relaxed);
        world
    }

    pub fn ask<'w>(&'w self, method: &str, uri: &str) -> Ask<'w> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        Ask {
            world: self,
            builder: http::Request::builder()
                .method(method)
                .uri(uri)
                .extension(RequestTime(Timestamp::from_secs(START + i64::try_from(number).unwrap())))
                .extension(RequestId(uuid::Uuid::from_u128(u128::from(number) + (7 << 64)))),
            account: Some(ALICE),
            requester: None,
            body: Bytes::new(),
            length: true,
        }
    }

    /// A request that has to succeed.
    pub async fn good(&self, method: &str, uri: &str, body: impl Into<Bytes>) -> Answer {
        let answer = self.ask(method, uri).body(body).send().await;
        assert!(answer.status.is_success(), "{method} {uri}: {} {}", answer.status, answer.xml());
        answer
    }

    /// Puts a policy of these statements.
    pub async fn put_policy(&self, bucket: &str, statements: &str) {
        self.good("PUT", &format!("/{bucket}?policy"), format!(r#"{{"Statement":[{statements}]}}"#)).await;
    }

    /// Lets a service write everywhere in a bucket.
    pub async fn allow_service(&self, bucket: &str) {
        let statement = |action: &str, resource: &str| {
            format!(
                r#"{{"Effect":"Allow","Principal":{{"Service":"{}"}},"Action":"{action}","Resource":"arn:aws:s3:::{bucket}{resource}"}}"#,
                WRITER.service
            )
        };
        let statements = [statement("s3:GetBucketAcl", ""), statement("s3:PutObject", "/*")].join(",");
        self.put_policy(bucket, &statements).await;
    }

    /// Files of large bodies that are there now.
    pub fn blobs(&self) -> usize {
        let shards = std::fs::read_dir(self.dir.path().join("blobs"));
        shards
            .map_or(0, |shards| shards.flatten().map(|shard| shard.path().read_dir().map_or(0, Iterator::count)).sum())
    }

    /// Waits, with a bound, until so many files are left: they are deleted behind the answer.
    pub async fn blobs_become(&self, expected: usize) {
        for _ in 0..10_000 {
            if self.blobs() == expected {
                return;
            }
            tokio::task::yield_now().await;
            // A commit passes through the thread that deletes.
            self.store.commit(store::Unit::new()).await.unwrap();
        }
        assert_eq!(self.blobs(), expected);
    }
}

pub struct Ask<'w> {
    world: &'w World,
    builder: http::request::Builder,
    account: Option<&'static str>,
    requester: Option<Requester>,
    body: Bytes,
    length: bool,
}

impl Ask<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub fn headers(self, pairs: &[(&str, &str)]) -> Self {
        pairs.iter().fold(self, |ask, (name, value)| ask.header(name, value))
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// By another account; `None` is nobody.
    pub fn by(mut self, account: Option<&'static str>) -> Self {
        self.account = account;
        self
    }

    /// By an identity of an account that is no administrator, over plain HTTP or over TLS.
    pub fn user(mut self, account: &'static str, name: &str, secure_transport: bool) -> Self {
        self.account = Some(account);
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        self.requester = Some(Requester { arn, secure_transport, administers: false, ..Requester::root(account) });
        self
    }

    /// By a service that acts for the account.
    pub fn by_service(mut self) -> Self {
        let account = self.account.unwrap_or_default();
        self.requester = Some(Requester { sets_system_tags: true, ..Requester::root(account) });
        self
    }

    pub fn classified(mut self, operation: &'static str) -> Self {
        self.builder = self.builder.extension(ExpectedOperation(operation));
        self
    }

    pub fn trailer(mut self, name: &'static str, value: &str) -> Self {
        let trailers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]);
        let filled = OnceLock::new();
        filled.set(trailers).unwrap();
        self.builder = self.builder.extension(Trailers(Arc::new(filled)));
        self
    }

    pub fn deferred(mut self, unit: &DeferredUnit) -> Self {
        self.builder = self.builder.extension(unit.clone());
        self
    }

    /// Without `Content-Length`, as a body cut out of a form comes.
    pub fn without_length(mut self) -> Self {
        self.length = false;
        self
    }

    pub async fn send(self) -> Answer {
        let body = Full::new(self.body.clone()).boxed();
        self.send_body(body).await
    }

    /// With a body that breaks off after some bytes, with this error.
    pub async fn send_broken(self, error: Box<dyn std::error::Error + Send + Sync>) -> Answer {
        let frames = [Ok(http_body::Frame::data(self.body.clone())), Err(error)];
        self.send_body(StreamBody::new(futures::stream::iter(frames))).await
    }

    async fn send_body<B>(mut self, body: B) -> Answer
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let said = self.builder.headers_ref().is_some_and(|headers| headers.contains_key("content-length"));
        if self.length && !said {
            self.builder = self.builder.header("content-length", self.body.len());
        }
        if let Some(account) = self.account {
            let owner = Owner { account: account.to_owned(), display_name: format!("account {account}") };
            let requester = self.requester.unwrap_or_else(|| Requester::root(account));
            self.builder = self.builder.extension(owner).extension(requester);
        }
        let (parts, body) = self.world.service.call(self.builder.body(body).unwrap()).await.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        Answer { status: parts.status, headers: parts.headers, broken: body.is_err(), body: body.unwrap_or_default() }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub broken: bool,
}

impl Answer {
    pub fn xml(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The texts of all elements of this name, unescaped as far as the tests need it.
    pub fn all(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let unescape =
            |text: &str| text.replace("&quot;", "\"").replace("&apos;", "'").replace("&lt;", "<").replace("&amp;", "&");
        self.xml().split(&open).skip(1).map(|rest| unescape(rest.split(&close).next().unwrap_or_default())).collect()
    }

    pub fn one(&self, element: &str) -> Option<String> {
        self.all(element).into_iter().next()
    }

    /// Status and error code, as `404 NoSuchKey`; only the status where there is no error.
    pub fn outcome(&self) -> String {
        match self.one("Code") {
            Some(code) => format!("{} {code}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }

    pub fn etag(&self) -> String {
        self.header("etag").or_else(|| self.one("ETag")).unwrap_or_default().trim_matches('"').to_owned()
    }
}

/// One row of a table of requests: what is sent, and what comes back.
pub type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], &'c str, &'c str);

/// Sends them one after the other.
pub async fn check(world: &World, cases: &[Case<'_>]) {
    for (method, uri, headers, body, expected) in cases {
        let answer = world.ask(method, uri).headers(headers).body(body.to_string()).send().await;
        assert_eq!(answer.outcome(), *expected, "{method} {uri} {headers:?}: {}", answer.xml());
        if !answer.status.is_success() && *method != "HEAD" && answer.status != StatusCode::NOT_MODIFIED {
            assert!(answer.one("Message").is_some_and(|text| !text.is_empty()), "no text: {}", answer.xml());
        }
    }
}

/// Bytes that are not all the same.
pub fn noise(length: usize) -> Bytes {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}
