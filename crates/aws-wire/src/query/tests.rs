//! Parameters against the rules, and shapes that come out as they went in.

use std::fmt::Write as _;

use aws_api::sns::{CreateTopicRequest, MessageAttributeValue, PublishBatchRequest, PublishBatchRequestEntry, Tag};
use aws_api::sqs::{
    GetQueueAttributesRequest, ReceiveMessageRequest, SendMessageBatchRequest, SendMessageBatchRequestEntry,
    SetQueueAttributesRequest, UntagQueueRequest,
};
use aws_api::{Blob, sqs};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};

use super::*;
use crate::xml::shape::{Shape, ToShape};

fn read<T: DeserializeOwned>(style: Style, form: &str) -> Result<T, DecodeError> {
    let (parameters, _) = Parameters::parse(b"", form.as_bytes())?;
    T::deserialize(Node::root(&parameters, style))
}

fn error<T: DeserializeOwned + std::fmt::Debug>(style: Style, form: &str) -> String {
    match read::<T>(style, form).unwrap_err() {
        DecodeError::Malformed(message) => message,
        DecodeError::UnknownMember(name) => format!("unknown {name}"),
    }
}

#[test]
fn spellings_of_lists_and_maps() {
    let sqs = Style::Flattened("GetQueueAttributes");
    for form in ["AttributeName=All", "AttributeName.1=All", "AttributeName.7=All"] {
        assert_eq!(read::<GetQueueAttributesRequest>(sqs, form).unwrap().attribute_names, ["All"], "{form}");
    }
    let ordered: GetQueueAttributesRequest =
        read(sqs, "AttributeName.10=b&AttributeName.9=a&AttributeName.11=c").unwrap();
    assert_eq!(ordered.attribute_names, ["a", "b", "c"]);
    let sqs = Style::Flattened("SetQueueAttributes");
    for form in ["Attribute.Name=DelaySeconds&Attribute.Value=5", "Attribute.1.Name=DelaySeconds&Attribute.1.Value=5"] {
        assert_eq!(read::<SetQueueAttributesRequest>(sqs, form).unwrap().attributes["DelaySeconds"], "5", "{form}");
    }
    let empty: UntagQueueRequest = read(Style::Flattened("UntagQueue"), "TagKey=").unwrap();
    assert_eq!(empty.tag_keys, <[String; 0]>::default());
}

#[test]
fn numbers_and_booleans_are_parsed() {
    let form = "MaxNumberOfMessages=10&WaitTimeSeconds=20";
    let receive: ReceiveMessageRequest = read(Style::Flattened("ReceiveMessage"), form).unwrap();
    assert_eq!((receive.max_number_of_messages, receive.wait_time_seconds), (Some(10), Some(20)));
    let subscribe: aws_api::sns::SubscribeRequest = read(Style::Wrapped, "ReturnSubscriptionArn=true").unwrap();
    assert_eq!(subscribe.return_subscription_arn, Some(true));
}

