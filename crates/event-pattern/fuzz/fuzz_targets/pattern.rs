//! Any text as a pattern: nothing panics, errors lie inside the text, and a pattern means the same however it is laid out.

#![no_main]

use event_pattern::{Matcher, Options, Pattern};
use libfuzzer_sys::fuzz_target;

const EVENTS: [&str; 6] = [
    "{}",
    r#"{"a":1,"b":"x"}"#,
    r#"{"a":[1,"x",null],"b":{"c":"10.0.0.1"},"":true}"#,
    r#"{"a":{"b":{"c":"aab"}},"b.c":-2.5,"z":""}"#,
    r#"{"l":[{"x":1,"y":2},{"x":2,"y":[1]},[{"y":3}]]}"#,
    r#"{"source":"aws.s3","detail-type":"X","detail":{"bucket":{"name":"straße"},"size":1e400}}"#,
];

fuzz_target!(|text: &str| {
    let service = Pattern::compile_with(text, &Options::service());
    let pattern = match Pattern::compile(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(is_inside(text, error.line(), error.column()), "{error}");
            assert!(error.service_message(text).starts_with("Event pattern is not valid. Reason: "));
            assert!(service.is_err(), "the service takes less than the library");
            return;
        }
    };
    if let Err(error) = service {
        assert!(is_inside(text, error.line(), error.column()), "{error}");
    }
    let again = Pattern::compile(pattern.source()).expect("its source is a pattern");
    let compact = Pattern::compile(&compact(text)).expect("white space means nothing");
    let mut rules = Matcher::new();
    rules.add(0, pattern.clone());
    rules.add(1, compact);
    for event in EVENTS {
        let answer = pattern.matches(event.as_bytes()).expect("an event");
        assert_eq!(again.matches_strict(event.as_bytes()), Ok(answer), "{event}");
        let mut found = Vec::new();
        rules.matches(event.as_bytes(), &mut found).expect("an event");
        assert_eq!(found, if answer { vec![0, 1] } else { vec![] }, "{event}");
        let _ = pattern.explain(event.as_bytes()).expect("an event").to_string();
    }
});

/// Whether there is such a line, and in it such a column or the place behind its last one.
fn is_inside(text: &str, line: usize, column: usize) -> bool {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let length = text.split('\n').nth(line - 1).map(|line| line.encode_utf16().count());
    // Reading may stop at a line's end, which is a column of its own.
    column >= 1 && length.is_some_and(|length| column <= length + 2)
}

/// The text without white space between tokens.
fn compact(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let keep = |&character: &char| {
        let kept = inside || !matches!(character, ' ' | '\t' | '\n' | '\r');
        inside ^= character == '"' && !escaped;
        escaped = inside && character == '\\' && !escaped;
        kept
    };
    text.chars().filter(keep).collect()
}
