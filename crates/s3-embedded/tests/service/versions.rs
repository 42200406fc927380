//! Versioning: what is kept, what comes back, and in which order.

use crate::world::{BOB, MIB, START, WRITER, World, check, noise};

const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &str = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

async fn world() -> World {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world
}

async fn set(world: &World, configuration: &str) {
    world.good("PUT", "/bucket?versioning", configuration.to_owned()).await;
}

/// The id of a new version.
async fn put(world: &World, key: &str, body: &str) -> String {
    let answer = world.good("PUT", &format!("/bucket/{key}"), body.to_owned()).await;
    answer.header("x-amz-version-id").unwrap_or_default()
}

async fn get(world: &World, uri: &str) -> String {
    let answer = world.ask("GET", uri).send().await;
    if answer.status.is_success() { answer.xml() } else { answer.outcome() }
}

#[tokio::test]
async fn the_configuration() {
    let world = world().await;
    let status = || async { world.good("GET", "/bucket?versioning", "").await.one("Status") };
    let with_mfa = ENABLED.replace("</Status>", "</Status><MfaDelete>Enabled</MfaDelete>");
    let without_mfa = SUSPENDED.replace("</Status>", "</Status><MfaDelete>Disabled</MfaDelete>");
    let cases: &[(_, _, &[_], _, _)] = &[
        ("PUT", "/bucket?versioning", &[], "", "400 MissingRequestBodyError"),
        ("PUT", "/bucket?versioning", &[], "<VersioningConfiguration/>", "400 IllegalVersioningConfigurationException"),
        ("PUT", "/bucket?versioning", &[], &ENABLED.replace("Enabled", "enabled"), "400 MalformedXML"),
        ("PUT", "/bucket?versioning", &[], &with_mfa, "501 NotImplemented"),
        ("PUT", "/bucket?versioning", &[("x-amz-mfa", "serial 123456")], ENABLED, "501 NotImplemented"),
        ("PUT", "/none?versioning", &[], ENABLED, "404 NoSuchBucket"),
    ];
    check(&world, cases).await;
    assert_eq!(status().await, None);
    set(&world, ENABLED).await;
    assert_eq!(status().await.as_deref(), Some("Enabled"));
    set(&world, &without_mfa).await;
    assert_eq!(status().await.as_deref(), Some("Suspended"));
    assert_eq!(world.ask("PUT", "/bucket?versioning").by(Some(BOB)).body(ENABLED).send().await.status.as_u16(), 403);
}

#[tokio::test]
async fn versions_stay_and_markers_hide() {
    let world = world().await;
    assert_eq!(put(&world, "k", "before").await, "");
    set(&world, ENABLED).await;
    assert_eq!(get(&world, "/bucket/k").await, "before");
    assert_eq!(world.good("GET", "/bucket/k", "").await.header("x-amz-version-id").as_deref(), Some("null"));
    let (one, two) = (put(&world, "k", "one").await, put(&world, "k", "two").await);
    assert_ne!(one, two);
    let head = world.good("HEAD", &format!("/bucket/k?versionId={one}"), "").await;
    assert_eq!(
        (head.header("content-length").as_deref(), head.header("x-amz-version-id")),
        (Some("3"), Some(one.clone()))
    );

    let deleted = world.good("DELETE", "/bucket/k", "").await;
    let marker = deleted.header("x-amz-version-id").unwrap();
    assert_eq!(deleted.header("x-amz-delete-marker").as_deref(), Some("true"));
    assert!(world.good("GET", "/bucket", "").await.all("Key").is_empty());
    let gone = world.ask("GET", "/bucket/k").send().await;
    assert_eq!((gone.outcome().as_str(), gone.header("x-amz-version-id")), ("404 NoSuchKey", Some(marker.clone())));
    assert_eq!(gone.header("x-amz-delete-marker").as_deref(), Some("true"));
    let itself = world.ask("GET", &format!("/bucket/k?versionId={marker}")).send().await;
    assert_eq!(
        (itself.outcome().as_str(), itself.header("allow").as_deref()),
        ("405 MethodNotAllowed", Some("DELETE"))
    );
    assert!(itself.header("last-modified").is_some());
    assert_eq!(world.ask("HEAD", &format!("/bucket/k?versionId={marker}")).send().await.status.as_u16(), 405);

    for (version, body) in [(one.as_str(), "one"), (&two, "two"), ("null", "before")] {
        assert_eq!(get(&world, &format!("/bucket/k?versionId={version}")).await, body);
    }
    let world = world.reopen().await;
    let undone = world.good("DELETE", &format!("/bucket/k?versionId={marker}"), "").await;
    assert_eq!(undone.header("x-amz-delete-marker").as_deref(), Some("true"));
    assert_eq!(get(&world, "/bucket/k").await, "two");
    world.good("DELETE", &format!("/bucket/k?versionId={two}"), "").await;
    assert_eq!(get(&world, "/bucket/k").await, "one");
    assert_eq!(get(&world, &format!("/bucket/k?versionId={two}")).await, "404 NoSuchVersion");
    let none = |method| (method, "/bucket/k?versionId=x", &[] as &[_], "", "400 InvalidArgument");
    check(&world, &[none("GET"), none("DELETE"), ("DELETE", "/bucket", &[], "", "409 BucketNotEmpty")]).await;
    world.good("DELETE", &format!("/bucket/k?versionId={one}"), "").await;
    assert_eq!(get(&world, "/bucket/k").await, "before");
    world.good("DELETE", "/bucket/k?versionId=null", "").await;
    world.good("DELETE", "/bucket", "").await;
}

