//! Sequences of operations against a map, and requests that no client would send.

use std::collections::BTreeMap;

use aws_api::s3::{Head, Level, Method, route};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use s3_embedded::Options;

use crate::world::{World, noise};

#[derive(Debug, Clone)]
enum Step {
    Put(&'static str, usize),
    Copy(&'static str, &'static str),
    Delete(&'static str),
    /// Key, sizes of the parts, and whether a part is uploaded twice and another is left out.
    Upload(&'static str, Vec<usize>, bool),
    Abort(&'static str, usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || select(&["a", "b", "c/d"][..]);
    // On both sides of what is a row and what is a file.
    let size = || select(&[0_usize, 1, 65_536, 65_537, 150_000][..]);
    prop_oneof![
        4 => (key(), size()).prop_map(|(key, size)| Step::Put(key, size)),
        3 => (key(), key()).prop_map(|(from, to)| Step::Copy(from, to)),
        2 => key().prop_map(Step::Delete),
        2 => (key(), proptest::collection::vec(size(), 1..4), any::<bool>())
            .prop_map(|(key, sizes, untidy)| Step::Upload(key, sizes, untidy)),
        1 => (key(), size()).prop_map(|(key, size)| Step::Abort(key, size)),
        1 => Just(Step::Reopen),
    ]
}

async fn begin(world: &World, key: &str) -> String {
    world.good("POST", &format!("/bucket/{key}?uploads"), "").await.one("UploadId").unwrap()
}

async fn upload(world: &World, key: &str, sizes: &[usize], untidy: bool) -> Vec<u8> {
    let id = begin(world, key).await;
    let uri = |number: usize| format!("/bucket/{key}?partNumber={number}&uploadId={id}");
    let (mut parts, mut whole) = (String::new(), Vec::new());
    for (size, number) in sizes.iter().zip(1..) {
        if untidy {
            world.good("PUT", &uri(number), noise(70_000)).await;
        }
        let etag = world.good("PUT", &uri(number), noise(*size)).await.etag();
        parts += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        whole.extend(noise(*size));
    }
    if untidy {
        world.good("PUT", &uri(99), noise(80_000)).await;
    }
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    world.good("POST", &format!("/bucket/{key}?uploadId={id}"), body).await;
    whole
}

async fn run(steps: Vec<Step>) {
    let options = || Options { part_size_min: 0, ..Options::default() };
    let mut world = World::with(options());
    let mut model: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    world.good("PUT", "/bucket", "").await;
    for step in steps {
        match step {
            Step::Put(key, size) => {
                world.good("PUT", &format!("/bucket/{key}"), noise(size)).await;
                model.insert(key, noise(size).to_vec());
            }
            Step::Copy(from, to) => {
                let copy =
                    world.ask("PUT", &format!("/bucket/{to}")).header("x-amz-copy-source", &format!("bucket/{from}"));
                let outcome = copy.header("x-amz-metadata-directive", "REPLACE").send().await.outcome();
                if let Some(bytes) = model.get(from).cloned() {
                    assert_eq!(outcome, "200");
                    model.insert(to, bytes);
                } else {
                    assert_eq!(outcome, "404 NoSuchKey");
                }
            }
            Step::Delete(key) => {
                world.good("DELETE", &format!("/bucket/{key}"), "").await;
                model.remove(key);
            }
            Step::Upload(key, sizes, untidy) => {
                model.insert(key, upload(&world, key, &sizes, untidy).await);
            }
            Step::Abort(key, size) => {
                let id = begin(&world, key).await;
                world.good("PUT", &format!("/bucket/{key}?partNumber=1&uploadId={id}"), noise(size)).await;
                world.good("DELETE", &format!("/bucket/{key}?uploadId={id}"), "").await;
            }
            Step::Reopen => world = world.reopen_with(options()).await,
        }
    }
    assert_eq!(world.good("GET", "/bucket", "").await.all("Key"), model.keys().copied().collect::<Vec<_>>());
    for (key, bytes) in &model {
        assert!(world.good("GET", &format!("/bucket/{key}"), "").await.body == bytes[..], "{key}");
        world.good("DELETE", &format!("/bucket/{key}"), "").await;
    }
    world.blobs_become(0).await;
    for space in [store::Space::Bodies, store::Space::Parts, store::Space::Uploads, store::Space::Objects] {
        assert_eq!(world.store.range(space, ..).count(), 0, "{space:?} is left behind");
    }
}

#[test]
fn any_sequence_keeps_what_a_map_keeps_and_leaves_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 20, max_shrink_iters: 200, ..Config::default() });
    runner
        .run(&proptest::collection::vec(step(), 1..15), |steps| {
            runtime.block_on(run(steps));
            Ok(())
        })
        .unwrap();
}

const METHODS: [&str; 6] = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"];
const PATHS: [&str; 8] = ["/", "/bucket", "/bucket/", "/bucket/k", "/bucket/none", "/none/k", "/B", "/bucket//"];
const QUERIES: [&str; 34] = [
    "acl",
    "attributes",
    "delete",
    "uploads",
    "uploadId=x",
    "partNumber=1",
    "partNumber=-5",
    "list-type=2",
    "versions",
    "location",
    "tagging",
    "policy",
    "versionId=null",
    "versionId=x",
    "max-keys=3",
    "max-keys=",
    "encoding-type=url",
    "delimiter=/",
    "prefix=%00",
    "marker=%FF",
    "continuation-token=YQ",
    "select",
    "select-type=2",
    "restore",
    "lifecycle",
    "id=1",
    "torrent",
    "response-expires=never",
    "response-content-type=%0A",
    "object-lock",
    "session",
    "events",
    "x-amz-meta-a=1",
    "uploads=",
];
const HEADERS: [(&str, &str); 20] = [
    ("range", "bytes=0-0"),
    ("range", "bytes=9-"),
    ("if-match", "*"),
    ("if-none-match", "*"),
    ("if-modified-since", "x"),
    ("content-type", "multipart/form-data; boundary=b"),
    ("content-md5", "x"),
    ("content-length", "3"),
    ("x-amz-copy-source", "bucket/k"),
    ("x-amz-copy-source", "%"),
    ("x-amz-copy-source-range", "bytes=0-0"),
    ("x-amz-checksum-algorithm", "CRC32"),
    ("x-amz-checksum-type", "COMPOSITE"),
    ("x-amz-checksum-mode", "ENABLED"),
    ("x-amz-object-attributes", "ETag,ObjectParts"),
    ("x-amz-decoded-content-length", "0"),
    ("x-amz-tagging", "a=%zz&="),
    ("x-amz-meta-a", "=?utf-8?q?=ff?="),
    ("x-amz-trailer", "x-amz-checksum-crc32"),
    ("host", "bucket.s3.amazonaws.com"),
];
const BODIES: [&str; 6] =
    ["", "x", "<Delete><Object><Key>k</Key></Object></Delete>", "<Tagging/>", "<a><b>", "<CompleteMultipartUpload/>"];

struct Seen<'a> {
    query: &'a [&'static str],
    headers: &'a [(&'static str, &'static str)],
}

