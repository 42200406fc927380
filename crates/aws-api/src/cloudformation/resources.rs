//! The resources of a stack.

use serde::{Deserialize, Serialize};

use super::ResourceDrift;

/// Asks for the resources of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeStackResourcesRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Only this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_resource_id: Option<String>,
    /// Or the stack that has this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_resource_id: Option<String>,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackResource {
    /// The stack's name.
    pub stack_name: String,
    /// Its ARN.
    pub stack_id: String,
    /// Its name in the template.
    pub logical_resource_id: String,
    /// Its physical id, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_resource_id: Option<String>,
    /// `AWS::SQS::Queue`.
    pub resource_type: String,
    /// When its status changed.
    pub timestamp: String,
    /// `CREATE_COMPLETE`, …
    pub resource_status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_status_reason: Option<String>,
    /// Whether it is what its template says.
    pub drift_information: ResourceDrift,
}

/// Resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeStackResourcesResponse {
    /// Each.
    pub stack_resources: Vec<StackResource>,
}

/// Asks for one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeStackResourceRequest {
    /// The stack's name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Its name in the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_resource_id: Option<String>,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackResourceDetail {
    /// The stack's name.
    pub stack_name: String,
    /// Its ARN.
    pub stack_id: String,
    /// Its name in the template.
    pub logical_resource_id: String,
    /// Its physical id, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_resource_id: Option<String>,
    /// `AWS::SQS::Queue`.
    pub resource_type: String,
    /// When its status changed.
    pub last_updated_timestamp: String,
    /// `CREATE_COMPLETE`, …
    pub resource_status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_status_reason: Option<String>,
    /// The template's, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Whether it is what its template says.
    pub drift_information: ResourceDrift,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeStackResourceResponse {
    /// It.
    pub stack_resource_detail: StackResourceDetail,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackResourceSummary {
    /// Its name in the template.
    pub logical_resource_id: String,
    /// Its physical id, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_resource_id: Option<String>,
    /// `AWS::SQS::Queue`.
    pub resource_type: String,
    /// When its status changed.
    pub last_updated_timestamp: String,
    /// `CREATE_COMPLETE`, …
    pub resource_status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_status_reason: Option<String>,
    /// Whether it is what its template says.
    pub drift_information: ResourceDrift,
}

/// Resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListStackResourcesResponse {
    /// Each.
    pub stack_resource_summaries: Vec<StackResourceSummary>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
