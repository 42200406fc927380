//! The life of a topic, and what is refused.

use aws_api::sns::Tag;
use serde_json::Value;

use super::*;
use crate::testing::{ACCOUNT, apply, ctx, refusal, subscribe, with_topic};

fn create(name: &str, attributes: &[(&str, &str)], tags: &[(&str, &str)]) -> CreateTopicRequest {
    CreateTopicRequest {
        name: Some(name.into()),
        attributes: attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        tags: tags.iter().map(|(key, value)| Tag { key: (*key).into(), value: (*value).into() }).collect(),
    }
}

fn attributes(topics: &Topics, arn: &str) -> BTreeMap<String, String> {
    let req = GetTopicAttributesRequest { topic_arn: Some(arn.into()) };
    topics.get_topic_attributes(&ctx(), &req).unwrap().attributes
}

#[test]
fn a_new_topic_shows_what_aws_shows() {
    let (topics, arn) = with_topic("t");
    assert_eq!(arn, "arn:aws:sns:eu-central-1:111122223333:t");
    let attributes = attributes(&topics, &arn);
    let names: Vec<_> = attributes.keys().map(String::as_str).collect();
    let expected = [
        "DisplayName",
        "EffectiveDeliveryPolicy",
        "Owner",
        "Policy",
        "SubscriptionsConfirmed",
        "SubscriptionsDeleted",
        "SubscriptionsPending",
        "TopicArn",
    ];
    assert_eq!(names, expected);
    assert_eq!(attributes["Owner"], ACCOUNT);
    let policy: Value = serde_json::from_str(&attributes["Policy"]).unwrap();
    assert_eq!(policy["Statement"][0]["Resource"], arn);
    assert_eq!(policy["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceOwner"], ACCOUNT);
}

