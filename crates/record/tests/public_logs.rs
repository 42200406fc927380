//! Every record of the public logs is read and written again without loss.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads its samples")]

use std::path::{Path, PathBuf};

use record::{Outline, Record};
use serde_json::Value;

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cloudtrail").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn all_records() -> Vec<Value> {
    let mut records = Vec::new();
    for file in files("invictus-ir_aws_dataset", "json") {
        let mut log: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        records.append(log["Records"].as_array_mut().unwrap());
    }
    for file in files("OTRF_Security-Datasets", "ndjson") {
        let text = std::fs::read_to_string(&file).unwrap();
        records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    records
}

#[test]
fn nothing_is_lost() {
    let records = all_records();
    assert_eq!(records.len(), 3003);
    for record in &records {
        let read: Record = serde_json::from_value(record.clone()).unwrap_or_else(|error| panic!("{error}: {record}"));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(&written, record);
        // Through text, as the log has it: numbers keep their spelling.
        let text = serde_json::to_string(record).unwrap();
        let read: Record = serde_json::from_str(&text).unwrap();
        let mut members: Vec<_> = serde_json::to_string(&read).unwrap().bytes().collect();
        let mut expected: Vec<_> = text.bytes().collect();
        members.sort_unstable();
        expected.sort_unstable();
        assert!(members == expected, "the same bytes, perhaps in another order: {text}");
    }
}

#[test]
fn s3_records_say_how_they_were_signed() {
    let s3 = all_records().into_iter().filter(|record| record["eventSource"] == "s3.amazonaws.com");
    let read: Vec<Record> = s3.map(|record| serde_json::from_value(record).unwrap()).collect();
    assert_eq!(read.len(), 282);
    assert!(read.iter().filter(|record| record.signature_version() == Some("SigV4")).count() > 200);
}

#[test]
fn an_outline_says_what_the_record_says() {
    for json in all_records() {
        let text = json.to_string();
        let (record, outline): (Record, Outline<'_>) =
            (serde_json::from_str(&text).unwrap(), serde_json::from_str(&text).unwrap());
        assert_eq!(&*outline.event_id, record.event_id);
        assert_eq!(&*outline.event_name, record.event_name);
        assert_eq!(&*outline.event_source, record.event_source);
        assert_eq!(&*outline.event_time, record.event_time);
        assert_eq!(&*outline.event_type, record.event_type);
        assert_eq!(&*outline.aws_region, record.aws_region);
        assert_eq!(&*outline.recipient_account_id, record.recipient_account_id);
        assert_eq!(outline.error_code.as_deref(), record.error_code.as_deref());
        assert_eq!(&*outline.source_ip_address, record.source_ip_address);
        assert_eq!(&*outline.user_agent, record.user_agent);
        assert_eq!(outline.is_of_foreign_caller(), record.is_of_foreign_caller());
        let named = record.request_parameters.as_ref().and_then(|parameters| parameters.get("bucketName")?.as_str());
        assert!(named.is_none() || outline.bucket().as_deref() == named);
        assert_eq!(outline.is_management(), record.is_management());
        assert_eq!(outline.is_read_only(), record.is_read_only());
        assert_eq!(outline.user_identity.arn.as_deref(), record.user_identity.arn.as_deref());
        assert_eq!(outline.user_identity.invoked_by.as_deref(), record.user_identity.invoked_by.as_deref());
        assert_eq!(outline.user_identity.grouping(), record.user_identity.grouping());
        let of_s3 = record.event_source == "s3.amazonaws.com";
        assert_eq!(outline.is_sigv2(), of_s3 && record.signature_version() == Some("SigV2"));
        let parameters = outline.request_parameters.map(|raw| serde_json::from_str(raw.get()).unwrap());
        assert_eq!(parameters, record.request_parameters.map(serde_json::Value::Object));
        let resources: Vec<_> =
            record.resources.iter().map(|one| (&*one.kind, one.arn.as_deref(), one.arn_prefix.as_deref())).collect();
        let outlined: Vec<_> =
            outline.resources.iter().map(|one| (&*one.kind, one.arn.as_deref(), one.arn_prefix.as_deref())).collect();
        assert_eq!(outlined, resources);
    }
}
