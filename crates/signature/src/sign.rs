//! Makes the signatures that the other modules prove: for clients in tests, and for a gateway that signs again.

use crate::canonical::uri_encode;
use crate::chunked::ChunkSigner;
use crate::claim::{Carrier, Expires, Scope};
use crate::crypto::{SigningKey, hmac_sha1};
use crate::denied::Denied;
use crate::head::RequestHead;
use crate::v2::{self, V2Request};
use crate::v4::{self, PathRule, V4Request};
use aws_api::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Headers that the way to the server may change or drop, and which are therefore not signed.
const NOT_SIGNED: [&str; 12] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Who signs. It has no `Debug`.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The key's id.
    pub access_key_id: &'a str,
    /// The key's secret.
    pub secret_access_key: &'a str,
    /// The token of temporary credentials.
    pub session_token: Option<&'a str>,
}

/// For which service, where and when a `SigV4` signature is made.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// `s3`: the path is encoded once. Any other: twice.
    pub service: &'a str,
    /// `eu-central-1`.
    pub region: &'a str,
    /// The moment of signing; whole seconds count.
    pub at: Timestamp,
}

impl Target<'_> {
    fn scope(&self) -> Scope {
        let date = self.at.to_iso8601_basic()[..8].to_owned();
        Scope { date, region: self.region.to_owned(), service: self.service.to_owned() }
    }

    fn path_rule(&self) -> PathRule {
        if self.service == "s3" { PathRule::Once } else { PathRule::Twice }
    }
}

/// What a header signature adds to a request.
#[derive(Clone)]
pub struct SignedHeaders {
    /// Header lines to add to the head, `authorization` last.
    pub headers: Vec<(&'static str, String)>,
    /// Signs the chunks of the body, if it is framed with signatures. `SigV4` only.
    pub chunks: Option<ChunkSigner>,
}

/// Signs a head with `SigV2` in the `Authorization` header; adds `Date` unless it or `x-amz-date` is there.
///
/// Error: a head beyond a bound.
pub fn v2_header(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    at: Timestamp,
) -> Result<SignedHeaders, Denied> {
    let mut added = Vec::new();
    if !head.has("date") && !head.has("x-amz-date") {
        added.push(("date", at.to_http_date()));
    }
    if let Some(token) = credentials.session_token {
        added.push(("x-amz-security-token", token.to_owned()));
    }
    let lines = with_added(head, &added);
    let head = RequestHead { headers: &lines, ..*head };
    let query = head.checked_query()?;
    let request = V2Request { head: &head, query: &query, carrier: Carrier::AuthHeader, expires: None };
    let signature = v2_signature(&request, credentials);
    added.push(("authorization", format!("AWS {}:{signature}", credentials.access_key_id)));
    Ok(SignedHeaders { headers: added, chunks: None })
}

/// Signs a head with `SigV2` for a URL that ends at `expires`; gives the whole query. Headers of the head are signed as they are.
///
/// Error: a head beyond a bound.
pub fn v2_query(head: &RequestHead<'_>, credentials: &Credentials<'_>, expires: Timestamp) -> Result<String, Denied> {
    let own = head.raw_query.map(|query| format!("{query}&")).unwrap_or_default();
    let token = credentials.session_token.map(|token| uri_encode(token.as_bytes(), b""));
    let url_query = own + &token.map(|token| format!("x-amz-security-token={token}&")).unwrap_or_default();
    let expires = Expires { text: expires.as_secs().to_string(), at: expires };
    let signature = {
        let head = RequestHead { raw_query: Some(&url_query), ..*head };
        let query = head.checked_query()?;
        let carrier = Carrier::QueryString;
        v2_signature(&V2Request { head: &head, query: &query, carrier, expires: Some(&expires) }, credentials)
    };
    let id = uri_encode(credentials.access_key_id.as_bytes(), b"");
    let signature = uri_encode(signature.as_bytes(), b"");
    Ok(format!("{url_query}AWSAccessKeyId={id}&Signature={signature}&Expires={}", expires.text))
}

fn v2_signature(request: &V2Request<'_>, credentials: &Credentials<'_>) -> String {
    let string_to_sign = v2::strings_to_sign(request).next().unwrap_or_default();
    STANDARD.encode(hmac_sha1(credentials.secret_access_key.as_bytes(), &string_to_sign))
}

/// Signs the base64 text of a POST policy with `SigV2`: the `signature` field.
pub fn v2_post(credentials: &Credentials<'_>, policy: &str) -> String {
    STANDARD.encode(hmac_sha1(credentials.secret_access_key.as_bytes(), policy.as_bytes()))
}

/// Signs a head with `SigV4` in the `Authorization` header.
///
/// `payload` is the value of `x-amz-content-sha256`, which is added for S3 (the hex hash of the body, `UNSIGNED-PAYLOAD`, a
/// `STREAMING-…` word); for other services it is the hex hash of the body. Every header is signed but those that the way to the
/// server may change. Error: a head beyond a bound.
pub fn v4_header(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    target: &Target<'_>,
    payload: &str,
) -> Result<SignedHeaders, Denied> {
    let amz_date = target.at.to_iso8601_basic();
    let mut added = vec![("x-amz-date", amz_date.clone())];
    if target.service == "s3" {
        added.push(("x-amz-content-sha256", payload.to_owned()));
    }
    if let Some(token) = credentials.session_token {
        added.push(("x-amz-security-token", token.to_owned()));
    }
    let lines = with_added(head, &added);
    let head = RequestHead { headers: &lines, ..*head };
    let names = signable(&head);
    let (signature, key) = v4_signature(&head, credentials, target, &names, payload)?;
    let scope = target.scope();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.access_key_id,
        scope.text(),
        names.join(";")
    );
    added.push(("authorization", authorization));
    let chunks = payload.starts_with("STREAMING-AWS4-HMAC-SHA256");
    let chunks = chunks.then(|| ChunkSigner::new(key, amz_date, &scope, &signature));
    Ok(SignedHeaders { headers: added, chunks })
}

