//! Synthetic chains, and everything that can be done to them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aws_api::Timestamp;
use proptest::prelude::*;
use rsa::PrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding, Signer};
use sha2::Sha256;

use super::*;
use crate::Trail;

const BUCKET: &str = "logs";
const LENGTH: usize = 4;

/// A digest as it is stored.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    content: Vec<u8>,
    signature: String,
}

/// Digests by key; the keys sort by time.
type Files = BTreeMap<String, Stored>;

struct World {
    keys: PublicKeys,
    files: Files,
}

fn log_file(hour: usize) -> LogFile {
    LogFile {
        s3_bucket: BUCKET.into(),
        s3_object: format!("AWSLogs/111122223333/CloudTrail/us-east-1/log-{hour}.json.gz"),
        hash_value: hash(format!("log {hour}").as_bytes()),
        hash_algorithm: HASH_ALGORITHM.into(),
        newest_event_time: Some(format!("2026-03-14T0{hour}:30:00Z")),
        oldest_event_time: Some(format!("2026-03-14T0{hour}:10:00Z")),
    }
}

/// A chain of four digests, one of them empty. Made once: signing takes its time.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let key = PrivateKey::from_pkcs1_der(include_bytes!("test_key.der")).unwrap();
        let der = key.to_public_key().to_pkcs1_der().unwrap();
        let mut keys = PublicKeys::default();
        keys.add(fingerprint(der.as_bytes()), PublicKey::from_der(der.as_bytes()).unwrap()).unwrap();
        let signing = SigningKey::<Sha256>::new(key);
        let trail = Trail {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            name: "audit".into(),
            s3_key_prefix: Some("p".into()),
            ..Trail::default()
        };
        let begin = Timestamp::parse_rfc3339("2026-03-14T00:00:00Z").unwrap();
        let (mut files, mut previous) = (Files::new(), None);
        for hour in 0..LENGTH {
            let start = begin.plus_secs(3600 * i64::try_from(hour).unwrap());
            let end = start.plus_secs(3600);
            let object = digest_key(&trail, "us-east-1", end);
            let digest = Digest {
                aws_account_id: trail.account.clone(),
                digest_start_time: start.to_rfc3339_seconds(),
                digest_end_time: end.to_rfc3339_seconds(),
                digest_s3_bucket: BUCKET.into(),
                digest_s3_object: object.clone(),
                digest_public_key_fingerprint: fingerprint(der.as_bytes()),
                digest_signature_algorithm: SIGNATURE_ALGORITHM.into(),
                log_files: if hour == 2 { Vec::new() } else { vec![log_file(hour)] },
                ..Digest::default()
            };
            let digest = digest.with_event_times().after(previous.as_ref());
            let content = digest.to_json();
            let hash = hash(&content);
            let signature = hex::encode(signing.sign(digest.string_to_sign(&hash).as_bytes()).to_vec());
            previous = Some(PreviousDigest {
                bucket: BUCKET.into(),
                object: object.clone(),
                hash,
                signature: signature.clone(),
            });
            files.insert(object, Stored { content, signature });
        }
        World { keys, files }
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    /// As S3 has them.
    WithMetadata,
    /// As copied files.
    Bare,
}

fn walk(files: &Files, kept: Kept, given: &[String], keys: Option<&PublicKeys>) -> Vec<Finding> {
    let mut walk = Walk::new(BUCKET, files.keys().cloned(), keys);
    let mut findings = Vec::new();
    while let Some(place) = walk.next() {
        let read = match files.get(&place.key) {
            None => Read::Missing,
            Some(stored) if kept == Kept::Bare => Read::Content(&stored.content, Beside::NotKept(given)),
            Some(stored) => Read::Content(&stored.content, Beside::Signature(&stored.signature)),
        };
        findings.extend(walk.feed(&read));
    }
    findings
}

fn checked(files: &Files, kept: Kept) -> Vec<Finding> {
    walk(files, kept, &[], Some(&world().keys))
}

