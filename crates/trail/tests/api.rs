//! The operations on trails, as a client meets them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use aws_api::cloudtrail::*;
use aws_api::{Change, Entity as _, Timestamp};
use common::{ACCOUNT, NOW, REGION, bucket_exists, commit, create, ctx, new_trail};
use trail::{TrailRef, Trails};

fn named(name: &str) -> TrailNameRequest {
    TrailNameRequest { name: name.into() }
}

fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{name}")
}

#[test]
fn a_trail_from_creation_to_deletion() {
    let mut trails = Trails::default();
    let decided = trails.create_trail(&ctx(REGION), &new_trail("audit"), &bucket_exists).unwrap();
    let created = commit(&mut trails, decided);
    assert_eq!(
        serde_json::to_string(&created).unwrap(),
        "{\"Name\":\"audit\",\"S3BucketName\":\"logs\",\"IncludeGlobalServiceEvents\":true,\"IsMultiRegionTrail\":false,\
         \"TrailARN\":\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit\",\"LogFileValidationEnabled\":false,\
         \"IsOrganizationTrail\":false}"
    );
    let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
    assert_eq!((status.is_logging, status.time_logging_started.as_str()), (false, ""));

    let decided = trails.start_logging(&ctx(REGION), &named(&arn(REGION, "audit"))).unwrap();
    commit(&mut trails, decided);
    let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
    assert_eq!((status.is_logging, status.start_logging_time), (true, Some(1_773_480_413.0)));
    assert_eq!(status.time_logging_started, "2026-03-14T09:26:53Z");

    let decided = trails.stop_logging(&ctx(REGION), &named("audit")).unwrap();
    commit(&mut trails, decided);
    let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
    assert_eq!((status.is_logging, status.stop_logging_time), (false, Some(1_773_480_413.0)));

    let decided = trails.delete_trail(&ctx(REGION), &named("audit")).unwrap();
    commit(&mut trails, decided);
    let gone = trails.get_trail(&ctx(REGION), &named("audit")).unwrap_err();
    assert_eq!(gone.code, "TrailNotFoundException");
    assert_eq!(gone.message, format!("Unknown trail: {} for the user: {ACCOUNT}", arn(REGION, "audit")));
    assert_eq!(gone.status, 400);
}

#[test]
fn creations_that_are_refused() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let base = || new_trail("other");
    let cases = [
        (new_trail("x"), "InvalidTrailNameException"),
        (new_trail("audit"), "TrailAlreadyExistsException"),
        (CreateTrailRequest { s3_bucket_name: "none".into(), ..base() }, "S3BucketDoesNotExistException"),
        (CreateTrailRequest { s3_bucket_name: "No_Bucket".into(), ..base() }, "InvalidS3BucketNameException"),
        (CreateTrailRequest { s3_key_prefix: Some("p".repeat(201)), ..base() }, "InvalidS3PrefixException"),
        (CreateTrailRequest { sns_topic_name: Some("a topic".into()), ..base() }, "InvalidSnsTopicNameException"),
        (
            CreateTrailRequest { sns_topic_name: Some("arn:aws:sns:eu-central-1:444455556666:t".into()), ..base() },
            "InsufficientSnsTopicPolicyException",
        ),
        (CreateTrailRequest { kms_key_id: Some("alias/k".into()), ..base() }, "InvalidKmsKeyIdException"),
        (
            CreateTrailRequest { cloud_watch_logs_log_group_arn: Some("arn:x".into()), ..base() },
            "InvalidCloudWatchLogsLogGroupArnException",
        ),
        (
            CreateTrailRequest { cloud_watch_logs_role_arn: Some("arn:x".into()), ..base() },
            "InvalidCloudWatchLogsRoleArnException",
        ),
        (CreateTrailRequest { is_organization_trail: Some(true), ..base() }, "UnsupportedOperationException"),
        (
            CreateTrailRequest {
                is_multi_region_trail: Some(true),
                include_global_service_events: Some(false),
                ..base()
            },
            "InvalidParameterCombinationException",
        ),
        (
            CreateTrailRequest { tags_list: vec![Tag { key: "aws:x".into(), value: None }], ..base() },
            "InvalidTagParameterException",
        ),
    ];
    for (req, code) in cases {
        let error = trails.create_trail(&ctx(REGION), &req, &bucket_exists).unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), (code, 400), "{req:?}");
    }
    let harmless = CreateTrailRequest {
        enable_log_file_validation: Some(false),
        is_organization_trail: Some(false),
        sns_topic_name: Some(String::new()),
        ..base()
    };
    assert!(trails.create_trail(&ctx(REGION), &harmless, &bucket_exists).is_ok());
}

