//! Writes the page of a made-up archive to stdout, to look at: `page > page.html`. With `several` three checks ran, with `clean`
//! nothing matched.

use std::env;
use std::io::{self, BufWriter, Write, stdout};

use pipeline::{Caller, CallerKey};
use report::findings::{BucketDays, CheckTitle, Days, Findings, Found, Skipped, html};
use report::{Counts, Field};

/// Days of the archive, from 2026-01-01.
const DAYS: u64 = 90;

fn main() -> io::Result<()> {
    let mut findings = findings();
    match env::args().nth(1).as_deref() {
        Some("several") => several(&mut findings),
        Some("clean") => clean(&mut findings),
        _ => {}
    }
    let mut out = BufWriter::new(stdout().lock());
    html::write(&findings, &Field::ALL, &mut out)?;
    out.flush()
}

/// Who calls, with what, how often a day at first, until which day of the archive, on which bucket.
const CLIENTS: [(&str, &str, &str, u64, u64, &str); 12] = [
    ("user/nightly-backup", "10.20.0.14", "Boto/2.49.0 Python/2.7.18 Linux/5.10.0-33-amd64", 900, 72, "data-lake-raw"),
    (
        "role/etl-spark",
        "10.20.4.7",
        "aws-sdk-java/1.11.199 Linux/4.14.243 OpenJDK_64-Bit_Server_VM/25.302",
        1400,
        61,
        "data-lake-raw",
    ),
    (
        "role/etl-spark",
        "10.20.4.8",
        "aws-sdk-java/1.11.199 Linux/4.14.243 OpenJDK_64-Bit_Server_VM/25.302",
        700,
        58,
        "data-lake-curated",
    ),
    ("user/legacy-uploader", "203.0.113.77", "s3cmd/1.5.2", 320, 80, "customer-uploads"),
    (
        "role/report-service",
        "10.20.9.3",
        "aws-sdk-php/2.8.31 Guzzle/3.9.3 curl/7.52.1 PHP/5.6.40",
        240,
        44,
        "monthly-reports",
    ),
    ("role/image-resizer", "10.20.7.21", "aws-sdk-nodejs/2.0.31 linux/v0.10.48", 180, 33, "thumbnails"),
    ("user/partner-acme", "198.51.100.12", "S3Browser/6.5.9 (https://s3browser.com)", 90, 78, "partner-exchange"),
    ("user/scanner-office-3", "192.0.2.30", "MFP Scan-to-S3 1.0", 25, 90, "scans"),
    ("role/ci-cache", "10.20.30.2", "Boto/2.38.0 Python/2.7.6", 60, 20, "build-cache"),
    ("user/finance-export", "10.20.2.90", "fog/1.42.0 fog-core/1.45.0", 12, 64, "finance-exports"),
    ("role/ml-notebook", "10.20.11.5", "Boto/2.49.0 Python/2.7.18", 30, 70, "data-lake-curated"),
    ("user/o'brien<script>\u{202e}", "192.0.2.4", "curl/7.19.7 \"quoted\" & <b>bold</b>\u{1b}[31m", 3, 50, "scans"),
];

fn findings() -> Findings {
    let callers: Vec<Found> = CLIENTS.iter().enumerate().map(|(at, client)| found(at as u64, client)).collect();
    let matched = callers.iter().map(|found| found.caller.count).sum();
    let buckets = buckets(&callers);
    Findings {
        checks: vec![CheckTitle {
            name: "sigv2".into(),
            title: "Signature Version 2".into(),
            hygiene: false,
            date: None,
        }],
        files: 25_914,
        records: 61_208_377,
        bytes: 98_412_233_104,
        matched,
        duplicates: 1_204,
        skipped: vec![
            Skipped {
                path: "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/11/111122223333_CloudTrail_eu-west-1_20260211T0905Z_iHzuMoM3J0Nqg6aV.json.gz".into(),
                error: "the end of the gzip stream is missing".into(),
            },
            Skipped { path: "AWSLogs/111122223333/notes.txt".into(), error: "no JSON: expected value at line 1 column 1".into() },
        ],
        skipped_more: 0,
        callers,
        data_events: buckets.iter().map(|bucket| bucket.data_events).sum(),
        buckets,
        first_time: Some("2026-01-01T00:00:03Z".into()),
        last_time: Some("2026-03-31T23:59:41Z".into()),
        generated: "2026-04-01T08:12:00Z".into(),
    }
}

