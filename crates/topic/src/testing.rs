//! What the tests of several modules share.

use std::fmt::Debug;

use aws_api::sns::{CreateTopicRequest, SubscribeRequest};
use aws_api::{ApiError, Arn, Caller, Change, RequestContext, Role, Timestamp};
use policy::ServiceCaller;
use uuid::Uuid;

use crate::Topics;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-central-1";

pub(crate) fn ctx() -> RequestContext {
    RequestContext {
        caller: Caller {
            account: ACCOUNT.into(),
            arn: format!("arn:aws:iam::{ACCOUNT}:user/admin"),
            principal_id: "AIDAEXAMPLE".into(),
            role_arn: None,
            role: Role::Admin,
        },
        region: REGION.into(),
        now: Timestamp::from_millis(1_773_480_415_104),
        request_id: "r".into(),
        endpoint: "http://127.0.0.1:4566".into(),
        via: None,
    }
}

pub(crate) fn apply(topics: &mut Topics, changes: &[Change]) {
    for change in changes {
        topics.absorb(change).unwrap();
    }
}

pub(crate) fn refusal<T: Debug>(answer: Result<T, ApiError>) -> String {
    answer.unwrap_err().to_string()
}

/// A registry with one topic, and the topic's ARN.
pub(crate) fn with_topic(name: &str) -> (Topics, String) {
    let mut topics = Topics::default();
    let req = CreateTopicRequest { name: Some(name.into()), ..<_>::default() };
    let (answer, changes) = topics.create_topic(&ctx(), &req).unwrap();
    apply(&mut topics, &changes);
    (topics, answer.topic_arn)
}

pub(crate) fn queue(name: &str) -> Arn {
    Arn::new("sqs", REGION, ACCOUNT, name)
}

/// Every queue exists but those whose name starts with `missing`.
pub(crate) fn queue_exists(queue: &Arn) -> bool {
    !queue.resource.starts_with("missing")
}

pub(crate) fn subscribe_request(topic: &str, queue_name: &str, attributes: &[(&str, &str)]) -> SubscribeRequest {
    SubscribeRequest {
        topic_arn: Some(topic.into()),
        protocol: Some("sqs".into()),
        endpoint: Some(queue(queue_name).to_string()),
        attributes: attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        return_subscription_arn: None,
    }
}

/// Subscribes a queue and returns the subscription's ARN.
pub(crate) fn subscribe(topics: &mut Topics, topic: &str, queue_name: &str, attributes: &[(&str, &str)]) -> String {
    let req = subscribe_request(topic, queue_name, attributes);
    let id = Uuid::from_u128(topics.subscriptions.len() as u128 + 1);
    let (answer, changes) = topics.subscribe(&ctx(), &req, id, &queue_exists).unwrap();
    apply(topics, &changes);
    answer.subscription_arn
}

/// A service that the default policy lets publish: an alarm of the owner's.
pub(crate) const OWNERS: ServiceCaller<'static> = ServiceCaller {
    name: "cloudwatch.amazonaws.com",
    source_arn: "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:a",
    tells_owner: true,
};
