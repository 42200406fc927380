use std::collections::BTreeMap;

use aws_api::Timestamp;
use s3_embedded::{DeferredUnit, Options, StagedObject};

use crate::world::{MIB, START, WRITER, World, check, noise};

#[tokio::test]
async fn bodies_of_all_sizes_survive_a_restart() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let sizes = [0, 1, 65_535, 65_536, 65_537, 300_000, 3 * MIB + 7];
    for size in sizes {
        let put = world.good("PUT", &format!("/bucket/{size}"), noise(size)).await;
        assert_eq!(put.header("x-amz-checksum-type").as_deref(), Some("FULL_OBJECT"));
    }
    assert_eq!(world.blobs(), 3);
    let world = world.reopen().await;
    for size in sizes {
        let got = world.good("GET", &format!("/bucket/{size}"), "").await;
        assert!(got.body == noise(size), "{size} bytes came back otherwise");
        assert_eq!(got.header("content-length"), Some(size.to_string()));
        assert_eq!(got.header("accept-ranges").as_deref(), Some("bytes"));
        let head = world.good("HEAD", &format!("/bucket/{size}"), "").await;
        assert_eq!(head.header("content-length"), Some(size.to_string()));
        assert_eq!(head.etag(), got.etag());
        assert!(head.body.is_empty());
    }
    assert_eq!(world.good("GET", "/bucket/0", "").await.etag(), "d41d8cd98f00b204e9800998ecf8427e");
}

#[tokio::test]
async fn replacing_and_deleting_gives_the_bytes_up() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    for size in [100_000, 200_000, 5, 70_000, 6] {
        world.good("PUT", "/bucket/key", noise(size)).await;
        assert!(world.good("GET", "/bucket/key", "").await.body == noise(size));
    }
    world.blobs_become(0).await;
    world.good("PUT", "/bucket/key", noise(100_000)).await;
    world.good("DELETE", "/bucket/key", "").await;
    world.blobs_become(0).await;
    check(
        &world,
        &[
            ("GET", "/bucket/key", &[], "", "404 NoSuchKey"),
            ("HEAD", "/bucket/key", &[], "", "404"),
            ("DELETE", "/bucket/key", &[], "", "204"),
            ("DELETE", "/missing/key", &[], "", "404 NoSuchBucket"),
            ("PUT", "/missing/key", &[], "x", "404 NoSuchBucket"),
        ],
    )
    .await;
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
}

#[tokio::test]
async fn headers_come_back() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let kept = [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "max-age=5"),
        ("content-disposition", "attachment; filename=\"ä.txt\""),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
        ("expires", "whenever"),
        ("x-amz-meta-color", "blue"),
        ("x-amz-meta-empty", ""),
        ("x-amz-storage-class", "STANDARD"),
        ("x-amz-tagging", "a=b&c=d"),
    ];
    let put = world.ask("PUT", "/bucket/key").headers(&kept).body("hello").send().await;
    assert_eq!(put.outcome(), "200", "{}", put.xml());
    for method in ["GET", "HEAD"] {
        let answer = world.good(method, "/bucket/key", "").await;
        for (name, value) in &kept[..8] {
            assert_eq!(answer.header(name).as_deref(), Some(*value), "{method} {name}");
        }
        assert_eq!(answer.header("x-amz-tagging-count").as_deref(), Some("2"), "{method}");
        assert_eq!(answer.header("last-modified").as_deref(), Some("Sat, 14 Mar 2026 09:26:54 GMT"), "{method}");
        assert_eq!(answer.header("x-amz-storage-class"), None, "{method}");
        let uri =
            "/bucket/key?response-content-type=a%2Fb&response-expires=Sun%2C%2006%20Nov%201994%2008%3A49%3A37%20GMT";
        let answer = world.good(method, uri, "").await;
        assert_eq!(answer.header("content-type").as_deref(), Some("a/b"), "{method}");
        assert_eq!(answer.header("expires").as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"), "{method}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("max-age=5"), "{method}");
    }
    let twice = [("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")];
    assert_eq!(world.ask("PUT", "/bucket/twice").headers(&twice).send().await.outcome(), "200");
    assert_eq!(world.good("HEAD", "/bucket/twice", "").await.header("x-amz-meta-a").as_deref(), Some("1,2"));
    world.good("PUT", "/bucket/plain", "hello").await;
    let plain = world.good("GET", "/bucket/plain", "").await;
    assert_eq!(plain.header("content-type").as_deref(), Some("binary/octet-stream"));
    assert_eq!(plain.etag(), "5d41402abc4b2a76b9719d911017c592");
}

