//! Who is let in, by the default policy and by others.

use aws_api::sns::{
    AddPermissionRequest, GetTopicAttributesRequest, PublishRequest, RemovePermissionRequest, SetTopicAttributesRequest,
};
use aws_api::{Caller, Change};
use policy::ServiceCaller;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::{ACCOUNT, OWNERS, apply, ctx, refusal, subscribe_request, with_topic};
use crate::{NotPublished, Publication, Topics};

const RULE: &str = "arn:aws:events:eu-central-1:111122223333:rule/r";
const EVENTS: ServiceCaller<'static> =
    ServiceCaller { name: "events.amazonaws.com", source_arn: RULE, tells_owner: false };

fn of(account: &str, arn: &str) -> RequestContext {
    let caller = Caller { account: account.into(), arn: arn.into(), ..ctx().caller };
    RequestContext { caller, ..ctx() }
}

fn stranger() -> RequestContext {
    of("444455556666", "arn:aws:iam::444455556666:user/mia")
}

fn set(topics: &mut Topics, arn: &str, policy: &serde_json::Value) -> Result<(), ApiError> {
    let req = SetTopicAttributesRequest {
        topic_arn: Some(arn.into()),
        attribute_name: Some("Policy".into()),
        attribute_value: Some(policy.to_string()),
    };
    let changes = topics.set_topic_attributes(&ctx(), &req)?;
    apply(topics, &changes);
    Ok(())
}

fn policy_of(topics: &Topics, arn: &str) -> serde_json::Value {
    let req = GetTopicAttributesRequest { topic_arn: Some(arn.into()) };
    serde_json::from_str(&topics.get_topic_attributes(&ctx(), &req).unwrap().attributes["Policy"]).unwrap()
}

fn publishes(topics: &Topics, ctx: &RequestContext, arn: &str) -> Result<(), ApiError> {
    let req = PublishRequest { topic_arn: Some(arn.into()), message: Some("m".into()), ..<_>::default() };
    topics.publish_request(ctx, &req, Uuid::nil()).map(drop)
}

fn told(topics: &Topics, caller: ServiceCaller<'_>, arn: &str) -> Result<(), String> {
    let message = Publication { message: "m".into(), ..<_>::default() };
    match topics.publish(&arn.parse().unwrap(), caller, &message, ctx().now, Uuid::nil()) {
        Ok(_) => Ok(()),
        Err(NotPublished::Forbidden(refusal)) => Err(refusal.message()),
        Err(NotPublished::Refused(error)) => panic!("{error}"),
    }
}

#[test]
fn the_default_policy_lets_the_owner_and_his_alarms_pass_and_no_rule() {
    let (topics, arn) = with_topic("t");
    assert_eq!(publishes(&topics, &ctx(), &arn), Ok(()));
    assert!(publishes(&topics, &stranger(), &arn).is_err());
    assert_eq!(told(&topics, OWNERS, &arn), Ok(()));
    let foreign = ServiceCaller { source_arn: "arn:aws:cloudwatch:eu-central-1:444455556666:alarm:a", ..OWNERS };
    assert!(told(&topics, foreign, &arn).is_err());
    assert_eq!(
        told(&topics, EVENTS, &arn).unwrap_err(),
        format!(
            "User: events.amazonaws.com is not authorized to perform: sns:Publish on resource: {arn} because no resource-based policy allows the sns:Publish action"
        )
    );
}

#[test]
fn a_statement_for_a_rule() {
    let (mut topics, arn) = with_topic("t");
    let statement = EVENTS.ask(None, "sns:Publish", &arn).unwrap_err().missing_statement();
    set(&mut topics, &arn, &json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
    assert_eq!(told(&topics, EVENTS, &arn), Ok(()));
    let other = ServiceCaller { source_arn: "arn:aws:events:eu-central-1:111122223333:rule/other", ..EVENTS };
    assert!(told(&topics, other, &arn).is_err());
    assert!(told(&topics, OWNERS, &arn).is_err(), "the default policy was replaced");
    assert_eq!(publishes(&topics, &ctx(), &arn), Ok(()), "an identity of the account needs no statement");
}

#[test]
fn a_deny_holds_for_the_own_account_but_for_its_root() {
    let (mut topics, arn) = with_topic("t");
    let deny =
        json!({"Statement": {"Effect": "Deny", "Principal": "*", "NotAction": "sns:Subscribe", "Resource": "*"}});
    set(&mut topics, &arn, &deny).unwrap();
    let refused = refusal(publishes(&topics, &ctx(), &arn));
    assert!(
        refused.starts_with("AuthorizationError: ") && refused.ends_with("explicit deny in a resource-based policy")
    );
    assert!(set(&mut topics, &arn, &deny).is_err());
    let root = of(ACCOUNT, "arn:aws:iam::111122223333:root");
    assert_eq!(publishes(&topics, &root, &arn), Ok(()));
}

#[test]
fn strangers_and_what_they_subscribe() {
    let (mut topics, arn) = with_topic("t");
    let allow = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "444455556666"},
        "Action": ["sns:Publish", "sns:Subscribe"], "Resource": arn, "Condition": {"StringEquals": {"sns:Protocol": "sqs"}}}});
    set(&mut topics, &arn, &allow).unwrap();
    assert!(publishes(&topics, &stranger(), &arn).is_err(), "a publication has no protocol");
    let try_it = |ctx: &RequestContext, protocol: &str| {
        let req =
            aws_api::sns::SubscribeRequest { protocol: Some(protocol.into()), ..subscribe_request(&arn, "q", &[]) };
        topics.subscribe(ctx, &req, Uuid::nil(), &|_| true)
    };
    assert!(try_it(&stranger(), "sqs").is_ok());
    assert!(refusal(try_it(&stranger(), "https")).starts_with("AuthorizationError"));
    assert!(refusal(try_it(&of("999988887777", "arn:aws:iam::999988887777:user/x"), "sqs")).starts_with("Auth"));
}

