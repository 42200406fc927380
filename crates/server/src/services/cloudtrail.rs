//! AWS CloudTrail.

use std::time::Duration;

use aws_api::cloudtrail::{
    AddTagsRequest, CloudTrailApi, CreateTrailRequest, CreateTrailResponse, DeleteTrailRequest, DescribeTrailsRequest,
    DescribeTrailsResponse, EmptyResponse, EventSelectorsResponse, GetEventSelectorsRequest,
    GetInsightSelectorsRequest, GetInsightSelectorsResponse, GetTrailRequest, GetTrailResponse, GetTrailStatusRequest,
    GetTrailStatusResponse, ListPublicKeysRequest, ListPublicKeysResponse, ListTagsRequest, ListTagsResponse,
    ListTrailsRequest, ListTrailsResponse, LookupEventsRequest, LookupEventsResponse, PutEventSelectorsRequest,
    PutInsightSelectorsRequest, PutInsightSelectorsResponse, RemoveTagsRequest, StartLoggingRequest,
    StopLoggingRequest, UpdateTrailRequest, UpdateTrailResponse,
};
use aws_api::{ApiError, RequestContext, Timestamp};
use gateway::Backend;
use pipeline::Registry;
use trail::Lookup;

use super::Services;
use crate::app::unavailable;
use crate::{clock, deliveries, digest_keys, digests, history, log_files, notices};

/// How long a trail's deletion waits for the pipeline.
const DELETE_WAIT: Duration = Duration::from_secs(10);

impl Services {
    /// Is there such a bucket, in whichever account?
    fn is_bucket(&self, bucket: &str) -> bool {
        self.0.s3.bucket(bucket).ok().flatten().is_some()
    }

    /// Does the policy of its bucket let this trail deliver?
    fn check_delivery(&self, ctx: &RequestContext, trail: &CreateTrailResponse) -> Result<(), ApiError> {
        let prefix = trail.s3_key_prefix.as_deref().map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let key = format!("{prefix}AWSLogs/{}/CloudTrail/{}/", ctx.account(), ctx.region);
        let writer = deliveries::writer(&trail.trail_arn, ctx.account());
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
        stop_logging(StopLoggingRequest) -> EmptyResponse;
        put_event_selectors(PutEventSelectorsRequest) -> EventSelectorsResponse;
        put_insight_selectors(PutInsightSelectorsRequest) -> PutInsightSelectorsResponse;
        add_tags(AddTagsRequest) -> EmptyResponse;
        remove_tags(RemoveTagsRequest) -> EmptyResponse;
    }

    async fn start_logging(&self, ctx: &RequestContext, req: StartLoggingRequest) -> Result<EmptyResponse, ApiError> {
        // It may begin a chain of digests; see `update_trail`.
        let _turn = self.0.turns.take().await;
        self.0.change(|registry| registry.trails.start_logging(ctx, &req)).await
    }

    async fn delete_trail(&self, ctx: &RequestContext, req: DeleteTrailRequest) -> Result<EmptyResponse, ApiError> {
        // Nobody starts it, or delivers for it, meanwhile.
        let _turn = self.0.turns.take().await;
        let trail = self.0.registry().trails.at_home(ctx, &req.name)?.clone();
        if trail.is_logging {
            // From here on it chooses nothing, so that what is to be delivered has an end. Its own deletion is after that.
            let stop = StopLoggingRequest { name: req.name.clone() };
            self.0.change(|registry| registry.trails.stop_logging(ctx, &stop)).await?;
        }
        if !self.0.passed.wait_for(self.0.store.log().last_seq(), DELETE_WAIT).await {
            let message =
                "The trail was stopped, but its last events are not processed yet. Try again in some seconds.";
            return Err(ApiError::new("ConflictException", message));
        }
        log_files::finish(&self.0, &trail).await.map_err(|error| unavailable(&error))?;
        digests::finish(&self.0, &trail).await.map_err(|error| unavailable(&error))?;
        let answer = self.0.change(|registry| registry.trails.delete_trail(ctx, &req)).await?;
        // Another trail of the same name starts with nothing: what the bucket did not take is forgotten, and counted, where
        // the pipeline passes the deletion.
        self.0.passed.wait_for(self.0.store.log().last_seq(), DELETE_WAIT).await;
        digests::forget_deleted(&self.0).await.map_err(|error| unavailable(&error))?;
        Ok(answer)
    }

