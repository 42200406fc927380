//! `AWS::SNS::Topic`, `AWS::SNS::Subscription`, `AWS::SNS::TopicPolicy`, `AWS::SNS::TopicInlinePolicy`

use serde_json::{Map, Value, json};

use super::{
    Found, Properties, ResourceType, Subject, arn, by_name, differs, list, policy_document, retagged, tag_list, tags,
    text, values_of_name, values_with_id,
};
use crate::call::{Call, Step};
use crate::evaluate::{Values, scalar};
use crate::schema::{Property, Shape, TAGS};

const ABSENT: &[&str] = &["NotFound"];

pub(super) static TOPIC: ResourceType = ResourceType {
    name: "AWS::SNS::Topic",
    properties: &[
        Property::new("TopicName", Shape::Text).replaces(),
        Property::new("FifoTopic", Shape::Boolean).replaces(),
        Property::new("DisplayName", Shape::Text),
        Property::new("SignatureVersion", Shape::Text),
        Property::new("TracingConfig", Shape::Text),
        Property::new("KmsMasterKeyId", Shape::Text),
        Property::new(
            "Subscription",
            Shape::List(&Shape::Object(&[
                Property::new("Protocol", Shape::Text).required(),
                Property::new("Endpoint", Shape::Text).required(),
            ])),
        ),
        TAGS,
    ],
    attributes: &["TopicArn", "TopicName"],
    name_property: Some("TopicName"),
    name_len_max: 256,
    lower_case: false,
    look: Some(|subject, _| Call::Rpc {
        service: "sns",
        op: "GetTopicAttributes",
        input: json!({ "TopicArn": arn(subject, "sns", subject.name) }),
    }),
    create: create_topic,
    update: update_topic,
    delete: |subject, _| {
        let input = json!({ "TopicArn": arn(subject, "sns", subject.name) });
        vec![Step::rpc("sns", "DeleteTopic", input).tolerating(ABSENT)]
    },
    physical_id: |subject, _, _| arn(subject, "sns", subject.name),
    values: |subject, _| {
        let arn = arn(subject, "sns", subject.name);
        let attributes = [("TopicArn".to_owned(), arn.clone()), ("TopicName".to_owned(), subject.name.to_owned())];
        Values { reference: arn, attributes: attributes.into() }
    },
};

const TOPIC_ATTRIBUTES: [&str; 5] = ["DisplayName", "SignatureVersion", "TracingConfig", "KmsMasterKeyId", "FifoTopic"];

fn create_topic(subject: &Subject<'_>, properties: &Properties) -> Vec<Step> {
    let given = TOPIC_ATTRIBUTES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), Value::String(scalar(properties.get(*name)?)?))));
    let attributes: Map<_, _> = given.collect();
    let input = json!({ "Name": subject.name, "Attributes": attributes, "Tags": tag_list(&tags(properties)) });
    let mut steps = vec![Step::rpc("sns", "CreateTopic", input)];
    steps.extend(list(properties, "Subscription").iter().map(|entry| subscribe_entry(subject, entry)));
    steps
}

fn subscribe_entry(subject: &Subject<'_>, entry: &Value) -> Step {
    let topic = arn(subject, "sns", subject.name);
    Step::rpc(
        "sns",
        "Subscribe",
        json!({ "TopicArn": topic, "Protocol": entry["Protocol"], "Endpoint": entry["Endpoint"] }),
    )
}

fn update_topic(subject: &Subject<'_>, before: &Properties, after: &Properties) -> Vec<Step> {
    let (topic, mut steps) = (arn(subject, "sns", subject.name), Vec::new());
    for (name, default) in [("DisplayName", ""), ("SignatureVersion", "1"), ("TracingConfig", "PassThrough")] {
        if differs(before, after, name) {
            let value = text(after, name).unwrap_or(default);
            let input = json!({ "TopicArn": topic, "AttributeName": name, "AttributeValue": value });
            steps.push(Step::rpc("sns", "SetTopicAttributes", input));
        }
    }
    // A subscription that the list no longer has stays, as "Subscription" of the topic's page says.
    let old = list(before, "Subscription");
    let new = list(after, "Subscription").iter().filter(|entry| !old.contains(entry));
    steps.extend(new.map(|entry| subscribe_entry(subject, entry)));
    steps.extend(retagged(
        before,
        after,
        |keys| Step::rpc("sns", "UntagResource", json!({ "ResourceArn": topic, "TagKeys": keys })),
        |tags| Step::rpc("sns", "TagResource", json!({ "ResourceArn": topic, "Tags": tag_list(tags) })),
    ));
    steps
}

