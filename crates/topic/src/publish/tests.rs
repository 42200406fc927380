//! What a publication becomes, and which are refused.

use aws_api::sns::{MessageAttributeValue, PublishBatchRequestEntry};

use super::*;
use crate::SignatureVersion;
use crate::testing::{OWNERS, apply, ctx, queue, refusal, subscribe, with_topic};

const DLQ: &str = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:dlq"}"#;

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue { data_type: Some("String".into()), string_value: Some(value.into()), binary_value: None }
}

fn publish(topics: &Topics, topic: &str, publication: &Publication) -> Published {
    topics.publish(&topic.parse().unwrap(), OWNERS, publication, ctx().now, Uuid::from_u128(5)).unwrap()
}

fn message(text: &str) -> Publication {
    Publication { message: text.into(), ..<_>::default() }
}

#[test]
fn raw_and_enveloped() {
    let (mut topics, topic) = with_topic("t");
    let enveloped = subscribe(&mut topics, &topic, "q1", &[("RedrivePolicy", DLQ)]);
    subscribe(&mut topics, &topic, "q2", &[("RawMessageDelivery", "true")]);
    let publication = Publication {
        subject: Some("s".into()),
        attributes: MessageAttributes::from([("a".into(), text("x"))]),
        ..message("hello")
    };
    let published = publish(&topics, &topic, &publication);
    assert_eq!((published.summary.delivered, published.summary.filtered(), published.size), (2, 0, 5 + 1 + 6 + 1));
    let [first, second] = published.deliveries.as_slice() else { panic!("two deliveries") };
    assert_eq!((&first.queue, first.subscription_arn.to_string()), (&queue("q1"), enveloped));
    assert_eq!((&first.dead_letter, first.attributes.len()), (&Some(queue("dlq")), 0));
    let envelope = published.envelope().unwrap();
    assert_eq!(first.body, Body::Envelope(Arc::clone(envelope)));
    assert_eq!((&*envelope.message, envelope.subject.as_deref()), ("hello", Some("s")));
    assert_eq!((envelope.attributes.len(), envelope.signature_version), (1, SignatureVersion::V1));
    assert_eq!((&second.queue, &second.body), (&queue("q2"), &Body::Raw("hello".into())));
    assert_eq!((&second.attributes, &second.dead_letter), (&publication.attributes, &None));
}

#[test]
fn nothing_to_sign_if_all_is_raw() {
    let (mut topics, topic) = with_topic("t");
    subscribe(&mut topics, &topic, "q", &[("RawMessageDelivery", "true")]);
    assert_eq!(publish(&topics, &topic, &message("m")).envelope(), None);
}

#[test]
fn the_topics_signature_version_is_the_envelopes() {
    let (mut topics, topic) = with_topic("t");
    subscribe(&mut topics, &topic, "q", &[]);
    let req = aws_api::sns::SetTopicAttributesRequest {
        topic_arn: Some(topic.clone()),
        attribute_name: Some("SignatureVersion".into()),
        attribute_value: Some("2".into()),
    };
    let changes = topics.set_topic_attributes(&ctx(), &req).unwrap();
    apply(&mut topics, &changes);
    assert_eq!(publish(&topics, &topic, &message("m")).envelope().unwrap().signature_version, SignatureVersion::V2);
}

