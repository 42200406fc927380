//! Operations on targets, as a client meets them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use aws_api::events::*;
use bus::Buses;
use common::{ALL, QUEUE, TOPIC, ctx, exists, put_rule, put_targets, rule, target, transformer};

fn with_rule() -> Buses {
    let mut buses = Buses::default();
    put_rule(&mut buses, &rule("r", ALL));
    buses
}

fn refusal(targets: Vec<Target>) -> (String, String) {
    let req = PutTargetsRequest { rule: "r".into(), event_bus_name: None, targets };
    let error = with_rule().put_targets(&ctx(), &req, &exists).unwrap_err();
    (error.code.into_owned(), error.message)
}

#[test]
fn targets_are_added_replaced_and_listed() {
    let mut buses = with_rule();
    let answer = put_targets(&mut buses, "r", &[target("b", QUEUE), target("a", TOPIC)]);
    assert_eq!(serde_json::to_string(&answer).unwrap(), "{\"FailedEntryCount\":0,\"FailedEntries\":[]}");
    put_targets(&mut buses, "r", &[Target { input: Some("1".into()), ..target("b", QUEUE) }]);
    let req = ListTargetsByRuleRequest { rule: "r".into(), ..ListTargetsByRuleRequest::default() };
    let listed = buses.list_targets_by_rule(&ctx(), &req).unwrap();
    assert_eq!(
        serde_json::to_string(&listed).unwrap(),
        format!(
            "{{\"Targets\":[{{\"Id\":\"a\",\"Arn\":\"{TOPIC}\"}},{{\"Id\":\"b\",\"Arn\":\"{QUEUE}\",\"Input\":\"1\"}}]}}"
        )
    );
    let req = ListRuleNamesByTargetRequest { target_arn: TOPIC.into(), ..ListRuleNamesByTargetRequest::default() };
    assert_eq!(buses.list_rule_names_by_target(&ctx(), &req).unwrap().rule_names, ["r"]);
    let req = ListRuleNamesByTargetRequest { target_arn: format!("{TOPIC}x"), ..req };
    assert!(buses.list_rule_names_by_target(&ctx(), &req).unwrap().rule_names.is_empty());
}

#[test]
fn five_targets_a_rule() {
    let mut buses = with_rule();
    let five: Vec<_> = (0..5).map(|n| target(&n.to_string(), QUEUE)).collect();
    put_targets(&mut buses, "r", &five);
    let req = PutTargetsRequest { rule: "r".into(), event_bus_name: None, targets: vec![target("x", QUEUE)] };
    let error = buses.put_targets(&ctx(), &req, &exists).unwrap_err();
    assert_eq!(error.code, "LimitExceededException");
    assert_eq!(error.message, "The requested resource exceeds the maximum number allowed.");
    assert_eq!(put_targets(&mut buses, "r", &five).failed_entry_count, 0);
}

#[test]
fn requests_that_are_refused() {
    let retry = |attempts, age| Target {
        retry_policy: Some(RetryPolicy { maximum_retry_attempts: attempts, maximum_event_age_in_seconds: age }),
        ..target("q", QUEUE)
    };
    let constraint = "1 validation error detected: Value";
    let cases: Vec<(Vec<Target>, String)> = vec![
        (
            vec![],
            format!(
                "{constraint} '[]' at 'targets' failed to satisfy constraint: Member must have length greater than or equal to 1"
            ),
        ),
        (
            vec![target("a b", QUEUE)],
            format!(
                "{constraint} 'a b' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
            ),
        ),
        (
            vec![target("a", QUEUE), target(&"a".repeat(65), QUEUE)],
            format!(
                "{constraint} '{}' at 'targets.2.member.id' failed to satisfy constraint: Member must have length less than or equal to 64",
                "a".repeat(65)
            ),
        ),
        (
            vec![target("a", "queue")],
            "Parameter queue is not valid. Reason: Provided Arn is not in correct format.".into(),
        ),
        (
            vec![retry(Some(186), None)],
            format!(
                "{constraint} '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 185"
            ),
        ),
        (
            vec![retry(None, Some(59))],
            format!(
                "{constraint} '59' at 'targets.1.member.retryPolicy.maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"
            ),
        ),
        (
            vec![Target { input: Some("1".into()), input_path: Some("$".into()), ..target("q", QUEUE) }],
            "Only one of Input, InputPath, or InputTransformer must be provided for target q.".into(),
        ),
        (
            vec![Target { input_path: Some("$..x".into()), ..target("q", QUEUE) }],
            "InputPath for target q is invalid.".into(),
        ),
        (
            vec![Target { input_transformer: Some(transformer(&[("a", "$.a")], "{\"x\":<b>}")), ..target("q", QUEUE) }],
            "InputTemplate for target q contains invalid placeholder b.".into(),
        ),
        (
            vec![Target { input_transformer: Some(transformer(&[("AWS.a", "$.a")], "x")), ..target("q", QUEUE) }],
            "InputPathsMap for target q contains the key AWS.a: keys must not begin with AWS.".into(),
        ),
        (
            vec![Target { input_transformer: Some(transformer(&[("a", "a")], "<a>")), ..target("q", QUEUE) }],
            "InputPathsMap for target q has an invalid path for a.".into(),
        ),
        (
            vec![Target { input_transformer: Some(transformer(&[], "")), ..target("q", QUEUE) }],
            "InputTemplate for target q must have 1 to 8192 characters.".into(),
        ),
    ];
    for (targets, message) in cases {
        assert_eq!(refusal(targets), ("ValidationException".to_owned(), message));
    }
}