pub(super) static SUBSCRIPTION: ResourceType = ResourceType {
    name: "AWS::SNS::Subscription",
    properties: &[
        Property::new("TopicArn", Shape::Text).required().replaces(),
        Property::new("Protocol", Shape::Text).required().replaces(),
        Property::new("Endpoint", Shape::Text).replaces(),
        Property::new("RawMessageDelivery", Shape::Boolean),
        Property::new("FilterPolicy", Shape::Json),
        Property::new("FilterPolicyScope", Shape::Text),
        Property::new("RedrivePolicy", Shape::Json),
        Property::new("Region", Shape::Text),
    ],
    attributes: &["Arn"],
    name_property: None,
    name_len_max: 255,
    lower_case: false,
    look: None,
    create: |_, properties| {
        let mut input = json!({ "Attributes": subscription_attributes(properties), "ReturnSubscriptionArn": true });
        for name in ["TopicArn", "Protocol", "Endpoint"] {
            if let Some(value) = properties.get(name) {
                input[name] = value.clone();
            }
        }
        vec![Step::rpc("sns", "Subscribe", input)]
    },
    update: |subject, before, after| {
        let (old, new) = (subscription_attributes(before), subscription_attributes(after));
        let names = ["RawMessageDelivery", "FilterPolicyScope", "FilterPolicy", "RedrivePolicy"];
        let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        changed
            .map(|name| {
                let default = match name {
                    "RawMessageDelivery" => "false",
                    "FilterPolicyScope" => "MessageAttributes",
                    _ => "",
                };
                let value = new.get(name).cloned().unwrap_or_else(|| json!(default));
                let arn = subject.physical_id.unwrap_or_default();
                let input = json!({ "SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value });
                Step::rpc("sns", "SetSubscriptionAttributes", input)
            })
            .collect()
    },
    delete: |subject, _| {
        let arn = subject.physical_id.unwrap_or_default();
        vec![Step::rpc("sns", "Unsubscribe", json!({ "SubscriptionArn": arn })).tolerating(ABSENT)]
    },
    physical_id: |subject, _, answers| {
        let arn = answers.first().and_then(|answer| answer["SubscriptionArn"].as_str());
        arn.unwrap_or(subject.name).to_owned()
    },
    values: |subject, properties| {
        let arn = values_of_name(subject, properties).reference;
        Values { attributes: [("Arn".to_owned(), arn.clone())].into(), reference: arn }
    },
};

/// Topic, protocol and endpoint make a subscription: there are no two that have them in common, and one that was there before is the
/// stack's as well, as it is where `Subscribe` answers.
pub(super) fn search(properties: &Properties, from: Option<&str>) -> Step {
    let mut input = json!({ "TopicArn": properties.get("TopicArn") });
    if let Some(from) = from {
        input["NextToken"] = json!(from);
    }
    Step::rpc("sns", "ListSubscriptionsByTopic", input).tolerating(ABSENT)
}

pub(super) fn found(properties: &Properties, answer: &Value) -> Found {
    let is_it =
        |listed: &&Value| ["Protocol", "Endpoint"].iter().all(|name| listed[*name].as_str() == text(properties, name));
    let listed = answer["Subscriptions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let arn = listed.iter().find(is_it).and_then(|listed| listed["SubscriptionArn"].as_str());
    match (arn, answer["NextToken"].as_str()) {
        (Some(arn), _) => Found::Here(arn.to_owned()),
        (None, Some(token)) => Found::Further(token.to_owned()),
        (None, None) => Found::Nowhere,
    }
}

fn subscription_attributes(properties: &Properties) -> Map<String, Value> {
    let names = ["RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"];
    let given = names.into_iter().filter_map(|name| Some((name, properties.get(name)?)));
    given
        .map(|(name, value)| (name.to_owned(), Value::String(scalar(value).unwrap_or_else(|| value.to_string()))))
        .collect()
}

pub(super) static TOPIC_POLICY: ResourceType = ResourceType {
    name: "AWS::SNS::TopicPolicy",
    properties: &[
        Property::new("Topics", Shape::List(&Shape::Text)).required(),
        Property::new("PolicyDocument", Shape::Json).required(),
    ],
    attributes: &["Id"],
    name_property: None,
    name_len_max: 255,
    lower_case: false,
    look: None,
    create: |_, properties| {
        list(properties, "Topics").iter().map(|topic| set(topic, &policy_document(properties))).collect()
    },
    update: |_, before, after| {
        let topics = list(after, "Topics");
        let gone = list(before, "Topics").iter().filter(|topic| !topics.contains(topic));
        gone.map(reset).chain(topics.iter().map(|topic| set(topic, &policy_document(after)))).collect()
    },
    delete: |_, properties| list(properties, "Topics").iter().map(reset).collect(),
    physical_id: by_name,
    values: values_with_id,
};

pub(super) static TOPIC_INLINE_POLICY: ResourceType = ResourceType {
    name: "AWS::SNS::TopicInlinePolicy",
    properties: &[
        Property::new("TopicArn", Shape::Text).required().replaces(),
        Property::new("PolicyDocument", Shape::Json).required(),
    ],
    attributes: &[],
    name_property: Some("TopicArn"),
    name_len_max: 2048,
    lower_case: false,
    look: None,
    create: |subject, properties| vec![set(&json!(subject.name), &policy_document(properties))],
    update: |subject, _, after| vec![set(&json!(subject.name), &policy_document(after))],
    delete: |subject, _| vec![reset(&json!(subject.name))],
    physical_id: by_name,
    values: values_of_name,
};

fn set(topic: &Value, policy: &str) -> Step {
    let input = json!({ "TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy });
    Step::rpc("sns", "SetTopicAttributes", input)
}

/// A topic is never without a policy: it gets back the one that it was made with.
fn reset(topic: &Value) -> Step {
    set(topic, &default_topic_policy(topic.as_str().unwrap_or_default()).to_string()).tolerating(ABSENT)
}

/// The policy that a topic is made with.
pub(crate) fn default_topic_policy(arn: &str) -> Value {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    let statement = json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": { "AWS": "*" },
        "Action": actions,
        "Resource": arn,
        "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
    });
    json!({ "Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement] })
}
