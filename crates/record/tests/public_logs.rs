//! Every record of the public logs is read and written again without loss.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads its samples")]

use std::path::{Path, PathBuf};

use record::Record;
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
