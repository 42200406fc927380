//! `GetMetricData`.

use std::collections::HashMap;

use aws_api::cloudwatch::{GetMetricDataInput, GetMetricDataOutput, MetricDataQuery, MetricDataResult, MetricStat};
use aws_api::{ApiError, Moment, RequestContext, Timestamp};

use crate::expression::{Environment, Expression, TimeSeries, Value, evaluate, parse};
use crate::window::{self, Ask, Periods, Window};
use crate::{Statistic, check, refusal};

const QUERIES_MAX: usize = 500;
const DATAPOINTS_MAX: i32 = 100_800;
const EXPRESSION_CHARS_MAX: usize = 2048;
const ID_CHARS_MAX: usize = 255;

/// A request that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct DataRequest {
    queries: Vec<Query>,
    /// Where the queries are, each after those that it looks at.
    order: Vec<usize>,
    start: Timestamp,
    end: Timestamp,
    ascending: bool,
    limit: usize,
    skipped: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Query {
    id: String,
    label: String,
    is_returned: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Metric {
        ask: Ask,
        statistic: Statistic,
    },
    /// With the period of what it looks at.
    Math {
        expression: Expression,
        period: i64,
    },
}

impl DataRequest {
    /// Checks a request.
    pub fn read(ctx: &RequestContext, req: &GetMetricDataInput) -> Result<Self, ApiError> {
        let start = req.start_time.ok_or_else(|| refusal::missing("StartTime"))?.0;
        let end = req.end_time.ok_or_else(|| refusal::missing("EndTime"))?.0;
        if start >= end {
            return Err(refusal::validation("The parameter StartTime must be less than the parameter EndTime."));
        }
        if req.metric_data_queries.is_empty() || req.metric_data_queries.len() > QUERIES_MAX {
            let message = format!("The collection MetricDataQueries must have 1 to {QUERIES_MAX} members.");
            return Err(refusal::validation(message));
        }
        if req.label_options.is_some() {
            return Err(refusal::validation("LabelOptions is not supported: labels hold no times."));
        }
        let ascending = match req.scan_by.as_deref() {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(other) => {
                return Err(refusal::one_of(other, "scanBy", &["TimestampDescending", "TimestampAscending"]));
            }
        };
        let limit = req.max_datapoints.unwrap_or(DATAPOINTS_MAX);
        if !(1..=DATAPOINTS_MAX).contains(&limit) {
            return Err(refusal::invalid_value(limit, "MaxDatapoints"));
        }
        let skipped = match &req.next_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| refusal::next_token())?,
        };
        let mut queries = queries(ctx, req, start, end)?;
        let order = set_periods(&mut queries)?;
        if queries.iter().all(|query| !query.is_returned) {
            return Err(refusal::validation("At least one query must have ReturnData set to true."));
        }
        Ok(Self { queries, order, start, end, ascending, limit: usize::try_from(limit).unwrap_or(1), skipped })
    }

    /// The points to read, those of each metric apart.
    pub fn asks(&self) -> Vec<Ask> {
        let asks = self.queries.iter().filter_map(|query| match &query.what {
            What::Metric { ask, .. } => Some(ask.clone()),
            What::Math { .. } => None,
        });
        asks.collect()
    }

    /// The answer from what was read, in the order of [`Self::asks`].
    pub fn answer(&self, read: Vec<Periods>) -> Result<GetMetricDataOutput, ApiError> {
        let mut read = read.into_iter();
        let mut known = HashMap::new();
        for query in &self.queries {
            if let What::Metric { statistic, .. } = &query.what {
                let periods = read.next().unwrap_or_default();
                let series = periods.iter().map(|(secs, values)| (*secs, values.get(*statistic))).collect();
                known.insert(query.id.as_str(), Value::Series(series));
            }
        }
        for query in self.order.iter().filter_map(|at| self.queries.get(*at)) {
            if let What::Math { expression, period } = &query.what {
                let around = Around { request: self, known: &known, period: *period };
                let wrong =
                    |reason: String| refusal::validation(format!("Error in expression '{}': {reason}", query.id));
                let value = evaluate(expression, &around).map_err(wrong)?;
                known.insert(&query.id, value);
            }
        }
        let mut results = Vec::new();
        for query in self.queries.iter().filter(|query| query.is_returned) {
            let all = match known.remove(query.id.as_str()) {
                Some(Value::Series(series)) => vec![series],
                Some(Value::Array(all)) => all,
                None => Vec::new(),
                Some(Value::Scalar(_)) => {
                    let message =
                        format!("Error in expression '{}': its result is a number, not a time series", query.id);
                    return Err(refusal::validation(message));
                }
            };
            results.extend(all.into_iter().map(|series| (query, series)));
        }
        Ok(self.page(results))
    }

    /// As many points as fit into one answer, query by query.
    fn page(&self, results: Vec<(&Query, TimeSeries)>) -> GetMetricDataOutput {
        let (mut to_skip, mut room) = (self.skipped, self.limit);
        let mut answer = GetMetricDataOutput::default();
        let (mut given, mut left) = (0, 0);
        for (query, series) in results {
            let mut points: Vec<(i64, f64)> = series.into_iter().collect();
            if !self.ascending {
                points.reverse();
            }
            let skipped = to_skip.min(points.len());
            to_skip -= skipped;
            let wanted = points.len() - skipped;
            let shown = wanted.min(room);
            room -= shown;
            given += shown;
            left += wanted - shown;
            let page = &points[skipped..skipped + shown];
            answer.metric_data_results.push(MetricDataResult {
                id: query.id.clone(),
                label: query.label.clone(),
                timestamps: page.iter().map(|(secs, _)| Moment(Timestamp::from_secs(*secs))).collect(),
                values: page.iter().map(|(_, value)| *value).collect(),
                status_code: if wanted == shown { "Complete" } else { "PartialData" }.into(),
            });
        }
        answer.next_token = (left > 0).then(|| (self.skipped + given).to_string());
        answer
    }
}

