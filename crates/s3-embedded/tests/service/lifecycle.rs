//! Lifecycle rules: what is kept, what is refused, and what goes when.

use aws_api::Timestamp;
use s3_embedded::{Expiry, StagedObject, Usage, UsageWalk};

use crate::world::{ALICE, START, WRITER, World, check, noise};

const DAY: i64 = 24 * 60 * 60;
const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

fn rule(inner: &str) -> String {
    format!("<Rule><Status>Enabled</Status>{inner}</Rule>")
}

fn configuration(rules: &str) -> String {
    format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>")
}

async fn world(rules: &str) -> World {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket?lifecycle", configuration(rules)).await;
    world
}

/// A whole pass, so many days after the first request.
async fn pass(world: &World, days: i64) {
    let mut pass = Expiry::default();
    for _ in 0..1000 {
        if !world.s3.expire(&mut pass, Timestamp::from_secs(START + days * DAY)).await.unwrap() {
            return;
        }
    }
    panic!("a pass does not end");
}

async fn keys(world: &World) -> Vec<String> {
    world.good("GET", "/bucket", "").await.all("Key")
}

#[tokio::test]
async fn rules_come_back_as_they_were_put() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    check(&world, &[("GET", "/bucket?lifecycle", &[], "", "404 NoSuchLifecycleConfiguration")]).await;
    let forms = [
        "<Filter/>",
        "<Filter><Prefix>a/</Prefix></Filter>",
        "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>",
        "<Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></Filter>",
        "<Filter><And><ObjectSizeLessThan>9</ObjectSizeLessThan><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>",
    ];
    let mut rules = String::new();
    for (filter, number) in forms.into_iter().zip(0..) {
        rules += &format!(
            "<Rule><Expiration><Days>{}</Days></Expiration>{filter}<ID>rule {number}</ID><NoncurrentVersionExpiration><NewerNoncurrentVersions>3</NewerNoncurrentVersions><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration><Status>Enabled</Status></Rule>",
            number + 1
        );
    }
    let abort =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    rules += &format!("<Rule>{abort}<Filter/><ID>abort</ID><Status>Disabled</Status></Rule>");
    world.good("PUT", "/bucket?lifecycle", configuration(&rules)).await;
    let world = world.reopen().await;
    let got = world.good("GET", "/bucket?lifecycle", "").await;
    let shown = got.xml().replace("<Filter></Filter>", "<Filter/>");
    assert!(shown.contains(&rules), "{shown}\n{rules}");
    let size = "x-amz-transition-default-minimum-object-size";
    assert_eq!(got.header(size).as_deref(), Some("all_storage_classes_128K"));

    let legacy = "<Rule><Expiration><Days>1</Days></Expiration><Prefix>a</Prefix><Status>Enabled</Status></Rule>";
    world.good("PUT", "/bucket?lifecycle", configuration(legacy)).await;
    let got = world.good("GET", "/bucket?lifecycle", "").await;
    assert_eq!((got.all("Prefix"), got.all("ID").len(), got.all("Filter").len()), (vec!["a".to_owned()], 1, 0));
    world.good("DELETE", "/bucket?lifecycle", "").await;
    world.good("DELETE", "/bucket?lifecycle", "").await;
    check(&world, &[("GET", "/bucket?lifecycle", &[], "", "404 NoSuchLifecycleConfiguration")]).await;
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
}

