//! The state of Amazon SNS: topics, subscriptions, filter policies, and what a publication delivers to whom.
//!
//! Pure: time and ids are arguments. A write decides and returns [`Change`]s, which the caller commits; only
//! [`Topics::absorb`] changes anything. [`Topics::publish`] returns the deliveries; this crate does not know what a queue is
//! beyond its ARN, makes no signature and sends nothing.
//!
//! Subscriptions have the protocol `sqs`. What AWS has beyond that (other protocols, FIFO topics, encryption) is refused by name,
//! never stored without effect.

mod access;
mod attribute;
mod entity;
mod envelope;
mod filter;
mod message;
mod page;
mod permission;
mod publish;
mod refusal;
mod settings;
mod subscriptions;
mod tags;
#[cfg(test)]
mod testing;
mod topics;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::{ApiError, Arn, Change, Entity, RequestContext};
use policy::Policy;
use serde::de::Error as _;

pub use access::POLICY_LEN_MAX;
pub use attribute::{ATTRIBUTE_NAME_LEN_MAX, ATTRIBUTES_MAX, MessageAttributes};
pub use entity::{FilterPolicyScope, RedrivePolicy, SignatureVersion, Subscription, SubscriptionSettings, Topic};
pub use envelope::{Envelope, unsubscribe_url};
pub use filter::{COMBINATIONS_MAX, FILTER_POLICY_LEN_MAX, KEYS_MAX};
pub use message::{MESSAGE_LEN_MAX, Publication, SUBJECT_CHARS_MAX};
pub use page::PAGE_LEN;
pub use publish::{BATCH_ENTRIES_MAX, Body, Delivery, NotPublished, Published, RAW_ATTRIBUTES_MAX, Summary};
pub use subscriptions::{FILTER_POLICIES_MAX, SUBSCRIPTIONS_MAX};
pub use tags::TAGS_MAX;
pub use topics::{DISPLAY_NAME_CHARS_MAX, TOPIC_NAME_LEN_MAX, TOPICS_MAX};

use filter::Filter;
use refusal::{invalid, missing, no_topic, not_authorized};

/// A topic, with its policy ready to decide.
#[derive(Debug)]
struct TopicEntry {
    row: Topic,
    arn: String,
    policy: Policy,
}

/// A subscription and its filter policy, compiled.
#[derive(Debug)]
struct Subscribed {
    row: Subscription,
    arn: Arn,
    filter: Option<Filter>,
}

/// All topics and subscriptions of all accounts and regions.
#[derive(Debug, Default, Clone)]
pub struct Topics {
    topics: BTreeMap<String, Arc<TopicEntry>>,
    /// By `account/region/topic/id`, so that a topic's are neighbours.
    subscriptions: BTreeMap<String, Arc<Subscribed>>,
}

/// The server shares one between its threads.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Topics>();
};

impl Topics {
    /// Takes in a committed row, or its removal: the only mutation. Rows of other kinds are ignored; rows may come in any
    /// order.
    ///
    /// # Errors
    /// If the row is not the JSON that this crate writes, or a policy in it not one that it accepts.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        match (change.kind, &change.row) {
            (Topic::KIND, Some(row)) => {
                let row: Topic = serde_json::from_slice(row)?;
                let policy = access::of(&row).map_err(serde_json::Error::custom)?;
                let entry = TopicEntry { arn: row.arn().to_string(), row, policy };
                self.topics.insert(change.key.clone(), Arc::new(entry));
            }
            (Topic::KIND, None) => {
                self.topics.remove(&change.key);
            }
            (Subscription::KIND, Some(row)) => {
                let row: Subscription = serde_json::from_slice(row)?;
                let filter = Filter::of(&row.settings).map_err(|reason| serde_json::Error::custom(reason.0))?;
                let subscribed = Subscribed { arn: row.arn(), row, filter };
                self.subscriptions.insert(change.key.clone(), Arc::new(subscribed));
            }
            (Subscription::KIND, None) => {
                self.subscriptions.remove(&change.key);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether there is such a topic: for targets of rules.
    pub fn exists(&self, topic: &Arn) -> bool {
        topic.partition == "aws" && topic.service == "sns" && self.topics.contains_key(&key_of(topic))
    }

    /// Was a policy set on this topic? Else it has the default one.
    pub fn has_own_policy(&self, topic: &Arn) -> bool {
        self.row(&key_of(topic)).is_some_and(|topic| topic.policy.is_some())
    }

    /// A topic's subscriptions with their keys, in the order of their ids.
    fn subscribed<'a>(&'a self, topic: &Topic) -> impl Iterator<Item = (&'a String, &'a Arc<Subscribed>)> + use<'a> {
        let prefix = format!("{}/", topic.key());
        self.subscriptions.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// The topic that a request names, if the caller may do this to it.
    fn topic(&self, ctx: &RequestContext, arn: Option<&str>, action: &str) -> Result<&Topic, ApiError> {
        self.topic_for(ctx, arn, action, &[])
    }

    /// The same with condition keys that only this request has.
    fn topic_for(
        &self,
        ctx: &RequestContext,
        arn: Option<&str>,
        action: &str,
        context: &[(&str, &str)],
    ) -> Result<&Topic, ApiError> {
        let text = arn.ok_or_else(|| missing("topicArn"))?;
        let arn = topic_arn(ctx, text)?;
        let Some(entry) = self.topics.get(&key_of(&arn)) else {
            // Of another account's topics nothing is told, not even whether they exist.
            let own = arn.account == ctx.account();
            return Err(if own { no_topic() } else { not_authorized(&ctx.caller.arn, action, text) });
        };
        entry.admit(ctx, action, context)?;
        Ok(&entry.row)
    }

    fn row(&self, key: &str) -> Option<&Topic> {
        self.topics.get(key).map(|entry| &entry.row)
    }
}

/// Reads the ARN of a topic in the request's region.
fn topic_arn(ctx: &RequestContext, text: &str) -> Result<Arn, ApiError> {
    let arn = parse_arn(text, "TopicArn")?;
    if arn.service != "sns" || arn.partition != "aws" || arn.region != ctx.region || arn.resource.contains(':') {
        return Err(invalid("TopicArn"));
    }
    Ok(arn)
}

/// Reads an ARN; `member` is the parameter that it stands in.
fn parse_arn(text: &str, member: &str) -> Result<Arn, ApiError> {
    text.parse().map_err(|_| match text.split(':').count() {
        few @ ..6 => invalid(format!("{member} Reason: An ARN must have at least 6 elements, not {few}")),
        _ => invalid(member),
    })
}

/// Characters that the XML of an answer could not carry.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn key_of(topic: &Arn) -> String {
    entity::topic_key(&topic.account, &topic.region, &topic.resource)
}
