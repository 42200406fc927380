//! Stacks from their beginning to their end in a world that only notes what there is: whatever fails, and wherever the server
//! stops, a stack ends, and nothing is left but what is to be retained.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use aws_api::cloudformation::{
    CreateChangeSetRequest, CreateStackRequest, DeleteStackRequest, ExecuteChangeSetRequest, Parameter, Tag,
    UpdateStackRequest,
};
use aws_api::{ApiError, Change, Entity};
use proptest::prelude::*;
use serde_json::{Value, json};
use stack::{Around, Call, Given, Outcome, Stack, Stacks, Status, Task};

use common::context;

/// What exists, by what made it and its name.
#[derive(Default)]
struct World {
    stacks: Stacks,
    adopts: bool,
    there: BTreeSet<(String, String)>,
    /// Calls until one is refused.
    fails_at: Option<usize>,
    calls: usize,
    /// The operations that were done.
    done: Vec<&'static str>,
    events: Vec<stack::Event>,
    random: u128,
}

/// The operations that make something, those that remove it, and the member that names it.
const LIFE: [(&str, &str, &str); 6] = [
    ("CreateQueue", "DeleteQueue", "QueueName"),
    ("CreateTopic", "DeleteTopic", "Name"),
    ("CreateTrail", "DeleteTrail", "Name"),
    ("PutRule", "DeleteRule", "Name"),
    ("PutMetricAlarm", "DeleteAlarms", "AlarmName"),
    ("CreateEventBus", "DeleteEventBus", "Name"),
];

