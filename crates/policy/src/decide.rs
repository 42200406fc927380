//! The answer to one request.

use crate::document::{Effect, Policy, Statement};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester<'a> {
    /// An identity of an account.
    Identity {
        /// Twelve digits.
        account: &'a str,
        /// Its ARN; of a role's session, the session's.
        arn: &'a str,
        /// The role behind a session.
        role_arn: Option<&'a str>,
    },
    /// A service of AWS, on its own behalf.
    Service {
        /// `cloudtrail.amazonaws.com`
        name: &'a str,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// By whom.
    pub requester: Requester<'a>,
    /// The IAM action, `s3:GetObject`.
    pub action: &'a str,
    /// The ARN of what it is to be done to.
    pub resource: &'a str,
    /// Values of condition keys, without those that follow from the requester (`aws:PrincipalArn`, `aws:PrincipalAccount`).
    pub context: &'a [(&'a str, &'a str)],
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision<'p> {
    /// This statement denies it, whatever others say.
    Denied(&'p Statement),
    /// This statement allows it, and none denies it.
    Allowed(&'p Statement),
    /// No statement is about it.
    NotMentioned,
}

impl<'a> Request<'a> {
    /// The value of a condition key.
    ///
    /// `aws:PrincipalArn` of a session is the ARN of its role ("AWS global condition context keys"); services have neither.
    fn value(&self, key: &str) -> Option<&'a str> {
        let principal = match self.requester {
            Requester::Identity { account, arn, role_arn } => Some((account, role_arn.unwrap_or(arn))),
            Requester::Service { .. } => None,
        };
        if key.eq_ignore_ascii_case("aws:PrincipalArn") {
            return principal.map(|(_, arn)| arn);
        }
        if key.eq_ignore_ascii_case("aws:PrincipalAccount") {
            return principal.map(|(account, _)| account);
        }
        self.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value)
    }
}

impl Policy {
    /// Decides a request: an explicit Deny wins over every Allow, whatever their order.
    pub fn decide(&self, request: &Request<'_>) -> Decision<'_> {
        let Some((service, action)) = request.action.split_once(':') else { return Decision::NotMentioned };
        if service != self.service {
            return Decision::NotMentioned;
        }
        let action = action.to_ascii_lowercase();
        let mut decision = Decision::NotMentioned;
        for statement in self.statements.iter().filter(|statement| statement.is_about(request, &action)) {
            match statement.effect {
                Effect::Deny => return Decision::Denied(statement),
                Effect::Allow if decision == Decision::NotMentioned => decision = Decision::Allowed(statement),
                Effect::Allow => {}
            }
        }
        decision
    }
}

impl Statement {
    fn is_about(&self, request: &Request<'_>, action: &str) -> bool {
        self.principals.iter().any(|principal| principal.matches(&request.requester))
            && self.actions.matches(action)
            && self.resources.matches(request.resource)
            && self.conditions.iter().all(|condition| condition.holds(request.value(&condition.key)))
    }
}