fn found(at: u64, (name, source_ip, agent, a_day, until, bucket): &(&str, &str, &str, u64, u64, &str)) -> Found {
    let mut days = Days::new();
    for day in 0..*until {
        // Falls slowly; not everybody works on Sundays, and some come rarely.
        let noise = (day * 7_919 + at * 104_729) % 29;
        let count = a_day * (DAYS * 3 / 2 - day) / (DAYS * 3 / 2) * (86 + noise) / 100;
        let rests = if *a_day < 30 { day % 5 > 0 } else { day % 7 == 3 && at % 3 == 1 };
        if count > 0 && !rests {
            days.insert(date(day), count);
        }
    }
    let count: u64 = days.values().sum();
    let action = if at.is_multiple_of(2) { "PutObject" } else { "GetObject" };
    let (first, last) = (days.keys().next().cloned(), days.keys().next_back().cloned());
    let (first_seen, last_seen) = (first.unwrap_or_default(), last.unwrap_or_default());
    Found {
        caller: Caller {
            key: CallerKey {
                identity: format!("arn:aws:iam::111122223333:{name}"),
                access_key_id: format!(
                    "{}EXAMPLE{:09}",
                    if name.starts_with("role") { "ASIA" } else { "AKIA" },
                    at * 7_654_321
                ),
                source_ip: (*source_ip).into(),
                user_agent: (*agent).into(),
                bucket: (*bucket).into(),
            },
            refused: false,
            auth_methods: Counts::from([(if at == 6 { "QueryString" } else { "AuthHeader" }.into(), count)]),
            actions: Counts::from([(action.into(), count - count / 9), ("HeadObject".into(), count / 9)]),
            errors: if at % 4 == 3 { Counts::from([("AccessDenied".into(), count / 50 + 1)]) } else { Counts::new() },
            count,
            first_seen: format!("{first_seen}T00:10:00Z"),
            last_seen: format!("{last_seen}T22:{:02}:07Z", at * 4),
        },
        check: "sigv2".into(),
        days,
    }
}

fn buckets(callers: &[Found]) -> Vec<BucketDays> {
    let mut names: Vec<&str> =
        CLIENTS.iter().map(|client| client.5).chain(["web-assets", "archive-2019", "new-project"]).collect();
    names.sort_unstable();
    names.dedup();
    let bucket = |(at, name): (usize, &&str)| {
        let of = || callers.iter().filter(|found| found.caller.key.bucket == *name);
        BucketDays {
            bucket: (*name).into(),
            data_events: 40_000_000 / (at as u64 + 1),
            matched: of().map(|found| found.caller.count).sum(),
            first_day: date(if *name == "new-project" { 80 } else { 0 }),
            last_day: date(if *name == "archive-2019" { 12 } else { DAYS - 1 }),
            last_matched_day: of().filter_map(|found| found.days.keys().next_back().cloned()).max(),
        }
    };
    names.iter().enumerate().map(bucket).collect()
}

/// Days since 2026-01-01, within March.
fn date(day: u64) -> String {
    match day {
        0..31 => format!("2026-01-{:02}", day + 1),
        31..59 => format!("2026-02-{:02}", day - 30),
        _ => format!("2026-03-{:02}", day - 58),
    }
}

fn several(findings: &mut Findings) {
    let check = |name: &str, title: &str, hygiene, date: Option<&str>| CheckTitle {
        name: name.into(),
        title: title.into(),
        hygiene,
        date: date.map(str::to_owned),
    };
    findings.checks.extend([
        check("java1", "SDK for Java 1.x", false, Some("2025-12-31")),
        check("cli1", "AWS CLI v1", false, Some("2026-07-15")),
        check("root", "Root user", true, None),
    ]);
    let java: Vec<_> =
        findings.callers[1..3].iter().cloned().map(|found| Found { check: "java1".into(), ..found }).collect();
    findings.callers.extend(java);
}

fn clean(findings: &mut Findings) {
    findings.callers.clear();
    findings.matched = 0;
    findings.skipped.clear();
    for bucket in &mut findings.buckets {
        (bucket.matched, bucket.last_matched_day) = (0, None);
    }
}