/// Rules, and what becomes of them.
#[rustfmt::skip] // one rule a line
fn rules_and_outcomes() -> Vec<(String, &'static str)> {
    let days = "<Filter/><Expiration><Days>1</Days></Expiration>";
    let id = |id: &str| rule(&format!("<ID>{id}</ID>{days}"));
    let tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
    vec![
        (String::new(), "400 MalformedXML"),
        (rule("<Filter/>"), "400 InvalidRequest"),
        (rule("<Expiration><Days>1</Days></Expiration>"), "400 MalformedXML"),
        (rule(&format!("<Prefix>a</Prefix>{days}")), "400 MalformedXML"),
        (rule(days) + &rule("<Prefix>a</Prefix><Expiration><Days>1</Days></Expiration>"), "400 InvalidRequest"),
        (rule("<Filter/><Expiration><Days>0</Days></Expiration>"), "400 InvalidArgument"),
        (rule("<Filter/><Expiration><Days>-1</Days></Expiration>"), "400 InvalidArgument"),
        (rule("<Filter/><Expiration/>"), "400 MalformedXML"),
        (rule("<Filter/><Expiration><Days>1</Days><Date>2026-01-01T00:00:00Z</Date></Expiration>"), "400 MalformedXML"),
        (rule("<Filter/><Expiration><Date>2026-01-01T00:00:01Z</Date></Expiration>"), "400 InvalidArgument"),
        (rule("<Filter/><NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), "400 MalformedXML"),
        (rule("<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions></NoncurrentVersionExpiration>"), "400 InvalidArgument"),
        (rule("<Filter/><AbortIncompleteMultipartUpload><DaysAfterInitiation>0</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), "400 InvalidArgument"),
        (rule(&format!("<Filter>{tag}</Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>")), "400 InvalidRequest"),
        (rule(&format!("<Filter>{tag}</Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>")), "400 InvalidRequest"),
        (rule(&format!("<Filter><And>{tag}{tag}</And></Filter><Expiration><Days>1</Days></Expiration>")), "400 InvalidRequest"),
        (rule("<Filter><And><Prefix>a</Prefix></And></Filter><Expiration><Days>1</Days></Expiration>"), "400 MalformedXML"),
        (rule(&format!("<Filter><Prefix>a</Prefix>{tag}</Filter><Expiration><Days>1</Days></Expiration>")), "400 MalformedXML"),
        (rule("<Filter/><Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"), "501 NotImplemented"),
        (rule("<Filter/><NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>"), "501 NotImplemented"),
        (id("same") + &id("same"), "400 InvalidArgument"),
        (id(&"i".repeat(256)), "400 InvalidArgument"),
        (rule(days).replace("Enabled", "On"), "400 MalformedXML"),
        (rule(days).repeat(1001), "400 MalformedXML"),
        (rule(days).repeat(1000), "200"),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    for (rules, expected) in rules_and_outcomes() {
        let answer = world.ask("PUT", "/bucket?lifecycle").body(configuration(&rules)).send().await;
        assert_eq!(answer.outcome(), expected, "{rules:.300}: {}", answer.xml());
    }
}

#[tokio::test]
async fn objects_go_when_their_day_is_over() {
    let rules = rule("<ID>a b</ID><Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>3</Days></Expiration>");
    let world = world(&rules).await;
    let put = world.good("PUT", "/bucket/logs/1", noise(70_000)).await;
    let expected = "expiry-date=\"Wed, 18 Mar 2026 00:00:00 GMT\", rule-id=\"a%20b\"";
    assert_eq!(put.header("x-amz-expiration").as_deref(), Some(expected));
    for method in ["GET", "HEAD"] {
        let read = world.good(method, "/bucket/logs/1", "").await;
        assert_eq!(read.header("x-amz-expiration").as_deref(), Some(expected));
    }
    assert_eq!(world.good("PUT", "/bucket/else", "x").await.header("x-amz-expiration"), None);
    pass(&world, 3).await;
    assert_eq!(keys(&world).await, ["else", "logs/1"]);
    pass(&world, 4).await;
    assert_eq!(keys(&world).await, ["else"]);
    world.blobs_become(0).await;
    let world = world.reopen().await;
    assert_eq!(keys(&world).await, ["else"]);
}

#[tokio::test]
async fn a_pass_over_many_keys_and_buckets_goes_step_by_step() {
    let rules = rule("<Filter/><Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration>");
    let world = world(&rules).await;
    for bucket in ["aaa", "zzz"] {
        world.good("PUT", &format!("/{bucket}"), "").await;
        world.good("PUT", &format!("/{bucket}/kept"), "").await;
    }
    for number in 0..600 {
        world.good("PUT", &format!("/bucket/{number:03}"), "x").await;
    }
    let mut pass = Expiry::default();
    assert!(world.s3.expire(&mut pass, Timestamp::from_secs(START)).await.unwrap());
    assert_eq!(keys(&world).await.len(), 350, "a step is bounded");
    while world.s3.expire(&mut pass, Timestamp::from_secs(START)).await.unwrap() {}
    assert!(keys(&world).await.is_empty());
    for bucket in ["aaa", "zzz"] {
        world.good("GET", &format!("/{bucket}/kept"), "").await;
    }
}

#[tokio::test]
async fn versions_and_markers() {
    let noncurrent = "<NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions><NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration>";
    let world = world(&rule(&format!("<Filter/>{noncurrent}"))).await;
    world.good("PUT", "/bucket?versioning", ENABLED).await;
    let mut ids = Vec::new();
    for body in ["one", "two", "three", "four"] {
        ids.insert(0, world.good("PUT", "/bucket/k", body).await.header("x-amz-version-id").unwrap());
    }
    let versions = || async { world.good("GET", "/bucket?versions", "").await.all("VersionId") };
    pass(&world, 2).await;
    assert_eq!(versions().await, ids);
    pass(&world, 3).await;
    assert_eq!(versions().await, ids[..2], "the current one and one behind it");

    // A marker takes the current one's place, then the versions go, then the marker.
    let days = "<Expiration><Days>1</Days></Expiration>";
    let all = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    world.good("PUT", "/bucket?lifecycle", configuration(&rule(&format!("<Filter/>{days}{all}")))).await;
    pass(&world, 10).await;
    let left = world.good("GET", "/bucket?versions", "").await;
    assert_eq!((left.all("DeleteMarker").len(), left.all("VersionId").len()), (1, 2));
    pass(&world, 11).await;
    assert_eq!(versions().await.len(), 2);
    pass(&world, 12).await;
    let left = world.good("GET", "/bucket?versions", "").await;
    assert_eq!((left.all("DeleteMarker").len(), left.all("VersionId").len()), (1, 1));
    pass(&world, 13).await;
    assert!(versions().await.is_empty());
    world.good("DELETE", "/bucket", "").await;
}

#[tokio::test]
async fn expired_markers_alone() {
    let marker = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let world = world(&rule(&format!("<Filter/>{marker}"))).await;
    world.good("PUT", "/bucket?versioning", ENABLED).await;
    world.good("PUT", "/bucket/a", "x").await;
    world.good("DELETE", "/bucket/a", "").await;
    world.good("DELETE", "/bucket/b", "").await;
    pass(&world, 0).await;
    let left = world.good("GET", "/bucket?versions", "").await;
    assert_eq!(left.all("Key"), ["a", "a"], "{}", left.xml());
}

#[tokio::test]
async fn uploads_that_nobody_finishes() {
    let abort =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let world = world(&rule(&format!("<Filter><Prefix>a</Prefix></Filter>{abort}"))).await;
    for key in ["a1", "a2", "b"] {
        for _ in 0..12 {
            let id = world.good("POST", &format!("/bucket/{key}?uploads"), "").await.one("UploadId").unwrap();
            world.good("PUT", &format!("/bucket/{key}?partNumber=1&uploadId={id}"), noise(10)).await;
        }
    }
    assert_eq!(world.s3.usage("bucket").unwrap(), Usage { objects: 36, bytes: 360 });
    pass(&world, 1).await;
    assert_eq!(world.good("GET", "/bucket?uploads", "").await.all("UploadId").len(), 36);
    pass(&world, 2).await;
    assert_eq!(world.good("GET", "/bucket?uploads", "").await.all("UploadId").len(), 12);
    assert_eq!(world.store.range(store::Space::Parts, ..).count(), 12);
}

#[tokio::test]
async fn rules_of_others_than_administrators_do_not_hold_for_log_files() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.allow_service("bucket").await;
    let body = configuration(&rule("<Filter/><Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration>"));
    let put = world.ask("PUT", "/bucket?lifecycle").user(ALICE, "writer", true).body(body.clone()).send().await;
    assert_eq!(put.outcome(), "200");
    world.good("PUT", "/bucket/own", "x").await;
    pass(&world, 0).await;
    assert!(keys(&world).await.is_empty());
    let object = StagedObject { body: noise(10), ..StagedObject::default() };
    let staged = world.s3.stage_put("bucket", "AWSLogs/1", object, &WRITER, Timestamp::from_secs(START)).await.unwrap();
    world.store.commit(staged).await.unwrap();
    pass(&world, 0).await;
    assert_eq!(keys(&world).await, ["AWSLogs/1"]);
    assert_eq!(world.good("GET", "/bucket/AWSLogs/1", "").await.header("x-amz-expiration"), None);
    world.good("PUT", "/bucket?lifecycle", body).await;
    pass(&world, 0).await;
    assert!(keys(&world).await.is_empty());
}

#[tokio::test]
async fn usage_counts_everything_that_is_stored() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    assert_eq!(world.s3.usage("bucket").unwrap(), Usage::default());
    world.good("PUT", "/bucket/a", noise(7)).await;
    world.good("PUT", "/bucket?versioning", ENABLED).await;
    world.good("PUT", "/bucket/a", noise(70_000)).await;
    world.good("DELETE", "/bucket/a", "").await;
    world.good("PUT", "/bucket/b", noise(1)).await;
    let expected = Usage { objects: 4, bytes: 70_008 };
    assert_eq!(world.s3.usage("bucket").unwrap(), expected);
    let mut walk = UsageWalk::new("bucket");
    let steps = (0..).find_map(|step| world.s3.count_usage(&mut walk, 1).unwrap().map(|usage| (step, usage)));
    assert_eq!(steps, Some((3, expected)), "the last row is in the fourth step");
    let names = world.s3.buckets_behind("", 10).unwrap();
    assert_eq!((names.len(), names[0].0.as_str(), names[0].1.owner.as_str()), (1, "bucket", ALICE));
    assert!(world.s3.buckets_behind("bucket", 10).unwrap().is_empty());
}
