//! Queues and their policies.

use serde_json::{Value, json};

use super::{answer, document, policies, tags_of_map, taken};
use crate::drift::{Answer, Read, Reader};
use crate::types::{Properties, Subject, list};

pub(in crate::drift) static QUEUE: Reader = Reader {
    kind: "AWS::SQS::Queue",
    reads: |subject, expected| {
        let url = subject.physical_id;
        let mut reads = vec![attributes(&json!(url), "All")];
        if expected.contains_key("Tags") {
            reads.push(Read::rpc("sqs", "ListQueueTags", json!({ "QueueUrl": url })));
        }
        reads
    },
    actual: queue,
    documents: &["RedrivePolicy", "RedriveAllowPolicy"],
    untold: &[],
};

fn attributes(url: &Value, name: &str) -> Read {
    Read::rpc("sqs", "GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": [name] }))
}

fn queue(subject: &Subject<'_>, expected: &Properties, answers: &[Answer]) -> Option<Properties> {
    let attributes = &answers.first()?.as_ref()?["Attributes"];
    let mut actual: Properties = taken(
        attributes,
        &[
            ("ContentBasedDeduplication", "ContentBasedDeduplication"),
            ("DeduplicationScope", "DeduplicationScope"),
            ("FifoThroughputLimit", "FifoThroughputLimit"),
            ("DelaySeconds", "DelaySeconds"),
            ("MaximumMessageSize", "MaximumMessageSize"),
            ("MessageRetentionPeriod", "MessageRetentionPeriod"),
            ("ReceiveMessageWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds"),
            ("VisibilityTimeout", "VisibilityTimeout"),
            ("KmsMasterKeyId", "KmsMasterKeyId"),
            ("KmsDataKeyReusePeriodSeconds", "KmsDataKeyReusePeriodSeconds"),
            ("SqsManagedSseEnabled", "SqsManagedSseEnabled"),
        ],
    );
    for value in actual.values_mut() {
        // Attributes are texts; templates have numbers and booleans.
        if matches!(document(value), Value::Number(_) | Value::Bool(_)) {
            *value = document(value);
        }
    }
    for name in ["RedrivePolicy", "RedriveAllowPolicy"] {
        let Some(policy) = attributes.get(name).map(document) else { continue };
        let policy = expected.get(name).map_or_else(|| policy.clone(), |expected| as_given(expected, &policy));
        actual.insert(name.to_owned(), policy);
    }
    actual.insert("QueueName".to_owned(), json!(subject.name));
    actual.insert("FifoQueue".to_owned(), json!(attributes["FifoQueue"] == "true"));
    if let Some(tags) = answer(answers, 1).get("Tags") {
        actual.insert("Tags".to_owned(), tags_of_map(tags));
    }
    Some(actual)
}

/// `maxReceiveCount` may be a number or its text.
fn as_given(expected: &Value, actual: &Value) -> Value {
    let mut shown = actual.clone();
    let (Some(members), Some(expected)) = (shown.as_object_mut(), expected.as_object()) else { return shown };
    for (name, value) in members {
        if let Some(expected) = expected.get(name)
            && crate::evaluate::scalar(expected).is_some()
            && crate::evaluate::scalar(expected) == crate::evaluate::scalar(value)
        {
            value.clone_from(expected);
        }
    }
    shown
}

fn policy(answers: &[Answer], place: usize) -> Option<Value> {
    answer(answers, place)["Attributes"].get("Policy").map(document)
}

pub(in crate::drift) static QUEUE_POLICY: Reader = Reader {
    kind: "AWS::SQS::QueuePolicy",
    reads: |_, expected| list(expected, "Queues").iter().map(|queue| attributes(queue, "Policy")).collect(),
    actual: |_, expected, answers| {
        let found: Vec<_> = (0..answers.len()).map(|place| policy(answers, place)).collect();
        policies("Queues", list(expected, "Queues"), &found, expected)
    },
    documents: &["PolicyDocument"],
    untold: &[],
};

pub(in crate::drift) static QUEUE_INLINE_POLICY: Reader = Reader {
    kind: "AWS::SQS::QueueInlinePolicy",
    reads: |subject, _| vec![attributes(&json!(subject.name), "Policy")],
    actual: |subject, _, answers| {
        let policy = policy(answers, 0)?;
        Some([("PolicyDocument".to_owned(), policy), ("Queue".to_owned(), json!(subject.name))].into_iter().collect())
    },
    documents: &["PolicyDocument"],
    untold: &[],
};
