//! Alarms.

use serde::{Deserialize, Serialize};

use super::{Dimension, Tag};
use crate::Moment;

/// Makes an alarm, or replaces one with everything but its state and tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PutMetricAlarmInput {
    /// 1 to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_name: Option<String>,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    /// Whether the actions are done; they are if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_enabled: Option<bool>,
    /// Up to 5 topics that are told when the alarm comes to `OK`.
    #[serde(rename = "OKActions", skip_serializing_if = "Vec::is_empty")]
    pub ok_actions: Vec<String>,
    /// Up to 5 topics that are told when the alarm comes to `ALARM`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarm_actions: Vec<String>,
    /// Up to 5 topics that are told when the alarm comes to `INSUFFICIENT_DATA`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insufficient_data_actions: Vec<String>,
    /// The metric's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// The metric's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    /// A percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    /// The metric's dimensions, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// Seconds that one data point is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i32>,
    /// Only data of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How many of the last periods are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_periods: Option<i32>,
    /// How many of them must cross the threshold; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<i32>,
    /// What is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// `GreaterThanThreshold`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison_operator: Option<String>,
    /// `missing` (if absent), `notBreaching`, `breaching` or `ignore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// For percentiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// Labels, looked at only when the alarm is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// An alarm and its state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetricAlarm {
    /// Its name.
    pub alarm_name: String,
    /// `arn:aws:cloudwatch:<region>:<account>:alarm:<name>`.
    pub alarm_arn: String,
    /// As it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    /// When it was last put.
    pub alarm_configuration_updated_timestamp: Moment,
    /// Whether the actions are done.
    pub actions_enabled: bool,
    /// Who is told of `OK`.
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
    /// Who is told of `ALARM`.
    pub alarm_actions: Vec<String>,
    /// Who is told of `INSUFFICIENT_DATA`.
    pub insufficient_data_actions: Vec<String>,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state_value: String,
    /// For a person.
    pub state_reason: String,
    /// For programs: JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason_data: Option<String>,
    /// When the state or its reason last changed.
    pub state_updated_timestamp: Moment,
    /// The metric's name.
    pub metric_name: String,
    /// The metric's namespace.
    pub namespace: String,
    /// The statistic.
    pub statistic: String,
    /// The metric's dimensions.
    pub dimensions: Vec<Dimension>,
    /// Seconds.
    pub period: i32,
    /// Only data of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How many periods are looked at.
    pub evaluation_periods: i32,
    /// How many of them must cross the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<i32>,
    /// What is compared with.
    pub threshold: f64,
    /// How.
    pub comparison_operator: String,
    /// What stands for missing data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// When the state last changed to another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_transitioned_timestamp: Option<Moment>,
}

/// An alarm over alarms. There are none here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompositeAlarm {}

/// Asks for alarms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeAlarmsInput {
    /// Only these, up to 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarm_names: Vec<String>,
    /// Only alarms whose names begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_name_prefix: Option<String>,
    /// `MetricAlarm` (if absent), `CompositeAlarm`, of which there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarm_types: Vec<String>,
    /// Only alarms in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_value: Option<String>,
    /// Only alarms with an action that begins so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_prefix: Option<String>,
    /// 1 to 100; 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_records: Option<i32>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A page of alarms, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarmsOutput {
    /// Always empty.
    pub composite_alarms: Vec<CompositeAlarm>,
    /// The alarms.
    pub metric_alarms: Vec<MetricAlarm>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Asks for the alarms on a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeAlarmsForMetricInput {
    /// The metric's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// The metric's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only alarms on this statistic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    /// Only alarms on this percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    /// The metric's dimensions, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// Only alarms on this period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i32>,
    /// Only alarms on this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// The alarms on a metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarmsForMetricOutput {
    /// In the order of their names.
    pub metric_alarms: Vec<MetricAlarm>,
}

/// Asks what happened to alarms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DescribeAlarmHistoryInput {
    /// Only of this alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_name: Option<String>,
    /// `MetricAlarm` (if absent), `CompositeAlarm`, of which there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarm_types: Vec<String>,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_item_type: Option<String>,
    /// The first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Moment>,
    /// The last moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Moment>,
    /// 1 to 100; 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_records: Option<i32>,
    /// From the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// `TimestampDescending` (if absent) or `TimestampAscending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_by: Option<String>,
}

/// A page of what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeAlarmHistoryOutput {
    /// The items.
    pub alarm_history_items: Vec<AlarmHistoryItem>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// One thing that happened to an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AlarmHistoryItem {
    /// Which alarm.
    pub alarm_name: String,
    /// `MetricAlarm`.
    pub alarm_type: String,
    /// When.
    pub timestamp: Moment,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    pub history_item_type: String,
    /// For a person.
    pub history_summary: String,
    /// For programs: JSON.
    pub history_data: String,
}

/// Sets an alarm's state until its next evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SetAlarmStateInput {
    /// Which alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_name: Option<String>,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_value: Option<String>,
    /// For a person, up to 1023 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// For programs: JSON of up to 4000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason_data: Option<String>,
}

/// Names alarms, up to 100.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteAlarmsInput {
    /// The alarms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarm_names: Vec<String>,
}

/// Names alarms whose actions are to be done.
pub type EnableAlarmActionsInput = DeleteAlarmsInput;

/// Names alarms whose actions are not to be done.
pub type DisableAlarmActionsInput = DeleteAlarmsInput;