#[test]
fn against_the_rules() {
    let clash = |name| format!("The parameter {name} is there twice, or both with and without parts.");
    let sns = Style::Wrapped;
    let long = format!("{}=1", "n".repeat(KEY_LEN_MAX + 1));
    let deep = format!("{}=1", ["a"; PARTS_MAX + 1].join("."));
    let rows = [
        ("Nam=t", "unknown Nam".into()),
        ("Name=t&Name=u", clash("Name")),
        ("Name=t&Name.x=u", clash("Name.x")),
        ("Name.x=t&Name=u", clash("Name")),
        ("Name.x=t", "A value was expected where the parameters have .x".into()),
        ("Tags.1.Key=k", "A list or map is spelled with .member.1".into()),
        ("Tags=k", "A list or map is spelled with .member.1".into()),
        ("Tags.member.0.Key=k", "A list has numbers from 1, not 0".into()),
        ("Tags.member.x.Key=k", "A list has numbers from 1, not x".into()),
        ("Tags.member.4294967296.Key=k", "A list has numbers from 1, not 4294967296".into()),
        ("Tags.member.1.Kee=k", "unknown Kee".into()),
        ("Attributes.entry.1.key=k", "An entry of a map has a name and a value.".into()),
        ("Attributes.entry.1=k", "An entry of a map has a name and a value.".into()),
        (
            "Attributes.entry.1.key=k&Attributes.entry.1.value=v&Attributes.entry.1.x=y",
            "An entry of a map has a name and a value, not x".into(),
        ),
        (
            "Attributes.entry.1.key=k&Attributes.entry.1.value=v&Attributes.entry.2.key=k&Attributes.entry.2.value=w",
            "The name k is there twice in a map.".into(),
        ),
        ("Name=%FF", "A parameter is not UTF-8.".into()),
        (long.as_str(), format!("The name of a parameter is too long: {}", "n".repeat(128))),
        (deep.as_str(), format!("The name of a parameter is too long: {}", ["a"; PARTS_MAX + 1].join("."))),
    ];
    for (form, expected) in rows {
        assert_eq!(error::<CreateTopicRequest>(sns, form), expected, "{form}");
    }
    let sqs = Style::Flattened("ReceiveMessage");
    assert_eq!(
        error::<ReceiveMessageRequest>(sqs, "WaitTimeSeconds=long"),
        "A number was expected as the value of a parameter."
    );
    let many = (0..=PARAMETERS_MAX).fold(String::new(), |mut form, n| {
        let _ = write!(form, "AttributeName.{}=a&", n + 1);
        form
    });
    assert_eq!(error::<ReceiveMessageRequest>(sqs, &many), "More than 2000 parameters.");
}

#[test]
fn url_and_form_together() {
    let (parameters, action) = Parameters::parse(b"Action=CreateTopic&Name=t", b"Name=t&Version=2010-03-31").unwrap();
    assert_eq!(action.as_deref(), Some("CreateTopic"));
    assert_eq!(parameters.0, Branch::from([("Name".into(), Parameter::Leaf("t".into()))]));
    assert!(Parameters::parse(b"Action=CreateTopic", b"Action=DeleteTopic").is_err());
}

#[test]
fn parameters_of_the_signature_are_passed_over() {
    let form = "AWSAccessKeyId=A&Signature=s&SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp=t&Expires=e\
                &SecurityToken=x&X-Amz-Algorithm=a&X-Amz-Credential=c&x-amz-signature=s";
    assert_eq!(Parameters::parse(b"", form.as_bytes()).unwrap().0.0, Branch::new());
}

/// Spells a shape as botocore's serializer does.
fn spell(shape: &Shape, path: &str, style: Style, form: &mut String) {
    let below = |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
    match shape {
        Shape::Nothing => {}
        Shape::Text(_) | Shape::Bool(_) | Shape::Int(_) | Shape::Float(_) | Shape::Moment(_) => {
            let text = shape.text().unwrap();
            let _ = write!(form, "&{path}={}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
        }
        Shape::Struct(members) => {
            for (member, value) in members {
                let name = match style {
                    Style::Wrapped => member,
                    Style::Flattened(_) => singular(member),
                };
                spell(value, &below(name), style, form);
            }
        }
        Shape::List(values) => {
            for (n, value) in (1..).zip(values) {
                let part = if matches!(style, Style::Wrapped) { format!("member.{n}") } else { n.to_string() };
                spell(value, &below(&part), style, form);
            }
        }
        Shape::Map(entries) => {
            for (n, (name, value)) in (1..).zip(entries) {
                let part = if matches!(style, Style::Wrapped) { format!("entry.{n}") } else { n.to_string() };
                spell(&Shape::Text(name.clone()), &below(&format!("{part}.Name")), style, form);
                spell(value, &below(&format!("{part}.Value")), style, form);
            }
        }
    }
}

fn singular(member: &str) -> &str {
    match member {
        "Entries" => "SendMessageBatchRequestEntry",
        "MessageAttributes" => "MessageAttribute",
        "MessageSystemAttributes" => "MessageSystemAttribute",
        other => other,
    }
}

fn through_query<T: Serialize + DeserializeOwned>(value: &T, style: Style) -> T {
    let mut form = String::new();
    spell(&value.serialize(ToShape).unwrap(), "", style, &mut form);
    read(style, &form).unwrap()
}

fn through_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    crate::json::decode(&serde_json::to_vec(value).unwrap()).unwrap()
}