impl World {
    fn decide<T>(&mut self, key: &str, change: impl FnOnce(&mut Stack, &mut Around<'_>) -> T) -> T {
        let mut changed = self.stacks.stack(key).unwrap().clone();
        let mut random = || {
            self.random += 1;
            self.random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        };
        let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
        let value = change(&mut changed, &mut around);
        self.events.extend(around.events);
        self.stacks.absorb(&Change::put(&changed)).unwrap();
        value
    }

    /// Works until the operation has ended. Each task whose number is in `stops` is done, and then the server stops.
    fn run(&mut self, key: &str, stops: &BTreeSet<usize>) {
        let (mut waiting, mut number): (Vec<Task>, usize) = (Vec::new(), 0);
        for _ in 0..1000 {
            waiting.extend(self.decide(key, Stack::advance));
            if waiting.is_empty() {
                assert!(self.stacks.stack(key).unwrap().operation.is_none(), "it stands still");
                return;
            }
            // The newest first: an order as good as another.
            let task = waiting.pop().unwrap();
            let outcome = self.perform(key, &task);
            number += 1;
            if stops.contains(&number) {
                waiting = self.stacks.stack(key).unwrap().begun();
                continue;
            }
            self.decide(key, |stack, around| stack.finished(&task.key, outcome, around));
        }
        panic!("no end");
    }

    fn perform(&mut self, key: &str, task: &Task) -> Outcome {
        let adoption = if task.look.as_ref().is_some_and(|look| self.exists(look)) {
            let Some(adoption) = self.decide(key, |stack, _| stack.adopt(&task.key)) else {
                return Outcome::Failed { steps_done: 0, reason: "A resource of this name already exists.".into() };
            };
            Some(adoption)
        } else {
            self.decide(key, |stack, _| stack.looked(&task.key));
            None
        };
        let task = adoption.as_ref().unwrap_or(task);
        let mut answers = Vec::new();
        for step in &task.steps {
            self.calls += 1;
            if self.fails_at == Some(self.calls) {
                return task.refused(answers.len(), "refused".into());
            }
            answers.push(self.call(&step.call));
        }
        Outcome::Done(answers)
    }

    fn exists(&self, look: &Call) -> bool {
        match look {
            Call::Rpc { input, .. } => self.there.iter().any(|(_, name)| input.to_string().contains(name.as_str())),
            Call::S3 { bucket, .. } => self.there.contains(&("CreateBucket".into(), bucket.clone())),
        }
    }

    fn call(&mut self, call: &Call) -> Value {
        match call {
            Call::Rpc { op, input, .. } => {
                self.done.push(op);
                if let Some((made, _, name)) = LIFE.iter().find(|(made, _, _)| made == op) {
                    self.there.insert(((*made).into(), input[name].as_str().unwrap().to_owned()));
                }
                if let Some((made, _, _)) = LIFE.iter().find(|(_, gone, _)| gone == op) {
                    let text = input.to_string();
                    self.there.retain(|(kind, name)| kind != made || !text.contains(name.as_str()));
                }
                json!({ "SubscriptionArn": "arn:aws:sns:us-east-1:111122223333:t:1" })
            }
            Call::S3 { op, bucket, .. } => {
                match *op {
                    "CreateBucket" => drop(self.there.insert(("CreateBucket".into(), bucket.clone()))),
                    "DeleteBucket" => drop(self.there.remove(&("CreateBucket".into(), bucket.clone()))),
                    _ => {}
                }
                Value::Null
            }
        }
    }

    fn create(&mut self, template: &str, parameters: &[(&str, &str)]) -> Result<String, ApiError> {
        let req = CreateStackRequest {
            stack_name: Some("audit".into()),
            parameters: given(parameters),
            ..CreateStackRequest::default()
        };
        let begun = {
            let mut random = || 7;
            let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
            let given =
                Given { template: Some(template.into()), caller: Value::Null, uuid: "u".into(), adopts: self.adopts };
            let (_, begun) = self.stacks.create_stack(&context(), &req, given, &mut around)?;
            self.events.extend(around.events);
            begun.unwrap()
        };
        self.stacks.absorb(&Change::put(&begun)).unwrap();
        Ok(begun.key())
    }

    fn update(&mut self, template: &str) -> Result<String, ApiError> {
        self.update_with(template, UpdateStackRequest::default())
    }

    fn update_with(&mut self, template: &str, req: UpdateStackRequest) -> Result<String, ApiError> {
        let req = UpdateStackRequest { stack_name: Some("audit".into()), ..req };
        let mut random = || 9;
        let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
        let given = Given { template: Some(template.into()), caller: Value::Null, uuid: "u2".into(), adopts: false };
        let begun = self.stacks.update_stack(&context(), &req, given, &mut around)?.1.unwrap();
        self.stacks.absorb(&Change::put(&begun)).unwrap();
        Ok(begun.key())
    }

    fn delete(&mut self) -> String {
        let req = DeleteStackRequest { stack_name: Some("audit".into()), ..DeleteStackRequest::default() };
        let mut random = || 8;
        let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
        let begun = self.stacks.delete_stack(&context(), &req, Value::Null, &mut around).unwrap().unwrap();
        self.stacks.absorb(&Change::put(&begun)).unwrap();
        begun.key()
    }

    fn kinds(&self) -> BTreeMap<&str, usize> {
        let mut kinds = BTreeMap::new();
        for (kind, _) in &self.there {
            *kinds.entry(kind.as_str()).or_default() += 1;
        }
        kinds
    }

    fn status(&self, key: &str) -> Status {
        self.stacks.stack(key).unwrap().status
    }
}

fn given(parameters: &[(&str, &str)]) -> Vec<Parameter> {
    let parameter = |(name, value): &(&str, &str)| Parameter {
        parameter_key: Some((*name).into()),
        parameter_value: Some((*value).into()),
        ..Parameter::default()
    };
    parameters.iter().map(parameter).collect()
}

fn seed(name: &str) -> String {
    let path = format!("{}/../../../shared/spec/{name}", env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "a test reads the templates that people were given")]
    let read = std::fs::read_to_string(&path);
    read.unwrap_or_else(|error| panic!("{path}: {error}"))
}

const SEEDS: [&str; 2] = ["seed-stack.yaml", "seed-stack-2019.json"];

#[test]
fn both_templates_are_made_and_leave_the_log_bucket() {
    for name in SEEDS {
        let mut world = World::default();
        let key = world.create(&seed(name), &[]).unwrap();
        world.run(&key, &BTreeSet::new());
        assert_eq!(world.status(&key), Status::CreateComplete, "{name}: {:?}", world.events);
        let kinds = world.kinds();
        assert_eq!((kinds["CreateTrail"], kinds["PutRule"], kinds["CreateTopic"]), (1, 1, 1));
        let key = world.delete();
        world.run(&key, &BTreeSet::new());
        assert_eq!(world.status(&key), Status::DeleteComplete);
        assert_eq!(world.kinds(), BTreeMap::from([("CreateBucket", 1)]));
        let skipped: Vec<_> = world.events.iter().filter(|event| event.status == Status::DeleteSkipped).collect();
        assert_eq!(skipped.len(), 1);
        assert_eq!(skipped[0].logical_id, "LogBucket");
    }
}

