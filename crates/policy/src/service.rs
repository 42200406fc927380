//! A service of AWS that does something for one of its resources: a rule that publishes, a topic that sends.
//!
//! Source: IAM user guide, "The confused deputy problem": the service says for which resource (`aws:SourceArn`) and for whose
//! (`aws:SourceAccount`) it acts.

use std::fmt;

use serde_json::json;

use crate::decide::{Decision, Request, Requester};
use crate::document::Policy;

/// A service, and for which resource it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceCaller<'a> {
    /// `events.amazonaws.com`
    pub name: &'a str,
    /// `aws:SourceArn`: the ARN of the rule, topic, trail, …
    pub source_arn: &'a str,
    /// Whether it says whose that is by `aws:SourceOwner`, SNS's older key, too.
    pub tells_owner: bool,
}

/// What a service may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// Who may not.
    pub caller: ServiceCaller<'a>,
    /// What, `sns:Publish`.
    pub action: &'a str,
    /// To what: the ARN of a topic or queue.
    pub resource: &'a str,
    /// Whether a statement denies it; else none allows it.
    pub is_explicit: bool,
}

impl<'a> ServiceCaller<'a> {
    /// A service that acts for this resource, without `aws:SourceOwner`.
    pub fn new(name: &'a str, source_arn: &'a str) -> Self {
        Self { name, source_arn, tells_owner: false }
    }

    /// `aws:SourceAccount`: the account in the ARN; empty for an ARN without one.
    pub fn source_account(&self) -> &'a str {
        self.source_arn.split(':').nth(4).unwrap_or_default()
    }

    /// May it do this? A service needs an Allow, also where resource and source are of one account. The services speak TLS
    /// among themselves.
    pub fn ask(&self, policy: Option<&Policy>, action: &'a str, resource: &'a str) -> Result<(), Refusal<'a>> {
        let account = self.source_account();
        let context = [
            ("aws:SourceArn", self.source_arn),
            ("aws:SourceAccount", account),
            ("aws:SecureTransport", "true"),
            ("aws:SourceOwner", account),
        ];
        let context = if self.tells_owner { &context[..] } else { &context[..3] };
        let request = Request { requester: Requester::Service { name: self.name }, action, resource, context };
        let refusal = |is_explicit| Refusal { caller: *self, action, resource, is_explicit };
        match policy.map(|policy| policy.decide(&request)) {
            Some(Decision::Allowed(_)) => Ok(()),
            Some(Decision::Denied(_)) => Err(refusal(true)),
            Some(Decision::NotMentioned) | None => Err(refusal(false)),
        }
    }
}

impl Refusal<'_> {
    /// As AWS says it to the caller.
    pub fn message(&self) -> String {
        let Self { caller, action, resource, is_explicit } = self;
        let because = if *is_explicit {
            "with an explicit deny in a resource-based policy".to_owned()
        } else {
            format!("because no resource-based policy allows the {action} action")
        };
        format!("User: {} is not authorized to perform: {action} on resource: {resource} {because}", caller.name)
    }

    /// The statement that lets this source pass, and no other.
    pub fn missing_statement(&self) -> serde_json::Value {
        json!({
            "Effect": "Allow",
            "Principal": { "Service": self.caller.name },
            "Action": self.action,
            "Resource": self.resource,
            "Condition": { "ArnEquals": { "aws:SourceArn": self.caller.source_arn } },
        })
    }
}

