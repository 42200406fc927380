//! What is found of resources, from their reads to what is kept.

use serde_json::json;

use super::*;
use crate::evaluate::Values;
use crate::stack::{Real, Status};
use crate::template::DeletionPolicy;
use crate::types::ENDPOINT;

const TEMPLATE: &str = "
Parameters: {P: {Type: String, NoEcho: true}}
Resources:
  Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: q, DelaySeconds: 1, Tags: [{Key: a, Value: !Ref P}]}}
  T: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !Ref P}}
  R: {Type: 'AWS::Events::Rule', Properties: {EventPattern: '{\"source\": [\"aws.s3\"]}'}}
  N: {Type: 'AWS::CloudFormation::WaitConditionHandle'}
";

fn stack() -> Stack {
    let ctx = aws_api::RequestContext {
        caller: aws_api::Caller {
            account: "111122223333".into(),
            arn: String::new(),
            principal_id: String::new(),
            role: aws_api::Role::Admin,
            role_arn: None,
        },
        region: "us-east-1".into(),
        now: Timestamp::from_millis(0),
        request_id: String::new(),
        endpoint: String::new(),
    };
    let mut stack = Stack::new(&ctx, "s".into(), "u".into());
    stack.template = TEMPLATE.into();
    stack.parameters.insert("P".into(), "secret".into());
    let stack_tag = json!({ "Key": "of-stack", "Value": "1" });
    let system = json!({ "Key": "aws:cloudformation:stack-name", "Value": "s" });
    for (id, kind, properties) in [
        (
            "Q",
            "AWS::SQS::Queue",
            json!({ "QueueName": "q", "DelaySeconds": 1, "Tags": [{ "Key": "a", "Value": "secret" }, system] }),
        ),
        ("T", "AWS::SNS::Topic", json!({ "DisplayName": "secret", "Tags": [stack_tag] })),
        ("R", "AWS::Events::Rule", json!({ "EventPattern": "{\"source\": [\"aws.s3\"]}" })),
        ("N", "AWS::CloudFormation::WaitConditionHandle", json!({})),
    ] {
        let real = Real {
            kind: kind.into(),
            name: id.to_lowercase(),
            physical_id: Some(format!("{ENDPOINT}/111122223333/{id}")),
            properties: properties.as_object().cloned().unwrap_or_default(),
            values: Values::default(),
            depends_on: std::collections::BTreeSet::new(),
            deletion_policy: DeletionPolicy::Delete,
            update_replace_policy: DeletionPolicy::Delete,
        };
        let made = Made {
            status: Status::CreateComplete,
            status_reason: None,
            updated: ctx.now,
            real,
            before: None,
            earlier: Vec::new(),
            is_new: false,
            looked: true,
        };
        stack.resources.insert(id.into(), made);
    }
    stack
}

fn ops(stack: &Stack, id: &str) -> Vec<&'static str> {
    let reads = stack.reads(id).unwrap_or_default().into_iter();
    reads
        .map(|read| match read.call {
            Call::Rpc { op, .. } | Call::S3 { op, .. } => op,
        })
        .collect()
}

fn checked(id: &str, answers: &[Answer]) -> Option<ResourceDrift> {
    stack().checked(id, Ok(answers), Timestamp::from_millis(1))
}

#[test]
fn only_what_is_needed_is_read() {
    let stack = stack();
    assert_eq!(ops(&stack, "Q"), ["GetQueueAttributes", "ListQueueTags"]);
    assert_eq!(ops(&stack, "T"), ["GetTopicAttributes"], "its tags are the stack's");
    assert_eq!(ops(&stack, "R"), ["DescribeRule"]);
    assert!(stack.reads("N").is_none() && stack.reads("X").is_none());
}

#[test]
fn system_tags_are_no_drift_and_secrets_are_not_shown() {
    let attributes = json!({ "Attributes": { "DelaySeconds": "1", "VisibilityTimeout": "9" } });
    let tags = json!({ "tags": { "a": "secret", "aws:cloudformation:stack-id": "x" } });
    let drift = checked("Q", &[Some(attributes.clone()), Some(tags)]);
    let Some(drift) = drift else { panic!("nothing was found") };
    assert_eq!((drift.status, &drift.differences[..]), (DriftStatus::InSync, &[][..]));
    let shown = r#"{"DelaySeconds":1,"QueueName":"q","Tags":[{"Key":"a","Value":"****"}]}"#;
    assert_eq!((drift.expected.as_deref(), drift.actual.as_deref()), (Some(shown), Some(shown)));
    let other = json!({ "tags": { "a": "other" } });
    let drift = checked("Q", &[Some(attributes), Some(other)]);
    let found = ("/Tags/0/Value".to_owned(), "****".to_owned(), "other".to_owned(), "NOT_EQUAL".to_owned());
    assert_eq!(drift.map(|drift| (drift.status, drift.differences)), Some((DriftStatus::Modified, vec![found])));
}

#[test]
fn what_is_not_there_and_what_may_not_be_read() {
    let status = |drift: Option<ResourceDrift>| drift.map(|drift| (drift.status, drift.actual, drift.reason));
    assert_eq!(status(checked("Q", &[None, None])), Some((DriftStatus::Deleted, None, None)));
    let refused = stack().checked("Q", Err("AccessDenied".into()), Timestamp::from_millis(1));
    assert_eq!(status(refused), Some((DriftStatus::Unknown, None, Some("AccessDenied".into()))));
    assert_eq!(checked("N", &[]), None);
}

#[test]
fn a_document_may_be_given_as_a_text() {
    let rule = |pattern: &str| checked("R", &[Some(json!({ "EventPattern": pattern }))]).map(|drift| drift.status);
    assert_eq!(rule("{\"source\":[\"aws.s3\"]}"), Some(DriftStatus::InSync));
    assert_eq!(rule("{\"source\":[\"aws.sqs\"]}"), Some(DriftStatus::Modified));
}
