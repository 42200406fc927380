//! Proving a claim.

use crate::chunked::ChunkSigner;
use crate::claim::{Attempt, Carrier, Presigned, Proof, Scheme, Secret, SignedClaim, V4Proof};
use crate::crypto::{SigningKey, constant_time_eq, hmac_sha1, lower_hex_32};
use crate::date;
use crate::denied::{Denied, Mismatch, Reason};
use crate::head::RequestHead;
use crate::payload::{self, Payload, STREAMING};
use crate::v2::{self, V2Request};
use crate::v4::{self, PathRule, V4Request};
use aws_api::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// How far a header-signed request's date may be from the server's: 15 minutes, in milliseconds.
pub const MAX_SKEW_MILLIS: i64 = 15 * 60 * 1000;

/// Whose rules a request is held to.
#[derive(Debug, Clone, Copy)]
pub enum Service<'a> {
    /// S3: the path encoded once, `x-amz-content-sha256` says how the body is bound.
    S3,
    /// Any other: the path encoded twice, the body's hash is always signed.
    Other {
        /// The service's name in the credential scope (`sqs`).
        name: &'a str,
        /// The SHA-256 of the whole body.
        body_sha256: [u8; 32],
    },
}

/// What a verifier expects besides the signature.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Whose rules.
    pub service: Service<'a>,
    /// The only region that a credential scope may name; `None`: any.
    pub region: Option<&'a str>,
    /// How far a header-signed request's date may be from `now`, in milliseconds; [`MAX_SKEW_MILLIS`] on AWS.
    pub max_skew_millis: i64,
}

impl<'a> Policy<'a> {
    /// S3 with AWS's skew, in any region.
    pub const fn s3() -> Self {
        Self { service: Service::S3, region: None, max_skew_millis: MAX_SKEW_MILLIS }
    }

    /// Another service with AWS's skew, in any region.
    pub const fn other(name: &'a str, body_sha256: [u8; 32]) -> Self {
        let service = Service::Other { name, body_sha256 };
        Self { service, region: None, max_skew_millis: MAX_SKEW_MILLIS }
    }

    pub(crate) fn service_name(&self) -> &'a str {
        match self.service {
            Service::S3 => "s3",
            Service::Other { name, .. } => name,
        }
    }
}

/// A proven request.
#[derive(Debug)]
pub struct Verified {
    /// The signature version.
    pub scheme: Scheme,
    /// Where the signature stands.
    pub carrier: Carrier,
    /// The access key id, proven.
    pub access_key_id: String,
    /// The region of the credential scope; `SigV2` has none.
    pub region: Option<String>,
    /// When the request was signed; a `SigV2` URL does not say.
    pub signed_at: Option<Timestamp>,
    /// How the body is bound.
    pub payload: Payload,
    /// Headers that a presigned URL carries as query parameters (`x-amz-acl`, `content-type`), where the request has no such
    /// header; signed like headers. Names lower-case, sorted.
    pub query_headers: Vec<(String, String)>,
}

impl Verified {
    /// Compares a body's SHA-256 with the signed one, if there is one.
    ///
    /// Error: `XAmzContentSHA256Mismatch`.
    pub fn check_body_sha256(&self, computed: &[u8; 32]) -> Result<(), Denied> {
        match &self.payload {
            Payload::Sha256(signed) if !constant_time_eq(signed, computed) => {
                let attempt = Attempt::new(self.scheme, self.carrier, Some(&self.access_key_id));
                Err(Denied::content_sha256_mismatch(&hex::encode(signed), &hex::encode(computed)).by(&attempt))
            }
            _ => Ok(()),
        }
    }
}

/// Proves a claim with the secret of the key that it names; `None`: there is no such key.
///
/// The order is S3's: scope, key known, date, signed headers, signature, session token, payload. The first that fails is the
/// answer.
pub fn verify(
    claim: &SignedClaim<'_>,
    secret: Option<Secret<'_>>,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Verified, Denied> {
    prove(claim, secret, now, policy).map_err(|denied| denied.by(&claim.attempt()))
}

