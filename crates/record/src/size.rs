//! How long fields and events may be, and what is left of longer ones.
//!
//! Source: CloudTrail user guide, "CloudTrail record contents": texts are truncated, structures are omitted whole, and an
//! event that is still too long loses its structures in the order of "Field truncation order". What stands in the place of an
//! omitted structure is not in the guide; it is as in real records.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::parameters::cut_to;
use crate::{AdditionalEventData, Record};

/// `userAgent`, `errorCode`, `errorMessage`, `requestID`: bytes.
pub const TEXT_LEN_MAX: usize = 1024;
/// `requestParameters`, `responseElements`, `serviceEventDetails`: bytes of JSON.
pub const STRUCTURE_LEN_MAX: usize = 100 * 1024;
/// `additionalEventData`: bytes of JSON.
pub const ADDITIONAL_LEN_MAX: usize = 28 * 1024;
/// A whole event: bytes of JSON.
pub const EVENT_LEN_MAX: usize = 256 * 1024;

const SERVICE_EVENT_DETAILS: &str = "serviceEventDetails";
/// No byte of a text takes more bytes of JSON: `\u0001`.
const ESCAPED_LEN_MAX: usize = 6;

impl Record {
    /// Holds each field to its bound.
    pub(crate) fn fitted(mut self) -> Self {
        truncate(&mut self.user_agent);
        truncate(&mut self.request_id);
        self.error_code.iter_mut().chain(&mut self.error_message).for_each(truncate);
        hold(&mut self.request_parameters, "requestParameters", STRUCTURE_LEN_MAX);
        hold(&mut self.response_elements, "responseElements", STRUCTURE_LEN_MAX);
        if let Some(data) = &mut self.additional_event_data
            && may_exceed_additional(data)
            && json_len(data) > ADDITIONAL_LEN_MAX
        {
            omit_additional(data);
        }
        self
    }

    /// Omits the next of the structures that an event loses when it is too long. False if there is none left.
    pub(crate) fn shrink(&mut self) -> bool {
        if let Some(data) = self.additional_event_data.as_mut().filter(|data| !is_omitted(&data.extra)) {
            omit_additional(data);
            return true;
        }
        if let Some(Value::Object(details)) = self.extra.get_mut(SERVICE_EVENT_DETAILS)
            && !is_omitted(details)
        {
            *details = omitted(SERVICE_EVENT_DETAILS, json_len(details));
            return true;
        }
        for (field, name) in
            [(&mut self.response_elements, "responseElements"), (&mut self.request_parameters, "requestParameters")]
        {
            if let Some(map) = field.as_mut().filter(|map| !is_omitted(map)) {
                *map = omitted(name, json_len(map));
                return true;
            }
        }
        false
    }
}

fn truncate(text: &mut String) {
    let len = cut_to(text, TEXT_LEN_MAX).len();
    text.truncate(len);
}

fn hold(field: &mut Option<Map<String, Value>>, name: &str, len_max: usize) {
    let Some(map) = field else { return };
    if len_bound(map) <= len_max {
        return;
    }
    let len = json_len(map);
    if len > len_max {
        *map = omitted(name, len);
    }
}

fn omit_additional(data: &mut AdditionalEventData) {
    let extra = omitted("additionalEventData", json_len(data));
    *data = AdditionalEventData { extra, ..AdditionalEventData::default() };
}

/// `{"reason":"requestParameters too large","omitted":true,"originalSize":104166}`
fn omitted(name: &str, len: usize) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("reason".into(), format!("{name} too large").into());
    map.insert("omitted".into(), true.into());
    map.insert("originalSize".into(), json!(len));
    map
}

fn is_omitted(map: &Map<String, Value>) -> bool {
    map.len() == 3 && map.get("omitted") == Some(&Value::Bool(true))
}

/// A bound that is quick to have: of nearly all records nothing more needs to be counted.
fn len_bound(map: &Map<String, Value>) -> usize {
    map.iter().map(|(name, value)| ESCAPED_LEN_MAX * name.len() + value_len_bound(value) + 4).sum::<usize>() + 2
}

fn value_len_bound(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 32,
        Value::String(text) => ESCAPED_LEN_MAX * text.len() + 2,
        Value::Array(values) => values.iter().map(|value| value_len_bound(value) + 1).sum::<usize>() + 2,
        Value::Object(map) => len_bound(map),
    }
}

fn may_exceed_additional(data: &AdditionalEventData) -> bool {
    let texts = [
        &data.signature_version,
        &data.cipher_suite,
        &data.authentication_method,
        &data.claimed_access_key_id,
        &data.x_amz_id_2,
    ];
    let len: usize = texts.into_iter().flatten().map(String::len).sum();
    !data.extra.is_empty() || ESCAPED_LEN_MAX * len + 512 > ADDITIONAL_LEN_MAX
}