#[test]
fn permissions_by_name() {
    let (mut topics, arn) = with_topic("t");
    let add = |label: &str, accounts: &[&str], actions: &[&str]| AddPermissionRequest {
        topic_arn: Some(arn.clone()),
        label: Some(label.into()),
        aws_account_id: accounts.iter().map(|&text| text.into()).collect(),
        action_name: actions.iter().map(|&text| text.into()).collect(),
    };
    let changes = topics.add_permission(&ctx(), &add("l", &["444455556666"], &["Publish"])).unwrap();
    apply(&mut topics, &changes);
    assert_eq!(
        policy_of(&topics, &arn)["Statement"][1],
        json!({"Sid": "l", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
            "Action": "SNS:Publish", "Resource": arn})
    );
    assert_eq!(publishes(&topics, &stranger(), &arn), Ok(()));
    for (req, text) in [
        (add("l", &["444455556666"], &["Publish"]), "Statement already exists"),
        (add("m", &["4"], &["Publish"]), "Policy Error: PrincipalNotFound"),
        (add("m", &["444455556666"], &["CreateTopic"]), "Policy statement action out of service scope!"),
    ] {
        let expected = format!("InvalidParameter: Invalid parameter: {text}");
        assert_eq!(refusal(topics.add_permission(&ctx(), &req)), expected);
    }
    let remove = RemovePermissionRequest { topic_arn: Some(arn.clone()), label: Some("l".into()) };
    let changes = topics.remove_permission(&ctx(), &remove).unwrap();
    apply(&mut topics, &changes);
    assert!(publishes(&topics, &stranger(), &arn).is_err());
    assert_eq!(policy_of(&topics, &arn)["Statement"].as_array().unwrap().len(), 1);
}

#[test]
fn the_last_statement_goes_too() {
    let (mut topics, arn) = with_topic("t");
    let label = Some("__default_statement_ID".into());
    let remove = RemovePermissionRequest { topic_arn: Some(arn.clone()), label };
    let changes = topics.remove_permission(&ctx(), &remove).unwrap();
    apply(&mut topics, &changes);
    assert_eq!(policy_of(&topics, &arn)["Statement"], json!([]));
    assert!(publishes(&topics, &stranger(), &arn).is_err());
    assert!(publishes(&topics, &ctx(), &arn).is_ok());
    let add = AddPermissionRequest {
        topic_arn: Some(arn.clone()),
        label: Some("l".into()),
        aws_account_id: vec!["444455556666".into()],
        action_name: vec!["Publish".into()],
    };
    let changes = topics.add_permission(&ctx(), &add).unwrap();
    apply(&mut topics, &changes);
    assert_eq!(policy_of(&topics, &arn)["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(publishes(&topics, &stranger(), &arn), Ok(()));
}

#[test]
fn what_is_not_understood_is_refused() {
    let (mut topics, arn) = with_topic("t");
    let with = |action: &str, resource: &str, condition: serde_json::Value| json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}});
    for (policy, text) in [
        (
            with("sns:*", "*", json!({})),
            "Policy statement action out of service scope! (Statement 1, Action \"sns:*\")",
        ),
        (with("sqs:SendMessage", "*", json!({})), "Policy statement action out of service scope!"),
        (
            with("sns:Publish", "arn:aws:sqs:eu-central-1:111122223333:q", json!({})),
            "Policy Error: Policy has invalid resource",
        ),
        (
            with("sns:Publish", "*", json!({"StringEquals": {"aws:SourceVpc": "v"}})),
            "Policy Error: Policy has an invalid condition key",
        ),
        (json!([]), "Policy Error: Policies must be valid JSON"),
    ] {
        let refused = refusal(set(&mut topics, &arn, &policy));
        assert!(refused.starts_with(&format!("InvalidParameter: Invalid parameter: {text}")), "{refused}");
    }
    assert_eq!(policy_of(&topics, &arn)["Id"], "__default_policy_ID");
}

/// Rows of earlier versions have no policy: they have the default one.
#[test]
fn rows_without_a_policy_open() {
    let (topics, arn) = with_topic("t");
    let row = json!({"account": ACCOUNT, "region": "eu-central-1", "name": "t", "created": ctx().now});
    let change =
        Change { kind: "topic", key: format!("{ACCOUNT}/eu-central-1/t"), row: Some(row.to_string().into_bytes()) };
    let mut restored = Topics::default();
    restored.absorb(&change).unwrap();
    assert_eq!(policy_of(&restored, &arn), policy_of(&topics, &arn));
}

proptest! {
    /// Whoever is allowed by a policy of one statement is its principal, and nobody else.
    #[test]
    fn only_the_named_source_publishes(named in "[a-c]{1,2}", asking in "[a-c]{1,2}", service in "(events|cloudtrail)") {
        let arn = |name: &str| format!("arn:aws:events:eu-central-1:111122223333:rule/{name}");
        let (mut topics, topic) = with_topic("t");
        let (named, asking) = (arn(&named), arn(&asking));
        let wanted = ServiceCaller { source_arn: &named, ..EVENTS };
        let statement = wanted.ask(None, "sns:Publish", &topic).unwrap_err().missing_statement();
        set(&mut topics, &topic, &json!({"Statement": statement})).unwrap();
        let name = format!("{service}.amazonaws.com");
        let caller = ServiceCaller::new(&name, &asking);
        prop_assert_eq!(told(&topics, caller, &topic).is_ok(), service == "events" && named == asking);
    }
}
