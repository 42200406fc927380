//! Topics, their policies, and subscriptions.

use serde_json::{Value, json};

use super::{answer, document, policies, taken};
use crate::drift::{Answer, Read, Reader};
use crate::types::{Properties, Subject, default_topic_policy, list};

fn attributes(topic: &Value) -> Read {
    Read::rpc("sns", "GetTopicAttributes", json!({ "TopicArn": topic }))
}

pub(in crate::drift) static TOPIC: Reader = Reader {
    kind: "AWS::SNS::Topic",
    reads: |subject, expected| {
        let topic = json!(subject.physical_id);
        let mut reads = vec![attributes(&topic)];
        if expected.contains_key("Tags") {
            reads.push(Read::rpc("sns", "ListTagsForResource", json!({ "ResourceArn": topic })));
        }
        if expected.contains_key("Subscription") {
            let input = json!({ "TopicArn": topic });
            reads.push(Read::rpc("sns", "ListSubscriptionsByTopic", input).paged("Subscriptions"));
        }
        reads
    },
    actual: topic,
    documents: &[],
    untold: &[],
};

fn topic(subject: &Subject<'_>, expected: &Properties, answers: &[Answer]) -> Option<Properties> {
    let attributes = &answers.first()?.as_ref()?["Attributes"];
    let names = ["DisplayName", "SignatureVersion", "TracingConfig", "KmsMasterKeyId"];
    let mut actual = taken(attributes, &names.map(|name| (name, name)));
    for (name, default) in [("SignatureVersion", "1"), ("TracingConfig", "PassThrough")] {
        actual.entry(name).or_insert_with(|| json!(default));
    }
    actual.insert("TopicName".to_owned(), json!(subject.name));
    actual.insert("FifoTopic".to_owned(), json!(attributes["FifoTopic"] == "true"));
    let rest = answers.iter().skip(1).flatten();
    for told in rest {
        if let Some(tags) = told.get("Tags") {
            actual.insert("Tags".to_owned(), tags.clone());
        }
        if let Some(all) = told.get("Subscriptions").and_then(Value::as_array) {
            // What else is subscribed is not of this list: other resources subscribe, too.
            let is_there = |entry: &&Value| {
                all.iter().any(|it| it["Protocol"] == entry["Protocol"] && it["Endpoint"] == entry["Endpoint"])
            };
            let there: Value = list(expected, "Subscription").iter().filter(is_there).cloned().collect();
            actual.insert("Subscription".to_owned(), there);
        }
    }
    Some(actual)
}

pub(in crate::drift) static SUBSCRIPTION: Reader = Reader {
    kind: "AWS::SNS::Subscription",
    reads: |subject, _| {
        let input = json!({ "SubscriptionArn": subject.physical_id });
        vec![Read::rpc("sns", "GetSubscriptionAttributes", input)]
    },
    actual: |_, _, answers| {
        let attributes = &answer(answers, 0)["Attributes"];
        let names = ["TopicArn", "Protocol", "Endpoint", "FilterPolicyScope"];
        let mut actual = taken(attributes, &names.map(|name| (name, name)));
        actual.entry("FilterPolicyScope").or_insert_with(|| json!("MessageAttributes"));
        actual.insert("RawMessageDelivery".to_owned(), json!(attributes["RawMessageDelivery"] == "true"));
        for name in ["FilterPolicy", "RedrivePolicy"] {
            if let Some(policy) = attributes.get(name) {
                actual.insert(name.to_owned(), document(policy));
            }
        }
        Some(actual)
    },
    documents: &["FilterPolicy", "RedrivePolicy"],
    // It says where the topic is, and is written nowhere.
    untold: &["Region"],
};

/// The policy of a topic, unless it is the one that every topic begins with and the template does not want that.
fn policy(topic: &Value, expected: &Properties, answers: &[Answer], place: usize) -> Option<Value> {
    let policy = document(answer(answers, place)["Attributes"].get("Policy")?);
    let is_default = policy == default_topic_policy(topic.as_str().unwrap_or_default());
    Some(policy).filter(|policy| !is_default || Some(policy) == expected.get("PolicyDocument"))
}

pub(in crate::drift) static TOPIC_POLICY: Reader = Reader {
    kind: "AWS::SNS::TopicPolicy",
    reads: |_, expected| list(expected, "Topics").iter().map(attributes).collect(),
    actual: |_, expected, answers| {
        let topics = list(expected, "Topics");
        let all = topics.iter().enumerate();
        let found: Vec<_> = all.map(|(place, topic)| policy(topic, expected, answers, place)).collect();
        policies("Topics", topics, &found, expected)
    },
    documents: &["PolicyDocument"],
    untold: &[],
};

pub(in crate::drift) static TOPIC_INLINE_POLICY: Reader = Reader {
    kind: "AWS::SNS::TopicInlinePolicy",
    reads: |subject, _| vec![attributes(&json!(subject.name))],
    actual: |subject, expected, answers| {
        let topic = json!(subject.name);
        let policy = policy(&topic, expected, answers, 0)?;
        Some([("PolicyDocument".to_owned(), policy), ("TopicArn".to_owned(), topic)].into_iter().collect())
    },
    documents: &["PolicyDocument"],
    untold: &[],
};