#[tokio::test]
async fn a_suspended_bucket_replaces_null_only() {
    let world = world().await;
    set(&world, ENABLED).await;
    let one = put(&world, "k", "one").await;
    set(&world, SUSPENDED).await;
    assert_eq!(put(&world, "k", "two").await, "null");
    assert_eq!(put(&world, "k", "three").await, "null");
    let all = world.good("GET", "/bucket?versions", "").await;
    assert_eq!(all.all("VersionId"), ["null".to_owned(), one.clone()]);
    let deleted = world.good("DELETE", "/bucket/k", "").await;
    assert_eq!(deleted.header("x-amz-version-id").as_deref(), Some("null"));
    assert_eq!(get(&world, "/bucket/k").await, "404 NoSuchKey");
    assert_eq!(get(&world, "/bucket/k?versionId=null").await, "405 MethodNotAllowed");
    set(&world, ENABLED).await;
    let four = put(&world, "k", "four").await;
    world.good("DELETE", "/bucket/k?versionId=null", "").await;
    assert_eq!(world.good("GET", "/bucket?versions", "").await.all("VersionId"), [four, one]);
    // Under the id of another time nothing is found.
    assert_eq!(get(&world, "/bucket/k?versionId=null").await, "404 NoSuchVersion");
}

#[tokio::test]
async fn a_bucket_with_markers_only_is_not_empty() {
    let world = world().await;
    set(&world, ENABLED).await;
    let marker = world.good("DELETE", "/bucket/never-there", "").await.header("x-amz-version-id").unwrap();
    check(&world, &[("DELETE", "/bucket", &[], "", "409 BucketNotEmpty")]).await;
    world.good("DELETE", &format!("/bucket/never-there?versionId={marker}"), "").await;
    world.good("DELETE", "/bucket", "").await;
    world.good("PUT", "/bucket", "").await;
    assert_eq!(world.good("GET", "/bucket?versioning", "").await.one("Status"), None, "a new bucket begins anew");
}

