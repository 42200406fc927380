//! Lines of public logs, whole and cut short.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads its samples")]

use std::path::Path;

use access_log::{Field, Line, LineError, Origin, is_access_log, signature_version};
use record::Record;

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/s3-access-logs").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect()
}

fn parsed(text: &[u8]) -> Vec<Result<Line<'_>, LineError>> {
    lines(text).into_iter().map(Line::parse).collect()
}

/// Everybody's lines of 2019, and made-up ones that end after 25, 24, 23, 22 and 18 columns, the last as before October 2018.
#[test]
fn whole_lines() {
    for (name, count, sigv2, with_tls) in [
        ("joswr1ght_s3logparse/test.log", 5, 4, 5),
        ("suhaibaffan_rust-parser/sample.txt", 3, 0, 3),
        ("nekrassov01_access-log-parser/sample_s3_all_match.log", 5, 4, 2),
    ] {
        let text = sample(name);
        let found: Vec<_> = parsed(&text).into_iter().map(Result::unwrap).collect();
        assert_eq!(found.len(), count, "{name}");
        assert_eq!(found.iter().filter(|line| line.signature_version == Some(b"SigV2")).count(), sigv2, "{name}");
        assert_eq!(found.iter().filter(|line| line.tls_version.is_some()).count(), with_tls, "{name}");
        assert!(is_access_log(lines(&text)[0]));
        for (line, text) in found.iter().zip(lines(&text)) {
            assert_eq!(signature_version(text), line.signature_version);
            let mut json = Vec::new();
            line.record_of(&Origin::default(), &mut json);
            let record: Record = serde_json::from_slice(&json).unwrap();
            assert_eq!(serde_json::to_vec(&record).unwrap(), json);
            assert!(!record.event_name.contains('.'), "{}", record.event_name);
        }
    }
}

#[test]
fn a_line_in_full() {
    let text = sample("suhaibaffan_rust-parser/sample.txt");
    let line = Line::parse(lines(&text)[0]).unwrap();
    assert_eq!(line.bucket, Some(&b"xr-eu-content-main"[..]));
    assert_eq!(line.time.to_rfc3339_seconds(), "2019-03-28T00:05:22Z");
    assert_eq!(line.request_uri, Some(&b"GET /xr-eu-content-main?encryption= HTTP/1.1"[..]));
    assert_eq!(line.http_status, Some(404));
    assert_eq!(line.error_code, Some(&b"ServerSideEncryptionConfigurationNotFoundError"[..]));
    assert_eq!((line.bytes_sent, line.object_size), (Some(361), None));
    assert_eq!((line.total_time_ms, line.turn_around_time_ms), (Some(29), None));
    assert_eq!((line.referer, line.version_id), (None, None));
    assert!(line.user_agent.unwrap().ends_with(b"java/1.8.0_202"));
    assert_eq!(line.host_header, Some(&b"s3.eu-central-1.amazonaws.com"[..]));
    assert_eq!(line.tls_version, Some(&b"TLSv1.2"[..]));
    assert_eq!(line.access_point_arn, None);
    let replicated = Line::parse(lines(&text)[1]).unwrap();
    assert_eq!((replicated.remote_ip, replicated.user_agent), (None, None));
}

/// Lines that end after 17, 16, 15, 14 and 13 columns.
#[test]
fn cut_short_and_where() {
    let text = sample("nekrassov01_access-log-parser/sample_s3_all_unmatch.log");
    let errors: Vec<_> = parsed(&text).into_iter().map(Result::unwrap_err).collect();
    let missing = [Field::VersionId, Field::UserAgent, Field::Referer, Field::TurnAroundTime, Field::TotalTime];
    assert_eq!(errors, missing.map(LineError::Missing));
    assert_eq!(errors[0].to_string(), "the line is cut short: it has no Version Id");
    assert!(lines(&text).iter().all(|line| is_access_log(line)), "cut short, and still of an access log");
}

#[test]
fn one_among_whole_lines() {
    let text = sample("nekrassov01_access-log-parser/sample_s3_contains_unmatch.log");
    let found = parsed(&text);
    let broken: Vec<_> = found.iter().enumerate().filter(|(_, line)| line.is_err()).map(|(at, _)| at).collect();
    assert_eq!((found.len(), broken), (5, vec![3]));
    assert_eq!(found[3], Err(LineError::Missing(Field::VersionId)));
}

/// The example that Ceph's documentation has of its standard records.
#[test]
fn ceph_writes_the_same_columns() {
    let text = br#"testid fig [07/Aug/2024:11:54:25 +0000] - testid 9e369a15-5f43-4f07-b638-de920b22f91b.4186.15085270386962380710 REST.PUT.OBJECT myfile "PUT /fig/myfile HTTP/1.1" 200 - 512 512 - 11 "" "" - - - - localhost - -"#;
    let line = Line::parse(text).unwrap();
    assert_eq!((line.referer, line.user_agent, line.signature_version), (None, None, None));
    assert_eq!(line.requester, Some(&b"testid"[..]));
}

/// The guide says that columns may be appended at any time.
#[test]
fn columns_that_are_yet_to_come() {
    let text = br#"o b [14/Mar/2026:09:26:53 +0000] 192.0.2.44 r q REST.GET.OBJECT k "GET /b/k HTTP/1.1" 200 - 5 5 3 3 "-" "a "b" - h SigV4" - hostid= SigV2 c AuthHeader h TLSv1.2 - Yes us-east-1 new "quoted" - "and more""#;
    let line = Line::parse(text).unwrap();
    assert_eq!(line.user_agent, Some(&br#"a "b" - h SigV4"#[..]));
    assert_eq!((line.acl_required, line.source_region), (Some(&b"Yes"[..]), Some(&b"us-east-1"[..])));
    assert_eq!(line.signature_version, Some(&b"SigV2"[..]));
    assert_eq!(signature_version(text), Some(&b"SigV2"[..]));
}

#[test]
fn other_files_are_no_access_logs() {
    for first in [
        &b""[..],
        br#"{"Records":[]}"#,
        br#"192.0.2.3 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326"#,
        b"#Version: 1.0",
        b"2026-03-14 09:26:53 a b c REST.GET.OBJECT",
        b"\x1f\x8b\x08",
    ] {
        assert!(!is_access_log(first), "{}", String::from_utf8_lossy(first));
    }
}