#[test]
fn inputs_and_rules_that_do_not_exist() {
    let (code, message) = refusal(vec![Target { input: Some("{".into()), ..target("q", QUEUE) }]);
    assert_eq!(code, "ValidationException");
    assert!(message.starts_with("JSON syntax error in input for target q : "), "{message}");
    let req = PutTargetsRequest { rule: "none".into(), event_bus_name: None, targets: vec![target("q", QUEUE)] };
    let error = Buses::default().put_targets(&ctx(), &req, &exists).unwrap_err();
    assert_eq!(error.message, "Rule none does not exist on EventBus default.");
}

#[test]
fn targets_that_cannot_be_served_fail_alone() {
    let lambda = "arn:aws:lambda:eu-central-1:111122223333:function:f";
    let elsewhere = "arn:aws:sns:us-east-1:111122223333:t";
    let foreign = "arn:aws:sqs:eu-central-1:444455556666:q";
    let missing = "arn:aws:sqs:eu-central-1:111122223333:none";
    let fifo = "arn:aws:sqs:eu-central-1:111122223333:q.fifo";
    let dead_letters = |arn: &str| Target {
        dead_letter_config: Some(DeadLetterConfig { arn: Some(arn.into()) }),
        ..target("t", QUEUE)
    };
    let cases = [
        (target("t", lambda), "ValidationException", "Supported are Amazon SNS topics and Amazon SQS queues."),
        (target("t", elsewhere), "ValidationException", "a rule's targets are in its own, eu-central-1."),
        (target("t", foreign), "ValidationException", "is of another account"),
        (target("t", missing), "ResourceNotFoundException", "does not exist."),
        (target("t", fifo), "ValidationException", "is FIFO"),
        (
            Target { role_arn: Some("arn:r".into()), ..target("t", QUEUE) },
            "ValidationException",
            "RoleArn for target t",
        ),
        (
            Target { sqs_parameters: Some(SqsParameters { message_group_id: Some("g".into()) }), ..target("t", QUEUE) },
            "ValidationException",
            "SqsParameters for target t",
        ),
        (dead_letters(missing), "ResourceNotFoundException", "does not exist."),
        (dead_letters(TOPIC), "ValidationException", "is not an Amazon SQS queue."),
    ];
    for (bad, code, part) in cases {
        let mut buses = with_rule();
        let answer = put_targets(&mut buses, "r", &[bad, target("good", QUEUE)]);
        assert_eq!(answer.failed_entry_count, 1);
        let entry = &answer.failed_entries[0];
        assert_eq!((entry.target_id.as_str(), entry.error_code.as_str()), ("t", code));
        assert!(entry.error_message.contains(part), "{}", entry.error_message);
        let req = ListTargetsByRuleRequest { rule: "r".into(), ..ListTargetsByRuleRequest::default() };
        assert_eq!(buses.list_targets_by_rule(&ctx(), &req).unwrap().targets.len(), 1);
    }
}
