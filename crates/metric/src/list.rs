//! `ListMetrics`.

use aws_api::cloudwatch::{ListMetricsInput, ListMetricsOutput, Metric as Shown};
use aws_api::{ApiError, RequestContext};

use crate::{Metric, Table, refusal};

const PAGE_COUNT: usize = 500;
const FILTERS_MAX: usize = 10;
/// "Metrics that have not had any data points reported to them in the last two weeks do not appear in the console … or `ListMetrics`."
const LISTED_S: i64 = 14 * 86_400;
const RECENT_S: i64 = 3 * 3600;

impl Table {
    /// A page of the metrics that have data of the last two weeks.
    pub fn list_metrics(&self, ctx: &RequestContext, req: &ListMetricsInput) -> Result<ListMetricsOutput, ApiError> {
        if req.dimensions.len() > FILTERS_MAX {
            let message = format!("The collection Dimensions must not have a size greater than {FILTERS_MAX}.");
            return Err(refusal::invalid(message));
        }
        if req.include_linked_accounts == Some(true) {
            return Err(refusal::invalid("IncludeLinkedAccounts is not supported: there are no linked accounts."));
        }
        let listed_s = match req.recently_active.as_deref() {
            None => LISTED_S,
            Some("PT3H") => RECENT_S,
            Some(other) => return Err(refusal::invalid_value(other, "RecentlyActive")),
        };
        let skipped = match &req.next_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| refusal::next_token())?,
        };
        let since = ctx.now.as_secs() - listed_s;
        let active = self.metrics(ctx.account(), &ctx.region).filter(|(_, last)| *last >= since);
        let mut metrics: Vec<_> = active.map(|(metric, _)| metric).filter(|metric| fits(metric, req)).collect();
        metrics.sort();
        let page = metrics.iter().skip(skipped).take(PAGE_COUNT);
        let shown: Vec<_> = page
            .map(|metric| Shown {
                namespace: metric.namespace.clone(),
                metric_name: metric.name.clone(),
                dimensions: metric.dimensions.clone(),
            })
            .collect();
        let end = skipped.saturating_add(shown.len());
        let next_token = (end < metrics.len()).then(|| end.to_string());
        Ok(ListMetricsOutput { metrics: shown, next_token })
    }
}

fn fits(metric: &Metric, req: &ListMetricsInput) -> bool {
    req.namespace.as_ref().is_none_or(|namespace| *namespace == metric.namespace)
        && req.metric_name.as_ref().is_none_or(|name| *name == metric.name)
        && req.dimensions.iter().all(|wanted| {
            let fits = |value: &String| wanted.value.as_ref().is_none_or(|wanted| wanted == value);
            metric.dimensions.iter().any(|one| one.name == wanted.name && fits(&one.value))
        })
}
