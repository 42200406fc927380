//! Every file of the catalogue: its form, its pattern, its examples, and what it finds in public logs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads its samples")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use access_log::Line;
use checks::{Check, Kind};
use event_pattern::{Options, Pattern};
use serde_json::Value;

fn compiled(check: &Check) -> Pattern {
    Pattern::compile_with(check.pattern(), &Options::service())
        .unwrap_or_else(|error| panic!("{}: {error}", check.name))
}

/// The event of a record.
fn event(record: &str) -> String {
    format!(r#"{{"source":"aws.s3","detail-type":"AWS API Call via CloudTrail","detail":{record}}}"#)
}

/// The checks that find a record.
fn found_by(record: &str) -> BTreeSet<&'static str> {
    let event = event(record);
    let finds = |check: &&Check| compiled(check).matches_strict(event.as_bytes()).unwrap();
    checks::all().iter().filter(finds).map(|check| check.name).collect()
}

#[test]
fn every_file_is_in_the_list_and_named_like_its_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.collect();
    let names: BTreeSet<String> = checks::all().iter().map(|check| format!("{}.json", check.name)).collect();
    assert_eq!(files, names);
    assert_eq!(names.len(), checks::all().len());
}

#[test]
fn the_default_stands_first_and_hygiene_last() {
    assert_eq!(checks::all()[0].name, checks::DEFAULT);
    assert!(checks::all().is_sorted_by_key(|check| check.kind == Kind::Hygiene));
    assert_eq!(checks::find("cli-1").map(|check| check.kind.as_str()), Some("deprecation"));
    assert_eq!(checks::find("root").map(|check| check.kind.as_str()), Some("hygiene"));
    assert!(checks::find("SigV2").is_none());
}

#[test]
fn names_and_dates_have_their_form() {
    for check in checks::all() {
        let is_kebab =
            check.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
        assert!(is_kebab && !check.name.starts_with('-'), "{}", check.name);
        for text in [check.title, check.what, check.source] {
            assert!(!text.is_empty() && text.trim() == text, "{}", check.name);
        }
        assert!(!check.title.ends_with('.') && check.what.ends_with('.'), "{}", check.name);
        if let Some(date) = check.date {
            let parts: Vec<(usize, u16)> = date.split('-').map(|part| (part.len(), part.parse().unwrap())).collect();
            assert!(
                matches!(parts[..], [(4, 2019..), (2, 1..=12)] | [(4, 2019..), (2, 1..=12), (2, 1..=31)]),
                "{date}"
            );
        }
        assert!(check.kind == Kind::Deprecation || check.date.is_none(), "{}: hygiene has no date", check.name);
    }
}

#[test]
fn each_pattern_finds_its_examples_and_not_the_others() {
    for check in checks::all() {
        let pattern = compiled(check);
        let answers = |records: Vec<&'static str>| -> Vec<bool> {
            assert!(!records.is_empty(), "{}", check.name);
            records.into_iter().map(|record| pattern.matches_strict(event(record).as_bytes()).unwrap()).collect()
        };
        let (matching, other) = (answers(check.matching().collect()), answers(check.other().collect()));
        assert!(matching.iter().all(|found| *found), "{}: {matching:?}", check.name);
        assert!(other.iter().all(|found| !found), "{}: {other:?}", check.name);
    }
}

/// Each pattern asks only of the record, so that it does not matter what it came in.
#[test]
fn patterns_ask_only_of_the_record() {
    for check in checks::all() {
        let pattern: Value = serde_json::from_str(check.pattern()).unwrap();
        let members: Vec<_> = pattern.as_object().unwrap().keys().collect();
        assert_eq!(members, ["detail"], "{}", check.name);
    }
}

fn public_records() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cloudtrail");
    let mut records = Vec::new();
    for (name, extension) in [("invictus-ir_aws_dataset", "json"), ("OTRF_Security-Datasets", "ndjson")] {
        let folder = folder.join(name);
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|found| found != extension) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if extension == "json" {
                let mut log: Value = serde_json::from_str(&text).unwrap();
                records.extend(log["Records"].as_array_mut().unwrap().iter().map(Value::to_string));
            } else {
                records.extend(text.lines().map(str::to_owned));
            }
        }
    }
    records
}

/// What is found there was seen. (All that name the SDK for Java 1.x are consoles of AWS.)
#[test]
fn in_public_logs() {
    let records = public_records();
    assert_eq!(records.len(), 3003);
    let events: Vec<String> = records.iter().map(|record| event(record)).collect();
    let mut counts = BTreeMap::new();
    for check in checks::all() {
        let pattern = compiled(check);
        let count = events.iter().filter(|event| pattern.matches(event.as_bytes()).unwrap()).count();
        assert!(check.seen || count == 0, "{} is seen", check.name);
        if count > 0 {
            counts.insert(check.name, count);
        }
    }
    let expected = [
        ("cli-1", 11),
        ("imdsv1", 13),
        ("long-term-keys", 2182),
        ("python-3.10", 43),
        ("python-3.8", 11),
        ("s3-path-style", 8),
        ("sdk-go-1", 1923),
        ("sdk-java-1", 81),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[test]
fn imported_lines_are_found() {
    let line = |operation: &str, user_agent: &str, tail: &str| {
        let text = format!(
            "o b [14/Mar/2026:09:26:53 +0000] 192.0.2.44 arn:aws:iam::111122223333:root 7C1B9D42EXAMPLE0 {operation} k \
             \"GET /b/k HTTP/1.1\" 200 - 5 5 3 3 \"-\" \"{user_agent}\" {tail}"
        );
        let mut json = Vec::new();
        Line::parse(text.as_bytes()).unwrap().record(&mut json);
        found_by(str::from_utf8(&json).unwrap())
    };
    let tail = "- h SigV2 AES128-SHA AuthHeader s3.eu-central-1.amazonaws.com TLSV1.1 - -";
    assert_eq!(
        line("SOAP.GetObject", "Boto/2.49.0 Python/2.7.18 Linux/4.14.336", tail),
        BTreeSet::from(["boto-2", "no-forward-secrecy", "root", "s3-path-style", "s3-soap", "sigv2", "tls-1.0-1.1"])
    );
    let tail = "- h SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader b.s3.eu-central-1.amazonaws.com TLSV1.2 - -";
    assert_eq!(line("REST.GET.OBJECT", "aws-cli/2.15.30 Python/3.11.8", tail), BTreeSet::from(["root"]));
}
