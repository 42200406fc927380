//! Metrics: what is put and what is asked for.

use serde::{Deserialize, Serialize};

use crate::Moment;

/// One name and value of those that make a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Dimension {
    /// 1 to 255 characters.
    pub name: String,
    /// 1 to 1024 characters.
    pub value: String,
}

/// Puts data points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutMetricDataInput {
    /// 1 to 255 characters, the first of them no colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Up to 1000.
    pub metric_data: Vec<MetricDatum>,
    /// Whether mistakes in entities are errors. There are no entities here, so there are no mistakes in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict_entity_validation: Option<bool>,
}

/// Data of one metric at one moment: a value, values with their counts, or a set of statistics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct MetricDatum {
    /// 1 to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Up to 30.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// Now if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Moment>,
    /// One value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Several values, added up before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic_values: Option<StatisticSet>,
    /// Up to 150 different values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
    /// How often each of them came; once if absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<f64>,
    /// `Count`, `Bytes`, …; `None` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// 60 or 1 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_resolution: Option<i32>,
}

/// Statistics of values that were added up before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct StatisticSet {
    /// How many values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_count: Option<f64>,
    /// Their sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// The least of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The greatest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
}

/// Asks for statistics of one metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetMetricStatisticsInput {
    /// The metric's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The metric's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// The metric's dimensions, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// The first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Moment>,
    /// The first moment that is too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Moment>,
    /// Seconds that one data point is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i32>,
    /// `SampleCount`, `Average`, `Sum`, `Minimum`, `Maximum`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<String>,
    /// Percentiles (`p99`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extended_statistics: Vec<String>,
    /// Only data of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// Data points of the periods that have data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetMetricStatisticsOutput {
    /// The metric's name.
    pub label: String,
    /// In the order of time.
    pub datapoints: Vec<Datapoint>,
}

/// Statistics of one period. Only those that were asked for are there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Datapoint {
    /// The period's beginning.
    pub timestamp: Moment,
    /// How many values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_count: Option<f64>,
    /// Their mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Their sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// The least of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The greatest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The unit they were put with.
    pub unit: String,
}

/// Asks for several metrics, and for what follows from them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetMetricDataInput {
    /// 1 to 500.
    pub metric_data_queries: Vec<MetricDataQuery>,
    /// The first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Moment>,
    /// The first moment that is too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Moment>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// `TimestampDescending` (if absent) or `TimestampAscending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_by: Option<String>,
    /// Up to 100,800 of all queries together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_datapoints: Option<i32>,
    /// For labels with times in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_options: Option<LabelOptions>,
}

/// How labels are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct LabelOptions {
    /// `+0130`; UTC if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// One metric with one statistic, or an expression over others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct MetricDataQuery {
    /// What expressions call it.
    pub id: String,
    /// A metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// An expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What a person reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether its data is in the answer; it is if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// Seconds between the data points of an expression without metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i32>,
}

/// One metric with one statistic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct MetricStat {
    /// The metric.
    pub metric: Metric,
    /// Seconds that one data point is of.
    pub period: i32,
    /// `Sum`, …
    pub stat: String,
    /// Only data of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// What tells one metric from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Metric {
    /// `AWS/SQS`, or one of a customer's own.
    pub namespace: String,
    /// `NumberOfMessagesSent`, …
    pub metric_name: String,
    /// In the order of their names.
    pub dimensions: Vec<Dimension>,
}

/// The data of the queries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetMetricDataOutput {
    /// One for each query whose data is wanted.
    pub metric_data_results: Vec<MetricDataResult>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// What is to be said of the whole.
    pub messages: Vec<MessageData>,
}

/// The data of one query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetricDataResult {
    /// The query's.
    pub id: String,
    /// The query's, or the metric's name, or the expression's id.
    pub label: String,
    /// The beginnings of the periods that have data.
    pub timestamps: Vec<Moment>,
    /// A value for each of them.
    pub values: Vec<f64>,
    /// `Complete` or `PartialData`.
    pub status_code: String,
}

/// A remark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MessageData {
    /// For programs.
    pub code: String,
    /// For a person.
    pub value: String,
}

/// Asks which metrics there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListMetricsInput {
    /// Only of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Only with these dimensions, and perhaps others. Up to 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<DimensionFilter>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// `PT3H`: only metrics with data in the last three hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recently_active: Option<String>,
    /// There are no linked accounts, so this may be `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_linked_accounts: Option<bool>,
}

/// A dimension that a metric must have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DimensionFilter {
    /// Its name.
    pub name: String,
    /// Its value; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A page of metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListMetricsOutput {
    /// Up to 500.
    pub metrics: Vec<Metric>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
