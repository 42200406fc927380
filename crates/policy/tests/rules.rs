//! IAM's rules, one after the other, as tables.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{BUCKET, parse};
use policy::{Decision, Policy, Request, Requester};

const ROLE: &str = "arn:aws:iam::444455556666:role/etl";
const SESSION: Requester<'static> = Requester::Identity {
    account: "444455556666",
    arn: "arn:aws:sts::444455556666:assumed-role/etl/i-0abc",
    role_arn: Some(ROLE),
};
const MIA: Requester<'static> =
    Requester::Identity { account: "444455556666", arn: "arn:aws:iam::444455556666:user/mia", role_arn: None };
const TRAIL: Requester<'static> = Requester::Service { name: "cloudtrail.amazonaws.com" };
const KEY: &str = "arn:aws:s3:::bkt/a/b.csv";

/// A policy of one statement: these members replace or join those of a plain one.
fn one(members: &str) -> String {
    let mut statement: serde_json::Map<String, serde_json::Value> = serde_json::from_str(
        r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*"}"#,
    )
    .unwrap();
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!("{{{members}}}")).unwrap();
    if members.contains_key("NotAction") {
        statement.remove("Action");
    }
    if members.contains_key("NotResource") {
        statement.remove("Resource");
    }
    statement.extend(members);
    serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn policy(members: &str) -> Policy {
    parse(&one(members)).unwrap_or_else(|error| panic!("{members}: {error}"))
}

