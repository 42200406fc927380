//! The operations on trails. Each decides and changes nothing.

use aws_api::cloudtrail::{
    CreateTrailRequest, CreateTrailResponse, DeleteTrailRequest, DescribeTrailsRequest, DescribeTrailsResponse,
    EmptyResponse, EventSelectorsResponse, GetEventSelectorsRequest, GetTrailRequest, GetTrailResponse,
    GetTrailStatusRequest, GetTrailStatusResponse, ListTrailsRequest, ListTrailsResponse, PutEventSelectorsRequest,
    StartLoggingRequest, StopLoggingRequest, UpdateTrailRequest, UpdateTrailResponse,
};
use aws_api::{ApiError, Change, Entity, RequestContext};

use crate::name::{check_bucket, check_prefix, check_topic, check_trail_name, parse_trail_arn};
use crate::selector::{check_advanced, check_basic, invalid_selectors};
use crate::{DeliveryStatus, Selectors, TRAILS_PER_REGION_MAX, Trail, Trails, tag, view};

/// Trails on a page of `ListTrails`.
const LIST_PAGE_MAX: usize = 100;
/// Names in one `DescribeTrails`.
const DESCRIBE_NAMES_MAX: usize = 1000;

/// An answer, and what has to be made durable before it is given.
pub(crate) type Decided<T> = Result<(T, Vec<Change>), ApiError>;

/// Parameters that are in the API and would have no effect yet.
#[derive(Default)]
struct Unsupported<'a> {
    log_group_arn: Option<&'a str>,
    log_role_arn: Option<&'a str>,
    kms_key_id: Option<&'a str>,
    organization: Option<bool>,
}

impl Unsupported<'_> {
    /// What asks for nothing (an empty text, `false`) asks for what is so anyway.
    fn check(&self) -> Result<(), ApiError> {
        let given = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        let refuse = |code: &'static str, message: &str| Err(ApiError::new(code, message));
        if given(self.log_group_arn) {
            return refuse(
                "InvalidCloudWatchLogsLogGroupArnException",
                "CloudWatchLogsLogGroupArn: sending events to CloudWatch Logs is not supported.",
            );
        }
        if given(self.log_role_arn) {
            return refuse(
                "InvalidCloudWatchLogsRoleArnException",
                "CloudWatchLogsRoleArn: sending events to CloudWatch Logs is not supported.",
            );
        }
        if given(self.kms_key_id) {
            return refuse(
                "InvalidKmsKeyIdException",
                "KmsKeyId: encrypting log files with a KMS key is not supported.",
            );
        }
        if self.organization == Some(true) {
            return refuse(
                "UnsupportedOperationException",
                "IsOrganizationTrail: trails of organizations are not supported.",
            );
        }
        Ok(())
    }
}

fn check_combination(multi_region: bool, global_events: bool) -> Result<(), ApiError> {
    if multi_region && !global_events {
        return Err(ApiError::new(
            "InvalidParameterCombinationException",
            "Multi-Region trail must include global service events.",
        ));
    }
    Ok(())
}

impl Trails {
    /// `CreateTrail`: a trail that does not log yet. `bucket_exists` knows the buckets that files can be written to.
    pub fn create_trail(
        &self,
        ctx: &RequestContext,
        req: &CreateTrailRequest,
        bucket_exists: &dyn Fn(&str) -> bool,
    ) -> Decided<CreateTrailResponse> {
        check_trail_name(&req.name)?;
        Unsupported {
            log_group_arn: req.cloud_watch_logs_log_group_arn.as_deref(),
            log_role_arn: req.cloud_watch_logs_role_arn.as_deref(),
            kms_key_id: req.kms_key_id.as_deref(),
            organization: req.is_organization_trail,
        }
        .check()?;
        let multi_region = req.is_multi_region_trail.unwrap_or(false);
        let global_events = req.include_global_service_events.unwrap_or(true);
        check_combination(multi_region, global_events)?;
        check_prefix(req.s3_key_prefix.as_deref().unwrap_or_default())?;
        let sns_topic_name = req.sns_topic_name.clone().filter(|name| !name.is_empty());
        sns_topic_name.as_deref().map_or(Ok(()), |name| check_topic(ctx.account(), name))?;
        self.check_name_free(ctx, &req.name)?;
        self.check_room(ctx, &req.name, multi_region)?;
        check_bucket(&req.s3_bucket_name, bucket_exists)?;
        let trail = Trail {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            name: req.name.clone(),
            s3_bucket_name: req.s3_bucket_name.clone(),
            s3_key_prefix: req.s3_key_prefix.clone().filter(|prefix| !prefix.is_empty()),
            sns_topic_name,
            include_global_service_events: global_events,
            is_multi_region_trail: multi_region,
            recursive_logging: req.recursive_logging,
            log_file_validation: req.enable_log_file_validation.unwrap_or(false),
            tags: tag::merged(&std::collections::BTreeMap::new(), &req.tags_list)?,
            ..Trail::default()
        };
        let changes = vec![Change::put(&trail), Change::delete::<DeliveryStatus>(trail.key())];
        Ok((view::created(&trail), changes))
    }

