use std::net::IpAddr;
use std::sync::atomic::Ordering;

use aws_api::{Timestamp, sns, sqs, sts};
use gateway::KEPT_PER_ADDRESS;
use record::{Entry, Outcome, Record};
use serde_json::{Value, json};
use signature::sign::{self, Credentials, Target};
use store::{Options, Store, SyncHook};

use super::*;
use crate::config::Config;
use crate::management::tests::{Disk, services};

const SECRET: &str = "test";
const WRONG_SECRET: &str = "a wrong secret";
/// Nothing of it may be in a record.
const BODY: &str = "Action=CreateTopic&Name=private";

/// A request as it comes from the network.
struct Made {
    service: &'static ServiceInfo,
    parts: Parts,
    body: &'static str,
}

fn made(service: &'static ServiceInfo, uri: &str, headers: &[(&'static str, &str)], body: &'static str) -> Made {
    let mut request = http::Request::builder().method("POST").uri(uri);
    for (name, value) in [("host", "localhost"), ("user-agent", "test/1")].iter().chain(headers) {
        request = request.header(*name, *value);
    }
    Made { service, parts: request.body(()).unwrap().into_parts().0, body }
}

fn by_json(service: &'static ServiceInfo, op: &str) -> Made {
    let target = format!("{}.{op}", service.target_prefix);
    made(
        service,
        "/",
        &[("content-type", service.json_media_type), ("x-amz-target", &target)],
        r#"{"QueueName":"private"}"#,
    )
}

fn by_form(service: &'static ServiceInfo) -> Made {
    made(service, "/", &[("content-type", "application/x-www-form-urlencoded")], BODY)
}

impl Made {
    fn signed(self, access_key_id: &str, secret_access_key: &str) -> Self {
        let target = Target { service: self.service.signing_name, region: "us-east-1", at: clock::now() };
        self.signed_for(access_key_id, secret_access_key, &target)
    }

    fn signed_for(mut self, access_key_id: &str, secret_access_key: &str, target: &Target<'_>) -> Self {
        let credentials = Credentials { access_key_id, secret_access_key, session_token: None };
        let headers = header_lines(&self.parts);
        let payload = hex::encode(Sha256::digest(self.body));
        let signed = sign::v4_header(&request_head(&self.parts, &headers), &credentials, target, &payload).unwrap();
        for (name, value) in signed.headers {
            self.parts.headers.insert(name, HeaderValue::from_str(&value).unwrap());
        }
        self
    }
}

async fn rpc(dir: &tempfile::TempDir, options: Options) -> Rpc {
    Rpc::new(services(dir, options).await, Arc::new(KeyRing::new(Config::default().keys)))
}

fn peer(last: u8) -> Peer {
    Peer { address: IpAddr::from([192, 0, 2, last]), tls: None }
}

async fn sent(rpc: &Rpc, request: Made, peer: &Peer) -> Response<Body> {
    rpc.call(request.service, &request.parts, full(request.body), peer).await
}

fn entries(store: &Store) -> Vec<(Outcome, Record)> {
    let entries = store.log().read(1, usize::MAX, usize::MAX).unwrap();
    let read = |(_, bytes): &(u64, Bytes)| Entry::decode(bytes).map(|entry| (entry.outcome, entry.record().unwrap()));
    entries.iter().map(|entry| read(entry).unwrap()).collect()
}

/// Each way to fail: the request, the name of its event, its code, and the key id that it claims.
fn unproven_requests() -> Vec<(Made, &'static str, &'static str, Option<&'static str>)> {
    let now = clock::now();
    let target = |service: &'static ServiceInfo, region: &'static str, at: Timestamp| Target {
        service: service.signing_name,
        region,
        at,
    };
    let elsewhere = target(&sqs::SERVICE, "nowhere-1", now);
    let for_another = target(&sns::SERVICE, "us-east-1", now);
    let long_ago = target(&sqs::SERVICE, "us-east-1", now.plus_secs(-3600));
    let wrong = |made: Made| made.signed("test", WRONG_SECRET);
    let presigned = {
        let asked = made(&sts::SERVICE, "/?Action=GetCallerIdentity&Version=2011-06-15", &[], "");
        let credentials = Credentials { access_key_id: "test", secret_access_key: SECRET, session_token: None };
        let headers = [("host", &b"localhost"[..])];
        let query = sign::v4_query(&request_head(&asked.parts, &headers), &credentials, &long_ago, 60).unwrap();
        made(&sts::SERVICE, &format!("/?{query}"), &[], "")
    };
    let (cloudtrail, events) = (&aws_api::cloudtrail::SERVICE, &aws_api::events::SERVICE);
    let (unknown, invalid) = ("UnknownOperation", "InvalidSignatureException");
    vec![
        (
            by_json(&sqs::SERVICE, "CreateQueue").signed("nobody", SECRET),
            "CreateQueue",
            "UnrecognizedClientException",
            Some("nobody"),
        ),
        (wrong(by_json(cloudtrail, "StopLogging")), "StopLogging", invalid, Some("test")),
        (wrong(by_json(events, "PutRule")), "PutRule", invalid, Some("test")),
        (wrong(by_json(&sqs::SERVICE, "SendMessage")), "SendMessage", invalid, Some("test")),
        (wrong(by_json(&sqs::SERVICE, "NoSuchThing")), unknown, invalid, Some("test")),
        (wrong(by_form(&sns::SERVICE)), unknown, "SignatureDoesNotMatch", Some("test")),
        (by_form(&sns::SERVICE).signed("nobody", SECRET), unknown, "InvalidClientTokenId", Some("nobody")),
        (
            by_json(&sqs::SERVICE, "ListQueues").signed_for("test", SECRET, &elsewhere),
            "ListQueues",
            invalid,
            Some("test"),
        ),
        (
            by_json(&sqs::SERVICE, "ListQueues").signed_for("test", SECRET, &for_another),
            "ListQueues",
            invalid,
            Some("test"),
        ),
        (
            by_json(&sqs::SERVICE, "ListQueues").signed_for("test", SECRET, &long_ago),
            "ListQueues",
            invalid,
            Some("test"),
        ),
        (presigned, "GetCallerIdentity", "SignatureDoesNotMatch", Some("test")),
        (by_json(events, "PutRule"), "PutRule", "MissingAuthenticationTokenException", None),
        (by_form(&sns::SERVICE), unknown, "MissingAuthenticationToken", None),
        (made(&sts::SERVICE, "/", &[("authorization", "Bearer x")], ""), unknown, "IncompleteSignature", None),
    ]
}

