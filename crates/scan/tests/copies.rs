//! Of a call between two accounts, whose copies are in the logs of both, `dedup` counts the caller's, wherever it stands.

mod memory;

use event_pattern::Pattern;
use scan::{Limits, Outcome, Question, Scan};

use self::memory::Memory;

const CALLER: &str = r#"{"type":"IAMUser","arn":"arn:aws:iam::444455556666:user/mia","accountId":"444455556666"}"#;
const FOREIGN: &str = r#"{"type":"AWSAccount","principalId":"AIDAMIA","accountId":"444455556666"}"#;
const ANONYMOUS: &str = r#"{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}"#;

fn file(identity: &str, event: &str, shared: &str) -> Vec<u8> {
    let rest = r#""eventVersion":"1.08","eventTime":"2026-03-14T09:26:53Z","eventName":"GetObject","additionalEventData":{"SignatureVersion":"SigV2"}"#;
    let ids = format!(r#""eventID":"{event}","sharedEventID":"{shared}""#);
    format!(r#"{{"Records":[{{"userIdentity":{identity},{ids},{rest}}}]}}"#).into_bytes()
}

const SIGV2: &str = r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#;
const OTHERS_COPY: &str = r#"{"detail":{"userIdentity":{"type":["AWSAccount"]}}}"#;

fn scanned(files: Vec<Vec<u8>>, dedup: bool) -> Outcome {
    asked(&[SIGV2], files, dedup)
}

fn asked(patterns: &[&str], files: Vec<Vec<u8>>, dedup: bool) -> Outcome {
    let patterns: Vec<_> = patterns.iter().map(|text| Pattern::compile(text).expect("a pattern")).collect();
    let question = Question::new(&patterns);
    let limits = Limits { dedup, ..Limits::default() };
    Scan { question: &question, limits, threads: 1, matches: None }.run(&Memory(files), &|_| {})
}

#[test]
fn in_any_order() {
    let copies = [file(CALLER, "a", "s"), file(FOREIGN, "b", "s"), file(FOREIGN, "b", "s"), file(CALLER, "a", "s")];
    for first in 0..copies.len() {
        let mut files = copies.to_vec();
        files.rotate_left(first);
        let outcome = scanned(files, true);
        assert_eq!((outcome.records, outcome.matched, outcome.duplicates), (4, 1, 3), "{first}");
        assert_eq!(outcome.found[0].caller.key.identity, "arn:aws:iam::444455556666:user/mia");
    }
    assert_eq!(scanned(copies.to_vec(), false).matched, 4);
}

#[test]
fn what_has_no_other_copy_counts() {
    let files =
        vec![file(FOREIGN, "b", "s"), file(FOREIGN, "c", "t"), file(CALLER, "d", "t"), file(ANONYMOUS, "e", "u")];
    let outcome = scanned(files, true);
    assert_eq!((outcome.matched, outcome.duplicates), (3, 1));
    let identities: Vec<_> = outcome.found.iter().map(|found| &found.caller.key.identity[..]).collect();
    assert_eq!(identities.len(), 3, "{identities:?}");
    assert!(identities.contains(&"anonymous") && identities.contains(&"444455556666:AIDAMIA"), "{identities:?}");
}

#[test]
fn of_several_that_were_called_one_counts() {
    let mut files = vec![file(FOREIGN, "b", "s"), file(FOREIGN, "c", "s"), file(FOREIGN, "d", "s")];
    for _ in 0..3 {
        files.rotate_left(1);
        let outcome = scanned(files.clone(), true);
        assert_eq!((outcome.matched, outcome.duplicates), (1, 2));
        let mut with_caller = files.clone();
        with_caller.insert(1, file(CALLER, "a", "s"));
        let outcome = scanned(with_caller, true);
        assert_eq!((outcome.matched, outcome.duplicates), (1, 3));
    }
}

#[test]
fn patterns_do_not_take_records_from_each_other() {
    let mut files = vec![file(FOREIGN, "b", "s"), file(CALLER, "a", "s")];
    for _ in 0..2 {
        files.rotate_left(1);
        let alone = asked(&[OTHERS_COPY], files.clone(), true);
        assert_eq!((alone.matched, alone.found.len()), (1, 1));
        let both = asked(&[OTHERS_COPY, SIGV2], files.clone(), true);
        let counts: Vec<_> = both.found.iter().map(|found| (found.pattern, found.caller.count)).collect();
        assert!(counts.len() == 2 && counts.contains(&(0, 1)) && counts.contains(&(1, 1)), "{counts:?}");
        assert_eq!((both.matched, both.duplicates), (2, 0));
    }
}
