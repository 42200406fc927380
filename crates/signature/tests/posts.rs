//! Browser uploads: what a policy allows, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

mod common;

use common::{Form, Known, credentials, element, known};
use s3_signature::{Carrier, sign};

fn form(policy: &str, fields: &[(&str, &str)], known: &Known) -> Form {
    use base64::Engine;
    let policy = base64::engine::general_purpose::STANDARD.encode(policy);
    let signature = sign::v2_post(&credentials(known), &policy);
    let given = [("AWSAccessKeyId", known.access_key_id.as_str()), ("Policy", &policy), ("Signature", &signature)];
    let fields = fields.iter().chain(&given).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Form { fields, bucket: "b".to_owned() }
}

/// Code and message of a refusal.
type Refusal = Option<(&'static str, &'static str)>;
/// Conditions beyond the bucket's and the key's, fields, outcome.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Refusal);

const KEY: (&str, &str) = ("key", "in/${filename}");

fn document(conditions: &str) -> String {
    format!(
        r#"{{"expiration":"2026-03-14T10:26:53Z","conditions":[{{"bucket":"b"}},["starts-with","$key","in/"]{conditions}]}}"#
    )
}

fn assert_outcome(policy: &str, fields: &[(&str, &str)], expected: Refusal) {
    let known = known();
    let outcome = form(policy, fields, &known).accepted(&known);
    let got = outcome.as_ref().err().map(|denied| (denied.code, denied.message.as_str()));
    assert_eq!(got, expected, "{policy}");
}

#[test]
fn conditions() {
    let failed = |text: &'static str| Some(("AccessDenied", text));
    let public = ("acl", "public-read");
    let table: [Row<'_>; 9] = [
        ("", &[KEY], None),
        ("", &[("KEY", "in/x"), ("x-ignore-me", "1")], None),
        (r#",["eq","$ACL","private"]"#, &[KEY, ("acl", "private")], None),
        (r#",["eq","$key","in/${filename}"]"#, &[KEY], None),
        (r#",["eq","$key","in/a.jpg"]"#, &[KEY], None),
        (
            r#",["starts-with","$Content-Type","image/"]"#,
            &[KEY, ("content-type", "image/png,text/html")],
            failed(
                r#"Invalid according to Policy: Policy Condition failed: ["starts-with", "$content-type", "image/"]"#,
            ),
        ),
        (
            r#",{"acl":"private"}"#,
            &[KEY, public],
            failed(r#"Invalid according to Policy: Policy Condition failed: ["eq", "$acl", "private"]"#),
        ),
        (
            "",
            &[("key", "out/x")],
            failed(r#"Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "in/"]"#),
        ),
        ("", &[KEY, public], failed("Invalid according to Policy: Extra input fields: acl")),
    ];
    for (conditions, fields, expected) in table {
        assert_outcome(&document(conditions), fields, expected);
    }
    let no_bucket = r#"{"expiration":"2026-03-14T10:26:53Z","conditions":[["starts-with","$key",""]]}"#;
    assert_outcome(no_bucket, &[KEY], failed("Invalid according to Policy: Extra input fields: bucket"));
    let over = r#"{"expiration":"2026-03-14T09:26:53Z","conditions":[{"bucket":"b"}]}"#;
    assert_outcome(over, &[], failed("Invalid according to Policy: Policy expired."));
}

#[test]
fn documents_that_are_none() {
    let one = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.";
    let lengths = "Invalid content-length-range: the lengths must be whole numbers.";
    let arguments = "Invalid Condition: wrong number of arguments.";
    for (conditions, message) in [
        (",{}", one),
        (r#",{"acl":"a","key":"b"}"#, one),
        (r#",["content-length-range",-1,0]"#, lengths),
        (r#",["content-length-range",0]"#, arguments),
        (r#",["ends-with","$key","a"]"#, "Invalid Condition: unknown operation 'ends-with'."),
        (r#",{"acl":1}"#, "Invalid Simple-Condition: value must be a string."),
    ] {
        let refused = form(&document(conditions), &[KEY], &known()).accepted(&known()).unwrap_err();
        let expected = ("InvalidPolicyDocument", format!("Invalid Policy: {message}"));
        assert_eq!((refused.code, refused.message), expected, "{conditions}");
    }
    let late = r#"{"expiration":"tomorrow","conditions":[]}"#;
    let capitals = r#"{"EXPIRATION":"2026-03-14T10:26:53Z","conditions":[]}"#;
    for policy in [late, capitals, r#"{"conditions":[]}"#, "", "[]", "{"] {
        let refused = form(policy, &[KEY], &known()).accepted(&known()).unwrap_err();
        assert_eq!(refused.code, "InvalidPolicyDocument", "{policy}");
    }
}

#[test]
fn post_lengths() {
    let known = known();
    let policy = r#"{"expiration":"2026-03-14T10:26:53Z","conditions":[{"bucket":"b"},["content-length-range",2,"4"],["content-length-range",0,3]]}"#;
    let post = form(policy, &[], &known).accepted(&known).unwrap().unwrap();
    assert_eq!(post.content_length, Some(2..=3));
    let small = post.check_content_length(1).unwrap_err();
    assert_eq!(
        (small.code, element(&small, "ProposedSize"), element(&small, "MinSizeAllowed")),
        ("EntityTooSmall", Some("1"), Some("2"))
    );
    let large = post.check_content_length(4).unwrap_err();
    assert_eq!(
        (large.code, element(&large, "ProposedSize"), element(&large, "MaxSizeAllowed")),
        ("EntityTooLarge", Some("4"), Some("3"))
    );
    assert!(post.check_content_length(3).is_ok());
}

#[test]
fn post_forms() {
    let known = known();
    let good = form(r#"{"expiration":"2026-03-14T10:26:53Z","conditions":[{"bucket":"b"}]}"#, &[], &known);
    assert!(good.accepted(&known).unwrap().is_some());
    let message = |name: &str| {
        format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
        )
    };
    for missing in ["AWSAccessKeyId", "Signature", "Policy"] {
        let mut form = good.clone();
        form.fields.retain(|(name, _)| name != missing);
        let refused = form.accepted(&known).unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), ("InvalidArgument", message(missing).as_str()));
        assert_eq!((element(&refused, "ArgumentName"), element(&refused, "ArgumentValue")), (Some(missing), Some("")));
        assert_eq!(refused.attempt.carrier, Some(Carrier::HtmlForm));
    }
    let mut twice = good.clone();
    twice.fields.push(("policy".to_owned(), String::new()));
    assert_eq!(twice.accepted(&known).unwrap_err().code, "InvalidArgument");
    let mut both = good.clone();
    both.fields.push(("x-amz-signature".to_owned(), String::new()));
    assert_eq!(both.accepted(&known).unwrap_err().code, "InvalidArgument");
    let anonymous = Form { fields: vec![("key".to_owned(), "k".to_owned())], bucket: "b".to_owned() };
    assert!(anonymous.accepted(&known).unwrap().is_none());
    let mut stranger = known.clone();
    stranger.access_key_id = "AKIAOTHER".to_owned();
    assert_eq!(good.accepted(&stranger).unwrap_err().code, "InvalidAccessKeyId");
    let mut large = good;
    large.fields.push(("x-amz-meta-a".to_owned(), "a".repeat(70_000)));
    assert_eq!(large.accepted(&known).unwrap_err().code, "MaxPostPreDataLengthExceededError");
}
