//! Any bytes as an event: strict matching takes what a second JSON reader takes, loose matching never answers otherwise.

#![no_main]

use std::sync::LazyLock;

use event_pattern::{Explanation, Matcher, Pattern, validate};
use libfuzzer_sys::fuzz_target;

const PATTERNS: [&str; 7] = [
    r#"{"a":[1]}"#,
    r#"{"a":{"b":[{"exists":true}]},"b":[{"exists":false}]}"#,
    r#"{"c":[{"prefix":"x"}]}"#,
    r#"{"":[{"anything-but":"x"}],"a.a":[{"wildcard":"*a*"}]}"#,
    r#"{"a":{"a":{"a":[true,null]},"b":[{"numeric":[">",0]}]}}"#,
    r#"{"$or":[{"é":[{"equals-ignore-case":"é"}]},{"\"":[{"cidr":"10.0.0.0/8"}]}]}"#,
    r#"{"none":[{"exists":false}]}"#,
];

static RULES: LazyLock<Matcher<usize>> = LazyLock::new(|| {
    let mut rules = Matcher::new();
    for (key, pattern) in PATTERNS.iter().enumerate() {
        rules.add(key, Pattern::compile(pattern).expect("valid"));
    }
    rules
});

fuzz_target!(|event: &[u8]| {
    let expected = std::str::from_utf8(event).is_ok_and(|text| {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() && text.trim_start().starts_with('{')
    });
    assert_eq!(validate(event).is_ok(), expected, "{:?}", validate(event));
    let mut one_by_one = Vec::new();
    for (&key, pattern) in RULES.iter() {
        let (loose, strict) = (pattern.matches(event), pattern.matches_strict(event));
        assert_eq!(strict.is_ok(), expected, "{key}: {strict:?}");
        if strict.is_ok() || loose.is_err() {
            assert_eq!(loose, strict, "{key}");
        }
        let explained = pattern.explain(event).map(|explanation| matches!(explanation, Explanation::Match(_)));
        // Explaining reads what matching may leave unread.
        if explained.is_ok() {
            assert_eq!(explained, loose, "{key}");
        }
        one_by_one.extend((strict == Ok(true)).then_some(key));
    }
    let mut found = Vec::new();
    assert_eq!(RULES.matches_strict(event, &mut found).is_ok(), expected);
    assert_eq!(found, one_by_one);
});
