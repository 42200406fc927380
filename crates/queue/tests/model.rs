//! Random sequences of operations over the store in memory, against a model that keeps a list of messages and looks at each.

#![allow(clippy::unwrap_used, clippy::too_many_lines, reason = "tables are long, and what they prepare must succeed")]

mod common;

use std::collections::BTreeMap;

use aws_api::Timestamp;
use common::{World, at, map, redrive};
use proptest::prelude::*;

const QUEUE: &str = "q";
const DEAD: &str = "dead";
const MAX_RECEIVES: u32 = 3;
const RETENTION_S: i64 = 60;

#[derive(Debug, Clone)]
enum Step {
    Send { delay_s: u8 },
    Receive { dead: bool, count: u8, visibility_s: u8 },
    Delete { handle: prop::sample::Index },
    Change { handle: prop::sample::Index, timeout_s: u8 },
    Pass { millis: u16 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..5_u8).prop_map(|delay_s| Step::Send { delay_s }),
        5 => (any::<bool>(), 1..4_u8, 0..6_u8)
            .prop_map(|(dead, count, visibility_s)| Step::Receive { dead, count, visibility_s }),
        2 => any::<prop::sample::Index>().prop_map(|handle| Step::Delete { handle }),
        2 => (any::<prop::sample::Index>(), 0..6_u8)
            .prop_map(|(handle, timeout_s)| Step::Change { handle, timeout_s }),
        4 => (0..9000_u16).prop_map(|millis| Step::Pass { millis }),
    ]
}

/// A message as the model sees it.
#[derive(Debug, Clone)]
struct Fact {
    sent: i64,
    hidden_until: i64,
    /// Where it has been received since it is there, and whether the latest window was ended by hand.
    receives: u32,
    in_window: bool,
    dead: bool,
}

#[derive(Default)]
struct Model {
    facts: BTreeMap<String, Fact>,
    now: i64,
}

impl Model {
    fn is_visible(&self, id: &str, dead: bool) -> bool {
        self.facts.get(id).is_some_and(|fact| fact.dead == dead && fact.hidden_until <= self.now && !self.is_over(fact))
    }

    fn is_over(&self, fact: &Fact) -> bool {
        self.now >= fact.sent + RETENTION_S * 1000
    }
}

/// A handle that was given out: which message, where, by which receive.
struct Given {
    handle: String,
    id: String,
    dead: bool,
    receives: u32,
}

struct Run {
    world: World,
    model: Model,
    given: Vec<Given>,
}

impl Run {
    fn new() -> Self {
        let retention = RETENTION_S.to_string();
        let world = World::with([
            (DEAD, map([("MessageRetentionPeriod", &retention)])),
            (QUEUE, map([("MessageRetentionPeriod", &retention), ("RedrivePolicy", &redrive(DEAD, MAX_RECEIVES))])),
        ]);
        Self { world, model: Model::default(), given: Vec::new() }
    }

