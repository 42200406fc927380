//! Lines made of columns are taken apart into these columns, whatever clients write into theirs; and nothing panics.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use access_log::{LINE_LEN_MAX, Line, LineError, Origin, is_access_log, signature_version};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use record::Record;

/// The columns of a line as they are written, without quotes and brackets.
#[derive(Debug, Clone)]
struct Written {
    head: Vec<String>,
    uri: String,
    outcome: Vec<String>,
    referer: String,
    user_agent: String,
    tail: Vec<String>,
}

impl Written {
    fn text(&self) -> String {
        let Self { head, uri, outcome, referer, user_agent, tail } = self;
        let tail = tail.join(" ");
        let (before, after) = head.split_at(2);
        // Lines without a signature version are from before October 2018.
        let year = if self.tail.len() < 3 { 2018 } else { 2026 };
        format!(
            "{} [14/Mar/{year}:09:26:53 +0000] {} \"{uri}\" {} \"{referer}\" \"{user_agent}\" {tail}",
            before.join(" "),
            after.join(" "),
            outcome.join(" ")
        )
    }
}

/// A column without blanks and quotes.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![1 => Just("-".to_owned()), 4 => "[A-Za-z0-9+/=:.%_-]{1,20}", 1 => "[^ \"\u{0}-\u{1f}\u{7f}]{1,8}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![Just("-".to_owned()), any::<u64>().prop_map(|number| number.to_string())]
}

/// What a client writes who knows how the log is read.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "\"",
        " ",
        "-",
        "SigV2",
        "SigV4",
        "\" \"",
        "\" - ",
        "200",
        " - ",
        "x",
        "\" - h SigV4 c AuthHeader h TLSv1.2 - - -",
        "\" 200 - 1 1 1 1 \"-\" \"x\" - h SigV4",
        "\\",
        "\u{fc}",
        "\\\"",
        "[",
        "]",
    ]);
    vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

/// S3 writes no line whose column is empty or begins or ends in a blank that matters; `-` is `None`, as is nothing.
fn shown(column: &str) -> Option<&[u8]> {
    (!matches!(column, "" | "-")).then_some(column.as_bytes())
}

fn tail() -> impl Strategy<Value = Vec<String>> {
    let signed = (
        word(),
        host_id(),
        select(vec!["SigV2", "SigV4", "SigV4A", "-"]),
        vec(word(), 7),
        vec(word(), 0..4),
        0..9usize,
    );
    let signed = signed.prop_map(|(version, host, signature, others, more, without)| {
        let mut tail = vec![version, host, signature.to_owned()];
        tail.extend(others);
        tail.truncate(11 - without.min(8));
        if without == 0 {
            tail.extend(more);
        }
        tail
    });
    let old = (word(), proptest::option::of(host_id()))
        .prop_map(|(version, host)| [Some(version), host].into_iter().flatten().collect());
    prop_oneof![3 => signed, 1 => old]
}

fn host_id() -> impl Strategy<Value = String> {
    word().prop_filter("a host id", |id| !id.starts_with("SigV"))
}

prop_compose! {
    fn written(user_agent: impl Strategy<Value = String>)(
        head in vec(word(), 7),
        uri in "(GET|PUT) /[!#-~]{0,30} HTTP/1\\.1",
        uri_quotes in vec(any::<prop::sample::Index>(), 0..3),
        status in select(vec!["200", "403", "-"]),
        error in word(),
        numbers in vec(number(), 4),
        referer in prop_oneof![Just("-".to_owned()), Just(String::new()), "https?://[!#-~]{1,20}"],
        user_agent in user_agent,
        tail in tail(),
    ) -> Written {
        // A request line holds no blank but its own two; quotes are as good as any other character.
        let mut uri = uri.into_bytes();
        for at in uri_quotes {
            let at = at.index(uri.len());
            if uri[at] != b' ' && uri.get(at + 1) != Some(&b' ') && at > 0 {
                uri[at] = b'"';
            }
        }
        let mut outcome = vec![status.to_owned(), error];
        outcome.extend(numbers);
        Written { head, uri: String::from_utf8(uri).unwrap(), outcome, referer, user_agent, tail }
    }
}

