//! AWS CloudFormation: operations and shapes (API version 2010-05-15).
//!
//! CloudFormation speaks the Query protocol only. Stack sets, types, hooks, stack policies and imports of resources are not
//! supported, so they are not in the shapes. Times are ISO 8601 texts.

mod change_set;
mod drift;
mod lists;
mod resources;
mod rollback;
mod template;

pub use change_set::*;
pub use drift::*;
pub use lists::*;
pub use resources::*;
pub use rollback::*;
use serde::{Deserialize, Serialize};
pub use template::*;

crate::service! {
    /// AWS CloudFormation.
    CloudFormation via CloudFormationApi {
        signing_name: "cloudformation",
        version: "2010-05-15",
        target_prefix: "",
        json_media_type: "",
        query_namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    }
    Write Admin CreateStack(CreateStackRequest) -> StackIdResponse => create_stack;
    Write Admin UpdateStack(UpdateStackRequest) -> StackIdResponse => update_stack;
    Write Admin DeleteStack(DeleteStackRequest) -> () => delete_stack;
    Write Admin CancelUpdateStack(CancelUpdateStackRequest) -> () => cancel_update_stack;
    Write Admin RollbackStack(RollbackStackRequest) -> StackIdResponse => rollback_stack;
    Write Admin ContinueUpdateRollback(ContinueUpdateRollbackRequest) -> EmptyResponse => continue_update_rollback;
    Write Admin CreateChangeSet(CreateChangeSetRequest) -> CreateChangeSetResponse => create_change_set;
    Write Admin ExecuteChangeSet(ExecuteChangeSetRequest) -> EmptyResponse => execute_change_set;
    Write Admin DeleteChangeSet(ChangeSetRequest) -> EmptyResponse => delete_change_set;
    Write Admin UpdateTerminationProtection(UpdateTerminationProtectionRequest) -> StackIdResponse
        => update_termination_protection;
    Write Audit DetectStackDrift(DetectStackDriftRequest) -> DetectStackDriftResponse => detect_stack_drift;
    Write Audit DetectStackResourceDrift(DetectStackResourceDriftRequest) -> DetectStackResourceDriftResponse
        => detect_stack_resource_drift;
    Read Audit DescribeStackDriftDetectionStatus(DescribeStackDriftDetectionStatusRequest)
        -> DescribeStackDriftDetectionStatusResponse => describe_stack_drift_detection_status;
    Read Audit DescribeStackResourceDrifts(DescribeStackResourceDriftsRequest) -> DescribeStackResourceDriftsResponse
        => describe_stack_resource_drifts;
    Read Audit DescribeChangeSet(ChangeSetRequest) -> DescribeChangeSetResponse => describe_change_set;
    Read Audit ListChangeSets(ListChangeSetsRequest) -> ListChangeSetsResponse => list_change_sets;
    Read Audit DescribeStacks(DescribeStacksRequest) -> DescribeStacksResponse => describe_stacks;
    Read Audit DescribeStackEvents(StackPageRequest) -> DescribeStackEventsResponse => describe_stack_events;
    Read Audit DescribeStackResources(DescribeStackResourcesRequest) -> DescribeStackResourcesResponse
        => describe_stack_resources;
    Read Audit DescribeStackResource(DescribeStackResourceRequest) -> DescribeStackResourceResponse
        => describe_stack_resource;
    Read Audit ListStackResources(StackPageRequest) -> ListStackResourcesResponse => list_stack_resources;
    Read Audit GetTemplate(GetTemplateRequest) -> GetTemplateResponse => get_template;
    Read Audit GetTemplateSummary(GetTemplateSummaryRequest) -> GetTemplateSummaryResponse => get_template_summary;
    Read Audit ValidateTemplate(ValidateTemplateRequest) -> ValidateTemplateResponse => validate_template;
    Read Audit ListStacks(ListStacksRequest) -> ListStacksResponse => list_stacks;
    Read Audit ListImports(ListImportsRequest) -> ListImportsResponse => list_imports;
    Read Audit ListExports(ListExportsRequest) -> ListExportsResponse => list_exports;
}