struct Around<'r> {
    request: &'r DataRequest,
    known: &'r HashMap<&'r str, Value>,
    period: i64,
}

impl Environment for Around<'_> {
    fn value(&self, id: &str) -> Result<Value, String> {
        self.known.get(id).cloned().ok_or_else(|| format!("there is no query '{id}'"))
    }

    fn metrics(&self, part: &str) -> Vec<TimeSeries> {
        let fits = |query: &&Query| matches!(query.what, What::Metric { .. }) && query.id.contains(part);
        let of_query = |query: &Query| match self.known.get(query.id.as_str()) {
            Some(Value::Series(series)) => Some(series.clone()),
            _ => None,
        };
        self.request.queries.iter().filter(fits).filter_map(of_query).collect()
    }

    fn window(&self) -> Window {
        window_of(self.request.start, self.request.end, self.period)
    }
}

/// Periods begin where their seconds since the epoch are a multiple of them.
fn window_of(start: Timestamp, end: Timestamp, period: i64) -> Window {
    let start = start.as_secs() - start.as_secs().rem_euclid(period);
    Window { start, end: window::rounded_end(end), period }
}

fn queries(
    ctx: &RequestContext,
    req: &GetMetricDataInput,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Query>, ApiError> {
    let mut queries: Vec<Query> = Vec::with_capacity(req.metric_data_queries.len());
    for (n, given) in (1..).zip(&req.metric_data_queries) {
        check_id(&given.id)?;
        if queries.iter().any(|other| other.id == given.id) {
            return Err(refusal::validation(format!("The id '{}' is not unique.", given.id)));
        }
        if given.label.as_ref().is_some_and(|label| label.contains("${")) {
            return Err(refusal::validation("Labels with dynamic parts (${…}) are not supported."));
        }
        let at = format!("MetricDataQueries.member.{n}.");
        let (what, default_label) = match (&given.metric_stat, &given.expression) {
            (Some(one), None) => {
                let what = metric(ctx, one, start, end, &format!("{at}MetricStat."))?;
                (what, one.metric.metric_name.clone())
            }
            (None, Some(text)) => (math(given, text, &at)?, given.id.clone()),
            _ => {
                let message = format!("{at}MetricStat or {at}Expression must be given, and only one of them.");
                return Err(refusal::validation(message));
            }
        };
        let label = given.label.clone().unwrap_or(default_label);
        queries.push(Query { id: given.id.clone(), label, is_returned: given.return_data.unwrap_or(true), what });
    }
    Ok(queries)
}

fn check_id(id: &str) -> Result<(), ApiError> {
    let fits = id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && id.len() <= ID_CHARS_MAX;
    if fits {
        return Ok(());
    }
    let shown: String = id.chars().take(ID_CHARS_MAX).collect();
    Err(refusal::validation(format!(
        "The value '{shown}' for an id is not valid: it begins with a lower-case letter, and has letters, digits and underscores."
    )))
}

fn metric(
    ctx: &RequestContext,
    one: &MetricStat,
    start: Timestamp,
    end: Timestamp,
    at: &str,
) -> Result<What, ApiError> {
    let given = &one.metric;
    let metric = check::metric(
        ctx,
        Some(&given.namespace),
        Some(&given.metric_name),
        &given.dimensions,
        &format!("{at}Metric."),
    )?;
    let period = window::period(Some(one.period), &format!("{at}Period"))?;
    let parameter = format!("{at}Stat");
    let statistic = Statistic::parse(&one.stat).ok_or_else(|| refusal::no_percentiles(&parameter, &one.stat))?;
    let unit = check::unit(one.unit.as_ref(), &format!("{at}Unit"))?;
    Ok(What::Metric { ask: Ask { metric, unit, window: window_of(start, end, period) }, statistic })
}

fn math(given: &MetricDataQuery, text: &str, at: &str) -> Result<What, ApiError> {
    if text.chars().count() > EXPRESSION_CHARS_MAX {
        return Err(refusal::length(text, "expression", EXPRESSION_CHARS_MAX));
    }
    let wrong = |reason: String| refusal::validation(format!("Error in expression '{}': {reason}", given.id));
    let expression = parse(text).map_err(wrong)?;
    let period = given.period.map(|period| window::period(Some(period), &format!("{at}Period"))).transpose()?;
    Ok(What::Math { expression, period: period.unwrap_or_default() })
}

/// An expression has the period of the metrics that it looks at, directly or through others. Tells where the queries are, each
/// after those that it looks at.
fn set_periods(queries: &mut [Query]) -> Result<Vec<usize>, ApiError> {
    let mut walk =
        Walk { places: HashMap::new(), periods: vec![None; queries.len()], way: Vec::new(), order: Vec::new() };
    walk.places = queries.iter().enumerate().map(|(at, query)| (query.id.clone(), at)).collect();
    for at in 0..queries.len() {
        walk.visit(queries, at)?;
    }
    for (query, found) in queries.iter_mut().zip(walk.periods) {
        if let What::Math { period, .. } = &mut query.what {
            *period = found.unwrap_or_default();
        }
    }
    Ok(walk.order)
}

struct Walk {
    places: HashMap<String, usize>,
    /// Of the queries that were visited.
    periods: Vec<Option<i64>>,
    way: Vec<usize>,
    order: Vec<usize>,
}

impl Walk {
    /// The period of a query.
    fn visit(&mut self, queries: &[Query], at: usize) -> Result<i64, ApiError> {
        if let Some(period) = self.periods[at] {
            return Ok(period);
        }
        let query = &queries[at];
        let period = match &query.what {
            What::Metric { ask, .. } => ask.window.period,
            What::Math { expression, period } => self.visit_math(queries, at, expression, *period)?,
        };
        self.periods[at] = Some(period);
        self.order.push(at);
        Ok(period)
    }

    fn visit_math(
        &mut self,
        queries: &[Query],
        at: usize,
        expression: &Expression,
        given: i64,
    ) -> Result<i64, ApiError> {
        let id = &queries[at].id;
        let wrong = |reason: &str| refusal::validation(format!("Error in expression '{id}': {reason}"));
        if self.way.contains(&at) {
            return Err(wrong("it looks at itself"));
        }
        self.way.push(at);
        let mut found = Vec::new();
        if expression.uses_all() {
            found.extend(queries.iter().filter_map(|other| match &other.what {
                What::Metric { ask, .. } => Some(ask.window.period),
                What::Math { .. } => None,
            }));
        }
        let mut ids = Vec::new();
        expression.ids(&mut ids);
        for other in ids {
            let place = self.places.get(other).copied();
            found.push(self.visit(queries, place.ok_or_else(|| wrong(&format!("there is no query '{other}'")))?)?);
        }
        self.way.pop();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [] if given > 0 => Ok(given),
            [] => Err(wrong("it looks at no metric, so it must have a Period")),
            [period] => Ok(*period),
            _ => Err(wrong("the metrics that it looks at have different periods")),
        }
    }
}
