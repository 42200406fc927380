use aws_api::s3::operations;

use super::*;
use crate::{Failure, UserIdentity};

fn op(name: &str) -> &'static S3Op {
    operations().find(|op| op.name == name).expect("an operation of S3")
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

fn call(name: &str, key: Option<&str>) -> S3Call {
    S3Call {
        op: op(name),
        common: Common {
            identity: UserIdentity {
                kind: "IAMUser".into(),
                principal_id: Some("AIDAEXAMPLE".into()),
                arn: Some("arn:aws:iam::111122223333:user/u".into()),
                account_id: Some("111122223333".into()),
                access_key_id: Some("AKIAEXAMPLE".into()),
                user_name: Some("u".into()),
                ..UserIdentity::default()
            },
            claimed_access_key_id: None,
            recipient_account: "111122223333".into(),
            region: "eu-central-1".into(),
            source_ip: "192.0.2.1".into(),
            user_agent: Some("Boto/2.49.0".into()),
            host: "b.s3.eu-central-1.amazonaws.com".into(),
            tls: None,
            request_id: "7C1B9D42EXAMPLE0".into(),
            event_id: "00000000-0000-0000-0000-000000000001".into(),
            failure: None,
        },
        bucket: Some("b".into()),
        key: key.map(Into::into),
        query: Vec::new(),
        headers: Vec::new(),
        signed: Some(Signed { version: "SigV2", method: "AuthHeader" }),
        bucket_owner: Some("111122223333".into()),
        host_id: "aG9zdA==".into(),
        bytes_in: 0,
        bytes_out: 2356,
        shared_event_id: None,
        callers_copy: None,
        document: None,
        response: None,
    }
}

const MOMENT: Timestamp = Timestamp::from_secs(1_773_480_413);

/// The whole of a record, in the order that real files have.
#[test]
fn golden() {
    let mut call = call("GetObject", Some("k"));
    call.common.tls = Some(("TLSv1.3".into(), "TLS_AES_128_GCM_SHA256".into()));
    let json = serde_json::to_string(&call.record(MOMENT)).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","#,
            r#""arn":"arn:aws:iam::111122223333:user/u","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"u"},"#,
            r#""eventTime":"2026-03-14T09:26:53Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","#,
            r#""awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.1","userAgent":"[Boto/2.49.0]","#,
            r#""requestParameters":{"bucketName":"b","Host":"b.s3.eu-central-1.amazonaws.com","key":"k"},"#,
            r#""responseElements":null,"additionalEventData":{"SignatureVersion":"SigV2","CipherSuite":"TLS_AES_128_GCM_SHA256","#,
            r#""bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"aG9zdA==","bytesTransferredOut":2356},"#,
            r#""requestID":"7C1B9D42EXAMPLE0","eventID":"00000000-0000-0000-0000-000000000001","readOnly":true,"#,
            r#""resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},"#,
            r#"{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}],"#,
            r#""eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","#,
            r#""tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","#,
            r#""clientProvidedHostHeader":"b.s3.eu-central-1.amazonaws.com"}}"#,
        )
    );
}

#[test]
fn lists_have_a_prefix_and_buckets_no_object() {
    let mut list = call("ListObjectsV2", None);
    list.query = vec![pair("list-type", "2"), pair("prefix", "a/"), pair("delimiter", "/")];
    let record = list.record(MOMENT);
    assert_eq!(record.event_name, "ListObjects");
    assert_eq!(record.resources[0].arn_prefix.as_deref(), Some("arn:aws:s3:::b/a/"));
    assert_eq!(record.resources[0].arn, None);
    assert_eq!(record.request_parameters.unwrap()["list-type"], "2");

    let record = call("GetBucketAcl", None).record(MOMENT);
    assert_eq!((record.event_category.as_str(), record.management_event), ("Management", Some(true)));
    assert_eq!(record.resources.len(), 1);
    assert_eq!(call("CreateBucket", None).record(MOMENT).resources, []);
}

#[test]
fn documents_and_answers_of_writes() {
    let mut put = call("PutBucketVersioning", None);
    put.document = Some(("VersioningConfiguration", serde_json::json!({"Status": "Enabled"})));
    let record = put.record(MOMENT);
    assert_eq!(record.request_parameters.unwrap()["VersioningConfiguration"]["Status"], "Enabled");
    assert_eq!(record.response_elements, None);

    let mut put = call("PutObject", Some("k"));
    put.response = crate::answered(|name| (name == "x-amz-version-id").then_some("null"));
    assert_eq!(put.record(MOMENT).response_elements.unwrap()["x-amz-version-id"], "null");
    assert_eq!(crate::answered(|_| None), None);
}