/// For whoever runs the server: what is wrong, and what to add.
impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caller, action, resource, is_explicit } = self;
        let verb = match *action {
            "sns:Publish" => "publish",
            "sqs:SendMessage" => "send messages",
            other => other,
        };
        if *is_explicit {
            let source = caller.source_arn;
            return write!(f, "a statement of the policy of {resource} denies {} to {verb} for {source}", caller.name);
        }
        let statement = self.missing_statement();
        write!(f, "the policy of {resource} has no statement that lets {} {verb}: add {statement}", caller.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Action, ConditionKey, Level, Resources, Vocabulary};

    const RULE: &str = "arn:aws:events:eu-central-1:111122223333:rule/r";
    const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:t";

    const fn key(name: &str) -> ConditionKey<'_> {
        ConditionKey { name, fixes_caller: true, actions: &[] }
    }

    const VOCABULARY: Vocabulary<'static> = Vocabulary {
        service: "sns",
        actions: &[Action { name: "Publish", level: Level::Whole }, Action { name: "Subscribe", level: Level::Whole }],
        foreign_actions: &["CreateTopic"],
        resources: Resources::Flat,
        keys: &[
            key("aws:SourceArn"),
            key("aws:SourceAccount"),
            key("aws:SourceOwner"),
            key("aws:PrincipalIsAWSService"),
            key("aws:PrincipalServiceName"),
        ],
        len_max: 30 * 1024,
    };

    fn policy(statement: &serde_json::Value) -> Policy {
        Policy::parse(json!({ "Statement": statement }).to_string().as_bytes(), &VOCABULARY).unwrap()
    }

    #[test]
    fn the_statement_that_is_missing_lets_pass_and_nothing_else_does() {
        let caller = ServiceCaller::new("events.amazonaws.com", RULE);
        let refusal = caller.ask(None, "sns:Publish", TOPIC).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!(
                r#"the policy of {TOPIC} has no statement that lets events.amazonaws.com publish: add {{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":"sns:Publish","Resource":"{TOPIC}","Condition":{{"ArnEquals":{{"aws:SourceArn":"{RULE}"}}}}}}"#
            )
        );
        let policy = policy(&refusal.missing_statement());
        assert_eq!(caller.ask(Some(&policy), "sns:Publish", TOPIC), Ok(()));
        for (caller, action, resource) in [
            (ServiceCaller::new("sns.amazonaws.com", RULE), "sns:Publish", TOPIC),
            (ServiceCaller::new("events.amazonaws.com", TOPIC), "sns:Publish", TOPIC),
            (caller, "sns:Subscribe", TOPIC),
            (caller, "sns:Publish", RULE),
        ] {
            assert!(caller.ask(Some(&policy), action, resource).is_err_and(|refusal| !refusal.is_explicit));
        }
    }

    #[test]
    fn keys_that_a_service_brings() {
        let caller = ServiceCaller::new("events.amazonaws.com", RULE);
        let owner = ServiceCaller { tells_owner: true, ..caller };
        let everybody = |condition| {
            policy(&json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": "*",
                "Condition": {"StringEquals": condition}}))
        };
        for (condition, alone, with_owner) in [
            (json!({"AWS:SourceOwner": "111122223333"}), false, true),
            (json!({"AWS:SourceOwner": "444455556666"}), false, false),
            (json!({"aws:SourceAccount": "111122223333"}), true, true),
            (json!({"aws:PrincipalIsAWSService": "true"}), true, true),
            (json!({"aws:PrincipalServiceName": "events.amazonaws.com"}), true, true),
        ] {
            let policy = everybody(condition);
            assert_eq!(caller.ask(Some(&policy), "sns:Publish", TOPIC).is_ok(), alone);
            assert_eq!(owner.ask(Some(&policy), "sns:Publish", TOPIC).is_ok(), with_owner);
        }
    }

    #[test]
    fn a_deny_is_told_apart() {
        let policy = policy(&json!([
            {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC},
            {"Effect": "Deny", "Principal": "*", "Action": "sns:publish", "Resource": "arn:aws:sns:*:*:t"},
        ]));
        let caller = ServiceCaller::new("events.amazonaws.com", RULE);
        let refusal = caller.ask(Some(&policy), "sns:Publish", TOPIC).unwrap_err();
        assert!(refusal.is_explicit && refusal.message().contains("explicit deny"), "{refusal}");
        assert!(!refusal.to_string().contains("add"), "{refusal}");
    }

    #[test]
    fn flat_resources() {
        let statement = |resource: &str, action: &str| json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}});
        let parse = |resource, action| Policy::parse(statement(resource, action).to_string().as_bytes(), &VOCABULARY);
        for resource in ["*", TOPIC, "arn:aws:sns:*:111122223333:other", "arn:*:sns:*:*:*"] {
            assert!(parse(resource, "sns:Publish").is_ok(), "{resource}");
        }
        for resource in
            ["", "t", "arn:aws:sqs:eu-central-1:111122223333:t", "arn:aws:sns:eu-central-1:111122223333:", "arn:*"]
        {
            assert!(parse(resource, "sns:Publish").is_err(), "{resource}");
        }
        assert!(parse("*", "sns:P*").is_ok() && parse("*", "sns:*").is_err() && parse("*", "*").is_err());
    }
}
