//! Templates as they were given, and what is told of one.

use serde::{Deserialize, Serialize};

/// Asks for a template as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetTemplateRequest {
    /// The stack's name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Or a change set's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set_name: Option<String>,
    /// `Original` or `Processed`, which are the same here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_stage: Option<String>,
}

/// A template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetTemplateResponse {
    /// As it was given.
    pub template_body: String,
    /// `Original`, `Processed`.
    pub stages_available: Vec<String>,
}

/// Asks whether a template can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ValidateTemplateRequest {
    /// The template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_body: Option<String>,
    /// Or where it is.
    #[serde(rename = "TemplateURL", skip_serializing_if = "Option::is_none")]
    pub template_url: Option<String>,
}

/// A parameter of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TemplateParameter {
    /// Its name.
    pub parameter_key: String,
    /// Its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// Whether it is never shown.
    pub no_echo: bool,
    /// For the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a template declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ValidateTemplateResponse {
    /// Its parameters.
    pub parameters: Vec<TemplateParameter>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What must be acknowledged.
    pub capabilities: Vec<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities_reason: Option<String>,
}

/// Asks what a template declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetTemplateSummaryRequest {
    /// The template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_body: Option<String>,
    /// Or where it is.
    #[serde(rename = "TemplateURL", skip_serializing_if = "Option::is_none")]
    pub template_url: Option<String>,
    /// Or the stack that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_name: Option<String>,
    /// Refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_set_name: Option<String>,
    /// Refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_as: Option<String>,
    /// How types that are not known are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_summary_config: Option<TemplateSummaryConfig>,
}

/// How types that are not known are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TemplateSummaryConfig {
    /// As warnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_unrecognized_resource_types_as_warnings: Option<bool>,
}

/// What values are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ParameterConstraints {
    /// The only ones.
    pub allowed_values: Vec<String>,
}

/// A parameter of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ParameterDeclaration {
    /// Its name.
    pub parameter_key: String,
    /// Its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// `String`, …
    pub parameter_type: String,
    /// Whether it is never shown.
    pub no_echo: bool,
    /// For the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What values are allowed.
    pub parameter_constraints: ParameterConstraints,
}

/// What a template declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetTemplateSummaryResponse {
    /// Its parameters.
    pub parameters: Vec<ParameterDeclaration>,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What must be acknowledged.
    pub capabilities: Vec<String>,
    /// The types of its resources.
    pub resource_types: Vec<String>,
    /// Of the format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// As JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
}
