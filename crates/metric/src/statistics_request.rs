//! `GetMetricStatistics`.

use aws_api::cloudwatch::{Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput};
use aws_api::{ApiError, Moment, RequestContext, Timestamp};

use crate::window::{self, Ask, Periods, Window};
use crate::{Statistic, Unit, check, refusal};

const DATAPOINTS_MAX: i64 = 1440;
const STATISTICS_MAX: usize = 5;

/// A request that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsRequest {
    /// The points to read.
    pub ask: Ask,
    statistics: Vec<Statistic>,
}

impl StatisticsRequest {
    /// Checks a request.
    pub fn read(ctx: &RequestContext, req: &GetMetricStatisticsInput) -> Result<Self, ApiError> {
        let metric = check::metric(ctx, req.namespace.as_ref(), req.metric_name.as_ref(), &req.dimensions, "")?;
        let start = req.start_time.ok_or_else(|| refusal::missing("StartTime"))?.0;
        let end = req.end_time.ok_or_else(|| refusal::missing("EndTime"))?.0;
        let period = window::period(req.period, "Period")?;
        if start >= end {
            return Err(refusal::invalid("The parameter StartTime must be less than the parameter EndTime."));
        }
        if let Some(percentile) = req.extended_statistics.first() {
            return Err(refusal::no_percentiles("ExtendedStatistics.member.1", percentile));
        }
        if req.statistics.is_empty() {
            return Err(refusal::combination(
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
            ));
        }
        if req.statistics.len() > STATISTICS_MAX {
            let message = format!("The collection Statistics must not have a size greater than {STATISTICS_MAX}.");
            return Err(refusal::invalid(message));
        }
        let mut statistics = Vec::with_capacity(req.statistics.len());
        for (n, name) in (1..).zip(&req.statistics) {
            let refused = || refusal::invalid_value(name, &format!("Statistics.member.{n}"));
            statistics.push(Statistic::parse(name).ok_or_else(refused)?);
        }
        let unit = check::unit(req.unit.as_ref(), "Unit")?;
        let window =
            Window { start: window::rounded_start(start, period, ctx.now), end: window::rounded_end(end), period };
        let count = window.count();
        if count > DATAPOINTS_MAX {
            return Err(refusal::combination(format!(
                "You have requested up to {count} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may reduce the \
                 datapoints requested by increasing Period, or decreasing the time range."
            )));
        }
        Ok(Self { ask: Ask { metric, unit, window }, statistics })
    }

    /// The answer from what was read.
    pub fn answer(&self, units: &[(Unit, Periods)]) -> GetMetricStatisticsOutput {
        let mut datapoints: Vec<_> = units
            .iter()
            .flat_map(|(unit, periods)| {
                periods.iter().map(|(secs, values)| {
                    let wanted = |statistic| self.statistics.contains(&statistic).then(|| values.get(statistic));
                    Datapoint {
                        timestamp: Moment(Timestamp::from_secs(*secs)),
                        sample_count: wanted(Statistic::SampleCount),
                        average: wanted(Statistic::Average),
                        sum: wanted(Statistic::Sum),
                        minimum: wanted(Statistic::Minimum),
                        maximum: wanted(Statistic::Maximum),
                        unit: unit.name().to_owned(),
                    }
                })
            })
            .collect();
        datapoints.sort_by_key(|point| point.timestamp);
        GetMetricStatisticsOutput { label: self.ask.metric.name.clone(), datapoints }
    }
}