fn prove(
    claim: &SignedClaim<'_>,
    secret: Option<Secret<'_>>,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Verified, Denied> {
    match &claim.proof {
        Proof::V4(proof) => prove_v4(claim, proof, secret, now, policy),
        Proof::V2Header { signature } => {
            let secret = known(claim, secret)?;
            let at = header_date_v2(&claim.head, now, policy.max_skew_millis)?;
            prove_v2(claim, signature, &secret, now, policy)?;
            Ok(verified_v2(claim, Some(at)))
        }
        Proof::V2Query { signature, expires } => {
            let secret = known(claim, secret)?;
            if now > expires.at {
                return Err(Denied::expired(None, expires.at, now));
            }
            prove_v2(claim, signature, &secret, now, policy)?;
            Ok(verified_v2(claim, None))
        }
    }
}

/// Temporary credentials are found by id and token together: an id without its token is as unknown as any other.
fn known<'s>(claim: &SignedClaim<'_>, secret: Option<Secret<'s>>) -> Result<Secret<'s>, Denied> {
    secret
        .filter(|secret| secret.session_token.is_none() || token(claim).is_some())
        .ok_or_else(|| Denied::unknown_key(&claim.access_key_id))
}

fn token<'c>(claim: &'c SignedClaim<'_>) -> Option<Cow<'c, [u8]>> {
    let name = match (claim.scheme, claim.carrier) {
        (Scheme::SigV4, Carrier::QueryString) => return claim.query_value("X-Amz-Security-Token"),
        _ => "x-amz-security-token",
    };
    if claim.head.has(name) {
        return Some(claim.head.joined(name));
    }
    if claim.carrier == Carrier::QueryString { claim.query_value(name) } else { None }
}

/// The token must be the key's own, and the key's time not over.
pub(crate) fn check_token(given: Option<&[u8]>, secret: &Secret<'_>, now: Timestamp) -> Result<(), Denied> {
    let echo = || String::from_utf8_lossy(given.unwrap_or_default()).into_owned();
    let same = match (given, secret.session_token) {
        (None, None) => true,
        (Some(given), Some(own)) => constant_time_eq(given, own.as_bytes()),
        _ => false,
    };
    if !same {
        return Err(Denied::invalid_token(&echo()));
    }
    if secret.expires.is_some_and(|end| now >= end) {
        return Err(Denied::expired_token(&echo()));
    }
    Ok(())
}

fn check_skew(text: &str, at: Timestamp, now: Timestamp, max_skew_millis: i64) -> Result<(), Denied> {
    if now.millis_since(at).abs() > max_skew_millis {
        return Err(Denied::skewed(text, now, max_skew_millis));
    }
    Ok(())
}

/// `x-amz-date` if it is there, else `Date`; the other one takes no part.
fn header_date_v2(head: &RequestHead<'_>, now: Timestamp, max_skew_millis: i64) -> Result<Timestamp, Denied> {
    let name = if head.has("x-amz-date") { "x-amz-date" } else { "date" };
    let text = head.text(name).ok_or_else(Denied::no_date)?;
    let at = date::parse_any(&text).ok_or_else(Denied::no_date)?;
    check_skew(&text, at, now, max_skew_millis).map(|()| at)
}

fn prove_v2(
    claim: &SignedClaim<'_>,
    signature: &str,
    secret: &Secret<'_>,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<(), Denied> {
    if matches!(policy.service, Service::Other { .. }) {
        return Err(Denied::unsupported_mechanism());
    }
    let from_query = claim.carrier == Carrier::QueryString;
    // A header cannot hold a line break, so a parameter in a header's place must not: it would fake further lines.
    let broken = |value: &[u8]| value.iter().any(u8::is_ascii_control);
    if from_query && claim.query.iter().any(|pair| is_header_name(&pair.name) && broken(&pair.value())) {
        return Err(Denied::invalid_request("A query parameter that stands for a header holds a control character."));
    }
    let expires = match &claim.proof {
        Proof::V2Query { expires, .. } => Some(expires),
        _ => None,
    };
    let request = V2Request { head: &claim.head, query: &claim.query, carrier: claim.carrier, expires };
    let given = STANDARD.decode(signature).unwrap_or_default();
    let mut first = None;
    for string_to_sign in v2::strings_to_sign(&request) {
        let expected = hmac_sha1(secret.secret_access_key.as_bytes(), &string_to_sign);
        if constant_time_eq(&given, &expected) {
            check_token(token(claim).as_deref(), secret, now)?;
            return payload::check_not_streaming(&claim.head);
        }
        first.get_or_insert(string_to_sign);
    }
    let string_to_sign = first.unwrap_or_default();
    Err(Denied::signature_mismatch(
        &claim.access_key_id,
        &Mismatch { string_to_sign: &string_to_sign, canonical_request: None, signature_provided: signature },
    ))
}