    fn now(&self) -> Timestamp {
        at(self.model.now)
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Pass { millis } => self.model.now += i64::from(*millis),
            Step::Send { delay_s } => self.send(*delay_s),
            Step::Receive { dead, count, visibility_s } => self.receive(*dead, *count, *visibility_s),
            Step::Delete { handle } => self.delete(*handle),
            Step::Change { handle, timeout_s } => self.change(*handle, *timeout_s),
        }
    }

    fn send(&mut self, delay_s: u8) {
        let now = self.model.now;
        let id = self.world.send(self.now(), QUEUE, "body", Some(delay_s.into()));
        let hidden_until = now + i64::from(delay_s) * 1000;
        let fact = Fact { sent: now, hidden_until, receives: 0, in_window: false, dead: false };
        assert!(self.model.facts.insert(id, fact).is_none());
    }

    fn receive(&mut self, dead: bool, count: u8, visibility_s: u8) {
        let name = if dead { DEAD } else { QUEUE };
        let answer = self.world.receive(self.now(), name, count.into(), Some(visibility_s.into()));
        assert!(answer.messages.len() <= count.into());
        for message in &answer.messages {
            assert!(self.model.is_visible(&message.message_id, dead), "hidden or gone: {message:?}");
            let now = self.model.now;
            let fact = self.model.facts.get_mut(&message.message_id).unwrap();
            fact.receives += 1;
            fact.hidden_until = now + i64::from(visibility_s) * 1000;
            fact.in_window = visibility_s > 0;
            assert!(dead || fact.receives <= MAX_RECEIVES);
            assert_eq!(message.attributes["ApproximateReceiveCount"], fact.receives.to_string());
            assert_eq!(message.attributes["SentTimestamp"], at(fact.sent).as_millis().to_string());
            assert_eq!(message.attributes.contains_key("DeadLetterQueueSourceArn"), dead);
            let (handle, id, receives) = (message.receipt_handle.clone(), message.message_id.clone(), fact.receives);
            assert!(self.given.iter().all(|given| given.handle != handle), "a handle twice");
            self.given.push(Given { handle, id, dead, receives });
        }
        self.follow_store();
        let waiting = self.model.facts.keys().filter(|id| self.model.is_visible(id, dead)).count();
        if answer.effects.is_empty() {
            assert_eq!(waiting, 0, "nothing received, and something was visible");
        }
    }

    /// Messages that a receive took to the dead-letter queue or removed: each must have had its reason.
    fn follow_store(&mut self) {
        let stored = |world: &World, name: &str| -> Vec<String> {
            let rows = world.rows.get(&world.queue(name).id);
            rows.into_iter().flatten().map(|(_, (_, _, message))| message.id.to_string()).collect()
        };
        let (here, dead) = (stored(&self.world, QUEUE), stored(&self.world, DEAD));
        let now = self.model.now;
        self.model.facts.retain(|id, fact| {
            let is_over = now >= fact.sent + RETENTION_S * 1000;
            match (here.contains(id), dead.contains(id)) {
                (true, false) => assert!(!fact.dead),
                (false, true) if !fact.dead => {
                    assert!(fact.receives == MAX_RECEIVES && fact.hidden_until <= now && !is_over);
                    *fact = Fact { receives: 0, hidden_until: now, in_window: false, dead: true, ..fact.clone() };
                }
                (false, true) => {}
                (false, false) => {
                    assert!(is_over, "lost: {id} {fact:?}");
                    return false;
                }
                (true, true) => panic!("in both queues"),
            }
            true
        });
    }

    fn delete(&mut self, handle: prop::sample::Index) {
        if self.given.is_empty() {
            return;
        }
        let given = handle.get(&self.given);
        let exists = self.model.facts.get(&given.id).is_some_and(|fact| fact.dead == given.dead);
        let name = if given.dead { DEAD } else { QUEUE };
        assert_eq!(self.world.delete(name, &given.handle), Ok(exists));
        if exists {
            self.model.facts.remove(&given.id);
        }
    }

    fn change(&mut self, handle: prop::sample::Index, timeout_s: u8) {
        if self.given.is_empty() {
            return;
        }
        let now = self.model.now;
        let given = handle.get(&self.given);
        let name = if given.dead { DEAD } else { QUEUE };
        let changed = self.world.change_visibility(at(now), name, &given.handle, timeout_s.into());
        let fact = self.model.facts.get_mut(&given.id).filter(|fact| fact.dead == given.dead);
        let code = changed.as_ref().map_err(|error| &*error.code);
        match fact {
            None => assert_eq!(code, Err("InvalidParameterValueException")),
            Some(fact) if fact.receives == given.receives && fact.in_window && fact.hidden_until > now => {
                assert_eq!(changed, Ok(()));
                fact.hidden_until = now + i64::from(timeout_s) * 1000;
                fact.in_window = timeout_s > 0;
            }
            Some(_) => assert_eq!(code, Err("MessageNotInflight")),
        }
    }

    /// The counts agree with the model, and nothing that was sent is missing.
    fn check(&self) {
        for (name, dead) in [(QUEUE, false), (DEAD, true)] {
            let here = || self.model.facts.values().filter(|fact| fact.dead == dead);
            let hidden = || here().filter(|fact| fact.hidden_until > self.model.now);
            let counts = self.world.counts(self.world.queue(name).id, self.now());
            assert_eq!(counts.in_flight, hidden().filter(|fact| fact.receives > 0).count() as u64);
            assert_eq!(counts.delayed, hidden().filter(|fact| fact.receives == 0).count() as u64);
            assert_eq!(counts.visible + counts.in_flight + counts.delayed, here().count() as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(step(), 1..80)) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            run.check();
        }
    }
}
