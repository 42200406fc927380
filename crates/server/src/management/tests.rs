use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};

use aws_api::{Caller, Category, Role, ServiceInfo};
use aws_wire::Head;
use gateway::Recorder;
use http::Request;
use record::Record;
use serde_json::{Value, json};
use store::{Options, Store, SyncHook};
use tempfile::TempDir;

use super::*;
use crate::config::Config;
use crate::route::SERVICES;
use crate::signer::Signer;

pub async fn services(dir: &TempDir, options: Options) -> Services {
    let store = Store::open(dir.path(), options).unwrap();
    let signer = Signer::open(&store).await.unwrap();
    Services(App::restore(store, Config::default(), signer).unwrap())
}

fn call(service: &'static ServiceInfo, op: &str, parameters: &Value) -> Call {
    let target = format!("{}.{op}", service.target_prefix);
    let is_json = !service.target_prefix.is_empty();
    let head = Head {
        path: "/",
        target: is_json.then_some(target.as_str()),
        content_type: is_json.then_some(service.json_media_type),
        ..Head::default()
    };
    let body = if is_json { parameters.to_string() } else { format!("Action={op}&Version={}", service.version) };
    Call::parse(service, &head, body.into()).unwrap()
}

fn context() -> RequestContext {
    RequestContext {
        caller: Caller {
            account: "000000000000".into(),
            arn: "arn:aws:iam::000000000000:root".into(),
            principal_id: "000000000000".into(),
            role_arn: None,
            role: Role::Admin,
        },
        region: "us-east-1".into(),
        now: clock::now(),
        request_id: clock::new_id().to_string(),
        endpoint: "http://localhost".into(),
        via: None,
    }
}

fn seen_of(call: &Call, ctx: &RequestContext) -> ApiCall {
    let (parts, ()) = Request::builder().header("user-agent", "test/1").body(()).unwrap().into_parts();
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None };
    seen(call, ctx, Config::default().keys[0].identity.clone(), &parts, &peer)
}

fn state_of(call: &Call, ctx: &RequestContext) -> Arc<Mutex<State>> {
    Arc::new(Mutex::new(State { seen: seen_of(call, ctx), opened: false, closed: false }))
}

async fn performed(services: &Services, call: Call, refused: Option<ApiError>) -> WireResponse {
    let ctx = context();
    let seen = seen_of(&call, &ctx);
    perform(services.clone(), call, ctx, seen, refused).await
}

fn recorded(store: &Store) -> Vec<Record> {
    let entries = store.log().read(1, usize::MAX, usize::MAX).unwrap();
    entries.into_iter().map(|(_, bytes)| Entry::decode(&bytes).unwrap().record().unwrap()).collect()
}

#[tokio::test]
async fn an_answered_call_is_recorded_once() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(&dir, Options::default()).await;
    let input = json!({"QueueName": "q", "Attributes": {"DelaySeconds": "5"}});
    let answer = performed(&services, call(&aws_api::sqs::SERVICE, "CreateQueue", &input), None).await;
    assert_eq!(answer.status, 200);
    let records = recorded(&services.0.store);
    assert_eq!(records.len(), 1);
    let record = serde_json::to_value(&records[0]).unwrap();
    assert_eq!(record["requestParameters"], json!({"queueName": "q", "attributes": {"DelaySeconds": "5"}}));
    assert_eq!(record["responseElements"]["queueUrl"], "http://localhost/000000000000/q");
    assert_eq!(record["userIdentity"]["type"], "Root");
    assert_eq!((&record["sourceIPAddress"], &record["userAgent"]), (&json!("127.0.0.1"), &json!("test/1")));
    assert!(answer.headers.iter().any(|(name, value)| *name == "x-amzn-requestid" && record["requestID"] == **value));
    assert!(services.0.store.open_entries().unwrap().is_empty());
}

/// Reads and refused calls leave a record, too, and nothing is announced of them.
#[tokio::test]
async fn every_operation_of_the_tables_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(&dir, Options::default()).await;
    let mut expected = Vec::new();
    for service in SERVICES {
        for op in service.ops.iter().filter(|op| op.category == Category::Management) {
            let refused = ApiError::new("AccessDeniedException", "no");
            for refused in [None, Some(refused)] {
                let answer = performed(&services, call(service, op.name, &json!({})), refused).await;
                assert!(answer.status < 500, "{} {}: {answer:?}", service.signing_name, op.name);
                expected.push((service.event_source(), op.name.to_owned()));
            }
        }
    }
    let records = recorded(&services.0.store);
    let names: Vec<_> = records.iter().map(|one| (one.event_source.clone(), one.event_name.clone())).collect();
    assert_eq!(names, expected);
    let denied = records.iter().filter(|record| record.error_code.as_deref() == Some("AccessDenied"));
    assert_eq!(denied.count() * 2, records.len());
    assert!(records.iter().all(|record| record.is_management() && record.additional_event_data.is_none()));
    assert!(records.iter().filter(|record| record.is_read_only()).all(|record| record.response_elements.is_none()));
    assert!(services.0.store.open_entries().unwrap().is_empty());
}

