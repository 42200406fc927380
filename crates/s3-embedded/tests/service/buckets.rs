use s3_embedded::{Options, StagedObject};

use crate::world::{ALICE, BOB, START, WRITER, World, check};

const EU: &str = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";

#[tokio::test]
async fn life_of_a_bucket() {
    let world = World::new();
    check(
        &world,
        &[
            ("HEAD", "/first", &[], "", "404"),
            ("GET", "/first", &[], "", "404 NoSuchBucket"),
            ("PUT", "/first", &[], "", "200"),
            ("PUT", "/first", &[], "", "200"),
            ("PUT", "/first", &[], EU, "409 BucketAlreadyOwnedByYou"),
            ("HEAD", "/first", &[], "", "200"),
            ("PUT", "/first/key", &[], "x", "200"),
            ("DELETE", "/first", &[], "", "409 BucketNotEmpty"),
            ("DELETE", "/first/key", &[], "", "204"),
            ("POST", "/first/key?uploads", &[], "", "200"),
            ("DELETE", "/first", &[], "", "204"),
            ("DELETE", "/first", &[], "", "404 NoSuchBucket"),
            ("PUT", "/000000000000", &[], "", "200"),
        ],
    )
    .await;
}

#[tokio::test]
async fn names_and_headers_are_checked() {
    let world = World::new();
    let long = format!("/{}", "a".repeat(64));
    check(
        &world,
        &[
            ("PUT", "/ab", &[], "", "400 InvalidBucketName"),
            ("PUT", "/Upper", &[], "", "400 InvalidBucketName"),
            ("PUT", "/under_score", &[], "", "400 InvalidBucketName"),
            ("PUT", "/192.168.0.1", &[], "", "400 InvalidBucketName"),
            ("PUT", "/a..b", &[], "", "400 InvalidBucketName"),
            ("PUT", "/abc-s3alias", &[], "", "400 InvalidBucketName"),
            ("PUT", "/sthree-abc", &[], "", "400 InvalidBucketName"),
            ("PUT", &long, &[], "", "400 InvalidBucketName"),
            ("PUT", "/good", &[("x-amz-acl", "public-read")], "", "400 InvalidBucketAclWithObjectOwnership"),
            ("PUT", "/good", &[("x-amz-grant-read", "id=1")], "", "400 InvalidBucketAclWithObjectOwnership"),
            ("PUT", "/good", &[("x-amz-bucket-object-lock-enabled", "true")], "", "501 NotImplemented"),
            ("PUT", "/good", &[], "<no", "400 MalformedXML"),
            ("PUT", "/good", &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], EU, "400 BadDigest"),
            ("PUT", "/good", &[("x-amz-acl", "private")], "", "200"),
            ("GET", "/good?policy", &[], "", "404 NoSuchBucketPolicy"),
            ("PUT", "/good?policy", &[], "{}", "400 MalformedPolicy"),
            ("GET", "/good?cors", &[], "", "501 NotImplemented"),
            ("PUT", "/good?acl", &[], "", "400 AccessControlListNotSupported"),
            ("POST", "/good", &[], "", "501 NotImplemented"),
        ],
    )
    .await;
}

#[tokio::test]
async fn region_owner_and_versioning() {
    let world = World::new();
    world.good("PUT", "/home", "").await;
    world.good("PUT", "/abroad", EU).await;
    let location = world.good("GET", "/abroad?location", "").await;
    assert!(location.xml().contains(">eu-central-1</LocationConstraint>"), "{}", location.xml());
    let location = world.good("GET", "/home?location", "").await;
    assert!(location.xml().contains("<LocationConstraint") && !location.xml().contains("us-"), "{}", location.xml());
    assert_eq!(world.good("HEAD", "/abroad", "").await.header("x-amz-bucket-region").as_deref(), Some("eu-central-1"));
    assert_eq!(world.good("HEAD", "/home", "").await.header("x-amz-bucket-region").as_deref(), Some("us-east-1"));
    let acl = world.good("GET", "/home?acl", "").await;
    assert_eq!(acl.one("Permission").as_deref(), Some("FULL_CONTROL"));
    assert_eq!(acl.one("DisplayName").as_deref(), Some("account 111122223333"));
    assert!(acl.xml().contains("xsi:type=\"CanonicalUser\""), "{}", acl.xml());
    let versioning = world.good("GET", "/home?versioning", "").await;
    assert_eq!(versioning.one("Status"), None);
}

