//! The way of a record over the pure cores: configured as a user would, without a store, a clock or a socket.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use std::collections::BTreeMap;

use aws_api::cloudtrail::{CreateTrailRequest, EventSelector, PutEventSelectorsRequest, StartLoggingRequest};
use aws_api::events::{DeadLetterConfig, DescribeRuleRequest, PutRuleRequest, PutTargetsRequest, Target};
use aws_api::sns::{CreateTopicRequest, DeleteTopicRequest, SetTopicAttributesRequest, SubscribeRequest};
use aws_api::sqs::{CreateQueueRequest, SetQueueAttributesRequest};
use aws_api::{ApiError, Caller, Change, RequestContext, Role, Timestamp};
use pipeline::{Registry, Step, Surroundings, Tally, step};
use queue::Effect;
use record::{Entry, Outcome, Record};
use serde_json::{Value, json};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);
const ACCOUNT: &str = "111122223333";
const PATTERN: &str = r#"{"source":["aws.s3"],"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#;

struct World {
    registry: Registry,
    ctx: RequestContext,
}

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:us-east-1:{ACCOUNT}:{name}")
}

fn rule_arn() -> String {
    arn("events", "rule/sigv2")
}

fn statement(service: &str, action: &str, resource: &str, source: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}}})
}

fn policy(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

impl World {
    /// A trail for everything, a rule with the pattern, a topic, and the queues `q` (subscribed), `direct` and `dead`; all of
    /// them let the rule and the topic in.
    fn new(state: &str) -> Self {
        let caller = Caller {
            account: ACCOUNT.into(),
            arn: format!("arn:aws:iam::{ACCOUNT}:root"),
            principal_id: ACCOUNT.into(),
            role_arn: None,
            role: Role::Admin,
        };
        let ctx = RequestContext {
            caller,
            region: "us-east-1".into(),
            now: NOW,
            request_id: "r".into(),
            endpoint: "http://127.0.0.1:4566".into(),
            via: None,
        };
        let mut world = Self { registry: Registry::default(), ctx };
        world.trail();
        for (number, name) in ["q", "direct", "dead"].into_iter().enumerate() {
            let policy = policy(&[
                statement("sns.amazonaws.com", "sqs:SendMessage", &arn("sqs", name), &arn("sns", "t")),
                statement("events.amazonaws.com", "sqs:SendMessage", &arn("sqs", name), &rule_arn()),
            ]);
            let req = CreateQueueRequest {
                queue_name: Some(name.into()),
                attributes: BTreeMap::from([("Policy".into(), policy)]),
                ..CreateQueueRequest::default()
            };
            world.decide(|registry, ctx| registry.queues.create_queue(ctx, &req, Uuid::from_u128(number as u128 + 1)));
        }
        let publish = statement("events.amazonaws.com", "sns:Publish", &arn("sns", "t"), &rule_arn());
        let topic = CreateTopicRequest {
            name: Some("t".into()),
            attributes: BTreeMap::from([("Policy".into(), policy(&[publish]))]),
            ..CreateTopicRequest::default()
        };
        world.decide(|registry, ctx| registry.topics.create_topic(ctx, &topic));
        world.subscribe(&[("RawMessageDelivery", "true")]);
        let rule = PutRuleRequest {
            name: "sigv2".into(),
            event_pattern: Some(PATTERN.into()),
            state: Some(state.into()),
            ..PutRuleRequest::default()
        };
        world.decide(|registry, ctx| registry.buses.put_rule(ctx, &rule));
        world
    }

    fn trail(&mut self) {
        let trail =
            CreateTrailRequest { name: "all".into(), s3_bucket_name: "logs".into(), ..CreateTrailRequest::default() };
        self.decide(|registry, ctx| registry.trails.create_trail(ctx, &trail, &|_| true));
        let all =
            aws_api::cloudtrail::DataResource { r#type: "AWS::S3::Object".into(), values: vec!["arn:aws:s3".into()] };
        let selectors = PutEventSelectorsRequest {
            trail_name: "all".into(),
            event_selectors: vec![EventSelector { data_resources: vec![all], ..EventSelector::default() }],
            ..PutEventSelectorsRequest::default()
        };
        self.decide(|registry, ctx| registry.trails.put_event_selectors(ctx, &selectors));
        let start = StartLoggingRequest { name: "all".into() };
        self.decide(|registry, ctx| registry.trails.start_logging(ctx, &start));
    }

    fn subscribe(&mut self, attributes: &[(&str, &str)]) {
        let req = SubscribeRequest {
            topic_arn: Some(arn("sns", "t")),
            protocol: Some("sqs".into()),
            endpoint: Some(arn("sqs", "q")),
            attributes: attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..SubscribeRequest::default()
        };
        self.decide(|registry, ctx| {
            registry.topics.subscribe(ctx, &req, Uuid::from_u128(9), &|arn| registry.exists(arn))
        });
    }

    fn target(&mut self, service: &str, name: &str) {
        let dead_letter = DeadLetterConfig { arn: Some(arn("sqs", "dead")) };
        let target = Target {
            id: name.into(),
            arn: arn(service, name),
            dead_letter_config: Some(dead_letter),
            ..Target::default()
        };
        let req = PutTargetsRequest { rule: "sigv2".into(), targets: vec![target], ..PutTargetsRequest::default() };
        let failed = self.decide(|registry, ctx| registry.buses.put_targets(ctx, &req, &|arn| registry.exists(arn)));
        assert_eq!(failed.failed_entry_count, 0);
    }

    fn topic_policy(&mut self, policy: String) {
        let req = SetTopicAttributesRequest {
            topic_arn: Some(arn("sns", "t")),
            attribute_name: Some("Policy".into()),
            attribute_value: Some(policy),
        };
        self.decide(|registry, ctx| registry.topics.set_topic_attributes(ctx, &req).map(|changes| ((), changes)));
    }

    fn queue_policy(&mut self, name: &str, policy: String) {
        let req = SetQueueAttributesRequest {
            queue_url: Some(format!("/{ACCOUNT}/{name}")),
            attributes: BTreeMap::from([("Policy".into(), policy)]),
        };
        self.decide(|registry, ctx| registry.queues.set_queue_attributes(ctx, &req));
    }

    /// Decides, and takes in what was decided, as the server does once it is stored.
    fn decide<T>(
        &mut self,
        decide: impl FnOnce(&Registry, &RequestContext) -> Result<(T, Vec<Change>), ApiError>,
    ) -> T {
        let (answer, changes) = decide(&self.registry, &self.ctx).unwrap();
        for change in &changes {
            self.registry.absorb(change).unwrap();
        }
        answer
    }

    fn pass(&self, outcome: Outcome, record: &Record, with_failures: bool) -> Step {
        self.pass_and_tell(outcome, record, with_failures).0
    }

    /// The same with the statements that were missing.
    fn pass_and_tell(&self, outcome: Outcome, record: &Record, with_failures: bool) -> (Step, Vec<Value>) {
        self.pass_and_count(outcome, record, with_failures, &mut Tally::default())
    }

    /// The same, counted.
    fn pass_and_count(
        &self,
        outcome: Outcome,
        record: &Record,
        with_failures: bool,
        tally: &mut Tally,
    ) -> (Step, Vec<Value>) {
        let mut forbidden = Vec::new();
        let bytes = Entry::encode(outcome, record);
        let entry = Entry::decode(&bytes).unwrap();
        let mut seq = 0;
        let mut around = Surroundings {
            now: NOW,
            endpoint: "http://127.0.0.1:4566",
            signing_cert_url: "http://127.0.0.1:4566/SimpleNotificationService-0.pem",
            sign: &|_, canonical| format!("signature of {} bytes", canonical.len()),
            next_seq: &mut || {
                seq += 1;
                seq
            },
            forbidden: &mut |refusal| forbidden.push(refusal.missing_statement()),
            tally,
        };
        let step = step(&self.registry, &self.registry.trails, &entry, with_failures, &mut around);
        (step, forbidden)
    }

    /// The messages of a step: queue, id, text, attributes.
    fn messages(&self, step: &Step) -> Vec<(String, Uuid, String, BTreeMap<String, queue::Attribute>)> {
        let name = |id| self.registry.queues.iter().find(|queue| queue.id == id).unwrap().place.name.clone();
        let sent = step.effects.iter().map(|effect| match effect {
            Effect::Send { queue, message, .. } => {
                (name(*queue), message.id, message.body.clone(), message.attributes.clone())
            }
            other => panic!("a step only sends: {other:?}"),
        });
        sent.collect()
    }
}

fn record(event_name: &str, version: &str, data: bool) -> Record {
    serde_json::from_value(serde_json::json!({
        "eventVersion": "1.11", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/u"},
        "eventTime": "2026-03-14T09:26:53Z", "eventSource": "s3.amazonaws.com", "eventName": event_name,
        "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.1", "userAgent": "[x]",
        "requestParameters": {"bucketName": "b", "key": "k"}, "responseElements": null,
        "additionalEventData": {"SignatureVersion": version, "bytesTransferredIn": 0, "bytesTransferredOut": 0},
        "requestID": "R", "eventID": "E", "readOnly": event_name.starts_with("Get") || event_name.starts_with("List"),
        "resources": if data { serde_json::json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}]) } else { serde_json::json!([]) },
        "eventType": "AwsApiCall", "managementEvent": !data, "recipientAccountId": ACCOUNT,
        "eventCategory": if data { "Data" } else { "Management" }
    }))
    .unwrap()
}