#[test]
fn an_update_changes_replaces_and_removes() {
    let before = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, DelaySeconds: 1}}, B: {Type: 'AWS::SNS::Topic'}}";
    let after = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: two, DelaySeconds: 1}}, C: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !GetAtt A.QueueName}}}";
    let mut world = World::default();
    let key = world.create(before, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.update(before).unwrap_err().message, "No updates are to be performed.");
    let key = world.update(after).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.status(&key), Status::UpdateComplete, "{:?}", world.events);
    assert!(world.there.contains(&("CreateQueue".into(), "two".into())));
    assert_eq!(world.kinds(), BTreeMap::from([("CreateQueue", 1), ("CreateTopic", 1)]));
    let stack = world.stacks.stack(&key).unwrap();
    assert_eq!(stack.resources.keys().collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(stack.resources["C"].real.properties["DisplayName"], "two");
}

const ONE: &str = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, DelaySeconds: 1}}}";
const SLOWER: &str = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, DelaySeconds: 2}}}";
const TWO: &str = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: two, DelaySeconds: 1}}}";

fn without_rollback() -> UpdateStackRequest {
    UpdateStackRequest { disable_rollback: Some(true), ..UpdateStackRequest::default() }
}

#[test]
fn tags_of_the_stack_are_those_of_its_resources() {
    let mut world = World::default();
    let key = world.create(ONE, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    let tags = vec![Tag { key: "team".into(), value: "storage".into() }];
    let key = world.update_with(ONE, UpdateStackRequest { tags, ..UpdateStackRequest::default() }).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.status(&key), Status::UpdateComplete);
    assert_eq!(world.done, ["CreateQueue", "TagQueue"]);
}

#[test]
fn resources_say_of_which_stack_they_are() {
    let mut world = World::default();
    let key = world.create("Resources: {A: {Type: 'AWS::SQS::Queue'}, T: {Type: 'AWS::CloudTrail::Trail', Properties: {S3BucketName: logs, IsLogging: false}}}", &[]).unwrap();
    let tasks = world.decide(&key, Stack::advance);
    let made = |id: &str| {
        let task = tasks.iter().find(|task| task.key == id).unwrap();
        let Call::Rpc { input, .. } = &task.steps[0].call else { panic!("{task:?}") };
        input.clone()
    };
    let id = world.stacks.stack(&key).unwrap().id();
    let marks = json!({"aws:cloudformation:stack-name": "audit", "aws:cloudformation:stack-id": id, "aws:cloudformation:logical-id": "A"});
    assert_eq!(made("A")["tags"], marks);
    assert_eq!(made("T")["TagsList"], json!([]), "the schema of trails has no system tags");
    let stack = world.stacks.stack(&key).unwrap();
    assert!(stack.tags.is_empty() && stack.resources["A"].real.properties.is_empty());
}

#[test]
fn no_template_sets_tags_of_services() {
    let mut world = World::default();
    let template = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {Tags: [{Key: 'aws:cloudformation:stack-name', Value: other}]}}}";
    let key = world.create(template, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!((world.status(&key), world.done.len()), (Status::RollbackComplete, 0));
    let said = world.events.iter().find(|event| event.status == Status::CreateFailed).unwrap();
    assert_eq!(said.reason.as_deref(), Some("aws: prefixed tag key names are not allowed for external use."));
}

#[test]
fn what_failed_and_was_left_is_tried_again() {
    let mut world = World::default();
    let key = world.create(ONE, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    world.fails_at = Some(world.calls + 1);
    let key = world.update_with(SLOWER, without_rollback()).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!((world.status(&key), &world.done[..]), (Status::UpdateFailed, &["CreateQueue"][..]));
    // Outputs or tags may have changed with it, so that there is something to do even if the template is the same.
    let tags = vec![Tag { key: "a".into(), value: "b".into() }];
    let refused = world.update_with(SLOWER, UpdateStackRequest::default()).unwrap_err();
    assert!(refused.message.starts_with("This stack is currently in a non-terminal [UPDATE_FAILED] state."));
    let key = world.update_with(SLOWER, UpdateStackRequest { tags, ..without_rollback() }).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.status(&key), Status::UpdateComplete);
    assert_eq!(world.done, ["CreateQueue", "SetQueueAttributes", "TagQueue"]);
}

