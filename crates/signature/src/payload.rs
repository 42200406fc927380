//! How a body is bound to the head that was proven.

use crate::chunked::{ChunkDecoder, ChunkSigner};
use crate::claim::{Attempt, SignedClaim, V4Proof};
use crate::denied::Denied;
use crate::head::RequestHead;
use crate::verify::{Policy, Service};

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// What every name of a framing starts with.
pub(crate) const STREAMING: &str = "STREAMING-";
const STREAMING_SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const STREAMING_SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const STREAMING_UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const STREAMING_V4A: [&str; 2] =
    ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"];

/// How a body is bound to the proven head.
#[derive(Debug)]
pub enum Payload {
    /// Not at all.
    Unsigned,
    /// Its SHA-256 must be this one: compare after reading ([`Verified::check_body_sha256`](crate::Verified::check_body_sha256)).
    Sha256([u8; 32]),
    /// It is framed as `aws-chunked` with signatures: pass it through the decoder, which proves each chunk.
    Chunked(Box<ChunkDecoder>),
    /// It is framed as `aws-chunked` without signatures: pass it through the decoder.
    UnsignedTrailer(Box<ChunkDecoder>),
}

/// The last line of the canonical request.
pub(crate) fn payload_hash(claim: &SignedClaim<'_>, proof: &V4Proof, policy: &Policy<'_>) -> Result<String, Denied> {
    if let Service::Other { body_sha256, .. } = policy.service {
        return Ok(hex::encode(body_sha256));
    }
    let name = "x-amz-content-sha256";
    let signed = proof.signed_headers.iter().any(|header| header == name);
    if proof.presigned.is_some() && !signed {
        return Ok(UNSIGNED_PAYLOAD.to_owned());
    }
    let value = claim
        .head
        .text(name)
        .ok_or_else(|| Denied::invalid_request("Missing required header for this request: x-amz-content-sha256"))?;
    let is_hash = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    match &*value {
        UNSIGNED_PAYLOAD | STREAMING_SIGNED | STREAMING_SIGNED_TRAILER | STREAMING_UNSIGNED_TRAILER => {}
        _ if is_hash => {}
        text if STREAMING_V4A.contains(&text) => return Err(Denied::unsupported_mechanism()),
        text => return Err(invalid_content_sha256(text)),
    }
    Ok(value.into_owned())
}

fn invalid_content_sha256(text: &str) -> Denied {
    let [v4a, v4a_trailer] = STREAMING_V4A;
    let message = format!(
        "x-amz-content-sha256 must be {UNSIGNED_PAYLOAD}, {STREAMING_UNSIGNED_TRAILER}, {STREAMING_SIGNED}, {STREAMING_SIGNED_TRAILER}, {v4a}, {v4a_trailer} or a valid sha256 value."
    );
    Denied::invalid_argument(message, "x-amz-content-sha256", text)
}

/// `SigV2` has no signed framing, and its body must not be stored with another's.
pub(crate) fn check_not_streaming(head: &RequestHead<'_>) -> Result<(), Denied> {
    let streaming = head.values("x-amz-content-sha256").any(|value| value.starts_with(STREAMING.as_bytes()));
    if streaming {
        let message = "aws-chunked bodies require AWS Signature Version 4.";
        return Err(Denied::payload(400, "InvalidRequest", message));
    }
    Ok(())
}

pub(crate) fn s3_payload(
    head: &RequestHead<'_>,
    payload_hash: &str,
    attempt: &Attempt,
    signer: impl FnOnce() -> ChunkSigner,
) -> Result<Payload, Denied> {
    Ok(match payload_hash {
        UNSIGNED_PAYLOAD => Payload::Unsigned,
        STREAMING_SIGNED => Payload::Chunked(Box::new(ChunkDecoder::signed(head, attempt, signer(), false)?)),
        STREAMING_SIGNED_TRAILER => Payload::Chunked(Box::new(ChunkDecoder::signed(head, attempt, signer(), true)?)),
        STREAMING_UNSIGNED_TRAILER => Payload::UnsignedTrailer(Box::new(ChunkDecoder::unsigned(head, attempt)?)),
        hash => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(hash, &mut bytes).map_err(|_| invalid_content_sha256(hash))?;
            Payload::Sha256(bytes)
        }
    })
}

/// How the body of an anonymous S3 request is framed: SDKs send trailers without credentials too.
///
/// Errors: a signed framing, which has nothing to be proven with; a framing without `x-amz-decoded-content-length`.
pub fn anonymous_payload(head: &RequestHead<'_>) -> Result<Payload, Denied> {
    match head.text("x-amz-content-sha256").as_deref() {
        Some(STREAMING_UNSIGNED_TRAILER) => {
            Ok(Payload::UnsignedTrailer(Box::new(ChunkDecoder::unsigned(head, &Attempt::default())?)))
        }
        Some(text) if text.starts_with(STREAMING) => Err(invalid_content_sha256(text)),
        _ => Ok(Payload::Unsigned),
    }
}