/// The newest first: `v`alid, `u`nproven, or the first letter of what is wrong.
fn verdicts(findings: &[Finding]) -> String {
    let letter = |finding: &Finding| match &finding.verdict {
        Verdict::Valid => 'v',
        Verdict::Unproven(_) => 'u',
        Verdict::Invalid(problem) => problem.kind.as_str().chars().next().unwrap(),
    };
    findings.iter().map(letter).collect()
}

fn nth(index: usize) -> String {
    world().files.keys().nth(index).unwrap().clone()
}

#[test]
fn a_chain_is_valid_from_end_to_end() {
    let findings = checked(&world().files, Kept::WithMetadata);
    assert_eq!(verdicts(&findings), "vvvv");
    assert!(findings.iter().all(|finding| finding.is_asked && !finding.gap_before));
    let logs: Vec<_> = findings.iter().flat_map(|finding| &finding.digest.as_ref().unwrap().log_files).collect();
    assert_eq!(logs, [&log_file(3), &log_file(1), &log_file(0)]);
}

#[test]
fn of_copied_files_the_newest_is_never_called_valid_unless_its_signature_is_given() {
    let findings = checked(&world().files, Kept::Bare);
    assert_eq!(verdicts(&findings), "uvvv");
    assert_eq!(findings[0].verdict, Verdict::Unproven(Unproven::Newest));
    let given = [String::from("00"), world().files[&nth(3)].signature.clone()];
    assert_eq!(verdicts(&walk(&world().files, Kept::Bare, &given, Some(&world().keys))), "vvvv");
}

#[test]
fn a_newest_digest_that_is_not_proven_cannot_pass_off_the_others_as_newest() {
    let mut files = world().files.clone();
    let newest: Digest = serde_json::from_slice(&files[&nth(3)].content).unwrap();
    files.get_mut(&nth(3)).unwrap().content = newest.after(None).to_json();
    let findings = checked(&files, Kept::Bare);
    assert_eq!(verdicts(&findings), "uuvv");
    assert!(findings[0].gap_before);
    assert_eq!(findings[1].verdict, Verdict::Unproven(Unproven::Successor));
}

#[test]
fn without_keys_nothing_is_called_valid() {
    assert_eq!(verdicts(&walk(&world().files, Kept::WithMetadata, &[], None)), "uuuu");
    let mut files = world().files.clone();
    files.get_mut(&nth(1)).unwrap().content.push(b' ');
    assert_eq!(verdicts(&walk(&files, Kept::WithMetadata, &[], None)), "uucu");
}

#[test]
fn a_missing_digest_is_named() {
    for (missing, verdict) in [(0, "vvvm"), (1, "vvmv"), (2, "vmvv")] {
        let mut files = world().files.clone();
        files.remove(&nth(missing));
        let findings = checked(&files, Kept::WithMetadata);
        assert_eq!(verdicts(&findings), verdict);
        assert_eq!(findings[LENGTH - 1 - missing].place.key, nth(missing));
        // Of copied files the one before it has lost its signature.
        let bare = verdicts(&checked(&files, Kept::Bare));
        assert!(bare.contains('m') && !bare.starts_with('v'), "{bare}");
    }
}

#[test]
fn a_changed_signature_is_found() {
    let mut files = world().files.clone();
    let stored = files.get_mut(&nth(2)).unwrap();
    stored.signature = world().files[&nth(1)].signature.clone();
    assert_eq!(verdicts(&checked(&files, Kept::WithMetadata)), "vsvv");
    let read = Read::Content(&world().files[&nth(3)].content, Beside::Absent);
    let mut walk = Walk::new(BUCKET, [nth(3)], Some(&world().keys));
    assert!(
        matches!(walk.feed(&read).unwrap().verdict, Verdict::Invalid(problem) if problem.kind == ProblemKind::Signature)
    );
}

