//! The attributes of a queue: their names, defaults, ranges and texts ("`SetQueueAttributes`", "`GetQueueAttributes`").

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use aws_api::ApiError;
use serde::{Deserialize, Serialize};

use crate::limits::{
    DELAY_S_MAX, MESSAGE_SIZE_MAX, MESSAGE_SIZE_MIN, RETENTION_S_DEFAULT, RETENTION_S_MAX, RETENTION_S_MIN,
    VISIBILITY_S_DEFAULT, VISIBILITY_S_MAX, WAIT_S_MAX,
};
use crate::{Queue, RedriveAllowPolicy, RedrivePolicy, access, refusal};

/// The settable attributes of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How long a new message stays hidden.
    pub delay_s: u32,
    /// Body and attributes of one message, in bytes.
    pub maximum_message_size: u32,
    /// How long a message is kept.
    pub retention_s: u32,
    /// How long a receive waits that does not say it.
    pub wait_s: u32,
    /// How long a received message stays hidden when the receive does not say it.
    pub visibility_s: u32,
    /// Its dead-letter queue.
    pub redrive: Option<RedrivePolicy>,
    /// Whose dead-letter queue it may be; anybody's of the account if absent.
    pub redrive_allow: Option<RedriveAllowPolicy>,
    /// The text of its policy.
    pub policy: Option<String>,
    /// `SqsManagedSseEnabled`: kept and shown, `true` unless a request says otherwise, as on AWS. Nothing is encrypted by it here;
    /// the files are the operator's to encrypt.
    pub sse_enabled: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay_s: 0,
            maximum_message_size: MESSAGE_SIZE_MAX,
            retention_s: RETENTION_S_DEFAULT,
            wait_s: 0,
            visibility_s: VISIBILITY_S_DEFAULT,
            redrive: None,
            redrive_allow: None,
            policy: None,
            sse_enabled: true,
        }
    }
}

impl Settings {
    /// Sets attributes by name; an empty text removes a policy.
    ///
    /// Refused: names that standard queues do not have, values out of range, and what has no effect here yet (encryption with
    /// KMS, FIFO).
    pub(crate) fn set_all(&mut self, attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
        attributes.iter().try_for_each(|(name, value)| self.set(name, value))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let number = |range: RangeInclusive<u32>| {
            let plain = value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value.parse().ok().filter(|number| plain && range.contains(number));
            number.ok_or_else(|| refusal::invalid_attribute_value(name))
        };
        match name {
            "DelaySeconds" => self.delay_s = number(0..=DELAY_S_MAX)?,
            "MaximumMessageSize" => self.maximum_message_size = number(MESSAGE_SIZE_MIN..=MESSAGE_SIZE_MAX)?,
            "MessageRetentionPeriod" => self.retention_s = number(RETENTION_S_MIN..=RETENTION_S_MAX)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_s = number(0..=WAIT_S_MAX)?,
            "VisibilityTimeout" => self.visibility_s = number(0..=VISIBILITY_S_MAX)?,
            "RedrivePolicy" => self.redrive = optional(value, RedrivePolicy::parse)?,
            "RedriveAllowPolicy" => self.redrive_allow = optional(value, RedriveAllowPolicy::parse)?,
            "Policy" => {
                self.policy = optional(value, |text| access::parse(text).map(|_| text.to_owned()))?;
            }
            "SqsManagedSseEnabled" => {
                self.sse_enabled = value.parse().map_err(|_| refusal::invalid_attribute_value(name))?;
            }
            _ => refuse_ineffective(name, value)?,
        }
        Ok(())
    }

    /// The text of a settable attribute, if it has a value.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let number = |number: u32| Some(number.to_string());
        match name {
            "DelaySeconds" => number(self.delay_s),
            "MaximumMessageSize" => number(self.maximum_message_size),
            "MessageRetentionPeriod" => number(self.retention_s),
            "ReceiveMessageWaitTimeSeconds" => number(self.wait_s),
            "VisibilityTimeout" => number(self.visibility_s),
            "RedrivePolicy" => self.redrive.as_ref().and_then(|policy| serde_json::to_string(policy).ok()),
            "RedriveAllowPolicy" => self.redrive_allow.as_ref().and_then(|policy| serde_json::to_string(policy).ok()),
            "Policy" => self.policy.clone(),
            "SqsManagedSseEnabled" => Some(self.sse_enabled.to_string()),
            _ => None,
        }
    }
}

fn optional<T>(value: &str, parse: impl Fn(&str) -> Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    if value.is_empty() { Ok(None) } else { parse(value).map(Some) }
}

