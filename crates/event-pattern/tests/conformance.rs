//! Answers of the engine behind `EventBridge`, case by case and all patterns at once.

use event_pattern::{Matcher, Pattern, PatternErrorKind};
use serde_json::Value;

#[allow(clippy::disallowed_methods, reason = "a test reads its corpus")]
fn corpus(name: &str) -> Vec<Value> {
    let path = format!("{}/../../../shared/conformance/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("the corpus {path} is missing: {error}"));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn has_quirk(case: &Value) -> bool {
    let tags = case["tags"].as_array().expect("tags");
    // These are answers that we give too: text behind the pattern is ignored, and crashes refuse the pattern.
    let ours = ["quirk:trailing-garbage"];
    tags.iter().filter_map(Value::as_str).any(|tag| tag.starts_with("quirk:") && !ours.contains(&tag))
}

#[test]
#[allow(clippy::print_stderr, reason = "the differences on free cases are worth a look")]
fn every_case() {
    let cases = corpus("event-patterns.jsonl");
    assert_eq!(cases.len(), 4_779);
    let mut wrong = Vec::new();
    let (mut free, mut places) = (Vec::new(), 0);
    for case in &cases {
        let compiled = Pattern::compile(text(case, "pattern"));
        let answer = match &compiled {
            Err(_) => "invalid-pattern",
            Ok(pattern) => match pattern.matches(text(case, "event").as_bytes()) {
                Ok(true) => "match",
                Ok(false) => "no-match",
                Err(error) => panic!("{case}: {error}"),
            },
        };
        let mut right = answer == text(case, "expected");
        if let (Err(error), Some("semantic"), Some(message)) =
            (&compiled, case["error_kind"].as_str(), case["error"].as_str())
        {
            right &= error.message() == message && error.kind() == PatternErrorKind::Semantic;
            if let Some(at) = case["error_at"].as_array() {
                places += 1;
                right &= at[0] == error.line() && at[1] == error.column();
            }
        }
        if !right {
            let line = format!(
                "{} {} | {} | {answer} {} {:?} {:?}",
                text(case, "id"),
                text(case, "pattern"),
                text(case, "event"),
                case["expected"],
                case["error"],
                compiled.err()
            );
            if has_quirk(case) { free.push(line) } else { wrong.push(line) }
        }
    }
    eprintln!("{} of the free cases differ, {places} places of errors compared", free.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_pattern_at_once() {
    let cases = corpus("event-patterns.jsonl");
    let mut matcher = Matcher::new();
    for case in cases.iter().filter(|case| case["expected"] != "invalid-pattern") {
        match Pattern::compile(text(case, "pattern")) {
            Ok(pattern) => drop(matcher.add(text(case, "id"), pattern)),
            Err(_) if has_quirk(case) => {}
            Err(error) => panic!("{case}: {error}"),
        }
    }
    let sets = corpus("event-patterns-sets.jsonl");
    assert_eq!(sets.len(), 260);
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    for set in &sets {
        let case = cases.iter().find(|case| case["id"] == set["event_of"]).expect("the case");
        matcher.matches(text(case, "event").as_bytes(), &mut found).expect("an event");
        let ids = |field: &str| -> Vec<&str> {
            set[field].as_array().expect("ids").iter().filter_map(Value::as_str).collect()
        };
        let (expected, ignore) = (ids("matches"), ids("ignore"));
        let differs = |id: &&&str| !ignore.contains(*id);
        let missed: Vec<_> = expected.iter().filter(|id| !found.contains(*id)).filter(differs).collect();
        let extra: Vec<_> = found.iter().filter(|id| !expected.contains(*id)).filter(differs).collect();
        if !missed.is_empty() || !extra.is_empty() {
            wrong.push(format!("event of {}: missed {missed:?}, extra {extra:?}", set["event_of"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
