//! Updates that are taken back, and who imports an export.

use serde::{Deserialize, Serialize};

/// Undoes an update that is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct CancelUpdateStackRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
}

/// Goes on undoing an update.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ContinueUpdateRollbackRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// A role to work as; refused.
    #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Logical ids of what cannot be undone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources_to_skip: Vec<String>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
    /// Whether all that cannot be undone is skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_rollback: Option<bool>,
}

/// Undoes an operation that failed and was left as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RollbackStackRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// A role to work as; refused.
    #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
    /// Whether what is new is removed even if it is to be retained; refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_except_on_create: Option<bool>,
}

/// Asks who imports an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListImportsRequest {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Who imports an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListImportsResponse {
    /// Names of stacks.
    pub imports: Vec<String>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
