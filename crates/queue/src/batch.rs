//! Up to ten messages in one request: each entry is done or refused by itself.

use std::collections::{BTreeMap, BTreeSet};

use aws_api::sqs::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchResult,
    ChangeMessageVisibilityBatchResultEntry, DeleteMessageBatchRequest, DeleteMessageBatchResult,
    DeleteMessageBatchResultEntry, SendMessageBatchRequest, SendMessageBatchRequestEntry, SendMessageBatchResult,
    SendMessageBatchResultEntry, SendMessageRequest,
};
use aws_api::{ApiError, Fault, Timestamp};

use crate::limits::{BATCH_COUNT_MAX, BATCH_ID_LEN_MAX, MESSAGE_SIZE_MAX};
use crate::place::is_plain;
use crate::{Effect, Held, NewMessage, Queue, content, refusal};

/// The answer to a batch, and what its good entries do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch<R> {
    /// For the client, once the effects are committed.
    pub result: R,
    /// For one batch of the store.
    pub effects: Vec<Effect>,
}

impl Queue {
    /// `SendMessageBatch`; `next` identifies each message that is kept.
    pub fn send_message_batch(
        &self,
        now: Timestamp,
        req: SendMessageBatchRequest,
        sender: &str,
        next: &mut dyn FnMut() -> NewMessage,
    ) -> Result<Batch<SendMessageBatchResult>, ApiError> {
        check_ids("SendMessageBatchRequestEntry", req.entries.iter().map(|entry| entry.id.as_deref()))?;
        let size = |entry: &SendMessageBatchRequestEntry| {
            content::raw_size(entry.message_body.as_deref(), &entry.message_attributes)
        };
        let size: usize = req.entries.iter().map(size).sum();
        if size > MESSAGE_SIZE_MAX as usize {
            return Err(ApiError::new(
                "BatchRequestTooLong",
                format!("Batch requests cannot be longer than {MESSAGE_SIZE_MAX} bytes. You have sent {size} bytes."),
            ));
        }
        let mut batch = Batch::<SendMessageBatchResult>::default();
        for entry in req.entries {
            let (id, req) = single(entry);
            match self.send_message(now, req, next(), sender) {
                Ok((sent, effect)) => {
                    batch.effects.push(effect);
                    batch.result.successful.push(SendMessageBatchResultEntry {
                        id,
                        message_id: sent.message_id,
                        md5_of_message_body: sent.md5_of_message_body,
                        md5_of_message_attributes: sent.md5_of_message_attributes,
                        md5_of_message_system_attributes: sent.md5_of_message_system_attributes,
                        sequence_number: sent.sequence_number,
                    });
                }
                Err(error) => batch.result.failed.push(failed(id, error)),
            }
        }
        Ok(batch)
    }

    /// `DeleteMessageBatch`; `look_up` finds a message by the store's number.
    pub fn delete_message_batch(
        &self,
        req: DeleteMessageBatchRequest,
        look_up: &mut dyn FnMut(u64) -> Option<Held>,
    ) -> Result<Batch<DeleteMessageBatchResult>, ApiError> {
        check_ids("DeleteMessageBatchRequestEntry", req.entries.iter().map(|entry| entry.id.as_deref()))?;
        let mut batch = Batch::<DeleteMessageBatchResult>::default();
        let mut removed = BTreeSet::new();
        for entry in req.entries {
            let id = entry.id.unwrap_or_default();
            let done = self.receipt(entry.receipt_handle.as_deref()).and_then(|receipt| {
                // An entry before this one may have removed the same message.
                let held = if removed.contains(&receipt.seq) { None } else { look_up(receipt.seq) };
                let effect = self.delete_message(receipt, held.as_ref())?;
                removed.insert(receipt.seq);
                Ok(effect)
            });
            match done {
                Ok(effect) => {
                    batch.effects.extend(effect);
                    batch.result.successful.push(DeleteMessageBatchResultEntry { id });
                }
                Err(error) => batch.result.failed.push(failed(id, error)),
            }
        }
        Ok(batch)
    }

    /// `ChangeMessageVisibilityBatch`; `look_up` finds a message by the store's number.
    pub fn change_message_visibility_batch(
        &self,
        now: Timestamp,
        req: ChangeMessageVisibilityBatchRequest,
        look_up: &mut dyn FnMut(u64) -> Option<Held>,
    ) -> Result<Batch<ChangeMessageVisibilityBatchResult>, ApiError> {
        check_ids("ChangeMessageVisibilityBatchRequestEntry", req.entries.iter().map(|entry| entry.id.as_deref()))?;
        let mut batch = Batch::<ChangeMessageVisibilityBatchResult>::default();
        let mut moved = BTreeMap::<u64, Held>::new();
        for entry in req.entries {
            let id = entry.id.unwrap_or_default();
            let done = self.receipt(entry.receipt_handle.as_deref()).and_then(|receipt| {
                // An entry before this one may have moved the same message.
                let held = moved.get(&receipt.seq).cloned().or_else(|| look_up(receipt.seq));
                self.change_message_visibility(now, receipt, entry.visibility_timeout, held.as_ref())
            });
            match done {
                Ok(effect) => {
                    if let Effect::Move { to, class, state, .. } = &effect {
                        moved.insert(to.seq, Held { slot: *to, class: *class, state: state.clone() });
                    }
                    batch.effects.push(effect);
                    batch.result.successful.push(ChangeMessageVisibilityBatchResultEntry { id });
                }
                Err(error) => batch.result.failed.push(failed(id, error)),
            }
        }
        Ok(batch)
    }
}

/// Refuses the whole batch, in this order: empty, too many, a malformed id, an id twice.
fn check_ids<'a>(entry: &str, ids: impl ExactSizeIterator<Item = Option<&'a str>> + Clone) -> Result<(), ApiError> {
    let count = ids.len();
    if count == 0 {
        let text = format!("There should be at least one {entry} in the request.");
        return Err(ApiError::new("EmptyBatchRequest", text));
    }
    if count > BATCH_COUNT_MAX {
        let text = format!("Maximum number of entries per request are {BATCH_COUNT_MAX}. You have sent {count}.");
        return Err(ApiError::new("TooManyEntriesInBatchRequest", text));
    }
    let good = |id: &str| is_plain(id) && id.len() <= BATCH_ID_LEN_MAX;
    if !ids.clone().all(|id| id.is_some_and(good)) {
        return Err(ApiError::new(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
             letters long.",
        ));
    }
    let mut seen = BTreeSet::new();
    match ids.flatten().find(|id| !seen.insert(*id)) {
        Some(twice) => Err(ApiError::new("BatchEntryIdsNotDistinct", format!("Id {twice} repeated."))),
        None => Ok(()),
    }
}

fn single(entry: SendMessageBatchRequestEntry) -> (String, SendMessageRequest) {
    let req = SendMessageRequest {
        queue_url: None,
        message_body: entry.message_body,
        delay_seconds: entry.delay_seconds,
        message_attributes: entry.message_attributes,
        message_system_attributes: entry.message_system_attributes,
        message_deduplication_id: entry.message_deduplication_id,
        message_group_id: entry.message_group_id,
    };
    (entry.id.unwrap_or_default(), req)
}

fn failed(id: String, error: ApiError) -> BatchResultErrorEntry {
    BatchResultErrorEntry {
        id,
        sender_fault: error.fault() == Fault::Sender,
        code: refusal::batch_code(&error),
        message: Some(error.message),
    }
}