#[test]
fn five_trails_a_region_with_shadows() {
    let mut trails = Trails::default();
    create(
        &mut trails,
        "us-east-1",
        &CreateTrailRequest { is_multi_region_trail: Some(true), ..new_trail("everywhere") },
    );
    for index in 0..4 {
        create(&mut trails, REGION, &new_trail(&format!("trail-{index}")));
    }
    let error = trails.create_trail(&ctx(REGION), &new_trail("sixth"), &bucket_exists).unwrap_err();
    assert_eq!(error.code, "MaximumNumberOfTrailsExceededException");
    assert_eq!(error.message, format!("User: {ACCOUNT} already has 5 trails in {REGION}."));
    assert!(trails.create_trail(&ctx("eu-west-1"), &new_trail("sixth"), &bucket_exists).is_ok());
    // A trail of all regions needs room in each.
    create(&mut trails, "eu-west-1", &new_trail("sixth"));
    let widen = |name: &str, region: &str| {
        let req = UpdateTrailRequest {
            name: name.into(),
            is_multi_region_trail: Some(true),
            ..UpdateTrailRequest::default()
        };
        trails.update_trail(&ctx(region), &req, &bucket_exists)
    };
    assert_eq!(widen("sixth", "eu-west-1").unwrap_err().code, "MaximumNumberOfTrailsExceededException");
    assert!(widen("trail-0", REGION).is_ok());
}

#[test]
fn shadow_trails() {
    let mut trails = Trails::default();
    create(
        &mut trails,
        "us-east-1",
        &CreateTrailRequest { is_multi_region_trail: Some(true), ..new_trail("everywhere") },
    );
    create(&mut trails, "us-east-1", &new_trail("there"));
    create(&mut trails, REGION, &new_trail("here"));
    let describe = |names: &[&str], shadows| {
        let req = DescribeTrailsRequest {
            trail_name_list: names.iter().map(ToString::to_string).collect(),
            include_shadow_trails: shadows,
        };
        let answer = trails.describe_trails(&ctx(REGION), &req).unwrap();
        answer.trail_list.into_iter().map(|trail| trail.name).collect::<Vec<_>>()
    };
    assert_eq!(describe(&[], None), ["here", "everywhere"]);
    assert_eq!(describe(&[], Some(false)), ["here"]);
    assert_eq!(describe(&["here", "everywhere", "none"], None), ["here"]);
    assert_eq!(describe(&[&arn("us-east-1", "there")], None), ["there"]);
    assert!(trails.get_trail_status(&ctx(REGION), &named(&arn("us-east-1", "everywhere"))).is_ok());

    for name in ["everywhere", &arn("us-east-1", "everywhere"), &arn("us-east-1", "there")] {
        let error = trails.start_logging(&ctx(REGION), &named(name)).unwrap_err();
        assert_eq!(error.code, "InvalidHomeRegionException", "{name}");
    }
    let error = trails.start_logging(&ctx(REGION), &named("there")).unwrap_err();
    assert_eq!(error.code, "TrailNotFoundException");
    let foreign = "arn:aws:cloudtrail:eu-central-1:444455556666:trail/here";
    assert_eq!(trails.get_trail(&ctx(REGION), &named(foreign)).unwrap_err().code, "TrailNotFoundException");

    let listed = trails.list_trails(&ctx("ap-south-1"), &ListTrailsRequest::default()).unwrap();
    let homes: Vec<_> = listed.trails.iter().map(|trail| trail.home_region.as_str()).collect();
    assert_eq!(homes, [REGION, "us-east-1", "us-east-1"]);
}

