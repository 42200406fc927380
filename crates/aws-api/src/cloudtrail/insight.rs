//! Insight selectors: which unusual activity a trail looks for.

use serde::{Deserialize, Serialize};

/// Asks for a trail's insight selectors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetInsightSelectorsRequest {
    /// The trail's name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail_name: Option<String>,
}

/// A trail's insight selectors. No trail has any here: asked for them, the server answers only with errors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InsightSelectorsResponse {
    /// The trail's ARN.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// What unusual activity is looked for.
    pub insight_selectors: Vec<InsightSelector>,
}

/// A trail's insight selectors.
pub type GetInsightSelectorsResponse = InsightSelectorsResponse;
/// A trail's insight selectors as they are now.
pub type PutInsightSelectorsResponse = InsightSelectorsResponse;

/// One kind of unusual activity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct InsightSelector {
    /// `ApiCallRateInsight` or `ApiErrorRateInsight`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insight_type: Option<String>,
    /// `Management` or `Data`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_categories: Vec<String>,
}

/// Replaces a trail's insight selectors; none turns Insights off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutInsightSelectorsRequest {
    /// The trail's name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail_name: Option<String>,
    /// What unusual activity to look for.
    pub insight_selectors: Vec<InsightSelector>,
}
