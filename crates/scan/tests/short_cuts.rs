//! The short cuts change no answer: with them and without, a scan finds the same in any input.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use scan::{Archive, Limits, Outcome, Question, Scan};

/// Files in memory.
struct Memory(Vec<Vec<u8>>);

impl Archive for Memory {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> String {
        index.to_string()
    }

    fn open(&self, index: usize) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        let file = &self.0[index];
        // Every other one as a pipe.
        Ok((Box::new(&file[..]), index.is_multiple_of(2).then_some(file.len() as u64)))
    }
}

const PATTERNS: [&str; 3] = [
    r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#,
    r#"{"source":["aws.s3"],"detail":{"userAgent":[{"wildcard":"*aws-sdk-java/1.*"},{"prefix":"[Boto/2."}]}}"#,
    r#"{"detail":{"eventName":["GetObject"],"requestParameters":{"key":[{"suffix":"secret.txt"}]}}}"#,
];

fn found(archive: &Memory, question: &Question) -> Outcome {
    let scan = Scan { question, limits: Limits::default(), threads: 1, matches: None };
    scan.run(archive, &|_| {})
}

/// A text in JSON, some of whose letters are escaped, as any of them may be.
fn spelled(text: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec(0..20_u8, text.len()).prop_map(move |how| {
        let letter = |(letter, how): (char, u8)| match how {
            0 => format!("\\u{:04x}", letter as u32),
            1 => format!("\\u{:04X}", letter as u32),
            _ => letter.to_string(),
        };
        text.chars().zip(how).map(letter).collect()
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        spelled("SigV2"),
        spelled("SigV4"),
        spelled("[aws-sdk-java/1.12.3 Linux]"),
        spelled("[Boto/2.49.0]"),
        spelled("a/secret.txt"),
        Just(r#"a \"SignatureVersion\":\"SigV2\" b"#.to_owned()),
        Just(r"\\".to_owned()),
        Just("}]{[,".to_owned()),
        Just("\\u00e9\\u2028é".to_owned()),
    ]
}

fn record() -> impl Strategy<Value = String> {
    let blank = prop::sample::select(vec!["", " ", "\n"]);
    (value(), value(), value(), value(), blank, any::<bool>()).prop_map(|(version, agent, key, name, blank, first)| {
        let head = r#""eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject","eventTime":"2026-03-14T09:26:53Z","awsRegion":"x","eventType":"AwsApiCall","eventID":"1","sourceIPAddress":"192.0.2.1""#;
        let signed = format!(r#""additionalEventData":{{"SignatureVersion":{blank}"{version}","x":[{{}},["{name}"]]}}"#);
        let rest = format!(r#""userAgent":"{agent}",{blank}"requestParameters":{{"key":"{key}","bucketName":"b"}}"#);
        if first { format!("{{{signed},{head},{rest}}}") } else { format!("{{{head},{rest},{signed}{blank}}}") }
    })
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let kind = 0..6_u8;
    (prop::collection::vec(record(), 0..12), kind, any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(records, kind, place, byte)| {
            let mut file = match kind {
                0 => records.join("\n"),
                1 => format!("[{}]", records.join(" ,\n")),
                2 => format!("{{ \"x\": {{}}, \"Records\" : [{}]}}", records.join(",")),
                3 => format!("{{ \"Records\" :\n[{}], \"x\":[{{\"y\":1}}]}}\n{{\"Records\":[]}}", records.join(",")),
                _ => format!("{{\"Records\":[{}]}}", records.join(",")),
            }
            .into_bytes();
            match kind {
                // Something is wrong with it.
                4 if !file.is_empty() => {
                    let at = place.index(file.len());
                    file[at] = byte;
                }
                5 => file.truncate(place.index(file.len() + 1)),
                _ => {}
            }
            if byte.is_multiple_of(3) {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                gzip.write_all(&file).expect("memory takes it");
                file = gzip.finish().expect("memory takes it");
            }
            file
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn change_no_answer(files in prop::collection::vec(file(), 1..6), wanted in prop::sample::subsequence(&PATTERNS, 1..=3)) {
        let archive = Memory(files);
        let patterns = wanted.iter().enumerate().map(|(index, pattern)| (index.to_string(), *pattern));
        let question = Question::new(patterns).unwrap();
        let slow = found(&archive, &question.clone().without_literals());
        let fast = found(&archive, &question);
        prop_assert_eq!(
            (fast.records, fast.matched, fast.bytes, &fast.found),
            (slow.records, slow.matched, slow.bytes, &slow.found)
        );
    }
}

#[test]
fn the_inputs_are_of_all_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let files: Vec<_> = (0..300).map(|_| file().new_tree(&mut runner).unwrap().current()).collect();
    let question = Question::new([("sigv2".to_owned(), PATTERNS[0])]).unwrap();
    let outcome = found(&Memory(files), &question);
    assert!(outcome.matched > 50 && outcome.records > 4 * outcome.matched && outcome.skipped.len() > 20, "{outcome:?}");
}
