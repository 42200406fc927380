//! Where events go, and in what form.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use aws_api::events::{DeadLetterConfig, PutRuleRequest, RetryPolicy, Target};
use bus::{Arrival, Buses, EventKind, InvocationError};
use common::{ALL, QUEUE, TOPIC, arrival, commit, ctx, event, put_rule, put_targets, rule, target, transformer};
use event_pattern::Pattern;
use proptest::prelude::*;

/// The detail of the cases below.
const DETAIL: &str = r#"{"foo":"baz","list":["ACTIVE","INACTIVE"],"obj":{"acc_id":"0a78","sf_id":"baz"},"n":1.50,"t":true,"say":"a \"b\"\n\\ c","nil":null}"#;

fn sent(input: Target) -> Result<String, InvocationError> {
    let mut buses = Buses::default();
    put_rule(&mut buses, &rule("r", ALL));
    assert_eq!(put_targets(&mut buses, "r", &[input]).failed_entry_count, 0);
    let event = event(DETAIL);
    let routed = buses.route(&arrival(&event)).unwrap();
    assert_eq!(routed.matched.len(), 1);
    match (routed.invocations.first(), routed.failures.first()) {
        (Some(invocation), None) => Ok(String::from_utf8(invocation.input.to_vec()).unwrap()),
        (None, Some(failure)) => Err(failure.error),
        other => panic!("one of the two: {other:?}"),
    }
}

