use s3_embedded::Options;

use crate::world::{Answer, MIB, START, World, check, noise};

async fn begin(world: &World, key: &str, headers: &[(&str, &str)]) -> String {
    let answer = world.ask("POST", &format!("/bucket/{key}?uploads")).headers(headers).send().await;
    assert_eq!(answer.outcome(), "200", "{}", answer.xml());
    answer.one("UploadId").unwrap()
}

fn listed(parts: &[(u32, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

async fn complete(world: &World, key: &str, id: &str, parts: &[(u32, &str)]) -> Answer {
    world.ask("POST", &format!("/bucket/{key}?uploadId={id}")).body(listed(parts)).send().await
}

#[tokio::test]
async fn parts_become_an_object_and_survive_a_restart() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let headers = [("content-type", "text/plain"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "t=1")];
    let id = begin(&world, "key", &headers).await;
    let bodies = [noise(5 * MIB), noise(5 * MIB + 1), noise(10)];
    let mut etags = Vec::new();
    for (body, number) in bodies.iter().zip([2, 5, 9]) {
        let uri = format!("/bucket/key?partNumber={number}&uploadId={id}");
        world.good("PUT", &uri, noise(77)).await;
        etags.push(world.good("PUT", &uri, body.clone()).await.etag());
    }
    world.good("PUT", &format!("/bucket/key?partNumber=10000&uploadId={id}"), noise(70_000)).await;
    check(&world, &[("GET", "/bucket/key", &[], "", "404 NoSuchKey")]).await;
    let done = complete(&world, "key", &id, &[(2, &etags[0]), (5, &etags[1]), (9, &etags[2])]).await;
    assert_eq!(done.outcome(), "200", "{}", done.xml());
    assert!(done.etag().ends_with("-3"), "{}", done.etag());
    let world = world.reopen().await;
    let whole = bodies.concat();
    let got = world.ask("GET", "/bucket/key").header("x-amz-checksum-mode", "ENABLED").send().await;
    assert!(got.body == whole);
    assert_eq!(got.etag(), done.etag());
    assert_eq!(got.header("content-type").as_deref(), Some("text/plain"));
    assert_eq!(got.header("x-amz-meta-a").as_deref(), Some("b"));
    assert_eq!(got.header("x-amz-tagging-count").as_deref(), Some("1"));
    let one_piece = world.good("PUT", "/bucket/whole", whole.clone()).await;
    assert_eq!(got.header("x-amz-checksum-crc64nvme"), one_piece.header("x-amz-checksum-crc64nvme"));
    world.good("DELETE", "/bucket/whole", "").await;
    for (start, end) in [(0, 10), (5 * MIB - 3, 5 * MIB + 3), (10 * MIB, 10 * MIB + 11), (7, whole.len())] {
        let range = format!("bytes={start}-{}", end - 1);
        let got = world.ask("GET", "/bucket/key").header("range", &range).send().await;
        assert!(got.body == whole[start..end], "{range}");
    }
    let part = world.good("GET", "/bucket/key?partNumber=9", "").await;
    assert_eq!((part.status.as_u16(), part.body.clone()), (206, bodies[2].clone()));
    assert_eq!(part.header("x-amz-mp-parts-count").as_deref(), Some("3"));
    let head = world.good("HEAD", "/bucket/key?partNumber=5", "").await;
    assert_eq!(head.header("content-length"), Some((5 * MIB + 1).to_string()));
    check(&world, &[("GET", "/bucket/key?partNumber=1", &[], "", "416 InvalidPartNumber")]).await;
    attributes(&world).await;
    world.good("DELETE", "/bucket/key", "").await;
    world.blobs_become(0).await;
    assert_eq!(world.store.range(store::Space::Parts, ..).count(), 0);
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
}

async fn attributes(world: &World) {
    let got = world
        .ask("GET", "/bucket/key?attributes")
        .headers(&[("x-amz-object-attributes", "ObjectParts"), ("x-amz-max-parts", "2")])
        .send()
        .await;
    assert_eq!(got.one("PartsCount").as_deref(), Some("3"), "{}", got.xml());
    assert_eq!(got.all("PartNumber"), ["2", "5"]);
    assert_eq!(got.one("IsTruncated").as_deref(), Some("true"));
    let marker = got.one("NextPartNumberMarker").unwrap();
    let got = world
        .ask("GET", "/bucket/key?attributes")
        .headers(&[("x-amz-object-attributes", "ObjectParts"), ("x-amz-part-number-marker", &marker)])
        .send()
        .await;
    assert_eq!((got.all("PartNumber"), got.one("IsTruncated").as_deref()), (vec!["9".to_owned()], Some("false")));
}

#[tokio::test]
async fn what_cannot_be_completed() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let id = begin(&world, "key", &[]).await;
    let put = async |number: u32, size: usize| {
        world.good("PUT", &format!("/bucket/key?partNumber={number}&uploadId={id}"), noise(size)).await.etag()
    };
    let (small, large) = (put(1, 100).await, put(2, 5 * MIB).await);
    let uri = format!("/bucket/key?uploadId={id}");
    let other = format!("/bucket/other?uploadId={id}");
    check(
        &world,
        &[
            ("POST", &uri, &[], &listed(&[(1, &small), (2, &large)]), "400 EntityTooSmall"),
            ("POST", &uri, &[], &listed(&[(2, &large), (1, &small)]), "400 InvalidPartOrder"),
            ("POST", &uri, &[], &listed(&[(2, &large), (2, &large)]), "400 InvalidPartOrder"),
            ("POST", &uri, &[], &listed(&[(2, &small)]), "400 InvalidPart"),
            ("POST", &uri, &[], &listed(&[(3, &small)]), "400 InvalidPart"),
            ("POST", &uri, &[], &listed(&[]), "400 MalformedXML"),
            ("POST", &uri, &[], "", "400 MalformedXML"),
            ("POST", &uri, &[("if-match", "\"x\"")], &listed(&[(1, &small)]), "404 NoSuchKey"),
            ("POST", &uri, &[("x-amz-mp-object-size", "99")], &listed(&[(1, &small)]), "400 InvalidRequest"),
            ("POST", &uri, &[("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")], &listed(&[(1, &small)]), "400 BadDigest"),
            ("POST", &other, &[], &listed(&[(1, &small)]), "404 NoSuchUpload"),
            ("POST", "/bucket/key?uploadId=none", &[], &listed(&[(1, &small)]), "404 NoSuchUpload"),
            ("PUT", "/bucket/key?uploadId=none&partNumber=1", &[], "x", "404 NoSuchUpload"),
            ("PUT", &format!("{uri}&partNumber=0"), &[], "x", "400 InvalidArgument"),
            ("PUT", &format!("{uri}&partNumber=10001"), &[], "x", "400 InvalidArgument"),
            ("PUT", &format!("{uri}&partNumber=x"), &[], "x", "400 InvalidArgument"),
            ("GET", &other, &[], "", "404 NoSuchUpload"),
            ("DELETE", &other, &[], "", "404 NoSuchUpload"),
            ("POST", "/bucket/key?uploads", &[("x-amz-server-side-encryption", "AES256")], "", "501 NotImplemented"),
            ("POST", "/bucket/key?uploads", &[("x-amz-checksum-type", "COMPOSITE")], "", "400 InvalidRequest"),
            ("POST", &uri, &[("if-none-match", "*")], &listed(&[(1, &small)]), "200"),
            ("POST", &uri, &[], &listed(&[(1, &small)]), "404 NoSuchUpload"),
        ],
    )
    .await;
    world.blobs_become(0).await;
}

#[tokio::test]
async fn aborting_forgets_everything() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let id = begin(&world, "key", &[]).await;
    for number in 1..4 {
        world.good("PUT", &format!("/bucket/key?partNumber={number}&uploadId={id}"), noise(number * 50_000)).await;
    }
    world.good("DELETE", &format!("/bucket/key?uploadId={id}"), "").await;
    world.blobs_become(0).await;
    for space in [store::Space::Parts, store::Space::Bodies, store::Space::Uploads] {
        assert_eq!(world.store.range(space, ..).count(), 0, "{space:?}");
    }
    check(&world, &[("DELETE", &format!("/bucket/key?uploadId={id}"), &[], "", "404 NoSuchUpload")]).await;
}

