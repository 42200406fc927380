//! What the policies of one resource may speak of.

use crate::pattern::Pattern;

/// What an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The resource that the policy belongs to: a bucket.
    Whole,
    /// What is in it: an object.
    Within,
}

/// An action of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'v> {
    /// Its name without the service, `GetObject`.
    pub name: &'v str,
    /// What it is done to.
    pub level: Level,
}

/// A condition key that requests have a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionKey<'v> {
    /// `aws:SourceArn`; compared without regard to case.
    pub name: &'v str,
    /// Whether a fixed value of it limits who the caller can be, so that an Allow for everybody is not public.
    pub fixes_caller: bool,
    /// The actions (without the service) whose requests can have it; empty if all can.
    pub actions: &'v [&'v str],
}

/// What a policy may name as `Resource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resources<'v> {
    /// The resource of this ARN that the policy belongs to, and what is in it, which follows after a slash.
    Nested(&'v str),
    /// `*`, or an ARN of the service with or without wildcards. One document may be put on several topics or queues, so that a
    /// statement may name another of them; it says nothing of this one then.
    Flat,
}

/// What the policies of one resource may speak of.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'v> {
    /// The prefix of its actions: `s3`.
    pub service: &'v str,
    /// Every action.
    pub actions: &'v [Action<'v>],
    /// Actions of the service that its policies cannot speak of: a pattern that one of them matches is refused.
    pub foreign_actions: &'v [&'v str],
    /// What a statement can be about.
    pub resources: Resources<'v>,
    /// Every condition key.
    pub keys: &'v [ConditionKey<'v>],
    /// The most bytes of a policy.
    pub len_max: usize,
}

impl<'v> Vocabulary<'v> {
    /// The pattern of an action's name, lower case; `None` if no action is meant by it.
    pub(crate) fn action(&self, text: &str) -> Option<Pattern> {
        let name = match text.split_once(':') {
            None if text == "*" => "*",
            Some((service, name)) if service.eq_ignore_ascii_case(self.service) => name,
            _ => return None,
        };
        let pattern = Pattern::new(&name.to_ascii_lowercase())?;
        let meant = |name: &str| pattern.matches(&name.to_ascii_lowercase());
        let known = self.actions.iter().any(|action| meant(action.name));
        (known && !self.foreign_actions.iter().any(|name| meant(name))).then_some(pattern)
    }

    /// May a policy name this as a `Resource`? In what nests, the resource itself, what is in it, or both with a star behind
    /// the ARN.
    pub(crate) fn allows_resource(&self, text: &str) -> bool {
        match self.resources {
            Resources::Nested(own) => {
                text.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
            }
            Resources::Flat => text == "*" || self.is_own_arn(text),
        }
    }

    fn is_own_arn(&self, text: &str) -> bool {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        matches!(parts[..], ["arn", partition, service, _, _, resource]
            if !partition.is_empty() && service == self.service && !resource.is_empty())
    }

    /// Can an action of this pattern be done to something that this `Resource` names?
    pub(crate) fn applies(&self, action: &Pattern, resource: &str) -> bool {
        let Resources::Nested(own) = self.resources else { return true };
        let rest = resource.strip_prefix(own).unwrap_or_default();
        let levels: &[Level] = match rest.chars().next() {
            None => &[Level::Whole],
            Some('/') => &[Level::Within],
            // The star stands for nothing, too, but what follows it does not.
            Some(_) if rest.chars().all(|c| c == '*') => &[Level::Whole, Level::Within],
            Some(_) => &[Level::Within],
        };
        let named = |known: &&Action<'_>| action.matches(&known.name.to_ascii_lowercase());
        self.actions.iter().filter(named).any(|known| levels.contains(&known.level))
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'v ConditionKey<'v>> {
        self.keys.iter().find(|key| key.name.eq_ignore_ascii_case(name))
    }
}

impl ConditionKey<'_> {
    /// Can a request for an action of this pattern have it?
    pub(crate) fn applies(&self, action: &Pattern) -> bool {
        self.actions.is_empty() || self.actions.iter().any(|name| action.matches(&name.to_ascii_lowercase()))
    }
}
