//! The answer to one request.

use aws_api::Caller;

use crate::document::{Effect, Policy, Statement};

/// The longest name of an action that is compared, in bytes; the longest that AWS has is shorter.
const ACTION_LEN_MAX: usize = 64;

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
    /// Values of condition keys, without those that follow from the requester (`aws:PrincipalArn`, `aws:PrincipalAccount`,
    /// `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`).
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

impl<'a> From<&'a Caller> for Requester<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self::Identity { account: &caller.account, arn: &caller.arn, role_arn: caller.role_arn.as_deref() }
    }
}

impl Decision<'_> {
    /// Does the request pass? An identity of the resource's own account, whose key allows what it asks for, needs no Allow
    /// ("Policy evaluation logic" in the IAM user guide).
    pub fn admits(self, is_own: bool) -> bool {
        match self {
            Self::Denied(_) => false,
            Self::Allowed(_) => true,
            Self::NotMentioned => is_own,
        }
    }
}

impl<'a> Request<'a> {
    /// The value of a condition key.
    ///
    /// `aws:PrincipalArn` of a session is the ARN of its role ("AWS global condition context keys"); services have neither it
    /// nor an account.
    fn value(&self, key: &str) -> Option<&'a str> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        let (identity, service) = match self.requester {
            Requester::Identity { account, arn, role_arn } => (Some((account, role_arn.unwrap_or(arn))), None),
            Requester::Service { name } => (None, Some(name)),
        };
        if is("aws:PrincipalArn") {
            return identity.map(|(_, arn)| arn);
        }
        if is("aws:PrincipalAccount") {
            return identity.map(|(account, _)| account);
        }
        if is("aws:PrincipalIsAWSService") {
            return Some(if service.is_some() { "true" } else { "false" });
        }
        if is("aws:PrincipalServiceName") {
            return service;
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
        let mut buffer = [0; ACTION_LEN_MAX];
        let Some(action) = lower_case(action, &mut buffer) else { return Decision::NotMentioned };
        let mut decision = Decision::NotMentioned;
        for statement in self.statements.iter().filter(|statement| statement.is_about(request, action)) {
            match statement.effect {
                Effect::Deny => return Decision::Denied(statement),
                Effect::Allow if decision == Decision::NotMentioned => decision = Decision::Allowed(statement),
                Effect::Allow => {}
            }
        }
        decision
    }
}

/// The name of an action as statements have it. Every delivery asks, so nothing is allocated.
fn lower_case<'b>(action: &str, buffer: &'b mut [u8; ACTION_LEN_MAX]) -> Option<&'b str> {
    let lower = buffer.get_mut(..action.len())?;
    lower.copy_from_slice(action.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

impl Statement {
    fn is_about(&self, request: &Request<'_>, action: &str) -> bool {
        self.principals.iter().any(|principal| principal.matches(&request.requester))
            && self.actions.matches(action)
            && self.resources.matches(request.resource)
            && self.conditions.iter().all(|condition| condition.holds(request.value(&condition.key)))
    }
}