#[tokio::test]
async fn tags_attributes_and_copies_of_versions() {
    let world = world().await;
    set(&world, ENABLED).await;
    let one = put(&world, "k", "one").await;
    let two = put(&world, "k", "two").await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let answer = world.good("PUT", &format!("/bucket/k?tagging&versionId={one}"), tags).await;
    assert_eq!(answer.header("x-amz-version-id"), Some(one.clone()));
    assert_eq!(world.good("GET", &format!("/bucket/k?tagging&versionId={one}"), "").await.all("Key"), ["a"]);
    let current = world.good("GET", "/bucket/k?tagging", "").await;
    assert_eq!((current.all("Key"), current.header("x-amz-version-id")), (vec![], Some(two.clone())));
    assert_eq!(get(&world, &format!("/bucket/k?versionId={one}")).await, "one");

    let attributes = world.ask("GET", &format!("/bucket/k?attributes&versionId={one}"));
    let attributes = attributes.header("x-amz-object-attributes", "ETag,ObjectSize").send().await;
    assert_eq!(
        (attributes.one("ObjectSize").as_deref(), attributes.header("x-amz-version-id")),
        (Some("3"), Some(one.clone()))
    );

    // The current object again, from an older version of itself.
    let source = format!("bucket/k?versionId={one}");
    let copy = world.ask("PUT", "/bucket/k").header("x-amz-copy-source", &source).send().await;
    assert_eq!(copy.outcome(), "200", "{}", copy.xml());
    assert_eq!(copy.header("x-amz-copy-source-version-id"), Some(one.clone()));
    let three = copy.header("x-amz-version-id").unwrap();
    assert!(three != one && three != two);
    assert_eq!(get(&world, "/bucket/k").await, "one");
    let onto_itself = world.ask("PUT", "/bucket/k").header("x-amz-copy-source", "bucket/k").send().await;
    assert_eq!(onto_itself.outcome(), "400 InvalidRequest");
    let marker = world.good("DELETE", "/bucket/k", "").await.header("x-amz-version-id").unwrap();
    let source = format!("bucket/k?versionId={marker}");
    let copy = world.ask("PUT", "/bucket/other").header("x-amz-copy-source", &source).send().await;
    assert_eq!(copy.outcome(), "400 InvalidRequest");
    let copy = world.ask("PUT", "/bucket/other").header("x-amz-copy-source", "bucket/k").send().await;
    assert_eq!(copy.outcome(), "404 NoSuchKey");
}

#[tokio::test]
async fn conditions_are_about_the_current_object() {
    let world = world().await;
    set(&world, ENABLED).await;
    put(&world, "k", "one").await;
    world.good("DELETE", "/bucket/k", "").await;
    let cases: &[(_, _, &[_], _, _)] = &[
        ("PUT", "/bucket/k", &[("if-match", "*")], "x", "404 NoSuchKey"),
        ("PUT", "/bucket/k", &[("if-none-match", "*")], "two", "200"),
        ("PUT", "/bucket/k", &[("if-none-match", "*")], "x", "412 PreconditionFailed"),
        ("DELETE", "/bucket/k", &[("if-match", "\"x\"")], "", "412 PreconditionFailed"),
        ("DELETE", "/bucket/k", &[("if-match", "*")], "", "204"),
        ("DELETE", "/bucket/k", &[("if-match", "*")], "", "404 NoSuchKey"),
    ];
    check(&world, cases).await;
}

#[tokio::test]
async fn many_deletions_see_each_other() {
    let world = world().await;
    put(&world, "k", "null").await;
    set(&world, ENABLED).await;
    let ids = [put(&world, "k", "one").await, put(&world, "k", "two").await];
    let object = |id: &str| format!("<Object><Key>k</Key><VersionId>{id}</VersionId></Object>");
    let all: String = [ids[1].as_str(), "null", &ids[0], "nonsense"].map(object).concat();
    let body = format!("<Delete>{all}<Object><Key>k</Key></Object></Delete>");
    let answer = world.ask("POST", "/bucket?delete").header("content-md5", "").body(body.clone());
    assert_eq!(answer.send().await.outcome(), "400 InvalidDigest");
    let md5 = {
        use md5::Digest;
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, md5::Md5::digest(body.as_bytes()))
    };
    let answer = world.ask("POST", "/bucket?delete").header("content-md5", &md5).body(body).send().await;
    assert_eq!(answer.all("Code"), ["InvalidArgument"], "{}", answer.xml());
    assert_eq!(answer.all("DeleteMarker"), ["true"]);
    let left = world.good("GET", "/bucket?versions", "").await;
    assert_eq!(left.all("VersionId"), answer.all("DeleteMarkerVersionId"));
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
}

