//! `AWS::SQS::Queue`, `AWS::SQS::QueuePolicy`, `AWS::SQS::QueueInlinePolicy`

use serde_json::{Map, Value, json};

use super::{
    ENDPOINT, Properties, ResourceType, Subject, arn, by_name, list, policy_document, retagged, tag_map, tags,
    values_of_name, values_with_id,
};
use crate::call::{Call, Step};
use crate::evaluate::{Values, scalar};
use crate::schema::{Property, Shape, TAGS};

const ABSENT: &[&str] = &["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

pub(super) static QUEUE: ResourceType = ResourceType {
    name: "AWS::SQS::Queue",
    properties: &[
        Property::new("QueueName", Shape::Text).replaces(),
        Property::new("FifoQueue", Shape::Boolean).replaces(),
        Property::new("ContentBasedDeduplication", Shape::Boolean),
        Property::new("DeduplicationScope", Shape::Text),
        Property::new("FifoThroughputLimit", Shape::Text),
        Property::new("DelaySeconds", Shape::Integer),
        Property::new("MaximumMessageSize", Shape::Integer),
        Property::new("MessageRetentionPeriod", Shape::Integer),
        Property::new("ReceiveMessageWaitTimeSeconds", Shape::Integer),
        Property::new("VisibilityTimeout", Shape::Integer),
        Property::new("RedrivePolicy", Shape::Json),
        Property::new("RedriveAllowPolicy", Shape::Json),
        Property::new("KmsMasterKeyId", Shape::Text),
        Property::new("KmsDataKeyReusePeriodSeconds", Shape::Integer),
        Property::new("SqsManagedSseEnabled", Shape::Boolean)
            .without_effect("messages are not encrypted beyond what the disk does"),
        TAGS,
    ],
    attributes: &["Arn", "QueueName", "QueueUrl"],
    name_property: Some("QueueName"),
    name_len_max: 80,
    lower_case: false,
    look: Some(|subject, _| Call::Rpc {
        service: "sqs",
        op: "GetQueueUrl",
        input: json!({ "QueueName": subject.name }),
    }),
    create: |subject, properties| {
        let attributes = attributes(properties);
        let input = json!({ "QueueName": subject.name, "Attributes": attributes, "tags": tag_map(&tags(properties)) });
        vec![Step::rpc("sqs", "CreateQueue", input)]
    },
    update,
    delete: |subject, _| vec![Step::rpc("sqs", "DeleteQueue", json!({ "QueueUrl": url(subject) })).tolerating(ABSENT)],
    physical_id: |subject, _, _| url(subject),
    values: |subject, _| {
        let attributes = [
            ("Arn".to_owned(), arn(subject, "sqs", subject.name)),
            ("QueueName".to_owned(), subject.name.to_owned()),
            ("QueueUrl".to_owned(), url(subject)),
        ];
        Values { reference: url(subject), attributes: attributes.into() }
    },
};

/// Attributes and what they are if a template does not say.
const DEFAULTS: [(&str, &str); 8] = [
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("VisibilityTimeout", "30"),
    ("RedrivePolicy", ""),
    ("RedriveAllowPolicy", ""),
    ("SqsManagedSseEnabled", "true"),
];

fn url(subject: &Subject<'_>) -> String {
    format!("{ENDPOINT}/{}/{}", subject.account, subject.name)
}

/// Attributes are texts.
fn attributes(properties: &Properties) -> Map<String, Value> {
    let named = properties.iter().filter(|(name, _)| !matches!(name.as_str(), "QueueName" | "Tags"));
    // A queue that is no FIFO queue is made without saying so.
    let named = named.filter(|(name, value)| name.as_str() != "FifoQueue" || **value != Value::Bool(false));
    named
        .map(|(name, value)| (name.clone(), Value::String(scalar(value).unwrap_or_else(|| value.to_string()))))
        .collect()
}

fn update(subject: &Subject<'_>, before: &Properties, after: &Properties) -> Vec<Step> {
    let (url, mut steps) = (url(subject), Vec::new());
    let (old, mut new) = (attributes(before), attributes(after));
    new.retain(|name, value| old.get(name) != Some(value));
    for (name, default) in DEFAULTS {
        if before.contains_key(name) && !after.contains_key(name) {
            new.insert(name.to_owned(), Value::String(default.to_owned()));
        }
    }
    if !new.is_empty() {
        steps.push(Step::rpc("sqs", "SetQueueAttributes", json!({ "QueueUrl": url, "Attributes": new })));
    }
    steps.extend(retagged(
        before,
        after,
        |keys| Step::rpc("sqs", "UntagQueue", json!({ "QueueUrl": url, "TagKeys": keys })),
        |tags| Step::rpc("sqs", "TagQueue", json!({ "QueueUrl": url, "Tags": tag_map(tags) })),
    ));
    steps
}

pub(super) static QUEUE_POLICY: ResourceType = ResourceType {
    name: "AWS::SQS::QueuePolicy",
    properties: &[
        Property::new("Queues", Shape::List(&Shape::Text)).required(),
        Property::new("PolicyDocument", Shape::Json).required(),
    ],
    attributes: &["Id"],
    name_property: None,
    name_len_max: 255,
    lower_case: false,
    look: None,
    create: |_, properties| {
        list(properties, "Queues").iter().map(|queue| set(queue, &policy_document(properties))).collect()
    },
    update: |_, before, after| {
        let queues = list(after, "Queues");
        let gone = list(before, "Queues").iter().filter(|queue| !queues.contains(queue));
        let gone = gone.map(|queue| set(queue, "").tolerating(ABSENT));
        gone.chain(queues.iter().map(|queue| set(queue, &policy_document(after)))).collect()
    },
    delete: |_, properties| list(properties, "Queues").iter().map(|queue| set(queue, "").tolerating(ABSENT)).collect(),
    physical_id: by_name,
    values: values_with_id,
};

pub(super) static QUEUE_INLINE_POLICY: ResourceType = ResourceType {
    name: "AWS::SQS::QueueInlinePolicy",
    properties: &[
        Property::new("Queue", Shape::Text).required().replaces(),
        Property::new("PolicyDocument", Shape::Json).required(),
    ],
    attributes: &[],
    name_property: Some("Queue"),
    name_len_max: 2048,
    lower_case: false,
    look: None,
    create: |subject, properties| vec![set(&json!(subject.name), &policy_document(properties))],
    update: |subject, _, after| vec![set(&json!(subject.name), &policy_document(after))],
    delete: |subject, _| vec![set(&json!(subject.name), "").tolerating(ABSENT)],
    physical_id: by_name,
    values: values_of_name,
};

fn set(queue: &Value, policy: &str) -> Step {
    Step::rpc("sqs", "SetQueueAttributes", json!({ "QueueUrl": queue, "Attributes": { "Policy": policy } }))
}
