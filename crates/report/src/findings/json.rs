//! Findings for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::grouped::Grouped;
use super::{BucketDays, CheckTitle, Days, Findings, Skipped};
use crate::Field;
use crate::json::{Row, write_value};

/// Writes one object. Of the fields that tell callers apart only those of `by` are in `callers`; `check` is there if several
/// checks ran.
pub fn write(findings: &Findings, by: &[Field], out: &mut impl Write) -> io::Result<()> {
    let Grouped { fields, groups } = Grouped::new(findings, by);
    let callers = groups.iter().map(|found| FoundRow {
        row: Row { fields: &fields, group: &found.group },
        check: found.check,
        days: &found.days,
    });
    let document = Document {
        files: findings.files,
        records: findings.records,
        bytes: findings.bytes,
        matched: findings.matched,
        duplicates: findings.duplicates,
        data_events: findings.data_events,
        first_time: findings.first_time.as_deref(),
        last_time: findings.last_time.as_deref(),
        generated: &findings.generated,
        checks: &findings.checks,
        skipped: &findings.skipped,
        skipped_more: findings.skipped_more,
        callers: callers.collect(),
        buckets: &findings.buckets,
    };
    write_value(&document, out)
}

#[derive(Serialize)]
struct Document<'a> {
    files: u64,
    records: u64,
    bytes: u64,
    matched: u64,
    duplicates: u64,
    data_events: u64,
    first_time: Option<&'a str>,
    last_time: Option<&'a str>,
    generated: &'a str,
    checks: &'a [CheckTitle],
    skipped: &'a [Skipped],
    skipped_more: u64,
    callers: Vec<FoundRow<'a>>,
    buckets: &'a [BucketDays],
}

#[derive(Serialize)]
struct FoundRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'a str>,
    #[serde(flatten)]
    row: Row<'a>,
    days: &'a Days,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::{ETL, S3CMD, findings};
    use crate::sanitize::is_hidden;

    fn parsed(findings: &Findings, by: &[Field]) -> Value {
        let mut out = Vec::new();
        write(findings, by, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(|c| is_hidden(c) && c != '\n'), "{text:?}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn all_members_are_there() {
        let mut findings = findings();
        findings.callers.drain(..3);
        assert_eq!(
            parsed(&findings, &Field::ALL),
            json!({
                "files": 3, "records": 1200, "bytes": 2_000_000, "matched": 12, "duplicates": 7, "data_events": 1100,
                "first_time": "2026-11-20T00:00:05Z", "last_time": "2026-11-24T23:59:58Z", "generated": "2026-11-25T08:00:00Z",
                "checks": [{"name": "sigv2", "title": "Signature Version 2", "hygiene": false, "date": null}],
                "skipped": [{"path": "a/b.json.gz", "error": "the end of the gzip stream is missing"}], "skipped_more": 0,
                "callers": [{
                    "identity": ETL, "access_key_id": "ASIAETL", "source_ip": "10.0.0.9", "user_agent": S3CMD, "bucket": "logs",
                    "auth_methods": {"QueryString": 2}, "actions": {"GetObject": 2}, "errors": {"AccessDenied": 2},
                    "count": 2, "first_seen": "2026-11-23T08:00:00Z", "last_seen": "2026-11-23T09:00:00Z",
                    "days": {"2026-11-23": 2},
                }],
                "buckets": [
                    {"bucket": "lake", "data_events": 1000, "matched": 8, "first_day": "2026-11-20", "last_day": "2026-11-24",
                     "last_matched_day": "2026-11-23"},
                    {"bucket": "logs", "data_events": 100, "matched": 2, "first_day": "2026-11-20", "last_day": "2026-11-24",
                     "last_matched_day": "2026-11-23"},
                ],
            })
        );
    }

    #[test]
    fn several_checks_are_told_apart_and_other_fields_left_out() {
        let mut findings = findings();
        findings.checks.push(CheckTitle { name: "tls".into(), ..CheckTitle::default() });
        let parsed = parsed(&findings, &[Field::Bucket]);
        let caller = &parsed["callers"][0];
        assert_eq!(
            (&caller["bucket"], &caller["check"], caller.get("identity")),
            (&json!("lake"), &json!("sigv2"), None)
        );
        assert_eq!(caller["days"], json!({"2026-11-22": 1, "2026-11-23": 7}));
    }

    #[test]
    fn strangers_text_is_kept_but_does_not_act() {
        let path = "\u{202e}\u{1b}[31m\n\"";
        let skipped = vec![Skipped { path: path.into(), error: path.into() }];
        let findings = Findings { skipped, ..Findings::default() };
        assert_eq!(parsed(&findings, &Field::ALL)["skipped"], json!([{"path": path, "error": path}]));
    }
}