    fn check_name_free(&self, ctx: &RequestContext, name: &str) -> Result<(), ApiError> {
        let account = ctx.account();
        let mut shown_here = self.of_account(account).filter(|trail| trail.covers(&ctx.region));
        if shown_here.any(|trail| trail.name == name) {
            let message = format!("Trail {name} already exists for customer: {account}");
            return Err(ApiError::new("TrailAlreadyExistsException", message));
        }
        Ok(())
    }

    /// There is room for a trail of this name in its region, or, if it is of all regions, in each that has trails.
    fn check_room(&self, ctx: &RequestContext, name: &str, multi_region: bool) -> Result<(), ApiError> {
        let account = ctx.account();
        let others = || self.of_account(account).filter(|t| t.region != ctx.region || t.name != name);
        let elsewhere = others().filter(|_| multi_region).map(|trail| trail.region.as_str());
        for region in std::iter::once(ctx.region.as_str()).chain(elsewhere) {
            if others().filter(|trail| trail.covers(region)).count() >= TRAILS_PER_REGION_MAX {
                return Err(ApiError::new(
                    "MaximumNumberOfTrailsExceededException",
                    format!("User: {account} already has {TRAILS_PER_REGION_MAX} trails in {region}."),
                ));
            }
        }
        Ok(())
    }

    /// `UpdateTrail`: what is absent stays.
    pub fn update_trail(
        &self,
        ctx: &RequestContext,
        req: &UpdateTrailRequest,
        bucket_exists: &dyn Fn(&str) -> bool,
    ) -> Decided<UpdateTrailResponse> {
        let mut trail = self.find_at_home(ctx, &req.name)?.clone();
        Unsupported {
            log_group_arn: req.cloud_watch_logs_log_group_arn.as_deref(),
            log_role_arn: req.cloud_watch_logs_role_arn.as_deref(),
            kms_key_id: req.kms_key_id.as_deref(),
            organization: req.is_organization_trail,
        }
        .check()?;
        if let Some(multi_region) = req.is_multi_region_trail {
            trail.is_multi_region_trail = multi_region;
            self.check_room(ctx, &trail.name, multi_region)?;
        }
        if let Some(global_events) = req.include_global_service_events {
            trail.include_global_service_events = global_events;
        }
        check_combination(trail.is_multi_region_trail, trail.include_global_service_events)?;
        if let Some(prefix) = &req.s3_key_prefix {
            check_prefix(prefix)?;
            trail.s3_key_prefix = Some(prefix.clone()).filter(|prefix| !prefix.is_empty());
        }
        if let Some(topic) = &req.sns_topic_name {
            trail.sns_topic_name = Some(topic.clone()).filter(|topic| !topic.is_empty());
            trail.sns_topic_name.as_deref().map_or(Ok(()), |name| check_topic(ctx.account(), name))?;
        }
        if let Some(bucket) = &req.s3_bucket_name {
            check_bucket(bucket, bucket_exists)?;
            trail.s3_bucket_name.clone_from(bucket);
        }
        trail.recursive_logging = req.recursive_logging.or(trail.recursive_logging);
        let had_digests = trail.has_digests();
        trail.log_file_validation = req.enable_log_file_validation.unwrap_or(trail.log_file_validation);
        trail.begin_digests(had_digests, ctx.now);
        Ok((view::created(&trail), vec![Change::put(&trail)]))
    }

    /// `DeleteTrail`. The files stay.
    pub fn delete_trail(&self, ctx: &RequestContext, req: &DeleteTrailRequest) -> Decided<EmptyResponse> {
        let key = self.find_at_home(ctx, &req.name)?.key();
        let changes = vec![Change::delete::<Trail>(key.clone()), Change::delete::<DeliveryStatus>(key)];
        Ok((EmptyResponse {}, changes))
    }

    /// The trail that a request to change it means, which only its home region does.
    pub fn at_home(&self, ctx: &RequestContext, name_or_arn: &str) -> Result<&Trail, ApiError> {
        self.find_at_home(ctx, name_or_arn)
    }

    /// `GetTrail`.
    pub fn get_trail(&self, ctx: &RequestContext, req: &GetTrailRequest) -> Result<GetTrailResponse, ApiError> {
        Ok(GetTrailResponse { trail: view::described(self.find(ctx, &req.name)?) })
    }

