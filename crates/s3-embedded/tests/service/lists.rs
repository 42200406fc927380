use std::collections::BTreeSet;

use aws_api::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use s3_embedded::StagedObject;

use crate::world::{START, WRITER, World, check};

async fn fill(world: &World, bucket: &str, keys: impl IntoIterator<Item = &str>) {
    world.good("PUT", &format!("/{bucket}"), "").await;
    world.allow_service(bucket).await;
    let now = Timestamp::from_secs(START);
    for key in keys {
        let unit = world.s3.stage_put(bucket, key, StagedObject::default(), &WRITER, now).await.unwrap();
        world.store.apply(unit).unwrap();
    }
}

#[tokio::test]
async fn versions_one_and_two() {
    let world = World::new();
    let keys = ["a", "b/1", "b/2", "c&<d", "e f", "é"];
    fill(&world, "bucket", keys).await;
    fill(&world, "bucket-2", ["other"]).await;
    let all = world.good("GET", "/bucket", "").await;
    assert_eq!(all.all("Key"), keys);
    assert_eq!((all.one("MaxKeys").as_deref(), all.one("IsTruncated").as_deref()), (Some("1000"), Some("false")));
    assert_eq!(all.all("DisplayName").len(), 6);
    assert_eq!(all.one("StorageClass").as_deref(), Some("STANDARD"));
    assert_eq!(all.one("ETag").as_deref(), Some("\"d41d8cd98f00b204e9800998ecf8427e\""));
    let page = world.good("GET", "/bucket?max-keys=2&delimiter=/", "").await;
    assert_eq!((page.all("Key"), page.one("NextMarker").as_deref()), (vec!["a".to_owned()], Some("b/")));
    let page = world.good("GET", "/bucket?marker=b/&delimiter=/", "").await;
    assert_eq!((page.all("Key").len(), page.all("CommonPrefixes").len()), (3, 0));
    let page = world.good("GET", "/bucket?max-keys=2", "").await;
    assert_eq!(page.one("NextMarker"), None, "only with a delimiter");
    let page = world.good("GET", "/bucket?list-type=2&max-keys=2", "").await;
    assert_eq!((page.one("KeyCount").as_deref(), page.all("DisplayName").len()), (Some("2"), 0));
    let token = page.one("NextContinuationToken").unwrap();
    let page = world.good("GET", &format!("/bucket?list-type=2&fetch-owner=true&continuation-token={token}"), "").await;
    assert_eq!((page.all("Key").len(), page.all("DisplayName").len()), (4, 4));
    assert_eq!(page.one("ContinuationToken"), Some(token));
    let page = world.good("GET", "/bucket?list-type=2&start-after=b/1&prefix=b", "").await;
    assert_eq!((page.all("Key"), page.one("StartAfter").as_deref()), (vec!["b/2".to_owned()], Some("b/1")));
    let page = world.good("GET", "/bucket?encoding-type=url&prefix=e%20", "").await;
    assert_eq!((page.all("Key"), page.one("Prefix").as_deref()), (vec!["e%20f".to_owned()], Some("e%20")));
    let page = world.good("GET", "/bucket?max-keys=0", "").await;
    assert_eq!((page.all("Key").len(), page.one("IsTruncated").as_deref()), (0, Some("false")));
    check(
        &world,
        &[
            ("GET", "/bucket?max-keys=-1", &[], "", "400 InvalidArgument"),
            ("GET", "/bucket?max-keys=many", &[], "", "400 InvalidArgument"),
            ("GET", "/bucket?encoding-type=base64", &[], "", "400 InvalidArgument"),
            ("GET", "/bucket?list-type=2&continuation-token=!", &[], "", "400 InvalidArgument"),
            ("GET", "/missing?list-type=2", &[], "", "404 NoSuchBucket"),
        ],
    )
    .await;
}

