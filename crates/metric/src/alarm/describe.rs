//! What alarms there are.

use aws_api::cloudwatch::{
    DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput, DescribeAlarmsInput, DescribeAlarmsOutput, MetricAlarm,
};
use aws_api::{ApiError, Moment, RequestContext};

use super::{Alarm, Alarms, StateValue, history, put};
use crate::{Statistic, check, refusal};

const TYPES: [&str; 3] = ["CompositeAlarm", "MetricAlarm", "LogAlarm"];

/// An alarm as it is shown.
#[expect(clippy::cast_possible_wrap, reason = "they were positive i32 when they were put")]
pub(super) fn view(alarm: &Alarm) -> MetricAlarm {
    let (settings, state) = (&alarm.settings, &alarm.state);
    MetricAlarm {
        alarm_name: alarm.name.clone(),
        alarm_arn: alarm.arn().to_string(),
        alarm_description: settings.description.clone(),
        alarm_configuration_updated_timestamp: Moment(alarm.configured),
        actions_enabled: settings.actions_enabled,
        ok_actions: settings.ok_actions.clone(),
        alarm_actions: settings.alarm_actions.clone(),
        insufficient_data_actions: settings.insufficient_data_actions.clone(),
        state_value: state.value.name().to_owned(),
        state_reason: state.reason.clone(),
        state_reason_data: state.reason_data.clone(),
        state_updated_timestamp: Moment(state.updated),
        metric_name: settings.metric.name.clone(),
        namespace: settings.metric.namespace.clone(),
        statistic: settings.statistic.name().to_owned(),
        dimensions: settings.metric.dimensions.clone(),
        period: settings.period_s as i32,
        unit: settings.unit.map(|unit| unit.name().to_owned()),
        evaluation_periods: settings.evaluation_periods as i32,
        datapoints_to_alarm: settings.datapoints_to_alarm.map(|count| count as i32),
        threshold: settings.threshold,
        comparison_operator: settings.comparison.name().to_owned(),
        treat_missing_data: settings.missing.map(|missing| missing.name().to_owned()),
        state_transitioned_timestamp: Some(Moment(state.transitioned)),
    }
}

impl Alarms {
    /// A page of alarms.
    pub fn describe_alarms(
        &self,
        ctx: &RequestContext,
        req: &DescribeAlarmsInput,
    ) -> Result<DescribeAlarmsOutput, ApiError> {
        put::check_names(&req.alarm_names)?;
        if !req.alarm_names.is_empty() && req.alarm_name_prefix.is_some() {
            let message =
                "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.";
            return Err(refusal::combination(message));
        }
        if let Some(other) = req.alarm_types.iter().find(|kind| !TYPES.contains(&kind.as_str())) {
            return Err(refusal::one_of(other, "alarmTypes", &TYPES));
        }
        let state = req
            .state_value
            .as_deref()
            .map(|name| StateValue::parse(name).ok_or_else(|| refusal::one_of(name, "stateValue", StateValue::NAMES)));
        let (state, limit) = (state.transpose()?, history::limit(req.max_records)?);
        let after = req.next_token.as_deref();
        if !req.alarm_types.is_empty() && req.alarm_types.iter().all(|kind| kind != "MetricAlarm") {
            return Ok(DescribeAlarmsOutput::default());
        }
        let fits = |alarm: &&Alarm| {
            let actions = &alarm.settings;
            let mut actions =
                actions.ok_actions.iter().chain(&actions.alarm_actions).chain(&actions.insufficient_data_actions);
            after.is_none_or(|after| alarm.name.as_str() > after)
                && (req.alarm_names.is_empty() || req.alarm_names.contains(&alarm.name))
                && req.alarm_name_prefix.as_ref().is_none_or(|prefix| alarm.name.starts_with(prefix.as_str()))
                && state.is_none_or(|state| alarm.state.value == state)
                && req.action_prefix.as_ref().is_none_or(|prefix| actions.any(|one| one.starts_with(prefix.as_str())))
        };
        let mut found: Vec<&Alarm> = self.of_caller(ctx).filter(fits).take(limit + 1).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let next_token = found.last().filter(|_| more).map(|alarm| alarm.name.clone());
        let metric_alarms = found.into_iter().map(view).collect();
        Ok(DescribeAlarmsOutput { metric_alarms, next_token, ..DescribeAlarmsOutput::default() })
    }

    /// The alarms on one metric.
    pub fn describe_alarms_for_metric(
        &self,
        ctx: &RequestContext,
        req: &DescribeAlarmsForMetricInput,
    ) -> Result<DescribeAlarmsForMetricOutput, ApiError> {
        let metric = check::metric(ctx, req.namespace.as_ref(), req.metric_name.as_ref(), &req.dimensions, "")?;
        let unit = check::unit(req.unit.as_ref(), "Unit")?;
        if let Some(percentile) = &req.extended_statistic {
            return Err(refusal::no_percentiles("ExtendedStatistic", percentile));
        }
        let names = Statistic::ALL.map(|(name, _)| name);
        let statistic = req
            .statistic
            .as_deref()
            .map(|name| Statistic::parse(name).ok_or_else(|| refusal::one_of(name, "statistic", &names)));
        let statistic = statistic.transpose()?;
        let fits = |alarm: &&Alarm| {
            let settings = &alarm.settings;
            settings.metric == metric
                && statistic.is_none_or(|statistic| settings.statistic == statistic)
                && req.period.is_none_or(|period| i64::from(settings.period_s) == i64::from(period))
                && unit.is_none_or(|unit| settings.unit == Some(unit))
        };
        Ok(DescribeAlarmsForMetricOutput { metric_alarms: self.of_caller(ctx).filter(fits).map(view).collect() })
    }
}
