use std::collections::BTreeMap;

use aws_api::cloudtrail::LookupAttribute;
use aws_api::{Caller, Role};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);
const ACCOUNT: &str = "111122223333";

fn ctx(account: &str) -> RequestContext {
    RequestContext {
        caller: Caller {
            account: account.into(),
            arn: String::new(),
            principal_id: String::new(),
            role_arn: None,
            role: Role::Admin,
        },
        region: "us-east-1".into(),
        now: NOW,
        request_id: String::new(),
        endpoint: String::new(),
        via: None,
    }
}

fn record(number: u64, name: &str, time: Timestamp) -> Record {
    serde_json::from_value(json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": "mia", "accessKeyId": "AKIA"},
        "eventTime": time.to_rfc3339_seconds(), "eventSource": "cloudtrail.amazonaws.com", "eventName": name,
        "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.1", "eventID": format!("id-{number}"),
        "requestParameters": {"name": "t"}, "responseElements": null, "readOnly": name.starts_with("Get"),
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT,
    }))
    .unwrap()
}

/// The rows of a store, in its order.
#[derive(Default)]
struct Rows(BTreeMap<Vec<u8>, Vec<u8>>);

impl Rows {
    fn add(&mut self, record: &Record, seq: u64) {
        let place = Place::of(record, seq);
        self.0.insert(place.event_key(), serde_json::to_vec(record).unwrap());
        self.0.extend(finder_keys(record, place).into_iter().map(|key| (key, Vec::new())));
    }

    /// One page: the ids, and the token of the next.
    fn page(&self, account: &str, req: &LookupEventsRequest) -> Result<(Vec<String>, Option<String>), ApiError> {
        let Some(lookup) = Lookup::read(&ctx(account), req)? else { return Ok((Vec::new(), None)) };
        let mut ids = Vec::new();
        let mut last = None;
        for (key, _) in self.0.range(lookup.range()).rev() {
            if ids.len() == lookup.limit() {
                return Ok((ids, last.map(|last| lookup.next_token(last))));
            }
            let place = Place::read(key).unwrap();
            ids.push(shown(&self.0[&place.event_key()]).unwrap().event_id);
            last = Some(place);
        }
        Ok((ids, None))
    }

    fn all(&self, req: &LookupEventsRequest) -> Vec<String> {
        let (mut ids, mut req) = (Vec::new(), req.clone());
        loop {
            let (page, token) = self.page(ACCOUNT, &req).unwrap();
            ids.extend(page);
            if token.is_none() {
                return ids;
            }
            req.next_token = token;
        }
    }
}

fn by(key: &str, value: &str) -> LookupEventsRequest {
    let attribute = LookupAttribute { attribute_key: key.into(), attribute_value: value.into() };
    LookupEventsRequest { lookup_attributes: vec![attribute], ..LookupEventsRequest::default() }
}

fn some_rows() -> Rows {
    let mut rows = Rows::default();
    rows.add(&record(1, "CreateTrail", NOW.plus_secs(-30)), 1);
    rows.add(&record(2, "GetTrail", NOW.plus_secs(-20)), 2);
    rows.add(&record(3, "CreateTrail", NOW.plus_secs(-20)), 3);
    rows.add(&record(4, "GetTrail", NOW.plus_secs(-91 * 86_400)), 4);
    rows
}

#[test]
fn found_by_each_attribute_the_latest_first() {
    let rows = some_rows();
    assert_eq!(rows.all(&LookupEventsRequest::default()), ["id-3", "id-2", "id-1"]);
    for (key, value, expected) in [
        ("EventId", "id-2", &["id-2"][..]),
        ("EventName", "CreateTrail", &["id-3", "id-1"]),
        ("ReadOnly", "true", &["id-2"]),
        ("Username", "mia", &["id-3", "id-2", "id-1"]),
        ("ResourceType", "AWS::CloudTrail::Trail", &["id-3", "id-2", "id-1"]),
        ("ResourceName", "t", &["id-3", "id-2", "id-1"]),
        ("EventSource", "cloudtrail.amazonaws.com", &["id-3", "id-2", "id-1"]),
        ("AccessKeyId", "AKIA", &["id-3", "id-2", "id-1"]),
        ("EventName", "Create", &[]),
        ("EventName", "CreateTrail\0", &[]),
    ] {
        assert_eq!(rows.all(&by(key, value)), expected, "{key} {value}");
    }
    assert_eq!(rows.page("444455556666", &LookupEventsRequest::default()).unwrap().0, [""; 0], "another account's");
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "a time of this century")]
fn times_are_inclusive_and_end_after_90_days() {
    let rows = some_rows();
    let at = |secs: i64| Some(NOW.plus_secs(secs).as_secs() as f64);
    let ranged = |start_time, end_time| LookupEventsRequest { start_time, end_time, ..Default::default() };
    assert_eq!(rows.all(&ranged(at(-20), None)), ["id-3", "id-2"]);
    assert_eq!(rows.all(&ranged(None, at(-30))), ["id-1"]);
    assert_eq!(rows.all(&ranged(at(-29), at(-21))), [""; 0]);
    assert_eq!(rows.all(&ranged(at(-92 * 86_400), None)).len(), 3);
    let old: Vec<_> = rows.0.range(first_event_key()..expired_before(NOW)).collect();
    assert_eq!(old.len(), 1);
}

