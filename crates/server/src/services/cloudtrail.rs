//! AWS CloudTrail.

use aws_api::cloudtrail::{
    AddTagsRequest, CloudTrailApi, CreateTrailRequest, CreateTrailResponse, DeleteTrailRequest, DescribeTrailsRequest,
    DescribeTrailsResponse, EmptyResponse, EventSelectorsResponse, GetEventSelectorsRequest,
    GetInsightSelectorsRequest, GetInsightSelectorsResponse, GetTrailRequest, GetTrailResponse, GetTrailStatusRequest,
    GetTrailStatusResponse, ListTagsRequest, ListTagsResponse, ListTrailsRequest, ListTrailsResponse,
    PutEventSelectorsRequest, RemoveTagsRequest, StartLoggingRequest, StopLoggingRequest, UpdateTrailRequest,
    UpdateTrailResponse,
};
use aws_api::{ApiError, RequestContext};
use gateway::Backend;
use pipeline::Registry;

use super::Services;
use crate::app::unavailable;
use crate::log_files;

impl Services {
    /// Is there such a bucket, in whichever account?
    fn is_bucket(&self, bucket: &str) -> bool {
        self.0.s3.bucket(bucket).ok().flatten().is_some()
    }

    /// Does the policy of its bucket let this trail deliver?
    fn check_delivery(&self, ctx: &RequestContext, trail: &CreateTrailResponse) -> Result<(), ApiError> {
        let prefix = trail.s3_key_prefix.as_deref().map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let key = format!("{prefix}AWSLogs/{}/CloudTrail/{}/", ctx.account(), ctx.region);
        let writer = log_files::writer(&trail.trail_arn, ctx.account());
        let bucket = &trail.s3_bucket_name;
        self.0.embedded.check_delivery(bucket, &key, &writer).map_err(|error| match error.code().as_str() {
            "AccessDenied" => ApiError::new(
                "InsufficientS3BucketPolicyException",
                format!("Incorrect S3 bucket policy is detected for bucket: {bucket}"),
            ),
            "NoSuchBucket" => {
                ApiError::new("S3BucketDoesNotExistException", format!("S3 bucket {bucket} does not exist!"))
            }
            _ => ApiError::internal("The policy of the bucket could not be read."),
        })
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

    async fn create_trail(
        &self,
        ctx: &RequestContext,
        req: CreateTrailRequest,
    ) -> Result<CreateTrailResponse, ApiError> {
        let decide = |registry: &Registry| {
            let decided = registry.trails.create_trail(ctx, &req, &|name| self.is_bucket(name))?;
            self.check_delivery(ctx, &decided.0)?;
            Ok(decided)
        };
        self.0.change(decide).await
    }

    async fn update_trail(
        &self,
        ctx: &RequestContext,
        req: UpdateTrailRequest,
    ) -> Result<UpdateTrailResponse, ApiError> {
        let moves = req.s3_bucket_name.is_some() || req.s3_key_prefix.is_some();
        let decide = |registry: &Registry| {
            let decided = registry.trails.update_trail(ctx, &req, &|name| self.is_bucket(name))?;
            if moves {
                self.check_delivery(ctx, &decided.0)?;
            }
            Ok(decided)
        };
        self.0.change(decide).await
    }
}