#[test]
fn lists_are_paged() {
    let mut trails = Trails::default();
    for region in 0..30 {
        for index in 0..5 {
            create(&mut trails, &format!("xx-test-{region:02}"), &new_trail(&format!("trail-{index}")));
        }
    }
    let first = trails.list_trails(&ctx(REGION), &ListTrailsRequest::default()).unwrap();
    assert_eq!(first.trails.len(), 100);
    let second = trails.list_trails(&ctx(REGION), &ListTrailsRequest { next_token: first.next_token }).unwrap();
    assert_eq!((second.trails.len(), &second.next_token), (50, &None));
    let bad = trails.list_trails(&ctx(REGION), &ListTrailsRequest { next_token: Some("x".into()) }).unwrap_err();
    assert_eq!(bad.code, "InvalidNextTokenException");
}

#[test]
fn updates_keep_what_is_absent() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &CreateTrailRequest { s3_key_prefix: Some("p".into()), ..new_trail("audit") });
    let update =
        UpdateTrailRequest { name: "audit".into(), recursive_logging: Some(false), ..UpdateTrailRequest::default() };
    let decided = trails.update_trail(&ctx(REGION), &update, &bucket_exists).unwrap();
    let updated = commit(&mut trails, decided);
    assert_eq!((updated.s3_key_prefix.as_deref(), updated.recursive_logging), (Some("p"), Some(false)));
    let update = UpdateTrailRequest { s3_key_prefix: Some(String::new()), ..update };
    let decided = trails.update_trail(&ctx(REGION), &update, &bucket_exists).unwrap();
    assert_eq!(commit(&mut trails, decided).s3_key_prefix, None);
    for update in [
        UpdateTrailRequest { s3_bucket_name: Some("none".into()), ..update.clone() },
        UpdateTrailRequest { kms_key_id: Some("k".into()), ..update.clone() },
        UpdateTrailRequest { name: "none".into(), ..update.clone() },
    ] {
        assert!(trails.update_trail(&ctx(REGION), &update, &bucket_exists).is_err(), "{update:?}");
    }
}

#[test]
fn deliveries_show_in_the_status() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let audit = TrailRef { account: ACCOUNT, region: REGION, name: "audit" };
    let change = trails.delivery_attempted(audit, NOW, Ok(()), None).unwrap();
    trails.absorb(&change).unwrap();
    let later = NOW.plus_secs(300);
    let change = trails.delivery_attempted(audit, later, Err("NoSuchBucket"), None).unwrap();
    trails.absorb(&change).unwrap();
    let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
    assert_eq!(status.latest_delivery_time, Some(1_773_480_413.0));
    assert_eq!(status.latest_delivery_error.as_deref(), Some("NoSuchBucket"));
    assert_eq!(status.latest_delivery_attempt_time, "2026-03-14T09:31:53Z");
    assert_eq!(status.latest_delivery_attempt_succeeded, "2026-03-14T09:26:53Z");
    assert_eq!(trails.delivery_attempted(TrailRef { name: "none", ..audit }, Timestamp::default(), Ok(()), None), None);
}

#[test]
fn a_topic_is_set_and_taken_away() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &CreateTrailRequest { sns_topic_name: Some("files".into()), ..new_trail("audit") });
    let shown = |trails: &Trails| {
        let trail = trails.get_trail(&ctx(REGION), &named("audit")).unwrap().trail;
        (trail.sns_topic_name.unwrap_or_default(), trail.sns_topic_arn.unwrap_or_default())
    };
    let arn = "arn:aws:sns:eu-central-1:111122223333:files";
    assert_eq!(shown(&trails), ("files".into(), arn.into()));
    let mut update = |topic: Option<&str>| {
        let req = UpdateTrailRequest {
            name: "audit".into(),
            sns_topic_name: topic.map(str::to_owned),
            ..UpdateTrailRequest::default()
        };
        let decided = trails.update_trail(&ctx(REGION), &req, &bucket_exists)?;
        let answer = commit(&mut trails, decided);
        assert_eq!(
            (answer.sns_topic_name.unwrap_or_default(), answer.sns_topic_arn.unwrap_or_default()),
            shown(&trails)
        );
        Ok::<_, aws_api::ApiError>(shown(&trails).1)
    };
    assert_eq!(update(None).unwrap(), arn, "what is absent stays");
    let elsewhere = "arn:aws:sns:us-east-1:111122223333:files";
    assert_eq!(update(Some(elsewhere)).unwrap(), elsewhere);
    assert_eq!(update(Some("no topic")).unwrap_err().code, "InvalidSnsTopicNameException");
    assert_eq!(update(Some("")).unwrap(), "");
}

