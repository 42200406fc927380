//! What the tests of this crate share: a caller, a clock that is a number, queues that absorb at once, and a store in memory.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "what a test prepares must succeed; members are optional"
)]

use std::collections::BTreeMap;

use aws_api::sqs::{CreateQueueRequest, ReceiveMessageRequest, SendMessageRequest};
use aws_api::{Caller, Change, RequestContext, Role, Timestamp};
use queue::{Class, Counts, Effect, Held, Message, NewMessage, Place, Queue, Queues, Received, Row, Slot, State};
use uuid::Uuid;

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-central-1";

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_773_480_413_104 + millis)
}

pub fn ctx(now: Timestamp) -> RequestContext {
    RequestContext {
        caller: Caller {
            account: ACCOUNT.into(),
            arn: format!("arn:aws:iam::{ACCOUNT}:user/u"),
            principal_id: "AIDAEXAMPLE".into(),
            role_arn: None,
            role: Role::Admin,
        },
        region: REGION.into(),
        now,
        request_id: Uuid::nil().to_string(),
        endpoint: "http://127.0.0.1:4566".into(),
        via: None,
    }
}

pub fn url(name: &str) -> Option<String> {
    Some(format!("http://127.0.0.1:4566/{ACCOUNT}/{name}"))
}

pub fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

pub fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

pub fn redrive(target: &str, receives: u32) -> String {
    format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{receives}}}"#, arn(target))
}

/// Queues and their messages, each decision absorbed and applied at once, as the server does with its store.
#[derive(Default)]
pub struct World {
    pub queues: Queues,
    pub rows: BTreeMap<u64, BTreeMap<Slot, (Class, State, Message)>>,
    pub last: u64,
}

impl World {
    pub fn with<const N: usize>(queues: [(&str, BTreeMap<String, String>); N]) -> Self {
        let mut world = Self::default();
        for (name, attributes) in queues {
            world.create(at(0), name, attributes).unwrap();
        }
        world
    }

    pub fn create(
        &mut self,
        now: Timestamp,
        name: &str,
        attributes: BTreeMap<String, String>,
    ) -> Result<String, aws_api::ApiError> {
        let req = CreateQueueRequest { queue_name: Some(name.into()), attributes, ..Default::default() };
        let id = self.next().id;
        let (answer, changes) = self.queues.create_queue(&ctx(now), &req, id)?;
        self.absorb(&changes);
        Ok(answer.queue_url)
    }

    pub fn absorb(&mut self, changes: &[Change]) {
        for change in changes {
            self.queues.absorb(change).unwrap();
        }
    }

    pub fn queue(&self, name: &str) -> &Queue {
        self.queues.queue_at(&Place::new(&ctx(at(0)), name)).unwrap()
    }

    pub fn next(&mut self) -> NewMessage {
        self.last += 1;
        NewMessage { id: Uuid::from_u128(u128::from(self.last) << 64 | 0xfeed), seq: self.last }
    }

    pub fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { queue, slot, class, message, state } => {
                    // As the store has it: as bytes.
                    let message = Message::decode(&message.encode()).unwrap();
                    let before = self.rows.entry(queue).or_default().insert(slot, (class, state, message));
                    assert_eq!(before, None, "a number twice");
                }
                Effect::Move { queue, from, to, class, state } => {
                    assert_eq!(from.seq, to.seq);
                    let rows = self.rows.get_mut(&queue).unwrap();
                    let (_, _, message) = rows.remove(&from).expect("the slot is there");
                    let state = State::decode(&state.encode()).unwrap();
                    rows.insert(to, (class, state, message));
                }
                Effect::Remove { queue, slot } => {
                    self.rows.get_mut(&queue).unwrap().remove(&slot).expect("the slot is there");
                }
                Effect::Clear { queue } => {
                    self.rows.remove(&queue);
                }
            }
        }
    }

    pub fn due(&self, queue: u64, now: Timestamp, limit: usize) -> Vec<Row> {
        let rows = self.rows.get(&queue).into_iter().flatten();
        let due = rows.take_while(|(slot, _)| slot.visible_at <= now);
        due.take(limit).map(|(slot, (class, state, message))| row(*slot, *class, state, message)).collect()
    }

    pub fn held(&self, queue: u64, seq: u64) -> Option<Held> {
        let (slot, (class, state, _)) = self.rows.get(&queue)?.iter().find(|(slot, _)| slot.seq == seq)?;
        Some(Held { slot: *slot, class: *class, state: state.clone() })
    }

    pub fn counts(&self, queue: u64, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        for (slot, (class, ..)) in self.rows.get(&queue).into_iter().flatten() {
            match class {
                Class::Delayed if slot.visible_at > now => counts.delayed += 1,
                Class::InFlight if slot.visible_at > now => counts.in_flight += 1,
                _ => counts.visible += 1,
            }
        }
        counts
    }

    pub fn send(&mut self, now: Timestamp, name: &str, body: &str, delay_s: Option<i32>) -> String {
        let new = self.next();
        let req = SendMessageRequest { message_body: Some(body.into()), delay_seconds: delay_s, ..Default::default() };
        let (sent, effect) = self.queue(name).send_message(now, req, new, "AIDAEXAMPLE").unwrap();
        self.apply(vec![effect]);
        sent.message_id
    }

    pub fn receive_with(&mut self, now: Timestamp, req: ReceiveMessageRequest) -> Received {
        let receive = self.queues.begin_receive(&ctx(now), req).unwrap();
        let due = self.due(receive.queue(), now, receive.count());
        let in_flight = self.counts(receive.queue(), now).in_flight;
        let mut last = self.last;
        let mut next = || {
            last += 1;
            last
        };
        let received = self.queues.receive_message(now, &receive, due, in_flight, &mut next).unwrap();
        self.last = last;
        self.apply(received.effects.clone());
        received
    }

    pub fn receive(&mut self, now: Timestamp, name: &str, count: i32, visibility_s: Option<i32>) -> Received {
        self.receive_with(
            now,
            ReceiveMessageRequest {
                queue_url: url(name),
                max_number_of_messages: Some(count),
                visibility_timeout: visibility_s,
                message_system_attribute_names: vec!["All".into()],
                message_attribute_names: vec!["All".into()],
                ..Default::default()
            },
        )
    }

    pub fn delete(&mut self, name: &str, handle: &str) -> Result<bool, aws_api::ApiError> {
        let queue = self.queue(name);
        let receipt = queue.receipt(Some(handle))?;
        let held = self.held(queue.id, receipt.seq);
        let effect = queue.delete_message(receipt, held.as_ref())?;
        let removed = effect.is_some();
        self.apply(effect.into_iter().collect());
        Ok(removed)
    }

    pub fn change_visibility(
        &mut self,
        now: Timestamp,
        name: &str,
        handle: &str,
        timeout_s: i32,
    ) -> Result<(), aws_api::ApiError> {
        let queue = self.queue(name);
        let receipt = queue.receipt(Some(handle))?;
        let held = self.held(queue.id, receipt.seq);
        let effect = queue.change_message_visibility(now, receipt, Some(timeout_s), held.as_ref())?;
        self.apply(vec![effect]);
        Ok(())
    }
}

fn row(slot: Slot, class: Class, state: &State, message: &Message) -> Row {
    Row { held: Held { slot, class, state: state.clone() }, message: message.clone() }
}