#[test]
fn what_was_to_be_replaced_and_was_not_is_still_the_stacks() {
    let mut world = World::default();
    let key = world.create(ONE, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    world.fails_at = Some(world.calls + 1);
    let key = world.update_with(TWO, without_rollback()).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.status(&key), Status::UpdateFailed);
    let key = world.delete();
    world.run(&key, &BTreeSet::new());
    assert_eq!((world.status(&key), world.kinds()), (Status::DeleteComplete, BTreeMap::new()));
}

const SUBSCRIBED: &str = "Resources: {S: {Type: 'AWS::SNS::Subscription', Properties: {TopicArn: 'arn:aws:sns:us-east-1:111122223333:t', Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:111122223333:q'}}}";

/// The server stops after `Subscribe` was done and before its answer was kept; repeated, it is refused. The calls that the
/// rollback makes, as long as `answers` last.
fn rollback_of_a_lost_subscription(answers: &[Value]) -> (World, String, Vec<(&'static str, Value)>) {
    let mut world = World::default();
    let key = world.create(SUBSCRIBED, &[]).unwrap();
    assert_eq!(world.decide(&key, Stack::advance).len(), 1);
    let repeated = world.stacks.stack(&key).unwrap().begun().remove(0);
    let refused = repeated.refused(0, "not authorized".into());
    world.decide(&key, |stack, around| stack.finished("S", refused, around));
    let (mut calls, mut answers) = (Vec::new(), answers.iter());
    while let Some(task) = world.decide(&key, Stack::advance).pop() {
        let Call::Rpc { op, input, .. } = task.steps[0].call.clone() else { panic!("{task:?}") };
        calls.push((op, input));
        let done = Outcome::Done(vec![answers.next().unwrap().clone()]);
        world.decide(&key, |stack, around| stack.finished("S", done, around));
    }
    assert_eq!(world.status(&key), Status::RollbackComplete);
    (world, key, calls)
}

#[test]
fn a_subscription_whose_arn_was_lost_is_found_and_removed() {
    use Status::{CreateFailed, CreateInProgress, DeleteComplete, DeleteInProgress};
    let listed = |name: &str| json!({"Protocol": "sqs", "Endpoint": format!("arn:aws:sqs:us-east-1:111122223333:{name}"), "SubscriptionArn": format!("arn:aws:sns:us-east-1:111122223333:t:{name}")});
    let answers = [
        json!({"Subscriptions": [listed("other")], "NextToken": "more"}),
        json!({"Subscriptions": [listed("another"), listed("q")]}),
        json!({}),
    ];
    let (world, _, calls) = rollback_of_a_lost_subscription(&answers);
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    assert_eq!(
        calls,
        [
            ("ListSubscriptionsByTopic", json!({"TopicArn": topic})),
            ("ListSubscriptionsByTopic", json!({"TopicArn": topic, "NextToken": "more"})),
            ("Unsubscribe", json!({"SubscriptionArn": format!("{topic}:q")})),
        ]
    );
    let told: Vec<_> = world.events.iter().filter(|event| event.logical_id == "S").map(|event| event.status).collect();
    assert_eq!(told, [CreateInProgress, CreateFailed, DeleteInProgress, DeleteComplete]);
}

#[test]
fn a_subscription_that_never_came_to_be_is_not_removed() {
    for nothing in [json!({"Subscriptions": []}), Value::Null] {
        let (world, key, calls) = rollback_of_a_lost_subscription(&[nothing]);
        assert_eq!(calls.len(), 1);
        assert!(world.stacks.stack(&key).unwrap().resources.is_empty());
    }
}

#[test]
fn a_repeated_request_is_known_by_its_token() {
    let mut world = World::default();
    let key = world.create(ONE, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    let req = UpdateStackRequest { client_request_token: Some("t".into()), ..UpdateStackRequest::default() };
    let key = world.update_with(SLOWER, req.clone()).unwrap();
    world.run(&key, &BTreeSet::new());
    let (mut random, given) =
        (|| 1, Given { template: Some(TWO.into()), caller: Value::Null, uuid: "x".into(), adopts: false });
    let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
    let req = UpdateStackRequest { stack_name: Some("audit".into()), ..req };
    assert_eq!(world.stacks.update_stack(&context(), &req, given, &mut around).unwrap().1, None);
}

#[test]
fn a_change_set_of_a_stack_that_went_on_is_not_executed() {
    let mut world = World::default();
    let key = world.create(ONE, &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    let mut random = || 1;
    let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
    let req = CreateChangeSetRequest {
        stack_name: Some("audit".into()),
        change_set_name: Some("later".into()),
        ..CreateChangeSetRequest::default()
    };
    let given = Given { template: Some(SLOWER.into()), caller: Value::Null, uuid: "c".into(), adopts: false };
    let (_, changes) = world.stacks.create_change_set(&context(), &req, given, &mut around).unwrap();
    for change in &changes {
        world.stacks.absorb(change).unwrap();
    }
    let key = world.update(TWO).unwrap();
    let req = ExecuteChangeSetRequest {
        change_set_name: Some("later".into()),
        stack_name: Some("audit".into()),
        ..ExecuteChangeSetRequest::default()
    };
    let mut random = || 1;
    let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
    let refused = world.stacks.execute_change_set(&context(), &req, Value::Null, &mut around).unwrap_err();
    assert!(refused.message.contains("is in UPDATE_IN_PROGRESS state and can not be updated"), "{refused}");
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.status(&key), Status::UpdateComplete);
}

#[test]
fn what_would_have_no_effect_is_refused() {
    let world = World::default();
    let refused = |req: CreateStackRequest| {
        let mut random = || 1;
        let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
        let given = Given { template: Some(ONE.into()), caller: Value::Null, uuid: "u".into(), adopts: false };
        let req = CreateStackRequest { stack_name: Some("audit".into()), ..req };
        world.stacks.create_stack(&context(), &req, given, &mut around).unwrap_err().message
    };
    let default = CreateStackRequest::default;
    for (name, req) in [
        ("TimeoutInMinutes", CreateStackRequest { timeout_in_minutes: Some(5), ..default() }),
        ("RetainExceptOnCreate", CreateStackRequest { retain_except_on_create: Some(true), ..default() }),
        ("RoleARN", CreateStackRequest { role_arn: Some("arn".into()), ..default() }),
        ("NotificationARNs", CreateStackRequest { notification_arns: vec!["arn".into()], ..default() }),
    ] {
        assert_eq!(refused(req), format!("The parameter {name} is not supported."));
    }
}

#[test]
fn what_exists_already_is_not_taken_and_not_deleted() {
    let mut world = World::default();
    world.there.insert(("CreateQueue".into(), "mine".into()));
    let key = world.create("Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: mine}}}", &[]).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.status(&key), Status::RollbackComplete);
    assert!(world.there.contains(&("CreateQueue".into(), "mine".into())));
}

#[test]
fn a_stack_that_adopts_takes_over_what_is_there_and_makes_the_rest() {
    let mut world = World { adopts: true, ..World::default() };
    world.there.insert(("CreateQueue".into(), "mine".into()));
    let template = "Resources:
  A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: mine, VisibilityTimeout: 60}}
  B: {Type: 'AWS::SNS::Topic', DependsOn: A, Properties: {TopicName: other}}";
    let key = world.create(template, &[]).unwrap();
    world.run(&key, &BTreeSet::from([1]));
    assert_eq!(world.status(&key), Status::CreateComplete);
    assert!(world.done.iter().all(|op| *op != "CreateQueue"), "{:?}", world.done);
    assert!(world.done.contains(&"SetQueueAttributes") && world.done.contains(&"CreateTopic"), "{:?}", world.done);
    // From here on it is a resource like any other.
    let done = world.done.len();
    world.update(&template.replace("60", "61")).unwrap();
    world.run(&key, &BTreeSet::new());
    assert_eq!(world.done[done..], ["SetQueueAttributes"]);
    let key = world.delete();
    world.run(&key, &BTreeSet::new());
    assert!(world.there.is_empty(), "{:?}", world.there);
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let template = "\
Parameters:
  Size: {Type: Money}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {Colour: red, DelaySeconds: !Ref Missing}
  Machine:
    Type: AWS::EC2::Instance
