//! Requests made by hand, and a look at what was written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_api::{Role, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gateway::{Audit, Body, Embedded, Key, KeyRing, Peer, Recorder, Surroundings};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use record::{Entry, Outcome, Record, UserIdentity};
use s3_embedded::EmbeddedS3;
use sha2::{Digest, Sha256};
use signature::RequestHead;
use signature::sign::{self, Credentials, Target};
use store::Store;
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);
pub const ACCOUNT: &str = "111122223333";
pub const ARN: &str = "arn:aws:iam::111122223333:user/u";
const HOST: &str = "127.0.0.1:4566";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// A key with the role `s3`.
    V2,
    /// A key with the role `admin`.
    V4,
}

pub use Signer::{V2, V4};

impl Signer {
    fn credentials(self) -> Credentials<'static> {
        let access_key_id = if self == V2 { "AKIAV2" } else { "AKIAV4" };
        Credentials { access_key_id, secret_access_key: "secret", session_token: None }
    }
}

pub struct Harness {
    audit: Audit<Embedded>,
    store: Store,
    seen: AtomicU64,
    _dir: tempfile::TempDir,
}

impl Harness {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), store::Options::default()).unwrap();
        let key = |id: &str, role| Key {
            access_key_id: id.into(),
            secret_access_key: "secret".into(),
            session_token: None,
            expires: None,
            role,
            identity: UserIdentity {
                kind: "IAMUser".into(),
                arn: Some(ARN.into()),
                account_id: Some(ACCOUNT.into()),
                access_key_id: Some(id.into()),
                ..UserIdentity::default()
            },
        };
        let ids = AtomicU64::new(1);
        let around = Surroundings {
            keys: Arc::new(KeyRing::new([key("AKIAV2", Role::S3), key("AKIAV4", Role::Admin)])),
            clock: Arc::new(|| NOW),
            ids: Arc::new(move || Uuid::from_u128(u128::from(ids.fetch_add(1, Ordering::Relaxed)) << 64)),
            domains: Vec::new(),
            region: "us-east-1".into(),
            account: ACCOUNT.into(),
            is_log_bucket: Arc::new(|bucket| bucket == "logs"),
            refusals: Arc::default(),
        };
        let s3 = EmbeddedS3::new(store.clone(), s3_embedded::Options::default());
        let audit = Audit::new(Embedded::new(s3, "us-east-1"), store.clone(), around);
        Self { audit, store, seen: AtomicU64::new(0), _dir: dir }
    }

    pub async fn with_bucket() -> Self {
        let harness = Self::new().await;
        assert_eq!(harness.signed(V4, "PUT", "/bkt", b"").await.status, StatusCode::OK);
        harness.only_record();
        harness
    }

    pub fn recorder(&self) -> &Recorder {
        self.audit.recorder()
    }

    /// Records since the last look.
    pub fn records(&self) -> Vec<(Outcome, Record)> {
        let from = self.seen.load(Ordering::Relaxed) + 1;
        let entries = self.store.log().read(from, usize::MAX, usize::MAX).unwrap();
        if let Some((last, _)) = entries.last() {
            self.seen.store(*last, Ordering::Relaxed);
        }
        entries
            .iter()
            .map(|(_, bytes)| Entry::decode(bytes).unwrap())
            .map(|entry| (entry.outcome, entry.record().unwrap()))
            .collect()
    }

    pub fn only_record(&self) -> (Outcome, Record) {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{records:?}");
        records.remove(0)
    }

    /// Waits for a record that is written behind the answer.
    pub async fn next_record(&self) -> (Outcome, Record) {
        let from = self.seen.load(Ordering::Relaxed);
        self.store.log().subscribe().wait_for(|last| *last > from).await.unwrap();
        self.only_record()
    }

    pub fn open_entries(&self) -> usize {
        self.store.open_entries().unwrap().len()
    }

    pub async fn answer(&self, request: Made) -> Response<Body> {
        let peer = Peer { address: [192, 0, 2, 1].into(), tls: None };
        self.audit.call(request.into_http(), &peer).await
    }

    pub async fn send(&self, request: Made) -> Answer {
        let (parts, body) = Box::pin(self.answer(request)).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn signed(&self, signer: Signer, method: &str, path: &str, body: &[u8]) -> Answer {
        self.send(self.request(signer, method, path, body)).await
    }

    pub fn request(&self, signer: Signer, method: &str, path: &str, body: &[u8]) -> Made {
        self.request_to(HOST, signer, method, path, body)
    }

    pub fn request_to(&self, host: &str, signer: Signer, method: &str, path: &str, body: &[u8]) -> Made {
        made(host, signer, method, path, body, NOW)
    }

    /// Signed with SigV4 for this region.
    pub fn request_in(&self, region: &str, method: &str, path: &str) -> Made {
        made_in(region, HOST, V4, method, path, b"", NOW)
    }

    pub fn skewed(&self, signer: Signer, method: &str, path: &str, secs: i64) -> Made {
        made(HOST, signer, method, path, b"", NOW.plus_secs(secs))
    }

    pub fn anonymous(&self, method: &str, path: &str) -> Made {
        Made::new(method, path, vec![("host".into(), HOST.into())], b"")
    }

    pub fn presigned_v2(&self, method: &str, path: &str, secs: i64) -> Made {
        let mut request = self.anonymous(method, path);
        let query =
            request.with_head(None, |head| sign::v2_query(head, &V2.credentials(), NOW.plus_secs(secs)).unwrap());
        request.path = format!("{path}?{query}");
        request
    }

    fn presigned_v4(&self, method: &str, path: &str) -> Made {
        let mut request = self.anonymous(method, path);
        let target = Target { service: "s3", region: "us-east-1", at: NOW };
        let query = request.with_head(None, |head| sign::v4_query(head, &V4.credentials(), &target, 300).unwrap());
        request.path = format!("{path}?{query}");
        request
    }

    /// A browser's form for keys below `in/` and files of up to 100 bytes.
    pub fn form(&self, key: &str, fields: &[(&str, &str)], file: &[u8], signed: &str) -> Made {
        let policy = STANDARD.encode(concat!(
            r#"{"expiration":"2026-03-14T10:26:53Z","conditions":[{"bucket":"bkt"},["starts-with","$key","in/"],"#,
            r#"["content-length-range",1,100],["starts-with","$success_action_status",""],["eq","$x-amz-meta-colour","red"]]}"#
        ));
        let mut signature = sign::v2_post(&V2.credentials(), &policy);
        if signed == "wrong" {
            signature = STANDARD.encode([0; 20]);
        }
        let own = [("key", key), ("AWSAccessKeyId", "AKIAV2"), ("policy", &policy), ("signature", &signature)];
        let mut body = Vec::new();
        for (name, value) in own.iter().chain(fields) {
            let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(
            b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n",
        );
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let headers = vec![
            ("host".into(), HOST.into()),
            ("content-type".into(), "multipart/form-data; boundary=edge".into()),
            ("content-length".into(), body.len().to_string()),
        ];
        Made::new("POST", "/bkt", headers, &body)
    }

    /// One of each kind that can be changed by a byte: PUTs of the same key.
    pub fn good_requests(&self) -> Vec<Made> {
        let body: Vec<u8> = (0..120).map(|byte| b'a' + byte % 26).collect();
        let mut requests = vec![
            self.request(V4, "PUT", "/bkt/mutated", &body),
            self.presigned_v4("PUT", "/bkt/mutated"),
            self.presigned_v2("PUT", "/bkt/mutated", 300),
        ];
        // SigV2 binds the body by Content-MD5 only.
        requests.push(self.request(V2, "PUT", "/bkt/mutated", b""));
        requests
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn error_code(&self) -> Option<String> {
        gateway::ErrorDocument::parse(&self.body).map(|document| document.code)
    }
}

/// A request before it is sent.
pub struct Made {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    bytes: Vec<u8>,
    pub body: Body,
}

fn body(bytes: &[u8]) -> Body {
    Full::new(Bytes::copy_from_slice(bytes)).map_err(|never| match never {}).boxed_unsync()
}

fn made(host: &str, signer: Signer, method: &str, path: &str, bytes: &[u8], at: Timestamp) -> Made {
    made_in("us-east-1", host, signer, method, path, bytes, at)
}

fn made_in(region: &str, host: &str, signer: Signer, method: &str, path: &str, bytes: &[u8], at: Timestamp) -> Made {
    let mut headers = vec![("host".to_owned(), host.to_owned()), ("user-agent".to_owned(), "test/1".to_owned())];
    if !bytes.is_empty() {
        headers.push(("content-length".into(), bytes.len().to_string()));
    }
    let mut request = Made::new(method, path, headers, bytes);
    let bucket = host.strip_suffix(".s3.example");
    let signed = request.with_head(bucket, |head| match signer {
        V2 => sign::v2_header(head, &signer.credentials(), at).unwrap(),
        V4 => {
            let target = Target { service: "s3", region, at };
            sign::v4_header(head, &signer.credentials(), &target, &hex::encode(Sha256::digest(bytes))).unwrap()
        }
    });
    request.headers.extend(signed.headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
    request
}

impl Made {
    fn new(method: &str, path: &str, headers: Vec<(String, String)>, bytes: &[u8]) -> Self {
        Self { method: method.into(), path: path.into(), headers, bytes: bytes.into(), body: body(bytes) }
    }

    fn with_head<T>(&self, host_bucket: Option<&str>, use_head: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (raw_path, raw_query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.path.as_str(), None),
        };
        use_head(&RequestHead { method: &self.method, raw_path, raw_query, headers: &headers, host_bucket })
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn with_path(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }

    pub fn with_body(self, bytes: &[u8]) -> Self {
        let mut changed = Self { bytes: bytes.into(), body: body(bytes), ..self };
        changed = changed.with_header("content-length", &bytes.len().to_string());
        changed
    }

    pub fn duplicate(&self) -> Self {
        let (method, path, headers) = (self.method.clone(), self.path.clone(), self.headers.clone());
        Self { method, path, headers, bytes: self.bytes.clone(), body: body(&self.bytes) }
    }

    pub fn name(&self) -> String {
        format!("{} {} {:?} {}", self.method, self.path, self.headers, String::from_utf8_lossy(&self.bytes))
    }

    /// What is signed of it, changed by one byte: the path, the query, the values of signed headers, the body.
    pub fn mutations(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for text in changed(self.path.as_bytes(), b"/?&=%") {
            let mut changed = self.duplicate();
            changed.path = text;
            all.push(changed);
        }
        let covered = ["authorization", "date", "x-amz-date", "x-amz-content-sha256"];
        for (at, (name, value)) in
            self.headers.iter().enumerate().filter(|(_, (name, _))| covered.contains(&name.as_str()))
        {
            for text in changed(value.as_bytes(), b"") {
                // White space around a value is not part of it.
                if text.trim() != value.trim() && http::HeaderValue::from_str(&text).is_ok() {
                    let mut changed = self.duplicate();
                    changed.headers[at] = (name.clone(), text);
                    all.push(changed);
                }
            }
        }
        for position in 0..self.bytes.len() {
            for flip in [1, 2, 128] {
                let mut bytes = self.bytes.clone();
                bytes[position] ^= flip;
                all.push(self.duplicate().with_body(&bytes));
            }
        }
        all
    }

    fn into_http(self) -> Request<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body).unwrap()
    }
}

/// Each byte replaced by each of a dozen others; separators stay, because without them it is another kind of request.
fn changed(text: &[u8], kept: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for position in (0..text.len()).filter(|position| !kept.contains(&text[*position])) {
        for byte in *b"aZ09-_~.+:f;bY18" {
            if byte != text[position] {
                let mut other = text.to_vec();
                other[position] = byte;
                all.push(String::from_utf8(other).unwrap());
            }
        }
    }
    all
}
