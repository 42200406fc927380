use crate::world::{BOB, MIB, World, check, noise};

#[tokio::test]
async fn bytes_headers_tags_and_checksum_come_along() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/other", "").await;
    for size in [0, 9, 200_000] {
        let put = world
            .ask("PUT", "/bucket/a%20source")
            .headers(&[("content-type", "text/plain"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "t=1")])
            .body(noise(size))
            .send()
            .await;
        let copy = world.ask("PUT", "/other/copy").header("x-amz-copy-source", "/bucket/a%20source").send().await;
        assert_eq!(copy.outcome(), "200", "{}", copy.xml());
        assert_eq!(copy.etag(), put.etag());
        assert_eq!(copy.one("ChecksumCRC64NVME"), put.header("x-amz-checksum-crc64nvme"));
        assert!(copy.one("LastModified").is_some());
        let got = world.good("GET", "/other/copy", "").await;
        assert!(got.body == noise(size));
        assert_eq!(got.header("content-type").as_deref(), Some("text/plain"));
        assert_eq!(got.header("x-amz-meta-a").as_deref(), Some("b"));
        assert_eq!(got.header("x-amz-tagging-count").as_deref(), Some("1"));
        world.good("DELETE", "/bucket/a%20source", "").await;
        assert!(world.good("GET", "/other/copy", "").await.body == noise(size), "the copy is its own");
    }
    world.blobs_become(1).await;
}

#[tokio::test]
async fn directives() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let headers = [("content-type", "text/plain"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "t=1")];
    world.ask("PUT", "/bucket/k").headers(&headers).body(noise(100_000)).send().await;
    let onto = |pairs: &'static [(&'static str, &'static str)]| {
        world.ask("PUT", "/bucket/k").header("x-amz-copy-source", "bucket/k").headers(pairs).send()
    };
    assert_eq!(onto(&[]).await.outcome(), "400 InvalidRequest");
    assert_eq!(onto(&[("x-amz-metadata-directive", "COPY")]).await.outcome(), "400 InvalidRequest");
    assert_eq!(onto(&[("x-amz-metadata-directive", "MOVE")]).await.outcome(), "400 InvalidArgument");
    let replaced =
        onto(&[("x-amz-metadata-directive", "REPLACE"), ("content-type", "a/b"), ("x-amz-meta-c", "d")]).await;
    assert_eq!(replaced.outcome(), "200", "{}", replaced.xml());
    let got = world.good("GET", "/bucket/k", "").await;
    assert!(got.body == noise(100_000));
    assert_eq!(got.header("content-type").as_deref(), Some("a/b"));
    assert_eq!((got.header("x-amz-meta-a"), got.header("x-amz-meta-c").as_deref()), (None, Some("d")));
    assert_eq!(got.header("x-amz-tagging-count").as_deref(), Some("1"));
    world.blobs_become(1).await;
    let tagged = onto(&[
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-tagging-directive", "REPLACE"),
        ("x-amz-checksum-algorithm", "SHA256"),
    ])
    .await;
    assert_eq!(tagged.outcome(), "200", "{}", tagged.xml());
    assert!(tagged.one("ChecksumSHA256").is_some());
    let got = world.ask("GET", "/bucket/k").header("x-amz-checksum-mode", "ENABLED").send().await;
    assert_eq!((got.header("x-amz-tagging-count"), got.header("x-amz-meta-c")), (None, None));
    assert!(got.header("x-amz-checksum-sha256").is_some());
    assert!(got.body == noise(100_000));
    world.blobs_become(1).await;
}

#[tokio::test]
async fn sources_and_conditions() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket/k", "hello").await;
    let source = ("x-amz-copy-source", "bucket/k");
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    let (at, before) = ("Sat, 14 Mar 2026 09:26:54 GMT", "Sat, 14 Mar 2026 09:26:53 GMT");
    check(
        &world,
        &[
            ("PUT", "/bucket/c", &[("x-amz-copy-source", "bucket/none")], "", "404 NoSuchKey"),
            ("PUT", "/bucket/c", &[("x-amz-copy-source", "nowhere/k")], "", "404 NoSuchBucket"),
            ("PUT", "/bucket/c", &[("x-amz-copy-source", "bucket")], "", "400 InvalidArgument"),
            ("PUT", "/bucket/c", &[("x-amz-copy-source", "bucket/k?versionId=v")], "", "400 InvalidArgument"),
            ("PUT", "/bucket/c", &[source, ("x-amz-copy-source-if-match", "\"x\"")], "", "412 PreconditionFailed"),
            ("PUT", "/bucket/c", &[source, ("x-amz-copy-source-if-match", etag)], "", "200"),
            ("PUT", "/bucket/c", &[source, ("x-amz-copy-source-if-none-match", etag)], "", "412 PreconditionFailed"),
            ("PUT", "/bucket/c", &[source, ("x-amz-copy-source-if-modified-since", at)], "", "412 PreconditionFailed"),
            ("PUT", "/bucket/c", &[source, ("x-amz-copy-source-if-modified-since", before)], "", "200"),
            (
                "PUT",
                "/bucket/c",
                &[source, ("x-amz-copy-source-if-unmodified-since", before)],
                "",
                "412 PreconditionFailed",
            ),
            ("PUT", "/bucket/c", &[source, ("x-amz-copy-source-if-unmodified-since", at)], "", "200"),
            ("PUT", "/bucket/c", &[source, ("x-amz-source-expected-bucket-owner", BOB)], "", "403 AccessDenied"),
            ("PUT", "/bucket/c", &[source, ("x-amz-server-side-encryption", "AES256")], "", "501 NotImplemented"),
        ],
    )
    .await;
    let thief = world.ask("PUT", "/theirs").by(Some(BOB)).send().await;
    assert_eq!(thief.outcome(), "200");
    let thief = world.ask("PUT", "/theirs/k").by(Some(BOB)).header("x-amz-copy-source", "bucket/k").send().await;
    assert_eq!(thief.outcome(), "403 AccessDenied");
}

#[tokio::test]
async fn a_copy_of_parts_is_in_one_piece() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let id = world.good("POST", "/bucket/parts?uploads", "").await.one("UploadId").unwrap();
    let bodies = [noise(5 * MIB), noise(100)];
    let mut parts = String::new();
    for (body, number) in bodies.iter().zip(1..) {
        let uri = format!("/bucket/parts?partNumber={number}&uploadId={id}");
        let etag = world.good("PUT", &uri, body.clone()).await.etag();
        parts += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    world.good("POST", &format!("/bucket/parts?uploadId={id}"), body).await;
    let copy = world.ask("PUT", "/bucket/copy").header("x-amz-copy-source", "bucket/parts").send().await;
    let whole = world.good("PUT", "/bucket/whole", bodies.concat()).await;
    assert_eq!(copy.etag(), whole.etag());
    assert_eq!(copy.one("ChecksumCRC64NVME"), whole.header("x-amz-checksum-crc64nvme"));
    assert!(world.good("GET", "/bucket/copy", "").await.body == bodies.concat());
}
