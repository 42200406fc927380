//! Callers for tests and examples.

use pipeline::{Caller, CallerKey};

use crate::Counts;
use crate::findings::{BucketDays, CheckTitle, Days, Findings, Found, Skipped};

/// A caller that did `actions` on 2026-11-23, the first and the last of them at these times, `HH:MM:SS`. `key` is in the order
/// of [`crate::Field::ALL`].
pub fn caller(key: [&str; 5], actions: &[(&str, u64)], seen: [&str; 2]) -> Caller {
    let [identity, access_key_id, source_ip, user_agent, bucket] = key.map(str::to_owned);
    let actions: Counts = actions.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let count = actions.values().sum();
    let [first_seen, last_seen] = seen.map(|time| format!("2026-11-23T{time}Z"));
    Caller {
        key: CallerKey { identity, access_key_id, source_ip, user_agent, bucket },
        refused: false,
        auth_methods: Counts::from([("AuthHeader".to_owned(), count)]),
        actions,
        errors: Counts::new(),
        count,
        first_seen,
        last_seen,
    }
}

/// An identity.
pub const BACKUP: &str = "arn:aws:iam::111122223333:user/nightly-backup";
/// Another one.
pub const ETL: &str = "arn:aws:iam::111122223333:role/etl";
/// A user agent.
pub const BOTO: &str = "Boto/2.49.0 Python/2.7.18 Linux/5.10.0-33-amd64";
/// Another one.
pub const S3CMD: &str = "s3cmd/2.4.0";

/// Two identities, four callers, twelve requests.
pub fn callers() -> Vec<Caller> {
    let mut denied = caller([ETL, "ASIAETL", "10.0.0.9", S3CMD, "logs"], &[("GetObject", 2)], ["08:00:00", "09:00:00"]);
    denied.errors.insert("AccessDenied".into(), 2);
    denied.auth_methods = Counts::from([("QueryString".into(), 2)]);
    vec![
        caller([BACKUP, "AKIABACKUP", "10.0.0.1", BOTO, "lake"], &[("PutObject", 7)], ["10:00:00", "11:00:00"]),
        caller([BACKUP, "AKIABACKUP", "10.0.0.2", BOTO, "lake"], &[("PutObject", 1)], ["07:00:00", "07:00:00"]),
        caller([BACKUP, "AKIABACKUP", "10.0.0.1", BOTO, ""], &[("ListBuckets", 2)], ["10:30:00", "10:40:00"]),
        denied,
    ]
}

/// What a scan of five days found: the [`callers`], the second of whom was also seen the day before.
pub fn findings() -> Findings {
    let days = [[("2026-11-23", 7)], [("2026-11-22", 1)], [("2026-11-23", 2)], [("2026-11-23", 2)]];
    let found = callers().into_iter().zip(days).map(|(caller, days)| {
        let days: Days = days.into_iter().map(|(day, count)| (day.to_owned(), count)).collect();
        Found { caller, check: "sigv2".into(), days }
    });
    let bucket = |name: &str, data_events, matched| BucketDays {
        bucket: name.into(),
        data_events,
        matched,
        first_day: "2026-11-20".into(),
        last_day: "2026-11-24".into(),
        last_matched_day: Some("2026-11-23".into()),
    };
    Findings {
        checks: vec![CheckTitle {
            name: "sigv2".into(),
            title: "Signature Version 2".into(),
            hygiene: false,
            date: None,
        }],
        files: 3,
        records: 1_200,
        bytes: 2_000_000,
        matched: 12,
        duplicates: 7,
        skipped: vec![Skipped { path: "a/b.json.gz".into(), error: "the end of the gzip stream is missing".into() }],
        skipped_more: 0,
        callers: found.collect(),
        buckets: vec![bucket("lake", 1_000, 8), bucket("logs", 100, 2)],
        first_time: Some("2026-11-20T00:00:05Z".into()),
        last_time: Some("2026-11-24T23:59:58Z".into()),
        data_events: 1_100,
        generated: "2026-11-25T08:00:00Z".into(),
    }
}
