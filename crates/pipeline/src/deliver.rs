//! The last part of a message's way: out of a rule or a topic, into a queue, or into a dead-letter queue instead.

use std::collections::BTreeMap;

use aws_api::sns::MessageAttributeValue;
use aws_api::{Blob, Timestamp};
use bus::DeadLetter;
use policy::{Refusal, ServiceCaller};
use queue::{Attribute, Closed, Effect, NewMessage};
use sha2::{Digest, Sha256};
use topic::{Body, Published, SignatureVersion, unsubscribe_url};
use uuid::Uuid;

use crate::{Registry, Tally};

/// Why EventBridge could not deliver, as a dead-letter queue is told ("Using dead-letter queues" in the guide).
pub(crate) const NO_PERMISSIONS: &str = "NO_PERMISSIONS";
pub(crate) const NO_RESOURCE: &str = "NO_RESOURCE";
pub(crate) const INVALID_PARAMETER: &str = "INVALID_PARAMETER";

/// `SenderId` of messages that a topic delivers: an id of SNS's own, of nobody's account.
const SNS_SENDER: &str = "AIDASNSDELIVERY000000";
/// `SenderId` of messages that a rule delivers.
const EVENTS_SENDER: &str = "AIDAEVENTSDELIVERY000";

/// Rules, as a caller of SNS and SQS.
const EVENTS: &str = "events.amazonaws.com";
/// Topics, as a caller of SQS.
const SNS: &str = "sns.amazonaws.com";

/// What delivering needs from outside.
pub struct Surroundings<'a> {
    /// Now.
    pub now: Timestamp,
    /// Scheme and address of the server, for the URLs in an envelope.
    pub endpoint: &'a str,
    /// Where the certificate of the signatures can be fetched.
    pub signing_cert_url: &'a str,
    /// Signs a canonical string; base64.
    pub sign: &'a dyn Fn(SignatureVersion, &str) -> String,
    /// The next number of a message.
    pub next_seq: &'a mut dyn FnMut() -> u64,
    /// Is told of each delivery that a policy stood in the way of.
    pub forbidden: &'a mut dyn FnMut(&Refusal<'_>),
    /// Where it is counted what happens to whom.
    pub tally: &'a mut Tally,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The ARN of the queue.
    pub queue: String,
    /// The text.
    pub body: String,
    /// Message attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// `SenderId`.
    pub sender: &'static str,
    /// `MessageId`: derived from what is delivered and to whom, so that a repetition is recognised.
    pub id: Uuid,
    /// Where it goes if the queue does not take it: the ARN of a queue.
    pub dead_letter: Option<String>,
    /// What the dead-letter queue is told besides the error.
    pub origin: Origin,
}

/// Whose delivery it is.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A rule's, to one of its targets.
    Rule {
        /// The rule.
        rule_arn: String,
        /// The target.
        target_arn: String,
    },
    /// A topic's, to a subscribed queue.
    Topic {
        /// The topic.
        topic_arn: String,
    },
}

impl Origin {
    /// Who delivers, as the policies of topics and queues see it; dead letters too.
    ///
    /// "Using resource-based policies for Amazon EventBridge", "Dead-letter queue permissions"; SNS guide, "Configuring an
    /// Amazon SNS dead-letter queue".
    pub(crate) fn caller(&self) -> ServiceCaller<'_> {
        match self {
            Self::Rule { rule_arn, .. } => ServiceCaller::new(EVENTS, rule_arn),
            Self::Topic { topic_arn } => ServiceCaller::new(SNS, topic_arn),
        }
    }
}

/// What became of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// In the queue that they were for.
    pub delivered: usize,
    /// In the dead-letter queue instead.
    pub dead_lettered: usize,
    /// In none: there is no dead-letter queue, or it does not take them either.
    pub lost: usize,
    /// Of those, the ones that a dead-letter queue did not take.
    pub failed_to_redrive: usize,
}

