//! Events of one's own, and patterns tried on them.

use serde::{Deserialize, Serialize};

/// Does this pattern match this event?
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TestEventPatternRequest {
    /// The pattern as JSON text.
    pub event_pattern: String,
    /// The event, whole, as JSON text.
    pub event: String,
}

/// The answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TestEventPatternResponse {
    /// Whether it matches.
    pub result: bool,
}

/// Events of one's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutEventsRequest {
    /// 1 to 10 of them.
    pub entries: Vec<PutEventsRequestEntry>,
}

/// An event of one's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutEventsRequestEntry {
    /// Seconds since the epoch; the arrival of the request if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// Who says so; not beginning with `aws.`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The ARNs of what the event is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What kind of event this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// A JSON object, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The bus's name or ARN; `default` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
}

/// What became of each event, in the order of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutEventsResponse {
    /// How many entries were refused.
    pub failed_entry_count: i32,
    /// An id, or an error, for each entry of the request.
    pub entries: Vec<PutEventsResultEntry>,
}

/// What became of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutEventsResultEntry {
    /// The event's id, if it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The name of an error, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// For a person, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}
