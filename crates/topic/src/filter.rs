//! Filter policies: which messages a subscription lets through.
//!
//! "Amazon SNS message filtering" and "Filter policy constraints" in the SNS guide. The language is that of event patterns,
//! and so is the matcher; what differs is what it is matched against and how large a policy may be.

use aws_api::ApiError;
use event_pattern::{Options, Pattern, Value};
use serde_json::Value as Json;

use crate::attribute::MessageAttributes;
use crate::entity::{FilterPolicyScope, SubscriptionSettings};
use crate::refusal::invalid;

/// Keys of a policy: those that hold an array of values. Of the branches of an `$or` the largest counts.
pub const KEYS_MAX: usize = 5;

/// The product of the numbers of values of all keys, each times the depth of its key; branches of an `$or` add up.
pub const COMBINATIONS_MAX: usize = 150;

/// The longest policy, in bytes: 256 KB.
pub const FILTER_POLICY_LEN_MAX: usize = 256 * 1024;

/// What the message of the engine begins with when it speaks for `EventBridge`.
const EVENTS_PREFIX: &str = "Event pattern is not valid. Reason: ";

/// Why an attribute of a subscription cannot be set, without the words that depend on the operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) String);

impl Reason {
    /// The refusal; `prefix` is the operation's.
    pub(crate) fn refusal(&self, prefix: &str) -> ApiError {
        invalid(format!("{prefix}{}", self.0))
    }
}

fn refuse(text: impl std::fmt::Display) -> Reason {
    Reason(format!("FilterPolicy: {text}"))
}

/// What became of a message at a filter; the names of AWS's metrics tell the rejections apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// `NumberOfNotificationsFilteredOut-MessageAttributes`: the attributes do not match.
    Attributes,
    /// `NumberOfNotificationsFilteredOut-NoMessageAttributes`: it has none.
    NoAttributes,
    /// `NumberOfNotificationsFilteredOut-InvalidAttributes`: a `String.Array` is no JSON array.
    InvalidAttributes,
    /// `NumberOfNotificationsFilteredOut-MessageBody`: the message does not match.
    Body,
    /// `NumberOfNotificationsFilteredOut-InvalidMessageBody`: the message is no JSON object.
    InvalidBody,
}

/// A compiled filter policy.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pattern: Pattern,
    scope: FilterPolicyScope,
}

impl Filter {
    /// Compiles a subscription's policy; `None` if it lets everything through.
    pub(crate) fn of(settings: &SubscriptionSettings) -> Result<Option<Self>, Reason> {
        let Some(text) = settings.filter_policy.as_deref() else { return Ok(None) };
        if text.len() > FILTER_POLICY_LEN_MAX {
            return Err(refuse(format!("Filter policy can not be larger than {FILTER_POLICY_LEN_MAX} bytes")));
        }
        let scope = settings.filter_policy_scope;
        match serde_json::from_str(text).map_err(|_| refuse("failed to parse JSON."))? {
            Json::Object(policy) if policy.is_empty() => return Ok(None),
            Json::Object(policy) => check(&policy, scope)?,
            _ => {}
        }
        let compiled = Pattern::compile_with(text, &options()).map_err(|mistake| {
            let message = mistake.service_message(text);
            refuse(message.strip_prefix(EVENTS_PREFIX).unwrap_or(&message))
        })?;
        Ok(Some(Self { pattern: compiled, scope }))
    }

    /// Judges a message: `text` is what the subscriber would get.
    pub(crate) fn judge(&self, text: &str, attributes: &MessageAttributes) -> Verdict {
        match self.scope {
            FilterPolicyScope::MessageAttributes => self.judge_attributes(attributes),
            FilterPolicyScope::MessageBody => self.judge_body(text),
        }
    }

    fn judge_attributes(&self, attributes: &MessageAttributes) -> Verdict {
        let Ok(arrays) = arrays(attributes) else { return Verdict::InvalidAttributes };
        let scalars = attributes.iter().filter_map(|(name, value)| {
            let text = value.string_value.as_deref()?;
            match value.data_type.as_deref()? {
                "String" => Some((name.as_str(), Value::String(text))),
                "Number" => Some((name.as_str(), Value::Number(text.trim()))),
                _ => None,
            }
        });
        let listed =
            arrays.iter().flat_map(|(name, values)| values.iter().filter_map(|value| Some((*name, scalar(value)?))));
        if self.pattern.matches_fields(scalars.chain(listed)) {
            Verdict::Passed
        } else if attributes.is_empty() {
            Verdict::NoAttributes
        } else {
            Verdict::Attributes
        }
    }