/// Bytes of the compact JSON, without writing it.
fn json_len(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Counting does not fail, and values of JSON serialise.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Entry, Outcome};

    fn with_parameters(parameters: Map<String, Value>) -> Record {
        Record { request_parameters: Some(parameters), ..Record::default() }
    }

    fn one(value: String) -> Map<String, Value> {
        Map::from_iter([("k".to_owned(), Value::String(value))])
    }

    #[test]
    fn texts_are_cut_at_a_character() {
        let text = "é".repeat(600);
        let record = Record {
            user_agent: format!("a{text}"),
            error_code: Some(text.clone()),
            error_message: Some("x".repeat(TEXT_LEN_MAX)),
            request_id: text,
            ..Record::default()
        };
        let record = record.fitted();
        assert_eq!(record.user_agent.len(), TEXT_LEN_MAX - 1, "a character of two bytes does not fit");
        assert_eq!(record.error_code.map(|code| code.len()), Some(TEXT_LEN_MAX));
        assert_eq!(record.error_message.map(|message| message.len()), Some(TEXT_LEN_MAX));
        assert_eq!(record.request_id.len(), TEXT_LEN_MAX);
    }

    #[test]
    fn a_structure_stays_whole_or_goes() {
        let frame = r#"{"k":""}"#.len();
        let fits = with_parameters(one("x".repeat(STRUCTURE_LEN_MAX - frame))).fitted();
        assert_eq!(json_len(&fits.request_parameters), STRUCTURE_LEN_MAX);
        let cut = with_parameters(one("x".repeat(STRUCTURE_LEN_MAX - frame + 1))).fitted();
        assert_eq!(
            Value::from(cut.request_parameters.unwrap()),
            json!({"reason": "requestParameters too large", "omitted": true, "originalSize": 102_401})
        );
        // Counted as it is written: each of these takes six bytes.
        let escaped = with_parameters(one("\u{1}".repeat(STRUCTURE_LEN_MAX / 6))).fitted();
        assert!(is_omitted(&escaped.request_parameters.unwrap()));
    }

    #[test]
    fn many_long_keys() {
        let key = |number: usize| format!("{number:0>1024}");
        let fits: Map<_, _> = (0..99).map(|number| (key(number), Value::from(""))).collect();
        assert_eq!(with_parameters(fits.clone()).fitted().request_parameters, Some(fits));
        let too_many: Map<_, _> = (0..100).map(|number| (key(number), Value::from(""))).collect();
        assert!(is_omitted(&with_parameters(too_many).fitted().request_parameters.unwrap()));
    }

    #[test]
    fn additional_data_has_a_bound_of_its_own() {
        let data = AdditionalEventData { x_amz_id_2: Some("x".repeat(ADDITIONAL_LEN_MAX)), ..Default::default() };
        let record = Record { additional_event_data: Some(data), ..Record::default() }.fitted();
        assert!(is_omitted(&record.additional_event_data.unwrap().extra));
    }

    #[test]
    fn an_event_that_is_too_long_loses_its_structures_in_order() {
        let long = || Some(one("x".repeat(STRUCTURE_LEN_MAX - 100)));
        let extra = Map::from_iter([("annotation".to_owned(), Value::from("x".repeat(60 * 1024)))]);
        let data = AdditionalEventData { signature_version: Some("SigV4".into()), ..Default::default() };
        let record = Record {
            request_parameters: long(),
            response_elements: long(),
            additional_event_data: Some(data),
            extra,
            ..Record::default()
        };
        let bytes = Entry::encode(Outcome::Admitted, &record);
        assert!(bytes.len() <= 1 + EVENT_LEN_MAX);
        let entry: Record = serde_json::from_slice(&bytes[1..]).unwrap();
        assert!(is_omitted(&entry.additional_event_data.unwrap().extra));
        assert!(is_omitted(&entry.response_elements.unwrap()));
        assert_eq!(entry.request_parameters, record.request_parameters, "the rest fits");
    }

    proptest! {
        #[test]
        fn the_quick_bound_is_a_bound(texts in proptest::collection::vec(("\\PC{0,9}", ".{0,9}"), 0..9)) {
            let inner: Map<_, _> = texts.iter().map(|(key, text)| (key.clone(), Value::from(text.clone()))).collect();
            let mut map = inner.clone();
            map.insert("list".into(), Value::Array(vec![Value::Object(inner), json!(-1.5e300), json!(false)]));
            prop_assert!(json_len(&map) <= len_bound(&map));
        }
    }
}
