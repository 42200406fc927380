//! What a message may hold: characters, attributes, sizes ("Amazon SQS message metadata", "`SendMessage`").

use std::collections::BTreeMap;

use aws_api::sqs::MessageAttributeValue;
use aws_api::{ApiError, Blob};
use serde::{Deserialize, Serialize};

use crate::limits::{ATTRIBUTE_COUNT_MAX, ATTRIBUTE_NAME_LEN_MAX};
use crate::refusal;

/// A typed value beside the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attribute {
    /// A `String` or `Number`, with its whole type: `Number.int`.
    Text(String, String),
    /// A `Binary`, with its whole type.
    Bytes(String, Blob),
}

impl Attribute {
    /// `String`, `Number`, `Binary`, and a custom label after a dot.
    pub fn data_type(&self) -> &str {
        let (Self::Text(data_type, _) | Self::Bytes(data_type, _)) = self;
        data_type
    }

    /// The value's bytes, as they count and as MD5 sees them.
    pub fn value(&self) -> &[u8] {
        match self {
            Self::Text(_, text) => text.as_bytes(),
            Self::Bytes(_, blob) => &blob.0,
        }
    }

    pub(crate) fn to_shape(&self) -> MessageAttributeValue {
        let data_type = Some(self.data_type().to_owned());
        match self {
            Self::Text(_, text) => {
                MessageAttributeValue { data_type, string_value: Some(text.clone()), binary_value: None }
            }
            Self::Bytes(_, blob) => {
                MessageAttributeValue { data_type, string_value: None, binary_value: Some(blob.clone()) }
            }
        }
    }
}

/// Body and attributes together, in bytes; names and types of attributes count too.
pub fn size(body: &str, attributes: &BTreeMap<String, Attribute>) -> usize {
    let attribute = |(name, value): (&String, &Attribute)| name.len() + value.data_type().len() + value.value().len();
    body.len() + attributes.iter().map(attribute).sum::<usize>()
}

/// The size of a request's message before anything else is known about it.
pub fn raw_size(body: Option<&str>, attributes: &BTreeMap<String, MessageAttributeValue>) -> usize {
    let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let attribute = |(name, value): (&String, &MessageAttributeValue)| {
        let bytes = value.binary_value.as_ref().map_or(0, |blob| blob.0.len());
        name.len() + len(&value.data_type) + len(&value.string_value) + bytes
    };
    body.map_or(0, str::len) + attributes.iter().map(attribute).sum::<usize>()
}

/// Refuses characters that SQS does not carry, which are those that XML 1.0 does not.
pub fn check_characters(text: &str) -> Result<(), ApiError> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(ApiError::new(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
         #x10000 to #x10FFFF",
    ))
}

/// Reads the attributes of a request.
pub fn read_attributes(
    attributes: BTreeMap<String, MessageAttributeValue>,
) -> Result<BTreeMap<String, Attribute>, ApiError> {
    attributes
        .into_iter()
        .map(|(name, value)| {
            let attribute = read_attribute("user", &name, value)?;
            Ok((name, attribute))
        })
        .collect()
}

/// Checks what the attributes of one message must hold together and each by itself.
pub fn check_attributes(attributes: &BTreeMap<String, Attribute>) -> Result<(), ApiError> {
    if attributes.len() > ATTRIBUTE_COUNT_MAX {
        return Err(refusal::invalid_parameter(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTE_COUNT_MAX}].",
            attributes.len()
        )));
    }
    attributes.iter().try_for_each(|(name, value)| {
        check_name(name)?;
        check_value("user", name, value)
    })
}

/// The `AWSTraceHeader` of a request, the only system attribute that can be sent.
pub fn read_trace_header(attributes: BTreeMap<String, MessageAttributeValue>) -> Result<Option<Attribute>, ApiError> {
    let mut header = None;
    for (name, value) in attributes {
        if name != "AWSTraceHeader" {
            return Err(refusal::invalid_parameter(format!(
                "Message (system) attribute '{name}' is invalid. The only one that can be sent is AWSTraceHeader."
            )));
        }
        let value = read_attribute("system", &name, value)?;
        check_value("system", &name, &value)?;
        if value.data_type() != "String" {
            return Err(refusal::invalid_parameter(
                "The type of message (system) attribute 'AWSTraceHeader' is invalid. It must be String.",
            ));
        }
        header = Some(value);
    }
    Ok(header)
}

