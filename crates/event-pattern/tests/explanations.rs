//! What is said of an event that matches, and of one that does not.

mod oracle;

use event_pattern::{EventError, Explanation, FieldMatch, Mismatch, Pattern};
use proptest::prelude::*;
use serde_json::{Value, json};

fn explain(pattern: &str, event: &str) -> Explanation {
    let pattern = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    pattern.explain(event.as_bytes()).expect("an event")
}

fn said(pattern: &str, event: &str) -> String {
    explain(pattern, event).to_string()
}

/// The fields that made the event match, each with its values or `-` where it is missing.
fn matched(pattern: &str, event: &str) -> String {
    let Explanation::Match(fields) = explain(pattern, event) else { panic!("{pattern} does not match {event}") };
    let shown = fields.iter().map(|field| match field.values.as_slice() {
        [] => format!("{} -", field.field),
        values => format!("{} {}", field.field, values.join(" ")),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn says_what_failed() {
    let rule = r#"{"source":["aws.s3"],"l":{"x":[1],"y":[2]},"$or":[{"d":[{"exists":false}]},{"e":["\u0065"]}]}"#;
    assert_eq!(
        said(rule, r#"{"source":"aws.ec2","l":[{"x":1},{"y":2}],"d":[1,"q\n"]}"#),
        "d: is 1, \"q\\u000a\", asked for [{\"exists\":false}]; source: is \"aws.ec2\", asked for [\"aws.s3\"] \
         | or e: is missing, asked for [\"\\u0065\"]; source: is \"aws.ec2\", asked for [\"aws.s3\"]"
    );
    let Explanation::NoMatch(mismatches) = explain(rule, r#"{"source":"aws.s3","l":[{"x":1},{"y":2}]}"#) else {
        panic!("it matches")
    };
    assert_eq!(mismatches[0], Mismatch::DifferentElements(["d", "l.x", "l.y", "source"].map(str::to_owned).into()));
}

#[test]
fn says_which_value_should_be_missing() {
    let failed = |pattern: &str, event: &str| {
        let Explanation::NoMatch(mismatches) = explain(pattern, event) else { panic!("it matches") };
        let [Mismatch::Fields(fields)] = mismatches.as_slice() else { panic!("{mismatches:?}") };
        fields.iter().map(|field| field.field.clone()).collect::<Vec<_>>()
    };
    let rule = r#"{"l":{"x":[1],"y":[3],"z":[{"exists":false}]}}"#;
    assert_eq!(failed(rule, r#"{"l":[{"x":1,"y":3,"z":2},{"x":2,"y":3}]}"#), ["l.z"]);
    // Here z fails only if x and y hold, and y does not.
    assert_eq!(failed(rule, r#"{"l":[{"x":1},{"z":2},{"y":4}]}"#), ["l.y"]);
    assert_eq!(failed(rule, r#"{"l":{"x":1,"y":4,"z":2}}"#), ["l.y", "l.z"]);
    assert_eq!(failed(r#"{"l":{"x":[{"exists":false}],"y":[3]}}"#, r#"{"l":[{"x":1},{"y":2}]}"#), ["l.x", "l.y"]);
}

#[test]
fn says_what_matched() {
    let rule = r#"{"source":["aws.s3"],"detail":{"size":[{"numeric":[">",1]},"big"],"gone":[{"exists":false}]}}"#;
    assert_eq!(
        said(rule, r#"{"source":"aws.s3","detail":{"size":[0,2,"big",3e0]},"other":1}"#),
        "detail.gone: is missing, as asked by [{\"exists\":false}]; \
         detail.size: is 2, \"big\", 3e0, as asked by [{\"numeric\":[\">\",1]},\"big\"]; \
         source: is \"aws.s3\", as asked by [\"aws.s3\"]"
    );
    let pretty = "{\r\n  \"a\": [\r\n    \"x y\",\n    { \"prefix\": \"z\" }\n  ]\n}";
    assert_eq!(said(pretty, r#"{"a":"zz"}"#), r#"a: is "zz", as asked by ["x y",{ "prefix": "z" }]"#);
    assert_eq!(said(pretty, r#"{"a":"y"}"#), r#"a: is "y", asked for ["x y",{ "prefix": "z" }]"#);
}

#[test]
fn shows_a_part_of_what_is_long() {
    let numbers: Vec<String> = (0..12).map(|number: u8| number.to_string()).collect();
    let event = format!(r#"{{"a":[{}],"b":"{}"}}"#, numbers.join(","), "é".repeat(300));
    let Explanation::Match(fields) = explain(r#"{"a":[{"exists":true}],"b":[{"exists":true}]}"#, &event) else {
        panic!("it does not match")
    };
    assert_eq!((fields[0].values.as_slice(), fields[0].more), (&numbers[..10], 2));
    assert_eq!(fields[1].values, [format!("\"{}…\"", "é".repeat(200))]);
    assert!(fields[0].to_string().starts_with("a: is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more, as asked by"));
}

#[test]
fn matching_values_are_of_the_same_elements() {
    let both = r#"{"l":{"x":[1,2],"y":[{"prefix":"a"}]}}"#;
    assert_eq!(matched(both, r#"{"l":[{"x":1},{"y":"a1"},{"x":2,"y":"a2"},{"x":1,"y":"a3"}]}"#), r#"l.x 2, l.y "a2""#);
    let deep = r#"{"l":[[{"x":1},{"y":"a1"}],[{"x":[3,2,1],"y":["b","a2"]}]]}"#;
    assert_eq!(matched(both, deep), r#"l.x 2 1, l.y "a2""#);
    let missing = r#"{"l":{"x":[1],"z":[{"exists":false}]}}"#;
    assert_eq!(matched(missing, r#"{"l":[{"x":1,"z":1},{"z":2},{"x":1}]}"#), "l.x 1, l.z -");
    let either = r#"{"l":{"x":[{"exists":true}],"z":[5,{"exists":false}]}}"#;
    assert_eq!(matched(either, r#"{"l":[{"x":1,"z":4},{"x":2,"z":5}]}"#), "l.x 2, l.z 5");
    assert_eq!(matched(either, r#"{"l":[{"x":1},{"x":2,"z":5}]}"#), "l.x 1, l.z -");
}

#[test]
fn the_first_branch_that_holds_is_told() {
    let rule = r#"{"a":[1],"$or":[{"b":[1]},{"l":{"x":[1],"y":[1]}},{"c":[1,2]},{"c":[2]}]}"#;
    let event = r#"{"a":1,"b":2,"l":[{"x":1},{"y":1}],"c":2}"#;
    let Explanation::Match(fields) = explain(rule, event) else { panic!("it does not match") };
    let field = |name: &str, asked: &str, value: &str| FieldMatch {
        field: name.to_owned(),
        asked: asked.to_owned(),
        values: vec![value.to_owned()],
        more: 0,
    };
    assert_eq!(fields, [field("a", "[1]", "1"), field("c", "[1,2]", "2")]);
}

#[test]
fn long_arrays_are_explained() {
    let elements = |count: usize| {
        (0..count).map(|at| format!("{{\"x\":{},\"y\":{}}}", at % 2, at / (count - 1))).collect::<Vec<_>>().join(",")
    };
    let event = format!("{{\"l\":[{}]}}", elements(100_000));
    assert_eq!(matched(r#"{"l":{"x":[0,1],"y":[1]}}"#, &event), "l.x 1, l.y 1");
}

#[test]
fn what_takes_too_long_is_said() {
    let elements: Vec<_> = (0..5_000).map(|at| format!("{{\"x\":{at},\"y\":1,\"z\":1}}")).collect();
    let event = format!("{{\"l\":[{}]}}", elements.join(","));
    let pattern = Pattern::compile(r#"{"l":{"x":[{"exists":true}],"y":[1],"z":[{"exists":false},2]}}"#).expect("valid");
    assert_eq!(pattern.explain(event.as_bytes()), Err(EventError::Undecided { rules: 1 }));
}

/// Objects in arrays in arrays, with few names.
fn event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => Just(json!(0)), 1 => Just(json!([0, 0])), 1 => Just(json!([[0], [0, 0]]))];
    let fields = prop::collection::vec((prop::sample::select(vec!["x", "y", "z"]), leaf), 0..4);
    let object = fields.prop_map(|fields| Value::Object(fields.into_iter().map(own).collect()));
    object.prop_recursive(2, 40, 5, |inner| {
        let list = prop::collection::vec(inner, 1..5).prop_map(Value::Array);
        (list, prop::option::of(Just(json!(0)))).prop_map(|(list, x)| match x {
            None => json!({ "l": list }),
            Some(x) => json!({ "x": x, "l": list }),
        })
    })
}

fn own((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

/// Gives each scalar a value that no other has.
fn number(value: &mut Value, next: &mut u32) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| number(value, next)),
        Value::Array(elements) => elements.iter_mut().for_each(|value| number(value, next)),
        scalar => {
            *next += 1;
            *scalar = json!(format!("{}{next}", ["a", "b"][*next as usize % 2]));
        }
    }
}

fn asks() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!([{"prefix": "a"}]),
        json!([{"prefix": "b"}]),
        json!([{"exists": true}]),
        json!([{"exists": false}]),
        json!([{"prefix": "a"}, {"exists": false}]),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The event also matches a pattern that asks for nothing but the values that are told.
    #[test]
    fn what_is_told_matches(
        mut event in event(),
        asked in prop::collection::vec(("l\\.l\\.[xyz]|l\\.[xyz]|x", asks()), 2..5),
    ) {
        number(&mut event, &mut 0);
        let asked = Value::Object(asked.into_iter().collect());
        let explained = explain(&asked.to_string(), &event.to_string());
        prop_assert_eq!(matches!(explained, Explanation::Match(_)), oracle::matches(&asked, &event));
        let Explanation::Match(fields) = explained else { return Ok(()) };
        prop_assert_eq!(fields.len(), asked.as_object().expect("an object").len());
        for which in [<[String]>::first, <[String]>::last] {
            let told = fields.iter().map(|field| {
                let value = which(&field.values).map(|value| serde_json::from_str(value).expect("JSON"));
                (field.field.clone(), json!([value.unwrap_or(json!({"exists": false}))]))
            });
            let told = Value::Object(told.collect());
            prop_assert!(oracle::matches(&told, &event), "{} does not match {}", told, event);
        }
    }
}
