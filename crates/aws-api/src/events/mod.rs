//! Amazon EventBridge, once CloudWatch Events: rules on event buses, and their targets.
//!
//! Shapes after the API reference of 2015-10-07. Members that belong to what is not served (partner sources, global
//! endpoints, targets other than topics and queues, keys for encryption) are absent, so that they are refused.

mod bus;
mod event;
mod target;

use serde::{Deserialize, Serialize};

pub use bus::{
    Condition, CreateEventBusRequest, CreateEventBusResponse, DeleteEventBusRequest, DescribeEventBusRequest,
    DescribeEventBusResponse, ListEventBusesRequest, ListEventBusesResponse, PutPermissionRequest,
    RemovePermissionRequest,
};
pub use event::{
    PutEventsRequest, PutEventsRequestEntry, PutEventsResponse, PutEventsResultEntry, TestEventPatternRequest,
    TestEventPatternResponse,
};
pub use target::{
    DeadLetterConfig, FailedEntry, InputTransformer, ListRuleNamesByTargetRequest, ListRuleNamesByTargetResponse,
    ListTargetsByRuleRequest, ListTargetsByRuleResponse, PutTargetsRequest, PutTargetsResponse, RemoveTargetsRequest,
    RemoveTargetsResponse, RetryPolicy, SqsParameters, Target,
};

crate::service! {
    /// Amazon EventBridge.
    Events via EventsApi {
        signing_name: "events",
        version: "2015-10-07",
        target_prefix: "AWSEvents",
        json_media_type: "application/x-amz-json-1.1",
        query_namespace: "",
    }
    Write Admin PutRule(PutRuleRequest) -> PutRuleResponse => put_rule;
    Read Audit DescribeRule(DescribeRuleRequest) -> DescribeRuleResponse => describe_rule;
    Read Audit ListRules(ListRulesRequest) -> ListRulesResponse => list_rules;
    Write Admin DeleteRule(DeleteRuleRequest) -> EmptyResponse => delete_rule;
    Write Admin EnableRule(EnableRuleRequest) -> EmptyResponse => enable_rule;
    Write Admin DisableRule(DisableRuleRequest) -> EmptyResponse => disable_rule;
    Write Admin PutTargets(PutTargetsRequest) -> PutTargetsResponse => put_targets;
    Write Admin RemoveTargets(RemoveTargetsRequest) -> RemoveTargetsResponse => remove_targets;
    Read Audit ListTargetsByRule(ListTargetsByRuleRequest) -> ListTargetsByRuleResponse => list_targets_by_rule;
    Read Audit ListRuleNamesByTarget(ListRuleNamesByTargetRequest) -> ListRuleNamesByTargetResponse => list_rule_names_by_target;
    Read Audit TestEventPattern(TestEventPatternRequest) -> TestEventPatternResponse => test_event_pattern;
    Write Admin @Data PutEvents(PutEventsRequest) -> PutEventsResponse => put_events;
    Read Audit DescribeEventBus(DescribeEventBusRequest) -> DescribeEventBusResponse => describe_event_bus;
    Read Audit ListEventBuses(ListEventBusesRequest) -> ListEventBusesResponse => list_event_buses;
    Write Admin CreateEventBus(CreateEventBusRequest) -> CreateEventBusResponse => create_event_bus;
    Write Admin DeleteEventBus(DeleteEventBusRequest) -> EmptyResponse => delete_event_bus;
    Write Admin PutPermission(PutPermissionRequest) -> EmptyResponse => put_permission;
    Write Admin RemovePermission(RemovePermissionRequest) -> EmptyResponse => remove_permission;
    Write Admin TagResource(TagResourceRequest) -> EmptyResponse => tag_resource;
    Write Admin UntagResource(UntagResourceRequest) -> EmptyResponse => untag_resource;
    Read Audit ListTagsForResource(ListTagsForResourceRequest) -> ListTagsForResourceResponse => list_tags_for_resource;
}

/// The answer of an operation that has nothing to say but that it succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyResponse {}

/// A label on a rule or a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

/// Makes a rule, or replaces one with everything but its targets and tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutRuleRequest {
    /// 1 to 64 characters of `.-_A-Za-z0-9`.
    pub name: String,
    /// `rate(…)` or `cron(…)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_expression: Option<String>,
    /// The pattern as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_pattern: Option<String>,
    /// `ENABLED` (if absent), `DISABLED` or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Up to 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The role that the rule's invocations would assume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Labels, looked at only when the rule is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
}

/// Where the rule is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutRuleResponse {
    /// `arn:aws:events:<region>:<account>:rule/[<bus>/]<name>`.
    pub rule_arn: String,
}

/// Names a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeRuleRequest {
    /// The rule's name.
    pub name: String,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
}

/// Everything about a rule but its targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeRuleResponse {
    /// The rule's name.
    pub name: String,
    /// The rule's ARN.
    pub arn: String,
    /// The pattern's text, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_pattern: Option<String>,
    /// One of the three states.
    pub state: String,
    /// As it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The bus's name.
    pub event_bus_name: String,
    /// The account that made the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// Asks for the rules of a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListRulesRequest {
    /// Only rules whose names begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_prefix: Option<String>,
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

/// A page of rules, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListRulesResponse {
    /// The rules.
    pub rules: Vec<Rule>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A rule as a list shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Rule {
    /// The rule's name.
    pub name: String,
    /// The rule's ARN.
    pub arn: String,
    /// The pattern's text, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_pattern: Option<String>,
    /// One of the three states.
    pub state: String,
    /// As it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The bus's name.
    pub event_bus_name: String,
}

/// Removes a rule that has no targets; one that does not exist is no error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteRuleRequest {
    /// The rule's name.
    pub name: String,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
    /// Also a rule that another AWS service manages, of which there are none here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
}

/// Sets a rule's state to `ENABLED`.
pub type EnableRuleRequest = DescribeRuleRequest;

/// Sets a rule's state to `DISABLED`.
pub type DisableRuleRequest = DescribeRuleRequest;

/// Sets labels on a rule or a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TagResourceRequest {
    /// The rule or bus.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// The labels.
    pub tags: Vec<Tag>,
}

/// Takes labels from a rule or a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UntagResourceRequest {
    /// The rule or bus.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// The labels' keys.
    pub tag_keys: Vec<String>,
}

/// Asks for the labels of a rule or a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTagsForResourceRequest {
    /// The rule or bus.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

/// The labels, in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTagsForResourceResponse {
    /// The labels.
    pub tags: Vec<Tag>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Role};

    #[test]
    fn a_key_for_audit_changes_no_rule() {
        assert_eq!(SERVICE.ops.len(), 21);
        for op in SERVICE.ops {
            assert_eq!(op.role == Role::Admin, op.access == Access::Write, "{}", op.name);
            assert_ne!(op.role, Role::S3, "{}", op.name);
        }
    }

    #[test]
    fn what_is_not_served_is_not_in_the_shapes() {
        let refused = |member: &str| {
            let text = format!("{{\"Id\":\"a\",\"Arn\":\"b\",\"{member}\":{{}}}}");
            serde_json::from_str::<Target>(&text).is_err()
        };
        assert!(refused("KinesisParameters") && refused("HttpParameters") && !refused("RetryPolicy"));
        let tag = serde_json::from_str::<TagResourceRequest>("{\"ResourceARN\":\"a\",\"Tags\":[]}");
        assert!(tag.is_ok());
    }
}
