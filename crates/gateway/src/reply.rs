//! Answers: what the backend said, what we say ourselves, and what every answer of S3 carries.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use record::{Failure, S3Call};
use signature::Denied;
use store::Unit;

use crate::audit::Exchange;
use crate::backend::Body;
use crate::target::InvalidTarget;
use crate::xml::{ERROR_LEN_MAX, ErrorDocument};

/// How a request ended, before it is written down.
pub(crate) struct Answer {
    pub response: Response<Body>,
    pub unit: Unit,
    pub failure: Option<Failure>,
}

/// The response's own words about a failure, with our ids in them.
pub(crate) async fn read_answer(response: Response<Body>, unit: Unit, exchange: &Exchange) -> Answer {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Answer { response, unit, failure: None };
    }
    // Nothing of a failed operation is kept.
    drop(unit);
    let (mut parts, body) = response.into_parts();
    let text = Limited::new(body, ERROR_LEN_MAX).collect().await.map(http_body_util::Collected::to_bytes);
    let document =
        text.ok().and_then(|text| ErrorDocument::parse(&text)).unwrap_or_else(|| by_status(status, exchange));
    let failure = Some(Failure { code: document.code.clone(), message: document.message.clone() });
    let body = document.render(&exchange.request_id(), &exchange.host_id());
    parts.headers.remove(http::header::CONTENT_LENGTH);
    parts.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Answer { response: Response::from_parts(parts, full(body.into())), unit: Unit::new(), failure }
}

/// A failure without a document, such as a HEAD's, in the words that S3 has for it elsewhere.
fn by_status(status: StatusCode, exchange: &Exchange) -> ErrorDocument {
    let (code, message) = match status.as_u16() {
        403 => ("AccessDenied", "Access Denied"),
        404 if exchange.target.key.is_some() && exchange.bucket.is_some() && names_version(exchange) => {
            ("NoSuchVersion", "The specified version does not exist.")
        }
        404 if exchange.target.key.is_some() && exchange.bucket.is_some() => {
            ("NoSuchKey", "The specified key does not exist.")
        }
        404 => ("NoSuchBucket", "The specified bucket does not exist"),
        405 => ("MethodNotAllowed", "The specified method is not allowed against this resource."),
        412 => ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"),
        416 => ("InvalidRange", "The requested range is not satisfiable"),
        501 => ("NotImplemented", "A header you provided implies functionality that is not implemented."),
        503 => ("ServiceUnavailable", "Service is unable to handle request."),
        status if status >= 500 => return internal_error(),
        _ => ("InvalidRequest", status.canonical_reason().unwrap_or("Bad Request")),
    };
    ErrorDocument::new(code, message)
}

fn names_version(exchange: &Exchange) -> bool {
    exchange.target.query.iter().any(|(name, value)| name == "versionId" && value != "null")
}

/// A failure that is ours and not the backend's.
pub(crate) fn failed(status: StatusCode, document: ErrorDocument) -> Answer {
    let failure = Some(Failure { code: document.code.clone(), message: document.message.clone() });
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response.extensions_mut().insert(Arc::new(document));
    Answer { response, unit: Unit::new(), failure }
}

/// What every answer of S3 carries.
pub(crate) fn dressed(mut response: Response<Body>, call: &S3Call) -> Response<Body> {
    let (request_id, host_id) = (&call.common.request_id, &call.host_id);
    if let Some(document) = response.extensions_mut().remove::<Arc<ErrorDocument>>() {
        *response.body_mut() = full(document.render(request_id, host_id).into());
    }
    let headers = response.headers_mut();
    for (name, value) in [("x-amz-request-id", request_id), ("x-amz-id-2", host_id)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(http::header::SERVER, HeaderValue::from_static("AmazonS3"));
    response
}

pub(crate) fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn invalid_target(error: InvalidTarget) -> Denied {
    Denied {
        reason: signature::Reason::Malformed,
        code: match error {
            InvalidTarget::Uri => "InvalidURI",
            InvalidTarget::BucketName => "InvalidBucketName",
        },
        message: error.to_string(),
        status: 400,
        elements: Vec::new(),
        attempt: signature::Attempt::default(),
    }
}

pub(crate) fn internal_error() -> ErrorDocument {
    ErrorDocument::new("InternalError", "We encountered an internal error. Please try again.")
}

pub(crate) fn incomplete_body() -> ErrorDocument {
    ErrorDocument::new(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    )
}

pub(crate) fn too_long() -> ErrorDocument {
    ErrorDocument::new("InvalidRequest", "The body is longer than this operation reads.")
}
