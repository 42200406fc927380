//! What an event was about, as `LookupEvents` shows and finds it.
//!
//! AWS derives it from the parameters and the answer of a call, by types and members that each service has declared
//! ("Resource types supported by CloudTrail Event history"); a trail, for instance, is there by its name and by its ARN.

use aws_api::cloudtrail::EventResource;
use record::Record;
use serde_json::Value;

/// So many are found of one event.
const RESOURCES_MAX: usize = 50;

const BUCKET: &str = "AWS::S3::Bucket";
const TRAIL: &str = "AWS::CloudTrail::Trail";
const TOPIC: &str = "AWS::SNS::Topic";
const SUBSCRIPTION: &str = "AWS::SNS::Subscription";
const RULE: &str = "AWS::Events::Rule";
const EVENT_BUS: &str = "AWS::Events::EventBus";

/// Members of parameters and answers that name a resource: source, member, type.
const NAMED: &[(&str, &str, &str)] = &[
    ("s3.amazonaws.com", "bucketName", BUCKET),
    ("cloudtrail.amazonaws.com", "name", TRAIL),
    ("cloudtrail.amazonaws.com", "trailName", TRAIL),
    ("cloudtrail.amazonaws.com", "trailARN", TRAIL),
    ("cloudtrail.amazonaws.com", "trailNameList", TRAIL),
    ("cloudtrail.amazonaws.com", "resourceId", TRAIL),
    ("cloudtrail.amazonaws.com", "resourceIdList", TRAIL),
    ("cloudtrail.amazonaws.com", "s3BucketName", BUCKET),
    ("cloudtrail.amazonaws.com", "snsTopicName", TOPIC),
    ("sns.amazonaws.com", "name", TOPIC),
    ("sns.amazonaws.com", "topicArn", TOPIC),
    ("sns.amazonaws.com", "resourceArn", TOPIC),
    ("sns.amazonaws.com", "subscriptionArn", SUBSCRIPTION),
    ("events.amazonaws.com", "rule", RULE),
    ("events.amazonaws.com", "ruleArn", RULE),
    ("events.amazonaws.com", "eventBusName", EVENT_BUS),
    ("events.amazonaws.com", "eventBusArn", EVENT_BUS),
];

/// The resources of a record, each once.
pub(crate) fn resources(record: &Record) -> Vec<EventResource> {
    let mut found = Found(Vec::new());
    for resource in &record.resources {
        let Some(arn) = &resource.arn else { continue };
        match arn.strip_prefix("arn:aws:s3:::") {
            Some(bucket) if resource.kind == BUCKET => found.add(BUCKET, bucket),
            Some(_) => {}
            None => {
                found.add(&resource.kind, arn);
                // A queue, a topic: what is after the last colon is its name.
                found.add(&resource.kind, arn.rsplit(':').next().unwrap_or_default());
            }
        }
    }
    for elements in [&record.request_parameters, &record.response_elements].into_iter().flatten() {
        for (name, value) in elements {
            let Some(kind) = kind_of(record, name) else { continue };
            match value {
                Value::String(text) => found.add(kind, text),
                Value::Array(values) => values.iter().filter_map(Value::as_str).for_each(|text| found.add(kind, text)),
                _ => {}
            }
        }
    }
    found.0
}

fn kind_of(record: &Record, member: &str) -> Option<&'static str> {
    if record.event_source == "events.amazonaws.com" && member == "name" {
        // `PutRule` and its kin, `CreateEventBus` and its kin
        return Some(if record.event_name.ends_with("EventBus") { EVENT_BUS } else { RULE });
    }
    let mut named = NAMED.iter();
    named.find(|(source, name, _)| record.event_source == *source && member == *name).map(|(_, _, kind)| *kind)
}

struct Found(Vec<EventResource>);

impl Found {
    fn add(&mut self, kind: &str, name: &str) {
        let resource = EventResource { resource_type: kind.into(), resource_name: name.into() };
        if !name.is_empty() && self.0.len() < RESOURCES_MAX && !self.0.contains(&resource) {
            self.0.push(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(mut record: Value) -> Vec<(String, String)> {
        let defaults = json!({"eventVersion": "1.11", "userIdentity": {}, "awsRegion": "r", "sourceIPAddress": "",
            "eventID": "", "eventType": ""});
        for (name, value) in defaults.as_object().unwrap() {
            record[name] = value.clone();
        }
        let record: Record = serde_json::from_value(record).unwrap();
        resources(&record).into_iter().map(|found| (found.resource_type, found.resource_name)).collect()
    }

    fn pair(kind: &str, name: &str) -> (String, String) {
        (kind.into(), name.into())
    }

    #[test]
    fn a_trail_by_name_and_arn_and_its_bucket() {
        let arn = "arn:aws:cloudtrail:r:111122223333:trail/t";
        let found = of(json!({"eventSource": "cloudtrail.amazonaws.com", "eventName": "CreateTrail",
            "requestParameters": {"name": "t", "s3BucketName": "b"},
            "responseElements": {"name": "t", "s3BucketName": "b", "trailARN": arn}}));
        assert_eq!(found, [pair(TRAIL, "t"), pair(BUCKET, "b"), pair(TRAIL, arn)]);
    }

    #[test]
    fn buckets_queues_rules_and_buses() {
        let queue = "arn:aws:sqs:r:111122223333:q";
        let cases = [
            (
                json!({"eventSource": "s3.amazonaws.com", "eventName": "GetBucketAcl",
                    "requestParameters": {"bucketName": "b"},
                    "resources": [{"type": BUCKET, "ARN": "arn:aws:s3:::b", "accountId": "1"}]}),
                vec![pair(BUCKET, "b")],
            ),
            (
                json!({"eventSource": "sqs.amazonaws.com", "eventName": "PurgeQueue", "requestParameters": null,
                    "resources": [{"type": "AWS::SQS::Queue", "ARN": queue}]}),
                vec![pair("AWS::SQS::Queue", queue), pair("AWS::SQS::Queue", "q")],
            ),
            (
                json!({"eventSource": "events.amazonaws.com", "eventName": "PutRule", "requestParameters": {"name": "x"}}),
                vec![pair(RULE, "x")],
            ),
            (
                json!({"eventSource": "events.amazonaws.com", "eventName": "CreateEventBus",
                    "requestParameters": {"name": "x"}}),
                vec![pair(EVENT_BUS, "x")],
            ),
            (json!({"eventSource": "sts.amazonaws.com", "eventName": "GetCallerIdentity"}), vec![]),
        ];
        for (record, expected) in cases {
            assert_eq!(of(record.clone()), expected, "{record}");
        }
        let names: Vec<_> = (0..60).map(|number| format!("t{number}")).collect();
        let many = of(json!({"eventSource": "cloudtrail.amazonaws.com", "eventName": "DescribeTrails",
            "requestParameters": {"trailNameList": names}}));
        assert_eq!(many.len(), RESOURCES_MAX);
    }
}