fn read_attribute(kind: &str, name: &str, value: MessageAttributeValue) -> Result<Attribute, ApiError> {
    let MessageAttributeValue { data_type, string_value, binary_value } = value;
    let data_type = data_type.filter(|data_type| !data_type.is_empty()).ok_or_else(|| {
        refusal::invalid_parameter(format!("Message ({kind}) attribute '{name}' must contain a non-empty data type."))
    })?;
    let is_binary = base(&data_type) == "Binary";
    match (string_value, binary_value) {
        (Some(text), None) if !is_binary => Ok(Attribute::Text(data_type, text)),
        (None, Some(blob)) if is_binary => Ok(Attribute::Bytes(data_type, blob)),
        (None, None) => Err(empty(kind, name, &data_type)),
        _ => Err(refusal::invalid_parameter(format!(
            "The message ({kind}) attribute '{name}' with type '{data_type}' must use field '{}'.",
            if is_binary { "Binary" } else { "String" }
        ))),
    }
}

fn check_value(kind: &str, name: &str, value: &Attribute) -> Result<(), ApiError> {
    let data_type = value.data_type();
    if !matches!(base(data_type), "String" | "Number" | "Binary") || data_type.len() > ATTRIBUTE_NAME_LEN_MAX {
        return Err(refusal::invalid_parameter(format!(
            "The type of message ({kind}) attribute '{name}' is invalid. You must use only the following supported type \
             prefixes: Binary, Number, String."
        )));
    }
    check_characters(data_type)?;
    if value.value().is_empty() {
        return Err(empty(kind, name, data_type));
    }
    if let Attribute::Text(_, text) = value {
        check_characters(text)?;
        if base(data_type) == "Number" && !is_number(text) {
            return Err(refusal::invalid_parameter(format!(
                "Can't cast the value of message ({kind}) attribute '{name}' to a number."
            )));
        }
    }
    Ok(())
}

fn empty(kind: &str, name: &str, data_type: &str) -> ApiError {
    refusal::invalid_parameter(format!(
        "Message ({kind}) attribute '{name}' must contain a non-empty value of type '{}'.",
        if base(data_type) == "Binary" { "Binary" } else { "String" }
    ))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let lower = name.to_ascii_lowercase();
    let good = (1..=ATTRIBUTE_NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    if good {
        return Ok(());
    }
    Err(refusal::invalid_parameter(format!(
        "Message (user) attribute name '{name}' is invalid. It can hold 1 to {ATTRIBUTE_NAME_LEN_MAX} letters, digits, \
         hyphens, underscores and periods, does not start or end with a period or have two together, and does not start \
         with AWS. or Amazon."
    )))
}

fn base(data_type: &str) -> &str {
    data_type.split_once('.').map_or(data_type, |(base, _)| base)
}

/// Up to 38 digits of precision, and an exponent between -128 and +126.
fn is_number(text: &str) -> bool {
    const DIGITS_MAX: usize = 38;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()),
        None => (text, Some(0)),
    };
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let figures = || whole.bytes().chain(fraction.bytes());
    let significant = figures().skip_while(|byte| *byte == b'0').count();
    figures().count() > 0
        && figures().all(|byte| byte.is_ascii_digit())
        && significant <= DIGITS_MAX
        && exponent.is_some_and(|exponent| (-128..=126).contains(&exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for text in ["0", "-1", "+1.5", ".5", "1.", "1e126", "12345678901234567890123456789012345678"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", ".", "1e", "1e127", "0x1", "1,5", "NaN", "123456789012345678901234567890123456789"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn characters() {
        for text in ["\t\n\r ", "a", "\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}"] {
            assert_eq!(check_characters(text), Ok(()));
        }
        for text in ["\0", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            assert_eq!(check_characters(text).unwrap_err().code, "InvalidMessageContents", "{text:?}");
        }
    }

    #[test]
    fn attributes() {
        let text = |data_type: &str, value: &str| MessageAttributeValue {
            data_type: Some(data_type.into()),
            string_value: Some(value.into()),
            binary_value: None,
        };
        let check = |name: &str, value: MessageAttributeValue| {
            read_attributes([(name.to_owned(), value)].into()).and_then(|attributes| check_attributes(&attributes))
        };
        for (name, value) in [("Foo", text("String", "Bar")), ("a.b-c_1", text("Number.int", "3"))] {
            assert_eq!(check(name, value), Ok(()));
        }
        for (name, value, message) in [
            (
                "ErrorDetails",
                text("String", ""),
                "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
            ),
            ("n", text("Number", "x"), "Can't cast the value of message (user) attribute 'n' to a number."),
            ("b", text("Binary", "x"), "The message (user) attribute 'b' with type 'Binary' must use field 'Binary'."),
            (
                "t",
                text("string", "x"),
                "The type of message (user) attribute 't' is invalid. You must use only the following supported type \
                 prefixes: Binary, Number, String.",
            ),
        ] {
            assert_eq!(check(name, value).unwrap_err().message, message);
        }
        for name in ["", "a b", ".a", "a.", "a..b", "AWS.x", "amazon.x", "ä"] {
            assert!(check(name, text("String", "x")).is_err(), "{name}");
        }
    }
}
