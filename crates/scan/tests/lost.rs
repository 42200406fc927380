//! A file that is lost while it is read, as an object of a bucket may be, is not counted and can be read again.

use std::io::{self, Read};

use event_pattern::Pattern;
use scan::{Archive, Limits, Outcome, Question, Scan};

const RECORD: &str = r#"{"eventVersion":"1.08","eventTime":"2026-03-14T09:26:53Z","eventName":"GetObject","additionalEventData":{"SignatureVersion":"SigV2"}}"#;

const SIGV2: &str = r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#;

/// Two files, of which the first ends in an error.
struct Failing {
    text: String,
    is_sized: bool,
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }
}

impl Archive for Failing {
    fn count(&self) -> usize {
        2
    }

    fn name(&self, index: usize) -> String {
        index.to_string()
    }

    fn open(&self, index: usize) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        let len = self.is_sized.then_some(self.text.len() as u64);
        let text = self.text.as_bytes();
        if index == 1 {
            return Ok((Box::new(text), len));
        }
        Ok((Box::new(text[..text.len() / 2].chain(Broken)), len))
    }
}

fn scanned(is_sized: bool, dedup: bool) -> Outcome {
    let sigv2 = Pattern::compile(SIGV2).expect("a pattern");
    let text = format!(r#"{{"Records":[{}]}}"#, vec![RECORD; 20_000].join(","));
    let question = Question::new(&[sigv2]);
    let limits = Limits { dedup, ..Limits::default() };
    Scan { question: &question, limits, threads: 1, matches: None }.run(&Failing { text, is_sized }, &|_| {})
}

#[test]
fn nothing_of_it_is_counted() {
    for is_sized in [true, false] {
        let outcome = scanned(is_sized, false);
        assert_eq!((outcome.files, outcome.records, outcome.matched, outcome.found.len()), (1, 20_000, 20_000, 1));
        assert_eq!(outcome.skipped.len(), 1);
        assert!(outcome.skipped[0].is_unread && outcome.skipped[0].path == "0", "{:?}", outcome.skipped);
    }
}

#[test]
fn where_duplicates_are_left_out_it_is() {
    let outcome = scanned(false, true);
    assert!(outcome.files == 1 && outcome.records > 20_000 && outcome.skipped[0].is_unread, "{outcome:?}");
}

/// A file that is longer than was said.
struct Grown(Vec<u8>);

impl Archive for Grown {
    fn count(&self) -> usize {
        1
    }

    fn name(&self, _: usize) -> String {
        String::new()
    }

    fn open(&self, _: usize) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        Ok((Box::new(&self.0[..]), Some(10)))
    }
}

fn scanned_grown(text: Vec<u8>) -> Outcome {
    let question = Question::new(&[Pattern::compile(SIGV2).expect("a pattern")]);
    Scan { question: &question, limits: Limits::default(), threads: 1, matches: None }.run(&Grown(text), &|_| {})
}

#[test]
fn what_has_grown_counts_once() {
    for count in [1, 40_000] {
        let outcome = scanned_grown(format!(r#"{{"Records":[{}]}}"#, vec![RECORD; count].join(",")).into_bytes());
        assert_eq!((outcome.files, outcome.records, outcome.matched), (1, count as u64, count as u64));
        assert_eq!(outcome.skipped, []);
    }
}

#[test]
fn what_is_no_utf8_where_nothing_is_read_counts() {
    let record = RECORD.replacen('{', r#"{"x":"?","#, 1);
    let mut text = format!(r#"{{"Records":[{record}]}}"#).into_bytes();
    let place = text.iter().position(|byte| *byte == b'?').expect("it is there");
    text[place] = 0xe9;
    let outcome = scanned_grown(text);
    assert_eq!((outcome.records, outcome.matched, outcome.skipped), (1, 1, vec![]));
}
