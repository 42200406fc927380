//! What is a JSON object, by a second reader: strict matching takes exactly that, loose matching never answers otherwise.

use event_pattern::{Pattern, validate};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        prop::sample::select(vec!["0", "-1", "12.5e3", "1E-2", "100"])
            .prop_map(|number| serde_json::from_str(number).expect("a number")),
        "[a-z\"\\\\/\u{8}\n é😀{}\\[\\],:]{0,40}".prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 80, 8, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array), object(inner)]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof!["[a-c]", "[a-c.\"é]{0,12}"];
    prop::collection::vec((name, value), 0..6).prop_map(|fields| Value::Object(Map::from_iter(fields)))
}

/// White space at random places outside of texts, so that tokens stand apart and at the edges of blocks.
fn spread(json: &str, gaps: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut gaps = gaps.iter().cycle();
    let (mut inside, mut escaped) = (false, false);
    for byte in json.bytes() {
        let structural = b"{}[]:,".contains(&byte) && !inside;
        let mut gap = || {
            let &gap = gaps.next().unwrap_or(&0);
            if gap > 200 { b" \n\r\t".repeat(usize::from(gap - 200) / 4 + 1) } else { Vec::new() }
        };
        if structural {
            out.extend(gap());
        }
        out.push(byte);
        if structural {
            out.extend(gap());
        }
        inside ^= byte == b'"' && !escaped;
        escaped = inside && byte == b'\\' && !escaped;
    }
    out
}

/// One small mistake, or none.
fn spoil(event: &mut Vec<u8>, (how, place, byte): (u8, prop::sample::Index, u8)) {
    let at = place.index(event.len());
    match how {
        0 => event[at] = byte,
        1 => event.insert(at, byte),
        2 => drop(event.remove(at)),
        3 => event.truncate(at),
        _ => {}
    }
}

fn agree(event: &[u8]) -> Result<(), TestCaseError> {
    let expected = std::str::from_utf8(event).is_ok_and(|text| {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() && text.trim_start().starts_with('{')
    });
    let text = String::from_utf8_lossy(event);
    prop_assert_eq!(validate(event).is_ok(), expected, "{} {:?}", text, validate(event));
    let patterns =
        [r#"{"a":[1]}"#, r#"{"a":{"b":[{"exists":true}]},"b":[{"exists":false}]}"#, r#"{"c":[{"prefix":"x"}]}"#];
    for pattern in patterns.map(|pattern| Pattern::compile(pattern).expect("valid")) {
        let strict = pattern.matches_strict(event);
        prop_assert_eq!(strict.is_ok(), expected, "{} {:?}", text, strict);
        match (pattern.matches(event), strict) {
            (Ok(loose), Ok(strict)) => prop_assert_eq!(loose, strict),
            (Err(error), Ok(_)) => prop_assert!(false, "{} {:?}", text, error),
            (Err(loose), Err(strict)) => prop_assert_eq!(loose, strict),
            (Ok(_), Err(_)) => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_takes_json_objects_and_nothing_else(
        event in object(value()),
        gaps in prop::collection::vec(any::<u8>(), 1..40),
        mistake in (0..6_u8, any::<prop::sample::Index>(), prop_oneof![any::<u8>(), prop::sample::select(b"{}[],:\"\\0-. ".to_vec())]),
    ) {
        let mut event = spread(&event.to_string(), &gaps);
        spoil(&mut event, mistake);
        agree(&event)?;
    }

    #[test]
    fn tokens_in_any_order(tokens in prop::collection::vec(prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"a\"", "\"\"", "1", "null", "{\"a\":", "\"b\":", " "]), 0..12)) {
        agree(format!("{{{}}}", tokens.concat()).as_bytes())?;
    }
}