#[tokio::test]
async fn versions_of_a_bucket_without_versioning() {
    let world = World::new();
    fill(&world, "bucket", ["a", "b/1", "b/2", "c"]).await;
    let all = world.good("GET", "/bucket?versions", "").await;
    assert_eq!(
        (all.all("Key"), all.all("VersionId")),
        (vec!["a".into(), "b/1".into(), "b/2".into(), "c".into()], vec!["null".to_owned(); 4])
    );
    assert_eq!(all.all("IsLatest"), ["true"; 4]);
    let page = world.good("GET", "/bucket?versions&max-keys=2&delimiter=/", "").await;
    assert_eq!((page.all("Key"), page.one("NextKeyMarker").as_deref()), (vec!["a".to_owned()], Some("b/")));
    let page = world.good("GET", "/bucket?versions&key-marker=b/1&version-id-marker=null", "").await;
    assert_eq!((page.all("Key"), page.one("IsTruncated").as_deref()), (vec!["b/2".into(), "c".into()], Some("false")));
    check(&world, &[("GET", "/bucket?versions&version-id-marker=null", &[], "", "400 InvalidArgument")]).await;
}

#[tokio::test]
async fn a_page_holds_a_thousand() {
    let world = World::new();
    let keys: Vec<String> = (0..1001).map(|number| format!("{number:05}")).collect();
    fill(&world, "bucket", keys.iter().map(String::as_str)).await;
    let page = world.good("GET", "/bucket?max-keys=5000", "").await;
    assert_eq!((page.all("Key").len(), page.one("IsTruncated").as_deref()), (1000, Some("true")));
}

/// What a list must be, written down naively: the names behind the marker, grouped.
fn model(keys: &BTreeSet<String>, prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
    let mut names = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > after) {
        let rest = &key[prefix.len()..];
        let group = rest.find(delimiter).filter(|_| !delimiter.is_empty());
        let name = group.map_or(key.clone(), |found| format!("{prefix}{}{delimiter}", &rest[..found]));
        let listed = group.is_some() && after.starts_with(&name);
        if !listed && names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

/// Keys and common prefixes of a page, in the order of their names.
fn names(page: &crate::world::Answer) -> Vec<String> {
    let groups = page
        .all("CommonPrefixes")
        .into_iter()
        .map(|inner| inner.trim_start_matches("<Prefix>").trim_end_matches("</Prefix>").to_owned());
    let mut names: Vec<String> = page.all("Key").into_iter().chain(groups).collect();
    names.sort();
    names
}

async fn pages(world: &World, bucket: &str, prefix: &str, delimiter: &str, after: &str, max: usize) -> Vec<String> {
    let (mut all, mut marker) = (Vec::new(), format!("&start-after={after}"));
    loop {
        let uri = format!("/{bucket}?list-type=2&prefix={prefix}&delimiter={delimiter}&max-keys={max}{marker}");
        let page = world.good("GET", &uri, "").await;
        let found = names(&page);
        let truncated = page.one("IsTruncated").as_deref() == Some("true");
        assert!(found.len() <= max && (!truncated || found.len() == max), "{uri}: {found:?}");
        all.extend(found);
        match page.one("NextContinuationToken") {
            Some(token) if truncated => marker = format!("&continuation-token={token}"),
            None if !truncated => return all,
            other => panic!("truncated {truncated} and token {other:?}"),
        }
    }
}

#[test]
fn pages_are_the_naive_list_in_pieces() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::new();
    let number = std::cell::Cell::new(0);
    let keys = proptest::collection::btree_set("[ab/é]{1,5}", 0..12);
    let strategy = (keys, "[ab/]{0,2}", "(|/|a|b/|é|ab)", "[ab/é]{0,4}", 1_usize..5);
    let mut runner = TestRunner::new(Config { cases: 150, ..Config::default() });
    runner
        .run(&strategy, |(keys, prefix, delimiter, after, max)| {
            number.set(number.get() + 1);
            let bucket = format!("bucket-{}", number.get());
            let encode = |text: &str| text.replace('é', "%C3%A9");
            let found = runtime.block_on(async {
                fill(&world, &bucket, keys.iter().map(String::as_str)).await;
                pages(&world, &bucket, &prefix, &encode(&delimiter), &encode(&after), max).await
            });
            prop_assert_eq!(found, model(&keys, &prefix, &delimiter, &after));
            Ok(())
        })
        .unwrap();
}