#[test]
fn an_unknown_key_proves_nothing() {
    let none = PublicKeys::default();
    assert_eq!(verdicts(&walk(&world().files, Kept::WithMetadata, &[], Some(&none))), "ssss");
}

#[test]
fn a_digest_in_the_place_of_another_is_found() {
    let mut files = world().files.clone();
    files.insert(nth(2), world().files[&nth(1)].clone());
    assert_eq!(verdicts(&checked(&files, Kept::WithMetadata)), "vwvv");
    let elsewhere = nth(3).replace("p/AWSLogs", "q/AWSLogs");
    let mut files = world().files.clone();
    let moved = files.remove(&nth(3)).unwrap();
    files.insert(elsewhere, moved);
    assert_eq!(verdicts(&checked(&files, Kept::WithMetadata)), "wvvv");
}

#[test]
fn a_new_chain_is_a_gap_and_no_problem() {
    let mut files = world().files.clone();
    // Of another chain, older, with the same name: its own beginning is the first of the world.
    let mut walk = Walk::new(BUCKET, files.keys().cloned().chain([nth(0).replace("T01", "T00")]), Some(&world().keys));
    let mut last = None;
    for _ in 0..LENGTH {
        let place = walk.next().unwrap().clone();
        let stored = files.remove(&place.key).unwrap();
        last = walk.feed(&Read::Content(&stored.content, Beside::Signature(&stored.signature)));
    }
    assert!(last.unwrap().gap_before);
    assert_eq!(walk.next().unwrap().key, nth(0).replace("T01", "T00"));
    let old = walk.feed(&Read::Content(&world().files[&nth(0)].content, Beside::NotKept(&[]))).unwrap();
    assert!(matches!(old.verdict, Verdict::Invalid(problem) if problem.kind == ProblemKind::WrongPlace));
    assert_eq!(walk.next(), None);
}

#[test]
fn a_range_of_time() {
    let time = |index: usize| DigestName::parse(&nth(index)).map(|name| name.time);
    let mut walk = Walk::new(BUCKET, world().files.keys().cloned(), Some(&world().keys))
        .within(Range { since: time(1), until: time(2) });
    let mut asked = Vec::new();
    while let Some(place) = walk.next() {
        let stored = &world().files[&place.key];
        asked.push(walk.feed(&Read::Content(&stored.content, Beside::NotKept(&[]))).unwrap().is_asked);
    }
    assert_eq!(asked, [false, true, true]);
}

#[test]
fn log_files_are_compared() {
    let file = log_file(1);
    let kind = |read| judge_log(&file, &read).map(|problem| problem.kind);
    assert_eq!(kind(LogRead::Hash(file.hash_value.to_uppercase())), None);
    assert_eq!(kind(LogRead::Hash(hash(b"other"))), Some(ProblemKind::Changed));
    assert_eq!(kind(LogRead::Missing), Some(ProblemKind::Missing));
    assert_eq!(kind(LogRead::NotAFile), Some(ProblemKind::Missing));
    assert_eq!(kind(LogRead::Failed("denied".into())), Some(ProblemKind::Unreadable));
    assert_eq!(kind(LogRead::Unreadable("gzip".into())), Some(ProblemKind::Changed));
    let other = LogFile { hash_algorithm: "MD5".into(), ..file.clone() };
    assert!(judge_log(&other, &LogRead::Hash(file.hash_value.clone())).is_some());
}

