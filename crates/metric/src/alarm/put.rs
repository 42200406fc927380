//! `PutMetricAlarm` and the other operations that change alarms.

use std::collections::BTreeMap;

use aws_api::cloudwatch::{
    DeleteAlarmsInput, EmptyOutput, ListTagsForResourceInput, ListTagsForResourceOutput, PutMetricAlarmInput,
    SetAlarmStateInput, Tag, TagResourceInput, UntagResourceInput,
};
use aws_api::{ApiError, Arn, Change, RequestContext, SYSTEM_TAG_REFUSED, user_tags};

use super::{Alarm, Alarms, Comparison, Item, Missing, Settings, State, StateValue, Transition};
use crate::{Metric, Statistic, check, refusal};

/// "You can create up to 5000 alarms per region per AWS account."
const ALARMS_MAX: usize = 5000;
const NAME_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 1024;
const ACTIONS_MAX: usize = 5;
const NAMES_MAX: usize = 100;
const TAGS_MAX: usize = 50;
const REASON_CHARS_MAX: usize = 1023;
const REASON_DATA_CHARS_MAX: usize = 4000;
/// "The number of evaluation periods … multiplied by the length of each … cannot exceed" a week where a period is an hour or
/// more, and a day otherwise.
const DAY_S: u64 = 86_400;
const WEEK_S: u64 = 7 * DAY_S;
const INITIAL_REASON: &str = "Unchecked: Initial alarm creation";

/// What is to be committed of a decision about alarms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decided {
    /// Rows of alarms.
    pub changes: Vec<Change>,
    /// What their history tells of it.
    pub items: Vec<(Alarm, Item)>,
}

impl Alarms {
    /// Makes an alarm, or gives one other settings.
    pub fn put_metric_alarm(&self, ctx: &RequestContext, req: &PutMetricAlarmInput) -> Result<Decided, ApiError> {
        let name = alarm_name(req.alarm_name.as_ref(), "alarmName")?;
        let settings = settings(ctx, req)?;
        let tags = tags(ctx, &req.tags)?;
        if let Some(before) = self.named(ctx, name) {
            let alarm = Alarm { settings, configured: ctx.now, ..before.clone() };
            let item = Item::updated(&alarm, ctx.now);
            return Ok(Decided { changes: vec![Change::put(&alarm)], items: vec![(alarm, item)] });
        }
        if self.of_caller(ctx).count() >= ALARMS_MAX {
            let message = format!("The maximum limit of {ALARMS_MAX} alarms has been reached.");
            return Err(ApiError::new("LimitExceededFault", message));
        }
        let state = State {
            value: StateValue::InsufficientData,
            reason: INITIAL_REASON.into(),
            reason_data: None,
            updated: ctx.now,
            transitioned: ctx.now,
        };
        let alarm = Alarm { name: name.to_owned(), settings, tags, configured: ctx.now, state };
        let item = Item::created(&alarm, ctx.now);
        Ok(Decided { changes: vec![Change::put(&alarm)], items: vec![(alarm, item)] })
    }

    /// Removes alarms. Of several names those that there are not are passed over.
    pub fn delete_alarms(&self, ctx: &RequestContext, req: &DeleteAlarmsInput) -> Result<Decided, ApiError> {
        check_names(&req.alarm_names)?;
        if let [name] = req.alarm_names.as_slice()
            && self.named(ctx, name).is_none()
        {
            return Err(not_found());
        }
        let mut decided = Decided::default();
        for alarm in req.alarm_names.iter().filter_map(|name| self.named(ctx, name)) {
            decided.changes.push(Change::delete::<Alarm>(aws_api::Entity::key(alarm)));
            decided.items.push((alarm.clone(), Item::deleted(alarm, ctx.now)));
        }
        Ok(decided)
    }

