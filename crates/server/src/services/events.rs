//! Amazon EventBridge.

use aws_api::events::{
    CreateEventBusRequest, CreateEventBusResponse, DeleteEventBusRequest, DeleteRuleRequest, DescribeEventBusRequest,
    DescribeEventBusResponse, DescribeRuleRequest, DescribeRuleResponse, DisableRuleRequest, EmptyResponse,
    EnableRuleRequest, EventsApi, ListEventBusesRequest, ListEventBusesResponse, ListRuleNamesByTargetRequest,
    ListRuleNamesByTargetResponse, ListRulesRequest, ListRulesResponse, ListTagsForResourceRequest,
    ListTagsForResourceResponse, ListTargetsByRuleRequest, ListTargetsByRuleResponse, PutEventsRequest,
    PutEventsResponse, PutPermissionRequest, PutRuleRequest, PutRuleResponse, PutTargetsRequest, PutTargetsResponse,
    RemovePermissionRequest, RemoveTargetsRequest, RemoveTargetsResponse, TagResourceRequest, TestEventPatternRequest,
    TestEventPatternResponse, UntagResourceRequest,
};
use aws_api::{ApiError, RequestContext};

use super::Services;
use crate::clock;

impl EventsApi for Services {
    reads! { buses:
        describe_rule(DescribeRuleRequest) -> DescribeRuleResponse;
        list_rules(ListRulesRequest) -> ListRulesResponse;
        list_targets_by_rule(ListTargetsByRuleRequest) -> ListTargetsByRuleResponse;
        list_rule_names_by_target(ListRuleNamesByTargetRequest) -> ListRuleNamesByTargetResponse;
        describe_event_bus(DescribeEventBusRequest) -> DescribeEventBusResponse;
        list_event_buses(ListEventBusesRequest) -> ListEventBusesResponse;
        list_tags_for_resource(ListTagsForResourceRequest) -> ListTagsForResourceResponse;
    }

    changes! { buses:
        put_rule(PutRuleRequest) -> PutRuleResponse;
        delete_rule(DeleteRuleRequest) -> EmptyResponse;
        enable_rule(EnableRuleRequest) -> EmptyResponse;
        disable_rule(DisableRuleRequest) -> EmptyResponse;
        remove_targets(RemoveTargetsRequest) -> RemoveTargetsResponse;
        create_event_bus(CreateEventBusRequest) -> CreateEventBusResponse;
        delete_event_bus(DeleteEventBusRequest) -> EmptyResponse;
        put_permission(PutPermissionRequest) -> EmptyResponse;
        remove_permission(RemovePermissionRequest) -> EmptyResponse;
        tag_resource(TagResourceRequest) -> EmptyResponse;
        untag_resource(UntagResourceRequest) -> EmptyResponse;
    }

    async fn put_targets(&self, ctx: &RequestContext, req: PutTargetsRequest) -> Result<PutTargetsResponse, ApiError> {
        self.0.change(|registry| registry.buses.put_targets(ctx, &req, &|arn| registry.exists(arn))).await
    }

    async fn test_event_pattern(
        &self,
        _: &RequestContext,
        req: TestEventPatternRequest,
    ) -> Result<TestEventPatternResponse, ApiError> {
        self.0.registry().buses.test_event_pattern(&req)
    }

    async fn put_events(&self, ctx: &RequestContext, req: PutEventsRequest) -> Result<PutEventsResponse, ApiError> {
        self.0.check_room()?;
        let ids = std::array::from_fn(|_| clock::new_id());
        let (answer, events) = self.0.registry().buses.put_events(ctx, &req, &ids)?;
        let size = req.entries.iter().map(|entry| entry.detail.as_ref().map_or(0, String::len)).sum();
        let failed = usize::try_from(answer.failed_entry_count).unwrap_or_default();
        let count = |tally: &mut pipeline::Tally| {
            tally.put_events(ctx.account(), &ctx.region, ids.len().min(req.entries.len()), failed, size);
        };
        self.0.meter.count(ctx.now, count);
        let effects = self.0.dispatch_events(ctx, &events)?;
        self.0.commit_effects(effects).await?;
        Ok(answer)
    }
}
