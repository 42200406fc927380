//! Requests as values, and the vectors of the specification as requests.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

use aws_api::Timestamp;
use bytes::Bytes;
use s3_signature::sign::{Credentials, Target};
use s3_signature::{
    Claim, Denied, MAX_SKEW_MILLIS, Payload, Policy, PostForm, RequestHead, Secret, Service, Trailers, Verified,
    VerifiedPost, classify, verify,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A request that a test may change.
#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub host_bucket: Option<String>,
    pub body: Vec<u8>,
}

/// What the verifier knows.
#[derive(Clone)]
pub struct Known {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
    pub region: Option<String>,
    pub now: Timestamp,
}

impl Known {
    pub fn secret(&self) -> Secret<'_> {
        Secret {
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
            expires: None,
        }
    }

    pub fn policy(&self) -> Policy<'_> {
        Policy { service: Service::S3, region: self.region.as_deref(), max_skew_millis: MAX_SKEW_MILLIS }
    }
}

impl Request {
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_ascii_lowercase(), value.as_bytes().to_vec()));
    }

    pub fn lines(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
    }

    pub fn head<'a>(&'a self, lines: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
        RequestHead {
            method: &self.method,
            raw_path: &self.path,
            raw_query: self.query.as_deref(),
            headers: lines,
            host_bucket: self.host_bucket.as_deref(),
        }
    }

    /// Everything that a gateway does: head, key, body.
    pub fn accepted(&self, known: &Known) -> Result<Outcome, Denied> {
        let lines = self.lines();
        let claim = match classify(self.head(&lines))? {
            Claim::Anonymous => return Ok(Outcome::Anonymous),
            Claim::Signed(claim) => claim,
        };
        let secret = (claim.access_key_id() == known.access_key_id).then(|| known.secret());
        let mut verified = verify(&claim, secret, known.now, &known.policy())?;
        let hash: [u8; 32] = Sha256::digest(&self.body).into();
        verified.check_body_sha256(&hash)?;
        let (body, trailers) = match std::mem::replace(&mut verified.payload, Payload::Unsigned) {
            Payload::Chunked(mut decoder) | Payload::UnsignedTrailer(mut decoder) => {
                let pieces = decoder.push(Bytes::from(self.body.clone()))?;
                (pieces.concat(), decoder.finish()?)
            }
            Payload::Unsigned | Payload::Sha256(_) => (self.body.clone(), Trailers::new()),
        };
        Ok(Outcome::Verified(Box::new((verified, body, trailers))))
    }
}

pub enum Outcome {
    Anonymous,
    Verified(Box<(Verified, Vec<u8>, Trailers)>),
}

/// A form that a test may change.
#[derive(Clone)]
pub struct Form {
    pub fields: Vec<(String, String)>,
    pub bucket: String,
}

impl Form {
    /// `Ok(None)`: anonymous.
    pub fn accepted(&self, known: &Known) -> Result<Option<VerifiedPost>, Denied> {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let form = PostForm { fields: &fields, bucket: &self.bucket, file_name: "a.jpg" };
        let Some(claim) = form.classify()? else { return Ok(None) };
        let secret = (claim.access_key_id() == known.access_key_id).then(|| known.secret());
        claim.verify(secret, known.now, &known.policy()).map(Some)
    }
}

pub enum Case {
    Head(Request),
    Form(Form),
}

pub struct Vector {
    pub id: String,
    pub expect: String,
    pub known: Known,
    pub case: Case,
    pub json: Value,
}

/// All vectors of the specification.
#[allow(clippy::disallowed_methods, reason = "a test reads the vectors; the library reads nothing")]
pub fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/signatures-vectors.json");
    let text = std::fs::File::open(path)
        .unwrap_or_else(|error| panic!("the vectors of the specification are missing: {path}: {error}"));
    let document: Value = serde_json::from_reader(text).unwrap();
    document["vectors"].as_array().unwrap().iter().map(vector).collect()
}