#[tokio::test]
async fn headers_in_the_query_of_a_signed_url() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let hoisted = "/bucket/k?x-amz-meta-a=b%20c&x-amz-checksum-crc32=y/Q5Jg%3D%3D&x-amz-sdk-checksum-algorithm=SHA256";
    check(
        &world,
        &[
            ("PUT", hoisted, &[], "123456789", "200"),
            ("PUT", hoisted, &[], "12345678", "400 BadDigest"),
            ("PUT", "/bucket/k?x-amz-server-side-encryption=AES256", &[], "x", "501 NotImplemented"),
            ("PUT", "/bucket/k?x-amz-acl=public-read", &[], "x", "400 AccessControlListNotSupported"),
            ("PUT", "/bucket/k?x-amz-copy-source=bucket/j", &[], "x", "501 NotImplemented"),
            ("PUT", "/bucket/k?x-amz-meta-a=%00", &[], "x", "400 InvalidArgument"),
        ],
    )
    .await;
    assert_eq!(world.good("GET", "/bucket/k", "").await.header("x-amz-meta-a").as_deref(), Some("b c"));
}

#[tokio::test]
async fn keys_are_only_keys() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let keys =
        ["...", "a..b", "a//b", "/lead", "a/./b", "%20", "a%2Bb", "%C3%A9", "a%01b", "%3Cx%3E%26", "a%25b", "dir/"];
    for (number, key) in keys.iter().enumerate() {
        world.good("PUT", &format!("/bucket/{key}"), number.to_string()).await;
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(world.good("GET", &format!("/bucket/{key}"), "").await.body, number.to_string(), "{key}");
    }
    let longest = format!("/bucket/{}", "k".repeat(1024));
    let too_long = format!("/bucket/{}", "k".repeat(1025));
    check(
        &world,
        &[
            ("PUT", &longest, &[], "x", "200"),
            ("PUT", &too_long, &[], "x", "400 KeyTooLongError"),
            ("GET", &too_long, &[], "", "400 KeyTooLongError"),
            ("PUT", "/bucket/a%00b", &[], "x", "400 InvalidURI"),
            ("PUT", "/bucket/../x", &[], "x", "400 InvalidURI"),
            ("GET", "/bucket/a/%2e%2e/x", &[], "", "400 InvalidURI"),
            ("PUT", "/bucket/%ff", &[], "x", "400 InvalidURI"),
        ],
    )
    .await;
    assert_eq!(world.good("GET", "/bucket?encoding-type=url", "").await.all("Key").len(), keys.len() + 1);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_and_nothing_is_stored() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let long = "v".repeat(2049);
    check(
        &world,
        &[
            ("PUT", "/bucket/k", &[("x-amz-server-side-encryption", "AES256")], "x", "501 NotImplemented"),
            (
                "PUT",
                "/bucket/k",
                &[("x-amz-server-side-encryption-customer-algorithm", "AES256")],
                "x",
                "501 NotImplemented",
            ),
            ("PUT", "/bucket/k", &[("x-amz-acl", "public-read")], "x", "400 AccessControlListNotSupported"),
            ("PUT", "/bucket/k", &[("x-amz-grant-full-control", "id=1")], "x", "400 AccessControlListNotSupported"),
            ("PUT", "/bucket/k", &[("x-amz-object-lock-legal-hold", "ON")], "x", "501 NotImplemented"),
            ("PUT", "/bucket/k", &[("x-amz-website-redirect-location", "/y")], "x", "501 NotImplemented"),
            ("PUT", "/bucket/k", &[("x-amz-storage-class", "GLACIER")], "x", "400 InvalidStorageClass"),
            ("PUT", "/bucket/k", &[("x-amz-meta-long", &long)], "x", "400 MetadataTooLarge"),
            ("PUT", "/bucket/k", &[("x-amz-tagging", "a=1&a=2")], "x", "400 InvalidTag"),
            ("PUT", "/bucket/k", &[("content-length", "2")], "x", "400 IncompleteBody"),
            ("PUT", "/bucket/k", &[("content-length", "0")], "x", "400 IncompleteBody"),
            ("PUT", "/bucket/k", &[("content-length", "5368709121")], "x", "400 EntityTooLarge"),
            ("PUT", "/bucket/k", &[("content-length", "9"), ("x-amz-decoded-content-length", "1")], "x", "200"),
            ("DELETE", "/bucket/k", &[], "", "204"),
            ("GET", "/bucket/k", &[], "", "404 NoSuchKey"),
            ("GET", "/bucket/k?versionId=abc", &[], "", "400 InvalidArgument"),
            ("GET", "/bucket/k?versionId=null", &[], "", "404 NoSuchKey"),
            ("GET", "/bucket/k?torrent", &[], "", "501 NotImplemented"),
            (
                "GET",
                "/bucket/k",
                &[("x-amz-server-side-encryption-customer-algorithm", "AES256")],
                "",
                "400 InvalidRequest",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let world = World::with(Options { object_size_max: 100_000, ..Options::default() });
    world.good("PUT", "/bucket", "").await;
    let put = world.ask("PUT", "/bucket/form").without_length().body(noise(100_000)).send().await;
    assert_eq!(put.outcome(), "200");
    let put = world.ask("PUT", "/bucket/form").without_length().body(noise(100_001)).send().await;
    assert_eq!(put.outcome(), "400 EntityTooLarge");
    let put = world.ask("PUT", "/bucket/form").without_length().header("transfer-encoding", "chunked").body("x");
    assert_eq!(put.send().await.outcome(), "411 MissingContentLength");
    assert!(world.good("GET", "/bucket/form", "").await.body == noise(100_000));
    world.blobs_become(1).await;
}

#[tokio::test]
async fn a_broken_body_stores_nothing() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let ask = || world.ask("PUT", "/bucket/k").header("content-length", "200000").body(noise(100_000));
    let gone = ask().send_broken("connection reset".into()).await;
    assert_eq!(gone.outcome(), "400 IncompleteBody");
    let wrong = s3s::S3Error::with_message(s3s::S3ErrorCode::SignatureDoesNotMatch, "chunk");
    assert_eq!(ask().send_broken(Box::new(wrong)).await.outcome(), "403 SignatureDoesNotMatch");
    check(&world, &[("GET", "/bucket/k", &[], "", "404 NoSuchKey")]).await;
    world.blobs_become(0).await;
}

#[tokio::test]
async fn a_write_that_is_given_up_leaves_no_file() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    // The first write's unit keeps the key, so the second one waits with its file finished.
    let deferred = DeferredUnit::default();
    world.ask("PUT", "/bucket/k").deferred(&deferred).body("x").send().await;
    let mut waiting = Box::pin(world.ask("PUT", "/bucket/k").body(noise(100_000)).send());
    while world.blobs() == 0 {
        assert!(futures::future::poll_immediate(&mut waiting).await.is_none());
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        assert!(futures::future::poll_immediate(&mut waiting).await.is_none());
        tokio::task::yield_now().await;
    }
    drop(waiting);
    world.blobs_become(0).await;
    world.store.commit(deferred.take().unwrap()).await.unwrap();
    assert_eq!(world.good("GET", "/bucket/k", "").await.body, "x");
}

