//! Smithy's RPC v2 CBOR: the shape is in the body, the operation in the path.
//!
//! See "Smithy RPC v2 CBOR protocol": timestamps have tag 1, absent members are left out, and null stands for absent.

use aws_api::{OpInfo, ServiceInfo};
use ciborium::Value;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};

use crate::error::DecodeError;
use crate::xml::shape::{Shape, ToShape, Unwritable};

/// `smithy-protocol`, in requests and in answers.
pub(crate) const PROTOCOL: &str = "rpc-v2-cbor";
/// Of bodies.
pub(crate) const MEDIA_TYPE: &str = "application/cbor";
/// Nesting of what is read. The deepest shape has eight levels.
const DEPTH_MAX: usize = 64;
/// The tag of a number of seconds since the epoch.
const EPOCH_SECONDS: u64 = 1;

/// The operation that a path names: `/service/GraniteServiceVersion20100801/operation/ListMetrics`, with anything before it.
pub(crate) fn op_of(service: &ServiceInfo, path: &str) -> Option<&'static OpInfo> {
    let (before, name) = path.rsplit_once("/operation/")?;
    let (_, named) = before.rsplit_once("/service/")?;
    service.op(name).filter(|_| named == service.target_prefix)
}

/// Reads a body, which is empty or a map.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let malformed = |message: &str| DecodeError::Malformed(message.into());
    let mut rest = body;
    let value = if body.is_empty() {
        Value::Map(Vec::new())
    } else {
        ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX)
            .map_err(|_| malformed("The body is not CBOR."))?
    };
    if !rest.is_empty() || !value.is_map() {
        return Err(malformed("The body is not one CBOR map."));
    }
    T::deserialize(Node(value))
}

/// The bytes of an answer; none for an operation without output.
pub(crate) fn encode<T: Serialize>(output: &T) -> Result<Vec<u8>, Unwritable> {
    match output.serialize(ToShape)? {
        Shape::Nothing => Ok(Vec::new()),
        shape => written(&value(shape)),
    }
}

/// The bytes of a refusal.
pub(crate) fn refusal(code: &str, message: &str) -> Vec<u8> {
    let members = [("__type", code), ("message", message)].map(|(name, text)| (name.into(), text.into()));
    written(&Value::Map(members.into())).unwrap_or_default()
}

fn written(value: &Value) -> Result<Vec<u8>, Unwritable> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_| Unwritable)?;
    Ok(bytes)
}

fn value(shape: Shape) -> Value {
    match shape {
        Shape::Nothing => Value::Null,
        Shape::Text(text) => Value::Text(text),
        Shape::Bool(value) => Value::Bool(value),
        Shape::Int(number) => Value::Integer(number.into()),
        Shape::Float(number) => Value::Float(number),
        Shape::Moment(secs) => Value::Tag(EPOCH_SECONDS, Box::new(Value::Float(secs))),
        Shape::List(values) => Value::Array(values.into_iter().map(value).collect()),
        Shape::Map(entries) => Value::Map(entries.into_iter().map(|(name, one)| (name.into(), value(one))).collect()),
        Shape::Struct(members) => {
            Value::Map(members.into_iter().map(|(name, one)| (name.into(), value(one))).collect())
        }
    }
}

/// A value that reports its mistakes as [`DecodeError`].
struct Node(Value);

impl IntoDeserializer<'_, DecodeError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Absent as null is.
fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null)
}

impl<'de> Deserializer<'de> for Node {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let unreadable = |what: &str| Err(DecodeError::Malformed(format!("{what} can not be read.")));
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Integer(number) => match i64::try_from(number) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => unreadable("This number"),
            },
            Value::Float(number) => visitor.visit_f64(number),
            Value::Text(text) => visitor.visit_string(text),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::Tag(EPOCH_SECONDS, inner) => Node(*inner).deserialize_any(visitor),
            Value::Array(values) => {
                let mut list = SeqDeserializer::new(values.into_iter().map(Node));
                let read = visitor.visit_seq(&mut list)?;
                list.end().map(|()| read)
            }
            Value::Map(members) => {
                let given = members.into_iter().filter(|(_, value)| !is_null(value));
                let mut map = MapDeserializer::new(given.map(|(name, value)| (Node(name), Node(value))));
                let read = visitor.visit_map(&mut map)?;
                map.end().map(|()| read)
            }
            _ => unreadable("This value"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if self.0.is_map() {
            self.deserialize_any(visitor)
        } else {
            Err(DecodeError::Malformed("A structure was expected.".into()))
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if is_null(&self.0) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use aws_api::cloudwatch::{Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput, PutMetricDataInput};
    use aws_api::{Moment, Timestamp};

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        written(value).unwrap()
    }

    fn map(members: &[(&str, Value)]) -> Value {
        Value::Map(members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
    }

    #[test]
    fn moments_have_a_tag_both_ways() {
        let moment = Moment(Timestamp::from_millis(1_773_480_413_104));
        let tagged = Value::Tag(1, Box::new(Value::Float(1_773_480_413.104)));
        let asked = map(&[("Namespace", "n".into()), ("StartTime", tagged.clone()), ("Unit", Value::Null)]);
        let read: GetMetricStatisticsInput = decode(&bytes(&asked)).unwrap();
        assert_eq!((read.start_time, read.unit), (Some(moment), None));
        let whole = map(&[("StartTime", Value::Tag(1, Box::new(Value::Integer(1_773_480_413.into()))))]);
        let read: GetMetricStatisticsInput = decode(&bytes(&whole)).unwrap();
        assert_eq!(read.start_time, Some(Moment(Timestamp::from_secs(1_773_480_413))));
        let point = Datapoint { timestamp: moment, sum: Some(3.0), unit: "Count".into(), ..Datapoint::default() };
        let answer = GetMetricStatisticsOutput { label: "m".into(), datapoints: vec![point] };
        let written: Value = ciborium::from_reader(&*encode(&answer).unwrap()).unwrap();
        let point = map(&[("Timestamp", tagged), ("Sum", 3.0.into()), ("Unit", "Count".into())]);
        assert_eq!(written, map(&[("Label", "m".into()), ("Datapoints", Value::Array(vec![point]))]));
        assert!(encode(&()).unwrap().is_empty());
    }

    #[test]
    fn mistakes() {
        let malformed = |text: &str| DecodeError::Malformed(text.into());
        let deep = (0..100).fold(Value::Null, |inner, _| map(&[("a", inner)]));
        let rows = [
            (bytes(&map(&[("Color", 1.into())])), DecodeError::UnknownMember("Color".into())),
            (bytes(&map(&[("Namespace", 1.into())])), malformed("A number can not be read as a string.")),
            (bytes(&map(&[("MetricData", Value::Array(vec![1.into()]))])), malformed("A structure was expected.")),
            (bytes(&1.into()), malformed("The body is not one CBOR map.")),
            ([bytes(&map(&[])), vec![0]].concat(), malformed("The body is not one CBOR map.")),
            (vec![0xff], malformed("The body is not CBOR.")),
            (bytes(&deep), malformed("The body is not CBOR.")),
        ];
        for (body, expected) in rows {
            assert_eq!(decode::<PutMetricDataInput>(&body).unwrap_err(), expected, "{body:?}");
        }
        assert_eq!(decode::<PutMetricDataInput>(&[]).unwrap(), PutMetricDataInput::default());
    }
}
