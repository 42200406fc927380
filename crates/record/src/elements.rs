//! `requestParameters` and `responseElements` of the RPC services, from their typed shapes.
//!
//! CloudTrail writes member names with a lower-case first letter (`TrailARN` as `trailARN`, `AWSAccountIds` as
//! `aWSAccountIds`), at every depth. Keys of maps, such as the attributes of a queue, stay as they are. JSON does not tell the
//! two apart, but serde does: hence a serializer, which makes values of JSON.

use serde::ser::{
    self, Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
};
use serde_json::{Error, Map, Value};

/// A structure of a record.
pub type Elements = Map<String, Value>;

/// What a request asked for. A member that was not given is left out: shapes show it as `None`, or as an empty text, list
/// or map. `None` if nothing was given.
pub fn request_parameters<T: Serialize + ?Sized>(input: &T) -> Result<Option<Elements>, Error> {
    elements(input, true)
}

/// What was answered. `None` if the answer says nothing.
pub fn response_elements<T: Serialize + ?Sized>(output: &T) -> Result<Option<Elements>, Error> {
    elements(output, false)
}

fn elements<T: Serialize + ?Sized>(shape: &T, of_request: bool) -> Result<Option<Elements>, Error> {
    Ok(match shape.serialize(Writer { of_request, empty_is_absent: true })? {
        Some(Value::Object(map)) => Some(map),
        _ => None,
    })
}

/// Makes a value; `None` if it is absent.
#[derive(Clone, Copy)]
struct Writer {
    of_request: bool,
    /// An empty text, list, map or structure here means that none was given.
    empty_is_absent: bool,
}

impl Writer {
    fn member(self) -> Self {
        Self { empty_is_absent: self.of_request, ..self }
    }

    fn given(self) -> Self {
        Self { empty_is_absent: false, ..self }
    }
}

/// Writes the scalars that JSON has as they are.
macro_rules! scalars {
    ($($method:ident($kind:ty);)*) => {$(
        fn $method(self, value: $kind) -> Result<Self::Ok, Error> {
            Ok(Some(Value::from(value)))
        }
    )*};
}

impl ser::Serializer for Writer {
    type Ok = Option<Value>;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = Impossible<Self::Ok, Error>;
    type SerializeTupleVariant = Impossible<Self::Ok, Error>;
    type SerializeMap = Entries;
    type SerializeStruct = Members;
    type SerializeStructVariant = Impossible<Self::Ok, Error>;

