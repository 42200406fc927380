//! Amazon CloudWatch.

use aws_api::cloudwatch::{
    CloudWatchApi, GetMetricStatisticsInput, GetMetricStatisticsOutput, ListMetricsInput, ListMetricsOutput,
    PutMetricDataInput,
};
use aws_api::{ApiError, RequestContext};
use metric::{Ask, Periods, StatisticsRequest};

use super::Services;
use crate::app::unavailable;

impl Services {
    async fn points(&self, asks: Vec<Ask>) -> Result<Vec<Vec<(metric::Unit, Periods)>>, ApiError> {
        self.0.meter.read(&self.0, asks).await.map_err(|error| unavailable(&error))
    }
}

impl CloudWatchApi for Services {
    async fn put_metric_data(&self, ctx: &RequestContext, req: PutMetricDataInput) -> Result<(), ApiError> {
        self.0.check_room()?;
        let puts = metric::read_put(ctx, &req)?;
        self.0.meter.put(&self.0.store, puts, ctx.now).await
    }

    async fn get_metric_statistics(
        &self,
        ctx: &RequestContext,
        req: GetMetricStatisticsInput,
    ) -> Result<GetMetricStatisticsOutput, ApiError> {
        let request = StatisticsRequest::read(ctx, &req)?;
        let units = self.points(vec![request.ask.clone()]).await?.pop().unwrap_or_default();
        Ok(request.answer(&units))
    }

    async fn list_metrics(&self, ctx: &RequestContext, req: ListMetricsInput) -> Result<ListMetricsOutput, ApiError> {
        self.0.meter.with_table(|table| table.list_metrics(ctx, &req))
    }
}
