//! Targets of rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where a rule sends the events that it matches, and in what form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Target {
    /// 1 to 64 characters of `.-_A-Za-z0-9`, one of its kind in the rule.
    pub id: String,
    /// A topic or a queue.
    pub arn: String,
    /// The role that the delivery would assume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// A constant JSON text to send in place of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The part of the event to send: `$.detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    /// A text with parts of the event in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<InputTransformer>,
    /// For FIFO queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqs_parameters: Option<SqsParameters>,
    /// Where events go that could not be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    /// How long delivery is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
}

/// A text with parts of the event in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct InputTransformer {
    /// Names for parts of the event: `bucket` → `$.detail.requestParameters.bucketName`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub input_paths_map: BTreeMap<String, String>,
    /// The text, with `<name>` where a part is to stand.
    pub input_template: String,
}

/// For FIFO queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SqsParameters {
    /// The group of all messages of this target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// Where events go that could not be delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeadLetterConfig {
    /// A standard queue of the rule's region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// How long delivery is tried; the first bound that is reached ends it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// 0 to 185; 185 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<i32>,
    /// 60 to 86,400; a day if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_event_age_in_seconds: Option<i32>,
}

/// Adds targets to a rule, or replaces those of the same ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutTargetsRequest {
    /// The rule's name.
    pub rule: String,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
    /// 1 to 100 of them; a rule holds five.
    pub targets: Vec<Target>,
}

/// Which targets were not added; the others were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutTargetsResponse {
    /// How many `failed_entries` there are.
    pub failed_entry_count: i32,
    /// What failed.
    pub failed_entries: Vec<FailedEntry>,
}

/// A target that was not added or removed, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FailedEntry {
    /// The target's id.
    pub target_id: String,
    /// The name of an error.
    pub error_code: String,
    /// For a person.
    pub error_message: String,
}

/// Takes targets from a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RemoveTargetsRequest {
    /// The rule's name.
    pub rule: String,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
    /// 1 to 100 ids.
    pub ids: Vec<String>,
    /// Also from a rule that another AWS service manages, of which there are none here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
}

/// Which targets were not removed; the others were.
pub type RemoveTargetsResponse = PutTargetsResponse;

/// Asks for a rule's targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTargetsByRuleRequest {
    /// The rule's name.
    pub rule: String,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
}

/// A page of targets, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTargetsByRuleResponse {
    /// The targets, as they were given.
    pub targets: Vec<Target>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Asks which rules send to a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListRuleNamesByTargetRequest {
    /// The target's ARN.
    pub target_arn: String,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
}

/// A page of rules' names, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListRuleNamesByTargetResponse {
    /// The names.
    pub rule_names: Vec<String>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
