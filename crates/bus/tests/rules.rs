//! Operations on rules, buses and labels, as a client meets them.

mod common;

use aws_api::events::*;
use aws_api::{Change, Entity as _};
use bus::{Buses, Rule as RuleRow};
use common::{ALL, QUEUE, commit, ctx, put_rule, put_targets, rule, target};

fn named(name: &str) -> DescribeRuleRequest {
    DescribeRuleRequest { name: name.into(), event_bus_name: None }
}

fn delete(name: &str) -> DeleteRuleRequest {
    DeleteRuleRequest { name: name.into(), ..DeleteRuleRequest::default() }
}

#[test]
fn a_rule_from_creation_to_deletion() {
    let mut buses = Buses::default();
    let req = PutRuleRequest { description: Some("d".into()), ..rule("sigv2", ALL) };
    assert_eq!(put_rule(&mut buses, &req), "arn:aws:events:eu-central-1:111122223333:rule/sigv2");
    let described = buses.describe_rule(&ctx(), &named("sigv2")).unwrap();
    assert_eq!((described.event_pattern.as_deref(), described.state.as_str()), (Some(ALL), "ENABLED"));
    assert_eq!(described.event_bus_name, "default");

    let decided = buses.disable_rule(&ctx(), &named("sigv2")).unwrap();
    commit(&mut buses, decided);
    assert_eq!(buses.describe_rule(&ctx(), &named("sigv2")).unwrap().state, "DISABLED");
    let decided = buses.enable_rule(&ctx(), &named("sigv2")).unwrap();
    commit(&mut buses, decided);

    // What a second PutRule leaves out is gone; the targets stay.
    put_targets(&mut buses, "sigv2", &[target("q", QUEUE)]);
    put_rule(&mut buses, &rule("sigv2", r#"{"source":["aws.s3"]}"#));
    let described = buses.describe_rule(&ctx(), &named("sigv2")).unwrap();
    assert_eq!((described.description, described.state.as_str()), (None, "ENABLED"));

    let error = buses.delete_rule(&ctx(), &delete("sigv2")).unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.message.as_str()),
        ("ValidationException", "Rule can't be deleted since it has targets.")
    );
    let req = RemoveTargetsRequest {
        rule: "sigv2".into(),
        ids: vec!["q".into(), "none".into()],
        ..RemoveTargetsRequest::default()
    };
    let decided = buses.remove_targets(&ctx(), &req).unwrap();
    assert_eq!(commit(&mut buses, decided).failed_entry_count, 0);
    for _ in 0..2 {
        let decided = buses.delete_rule(&ctx(), &delete("sigv2")).unwrap();
        commit(&mut buses, decided);
    }
    let error = buses.describe_rule(&ctx(), &named("sigv2")).unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
    assert_eq!(error.message, "Rule sigv2 does not exist on EventBus default.");
}