/// An id that follows from its parts.
pub(crate) fn derived_id(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The messages of a publication. An envelope is signed once, whatever the number of subscriptions.
pub fn messages(published: &Published, around: &mut Surroundings<'_>) -> Vec<Outgoing> {
    let signature =
        published.envelope().map(|envelope| (around.sign)(envelope.signature_version, &envelope.canonical()));
    let signature = signature.unwrap_or_default();
    let deliveries = published.deliveries.iter();
    deliveries
        .map(|delivery| {
            let subscription = delivery.subscription_arn.to_string();
            let body = match &delivery.body {
                Body::Raw(text) => text.to_string(),
                Body::Envelope(envelope) => {
                    let unsubscribe = unsubscribe_url(around.endpoint, &delivery.subscription_arn);
                    envelope.render(&signature, around.signing_cert_url, &unsubscribe)
                }
            };
            Outgoing {
                queue: delivery.queue.to_string(),
                body,
                attributes: delivery.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
                sender: SNS_SENDER,
                id: derived_id(&[&published.message_id.to_string(), &subscription]),
                dead_letter: delivery.dead_letter.as_ref().map(ToString::to_string),
                origin: Origin::Topic { topic_arn: published.topic_arn.clone() },
            }
        })
        .collect()
}

/// The message of a rule whose target is a queue.
pub(crate) fn of_rule(
    rule_arn: &str,
    target_arn: &str,
    body: String,
    id: Uuid,
    dead_letter: Option<String>,
) -> Outgoing {
    Outgoing {
        queue: target_arn.to_owned(),
        body,
        attributes: BTreeMap::new(),
        sender: EVENTS_SENDER,
        id,
        dead_letter,
        origin: Origin::Rule { rule_arn: rule_arn.to_owned(), target_arn: target_arn.to_owned() },
    }
}

/// Puts messages into their queues, or into their dead-letter queues. Nothing is dropped without being counted.
pub fn place(
    registry: &Registry,
    outgoing: Vec<Outgoing>,
    around: &mut Surroundings<'_>,
    effects: &mut Vec<Effect>,
) -> Placed {
    let mut placed = Placed::default();
    for message in outgoing {
        let Err((code, reason)) = send(registry, &message, &message.queue, message.attributes.clone(), around, effects)
        else {
            placed.delivered += 1;
            continue;
        };
        if give_up(registry, &message, code, &reason, around, effects) {
            placed.dead_lettered += 1;
        } else {
            placed.lost += 1;
            placed.failed_to_redrive += usize::from(message.dead_letter.is_some());
        }
    }
    placed
}

/// Puts a message that cannot be delivered into its dead-letter queue; false if there is none that takes it.
pub(crate) fn give_up(
    registry: &Registry,
    message: &Outgoing,
    error_code: &str,
    error_message: &str,
    around: &mut Surroundings<'_>,
    effects: &mut Vec<Effect>,
) -> bool {
    let Some(dead_letter) = &message.dead_letter else { return false };
    let text = |value: String| Attribute::Text("String".into(), value);
    let attributes = match &message.origin {
        Origin::Rule { rule_arn, target_arn } => {
            let told = DeadLetter { rule_arn, target_arn, error_code, error_message, exhausted: None, retries: 0 };
            told.attributes().into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
        }
        // Room is made for what SNS tells; a raw message may have brought ten attributes of its own.
        Origin::Topic { .. } => [("ErrorCode", error_code), ("ErrorMessage", error_message)]
            .map(|(name, value)| (name.to_owned(), text(value.to_owned())))
            .into(),
    };
    send(registry, message, dead_letter, attributes, around, effects).is_ok()
}

fn send(
    registry: &Registry,
    message: &Outgoing,
    queue_arn: &str,
    attributes: BTreeMap<String, Attribute>,
    around: &mut Surroundings<'_>,
    effects: &mut Vec<Effect>,
) -> Result<(), (&'static str, String)> {
    let queue = match registry.queues.open_to(queue_arn, message.origin.caller()) {
        Ok(queue) => queue,
        Err(Closed::Missing) => return Err((NO_RESOURCE, format!("The queue {queue_arn} does not exist."))),
        Err(Closed::Forbidden(refusal)) => {
            (around.forbidden)(&refusal);
            return Err((NO_PERMISSIONS, refusal.message()));
        }
    };
    let delivery = queue::Delivery {
        body: message.body.clone(),
        attributes,
        sender: message.sender.to_owned(),
        trace_header: None,
        group: None,
    };
    let new = NewMessage { id: message.id, seq: (around.next_seq)() };
    match queue.deliver(around.now, delivery, new) {
        Ok(effect) => {
            if let Effect::Send { message, .. } = &effect {
                around.tally.sent(queue_arn, message.size());
            }
            effects.push(effect);
            Ok(())
        }
        Err(error) => Err((INVALID_PARAMETER, error.message)),
    }
}

fn attribute(value: &MessageAttributeValue) -> Attribute {
    let data_type = value.data_type.clone().unwrap_or_default();
    match (&value.string_value, &value.binary_value) {
        (_, Some(bytes)) => Attribute::Bytes(data_type, Blob(bytes.0.clone())),
        (text, None) => Attribute::Text(data_type, text.clone().unwrap_or_default()),
    }
}
