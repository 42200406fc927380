//! What names, dimensions and units must be like.

use aws_api::cloudwatch::Dimension;
use aws_api::{ApiError, RequestContext};

use crate::{Metric, Unit, refusal};

const NAME_CHARS_MAX: usize = 255;
const DIMENSION_VALUE_CHARS_MAX: usize = 1024;
const DIMENSIONS_MAX: usize = 30;

/// A namespace or the name of a metric.
pub(crate) fn name<'n>(value: Option<&'n String>, parameter: &str) -> Result<&'n str, ApiError> {
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| refusal::missing(parameter))?;
    let fits = value.chars().count() <= NAME_CHARS_MAX && value.chars().all(|c| !c.is_control());
    if !fits || (parameter.ends_with("Namespace") && value.starts_with(':')) {
        return Err(refusal::invalid_value(value, parameter));
    }
    Ok(value)
}

/// All dimensions of a metric. `at` is where they stand in the request: `MetricData.member.1.`
pub(crate) fn dimensions(given: &[Dimension], at: &str) -> Result<(), ApiError> {
    if given.len() > DIMENSIONS_MAX {
        return Err(refusal::invalid(format!("The parameter {at}Dimensions has more than {DIMENSIONS_MAX} members.")));
    }
    for (n, dimension) in (1..).zip(given) {
        let parts = [("Name", &dimension.name, NAME_CHARS_MAX), ("Value", &dimension.value, DIMENSION_VALUE_CHARS_MAX)];
        for (part, text, max) in parts {
            let parameter = format!("{at}Dimensions.member.{n}.{part}");
            if text.is_empty() {
                return Err(refusal::missing(&parameter));
            }
            let fits = text.chars().count() <= max && text.is_ascii() && text.chars().all(|c| !c.is_control());
            if !fits || (part == "Name" && text.starts_with(':')) {
                return Err(refusal::invalid_value(text, &parameter));
            }
        }
        if given[..n - 1].iter().any(|other| other.name == dimension.name) {
            return Err(refusal::invalid_value(&dimension.name, &format!("{at}Dimensions.member.{n}.Name")));
        }
    }
    Ok(())
}

/// A unit, if one is given.
pub(crate) fn unit(given: Option<&String>, parameter: &str) -> Result<Option<Unit>, ApiError> {
    given.map(|name| Unit::parse(name).ok_or_else(|| refusal::invalid_value(name, parameter))).transpose()
}

/// A whole metric of the caller's.
pub(crate) fn metric(
    ctx: &RequestContext,
    namespace: Option<&String>,
    metric_name: Option<&String>,
    given: &[Dimension],
    at: &str,
) -> Result<Metric, ApiError> {
    let namespace = name(namespace, &format!("{at}Namespace"))?;
    let metric_name = name(metric_name, &format!("{at}MetricName"))?;
    dimensions(given, at)?;
    Ok(Metric::new(ctx.account(), &ctx.region, namespace, metric_name, given.to_vec()))
}