#[test]
fn a_sigv2_request_becomes_a_message() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    world.target("sqs", "direct");
    let step = world.pass(Outcome::Admitted, &record("PutObject", "SigV2", true), false);
    assert_eq!(step.trails, ["111122223333/us-east-1/all"]);
    let messages = world.messages(&step);
    assert_eq!(messages.iter().map(|(queue, ..)| queue.as_str()).collect::<Vec<_>>(), ["direct", "q"]);
    let event: serde_json::Value = serde_json::from_str(&messages[1].2).unwrap();
    assert_eq!((&event["source"], &event["detail"]["eventID"]), (&"aws.s3".into(), &"E".into()));
    assert_eq!((step.counts.matched, step.counts.invocations, step.counts.notifications), (1, 2, 1));

    let again = world.messages(&world.pass(Outcome::Admitted, &record("PutObject", "SigV2", true), false));
    assert_eq!(again, messages, "passing a record on twice makes the same messages, ids included");
    let other = world.pass(Outcome::Admitted, &record("PutObject", "SigV4", true), false);
    assert_eq!((other.trails.len(), other.effects.len()), (1, 0), "recorded, but not matched");
}

#[test]
fn read_only_management_events_need_the_third_state() {
    for (state, event, expected) in [
        ("ENABLED", "ListBuckets", 0),
        ("ENABLED", "CreateBucket", 1),
        ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "ListBuckets", 1),
        ("DISABLED", "CreateBucket", 0),
    ] {
        let mut world = World::new(state);
        world.target("sns", "t");
        let step = world.pass(Outcome::Admitted, &record(event, "SigV2", false), false);
        assert_eq!(step.effects.len(), expected, "{state} {event}");
    }
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let step = world.pass(Outcome::Admitted, &record("GetObject", "SigV2", true), false);
    assert_eq!(step.effects.len(), 1, "data events are seen whether or not they only look");
}

