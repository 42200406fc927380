//! `LookupEvents`: the management events of the last 90 days.

use serde::{Deserialize, Serialize};

/// What an event must have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct LookupAttribute {
    /// `EventId`, `EventName`, `ReadOnly`, `Username`, `ResourceType`, `ResourceName`, `EventSource` or `AccessKeyId`.
    pub attribute_key: String,
    /// 1 to 2,000 characters.
    pub attribute_value: String,
}

/// Asks for events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct LookupEventsRequest {
    /// At most one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lookup_attributes: Vec<LookupAttribute>,
    /// Not before this; seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
    /// Not after this; seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// `insight`, or absent for management events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_category: Option<String>,
    /// 1 to 50; 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// From the page before, which was asked for with the same parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A page of events, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LookupEventsResponse {
    /// The events.
    pub events: Vec<Event>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An event as a look-up shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Event {
    /// `eventID` of the record.
    pub event_id: String,
    /// `eventName` of the record.
    pub event_name: String,
    /// `true` or `false`, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<String>,
    /// The key that signed the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Seconds since the epoch.
    pub event_time: f64,
    /// `eventSource` of the record.
    pub event_source: String,
    /// The caller's user name, session name, or `root`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What the call was about.
    pub resources: Vec<EventResource>,
    /// The record as JSON.
    pub cloud_trail_event: String,
}

/// One of the resources that a call was about.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EventResource {
    /// `AWS::CloudTrail::Trail`, `AWS::S3::Bucket`, …
    pub resource_type: String,
    /// Its name or ARN.
    pub resource_name: String,
}