#[test]
fn the_form_is_awss() {
    let text = String::from_utf8(world().files[&nth(0)].content.clone()).unwrap();
    assert!(
        text.starts_with(r#"{"awsAccountId":"111122223333","digestStartTime":"2026-03-14T00:00:00Z","digestEndTime":"#)
    );
    assert!(text.contains(
        r#""previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[{"s3Bucket":"#
    ));
    let second: Digest = serde_json::from_slice(&world().files[&nth(1)].content).unwrap();
    assert_eq!(second.previous_digest_hash_algorithm.as_deref(), Some("SHA-256"));
    assert_eq!(second.newest_event_time.as_deref(), Some("2026-03-14T01:30:00Z"));
    assert_eq!(
        string_to_sign("2026-03-14T01:00:00Z", ("b", "k"), "00ff", None),
        "2026-03-14T01:00:00Z\nb/k\n00ff\nnull"
    );
    let without = text.replace(r#""previousDigestSignature":null,"#, "");
    assert!(serde_json::from_str::<Digest>(&without).is_err(), "it must be there, if only as null");
}

#[test]
fn names() {
    let key = "p/AWSLogs/1/CloudTrail-Digest/us-east-1/2026/03/14/1_CloudTrail-Digest_us-east-1_a_b_us-east-1_20260314T010000Z.json.gz";
    let name = DigestName::parse(key).unwrap();
    assert_eq!(
        (name.chain.as_str(), name.time.as_str()),
        ("1_CloudTrail-Digest_us-east-1_a_b_us-east-1", "20260314T010000Z")
    );
    let backfill = DigestName::parse(&key.replace("Z.json", "Z_backfill.json")).unwrap();
    assert!(backfill.is_backfill && !name.is_backfill && backfill.time == name.time);
    for other in ["", "x.json.gz", "1_CloudTrail_us-east-1_20260314T0100Z_abc.json.gz", "_é0260314T010000Z.json.gz"] {
        assert_eq!(DigestName::parse(other), None, "{other}");
    }
    assert!(is_log_file_name("AWSLogs/1/CloudTrail/r/2026/03/14/1_CloudTrail_r_20260314T0100Z_abc.json.gz"));
    assert!(!is_log_file_name(key));
}

#[test]
fn lists_of_keys_are_read() {
    let mut keys = PublicKeys::default();
    for bad in [
        "",
        "{}",
        r#"{"PublicKeyList":[{"Value":"!","Fingerprint":"f"}]}"#,
        r#"{"PublicKeyList":[{"Value":"AAAA","Fingerprint":"f"}]}"#,
    ] {
        assert!(keys.add_list(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(keys.add_list(br#"{"PublicKeyList":[]}"#).is_ok() && keys.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever single byte of a digest is changed, it is that digest which is not valid, and all others still are.
    #[test]
    fn every_change_of_a_byte_is_found(index in 0..LENGTH, at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let mut files = world().files.clone();
        let content = &mut files.get_mut(&nth(index)).unwrap().content;
        let at = at.index(content.len());
        content[at] ^= flip;
        let findings = checked(&files, Kept::WithMetadata);
        for (place, finding) in findings.iter().enumerate() {
            let is_changed = place == LENGTH - 1 - index;
            prop_assert_eq!(matches!(finding.verdict, Verdict::Invalid(_)), is_changed, "{:?}", finding);
            prop_assert_eq!(finding.digest.is_none(), is_changed);
        }
        // Of copied files it is found too, but for the newest, which is never called valid.
        let bare = verdicts(&checked(&files, Kept::Bare));
        prop_assert!(bare.contains(['c', 's', 'w']) || (index == LENGTH - 1 && bare.starts_with('u')), "{}", bare);
    }

    /// Whatever is found at the places, the walk ends, and says that something is wrong.
    #[test]
    fn the_walk_ends(contents in prop::collection::vec(0..LENGTH + 2, LENGTH)) {
        let files: Files = (0..LENGTH).filter_map(|index| {
            let stored = match contents[index] {
                other if other < LENGTH => world().files[&nth(other)].clone(),
                LENGTH => Stored { content: b"{}".to_vec(), signature: String::new() },
                _ => return None,
            };
            Some((nth(index), stored))
        }).collect();
        for kept in [Kept::WithMetadata, Kept::Bare] {
            let findings = checked(&files, kept);
            prop_assert!(findings.len() <= LENGTH);
            let all_valid = kept == Kept::WithMetadata && findings.len() == LENGTH && verdicts(&findings) == "vvvv";
            prop_assert_eq!(all_valid, kept == Kept::WithMetadata && files == world().files);
        }
    }

    #[test]
    fn every_change_of_a_signature_is_found(index in 0..LENGTH, at in 0..512usize, digit in 0..16u32) {
        let mut files = world().files.clone();
        let stored = files.get_mut(&nth(index)).unwrap();
        let before = stored.signature.clone();
        stored.signature.replace_range(at..=at, &char::from_digit(digit, 16).unwrap().to_string());
        let is_changed = before != stored.signature;
        prop_assert_eq!(verdicts(&checked(&files, Kept::WithMetadata)).contains('s'), is_changed);
    }
}

#[test]
fn a_digest_that_cannot_be_read_does_not_end_the_walk() {
    for (read, kind) in
        [(Read::NotAFile, ProblemKind::Missing), (Read::Failed("denied".into()), ProblemKind::Unreadable)]
    {
        let mut walk = Walk::new(BUCKET, world().files.keys().cloned(), Some(&world().keys));
        let Verdict::Invalid(problem) = walk.feed(&read).unwrap().verdict else { panic!("{read:?}") };
        assert_eq!(problem.kind, kind);
        let stored = &world().files[&nth(2)];
        let older = walk.feed(&Read::Content(&stored.content, Beside::Signature(&stored.signature))).unwrap();
        assert_eq!(older.verdict, Verdict::Valid);
    }
}

/// What these findings cover, which are of one chain.
fn coverage(findings: &[Finding]) -> Coverage {
    let mut coverage = Coverage::default();
    coverage.next_chain();
    for finding in findings {
        coverage.add(finding);
    }
    coverage
}

fn log_name(time: &str) -> String {
    format!("p/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/14/111122223333_CloudTrail_us-east-1_{time}_x.json.gz")
}

#[test]
fn a_log_file_of_a_covered_time_should_be_named() {
    let whole = coverage(&checked(&world().files, Kept::WithMetadata));
    let is_covered = |time| whole.has_time_of(&log_name(time));
    for inside in ["20260314T0010Z", "20260314T0100Z", "20260314T0230Z", "20260314T0354Z"] {
        assert!(is_covered(inside), "{inside}");
    }
    // Before, after, within the rounding of either end, and no time at all.
    for outside in ["20260313T2300Z", "20260314T0005Z", "20260314T0355Z", "20260314T0400Z", "2026", "", "20260314T99é9"]
    {
        assert!(!is_covered(outside), "{outside}");
    }
    for other in [
        log_name("20260314T0230Z").replace("111122223333", "444455556666"),
        log_name("20260314T0230Z").replace("us-east-1", "us-east-2"),
        log_name("20260314T0230Z").replace("p/AWSLogs", "q/AWSLogs"),
        log_name("20260314T0230Z").replace("p/AWSLogs", "AWSLogs"),
    ] {
        assert!(!whole.has_time_of(&other), "{other}: of another chain");
    }
}

#[test]
fn only_valid_digests_cover_a_time() {
    // Bare files: the newest is not proven.
    let bare = coverage(&checked(&world().files, Kept::Bare));
    assert!(bare.has_time_of(&log_name("20260314T0230Z")) && !bare.has_time_of(&log_name("20260314T0330Z")));
    let keyless = coverage(&walk(&world().files, Kept::WithMetadata, &[], None));
    assert!(!keyless.has_time_of(&log_name("20260314T0230Z")));
}

#[test]
fn a_gap_is_not_covered() {
    let mut findings = checked(&world().files, Kept::WithMetadata);
    // The newest first: the digest of the fourth hour begins a chain, and that of the third is not there.
    findings[0].gap_before = true;
    findings.remove(1);
    let coverage = coverage(&findings);
    for (time, is_covered) in [("20260314T0330Z", true), ("20260314T0230Z", false), ("20260314T0130Z", true)] {
        assert_eq!(coverage.has_time_of(&log_name(time)), is_covered, "{time}");
    }
}
