//! Up to ten messages in one request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MessageAttributeValue;

/// Why one entry of a batch was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BatchResultErrorEntry {
    /// The entry, as the request named it.
    pub id: String,
    /// Whether repeating it as it is cannot help.
    pub sender_fault: bool,
    /// The error's code.
    pub code: String,
    /// For a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Sends messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SendMessageBatchRequest {
    /// Which queue; only its path, `/account/name`, decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_url: Option<String>,
    /// 1 to 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<SendMessageBatchRequestEntry>,
}

/// One message to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SendMessageBatchRequestEntry {
    /// Names the entry in the answer: 1 to 80 letters, digits, `-`, `_`; each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_body: Option<String>,
    /// 0 to 900; without it, the queue's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<i32>,
    /// Up to ten, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub message_attributes: BTreeMap<String, MessageAttributeValue>,
    /// Only `AWSTraceHeader`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub message_system_attributes: BTreeMap<String, MessageAttributeValue>,
    /// FIFO queues only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_deduplication_id: Option<String>,
    /// The tenant whose message it is (fair queues); on FIFO queues, what is kept in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// What was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SendMessageBatchResult {
    /// Entries that were done; present even if empty.
    pub successful: Vec<SendMessageBatchResultEntry>,
    /// Entries that were refused; present even if empty.
    pub failed: Vec<BatchResultErrorEntry>,
}

/// One message is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SendMessageBatchResultEntry {
    /// The entry, as the request named it.
    pub id: String,
    /// A UUID.
    pub message_id: String,
    /// 32 hexadecimal digits, for the client to check.
    #[serde(rename = "MD5OfMessageBody")]
    pub md5_of_message_body: String,
    /// The same over the attributes, if there are any.
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_attributes: Option<String>,
    /// The same over the system attributes, if there are any.
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_system_attributes: Option<String>,
    /// FIFO queues only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
}

/// Removes messages that were received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteMessageBatchRequest {
    /// Which queue; only its path, `/account/name`, decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_url: Option<String>,
    /// 1 to 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<DeleteMessageBatchRequestEntry>,
}

/// One message to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteMessageBatchRequestEntry {
    /// Names the entry in the answer: 1 to 80 letters, digits, `-`, `_`; each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// From the receive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_handle: Option<String>,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeleteMessageBatchResult {
    /// Entries that were done; present even if empty.
    pub successful: Vec<DeleteMessageBatchResultEntry>,
    /// Entries that were refused; present even if empty.
    pub failed: Vec<BatchResultErrorEntry>,
}

/// One message is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeleteMessageBatchResultEntry {
    /// The entry, as the request named it.
    pub id: String,
}

/// Moves the ends of visibility windows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ChangeMessageVisibilityBatchRequest {
    /// Which queue; only its path, `/account/name`, decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_url: Option<String>,
    /// 1 to 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<ChangeMessageVisibilityBatchRequestEntry>,
}

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ChangeMessageVisibilityBatchRequestEntry {
    /// Names the entry in the answer: 1 to 80 letters, digits, `-`, `_`; each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// From the receive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_handle: Option<String>,
    /// Seconds from now, 0 to 43200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility_timeout: Option<i32>,
}

/// What was moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeMessageVisibilityBatchResult {
    /// Entries that were done; present even if empty.
    pub successful: Vec<ChangeMessageVisibilityBatchResultEntry>,
    /// Entries that were refused; present even if empty.
    pub failed: Vec<BatchResultErrorEntry>,
}

/// One window is moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeMessageVisibilityBatchResultEntry {
    /// The entry, as the request named it.
    pub id: String,
}