    async fn list_public_keys(
        &self,
        ctx: &RequestContext,
        req: ListPublicKeysRequest,
    ) -> Result<ListPublicKeysResponse, ApiError> {
        if req.next_token.is_some_and(|token| !token.is_empty()) {
            return Err(ApiError::new("InvalidTokenException", "The NextToken is not valid: there is one page only."));
        }
        let (start, end) = (moment(req.start_time, ctx.now)?, moment(req.end_time, ctx.now)?);
        if start > end {
            let message =
                "The start time must not be after the end time; either is the current time if it is not given.";
            return Err(ApiError::new("InvalidTimeRangeException", message));
        }
        let keys = digest_keys::public_keys(&self.0.store, &ctx.region, start, end);
        let public_key_list = keys.map_err(|error| {
            tracing::error!(%error, "keys of digests cannot be read");
            ApiError::internal("The keys cannot be read.")
        })?;
        Ok(ListPublicKeysResponse { public_key_list })
    }

    async fn lookup_events(
        &self,
        ctx: &RequestContext,
        req: LookupEventsRequest,
    ) -> Result<LookupEventsResponse, ApiError> {
        match Lookup::read(ctx, &req)? {
            Some(lookup) => {
                let store = self.0.store.clone();
                let found = clock::blocking(move || history::look_up(&store, &lookup)).await;
                found.map_err(|error| unavailable(&error))
            }
            None => Ok(LookupEventsResponse::default()),
        }
    }

    async fn create_trail(
        &self,
        ctx: &RequestContext,
        req: CreateTrailRequest,
    ) -> Result<CreateTrailResponse, ApiError> {
        let decide = |registry: &Registry| {
            let decided = registry.trails.create_trail(ctx, &req, &|name| self.is_bucket(name))?;
            notices::check_topic(registry, decided.0.sns_topic_arn.as_deref(), &decided.0.trail_arn)?;
            self.check_delivery(ctx, &decided.0)?;
            Ok(decided)
        };
        let created = self.0.change(decide).await?;
        notices::validate(&self.0, created.sns_topic_arn.as_deref(), &created.trail_arn, ctx.now).await;
        Ok(created)
    }

    async fn update_trail(
        &self,
        ctx: &RequestContext,
        req: UpdateTrailRequest,
    ) -> Result<UpdateTrailResponse, ApiError> {
        let moves = req.s3_bucket_name.is_some() || req.s3_key_prefix.is_some();
        let decide = |registry: &Registry| {
            let decided = registry.trails.update_trail(ctx, &req, &|name| self.is_bucket(name))?;
            if req.sns_topic_name.is_some() {
                notices::check_topic(registry, decided.0.sns_topic_arn.as_deref(), &decided.0.trail_arn)?;
            }
            if moves {
                self.check_delivery(ctx, &decided.0)?;
            }
            Ok(decided)
        };
        // No log file is being delivered that is noted for a chain which ends here.
        let turn = self.0.turns.take().await;
        let updated = self.0.change(decide).await?;
        drop(turn);
        if req.sns_topic_name.is_some() {
            notices::validate(&self.0, updated.sns_topic_arn.as_deref(), &updated.trail_arn, ctx.now).await;
        }
        Ok(updated)
    }
}

/// A moment in seconds since the epoch, or now.
#[expect(clippy::cast_possible_truncation, reason = "a float is cast to the nearest number there is")]
fn moment(seconds: Option<f64>, now: Timestamp) -> Result<Timestamp, ApiError> {
    let Some(seconds) = seconds else { return Ok(now) };
    let millis = (seconds * 1000.0).round();
    let is_possible = seconds >= 0.0 && Timestamp::from_millis(millis as i64).as_millis() == millis as i64;
    is_possible
        .then(|| Timestamp::from_millis(millis as i64))
        .ok_or_else(|| ApiError::new("InvalidTimeRangeException", "A time of the range is before 1970 or after 9999."))
}
