//! Patterns and events made to be slow, each at two sizes: twice the size should take twice the time.

use std::hint::black_box;
use std::time::Instant;

use event_pattern::{Matcher, Pattern};

use crate::Plan;

/// A pattern, or several, and an event for them.
struct Case {
    patterns: Vec<String>,
    event: String,
}

impl Case {
    fn new(pattern: impl Into<String>, event: impl Into<String>) -> Self {
        Self { patterns: vec![pattern.into()], event: event.into() }
    }

    /// Seconds to compile, and seconds to match once.
    fn time(&self) -> (f64, f64) {
        let start = Instant::now();
        let mut matcher = Matcher::new();
        for (index, text) in self.patterns.iter().enumerate() {
            matcher.add(index, Pattern::compile(text).unwrap_or_else(|error| panic!("{error}")));
        }
        let compiled = start.elapsed().as_secs_f64();
        let mut found = Vec::new();
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            // Whether it matches, or takes too many steps, is not the question here.
            let _ = black_box(matcher.matches(self.event.as_bytes(), &mut found));
            best = best.min(start.elapsed().as_secs_f64());
        }
        (compiled, best)
    }
}

fn list(count: usize, of_one: impl Fn(usize) -> String) -> String {
    (0..count).map(of_one).collect::<Vec<_>>().join(",")
}

type Make = fn(usize) -> Case;

/// Each with its smaller size.
fn cases() -> Vec<(&'static str, usize, Make)> {
    vec![
        ("2,000 stars, a text of n", 500_000, |n| {
            Case::new(format!("{{\"a\":[{{\"wildcard\":\"{}\"}}]}}", "*a".repeat(2_000) + "*b"), text_event(n))
        }),
        ("n stars, a text of 1 MB", 10_000, |n| {
            Case::new(format!("{{\"a\":[{{\"wildcard\":\"{}\"}}]}}", "*a".repeat(n) + "*b"), text_event(1_000_000))
        }),
        ("n wildcards on one field, a text of 10 KB", 1_000, |n| Case {
            patterns: (0..n).map(|at| format!("{{\"a\":[{{\"wildcard\":\"*a*b{at}*\"}}]}}")).collect(),
            event: text_event(10_000),
        }),
        ("n branches of $or", 500, |n| {
            Case::new(format!("{{\"$or\":[{}]}}", list(n, |at| format!("{{\"a\":[{at}]}}"))), "{\"a\":7}")
        }),
        ("n rules on one value", 10_000, |n| Case {
            patterns: (0..n).map(|at| format!("{{\"a\":[\"x\"],\"b\":[{at}]}}")).collect(),
            event: "{\"a\":\"x\",\"b\":7}".to_owned(),
        }),
        ("n fields in a pattern", 128, |n| {
            let fields = |value: &str| list(n, |at| format!("\"k{at}\":{value}"));
            Case::new(format!("{{{}}}", fields("[1]")), format!("{{{}}}", fields("1")))
        }),
        ("n values in a list, an array of 100,000", 1_000, |n| {
            let asked = list(n, |at| format!("\"v{at}\""));
            Case::new(
                format!("{{\"a\":[{asked}]}}"),
                format!("{{\"a\":[{}]}}", list(100_000, |at| format!("\"w{at}\""))),
            )
        }),
        ("1,000 values in anything-but, an array of n", 50_000, |n| {
            let refused = list(1_000, |at| format!("\"v{at}\""));
            let event = format!("{{\"a\":[{}]}}", list(n, |at| format!("\"v{}\"", at % 1_000)));
            Case::new(format!("{{\"a\":[{{\"anything-but\":[{refused}]}}]}}"), event)
        }),
        ("an array of n objects, two fields", 50_000, |n| {
            let event = format!("{{\"l\":[{}]}}", list(n, |at| format!("{{\"x\":{},\"y\":{}}}", at % 2, at % 2)));
            Case::new(r#"{"l":{"x":[0],"y":[1]}}"#, event)
        }),
        ("n objects, a missing field", 50_000, |n| {
            let event = format!("{{\"l\":[{}]}}", list(n, |at| format!("{{\"x\":{at},\"y\":1,\"z\":1}}")));
            Case::new(r#"{"l":{"x":[{"exists":true}],"y":[1],"z":[{"exists":false},2]}}"#, event)
        }),
        ("objects nested n deep, skipped", 500_000, |n| {
            Case::new(
                r#"{"b":["xxxx"]}"#,
                format!("{{\"b\":\"xxxx\",\"a\":{}1{}}}", "{\"a\":".repeat(n), "}".repeat(n)),
            )
        }),
        ("arrays nested n deep, walked", 500_000, |n| {
            Case::new(r#"{"a":[1]}"#, format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n)))
        }),
        ("an event of n bytes, one text", 5_000_000, |n| Case::new(r#"{"a":[{"suffix":"ab"}]}"#, text_event(n))),
        ("n escapes in one text", 1_000_000, |n| {
            Case::new(r#"{"a":[{"suffix":"ab"}]}"#, format!("{{\"a\":\"{}\"}}", "\\u0061".repeat(n)))
        }),
    ]
}

fn text_event(length: usize) -> String {
    format!("{{\"a\":\"{}\"}}", "a".repeat(length))
}

pub fn report(plan: &Plan) {
    if !plan.wants("hostile") || plan.is_quick() {
        return;
    }
    println!("hostile: ms to compile and to match at n and at 2n, and the power of n that matching grows with");
    for (name, n, make) in cases() {
        let ((compile, match_), (compile_twice, match_twice)) = (make(n).time(), make(2 * n).time());
        let power = (match_twice / match_).log2();
        // Below a tenth of a millisecond a power says nothing.
        let flag = if power > 1.3 && match_ > 1e-4 { "  more than linear?" } else { "" };
        println!(
            "{name:<46} n {n:>9}  compile {:>8.2} {:>8.2}  match {:>8.2} {:>8.2}  {power:>5.2}{flag}",
            compile * 1e3,
            compile_twice * 1e3,
            match_ * 1e3,
            match_twice * 1e3,
        );
    }
}