#[tokio::test]
async fn ranges_and_parts_of_an_object() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    for (key, body) in [("small", noise(1000)), ("large", noise(1_000_000))] {
        world.good("PUT", &format!("/bucket/{key}"), body.clone()).await;
        let uri = format!("/bucket/{key}");
        let size = body.len();
        let cases = [
            ("bytes=0-9", Some((0, 10))),
            ("bytes=990-", Some((990, size))),
            ("bytes=-7", Some((size - 7, size))),
            ("bytes=5-99999999", Some((5, size))),
            ("bytes=9-3", None),
            ("bytes=0-1,3-4", None),
            ("lines=1-2", None),
        ];
        for (range, expected) in cases {
            for method in ["GET", "HEAD"] {
                let got = world.ask(method, &uri).header("range", range).send().await;
                let (start, end) = expected.unwrap_or((0, size));
                assert_eq!(got.status.as_u16(), if expected.is_some() { 206 } else { 200 }, "{method} {range}");
                let shown = expected.map(|_| format!("bytes {start}-{}/{size}", end - 1));
                assert_eq!(got.header("content-range"), shown, "{method} {range}");
                assert_eq!(got.header("content-length"), Some((end - start).to_string()), "{method} {range}");
                assert!(method == "HEAD" || got.body == body.slice(start..end), "{range}");
            }
        }
        check(
            &world,
            &[
                ("GET", &uri, &[("range", "bytes=1000000-")], "", "416 InvalidRange"),
                ("GET", &uri, &[("range", "bytes=-0")], "", "416 InvalidRange"),
                ("GET", &format!("{uri}?partNumber=1"), &[], "", "206"),
                ("GET", &format!("{uri}?partNumber=2"), &[], "", "416 InvalidPartNumber"),
                ("GET", &format!("{uri}?partNumber=0"), &[], "", "400 InvalidArgument"),
                ("GET", &format!("{uri}?partNumber=1"), &[("range", "bytes=0-1")], "", "400 InvalidRequest"),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn many_deletions_at_once() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    for key in ["a", "b", "c%3Cd"] {
        world.good("PUT", &format!("/bucket/{key}"), noise(70_000)).await;
    }
    let delete = async |quiet: &str, keys: &[&str]| {
        let objects: String = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
        let body = format!("<Delete>{quiet}{objects}</Delete>");
        world.ask("POST", "/bucket?delete").header("content-md5", &md5(&body)).body(body).send().await
    };
    let answer = delete("", &["a", "missing", "c&lt;d", "a"]).await;
    assert_eq!(answer.all("Key"), ["a", "missing", "c<d", "a"]);
    assert_eq!(world.good("GET", "/bucket", "").await.all("Key"), ["b"]);
    let answer = delete("<Quiet>true</Quiet>", &["b"]).await;
    assert_eq!((answer.outcome().as_str(), answer.all("Key").len()), ("200", 0));
    world.blobs_become(0).await;
    let body = "<Delete><Object><Key>x</Key><VersionId>v1</VersionId></Object></Delete>";
    let answer = world.ask("POST", "/bucket?delete").header("content-md5", &md5(body)).body(body).send().await;
    assert_eq!((answer.status.as_u16(), answer.one("Code").as_deref()), (200, Some("InvalidArgument")));
    let many: Vec<&str> = std::iter::repeat_n("k", 1001).collect();
    assert_eq!(delete("", &many).await.outcome(), "400 MalformedXML");
    assert_eq!(delete("", &many[1..]).await.outcome(), "200");
    assert_eq!(delete("", &[]).await.outcome(), "400 MalformedXML");
    check(
        &world,
        &[
            ("POST", "/bucket?delete", &[], "<Delete><Object><Key>x</Key></Object></Delete>", "400 InvalidRequest"),
            ("POST", "/bucket?delete", &[("x-amz-checksum-crc32", "AAAAAA==")], "<Delete/>", "400 BadDigest"),
            ("POST", "/bucket?delete", &[], "<Delete", "400 MalformedXML"),
        ],
    )
    .await;
}

fn md5(body: &str) -> String {
    use base64::Engine;
    use md5::Digest;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(body))
}

#[tokio::test]
async fn tags() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket/key", "x").await;
    let set = |pairs: &[(&str, &str)]| -> String {
        let tags: String =
            pairs.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    };
    assert_eq!(world.good("GET", "/bucket/key?tagging", "").await.all("Key").len(), 0);
    world.good("PUT", "/bucket/key?tagging", set(&[("a", "1"), ("b", "")])).await;
    let tags = world.good("GET", "/bucket/key?tagging", "").await;
    assert_eq!((tags.all("Key"), tags.all("Value")), (vec!["a".into(), "b".into()], vec!["1".into(), String::new()]));
    assert_eq!(world.good("GET", "/bucket/key", "").await.body, "x");
    let eleven: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let eleven: Vec<(&str, &str)> = eleven.iter().map(|number| (number.as_str(), "")).collect();
    check(
        &world,
        &[
            ("PUT", "/bucket/key?tagging", &[], &set(&[("a", "1"), ("a", "2")]), "400 InvalidTag"),
            ("PUT", "/bucket/key?tagging", &[], &set(&[("aws:a", "1")]), "400 InvalidTag"),
            ("PUT", "/bucket/key?tagging", &[], &set(&eleven), "400 BadRequest"),
            ("PUT", "/bucket/key?tagging", &[], "<Tagging>", "400 MalformedXML"),
            ("PUT", "/bucket/none?tagging", &[], &set(&[]), "404 NoSuchKey"),
            ("GET", "/bucket/none?tagging", &[], "", "404 NoSuchKey"),
            ("DELETE", "/bucket/key?tagging", &[], "", "204"),
        ],
    )
    .await;
    assert_eq!(world.good("GET", "/bucket/key?tagging", "").await.all("Key").len(), 0);
}

