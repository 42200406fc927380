//! The life of a subscription, and what is refused.

use super::*;
use crate::testing::{apply, ctx, queue_exists, refusal, subscribe, subscribe_request, with_topic};

fn try_subscribe(topics: &Topics, req: &SubscribeRequest) -> Result<(SubscribeResponse, Vec<Change>), ApiError> {
    topics.subscribe(&ctx(), req, Uuid::from_u128(7), &queue_exists)
}

fn get(topics: &Topics, arn: &str) -> BTreeMap<String, String> {
    let req = GetSubscriptionAttributesRequest { subscription_arn: Some(arn.into()) };
    topics.get_subscription_attributes(&ctx(), &req).unwrap().attributes
}

fn set_request(arn: &str, name: &str, value: &str) -> SetSubscriptionAttributesRequest {
    SetSubscriptionAttributesRequest {
        subscription_arn: Some(arn.into()),
        attribute_name: Some(name.into()),
        attribute_value: Some(value.into()),
    }
}

fn try_set(topics: &Topics, arn: &str, name: &str, value: &str) -> Result<Vec<Change>, ApiError> {
    topics.set_subscription_attributes(&ctx(), &set_request(arn, name, value), &queue_exists)
}

fn set(topics: &mut Topics, arn: &str, name: &str, value: &str) {
    let changes = try_set(topics, arn, name, value).unwrap();
    apply(topics, &changes);
}