#[test]
fn the_event_a_constant_or_a_part() {
    assert_eq!(sent(target("q", QUEUE)).unwrap().as_bytes(), event(DETAIL));
    assert_eq!(sent(Target { input: Some("{\"a\": 1}".into()), ..target("q", QUEUE) }).unwrap(), "{\"a\": 1}");
    for (path, expected) in [
        ("$.detail.foo", "\"baz\""),
        ("$.detail.n", "1.50"),
        ("$.detail.obj", r#"{"acc_id":"0a78","sf_id":"baz"}"#),
        ("$.detail-type", "\"AWS API Call via CloudTrail\""),
        ("$.detail.none", "null"),
    ] {
        assert_eq!(sent(Target { input_path: Some(path.into()), ..target("q", QUEUE) }).unwrap(), expected, "{path}");
    }
}

#[test]
fn templates() {
    let paths = [
        ("foo", "$.detail.foo"),
        ("list", "$.detail.list"),
        ("first", "$.detail.list[0]"),
        ("obj", "$.detail.obj"),
        ("n", "$.detail.n"),
        ("t", "$.detail.t"),
        ("say", "$.detail.say"),
        ("nil", "$.detail.nil"),
        ("none", "$.detail.none"),
        ("type", "$.detail-type"),
    ];
    let cases: [(&str, &str); 21] = [
        // As JSON outside of quotes, as text inside.
        (r#"{"a":<foo>,"b":<n>,"c":<t>,"d":<nil>}"#, r#"{"a":"baz","b":1.50,"c":true,"d":null}"#),
        (r#"{"a":"is <foo>, <n>"}"#, r#"{"a":"is baz, 1.50"}"#),
        (r#"{"a":<list>,"b":<obj>}"#, r#"{"a":["ACTIVE","INACTIVE"],"b":{"acc_id":"0a78","sf_id":"baz"}}"#),
        // Objects and lists lose their quotes inside quotes.
        (r#"{"a":"is <obj>"}"#, r#"{"a":"is {acc_id:0a78,sf_id:baz}"}"#),
        (r#"{"a":"is <list>"}"#, r#"{"a":"is [ACTIVE,INACTIVE]"}"#),
        (r#"{"a":<first>}"#, r#"{"a":"ACTIVE"}"#),
        // What is not there is the empty text.
        (r#"{"a":<none>}"#, r#"{"a":""}"#),
        (r#"{"a":"info <none>"}"#, r#"{"a":"info "}"#),
        // A text's own escapes stay escapes.
        (r#"{"a":"<say>"}"#, r#"{"a":"a \"b\"\n\\ c"}"#),
        (r#"{"a":<say>}"#, r#"{"a":"a \"b\"\n\\ c"}"#),
        // Lines in quotes stay lines in quotes.
        (r#""<foo> of <type>""#, r#""baz of AWS API Call via CloudTrail""#),
        ("\"<foo>\"\n\"<obj>\"", "\"baz\"\n\"{acc_id:0a78,sf_id:baz}\""),
        ("  \"<foo>\"  ", "\"baz\""),
        // Text that is not JSON, and one value alone.
        ("say <foo>: <say> <list>", "say baz: a \"b\"\n\\ c [ACTIVE,INACTIVE]"),
        ("<obj>", r#"{"acc_id":"0a78","sf_id":"baz"}"#),
        ("<foo>", "\"baz\""),
        // A quote that is escaped does not end the string.
        (r#"{"a":"\"<foo>\""}"#, r#"{"a":"\"baz\""}"#),
        // Angle brackets that are no placeholder.
        ("1 < 2", "1 < 2"),
        ("\"a\" > b", "\"a\" > b"),
        // Names that are always there.
        (
            r#"{"rule":<aws.events.rule-name>,"arn":"<aws.events.rule-arn>","at":<aws.events.event.ingestion-time>}"#,
            r#"{"rule":"r","arn":"arn:aws:events:eu-central-1:111122223333:rule/r","at":"2026-03-14T09:26:53Z"}"#,
        ),
        (
            r#"{"e":<aws.events.event>}"#,
            r#"{"e":{"version":"0","id":"00000000-0000-0000-0000-000000000001","detailType":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","time":"2026-03-14T09:26:53Z","region":"eu-central-1","resources":[]}}"#,
        ),
    ];
    for (template, expected) in cases {
        let input = Target { input_transformer: Some(transformer(&paths, template)), ..target("q", QUEUE) };
        assert_eq!(sent(input).as_deref(), Ok(expected), "{template}");
    }
    let whole = Target { input_transformer: Some(transformer(&[], "<aws.events.event.json>")), ..target("q", QUEUE) };
    assert_eq!(sent(whole).unwrap().as_bytes(), event(DETAIL));
}

#[test]
fn what_is_not_json_though_it_should_be_is_a_failed_invocation() {
    for template in ["{\"a\":<foo>", "{a:<foo>}", "[<foo> <foo>]", "{\"a\":\"<foo>}"] {
        let input =
            Target { input_transformer: Some(transformer(&[("foo", "$.detail.foo")], template)), ..target("q", QUEUE) };
        assert_eq!(sent(input), Err(InvocationError::NotJson), "{template}");
    }
}

#[test]
fn what_an_invocation_carries() {
    let mut buses = Buses::default();
    put_rule(&mut buses, &rule("r", ALL));
    let queue = Target {
        retry_policy: Some(RetryPolicy { maximum_retry_attempts: Some(0), maximum_event_age_in_seconds: Some(60) }),
        dead_letter_config: Some(DeadLetterConfig { arn: Some(QUEUE.into()) }),
        ..target("b", QUEUE)
    };
    put_targets(&mut buses, "r", &[queue, target("a", TOPIC)]);
    let event = event("{}");
    let routed = buses.route(&arrival(&event)).unwrap();
    let [topic, queue] = &routed.invocations[..] else { panic!("two") };
    assert_eq!((topic.target_id.as_str(), topic.target_arn.as_str()), ("a", TOPIC));
    assert_eq!((topic.retry.attempts_max, topic.retry.age_secs_max, &topic.dead_letter_arn), (185, 86_400, &None));
    assert_eq!((queue.retry.attempts_max, queue.retry.age_secs_max), (0, 60));
    assert_eq!(queue.dead_letter_arn.as_deref(), Some(QUEUE));
    assert_eq!(routed.matched, ["arn:aws:events:eu-central-1:111122223333:rule/r"]);
}

#[test]
fn states_decide_what_a_rule_sees() {
    let mut buses = Buses::default();
    let state = |state: &str| Some(state.to_owned());
    put_rule(&mut buses, &PutRuleRequest { state: state("DISABLED"), ..rule("off", ALL) });
    put_rule(&mut buses, &rule("on", ALL));
    put_rule(
        &mut buses,
        &PutRuleRequest { state: state("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"), ..rule("wide", ALL) },
    );
    let event = event("{}");
    let names = |buses: &Buses, kind| {
        let routed = buses.route(&Arrival { kind, ..arrival(&event) }).unwrap();
        routed.matched.iter().map(|arn| arn.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let read = EventKind::management("s3.amazonaws.com", "ListBuckets");
    assert_eq!(names(&buses, read), ["wide"]);
    assert_eq!(names(&buses, EventKind::other()), ["on", "wide"]);
    let decided =
        buses.enable_rule(&ctx(), &aws_api::events::DescribeRuleRequest { name: "off".into(), event_bus_name: None });
    commit(&mut buses, decided.unwrap());
    assert_eq!(names(&buses, EventKind::other()), ["off", "on", "wide"]);
    for other in [
        Arrival { region: "us-east-1", ..arrival(&event) },
        Arrival { account: "444455556666", ..arrival(&event) },
        Arrival { bus: "none", ..arrival(&event) },
    ] {
        assert!(buses.route(&other).unwrap().matched.is_empty());
    }
    assert!(buses.route(&arrival(b"{\"account\":")).is_err());
}

#[test]
fn an_event_that_the_engine_gives_up_on_is_told() {
    let pattern = r#"{"detail":{"l":{"x":[{"exists":true}],"y":[1],"z":[{"exists":false},2]}}}"#;
    let mut buses = Buses::default();
    put_rule(&mut buses, &rule("hard", pattern));
    put_targets(&mut buses, "hard", &[target("q", QUEUE)]);
    put_rule(&mut buses, &rule("easy", ALL));
    // Each x rules out all but one z, and no element has y and z at once that is 2.
    let elements: Vec<_> = (0..5_000).map(|at| format!("{{\"x\":{at},\"y\":1,\"z\":1}}")).collect();
    let event = event(&format!("{{\"l\":[{}]}}", elements.join(",")));
    let routed = buses.route(&arrival(&event)).unwrap();
    assert_eq!(routed.undecided, ["arn:aws:events:eu-central-1:111122223333:rule/hard"]);
    assert_eq!((routed.failures[0].target_arn.as_str(), routed.failures[0].error), (QUEUE, InvocationError::Undecided));
    assert_eq!(routed.matched, ["arn:aws:events:eu-central-1:111122223333:rule/easy"]);
}

/// The rule that all of this is for, on a record as it is delivered.
#[test]
fn requests_signed_with_version_2() {
    let seed = r#"{"source":["aws.s3"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["s3.amazonaws.com"],"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#;
    let mut buses = Buses::default();
    put_rule(&mut buses, &rule("sigv2", seed));
    put_targets(&mut buses, "sigv2", &[target("t", TOPIC)]);
    for (version, expected) in [("SigV2", 1), ("SigV4", 0), ("sigv2", 0)] {
        let event = event(&format!(
            r#"{{"eventSource":"s3.amazonaws.com","additionalEventData":{{"SignatureVersion":"{version}","AuthenticationMethod":"QueryString"}}}}"#
        ));
        let routed = buses.route(&arrival(&event)).unwrap();
        assert_eq!(routed.invocations.len(), expected, "{version}");
        assert!(routed.invocations.iter().all(|invocation| *invocation.input == event[..]));
    }
    let anonymous = event(r#"{"eventSource":"s3.amazonaws.com","additionalEventData":{}}"#);
    assert!(buses.route(&arrival(&anonymous)).unwrap().invocations.is_empty());
}

fn pattern() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "\"a\"",
        "\"b\"",
        "1",
        "true",
        "null",
        "{\"prefix\":\"a\"}",
        "{\"exists\":false}",
        "{\"anything-but\":\"a\"}",
        "{\"numeric\":[\">\",0]}",
        "{\"wildcard\":\"*b\"}",
        "{\"equals-ignore-case\":\"A\"}",
    ]);
    let leaf = prop::collection::vec(value, 1..3).prop_map(|values| format!("[{}]", values.join(",")));
    prop::collection::btree_map(prop::sample::select(vec!["x", "y", "z"]), leaf, 1..3).prop_map(|fields| {
        let fields: Vec<_> = fields.iter().map(|(name, leaf)| format!("\"{name}\":{leaf}")).collect();
        format!("{{\"detail\":{{{}}}}}", fields.join(","))
    })
}

fn detail() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec!["\"a\"", "\"ab\"", "\"b\"", "1", "0", "true", "null", "[\"a\",\"b\"]", "[]"]);
    prop::collection::btree_map(prop::sample::select(vec!["x", "y", "z"]), value, 0..4).prop_map(|fields| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #[test]
    fn a_rule_matches_what_its_pattern_matches_alone(
        patterns in prop::collection::vec(pattern(), 1..8),
        replaced in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        detail in detail(),
    ) {
        let mut buses = Buses::default();
        let mut current = patterns.clone();
        for (index, pattern) in patterns.iter().enumerate() {
            put_rule(&mut buses, &rule(&index.to_string(), pattern));
        }
        for index in replaced {
            let index = index.index(current.len());
            current[index] = patterns[patterns.len() - 1].clone();
            put_rule(&mut buses, &rule(&index.to_string(), &current[index]));
        }
        let event = event(&detail);
        let routed = buses.route(&arrival(&event)).unwrap();
        let expected: Vec<String> = current
            .iter()
            .enumerate()
            .filter(|(_, pattern)| Pattern::compile(pattern).unwrap().matches(&event).unwrap())
            .map(|(index, _)| format!("arn:aws:events:eu-central-1:111122223333:rule/{index}"))
            .collect();
        prop_assert_eq!(routed.matched, expected);
    }
}
