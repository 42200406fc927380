use record::Record;

use super::*;

/// As its text stands in the log.
fn observe(callers: &mut Callers, outcome: Outcome, record: &Record) -> Option<RowKey> {
    let json = serde_json::to_string(record).unwrap();
    callers.observe(outcome, &serde_json::from_str(&json).unwrap())
}

fn record(version: &str, user_agent: &str, time: &str) -> Record {
    serde_json::from_value(serde_json::json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/u", "accessKeyId": "AKIA"},
        "eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1", "userAgent": user_agent, "requestParameters": {"bucketName": "b"},
        "responseElements": null,
        "additionalEventData": {"SignatureVersion": version, "AuthenticationMethod": "AuthHeader",
                                "bytesTransferredIn": 0, "bytesTransferredOut": 1.0},
        "requestID": "R", "eventID": "E", "readOnly": true, "eventType": "AwsApiCall", "managementEvent": false,
        "recipientAccountId": "111122223333", "eventCategory": "Data"
    }))
    .unwrap()
}

#[test]
fn one_program_is_one_caller() {
    let mut callers = Callers::default();
    let first = record("SigV2", "[Boto3/1.44 md/x m/N,Z,b cfg/y]", "2026-03-14T09:26:53Z");
    let second = record("SigV2", "[Boto3/1.44 md/x m/E cfg/y]", "2026-03-14T09:26:52Z");
    assert!(observe(&mut callers, Outcome::Admitted, &record("SigV4", "[x]", "2026-03-14T09:26:53Z")).is_none());
    observe(&mut callers, Outcome::Admitted, &first).unwrap();
    let key = observe(&mut callers, Outcome::Admitted, &second).unwrap();
    let caller = callers.get(&key).unwrap();
    assert_eq!((caller.count, caller.key.user_agent.as_str()), (2, "Boto3/1.44 md/x cfg/y"));
    assert_eq!(
        (caller.first_seen.as_str(), caller.last_seen.as_str()),
        ("2026-03-14T09:26:52Z", "2026-03-14T09:26:53Z")
    );
    assert_eq!(caller.actions["GetObject"], 2);
}

#[test]
fn refused_requests_are_counted_apart_and_under_no_identity() {
    let mut callers = Callers::default();
    observe(&mut callers, Outcome::Admitted, &record("SigV2", "[x]", "2026-03-14T09:26:53Z")).unwrap();
    let mut refused = record("SigV2", "[x]", "2026-03-14T09:26:53Z");
    refused.user_identity = record::UserIdentity::unproven();
    refused.additional_event_data.as_mut().unwrap().claimed_access_key_id = Some("AKIA".into());
    let key = observe(&mut callers, Outcome::Refused, &refused).unwrap();
    let caller = callers.get(&key).unwrap();
    assert!(caller.refused);
    assert_eq!((caller.key.identity.as_str(), caller.key.access_key_id.as_str(), caller.count), ("", "AKIA", 1));
    assert_eq!(callers.iter().count(), 2);
}

/// A request with so many parameters that its record omits them is still a request on its bucket.
#[test]
fn the_bucket_is_known_without_the_parameters() {
    let mut callers = Callers::default();
    let mut seen = record("SigV2", "[x]", "2026-03-14T09:26:53Z");
    seen.request_parameters = None;
    let resource = |kind: &str, arn: &str| record::Resource {
        kind: kind.into(),
        arn: Some(arn.into()),
        ..record::Resource::default()
    };
    seen.resources =
        vec![resource("AWS::S3::Object", "arn:aws:s3:::b/k"), resource("AWS::S3::Bucket", "arn:aws:s3:::b")];
    let key = observe(&mut callers, Outcome::Admitted, &seen).unwrap();
    assert_eq!(callers.get(&key).unwrap().key.bucket, "b");
}

#[test]
fn what_other_services_record_is_no_caller() {
    let mut callers = Callers::default();
    let mut seen = record("SigV2", "x", "2026-03-14T09:26:53Z");
    seen.event_source = "sqs.amazonaws.com".into();
    assert!(observe(&mut callers, Outcome::Admitted, &seen).is_none());
}

#[test]
fn rows_bring_the_counts_back() {
    let mut callers = Callers::default();
    let seen = record("SigV2", "[x]", "2026-03-14T09:26:53Z");
    let key = observe(&mut callers, Outcome::Admitted, &seen).unwrap();
    let row = serde_json::to_vec(callers.get(&key).unwrap()).unwrap();
    let mut restarted = Callers::default();
    restarted.absorb(&row).unwrap();
    assert_eq!(observe(&mut restarted, Outcome::Admitted, &seen), Some(key));
    assert_eq!(restarted.get(&key).unwrap().count, 2);
}

#[test]
fn strangers_cannot_fill_the_memory() {
    let mut callers = Callers::default();
    for number in 0..REFUSED_CALLERS_MAX + 50 {
        let refused = record("SigV2", &format!("[{number}]"), "2026-03-14T09:26:53Z");
        observe(&mut callers, Outcome::Refused, &refused).unwrap();
    }
    assert_eq!(callers.iter().count(), REFUSED_CALLERS_MAX + 1);
    let others = callers.iter().find(|caller| caller.key.user_agent == OTHERS).unwrap();
    assert_eq!(others.count, 50);
}