#[test]
fn a_new_subscription_shows_what_aws_shows() {
    let (mut topics, topic) = with_topic("t");
    let arn = subscribe(&mut topics, &topic, "q", &[]);
    assert_eq!(arn, format!("{topic}:00000000-0000-0000-0000-000000000001"));
    let shown: Vec<_> = get(&topics, &arn).into_iter().collect();
    let expected = [
        ("ConfirmationWasAuthenticated", "true"),
        ("Endpoint", "arn:aws:sqs:eu-central-1:111122223333:q"),
        ("Owner", "111122223333"),
        ("PendingConfirmation", "false"),
        ("Protocol", "sqs"),
        ("RawMessageDelivery", "false"),
        ("SubscriptionArn", arn.as_str()),
        ("SubscriptionPrincipal", "arn:aws:iam::111122223333:user/admin"),
        ("TopicArn", topic.as_str()),
    ];
    assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn protocols_and_endpoints() {
    let (topics, topic) = with_topic("t");
    let base = subscribe_request(&topic, "q", &[]);
    let with = |protocol: &str, endpoint: &str| SubscribeRequest {
        protocol: Some(protocol.into()),
        endpoint: Some(endpoint.into()),
        ..base.clone()
    };
    let rows = [
        (with("x", "q"), "InvalidParameter: Invalid parameter: Amazon SNS does not support this protocol string: x"),
        (
            with("https", "https://example.org"),
            "InvalidParameter: Invalid parameter: Protocol Reason: subscriptions with the protocol https are not \
             supported yet; use sqs",
        ),
        (with("sqs", "http://q"), "InvalidParameter: Invalid parameter: SQS endpoint ARN"),
        (
            with("sqs", "arn:aws:sns:eu-central-1:111122223333:q"),
            "InvalidParameter: Invalid parameter: SQS endpoint ARN",
        ),
        (
            with("sqs", "arn:aws:sqs:eu-central-1:111122223333:q.fifo"),
            "InvalidParameter: Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be \
             subscribed to standard SNS topics",
        ),
        (
            with("sqs", "arn:aws:sqs:eu-central-1:444455556666:q"),
            "InvalidParameter: Invalid parameter: Endpoint Reason: the queue belongs to another account than the \
             topic, which is not supported yet",
        ),
        (
            subscribe_request(&topic, "missing", &[]),
            "InvalidParameter: Invalid parameter: Endpoint Reason: the queue \
             arn:aws:sqs:eu-central-1:111122223333:missing does not exist",
        ),
        (SubscribeRequest { endpoint: None, ..base.clone() }, "NotFound: Endpoint not specified in subscription"),
        (subscribe_request(&format!("{topic}x"), "q", &[]), "NotFound: Topic does not exist"),
    ];
    for (req, expected) in rows {
        assert_eq!(refusal(try_subscribe(&topics, &req)), expected);
    }
}

#[test]
fn attribute_mistakes() {
    let (mut topics, topic) = with_topic("t");
    let arn = subscribe(&mut topics, &topic, "q", &[]);
    let rows = [
        ("RawMessageDelivery", "yes", "RawMessageDelivery: Invalid value [yes]. Must be true or false."),
        ("FilterPolicy", "{", "FilterPolicy: failed to parse JSON."),
        (
            "FilterPolicyScope",
            "RandomValue",
            "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes",
        ),
        (
            "FilterPolicy",
            r#"{"key_a":"value_one"}"#,
            "FilterPolicy: \"key_a\" must be an object or an array\n at [Source: \
             (String)\"{\"key_a\":\"value_one\"}\"; line: 1, column: 11]",
        ),
        (
            "FilterPolicy",
            r#"{"object":{"key":["x"]}}"#,
            "Filter policy scope MessageAttributes does not support nested filter policy",
        ),
        (
            "FilterPolicy",
            r#"{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}"#,
            "FilterPolicy: Filter policy can not have more than 5 keys",
        ),
        ("RedrivePolicy", "x", "RedrivePolicy: failed to parse JSON."),
        ("RedrivePolicy", r#"{"deadLetterTargetArn":"x"}"#, "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
        (
            "RedrivePolicy",
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:missing"}"#,
            "RedrivePolicy: deadLetterTargetArn names a queue that does not exist",
        ),
        (
            "DeliveryPolicy",
            "{}",
            "DeliveryPolicy: delivery policies concern HTTP endpoints, which are not supported yet",
        ),
        ("Foo", "x", "AttributeName"),
    ];
    for (name, value, expected) in rows {
        let subscribing = refusal(try_subscribe(&topics, &subscribe_request(&topic, "q2", &[(name, value)])));
        assert_eq!(subscribing, format!("InvalidParameter: Invalid parameter: Attributes Reason: {expected}"));
        let setting = refusal(try_set(&topics, &arn, name, value));
        assert_eq!(setting, format!("InvalidParameter: Invalid parameter: {expected}"));
    }
}

#[test]
fn setting_and_unsetting() {
    let (mut topics, topic) = with_topic("t");
    let arn = subscribe(&mut topics, &topic, "q", &[("FilterPolicyScope", "MessageBody")]);
    // As on AWS, a scope without a policy is kept but not shown.
    assert_eq!(get(&topics, &arn).get("FilterPolicyScope"), None);
    let nested = r#"{"object":{"key":[{"prefix":"auto-"}]}}"#;
    set(&mut topics, &arn, "FilterPolicy", nested);
    let shown = get(&topics, &arn);
    assert_eq!((shown["FilterPolicy"].as_str(), shown["FilterPolicyScope"].as_str()), (nested, "MessageBody"));
    assert_eq!(
        refusal(try_set(&topics, &arn, "FilterPolicyScope", "MessageAttributes")),
        "InvalidParameter: Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy"
    );
    set(&mut topics, &arn, "FilterPolicy", "");
    assert_eq!(get(&topics, &arn).get("FilterPolicy"), None);
    set(&mut topics, &arn, "RawMessageDelivery", "TRUE");
    assert_eq!(get(&topics, &arn)["RawMessageDelivery"], "true");
    let redrive = r#"{"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:111122223333:dlq"}"#;
    set(&mut topics, &arn, "RedrivePolicy", redrive);
    assert_eq!(get(&topics, &arn)["RedrivePolicy"], redrive);
    set(&mut topics, &arn, "RedrivePolicy", "");
    assert_eq!(get(&topics, &arn).get("RedrivePolicy"), None);
}

#[test]
fn subscribing_again() {
    let (mut topics, topic) = with_topic("t");
    let arn = subscribe(&mut topics, &topic, "q", &[("RawMessageDelivery", "true")]);
    for attributes in [&[][..], &[("RawMessageDelivery", "True")]] {
        let (answer, changes) = try_subscribe(&topics, &subscribe_request(&topic, "q", attributes)).unwrap();
        assert_eq!((answer.subscription_arn.as_str(), changes.len()), (arn.as_str(), 0));
    }
    let different = try_subscribe(&topics, &subscribe_request(&topic, "q", &[("RawMessageDelivery", "false")]));
    assert_eq!(
        refusal(different),
        "InvalidParameter: Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    );
}

#[test]
fn unsubscribing() {
    let (mut topics, topic) = with_topic("t");
    let arn = subscribe(&mut topics, &topic, "q", &[]);
    let req = |arn: &str| UnsubscribeRequest { subscription_arn: Some(arn.into()) };
    let changes = topics.unsubscribe(&ctx(), &req(&arn)).unwrap();
    apply(&mut topics, &changes);
    assert_eq!(topics.unsubscribe(&ctx(), &req(&arn)).unwrap(), []);
    assert_eq!(topics.topics.values().next().unwrap().row.subscriptions_deleted, 1);
    let gone =
        topics.get_subscription_attributes(&ctx(), &GetSubscriptionAttributesRequest { subscription_arn: Some(arn) });
    assert_eq!(refusal(gone), "NotFound: Subscription does not exist");
    let rows = [
        (
            "a:b",
            "InvalidParameter: Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 2",
        ),
        (topic.as_str(), "InvalidParameter: Invalid parameter: SubscriptionId"),
        ("arn:aws:sns:us-east-1:111122223333:t:u", "InvalidParameter: Invalid parameter: SubscriptionArn"),
    ];
    for (arn, expected) in rows {
        assert_eq!(refusal(topics.unsubscribe(&ctx(), &req(arn))), expected);
    }
    assert_eq!(
        refusal(topics.unsubscribe(&ctx(), &UnsubscribeRequest::default())),
        "InvalidParameter: Invalid parameter: SubscriptionArn Reason: no value for required parameter"
    );
}

#[test]
fn lists() {
    let (mut topics, topic) = with_topic("t");
    for n in 0..130 {
        subscribe(&mut topics, &topic, &format!("q{n}"), &[]);
    }
    let first = topics.list_subscriptions(&ctx(), &ListSubscriptionsRequest::default()).unwrap();
    let req = ListSubscriptionsByTopicRequest { topic_arn: Some(topic.clone()), next_token: first.next_token };
    let rest = topics.list_subscriptions_by_topic(&ctx(), &req).unwrap();
    assert_eq!((first.subscriptions.len(), rest.subscriptions.len(), rest.next_token), (100, 30, None));
    let expected = ListedSubscription {
        subscription_arn: format!("{topic}:00000000-0000-0000-0000-000000000001"),
        owner: "111122223333".into(),
        protocol: "sqs".into(),
        endpoint: "arn:aws:sqs:eu-central-1:111122223333:q0".into(),
        topic_arn: topic,
    };
    assert_eq!(first.subscriptions[0], expected);
}

#[test]
fn filter_policies_are_limited() {
    let (mut topics, topic) = with_topic("t");
    let policy = ("FilterPolicy", r#"{"a":["x"]}"#);
    for n in 0..FILTER_POLICIES_MAX {
        subscribe(&mut topics, &topic, &format!("q{n}"), &[policy]);
    }
    let unfiltered = subscribe(&mut topics, &topic, "plain", &[]);
    let expected = "FilterPolicyLimitExceeded: The limit of 200 filter policies of a topic has been reached";
    assert_eq!(refusal(try_subscribe(&topics, &subscribe_request(&topic, "one-more", &[policy]))), expected);
    assert_eq!(refusal(try_set(&topics, &unfiltered, policy.0, policy.1)), expected);
}
