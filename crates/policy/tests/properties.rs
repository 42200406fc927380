//! Against an evaluator that reads the JSON each time and does what the IAM user guide says, word by word.

mod common;

use common::{BUCKET, KEYS, parse};
use policy::{Decision, Request, Requester};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// With backtracking, by the definition.
fn like(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => like(rest, text) || (!text.is_empty() && like(pattern, &text[1..])),
        (['?', rest @ ..], [_, after @ ..]) => like(rest, after),
        ([wanted, rest @ ..], [found, after @ ..]) => wanted == found && like(rest, after),
        _ => false,
    }
}

fn wildcard(pattern: &str, text: &str) -> bool {
    like(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect(),
        other => vec![other.as_str().unwrap_or_default().to_owned()],
    }
}

fn principal_matches(principal: &Value, requester: Requester<'_>) -> bool {
    if principal == "*" {
        return true;
    }
    let aws = |wanted: &str| match requester {
        _ if wanted == "*" => true,
        Requester::Service { .. } => false,
        Requester::Identity { account, arn, role_arn } => {
            wanted == account
                || wanted == format!("arn:aws:iam::{account}:root")
                || wanted == arn
                || Some(wanted) == role_arn
        }
    };
    let service = |wanted: &str| matches!(requester, Requester::Service { name } if name == wanted);
    let any = |kind: &str, test: &dyn Fn(&str) -> bool| {
        principal.get(kind).is_some_and(|values| texts(values).iter().any(|value| test(value)))
    };
    any("AWS", &aws) || any("Service", &service)
}

fn compare(operator: &str, wanted: &str, actual: &str) -> bool {
    match operator {
        "StringEquals" => wanted == actual,
        "StringEqualsIgnoreCase" => wanted.to_lowercase() == actual.to_lowercase(),
        "StringLike" => wildcard(wanted, actual),
        "ArnEquals" | "ArnLike" => {
            let (wanted, actual): (Vec<_>, Vec<_>) = (wanted.splitn(6, ':').collect(), actual.splitn(6, ':').collect());
            wanted.len() == 6 && actual.len() == 6 && wanted.iter().zip(actual).all(|(w, a)| wildcard(w, a))
        }
        "Bool" => wanted.eq_ignore_ascii_case(actual),
        other => panic!("{other}"),
    }
}

fn condition_holds(operator: &str, wanted: &Value, actual: Option<&str>) -> bool {
    let wanted = texts(wanted);
    if operator == "Null" {
        return wanted.iter().any(|wanted| (wanted == "true") == actual.is_none());
    }
    let bare = operator.strip_suffix("IfExists").unwrap_or(operator);
    let positive = bare.replace("Not", "");
    match actual {
        None => bare != operator || positive != bare,
        Some(actual) if positive == bare => wanted.iter().any(|wanted| compare(bare, wanted, actual)),
        Some(actual) => wanted.iter().all(|wanted| !compare(&positive, wanted, actual)),
    }
}

fn actual<'a>(key: &str, request: &Request<'a>) -> Option<&'a str> {
    match (key, request.requester) {
        ("aws:PrincipalArn", Requester::Identity { arn, role_arn, .. }) => Some(role_arn.unwrap_or(arn)),
        ("aws:PrincipalAccount", Requester::Identity { account, .. }) => Some(account),
        ("aws:PrincipalArn" | "aws:PrincipalAccount", _) => None,
        _ => request.context.iter().find(|(name, _)| *name == key).map(|(_, value)| *value),
    }
}

fn is_about(statement: &Value, request: &Request<'_>) -> bool {
    let any = |name: &str, text: &str| {
        statement.get(name).map(|values| texts(values).iter().any(|pattern| wildcard(pattern, text)))
    };
    let lower = |name: &str| {
        let action = request.action.to_lowercase();
        statement.get(name).map(|v| texts(v).iter().any(|pattern| wildcard(&pattern.to_lowercase(), &action)))
    };
    let action = lower("Action").or_else(|| lower("NotAction").map(|found| !found)).unwrap_or_default();
    let resource = any("Resource", request.resource).or_else(|| any("NotResource", request.resource).map(|f| !f));
    let conditions = statement.get("Condition").and_then(Value::as_object);
    principal_matches(&statement["Principal"], request.requester)
        && action
        && resource.unwrap_or_default()
        && conditions.is_none_or(|operators| {
            operators.iter().all(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.into_iter().all(|(key, wanted)| condition_holds(operator, wanted, actual(key, request)))
            })
        })
}

/// `Some(true)` is an Allow, `Some(false)` a Deny.
fn naive(policy: &Value, request: &Request<'_>) -> Option<bool> {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    let effects: Vec<bool> = statements.filter(|s| is_about(s, request)).map(|s| s["Effect"] == "Allow").collect();
    if effects.contains(&false) { Some(false) } else { effects.first().copied() }
}

