//! An event that matches nothing costs no memory once the buffers are there.

use std::alloc::System;

use event_pattern::{Matcher, Pattern};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Of each operator a rule that asks for something that the events below have a field for, but not that value.
const RULES: [&str; 14] = [
    r#"{"detail":{"eventName":["NoSuchCall"]}}"#,
    r#"{"detail":{"requestParameters":{"key":[{"prefix":"nowhere/"},{"suffix":".nothing"}]}}}"#,
    r#"{"detail":{"requestParameters":{"key":[{"wildcard":"*/no*such*.key"},{"wildcard":"*nosuchpart*"}]}}}"#,
    r#"{"detail":{"eventName":[{"equals-ignore-case":"nosuchcall"},{"prefix":{"equals-ignore-case":"nosuch"}}]}}"#,
    r#"{"detail":{"bytes":[{"numeric":["<",0]},17]}}"#,
    r#"{"detail":{"sourceIPAddress":[{"cidr":"192.0.2.0/24"},"::1"]}}"#,
    r#"{"detail":{"readOnly":["true",null]}}"#,
    r#"{"detail":{"awsRegion":[{"anything-but":["eu-west-1","us-east-1"]}]}}"#,
    r#"{"detail":{"eventName":[{"exists":false}]}}"#,
    r#"{"detail":{"resources":{"ARN":["no:such:arn"],"type":["AWS::S3::Object"]}}}"#,
    r#"{"detail":{"resources":{"ARN":["arn:bucket"],"type":["AWS::S3::Object"]}}}"#,
    r#"{"detail":{"resources":{"ARN":["arn:key"],"type":[{"exists":false}]}}}"#,
    r#"{"$or":[{"detail":{"eventName":["NoSuchCall"]}},{"detail":{"awsRegion":["no-region-1"]}}]}"#,
    r#"{"detail":{"eventName":["GetObject"],"awsRegion":["eu-west-2"]}}"#,
];

fn event(number: usize) -> String {
    let region = ["eu-west-1", "us-east-1"][number % 2];
    format!(
        r#"{{"source":"aws.s3","detail":{{"eventName":"GetObject","awsRegion":"{region}","readOnly":true,"bytes":{number}.5,
        "sourceIPAddress":"198.51.100.{}","requestParameters":{{"key":"a/{number}\u002fb é.txt"}},
        "resources":[{{"type":"AWS::S3::Object","ARN":"arn:key"}},{{"type":"AWS::S3::Bucket","ARN":"arn:bucket"}}]}}}}"#,
        number % 256
    )
}

#[test]
fn an_event_that_matches_nothing_allocates_nothing() {
    let mut matcher = Matcher::new();
    let patterns = RULES.map(|rule| Pattern::compile(rule).expect("valid"));
    for (index, pattern) in patterns.iter().enumerate() {
        matcher.add(index, pattern.clone());
    }
    let events: Vec<String> = (0..1_000).map(event).collect();
    let mut found = Vec::new();
    let mut pass = || {
        for event in &events {
            matcher.matches(event.as_bytes(), &mut found).expect("an event");
            assert!(found.is_empty(), "{found:?} {event}");
            matcher.matches_strict(event.as_bytes(), &mut found).expect("an event");
            for pattern in &patterns {
                assert_eq!(pattern.matches(event.as_bytes()), Ok(false));
            }
        }
    };
    pass();
    let region = Region::new(ALLOCATOR);
    pass();
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
}