#[test]
fn rules_that_are_refused() {
    let buses = Buses::default();
    let long = "n".repeat(65);
    let wide = "p".repeat(4097);
    let base = || rule("r", ALL);
    let constraint = "1 validation error detected: Value";
    let cases: Vec<(PutRuleRequest, &str, String)> = vec![
        (
            rule("a b", ALL),
            "ValidationException",
            format!("{constraint} 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"),
        ),
        (
            rule("", ALL),
            "ValidationException",
            format!("{constraint} '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        ),
        (
            rule(&long, ALL),
            "ValidationException",
            format!("{constraint} '{long}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 64"),
        ),
        (
            rule("r", &wide),
            "ValidationException",
            format!("{constraint} '{wide}' at 'eventPattern' failed to satisfy constraint: Member must have length less than or equal to 4096"),
        ),
        (
            PutRuleRequest { event_pattern: None, ..base() },
            "ValidationException",
            "Parameter(s) EventPattern or ScheduleExpression must be specified.".into(),
        ),
        (
            PutRuleRequest { schedule_expression: Some("rate(1 minute)".into()), ..base() },
            "ValidationException",
            "ScheduleExpression is not supported: rules run on events here, not on schedules.".into(),
        ),
        (
            PutRuleRequest { event_bus_name: Some("none".into()), ..base() },
            "ResourceNotFoundException",
            "Event bus none does not exist.".into(),
        ),
        (
            PutRuleRequest { role_arn: Some("arn:aws:iam::111122223333:role/r".into()), ..base() },
            "ValidationException",
            "RoleArn is not supported: no delivery assumes a role, and none is needed in the same account.".into(),
        ),
        (
            PutRuleRequest { state: Some("ON".into()), ..base() },
            "ValidationException",
            format!("{constraint} 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]"),
        ),
        (
            rule("r", r#"{"a":[]}"#),
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: Empty arrays are not allowed\n at [Source: (String)\"{\"a\":[]}\"; line: 1, column: 8]".into(),
        ),
        (
            rule("r", r#"{"detail":"x"}"#),
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: \"detail\" must be an object or an array\n at [Source: (String)\"{\"detail\":\"x\"}\"; line: 1, column: 12]".into(),
        ),
    ];
    for (req, code, message) in cases {
        let error = buses.put_rule(&ctx(), &req).unwrap_err();
        assert_eq!((error.code.as_ref(), error.message.as_str(), error.status), (code, message.as_str(), 400));
    }
}

#[test]
fn lists_are_paged_and_filtered() {
    let mut buses = Buses::default();
    for index in 0..150 {
        put_rule(&mut buses, &rule(&format!("r-{index:03}"), ALL));
    }
    put_rule(&mut buses, &rule("other", ALL));
    let list = |prefix: Option<&str>, limit, next_token| {
        let req = ListRulesRequest { name_prefix: prefix.map(Into::into), limit, next_token, event_bus_name: None };
        buses.list_rules(&ctx(), &req)
    };
    let first = list(Some("r-"), None, None).unwrap();
    assert_eq!((first.rules.len(), first.next_token.is_some()), (100, true));
    let second = list(Some("r-"), None, first.next_token).unwrap();
    assert_eq!((second.rules.len(), second.next_token), (50, None));
    assert_eq!(list(Some("o"), Some(1), None).unwrap().next_token, None);
    for (limit, token) in
        [(Some(0), None), (Some(101), None), (None, Some("x".to_owned())), (None, Some("after:/".to_owned()))]
    {
        assert_eq!(list(None, limit, token).unwrap_err().code, "ValidationException");
    }
}

#[test]
fn buses_of_ones_own() {
    let mut buses = Buses::default();
    let create = |name: &str| CreateEventBusRequest { name: name.into(), ..CreateEventBusRequest::default() };
    let decided = buses.create_event_bus(&ctx(), &create("orders")).unwrap();
    assert_eq!(commit(&mut buses, decided).event_bus_arn, "arn:aws:events:eu-central-1:111122223333:event-bus/orders");
    for (name, code, message) in [
        ("orders", "ResourceAlreadyExistsException", "Event bus orders already exists."),
        ("default", "ResourceAlreadyExistsException", "Event bus default already exists."),
        ("a/b", "ValidationException", "Event bus name must not contain '/'."),
    ] {
        let error = buses.create_event_bus(&ctx(), &create(name)).unwrap_err();
        assert_eq!((error.code.as_ref(), error.message.as_str()), (code, message));
    }
    let arn = "arn:aws:events:eu-central-1:111122223333:event-bus/orders";
    let on_bus = |bus: &str| PutRuleRequest { event_bus_name: Some(bus.into()), ..rule("r", ALL) };
    assert_eq!(put_rule(&mut buses, &on_bus(arn)), "arn:aws:events:eu-central-1:111122223333:rule/orders/r");
    let scheduled = PutRuleRequest { schedule_expression: Some("rate(1 day)".into()), ..on_bus("orders") };
    let error = buses.put_rule(&ctx(), &scheduled).unwrap_err();
    assert_eq!(error.message, "ScheduleExpression is supported only on the default event bus.");

    let listed = buses.list_event_buses(&ctx(), &ListEventBusesRequest::default()).unwrap();
    let names: Vec<_> = listed.event_buses.iter().map(|bus| bus.name.as_str()).collect();
    assert_eq!(names, ["default", "orders"]);
    let described = buses.describe_event_bus(&ctx(), &DescribeEventBusRequest::default()).unwrap();
    assert_eq!(described.arn, "arn:aws:events:eu-central-1:111122223333:event-bus/default");

    let delete = |name: &str| DeleteEventBusRequest { name: name.into() };
    let error = buses.delete_event_bus(&ctx(), &delete("default")).unwrap_err();
    assert_eq!(error.message, "Cannot delete event bus default.");
    for name in ["orders", "orders"] {
        let decided = buses.delete_event_bus(&ctx(), &delete(name)).unwrap();
        commit(&mut buses, decided);
    }
    let error = buses.put_rule(&ctx(), &on_bus("orders")).unwrap_err();
    assert_eq!(error.message, "Event bus orders does not exist.");
    let decided = buses.create_event_bus(&ctx(), &create("orders")).unwrap();
    commit(&mut buses, decided);
    let req = ListRulesRequest { event_bus_name: Some("orders".into()), ..ListRulesRequest::default() };
    assert!(buses.list_rules(&ctx(), &req).unwrap().rules.is_empty());
}

#[test]
fn labels() {
    let mut buses = Buses::default();
    let rule_arn = put_rule(&mut buses, &rule("r", ALL));
    let bus_arn = "arn:aws:events:eu-central-1:111122223333:event-bus/default";
    for arn in [rule_arn.as_str(), bus_arn] {
        let tags = vec![Tag { key: "k".into(), value: "v".into() }, Tag { key: "l".into(), value: "w".into() }];
        let decided = buses.tag_resource(&ctx(), &TagResourceRequest { resource_arn: arn.into(), tags }).unwrap();
        commit(&mut buses, decided);
        let req = UntagResourceRequest { resource_arn: arn.into(), tag_keys: vec!["k".into()] };
        let decided = buses.untag_resource(&ctx(), &req).unwrap();
        commit(&mut buses, decided);
        let list = ListTagsForResourceRequest { resource_arn: arn.into() };
        let listed = buses.list_tags_for_resource(&ctx(), &list).unwrap();
        assert_eq!(listed.tags, [Tag { key: "l".into(), value: "w".into() }]);
    }
    // Labels are not taken when a rule is replaced.
    let tags = vec![Tag { key: "new".into(), value: String::new() }];
    put_rule(&mut buses, &PutRuleRequest { tags, ..rule("r", ALL) });
    let listed = buses.list_tags_for_resource(&ctx(), &ListTagsForResourceRequest { resource_arn: rule_arn });
    assert_eq!(listed.unwrap().tags[0].key, "l");
    for (arn, code) in [
        ("arn:aws:events:eu-central-1:111122223333:rule/none", "ResourceNotFoundException"),
        ("arn:aws:events:us-east-1:111122223333:rule/r", "ResourceNotFoundException"),
        ("r", "ValidationException"),
    ] {
        let error = buses.list_tags_for_resource(&ctx(), &ListTagsForResourceRequest { resource_arn: arn.into() });
        assert_eq!(error.unwrap_err().code, code, "{arn}");
    }
}

#[test]
fn labels_of_services_are_theirs() {
    let mut buses = Buses::default();
    let service = aws_api::RequestContext { via: Some("cloudformation.amazonaws.com"), ..ctx() };
    let arn = put_rule(&mut buses, &rule("r", ALL));
    let key = "aws:cloudformation:stack-name";
    let add = |value: &str| TagResourceRequest {
        resource_arn: arn.clone(),
        tags: vec![Tag { key: key.into(), value: value.into() }],
    };
    let decided = buses.tag_resource(&service, &add("audit")).unwrap();
    commit(&mut buses, decided);
    let fifty = (0..50).map(|n| Tag { key: format!("{n}"), value: String::new() }).collect();
    let fifty = TagResourceRequest { resource_arn: arn.clone(), tags: fifty };
    let decided = buses.tag_resource(&ctx(), &fifty).expect("those of services do not count");
    commit(&mut buses, decided);
    let remove = UntagResourceRequest { resource_arn: arn.clone(), tag_keys: vec!["0".into(), key.into()] };
    for refused in
        [buses.tag_resource(&ctx(), &add("mine")).unwrap_err(), buses.untag_resource(&ctx(), &remove).unwrap_err()]
    {
        let said = "aws: prefixed tag key names are not allowed for external use.";
        assert_eq!((&*refused.code, &*refused.message), ("ValidationException", said));
    }
    assert!(buses.untag_resource(&service, &remove).is_ok());
}

#[test]
fn rows_of_other_kinds_are_ignored_and_broken_ones_are_errors() {
    let mut buses = Buses::default();
    let (_, changes) = buses.put_rule(&ctx(), &rule("r", ALL)).unwrap();
    assert_eq!((changes[0].kind, changes[0].key.as_str()), ("rule", "111122223333/eu-central-1/default/r"));
    assert!(buses.absorb(&Change { kind: "queue", key: "x".into(), row: Some(b"?".to_vec()) }).is_ok());
    assert!(buses.absorb(&Change { kind: RuleRow::KIND, key: "x".into(), row: Some(b"{}".to_vec()) }).is_err());
}
