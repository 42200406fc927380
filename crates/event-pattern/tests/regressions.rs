//! Cases that are easy to get wrong, and what fuzzing found: each pattern alone, and sets of patterns together.

mod oracle;

use event_pattern::{Matcher, Pattern, PatternErrorKind};
use serde_json::Value;

/// A pattern, an event, and whether they match.
const CASES: &[(&str, &str, bool)] = &[
    // `exists: false` sees the elements that names sorted before it have chosen, and no others.
    (r#"{"l":{"x":[1],"y":[{"exists":false}]}}"#, r#"{"l":[{"x":1},{"y":2}]}"#, true),
    (r#"{"l":{"x":[1],"a":[{"exists":false}]}}"#, r#"{"l":[{"x":1},{"a":2}]}"#, false),
    (r#"{"l":{"x":[1],"y":[{"exists":false}]}}"#, r#"{"l":[{"x":1,"y":2}]}"#, false),
    (r#"{"a":[{"exists":false}]}"#, r#"{"a":{}}"#, true),
    (r#"{"a":[{"exists":false}]}"#, r#"{"a":[]}"#, true),
    (r#"{"a":[{"exists":false}]}"#, r#"{"a":{"b":1}}"#, true),
    (r#"{"a":[{"exists":false}]}"#, r#"{"a":null}"#, false),
    (r#"{"a":[{"exists":true}]}"#, r#"{"a":null}"#, true),
    (r#"{"a":[{"exists":true}]}"#, r#"{"a":{"b":1}}"#, false),
    // Ignoring case, a character of the pattern stands for its two cases, and not the other way round.
    (r#"{"a":[{"equals-ignore-case":"straße"}]}"#, r#"{"a":"STRASSE"}"#, true),
    (r#"{"a":[{"equals-ignore-case":"STRASSE"}]}"#, r#"{"a":"straße"}"#, false),
    ("{\"a\":[{\"equals-ignore-case\":\"\u{212a}\"}]}", r#"{"a":"k"}"#, true),
    (r#"{"a":[{"equals-ignore-case":"k"}]}"#, "{\"a\":\"\u{212a}\"}", false),
    (r#"{"a":[{"equals-ignore-case":"σ"}]}"#, r#"{"a":"ς"}"#, false),
    (r#"{"a":[{"equals-ignore-case":"😀"}]}"#, r#"{"a":"😀"}"#, false),
    // Numbers that no double holds exactly equal their own text, and compare with nothing.
    (r#"{"a":[300]}"#, r#"{"a":3e2}"#, true),
    (r#"{"a":[0]}"#, r#"{"a":-0.0}"#, true),
    (r#"{"a":[9007199254740993]}"#, r#"{"a":9007199254740993}"#, true),
    (r#"{"a":[9007199254740993]}"#, r#"{"a":9007199254740992}"#, false),
    (r#"{"a":[9007199254740993]}"#, r#"{"a":9007199254740993.0}"#, false),
    (r#"{"a":[1e400]}"#, r#"{"a":1e400}"#, true),
    (r#"{"a":[1e400]}"#, r#"{"a":1E400}"#, false),
    (r#"{"a":[{"numeric":[">",0]}]}"#, r#"{"a":1e400}"#, false),
    (r#"{"a":[{"anything-but":1}]}"#, r#"{"a":1e400}"#, true),
    (r#"{"a":[4.9e-324]}"#, r#"{"a":5e-324}"#, true),
    (r#"{"a":[5]}"#, r#"{"a":"5"}"#, false),
    (r#"{"a":["true"]}"#, r#"{"a":true}"#, false),
    (r#"{"a":[null]}"#, r#"{"a":"null"}"#, false),
    // Texts that are addresses compare as addresses, but not where they are refused.
    (r#"{"a":["::1"]}"#, r#"{"a":"0:0:0:0:0:0:0:1"}"#, true),
    (r#"{"a":["10.0.0.1"]}"#, r#"{"a":"::ffff:a00:1"}"#, true),
    (r#"{"a":["10.0.0.1"]}"#, r#"{"a":"10.0.0.01"}"#, false),
    (r#"{"a":[{"exactly":"::1"}]}"#, r#"{"a":"0:0:0:0:0:0:0:1"}"#, false),
    (r#"{"a":[{"anything-but":"::1"}]}"#, r#"{"a":"0:0:0:0:0:0:0:1"}"#, true),
    (r#"{"a":[{"cidr":"10.0.0.77/8"}]}"#, r#"{"a":"10.255.255.255"}"#, true),
    (r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#, r#"{"a":"11.0.0.0"}"#, false),
    (r#"{"a":[{"cidr":"0.0.0.0/0"}]}"#, r#"{"a":5}"#, false),
    (r#"{"a":[{"cidr":"::/1"}]}"#, r#"{"a":"10.0.0.1"}"#, false),
    // Names with points are paths, on either side; of two on one path the last asks, and all values count.
    (r#"{"a.b":[1]}"#, r#"{"a":{"b":1}}"#, true),
    (r#"{"a":{"b":[1]}}"#, r#"{"a.b":1}"#, true),
    (r#"{"a":{"b":[1]},"a.b":[2]}"#, r#"{"a":{"b":2}}"#, true),
    (r#"{"a":{"b":[1]},"a.b":[2]}"#, r#"{"a":{"b":1}}"#, false),
    (r#"{"a":{"b":[1]}}"#, r#"{"a.b":2,"a":{"b":1}}"#, true),
    // An empty name before all others leaves no point in patterns, but does in events.
    (r#"{"":{"a":[1]}}"#, r#"{"a":1}"#, true),
    (r#"{"":{"a":[1]}}"#, r#"{"":{"a":1}}"#, false),
    (r#"{"a":[1]}"#, r#"{"":[{"a":1}]}"#, false),
    (r#"{".a":[1]}"#, r#"{"":[[{"a":1}]]}"#, true),
    (r#"{"a":{"":[1]}}"#, r#"{"a.":1}"#, true),
    (r#"{"":{"a":{"b":[1]}}}"#, r#"{"a.b":1}"#, false),
    // Elements of one array, at any depth; scalars belong to none.
    (r#"{"l":{"x":[1],"y":[2]}}"#, r#"{"l":[{"x":1},{"y":2}]}"#, false),
    (r#"{"l":{"x":[1],"y":[2]}}"#, r#"{"l":[[{"x":1,"y":2}]]}"#, true),
    (r#"{"l":{"x":[1],"y":[2]}}"#, r#"{"l":[[{"x":1}],[{"y":2}]]}"#, false),
    (r#"{"l":{"x":[1],"y":[2]}}"#, r#"{"l":{"x":[1,3],"y":[3,2]}}"#, true),
    (r#"{"a":[1],"b":[2]}"#, r#"{"a":[[1],[3]],"b":[[3],[2]]}"#, true),
    // `anything-but` is asked of each value, and never of none.
    (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":["x","y"]}"#, true),
    (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":[]}"#, false),
    (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":null}"#, true),
    (r#"{"a":[{"anything-but":["x","y"]}]}"#, r#"{"a":["x","y"]}"#, false),
    (r#"{"a":[{"anything-but":{"prefix":[]}}]}"#, r#"{"a":"x"}"#, true),
    (r#"{"a":[{"anything-but":{"wildcard":"*x*"}}]}"#, r#"{"a":1}"#, true),
    (r#"{"a":[{"prefix":""}]}"#, r#"{"a":""}"#, true),
    (r#"{"a":[{"prefix":""}]}"#, r#"{"a":1}"#, false),
    (r#"{"a":[{"wildcard":"a\\*b"}]}"#, r#"{"a":"axb"}"#, false),
    (r#"{"a":[{"wildcard":"*aab"}]}"#, r#"{"a":"aaab"}"#, true),
    (r#"{"a":[{"wildcard":"a*a"}]}"#, r#"{"a":"a"}"#, false),
    // Each branch of `$or` goes with what stands beside it.
    (r#"{"a":[1],"$or":[{"b":[1]},{"c":[1]}]}"#, r#"{"b":1,"c":1}"#, false),
    (r#"{"$or":[{"a":[1]},{"b":[1]}],"a":[2]}"#, r#"{"a":2}"#, true),
    (r#"{"l":{"$or":[{"x":[1]},{"y":[{"exists":false}]}]}}"#, r#"{"l":{"x":2}}"#, true),
];

#[test]
fn each_alone() {
    for &(pattern, event, expected) in CASES {
        let compiled = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(compiled.matches(event.as_bytes()), Ok(expected), "{pattern} {event}");
        assert_eq!(compiled.matches_strict(event.as_bytes()), Ok(expected), "{pattern} {event}");
    }
}

/// The second matcher knows these rules too, except case beyond ASCII and literals that `serde_json` changes.
#[test]
fn the_oracle_agrees() {
    let known = |text: &str| text.is_ascii() && !text.contains("e400") && !text.contains("9007199254740993");
    let cases: Vec<_> = CASES.iter().filter(|(pattern, event, _)| known(pattern) && known(event)).collect();
    assert!(cases.len() > 40);
    for &&(pattern, event, expected) in &cases {
        // A name that stands twice in an object is one to `serde_json`; there are no such cases above.
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("json");
        assert_eq!(oracle::matches(&json(pattern), &json(event)), expected, "{pattern} {event}");
    }
}

#[test]
fn all_together() {
    let mut matcher = Matcher::new();
    for (key, (pattern, ..)) in CASES.iter().enumerate() {
        matcher.add(key, Pattern::compile(pattern).expect("valid"));
    }
    for &(_, event, _) in CASES {
        assert_eq!(found(&matcher, event), alone(&matcher, event), "{event}");
    }
    for key in (0..CASES.len()).step_by(2) {
        matcher.remove(&key);
    }
    for &(_, event, _) in CASES {
        assert_eq!(found(&matcher, event), alone(&matcher, event), "{event}");
    }
}

fn found(matcher: &Matcher<usize>, event: &str) -> Vec<usize> {
    let mut found = Vec::new();
    matcher.matches(event.as_bytes(), &mut found).expect("an event");
    found
}

fn alone(matcher: &Matcher<usize>, event: &str) -> Vec<usize> {
    let matching = matcher.iter().filter(|(_, pattern)| pattern.matches(event.as_bytes()) == Ok(true));
    matching.map(|(&key, _)| key).collect()
}

/// Patterns that are in one matcher, an event, and which of them match.
const SETS: &[(&[&str], &str, &[usize])] = &[
    // Where other engines let one rule on a field hide another.
    (&[r#"{"a":[{"wildcard":"*"}]}"#, r#"{"a":[{"equals-ignore-case":"x"}]}"#], r#"{"a":"b"}"#, &[0]),
    (&[r#"{"a":[{"wildcard":"*"}]}"#, r#"{"a":[{"equals-ignore-case":"x"}]}"#], r#"{"a":"X"}"#, &[0, 1]),
    (&[r#"{"a":[{"prefix":"x"}]}"#, r#"{"a":["xy"]}"#, r#"{"a":[{"prefix":"xyz"}]}"#], r#"{"a":"xy"}"#, &[0, 1]),
    (&[r#"{"a":[{"wildcard":"x*"}]}"#, r#"{"a":[{"wildcard":"x*y"}]}"#], r#"{"a":"xz"}"#, &[0]),
    (&[r#"{"a":["::1"]}"#, r#"{"a":[{"exactly":"::1"}]}"#, r#"{"a":["::2"]}"#], r#"{"a":"0::1"}"#, &[0]),
    (&[r#"{"a":[1]}"#, r#"{"a":[1.0]}"#, r#"{"a":["1"]}"#, r#"{"a":[10e-1]}"#], r#"{"a":1}"#, &[0, 1, 3]),
    (&[r#"{"a":[{"exists":false}]}"#, r#"{"a":[1]}"#, r#"{"a":[1,{"exists":false}]}"#], "{}", &[0, 2]),
    (&[r#"{"a":["x"]}"#, r#"{"a":["x"]}"#], r#"{"a":"x"}"#, &[0, 1]),
    (&[r#"{"a":{"b":[1]}}"#, r#"{"a.b":[1]}"#, r#"{"a":[1]}"#], r#"{"a":[1,{"b":1}]}"#, &[0, 1, 2]),
];

#[test]
fn sets() {
    for &(patterns, event, expected) in SETS {
        // In any order of adding.
        for first in 0..patterns.len() {
            let mut matcher = Matcher::new();
            for at in 0..patterns.len() {
                let key = (first + at) % patterns.len();
                matcher.add(key, Pattern::compile(patterns[key]).expect("valid"));
            }
            assert_eq!(found(&matcher, event), expected, "{patterns:?} {event}");
        }
    }
}

/// Texts that are no patterns, and where reading stopped.
const REFUSED: &[(&str, PatternErrorKind, usize, usize)] = &[
    ("", PatternErrorKind::Semantic, 1, 1),
    ("\r\n\r[", PatternErrorKind::Semantic, 3, 2),
    ("{\"a\":[\"\u{1f600}\"", PatternErrorKind::Syntax, 1, 11),
    ("{\"a\":1}", PatternErrorKind::Semantic, 1, 7),
];

#[test]
fn what_is_refused_is_refused_where_it_stands() {
    for &(text, kind, line, column) in REFUSED {
        let error = Pattern::compile(text).expect_err("no pattern");
        assert_eq!((error.kind(), error.line(), error.column()), (kind, line, column), "{text:?}: {error}");
    }
}