";
    let mut world = World::default();
    let first = world.create(template, &[]).unwrap_err().message;
    assert!(
        first.contains("the parameter type Money is not supported") && first.contains("(line 2, column 16)"),
        "{first}"
    );
    assert!(first.contains("Unresolved resource dependencies [Missing]"), "{first}");
    let template = template.replace("Money", "String").replace("Missing", "Size");
    let second = world.create(&template, &[]).unwrap_err().message;
    assert!(second.contains("extraneous key [Colour] is not permitted"), "{second}");
    assert!(second.contains("Unrecognized resource types: [AWS::EC2::Instance] (line 8, column 11)"), "{second}");
    let circle = "Resources: {A: {Type: 'AWS::SNS::Topic', DependsOn: B}, B: {Type: 'AWS::SNS::Topic', DependsOn: A}}";
    let said = world.create(circle, &[]).unwrap_err().message;
    assert_eq!(said, "Circular dependency between resources: [A, B]");
    let absent = world.create("Parameters: {P: {Type: String}}\nResources: {A: {Type: 'AWS::SNS::Topic'}}", &[]);
    assert_eq!(absent.unwrap_err().message, "Parameters: [P] must have values");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever call is refused and wherever the server stops: the stack ends, and what is left is what is retained.
    #[test]
    fn nothing_is_left(
        name in prop::sample::select(&SEEDS[..]),
        fails_at in prop::option::of(1_usize..40),
        stops in prop::collection::btree_set(1_usize..40, 0..6),
    ) {
        let mut world = World { fails_at, ..World::default() };
        let key = world.create(&seed(name), &[]).unwrap();
        world.run(&key, &stops);
        world.fails_at = None;
        if world.status(&key) != Status::RollbackComplete {
            prop_assert!(matches!(world.status(&key), Status::CreateComplete | Status::RollbackFailed), "{:?}", world.status(&key));
        }
        let key = world.delete();
        world.run(&key, &stops);
        prop_assert_eq!(world.status(&key), Status::DeleteComplete);
        let left: Vec<_> = world.kinds().into_keys().filter(|kind| *kind != "CreateBucket").collect();
        prop_assert!(left.is_empty(), "{:?}", left);
    }

    /// A failed update that is left as it is leaves nothing behind when the stack is deleted. The four calls make what is new; those
    /// after them clean up, and what cannot be cleaned up stays, as on AWS.
    #[test]
    fn nothing_is_left_of_an_update_without_rollback(fails_at in 1_usize..=4) {
        let before = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one}}, T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: uno, Subscription: [{Protocol: sqs, Endpoint: !GetAtt A.Arn}]}}}";
        let after = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: two}}, T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: due, Subscription: [{Protocol: sqs, Endpoint: !GetAtt A.Arn}]}}, C: {Type: 'AWS::SQS::Queue'}}";
        let mut world = World::default();
        let key = world.create(before, &[]).unwrap();
        world.run(&key, &BTreeSet::new());
        world.fails_at = Some(world.calls + fails_at);
        let key = world.update_with(after, without_rollback()).unwrap();
        world.run(&key, &BTreeSet::new());
        world.fails_at = None;
        let key = world.delete();
        world.run(&key, &BTreeSet::new());
        prop_assert_eq!(world.status(&key), Status::DeleteComplete);
        prop_assert!(world.there.is_empty(), "{:?}", world.there);
    }

    /// An update whatever call of which is refused leaves the stack as it was before, or as it should be.
    #[test]
    fn an_update_is_whole_or_undone(fails_at in 1_usize..12, stops in prop::collection::btree_set(1_usize..12, 0..3)) {
        let before = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, DelaySeconds: 1}}, B: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: x}}, D: {Type: 'AWS::SQS::Queue'}}";
        let after = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: two, DelaySeconds: 2}}, B: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: y}}, C: {Type: 'AWS::SQS::Queue'}}";
        let mut world = World::default();
        let key = world.create(before, &[]).unwrap();
        world.run(&key, &BTreeSet::new());
        let there = world.there.clone();
        world.fails_at = Some(world.calls + fails_at);
        let key = world.update(after).unwrap();
        world.run(&key, &stops);
        let stack = world.stacks.stack(&key).unwrap();
        match stack.status {
            Status::UpdateRollbackComplete => {
                prop_assert_eq!(&stack.template, before);
                prop_assert_eq!(stack.resources["A"].real.properties["DelaySeconds"].clone(), json!(1));
                let missing: Vec<_> = there.difference(&world.there).collect();
                prop_assert!(missing.is_empty(), "{:?}", missing);
            }
            Status::UpdateComplete => prop_assert_eq!(&stack.template, after),
            Status::UpdateRollbackFailed => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
