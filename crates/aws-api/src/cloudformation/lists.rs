//! Lists of stacks and of what they export.

use serde::{Deserialize, Serialize};

use super::DriftInformation;

/// Asks for all stacks, deleted ones too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListStacksRequest {
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// Only of these statuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack_status_filter: Vec<String>,
}

/// A stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackSummary {
    /// Its ARN.
    pub stack_id: String,
    /// Its name.
    pub stack_name: String,
    /// The template's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_description: Option<String>,
    /// When it was made.
    pub creation_time: String,
    /// When an update last began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated_time: Option<String>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_time: Option<String>,
    /// `CREATE_COMPLETE`, …
    pub stack_status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_status_reason: Option<String>,
    /// Whether it is what its template says.
    pub drift_information: DriftInformation,
}

/// Stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListStacksResponse {
    /// Each.
    pub stack_summaries: Vec<StackSummary>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Asks for all exports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListExportsRequest {
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An output that other stacks may import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Export {
    /// Whose.
    pub exporting_stack_id: String,
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// Exports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListExportsResponse {
    /// Each.
    pub exports: Vec<Export>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
