//! Whatever was done, the committed rows alone bring back the same state, in whatever order they are read.

use std::collections::BTreeMap;

use aws_api::sns::{
    CreateTopicRequest, DeleteTopicRequest, ListSubscriptionsRequest, ListTopicsRequest,
    SetSubscriptionAttributesRequest, SubscribeRequest, UnsubscribeRequest,
};
use aws_api::{Arn, Caller, Change, RequestContext, Role, Timestamp};
use policy::ServiceCaller;
use proptest::prelude::*;
use topic::{Publication, Topics};
use uuid::Uuid;

const TOPICS: u8 = 3;
const QUEUES: u8 = 4;
const ALARM: &str = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:a";

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Delete(u8),
    Subscribe(u8, u8, bool),
    Unsubscribe(u8),
    Filter(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..TOPICS).prop_map(Step::Create),
        1 => (0..TOPICS).prop_map(Step::Delete),
        6 => (0..TOPICS, 0..QUEUES, any::<bool>()).prop_map(|(topic, queue, raw)| Step::Subscribe(topic, queue, raw)),
        2 => any::<u8>().prop_map(Step::Unsubscribe),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(which, on)| Step::Filter(which, on)),
    ]
}

fn ctx() -> RequestContext {
    RequestContext {
        caller: Caller {
            account: "111122223333".into(),
            arn: "arn:aws:iam::111122223333:root".into(),
            principal_id: "111122223333".into(),
            role_arn: None,
            role: Role::Admin,
        },
        region: "eu-central-1".into(),
        now: Timestamp::from_secs(1),
        request_id: "r".into(),
        endpoint: "http://h".into(),
        via: None,
    }
}

fn topic_arn(n: u8) -> String {
    format!("arn:aws:sns:eu-central-1:111122223333:t{n}")
}

/// The subscription that a random number picks.
fn pick(topics: &Topics, which: u8) -> Option<String> {
    let all = topics.list_subscriptions(&ctx(), &ListSubscriptionsRequest::default()).ok()?.subscriptions;
    all.get(usize::from(which) % all.len().max(1)).map(|it| it.subscription_arn.clone())
}

fn decide(topics: &Topics, step: &Step, id: Uuid) -> Vec<Change> {
    let ctx = ctx();
    let decided = match step {
        Step::Create(n) => {
            let req = CreateTopicRequest { name: Some(format!("t{n}")), ..<_>::default() };
            topics.create_topic(&ctx, &req).map(|(_, changes)| changes)
        }
        Step::Delete(n) => topics.delete_topic(&ctx, &DeleteTopicRequest { topic_arn: Some(topic_arn(*n)) }),
        Step::Subscribe(n, queue, raw) => {
            let req = SubscribeRequest {
                topic_arn: Some(topic_arn(*n)),
                protocol: Some("sqs".into()),
                endpoint: Some(format!("arn:aws:sqs:eu-central-1:111122223333:q{queue}")),
                attributes: BTreeMap::from([("RawMessageDelivery".into(), raw.to_string())]),
                return_subscription_arn: None,
            };
            topics.subscribe(&ctx, &req, id, &|_| true).map(|(_, changes)| changes)
        }
        Step::Unsubscribe(which) => {
            topics.unsubscribe(&ctx, &UnsubscribeRequest { subscription_arn: pick(topics, *which) })
        }
        Step::Filter(which, on) => {
            let req = SetSubscriptionAttributesRequest {
                subscription_arn: pick(topics, *which),
                attribute_name: Some("FilterPolicy".into()),
                attribute_value: on.then(|| r#"{"a":["x"]}"#.into()),
            };
            topics.set_subscription_attributes(&ctx, &req, &|_| true)
        }
    };
    // A refusal decides nothing, which is as good a step as any.
    decided.unwrap_or_default()
}

/// All that can be seen from outside.
fn seen(topics: &Topics) -> String {
    let ctx = ctx();
    let listed = topics.list_topics(&ctx, &ListTopicsRequest::default());
    let subscriptions = topics.list_subscriptions(&ctx, &ListSubscriptionsRequest::default());
    let message = Publication { message: "m".into(), ..<_>::default() };
    // The default policy lets alarms of the account pass.
    let alarm = ServiceCaller { tells_owner: true, ..ServiceCaller::new("cloudwatch.amazonaws.com", ALARM) };
    let published: Vec<_> = (0..TOPICS)
        .map(|n| topics.publish(&topic_arn(n).parse::<Arn>().expect("an ARN"), alarm, &message, ctx.now, Uuid::nil()))
        .collect();
    format!("{listed:?} {subscriptions:?} {published:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rows_bring_back_the_state(steps in proptest::collection::vec(step(), 0..40), reverse in any::<bool>()) {
        let (mut live, mut rows) = (Topics::default(), BTreeMap::new());
        for (n, step) in steps.iter().enumerate() {
            for change in decide(&live, step, Uuid::from_u128(n as u128)) {
                live.absorb(&change).expect("own rows are read");
                match &change.row {
                    Some(_) => rows.insert((change.kind, change.key.clone()), change),
                    None => rows.remove(&(change.kind, change.key.clone())),
                };
            }
        }
        let mut reopened = Topics::default();
        let mut stored: Vec<_> = rows.into_values().collect();
        if reverse {
            stored.reverse();
        }
        for change in &stored {
            reopened.absorb(change).expect("own rows are read");
        }
        prop_assert_eq!(seen(&live), seen(&reopened));
        let orphans = stored.iter().filter(|change| change.kind == "subscription").filter(|change| {
            let topic = change.key.rsplit_once('/').map_or("", |(topic, _)| topic);
            !stored.iter().any(|other| other.kind == "topic" && other.key == topic)
        });
        prop_assert_eq!(orphans.count(), 0, "a subscription without its topic");
    }
}