fn check(written: &Written) -> Result<(), TestCaseError> {
    let text = written.text();
    let line = Line::parse(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    let head: Vec<_> = written.head.iter().map(|column| shown(column)).collect();
    prop_assert_eq!(
        [line.bucket_owner, line.bucket, line.remote_ip, line.requester, line.request_id],
        [head[0], head[1], head[2], head[3], head[4]]
    );
    prop_assert_eq!((line.operation, line.key), (written.head[5].as_bytes(), head[6]));
    prop_assert_eq!(line.request_uri, shown(&written.uri));
    prop_assert_eq!(line.http_status, written.outcome[0].parse().ok());
    prop_assert_eq!(line.error_code, shown(&written.outcome[1]));
    let numbers = [line.bytes_sent, line.object_size, line.total_time_ms, line.turn_around_time_ms];
    prop_assert_eq!(
        numbers.to_vec(),
        written.outcome[2..].iter().map(|number| number.parse().ok()).collect::<Vec<Option<u64>>>()
    );
    prop_assert_eq!(line.referer, shown(&written.referer));
    prop_assert_eq!(line.user_agent, shown(&written.user_agent));
    let tail = [
        line.version_id,
        line.host_id,
        line.signature_version,
        line.cipher_suite,
        line.authentication_type,
        line.host_header,
        line.tls_version,
        line.access_point_arn,
        line.acl_required,
        line.source_region,
    ];
    for (at, column) in tail.into_iter().enumerate() {
        prop_assert_eq!(column, written.tail.get(at).and_then(|column| shown(column)), "{}", at);
    }
    prop_assert_eq!(signature_version(text.as_bytes()), line.signature_version);
    Ok(())
}

fn whole_record(line: &Line<'_>) -> Result<(), TestCaseError> {
    let mut json = b"before".to_vec();
    line.record_of(&Origin::default(), &mut json);
    let json = json.strip_prefix(b"before").unwrap();
    let record: Record = serde_json::from_slice(json).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(serde_json::to_vec(&record).unwrap(), json);
    prop_assert!(json.len() < 256 * 1024);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn columns_come_back(written in written("[!#-~ ]{0,40}")) {
        check(&written)?;
    }

    /// Whatever stands in a user agent, all the other columns come back.
    #[test]
    fn a_user_agent_changes_no_other_column(written in written(hostile())) {
        check(&written)?;
    }

    /// A referer can change how it and the user agent are told apart, and nothing else.
    #[test]
    fn a_referer_changes_nothing_behind_it(written in written(hostile()), referer in hostile()) {
        let (with, without) = (Written { referer, ..written.clone() }.text(), written.text());
        let (with, without) = (Line::parse(with.as_bytes()), Line::parse(without.as_bytes()).unwrap());
        let with = with.unwrap();
        prop_assert_eq!(Line { referer: None, user_agent: None, ..with }, Line { referer: None, user_agent: None, ..without });
    }

    #[test]
    fn records_are_cloudtrails(written in written(hostile())) {
        whole_record(&Line::parse(written.text().as_bytes()).unwrap())?;
    }

    #[test]
    fn the_end_of_a_line_does_not_matter(written in written("[!#-~]{0,20}"), end in select(vec!["\n", "\r\n", " \r\n", " "])) {
        let text = written.text();
        let ended = format!("{text}{end}");
        prop_assert_eq!(Line::parse(ended.as_bytes()), Line::parse(text.as_bytes()));
    }

    /// Lines cut anywhere, with bytes changed: an error or a line, whose record is one, and one answer to the quick question.
    #[test]
    fn nothing_panics(
        written in written(hostile()),
        cut in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), select(b"\" -[]%".to_vec())]), 0..6),
    ) {
        let mut text = written.text().into_bytes();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        for text in [&text[..], &text[..cut.index(text.len())]] {
            is_access_log(text);
            let quick = signature_version(text);
            if let Ok(line) = Line::parse(text) {
                prop_assert_eq!(quick, line.signature_version);
                whole_record(&line)?;
            }
        }
    }

    #[test]
    fn no_bytes_panic(text in vec(any::<u8>(), 0..300)) {
        is_access_log(&text);
        signature_version(&text);
        prop_assert!(Line::parse(&text).is_err());
    }

    /// No cut of a line from before its last column is taken for a line of more columns.
    #[test]
    fn a_line_cut_before_its_18th_column_is_none(written in written("[!#-~]{0,20}"), cut in any::<prop::sample::Index>()) {
        let text = written.text();
        let whole = text.len() - written.tail.iter().map(|column| column.len() + 1).sum::<usize>();
        let error = Line::parse(&text.as_bytes()[..cut.index(whole + 1)]).unwrap_err();
        prop_assert!(matches!(error, LineError::Missing(_) | LineError::Unfinished(_) | LineError::Malformed(_)));
    }
}

/// Found by [`nothing_panics`]: a user agent without quotes, and a quote behind it.
#[test]
fn after_a_user_agent_without_quotes_come_none() {
    let line = |behind: &str| {
        let text =
            format!(r#"o b [14/Mar/2026:09:26:53 +0000] i r q REST.GET.OBJECT k "-" 200 - 1 1 1 1 "x" - {behind}"#);
        (
            Line::parse(text.as_bytes()).map(|line| line.signature_version.map(<[u8]>::to_vec)),
            signature_version(text.as_bytes()).map(<[u8]>::to_vec),
        )
    };
    assert_eq!(line("- h SigV2 c"), (Ok(Some(b"SigV2".to_vec())), Some(b"SigV2".to_vec())));
    assert_eq!(line(r#"h SigV4" v h SigV2 c"#).0, Err(LineError::Malformed(access_log::Field::UserAgent)));
}

#[test]
fn lines_are_bounded() {
    let line = |len: usize| {
        let start = "o b [14/Mar/2026:09:26:53 +0000] i r q REST.GET.OBJECT k \"-\" 200 - - - - - \"-\" \"";
        let end = "\" -";
        format!("{start}{}{end}", "\"".repeat(len - start.len() - end.len()))
    };
    assert!(Line::parse(line(LINE_LEN_MAX).as_bytes()).is_ok());
    assert_eq!(Line::parse(line(LINE_LEN_MAX + 1).as_bytes()), Err(LineError::TooLong { len: LINE_LEN_MAX + 1 }));
    assert_eq!(signature_version(line(LINE_LEN_MAX + 1).as_bytes()), None);
}
