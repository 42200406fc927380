use proptest::prelude::*;

use super::*;
use crate::findings::{BucketDays, CheckTitle, Found, Skipped};
use crate::samples::{BACKUP, caller, findings};
use crate::sanitize::is_hidden;

fn text(findings: &Findings, by: &[Field]) -> String {
    let mut out = Vec::new();
    write(findings, by, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
}

#[test]
fn the_head_says_how_it_stands() {
    let page = text(&findings(), &Field::ALL);
    has(
        &page,
        &[
            "<title>Signature Version 2 - Sigtrail</title>",
            "<h1>Signature Version 2</h1>",
            "<strong>12 requests</strong> of <strong>2 callers</strong> matched.",
            "<span class=\"day\">2026-11-23</span>, 1 day before the archive ends.",
            "<strong>1 file could not be read.</strong>",
            "<dd>2</dd><dd class=\"dim\">of 2 have matches</dd>",
        ],
    );
}

#[test]
fn the_chart_has_every_day_of_the_archive() {
    let page = text(&findings(), &Field::ALL);
    has(
        &page,
        &[
            "Bar chart from 2026-11-20 to 2026-11-24: at most 11 requests in a day; 3 days without any.",
            "<title>2026-11-20: 0 requests</title>",
            "<title>2026-11-23: 11 requests\n9  arn:aws:iam::111122223333:user/nightly-backup\n2  arn:aws:iam::111122223333:role/etl</title>",
            "<title>2026-11-20 to 2026-11-21: no match</title>",
            "<title>2026-11-24: no match</title>",
        ],
    );
    assert_eq!(page.matches("class=\"reach\"").count(), 5);
}

#[test]
fn the_ninth_caller_is_one_of_the_others() {
    let mut findings = findings();
    findings.callers = (0..10)
        .map(|at| Found {
            caller: caller([&format!("user{at}"), "A", "::1", "x", "b"], &[("GetObject", 20 - at)], ["1", "2"]),
            check: "sigv2".into(),
            days: [("2026-11-21".to_owned(), 20 - at)].into(),
        })
        .collect();
    let page = text(&findings, &Field::ALL);
    has(&page, &["2 other callers", "<title>2026-11-21: 155 requests\n20  user0\n", "\n23  2 other callers</title>"]);
    assert_eq!(page.matches("class=\"swatch s").count(), 9);
}

#[test]
fn only_the_fields_asked_for_are_told() {
    let page = text(&findings(), &[Field::Bucket]);
    has(&page, &["<td class=\"name\">lake</td>", "<td class=\"name\">(none)</td>"]);
    assert!(!page.contains(BACKUP) && !page.contains("AKIABACKUP") && !page.contains("10.0.0.1"), "{page}");
}

#[test]
fn several_checks_are_told_with_their_ends() {
    let mut findings = findings();
    let check = |name: &str, hygiene, date: Option<&str>| CheckTitle {
        name: name.into(),
        title: format!("Title of {name}"),
        hygiene,
        date: date.map(str::to_owned),
    };
    findings.checks.extend([
        check("past", false, Some("2026-11-25")),
        check("future", false, Some("2026-12-25")),
        check("root", true, None),
    ]);
    let page = text(&findings, &Field::ALL);
    has(
        &page,
        &[
            "<h1>4 checks</h1>",
            "Ended 2026-11-25</span>",
            "Ends 2026-12-25</span> That is in 30 days.",
            "Good practice</span>",
            "<td><code>sigv2</code></td>",
        ],
    );
}

#[test]
fn taking_out_is_suggested_after_thirty_clean_days_only() {
    let short = text(&findings(), &Field::ALL);
    has(&short, &["the archive covers 5 days, and it takes 30 clean ones", ">Wait</span> until it has 30 clean days"]);

    let mut findings = findings();
    findings.first_time = Some("2026-09-01T00:00:00Z".into());
    let long = text(&findings, &Field::ALL);
    has(&long, &["none has 30 clean days at the end of the archive"]);

    findings.buckets.push(BucketDays {
        bucket: "done".into(),
        data_events: 8_500_000,
        matched: 3,
        first_day: "2026-09-01".into(),
        last_day: "2026-11-24".into(),
        last_matched_day: Some("2026-10-25".into()),
    });
    let done = text(&findings, &Field::ALL);
    has(
        &done,
        &["<strong>1 bucket</strong> had no match in the last 30 days or longer", "<strong>3.00 USD</strong> a month"],
    );
}

#[test]
fn what_was_skipped_is_told_with_reasons() {
    let mut findings = findings();
    findings.skipped_more = 41;
    let page = text(&findings, &Field::ALL);
    has(
        &page,
        &[
            "42 files could not be read",
            "<code>a/b.json.gz</code></th><td>the end of the gzip stream is missing</td>",
            "And 41 more files.",
        ],
    );
    let page = text(&Findings { skipped: Vec::new(), skipped_more: 0, ..findings }, &Field::ALL);
    has(&page, &["Every file was read to its end."]);
    assert!(!page.contains("could not be read"));
}

#[test]
fn rows_are_bounded_and_what_is_left_out_is_said() {
    let mut findings = findings();
    findings.callers = (0..callers::ROWS_MAX + 3)
        .map(|at| Found {
            caller: caller([&format!("user{at}"), "A", "::1", "x", "b"], &[("GetObject", 1)], ["1", "2"]),
            check: "sigv2".into(),
            days: super::super::Days::new(),
        })
        .collect();
    let page = text(&findings, &Field::ALL);
    has(&page, &["3 more callers with fewer requests: in the reports as JSON and CSV."]);
}

#[test]
fn an_empty_archive_has_a_page() {
    let page = text(&Findings::default(), &[]);
    has(&page, &["<strong>Nothing matched</strong> in 0 records.", "<h1>Findings</h1>"]);
    has(&text(&findings(), &[]), &["11  All callers</title>"]);
    let quiet = Findings { callers: Vec::new(), matched: 0, ..findings() };
    has(&text(&quiet, &Field::ALL), &["5 days without a match"]);
}

#[test]
fn numbers_at_their_bounds_do_not_overflow() {
    let mut findings = findings();
    findings.matched = u64::MAX;
    findings.data_events = u64::MAX;
    findings.skipped_more = u64::MAX;
    for found in &mut findings.callers {
        found.caller.count = u64::MAX;
        found.days.values_mut().for_each(|count| *count = u64::MAX);
    }
    for bucket in &mut findings.buckets {
        (bucket.data_events, bucket.matched) = (u64::MAX, u64::MAX);
    }
    has(&text(&findings, &Field::ALL), &["18,446,744,073,709,551,615"]);
}

#[test]
fn the_policy_lets_nothing_in_but_our_own_style_and_script() {
    let page = text(&findings(), &Field::ALL);
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(between(&page, "<style>", "</style>")),
        hash(between(&page, "<script>", "</script>")),
    );
    has(&page, &[&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")]);
    // Nothing is left for the policy to refuse.
    for outside in [" src=", "url(", "@import", "http://", "https://", "<link", " style=", " onclick"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

/// The tags of a page, and the texts between them. Attributes are quoted, and nothing but a tag begins with `<`.
fn split(page: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut tags, mut texts) = (Vec::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        texts.push(before);
        let mut quoted = false;
        let end = after.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let (tag, next) = after.split_at(end.expect("the tag ends"));
        tags.push(tag);
        rest = &next[1..];
    }
    texts.push(rest);
    (tags, texts)
}

/// Elements and the names of their attributes, in order: what a page is made of apart from its texts.
fn skeleton(page: &str) -> Vec<String> {
    let body = page.split_once("</head>").unwrap().1.split_once("<script>").unwrap().0;
    let names = |tag: &&str| tag.split('"').step_by(2).collect::<Vec<_>>().join("\"");
    split(body).0.iter().map(names).collect()
}

/// Findings with this text wherever a stranger's may stand.
fn everywhere(text: &str) -> Findings {
    let mut findings = findings();
    let mut found = findings.callers[3].clone();
    let key = &mut found.caller.key;
    for field in [&mut key.identity, &mut key.access_key_id, &mut key.source_ip, &mut key.user_agent, &mut key.bucket] {
        *field = text.into();
    }
    for counts in [&mut found.caller.actions, &mut found.caller.auth_methods, &mut found.caller.errors] {
        *counts = [(text.to_owned(), 2)].into();
    }
    (found.caller.first_seen, found.caller.last_seen) = (text.into(), text.into());
    found.days = [(text.to_owned(), 1), ("2026-11-21".to_owned(), 1)].into();
    found.check = text.into();
    findings.callers = vec![found];
    let check =
        |name: &str| CheckTitle { name: name.into(), title: text.into(), hygiene: false, date: Some(text.into()) };
    findings.checks = vec![check(text), check("other")];
    findings.skipped = vec![Skipped { path: text.into(), error: text.into() }];
    findings.buckets = vec![BucketDays {
        bucket: text.into(),
        data_events: 1,
        matched: 1,
        first_day: text.into(),
        last_day: text.into(),
        last_matched_day: Some(text.into()),
    }];
    (findings.first_time, findings.last_time) = (Some("2026-11-20".into()), Some(text.into()));
    findings.generated = text.into();
    findings
}

fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        proptest::sample::select(vec![
            "<",
            ">",
            "\"",
            "'",
            "&",
            "</script>",
            "<!--",
            "]]>",
            "\" onload=\"x",
            "&lt;",
            "=",
            "arn:",
            ":",
            "\n",
            "\r",
            "\t",
            "\0",
            "\u{1b}[31m",
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\u{feff}",
            "\u{2028}",
            "\u{85}",
            "é",
            "🦀",
            "e\u{301}",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 1..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever strangers write, the page is made of the same elements and attributes as with a harmless word, and nothing in it
    /// is hidden.
    #[test]
    fn strangers_text_stays_text(hostile in hostile()) {
        let page = text(&everywhere(&hostile), &Field::ALL);
        prop_assert!(!page.contains(|c| is_hidden(c) && c != '\n'));
        // An identity that is an ARN has an element more.
        let harmless = if hostile.rfind(':').is_some_and(|at| hostile.starts_with("arn:") && at + 1 < hostile.len()) {
            "arn:x"
        } else {
            "x"
        };
        prop_assert_eq!(skeleton(&page), skeleton(&text(&everywhere(harmless), &Field::ALL)));
        for part in split(page.split_once("</head>").unwrap().1.split_once("<script>").unwrap().0).1 {
            prop_assert!(!part.contains(['"', '>']), "{part}");
        }
    }
}