#[tokio::test]
async fn parts_copied_from_objects() {
    let world = World::with(Options { part_size_min: 0, ..Options::default() });
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket/source", noise(300_000)).await;
    let id = begin(&world, "key", &[("x-amz-checksum-algorithm", "SHA256")]).await;
    let mut parts = String::new();
    for (number, range) in [(1, "bytes=0-99999"), (2, "bytes=100000-100009"), (3, "bytes=100010-299999")] {
        let uri = format!("/bucket/key?partNumber={number}&uploadId={id}");
        let copy = world
            .ask("PUT", &uri)
            .headers(&[("x-amz-copy-source", "bucket/source"), ("x-amz-copy-source-range", range)])
            .send()
            .await;
        assert_eq!(copy.outcome(), "200", "{}", copy.xml());
        let sum = copy.one("ChecksumSHA256").unwrap();
        let etag = copy.etag();
        parts += &format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><ChecksumSHA256>{sum}</ChecksumSHA256></Part>"
        );
    }
    let uri = format!("/bucket/key?partNumber=4&uploadId={id}");
    let source = ("x-amz-copy-source", "bucket/source");
    check(
        &world,
        &[
            ("PUT", &uri, &[source, ("x-amz-copy-source-range", "bytes=0-300000")], "", "400 InvalidArgument"),
            ("PUT", &uri, &[source, ("x-amz-copy-source-range", "0-3")], "", "400 InvalidArgument"),
            ("PUT", &uri, &[("x-amz-copy-source", "bucket/none")], "", "404 NoSuchKey"),
            ("PUT", &uri, &[source, ("x-amz-copy-source-if-match", "\"x\"")], "", "412 PreconditionFailed"),
        ],
    )
    .await;
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let done = world.good("POST", &format!("/bucket/key?uploadId={id}"), body).await;
    assert!(done.one("ChecksumSHA256").unwrap().ends_with("-3"));
    assert_eq!(done.one("ChecksumType").as_deref(), Some("COMPOSITE"));
    assert!(world.good("GET", "/bucket/key", "").await.body == noise(300_000));
}