#[test]
fn refusals() {
    let rows = some_rows();
    let code = |req: &LookupEventsRequest| rows.page(ACCOUNT, req).unwrap_err().code.into_owned();
    assert_eq!(code(&by("Nonsense", "x")), "InvalidLookupAttributesException");
    assert_eq!(code(&by("EventName", "")), "InvalidLookupAttributesException");
    assert_eq!(code(&by("EventName", &"_".repeat(1001))), "InvalidLookupAttributesException");
    assert!(rows.page(ACCOUNT, &by("EventName", &"é".repeat(2000))).is_ok());
    let mut two = by("EventName", "x");
    two.lookup_attributes.push(two.lookup_attributes[0].clone());
    assert_eq!(code(&two), "InvalidLookupAttributesException");
    for max_results in [0, -1, 51] {
        let req = LookupEventsRequest { max_results: Some(max_results), ..Default::default() };
        assert_eq!(code(&req), "InvalidMaxResultsException");
    }
    let range = |start_time, end_time| LookupEventsRequest { start_time, end_time, ..Default::default() };
    assert_eq!(code(&range(Some(2.0), Some(1.0))), "InvalidTimeRangeException");
    assert_eq!(code(&range(Some(-1.0), None)), "InvalidTimeRangeException");
    assert_eq!(code(&range(None, Some(1e300))), "InvalidTimeRangeException");
    let category = |text: &str| LookupEventsRequest { event_category: Some(text.into()), ..Default::default() };
    assert_eq!(code(&category("management")), "InvalidEventCategoryException");
    assert_eq!(rows.page(ACCOUNT, &category("insight")).unwrap(), (Vec::new(), None));
}

#[test]
fn a_token_goes_with_its_parameters() {
    let rows = some_rows();
    let mut req = LookupEventsRequest { max_results: Some(2), ..by("Username", "mia") };
    let (first, token) = rows.page(ACCOUNT, &req).unwrap();
    assert_eq!(first, ["id-3", "id-2"]);
    req.next_token.clone_from(&token);
    // Another size of the page is no other question.
    req.max_results = Some(1);
    assert_eq!(rows.page(ACCOUNT, &req).unwrap(), (vec!["id-1".to_owned()], None));
    let foreign = [
        LookupEventsRequest { next_token: token.clone(), ..by("Username", "max") },
        LookupEventsRequest { next_token: token.clone(), start_time: Some(1.0), ..by("Username", "mia") },
        LookupEventsRequest { next_token: Some("nonsense".into()), ..by("Username", "mia") },
        LookupEventsRequest { next_token: Some(String::new()), ..by("Username", "mia") },
        LookupEventsRequest { next_token: Some("A".repeat(10_000)), ..by("Username", "mia") },
    ];
    for req in foreign {
        assert_eq!(rows.page(ACCOUNT, &req).unwrap_err().code, "InvalidNextTokenException", "{req:?}");
    }
    req.next_token = token;
    assert_eq!(rows.page("444455556666", &req).unwrap_err().code, "InvalidNextTokenException");
}

proptest! {
    /// Pages of any size show each matching event once, in order.
    #[test]
    fn pages_are_the_whole(events in proptest::collection::vec((0..5_i64, any::<bool>()), 0..40), size in 1..10_i32) {
        let mut rows = Rows::default();
        let mut expected = Vec::new();
        for (seq, (ago, looks)) in (1_u64..).zip(&events) {
            let name = if *looks { "GetTrail" } else { "CreateTrail" };
            rows.add(&record(seq, name, NOW.plus_secs(-ago)), seq);
            if *looks {
                expected.push((-ago, seq));
            }
        }
        expected.sort_unstable();
        let expected: Vec<_> = expected.iter().rev().map(|(_, seq)| format!("id-{seq}")).collect();
        let req = LookupEventsRequest { max_results: Some(size), ..by("EventName", "GetTrail") };
        prop_assert_eq!(rows.all(&req), expected);
    }
}