#[test]
fn no_secret_is_in_the_record() {
    let mut call = call("PutObject", Some("k"));
    let secrets = ["sIgNaTuRe", "cReD", "tOkEn", "cUsToMeRkEy", "aUtH"];
    call.query = vec![
        pair("Signature", secrets[0]),
        pair("X-Amz-Signature", secrets[0]),
        pair("X-Amz-Credential", secrets[1]),
        pair("x-amz-security-token", secrets[2]),
        pair("X-Amz-Expires", "300"),
        pair("X-Amz-Server-Side-Encryption-Customer-Key", secrets[3]),
        pair("bucketName", "another"),
    ];
    call.headers = vec![
        pair("authorization", secrets[4]),
        pair("x-amz-security-token", secrets[2]),
        pair("x-amz-server-side-encryption-customer-key", secrets[3]),
        pair("x-amz-acl", "private"),
        pair("x-amz-meta-name", "user's own"),
    ];
    let record = call.record(MOMENT);
    let json = serde_json::to_string(&record).unwrap();
    for secret in secrets.iter().chain(&["user's own"]) {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
    let parameters = record.request_parameters.unwrap();
    assert_eq!(parameters["X-Amz-Expires"], "300");
    assert_eq!(parameters["x-amz-acl"], "private");
    assert_eq!(parameters["bucketName"], "b", "the path decides, not the query");
}

#[test]
fn failures_and_odd_user_agents() {
    let mut call = call("GetObject", Some("k"));
    call.common.failure =
        Some(Failure { code: "NoSuchKey".into(), message: "The specified key does not exist.".into() });
    call.common.user_agent = None;
    let record = call.record(MOMENT);
    assert_eq!(record.error_code.as_deref(), Some("NoSuchKey"));
    assert_eq!(record.error_message.as_deref(), Some("The specified key does not exist."));
    assert_eq!(record.user_agent, "[]");

    call.common.user_agent = Some("é".repeat(1000));
    assert_eq!(call.record(MOMENT).user_agent.len(), TEXT_LEN_MAX);

    call.common.identity = UserIdentity::service("cloudtrail.amazonaws.com");
    call.common.user_agent = Some("cloudtrail.amazonaws.com".into());
    assert_eq!(call.record(MOMENT).user_agent, "cloudtrail.amazonaws.com");
}

#[test]
fn an_entry_reads_back_as_it_was_written() {
    let record = call("PutObject", Some("k\u{1}é\"")).record(MOMENT);
    for outcome in [crate::Outcome::Admitted, crate::Outcome::Refused] {
        let bytes = crate::Entry::encode(outcome, &record);
        let entry = crate::Entry::decode(&bytes).unwrap();
        assert_eq!((entry.outcome, &entry.record().unwrap()), (outcome, &record));
        assert_eq!(entry.json, &bytes[1..]);
    }
    assert!(crate::Entry::decode(b"").is_err());
    assert!(crate::Entry::decode(b"\x09{}").is_err());
    assert!(crate::Entry::decode(b"\x01{}").is_err());
}

#[test]
fn a_call_between_accounts_is_an_event_of_both() {
    let mut call = call("GetObject", Some("k"));
    call.bucket_owner = Some("444455556666".into());
    call.common.recipient_account = "444455556666".into();
    call.shared_event_id = Some("shared".into());
    call.callers_copy = Some(CallersCopy { account: "111122223333".into(), event_id: "copy".into() });
    let (owners, callers) = call.records(MOMENT);
    let callers = callers.unwrap();
    assert_eq!(
        (owners.recipient_account_id.as_str(), owners.event_id.as_str()),
        ("444455556666", &*call.common.event_id)
    );
    assert_eq!((callers.recipient_account_id.as_str(), callers.event_id.as_str()), ("111122223333", "copy"));
    for copy in [&owners, &callers] {
        assert_eq!(copy.shared_event_id.as_deref(), Some("shared"));
        assert_eq!(copy.resources[1].account_id.as_deref(), Some("444455556666"));
    }
    let seen = serde_json::to_value(&owners.user_identity).unwrap();
    let expected = serde_json::json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "111122223333"});
    assert_eq!(seen, expected);
    assert_eq!(callers.user_identity, call.common.identity);
    assert!(owners.is_of_foreign_caller() && !callers.is_of_foreign_caller());

    call.common.failure = Some(Failure { code: "AccessDenied".into(), message: "Access Denied".into() });
    let (owners, callers) = call.records(MOMENT);
    assert_eq!(owners.resources[1].account_id.as_deref(), Some("444455556666"));
    assert!(callers.unwrap().resources.iter().all(|resource| resource.account_id.is_none()));
}
