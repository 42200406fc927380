//! Drift: how what there is differs from what a template says.

use serde::{Deserialize, Serialize};

/// Whether a stack is what its template says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DriftInformation {
    /// `IN_SYNC`, `DRIFTED`, `UNKNOWN`, `NOT_CHECKED`.
    pub stack_drift_status: String,
    /// When it was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check_timestamp: Option<String>,
}

/// Whether a resource is what its template says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceDrift {
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, `UNKNOWN`, `NOT_CHECKED`.
    pub stack_resource_drift_status: String,
    /// When it was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check_timestamp: Option<String>,
}

/// Begins to detect a stack's drift.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DetectStackDriftRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Only of these resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logical_resource_ids: Vec<String>,
}

/// The detection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DetectStackDriftResponse {
    /// Its id.
    pub stack_drift_detection_id: String,
}

/// Detects the drift of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DetectStackResourceDriftRequest {
    /// The stack's name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Its name in the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_resource_id: Option<String>,
}

/// A property that is not what the template says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PropertyDifference {
    /// Where, as a JSON pointer.
    pub property_path: String,
    /// What the template says.
    pub expected_value: String,
    /// What there is.
    pub actual_value: String,
    /// `ADD`, `REMOVE`, `NOT_EQUAL`.
    pub difference_type: String,
}

/// What was found of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackResourceDrift {
    /// The stack's ARN.
    pub stack_id: String,
    /// Its name in the template.
    pub logical_resource_id: String,
    /// Its physical id.
    pub physical_resource_id: String,
    /// `AWS::SQS::Queue`.
    pub resource_type: String,
    /// What the template says, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_properties: Option<String>,
    /// What there is, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_properties: Option<String>,
    /// How they differ.
    pub property_differences: Vec<PropertyDifference>,
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, `UNKNOWN`.
    pub stack_resource_drift_status: String,
    /// When it was looked at.
    pub timestamp: String,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_status_reason: Option<String>,
}

/// What was found of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DetectStackResourceDriftResponse {
    /// It.
    pub stack_resource_drift: StackResourceDrift,
}

/// Asks how far a detection is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeStackDriftDetectionStatusRequest {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_drift_detection_id: Option<String>,
}

/// How far a detection is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeStackDriftDetectionStatusResponse {
    /// The stack's ARN.
    pub stack_id: String,
    /// Its id.
    pub stack_drift_detection_id: String,
    /// `IN_SYNC`, `DRIFTED`, `UNKNOWN`, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_drift_status: Option<String>,
    /// `DETECTION_IN_PROGRESS`, `DETECTION_COMPLETE`, `DETECTION_FAILED`.
    pub detection_status: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection_status_reason: Option<String>,
    /// How many resources have drifted, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drifted_stack_resource_count: Option<i64>,
    /// When it began.
    pub timestamp: String,
}

/// Asks what is known of the drift of a stack's resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeStackResourceDriftsRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Only those with these statuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack_resource_drift_status_filters: Vec<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i64>,
}

/// What is known of the drift of a stack's resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeStackResourceDriftsResponse {
    /// Each that was looked at.
    pub stack_resource_drifts: Vec<StackResourceDrift>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
