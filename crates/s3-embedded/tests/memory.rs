//! A body of any size passes through a few MiB of memory, in and out. In a process of its own, which it measures.

#![allow(clippy::unwrap_used, reason = "a test's helpers are test code, too")]

use aws_api::Timestamp;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use s3_embedded::{Options, Owner, RequestId, RequestTime, Requester, service};

const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 2048;
/// A sixth of the body's 128 MiB.
const GROWTH_MAX_KIB: u64 = 20 * 1024;

/// The most memory that this process ever had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn request<B>(method: &str, uri: &str, body: B) -> http::Request<B> {
    http::Request::builder()
        .method(method)
        .uri(uri)
        .extension(RequestTime(Timestamp::from_secs(1)))
        .extension(RequestId(uuid::Uuid::from_u128(uri.len() as u128)))
        .extension(Owner { account: "111122223333".into(), display_name: "a".into() })
        .extension(Requester::root("111122223333"))
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn bodies_stream() {
    let dir = tempfile::tempdir().unwrap();
    let store = store::Store::open(dir.path(), store::Options { low_disk_bytes: 0, ..Default::default() }).unwrap();
    let service = service(store, Options::default());
    let empty = http_body_util::Empty::<Bytes>::new;
    assert_eq!(service.call(request("PUT", "/bucket", empty())).await.status(), 200);
    assert_eq!(service.call(request("PUT", "/bucket/warm", empty())).await.status(), 200);
    let before = peak_kib();
    let chunks = futures::stream::iter((0..CHUNKS).map(|number| {
        let byte = u8::try_from(number % 251).unwrap_or_default();
        Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![byte; CHUNK])))
    }));
    let answer = service.call(request("PUT", "/bucket/large", StreamBody::new(chunks))).await;
    assert_eq!(answer.status(), 200);
    let mut body = service.call(request("GET", "/bucket/large", empty())).await.into_body();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert_eq!(usize::from(data[0]), read / CHUNK % 251);
        read += data.len();
    }
    assert_eq!(read, CHUNK * CHUNKS);
    let growth = peak_kib() - before;
    assert!(growth < GROWTH_MAX_KIB, "{growth} KiB more at the peak");
}
