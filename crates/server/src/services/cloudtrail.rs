//! AWS CloudTrail.

use aws_api::cloudtrail::{
    AddTagsRequest, CloudTrailApi, CreateTrailRequest, CreateTrailResponse, DeleteTrailRequest, DescribeTrailsRequest,
    DescribeTrailsResponse, EmptyResponse, EventSelectorsResponse, GetEventSelectorsRequest,
    GetInsightSelectorsRequest, GetInsightSelectorsResponse, GetTrailRequest, GetTrailResponse, GetTrailStatusRequest,
    GetTrailStatusResponse, ListTagsRequest, ListTagsResponse, ListTrailsRequest, ListTrailsResponse,
    LookupEventsRequest, LookupEventsResponse, PutEventSelectorsRequest, RemoveTagsRequest, StartLoggingRequest,
    StopLoggingRequest, UpdateTrailRequest, UpdateTrailResponse,
};
use aws_api::{ApiError, RequestContext};
use gateway::Backend;
use trail::Lookup;

use super::Services;
use crate::app::unavailable;
use crate::{history, log_files};

impl Services {
    /// May a trail of this account deliver into this bucket? Until bucket policies are evaluated, into its own ones only.
    fn is_own_bucket(&self, ctx: &RequestContext, bucket: &str) -> bool {
        self.0.s3.bucket(bucket).ok().flatten().is_some_and(|bucket| bucket.owner == ctx.account())
    }
}

impl CloudTrailApi for Services {
    reads! { trails:
        get_trail(GetTrailRequest) -> GetTrailResponse;
        describe_trails(DescribeTrailsRequest) -> DescribeTrailsResponse;
        list_trails(ListTrailsRequest) -> ListTrailsResponse;
        get_trail_status(GetTrailStatusRequest) -> GetTrailStatusResponse;
        get_event_selectors(GetEventSelectorsRequest) -> EventSelectorsResponse;
        list_tags(ListTagsRequest) -> ListTagsResponse;
        get_insight_selectors(GetInsightSelectorsRequest) -> GetInsightSelectorsResponse;
    }

    changes! { trails:
        start_logging(StartLoggingRequest) -> EmptyResponse;
        stop_logging(StopLoggingRequest) -> EmptyResponse;
        put_event_selectors(PutEventSelectorsRequest) -> EventSelectorsResponse;
        add_tags(AddTagsRequest) -> EmptyResponse;
        remove_tags(RemoveTagsRequest) -> EmptyResponse;
    }

    async fn delete_trail(&self, ctx: &RequestContext, req: DeleteTrailRequest) -> Result<EmptyResponse, ApiError> {
        let answer = self.0.change(|registry| registry.trails.delete_trail(ctx, &req)).await?;
        // Another trail of the same name starts with nothing.
        log_files::forget_deleted(&self.0).await.map_err(|error| unavailable(&error))?;
        Ok(answer)
    }

    async fn lookup_events(
        &self,
        ctx: &RequestContext,
        req: LookupEventsRequest,
    ) -> Result<LookupEventsResponse, ApiError> {
        match Lookup::read(ctx, &req)? {
            Some(lookup) => history::look_up(&self.0.store, &lookup).map_err(|error| unavailable(&error)),
            None => Ok(LookupEventsResponse::default()),
        }
    }

    async fn create_trail(
        &self,
        ctx: &RequestContext,
        req: CreateTrailRequest,
    ) -> Result<CreateTrailResponse, ApiError> {
        self.0.change(|registry| registry.trails.create_trail(ctx, &req, &|name| self.is_own_bucket(ctx, name))).await
    }

    async fn update_trail(
        &self,
        ctx: &RequestContext,
        req: UpdateTrailRequest,
    ) -> Result<UpdateTrailResponse, ApiError> {
        self.0.change(|registry| registry.trails.update_trail(ctx, &req, &|name| self.is_own_bucket(ctx, name))).await
    }
}
