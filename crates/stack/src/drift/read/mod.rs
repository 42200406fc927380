//! What tells the properties of each type's resources.

mod cloudtrail;
mod cloudwatch;
mod events;
mod s3;
mod sns;
mod sqs;

use serde_json::{Map, Value, json};

use super::{Answer, Reader};
use crate::types::Properties;

/// Types whose resources can be read. A `WaitConditionHandle` is nothing, so that nothing tells of it.
static READERS: [&Reader; 14] = [
    &cloudtrail::TRAIL,
    &cloudwatch::ALARM,
    &events::EVENT_BUS,
    &events::EVENT_BUS_POLICY,
    &events::RULE,
    &s3::BUCKET,
    &s3::BUCKET_POLICY,
    &sns::SUBSCRIPTION,
    &sns::TOPIC,
    &sns::TOPIC_INLINE_POLICY,
    &sns::TOPIC_POLICY,
    &sqs::QUEUE,
    &sqs::QUEUE_INLINE_POLICY,
    &sqs::QUEUE_POLICY,
];

/// The reader of a type.
pub(super) fn reader(kind: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.kind == kind).copied()
}

/// A JSON document that may be given as a text; what is none stays a text.
pub(super) fn document(value: &Value) -> Value {
    let read = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    read.unwrap_or_else(|| value.clone())
}

/// The answer of a place, or `null`.
fn answer(answers: &[Answer], place: usize) -> &Value {
    answers.get(place).and_then(Option::as_ref).unwrap_or(&Value::Null)
}

/// Takes members over under the names that the template has for them.
fn taken<'v>(from: &'v Value, names: &[(&str, &'v str)]) -> Properties {
    let told = names.iter().filter_map(|(name, member)| Some(((*name).to_owned(), from.get(member)?.clone())));
    told.filter(|(_, value)| !value.is_null()).collect()
}

/// A map of tags as the list that templates have.
fn tags_of_map(map: &Value) -> Value {
    let tags = map.as_object().into_iter().flatten();
    tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// The policies of several resources, which a template gives one: who has one, and the one that is not as it should be.
fn policies(list: &str, names: &[Value], found: &[Option<Value>], expected: &Properties) -> Option<Properties> {
    let expected = expected.get("PolicyDocument");
    let there: Vec<_> = names.iter().zip(found).filter_map(|(name, found)| Some((name, found.as_ref()?))).collect();
    let other = there.iter().find(|(_, policy)| Some(*policy) != expected).or(there.first())?;
    let names: Vec<Value> = there.iter().map(|(name, _)| (*name).clone()).collect();
    let mut actual = Map::new();
    actual.insert("PolicyDocument".to_owned(), other.1.clone());
    actual.insert(list.to_owned(), Value::Array(names));
    Some(actual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TYPES;

    #[test]
    fn every_type_is_told_but_the_one_that_is_nothing() {
        let untold: Vec<_> = TYPES.iter().filter(|kind| reader(kind.name).is_none()).map(|kind| kind.name).collect();
        assert_eq!(untold, ["AWS::CloudFormation::WaitConditionHandle"]);
        for reader in READERS {
            let kind = crate::types::resource_type(reader.kind).map(|kind| kind.properties).unwrap_or_default();
            for name in reader.documents.iter().chain(reader.untold) {
                assert!(kind.iter().any(|property| property.name == *name), "{} {name}", reader.kind);
            }
        }
    }
}