#[tokio::test]
async fn a_stranger_gets_nothing() {
    let world = World::new();
    world.good("PUT", "/mine", "").await;
    world.good("PUT", "/mine/key", "secret").await;
    for (method, uri) in [
        ("HEAD", "/mine"),
        ("GET", "/mine"),
        ("GET", "/mine?list-type=2"),
        ("GET", "/mine?location"),
        ("GET", "/mine?acl"),
        ("GET", "/mine?uploads"),
        ("GET", "/mine/key"),
        ("HEAD", "/mine/key"),
        ("PUT", "/mine/key"),
        ("DELETE", "/mine/key"),
        ("GET", "/mine/key?tagging"),
        ("POST", "/mine/key?uploads"),
        ("DELETE", "/mine"),
    ] {
        for account in [Some(BOB), None] {
            let answer = world.ask(method, uri).by(account).send().await;
            assert_eq!(answer.status.as_u16(), 403, "{method} {uri} {account:?}: {}", answer.xml());
        }
    }
    let taken = world.ask("PUT", "/mine").by(Some(BOB)).send().await;
    assert_eq!(taken.outcome(), "409 BucketAlreadyExists");
    assert_eq!(world.ask("GET", "/").by(None).send().await.outcome(), "403 AccessDenied");
    let other = world.ask("GET", "/mine").header("x-amz-expected-bucket-owner", BOB).send().await;
    assert_eq!(other.outcome(), "403 AccessDenied");
    let own = world.ask("GET", "/mine").header("x-amz-expected-bucket-owner", ALICE).send().await;
    assert_eq!(own.outcome(), "200");
}

#[tokio::test]
async fn list_shows_the_callers_own() {
    let world = World::new();
    for name in ["a-one", "b-two", "b-three"] {
        world.good("PUT", &format!("/{name}"), "").await;
    }
    assert_eq!(world.ask("PUT", "/a-two").by(Some(BOB)).send().await.outcome(), "200");
    let all = world.good("GET", "/", "").await;
    assert_eq!(all.all("Name"), ["a-one", "b-three", "b-two"]);
    assert_eq!(all.one("CreationDate").as_deref(), Some("2026-03-14T09:26:53.000Z"));
    assert_eq!(all.one("ID").unwrap().len(), 64);
    assert_eq!(world.good("GET", "/?prefix=b-", "").await.all("Name"), ["b-three", "b-two"]);
    let page = world.good("GET", "/?max-buckets=2", "").await;
    assert_eq!(page.all("Name"), ["a-one", "b-three"]);
    let token = page.one("ContinuationToken").unwrap();
    let page = world.good("GET", &format!("/?max-buckets=2&continuation-token={token}"), "").await;
    assert_eq!((page.all("Name"), page.one("ContinuationToken")), (vec!["b-two".to_owned()], None));
    check(&world, &[("GET", "/?max-buckets=0", &[], "", "400 InvalidArgument")]).await;
}

#[tokio::test]
async fn what_was_announced_is_what_is_done() {
    let world = World::new();
    let answer = world.ask("PUT", "/abc").classified("PutObject").send().await;
    assert_eq!(answer.outcome(), "500 InternalError");
    assert_eq!(world.ask("HEAD", "/abc").classified("HeadBucket").send().await.status.as_u16(), 404);
    assert_eq!(world.ask("PUT", "/abc").classified("CreateBucket").send().await.outcome(), "200");
}

#[tokio::test]
async fn a_bucket_is_in_a_region_that_there_is() {
    let world = World::with(Options { region: "moon-1".into(), ..Options::default() });
    for (number, region) in ["moon-1", "EU", "ap-south-1", "us-gov-west-1"].into_iter().enumerate() {
        world.good("PUT", &format!("/bucket-{number}"), EU.replace("eu-central-1", region)).await;
    }
    assert_eq!(world.s3.bucket_home("bucket-1").unwrap().unwrap().region.as_deref(), Some("eu-west-1"));
    for region in ["mars-1", "us-east-9", "aws-global"] {
        let answer = world.ask("PUT", "/bad").body(EU.replace("eu-central-1", region)).send().await;
        assert_eq!(answer.one("Code").as_deref(), Some("InvalidLocationConstraint"), "{region}");
    }
}

#[tokio::test]
async fn a_delivery_marks_its_bucket_as_long_as_there_is_one() {
    let world = World::new();
    world.good("PUT", "/logs", "").await;
    world.allow_service("logs").await;
    let is_marked = || world.s3.bucket_home("logs").unwrap().unwrap().holds_logs;
    assert!(!is_marked());
    for key in ["AWSLogs/1", "AWSLogs/2"] {
        let now = aws_api::Timestamp::from_secs(START);
        let staged = world.s3.stage_put("logs", key, StagedObject::default(), &WRITER, now).await.unwrap();
        world.store.commit(staged).await.unwrap();
        assert!(is_marked());
    }
    world.good("DELETE", "/logs?policy", "").await;
    world.good("DELETE", "/logs/AWSLogs/1", "").await;
    world.good("DELETE", "/logs/AWSLogs/2", "").await;
    assert!(is_marked(), "a new policy and the end of all objects do not take the mark away");
    world.good("DELETE", "/logs", "").await;
    world.good("PUT", "/logs", "").await;
    assert!(!is_marked());
}