    /// `DescribeTrails`: names that no trail has are left out of the answer.
    pub fn describe_trails(
        &self,
        ctx: &RequestContext,
        req: &DescribeTrailsRequest,
    ) -> Result<DescribeTrailsResponse, ApiError> {
        if req.trail_name_list.len() > DESCRIBE_NAMES_MAX {
            return Err(ApiError::new(
                "InvalidParameterCombinationException",
                format!("trailNameList has more than {DESCRIBE_NAMES_MAX} names."),
            ));
        }
        let mut trail_list = Vec::new();
        if req.trail_name_list.is_empty() {
            let shadows = req.include_shadow_trails.unwrap_or(true);
            let shown = |t: &&Trail| t.region == ctx.region || (shadows && t.is_multi_region_trail);
            trail_list.extend(self.of_account(ctx.account()).filter(shown).map(view::described));
        }
        for name in &req.trail_name_list {
            match self.find(ctx, name) {
                Ok(trail) => trail_list.push(view::described(trail)),
                Err(error) if error.code == "TrailNotFoundException" => {}
                Err(error) => return Err(error),
            }
        }
        Ok(DescribeTrailsResponse { trail_list })
    }

    /// `ListTrails`: the account's trails of all regions. The token is the ARN of the last trail of the page before.
    pub fn list_trails(&self, ctx: &RequestContext, req: &ListTrailsRequest) -> Result<ListTrailsResponse, ApiError> {
        let after = match req.next_token.as_deref() {
            None | Some("") => None,
            Some(token) => {
                let (region, _, name) = parse_trail_arn(token)
                    .map_err(|_| ApiError::new("InvalidNextTokenException", "The NextToken is not valid."))?;
                Some((region, name))
            }
        };
        let rest = |t: &&Trail| after.as_ref().is_none_or(|(region, name)| (&t.region, &t.name) > (region, name));
        let mut trails: Vec<_> =
            self.of_account(ctx.account()).filter(rest).take(LIST_PAGE_MAX + 1).map(view::listed).collect();
        let more = trails.len() > LIST_PAGE_MAX;
        trails.truncate(LIST_PAGE_MAX);
        let next_token = trails.last().filter(|_| more).map(|trail| trail.trail_arn.clone());
        Ok(ListTrailsResponse { trails, next_token })
    }

    /// `GetTrailStatus`.
    pub fn get_trail_status(
        &self,
        ctx: &RequestContext,
        req: &GetTrailStatusRequest,
    ) -> Result<GetTrailStatusResponse, ApiError> {
        let trail = self.find(ctx, &req.name)?;
        let never = DeliveryStatus::default();
        Ok(view::status(trail, self.status(trail).unwrap_or(&never)))
    }

    /// `StartLogging`. Starting a trail that logs changes nothing but the time.
    pub fn start_logging(&self, ctx: &RequestContext, req: &StartLoggingRequest) -> Decided<EmptyResponse> {
        let mut trail = self.find_at_home(ctx, &req.name)?.clone();
        let had_digests = trail.has_digests();
        trail.is_logging = true;
        trail.begin_digests(had_digests, ctx.now);
        trail.started = Some(ctx.now);
        Ok((EmptyResponse {}, vec![Change::put(&trail)]))
    }

    /// `StopLogging`.
    pub fn stop_logging(&self, ctx: &RequestContext, req: &StopLoggingRequest) -> Decided<EmptyResponse> {
        let mut trail = self.find_at_home(ctx, &req.name)?.clone();
        trail.is_logging = false;
        trail.stopped = Some(ctx.now);
        Ok((EmptyResponse {}, vec![Change::put(&trail)]))
    }

    /// `PutEventSelectors`: replaces the selectors with those of the one kind that is given.
    pub fn put_event_selectors(
        &self,
        ctx: &RequestContext,
        req: &PutEventSelectorsRequest,
    ) -> Decided<EventSelectorsResponse> {
        let mut trail = self.find_at_home(ctx, &req.trail_name)?.clone();
        trail.selectors = match (req.event_selectors.as_slice(), req.advanced_event_selectors.as_slice()) {
            ([], []) => {
                return Err(invalid_selectors(
                    "Specify EventSelectors or AdvancedEventSelectors: one of them must not be empty.",
                ));
            }
            (basic, []) => Selectors::Basic(check_basic(basic)?),
            ([], advanced) => {
                check_advanced(advanced)?;
                Selectors::Advanced(advanced.to_vec())
            }
            _ => {
                return Err(invalid_selectors(
                    "Specify EventSelectors or AdvancedEventSelectors, not both: a trail has selectors of one kind.",
                ));
            }
        };
        Ok((view::selectors(&trail), vec![Change::put(&trail)]))
    }

    /// `GetEventSelectors`.
    pub fn get_event_selectors(
        &self,
        ctx: &RequestContext,
        req: &GetEventSelectorsRequest,
    ) -> Result<EventSelectorsResponse, ApiError> {
        Ok(view::selectors(self.find(ctx, &req.trail_name)?))
    }
}
