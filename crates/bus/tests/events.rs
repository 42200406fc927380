//! `PutEvents` and `TestEventPattern`, as a client meets them.

mod common;

use aws_api::events::*;
use bus::{Buses, ENTRIES_MAX};
use common::ctx;
use uuid::Uuid;

fn ids() -> [Uuid; ENTRIES_MAX] {
    std::array::from_fn(|index| Uuid::from_u128(index as u128 + 1))
}

fn entry() -> PutEventsRequestEntry {
    PutEventsRequestEntry {
        source: Some("my.app".into()),
        detail_type: Some("thing".into()),
        detail: Some("{}".into()),
        ..PutEventsRequestEntry::default()
    }
}

#[test]
fn entries_are_answered_in_their_places() {
    let good = PutEventsRequestEntry {
        time: Some(1_773_480_413.9),
        resources: vec!["arn:aws:s3:::b".into()],
        detail: Some(" {\n \"a\" : [ 1.0, \"x y\" ] } ".into()),
        ..entry()
    };
    let cases = [
        (good, None),
        (
            PutEventsRequestEntry { source: None, ..entry() },
            Some(("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument.")),
        ),
        (
            PutEventsRequestEntry { detail_type: None, ..entry() },
            Some(("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument.")),
        ),
        (
            PutEventsRequestEntry { detail: None, ..entry() },
            Some(("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument.")),
        ),
        (
            PutEventsRequestEntry { detail: Some("[]".into()), ..entry() },
            Some(("MalformedDetail", "Detail is malformed.")),
        ),
        (
            PutEventsRequestEntry { detail: Some("{".into()), ..entry() },
            Some(("MalformedDetail", "Detail is malformed.")),
        ),
        (
            PutEventsRequestEntry { detail: Some("text".into()), ..entry() },
            Some(("MalformedDetail", "Detail is malformed.")),
        ),
        (
            PutEventsRequestEntry { source: Some("aws.s3".into()), ..entry() },
            Some(("NotAuthorizedForSourceException", "Not authorized for the source.")),
        ),
        (
            PutEventsRequestEntry { event_bus_name: Some("none".into()), ..entry() },
            Some(("InvalidArgument", "Parameter EventBusName is not valid. Reason: Event bus none does not exist.")),
        ),
        (
            PutEventsRequestEntry { time: Some(-1.0), ..entry() },
            Some((
                "InvalidArgument",
                "Parameter Time is not valid. Reason: Time is not between the years 1970 and 9999.",
            )),
        ),
    ];
    let req = PutEventsRequest { entries: cases.iter().map(|(entry, _)| entry.clone()).collect() };
    let (answer, events) = Buses::default().put_events(&ctx(), &req, &ids()).unwrap();
    assert_eq!(answer.failed_entry_count, 9);
    for (result, (entry, expected)) in answer.entries.iter().zip(&cases) {
        let error = result.error_code.as_deref().zip(result.error_message.as_deref());
        assert_eq!(error, *expected, "{entry:?}");
        assert_eq!(result.event_id.is_some(), expected.is_none());
    }
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].bus.as_str(), events[0].id), ("default", Uuid::from_u128(1)));
    assert_eq!(
        String::from_utf8(events[0].envelope.clone()).unwrap(),
        "{\"version\":\"0\",\"id\":\"00000000-0000-0000-0000-000000000001\",\"detail-type\":\"thing\",\"source\":\"my.app\",\
         \"account\":\"111122223333\",\"time\":\"2026-03-14T09:26:53Z\",\"region\":\"eu-central-1\",\
         \"resources\":[\"arn:aws:s3:::b\"],\"detail\":{\"a\":[1.0,\"x y\"]}}"
    );
}

#[test]
fn requests_that_are_refused() {
    let put = |entries| Buses::default().put_events(&ctx(), &PutEventsRequest { entries }, &ids());
    let error = put(vec![entry(); 11]).unwrap_err();
    assert_eq!(error.code, "ValidationException");
    assert_eq!(
        error.message,
        "1 validation error detected: Value '[...]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
    );
    assert!(put(vec![]).is_err());
    // 14 bytes of time, 6 of the source, 5 of the detail type, and the detail.
    let sized = |detail_bytes: usize| PutEventsRequestEntry {
        time: Some(0.0),
        detail: Some(format!("{{\"a\":\"{}\"}}", "x".repeat(detail_bytes - 8))),
        ..entry()
    };
    let error = put(vec![sized(1024 * 1024 - 25)]).unwrap_err();
    assert_eq!(error.message, "Total size of the entries in the request is over the limit.");
    assert_eq!(put(vec![sized(1024 * 1024 - 26)]).unwrap().0.failed_entry_count, 0);
}

#[test]
fn whatever_is_taken_can_be_routed() {
    let mut buses = Buses::default();
    common::put_rule(&mut buses, &common::rule("r", r#"{"detail":{"a":[{"exists":true}]}}"#));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(999), "]".repeat(999));
    let details = [
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800x"}"#,
        "{\"a\":\"\u{7f}\u{2028}\"}",
        r#"{"a":1e999}"#,
        r#"{"a":-0.0}"#,
        &deep,
    ];
    for detail in details {
        let req = PutEventsRequest { entries: vec![PutEventsRequestEntry { detail: Some(detail.into()), ..entry() }] };
        let (answer, events) = buses.put_events(&ctx(), &req, &ids()).unwrap();
        match &events[..] {
            [event] => assert_eq!(buses.route(&common::arrival(&event.envelope)).unwrap().matched.len(), 1, "{detail}"),
            _ => assert_eq!(answer.entries[0].error_code.as_deref(), Some("MalformedDetail"), "{detail}"),
        }
    }
}

#[test]
fn patterns_tried_on_events() {
    let event = r#"{"id":"1","account":"111122223333","source":"my.app","time":"2026-03-14T09:26:53Z","region":"r","resources":[],"detail-type":"t","detail":{"n":300.0}}"#;
    let test = |pattern: &str, event: &str| {
        let req = TestEventPatternRequest { event_pattern: pattern.into(), event: event.into() };
        Buses::default().test_event_pattern(&req).map(|answer| answer.result)
    };
    assert_eq!(test(r#"{"detail":{"n":[300]}}"#, event), Ok(true));
    assert_eq!(test(r#"{"detail":{"n":[301]}}"#, event), Ok(false));
    assert_eq!(test(r#"{"detail":{"n":[301]}}"#, "{").unwrap_err().message, "Parameter Event is not valid.");
    let error = test(r#"{"detail":{"n":[301]}}"#, "{\"id\":\"1\"}").unwrap_err();
    assert_eq!(error.message, "Parameter Event is not valid. Reason: The event has no member account.");
    let error = test(r#"{"n":[{"numeric":[">","1"]}]}"#, event).unwrap_err();
    assert_eq!(error.code, "InvalidEventPatternException");
    assert!(
        error.message.starts_with("Event pattern is not valid. Reason: Value of > must be numeric"),
        "{}",
        error.message
    );
}
