//! Refusals, in S3's words and in those of the other services.

use crate::claim::Attempt;
use aws_api::{ApiError, Timestamp};
use std::fmt;

/// Longest text that an error answer echoes, in bytes; a longer `StringToSign` or `CanonicalRequest` is left out.
const ECHO_LEN_MAX: usize = 8 * 1024;

const SIGNATURE_DOES_NOT_MATCH: &str =
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
const COMMON_SIGNATURE_DOES_NOT_MATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const UNSUPPORTED_MECHANISM: &str =
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";

/// Why a request was refused: what metrics count and what the other services' codes derive from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No signature at all where one is needed.
    Anonymous,
    /// The signature's own syntax, or more than one mechanism.
    Malformed,
    /// A mechanism that is not supported: `SigV4A`, or `SigV2` where the service has none.
    Unsupported,
    /// The credential scope names another region, service or day.
    WrongScope,
    /// No such access key.
    UnknownKey,
    /// No date, or none that can be read.
    NoDate,
    /// The clocks differ by more than is allowed.
    Skewed,
    /// A presigned URL after its end.
    Expired,
    /// A presigned URL before its start.
    NotYetValid,
    /// A header that must be signed is not.
    UnsignedHeaders,
    /// The signature is not the one that the secret makes.
    SignatureMismatch,
    /// The session token is not the key's.
    InvalidToken,
    /// The temporary credentials have ended.
    ExpiredToken,
    /// The body or its framing is not what was signed.
    Payload,
    /// The POST form or its policy does not allow the upload.
    Policy,
    /// The request is beyond a bound.
    TooLarge,
}

/// A refusal with everything that its answer and its record need.
///
/// `Debug` leaves out the values of `elements`, which echo signatures and tokens to the caller as S3 does.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// S3's error code.
    pub code: &'static str,
    /// S3's message.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// Elements of the `<Error>` document after `<Message>`, in order.
    pub elements: Vec<(&'static str, String)>,
    /// What the request tried.
    pub attempt: Attempt,
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements: Vec<_> = self.elements.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Denied")
            .field("reason", &self.reason)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("status", &self.status)
            .field("elements", &elements)
            .field("attempt", &self.attempt)
            .finish()
    }
}

/// What was computed for a signature that does not match.
pub(crate) struct Mismatch<'a> {
    pub(crate) string_to_sign: &'a [u8],
    pub(crate) canonical_request: Option<&'a [u8]>,
    pub(crate) signature_provided: &'a str,
}

