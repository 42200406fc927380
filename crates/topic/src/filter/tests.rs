//! Filter policies: what passes, and what is no policy.

use std::collections::BTreeMap;

use aws_api::Blob;
use aws_api::sns::MessageAttributeValue;

use super::*;

fn settings(policy: &str, scope: FilterPolicyScope) -> SubscriptionSettings {
    SubscriptionSettings { filter_policy: Some(policy.into()), filter_policy_scope: scope, ..<_>::default() }
}

fn attribute(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue { data_type: Some(data_type.into()), string_value: Some(value.into()), binary_value: None }
}

fn attributes(list: &[(&str, &str, &str)]) -> MessageAttributes {
    list.iter().map(|(name, data_type, value)| ((*name).to_owned(), attribute(data_type, value))).collect()
}

#[test]
fn by_attributes() {
    use Verdict::{Attributes, InvalidAttributes, NoAttributes, Passed};
    let number = |value| vec![("a", "Number", value)];
    let string = |value| vec![("a", "String", value)];
    let array = |value| vec![("a", "String.Array", value)];
    let rows = [
        (r#"{"a":["x"]}"#, string("x"), Passed),
        (r#"{"a":["x"]}"#, string("X"), Attributes),
        (r#"{"a":["x"]}"#, vec![], NoAttributes),
        (r#"{"a":["x","y"],"b":["z"]}"#, vec![("a", "String", "y"), ("b", "String", "z")], Passed),
        (r#"{"a":["x"],"b":["z"]}"#, string("x"), Attributes),
        (r#"{"a":[99.12]}"#, number("99.12"), Passed),
        (r#"{"a":[{"numeric":[">",0,"<=",100]}]}"#, number("99"), Passed),
        (r#"{"a":[{"numeric":[">",0,"<=",100]}]}"#, number("101"), Attributes),
        // A number in a String attribute is no number, and a text is no Number.
        (r#"{"a":[99]}"#, string("99"), Attributes),
        (r#"{"a":["99"]}"#, number("99"), Attributes),
        (r#"{"a":[{"exists":true}]}"#, number("1"), Passed),
        (r#"{"a":[{"exists":false}]}"#, vec![], Passed),
        (r#"{"a":[{"exists":false}]}"#, vec![("b", "String", "x")], Passed),
        (r#"{"a":["x"]}"#, array(r#"["w","x"]"#), Passed),
        (r#"{"a":[1]}"#, array(r#"["w",1]"#), Passed),
        (r#"{"a":[true]}"#, array("[true]"), Passed),
        (r#"{"a":[null]}"#, array("[null]"), Passed),
        (r#"{"a":[null]}"#, string("null"), Attributes),
        (r#"{"a":["x"]}"#, array("[[\"x\"]]"), Attributes),
        (r#"{"a":["x"]}"#, array("x"), InvalidAttributes),
        (r#"{"a":["x"]}"#, array("{}"), InvalidAttributes),
        (r#"{"a":[{"anything-but":"x"}]}"#, string("y"), Passed),
        (r#"{"a":[{"anything-but":"x"}]}"#, vec![("b", "String", "y")], Attributes),
        (r#"{"a":[{"prefix":"x"},{"suffix":"z"}]}"#, string("yz"), Passed),
        (r#"{"a":[{"equals-ignore-case":"X"}]}"#, string("x"), Passed),
        (r#"{"a":[{"cidr":"10.0.0.0/24"}]}"#, string("10.0.0.255"), Passed),
        (r#"{"a":[{"cidr":"10.0.0.0/24"}]}"#, string("10.1.1.0"), Attributes),
        (r#"{"a.b":["x"]}"#, vec![("a.b", "String", "x")], Passed),
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, vec![("b", "String", "y")], Passed),
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, vec![("b", "String", "x")], Attributes),
    ];
    for (policy, list, expected) in rows {
        let filter = Filter::of(&settings(policy, FilterPolicyScope::MessageAttributes)).unwrap().unwrap();
        assert_eq!(filter.judge("{\"a\":\"x\"}", &attributes(&list)), expected, "{policy} {list:?}");
    }
}

#[test]
fn binary_attributes_are_not_there() {
    let binary = MessageAttributeValue {
        data_type: Some("Binary".into()),
        binary_value: Some(Blob(b"x".to_vec())),
        ..<_>::default()
    };
    let filter =
        Filter::of(&settings(r#"{"a":[{"exists":true}]}"#, FilterPolicyScope::MessageAttributes)).unwrap().unwrap();
    assert_eq!(filter.judge("", &BTreeMap::from([("a".into(), binary)])), Verdict::Attributes);
}

#[test]
fn by_body() {
    use Verdict::{Body, InvalidBody, Passed};
    let rows = [
        (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"x"}}"#, Passed),
        (r#"{"a":{"b":["x"]}}"#, r#" {"a":{"b":["w","x"]}}"#, Passed),
        (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"y"}}"#, Body),
        (r#"{"a.b":["x"]}"#, r#"{"a":{"b":"x"}}"#, Passed),
        (r#"{"a":["x"]}"#, r#"{"a":"x"#, InvalidBody),
        (r#"{"a":["x"]}"#, r#"{"a":"x","b":[1,}"#, InvalidBody),
        (r#"{"a":["x"]}"#, r#"{"a":"x"} y"#, InvalidBody),
        (r#"{"a":["x"]}"#, r#"["x"]"#, InvalidBody),
        (r#"{"a":["x"]}"#, "x", InvalidBody),
        (r#"{"a":[{"exists":false}]}"#, "{}", Passed),
    ];
    for (policy, body, expected) in rows {
        let filter = Filter::of(&settings(policy, FilterPolicyScope::MessageBody)).unwrap().unwrap();
        assert_eq!(filter.judge(body, &attributes(&[("a", "String", "x")])), expected, "{policy} {body}");
    }
}

#[test]
fn an_empty_policy_lets_everything_through() {
    for scope in [FilterPolicyScope::MessageAttributes, FilterPolicyScope::MessageBody] {
        assert!(Filter::of(&settings("{}", scope)).unwrap().is_none());
    }
}

fn of_values(counts: &[usize]) -> String {
    let keys: Vec<_> =
        (b'a'..).zip(counts).map(|(name, n)| format!("\"{}\":{:?}", name as char, vec!["v"; *n])).collect();
    format!("{{{}}}", keys.join(","))
}

#[test]
fn limits() {
    let too_complex = Some("FilterPolicy: Filter policy is too complex");
    let too_many = Some("FilterPolicy: Filter policy can not have more than 5 keys");
    let rows = [
        (of_values(&[1, 1, 1, 1, 1]), None),
        (of_values(&[1, 1, 1, 1, 1, 1]), too_many),
        (of_values(&[10, 15]), None),
        (of_values(&[150]), None),
        (of_values(&[151]), too_complex),
        (of_values(&[2, 76]), too_complex),
        // 3 × 4 × 2 × 3: "Filter policy constraints in Amazon SNS".
        (r#"{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]}}"#.into(), None),
        // The same, times three.
        (r#"{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]},"f":["1","2","3"]}"#.into(), too_complex),
        // Five leaves are five keys, wherever they stand.
        (r#"{"a":{"b":["1"],"c":["1"],"d":["1"]},"e":["1"],"f":["1"]}"#.into(), None),
        (r#"{"a":{"b":["1"],"c":["1"],"d":["1"]},"e":["1"],"f":["1"],"g":["1"]}"#.into(), too_many),
        (r#"{"$or":[{"a":["1"],"b":["1"]},{"c":["1"],"d":["1"],"e":["1"]}],"f":["1"],"g":["1"]}"#.into(), None),
        (format!(r#"{{"$or":[{},{}]}}"#, of_values(&[75]), of_values(&[75])), None),
        (format!(r#"{{"$or":[{},{}]}}"#, of_values(&[75]), of_values(&[76])), too_complex),
    ];
    for (policy, expected) in rows {
        let compiled = Filter::of(&settings(&policy, FilterPolicyScope::MessageBody));
        assert_eq!(compiled.err().map(|reason| reason.0).as_deref(), expected, "{policy}");
    }
}

#[test]
fn no_policies() {
    let rows = [
        ("x", "failed to parse JSON."),
        ("[]", "Filter is not an object"),
        (r#"{"a":[]}"#, "Empty arrays are not allowed"),
        (r#"{"a":[{"foo":"x"}]}"#, "Unrecognized match type foo"),
        (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a":[["x"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a":[{"exists":1}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a":[{"exactly":"x"}]}"#, "Unrecognized match type exactly"),
    ];
    for (policy, expected) in rows {
        let reason = Filter::of(&settings(policy, FilterPolicyScope::MessageAttributes)).unwrap_err().0;
        assert!(reason.starts_with(&format!("FilterPolicy: {expected}")), "{policy}: {reason}");
    }
    let long = format!("{{\"a\":[\"{}\"]}}", "x".repeat(FILTER_POLICY_LEN_MAX));
    let reason = Filter::of(&settings(&long, FilterPolicyScope::MessageBody)).unwrap_err().0;
    assert_eq!(reason, "FilterPolicy: Filter policy can not be larger than 262144 bytes");
}