#[tokio::test]
async fn what_is_not_proven_is_recorded_and_names_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let rpc = rpc(&dir, Options::default()).await;
    let (mut count, peer) = (0, peer(1));
    for (request, name, code, claimed) in unproven_requests() {
        let source = request.service.event_source();
        let authorization = request.parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let response = sent(&rpc, request, &peer).await;
        count += 1;
        let entries = entries(&rpc.services.0.store);
        assert_eq!(entries.len(), count, "{source} {name} {code}: one record, before the answer");
        let (outcome, record) = &entries[count - 1];
        assert_eq!((*outcome, &record.user_identity), (Outcome::Refused, &UserIdentity::unproven()));
        let value = serde_json::to_value(record).unwrap();
        let of = |field: &str| value.get(field).cloned().unwrap_or_default();
        assert_eq!((of("eventSource"), of("eventName"), of("errorCode")), (json!(source), json!(name), json!(code)));
        assert_eq!((of("awsRegion"), of("recipientAccountId")), (json!("us-east-1"), json!("000000000000")));
        assert_eq!((of("sourceIPAddress"), of("userAgent")), (json!("192.0.2.1"), json!("test/1")));
        assert_eq!(
            (of("requestParameters"), of("responseElements"), of("resources")),
            (Value::Null, Value::Null, Value::Null)
        );
        assert_eq!((of("managementEvent"), of("eventCategory")), (json!(true), json!("Management")));
        assert_eq!(of("additionalEventData"), claimed.map_or(Value::Null, |id| json!({"claimedAccessKeyId": id})));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let (body, text) = (String::from_utf8_lossy(&body).into_owned(), value.to_string());
        assert!(body.contains(code), "{body}");
        let signature = authorization.as_deref().and_then(|text| text.split_once("Signature=")).map(|(_, hex)| hex);
        for hidden in [Some(WRONG_SECRET), Some("private"), signature].into_iter().flatten() {
            assert!(!text.contains(hidden), "{text}");
        }
    }
    assert_eq!(rpc.services.0.counters.api_refused.load(Ordering::Relaxed), count as u64);
    assert_eq!(rpc.services.0.counters.api_requests.load(Ordering::Relaxed), 0);

    let answer = sent(&rpc, by_json(&sqs::SERVICE, "CreateQueue").signed("test", SECRET), &peer).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let (outcome, record) = entries(&rpc.services.0.store).pop().unwrap();
    assert_eq!((outcome, record.user_identity.kind.as_str()), (Outcome::Admitted, "Root"));
}

/// The bound is the address's: what S3 has refused of it counts, too.
#[tokio::test]
async fn only_so_many_of_an_address_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let rpc = rpc(&dir, Options::default()).await;
    let app = Arc::clone(&rpc.services.0);
    let kept = loop {
        let minute = |now: Timestamp| now.as_secs() / gateway::WINDOW_SECS;
        let (before, length) = (minute(clock::now()), entries(&app.store).len());
        for _ in 0..KEPT_PER_ADDRESS - 2 {
            app.refusals.is_kept(peer(1).address, clock::now());
        }
        for _ in 0..5 {
            let answer = sent(&rpc, by_json(&sqs::SERVICE, "ListQueues"), &peer(1)).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        }
        sent(&rpc, by_json(&sqs::SERVICE, "ListQueues"), &peer(2)).await;
        // Each minute begins anew, and one may have begun in between.
        if minute(clock::now()) == before {
            break entries(&app.store).len() - length;
        }
    };
    assert_eq!(kept, 2 + 1);
    assert!(app.counters.api_refused_not_kept.load(Ordering::Relaxed) >= 3);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let options = Options { sync_hook: Some(Arc::clone(&disk) as Arc<dyn SyncHook>), ..Options::default() };
    let rpc = rpc(&dir, options).await;
    disk.0.store(true, Ordering::Relaxed);
    let answer = sent(&rpc, by_json(&sqs::SERVICE, "ListQueues"), &peer(1)).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
