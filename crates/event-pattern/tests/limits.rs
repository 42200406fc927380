//! Bounds, errors and what is said about them.

use event_pattern::{
    EventError, MAX_PATTERN_BYTES, Matcher, Options, Pattern, PatternErrorKind, SERVICE_MAX_CHARS, Value,
};

fn pattern(text: &str) -> Pattern {
    Pattern::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn kind(text: &str) -> PatternErrorKind {
    Pattern::compile(text).expect_err("refused").kind()
}

#[test]
fn patterns_are_bounded() {
    let deep = |levels: usize| "{\"a\":".repeat(levels) + "[1]" + &"}".repeat(levels);
    assert!(Pattern::compile(&deep(511)).is_ok());
    assert_eq!(kind(&deep(512)), PatternErrorKind::Limit);
    assert_eq!(kind(&deep(100_000)), PatternErrorKind::Limit);

    let wide =
        |fields: usize| format!("{{{}}}", (0..fields).map(|at| format!("\"k{at}\":[1]")).collect::<Vec<_>>().join(","));
    assert!(Pattern::compile(&wide(256)).is_ok());
    assert_eq!(kind(&wide(257)), PatternErrorKind::Limit);

    let or = |branches: usize| {
        let branches: Vec<_> = (0..branches).map(|at| format!("{{\"k\":[{at}]}}")).collect();
        format!("\"$or\":[{}]", branches.join(","))
    };
    assert!(Pattern::compile(&format!("{{{},\"b\":{{{}}}}}", or(100), or(10))).is_ok());
    assert_eq!(kind(&format!("{{{},\"b\":{{{}}}}}", or(100), or(11))), PatternErrorKind::TooComplex);
    assert_eq!(kind(&format!("{{{}}}", vec![or(10); 50].join(","))), PatternErrorKind::TooComplex);
}

/// `count` pieces of JSON with commas between.
fn list(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().join(",")
}

#[test]
fn texts_of_patterns_are_bounded() {
    let long = |bytes: usize| format!("{{\"a\":[\"{}\"]}}", "x".repeat(bytes - 10));
    assert!(Pattern::compile(&long(MAX_PATTERN_BYTES)).is_ok());
    assert_eq!(kind(&long(MAX_PATTERN_BYTES + 1)), PatternErrorKind::Limit);
    let mut options = Options::library();
    options.max_chars = None;
    let error = Pattern::compile_with(&long(MAX_PATTERN_BYTES + 1), &options).expect_err("too long");
    assert_eq!((error.kind(), error.line(), error.column()), (PatternErrorKind::Limit, 1, 1));
}

#[test]
fn what_combinations_repeat_is_bounded() {
    let wide = list(250, |at| format!("\"k{at}\":[1]"));
    let or = |branches: usize| format!("\"$or\":[{}]", list(branches, |at| format!("{{\"b\":[{at}]}}")));
    let absent = list(1_000, |at| format!("{{\"b{at}\":[{{\"exists\":false}}]}}"));
    let values = |count: usize| list(count, |at| at.to_string());
    let nested = |levels: usize| {
        format!("{{{wide}{}{}}}", ",\"$or\":[{\"b\":[1]},{\"c\":[1]".repeat(levels), "}]".repeat(levels))
    };
    let long = "x".repeat(1_000);
    let under = |name: &str, depth: usize, inner: &str| {
        format!("{}{{{inner}}}{}", format!("{{\"{name}\":").repeat(depth), "}".repeat(depth))
    };
    let cases = [
        // A field repeated for each branch, whether the branches stand before it or behind.
        (format!("{{{wide},{}}}", or(200)), true),
        (format!("{{{},{wide}}}", or(200)), true),
        (format!("{{{wide},{}}}", or(300)), false),
        (format!("{{{},{wide}}}", or(300)), false),
        // Copies that branches within branches take over.
        (nested(100), true),
        (nested(200), false),
        // One array repeated, which every combination would wait at.
        (format!("{{\"a\":[{}],\"$or\":[{absent}]}}", values(700)), true),
        (format!("{{\"a\":[{}],\"$or\":[{absent}]}}", values(2_000)), false),
        (format!("{{\"a\":[{}]}}", values(100_000)), true),
        // A field asked for again and again, where the last time counts.
        (format!("{{{},{}}}", or(1_000), vec!["\"a\":[1]"; 50].join(",")), true),
        (format!("{{{},{}}}", or(1_000), vec!["\"a\":[1]"; 500].join(",")), false),
        // Long ways to many fields.
        (under("x", 500, &wide), true),
        (under(&long, 10, &wide), true),
        (under(&long, 20, &wide), false),
        (under(&long, 500, "\"a\":[1]"), true),
    ];
    for (text, allowed) in cases {
        let start = &text[..60];
        match Pattern::compile(&text) {
            Ok(_) => assert!(allowed, "{start}"),
            Err(error) => assert!(!allowed && error.kind() == PatternErrorKind::TooComplex, "{start}: {error}"),
        }
    }
}

#[test]
fn the_service_takes_less_than_the_library() {
    let long = format!("{{\"a\":[\"{}\"]}}", "é".repeat(SERVICE_MAX_CHARS - 10));
    assert!(Pattern::compile_with(&long, &Options::service()).is_ok());
    let longer = long.replace("\"a\"", "\"aaa\"");
    let error = Pattern::compile_with(&longer, &Options::service()).expect_err("too long");
    assert_eq!(error.kind(), PatternErrorKind::Limit);
    assert!(Pattern::compile(&longer).is_ok());

    let exactly = r#"{"a":[{"exactly":"x"}]}"#;
    assert!(Pattern::compile(exactly).is_ok());
    let error = Pattern::compile_with(exactly, &Options::service()).expect_err("not documented");
    assert_eq!(error.message(), "Unrecognized match type exactly");
}

#[test]
fn errors_say_where() {
    let text = "{\n  \"détail\": {\"a\": \"x\"}}";
    let error = Pattern::compile(text).expect_err("not a pattern");
    assert_eq!((error.line(), error.column()), (2, 20));
    assert_eq!(
        error.service_message(text),
        format!(
            "Event pattern is not valid. Reason: \"a\" must be an object or an array\n at [Source: (String)\"{text}\"; line: 2, column: 20]"
        )
    );
    let long = format!("{{\"a\":[\"\u{7}{}", "x".repeat(600));
    let message = Pattern::compile(&long).expect_err("not JSON").service_message(&long);
    assert!(message.contains("\\u0007xxx") && message.contains("\"[truncated 108 chars]; line: 1"), "{message}");
}

#[test]
fn deep_events_do_not_overflow() {
    const LEVELS: usize = 1_000_000;
    let arrays = format!("{{\"a\":{}1{}}}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    assert_eq!(pattern(r#"{"a":[1]}"#).matches(arrays.as_bytes()), Ok(true));
    assert_eq!(pattern(r#"{"b":[1]}"#).matches(arrays.as_bytes()), Ok(false));
    let objects = format!("{}1{}", "{\"a\":".repeat(LEVELS), "}".repeat(LEVELS));
    assert_eq!(pattern(r#"{"a":{"a":[1]}}"#).matches(objects.as_bytes()), Ok(false));
    let both = format!("{{\"l\":{}{{\"x\":1,\"y\":1}}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = pattern(r#"{"l":{"x":[1],"y":[1]}}"#).matches(both.as_bytes());
    assert!(matches!(answer, Ok(true) | Err(EventError::Undecided { rules: 1 })), "{answer:?}");
}

#[test]
fn long_arrays_of_objects_are_decided() {
    let elements = |count: usize| {
        (0..count).map(|at| format!("{{\"x\":{},\"y\":{}}}", at % 2, at % 2)).collect::<Vec<_>>().join(",")
    };
    let event = format!("{{\"l\":[{}]}}", elements(100_000));
    assert_eq!(pattern(r#"{"l":{"x":[0],"y":[1]}}"#).matches(event.as_bytes()), Ok(false));
    assert_eq!(pattern(r#"{"l":{"x":[1],"y":[1]}}"#).matches(event.as_bytes()), Ok(true));
}

#[test]
fn what_takes_too_long_is_said_and_leaves_the_others_alone() {
    let elements: Vec<_> = (0..5_000).map(|at| format!("{{\"x\":{at},\"y\":1,\"z\":1}}")).collect();
    let event = format!("{{\"l\":[{}],\"b\":2}}", elements.join(","));
    let mut matcher = Matcher::new();
    // Each x rules out all but one z, and no element has y and z at once that is 2.
    matcher.add("hard", pattern(r#"{"l":{"x":[{"exists":true}],"y":[1],"z":[{"exists":false},2]}}"#));
    matcher.add("easy", pattern(r#"{"b":[2]}"#));
    let mut found = Vec::new();
    assert_eq!(matcher.matches(event.as_bytes(), &mut found), Err(EventError::Undecided { rules: 1 }));
    assert_eq!(found, ["easy"]);
}

#[test]
fn broken_events_are_refused_where_they_break() {
    let all = pattern(r#"{"a":[{"exists":true}]}"#);
    let cases: [(&[u8], usize); 15] = [
        (b"", 0),
        (b"[]", 0),
        (b"{", 1),
        (b"{\"a\":1", 6),
        (b"{\"a\":1}x", 7),
        (b"{\"a\":01}", 7),
        (b"{\"a\":1.}", 7),
        (b"{\"a\":tru}", 5),
        (b"{\"a\":\"\\x\"}", 7),
        (b"{\"a\":\"\n\"}", 6),
        (b"{\"a\":\"\xff\"}", 6),
        (b"{\"a\" 1}", 5),
        (b"{\"b\":[[\"\\\"]]}", 13),
        (b"{\"b\":[", 6),
        (b"{\"b\":\"\\", 7),
    ];
    for (event, offset) in cases {
        let error = all.matches(event).expect_err("broken");
        assert_eq!(error.offset(), Some(offset), "{}: {error}", String::from_utf8_lossy(event));
    }
}

#[test]
fn an_event_is_left_unread_where_no_key_is_left_that_is_asked_for() {
    let one = pattern(r#"{"p":{"a":[1]}}"#);
    let cases = [
        // Not even looked at, but for its ends.
        (r#"{"p":{"b":1},,}"#, Ok(false)),
        (r#"{"p":{"a":1,},,}"#, Ok(true)),
        // Its key may still come, in its own letters, as a part of a key or as an escape.
        (r#"{"p":{"a":2},"p":{"a":1}}"#, Ok(true)),
        (r#"{"p":{"a":2,"a":1}}"#, Ok(true)),
        (r#"{"p":{"a":[2,"x",1]}}"#, Ok(true)),
        (r#"{"p":{"a":2},"p.a":1}"#, Ok(true)),
        (r#"{"p":{"a":2},"p":{"\u0061":1}}"#, Ok(true)),
        (r#"{"p":[{"a":2},{"a":1}]}"#, Ok(true)),
        // Texts that look like it.
        (r#"{"p":{"x":"a","y":",\"a\":1","a":1}}"#, Ok(true)),
        (r#"{"p":{"x":",","y":"a","z":"a","b":2}}"#, Ok(false)),
        (r#"{"p":{"x":1,"xa":1,"ax":1,"b":[{"a":1}]}}"#, Ok(false)),
        (r#"{"p":{"x":1,"y":2,"q":"1,","a":1}}"#, Ok(true)),
        (r#"{"q":{"x":1,"a":1},"p":{"x":1,"y":2,"a":2}}"#, Ok(false)),
    ];
    for (event, expected) in cases {
        assert_eq!(one.matches(event.as_bytes()), expected, "{event}");
    }
    for cut in [r#"{"p":{"a":1"#, r#"{"p":{"b":1"#, r#"{"q":1}x"#, "{"] {
        assert!(one.matches(cut.as_bytes()).is_err(), "{cut}");
    }
    let same_end = pattern(r#"{"b":[1],"a":{"b":[1]}}"#);
    assert_eq!(same_end.matches(br#"{"a":{"b":1},"c":{"b":1},"b":1}"#), Ok(true));
    assert_eq!(same_end.matches(br#"{"b":[{"b":1},1],"a":{"x":3,"b":1}}"#), Ok(true));
    assert_eq!(same_end.matches(br#"{"a":{"b":1},"c":{"b":1}}"#), Ok(false));
}

#[test]
fn repeated_keys_all_count() {
    let event = br#"{"a":1,"a":2,"l":[{"x":1}],"l":[{"y":2}]}"#;
    assert_eq!(pattern(r#"{"a":[1]}"#).matches(event), Ok(true));
    assert_eq!(pattern(r#"{"a":[2]}"#).matches(event), Ok(true));
    assert_eq!(pattern(r#"{"l":{"x":[1],"y":[2]}}"#).matches(event), Ok(true));
    assert_eq!(pattern(r#"{"a":[1],"a":[3]}"#).matches(event), Ok(false));
}

#[test]
fn a_field_in_two_arrays_may_use_either() {
    let rule = pattern(r#"{"l":{"x":[1],"y":[2],"z":[{"exists":true}]}}"#);
    let cases = [
        (r#"{"l":[{"x":1,"y":2,"z":3}],"l":[{"x":1},{"y":2},{"z":3}]}"#, true),
        (r#"{"l":[{"x":1},{"y":2},{"z":3}],"l":[{"x":1,"y":2,"z":3}]}"#, true),
        (r#"{"l":[{"x":1},{"y":2}],"l":[{"x":1},{"y":2},{"z":3}]}"#, false),
        (r#"{"l":[{"x":1},{"y":2,"z":3}],"l":[{"y":2},{"x":1,"z":3}]}"#, true),
        (r#"{"l":[{"x":1},{"y":2}],"l.z":[4],"l":[{"y":2},{"z":3}]}"#, true),
        (r#"{"l":[[{"x":1}],[{"y":2}]],"l.z":4}"#, false),
        (r#"{"l":[[{"x":1},{"z":1}],[{"y":2}]],"l.y":2}"#, false),
        (r#"{"l":[[{"x":1,"z":1}],[{"y":2}]],"l.y":2}"#, true),
    ];
    for (event, matches) in cases {
        assert_eq!(rule.matches(event.as_bytes()), Ok(matches), "{event}");
    }
}

#[test]
fn attributes_match_as_fields() {
    let policy = pattern(
        r#"{"store":["a",{"prefix":"b"}],"price":[{"numeric":[">",10]}],"flag":[true],"gone":[{"exists":false}]}"#,
    );
    let fields = |price| {
        [
            ("store", Value::String("x")),
            ("store", Value::String("bb")),
            ("price", Value::Number(price)),
            ("flag", Value::Bool(true)),
        ]
    };
    assert!(policy.matches_fields(fields("1e2")));
    assert!(!policy.matches_fields(fields("1")));
    assert!(!policy.matches_fields(fields("inf")));
    assert!(!policy.matches_fields(fields("+11")));
    assert!(!policy.matches_fields(fields("100").into_iter().chain([("gone", Value::Null)])));
    assert!(pattern(r#"{"a.b":[null]}"#).matches_fields([("a.b", Value::Null)]));
}
