//! Updates that are cancelled, fail and are left so, are tried again, taken back, or cannot be taken back, one after the other and
//! wherever the server stops: in the end the world is what the stack says, and nothing is left of it once it is deleted.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use aws_api::cloudformation::{
    CancelUpdateStackRequest, ContinueUpdateRollbackRequest, CreateStackRequest, DeleteStackRequest,
    ListImportsRequest, RollbackStackRequest, UpdateStackRequest,
};
use aws_api::{ApiError, Change, Entity};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stack::{Around, Begun, Call, Given, Outcome, Stack, Stacks, Status, Task};

use common::context;

const KEY: &str = "111122223333/us-east-1/u";

/// Queues with their attributes and tags, and topics with their tags.
#[derive(Default)]
struct World {
    stacks: Stacks,
    queues: BTreeMap<String, Map<String, Value>>,
    topics: BTreeMap<String, BTreeMap<String, Value>>,
    /// Calls, and those of them that are refused.
    calls: usize,
    refused: BTreeSet<usize>,
    /// What was refused when the server had stopped is taken for half made, and may not be there.
    maybe_made: BTreeSet<String>,
    random: u128,
}

const NAME: &str = "s";

impl World {
    fn around<T>(&mut self, decide: impl FnOnce(&Stacks, &mut Around<'_>) -> T) -> T {
        let mut random = || {
            self.random += 1;
            self.random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        };
        let mut around = Around { now: context().now, random: &mut random, exports: &|_| None, events: Vec::new() };
        decide(&self.stacks, &mut around)
    }

    fn decide<T>(&mut self, change: impl FnOnce(&mut Stack, &mut Around<'_>) -> T) -> T {
        let mut changed = self.stack().clone();
        let value = self.around(|_, around| change(&mut changed, around));
        self.stacks.absorb(&Change::put(&changed)).unwrap();
        value
    }

    fn ask(&mut self, ask: impl FnOnce(&Stacks, &mut Around<'_>) -> Result<Begun, ApiError>) -> Result<(), ApiError> {
        let begun = self.around(ask)?.unwrap();
        assert_eq!(begun.key(), KEY);
        self.stacks.absorb(&Change::put(&begun)).unwrap();
        Ok(())
    }

    fn stack(&self) -> &Stack {
        self.stacks.stack(KEY).unwrap()
    }

    fn status(&self) -> Status {
        self.stack().status
    }

    /// Works until the operation has ended. After each task whose number is in `stops` the server stops, and after that of
    /// `cancel` somebody cancels the update, if it is one yet.
    fn run(&mut self, stops: &BTreeSet<usize>, cancel: Option<usize>) {
        let (mut waiting, mut number): (Vec<Task>, usize) = (Vec::new(), 0);
        for _ in 0..1000 {
            waiting.extend(self.decide(Stack::advance));
            if waiting.is_empty() {
                assert!(self.stack().operation.is_none(), "it stands still: {:?}", self.stack());
                return;
            }
            let task = waiting.pop().unwrap();
            let outcome = self.perform(&task);
            number += 1;
            if cancel == Some(number) {
                let updating = self.status() == Status::UpdateInProgress;
                assert_eq!(self.cancel().is_ok(), updating);
                assert!(self.cancel().is_err(), "once is enough");
            }
            if stops.contains(&number) {
                waiting = self.stack().begun();
                continue;
            }
            self.decide(|stack, around| stack.finished(&task.key, outcome, around));
        }
        panic!("no end");
    }

    fn perform(&mut self, task: &Task) -> Outcome {
        if let Some(Call::Rpc { input, .. }) = &task.look {
            let name =
                |member: &str| input[member].as_str().and_then(|name| name.rsplit(':').next()).map(str::to_owned);
            let queue = name("QueueName").is_some_and(|name| self.queues.contains_key(&name));
            if queue || name("TopicArn").is_some_and(|name| self.topics.contains_key(&name)) {
                return Outcome::Failed { steps_done: 0, reason: "A resource of this name already exists.".into() };
            }
        }
        self.decide(|stack, _| stack.looked(&task.key));
        let mut answers = Vec::new();
        for step in &task.steps {
            let Call::Rpc { op, input, .. } = &step.call else { panic!("{step:?}") };
            self.calls += 1;
            let named = ["QueueUrl", "TopicArn", "ResourceArn"].iter().find_map(|member| input[*member].as_str());
            let target = named.and_then(|named| named.rsplit(['/', ':']).next());
            let absent = target.filter(|name| !self.queues.contains_key(*name) && !self.topics.contains_key(*name));
            if (absent.is_some() || self.refused.contains(&self.calls)) && !op.starts_with("Delete") {
                assert!(absent.is_none_or(|name| self.maybe_made.contains(name)), "{op} {input}");
                let made = ["QueueName", "Name"].iter().find_map(|member| input[*member].as_str());
                self.maybe_made.extend(made.filter(|_| task.repeated).map(ToOwned::to_owned));
                return task.refused(answers.len(), "refused".into());
            }
            self.call(op, input);
            answers.push(Value::Null);
        }
        Outcome::Done(answers)
    }

    fn call(&mut self, op: &str, input: &Value) {
        let url = input["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        let topic = input["TopicArn"].as_str().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
        match op {
            "CreateQueue" => {
                let mut queue = input["Attributes"].as_object().unwrap().clone();
                queue.insert("tags".into(), input["tags"].clone());
                self.queues.insert(input["QueueName"].as_str().unwrap().into(), queue);
            }
            "SetQueueAttributes" => {
                self.queues.get_mut(url).unwrap().extend(input["Attributes"].as_object().unwrap().clone());
            }
            "TagQueue" => {
                let tags = self.queues.get_mut(url).unwrap()["tags"].as_object_mut().unwrap();
                tags.extend(input["Tags"].as_object().unwrap().clone());
            }
            "UntagQueue" => {
                let tags = self.queues.get_mut(url).unwrap()["tags"].as_object_mut().unwrap();
                tags.retain(|key, _| !input["TagKeys"].as_array().unwrap().contains(&json!(key)));
            }
            "DeleteQueue" => drop(self.queues.remove(url)),
            "CreateTopic" => drop(self.topics.insert(input["Name"].as_str().unwrap().into(), tags_of(input).collect())),
            "DeleteTopic" => drop(self.topics.remove(topic)),
            "SetTopicAttributes" | "Subscribe" => assert!(self.topics.contains_key(topic), "{op} {topic}"),
            "TagResource" => self.tagged_topic(input).extend(tags_of(input)),
            "UntagResource" => {
                let keys = input["TagKeys"].as_array().unwrap();
                self.tagged_topic(input).retain(|key, _| !keys.contains(&json!(key)));
            }
            other => panic!("{other}"),
        }
    }

    fn tagged_topic(&mut self, input: &Value) -> &mut BTreeMap<String, Value> {
        let arn = input["ResourceArn"].as_str().unwrap();
        self.topics.get_mut(arn.rsplit(':').next().unwrap()).unwrap()
    }

    /// All that there is, what stands for nothing left out: of queues the attributes and tags, of topics the tags.
    fn seen(&self) -> [BTreeMap<String, BTreeMap<String, Value>>; 2] {
        let shown = |queue: &Map<String, Value>| -> BTreeMap<String, Value> {
            let said = queue.iter().filter(|(name, value)| **value != json!("0") || *name != "DelaySeconds");
            said.filter(|(name, value)| **value != json!("30") || *name != "VisibilityTimeout")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        [self.queues.iter().map(|(name, queue)| (name.clone(), shown(queue))).collect(), self.topics.clone()]
    }

    fn create(&mut self, template: &str, disable_rollback: bool) {
        let req = CreateStackRequest {
            stack_name: Some(NAME.into()),
            disable_rollback: Some(disable_rollback),
            ..CreateStackRequest::default()
        };
        let given = Given { template: Some(template.into()), caller: Value::Null, uuid: "u".into(), adopts: false };
        self.ask(|stacks, around| Ok(stacks.create_stack(&context(), &req, given, around)?.1)).unwrap();
    }

    fn update(&mut self, template: &str, disable_rollback: bool) -> Result<(), ApiError> {
        let req = UpdateStackRequest {
            stack_name: Some(NAME.into()),
            disable_rollback: Some(disable_rollback),
            ..UpdateStackRequest::default()
        };
        let given = Given { template: Some(template.into()), caller: Value::Null, uuid: "u".into(), adopts: false };
        self.ask(|stacks, around| Ok(stacks.update_stack(&context(), &req, given, around)?.1))
    }

    fn cancel(&mut self) -> Result<(), ApiError> {
        let req = CancelUpdateStackRequest { stack_name: Some(NAME.into()), ..CancelUpdateStackRequest::default() };
        self.ask(|stacks, around| stacks.cancel_update_stack(&context(), &req, around))
    }

    fn roll_back(&mut self) -> Result<(), ApiError> {
        let req = RollbackStackRequest { stack_name: Some(NAME.into()), ..RollbackStackRequest::default() };
        self.ask(|stacks, around| Ok(stacks.rollback_stack(&context(), &req, Value::Null, around)?.1))
    }

    fn roll_back_on(&mut self, skipped: &[&str], force: bool) -> Result<(), ApiError> {
        let req = ContinueUpdateRollbackRequest {
            stack_name: Some(NAME.into()),
            resources_to_skip: skipped.iter().map(ToString::to_string).collect(),
            force_rollback: Some(force),
            ..ContinueUpdateRollbackRequest::default()
        };
        self.ask(|stacks, around| Ok(stacks.continue_update_rollback(&context(), &req, Value::Null, around)?.1))
    }

    fn delete(&mut self) {
        let req = DeleteStackRequest { stack_name: Some(NAME.into()), ..DeleteStackRequest::default() };
        self.ask(|stacks, around| stacks.delete_stack(&context(), &req, Value::Null, around)).unwrap();
    }
}

fn tags_of(input: &Value) -> impl Iterator<Item = (String, Value)> {
    input["Tags"].as_array().unwrap().iter().map(|tag| (tag["Key"].as_str().unwrap().into(), tag["Value"].clone()))
}

/// What becomes of a new world with this template.
fn world_of(template: &str) -> World {
    let mut world = World::default();
    world.create(template, false);
    world.run(&BTreeSet::new(), None);
    assert_eq!(world.status(), Status::CreateComplete);
    world
}

const STABLE: &str = "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, DelaySeconds: 1, Tags: [{Key: a, Value: '1'}]}}, B: {Type: 'AWS::SNS::Topic', Properties: {TopicName: t, Subscription: [{Protocol: sqs, Endpoint: !GetAtt A.Arn}]}}}";
const OTHERS: [&str; 5] = [
    "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, DelaySeconds: 2, Tags: [{Key: b, Value: '1'}]}}, B: {Type: 'AWS::SNS::Topic', Properties: {TopicName: t, Subscription: [{Protocol: sqs, Endpoint: !GetAtt A.Arn}]}}}",
    "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: two, VisibilityTimeout: 5}}, B: {Type: 'AWS::SNS::Topic', Properties: {TopicName: u}}, C: {Type: 'AWS::SQS::Queue', Properties: {QueueName: c}}}",
    "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: three, DelaySeconds: 3}}, C: {Type: 'AWS::SQS::Queue', Properties: {QueueName: c, DelaySeconds: 9, Tags: [{Key: c, Value: !GetAtt A.QueueName}]}}}",
    "Resources: {A: {Type: 'AWS::SNS::Topic', Properties: {TopicName: one}}, B: {Type: 'AWS::SQS::Queue', Properties: {QueueName: t, Tags: [{Key: a, Value: !GetAtt A.TopicName}]}}}",
    "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: one, VisibilityTimeout: 7}}, C: {Type: 'AWS::SQS::Queue', Properties: {QueueName: d}}}",
];

#[test]
fn a_cancelled_update_is_undone() {
    let mut world = world_of(STABLE);
    let before = world.seen();
    assert!(world.cancel().unwrap_err().message.starts_with("CancelUpdateStack cannot be called"));
    world.update(OTHERS[1], true).unwrap();
    world.run(&BTreeSet::new(), Some(1));
    assert_eq!((world.status(), world.seen()), (Status::UpdateRollbackComplete, before));
    assert_eq!(world.stack().template, STABLE);
}

#[test]
fn what_cannot_be_undone_is_waited_for_or_skipped() {
    let stuck = || {
        let mut world = world_of(STABLE);
        world.update(OTHERS[0], false).unwrap();
        // The tags are refused, and then what sets the delay back.
        world.refused = BTreeSet::from([world.calls + 2, world.calls + 3]);
        world.run(&BTreeSet::new(), None);
        assert_eq!(world.status(), Status::UpdateRollbackFailed);
        world
    };
    let before = world_of(STABLE).seen();
    let mut world = stuck();
    assert!(world.roll_back_on(&["B"], false).is_err(), "it is not what failed");
    assert!(world.roll_back_on(&["A"], true).is_err(), "either the one or the other");
    assert!(world.roll_back().is_err() && world.update(STABLE, false).is_err());
    world.roll_back_on(&[], false).unwrap();
    world.run(&BTreeSet::new(), None);
    assert_eq!((world.status(), world.seen()), (Status::UpdateRollbackComplete, before.clone()));
    for (skipped, force) in [(&["A"][..], false), (&[][..], true)] {
        let mut world = stuck();
        world.roll_back_on(skipped, force).unwrap();
        world.run(&BTreeSet::new(), None);
        assert_eq!(world.status(), Status::UpdateRollbackComplete);
        assert_ne!(world.seen(), before, "it was skipped");
        assert_eq!(world.stack().resources["A"].real.properties["DelaySeconds"], 1);
    }
}

#[test]
fn what_failed_and_was_left_is_rolled_back() {
    let mut world = World { refused: BTreeSet::from([2]), ..World::default() };
    world.create(STABLE, true);
    world.run(&BTreeSet::new(), None);
    assert_eq!((world.status(), world.queues.len()), (Status::CreateFailed, 1));
    world.roll_back().unwrap();
    world.run(&BTreeSet::new(), None);
    assert_eq!((world.status(), world.queues.len()), (Status::RollbackComplete, 0));
    assert!(world.roll_back().is_err());
}

#[test]
fn a_creation_that_was_left_goes_on() {
    let left = || {
        let mut world = World { refused: BTreeSet::from([2]), ..World::default() };
        world.create(STABLE, true);
        world.run(&BTreeSet::new(), None);
        assert_eq!((world.status(), world.queues.len(), world.topics.len()), (Status::CreateFailed, 1, 0));
        world
    };
    let mut world = left();
    let refused = world.update(STABLE, false).unwrap_err();
    assert!(refused.message.starts_with("This stack is currently in a non-terminal [CREATE_FAILED] state."));
    let mut again = left();
    again.update(STABLE, true).unwrap();
    again.run(&BTreeSet::new(), None);
    assert_eq!((again.status(), again.seen()), (Status::UpdateComplete, world_of(STABLE).seen()));
    // It fails again: there is nothing that was stable to go back to.
    world.update(OTHERS[1], true).unwrap();
    world.refused = BTreeSet::from([world.calls + 2]);
    world.run(&BTreeSet::new(), None);
    assert_eq!(world.status(), Status::UpdateFailed);
    world.roll_back().unwrap();
    world.run(&BTreeSet::new(), None);
    assert_eq!((world.status(), world.seen()), (Status::RollbackComplete, World::default().seen()));
    let mut cancelled = left();
    cancelled.update(OTHERS[1], true).unwrap();
    cancelled.run(&BTreeSet::new(), Some(1));
    assert_eq!((cancelled.status(), cancelled.seen()), (Status::RollbackComplete, World::default().seen()));
}

#[test]
fn a_name_that_an_attempt_let_go_is_taken_back() {
    let mut world = world_of(STABLE);
    let before = world.seen();
    world.update(OTHERS[1], true).unwrap();
    world.refused = BTreeSet::from([world.calls + 3]);
    world.run(&BTreeSet::new(), None);
    assert_eq!(world.status(), Status::UpdateFailed);
    world.update(STABLE, true).unwrap();
    world.run(&BTreeSet::new(), None);
    assert_eq!((world.status(), world.seen()), (Status::UpdateComplete, before));
}

#[test]
fn what_may_not_have_been_made_is_not_taken_for_made() {
    let mut world = world_of(STABLE);
    // The server stops while the topic is made, and when it is made again that is refused.
    world.update(OTHERS[1], true).unwrap();
    world.refused = BTreeSet::from([world.calls + 3]);
    world.run(&BTreeSet::from([1]), None);
    assert_eq!((world.status(), world.topics.contains_key("u")), (Status::UpdateFailed, false));
    world.update(OTHERS[1], true).unwrap();
    world.run(&BTreeSet::new(), None);
    assert_eq!(world.status(), Status::UpdateFailed, "the topic is not there");
    world.roll_back().unwrap();
    world.run(&BTreeSet::new(), None);
    assert_eq!((world.status(), world.seen()), (Status::UpdateRollbackComplete, world_of(STABLE).seen()));
}

#[test]
fn who_imports_is_listed() {
    let world = world_of(STABLE);
    let req = ListImportsRequest { export_name: Some("x".into()), next_token: None };
    let refused = world.stacks.list_imports(&context(), &req).unwrap_err();
    assert_eq!((&*refused.code, &*refused.message), ("ValidationError", "Export 'x' is not imported by any stack."));
}

/// One update: to which template, whether a failure is left as it is, the calls that are refused, when it is cancelled, and where
/// the server stops.
type Attempt = (usize, bool, BTreeSet<usize>, Option<usize>, BTreeSet<usize>);

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let refused = prop::collection::btree_set(1_usize..10, 0..3);
    let attempt = (
        0..=OTHERS.len(),
        any::<bool>(),
        refused,
        prop::option::of(1_usize..6),
        prop::collection::btree_set(1_usize..10, 0..3),
    );
    prop::collection::vec(attempt, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever happens to a creation and updates: a stack that is stable again is what its template says and nothing else, and
    /// what was stable before is what is gone back to. Nothing is left when it is deleted.
    #[test]
    fn a_stack_is_what_it_says(
        refused in prop::option::of(1_usize..5),
        attempts in attempts(),
        skips in any::<bool>(),
        rolls_back in any::<bool>(),
    ) {
        let mut world = World { refused: refused.into_iter().collect(), ..World::default() };
        world.create(STABLE, true);
        world.run(&BTreeSet::new(), None);
        // It takes three calls.
        let created = refused.is_none_or(|call| call > 3);
        prop_assert_eq!(world.status(), if created { Status::CreateComplete } else { Status::CreateFailed });
        let mut stable = created.then_some(STABLE);
        let mut skipped = false;
        for (place, disable_rollback, refused, cancel, stops) in attempts {
            let wanted = OTHERS.get(place).copied().unwrap_or(STABLE);
            let is_paused = matches!(world.status(), Status::CreateFailed | Status::UpdateFailed);
            if world.update(wanted, disable_rollback || is_paused).is_err() {
                continue;
            }
            world.refused = refused.into_iter().map(|call| world.calls + call).collect();
            world.run(&stops, cancel);
            world.refused.clear();
            if world.status() == Status::UpdateRollbackFailed {
                skipped |= skips;
                world.roll_back_on(&[], skips).unwrap();
                world.run(&stops, None);
                prop_assert_eq!(world.status(), Status::UpdateRollbackComplete);
            }
            let back = if stable.is_some() { Status::UpdateRollbackComplete } else { Status::RollbackComplete };
            if world.status() == Status::UpdateFailed && rolls_back {
                world.roll_back().unwrap();
                world.run(&stops, None);
                prop_assert_eq!(world.status(), back);
            }
            match world.status() {
                Status::UpdateComplete => stable = Some(wanted),
                Status::UpdateFailed => continue,
                status => prop_assert_eq!(status, back),
            }
            let Some(stable) = stable else { break };
            prop_assert_eq!(&world.stack().template, stable);
            prop_assert!(world.stack().resources.values().all(|made| made.earlier.is_empty() && made.before.is_none()));
            if !skipped {
                prop_assert_eq!(world.seen(), world_of(stable).seen());
            }
        }
        world.delete();
        world.run(&BTreeSet::new(), None);
        prop_assert_eq!(world.status(), Status::DeleteComplete);
        prop_assert!(world.queues.is_empty() && world.topics.is_empty(), "{:?}", world.seen());
    }
}
