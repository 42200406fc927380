//! The short cuts change no answer: with them and without, a scan finds the same in any input.

mod memory;

use std::io::Write;

use event_pattern::Pattern;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use scan::{Limits, Outcome, Question, Scan};

use self::memory::Memory;

const PATTERNS: [&str; 4] = [
    r#"{"detail":{"additionalEventData":{"SignatureVersion":["SigV2"]}}}"#,
    r#"{"source":["aws.s3"],"detail":{"userAgent":[{"wildcard":"*aws-sdk-java/1.*"},{"prefix":"[Boto/2."}]}}"#,
    r#"{"detail":{"eventName":["GetObject"],"requestParameters":{"key":[{"suffix":"secret.txt"}]}}}"#,
    r#"{"detail":{"sourceIPAddress":["2001:db8::1"]}}"#,
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
    let address = prop::sample::select(vec!["192.0.2.1", "2001:db8::1", "2001:DB8:0::1"]);
    (value(), value(), value(), value(), blank, any::<bool>(), address).prop_map(|parts| {
        let (version, agent, key, name, blank, first, address) = parts;
        let head = r#""eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject","eventTime":"2026-03-14T09:26:53Z","awsRegion":"x","eventType":"AwsApiCall","eventID":"1""#;
        let signed = format!(r#""additionalEventData":{{"SignatureVersion":{blank}"{version}","x":[{{}},["{name}"]]}}"#);
        let rest = format!(r#""sourceIPAddress":"{address}","userAgent":"{agent}",{blank}"requestParameters":{{"key":"{key}","bucketName":"b"}}"#);
        if first { format!("{{{signed},{head},{rest}}}") } else { format!("{{{head},{rest},{signed}{blank}}}") }
    })
}

/// An access log, with lines that are blank or none.
fn access_log() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        concat!(
            r#"79a59df9 b [14/Mar/2026:09:26:53 +0000] 192.0.2.1 arn:aws:iam::111122223333:user/u 7C1B9D42 REST.GET.OBJECT k "#,
            r#""GET /b/k HTTP/1.1" 200 - 1 1 1 1 "-" "x" - h= SigV2 - AuthHeader b.s3.amazonaws.com TLSv1.2"#
        ),
        concat!(
            r#"79a59df9 b [14/Mar/2026:09:26:53 +0000] 192.0.2.1 - 7C1B9D43 REST.GET.OBJECT SigV2 "#,
            r#""GET /b/SigV2 HTTP/1.1" 200 - 1 1 1 1 "-" "SigV2" - h= SigV4 - AuthHeader b.s3.amazonaws.com TLSv1.2"#
        ),
        "",
        " \r",
        "no line of SigV2",
    ]);
    (prop::collection::vec(line, 0..9), any::<bool>()).prop_map(|(lines, ends)| {
        // What the file is, the first line says.
        let first =
            r#"79a59df9 b [14/Mar/2026:09:26:53 +0000] - - 7C1B9D44 S3.EXPIRE.OBJECT k "-" - - - 1 - - "-" "-" -"#;
        format!("{first}\n{}{}", lines.join("\n"), if ends { "\n" } else { "" }).into_bytes()
    })
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => json_file(), 1 => access_log()]
}

fn json_file() -> impl Strategy<Value = Vec<u8>> {
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
    fn change_no_answer(files in prop::collection::vec(file(), 1..6), wanted in prop::sample::subsequence(&PATTERNS, 1..=4)) {
        let archive = Memory(files);
        let patterns: Vec<_> = wanted.iter().map(|pattern| Pattern::compile(pattern).unwrap()).collect();
        let question = Question::new(&patterns);
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
    let question = Question::new(&[Pattern::compile(PATTERNS[0]).unwrap()]);
    let outcome = found(&Memory(files), &question);
    assert!(outcome.matched > 50 && outcome.records > 4 * outcome.matched && outcome.skipped.len() > 20, "{outcome:?}");
}
