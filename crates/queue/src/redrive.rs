//! `RedrivePolicy` and `RedriveAllowPolicy`: from which queue to which messages go when they were received too often.

use aws_api::ApiError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Place;
use crate::limits::{RECEIVES_MAX, REDRIVE_POLICY_LEN_MAX, REDRIVE_SOURCE_COUNT_MAX};
use crate::refusal;

const REDRIVE: &str = "RedrivePolicy";
const ALLOW: &str = "RedriveAllowPolicy";

/// Where messages go that were received more than so many times without being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedrivePolicy {
    /// The dead-letter queue's ARN.
    pub dead_letter_target_arn: String,
    /// 1 to 1000.
    pub max_receive_count: u32,
}

impl RedrivePolicy {
    /// Reads the attribute's text; whether the target exists is asked elsewhere. Texts of refusals as AWS has them.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| refusal::invalid_value(text, REDRIVE, reason);
        let map = json_map(text).ok_or_else(|| refuse("Redrive policy is not a valid JSON map."))?;
        if let Some(unknown) =
            map.keys().find(|key| !["deadLetterTargetArn", "maxReceiveCount"].contains(&key.as_str()))
        {
            return Err(refuse(&format!(
                "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]; {unknown} is not."
            )));
        }
        let mandatory = |name: &str| {
            map.get(name)
                .ok_or_else(|| refuse(&format!("Redrive policy does not contain mandatory attribute: {name}.")))
        };
        let arn = mandatory("deadLetterTargetArn")?;
        let count = mandatory("maxReceiveCount")?;
        let arn = arn
            .as_str()
            .filter(|arn| Place::from_arn(arn).is_some())
            .ok_or_else(|| refuse("Invalid value for deadLetterTargetArn."))?;
        let number = count.as_u64().or_else(|| count.as_str().and_then(|count| count.parse().ok()));
        let max_receive_count =
            number.and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=RECEIVES_MAX).contains(n)).ok_or_else(|| {
                refuse(&format!(
                    "Invalid value for maxReceiveCount: {}, valid values are from 1 to {RECEIVES_MAX} both inclusive.",
                    count.as_str().map_or_else(|| count.to_string(), str::to_owned)
                ))
            })?;
        Ok(Self { dead_letter_target_arn: arn.to_owned(), max_receive_count })
    }

    /// The target's place; the ARN was checked when the policy was set.
    pub(crate) fn target(&self) -> Option<Place> {
        Place::from_arn(&self.dead_letter_target_arn)
    }
}

/// Which queues may name this one as their dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "redrivePermission", rename_all = "camelCase")]
pub enum RedriveAllowPolicy {
    /// All of the account and region.
    AllowAll,
    /// None.
    DenyAll,
    /// The named ones.
    #[serde(rename_all = "camelCase")]
    ByQueue {
        /// 1 to 10 ARNs.
        source_queue_arns: Vec<String>,
    },
}

impl RedriveAllowPolicy {
    /// Reads the attribute's text.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| refusal::invalid_value(text, ALLOW, reason);
        let map = json_map(text).ok_or_else(|| refuse("Redrive allow policy is not a valid JSON map."))?;
        let arns = map.get("sourceQueueArns");
        let policy = match map.get("redrivePermission").and_then(Value::as_str) {
            Some("allowAll") => Self::AllowAll,
            Some("denyAll") => Self::DenyAll,
            Some("byQueue") => {
                Self::ByQueue { source_queue_arns: source_arns(arns).map_err(|reason| refuse(&reason))? }
            }
            _ => return Err(refuse("redrivePermission must be allowAll, denyAll or byQueue.")),
        };
        if arns.is_some() && !matches!(policy, Self::ByQueue { .. }) {
            return Err(refuse("sourceQueueArns can be given only with redrivePermission byQueue."));
        }
        Ok(policy)
    }

    /// May this queue use the one whose policy this is?
    pub(crate) fn allows(&self, source_arn: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue { source_queue_arns } => source_queue_arns.iter().any(|arn| arn == source_arn),
        }
    }
}

fn source_arns(value: Option<&Value>) -> Result<Vec<String>, String> {
    let arns = value.and_then(Value::as_array).filter(|arns| (1..=REDRIVE_SOURCE_COUNT_MAX).contains(&arns.len()));
    let arns = arns.ok_or_else(|| format!("sourceQueueArns must name 1 to {REDRIVE_SOURCE_COUNT_MAX} queues."))?;
    let arn = |value: &Value| value.as_str().filter(|arn| Place::from_arn(arn).is_some()).map(str::to_owned);
    arns.iter().map(arn).collect::<Option<_>>().ok_or_else(|| "sourceQueueArns must hold ARNs of queues.".to_owned())
}

fn json_map(text: &str) -> Option<serde_json::Map<String, Value>> {
    (text.len() <= REDRIVE_POLICY_LEN_MAX).then(|| serde_json::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DLQ: &str = "arn:aws:sqs:eu-central-1:111122223333:dead";

    #[test]
    fn numbers_and_texts_are_the_same() {
        for count in ["3", "\"3\""] {
            let text = format!(r#"{{"deadLetterTargetArn":"{DLQ}","maxReceiveCount":{count}}}"#);
            let policy = RedrivePolicy::parse(&text).unwrap();
            assert_eq!((policy.max_receive_count, &*policy.dead_letter_target_arn), (3, DLQ));
        }
    }

    #[test]
    fn refused() {
        let dummy = r#"{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}"#;
        let zero = format!(r#"{{"deadLetterTargetArn":"{DLQ}","maxReceiveCount":"0"}}"#);
        let none = format!(r#"{{"deadLetterTargetArn":"{DLQ}"}}"#);
        for (text, reason) in [
            (dummy, "Invalid value for deadLetterTargetArn."),
            (&*zero, "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive."),
            (&*none, "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
            (r#"{"maxReceiveCount":1}"#, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
            ("[]", "Redrive policy is not a valid JSON map."),
            ("{", "Redrive policy is not a valid JSON map."),
        ] {
            let error = RedrivePolicy::parse(text).unwrap_err();
            assert_eq!(error.code, "InvalidParameterValueException");
            assert_eq!(error.message, format!("Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"));
        }
    }

    #[test]
    fn who_may_redrive_here() {
        let by_queue = format!(r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{DLQ}"]}}"#);
        for (text, allowed) in [
            (r#"{"redrivePermission":"allowAll"}"#, true),
            (r#"{"redrivePermission":"denyAll"}"#, false),
            (&*by_queue, true),
        ] {
            let policy = RedriveAllowPolicy::parse(text).unwrap();
            assert_eq!(policy.allows(DLQ), allowed);
            assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        }
        for text in [
            "{}",
            "denyAll",
            r#"{"redrivePermission":"byQueue"}"#,
            r#"{"redrivePermission":"byQueue","sourceQueueArns":["q"]}"#,
            r#"{"redrivePermission":"denyAll","sourceQueueArns":[]}"#,
        ] {
            assert!(RedriveAllowPolicy::parse(text).is_err(), "{text}");
        }
    }
}
