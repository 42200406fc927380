use crate::world::{World, check, noise};

const AT: &str = "Sat, 14 Mar 2026 09:26:54 GMT";
const BEFORE: &str = "Sat, 14 Mar 2026 09:26:53 GMT";
const ETAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn reads() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket/k", "hello").await;
    for method in ["GET", "HEAD"] {
        let error = |code: &str| if method == "GET" { format!("412 {code}") } else { "412".to_owned() };
        let failed = error("PreconditionFailed");
        check(
            &world,
            &[
                (method, "/bucket/k", &[("if-match", ETAG)], "", "200"),
                (method, "/bucket/k", &[("if-match", "5d41402abc4b2a76b9719d911017c592")], "", "200"),
                (method, "/bucket/k", &[("if-match", "\"x\", \"5d41402abc4b2a76b9719d911017c592\"")], "", "200"),
                (method, "/bucket/k", &[("if-match", "\"x\"")], "", &failed),
                (method, "/bucket/k", &[("if-none-match", ETAG)], "", "304"),
                (method, "/bucket/k", &[("if-none-match", "*")], "", "304"),
                (method, "/bucket/k", &[("if-none-match", "\"x\"")], "", "200"),
                (method, "/bucket/k", &[("if-modified-since", AT)], "", "304"),
                (method, "/bucket/k", &[("if-modified-since", BEFORE)], "", "200"),
                (method, "/bucket/k", &[("if-modified-since", "not a date")], "", "200"),
                (method, "/bucket/k", &[("if-unmodified-since", BEFORE)], "", &failed),
                (method, "/bucket/k", &[("if-unmodified-since", BEFORE), ("if-match", ETAG)], "", "200"),
            ],
        )
        .await;
    }
    let answer = world.ask("GET", "/bucket/k").header("if-none-match", ETAG).send().await;
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("etag").as_deref(), Some(ETAG));
    assert_eq!(answer.header("last-modified").as_deref(), Some(AT));
    let ranged =
        |tag: &'static str| world.ask("GET", "/bucket/k").header("range", "bytes=1-2").header("if-range", tag).send();
    assert_eq!(ranged(ETAG).await.status.as_u16(), 206);
    assert_eq!(ranged("\"x\"").await.status.as_u16(), 200);
}

#[tokio::test]
async fn writes() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let large = String::from_utf8_lossy(&noise(1)).repeat(100_000);
    check(
        &world,
        &[
            ("PUT", "/bucket/k", &[("if-match", ETAG)], "hello", "404 NoSuchKey"),
            ("PUT", "/bucket/k", &[("if-none-match", "*")], "hello", "200"),
            ("PUT", "/bucket/k", &[("if-none-match", "*")], &large, "412 PreconditionFailed"),
            ("PUT", "/bucket/k", &[("if-none-match", ETAG)], "hello", "501 NotImplemented"),
            ("PUT", "/bucket/k", &[("if-match", "\"x\"")], &large, "412 PreconditionFailed"),
            ("PUT", "/bucket/k", &[("if-match", ETAG)], "other", "200"),
            ("DELETE", "/bucket/k", &[("if-match", ETAG)], "", "412 PreconditionFailed"),
            ("DELETE", "/bucket/k", &[("if-match", "*")], "", "204"),
        ],
    )
    .await;
    world.blobs_become(0).await;
}

/// Of many writers who all want to be the first, one is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_writer_wins() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let writers = (0..20).map(|number: usize| {
        world.ask("PUT", "/bucket/k").header("if-none-match", "*").body(noise(number * 10_000)).send()
    });
    let answers = futures::future::join_all(writers).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.as_u16() == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status.as_u16() == 412).count(), 19);
}

/// Readers see one version or another, never a mixture, while writers replace it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_versions() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    world.good("PUT", "/bucket/k", noise(10)).await;
    let write = async {
        for round in 0..40 {
            let size = if round % 2 == 0 { 10 + round } else { 90_000 + round };
            world.good("PUT", "/bucket/k", noise(size)).await;
        }
    };
    let read = async {
        for _ in 0..200 {
            let got = world.good("GET", "/bucket/k", "").await;
            assert!(!got.broken);
            assert!(got.body == noise(got.body.len()), "{} bytes", got.body.len());
            tokio::task::yield_now().await;
        }
    };
    futures::future::join(write, read).await;
}

/// Writers of all kinds on the same few keys at once: nobody waits for ever, and no byte is left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_all_kinds_at_once() {
    let world = World::new();
    world.good("PUT", "/bucket", "").await;
    let keys = ["a", "b", "c"];
    let writer = async |seed: usize| {
        for round in 0..25 {
            let key = keys[(seed + round) % 3];
            let uri = format!("/bucket/{key}");
            match (seed * 7 + round) % 5 {
                0 => drop(world.ask("DELETE", &uri).send().await),
                1 => {
                    let source = format!("bucket/{}", keys[seed % 3]);
                    let copy = world.ask("PUT", &uri).header("x-amz-copy-source", &source);
                    let status = copy.header("x-amz-metadata-directive", "REPLACE").send().await.status;
                    assert!(!status.is_server_error(), "{status}");
                }
                2 => {
                    let body = "<Delete><Object><Key>c</Key></Object><Object><Key>a</Key></Object></Delete>";
                    let md5 = "Yb2PmH7h0cpCz7Y1LYgsgQ==";
                    let answer = world.ask("POST", "/bucket?delete").header("content-md5", md5).body(body).send().await;
                    assert!(!answer.status.is_server_error(), "{}", answer.xml());
                }
                _ => drop(world.good("PUT", &uri, noise(60_000 + 2_000 * ((seed + round) % 7))).await),
            }
        }
    };
    futures::future::join_all((0..6).map(writer)).await;
    for key in keys {
        world.good("DELETE", &format!("/bucket/{key}"), "").await;
    }
    world.blobs_become(0).await;
    assert_eq!(world.store.range(store::Space::Bodies, ..).count(), 0);
    world.good("DELETE", "/bucket", "").await;
}