    scalars! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
    }

    fn serialize_char(self, value: char) -> Result<Self::Ok, Error> {
        Ok(Some(Value::String(value.into())))
    }

    fn serialize_str(self, text: &str) -> Result<Self::Ok, Error> {
        Ok((!text.is_empty() || !self.empty_is_absent).then(|| Value::String(text.into())))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Self::Ok, Error> {
        Err(Error::custom("bytes have no form in a record"))
    }

    fn serialize_none(self) -> Result<Self::Ok, Error> {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Error> {
        value.serialize(self.given())
    }

    fn serialize_unit(self) -> Result<Self::Ok, Error> {
        Ok(None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Error> {
        Ok(None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Self::Ok, Error> {
        Ok(Some(Value::String(variant.into())))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Self::Ok, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Self::Ok, Error> {
        Err(no_union())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Error> {
        Ok(List { writer: self, values: Vec::new() })
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Error> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(no_union())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(no_union())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Error> {
        Ok(Entries { writer: self, key: None, map: Map::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members, Error> {
        Ok(Members { writer: self, map: Map::new() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(no_union())
    }
}

fn no_union() -> Error {
    Error::custom("the shapes have no unions")
}

fn object(map: Elements, writer: Writer) -> Option<Value> {
    (!map.is_empty() || !writer.empty_is_absent).then_some(Value::Object(map))
}

struct List {
    writer: Writer,
    values: Vec<Value>,
}

impl SerializeSeq for List {
    type Ok = Option<Value>;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.values.push(value.serialize(self.writer.given())?.unwrap_or(Value::Null));
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, Error> {
        Ok((!self.values.is_empty() || !self.writer.empty_is_absent).then_some(Value::Array(self.values)))
    }
}

impl SerializeTuple for List {
    type Ok = Option<Value>;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Self::Ok, Error> {
        SerializeSeq::end(self)
    }
}

/// A map: its keys are the customer's.
struct Entries {
    writer: Writer,
    key: Option<String>,
    map: Elements,
}

impl SerializeMap for Entries {
    type Ok = Option<Value>;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        match key.serialize(self.writer.given())? {
            Some(Value::String(key)) => {
                self.key = Some(key);
                Ok(())
            }
            _ => Err(Error::custom("a key is a text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error::custom("a value without a key"))?;
        let value = value.serialize(self.writer.given())?.unwrap_or(Value::Null);
        self.map.insert(key, value);
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, Error> {
        Ok(object(self.map, self.writer))
    }
}

/// A structure: its member names are AWS's.
struct Members {
    writer: Writer,
    map: Elements,
}

impl SerializeStruct for Members {
    type Ok = Option<Value>;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if let Some(value) = value.serialize(self.writer.member())? {
            self.map.insert(member_name(name), value);
        }
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, Error> {
        Ok(object(self.map, self.writer))
    }
}

fn member_name(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_api::cloudtrail::{
        CreateTrailRequest, DescribeTrailsRequest, EmptyResponse, EventSelector, EventSelectorsResponse, Tag,
        UpdateTrailRequest,
    };
    use aws_api::sqs::{AddPermissionRequest, CreateQueueRequest};
    use serde_json::json;

    use super::*;

    fn request(input: &impl Serialize) -> Value {
        request_parameters(input).unwrap().map_or(Value::Null, Value::Object)
    }

    /// The parameters of a real record (`CreateTrail` in a public log of 2023).
    #[test]
    fn members_begin_with_a_small_letter_at_every_depth() {
        let input = CreateTrailRequest {
            name: "t".into(),
            s3_bucket_name: "b".into(),
            include_global_service_events: Some(true),
            tags_list: vec![Tag { key: "StratusRedTeam".into(), value: Some("true".into()) }],
            ..CreateTrailRequest::default()
        };
        assert_eq!(
            request(&input).to_string(),
            r#"{"name":"t","s3BucketName":"b","includeGlobalServiceEvents":true,"tagsList":[{"key":"StratusRedTeam","value":"true"}]}"#
        );
    }

    #[test]
    fn keys_of_maps_stay_as_they_are() {
        let input = CreateQueueRequest {
            queue_name: Some("q".into()),
            attributes: BTreeMap::from([("Policy".into(), String::new()), ("DelaySeconds".into(), "5".into())]),
            tags: BTreeMap::from([("Team".into(), "A".into())]),
        };
        assert_eq!(
            request(&input),
            json!({"queueName": "q", "attributes": {"Policy": "", "DelaySeconds": "5"}, "tags": {"Team": "A"}})
        );
        let input = AddPermissionRequest { aws_account_ids: vec!["111122223333".into()], ..Default::default() };
        assert_eq!(request(&input), json!({"aWSAccountIds": ["111122223333"]}));
    }

    #[test]
    fn what_was_not_given_is_left_out_and_what_was_given_empty_stays() {
        assert_eq!(request(&DescribeTrailsRequest::default()), Value::Null);
        assert_eq!(request(&aws_api::sns::ListTopicsRequest::default()), Value::Null);
        let input = UpdateTrailRequest { name: "t".into(), s3_key_prefix: Some(String::new()), ..Default::default() };
        assert_eq!(request(&input), json!({"name": "t", "s3KeyPrefix": ""}));
    }

    #[test]
    fn answers_show_all_that_they_say() {
        assert_eq!(response_elements(&EmptyResponse {}).unwrap(), None);
        assert_eq!(response_elements(&()).unwrap(), None);
        let selector = EventSelector { read_write_type: Some("All".into()), ..EventSelector::default() };
        let answer = EventSelectorsResponse {
            trail_arn: "arn".into(),
            event_selectors: vec![selector],
            ..EventSelectorsResponse::default()
        };
        assert_eq!(
            Value::from(response_elements(&answer).unwrap().unwrap()),
            json!({"trailARN": "arn", "eventSelectors": [
                {"readWriteType": "All", "dataResources": [], "excludeManagementEventSources": []}
            ]})
        );
    }
}