fn is_header_name(name: &[u8]) -> bool {
    name.starts_with(b"x-amz-") || name == b"content-type" || name == b"content-md5"
}

fn verified_v2(claim: &SignedClaim<'_>, signed_at: Option<Timestamp>) -> Verified {
    Verified {
        scheme: claim.scheme,
        carrier: claim.carrier,
        access_key_id: claim.access_key_id.clone(),
        region: None,
        signed_at,
        payload: Payload::Unsigned,
        query_headers: query_headers(claim),
    }
}

fn query_headers(claim: &SignedClaim<'_>) -> Vec<(String, String)> {
    if claim.carrier != Carrier::QueryString {
        return Vec::new();
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in v2::headers_in_query(&claim.query) {
        if let (Ok(name), Ok(value)) = (String::from_utf8(name.into_owned()), String::from_utf8(value.into_owned())) {
            headers.push((name, value));
        }
    }
    for name in ["content-md5", "content-type"] {
        // Only SigV2 clients move these; in a SigV4 URL they are parameters like any other.
        let value = claim.query_value(name).filter(|_| claim.scheme == Scheme::SigV2);
        headers.extend(value.and_then(|value| Some((name.to_owned(), String::from_utf8(value.into_owned()).ok()?))));
    }
    // The token has done its work, and is nobody's business beyond this crate.
    headers.retain(|(name, _)| !claim.head.has(name) && name != "x-amz-security-token");
    headers.sort();
    headers
}

fn prove_v4(
    claim: &SignedClaim<'_>,
    proof: &V4Proof,
    secret: Option<Secret<'_>>,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<Verified, Denied> {
    check_scope(proof, policy)?;
    let payload_hash = payload::payload_hash(claim, proof, policy)?;
    let secret = known(claim, secret)?;
    let (at, amz_date) = match &proof.presigned {
        Some(presigned) => (presigned.at, check_presigned(presigned, now, policy)?),
        None => header_date_v4(&claim.head, proof, now, policy)?,
    };
    check_signed_headers(claim, proof)?;
    let key =
        SigningKey::derive(secret.secret_access_key, &proof.scope.date, &proof.scope.region, &proof.scope.service);
    check_signature_v4(claim, proof, &key, &amz_date, &payload_hash, policy)?;
    check_token(token(claim).as_deref(), &secret, now)?;
    let payload = match policy.service {
        Service::Other { body_sha256, .. } => Payload::Sha256(body_sha256),
        Service::S3 => {
            let signer = || ChunkSigner::new(key.clone(), amz_date.clone(), &proof.scope, &proof.signature);
            payload::s3_payload(&claim.head, &payload_hash, &claim.attempt(), signer)?
        }
    };
    Ok(Verified {
        scheme: claim.scheme,
        carrier: claim.carrier,
        access_key_id: claim.access_key_id.clone(),
        region: Some(proof.scope.region.clone()),
        signed_at: Some(at),
        payload,
        query_headers: query_headers(claim),
    })
}

fn check_scope(proof: &V4Proof, policy: &Policy<'_>) -> Result<(), Denied> {
    let expected = policy.service_name();
    let scope = &proof.scope;
    let malformed = |what: String| {
        let denied = if proof.presigned.is_some() {
            let message = format!("Error parsing the X-Amz-Credential parameter; {what}");
            Denied::query_parameters(message)
        } else {
            Denied::header_malformed(&what)
        };
        Denied { reason: Reason::WrongScope, ..denied }
    };
    if scope.service != expected {
        return Err(match policy.service {
            Service::S3 => {
                malformed(format!("incorrect service \"{}\". This endpoint belongs to \"{expected}\".", scope.service))
            }
            Service::Other { .. } => {
                let message = format!("Credential should be scoped to correct service: '{expected}'. ");
                Denied { message, ..malformed(String::new()) }
            }
        });
    }
    match policy.region {
        Some(region) if region != scope.region => {
            let what = format!("the region '{}' is wrong; expecting '{region}'", scope.region);
            Err(malformed(what).with("Region", region))
        }
        _ => Ok(()),
    }
}

fn check_presigned(presigned: &Presigned, now: Timestamp, policy: &Policy<'_>) -> Result<String, Denied> {
    let end = presigned.at.plus_secs(i64::from(presigned.expires_secs));
    if now > end {
        return Err(Denied::expired(Some(presigned.expires_secs), end, now));
    }
    if presigned.at.millis_since(now) > policy.max_skew_millis {
        return Err(Denied::access_denied(Reason::NotYetValid, "Request is not valid yet"));
    }
    Ok(presigned.at.to_iso8601_basic())
}

fn header_date_v4(
    head: &RequestHead<'_>,
    proof: &V4Proof,
    now: Timestamp,
    policy: &Policy<'_>,
) -> Result<(Timestamp, String), Denied> {
    let (text, at) = if let Some(text) = head.text("x-amz-date") {
        let at = date::parse_iso_basic(&text);
        (text, at)
    } else {
        let text = head.text("date").ok_or_else(Denied::no_date)?;
        let at = date::parse_any(&text);
        (text, at)
    };
    let at = at.ok_or_else(Denied::no_date)?;
    let amz_date = at.to_iso8601_basic();
    check_skew(&text, at, now, policy.max_skew_millis)?;
    if !amz_date.starts_with(&proof.scope.date) {
        let what = format!(
            "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
            proof.scope.date,
            &amz_date[..8]
        );
        return Err(Denied { reason: Reason::WrongScope, ..Denied::header_malformed(&what) });
    }
    Ok((at, amz_date))
}

/// `host` and every `x-amz-` header must be signed.
fn check_signed_headers(claim: &SignedClaim<'_>, proof: &V4Proof) -> Result<(), Denied> {
    let signed = |name: &str| proof.signed_headers.iter().any(|header| header == name);
    // Clients put the payload's hash on a presigned request as an afterthought; unless it announces a framing, it binds nothing.
    let afterthought = |name: &str, value: &[u8]| {
        proof.presigned.is_some() && name == "x-amz-content-sha256" && !value.starts_with(STREAMING.as_bytes())
    };
    let mut missing: Vec<&str> = Vec::new();
    for (name, value) in claim.head.headers {
        let required = *name == "host" || name.starts_with("x-amz-");
        if required && !signed(name) && !missing.contains(name) && !afterthought(name, value) {
            missing.push(name);
        }
    }
    if !signed("host") && !missing.contains(&"host") {
        missing.insert(0, "host");
    }
    if missing.is_empty() { Ok(()) } else { Err(Denied::unsigned_headers(&missing.join(", "))) }
}

fn check_signature_v4(
    claim: &SignedClaim<'_>,
    proof: &V4Proof,
    key: &SigningKey,
    amz_date: &str,
    payload_hash: &str,
    policy: &Policy<'_>,
) -> Result<(), Denied> {
    let request = V4Request {
        head: &claim.head,
        query: &claim.query,
        path_rule: match policy.service {
            Service::S3 => PathRule::Once,
            Service::Other { .. } => PathRule::Twice,
        },
        signed_headers: &proof.signed_headers,
        payload_hash,
    };
    let given = lower_hex_32(proof.signature.as_bytes());
    let mut first = None;
    for reading in request.readings() {
        let string_to_sign = v4::string_to_sign(amz_date, &proof.scope, &reading.canonical_request);
        let expected = key.sign(string_to_sign.as_bytes());
        if reading.complete && given.is_some_and(|given| constant_time_eq(&given, &expected)) {
            return Ok(());
        }
        first.get_or_insert((string_to_sign, reading.canonical_request));
    }
    let (string_to_sign, canonical_request) = first.unwrap_or_default();
    Err(Denied::signature_mismatch(
        &claim.access_key_id,
        &Mismatch {
            string_to_sign: string_to_sign.as_bytes(),
            canonical_request: Some(&canonical_request),
            signature_provided: &proof.signature,
        },
    ))
}
