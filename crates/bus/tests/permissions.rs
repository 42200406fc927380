//! Who may put events on a bus.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod common;

use aws_api::events::*;
use aws_api::{ApiError, Caller, Change, RequestContext};
use bus::{Bus, Buses, ENTRIES_MAX};
use common::{ACCOUNT, REGION, commit, ctx};
use serde_json::{Value, json};
use uuid::Uuid;

fn stranger() -> RequestContext {
    let caller =
        Caller { account: "444455556666".into(), arn: "arn:aws:iam::444455556666:user/mia".into(), ..ctx().caller };
    RequestContext { caller, ..ctx() }
}

fn user() -> RequestContext {
    let caller = Caller { arn: format!("arn:aws:iam::{ACCOUNT}:user/u"), ..ctx().caller };
    RequestContext { caller, ..ctx() }
}

fn arn() -> String {
    format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default")
}

/// Puts an event of this source; the account of the bus that took it.
fn put(buses: &Buses, ctx: &RequestContext, source: &str) -> Result<String, ApiError> {
    let entry = PutEventsRequestEntry {
        source: Some(source.into()),
        detail_type: Some("d".into()),
        detail: Some("{}".into()),
        event_bus_name: Some(arn()),
        ..PutEventsRequestEntry::default()
    };
    let req = PutEventsRequest { entries: vec![entry] };
    let (_, events) = buses.put_events(ctx, &req, &[Uuid::nil(); ENTRIES_MAX])?;
    Ok(events[0].account.clone())
}

fn set(buses: &mut Buses, policy: &Value) -> Result<(), ApiError> {
    let req = PutPermissionRequest { policy: Some(policy.to_string()), ..PutPermissionRequest::default() };
    let decided = buses.put_permission(&ctx(), &req)?;
    commit(buses, decided);
    Ok(())
}

#[test]
fn strangers_need_a_statement_and_the_own_account_does_not() {
    let mut buses = Buses::default();
    assert_eq!(put(&buses, &user(), "s").unwrap(), ACCOUNT);
    let refused = put(&buses, &stranger(), "s").unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(refused.message.ends_with("because no resource-based policy allows the events:PutEvents action"));
    let one = PutPermissionRequest {
        statement_id: Some("l".into()),
        action: Some("events:PutEvents".into()),
        principal: Some("444455556666".into()),
        ..PutPermissionRequest::default()
    };
    for _ in 0..2 {
        let decided = buses.put_permission(&ctx(), &one).unwrap();
        commit(&mut buses, decided);
    }
    assert_eq!(put(&buses, &stranger(), "s").unwrap(), ACCOUNT);
    let shown = buses.describe_event_bus(&ctx(), &DescribeEventBusRequest::default()).unwrap().policy.unwrap();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["Statement"].as_array().unwrap().len(), 1, "a statement of the same name is replaced");
    let remove = RemovePermissionRequest { statement_id: Some("l".into()), ..RemovePermissionRequest::default() };
    let decided = buses.remove_permission(&ctx(), &remove).unwrap();
    commit(&mut buses, decided);
    assert!(put(&buses, &stranger(), "s").is_err());
    assert_eq!(buses.remove_permission(&ctx(), &remove).unwrap_err().message, "EventBus does not have a policy.");
}

#[test]
fn conditions_and_denies() {
    let mut buses = Buses::default();
    set(
        &mut buses,
        &json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": arn(),
                "Condition": {"StringEquals": {"events:source": "theirs"}}},
            {"Effect": "Deny", "Principal": {"AWS": ACCOUNT}, "Action": "events:PutEvents", "Resource": "*",
                "Condition": {"StringEquals": {"events:source": "denied"}}},
        ]}),
    )
    .unwrap();
    assert!(put(&buses, &stranger(), "theirs").is_ok() && put(&buses, &stranger(), "s").is_err());
    assert!(put(&buses, &user(), "denied").unwrap_err().message.contains("explicit deny"));
    assert!(put(&buses, &user(), "s").is_ok() && put(&buses, &ctx(), "denied").is_ok());
}

#[test]
fn what_is_refused() {
    let mut buses = Buses::default();
    let with = |action: &str, key: &str| {
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*",
            "Condition": {"StringEquals": {key: "x"}}}})
    };
    assert!(set(&mut buses, &with("events:PutEvents", "aws:PrincipalArn")).is_ok());
    for policy in [
        with("events:PutRule", "aws:PrincipalArn"),
        with("events:*", "aws:PrincipalArn"),
        with("events:PutEvents", "aws:PrincipalOrgID"),
    ] {
        let refused = set(&mut buses, &policy).unwrap_err();
        assert!(refused.message.starts_with("Parameter Policy is not valid. Reason: "), "{refused}");
    }
    for (statement_id, action, principal) in
        [(None, "events:PutEvents", "*"), (Some("l"), "events:PutRule", "*"), (Some("l"), "events:PutEvents", "mia")]
    {
        let req = PutPermissionRequest {
            statement_id: statement_id.map(str::to_owned),
            action: Some(action.into()),
            principal: Some(principal.into()),
            ..PutPermissionRequest::default()
        };
        assert_eq!(buses.put_permission(&ctx(), &req).unwrap_err().code, "ValidationException");
    }
}

/// Rows of earlier versions have no policy.
#[test]
fn rows_without_a_policy_open() {
    let row = json!({"account": ACCOUNT, "region": REGION, "name": "default", "tags": {"a": "b"}}).to_string();
    let change = Change { kind: "event-bus", key: format!("{ACCOUNT}/{REGION}/default"), row: Some(row.into()) };
    let mut buses = Buses::default();
    buses.absorb(&change).unwrap();
    assert!(put(&buses, &stranger(), "s").is_err());
    let bus = Bus { account: ACCOUNT.into(), region: REGION.into(), name: "default".into(), ..Bus::default() };
    assert_eq!(bus.arn().to_string(), arn());
}