impl Denied {
    pub(crate) fn new(reason: Reason, status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { reason, code, message: message.into(), status, elements: Vec::new(), attempt: Attempt::default() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.elements.push((name, value.into()));
        self
    }

    pub(crate) fn by(mut self, attempt: &Attempt) -> Self {
        self.attempt = attempt.clone();
        self
    }

    /// The refusal of an anonymous request where anonymous requests are not served.
    pub fn anonymous() -> Self {
        Self::access_denied(Reason::Anonymous, "Access Denied")
    }

    /// The refusal as the Query protocol's services have it ("Common Errors" of the SNS and SQS API References).
    pub fn for_query(&self) -> ApiError {
        let (code, message) = match self.reason {
            Reason::Anonymous => ("MissingAuthenticationToken", "Request is missing Authentication Token"),
            Reason::UnknownKey | Reason::InvalidToken => {
                ("InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            Reason::ExpiredToken => ("ExpiredToken", "The security token included in the request is expired"),
            Reason::SignatureMismatch => ("SignatureDoesNotMatch", COMMON_SIGNATURE_DOES_NOT_MATCH),
            Reason::Skewed | Reason::Expired | Reason::NotYetValid | Reason::WrongScope | Reason::UnsignedHeaders => {
                ("SignatureDoesNotMatch", self.message.as_str())
            }
            _ => ("IncompleteSignature", self.message.as_str()),
        };
        ApiError::new(code, message).with_status(if code == "IncompleteSignature" { 400 } else { 403 })
    }

    /// The refusal as the JSON protocols' services have it ("Common Errors" of the `EventBridge` API Reference).
    pub fn for_json(&self) -> ApiError {
        let query = self.for_query();
        let code = match &*query.code {
            "InvalidClientTokenId" => "UnrecognizedClientException",
            "ExpiredToken" => "ExpiredTokenException",
            "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
            "SignatureDoesNotMatch" => "InvalidSignatureException",
            _ => "IncompleteSignatureException",
        };
        ApiError::new(code, query.message)
    }

    pub(crate) fn head_too_large() -> Self {
        let message = "Your request header and query-string parameters exceed the maximum allowed size.";
        Self::new(Reason::TooLarge, 400, "RequestHeaderSectionTooLarge", message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Reason::Malformed, 400, "InvalidRequest", message)
    }

    pub(crate) fn invalid_argument(message: impl Into<String>, name: &str, value: &str) -> Self {
        let value = if value.len() > ECHO_LEN_MAX { "" } else { value };
        Self::new(Reason::Malformed, 400, "InvalidArgument", message)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    pub(crate) fn several_mechanisms(authorization: &str) -> Self {
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
        Self::invalid_argument(message, "Authorization", authorization)
    }

    pub(crate) fn unsupported_mechanism() -> Self {
        Self::new(Reason::Unsupported, 400, "InvalidRequest", UNSUPPORTED_MECHANISM)
    }

    pub(crate) fn header_malformed(what: &str) -> Self {
        let message = format!("The authorization header is malformed; {what}");
        Self::new(Reason::Malformed, 400, "AuthorizationHeaderMalformed", message)
    }

    pub(crate) fn query_parameters(message: impl Into<String>) -> Self {
        Self::new(Reason::Malformed, 400, "AuthorizationQueryParametersError", message)
    }

    pub(crate) fn access_denied(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(reason, 403, "AccessDenied", message)
    }

    pub(crate) fn unknown_key(access_key_id: &str) -> Self {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        Self::new(Reason::UnknownKey, 403, "InvalidAccessKeyId", message).with("AWSAccessKeyId", access_key_id)
    }

    pub(crate) fn no_date() -> Self {
        Self::access_denied(Reason::NoDate, "AWS authentication requires a valid Date or x-amz-date header")
    }

    pub(crate) fn skewed(request_time: &str, now: Timestamp, max_skew_millis: i64) -> Self {
        let message = "The difference between the request time and the current time is too large.";
        Self::new(Reason::Skewed, 403, "RequestTimeTooSkewed", message)
            .with("RequestTime", request_time)
            .with("ServerTime", now.to_rfc3339_seconds())
            .with("MaxAllowedSkewMilliseconds", max_skew_millis.to_string())
    }

    pub(crate) fn expired(expires_secs: Option<u32>, end: Timestamp, now: Timestamp) -> Self {
        let mut denied = Self::access_denied(Reason::Expired, "Request has expired");
        if let Some(secs) = expires_secs {
            denied = denied.with("X-Amz-Expires", secs.to_string());
        }
        denied.with("Expires", end.to_rfc3339_seconds()).with("ServerTime", now.to_rfc3339_seconds())
    }

    pub(crate) fn unsigned_headers(names: &str) -> Self {
        let message = "There were headers present in the request which were not signed";
        Self::access_denied(Reason::UnsignedHeaders, message).with("HeadersNotSigned", names)
    }

    pub(crate) fn signature_mismatch(access_key_id: &str, mismatch: &Mismatch<'_>) -> Self {
        let mut denied = Self::new(Reason::SignatureMismatch, 403, "SignatureDoesNotMatch", SIGNATURE_DOES_NOT_MATCH)
            .with("AWSAccessKeyId", access_key_id);
        let text = mismatch.string_to_sign;
        if text.len() <= ECHO_LEN_MAX {
            denied = denied
                .with("StringToSign", String::from_utf8_lossy(text))
                .with("SignatureProvided", mismatch.signature_provided)
                .with("StringToSignBytes", spaced_hex(text));
        }
        match mismatch.canonical_request.filter(|text| text.len() <= ECHO_LEN_MAX) {
            Some(text) => denied
                .with("CanonicalRequest", String::from_utf8_lossy(text))
                .with("CanonicalRequestBytes", spaced_hex(text)),
            None => denied,
        }
    }

    pub(crate) fn invalid_token(token: &str) -> Self {
        let message = "The provided token is malformed or otherwise invalid.";
        Self::new(Reason::InvalidToken, 400, "InvalidToken", message).with("Token-0", token)
    }

    pub(crate) fn expired_token(token: &str) -> Self {
        let denied = Self::new(Reason::ExpiredToken, 400, "ExpiredToken", "The provided token has expired.");
        denied.with("Token-0", token)
    }

    pub(crate) fn payload(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Reason::Payload, status, code, message)
    }

    /// The body's SHA-256 is not the one that was signed; both in hex.
    pub(crate) fn content_sha256_mismatch(signed: &str, computed: &str) -> Self {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        Self::payload(400, "XAmzContentSHA256Mismatch", message)
            .with("ClientComputedContentSHA256", signed)
            .with("S3ComputedContentSHA256", computed)
    }

    pub(crate) fn missing_content_length() -> Self {
        Self::payload(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    }
}

/// `47 45 54`, as S3 writes the bytes of what it signed.
fn spaced_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
    }
    text
}
