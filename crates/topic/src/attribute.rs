//! Message attributes: what they may be, and what of them a filter policy sees.
//!
//! "Amazon SNS message attributes" in the SNS guide; the texts are AWS's.

use std::collections::BTreeMap;

use aws_api::ApiError;
use aws_api::sns::MessageAttributeValue;

use crate::refusal::{attribute_invalid, missing};

/// The longest name of a message attribute, in bytes.
pub const ATTRIBUTE_NAME_LEN_MAX: usize = 256;

/// Attributes of one message. AWS has no such bound beside the message's size; ours keeps a Query form from holding more.
pub const ATTRIBUTES_MAX: usize = 256;

/// Message attributes by name.
pub type MessageAttributes = BTreeMap<String, MessageAttributeValue>;

/// Checks all attributes of a message. `path` is how AWS names the map in its validation errors.
pub(crate) fn validate(attributes: &MessageAttributes, path: &str) -> Result<(), ApiError> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(attribute_invalid(format!(
            "A message can not have more than {ATTRIBUTES_MAX} message attributes."
        )));
    }
    attributes.iter().try_for_each(|(name, value)| {
        validate_name(name)?;
        validate_value(name, value, path)
    })
}

fn validate_name(name: &str) -> Result<(), ApiError> {
    let refuse = |text: &str| Err(attribute_invalid(text));
    if name.is_empty() {
        return refuse("The message attribute name can not be empty.");
    }
    if name.len() > ATTRIBUTE_NAME_LEN_MAX {
        return refuse("Length of message attribute name must be less than 256 bytes.");
    }
    if name.starts_with('.') {
        return refuse("Invalid message attribute name starting with character '.' was found.");
    }
    if name.ends_with('.') {
        return refuse("Invalid message attribute name ending with character '.' was found.");
    }
    if let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
        return Err(attribute_invalid(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include \
             alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(odd)
        )));
    }
    if name.contains("..") {
        return refuse("Message attribute name can not have successive '.' character.");
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return refuse("The message attribute name can not start with the reserved prefix 'AWS.' or 'Amazon.'.");
    }
    Ok(())
}

fn validate_value(name: &str, value: &MessageAttributeValue, path: &str) -> Result<(), ApiError> {
    let Some(data_type) = value.data_type.as_deref() else {
        return Err(missing(format!("{path}.{name}.member.dataType")));
    };
    if !matches!(data_type, "String" | "String.Array" | "Number" | "Binary") {
        return Err(attribute_invalid(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
             is Binary, Number, and String."
        )));
    }
    let empty = || {
        attribute_invalid(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{data_type}'."
        ))
    };
    let (field, own, other) = if data_type == "Binary" {
        let own = value.binary_value.as_ref().map(|blob| blob.0.is_empty());
        ("Binary", own, value.string_value.is_some())
    } else {
        ("String", value.string_value.as_ref().map(String::is_empty), value.binary_value.is_some())
    };
    match (own, other) {
        (None, false) | (Some(true), _) => Err(empty()),
        (None | Some(false), true) => Err(attribute_invalid(format!(
            "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
        ))),
        (Some(false), false) if data_type == "Number" => validate_number(name, value),
        (Some(false), false) => Ok(()),
    }
}

/// A `Number` is a JSON number: filter policies compare it as one, and `99.12` is all that the guide shows.
fn validate_number(name: &str, value: &MessageAttributeValue) -> Result<(), ApiError> {
    let text = value.string_value.as_deref().unwrap_or_default().trim();
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Ok(());
    }
    Err(attribute_invalid(format!("Could not cast message attribute '{name}' value to number.")))
}

/// How much the attributes add to a message's size: names, types and values, in bytes.
pub(crate) fn size(attributes: &MessageAttributes) -> usize {
    let value_len = |value: &MessageAttributeValue| {
        value.data_type.as_ref().map_or(0, String::len)
            + value.string_value.as_ref().map_or(0, String::len)
            + value.binary_value.as_ref().map_or(0, |blob| blob.0.len())
    };
    attributes.iter().map(|(name, value)| name.len() + value_len(value)).sum()
}

