//! Refusals in CloudWatch's words.

use aws_api::ApiError;

pub(crate) fn missing(parameter: &str) -> ApiError {
    ApiError::new("MissingRequiredParameterException", format!("The parameter {parameter} is required."))
}

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

pub(crate) fn invalid_value(value: impl std::fmt::Display, parameter: &str) -> ApiError {
    let value: String = value.to_string().chars().take(255).collect();
    invalid(format!("The value {value} for parameter {parameter} is invalid."))
}

pub(crate) fn combination(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterCombinationException", message)
}

pub(crate) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

/// `1 validation error detected: …`, as AWS's framework checks what a model says of a member.
pub(crate) fn constraint(value: &str, member: &str, rule: &str) -> ApiError {
    let value: String = value.chars().take(255).collect();
    validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    ))
}

pub(crate) fn one_of(value: &str, member: &str, values: &[&str]) -> ApiError {
    constraint(value, member, &format!("Member must satisfy enum value set: [{}]", values.join(", ")))
}

pub(crate) fn length(value: &str, member: &str, max: usize) -> ApiError {
    let rule = if value.is_empty() {
        "Member must have length greater than or equal to 1".to_owned()
    } else {
        format!("Member must have length less than or equal to {max}")
    };
    constraint(value, member, &rule)
}

/// Percentiles and what else would need the values themselves.
pub(crate) fn no_percentiles(parameter: &str, value: &str) -> ApiError {
    let value: String = value.chars().take(255).collect();
    invalid(format!(
        "The value {value} for parameter {parameter} is not supported: of values only their count, sum, minimum and maximum \
         are kept, so percentiles and trimmed statistics are not known."
    ))
}

/// A page's beginning that no answer gave.
pub(crate) fn next_token() -> ApiError {
    ApiError::new("InvalidNextToken", "The next token is invalid.")
}