prop_compose! {
    fn attribute()(text in proptest::option::of(".*"), bytes in proptest::collection::vec(any::<u8>(), 0..9))
        -> (Option<String>, Option<Blob>) {
        (text, Some(Blob(bytes)))
    }
}

prop_compose! {
    fn sns_entry()(
        id in "[a-z]{1,3}",
        message in ".*",
        subject in proptest::option::of(".*"),
        attributes in proptest::collection::btree_map("[a-zA-Z.]{1,5}", attribute(), 0..4),
    ) -> PublishBatchRequestEntry {
        let value = |(string_value, binary_value)| {
            MessageAttributeValue { data_type: Some("String".into()), string_value, binary_value }
        };
        PublishBatchRequestEntry {
            id: Some(id),
            message: Some(message),
            subject,
            message_structure: None,
            message_attributes: attributes.into_iter().map(|(name, it)| (name, value(it))).collect(),
        }
    }
}

prop_compose! {
    fn sqs_entry()(
        id in "[a-z]{1,3}",
        body in ".*",
        delay_seconds in proptest::option::of(any::<i32>()),
        attributes in proptest::collection::btree_map("[a-zA-Z.]{1,5}", attribute(), 0..4),
    ) -> SendMessageBatchRequestEntry {
        let value = |(string_value, binary_value)| {
            sqs::MessageAttributeValue { data_type: Some("String".into()), string_value, binary_value }
        };
        SendMessageBatchRequestEntry {
            id: Some(id),
            message_body: Some(body),
            delay_seconds,
            message_attributes: attributes.into_iter().map(|(name, it)| (name, value(it))).collect(),
            ..<_>::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn query_and_json_agree_for_sns(
        topic in proptest::option::of(".*"),
        entries in proptest::collection::vec(sns_entry(), 0..12),
    ) {
        let asked = PublishBatchRequest { topic_arn: topic, publish_batch_request_entries: entries };
        prop_assert_eq!(&through_query(&asked, Style::Wrapped), &asked);
        let mut plain = serde_json::to_value(&asked).unwrap();
        plain.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        prop_assert_eq!(&through_json(&asked), &asked);
        prop_assert_eq!(crate::json::decode::<PublishBatchRequest>(plain.to_string().as_bytes()).unwrap(), asked);
    }

    #[test]
    fn query_and_json_agree_for_sqs(
        queue_url in proptest::option::of(".*"),
        entries in proptest::collection::vec(sqs_entry(), 0..12),
    ) {
        let asked = SendMessageBatchRequest { queue_url, entries };
        prop_assert_eq!(&through_query(&asked, Style::Flattened("SendMessageBatch")), &asked);
        prop_assert_eq!(&through_json(&asked), &asked);
    }

    /// Whatever comes: an answer or a refusal, and what is read is bounded by what was sent.
    #[test]
    fn no_form_breaks_the_decoder(form in "([A-Za-z]{0,4}(\\.(member|entry|[0-9]|Key|Name|Value)){0,4}=?[%+&a-f0-9]{0,4}&?){0,20}") {
        for style in [Style::Wrapped, Style::Flattened("CreateQueue")] {
            let _ = read::<CreateTopicRequest>(style, &form);
            let _ = read::<SendMessageBatchRequest>(style, &form);
        }
    }

    #[test]
    fn no_bytes_break_the_decoder(query in proptest::collection::vec(any::<u8>(), 0..200), form in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok((parameters, _)) = Parameters::parse(&query, &form) {
            let tag = Tag::deserialize(Node::root(&parameters, Style::Wrapped));
            prop_assert!(tag.is_err() || parameters.0.keys().all(|name| name == "Key" || name == "Value"));
        }
    }
}
