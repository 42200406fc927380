//! Any file, searched with all short cuts and with none, whole and in pieces; and, if it is a CloudTrail file, by another JSON parser
//! and one pattern at a time.

#![no_main]

use std::io::{self, Read};
use std::sync::LazyLock;

use event_pattern::Pattern;
use libfuzzer_sys::fuzz_target;
use scan::{Archive, Limits, Outcome, Question, Scan};
use serde_json::Value;

/// Some with a literal, one with several, some with none. `source` is made from a record's `eventSource`.
const PATTERNS: [&str; 8] = [
    r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#,
    r#"{"source":["aws.s3"],"detail":{"userAgent":[{"wildcard":"*aws-sdk-java/1.*"},{"prefix":"[Boto/2."}]}}"#,
    r#"{"detail":{"eventName":["GetObject"],"requestParameters":{"key":[{"suffix":"secret.txt"}]}}}"#,
    r#"{"detail":{"sourceIPAddress":["2001:db8::1"]}}"#,
    r#"{"detail":{"additionalEventData":{"bytesTransferredOut":[{"numeric":[">",3]}]}}}"#,
    r#"{"detail":{"$or":[{"eventName":["DeleteObject"]},{"requestParameters":{"key":[{"exists":false}]}}]}}"#,
    r#"{"detail":{"":{"a":["SigV2"]}}}"#,
    r#"{"$or":[{"detail":{"a":["SigV2"]}},{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}]}"#,
];

/// Each pattern alone, and all at once.
static ASKED: LazyLock<Vec<(Vec<Pattern>, Question)>> = LazyLock::new(|| {
    let patterns: Vec<_> = PATTERNS.iter().map(|text| Pattern::compile(text).expect("a pattern")).collect();
    let alone = patterns.iter().map(|pattern| vec![pattern.clone()]);
    let asked = alone.chain([patterns.clone()]);
    asked.map(|patterns| (patterns.clone(), Question::new(&patterns))).collect()
});

/// One file in memory; a pipe has no length, and comes in pieces of so many bytes.
struct Memory<'a> {
    file: &'a [u8],
    pieces: Option<usize>,
}

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(buffer.len());
        self.0.read(&mut buffer[..len])
    }
}

impl Archive for Memory<'_> {
    fn count(&self) -> usize {
        1
    }

    fn name(&self, _: usize) -> String {
        String::new()
    }

    fn open(&self, _: usize) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        let len = self.pieces.is_none().then_some(self.file.len() as u64);
        Ok((Box::new(Pieces(self.file, self.pieces.unwrap_or(usize::MAX))), len))
    }
}

fn found(question: &Question, file: &[u8], pieces: Option<usize>) -> Outcome {
    let scan = Scan { question, limits: Limits::default(), threads: 1, matches: None };
    let mut outcome = scan.run(&Memory { file, pieces }, &|_| {});
    // Which records are looked into is the difference between the two; what is wrong with others is not seen.
    outcome.skipped.clear();
    outcome
}

/// How many records a well-formed file has, and how many of them match one of the patterns; None if it is no such file, or one in
/// which a name stands twice, of which serde_json keeps one.
fn truth(file: &[u8], patterns: &[Pattern]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(file).ok()?;
    let document: Value = serde_json::from_str(text).ok()?;
    let whole: Vec<_> = document.to_string().bytes().filter(|byte| *byte == b'"').collect();
    if whole.len() != text.bytes().filter(|byte| *byte == b'"').count() || !text.starts_with(r#"{"Records":["#) {
        return None;
    }
    let records = document["Records"].as_array()?;
    let mut matched = 0;
    for record in records {
        let source = record["eventSource"].as_str()?.strip_suffix(".amazonaws.com")?;
        for name in ["eventVersion", "eventName", "eventTime", "awsRegion", "eventType", "eventID"] {
            record[name].as_str()?;
        }
        let identity = record["userIdentity"]["arn"].as_str()?;
        if identity.is_empty() || !record["additionalEventData"].is_object() || !record["requestParameters"].is_object()
        {
            return None;
        }
        let event = serde_json::json!({ "source": format!("aws.{source}"), "detail": record }).to_string();
        matched += u64::from(patterns.iter().any(|pattern| pattern.matches(event.as_bytes()).unwrap_or(false)));
    }
    Some((records.len() as u64, matched))
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, file)) = data.split_first() else { return };
    let (patterns, question) = &ASKED[usize::from(how) % ASKED.len()];
    let slow = found(&question.clone().without_literals(), file, None);
    let fast = found(question, file, None);
    assert_eq!(fast, slow, "whole");
    let pieces = Some(1 + usize::from(how) * 7);
    assert_eq!(found(question, file, pieces), slow, "in pieces of {pieces:?}");
    if let Some((records, matched)) = truth(file, patterns) {
        assert_eq!((slow.records, slow.matched), (records, matched), "as another parser has it");
    }
});
