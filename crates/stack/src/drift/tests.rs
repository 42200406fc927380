//! What is found of resources, from their reads to what is kept.

use aws_api::cloudformation::DetectStackDriftRequest;
use aws_api::{Caller, Change, RequestContext, Role};
use serde_json::json;

use super::*;
use crate::evaluate::Values;
use crate::stack::{Real, Status};
use crate::stacks::Stacks;
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

fn context() -> RequestContext {
    RequestContext {
        caller: Caller {
            account: "111122223333".into(),
            arn: String::new(),
            principal_id: String::new(),
            role: Role::Admin,
            role_arn: None,
        },
        region: "us-east-1".into(),
        now: Timestamp::from_millis(0),
        request_id: String::new(),
        endpoint: String::new(),
        via: None,
    }
}

fn stack() -> Stack {
    let ctx = context();
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
    let tags = json!({ "Tags": { "a": "secret", "aws:cloudformation:stack-id": "x" } });
    let drift = checked("Q", &[Some(attributes.clone()), Some(tags)]);
    let Some(drift) = drift else { panic!("nothing was found") };
    assert_eq!((drift.status, &drift.differences[..]), (DriftStatus::InSync, &[][..]));
    let shown = r#"{"QueueName":"q","DelaySeconds":1,"Tags":[{"Key":"a","Value":"****"}]}"#;
    assert_eq!((drift.expected.as_deref(), drift.actual.as_deref()), (Some(shown), Some(shown)));
    let other = json!({ "Tags": { "a": "other" } });
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

/// Stacks with one that is complete, and what begins a detection of it.
struct World {
    stacks: Stacks,
    begun: u32,
}

impl World {
    fn new() -> Self {
        let mut world = Self { stacks: Stacks::default(), begun: 0 };
        world.put(&Stack { status: Status::CreateComplete, ..stack() });
        world
    }

    fn put(&mut self, stack: &Stack) {
        self.take(vec![Change::put(stack)]);
    }

    fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            assert!(self.stacks.absorb(&change).is_ok());
        }
    }

    fn detect(&mut self) -> Result<String, String> {
        self.begun += 1;
        let mut ctx = context();
        ctx.now = Timestamp::from_millis(i64::from(self.begun));
        let req = DetectStackDriftRequest { stack_name: Some("s".into()), ..DetectStackDriftRequest::default() };
        let begun = self.stacks.detect_stack_drift(&ctx, &req, json!("caller"), format!("d{}", self.begun));
        let (_, detection, changes) = begun.map_err(|error| error.message)?;
        self.take(changes);
        Ok(detection.key())
    }

    /// Ends a detection that found nothing but that the topic is gone.
    fn end(&mut self, row: &str, then: &Stack) -> Option<Detection> {
        let queue = then.checked("Q", Err("refused".into()), Timestamp::from_millis(9));
        let topic = then.checked("T", Ok(&[None]), Timestamp::from_millis(9));
        let found: Vec<_> = queue.into_iter().filter(|_| row.ends_with("d1")).chain(topic).collect();
        self.take(self.stacks.detected(row, then, &found));
        self.stacks.detection(row).map(|(detection, _)| detection.clone())
    }
}

#[test]
fn a_detection_ends_with_what_was_found() {
    let mut world = World::new();
    let stack = world.stacks.iter().next().cloned().unwrap_or_else(stack);
    assert_eq!(world.stacks.drift_of(&stack).stack_drift_status, "NOT_CHECKED");
    let row = world.detect().unwrap_or_default();
    assert!(
        world.detect().is_err_and(|said| said.starts_with("Drift detection is already in progress for stack [arn:"))
    );
    let ended = world.end(&row, &stack);
    let told = ended.map(|it| (it.status, it.reason, it.drift, it.drifted, it.caller));
    let reason = Some("Failed to detect drift on resource(s) [Q]".to_owned());
    let wanted = (DetectionStatus::Failed, reason, Some("DRIFTED".to_owned()), 1, Value::Null);
    assert_eq!(told, Some(wanted));
    assert_eq!(world.stacks.drift_of(&stack).stack_drift_status, "DRIFTED");
    let rows: Vec<_> = (0..20)
        .filter_map(|_| {
            let row = world.detect().ok()?;
            world.end(&row, &stack)
        })
        .collect();
    assert!(rows.iter().all(|it| it.status == DetectionStatus::Complete));
    assert_eq!((rows.len(), world.stacks.detections.len()), (20, 10), "the newest are kept");
    world.take(world.stacks.drift_forgotten(&stack));
    assert!(world.stacks.detections.is_empty() && world.stacks.drifts.is_empty());
}

#[test]
fn what_the_stack_changes_meanwhile_is_not_taken_for_drift() {
    let mut world = World::new();
    let then = world.stacks.iter().next().cloned().unwrap_or_else(stack);
    let row = world.detect().unwrap_or_default();
    let mut now = then.clone();
    now.status = Status::UpdateInProgress;
    if let Some(made) = now.resources.get_mut("T") {
        made.status = Status::UpdateInProgress;
    }
    world.put(&now);
    let ended = world.end(&row, &then);
    let reason = ended.and_then(|ended| ended.reason).unwrap_or_default();
    assert!(reason.ends_with("The stack changed resource(s) [T] meanwhile"), "{reason}");
    assert!(world.stacks.drifts.values().all(|drift| drift.logical_id == "Q"));
    let refused = world.detect().unwrap_err();
    assert!(refused.ends_with("while it is in [UPDATE_IN_PROGRESS] state"), "{refused}");
}