    /// Has the actions of alarms done, or not.
    pub fn set_actions_enabled(
        &self,
        ctx: &RequestContext,
        names: &[String],
        enabled: bool,
    ) -> Result<Decided, ApiError> {
        check_names(names)?;
        let mut decided = Decided::default();
        for before in names.iter().filter_map(|name| self.named(ctx, name)) {
            if before.settings.actions_enabled == enabled {
                continue;
            }
            let mut alarm = before.clone();
            alarm.settings.actions_enabled = enabled;
            alarm.configured = ctx.now;
            decided.changes.push(Change::put(&alarm));
            decided.items.push((alarm.clone(), Item::updated(&alarm, ctx.now)));
        }
        Ok(decided)
    }

    /// Sets an alarm's state; `None` if it is in that state already, for then nothing is done.
    pub fn set_alarm_state(
        &self,
        ctx: &RequestContext,
        req: &SetAlarmStateInput,
    ) -> Result<Option<Transition>, ApiError> {
        let name = alarm_name(req.alarm_name.as_ref(), "alarmName")?;
        let given = req.state_value.as_deref().ok_or_else(|| refusal::missing("StateValue"))?;
        let value = StateValue::parse(given).ok_or_else(|| refusal::one_of(given, "stateValue", StateValue::NAMES))?;
        let reason = req.state_reason.as_deref().ok_or_else(|| refusal::missing("StateReason"))?;
        if reason.chars().count() > REASON_CHARS_MAX {
            return Err(refusal::length(reason, "stateReason", REASON_CHARS_MAX));
        }
        let data = req.state_reason_data.as_deref();
        if data.is_some_and(|data| data.chars().count() > REASON_DATA_CHARS_MAX) {
            return Err(refusal::length(data.unwrap_or_default(), "stateReasonData", REASON_DATA_CHARS_MAX));
        }
        if data.is_some_and(|data| serde_json::from_str::<serde::de::IgnoredAny>(data).is_err()) {
            return Err(ApiError::new("InvalidFormatFault", "StateReasonData was not syntactically valid JSON."));
        }
        let alarm = self.named(ctx, name).ok_or_else(not_found)?;
        if alarm.state.value == value {
            return Ok(None);
        }
        Ok(Some(alarm.become_state(value, reason.to_owned(), data.map(ToOwned::to_owned), ctx.now)))
    }

    /// Sets labels.
    pub fn tag_resource(
        &self,
        ctx: &RequestContext,
        req: &TagResourceInput,
    ) -> Result<(EmptyOutput, Vec<Change>), ApiError> {
        let mut alarm = self.by_arn(ctx, &req.resource_arn)?.clone();
        alarm.tags.extend(tags(ctx, &req.tags)?);
        if user_tags(alarm.tags.keys()) > TAGS_MAX {
            return Err(refusal::invalid(format!("A resource has up to {TAGS_MAX} tags.")));
        }
        Ok((EmptyOutput {}, vec![Change::put(&alarm)]))
    }

    /// Takes labels away.
    pub fn untag_resource(
        &self,
        ctx: &RequestContext,
        req: &UntagResourceInput,
    ) -> Result<(EmptyOutput, Vec<Change>), ApiError> {
        let mut alarm = self.by_arn(ctx, &req.resource_arn)?.clone();
        req.tag_keys.iter().try_for_each(|key| check_tag_owner(ctx, key))?;
        alarm.tags.retain(|key, _| !req.tag_keys.contains(key));
        Ok((EmptyOutput {}, vec![Change::put(&alarm)]))
    }

