//! Random patterns and events: against a second matcher, and many rules against one at a time.

mod oracle;

use std::fmt::Write as _;

use event_pattern::{Explanation, Matcher, Pattern};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Few names and few values, so that things meet.
const NAMES: [&str; 4] = ["a", "b", "c", "z"];
const TEXTS: [&str; 11] = ["", "x", "xy", "yx", "XY", "a*b", "aab", "5", "10.0.0.1", "::1", "0:0::1"];
const NUMBERS: [&str; 5] = ["0", "1", "1.0", "5", "-2.5"];

fn text() -> impl Strategy<Value = Value> {
    prop::sample::select(&TEXTS[..]).prop_map(Value::from)
}

fn number() -> impl Strategy<Value = Value> {
    prop::sample::select(&NUMBERS[..]).prop_map(|literal| serde_json::from_str(literal).expect("a number"))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![4 => text(), 2 => number(), 1 => any::<bool>().prop_map(Value::from), 1 => Just(Value::Null)]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["a.b", "b.c", "a.b.c"]).prop_map(str::to_owned)
    ]
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), value), 1..4).prop_map(|fields| Value::Object(Map::from_iter(fields)))
}

fn event() -> impl Strategy<Value = Value> {
    let value = scalar().prop_recursive(
        5,
        40,
        4,
        |inner| prop_oneof![2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array), 3 => fields(inner)],
    );
    fields(value)
}

fn wildcard() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["*", "x*", "*y", "a*b", "*a*", "a\\*b", "x", "*x*y*", "*a*b"]).prop_map(Value::from)
}

fn operator() -> impl Strategy<Value = Value> {
    let shape = || prop::sample::select(vec!["x", "y", "xy", "X", "a"]);
    prop_oneof![
        6 => scalar(),
        1 => text().prop_map(|text| json!({"prefix": text})),
        1 => text().prop_map(|text| json!({"suffix": text})),
        1 => text().prop_map(|text| json!({"equals-ignore-case": text})),
        1 => text().prop_map(|text| json!({"prefix": {"equals-ignore-case": text}})),
        1 => text().prop_map(|text| json!({"suffix": {"equals-ignore-case": text}})),
        1 => wildcard().prop_map(|text| json!({"wildcard": text})),
        1 => prop_oneof![Just(json!(["<", 1])), Just(json!([">=", 1])), Just(json!(["=", 5])), Just(json!([">", -3, "<=", 0]))]
            .prop_map(|range| json!({"numeric": range})),
        1 => text().prop_map(|text| json!({"anything-but": text})),
        1 => prop::collection::vec(number(), 1..3).prop_map(|list| json!({"anything-but": list})),
        1 => shape().prop_map(|text| json!({"anything-but": {"prefix": text}})),
        1 => (shape(), shape()).prop_map(|(one, two)| json!({"anything-but": {"suffix": [one, two]}})),
        1 => shape().prop_map(|text| json!({"anything-but": {"equals-ignore-case": text}})),
        1 => wildcard().prop_map(|text| json!({"anything-but": {"wildcard": text}})),
        1 => prop::collection::vec("[a-z]{1,2}", 9..14).prop_map(|list| json!({"anything-but": list})),
        1 => prop::sample::select(vec!["10.0.0.0/8", "::/64"]).prop_map(|block| json!({"cidr": block})),
        1 => Just(json!({"exists": true})),
        3 => Just(json!({"exists": false})),
    ]
}

fn pattern() -> impl Strategy<Value = Value> {
    let leaf = prop::collection::vec(operator(), 1..4).prop_map(Value::Array);
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            4 => fields(inner.clone()),
            1 => (prop::collection::vec(fields(inner.clone()), 2..4), fields(inner))
                .prop_map(|(branches, mut beside)| { beside["$or"] = Value::Array(branches); beside })
        ]
    })
    .prop_filter_map("a pattern is an object", |value| value.is_object().then_some(value))
}

/// Makes one field of a pattern ask for something that the event has, so that matches are not rare.
fn bend(pattern: &mut Value, event: &Value) {
    let (Some(pattern), Some(event)) = (pattern.as_object_mut(), event.as_object()) else { return };
    for (name, asked) in pattern {
        match (asked, event.get(name)) {
            (Value::Array(asked), Some(value)) if name != "$or" && !value.is_object() && !value.is_array() => {
                asked.push(value.clone());
            }
            (asked @ Value::Object(_), Some(value @ Value::Object(_))) => bend(asked, value),
            (asked @ Value::Object(_), Some(Value::Array(list))) if !list.is_empty() => {
                bend(asked, &list[list.len() - 1]);
            }
            _ => {}
        }
    }
}

