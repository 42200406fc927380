use ::record::Record;
use serde_json::{Value, json};

use super::*;

const OWNER: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
const USER: &str = "arn:aws:iam::111122223333:user/nightly";

/// The columns of a line, with what each test changes.
struct Columns {
    requester: &'static str,
    operation: &'static str,
    key: &'static str,
    uri: &'static str,
    outcome: &'static str,
    user_agent: &'static str,
    tail: &'static str,
}

const PRESIGNED: Columns = Columns {
    requester: USER,
    operation: "REST.GET.OBJECT",
    key: "reports/q4%2520final.pdf",
    uri: "GET /media-legacy/reports/q4%20final.pdf?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1773484013&Signature=verySecret%3D HTTP/1.1",
    outcome: "200 - 20480 20480 31 30",
    user_agent: "Boto/2.49.0",
    tail: "- hostid= SigV2 ECDHE-RSA-AES128-GCM-SHA256 QueryString s3.eu-central-1.amazonaws.com TLSV1.2 - -",
};

impl Columns {
    fn text(&self) -> String {
        let Self { requester, operation, key, uri, outcome, user_agent, tail } = self;
        format!(
            "{OWNER} media-legacy [14/Mar/2026:09:26:53 +0000] 192.0.2.44 {requester} 7C1B9D42EXAMPLE0 {operation} {key} \"{uri}\" \
             {outcome} \"-\" \"{user_agent}\" {tail}\n"
        )
    }

    fn json(&self) -> String {
        record(&self.text(), &Origin::default())
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.json()).unwrap()
    }
}

/// The record's text, after it went through [`Record`] without a change.
fn record(line: &str, origin: &Origin<'_>) -> String {
    let mut out = Vec::new();
    Line::parse(line.as_bytes()).unwrap().record_of(origin, &mut out);
    let text = String::from_utf8(out).unwrap();
    let read: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    text
}

#[test]
fn the_whole_record() {
    assert_eq!(
        PRESIGNED.json(),
        concat!(
            r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/nightly","#,
            r#""accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"nightly"},"#,
            r#""eventTime":"2026-03-14T09:26:53Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","#,
            r#""awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.44","userAgent":"[Boto/2.49.0]","#,
            r#""requestParameters":{"bucketName":"media-legacy","Host":"s3.eu-central-1.amazonaws.com","#,
            r#""key":"reports/q4 final.pdf"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV2","#,
            r#""CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","AuthenticationMethod":"QueryString","x-amz-id-2":"hostid=","#,
            r#""bytesTransferredOut":20480,"importedFrom":"s3-server-access-log"},"requestID":"7C1B9D42EXAMPLE0","#,
            r#""eventID":"EVENT-ID","readOnly":true,"#,
            r#""resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::media-legacy/reports/q4 final.pdf"},"#,
            r#"{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::media-legacy"}],"eventType":"AwsApiCall","#,
            r#""managementEvent":false,"eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.2","#,
            r#""cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","clientProvidedHostHeader":"s3.eu-central-1.amazonaws.com"}}"#
        )
        .replace("EVENT-ID", PRESIGNED.value()["eventID"].as_str().unwrap())
    );
}