fn get(requester: Requester<'_>) -> Request<'_> {
    Request { requester, action: "s3:GetObject", resource: KEY, context: &[] }
}

fn allowed(policy: &Policy, request: &Request<'_>) -> bool {
    matches!(policy.decide(request), Decision::Allowed(_))
}

#[test]
fn principals() {
    let cases = [
        (r#""*""#, [true, true, true]),
        (r#"{"AWS":"*"}"#, [true, true, true]),
        (r#"{"AWS":"444455556666"}"#, [true, true, false]),
        (r#"{"AWS":"arn:aws:iam::444455556666:root"}"#, [true, true, false]),
        (r#"{"AWS":"111122223333"}"#, [false, false, false]),
        (r#"{"AWS":"arn:aws:iam::444455556666:user/mia"}"#, [true, false, false]),
        (r#"{"AWS":"arn:aws:iam::444455556666:user/Mia"}"#, [false, false, false]),
        (r#"{"AWS":"arn:aws:iam::444455556666:role/etl"}"#, [false, true, false]),
        (r#"{"AWS":"arn:aws:sts::444455556666:assumed-role/etl/i-0abc"}"#, [false, true, false]),
        (r#"{"AWS":"arn:aws:sts::444455556666:assumed-role/etl/i-0abd"}"#, [false, false, false]),
        (r#"{"Service":"cloudtrail.amazonaws.com"}"#, [false, false, true]),
        (
            r#"{"Service":["sns.amazonaws.com","cloudtrail.amazonaws.com"],"AWS":["111122223333"]}"#,
            [false, false, true],
        ),
        (r#"{"Service":"sns.amazonaws.com"}"#, [false, false, false]),
    ];
    for (principal, expected) in cases {
        let policy = policy(&format!("\"Principal\":{principal}"));
        let found = [MIA, SESSION, TRAIL].map(|requester| allowed(&policy, &get(requester)));
        assert_eq!(found, expected, "{principal}: user, session, service");
    }
}

#[test]
fn actions_and_resources() {
    let cases = [
        (r#""Action":"s3:*""#, "s3:GetObject", KEY, true),
        (r#""Action":"*""#, "s3:GetObject", KEY, true),
        (r#""Action":"S3:getOBJECT""#, "s3:GetObject", KEY, true),
        (r#""Action":"s3:Get?bject""#, "s3:GetObject", KEY, true),
        (r#""Action":["s3:PutObject","s3:Get*"]"#, "s3:GetObject", KEY, true),
        (r#""Action":"s3:PutObject""#, "s3:GetObject", KEY, false),
        (r#""NotAction":"s3:PutObject""#, "s3:GetObject", KEY, true),
        (r#""NotAction":"s3:Get*""#, "s3:GetObject", KEY, false),
        (r#""Action":"s3:*""#, "sqs:GetObject", KEY, false),
        (r#""Resource":"arn:aws:s3:::bkt/a/?.csv""#, "s3:GetObject", KEY, true),
        (r#""Resource":"arn:aws:s3:::bkt/A/*""#, "s3:GetObject", KEY, false),
        (r#""Resource":["arn:aws:s3:::bkt/x","arn:aws:s3:::bkt/a*"]"#, "s3:GetObject", KEY, true),
        (r#""Resource":"arn:aws:s3:::bkt*""#, "s3:GetObject", KEY, true),
        (r#""NotResource":"arn:aws:s3:::bkt/b/*""#, "s3:GetObject", KEY, true),
        (r#""NotResource":"arn:aws:s3:::bkt/a/*""#, "s3:GetObject", KEY, false),
        (r#""Action":"s3:ListBucket","Resource":"arn:aws:s3:::bkt""#, "s3:ListBucket", BUCKET, true),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::bkt""#, "s3:GetObject", KEY, false),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::bkt/*""#, "s3:ListBucket", BUCKET, false),
    ];
    for (members, action, resource, expected) in cases {
        let request = Request { action, resource, ..get(MIA) };
        assert_eq!(allowed(&policy(members), &request), expected, "{members} {action} {resource}");
    }
}

#[test]
fn a_deny_wins_whatever_the_order() {
    let allow = r#"{"Sid":"yes","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bkt/*"}"#;
    let deny =
        r#"{"Sid":"no","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/a/*"}"#;
    for (first, second) in [(allow, deny), (deny, allow)] {
        let policy = parse(&format!(r#"{{"Statement":[{first},{second}]}}"#)).unwrap();
        assert!(matches!(policy.decide(&get(MIA)), Decision::Denied(by) if by.sid() == Some("no")));
        let put = Request { action: "s3:PutObject", ..get(MIA) };
        assert!(matches!(policy.decide(&put), Decision::Allowed(by) if by.sid() == Some("yes")));
        let list = Request { action: "s3:ListBucket", resource: BUCKET, ..get(MIA) };
        assert_eq!(policy.decide(&list), Decision::NotMentioned);
    }
}

/// What a condition says when the key has this value, and when the request has no such key.
#[test]
fn condition_operators() {
    let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/a:b";
    let cases: [(&str, &str, &str, bool, bool); 31] = [
        ("StringEquals", r#""a""#, "a", true, false),
        ("StringEquals", r#"["a","b"]"#, "b", true, false),
        ("StringEquals", r#""A""#, "a", false, false),
        ("StringEquals", r#""a*""#, "ab", false, false),
        ("StringNotEquals", r#""a""#, "b", true, true),
        ("StringNotEquals", r#"["a","b"]"#, "b", false, true),
        ("StringEqualsIgnoreCase", r#""A""#, "a", true, false),
        ("StringNotEqualsIgnoreCase", r#""A""#, "a", false, true),
        ("StringLike", r#"["x","a*c?"]"#, "abbcd", true, false),
        ("StringLike", r#""A*""#, "ab", false, false),
        ("StringNotLike", r#""a*""#, "ab", false, true),
        ("StringNotLike", r#"["x*","y"]"#, "ab", true, true),
        ("StringEqualsIfExists", r#""a""#, "b", false, true),
        ("StringNotEqualsIfExists", r#""a""#, "a", false, true),
        ("ArnEquals", r#""arn:aws:cloudtrail:*:111122223333:trail/*""#, arn, true, false),
        ("ArnLike", r#""arn:aws:cloudtrail:us-east-?:111122223333:trail/a:b""#, arn, true, false),
        // Each part for itself: a star does not reach over the next colon.
        ("ArnLike", r#""arn:aws:*:111122223333:trail/a:b:x""#, arn, false, false),
        ("ArnLike", r#""arn:*:*:*:*:*""#, "no arn", false, false),
        ("ArnNotEquals", r#""arn:aws:cloudtrail:*:111122223333:trail/*""#, arn, false, true),
        ("ArnNotLike", r#""arn:aws:sns:*:111122223333:*""#, arn, true, true),
        ("ArnLikeIfExists", r#""arn:aws:sns:*:111122223333:*""#, arn, false, true),
        ("Bool", r#""true""#, "true", true, false),
        ("Bool", "true", "true", true, false),
        ("Bool", r#""FALSE""#, "false", true, false),
        ("Bool", r#"["true","false"]"#, "false", true, false),
        ("Bool", r#""false""#, "no boolean", false, false),
        ("BoolIfExists", r#""false""#, "true", false, true),
        ("Null", r#""true""#, "a", false, true),
        ("Null", "false", "a", true, false),
        ("Null", r#"["true","false"]"#, "a", true, true),
        ("StringEquals", r#""é""#, "é", true, false),
    ];
    for (operator, values, actual, with, without) in cases {
        let policy = policy(&format!(r#""Condition":{{"{operator}":{{"AWS:sourcearn":{values}}}}}"#));
        let context = [("aws:SourceArn", actual)];
        let request = Request { context: &context, ..get(MIA) };
        assert_eq!(allowed(&policy, &request), with, "{operator} {values} of {actual}");
        assert_eq!(allowed(&policy, &get(MIA)), without, "{operator} {values} of nothing");
    }
}

#[test]
fn keys_and_operators_are_anded() {
    let policy = policy(
        r#""Condition":{"StringEquals":{"aws:SourceAccount":"111122223333","aws:SourceArn":"x"},"Bool":{"aws:SecureTransport":"true"}}"#,
    );
    let full = [("aws:SourceAccount", "111122223333"), ("aws:SourceArn", "x"), ("aws:SecureTransport", "true")];
    assert!(allowed(&policy, &Request { context: &full, ..get(MIA) }));
    for left_out in 0..full.len() {
        let context: Vec<_> = full.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, pair)| *pair).collect();
        assert!(!allowed(&policy, &Request { context: &context, ..get(MIA) }), "without {:?}", full[left_out]);
    }
}

#[test]
fn what_follows_from_the_requester() {
    let arn = policy(&format!(r#""Condition":{{"ArnEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#));
    let account = policy(r#""Condition":{"StringEquals":{"aws:PrincipalAccount":"444455556666"}}"#);
    assert_eq!([MIA, SESSION, TRAIL].map(|requester| allowed(&arn, &get(requester))), [false, true, false]);
    assert_eq!([MIA, SESSION, TRAIL].map(|requester| allowed(&account, &get(requester))), [true, true, false]);
    // Nobody can bring it along.
    let forged = [("aws:PrincipalArn", ROLE), ("aws:PrincipalAccount", "444455556666")];
    assert!(!allowed(&arn, &Request { context: &forged, ..get(TRAIL) }));
}

#[test]
fn what_is_public() {
    let cases = [
        ("", true),
        (r#""Effect":"Deny""#, false),
        (r#""Principal":{"AWS":["111122223333","*"]}"#, true),
        (r#""Principal":{"AWS":"111122223333"}"#, false),
        (r#""Principal":{"Service":"cloudtrail.amazonaws.com"}"#, false),
        (r#""Condition":{"Bool":{"aws:SecureTransport":"true"}}"#, true),
        (r#""Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, false),
        (r#""Condition":{"StringLike":{"aws:SourceAccount":"1111*"}}"#, true),
        (r#""Condition":{"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}}"#, true),
        (r#""Condition":{"StringNotEquals":{"aws:SourceAccount":"111122223333"}}"#, true),
        (r#""Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}"#, false),
        (
            r#""Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:sns:us-east-1:111122223333:t","arn:aws:sns:*:*:*"]}}"#,
            true,
        ),
        (r#""Condition":{"Null":{"aws:SourceArn":"false"}}"#, true),
    ];
    for (members, expected) in cases {
        assert_eq!(policy(members).is_public(), expected, "{members}");
    }
}

#[test]
fn what_is_refused_and_where() {
    let text = |members: &str| one(members);
    let cases = [
        (String::new(), "Policies must be valid JSON and the first byte must be '{' (the first byte)"),
        ("[]".into(), "Policies must be valid JSON and the first byte must be '{' (the first byte)"),
        (r#"{"Statement":["#.into(), "This policy contains invalid Json"),
        (r#"{"Statement":[]}"#.into(), "Could not parse the policy: Statement is empty!"),
        (r#"{"Version":"2012-10-17"}"#.into(), "Missing required field Statement"),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#.into(),
            "The policy must contain a valid version string (Version)",
        ),
        (r#"{"Statement":[],"Extra":1}"#.into(), "Unknown field Extra (beside Statement)"),
        (r#"{"Statement":[1]}"#.into(), "Invalid policy syntax. (Statement 1: an object is expected)"),
        (
            text("").replace("\"Effect\"", "\"Effect\":\"Deny\",\"Effect\""),
            "This policy contains invalid Json (the member \"Effect\" is there twice",
        ),
        (text(r#""Extra":1"#), "Unknown field Extra (Statement 1)"),
        (text(r#""Effect":"allow""#), "Invalid effect: allow (Statement 1)"),
        (text(r#""NotPrincipal":"*""#), "Invalid principal in policy (Statement 1: NotPrincipal is not supported)"),
        (
            text(r#""NotAction":"s3:*","Action":"s3:*""#),
            "Invalid policy syntax. (Statement 1: Action and its opposite)",
        ),
        (text(r#""Action":"s3:NoSuch""#), "Policy has invalid action (Statement 1, Action \"s3:NoSuch\")"),
        (text(r#""Action":"sqs:*""#), "Policy has invalid action"),
        (text(r#""Action":[]"#), "Policy has invalid action"),
        (text(r#""Resource":"*""#), "Policy has invalid resource (Statement 1, Resource \"*\")"),
        (text(r#""Resource":"arn:aws:s3:::other/*""#), "Policy has invalid resource"),
        (text(r#""Resource":"arn:aws:s3:::bktx""#), "Policy has invalid resource"),
        (text(r#""Resource":"arn:aws:s3:::bkt/${aws:username}/*""#), "Policy has invalid resource"),
        (
            text(r#""Resource":"arn:aws:s3:::bkt""#),
            "Action does not apply to any resource(s) in statement (Statement 1)",
        ),
        (text(r#""Action":["s3:GetObject","s3:ListBucket"]"#), "Action does not apply to any resource(s) in statement"),
        (text(r#""Condition":{"StringSounds":{"aws:SourceArn":"x"}}"#), "Invalid Condition type : StringSounds"),
        (text(r#""Condition":{"ForAnyValue:StringEquals":{"aws:SourceArn":"x"}}"#), "Invalid Condition type"),
        (text(r#""Condition":{"NullIfExists":{"aws:SourceArn":"true"}}"#), "Invalid Condition type : NullIfExists"),
        (text(r#""Condition":{"StringEquals":{"aws:SourceIp":"x"}}"#), "Policy has an invalid condition key"),
        (text(r#""Condition":{"StringEquals":{"aws:SourceArn":[]}}"#), "Invalid policy syntax."),
        (text(r#""Condition":{"StringEquals":{"aws:SourceAccount":111122223333}}"#), "Invalid policy syntax."),
        (text(r#""Condition":{"StringEquals":{"aws:SourceArn":"${aws:x}"}}"#), "Invalid policy syntax."),
        (text(r#""Condition":{"Bool":{"aws:SecureTransport":"yes"}}"#), "Invalid policy syntax."),
        (text(r#""Condition":{"ArnLike":{"aws:SourceArn":"*"}}"#), "Invalid policy syntax."),
        (
            text(r#""Condition":{"StringEquals":{"aws:SourceArn":"x","AWS:SOURCEARN":"y"}}"#),
            "This policy contains invalid Json (Statement 1, Condition, StringEquals, \"AWS:SOURCEARN\": the key is there twice)",
        ),
        (
            text(r#""Condition":{"StringEquals":{"s3:x-amz-acl":"private"}}"#),
            "Conditions do not apply to combination of actions and resources in statement (Statement 1, Condition: s3:x-amz-acl)",
        ),
    ];
    for (text, expected) in cases {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    for missing in ["Effect", "Principal", "Action", "Resource"] {
        let text = text("").replace(&format!("\"{missing}\":"), "\"Sid\":");
        let text = text.replace(r#""Sid":"*""#, r#""Sid":"x""#);
        assert!(parse(&text).unwrap_err().to_string().starts_with(&format!("Missing required field {missing}")));
    }
    let twice = one(r#""Sid":"x""#).replace(
        "[{",
        r#"[{"Sid":"x","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bkt"},{"#,
    );
    assert!(parse(&twice).unwrap_err().to_string().starts_with("Statement IDs (SID)"));
    let long = one(&format!(r#""Sid":"{}""#, "x".repeat(20 * 1024)));
    assert!(parse(&long).unwrap_err().to_string().contains("maximum allowed size of 20480 bytes"));
    assert!(parse(&format!("{{\"Statement\":{}", "[".repeat(10_000))).is_err(), "nesting is bounded");
    for members in [r#""NAME":1"#, r#""Effect":"NAME""#, r#""Action":"NAME""#, r#""Condition":{"NAME":{}}"#] {
        let error = parse(&one(&members.replace("NAME", &"x".repeat(10_000)))).unwrap_err();
        assert!(error.to_string().len() < 600, "an error does not repeat the document");
    }
}

#[test]
fn principals_that_are_refused() {
    let cases = [
        r#""111122223333""#,
        "[]",
        "{}",
        r#"{"AWS":[]}"#,
        r#"{"AWS":"11112222333"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:root/x"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:group/g"}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/r"}"#,
        r#"{"AWS":"arn:aws:iam:::user/x"}"#,
        r#"{"AWS":"AIDAEXAMPLE"}"#,
        r#"{"Service":"*"}"#,
        r#"{"Service":"cloudtrail"}"#,
        r#"{"Federated":"accounts.google.com"}"#,
        r#"{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#,
    ];
    for principal in cases {
        let error = parse(&one(&format!("\"Principal\":{principal}"))).unwrap_err();
        assert_eq!(error.problem, policy::Problem::Principal, "{principal}");
    }
}