/// Arrays within arrays of objects that share names, some of them repeated by a name with a point.
fn grid() -> impl Strategy<Value = Value> {
    let leaf = || {
        prop_oneof![
            (0..2).prop_map(Value::from),
            prop::collection::vec((0..2).prop_map(Value::from), 0..2).prop_map(Value::Array)
        ]
    };
    let object =
        prop::collection::vec(("[xyz]", leaf()), 0..4).prop_map(|fields| Value::Object(Map::from_iter(fields)));
    object.prop_recursive(4, 60, 4, |inner| {
        prop::collection::vec((prop_oneof!["[pl]", "[pl]\\.[xyz]"], prop::collection::vec(inner.clone(), 0..4)), 1..3)
            .prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, list)| (name, Value::Array(list))).collect())
            })
    })
}

fn asks() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!([0]),
        json!([1]),
        json!([0, 1]),
        json!([{"exists": false}]),
        json!([0, {"exists": false}]),
        json!([{"exists": true}]),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_oracle(mut pattern in pattern(), event in event()) {
        bend(&mut pattern, &event);
        let compiled = Pattern::compile(&pattern.to_string()).expect("a valid pattern");
        let text = event.to_string();
        let answer = compiled.matches(text.as_bytes()).expect("a valid event");
        prop_assert_eq!(answer, oracle::matches(&pattern, &event));
        // Laid out differently and with every character of every text escaped, it is the same event.
        let answer = compiled.matches(escape(&serde_json::to_string_pretty(&event).expect("json")).as_bytes());
        prop_assert_eq!(answer.expect("a valid event"), oracle::matches(&pattern, &event));
        let explained = compiled.explain(text.as_bytes()).expect("a valid event");
        prop_assert_eq!(matches!(explained, Explanation::Match(_)), oracle::matches(&pattern, &event));
    }

    #[test]
    fn arrays_of_objects_agree_with_the_oracle(event in grid(), pattern in prop::collection::vec(("[pl]\\.[pl]\\.[xyz]|[pl]\\.[xyz]|[xyz]", asks()), 1..5)) {
        let pattern = Value::Object(pattern.into_iter().collect());
        let compiled = Pattern::compile(&pattern.to_string()).expect("a valid pattern");
        let answer = compiled.matches(event.to_string().as_bytes()).expect("a valid event");
        prop_assert_eq!(answer, oracle::matches(&pattern, &event));
    }

    #[test]
    fn compiling_and_matching_never_panic(pattern in ".{0,60}", event in "[\\[\\]{}\",:\\\\a0-9etrufalsn \u{7f}-\u{ff}]{0,60}") {
        let _ = Pattern::compile(&pattern);
        let _ = Pattern::compile(&event);
        let any = Pattern::compile(r#"{"a":[1],"":[{"exists":false}]}"#).expect("valid");
        let _ = any.matches(event.as_bytes());
        let _ = any.matches(format!("{{\"a\":{event}}}").as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_rules_answer_as_one_at_a_time(
        patterns in prop::collection::vec(pattern(), 1..140),
        events in prop::collection::vec(event(), 1..6),
        removed in prop::collection::vec(any::<bool>(), 140),
    ) {
        let patterns: Vec<Pattern> = patterns.iter().map(|pattern| Pattern::compile(&pattern.to_string()).expect("valid")).collect();
        let mut matcher = Matcher::new();
        for (key, pattern) in patterns.iter().enumerate() {
            matcher.add(key, pattern.clone());
        }
        compare(&matcher, &events)?;
        for (key, _) in removed.iter().enumerate().filter(|(_, removed)| **removed) {
            matcher.remove(&key);
        }
        compare(&matcher, &events)?;
        for (key, pattern) in patterns.iter().enumerate() {
            matcher.add(key, pattern.clone());
        }
        compare(&matcher, &events)?;
    }
}

fn compare(matcher: &Matcher<usize>, events: &[Value]) -> Result<(), TestCaseError> {
    let mut found = Vec::new();
    for event in events {
        let event = event.to_string();
        matcher.matches(event.as_bytes(), &mut found).expect("a valid event");
        let one_by_one =
            matcher.iter().filter(|(_, pattern)| pattern.matches(event.as_bytes()).expect("a valid event"));
        let one_by_one: Vec<usize> = one_by_one.map(|(&key, _)| key).collect();
        prop_assert_eq!(&found, &one_by_one);
    }
    Ok(())
}

/// Writes each letter inside of texts as an escape.
fn escape(json: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for character in json.chars() {
        inside ^= character == '"';
        if inside && character.is_ascii_alphanumeric() {
            write!(out, "\\u{:04x}", u32::from(character)).expect("a String takes all");
        } else {
            out.push(character);
        }
    }
    out
}
