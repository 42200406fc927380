//! The attributes of a subscription that can be set.

use aws_api::Arn;
use serde::Deserialize;

use crate::entity::{FilterPolicyScope, RedrivePolicy, SubscriptionSettings};
use crate::filter::{self, Reason};

/// Attributes that AWS has and that would have no effect here, with what to say of them.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("DeliveryPolicy", "delivery policies concern HTTP endpoints, which are not supported yet"),
    ("SubscriptionRoleArn", "Firehose endpoints are not supported yet"),
    ("ReplayPolicy", "FIFO topics are not supported yet"),
];

/// The part of a redrive policy that is looked at; another member is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedriveDocument {
    #[serde(rename = "deadLetterTargetArn")]
    dead_letter_target_arn: String,
}

/// Sets an attribute, checked but for how a filter policy fits its scope; an empty value stands for the default.
pub(crate) fn set(
    settings: &mut SubscriptionSettings,
    name: &str,
    value: &str,
    queue_exists: &dyn Fn(&Arn) -> bool,
) -> Result<(), Reason> {
    match name {
        "RawMessageDelivery" => settings.raw_message_delivery = raw(value)?,
        "FilterPolicy" => settings.filter_policy = Some(value.to_owned()).filter(|text| !text.is_empty()),
        "FilterPolicyScope" => settings.filter_policy_scope = scope(value)?,
        "RedrivePolicy" => settings.redrive_policy = redrive(value, queue_exists)?,
        _ => return Err(unsupported(name)),
    }
    Ok(())
}

/// Checks what several attributes decide together, and tells whether the result filters anything.
pub(crate) fn filters(settings: &SubscriptionSettings) -> Result<bool, Reason> {
    filter::Filter::of(settings).map(|filter| filter.is_some())
}

fn raw(value: &str) -> Result<bool, Reason> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => Err(Reason(format!("RawMessageDelivery: Invalid value [{value}]. Must be true or false."))),
    }
}

fn scope(value: &str) -> Result<FilterPolicyScope, Reason> {
    if value.is_empty() {
        return Ok(FilterPolicyScope::default());
    }
    FilterPolicyScope::parse(value).ok_or_else(|| {
        Reason(format!(
            "FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
        ))
    })
}

fn redrive(value: &str, queue_exists: &dyn Fn(&Arn) -> bool) -> Result<Option<RedrivePolicy>, Reason> {
    let reason = |text: &str| Reason(format!("RedrivePolicy: {text}"));
    if matches!(value, "" | "{}") {
        return Ok(None);
    }
    let document: RedriveDocument = serde_json::from_str(value).map_err(|_| reason("failed to parse JSON."))?;
    let dead_letter_target: Arn =
        document.dead_letter_target_arn.parse().map_err(|_| reason("deadLetterTargetArn is an invalid arn"))?;
    if dead_letter_target.service != "sqs" || dead_letter_target.partition != "aws" {
        return Err(reason("deadLetterTargetArn is an invalid arn"));
    }
    if !queue_exists(&dead_letter_target) {
        return Err(reason("deadLetterTargetArn names a queue that does not exist"));
    }
    Ok(Some(RedrivePolicy { text: value.into(), dead_letter_target }))
}

fn unsupported(name: &str) -> Reason {
    Reason(match UNSUPPORTED.iter().find(|(known, _)| *known == name) {
        Some((_, reason)) => format!("{name}: {reason}"),
        None => "AttributeName".into(),
    })
}