#[test]
fn filtered_out_is_counted() {
    let (mut topics, topic) = with_topic("t");
    subscribe(&mut topics, &topic, "all", &[]);
    subscribe(&mut topics, &topic, "by-attribute", &[("FilterPolicy", r#"{"a":["x"]}"#)]);
    let body = [("FilterPolicy", r#"{"a":["x"]}"#), ("FilterPolicyScope", "MessageBody")];
    subscribe(&mut topics, &topic, "by-body", &body);
    let queues = |published: &Published| {
        published.deliveries.iter().map(|delivery| delivery.queue.resource.clone()).collect::<Vec<_>>()
    };
    let published = publish(&topics, &topic, &message(r#"{"a":"x"}"#));
    assert_eq!(queues(&published), ["all", "by-body"]);
    assert_eq!(published.summary, Summary { delivered: 2, filtered_no_attributes: 1, ..Summary::default() });
    let attributes = MessageAttributes::from([("a".into(), text("x"))]);
    let published = publish(&topics, &topic, &Publication { attributes, ..message("plain") });
    assert_eq!(queues(&published), ["all", "by-attribute"]);
    assert_eq!(published.summary, Summary { delivered: 2, filtered_invalid_body: 1, ..Summary::default() });
}

#[test]
fn more_attributes_than_a_queue_takes() {
    let (mut topics, topic) = with_topic("t");
    let raw = ("RawMessageDelivery", "true");
    subscribe(&mut topics, &topic, "q1", &[raw]);
    subscribe(&mut topics, &topic, "q2", &[raw, ("RedrivePolicy", DLQ)]);
    let attributes = |n: usize| (0..n).map(|i| (format!("a{i}"), text("x"))).collect::<MessageAttributes>();
    let fits = publish(&topics, &topic, &Publication { attributes: attributes(10), ..message("m") });
    assert_eq!(fits.summary, Summary { delivered: 2, ..Summary::default() });
    let too_many = publish(&topics, &topic, &Publication { attributes: attributes(11), ..message("m") });
    assert_eq!(too_many.summary, Summary { discarded: 1, redriven: 1, ..Summary::default() });
    let [delivery] = too_many.deliveries.as_slice() else { panic!("one delivery") };
    assert_eq!((&delivery.queue, &delivery.dead_letter), (&queue("dlq"), &None));
    assert!(matches!(&delivery.body, Body::Envelope(envelope) if envelope.attributes.len() == 11));
}

#[test]
fn message_structure() {
    let (mut topics, topic) = with_topic("t");
    subscribe(&mut topics, &topic, "q", &[("RawMessageDelivery", "true")]);
    let publication =
        Publication { structure: Some("json".into()), ..message(r#"{"default":"d","sqs":"for queues"}"#) };
    assert_eq!(publish(&topics, &topic, &publication).deliveries[0].body, Body::Raw("for queues".into()));
}

#[test]
fn requests() {
    let (topics, topic) = with_topic("t");
    let base = PublishRequest { message: Some("m".into()), ..PublishRequest::default() };
    let at = |topic: &str| PublishRequest { topic_arn: Some(topic.into()), ..base.clone() };
    let target = PublishRequest { target_arn: Some(topic.clone()), ..base.clone() };
    let id = Uuid::from_u128(5);
    for good in [at(&topic), target] {
        let (answer, published) = topics.publish_request(&ctx(), &good, id).unwrap();
        assert_eq!((answer.message_id, published.deliveries.len()), (id.to_string(), 0));
    }
    let rows = [
        (at(&format!("{topic}x")), "NotFound: Topic does not exist"),
        (at(""), "InvalidParameter: Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        (
            base.clone(),
            "InvalidParameter: Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
        ),
        (PublishRequest { subject: Some(String::new()), ..at(&topic) }, "InvalidParameter: Invalid parameter: Subject"),
        (
            PublishRequest { message: None, ..at(&topic) },
            "ValidationError: 1 validation error detected: Value null at 'message' failed to satisfy constraint: Member \
             must not be null",
        ),
    ];
    for (req, expected) in rows {
        assert_eq!(refusal(topics.publish_request(&ctx(), &req, id)), expected);
    }
}

fn batch(topic: &str, entries: &[(&str, &str)]) -> PublishBatchRequest {
    let entry = |(id, message): &(&str, &str)| PublishBatchRequestEntry {
        id: Some((*id).into()),
        message: Some((*message).into()),
        ..<_>::default()
    };
    PublishBatchRequest {
        topic_arn: Some(topic.into()),
        publish_batch_request_entries: entries.iter().map(entry).collect(),
    }
}

#[test]
fn batches() {
    let (mut topics, topic) = with_topic("t");
    subscribe(&mut topics, &topic, "q", &[("RawMessageDelivery", "true")]);
    let mut next = 0;
    let mut new_id = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let good = batch(&topic, &[("a", "m1"), ("b", "m2")]);
    let (answer, all) = topics.publish_batch_request(&ctx(), &good, &mut new_id).unwrap();
    let ids: Vec<_> = answer.successful.iter().map(|entry| (entry.id.as_str(), entry.message_id.clone())).collect();
    assert_eq!(ids, [("a", Uuid::from_u128(1).to_string()), ("b", Uuid::from_u128(2).to_string())]);
    assert_eq!(
        all.iter().map(|it| it.deliveries[0].body.clone()).collect::<Vec<_>>(),
        [Body::Raw("m1".into()), Body::Raw("m2".into())]
    );

    let (half, long_id) = ("m".repeat(MESSAGE_LEN_MAX / 2 + 1), "i".repeat(81));
    let eleven: Vec<_> = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"].map(|id| (id, "m")).into();
    let rows = [
        (batch(&topic, &[]), "EmptyBatchRequest: The batch request doesn't contain any entries.".to_owned()),
        (
            batch(&topic, &eleven),
            "TooManyEntriesInBatchRequest: The batch request contains more entries than permissible.".into(),
        ),
        (
            batch(&topic, &[("a", "m"), ("a", "m")]),
            "BatchEntryIdsNotDistinct: Two or more batch entries in the request have the same Id.".into(),
        ),
        (
            batch(&topic, &[("a", &half), ("b", &half)]),
            "BatchRequestTooLong: The length of all the messages put together is more than the limit.".into(),
        ),
        (
            batch(&topic, &[(&long_id, "m")]),
            format!("InvalidBatchEntryId: The Id of a batch entry in the batch request is too long: {long_id}"),
        ),
        (
            batch(&topic, &[("a b", "m")]),
            "InvalidBatchEntryId: The Id of a batch entry in the batch request contains an impermissible character: a b"
                .into(),
        ),
        (batch(&topic, &[("a", "m"), ("b", "")]), "InvalidParameter: Invalid parameter: Empty message".into()),
        (batch(&format!("{topic}x"), &[("a", "m")]), "NotFound: Topic does not exist".into()),
    ];
    for (req, expected) in rows {
        assert_eq!(refusal(topics.publish_batch_request(&ctx(), &req, &mut new_id)), expected);
    }
}