#[cfg(test)]
mod tests {
    use aws_api::Blob;

    use super::*;

    fn text(data_type: &str, value: &str) -> MessageAttributeValue {
        MessageAttributeValue {
            data_type: Some(data_type.into()),
            string_value: Some(value.into()),
            binary_value: None,
        }
    }

    fn refusal(name: &str, value: MessageAttributeValue) -> String {
        validate(&BTreeMap::from([(name.to_owned(), value)]), "messageAttributes").unwrap_err().to_string()
    }

    #[test]
    fn good_ones() {
        let binary = MessageAttributeValue {
            data_type: Some("Binary".into()),
            binary_value: Some(Blob(vec![1])),
            ..<_>::default()
        };
        let attributes = BTreeMap::from([
            ("a".to_owned(), text("String", "x")),
            ("a.b-c_D9".to_owned(), text("Number", "-99.12")),
            ("c".to_owned(), text("String.Array", "[1,\"a\",true,null]")),
            ("d".to_owned(), binary),
        ]);
        validate(&attributes, "messageAttributes").unwrap();
        assert_eq!(size(&attributes), 1 + 6 + 1 + (8 + 6 + 6) + (1 + 12 + 17) + (1 + 6 + 1));
    }

    #[test]
    fn names() {
        let long = "n".repeat(257);
        let rows = [
            (".a", "Invalid message attribute name starting with character '.' was found."),
            ("a.", "Invalid message attribute name ending with character '.' was found."),
            ("a..b", "Message attribute name can not have successive '.' character."),
            (
                "a:b",
                "Invalid non-alphanumeric character '#x3A' was found in the message attribute name. Can only include \
                 alphanumeric characters, hyphens, underscores, or dots.",
            ),
            (long.as_str(), "Length of message attribute name must be less than 256 bytes."),
            ("AWS.x", "The message attribute name can not start with the reserved prefix 'AWS.' or 'Amazon.'."),
            ("amazon.x", "The message attribute name can not start with the reserved prefix 'AWS.' or 'Amazon.'."),
            ("", "The message attribute name can not be empty."),
        ];
        for (name, expected) in rows {
            assert_eq!(refusal(name, text("String", "x")), format!("ParameterValueInvalid: {expected}"));
        }
    }

    #[test]
    fn values() {
        let binary = Some(Blob(vec![1]));
        let rows = [
            (
                text("String", ""),
                "ParameterValueInvalid: The message attribute 'x' must contain non-empty message attribute value for \
                 message attribute type 'String'.",
            ),
            (
                MessageAttributeValue { data_type: Some("Binary".into()), ..<_>::default() },
                "ParameterValueInvalid: The message attribute 'x' must contain non-empty message attribute value for \
                 message attribute type 'Binary'.",
            ),
            (
                MessageAttributeValue { binary_value: binary.clone(), ..text("String", "x") },
                "ParameterValueInvalid: The message attribute 'x' with type 'String' must use field 'String'.",
            ),
            (
                text("Binary", "x"),
                "ParameterValueInvalid: The message attribute 'x' with type 'Binary' must use field 'Binary'.",
            ),
            (
                text("Number.int", "3"),
                "ParameterValueInvalid: The message attribute 'x' has an invalid message attribute type, the set of \
                 supported type prefixes is Binary, Number, and String.",
            ),
            (text("Number", "three"), "ParameterValueInvalid: Could not cast message attribute 'x' value to number."),
            (
                MessageAttributeValue { string_value: Some("x".into()), ..<_>::default() },
                "ValidationError: 1 validation error detected: Value null at 'messageAttributes.x.member.dataType' \
                 failed to satisfy constraint: Member must not be null",
            ),
        ];
        for (value, expected) in rows {
            assert_eq!(refusal("x", value), expected);
        }
    }
}
