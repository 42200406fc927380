//! S3's errors with S3's own texts ("Error responses" in the API reference).

use s3s::{S3Error, S3ErrorCode};

/// An error with its text.
pub(crate) fn fail(code: S3ErrorCode, message: impl Into<String>) -> S3Error {
    S3Error::with_message(code, message.into())
}

/// An error of a code that `s3s` does not know.
pub(crate) fn custom(code: &'static str, status: http::StatusCode, message: impl Into<String>) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message.into());
    error.set_status_code(status);
    error
}

/// A bug of ours or a fault of the disk: the details go to the log, not to the client.
pub(crate) fn internal(detail: impl std::fmt::Display) -> S3Error {
    tracing::error!(%detail, "S3 request failed inside");
    fail(S3ErrorCode::InternalError, "We encountered an internal error. Please try again.")
}

/// A failure of the store.
#[allow(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(crate) fn store_error(error: store::StoreError) -> S3Error {
    if matches!(error, store::StoreError::Full) {
        return no_room();
    }
    internal(error)
}

pub(crate) fn no_room() -> S3Error {
    fail(S3ErrorCode::ServiceUnavailable, "There is too little free disk space to take writes.")
}

pub(crate) fn access_denied() -> S3Error {
    fail(S3ErrorCode::AccessDenied, "Access Denied")
}

/// Said to callers of the bucket's own account only.
pub(crate) fn explicitly_denied(arn: &str, action: &str, resource: &str) -> S3Error {
    let message = format!(
        "User: {arn} is not authorized to perform: {action} on resource: \"{resource}\" with an explicit deny in a resource-based policy"
    );
    fail(S3ErrorCode::AccessDenied, message)
}

/// Carries the `Detail` of an error from where it is found to where the answer is written, and no further.
pub(crate) const DETAIL: http::HeaderName = http::HeaderName::from_static("x-detail");

/// What is wrong with a policy, in S3's words, and where.
pub(crate) fn malformed_policy(error: &policy::PolicyError) -> S3Error {
    let mut failure = fail(S3ErrorCode::MalformedPolicy, error.problem.to_string());
    let place: String = error.place.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Ok(place) = http::HeaderValue::from_bytes(place.as_bytes()) {
        let xml = http::HeaderValue::from_static("application/xml");
        failure.set_headers(http::HeaderMap::from_iter([(DETAIL, place), (http::header::CONTENT_TYPE, xml)]));
    }
    failure
}

pub(crate) fn no_such_bucket() -> S3Error {
    fail(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist")
}

pub(crate) fn no_such_key(_key: &str) -> S3Error {
    fail(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

pub(crate) fn no_such_upload() -> S3Error {
    fail(
        S3ErrorCode::NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
}

pub(crate) fn precondition_failed(_condition: &'static str) -> S3Error {
    fail(S3ErrorCode::PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

pub(crate) fn header_not_implemented() -> S3Error {
    fail(S3ErrorCode::NotImplemented, "A header you provided implies functionality that is not implemented")
}

pub(crate) fn invalid_argument(message: impl Into<String>) -> S3Error {
    fail(S3ErrorCode::InvalidArgument, message)
}

pub(crate) fn invalid_request(message: impl Into<String>) -> S3Error {
    fail(S3ErrorCode::InvalidRequest, message)
}

pub(crate) fn malformed_xml() -> S3Error {
    fail(
        S3ErrorCode::MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(crate) fn entity_too_large() -> S3Error {
    fail(S3ErrorCode::EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
}

pub(crate) fn incomplete_body() -> S3Error {
    fail(
        S3ErrorCode::IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

/// The text of a code for which `s3s` gives none.
pub(crate) fn default_message(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" => "Access Denied",
        "IncompleteBody" => "You did not provide the number of bytes specified by the Content-Length HTTP header",
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "MissingRequestBodyError" => "Request Body is empty",
        "NotImplemented" => "A header you provided implies functionality that is not implemented",
        _ => return None,
    })
}