fn vector(json: &Value) -> Vector {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let id = text("id").unwrap();
    let mut known = Known {
        access_key_id: json["credentials"]["access_key"].as_str().unwrap().to_owned(),
        secret_access_key: json["credentials"]["secret_key"].as_str().unwrap().to_owned(),
        session_token: json["credentials"]["session_token"].as_str().map(str::to_owned),
        region: text("region"),
        now: Timestamp::parse_rfc3339(json["server_time"].as_str().unwrap()).unwrap(),
    };
    match id.as_str() {
        "v4-header-wrong-region" => known.region = Some("eu-central-1".to_owned()),
        "v2-header-unknown-key" => "AKIAVECTORONE0000001".clone_into(&mut known.access_key_id),
        "v2-header-bad-secret" => known.secret_access_key = secret_of_first_key(),
        _ => {}
    }
    let case = match json["form_fields"].as_object() {
        Some(fields) => Case::Form(Form {
            fields: fields.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
            bucket: "uploads".to_owned(),
        }),
        None => Case::Head(request_of(json)),
    };
    Vector { id, expect: text("expect").unwrap_or_else(|| "ok".to_owned()), known, case, json: json.clone() }
}

fn secret_of_first_key() -> String {
    "k3y/One+Zq7wB1xYt0Rr5uPd2LmN8sVhEo4JaCgF".to_owned()
}

fn request_of(json: &Value) -> Request {
    use base64::Engine;
    let url = json["signed_url"].as_str().or_else(|| json["url"].as_str()).unwrap();
    let (_, rest) = url.split_once("://").unwrap();
    let (host, target) = rest.split_once('/').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut request = Request {
        method: json["method"].as_str().unwrap().to_owned(),
        path: format!("/{path}"),
        query,
        host_bucket: host.split_once(".s3.pipeline.test").map(|(bucket, _)| bucket.to_owned()),
        ..Request::default()
    };
    request.set("host", host);
    for headers in ["headers_before", "headers_added"] {
        for (name, value) in json[headers].as_object().into_iter().flatten() {
            request.set(name, value.as_str().unwrap());
        }
    }
    for pair in json["headers_repeated"].as_array().into_iter().flatten() {
        request.set(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    for (name, value) in json["signed_headers"].as_object().into_iter().flatten() {
        if !request.headers.iter().any(|(given, _)| given == name) {
            request.set(name, value.as_str().unwrap());
        }
    }
    if let Some(date) = json["date_header"].as_str() {
        request.set("date", date);
    }
    if let Some(token) = json["credentials"]["session_token"].as_str().filter(|_| json["scheme"] == "sigv2-header") {
        request.set("x-amz-security-token", token);
    }
    if let Some(authorization) = json["authorization"].as_str() {
        request.set("authorization", authorization);
    }
    request.body = match (json["body_utf8"].as_str(), json["wire_body_base64"].as_str()) {
        (Some(body), _) => body.as_bytes().to_vec(),
        (None, Some(body)) => base64::engine::general_purpose::STANDARD.decode(body).unwrap(),
        (None, None) => Vec::new(),
    };
    request
}

pub const NOW: i64 = 1_773_480_413;

/// A key of the tests' own, at a moment of their own.
pub fn known() -> Known {
    Known {
        access_key_id: "AKIAEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        region: None,
        now: Timestamp::from_secs(NOW),
    }
}

pub fn request(method: &str, target: &str) -> Request {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
    let mut request = Request { method: method.to_owned(), path: path.to_owned(), query, ..Request::default() };
    request.set("host", "s3.example.test");
    request
}

pub fn credentials(known: &Known) -> Credentials<'_> {
    Credentials {
        access_key_id: &known.access_key_id,
        secret_access_key: &known.secret_access_key,
        session_token: known.session_token.as_deref(),
    }
}

pub fn target(service: &str) -> Target<'_> {
    Target { service, region: "eu-central-1", at: Timestamp::from_secs(NOW) }
}

pub fn element<'a>(denied: &'a Denied, name: &str) -> Option<&'a str> {
    denied.elements.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
}