impl Head for Seen<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        let pairs = self.query.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| *known == name)
    }
}

/// What the op table makes of a request, `s3s` makes of it, too; and nothing that comes in ends in a 500 or a panic.
#[test]
fn no_request_is_too_odd() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::new();
    let strategy = (
        select(&METHODS[..]),
        select(&PATHS[..]),
        proptest::sample::subsequence(QUERIES.to_vec(), 0..4),
        proptest::sample::subsequence(HEADERS.to_vec(), 0..4),
        select(&BODIES[..]),
    );
    let mut runner = TestRunner::new(Config { cases: 1000, ..Config::default() });
    runner
        .run(&strategy, |(method, path, query, headers, body)| {
            let level = match path {
                "/" => Level::Service,
                "/bucket" | "/bucket/" | "/B" => Level::Bucket,
                _ => Level::Object,
            };
            let operation = Method::parse(method)
                .and_then(|method| route(method, level, &Seen { query: &query, headers: &headers }))
                .map(|op| op.name);
            let answer = runtime.block_on(async {
                if !world.ask("HEAD", "/bucket/k").send().await.status.is_success() {
                    world.good("PUT", "/bucket", "").await;
                    world.good("PUT", "/bucket/k", "hello").await;
                }
                let ask = world.ask(method, &format!("{path}?{}", query.join("&"))).headers(&headers).body(body);
                match operation {
                    Some(operation) => ask.classified(operation).send().await,
                    None => ask.send().await,
                }
            });
            prop_assert_ne!(answer.status.as_u16(), 500, "{} {:?} {}", path, operation, answer.xml());
            prop_assert!(operation.is_some() || !answer.status.is_success(), "{} {} {:?}", method, path, query);
            Ok(())
        })
        .unwrap();
}