#[tokio::test]
async fn parameters_that_do_not_decode_are_recorded_as_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(&dir, Options::default()).await;
    let input = json!({"Name": ["not a text"]});
    let answer = performed(&services, call(&aws_api::cloudtrail::SERVICE, "StartLogging", &input), None).await;
    assert_eq!(answer.status, 400);
    let records = recorded(&services.0.store);
    assert_eq!(records.len(), 1);
    assert!(records[0].error_code.is_some() && records[0].request_parameters.is_none());
}

/// The process ends between the effect and the record: the next start records the call.
#[tokio::test]
async fn what_a_crash_cuts_off_is_recorded_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = {
        let services = services(&dir, Options::default()).await;
        let ctx = context();
        let call = call(&aws_api::sqs::SERVICE, "CreateQueue", &json!({"QueueName": "q"}));
        let recording = Recording { app: &services.0, call: &call, state: state_of(&call, &ctx) };
        dispatch(&services, &ctx, call.service().service, call.op().name, &recording).await.unwrap();
        assert_eq!(recorded(&services.0.store).len(), 0);
        // Neither closed nor recorded.
        services.0.store.clone()
    };
    drop(store);
    let services = services(&dir, Options::default()).await;
    assert!(services.0.registry().queues.iter().any(|queue| queue.place.name == "q"), "it had taken effect");
    let recorder = Recorder::new(services.0.store.clone(), Arc::new(clock::now));
    assert_eq!(recorder.recover().await.unwrap(), 1);
    let records = recorded(&services.0.store);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].event_name, "CreateQueue");
    assert_eq!(records[0].request_parameters.as_ref().unwrap()["queueName"], "q");
    assert_eq!(records[0].error_code.as_deref(), Some("InternalFailure"));
    assert_eq!(recorder.recover().await.unwrap(), 0);
}

/// A fault of ours ends the call, but not the server: nothing waits for the next start.
#[tokio::test]
async fn a_call_that_panics_is_recorded_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(&dir, Options::default()).await;
    let ctx = context();
    let call = call(&aws_api::sqs::SERVICE, "CreateQueue", &json!({"QueueName": "q"}));
    let state = state_of(&call, &ctx);
    let (inner, of_call) = (services.clone(), Arc::clone(&state));
    let broken = tokio::spawn(async move {
        let recording = Recording { app: &inner.0, call: &call, state: of_call };
        dispatch(&inner, &ctx, call.service().service, call.op().name, &recording).await.unwrap();
        let _held = recording.state();
        panic!("a fault");
    });
    assert!(broken.await.unwrap_err().is_panic());
    assert_eq!(services.0.store.open_entries().unwrap().len(), 1);
    record_broken(&services.0, &state).await.unwrap();
    assert!(services.0.store.open_entries().unwrap().is_empty());
    let records = recorded(&services.0.store);
    assert_eq!((records.len(), records[0].event_name.as_str()), (1, "CreateQueue"));
    assert_eq!(records[0].error_code.as_deref(), Some("InternalFailure"));
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_keep_its_call_from_being_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(&dir, Options::default()).await;
    let mut appended = services.0.store.log().subscribe();
    let input = json!({"QueueName": "q"});
    {
        let answer = performed(&services, call(&aws_api::sqs::SERVICE, "CreateQueue", &input), None);
        // Begun, and then nobody waits for it.
        tokio::select! {
            biased;
            _ = answer => unreachable!("nothing is answered at once"),
            () = std::future::ready(()) => {}
        }
    }
    appended.changed().await.unwrap();
    let records = recorded(&services.0.store);
    assert_eq!((records.len(), &records[0].error_code), (1, &None));
}

/// A disk whose syncs can be made to fail.
#[derive(Default)]
pub struct Disk(pub AtomicBool);

impl SyncHook for Disk {
    fn before_sync(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(io::Error::other("broken")) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_not_answered() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let options = Options { sync_hook: Some(Arc::clone(&disk) as Arc<dyn SyncHook>), ..Options::default() };
    let services = services(&dir, options).await;
    disk.0.store(true, Ordering::Relaxed);
    let answer = performed(&services, call(&aws_api::cloudtrail::SERVICE, "ListTrails", &json!({})), None).await;
    assert_eq!(answer.status, 500);
}
