//! Messages in: from a request, and from topics and rules.

use std::collections::BTreeMap;

use aws_api::sqs::{SendMessageRequest, SendMessageResult};
use aws_api::{ApiError, Timestamp};

use crate::limits::{DELAY_S_MAX, GROUP_ID_LEN_MAX};
use crate::place::ranged;
use crate::{Attribute, Class, Effect, Message, NewMessage, Queue, Slot, State, content, digest, refusal};

/// A message from a topic or a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// The text. Characters that SQS does not carry are refused: the sender escapes them first.
    pub body: String,
    /// By name; at most ten.
    pub attributes: BTreeMap<String, Attribute>,
    /// `SenderId`: the unique id of the principal that delivers.
    pub sender: String,
    /// `AWSTraceHeader`.
    pub trace_header: Option<String>,
    /// `MessageGroupId`.
    pub group: Option<String>,
}

impl Queue {
    /// `SendMessage`; `sender` is the caller's unique id.
    ///
    /// Refused, in this order: no body, parameters of FIFO queues, a delay out of range, characters, attributes, size.
    pub fn send_message(
        &self,
        now: Timestamp,
        req: SendMessageRequest,
        new: NewMessage,
        sender: &str,
    ) -> Result<(SendMessageResult, Effect), ApiError> {
        let body = req.message_body.filter(|body| !body.is_empty()).ok_or_else(|| refusal::missing("MessageBody"))?;
        if let Some(id) = &req.message_deduplication_id {
            return Err(refusal::wrong_queue_type(id, "MessageDeduplicationId"));
        }
        let delay_s = delay(req.delay_seconds, self.settings.delay_s)?;
        let trace = content::read_trace_header(req.message_system_attributes)?;
        let result = SendMessageResult {
            md5_of_message_system_attributes: digest::md5_of_attributes(
                trace.as_ref().map(|trace| ("AWSTraceHeader", trace)),
            ),
            ..SendMessageResult::default()
        };
        let delivery = Delivery {
            body,
            attributes: content::read_attributes(req.message_attributes)?,
            sender: sender.to_owned(),
            trace_header: trace.map(|trace| String::from_utf8_lossy(trace.value()).into_owned()),
            group: req.message_group_id,
        };
        self.check(&delivery)?;
        let result = SendMessageResult {
            message_id: new.id.to_string(),
            md5_of_message_body: digest::md5_of_body(&delivery.body),
            md5_of_message_attributes: digest::md5_of_attributes(
                delivery.attributes.iter().map(|(name, value)| (&**name, value)),
            ),
            ..result
        };
        Ok((result, self.accept(now, delivery, new, delay_s)))
    }

    /// Sends a message that no request brought, with the queue's delay; the checks are those of `SendMessage`.
    pub fn deliver(&self, now: Timestamp, delivery: Delivery, new: NewMessage) -> Result<Effect, ApiError> {
        if delivery.body.is_empty() {
            return Err(refusal::missing("MessageBody"));
        }
        self.check(&delivery)?;
        Ok(self.accept(now, delivery, new, self.settings.delay_s))
    }

    fn check(&self, delivery: &Delivery) -> Result<(), ApiError> {
        if let Some(group) = &delivery.group {
            check_group(group)?;
        }
        content::check_characters(&delivery.body)?;
        content::check_attributes(&delivery.attributes)?;
        let max = self.settings.maximum_message_size;
        if content::size(&delivery.body, &delivery.attributes) > max as usize {
            return Err(refusal::invalid_parameter(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {max} bytes."
            )));
        }
        Ok(())
    }

    fn accept(&self, now: Timestamp, delivery: Delivery, new: NewMessage, delay_s: u32) -> Effect {
        let Delivery { body, attributes, sender, trace_header, group } = delivery;
        Effect::Send {
            queue: self.id,
            slot: Slot { visible_at: now.plus_secs(delay_s.into()), seq: new.seq },
            class: if delay_s == 0 { Class::Visible } else { Class::Delayed },
            message: Message { id: new.id, sent: now, sender, body, attributes, trace_header, group, source: None },
            state: State::default(),
        }
    }
}

fn delay(asked: Option<i32>, default: u32) -> Result<u32, ApiError> {
    let reason = format!("DelaySeconds must be >= 0 and <= {DELAY_S_MAX}.");
    ranged(asked, 0..=DELAY_S_MAX, default, "DelaySeconds", &reason)
}

fn check_group(group: &str) -> Result<(), ApiError> {
    let good = (1..=GROUP_ID_LEN_MAX).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        return Ok(());
    }
    let reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
    Err(refusal::invalid_value(group, "MessageGroupId", reason))
}