/// What is refused until it does what it says; the value that means "off" passes.
fn refuse_ineffective(name: &str, value: &str) -> Result<(), ApiError> {
    match (name, value) {
        ("KmsMasterKeyId", "") => Ok(()),
        ("KmsMasterKeyId" | "KmsDataKeyReusePeriodSeconds", _) => Err(refusal::unsupported(format!(
            "Attribute {name}: encryption with AWS KMS is not supported yet. Keep the data directory on an encrypted disk."
        ))),
        _ => Err(refusal::unknown_attribute(name)),
    }
}

/// How many messages a queue holds, from the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Can be received.
    pub visible: u64,
    /// Received and not deleted, inside the visibility window.
    pub in_flight: u64,
    /// Sent with a delay that has not passed.
    pub delayed: u64,
}

const READABLE: &[&str] = &[
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "DelaySeconds",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Names that exist and have no value on a standard queue without a key.
const NEVER_SET: &[&str] = &[
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
];

impl Queue {
    /// The attributes that were asked for and have a value; a name that no queue has is refused.
    pub(crate) fn attributes(&self, names: &[String], counts: Counts) -> Result<BTreeMap<String, String>, ApiError> {
        let known = |name: &&String| name != &"All" && !READABLE.contains(&&***name) && !NEVER_SET.contains(&&***name);
        if let Some(unknown) = names.iter().find(known) {
            return Err(refusal::unknown_attribute(unknown));
        }
        let all = names.iter().any(|name| name == "All");
        let asked = READABLE.iter().filter(|name| all || names.iter().any(|asked| asked == *name));
        Ok(asked.filter_map(|name| Some(((*name).to_owned(), self.attribute(name, counts)?))).collect())
    }

    fn attribute(&self, name: &str, counts: Counts) -> Option<String> {
        Some(match name {
            "ApproximateNumberOfMessages" => counts.visible.to_string(),
            "ApproximateNumberOfMessagesNotVisible" => counts.in_flight.to_string(),
            "ApproximateNumberOfMessagesDelayed" => counts.delayed.to_string(),
            "CreatedTimestamp" => self.created.as_secs().to_string(),
            "LastModifiedTimestamp" => self.modified.as_secs().to_string(),
            "QueueArn" => self.place.arn(),
            _ => return self.settings.get(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> Result<Settings, ApiError> {
        let mut settings = Settings::default();
        settings.set(name, value).map(|()| settings)
    }

    #[test]
    fn ranges() {
        for (name, least, most) in [
            ("DelaySeconds", 0, 900),
            ("MaximumMessageSize", 1024, 1_048_576),
            ("MessageRetentionPeriod", 60, 1_209_600),
            ("ReceiveMessageWaitTimeSeconds", 0, 20),
            ("VisibilityTimeout", 0, 43_200),
        ] {
            for value in [least, most] {
                let value = value.to_string();
                assert_eq!(set(name, &value).unwrap().get(name), Some(value));
            }
            for value in [(least - 1).to_string(), (most + 1).to_string(), String::new(), "+60".into(), " 60".into()] {
                let error = set(name, &value).unwrap_err();
                assert_eq!(error.code, "InvalidAttributeValue");
                assert_eq!(error.message, format!("Invalid value for the parameter {name}."), "{value}");
            }
        }
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        for (name, value, code) in [
            ("Policy", "{}", "InvalidAttributeValue"),
            ("KmsMasterKeyId", "alias/aws/sqs", "UnsupportedOperation"),
            ("KmsDataKeyReusePeriodSeconds", "300", "UnsupportedOperation"),
            ("SqsManagedSseEnabled", "yes", "InvalidAttributeValue"),
            ("FifoQueue", "false", "InvalidAttributeName"),
            ("ContentBasedDeduplication", "true", "InvalidAttributeName"),
            ("QueueArn", "arn", "InvalidAttributeName"),
            ("Foobar", "1", "InvalidAttributeName"),
        ] {
            assert_eq!(set(name, value).unwrap_err().code, code, "{name}");
        }
        assert_eq!(set("Foobar", "1").unwrap_err().message, "Unknown Attribute Foobar.");
        for (name, value) in [("Policy", ""), ("KmsMasterKeyId", ""), ("SqsManagedSseEnabled", "true")] {
            assert_eq!(set(name, value).unwrap(), Settings::default());
        }
        assert_eq!(Settings::default().get("SqsManagedSseEnabled").unwrap(), "true");
        assert_eq!(set("SqsManagedSseEnabled", "false").unwrap().get("SqsManagedSseEnabled").unwrap(), "false");
    }
}
