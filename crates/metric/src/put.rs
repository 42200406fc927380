//! `PutMetricData`: from a request to values.

use aws_api::cloudwatch::{MetricDatum, PutMetricDataInput};
use aws_api::{ApiError, RequestContext, Timestamp};

use crate::{Metric, Series, Statistics, Tier, Unit, check, refusal};

const DATA_MAX: usize = 1000;
const VALUES_MAX: usize = 150;
/// "Values must be in the range of -2^360 to 2^360."
const VALUE_MAX: f64 = 2.348_542_582_773_833e108;
/// "Data points with time stamps … between two weeks before the current date and up to 2 hours after".
const PAST_S: i64 = 14 * 86_400;
const FUTURE_S: i64 = 2 * 3600;

/// Values of one series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// Which series.
    pub series: Series,
    /// How finely they are to be kept.
    pub tier: Tier,
    /// When.
    pub moment: Timestamp,
    /// The values.
    pub values: Statistics,
}

/// Reads what a request puts: all of it, or nothing.
pub fn read(ctx: &RequestContext, req: &PutMetricDataInput) -> Result<Vec<Put>, ApiError> {
    let namespace = check::name(req.namespace.as_ref(), "Namespace")?;
    if namespace.starts_with("AWS/") {
        return Err(refusal::invalid_value(namespace, "Namespace"));
    }
    if req.metric_data.is_empty() {
        return Err(refusal::missing("MetricData"));
    }
    if req.metric_data.len() > DATA_MAX {
        let message = format!("The collection MetricData must not have a size greater than {DATA_MAX}.");
        return Err(refusal::invalid(message));
    }
    let mut puts = Vec::with_capacity(req.metric_data.len());
    for (n, datum) in (1..).zip(&req.metric_data) {
        puts.push(datum_of(ctx, namespace, datum, &format!("MetricData.member.{n}."))?);
    }
    Ok(puts)
}

fn datum_of(ctx: &RequestContext, namespace: &str, datum: &MetricDatum, at: &str) -> Result<Put, ApiError> {
    let name = check::name(datum.metric_name.as_ref(), &format!("{at}MetricName"))?;
    check::dimensions(&datum.dimensions, at)?;
    let unit = check::unit(datum.unit.as_ref(), &format!("{at}Unit"))?.unwrap_or(Unit::NONE);
    let tier = match datum.storage_resolution {
        None | Some(60) => Tier::Minute,
        Some(1) => Tier::Second,
        Some(other) => return Err(refusal::invalid_value(other, &format!("{at}StorageResolution"))),
    };
    let moment = datum.timestamp.map_or(ctx.now, |given| given.0);
    let parameter = format!("{at}Timestamp");
    if moment > ctx.now.plus_secs(FUTURE_S) {
        let message = format!("The parameter {parameter} must specify a time no more than two hours in the future.");
        return Err(refusal::invalid(message));
    }
    if moment < ctx.now.plus_secs(-PAST_S) {
        let message = format!("The parameter {parameter} must specify a time within the past two weeks.");
        return Err(refusal::invalid(message));
    }
    let values = values_of(datum, at)?;
    let metric = Metric::new(ctx.account(), &ctx.region, namespace, name, datum.dimensions.clone());
    Ok(Put { series: Series { metric, unit }, tier, moment, values })
}

fn values_of(datum: &MetricDatum, at: &str) -> Result<Statistics, ApiError> {
    let exclusive = |a: &str, b: &str| {
        refusal::combination(format!(
            "The parameters {at}{a} and {at}{b} are mutually exclusive and you have specified both."
        ))
    };
    match (datum.value, &datum.statistic_values, datum.values.as_slice()) {
        (Some(_), Some(_), _) => Err(exclusive("Value", "StatisticValues")),
        (Some(_), None, [_, ..]) => Err(exclusive("Value", "Values")),
        (None, Some(_), [_, ..]) => Err(exclusive("StatisticValues", "Values")),
        (Some(value), None, []) => Ok(Statistics::one(number(value, at, "Value")?)),
        (None, Some(set), []) => statistics(set, at),
        (None, None, []) if !datum.counts.is_empty() => Err(sizes(at)),
        (None, None, []) => Err(refusal::missing(&format!("{at}Value"))),
        (None, None, values) => counted(values, &datum.counts, at),
    }
}

fn sizes(at: &str) -> ApiError {
    refusal::invalid(format!("The parameters {at}Values and {at}Counts must be of the same size."))
}

fn counted(values: &[f64], counts: &[f64], at: &str) -> Result<Statistics, ApiError> {
    if values.len() > VALUES_MAX {
        return Err(refusal::invalid(format!(
            "The collection {at}Values must not have a size greater than {VALUES_MAX}."
        )));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(sizes(at));
    }
    let mut all: Option<Statistics> = None;
    for (n, value) in values.iter().enumerate() {
        let value = number(*value, at, &format!("Values.member.{}", n + 1))?;
        let count = counts.get(n).copied().unwrap_or(1.0);
        let count = positive(count, at, &format!("Counts.member.{}", n + 1))?;
        let one = Statistics::repeated(value, count);
        match &mut all {
            Some(all) => all.merge(one),
            None => all = Some(one),
        }
    }
    all.ok_or_else(|| refusal::missing(&format!("{at}Value")))
}

fn statistics(set: &aws_api::cloudwatch::StatisticSet, at: &str) -> Result<Statistics, ApiError> {
    let part = |value: Option<f64>, name: &str| {
        let name = format!("StatisticValues.{name}");
        number(value.ok_or_else(|| refusal::missing(&format!("{at}{name}")))?, at, &name)
    };
    let count = part(set.sample_count, "SampleCount")?;
    let (sum, min, max) = (part(set.sum, "Sum")?, part(set.minimum, "Minimum")?, part(set.maximum, "Maximum")?);
    let count = positive(count, at, "StatisticValues.SampleCount")?;
    if min > max {
        let message = format!(
            "The parameter {at}StatisticValues.Minimum must be less than or equal to {at}StatisticValues.Maximum."
        );
        return Err(refusal::combination(message));
    }
    Ok(Statistics { count, sum, min, max })
}

fn number(value: f64, at: &str, name: &str) -> Result<f64, ApiError> {
    // A value that is no number compares with nothing.
    if value.abs() <= VALUE_MAX { Ok(value) } else { Err(refusal::invalid_value(value, &format!("{at}{name}"))) }
}

fn positive(count: f64, at: &str, name: &str) -> Result<f64, ApiError> {
    if count > 0.0 && count <= VALUE_MAX {
        Ok(count)
    } else {
        Err(refusal::invalid_value(count, &format!("{at}{name}")))
    }
}

/// The account has too many series for what was put.
pub fn too_many_series() -> ApiError {
    let message = format!("The account has {} metrics, which is as many as are kept.", crate::SERIES_MAX);
    ApiError::new("LimitExceededFault", message)
}
