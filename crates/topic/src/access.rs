//! Who may do what to a topic: its policy, and what AWS puts in its place.
//!
//! Source: "Example cases for Amazon SNS access control" and "Amazon SNS API permissions" in the SNS guide. A topic whose policy
//! was never set has a default one, which lets the owner's account pass by `AWS:SourceOwner`. EventBridge does not send that
//! key: a rule needs a statement of its own ("Amazon SNS permissions" in "Using resource-based policies for Amazon
//! EventBridge"), which only the console adds by itself. An alarm of the owner's passes, since CloudWatch does send it.

use aws_api::{ApiError, RequestContext};
use policy::edit::Document;
use policy::{Action, ConditionKey, Decision, Level, Policy, PolicyError, Problem, Request, Resources, Vocabulary};
use serde_json::json;

use crate::refusal::{invalid, not_authorized};
use crate::{Topic, TopicEntry};

/// The longest policy of a topic, in bytes ("Amazon SNS endpoints and quotas").
pub const POLICY_LEN_MAX: usize = 30 * 1024;

/// What policies of topics may speak of: the SNS guide's "Amazon SNS policy keys and actions".
const ACTIONS: [&str; 9] = [
    "AddPermission",
    "DeleteTopic",
    "GetTopicAttributes",
    "ListSubscriptionsByTopic",
    "Publish",
    "Receive",
    "RemovePermission",
    "SetTopicAttributes",
    "Subscribe",
];

/// What they may not, so that `sns:*` is refused, as AWS does it.
const FOREIGN_ACTIONS: [&str; 12] = [
    "ConfirmSubscription",
    "CreateTopic",
    "GetDataProtectionPolicy",
    "GetSubscriptionAttributes",
    "ListSubscriptions",
    "ListTagsForResource",
    "ListTopics",
    "PutDataProtectionPolicy",
    "SetSubscriptionAttributes",
    "TagResource",
    "Unsubscribe",
    "UntagResource",
];

/// Condition keys. `sns:Endpoint` and `sns:Protocol` have a value in a `Subscribe` only.
const KEYS: [ConditionKey<'static>; 10] = [
    key("aws:PrincipalAccount"),
    key("aws:PrincipalArn"),
    key("aws:PrincipalIsAWSService"),
    key("aws:PrincipalServiceName"),
    key("aws:SecureTransport"),
    key("aws:SourceAccount"),
    key("aws:SourceArn"),
    key("aws:SourceOwner"),
    key("sns:Endpoint"),
    key("sns:Protocol"),
];

const fn key(name: &'static str) -> ConditionKey<'static> {
    ConditionKey { name, fixes_caller: false, actions: &[] }
}

const fn on_topic(name: &'static str) -> Action<'static> {
    Action { name, level: Level::Whole }
}

const ACTIONS_ON_TOPICS: [Action<'static>; ACTIONS.len()] = {
    let mut actions = [on_topic(""); ACTIONS.len()];
    let mut index = 0;
    while index < ACTIONS.len() {
        actions[index] = on_topic(ACTIONS[index]);
        index += 1;
    }
    actions
};

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    service: "sns",
    actions: &ACTIONS_ON_TOPICS,
    foreign_actions: &FOREIGN_ACTIONS,
    resources: Resources::Flat,
    keys: &KEYS,
    len_max: POLICY_LEN_MAX,
};

/// Reads the policy of a topic.
pub(crate) fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text.as_bytes(), &VOCABULARY)
}

/// The policy of a topic, ready to decide. Without a statement it is one that `RemovePermission` emptied.
pub(crate) fn of(topic: &Topic) -> Result<Policy, PolicyError> {
    let text = topic.policy_text();
    match Document::of(&text) {
        Some(document) if document.is_empty() => Ok(Policy::empty(&VOCABULARY)),
        _ => parse(&text),
    }
}

/// Checks a policy before it is kept. The texts begin as AWS's do, which tells no more.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("Policy is empty".into());
    }
    parse(text).map(drop).map_err(|error| match error.problem {
        Problem::Action => format!("Policy statement action out of service scope! ({})", error.place),
        _ => format!("Policy Error: {error}"),
    })
}

/// Can a policy of a topic speak of this action?
pub(crate) fn is_action(name: &str) -> bool {
    ACTIONS.contains(&name)
}

/// The policy of a topic on which none was set, as AWS shows it.
pub(crate) fn default_policy(topic: &Topic) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes",
                "SNS:SetTopicAttributes",
                "SNS:AddPermission",
                "SNS:RemovePermission",
                "SNS:DeleteTopic",
                "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish"
            ],
            "Resource": topic.arn(),
            "Condition": {"StringEquals": {"AWS:SourceOwner": topic.account}}
        }]
    })
    .to_string()
}

impl Topic {
    /// The text of its policy, its own or the default one.
    pub(crate) fn policy_text(&self) -> String {
        self.policy.clone().unwrap_or_else(|| default_policy(self))
    }
}

impl TopicEntry {
    /// May the caller do this? `more` are the condition keys that only this request has.
    ///
    /// The root of the topic's account is not asked: nobody locks himself out.
    pub fn admit(&self, ctx: &RequestContext, action: &str, more: &[(&str, &str)]) -> Result<(), ApiError> {
        let is_own = self.row.account == ctx.account();
        if is_own && ctx.caller.is_root() {
            return Ok(());
        }
        let iam_action = format!("sns:{action}");
        let secure = if ctx.endpoint.starts_with("https:") { "true" } else { "false" };
        let mut context = vec![("aws:SourceOwner", ctx.account()), ("aws:SecureTransport", secure)];
        context.extend_from_slice(more);
        let requester = (&ctx.caller).into();
        let request = Request { requester, action: &iam_action, resource: &self.arn, context: &context };
        match self.policy.decide(&request) {
            decision if decision.admits(is_own) => Ok(()),
            // A stranger is not told what stands in the policy.
            Decision::Denied(_) if is_own => {
                let message = format!(
                    "User: {} is not authorized to perform: SNS:{action} on resource: {} with an explicit deny in a resource-based policy",
                    ctx.caller.arn, self.arn
                );
                Err(ApiError::new("AuthorizationError", message).with_status(403))
            }
            _ => Err(not_authorized(&ctx.caller.arn, action, &self.arn)),
        }
    }
}

/// Twelve digits.
pub(crate) fn check_account(text: &str) -> Result<(), ApiError> {
    let plain = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(()).ok_or_else(|| invalid("Policy Error: PrincipalNotFound"))
}

#[cfg(test)]
mod tests;
