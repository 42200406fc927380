//! Whom a statement is about.

use aws_api::Arn;

use crate::decide::Requester;
use crate::error::{PolicyError, Problem};
use crate::json::Node;

/// One entry of `Principal`.
///
/// Source: IAM user guide, "AWS JSON policy elements: Principal".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// `"*"` and `{"AWS": "*"}`, which say the same in a resource policy. Services are somebody, too.
    Everybody,
    /// Every identity of an account: `111122223333` or `arn:aws:iam::111122223333:root`.
    Account(String),
    /// A user or a session of a role, by its own ARN.
    Identity(String),
    /// A role, and so each of its sessions.
    Role(String),
    /// `cloudtrail.amazonaws.com`
    Service(String),
}

impl Principal {
    pub fn matches(&self, requester: &Requester<'_>) -> bool {
        match (self, requester) {
            (Self::Everybody, _) => true,
            (Self::Account(wanted), Requester::Identity { account, .. }) => wanted == account,
            (Self::Identity(wanted), Requester::Identity { arn, .. }) => wanted == arn,
            (Self::Role(wanted), Requester::Identity { role_arn, .. }) => Some(wanted.as_str()) == *role_arn,
            (Self::Service(wanted), Requester::Service { name, .. }) => wanted == name,
            _ => false,
        }
    }

    /// Reads the `Principal` element.
    pub fn read(node: &Node, place: &str) -> Result<Vec<Self>, PolicyError> {
        let invalid = |what: &str| PolicyError::new(Problem::Principal, format!("{place}, Principal: {what}"));
        let members = match node {
            Node::Text(text) if text == "*" => return Ok(vec![Self::Everybody]),
            Node::Object(members) if !members.is_empty() => members,
            _ => return Err(invalid("\"*\", or an object with AWS or Service, is expected")),
        };
        let mut principals = Vec::new();
        for (kind, values) in members {
            let read: fn(&str) -> Option<Self> = match kind.as_str() {
                "AWS" => Self::aws,
                "Service" => Self::service,
                _ => return Err(invalid(&format!("{kind:?} is not supported"))),
            };
            let values =
                values.texts().ok_or_else(|| invalid(&format!("{kind} is neither a text nor a list of them")))?;
            for value in values {
                principals.push(read(value).ok_or_else(|| invalid(&format!("{kind} {value:?}")))?);
            }
        }
        Ok(principals)
    }

    fn aws(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everybody);
        }
        if is_account(text) {
            return Some(Self::Account(text.to_owned()));
        }
        let arn: Arn = text.parse().ok()?;
        // A wildcard in a principal's ARN is no wildcard to IAM but a mistake.
        if !is_account(&arn.account) || !arn.region.is_empty() || text.contains(['*', '?', '$']) {
            return None;
        }
        let (kind, name) = arn.resource.split_once('/').unwrap_or((&arn.resource, ""));
        match (arn.service.as_str(), kind) {
            ("iam", "root") if arn.resource == "root" => Some(Self::Account(arn.account)),
            ("iam", "user") if is_path(name) => Some(Self::Identity(text.to_owned())),
            ("iam", "role") if is_path(name) => Some(Self::Role(text.to_owned())),
            ("sts", "assumed-role") if is_path(name) && name.split('/').count() == 2 => {
                Some(Self::Identity(text.to_owned()))
            }
            _ => None,
        }
    }

    fn service(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
        let named = text.strip_suffix(".amazonaws.com").is_some_and(|name| !name.is_empty() && !name.starts_with('.'));
        (plain && named).then(|| Self::Service(text.to_owned()))
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name behind its path, if it has one.
fn is_path(text: &str) -> bool {
    text.split('/').all(|segment| !segment.is_empty())
}