#[tokio::test]
async fn checksums_of_parts() {
    let world = World::with(Options { part_size_min: 0, ..Options::default() });
    world.good("PUT", "/bucket", "").await;
    let headers = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let id = begin(&world, "key", &headers).await;
    // CRC-32 of `1234`, `56789` and of both.
    let (one, two, both) = ("m+Pgow==", "Ex2gcA==", "y/Q5Jg==");
    let uri = |number: u32| format!("/bucket/key?partNumber={number}&uploadId={id}");
    check(
        &world,
        &[
            ("PUT", &uri(1), &[("x-amz-checksum-crc32c", "AAAAAA==")], "1234", "400 InvalidRequest"),
            ("PUT", &uri(1), &[], "1234", "400 InvalidRequest"),
            ("PUT", &uri(1), &[("x-amz-checksum-crc32", two)], "1234", "400 BadDigest"),
            ("PUT", &uri(1), &[("x-amz-checksum-crc32", one)], "1234", "200"),
        ],
    )
    .await;
    let second = world.ask("PUT", &uri(2)).header("x-amz-trailer", "x-amz-checksum-crc32");
    let second = second.trailer("x-amz-checksum-crc32", two).body("56789").send().await;
    assert_eq!((second.outcome().as_str(), second.header("x-amz-checksum-crc32").as_deref()), ("200", Some(two)));
    let shown = world.good("GET", &format!("/bucket/key?uploadId={id}"), "").await;
    assert_eq!(shown.all("ChecksumCRC32"), [one, two]);
    let parts = listed(&[(1, "81dc9bdb52d04dc20036dbd8313ed055"), (2, &second.etag())]);
    let uri = format!("/bucket/key?uploadId={id}");
    check(
        &world,
        &[
            ("POST", &uri, &[("x-amz-checksum-crc32", one)], &parts, "400 BadDigest"),
            ("POST", &uri, &[("x-amz-checksum-type", "COMPOSITE")], &parts, "400 InvalidRequest"),
            ("POST", &uri, &[("x-amz-checksum-crc32", both), ("x-amz-checksum-type", "FULL_OBJECT")], &parts, "200"),
        ],
    )
    .await;
    let got = world.ask("GET", "/bucket/key").header("x-amz-checksum-mode", "ENABLED").send().await;
    assert_eq!(got.header("x-amz-checksum-crc32").as_deref(), Some(both));
    // Composite: each part's checksum has to be in the request.
    let id = begin(&world, "key", &[("x-amz-checksum-algorithm", "CRC32")]).await;
    let uri = format!("/bucket/key?partNumber=1&uploadId={id}");
    let etag = world.ask("PUT", &uri).header("x-amz-checksum-crc32", one).body("1234").send().await.etag();
    assert_eq!(complete(&world, "key", &id, &[(1, &etag)]).await.outcome(), "400 InvalidRequest");
}

