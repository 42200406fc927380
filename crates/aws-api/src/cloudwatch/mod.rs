//! Amazon CloudWatch: metrics and alarms (API version 2010-08-01).
//!
//! Members of what is not served (entities, linked accounts, anomaly detection, alarms over expressions or logs) are absent,
//! so that they are refused.

mod alarm;
mod metric;

use serde::{Deserialize, Serialize};

pub use alarm::{
    AlarmHistoryItem, CompositeAlarm, DeleteAlarmsInput, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput,
    DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput, DescribeAlarmsInput, DescribeAlarmsOutput,
    DisableAlarmActionsInput, EnableAlarmActionsInput, MetricAlarm, PutMetricAlarmInput, SetAlarmStateInput,
};
pub use metric::{
    Datapoint, Dimension, DimensionFilter, GetMetricDataInput, GetMetricDataOutput, GetMetricStatisticsInput,
    GetMetricStatisticsOutput, LabelOptions, ListMetricsInput, ListMetricsOutput, MessageData, Metric, MetricDataQuery,
    MetricDataResult, MetricDatum, MetricStat, PutMetricDataInput, StatisticSet,
};

crate::service! {
    /// Amazon CloudWatch.
    CloudWatch via CloudWatchApi {
        signing_name: "monitoring",
        version: "2010-08-01",
        target_prefix: "GraniteServiceVersion20100801",
        json_media_type: "application/x-amz-json-1.0",
        query_namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
    }
    Write Admin @Data PutMetricData(PutMetricDataInput) -> () => put_metric_data;
    Read Audit @Data GetMetricStatistics(GetMetricStatisticsInput) -> GetMetricStatisticsOutput => get_metric_statistics;
    Read Audit @Data GetMetricData(GetMetricDataInput) -> GetMetricDataOutput => get_metric_data;
    Read Audit @Data ListMetrics(ListMetricsInput) -> ListMetricsOutput => list_metrics;
    Write Admin PutMetricAlarm(PutMetricAlarmInput) -> () => put_metric_alarm;
    Read Audit DescribeAlarms(DescribeAlarmsInput) -> DescribeAlarmsOutput => describe_alarms;
    Read Audit DescribeAlarmsForMetric(DescribeAlarmsForMetricInput) -> DescribeAlarmsForMetricOutput
        => describe_alarms_for_metric;
    Read Audit DescribeAlarmHistory(DescribeAlarmHistoryInput) -> DescribeAlarmHistoryOutput => describe_alarm_history;
    Write Admin SetAlarmState(SetAlarmStateInput) -> () => set_alarm_state;
    Write Admin EnableAlarmActions(EnableAlarmActionsInput) -> () => enable_alarm_actions;
    Write Admin DisableAlarmActions(DisableAlarmActionsInput) -> () => disable_alarm_actions;
    Write Admin DeleteAlarms(DeleteAlarmsInput) -> () => delete_alarms;
    Write Admin TagResource(TagResourceInput) -> EmptyOutput => tag_resource;
    Write Admin UntagResource(UntagResourceInput) -> EmptyOutput => untag_resource;
    Read Audit ListTagsForResource(ListTagsForResourceInput) -> ListTagsForResourceOutput => list_tags_for_resource;
}

/// A label on an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

/// Sets labels on an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TagResourceInput {
    /// The alarm.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// The labels.
    pub tags: Vec<Tag>,
}

/// Takes labels from an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UntagResourceInput {
    /// The alarm.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// The labels' keys.
    pub tag_keys: Vec<String>,
}

/// Asks for the labels of an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTagsForResourceInput {
    /// The alarm.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
}

/// The labels, in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResourceOutput {
    /// The labels.
    pub tags: Vec<Tag>,
}

/// The answer of an operation that has a result and nothing in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyOutput {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Role};

    #[test]
    fn a_key_for_audit_changes_nothing() {
        for op in SERVICE.ops {
            assert_eq!(op.role == Role::Admin, op.access == Access::Write, "{}", op.name);
            assert_ne!(op.role, Role::S3, "{}", op.name);
        }
    }

    #[test]
    fn what_is_not_served_is_not_in_the_shapes() {
        let refused =
            |member: &str| serde_json::from_str::<PutMetricAlarmInput>(&format!("{{\"{member}\":1}}")).is_err();
        for member in ["Metrics", "ThresholdMetricId", "EvaluationCriteria", "EvaluationWindow", "WarmUpConfiguration"]
        {
            assert!(refused(member), "{member}");
        }
        assert!(!refused("Period"));
    }
}