    fn judge_body(&self, text: &str) -> Verdict {
        // The matcher skips what the policy does not name; whether the whole is JSON is asked here.
        let whole = text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if !whole {
            return Verdict::InvalidBody;
        }
        match self.pattern.matches(text.as_bytes()) {
            Ok(true) => Verdict::Passed,
            Ok(false) => Verdict::Body,
            Err(_) => Verdict::InvalidBody,
        }
    }
}

fn options() -> Options {
    let mut options = Options::service();
    // SNS bounds a policy by bytes instead.
    options.max_chars = None;
    options
}

/// The values of the `String.Array` attributes.
fn arrays(attributes: &MessageAttributes) -> Result<Vec<(&str, Vec<LiteralValue>)>, serde_json::Error> {
    attributes
        .iter()
        .filter(|(_, value)| value.data_type.as_deref() == Some("String.Array"))
        .map(|(name, value)| {
            let values: Vec<Box<serde_json::value::RawValue>> =
                serde_json::from_str(value.string_value.as_deref().unwrap_or_default())?;
            let read = values.iter().map(|raw| LiteralValue::read(raw.get())).collect::<Result<_, _>>()?;
            Ok((name.as_str(), read))
        })
        .collect()
}

/// A value of a `String.Array`; numbers keep their text, since the matcher compares some of them by it.
#[derive(Debug)]
enum LiteralValue {
    Text(String),
    Number(String),
    Bool(bool),
    Null,
    /// An array or an object: nothing matches it.
    Other,
}

impl LiteralValue {
    fn read(raw: &str) -> Result<Self, serde_json::Error> {
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(raw)?),
            Some(b'-' | b'0'..=b'9') => Self::Number(raw.to_owned()),
            Some(b't' | b'f') => Self::Bool(serde_json::from_str(raw)?),
            Some(b'n') => Self::Null,
            _ => Self::Other,
        })
    }
}

fn scalar(value: &LiteralValue) -> Option<Value<'_>> {
    match value {
        LiteralValue::Text(text) => Some(Value::String(text)),
        LiteralValue::Number(text) => Some(Value::Number(text)),
        LiteralValue::Bool(value) => Some(Value::Bool(*value)),
        LiteralValue::Null => Some(Value::Null),
        LiteralValue::Other => None,
    }
}

type Policy = serde_json::Map<String, Json>;

/// Checks a policy's size and that it is flat where it must be; what else is wrong with it the compiler says.
fn check(policy: &Policy, scope: FilterPolicyScope) -> Result<(), Reason> {
    if keys(policy) > KEYS_MAX {
        return Err(refuse(format!("Filter policy can not have more than {KEYS_MAX} keys")));
    }
    if combinations(policy, 1) > COMBINATIONS_MAX {
        return Err(refuse("Filter policy is too complex"));
    }
    if scope == FilterPolicyScope::MessageAttributes && nested(policy) {
        return Err(Reason("Filter policy scope MessageAttributes does not support nested filter policy".into()));
    }
    Ok(())
}

/// The branches of a member, if it is an `$or` of objects; other `$or`s are the compiler's to judge.
fn branches<'p>(name: &str, value: &'p Json) -> Option<Vec<&'p Policy>> {
    let values = value.as_array().filter(|_| name == "$or")?;
    values.iter().map(Json::as_object).collect()
}

fn keys(policy: &Policy) -> usize {
    let of_member = |(name, value): (&String, &Json)| match (branches(name, value), value) {
        (Some(branches), _) => branches.into_iter().map(keys).max().unwrap_or(0),
        (None, Json::Object(inner)) => keys(inner),
        (None, _) => 1,
    };
    policy.iter().map(of_member).sum()
}

fn combinations(policy: &Policy, depth: usize) -> usize {
    let of_member = |(name, value): (&String, &Json)| match (branches(name, value), value) {
        (Some(branches), _) => {
            branches.into_iter().map(|branch| combinations(branch, depth)).fold(0, usize::saturating_add)
        }
        (None, Json::Object(inner)) => combinations(inner, depth + 1),
        (None, Json::Array(values)) => values.len().saturating_mul(depth),
        (None, _) => 1,
    };
    policy.iter().map(of_member).fold(1, usize::saturating_mul)
}

fn nested(policy: &Policy) -> bool {
    policy.iter().any(|(name, value)| match branches(name, value) {
        Some(branches) => branches.into_iter().any(nested),
        None => value.is_object(),
    })
}

#[cfg(test)]
mod tests;