#[test]
fn refused_requests_stay_out_unless_they_are_asked_for() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let refused = record("PutObject", "SigV2", true);
    assert_eq!(world.pass(Outcome::Refused, &refused, false), Step::default());
    assert_eq!(world.pass(Outcome::Refused, &refused, true).effects.len(), 1);
}

#[test]
fn without_a_trail_there_is_no_event() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let stop = aws_api::cloudtrail::StopLoggingRequest { name: "all".into() };
    world.decide(|registry, ctx| registry.trails.stop_logging(ctx, &stop));
    assert_eq!(world.pass(Outcome::Admitted, &record("PutObject", "SigV2", true), false), Step::default());
}

#[test]
fn what_cannot_be_delivered_is_in_the_dead_letter_queue() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let req = DeleteTopicRequest { topic_arn: Some(arn("sns", "t")) };
    world.decide(|registry, ctx| registry.topics.delete_topic(ctx, &req).map(|changes| ((), changes)));
    let step = world.pass(Outcome::Admitted, &record("PutObject", "SigV2", true), false);
    let messages = world.messages(&step);
    let [(queue, _, body, attributes)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(queue, "dead");
    assert!(body.contains(r#""eventID":"E""#), "{body}");
    let told = |name: &str| told(attributes, name);
    assert_eq!((told("ERROR_CODE"), told("TARGET_ARN")), ("NO_RESOURCE".into(), arn("sns", "t")));
    let rule = DescribeRuleRequest { name: "sigv2".into(), ..DescribeRuleRequest::default() };
    assert_eq!(told("RULE_ARN"), world.registry.buses.describe_rule(&world.ctx, &rule).unwrap().arn);
    assert_eq!((step.counts.failed_invocations, step.counts.dead_lettered, step.counts.invocations), (1, 1, 0));
}

#[test]
fn envelopes_are_signed_and_raw_deliveries_are_not() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let raw = world.messages(&world.pass(Outcome::Admitted, &record("PutObject", "SigV2", true), false));
    assert!(!raw[0].2.contains("Signature\" :"));
    let attributes = aws_api::sns::SetSubscriptionAttributesRequest {
        subscription_arn: Some(format!("{}:{}", arn("sns", "t"), Uuid::from_u128(9))),
        attribute_name: Some("RawMessageDelivery".into()),
        attribute_value: Some("false".into()),
    };
    world.decide(|registry, ctx| {
        let changes = registry.topics.set_subscription_attributes(ctx, &attributes, &|arn| registry.exists(arn))?;
        Ok(((), changes))
    });
    let messages = world.messages(&world.pass(Outcome::Admitted, &record("PutObject", "SigV2", true), false));
    let envelope: serde_json::Value = serde_json::from_str(&messages[0].2).unwrap();
    assert!(envelope["Signature"].as_str().unwrap().starts_with("signature of "), "{envelope}");
    assert_eq!(envelope["SigningCertURL"], "http://127.0.0.1:4566/SimpleNotificationService-0.pem");
    assert!(envelope["Message"].as_str().unwrap().contains("SigV2"));
}

fn told(attributes: &BTreeMap<String, queue::Attribute>, name: &str) -> String {
    match &attributes[name] {
        queue::Attribute::Text(_, text) => text.clone(),
        other @ queue::Attribute::Bytes(..) => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_that_may_not_publish() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let other_rule = arn("events", "rule/other");
    let of_other = statement("events.amazonaws.com", "sns:Publish", &arn("sns", "t"), &other_rule);
    world.topic_policy(policy(&[of_other]));
    let event = record("PutObject", "SigV2", true);
    let (step, missing) = world.pass_and_tell(Outcome::Admitted, &event, false);
    let messages = world.messages(&step);
    let [(queue, _, _, attributes)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((queue.as_str(), &*told(attributes, "ERROR_CODE")), ("dead", "NO_PERMISSIONS"));
    assert!(told(attributes, "ERROR_MESSAGE").contains("sns:Publish"));
    assert_eq!((step.counts.failed_invocations, step.counts.dead_lettered, step.counts.lost), (1, 1, 0));
    let [statement] = &missing[..] else { panic!("{missing:?}") };
    world.topic_policy(policy(std::slice::from_ref(statement)));
    let (step, missing) = world.pass_and_tell(Outcome::Admitted, &event, false);
    assert_eq!((step.counts.invocations, step.counts.notifications, missing.len()), (1, 1, 0));
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"});
    world.topic_policy(policy(&[statement.clone(), deny]));
    assert_eq!(world.pass(Outcome::Admitted, &event, false).counts.failed_invocations, 1);
}

#[test]
fn a_queue_and_a_dead_letter_queue_that_are_closed() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    world.target("sqs", "direct");
    for name in ["q", "direct"] {
        world.queue_policy(name, String::new());
    }
    let event = record("PutObject", "SigV2", true);
    let (step, missing) = world.pass_and_tell(Outcome::Admitted, &event, false);
    let messages = world.messages(&step);
    assert_eq!(messages.iter().map(|(queue, ..)| queue.as_str()).collect::<Vec<_>>(), ["dead"]);
    assert_eq!(missing.len(), 2, "{missing:?}");
    let Step { counts, .. } = step;
    assert_eq!((counts.invocations, counts.failed_invocations, counts.dead_lettered), (1, 1, 1));
    assert_eq!((counts.failed_notifications, counts.lost), (1, 1), "the subscription has no dead-letter queue");
    world.queue_policy("dead", String::new());
    let (step, missing) = world.pass_and_tell(Outcome::Admitted, &event, false);
    assert_eq!((step.effects.len(), step.counts.lost, missing.len()), (0, 2, 3));
    for statement in missing {
        let name = statement["Resource"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        world.queue_policy(&name, policy(&[statement]));
    }
    let counts = world.pass(Outcome::Admitted, &event, false).counts;
    assert_eq!((counts.invocations, counts.notifications, counts.lost), (2, 1, 0));
}

/// Namespace, name and dimensions of what was counted, with the sum.
fn counted(tally: &mut Tally) -> Vec<(String, f64)> {
    let mut counted: Vec<_> = tally
        .take(NOW)
        .into_iter()
        .map(|put| {
            let metric = put.series.metric;
            assert_eq!((metric.account.as_str(), metric.region.as_str(), put.moment), (ACCOUNT, "us-east-1", NOW));
            let dimensions: Vec<_> =
                metric.dimensions.iter().map(|one| format!(" {}={}", one.name, one.value)).collect();
            (format!("{} {}{}", metric.namespace, metric.name, dimensions.concat()), put.values.sum)
        })
        .collect();
    counted.sort_by(|a, b| a.0.cmp(&b.0));
    counted
}

#[test]
fn a_message_is_counted_for_its_rule_its_topic_and_its_queues() {
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    world.target("sqs", "direct");
    let mut tally = Tally::default();
    let record = record("PutObject", "SigV2", true);
    let (step, _) = world.pass_and_count(Outcome::Admitted, &record, false, &mut tally);
    let size = |step: &Step, queue: &str| -> f64 {
        let messages = world.messages(step);
        let (.., body, _) = messages.iter().find(|(name, ..)| name == queue).unwrap();
        f64::from(u32::try_from(body.len()).unwrap())
    };
    let (to_topic, direct) = (size(&step, "q"), size(&step, "direct"));
    world.pass_and_count(Outcome::Admitted, &record, false, &mut tally);
    let expected = [
        ("AWS/Events InvocationAttempts RuleName=sigv2", 4.0),
        ("AWS/Events Invocations RuleName=sigv2", 4.0),
        ("AWS/Events InvocationsCreated RuleName=sigv2", 4.0),
        ("AWS/Events MatchedEvents", 2.0),
        ("AWS/Events MatchedEvents RuleName=sigv2", 2.0),
        ("AWS/Events SuccessfulInvocationAttempts RuleName=sigv2", 4.0),
        ("AWS/Events TriggeredRules RuleName=sigv2", 2.0),
        ("AWS/SNS NumberOfMessagesPublished TopicName=t", 2.0),
        ("AWS/SNS NumberOfNotificationsDelivered TopicName=t", 2.0),
        ("AWS/SNS PublishSize TopicName=t", 2.0 * to_topic),
        ("AWS/SQS NumberOfMessagesSent QueueName=direct", 2.0),
        ("AWS/SQS NumberOfMessagesSent QueueName=q", 2.0),
        ("AWS/SQS SentMessageSize QueueName=direct", 2.0 * direct),
        ("AWS/SQS SentMessageSize QueueName=q", 2.0 * to_topic),
    ];
    assert_eq!(counted(&mut tally), expected.map(|(name, sum)| (name.to_owned(), sum)));
    assert!(tally.is_empty());
}

#[test]
fn what_goes_to_a_dead_letter_queue_is_counted_as_failed() {
    let mut world = World::new("ENABLED");
    world.target("sqs", "direct");
    let queue = aws_api::sqs::DeleteQueueRequest { queue_url: Some(format!("http://127.0.0.1:4566/{ACCOUNT}/direct")) };
    world.decide(|registry, ctx| {
        registry.queues.delete_queue(ctx, &queue).map(|(answer, changes, _)| (answer, changes))
    });
    let mut tally = Tally::default();
    world.pass_and_count(Outcome::Admitted, &record("PutObject", "SigV2", true), false, &mut tally);
    let counted = counted(&mut tally);
    let count = |name: &str| counted.iter().find(|(other, _)| other == name).map(|(_, sum)| *sum);
    assert_eq!(count("AWS/Events FailedInvocations RuleName=sigv2"), Some(1.0));
    assert_eq!(count("AWS/Events InvocationsSentToDlq RuleName=sigv2"), Some(1.0));
    assert_eq!(count("AWS/Events InvocationsFailedToBeSentToDlq RuleName=sigv2"), None);
    assert_eq!(count("AWS/SQS NumberOfMessagesSent QueueName=dead"), Some(1.0));
    assert_eq!(count("AWS/SQS NumberOfMessagesSent QueueName=direct"), None);
}

/// What the whole way costs, of which counting is a part (`src/tally.rs`).
#[test]
#[ignore = "a measure, not a check"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn what_the_way_costs() {
    const RECORDS: u32 = 50_000;
    let mut world = World::new("ENABLED");
    world.target("sns", "t");
    let bytes = Entry::encode(Outcome::Admitted, &record("PutObject", "SigV2", true));
    let (mut tally, mut seq, mut effects) = (Tally::default(), 0, 0);
    let begun = std::time::Instant::now();
    for _ in 0..RECORDS {
        let entry = Entry::decode(&bytes).unwrap();
        let mut around = Surroundings {
            now: NOW,
            endpoint: "http://127.0.0.1:4566",
            signing_cert_url: "http://127.0.0.1:4566/SimpleNotificationService-0.pem",
            sign: &|_, _| String::new(),
            next_seq: &mut || {
                seq += 1;
                seq
            },
            forbidden: &mut |_| {},
            tally: &mut tally,
        };
        effects += step(&world.registry, &world.registry.trails, &entry, false, &mut around).effects.len();
    }
    println!("{} ns a record, {effects} messages", begun.elapsed().as_nanos() / u128::from(RECORDS));
}