#[test]
fn an_old_line_says_less() {
    let old = Columns {
        tail: "-",
        key: "-",
        operation: "REST.GET.VERSIONING",
        uri: "GET /b?versioning HTTP/1.1",
        ..PRESIGNED
    };
    let value = old.value();
    assert_eq!(value["eventName"], "GetBucketVersioning");
    assert_eq!(value["awsRegion"], "");
    assert_eq!(value["requestParameters"], json!({"bucketName": "media-legacy"}));
    assert_eq!(
        value["additionalEventData"],
        json!({"bytesTransferredOut": 20480, "importedFrom": "s3-server-access-log"})
    );
    assert_eq!(value["resources"], json!([{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::media-legacy"}]));
    assert_eq!((&value["managementEvent"], &value["eventCategory"]), (&json!(true), &json!("Management")));
    assert_eq!(value.get("tlsDetails"), None);
}

#[test]
fn a_refused_request() {
    let refused = Columns { outcome: "403 AccessDenied 243 - 5 -", ..PRESIGNED };
    assert_eq!(refused.value()["errorCode"], "AccessDenied");
    let unproven = Columns { requester: "-", outcome: "403 SignatureDoesNotMatch 243 - 5 -", ..PRESIGNED };
    let value = unproven.value();
    assert_eq!(value["userIdentity"], json!({"type": "Unknown"}));
    assert_eq!(value["additionalEventData"]["claimedAccessKeyId"], "AKIAIOSFODNN7EXAMPLE");
}

#[test]
fn the_key_id_is_where_the_signature_is() {
    let id = |uri, tail| {
        let value = Columns { uri, tail, ..PRESIGNED }.value();
        value["userIdentity"]["accessKeyId"].as_str().map(str::to_owned)
    };
    let (v2, v4) = ("- h SigV2 - QueryString", "- h SigV4 - QueryString");
    let credential =
        "GET /b/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260314%2Fus-east-1%2Fs3%2Faws4_request HTTP/1.1";
    assert_eq!(id(credential, v4).as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
    assert_eq!(id(credential, v2), None, "of another version");
    assert_eq!(id(PRESIGNED.uri, v4), None, "of another version");
    assert_eq!(id(PRESIGNED.uri, "-").as_deref(), Some("AKIAIOSFODNN7EXAMPLE"), "an old line");
    assert_eq!(id(PRESIGNED.uri, "- h SigV2 - AuthHeader"), None, "anybody can name any");
    assert_eq!(id("GET /b/k?AWSAccessKeyId=XXXXXXXXXXXXXXXXXXXX HTTP/1.1", v2), None, "taken out");
    assert_eq!(id("GET /b/k?AWSAccessKeyId=short HTTP/1.1", v2), None);
    let two = "GET /?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&AWSAccessKeyId=AKIAIOSFODNN8EXAMPLE HTTP/1.1";
    assert_eq!(id(two, v2), None, "which?");
}

#[test]
fn no_signature_is_in_a_record() {
    let key = "f%253FAWSAccessKeyId%253DAKIA%2526Signature%253DverySecret%2526x%253D1";
    let leaky = Columns { key, user_agent: "curl/8 (X-Amz-Signature=verySecret)", ..PRESIGNED };
    let text = leaky.json();
    assert!(!text.contains("verySecret"), "{text}");
    assert!(text.contains("Signature=HIDDEN_DUE_TO_SECURITY_REASONS&x=1"), "{text}");
    let listed = Columns {
        key: "-",
        operation: "REST.GET.BUCKET",
        uri: "GET /b?prefix=a%3FSignature%3DverySecret HTTP/1.1",
        ..PRESIGNED
    };
    assert!(!listed.json().contains("verySecret"));
    let line = PRESIGNED.text();
    assert!(!format!("{:?}", Line::parse(line.as_bytes())).contains("verySecret"));
}

#[test]
fn a_list_names_what_its_objects_begin_with() {
    let list = Columns {
        key: "-",
        operation: "REST.GET.BUCKET",
        uri: "GET /b?list-type=2&prefix=a+b%2F HTTP/1.1",
        ..PRESIGNED
    };
    let value = list.value();
    assert_eq!(value["eventName"], "ListObjects");
    assert_eq!(
        value["resources"][0],
        json!({"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::media-legacy/a b/"})
    );
    let create = Columns { key: "-", operation: "REST.PUT.BUCKET", ..PRESIGNED };
    assert_eq!(create.value().get("resources"), None);
}

#[test]
fn services_stand_bare() {
    let delivery =
        Columns { requester: "svc:cloudtrail.amazonaws.com", user_agent: "cloudtrail.amazonaws.com", ..PRESIGNED };
    let line = delivery.text().replace("192.0.2.44", "-");
    let value: Value = serde_json::from_str(&record(&line, &Origin::default())).unwrap();
    assert_eq!(value["userAgent"], "cloudtrail.amazonaws.com");
    assert_eq!(value["sourceIPAddress"], "cloudtrail.amazonaws.com");
    assert_eq!(value["userIdentity"]["invokedBy"], "cloudtrail.amazonaws.com");
    let nobody = Columns { requester: "-", user_agent: "-", tail: "- h - - - s3.amazonaws.com -", ..PRESIGNED };
    let value = nobody.value();
    assert_eq!(value["userAgent"], "[]");
    assert_eq!(value["userIdentity"]["accountId"], "anonymous");
    assert_eq!(value.get("tlsDetails"), None);
}

#[test]
fn the_place_of_the_file_says_account_and_region() {
    let origin = Origin { account_id: Some("444455556666"), region: Some("cn-north-1") };
    let value: Value = serde_json::from_str(&record(&PRESIGNED.text(), &origin)).unwrap();
    assert_eq!(value["recipientAccountId"], "444455556666");
    assert_eq!(value["awsRegion"], "cn-north-1");
    assert_eq!(
        value["resources"][1],
        json!({"accountId": "444455556666", "type": "AWS::S3::Bucket", "ARN": "arn:aws-cn:s3:::media-legacy"})
    );
}

#[test]
fn a_canonical_id_is_an_account_where_it_is_the_owners() {
    let origin = Origin { account_id: Some("444455556666"), region: Some("eu-central-1") };
    let identity = |requester| {
        let line = Columns { requester, ..PRESIGNED }.text();
        serde_json::from_str::<Value>(&record(&line, &origin)).unwrap()["userIdentity"]["accountId"].clone()
    };
    assert_eq!(identity(OWNER), "444455556666");
    assert_eq!(identity("3b24c35d"), Value::Null);
    assert_eq!(identity(USER), "111122223333");
    assert_eq!(identity("-"), Value::Null, "signed by nobody knows whom");
}

#[test]
fn repeated_lines_have_one_id() {
    let id = |columns: &Columns| columns.value()["eventID"].as_str().unwrap().to_owned();
    let (this, other_tail) =
        (id(&PRESIGNED), "- hostid= SigV2 - QueryString s3.eu-central-1.amazonaws.com - - - us-east-1");
    assert_eq!(id(&Columns { tail: other_tail, ..PRESIGNED }), this, "the same request in a newer line");
    assert_eq!(this.len(), 36);
    assert_eq!(&this[14..15], "8");
    for other in [
        Columns { key: "other", ..PRESIGNED },
        Columns { operation: "REST.HEAD.OBJECT", ..PRESIGNED },
        Columns { tail: "- other=", ..PRESIGNED },
        Columns { tail: "v1 hostid=", ..PRESIGNED },
    ] {
        assert_ne!(id(&other), this, "{}", other.text());
    }
}

#[test]
fn regions_in_the_names_of_endpoints() {
    for (host, region) in [
        ("s3.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("b.s3.us-west-1.amazonaws.com:443", Some("us-west-1")),
        ("a.b.s3.dualstack.eu-west-1.amazonaws.com", Some("eu-west-1")),
        ("b.s3-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
        ("b.s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("s3-us-west-2.amazonaws.com", Some("us-west-2")),
        ("b.s3-website-us-east-1.amazonaws.com", Some("us-east-1")),
        ("b.s3-website.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("ap-1111.s3-accesspoint.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("s3-external-1.amazonaws.com", Some("us-east-1")),
        ("s3.amazonaws.com", None),
        ("eu-central-1.s3.amazonaws.com", None),
        ("b.ec2.eu-central-1.amazonaws.com", None),
        ("s3.eu-central-1.example.com", None),
        ("localhost:4566", None),
        ("", None),
    ] {
        assert_eq!(region_of_host(host), region, "{host}");
    }
}

#[test]
fn spellings_of_tls() {
    for (column, expected) in
        [("TLSV1.2", "TLSv1.2"), ("TLSv1", "TLSv1"), ("tlsv1.3", "TLSv1.3"), ("SSLv3", "SSLv3"), ("é", "é")]
    {
        assert_eq!(tls_version(column.as_bytes()), expected);
    }
}
