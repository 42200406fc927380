//! Amazon CloudWatch.

use aws_api::cloudwatch::{
    CloudWatchApi, DeleteAlarmsInput, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput,
    DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput, DescribeAlarmsInput, DescribeAlarmsOutput,
    DisableAlarmActionsInput, EmptyOutput, EnableAlarmActionsInput, GetMetricDataInput, GetMetricDataOutput,
    GetMetricStatisticsInput, GetMetricStatisticsOutput, ListMetricsInput, ListMetricsOutput, ListTagsForResourceInput,
    ListTagsForResourceOutput, PutMetricAlarmInput, PutMetricDataInput, SetAlarmStateInput, TagResourceInput,
    UntagResourceInput,
};
use aws_api::{ApiError, RequestContext};
use metric::{Ask, DataRequest, Decided, HistoryRequest, Periods, StatisticsRequest};
use pipeline::Registry;
use store::Unit;

use super::Services;
use crate::app::unavailable;

impl Services {
    async fn points(&self, asks: Vec<Ask>) -> Result<Vec<Vec<(metric::Unit, Periods)>>, ApiError> {
        self.0.meter.read(&self.0, asks).await.map_err(|error| unavailable(&error))
    }

    /// A change of alarms, with what their history tells of it.
    async fn change_alarms(&self, decide: impl FnOnce(&Registry) -> Result<Decided, ApiError>) -> Result<(), ApiError> {
        let decide = |registry: &Registry| {
            let Decided { changes, items } = decide(registry)?;
            let mut unit = Unit::new();
            self.0.note(&mut unit, items.iter().map(|(alarm, item)| (alarm, item)))?;
            Ok(((), changes, unit))
        };
        self.0.change_with(decide).await?;
        // Before the answer: what comes after it is noted.
        self.0.watch_alarms();
        Ok(())
    }
}

impl CloudWatchApi for Services {
    reads! { alarms:
        describe_alarms(DescribeAlarmsInput) -> DescribeAlarmsOutput;
        describe_alarms_for_metric(DescribeAlarmsForMetricInput) -> DescribeAlarmsForMetricOutput;
        list_tags_for_resource(ListTagsForResourceInput) -> ListTagsForResourceOutput;
    }

    changes! { alarms:
        tag_resource(TagResourceInput) -> EmptyOutput;
        untag_resource(UntagResourceInput) -> EmptyOutput;
    }

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

    async fn get_metric_data(
        &self,
        ctx: &RequestContext,
        req: GetMetricDataInput,
    ) -> Result<GetMetricDataOutput, ApiError> {
        let request = DataRequest::read(ctx, &req)?;
        let periods = self.points(request.asks()).await?.into_iter().map(metric::all_units).collect();
        request.answer(periods)
    }

    async fn list_metrics(&self, ctx: &RequestContext, req: ListMetricsInput) -> Result<ListMetricsOutput, ApiError> {
        self.0.meter.take_counted();
        self.0.meter.with_table(|table| table.list_metrics(ctx, &req))
    }

    async fn put_metric_alarm(&self, ctx: &RequestContext, req: PutMetricAlarmInput) -> Result<(), ApiError> {
        self.change_alarms(|registry| registry.alarms.put_metric_alarm(ctx, &req)).await
    }

    async fn describe_alarm_history(
        &self,
        ctx: &RequestContext,
        req: DescribeAlarmHistoryInput,
    ) -> Result<DescribeAlarmHistoryOutput, ApiError> {
        let request = HistoryRequest::read(ctx, &req)?;
        let (items, more) = self.0.alarm_history(&request).map_err(|error| unavailable(&error))?;
        let next_token = more.then(|| (request.skipped + items.len()).to_string());
        let alarm_history_items = items.into_iter().map(|(name, item)| item.shown(&name)).collect();
        Ok(DescribeAlarmHistoryOutput { alarm_history_items, next_token })
    }

    async fn set_alarm_state(&self, ctx: &RequestContext, req: SetAlarmStateInput) -> Result<(), ApiError> {
        let decide = |registry: &Registry| match registry.alarms.set_alarm_state(ctx, &req)? {
            Some(transition) => self.0.transition(registry, &transition, ctx.now),
            None => Ok((Vec::new(), Vec::new(), Unit::new())),
        };
        let woken = self.0.change_with(decide).await?;
        self.0.wakers.ring_all(&woken);
        Ok(())
    }

    async fn enable_alarm_actions(&self, ctx: &RequestContext, req: EnableAlarmActionsInput) -> Result<(), ApiError> {
        self.change_alarms(|registry| registry.alarms.set_actions_enabled(ctx, &req.alarm_names, true)).await
    }

    async fn disable_alarm_actions(&self, ctx: &RequestContext, req: DisableAlarmActionsInput) -> Result<(), ApiError> {
        self.change_alarms(|registry| registry.alarms.set_actions_enabled(ctx, &req.alarm_names, false)).await
    }

    async fn delete_alarms(&self, ctx: &RequestContext, req: DeleteAlarmsInput) -> Result<(), ApiError> {
        self.change_alarms(|registry| registry.alarms.delete_alarms(ctx, &req)).await
    }
}
