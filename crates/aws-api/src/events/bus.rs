//! Event buses.

use serde::{Deserialize, Serialize};

use super::Tag;

/// Names a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeEventBusRequest {
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A bus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeEventBusResponse {
    /// The bus's name.
    pub name: String,
    /// `arn:aws:events:<region>:<account>:event-bus/<name>`.
    pub arn: String,
    /// As it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The text of its policy, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Seconds since the epoch; absent for the default bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<f64>,
    /// Seconds since the epoch; absent for the default bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_time: Option<f64>,
}

/// Asks for the buses of the account and region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListEventBusesRequest {
    /// Only buses whose names begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_prefix: Option<String>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i32>,
}

/// A page of buses, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListEventBusesResponse {
    /// The buses.
    pub event_buses: Vec<DescribeEventBusResponse>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Makes a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct CreateEventBusRequest {
    /// 1 to 256 characters of `.-_A-Za-z0-9`.
    pub name: String,
    /// Up to 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// Where the bus is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateEventBusResponse {
    /// `arn:aws:events:<region>:<account>:event-bus/<name>`.
    pub event_bus_arn: String,
    /// As it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Removes a bus with its rules; one that does not exist is no error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteEventBusRequest {
    /// The bus's name.
    pub name: String,
}

/// Sets a bus's policy, or adds a statement to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutPermissionRequest {
    /// The bus's name; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
    /// `events:PutEvents`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// An account, or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The statement's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_id: Option<String>,
    /// Whose organization's accounts are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The whole policy, in place of a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// Limits a statement to the accounts of an organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Condition {
    /// `StringEquals`.
    pub r#type: String,
    /// `aws:PrincipalOrgID`.
    pub key: String,
    /// The organization's id.
    pub value: String,
}

/// Takes a statement from a bus's policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RemovePermissionRequest {
    /// The statement's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_id: Option<String>,
    /// Whether the whole policy goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_all_permissions: Option<bool>,
    /// The bus's name; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
}