#[tokio::test]
async fn pages_of_versions() {
    let world = world().await;
    set(&world, ENABLED).await;
    let mut all = Vec::new();
    for key in ["a", "d/1", "d/2", "z"] {
        let ids = [put(&world, key, "1").await, put(&world, key, "2").await, put(&world, key, "3").await];
        all.extend(ids.into_iter().rev().map(|id| (key.to_owned(), id)));
    }
    for max in [1, 2, 5] {
        let (mut seen, mut query) = (Vec::new(), String::new());
        loop {
            let page = world.good("GET", &format!("/bucket?versions&max-keys={max}{query}"), "").await;
            seen.extend(page.all("Key").into_iter().zip(page.all("VersionId")));
            let Some(key) = page.one("NextKeyMarker") else { break };
            query = format!("&key-marker={key}&version-id-marker={}", page.one("NextVersionIdMarker").unwrap());
        }
        assert_eq!(seen, all, "{max}");
    }
    let page = world.good("GET", "/bucket?versions&delimiter=/&max-keys=4", "").await;
    assert_eq!((page.all("Key").len(), page.one("NextKeyMarker").as_deref()), (3, Some("d/")));
    let page = world.good("GET", "/bucket?versions&delimiter=/&key-marker=d/", "").await;
    assert_eq!(page.all("Key"), ["z", "z", "z"]);
    let page = world.good("GET", "/bucket?versions&key-marker=d/1", "").await;
    assert_eq!(page.all("Key"), ["d/2", "d/2", "d/2", "z", "z", "z"]);
    let bad = ("GET", "/bucket?versions&key-marker=a&version-id-marker=x", &[] as &[_], "", "400 InvalidArgument");
    check(&world, &[bad]).await;
}

#[tokio::test]
async fn large_bodies_go_with_their_version() {
    let world = world().await;
    set(&world, ENABLED).await;
    let mut ids = Vec::new();
    for size in [MIB, MIB + 1] {
        let answer = world.good("PUT", "/bucket/k", noise(size)).await;
        ids.push(answer.header("x-amz-version-id").unwrap());
    }
    // A copy of itself has bytes of its own.
    let copy = world.ask("PUT", "/bucket/k").header("x-amz-copy-source", "bucket/k");
    let copy = copy.header("x-amz-metadata-directive", "REPLACE").send().await;
    assert_eq!((copy.outcome().as_str(), world.blobs()), ("200", 3));
    world.good("DELETE", &format!("/bucket/k?versionId={}", ids[1]), "").await;
    world.blobs_become(2).await;
    let world = world.reopen().await;
    assert_eq!(world.blobs(), 2, "what a version needs is not swept");
    assert_eq!(world.good("GET", &format!("/bucket/k?versionId={}", ids[0]), "").await.body, noise(MIB));
    assert_eq!(world.good("GET", "/bucket/k", "").await.body, noise(MIB + 1));
}

#[tokio::test]
async fn deliveries_of_a_service_are_versions_too() {
    let world = world().await;
    world.allow_service("bucket").await;
    set(&world, ENABLED).await;
    let now = aws_api::Timestamp::from_secs(START);
    for _ in 0..2 {
        let object = s3_embedded::StagedObject { body: noise(100), ..Default::default() };
        let staged = world.s3.stage_put("bucket", "AWSLogs/1", object, &WRITER, now).await.unwrap();
        world.store.commit(staged).await.unwrap();
    }
    let ids = world.good("GET", "/bucket?versions", "").await.all("VersionId");
    assert_eq!(ids.len(), 2);
    world.good("DELETE", &format!("/bucket/AWSLogs/1?versionId={}", ids[0]), "").await;
    assert_eq!(world.good("GET", "/bucket/AWSLogs/1", "").await.body, noise(100), "the same bytes, and still there");
}

#[tokio::test]
async fn policies_see_versions() {
    let world = world().await;
    set(&world, ENABLED).await;
    let (one, two) = (put(&world, "k", "one").await, put(&world, "k", "two").await);
    let statement = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{BOB}:user/mia"}},"Action":"s3:GetObjectVersion","Resource":"arn:aws:s3:::bucket/*","Condition":{{"StringEquals":{{"s3:VersionId":"{one}"}}}}}}"#
    );
    world.put_policy("bucket", &statement).await;
    for (version, expected) in [
        (format!("?versionId={one}"), "200"),
        (format!("?versionId={two}"), "403 AccessDenied"),
        (String::new(), "403 AccessDenied"),
    ] {
        let answer = world.ask("GET", &format!("/bucket/k{version}")).user(BOB, "mia", true).send().await;
        assert_eq!(answer.outcome(), expected, "{version}");
    }
}
