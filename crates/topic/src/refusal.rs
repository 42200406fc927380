//! The refusals of SNS, each with the text that AWS answers where it is known.

use aws_api::ApiError;

/// `InvalidParameter`, the refusal that most mistakes get. The service writes `Invalid parameter: ` before all of them.
pub(crate) fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::new("InvalidParameter", format!("Invalid parameter: {what}"))
}

/// A member that must be there is not; `member` is its name as AWS writes it here: in lower camel case.
pub(crate) fn missing(member: impl std::fmt::Display) -> ApiError {
    let message = format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    );
    ApiError::new("ValidationError", message)
}

/// A message attribute against the rules.
pub(crate) fn attribute_invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ParameterValueInvalid", message)
}

pub(crate) fn no_topic() -> ApiError {
    ApiError::new("NotFound", "Topic does not exist").with_status(404)
}

pub(crate) fn no_subscription() -> ApiError {
    ApiError::new("NotFound", "Subscription does not exist").with_status(404)
}

pub(crate) fn no_resource() -> ApiError {
    ApiError::new("ResourceNotFound", "Resource does not exist").with_status(404)
}

/// No statement of a policy allows it, or there is no such topic of another account.
pub(crate) fn not_authorized(principal: &str, action: &str, resource: &str) -> ApiError {
    let message = format!(
        "User: {principal} is not authorized to perform: SNS:{action} on resource: {resource} because no \
         resource-based policy allows the SNS:{action} action"
    );
    ApiError::new("AuthorizationError", message).with_status(403)
}
