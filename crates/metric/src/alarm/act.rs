//! What follows from a change of an alarm's state: who is told what.

use aws_api::{Change, Timestamp};
use serde_json::{Map, Value, json};

use super::reason::dated;
use super::{Alarm, Item, Missing, State, StateValue};

/// A subject has up to 100 characters.
const SUBJECT_CHARS_MAX: usize = 100;

/// An alarm that comes into another state.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The alarm in its new state.
    pub alarm: Alarm,
    /// The state before.
    pub before: State,
}

/// A topic to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The topic's ARN.
    pub topic: String,
    /// The message's subject.
    pub subject: String,
    /// The message's text.
    pub message: String,
}

impl Alarm {
    pub(super) fn become_state(
        &self,
        value: StateValue,
        reason: String,
        reason_data: Option<String>,
        now: Timestamp,
    ) -> Transition {
        let state = State { value, reason, reason_data, updated: now, transitioned: now };
        Transition { alarm: Self { state, ..self.clone() }, before: self.state.clone() }
    }
}

impl Transition {
    /// The row to write.
    pub fn change(&self) -> Change {
        Change::put(&self.alarm)
    }

    /// What the history tells of it.
    pub fn item(&self) -> Item {
        Item::transition(self)
    }

    /// Whom to tell: nobody if the alarm's actions are off.
    pub fn actions(&self) -> Vec<Action> {
        let settings = &self.alarm.settings;
        let topics = match self.alarm.state.value {
            StateValue::Ok => &settings.ok_actions,
            StateValue::Alarm => &settings.alarm_actions,
            StateValue::InsufficientData => &settings.insufficient_data_actions,
        };
        if !settings.actions_enabled || topics.is_empty() {
            return Vec::new();
        }
        let (subject, message) = (self.subject(), self.message());
        let tell = |topic: &String| Action { topic: topic.clone(), subject: subject.clone(), message: message.clone() };
        topics.iter().map(tell).collect()
    }

    fn subject(&self) -> String {
        let region = region_name(self.alarm.region());
        let subject = format!("{}: \"{}\" in {region}", self.alarm.state.value.name(), self.alarm.name);
        // A subject is ASCII without control characters.
        let plain = subject.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' });
        plain.take(SUBJECT_CHARS_MAX).collect()
    }

    /// The text that topics are told, as CloudWatch writes it.
    fn message(&self) -> String {
        let (alarm, settings) = (&self.alarm, &self.alarm.settings);
        let dimensions: Vec<Value> = settings
            .metric
            .dimensions
            .iter()
            .map(|dimension| json!({"value": dimension.value, "name": dimension.name}))
            .collect();
        let message = json!({
            "AlarmName": alarm.name,
            "AlarmDescription": settings.description,
            "AWSAccountId": alarm.account(),
            "AlarmConfigurationUpdatedTimestamp": dated(alarm.configured),
            "NewStateValue": alarm.state.value.name(),
            "NewStateReason": alarm.state.reason,
            "StateChangeTime": dated(alarm.state.updated),
            "Region": region_name(alarm.region()),
            "AlarmArn": alarm.arn().to_string(),
            "OldStateValue": self.before.value.name(),
            "OKActions": settings.ok_actions,
            "AlarmActions": settings.alarm_actions,
            "InsufficientDataActions": settings.insufficient_data_actions,
            "Trigger": {
                "MetricName": settings.metric.name,
                "Namespace": settings.metric.namespace,
                "StatisticType": "Statistic",
                "Statistic": statistic_word(settings.statistic),
                "Unit": settings.unit.map(crate::Unit::name),
                "Dimensions": dimensions,
                "Period": settings.period_s,
                "EvaluationPeriods": settings.evaluation_periods,
                "DatapointsToAlarm": settings.datapoints(),
                "ComparisonOperator": settings.comparison.name(),
                "Threshold": settings.threshold,
                "TreatMissingData": settings.missing.unwrap_or(Missing::Missing).name(),
                "EvaluateLowSampleCountPercentile": "",
            },
        });
        message.to_string()
    }

    /// The detail of the event "CloudWatch Alarm State Change". `metric_id` names the metric in it: a UUID.
    pub fn detail(&self, metric_id: &str) -> Value {
        let settings = &self.alarm.settings;
        let dimensions: Map<String, Value> =
            settings.metric.dimensions.iter().map(|one| (one.name.clone(), json!(one.value))).collect();
        let mut stat = json!({
            "metric": {"namespace": settings.metric.namespace, "name": settings.metric.name, "dimensions": dimensions},
            "period": settings.period_s,
            "stat": settings.statistic.name(),
        });
        if let Some(unit) = settings.unit {
            stat["unit"] = json!(unit.name());
        }
        let metrics = json!([{"id": metric_id, "metricStat": stat, "returnData": true}]);
        let mut configuration = json!({"metrics": metrics});
        if let Some(description) = &settings.description {
            configuration["description"] = json!(description);
        }
        json!({
            "alarmName": self.alarm.name,
            "state": state_of(&self.alarm.state),
            "previousState": state_of(&self.before),
            "configuration": configuration,
        })
    }
}

fn state_of(state: &State) -> Value {
    let mut shown = json!({
        "value": state.value.name(), "reason": state.reason, "timestamp": dated(state.updated),
    });
    if let Some(data) = &state.reason_data {
        shown["reasonData"] = json!(data);
    }
    shown
}

/// `SUM`, `SAMPLE_COUNT`.
fn statistic_word(statistic: crate::Statistic) -> &'static str {
    match statistic {
        crate::Statistic::SampleCount => "SAMPLE_COUNT",
        crate::Statistic::Average => "AVERAGE",
        crate::Statistic::Sum => "SUM",
        crate::Statistic::Minimum => "MINIMUM",
        crate::Statistic::Maximum => "MAXIMUM",
    }
}

/// The name that notifications have for a region; of one without such a name, its own.
pub fn region_name(region: &str) -> &str {
    match region {
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        "af-south-1" => "Africa (Cape Town)",
        "ap-east-1" => "Asia Pacific (Hong Kong)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        "ap-northeast-2" => "Asia Pacific (Seoul)",
        "ap-northeast-3" => "Asia Pacific (Osaka)",
        "ap-south-1" => "Asia Pacific (Mumbai)",
        "ap-south-2" => "Asia Pacific (Hyderabad)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        "ap-southeast-3" => "Asia Pacific (Jakarta)",
        "ap-southeast-4" => "Asia Pacific (Melbourne)",
        "ca-central-1" => "Canada (Central)",
        "ca-west-1" => "Canada West (Calgary)",
        "cn-north-1" => "China (Beijing)",
        "cn-northwest-1" => "China (Ningxia)",
        "eu-central-1" => "EU (Frankfurt)",
        "eu-central-2" => "EU (Zurich)",
        "eu-north-1" => "EU (Stockholm)",
        "eu-south-1" => "EU (Milan)",
        "eu-south-2" => "EU (Spain)",
        "eu-west-1" => "EU (Ireland)",
        "eu-west-2" => "EU (London)",
        "eu-west-3" => "EU (Paris)",
        "il-central-1" => "Israel (Tel Aviv)",
        "me-central-1" => "Middle East (UAE)",
        "me-south-1" => "Middle East (Bahrain)",
        "sa-east-1" => "South America (Sao Paulo)",
        "us-gov-east-1" => "AWS GovCloud (US-East)",
        "us-gov-west-1" => "AWS GovCloud (US-West)",
        other => other,
    }
}