#[tokio::test]
async fn a_deferred_write_happens_when_its_unit_does() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let deferred = DeferredUnit::default();
    assert_eq!(world.ask("PUT", "/bucket/key").deferred(&deferred).body("x").send().await.outcome(), "200");
    check(&world, &[("GET", "/bucket/key", &[], "", "404 NoSuchKey")]).await;
    world.store.commit(deferred.take().unwrap()).await.unwrap();
    check(&world, &[("GET", "/bucket/key", &[], "", "200")]).await;
    // Given up, it did nothing, and the key is free again.
    assert_eq!(world.ask("PUT", "/bucket/key").deferred(&deferred).body("yy").send().await.outcome(), "200");
    drop(deferred.take());
    assert_eq!(world.good("GET", "/bucket/key", "").await.body, "x");
    world.good("PUT", "/bucket/key", "z").await;
    assert_eq!(world.ask("GET", "/bucket/key").deferred(&deferred).send().await.body, "z");
    assert!(deferred.take().is_none());
}

#[tokio::test]
async fn the_server_puts_files_of_its_own() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.allow_service("bucket").await;
    let now = Timestamp::from_secs(START);
    for size in [10, 200_000] {
        let object = StagedObject {
            body: noise(size),
            content_type: Some("application/json".into()),
            content_encoding: Some("gzip".into()),
            metadata: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        };
        let unit = world.s3.stage_put("bucket", "AWSLogs/x.json.gz", object, &WRITER, now).await.unwrap();
        world.store.commit(unit).await.unwrap();
        let got = world.good("GET", "/bucket/AWSLogs/x.json.gz", "").await;
        assert!(got.body == noise(size));
        assert_eq!(got.header("content-encoding").as_deref(), Some("gzip"));
        assert_eq!(got.header("x-amz-meta-a").as_deref(), Some("b"));
    }
    let missing = world.s3.stage_put("nowhere", "k", StagedObject::default(), &WRITER, now).await;
    assert_eq!(missing.unwrap_err().code().as_str(), "NoSuchBucket");
    assert_eq!(world.s3.bucket_owner("bucket").unwrap().as_deref(), Some(crate::world::ALICE));
    assert_eq!(world.s3.bucket_owner("nowhere").unwrap(), None);
    world.blobs_become(1).await;
}
