//! Change sets: what a template would change, before it does.

use serde::{Deserialize, Serialize};

use super::{Parameter, RollbackConfiguration, Tag};

/// Plans what a template would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct CreateChangeSetRequest {
    /// The stack's name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Up to 128 letters, digits and hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set_name: Option<String>,
    /// `CREATE`, `UPDATE` (if absent).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set_type: Option<String>,
    /// For the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// Whether the template stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_previous_template: Option<bool>,
    /// Refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_nested_stacks: Option<bool>,
    /// Refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_existing_resources: Option<bool>,
    /// What happens if it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_stack_failure: Option<String>,
    /// The template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_body: Option<String>,
    /// Or where it is: an object of S3.
    #[serde(rename = "TemplateURL", skip_serializing_if = "Option::is_none")]
    pub template_url: Option<String>,
    /// Values of its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What is acknowledged: `CAPABILITY_IAM`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Types that are allowed; refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_types: Vec<String>,
    /// A role to work as; refused.
    #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Alarms to watch; refused if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_configuration: Option<RollbackConfiguration>,
    /// Topics to tell; refused.
    #[serde(rename = "NotificationARNs", skip_serializing_if = "Vec::is_empty")]
    pub notification_arns: Vec<String>,
    /// Tags of the stack and its resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// The change set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateChangeSetResponse {
    /// Its ARN.
    pub id: String,
    /// The stack's.
    pub stack_id: String,
}

/// Names a change set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ChangeSetRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set_name: Option<String>,
    /// The stack's, if it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// Whether values are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_property_values: Option<bool>,
}

/// Does what a change set plans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ExecuteChangeSetRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set_name: Option<String>,
    /// The stack's, if it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
    /// Whether a failure leaves all as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_rollback: Option<bool>,
    /// Whether what a failed creation made is removed even if it is to be retained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_except_on_create: Option<bool>,
}

/// What would happen to a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceChange {
    /// `Add`, `Modify`, `Remove`.
    pub action: String,
    /// Its name in the template.
    pub logical_resource_id: String,
    /// Its physical id, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_resource_id: Option<String>,
    /// `AWS::SQS::Queue`.
    pub resource_type: String,
    /// `True`, `False`, `Conditional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// `Properties`.
    pub scope: Vec<String>,
}

/// What would happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Change {
    /// `Resource`.
    #[serde(rename = "Type")]
    pub type_: String,
    /// To which, and what.
    pub resource_change: ResourceChange,
}

/// A change set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeChangeSetResponse {
    /// Its name.
    pub change_set_name: String,
    /// Its ARN.
    pub change_set_id: String,
    /// The stack's.
    pub stack_id: String,
    /// The stack's.
    pub stack_name: String,
    /// For the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The values it would set.
    pub parameters: Vec<Parameter>,
    /// When it was made.
    pub creation_time: String,
    /// `AVAILABLE`, …
    pub execution_status: String,
    /// `CREATE_COMPLETE`, `FAILED`.
    pub status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// None.
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    /// What was acknowledged.
    pub capabilities: Vec<String>,
    /// Tags it would set.
    pub tags: Vec<Tag>,
    /// What would happen.
    pub changes: Vec<Change>,
}

/// Asks for the change sets of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListChangeSetsRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A change set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeSetSummary {
    /// The stack's.
    pub stack_id: String,
    /// The stack's.
    pub stack_name: String,
    /// Its ARN.
    pub change_set_id: String,
    /// Its name.
    pub change_set_name: String,
    /// `AVAILABLE`, …
    pub execution_status: String,
    /// `CREATE_COMPLETE`, `FAILED`.
    pub status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// When it was made.
    pub creation_time: String,
    /// For the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Change sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListChangeSetsResponse {
    /// Each.
    pub summaries: Vec<ChangeSetSummary>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