#[tokio::test]
async fn lists_of_parts_and_uploads() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let mut ids = Vec::new();
    for key in ["a", "dir/x", "a", "dir/y", "z"] {
        ids.push(begin(&world, key, &[]).await);
    }
    for number in [1, 3, 7] {
        world.good("PUT", &format!("/bucket/a?partNumber={number}&uploadId={}", ids[0]), noise(number)).await;
    }
    let uri = format!("/bucket/a?uploadId={}", ids[0]);
    let page = world.good("GET", &format!("{uri}&max-parts=2"), "").await;
    assert_eq!(
        (page.all("PartNumber"), page.all("Size")),
        (vec!["1".into(), "3".into()], vec!["1".into(), "3".into()])
    );
    assert_eq!(
        (page.one("IsTruncated").as_deref(), page.one("NextPartNumberMarker").as_deref()),
        (Some("true"), Some("3"))
    );
    let page = world.good("GET", &format!("{uri}&part-number-marker=3"), "").await;
    assert_eq!((page.all("PartNumber"), page.one("IsTruncated").as_deref()), (vec!["7".to_owned()], Some("false")));
    let all = world.good("GET", "/bucket?uploads", "").await;
    assert_eq!(all.all("Key"), ["a", "a", "dir/x", "dir/y", "z"]);
    assert_eq!(all.all("UploadId")[..2], [ids[0].clone(), ids[2].clone()], "in order of initiation");
    assert_eq!(all.one("Initiated").as_deref(), Some("2026-03-14T09:26:54.000Z"), "{START}");
    let grouped = world.good("GET", "/bucket?uploads&delimiter=/", "").await;
    assert_eq!(grouped.all("Key"), ["a", "a", "z"]);
    assert!(grouped.xml().contains("<CommonPrefixes><Prefix>dir/</Prefix></CommonPrefixes>"), "{}", grouped.xml());
    let mut seen = Vec::new();
    let (mut key, mut id) = (String::new(), String::new());
    loop {
        let uri = format!("/bucket?uploads&max-uploads=1&key-marker={key}&upload-id-marker={id}");
        let page = world.good("GET", &uri, "").await;
        seen.extend(page.all("UploadId"));
        if page.one("IsTruncated").as_deref() == Some("false") {
            break;
        }
        (key, id) = (page.one("NextKeyMarker").unwrap(), page.one("NextUploadIdMarker").unwrap());
    }
    assert_eq!(seen, all.all("UploadId"));
    let behind = world.good("GET", "/bucket?uploads&key-marker=a", "").await;
    assert_eq!(behind.all("Key"), ["dir/x", "dir/y", "z"]);
}
