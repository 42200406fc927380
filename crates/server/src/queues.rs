//! Between the decisions of `queue` and the rows of `store`.

use std::sync::Arc;

use aws_api::{ApiError, Timestamp};
use queue::{Effect, Held, Message, NewMessage, Row, State};
use store::{Class, QueueId, QueueRow, Slot, Space, StoreError, Unit};

use crate::app::{App, unavailable};
use crate::clock;

/// The first bytes of the rows that say which queues are still to be emptied, and up to which message.
const CLEARING: &[u8] = b"clear/";

impl App {
    /// The next number of a message.
    pub fn next_seq(&self) -> Result<u64, ApiError> {
        self.store.queues().next_seq().map_err(|error| unavailable(&error))
    }

    /// Ids for a new message.
    pub fn new_message(&self) -> Result<NewMessage, ApiError> {
        Ok(NewMessage { id: clock::new_id(), seq: self.next_seq()? })
    }

    /// Reads the messages that may be received.
    pub fn due(&self, queue: u64, now: Timestamp, limit: usize) -> Result<Vec<Row>, ApiError> {
        let rows = self.store.queues().due(QueueId(queue), now, limit).map_err(|error| unavailable(&error))?;
        rows.iter().map(read_row).collect()
    }

    /// Looks one message up by its number, without its text.
    pub fn held(&self, queue: u64, seq: u64) -> Result<Option<Held>, ApiError> {
        let row = self.store.queues().get(QueueId(queue), seq).map_err(|error| unavailable(&error))?;
        row.map(|row| read_held(&row)).transpose()
    }

    /// Adds decided effects to a unit.
    pub fn stage(&self, unit: &mut Unit, effects: Vec<Effect>) -> Result<(), ApiError> {
        for effect in effects {
            match effect {
                Effect::Send { queue, slot, class, message, state } => {
                    let (message, state) = (message.encode().into(), state.encode().into());
                    unit.queue_send(QueueId(queue), slot.seq, slot.visible_at, to_class(class), message, state);
                }
                Effect::Move { queue, from, to, class, state } => {
                    unit.queue_move(QueueId(queue), to_slot(from), to_slot(to), to_class(class), state.encode().into());
                }
                Effect::Remove { queue, slot } => unit.queue_remove(QueueId(queue), to_slot(slot)),
                Effect::Clear { queue } => {
                    unit.put(Space::Meta, clearing_key(queue), self.next_seq()?.to_be_bytes().to_vec());
                }
            }
        }
        Ok(())
    }

    /// Makes effects durable, and wakes those who wait for what they made visible.
    ///
    /// `Ok(false)`: a message had moved since it was read, and nothing was done; decide again.
    pub async fn commit_effects(self: &Arc<Self>, effects: Vec<Effect>) -> Result<bool, ApiError> {
        if effects.is_empty() {
            // What the decision read may not be durable yet, and the answer tells of it.
            return self.store.commit(Unit::new()).await.map(|_| true).map_err(|error| unavailable(&error));
        }
        let woken = visible_queues(&effects);
        let mut unit = Unit::new();
        self.stage(&mut unit, effects)?;
        let app = Arc::clone(self);
        // To its end, even if the client does not wait for it: whoever waits for the messages must be woken.
        let committed = tokio::spawn(async move {
            let committed = app.store.commit(unit).await;
            app.wakers.ring_all(&woken);
            committed
        });
        match committed.await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(StoreError::Stale { .. })) => Ok(false),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(ApiError::internal("The request could not be stored. Please try again.")),
        }
    }

    /// Removes a piece of what is left of purged and deleted queues. `false` when nothing is left.
    pub async fn clear_some(&self, limit: usize) -> Result<bool, StoreError> {
        let first = self.store.range(Space::Meta, CLEARING.to_vec()..clearing_end()).next().transpose()?;
        let Some((key, up_to)) = first else { return Ok(false) };
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).unwrap_or_default();
        let (queue, up_to) = (QueueId(number(&key[CLEARING.len()..])), number(&up_to));
        let mut unit = self.store.queues().clear(queue, up_to, limit)?;
        if unit.is_empty() {
            unit.delete(Space::Meta, key.to_vec());
            if !self.registry().queues.iter().any(|other| other.id == queue.0) {
                unit.queue_forget(queue);
            }
        }
        self.store.commit(unit).await?;
        Ok(true)
    }
}

fn clearing_key(queue: u64) -> Vec<u8> {
    [CLEARING, &queue.to_be_bytes()].concat()
}

fn clearing_end() -> Vec<u8> {
    b"clear0".to_vec()
}

/// The queues in which these effects let somebody see a message, now or later.
pub fn visible_queues(effects: &[Effect]) -> Vec<u64> {
    let mut queues: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { queue, .. } | Effect::Move { queue, .. } => Some(*queue),
            Effect::Remove { .. } | Effect::Clear { .. } => None,
        })
        .collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}

fn read_row(row: &QueueRow) -> Result<Row, ApiError> {
    let held = read_held(row)?;
    Ok(Row { held, message: Message::decode(&row.message).map_err(|error| damaged(&error))? })
}

fn read_held(row: &QueueRow) -> Result<Held, ApiError> {
    let class = match row.class {
        Class::Delayed => queue::Class::Delayed,
        Class::Visible => queue::Class::Visible,
        Class::InFlight => queue::Class::InFlight,
    };
    let slot = queue::Slot { visible_at: row.slot.visible_at, seq: row.slot.seq };
    Ok(Held { slot, class, state: State::decode(&row.state).map_err(|error| damaged(&error))? })
}

fn to_class(class: queue::Class) -> Class {
    match class {
        queue::Class::Delayed => Class::Delayed,
        queue::Class::Visible => Class::Visible,
        queue::Class::InFlight => Class::InFlight,
    }
}

fn to_slot(slot: queue::Slot) -> Slot {
    Slot { visible_at: slot.visible_at, seq: slot.seq }
}

fn damaged(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "a stored message cannot be read");
    ApiError::internal("A stored message cannot be read.")
}