/// A parameter and its value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Parameter {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_key: Option<String>,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_value: Option<String>,
    /// Whether the stack's value stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_previous_value: Option<bool>,
    /// The value behind a name in the parameter store; never here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_value: Option<String>,
}

/// A name and a value that describe a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

/// Alarms that roll an operation back; none are supported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RollbackConfiguration {
    /// How long they are watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring_time_in_minutes: Option<i64>,
    /// Their ARNs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rollback_triggers: Vec<String>,
}

/// Makes a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct CreateStackRequest {
    /// Up to 128 letters, digits and hyphens, a letter first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
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
    /// `ROLLBACK` (if absent), `DELETE`, `DO_NOTHING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// The same as `DO_NOTHING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_rollback: Option<bool>,
    /// How long it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_in_minutes: Option<i64>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
    /// Whether it may not be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_termination_protection: Option<bool>,
    /// Whether what a failed creation made is removed even if it is to be retained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_except_on_create: Option<bool>,
}

/// The stack that an operation was begun on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackIdResponse {
    /// Its ARN.
    pub stack_id: String,
}

/// Makes a stack what another template, or other parameters, say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UpdateStackRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
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
    /// Whether the template stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_previous_template: Option<bool>,
    /// Whether a failure leaves all as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_rollback: Option<bool>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
}

/// Deletes a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteStackRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Of one that could not be deleted: what stays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retain_resources: Vec<String>,
    /// A role to work as; refused.
    #[serde(rename = "RoleARN", skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Tells a repetition from a new request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_token: Option<String>,
    /// `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_mode: Option<String>,
}

/// Asks about one stack, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeStacksRequest {
    /// Its name or ARN; a deleted one's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What a stack says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Output {
    /// Its name.
    pub output_key: String,
    /// What it says.
    pub output_value: String,
    /// For the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of its export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_name: Option<String>,
}

/// A stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Stack {
    /// Its ARN.
    pub stack_id: String,
    /// Its name.
    pub stack_name: String,
    /// The change set that was executed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set_id: Option<String>,
    /// The template's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Their values; secrets as `****`.
    pub parameters: Vec<Parameter>,
    /// When it was made.
    pub creation_time: String,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_time: Option<String>,
    /// When an update last began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated_time: Option<String>,
    /// None.
    pub rollback_configuration: RollbackConfigurationView,
    /// `CREATE_COMPLETE`, …
    pub stack_status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_status_reason: Option<String>,
    /// Whether a failure leaves all as it is.
    pub disable_rollback: bool,
    /// None.
    #[serde(rename = "NotificationARNs")]
    pub notification_arns: Vec<String>,
    /// What was acknowledged.
    pub capabilities: Vec<String>,
    /// What it says of itself.
    pub outputs: Vec<Output>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether it may not be deleted.
    pub enable_termination_protection: bool,
    /// Whether it is what its template says.
    pub drift_information: DriftInformation,
}

/// No alarms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RollbackConfigurationView {}

/// Stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeStacksResponse {
    /// Each.
    pub stacks: Vec<Stack>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Asks for a page of something of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct StackPageRequest {
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Something that happened to a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StackEvent {
    /// Its ARN.
    pub stack_id: String,
    /// Unique.
    pub event_id: String,
    /// Its name.
    pub stack_name: String,
    /// The resource, or the stack itself.
    pub logical_resource_id: String,
    /// Its physical id; empty until there is one.
    pub physical_resource_id: String,
    /// `AWS::SQS::Queue`.
    pub resource_type: String,
    /// When.
    pub timestamp: String,
    /// `CREATE_COMPLETE`, …
    pub resource_status: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_status_reason: Option<String>,
    /// As JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_properties: Option<String>,
}

/// The newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeStackEventsResponse {
    /// Up to 100.
    pub stack_events: Vec<StackEvent>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EmptyResponse {}

/// Says whether a stack may be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UpdateTerminationProtectionRequest {
    /// Whether it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_termination_protection: Option<bool>,
    /// Its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
}
