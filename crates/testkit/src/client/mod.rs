//! A small blocking client: signed requests over one connection, and each answer as it came.
//!
//! Not an SDK: it never tries again, because what a crash test counts is what was answered.

mod http;

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_api::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use signature::RequestHead;
use signature::sign::{Credentials, Target, v2_header, v4_header};

pub use http::Answer;
use http::Connection;

/// The region that requests are signed for.
pub const REGION: &str = "us-east-1";

/// A key of the server's config.
#[derive(Clone, Copy)]
pub struct Key {
    /// Its id.
    pub access_key_id: &'static str,
    /// Its secret.
    pub secret_access_key: &'static str,
}

impl Key {
    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            access_key_id: self.access_key_id,
            secret_access_key: self.secret_access_key,
            session_token: None,
        }
    }
}

/// Which signature an S3 request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Signature Version 2, in the header.
    SigV2,
    /// Signature Version 4, in the header.
    SigV4,
}

/// One connection and the key that signs on it.
pub struct Client {
    connection: Connection,
    key: Key,
}

impl Client {
    /// Connects to `127.0.0.1:PORT`.
    pub fn connect(address: &str, key: Key) -> io::Result<Self> {
        Ok(Self { connection: Connection::open(address)?, key })
    }

    /// An S3 request in path style. `path` and `query` are sent as they are.
    pub fn s3(
        &mut self,
        scheme: Scheme,
        method: &str,
        path: &str,
        query: Option<&str>,
        body: &[u8],
    ) -> io::Result<Answer> {
        let host = self.connection.address().to_owned();
        let headers = [("host", host.as_bytes())];
        let head = RequestHead { method, raw_path: path, raw_query: query, headers: &headers, host_bucket: None };
        let credentials = self.key.credentials();
        let signed = match scheme {
            Scheme::SigV2 => v2_header(&head, &credentials, now()),
            Scheme::SigV4 => v4_header(&head, &credentials, &target("s3"), &hex_sha256(body)),
        };
        let signed = signed.map_err(|denied| io::Error::other(format!("{denied:?}")))?;
        self.connection.send(method, path, query, &signed.headers, body)
    }

    /// A request of the JSON protocols: `version` is `1.0` or `1.1`. An answer that is not 200 is an error.
    pub fn json(&mut self, service: &str, version: &str, operation: &str, input: &Value) -> io::Result<Value> {
        let content_type = format!("application/x-amz-json-{version}");
        let own = [("content-type", content_type.as_str()), ("x-amz-target", operation)];
        let answer = self.rpc(service, operation, &own, input.to_string().as_bytes())?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// A request of the Query protocol with these parameters; the answer's XML. One that is not 200 is an error.
    pub fn query(
        &mut self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> io::Result<String> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let named = [("Action", action), ("Version", version)];
        let all = named.iter().chain(parameters);
        let pairs: Vec<_> = all.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let own = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.rpc(service, action, &own, pairs.join("&").as_bytes())?;
        String::from_utf8(answer).map_err(io::Error::other)
    }

    fn rpc(&mut self, service: &str, operation: &str, own: &[(&str, &str)], body: &[u8]) -> io::Result<Vec<u8>> {
        let host = self.connection.address().to_owned();
        let mut headers = vec![("host", host.as_bytes())];
        headers.extend(own.iter().map(|(name, value)| (*name, value.as_bytes())));
        let head = RequestHead { method: "POST", raw_path: "/", raw_query: None, headers: &headers, host_bucket: None };
        let signed = v4_header(&head, &self.key.credentials(), &target(service), &hex_sha256(body));
        let signed = signed.map_err(|denied| io::Error::other(format!("{denied:?}")))?;
        let mut lines: Vec<(&str, String)> = own.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        lines.extend(signed.headers);
        let answer = self.connection.send("POST", "/", None, &lines, body)?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("{operation}: {answer:?}")));
        }
        Ok(answer.body)
    }
}

fn target(service: &str) -> Target<'_> {
    Target { service, region: REGION, at: now() }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_secs(i64::try_from(since.as_secs()).unwrap_or(0))
}

fn hex_sha256(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}