/// Signs a head with `SigV4` for a URL that lives `expires_secs` from `target.at`; gives the whole query.
///
/// Every header of the head is signed but those that the way to the server may change, so the head should hold little more than
/// `host`. Error: a head beyond a bound.
pub fn v4_query(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    target: &Target<'_>,
    expires_secs: u32,
) -> Result<String, Denied> {
    let names = signable(head);
    let credential = format!("{}/{}", credentials.access_key_id, target.scope().text());
    let own = head.raw_query.map(|query| format!("{query}&")).unwrap_or_default();
    let token = credentials.session_token.map(|token| uri_encode(token.as_bytes(), b""));
    let url_query = format!(
        "{own}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={expires_secs}&X-Amz-SignedHeaders={}{}",
        uri_encode(credential.as_bytes(), b""),
        target.at.to_iso8601_basic(),
        uri_encode(names.join(";").as_bytes(), b""),
        token.map(|token| format!("&X-Amz-Security-Token={token}")).unwrap_or_default(),
    );
    let signature = {
        let head = RequestHead { raw_query: Some(&url_query), ..*head };
        v4_signature(&head, credentials, target, &names, "UNSIGNED-PAYLOAD")?.0
    };
    Ok(format!("{url_query}&X-Amz-Signature={signature}"))
}

/// Signs the base64 text of a POST policy with `SigV4`: the `x-amz-signature` field.
pub fn v4_post(credentials: &Credentials<'_>, target: &Target<'_>, policy: &str) -> String {
    hex::encode(signing_key(credentials, target).sign(policy.as_bytes()))
}

fn signing_key(credentials: &Credentials<'_>, target: &Target<'_>) -> SigningKey {
    SigningKey::derive(credentials.secret_access_key, &target.scope().date, target.region, target.service)
}

fn v4_signature(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    target: &Target<'_>,
    signed_headers: &[String],
    payload_hash: &str,
) -> Result<(String, SigningKey), Denied> {
    let query = head.checked_query()?;
    let path_rule = target.path_rule();
    let request = V4Request { head, query: &query, path_rule, signed_headers, payload_hash };
    let reading = request.readings().into_iter().next();
    let canonical_request = reading.map(|reading| reading.canonical_request).unwrap_or_default();
    let text = v4::string_to_sign(&target.at.to_iso8601_basic(), &target.scope(), &canonical_request);
    let key = signing_key(credentials, target);
    Ok((hex::encode(key.sign(text.as_bytes())), key))
}

fn with_added<'a>(head: &RequestHead<'a>, added: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a [u8])> {
    let added = added.iter().map(|(name, value)| (*name, value.as_bytes()));
    head.headers.iter().copied().chain(added).collect()
}

fn signable(head: &RequestHead<'_>) -> Vec<String> {
    let names = head.headers.iter().map(|(name, _)| *name).filter(|name| !NOT_SIGNED.contains(name));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}