    /// Shows labels.
    pub fn list_tags_for_resource(
        &self,
        ctx: &RequestContext,
        req: &ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, ApiError> {
        let tags = self.by_arn(ctx, &req.resource_arn)?.tags.iter();
        let tags = tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
        Ok(ListTagsForResourceOutput { tags: tags.collect() })
    }

    fn by_arn(&self, ctx: &RequestContext, text: &str) -> Result<&Alarm, ApiError> {
        if text.is_empty() {
            return Err(refusal::missing("ResourceARN"));
        }
        let arn: Arn = text.parse().map_err(|_| refusal::invalid_value(text, "ResourceARN"))?;
        let of_caller = arn.service == "cloudwatch" && arn.region == ctx.region && arn.account == ctx.account();
        let name = arn.resource.strip_prefix("alarm:").filter(|_| of_caller);
        name.and_then(|name| self.named(ctx, name)).ok_or_else(|| {
            let message = format!("The resource {} does not exist.", text.chars().take(255).collect::<String>());
            ApiError::new("ResourceNotFoundException", message).with_status(404)
        })
    }
}

/// Without a message, as AWS has it.
fn not_found() -> ApiError {
    ApiError::new("ResourceNotFound", "").with_status(404)
}

pub(super) fn alarm_name<'n>(given: Option<&'n String>, member: &str) -> Result<&'n str, ApiError> {
    let name = given.ok_or_else(|| refusal::missing("AlarmName"))?;
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(refusal::length(name, member, NAME_CHARS_MAX));
    }
    if name.chars().any(char::is_control) {
        return Err(refusal::invalid_value(name, "AlarmName"));
    }
    Ok(name)
}

pub(super) fn check_names(names: &[String]) -> Result<(), ApiError> {
    if names.len() > NAMES_MAX {
        let message = format!("The collection AlarmNames must not have a size greater than {NAMES_MAX}.");
        return Err(refusal::invalid(message));
    }
    names.iter().try_for_each(|name| alarm_name(Some(name), "alarmNames").map(drop))
}

/// Is the label the caller's to set and to remove?
fn check_tag_owner(ctx: &RequestContext, key: &str) -> Result<(), ApiError> {
    if ctx.may_tag(key) { Ok(()) } else { Err(refusal::invalid(SYSTEM_TAG_REFUSED)) }
}

fn tags(ctx: &RequestContext, given: &[Tag]) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for Tag { key, value } in given {
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits {
            return Err(refusal::invalid_value(key, "Tags"));
        }
        check_tag_owner(ctx, key)?;
        tags.insert(key.clone(), value.clone());
    }
    if user_tags(tags.keys()) > TAGS_MAX {
        return Err(refusal::invalid(format!("A resource has up to {TAGS_MAX} tags.")));
    }
    Ok(tags)
}

fn settings(ctx: &RequestContext, req: &PutMetricAlarmInput) -> Result<Settings, ApiError> {
    let description = req.alarm_description.clone();
    if let Some(text) = description.as_ref().filter(|text| text.chars().count() > DESCRIPTION_CHARS_MAX) {
        return Err(refusal::length(text, "alarmDescription", DESCRIPTION_CHARS_MAX));
    }
    let actions = |given: &[String], member: &str| actions(given, member).map(|()| given.to_vec());
    let periods = positive(req.evaluation_periods, "EvaluationPeriods")?;
    let datapoints = req.datapoints_to_alarm.map(|count| positive(Some(count), "DatapointsToAlarm")).transpose()?;
    if datapoints.is_some_and(|count| count > periods) {
        let message = "The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods";
        return Err(refusal::validation(message));
    }
    let length_s = period(req.period)?;
    let limit = if length_s >= 3600 { WEEK_S } else { DAY_S };
    if u64::from(length_s) * u64::from(periods) > limit {
        return Err(refusal::validation(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or than a week if \
             the Period is an hour or more.",
        ));
    }
    if req.evaluate_low_sample_count_percentile.is_some() {
        let message = "EvaluateLowSampleCountPercentile is for percentiles, which are not supported.";
        return Err(refusal::combination(message));
    }
    let threshold = req.threshold.ok_or_else(|| refusal::missing("Threshold"))?;
    if !threshold.is_finite() {
        return Err(refusal::invalid_value(threshold, "Threshold"));
    }
    Ok(Settings {
        description,
        actions_enabled: req.actions_enabled.unwrap_or(true),
        ok_actions: actions(&req.ok_actions, "OKActions")?,
        alarm_actions: actions(&req.alarm_actions, "AlarmActions")?,
        insufficient_data_actions: actions(&req.insufficient_data_actions, "InsufficientDataActions")?,
        metric: metric(ctx, req)?,
        unit: check::unit(req.unit.as_ref(), "Unit")?,
        statistic: statistic(req)?,
        period_s: length_s,
        evaluation_periods: periods,
        datapoints_to_alarm: datapoints,
        threshold,
        comparison: comparison(req)?,
        missing: missing(req)?,
    })
}

