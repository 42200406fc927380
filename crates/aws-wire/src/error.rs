//! What can be wrong with the parameters of a request.

use std::fmt;

use aws_api::{ApiError, Service};

use crate::call::Protocol;

/// The longest name of a member or operation that a refusal repeats, in characters.
const NAME_CHARS_MAX: usize = 128;

/// Why parameters are not the operation's input shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The shape has no such member: nobody's, or one of AWS's that is not supported.
    UnknownMember(String),
    /// Anything else, for a person.
    Malformed(String),
}

impl DecodeError {
    /// The refusal. AWS passes over members that it does not know; here one would be accepted without effect, so each
    /// service refuses it with the code of its own that comes closest.
    pub(crate) fn refusal(self, service: Service, protocol: Protocol) -> ApiError {
        match self {
            Self::UnknownMember(name) => {
                let name = shown(&name);
                let reason = format!("the parameter {name} is unknown or not supported yet");
                match service {
                    Service::Sqs => ApiError::new("UnsupportedOperation", format!("Unsupported parameter: {reason}.")),
                    Service::Sns => {
                        ApiError::new("InvalidParameter", format!("Invalid parameter: {name} Reason: {reason}"))
                    }
                    Service::CloudTrail => {
                        ApiError::new("UnsupportedOperationException", format!("Unsupported: {reason}."))
                    }
                    Service::CloudWatch => {
                        ApiError::new("InvalidParameterValueException", format!("Unsupported: {reason}."))
                    }
                    Service::Events => ApiError::new("ValidationException", format!("Unsupported: {reason}.")),
                    Service::CloudFormation | Service::Sts => {
                        ApiError::new("ValidationError", format!("Unsupported: {reason}."))
                    }
                }
            }
            Self::Malformed(message) => match protocol {
                Protocol::Json { .. } | Protocol::Cbor => ApiError::new("SerializationException", message),
                Protocol::Query => ApiError::new("MalformedInput", message),
            },
        }
    }
}

/// A name from outside, cut to a length that a message can carry.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMember(name) => write!(f, "unknown parameter {name}"),
            Self::Malformed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Malformed(message.to_string())
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownMember(field.into())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Malformed(format!("The parameter {field} is missing."))
    }

    fn invalid_type(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::Malformed(format!("{} can not be read as {expected}.", kind(&found)))
    }

    fn invalid_value(found: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::Malformed(format!("{} of this value can not be read as {expected}.", kind(&found)))
    }
}

/// What was found, without its content: that may be a secret.
fn kind(found: &serde::de::Unexpected<'_>) -> &'static str {
    use serde::de::Unexpected;
    match found {
        Unexpected::Bool(_) => "A boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "A number",
        Unexpected::Char(_) | Unexpected::Str(_) => "A string",
        Unexpected::Seq => "A list",
        Unexpected::Map => "A structure",
        _ => "This value",
    }
}
