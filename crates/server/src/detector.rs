//! The detector: trail → rule → topic → queue, for every account that has a key.
//!
//! It is made of ordinary operations, as a user would call them, and only what is missing is made: what somebody changed
//! stays changed. The trail records all regions; a rule sees the events of its own region only, so that a region gets its
//! rule and topic when the first record of it comes by, before that record is passed on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_api::cloudtrail::{
    AdvancedEventSelector, AdvancedFieldSelector, CloudTrailApi, CreateTrailRequest, PutEventSelectorsRequest,
    StartLoggingRequest,
};
use aws_api::events::{EventsApi, PutRuleRequest, PutTargetsRequest, Target};
use aws_api::sns::{CreateTopicRequest, SetTopicAttributesRequest, SnsApi, SubscribeRequest};
use aws_api::sqs::{CreateQueueRequest, SetQueueAttributesRequest, SqsApi};
use aws_api::{ApiError, Caller, RequestContext, Role};
use gateway::{Backend, Body};
use http::{Method, Request};
use s3_embedded::{ExpectedOperation, Owner, RequestId, RequestTime, Requester};
use store::{Space, Unit};

use crate::app::{App, unavailable};
use crate::clock;
use crate::rpc::full;
use crate::services::Services;

/// The name of trail, rule, topic and queue.
pub const NAME: &str = "sigtrail-sigv2";
/// Before the account in the name of the log bucket.
pub const LOG_BUCKET: &str = "sigtrail-logs";
/// Every S3 call that is signed with Signature Version 2, whatever became of it.
pub const PATTERN: &str = r#"{"source":["aws.s3"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["s3.amazonaws.com"],"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#;
/// Regions of one account that get a rule; a bucket may name any text as its region.
const REGIONS_MAX: usize = 100;

/// Which regions of each account have their rule.
#[derive(Debug, Default)]
pub struct Covered(Mutex<BTreeMap<String, BTreeSet<String>>>);

/// Makes what is missing of the detector in the home region of each account.
pub async fn install(app: &Arc<App>) -> Result<(), ApiError> {
    for account in app.config.accounts() {
        let region = app.config.region.clone();
        let detector = Detector::new(app, &account, &region);
        detector.log_bucket().await?;
        detector.trail().await?;
        detector.queue().await?;
        detector.rule().await?;
        detector.complete().await?;
        app.covered.insert(account, region);
    }
    Ok(())
}

/// Makes sure that the region of a request to S3 has its rule, before its record is passed on. What fails is logged: the record
/// still goes into the log files, and the next one of the region tries again.
pub async fn cover(app: &Arc<App>, account: &str, region: &str) {
    if app.covered.contains(account, region) || !app.config.accounts().iter().any(|own| own == account) {
        return;
    }
    if !is_region(region) || app.covered.regions(account) >= REGIONS_MAX {
        tracing::debug!(account, region, "no rule is made for this region");
        return;
    }
    let detector = Detector::new(app, account, region);
    let made = async {
        detector.rule().await?;
        detector.complete().await
    };
    match made.await {
        Ok(()) => app.covered.insert(account.to_owned(), region.to_owned()),
        Err(error) => tracing::error!(account, region, %error, "the detector's rule could not be made"),
    }
}

fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Covered {
    fn contains(&self, account: &str, region: &str) -> bool {
        self.lock().get(account).is_some_and(|regions| regions.contains(region))
    }

    fn regions(&self, account: &str) -> usize {
        self.lock().get(account).map_or(0, BTreeSet::len)
    }

    fn insert(&self, account: String, region: String) {
        self.lock().entry(account).or_default().insert(region);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The detector of one account, seen from one region.
struct Detector<'a> {
    app: &'a Arc<App>,
    services: Services,
    ctx: RequestContext,
}

impl<'a> Detector<'a> {
    fn new(app: &'a Arc<App>, account: &str, region: &str) -> Self {
        let ctx = RequestContext {
            caller: Caller {
                account: account.to_owned(),
                arn: format!("arn:aws:iam::{account}:root"),
                principal_id: account.to_owned(),
                role_arn: None,
                role: Role::Admin,
            },
            region: region.to_owned(),
            now: clock::now(),
            request_id: clock::new_id().to_string(),
            endpoint: app.endpoint().to_owned(),
            via: None,
        };
        Self { app, services: Services(Arc::clone(app)), ctx }
    }

    fn complete_key(&self) -> String {
        format!("detector/{}/{}", self.ctx.account(), self.ctx.region)
    }

    /// Was everything made once? Until then each part is made to the end; after that, only what is gone is made again, and
    /// what somebody changed stays changed.
    fn is_complete(&self) -> Result<bool, ApiError> {
        self.is_noted(&self.complete_key())
    }

    async fn complete(&self) -> Result<(), ApiError> {
        self.note(self.complete_key()).await
    }

    fn bucket_name(&self) -> String {
        format!("{LOG_BUCKET}-{}", self.ctx.account())
    }

    async fn log_bucket(&self) -> Result<(), ApiError> {
        let name = self.bucket_name();
        let failed =
            |what: String| ApiError::internal(format!("the bucket {name} for log files cannot be made: {what}"));
        match self.app.s3.bucket(&name).map_err(|error| failed(error.to_string()))? {
            Some(bucket) if bucket.owner == self.ctx.account() => return self.log_bucket_policy(&name, false).await,
            Some(bucket) => return Err(failed(format!("it belongs to the account {}", bucket.owner))),
            None => {}
        }
        self.s3("CreateBucket", Method::PUT, &format!("/{name}"), String::new()).await.map_err(failed)?;
        self.log_bucket_policy(&name, true).await
    }

    /// Lets the trail deliver into its bucket. A bucket of an earlier version, which asked for no policy, gets one once; after
    /// that it is the owner's to change or to take away.
    async fn log_bucket_policy(&self, name: &str, is_new: bool) -> Result<(), ApiError> {
        let given = format!("detector-policy/{}", self.ctx.account()).into_bytes();
        let app = self.app;
        if !is_new && app.store.get(Space::Meta, &given).map_err(|error| unavailable(&error))?.is_some() {
            return Ok(());
        }
        let (trail, uri) = (
            aws_api::Arn::new("cloudtrail", &self.ctx.region, self.ctx.account(), format!("trail/{NAME}")).to_string(),
            format!("/{name}?policy"),
        );
        let failed =
            |what: String| ApiError::internal(format!("the policy of the bucket {name} cannot be set: {what}"));
        let found = self.s3("GetBucketPolicy", Method::GET, &uri, String::new()).await;
        if let Err(what) = found {
            if !what.starts_with("404") {
                return Err(failed(what));
            }
            let policy = log_bucket_policy(name, self.ctx.account(), &trail);
            self.s3("PutBucketPolicy", Method::PUT, &uri, policy).await.map_err(failed)?;
        }
        let mut unit = Unit::new();
        unit.put(Space::Meta, given, Vec::new());
        app.store.commit(unit).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// One S3 operation as the root of the account; what went wrong if it failed.
    async fn s3(&self, operation: &'static str, method: Method, uri: &str, body: String) -> Result<(), String> {
        let mut request: Request<Body> = Request::new(full(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri.parse().unwrap_or_default();
        let account = self.ctx.account().to_owned();
        let extensions = request.extensions_mut();
        extensions.insert(RequestTime(self.ctx.now));
        extensions.insert(RequestId(clock::new_id()));
        extensions.insert(ExpectedOperation(operation));
        extensions.insert(Requester { secure_transport: true, ..Requester::root(&account) });
        extensions.insert(Owner { display_name: account.clone(), account });
        let answer = self.app.s3.call(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    }

    async fn trail(&self) -> Result<(), ApiError> {
        let exists = self.app.registry().trails.trail(self.ctx.account(), &self.ctx.region, NAME).is_some();
        if exists && self.is_complete()? {
            return Ok(());
        }
        if !exists {
            let trail = CreateTrailRequest {
                name: NAME.into(),
                s3_bucket_name: self.bucket_name(),
                is_multi_region_trail: Some(true),
                ..CreateTrailRequest::default()
            };
            self.services.create_trail(&self.ctx, trail).await?;
        }
        let selectors = PutEventSelectorsRequest {
            trail_name: NAME.into(),
            advanced_event_selectors: selectors(&self.bucket_name()),
            ..PutEventSelectorsRequest::default()
        };
        self.services.put_event_selectors(&self.ctx, selectors).await?;
        self.services.start_logging(&self.ctx, StartLoggingRequest { name: NAME.into() }).await?;
        Ok(())
    }

    async fn queue(&self) -> Result<(), ApiError> {
        if self.app.registry().queues.queue_by_arn(&self.arn("sqs", &self.app.config.region)).is_some() {
            return self.queue_policy(false).await;
        }
        let retention = ("MessageRetentionPeriod".to_owned(), "1209600".to_owned());
        let visibility = ("VisibilityTimeout".to_owned(), "60".to_owned());
        let queue = CreateQueueRequest {
            queue_name: Some(NAME.into()),
            attributes: BTreeMap::from([retention, visibility]),
            ..CreateQueueRequest::default()
        };
        self.services.create_queue(&self.ctx, queue).await?;
        self.queue_policy(true).await
    }

    /// Lets the topics of all regions send into the queue, once: a queue of an earlier version asked for no policy. After that
    /// it is the owner's to change or to take away.
    async fn queue_policy(&self, is_new: bool) -> Result<(), ApiError> {
        let queue = self.arn("sqs", &self.app.config.region);
        let name = format!("detector-queue-policy/{}", self.ctx.account());
        let has_policy = self.app.registry().queues.queue_by_arn(&queue).is_some_and(|it| it.settings.policy.is_some());
        if !has_policy && (is_new || !self.is_noted(&name)?) {
            let topics = self.arn("sns", "*");
            let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
                "Sid": "TopicsMaySend",
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": { "ArnLike": { "aws:SourceArn": topics } },
            }]});
            let request = SetQueueAttributesRequest {
                queue_url: Some(format!("/{}/{NAME}", self.ctx.account())),
                attributes: BTreeMap::from([("Policy".to_owned(), policy.to_string())]),
            };
            self.services.set_queue_attributes(&self.ctx, request).await?;
        }
        self.note(name).await
    }

    /// Lets the rule of the region publish to its topic; once, as [`Self::queue_policy`].
    async fn topic_policy(&self, topic: &str, is_new: bool) -> Result<(), ApiError> {
        let name = format!("detector-topic-policy/{}/{}", self.ctx.account(), self.ctx.region);
        if !is_new && self.is_noted(&name)? {
            return Ok(());
        }
        let parsed = topic.parse().map_err(|_| ApiError::internal("the topic has no ARN"))?;
        if !self.app.registry().topics.has_own_policy(&parsed) {
            let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
                "Sid": "RuleMayPublish",
                "Effect": "Allow",
                "Principal": { "Service": "events.amazonaws.com" },
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": { "ArnEquals": { "aws:SourceArn": self.arn("events", &self.ctx.region) } },
            }]});
            let request = SetTopicAttributesRequest {
                topic_arn: Some(topic.to_owned()),
                attribute_name: Some("Policy".into()),
                attribute_value: Some(policy.to_string()),
            };
            self.services.set_topic_attributes(&self.ctx, request).await?;
        }
        self.note(name).await
    }

    fn is_noted(&self, name: &str) -> Result<bool, ApiError> {
        let row = self.app.store.get(Space::Meta, name.as_bytes()).map_err(|error| unavailable(&error))?;
        Ok(row.is_some())
    }

    /// Remembers that something was done once.
    async fn note(&self, name: String) -> Result<(), ApiError> {
        if self.is_noted(&name)? {
            return Ok(());
        }
        let mut unit = Unit::new();
        unit.put(Space::Meta, name.into_bytes(), Vec::new());
        self.app.store.commit(unit).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Topic, subscription and rule of the region; the queue is the home region's.
    async fn rule(&self) -> Result<(), ApiError> {
        let region = &self.ctx.region;
        let topic_arn = self.arn("sns", region);
        let arn = topic_arn.parse().map_err(|_| ApiError::internal("the topic has no ARN"))?;
        let complete = self.is_complete()?;
        let has_topic = self.app.registry().topics.exists(&arn);
        if !has_topic || !complete {
            let topic = CreateTopicRequest { name: Some(NAME.into()), ..CreateTopicRequest::default() };
            self.services.create_topic(&self.ctx, topic).await?;
            let raw = ("RawMessageDelivery".to_owned(), "true".to_owned());
            let subscription = SubscribeRequest {
                topic_arn: Some(topic_arn.clone()),
                protocol: Some("sqs".into()),
                endpoint: Some(self.arn("sqs", &self.app.config.region)),
                attributes: BTreeMap::from([raw]),
                ..SubscribeRequest::default()
            };
            self.services.subscribe(&self.ctx, subscription).await?;
        }
        self.topic_policy(&topic_arn, !has_topic).await?;
        let has_rule = self.app.registry().buses.has_rule(self.ctx.account(), region, bus::DEFAULT_BUS, NAME);
        if has_rule && complete {
            return Ok(());
        }
        let rule = PutRuleRequest {
            name: NAME.into(),
            event_pattern: Some(PATTERN.into()),
            state: Some("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS".into()),
            description: Some("S3 calls signed with Signature Version 2".into()),
            ..PutRuleRequest::default()
        };
        self.services.put_rule(&self.ctx, rule).await?;
        let target = Target { id: "sigv2-topic".into(), arn: topic_arn, ..Target::default() };
        let targets = PutTargetsRequest { rule: NAME.into(), targets: vec![target], ..PutTargetsRequest::default() };
        let answer = self.services.put_targets(&self.ctx, targets).await?;
        match answer.failed_entries.first() {
            Some(failed) => Err(ApiError::internal(format!("the rule takes no target: {failed:?}"))),
            None => Ok(()),
        }
    }

    fn arn(&self, service: &str, region: &str) -> String {
        let resource = if service == "events" { format!("rule/{NAME}") } else { NAME.to_owned() };
        aws_api::Arn::new(service, region, self.ctx.account(), resource).to_string()
    }
}

/// CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail".
fn log_bucket_policy(bucket: &str, account: &str, trail_arn: &str) -> String {
    let statement = |sid: &str, action: &str, resource: String, condition: serde_json::Value| {
        serde_json::json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": { "Service": "cloudtrail.amazonaws.com" },
            "Action": action,
            "Resource": resource,
            "Condition": { "StringEquals": condition },
        })
    };
    let acl_check = serde_json::json!({ "aws:SourceArn": trail_arn });
    let write = serde_json::json!({ "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail_arn });
    let statements = [
        statement("AWSCloudTrailAclCheck20150319", "s3:GetBucketAcl", format!("arn:aws:s3:::{bucket}"), acl_check),
        statement(
            "AWSCloudTrailWrite20150319",
            "s3:PutObject",
            format!("arn:aws:s3:::{bucket}/AWSLogs/{account}/*"),
            write,
        ),
    ];
    serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// All management events, and the data events of all buckets but the one that the log files go to.
fn selectors(log_bucket: &str) -> Vec<AdvancedEventSelector> {
    let equals = |field: &str, value: &str| AdvancedFieldSelector {
        field: field.into(),
        equals: vec![value.into()],
        ..AdvancedFieldSelector::default()
    };
    let outside_of_log_bucket = AdvancedFieldSelector {
        field: "resources.ARN".into(),
        not_starts_with: vec![format!("arn:aws:s3:::{log_bucket}/")],
        ..AdvancedFieldSelector::default()
    };
    let selector = |name: &str, field_selectors| AdvancedEventSelector { name: Some(name.into()), field_selectors };
    vec![
        selector("Management events", vec![equals("eventCategory", "Management")]),
        selector(
            "S3 object events without the log bucket",
            vec![equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), outside_of_log_bucket],
        ),
    ]
}
