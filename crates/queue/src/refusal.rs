//! The errors of this service, each with its code, status and text in one place.

use std::fmt::Display;

use aws_api::ApiError;

pub fn missing(parameter: &str) -> ApiError {
    ApiError::new("MissingRequiredParameterException", format!("The request must contain the parameter {parameter}."))
}

pub fn invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

pub fn invalid_value(value: impl Display, parameter: &str, reason: impl Display) -> ApiError {
    invalid_parameter(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

pub fn wrong_queue_type(value: impl Display, parameter: &str) -> ApiError {
    invalid_value(value, parameter, "The request include parameter that is not valid for this queue type.")
}

pub fn unsupported(message: impl Into<String>) -> ApiError {
    ApiError::new("UnsupportedOperation", message)
}

pub fn no_fifo() -> ApiError {
    unsupported("FIFO queues are not supported yet.")
}

pub fn no_such_queue() -> ApiError {
    ApiError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

pub fn access_denied(resource: &str) -> ApiError {
    ApiError::new("AccessDeniedException", format!("Access to the resource {resource} is denied.")).with_status(403)
}

pub fn explicitly_denied(principal: &str, action: &str, resource: &str) -> ApiError {
    let action = action.to_ascii_lowercase();
    let message = format!(
        "User: {principal} is not authorized to perform: sqs:{action} on resource: {resource} with an explicit deny in a resource-based policy"
    );
    ApiError::new("AccessDeniedException", message).with_status(403)
}

pub fn unknown_attribute(name: &str) -> ApiError {
    ApiError::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub fn invalid_attribute_value(name: &str) -> ApiError {
    ApiError::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub fn invalid_handle() -> ApiError {
    ApiError::new("ReceiptHandleIsInvalid", "The input receipt handle is invalid.").with_status(404)
}

pub fn resource_not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message).with_status(404)
}

/// The code as the entries of batch answers write it, which is the Query protocol's.
pub fn batch_code(error: &ApiError) -> String {
    match &*error.code {
        "InvalidParameterValueException" => "InvalidParameterValue".into(),
        "MissingRequiredParameterException" => "MissingParameter".into(),
        "MessageNotInflight" => "AWS.SimpleQueueService.MessageNotInflight".into(),
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation".into(),
        code => code.into(),
    }
}