#[test]
fn names() {
    let topics = Topics::default();
    let (fits, long) = ("n".repeat(256), "n".repeat(257));
    for name in ["a", "A-b_9", fits.as_str()] {
        assert!(topics.create_topic(&ctx(), &create(name, &[], &[])).is_ok(), "{name}");
    }
    for name in ["", "a b", "a.b", "a.fifo", ".fifo", "é", "a/b", "a:b", long.as_str()] {
        let refused = refusal(topics.create_topic(&ctx(), &create(name, &[], &[])));
        assert_eq!(refused, "InvalidParameter: Invalid parameter: Topic Name", "{name}");
    }
    let absent = topics.create_topic(&ctx(), &CreateTopicRequest::default());
    assert_eq!(
        refusal(absent),
        "ValidationError: 1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn creating_again() {
    let mut topics = Topics::default();
    let first = create("t", &[("DisplayName", "D")], &[("k", "v")]);
    let (_, changes) = topics.create_topic(&ctx(), &first).unwrap();
    apply(&mut topics, &changes);
    for again in [first, create("t", &[], &[]), create("t", &[("SignatureVersion", "1")], &[("k", "v")])] {
        assert_eq!(topics.create_topic(&ctx(), &again).unwrap().1, []);
    }
    let rows = [
        (
            create("t", &[("DisplayName", "E")], &[]),
            "Attributes Reason: Topic already exists with different attributes",
        ),
        (
            create("t", &[("SignatureVersion", "2")], &[]),
            "Attributes Reason: Topic already exists with different attributes",
        ),
        (create("t", &[], &[("k", "w")]), "Tags Reason: Topic already exists with different tags"),
        (create("t", &[], &[("l", "v")]), "Tags Reason: Topic already exists with different tags"),
    ];
    for (req, expected) in rows {
        assert_eq!(
            refusal(topics.create_topic(&ctx(), &req)),
            format!("InvalidParameter: Invalid parameter: {expected}")
        );
    }
}

#[test]
fn attributes_without_effect_are_refused() {
    let (topics, arn) = with_topic("t");
    let rows = [
        ("Policy", "{}", "Policy Error: Missing required field Statement (the document)"),
        ("Policy", "", "Policy is empty"),
        ("KmsMasterKeyId", "alias/aws/sns", "KmsMasterKeyId: encryption with KMS is not supported yet"),
        ("FifoTopic", "true", "FifoTopic: FIFO topics are not supported yet"),
        (
            "LambdaSuccessFeedbackRoleArn",
            "x",
            "LambdaSuccessFeedbackRoleArn: delivery status logging is not supported yet",
        ),
        ("DisplayName", "a\u{1}", "DisplayName: Must not contain control characters"),
        ("SignatureVersion", "3", "SignatureVersion: Invalid value [3]. Must be 1 or 2."),
        ("Foo", "x", "AttributeName"),
    ];
    for (name, value, expected) in rows {
        let created = refusal(topics.create_topic(&ctx(), &create("u", &[(name, value)], &[])));
        assert_eq!(created, format!("InvalidParameter: Invalid parameter: Attributes Reason: {expected}"));
        let req = SetTopicAttributesRequest {
            topic_arn: Some(arn.clone()),
            attribute_name: Some(name.into()),
            attribute_value: Some(value.into()),
        };
        let set = refusal(topics.set_topic_attributes(&ctx(), &req));
        assert_eq!(set, format!("InvalidParameter: Invalid parameter: {expected}"));
    }
    assert!(topics.create_topic(&ctx(), &create("u", &[("FifoTopic", "false")], &[])).is_ok());
}

#[test]
fn setting_and_unsetting() {
    let (mut topics, arn) = with_topic("t");
    let mut set = |name: &str, value: Option<&str>| {
        let req = SetTopicAttributesRequest {
            topic_arn: Some(arn.clone()),
            attribute_name: Some(name.into()),
            attribute_value: value.map(Into::into),
        };
        let changes = topics.set_topic_attributes(&ctx(), &req).unwrap();
        apply(&mut topics, &changes);
        attributes(&topics, &arn)
    };
    assert_eq!(set("DisplayName", Some("D"))["DisplayName"], "D");
    assert_eq!(set("SignatureVersion", Some("2"))["SignatureVersion"], "2");
    assert_eq!(set("DisplayName", None)["DisplayName"], "");
    assert_eq!(set("SignatureVersion", None).get("SignatureVersion"), None);
}

#[test]
fn topics_that_are_not_the_callers() {
    let (topics, arn) = with_topic("t");
    let get = |arn: &str| {
        refusal(topics.get_topic_attributes(&ctx(), &GetTopicAttributesRequest { topic_arn: Some(arn.into()) }))
    };
    assert_eq!(get(&format!("{arn}x")), "NotFound: Topic does not exist");
    assert_eq!(
        get("a"),
        "InvalidParameter: Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"
    );
    for odd in ["arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sqs:eu-central-1:111122223333:t"] {
        assert_eq!(get(odd), "InvalidParameter: Invalid parameter: TopicArn");
    }
    assert_eq!(
        get("arn:aws:sns:eu-central-1:444455556666:t"),
        "AuthorizationError: User: arn:aws:iam::111122223333:user/admin is not authorized to perform: \
         SNS:GetTopicAttributes on resource: arn:aws:sns:eu-central-1:444455556666:t because no resource-based policy \
         allows the SNS:GetTopicAttributes action"
    );
}

#[test]
fn deleting_takes_the_subscriptions_along() {
    let (mut topics, arn) = with_topic("t");
    subscribe(&mut topics, &arn, "q", &[]);
    let (_, changes) = topics.create_topic(&ctx(), &create("t2", &[], &[])).unwrap();
    apply(&mut topics, &changes);
    subscribe(&mut topics, &format!("{arn}2"), "q", &[]);
    let delete = DeleteTopicRequest { topic_arn: Some(arn) };
    let changes = topics.delete_topic(&ctx(), &delete).unwrap();
    apply(&mut topics, &changes);
    assert_eq!((topics.topics.len(), topics.subscriptions.len()), (1, 1));
    assert_eq!(topics.delete_topic(&ctx(), &delete).unwrap(), []);
}

#[test]
fn listing_in_pages() {
    let mut topics = Topics::default();
    for n in 0..150 {
        let (_, changes) = topics.create_topic(&ctx(), &create(&format!("t{n:03}"), &[], &[])).unwrap();
        apply(&mut topics, &changes);
    }
    let first = topics.list_topics(&ctx(), &ListTopicsRequest::default()).unwrap();
    let rest = topics.list_topics(&ctx(), &ListTopicsRequest { next_token: first.next_token.clone() }).unwrap();
    assert_eq!((first.topics.len(), rest.topics.len(), rest.next_token), (100, 50, None));
    assert_eq!(rest.topics[0].topic_arn, "arn:aws:sns:eu-central-1:111122223333:t100");
    let mut stranger = ctx();
    stranger.caller.account = "444455556666".into();
    assert_eq!(topics.list_topics(&stranger, &ListTopicsRequest::default()).unwrap().topics, []);
    let stolen = topics.list_topics(&stranger, &ListTopicsRequest { next_token: first.next_token });
    assert_eq!(refusal(stolen), "InvalidParameter: Invalid parameter: NextToken");
}

#[test]
fn rows_come_in_any_order_and_other_kinds_are_ignored() {
    let (mut topics, arn) = with_topic("t");
    let req = crate::testing::subscribe_request(&arn, "q", &[]);
    let (_, changes) = topics.subscribe(&ctx(), &req, uuid::Uuid::nil(), &|_| true).unwrap();
    let topic_row = Change::put(&topics.topics.values().next().unwrap().row);
    let mut reopened = Topics::default();
    apply(&mut reopened, &changes);
    apply(&mut reopened, &[topic_row, Change { kind: "rule", key: "x".into(), row: Some(b"{}".to_vec()) }]);
    apply(&mut topics, &changes);
    assert_eq!(attributes(&reopened, &arn), attributes(&topics, &arn));
    assert!(reopened.absorb(&Change { kind: "topic", key: "x".into(), row: Some(b"{".to_vec()) }).is_err());
}
