//! Messages out.

use aws_api::sqs::{self, ReceiveMessageRequest};
use aws_api::{ApiError, RequestContext, Timestamp};

use crate::limits::{IN_FLIGHT_COUNT_MAX, RECEIVE_COUNT_MAX, VISIBILITY_S_MAX, WAIT_S_MAX};
use crate::place::ranged;
use crate::select::Selection;
use crate::{Class, Effect, Held, Place, Queue, Queues, Receipt, Row, Slot, State, digest, refusal};

/// A receive that was checked and may wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    place: Place,
    queue: u64,
    count: u32,
    wait_s: u32,
    visibility_s: u32,
    selection: Selection,
}

impl Receive {
    /// [`Queue::id`].
    pub fn queue(&self) -> u64 {
        self.queue
    }

    /// How long the receive may wait for a first message.
    pub fn wait_s(&self) -> u32 {
        self.wait_s
    }

    /// How many rows to read for it; more than it needs makes no difference.
    pub fn count(&self) -> usize {
        self.count as usize
    }
}

/// What one look at a queue gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// For the answer, once the effects are committed.
    pub messages: Vec<sqs::Message>,
    /// Windows that begin, messages that go to the dead-letter queue, messages whose retention is over.
    pub effects: Vec<Effect>,
    /// How many effects took a message to the dead-letter queue.
    pub dead_lettered: usize,
    /// How many effects removed a message whose retention is over.
    pub expired: usize,
}

impl Received {
    /// The rows were used up without an answer: look again once the effects are committed, before waiting.
    pub fn look_again(&self) -> bool {
        self.messages.is_empty() && !self.effects.is_empty()
    }
}

impl Queues {
    /// Checks a `ReceiveMessage` before anything is read.
    pub fn begin_receive(&self, ctx: &RequestContext, req: ReceiveMessageRequest) -> Result<Receive, ApiError> {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "ReceiveMessage")?;
        let settings = &queue.settings;
        let between = |min: u32, max: u32| format!("Must be between {min} and {max}, if provided.");
        let count = ranged(
            req.max_number_of_messages,
            1..=RECEIVE_COUNT_MAX,
            1,
            "MaxNumberOfMessages",
            &between(1, RECEIVE_COUNT_MAX),
        )?;
        let reason = format!("Must be >= 0 and <= {WAIT_S_MAX}, if provided.");
        let wait_s = ranged(req.wait_time_seconds, 0..=WAIT_S_MAX, settings.wait_s, "WaitTimeSeconds", &reason)?;
        let reason = format!("Must be >= 0 and <= {VISIBILITY_S_MAX}, if provided.");
        let asked = req.visibility_timeout;
        let visibility_s = ranged(asked, 0..=VISIBILITY_S_MAX, settings.visibility_s, "VisibilityTimeout", &reason)?;
        if let Some(id) = &req.receive_request_attempt_id {
            return Err(refusal::wrong_queue_type(id, "ReceiveRequestAttemptId"));
        }
        let (place, queue) = (queue.place.clone(), queue.id);
        Ok(Receive { place, queue, count, wait_s, visibility_s, selection: Selection::read(req)? })
    }

    /// `ReceiveMessage` over the rows that are due, the longest visible first. Rows that are not due are passed over.
    ///
    /// `in_flight` counts the queue's messages inside their windows; `next_seq` numbers those that go to the dead-letter queue.
    /// Refused: the queue is gone (`QueueDoesNotExist`), too many in flight (`OverLimit`).
    pub fn receive_message(
        &self,
        now: Timestamp,
        receive: &Receive,
        due: Vec<Row>,
        in_flight: u64,
        next_seq: &mut dyn FnMut() -> u64,
    ) -> Result<Received, ApiError> {
        let queue = self.queues.get(&receive.place).filter(|queue| queue.id == receive.queue);
        let queue = queue.ok_or_else(refusal::no_such_queue)?;
        let room = IN_FLIGHT_COUNT_MAX.saturating_sub(in_flight).min(receive.count.into());
        if room == 0 {
            let text =
                format!("Too many messages in flight: at most {IN_FLIGHT_COUNT_MAX}. Delete what was processed.");
            return Err(ApiError::new("OverLimit", text).with_status(403));
        }
        let dead_letters = self.dead_letter_queue(queue);
        let mut received = Received::default();
        for row in due {
            if received.messages.len() as u64 >= room {
                break;
            }
            if row.held.slot.visible_at > now {
                continue;
            }
            if queue.is_expired(&row, now) {
                received.expired += 1;
                received.effects.push(Effect::Remove { queue: queue.id, slot: row.held.slot });
            } else if let Some(target) = dead_letters.filter(|_| queue.received_too_often(&row.held)) {
                received.dead_lettered += 1;
                received.effects.extend(queue.redrive(row, target, now, next_seq()));
            } else {
                received.take(queue, receive, row, now);
            }
        }
        Ok(received)
    }
}

impl Received {
    /// Begins a message's window and adds it to the answer.
    fn take(&mut self, queue: &Queue, receive: &Receive, row: Row, now: Timestamp) {
        let Row { held: Held { slot, state, .. }, message } = row;
        let state = State {
            receives: state.receives.saturating_add(1),
            first_received: state.first_received.or(Some(now)),
            last_received: Some(now),
        };
        let selection = &receive.selection;
        let attributes = || message.attributes.iter().filter(|(name, _)| selection.has(name));
        self.messages.push(sqs::Message {
            message_id: message.id.to_string(),
            receipt_handle: Receipt { queue: queue.id, seq: slot.seq, receives: state.receives }.handle(),
            md5_of_body: digest::md5_of_body(&message.body),
            attributes: selection.system(&message, &state),
            md5_of_message_attributes: digest::md5_of_attributes(attributes().map(|(name, value)| (&**name, value))),
            message_attributes: attributes().map(|(name, value)| (name.clone(), value.to_shape())).collect(),
            body: message.body,
        });
        let to = Slot { visible_at: now.plus_secs(receive.visibility_s.into()), ..slot };
        let class = if receive.visibility_s == 0 { Class::Visible } else { Class::InFlight };
        self.effects.push(Effect::Move { queue: queue.id, from: slot, to, class, state });
    }
}

impl Queue {
    /// Is the message's retention over? It counts from the first send, in a dead-letter queue too.
    pub fn is_expired(&self, row: &Row, now: Timestamp) -> bool {
        now >= row.message.sent.plus_secs(self.settings.retention_s.into())
    }

    /// Removes the messages whose retention is over from the first ones in the order of sending. What is due is also looked at
    /// by each receive; this is for messages that nobody asks for.
    pub fn expire(&self, oldest: &[Row], now: Timestamp) -> Vec<Effect> {
        let over = oldest.iter().filter(|row| self.is_expired(row, now));
        over.map(|row| Effect::Remove { queue: self.id, slot: row.held.slot }).collect()
    }

    /// Would one more receive be more than the redrive policy has?
    fn received_too_often(&self, held: &Held) -> bool {
        self.settings.redrive.as_ref().is_some_and(|policy| held.state.receives >= policy.max_receive_count)
    }

    /// Takes a message to the dead-letter queue: same id, same `SentTimestamp`, receives from the start.
    fn redrive(&self, row: Row, target: &Self, now: Timestamp, seq: u64) -> [Effect; 2] {
        let mut message = row.message;
        message.source = Some(self.place.arn());
        let slot = Slot { visible_at: now, seq };
        [
            Effect::Remove { queue: self.id, slot: row.held.slot },
            Effect::Send { queue: target.id, slot, class: Class::Visible, message, state: State::default() },
        ]
    }
}