fn metric(ctx: &RequestContext, req: &PutMetricAlarmInput) -> Result<Metric, ApiError> {
    check::metric(ctx, req.namespace.as_ref(), req.metric_name.as_ref(), &req.dimensions, "")
}

fn statistic(req: &PutMetricAlarmInput) -> Result<Statistic, ApiError> {
    if let Some(percentile) = &req.extended_statistic {
        return Err(refusal::no_percentiles("ExtendedStatistic", percentile));
    }
    let name = req.statistic.as_deref().ok_or_else(|| refusal::missing("Statistic"))?;
    let names = Statistic::ALL.map(|(name, _)| name);
    Statistic::parse(name).ok_or_else(|| refusal::one_of(name, "statistic", &names))
}

fn comparison(req: &PutMetricAlarmInput) -> Result<Comparison, ApiError> {
    let name = req.comparison_operator.as_deref().ok_or_else(|| refusal::missing("ComparisonOperator"))?;
    Comparison::parse(name).ok_or_else(|| refusal::one_of(name, "comparisonOperator", Comparison::NAMES))
}

fn missing(req: &PutMetricAlarmInput) -> Result<Option<Missing>, ApiError> {
    let parse = |name: &String| {
        Missing::parse(name).ok_or_else(|| {
            refusal::validation(format!(
                "{} is an invalid value for TreatMissingData parameter. Valid values are [breaching, notBreaching, ignore, \
                 missing].",
                name.chars().take(255).collect::<String>()
            ))
        })
    };
    req.treat_missing_data.as_ref().map(parse).transpose()
}

fn positive(given: Option<i32>, parameter: &str) -> Result<u32, ApiError> {
    let given = given.ok_or_else(|| refusal::missing(parameter))?;
    let positive = u32::try_from(given).ok().filter(|count| *count > 0);
    positive.ok_or_else(|| {
        let mut member = parameter.to_owned();
        member[..1].make_ascii_lowercase();
        refusal::constraint(&given.to_string(), &member, "Member must have value greater than or equal to 1")
    })
}

/// 10, 20, 30, or a multiple of 60 seconds.
fn period(given: Option<i32>) -> Result<u32, ApiError> {
    let period = positive(given, "Period")?;
    if matches!(period, 10 | 20 | 30) || period % 60 == 0 {
        return Ok(period);
    }
    Err(refusal::validation("Period must be 10, 20, 30 or a multiple of 60"))
}

/// Other actions (of instances, of automatic scaling, of functions) have nobody here who would do them.
fn actions(given: &[String], member: &str) -> Result<(), ApiError> {
    if given.len() > ACTIONS_MAX {
        return Err(refusal::validation(format!("{member} has up to {ACTIONS_MAX} members.")));
    }
    for action in given {
        let shown: String = action.chars().take(255).collect();
        let Ok(arn) = action.parse::<Arn>() else {
            return Err(refusal::validation(format!("Invalid arn syntax: {shown}")));
        };
        if arn.service != "sns" || arn.resource.contains(':') {
            let message = format!("{member}: only topics of Amazon SNS are supported as actions, not {shown}");
            return Err(refusal::validation(message));
        }
    }
    Ok(())
}