fn one_or_list(values: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = Value> {
    prop_oneof![values.clone().prop_map(Value::from), prop::collection::vec(values, 1..4).prop_map(Value::from)]
}

fn words(list: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(list).prop_map(str::to_owned)
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = words(&[
        "*",
        "111122223333",
        "444455556666",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::444455556666:user/mia",
        "arn:aws:iam::444455556666:role/etl",
        "arn:aws:sts::444455556666:assumed-role/etl/s",
    ]);
    let service = words(&["cloudtrail.amazonaws.com", "sns.amazonaws.com"]);
    prop_oneof![
        Just(json!("*")),
        one_or_list(aws.clone()).prop_map(|aws| json!({"AWS": aws})),
        (one_or_list(aws), one_or_list(service)).prop_map(|(aws, service)| json!({"AWS": aws, "Service": service})),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let text = (
        select(&[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ]),
        one_or_list(words(&["a", "A", "a*", "*b?", "444455556666", "arn:aws:iam::444455556666:role/etl", ""])),
    );
    let arn = (
        select(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]),
        one_or_list(words(&["arn:aws:iam::444455556666:role/etl", "arn:*:iam:*:*:?ole/*", "arn:aws:x:*:*:*"])),
    );
    let boolean = (select(&["Bool"]), one_or_list(words(&["true", "false", "TRUE"])));
    let null = (Just("Null".to_owned()), one_or_list(words(&["true", "false"])));
    let with_suffix = (prop_oneof![text, arn, boolean], any::<bool>()).prop_map(|((operator, values), if_exists)| {
        (format!("{operator}{}", if if_exists { "IfExists" } else { "" }), values)
    });
    (prop_oneof![4 => with_suffix, 1 => null], select(&KEYS[..5]))
        .prop_map(|((operator, values), key)| json!({operator: {key: values}}))
}

fn statement() -> impl Strategy<Value = Value> {
    let action = one_or_list(words(&["s3:GetObject", "s3:get*", "s3:*", "s3:?utObject", "S3:ListBucket"]));
    let resource =
        one_or_list(words(&["/*", "/a", "/a*", "*", "", "/?/b", "/*a*b"]).prop_map(|rest| format!("{BUCKET}{rest}")));
    (any::<[bool; 3]>(), principal(), action, resource, prop::option::of(condition())).prop_map(
        |([allow, not_action, not_resource], principal, action, resource, condition)| {
            let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }, "Principal": principal});
            statement[if not_action { "NotAction" } else { "Action" }] = action;
            statement[if not_resource { "NotResource" } else { "Resource" }] = resource;
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        },
    )
}

const REQUESTERS: [Requester<'static>; 5] = [
    Requester::Identity { account: "111122223333", arn: "arn:aws:iam::111122223333:root", role_arn: None },
    Requester::Identity { account: "444455556666", arn: "arn:aws:iam::444455556666:user/mia", role_arn: None },
    Requester::Identity {
        account: "444455556666",
        arn: "arn:aws:sts::444455556666:assumed-role/etl/s",
        role_arn: Some("arn:aws:iam::444455556666:role/etl"),
    },
    Requester::Service { name: "cloudtrail.amazonaws.com" },
    Requester::Service { name: "config.amazonaws.com" },
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn decides_as_the_guide_says(
        statements in prop::collection::vec(statement(), 1..4),
        requester in any::<Index>(),
        (action, within) in select(&[("s3:GetObject", true), ("s3:PutObject", true), ("s3:ListBucket", false)]),
        key in "[ab/]{1,4}",
        values in prop::collection::vec(prop::option::of(words(&["a", "ab", "abc", "true", "false", "arn:aws:iam::444455556666:role/etl"])), 3),
    ) {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        // Some of them have actions that apply to none of their resources.
        let parsed = parse(&document.to_string());
        prop_assume!(parsed.is_ok());
        let policy = parsed.unwrap();
        let resource = if within { format!("{BUCKET}/{key}") } else { BUCKET.to_owned() };
        let context: Vec<(&str, &str)> =
            KEYS.iter().zip(&values).filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
        let requester = *requester.get(&REQUESTERS);
        let request = Request { requester, action, resource: &resource, context: &context };
        let decided = match policy.decide(&request) {
            Decision::Allowed(_) => Some(true),
            Decision::Denied(_) => Some(false),
            Decision::NotMentioned => None,
        };
        prop_assert_eq!(decided, naive(&document, &request), "{} {:?}", document, request);
    }

    /// Whatever is read does not fall over.
    #[test]
    fn any_text_is_answered(text in r#"\{("Statement"|"Version"|"Effect"|[a-z"\[\]{}:,*]){0,40}"#) {
        let _ = parse(&text);
    }
}
