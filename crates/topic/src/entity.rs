//! What the registry keeps of SNS: topics and subscriptions.

use std::collections::BTreeMap;
use std::fmt;

use aws_api::{Arn, Entity, Timestamp};
use serde::{Deserialize, Serialize};

/// How notifications are signed: the topic attribute `SignatureVersion`.
///
/// "Verifying the signatures of Amazon SNS messages" in the SNS guide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignatureVersion {
    /// RSA (PKCS #1 v1.5) over SHA-1, the default.
    #[default]
    #[serde(rename = "1")]
    V1,
    /// RSA (PKCS #1 v1.5) over SHA-256.
    #[serde(rename = "2")]
    V2,
}

impl SignatureVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "1" => Some(Self::V1),
            "2" => Some(Self::V2),
            _ => None,
        }
    }
}

impl fmt::Display for SignatureVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "1",
            Self::V2 => "2",
        })
    }
}

/// A topic's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
    /// 1 to 256 letters, digits, hyphens, underscores.
    pub name: String,
    /// Up to 100 characters; empty if it has none.
    #[serde(default)]
    pub display_name: String,
    /// `None` if it was never set, which stands for version 1.
    #[serde(default)]
    pub signature_version: Option<SignatureVersion>,
    /// The text of its policy; `None` if it was never set, which stands for the default policy.
    #[serde(default)]
    pub policy: Option<String>,
    /// `PassThrough` if it was set: nothing is traced, which is also what holds without it.
    #[serde(default)]
    pub tracing_config: Option<String>,
    /// At most [`TAGS_MAX`](crate::TAGS_MAX).
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: Timestamp,
    /// How many subscriptions were removed from it.
    #[serde(default)]
    pub subscriptions_deleted: u64,
}

impl Topic {
    /// `arn:aws:sns:region:account:name`.
    pub fn arn(&self) -> Arn {
        Arn::new("sns", &self.region, &self.account, self.name.as_str())
    }
}

impl Entity for Topic {
    const KIND: &'static str = "topic";

    fn key(&self) -> String {
        topic_key(&self.account, &self.region, &self.name)
    }
}

/// What a filter policy is matched against: the subscription attribute `FilterPolicyScope`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterPolicyScope {
    /// The message's attributes, the default.
    #[default]
    MessageAttributes,
    /// The message, which must be a JSON object then.
    MessageBody,
}

impl FilterPolicyScope {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "MessageAttributes" => Some(Self::MessageAttributes),
            "MessageBody" => Some(Self::MessageBody),
            _ => None,
        }
    }
}

impl fmt::Display for FilterPolicyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageAttributes => "MessageAttributes",
            Self::MessageBody => "MessageBody",
        })
    }
}

/// What of a subscription can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscriptionSettings {
    /// Whether the message arrives as it was published instead of in an envelope.
    pub raw_message_delivery: bool,
    /// The filter policy's text; `None` lets everything through.
    pub filter_policy: Option<String>,
    /// What the filter policy looks at.
    pub filter_policy_scope: FilterPolicyScope,
    /// The text of the redrive policy and the queue that it names.
    pub redrive_policy: Option<RedrivePolicy>,
}

/// Where a message goes that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedrivePolicy {
    /// As it was set.
    pub text: String,
    /// Its `deadLetterTargetArn`.
    pub dead_letter_target: Arn,
}

/// A subscription's row: a queue of the topic's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The topic's account.
    pub account: String,
    /// The topic's region.
    pub region: String,
    /// The topic's name.
    pub topic: String,
    /// A UUID, the last part of the ARN.
    pub id: String,
    /// The ARN of who subscribed.
    pub principal: String,
    /// The queue.
    pub endpoint: Arn,
    /// What can be changed later.
    #[serde(default)]
    pub settings: SubscriptionSettings,
    /// When it was made.
    pub created: Timestamp,
}

impl Subscription {
    /// `arn:aws:sns:region:account:topic:uuid`.
    pub fn arn(&self) -> Arn {
        Arn::new("sns", &self.region, &self.account, format!("{}:{}", self.topic, self.id))
    }

    /// The topic's ARN.
    pub fn topic_arn(&self) -> Arn {
        Arn::new("sns", &self.region, &self.account, self.topic.as_str())
    }
}

impl Entity for Subscription {
    const KIND: &'static str = "subscription";

    fn key(&self) -> String {
        subscription_key(&self.account, &self.region, &self.topic, &self.id)
    }
}

/// The parts hold no `/`: an account is digits, a scope's region is cut at `/`, a topic's name has letters, digits, `-`, `_`.
pub(crate) fn topic_key(account: &str, region: &str, name: &str) -> String {
    format!("{account}/{region}/{name}")
}

pub(crate) fn subscription_key(account: &str, region: &str, topic: &str, id: &str) -> String {
    format!("{account}/{region}/{topic}/{id}")
}
