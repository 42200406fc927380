//! One detection, from its beginning to its result.

use aws_api::{Entity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `DetectionStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DetectionStatus {
    /// It is under way.
    #[serde(rename = "DETECTION_IN_PROGRESS")]
    InProgress,
    /// Some resource could not be read.
    #[serde(rename = "DETECTION_FAILED")]
    Failed,
    /// All were.
    #[serde(rename = "DETECTION_COMPLETE")]
    Complete,
}

impl DetectionStatus {
    /// AWS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "DETECTION_IN_PROGRESS",
            Self::Failed => "DETECTION_FAILED",
            Self::Complete => "DETECTION_COMPLETE",
        }
    }
}

/// A detection of a stack's drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Twelve digits.
    pub account: String,
    /// The stack's region.
    pub region: String,
    /// The last part of the stack's ARN.
    pub stack: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// A UUID.
    pub id: String,
    /// Who asked for it, as the server keeps it: in whose name is read.
    pub caller: Value,
    /// Logical ids of the resources to look at; all if there are none.
    pub only: Vec<String>,
    /// When it began.
    pub started: Timestamp,
    /// How far it is.
    pub status: DetectionStatus,
    /// Why it failed.
    pub reason: Option<String>,
    /// `IN_SYNC`, `DRIFTED`, `UNKNOWN`, once it has ended.
    pub drift: Option<String>,
    /// How many resources have drifted.
    pub drifted: u32,
}

impl Entity for Detection {
    const KIND: &'static str = "drift-detection";

    fn key(&self) -> String {
        format!("{}/{}/{}/{}", self.account, self.region, self.stack, self.id)
    }
}