#[test]
fn notices_show_in_the_status() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let audit = TrailRef { account: ACCOUNT, region: REGION, name: "audit" };
    let mut attempt = |secs, outcome, notice| {
        let change = trails.delivery_attempted(audit, NOW.plus_secs(secs), outcome, notice).unwrap();
        trails.absorb(&change).unwrap();
        let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
        let error = status.latest_notification_error.unwrap_or_default();
        (error, status.latest_notification_time, status.latest_notification_attempt_time)
    };
    assert_eq!(attempt(0, Ok(()), None), (String::new(), None, String::new()));
    let first = Some(1_773_480_413.0);
    assert_eq!(attempt(0, Ok(()), Some(Ok(()))), (String::new(), first, "2026-03-14T09:26:53Z".into()));
    let gone = ("NotFound".to_owned(), first, "2026-03-14T09:26:54Z".to_owned());
    assert_eq!(attempt(1, Ok(()), Some(Err("NotFound"))), gone);
    assert_eq!(attempt(2, Err("NoSuchBucket"), None), gone, "no file, no notice");
    let second = Some(1_773_480_416.0);
    assert_eq!(attempt(3, Ok(()), Some(Ok(()))), (String::new(), second, "2026-03-14T09:26:56Z".into()));
}

#[test]
fn tags() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let tag = |key: &str, value: &str| Tag { key: key.into(), value: Some(value.into()) };
    let req = AddTagsRequest { resource_id: arn(REGION, "audit"), tags_list: vec![tag("b", "2"), tag("a", "1")] };
    let decided = trails.add_tags(&ctx(REGION), &req).unwrap();
    commit(&mut trails, decided);
    let req = RemoveTagsRequest {
        resource_id: arn(REGION, "audit"),
        tags_list: vec![tag("b", "other"), Tag { key: "a".into(), value: None }],
    };
    let decided = trails.remove_tags(&ctx(REGION), &req).unwrap();
    commit(&mut trails, decided);
    let list = ListTagsRequest { resource_id_list: vec![arn(REGION, "audit")], next_token: None };
    let answer = trails.list_tags(&ctx(REGION), &list).unwrap();
    assert_eq!(answer.resource_tag_list[0].tags_list, [tag("b", "2")]);

    let refused = |resource_id: &str, tags_list: Vec<Tag>| {
        trails.add_tags(&ctx(REGION), &AddTagsRequest { resource_id: resource_id.into(), tags_list }).unwrap_err().code
    };
    assert_eq!(refused("audit", vec![]), "CloudTrailARNInvalidException");
    assert_eq!(refused(&arn(REGION, "none"), vec![]), "ResourceNotFoundException");
    assert_eq!(refused(&arn(REGION, "audit"), vec![tag("a", "1"), tag("a", "2")]), "InvalidTagParameterException");
    let many = (0..51).map(|n| tag(&n.to_string(), "")).collect();
    assert_eq!(refused(&arn(REGION, "audit"), many), "TagsLimitExceededException");
}

#[test]
fn insights_are_not_enabled() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let get = |name: &str| {
        let req = GetInsightSelectorsRequest { trail_name: Some(name.into()) };
        trails.get_insight_selectors(&ctx(REGION), &req).unwrap_err().code
    };
    assert_eq!(get("audit"), "InsightNotEnabledException");
    assert_eq!(get("none"), "TrailNotFoundException");
    let put = |name: &str, types: &[&str]| {
        let insight_selectors = types
            .iter()
            .map(|insight| InsightSelector { insight_type: Some((*insight).into()), ..InsightSelector::default() });
        let req = PutInsightSelectorsRequest {
            trail_name: Some(name.into()),
            insight_selectors: insight_selectors.collect(),
        };
        trails.put_insight_selectors(&ctx(REGION), &req)
    };
    assert_eq!(put("audit", &["ApiCallRateInsight"]).unwrap_err().code, "UnsupportedOperationException");
    assert_eq!(put("audit", &["ApiCallRateInsight", "x"]).unwrap_err().code, "InvalidInsightSelectorsException");
    assert_eq!(put("none", &[]).unwrap_err().code, "TrailNotFoundException");
    let (answer, changes) = put("audit", &[]).unwrap();
    assert_eq!((answer.trail_arn, answer.insight_selectors, changes), (arn(REGION, "audit"), vec![], vec![]));
}

