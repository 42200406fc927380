//! JSON 1.0 and 1.1: the body is the shape.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::Value;

use crate::error::DecodeError;

/// Reads a body, which is empty or an object. `serde_json` holds nesting to 128.
///
/// The body is read as a value first: null members stand for absent ones, mistakes can be told apart, and a structure is an
/// object and nothing else, whereas the derived `Deserialize` would also take a list of its members.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let value: Value = serde_json::from_slice(body).map_err(|mistake| {
        DecodeError::Malformed(format!("The body is not JSON (line {}, column {}).", mistake.line(), mistake.column()))
    })?;
    if !value.is_object() {
        return Err(DecodeError::Malformed("The body is not a JSON object.".into()));
    }
    T::deserialize(Node(value))
}

/// The bytes of an answer; an operation without output answers an empty object.
pub(crate) fn encode<T: Serialize>(output: &T) -> Result<Vec<u8>, serde_json::Error> {
    let body = serde_json::to_vec(output)?;
    Ok(if body == b"null" { b"{}".to_vec() } else { body })
}

/// A value that reports its mistakes as [`DecodeError`].
struct Node(Value);

impl IntoDeserializer<'_, DecodeError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_i64(value),
                (None, Some(value), _) => visitor.visit_u64(value),
                (None, None, Some(value)) => visitor.visit_f64(value),
                (None, None, None) => Err(DecodeError::Malformed("This number can not be read.".into())),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(values) => {
                let mut list = SeqDeserializer::new(values.into_iter().map(Node));
                let read = visitor.visit_seq(&mut list)?;
                list.end().map(|()| read)
            }
            Value::Object(members) => {
                let given = members.into_iter().filter(|(_, value)| !value.is_null());
                let mut map = MapDeserializer::new(given.map(|(name, value)| (name, Node(value))));
                let read = visitor.visit_map(&mut map)?;
                map.end().map(|()| read)
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if self.0.is_object() {
            self.deserialize_any(visitor)
        } else {
            Err(DecodeError::Malformed("A structure was expected.".into()))
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.into_deserializer()),
            _ => Err(DecodeError::Malformed("A string was expected.".into())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use aws_api::sns::PublishRequest;
    use aws_api::sqs::SendMessageRequest;

    use super::*;

    #[test]
    fn null_is_absent() {
        let body = br#"{"QueueUrl":"u","DelaySeconds":null,"MessageAttributes":{"a":null}}"#;
        let read: SendMessageRequest = decode(body).unwrap();
        assert_eq!(
            (read.queue_url.as_deref(), read.delay_seconds, read.message_attributes.len()),
            (Some("u"), None, 0)
        );
    }

    #[test]
    fn mistakes() {
        let malformed = |text: &str| DecodeError::Malformed(text.into());
        // The 128th opening brace is one too many.
        let deep = format!("{}{}", "{\"a\":".repeat(200), "}".repeat(200));
        let rows = [
            (r#"{"QueueUrl":"u","Priority":1}"#, DecodeError::UnknownMember("Priority".into())),
            (
                r#"{"MessageAttributes":{"a":{"DataType":"String","StringListValues":[]}}}"#,
                DecodeError::UnknownMember("StringListValues".into()),
            ),
            (r#"{"DelaySeconds":"3"}"#, malformed("A string can not be read as i32.")),
            (r#"{"DelaySeconds":3000000000}"#, malformed("A number of this value can not be read as i32.")),
            (r#"{"QueueUrl":"#, malformed("The body is not JSON (line 1, column 12).")),
            (r#"{"MessageAttributes":{"a":["String","x"]}}"#, malformed("A structure was expected.")),
            (r#"["QueueUrl"]"#, malformed("The body is not a JSON object.")),
            ("{} x", malformed("The body is not JSON (line 1, column 4).")),
            (deep.as_str(), malformed("The body is not JSON (line 1, column 636).")),
        ];
        for (body, expected) in rows {
            assert_eq!(decode::<SendMessageRequest>(body.as_bytes()).unwrap_err(), expected, "{body}");
        }
    }

    #[test]
    fn an_empty_body_is_an_empty_shape() {
        assert_eq!(decode::<PublishRequest>(b" \n").unwrap(), PublishRequest::default());
        assert_eq!(encode(&()).unwrap(), b"{}");
    }
}