#[test]
fn rows_restore_the_state_and_others_are_ignored() {
    let mut trails = Trails::default();
    let (_, changes) = trails.create_trail(&ctx(REGION), &new_trail("audit"), &bucket_exists).unwrap();
    for change in &changes {
        trails.absorb(change).unwrap();
    }
    assert_eq!((changes[0].kind, changes[0].key.as_str()), ("trail", "111122223333/eu-central-1/audit"));
    assert!(trails.absorb(&Change { kind: "queue", key: "x".into(), row: Some(b"?".to_vec()) }).is_ok());
    assert!(trails.absorb(&Change { kind: trail::Trail::KIND, key: "x".into(), row: Some(b"?".to_vec()) }).is_err());
    assert_eq!(trails.iter().count(), 1);
}

#[test]
fn a_chain_of_digests_begins_when_both_validation_and_logging_are_on() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &CreateTrailRequest { enable_log_file_validation: Some(true), ..new_trail("audit") });
    let at = |secs: i64| aws_api::RequestContext { now: NOW.plus_secs(secs), ..ctx(REGION) };
    let since = |trails: &Trails| {
        let trail = trails.trail(ACCOUNT, REGION, "audit").unwrap();
        trail.digests_since.map(|since| since.millis_since(NOW) / 1000)
    };
    let start = |trails: &mut Trails, secs| {
        let decided = trails.start_logging(&at(secs), &named("audit")).unwrap();
        commit(trails, decided);
    };
    let validate = |trails: &mut Trails, secs, enable| {
        let req = UpdateTrailRequest {
            name: "audit".into(),
            enable_log_file_validation: enable,
            ..UpdateTrailRequest::default()
        };
        let decided = trails.update_trail(&at(secs), &req, &bucket_exists).unwrap();
        commit(trails, decided).log_file_validation_enabled
    };
    assert_eq!(since(&trails), None);
    start(&mut trails, 1);
    start(&mut trails, 2);
    assert_eq!(since(&trails), Some(1), "it goes on");
    assert!(validate(&mut trails, 3, None) && validate(&mut trails, 4, Some(true)));
    assert_eq!(since(&trails), Some(1), "nothing was changed");
    assert!(!validate(&mut trails, 5, Some(false)));
    assert_eq!(since(&trails), Some(1), "files that wait are still of this chain");
    assert!(validate(&mut trails, 6, Some(true)));
    assert_eq!(since(&trails), Some(6));
    let decided = trails.stop_logging(&at(7), &named("audit")).unwrap();
    commit(&mut trails, decided);
    start(&mut trails, 8);
    assert_eq!(since(&trails), Some(8));
}

#[test]
fn the_status_tells_of_log_files_and_digests_apart() {
    let mut trails = Trails::default();
    create(&mut trails, REGION, &new_trail("audit"));
    let trail = TrailRef { account: ACCOUNT, region: REGION, name: "audit" };
    let change = trails.delivery_attempted(trail, NOW, Ok(()), None).unwrap();
    trails.absorb(&change).unwrap();
    let change = trails.digest_attempted(trail, NOW.plus_secs(2), Err("NoSuchBucket")).unwrap();
    trails.absorb(&change).unwrap();
    let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
    assert_eq!(status.latest_digest_delivery_error.as_deref(), Some("NoSuchBucket"));
    assert_eq!(status.latest_delivery_error, None);
    let change = trails.digest_attempted(trail, NOW.plus_secs(3), Ok(())).unwrap();
    trails.absorb(&change).unwrap();
    let change = trails.delivery_attempted(trail, NOW.plus_secs(4), Err("AccessDenied"), None).unwrap();
    trails.absorb(&change).unwrap();
    let status = trails.get_trail_status(&ctx(REGION), &named("audit")).unwrap();
    assert_eq!(status.latest_digest_delivery_time, Some(1_773_480_416.0));
    assert_eq!(status.latest_delivery_time, Some(1_773_480_413.0));
    assert_eq!(
        (status.latest_digest_delivery_error, status.latest_delivery_error.as_deref()),
        (None, Some("AccessDenied"))
    );
}
