//! Topics: create, delete, list, and their attributes.

use std::collections::BTreeMap;

use aws_api::sns::{
    CreateTopicRequest, CreateTopicResponse, DeleteTopicRequest, GetTopicAttributesRequest, GetTopicAttributesResponse,
    ListTopicsRequest, ListTopicsResponse, SetTopicAttributesRequest, Topic as ListedTopic,
};
use aws_api::{ApiError, Change, Entity, RequestContext};
use serde_json::json;

use crate::entity::{SignatureVersion, topic_key};
use crate::page::page;
use crate::refusal::{invalid, missing, no_topic};
use crate::{Subscription, Topic, TopicEntry, Topics, access, is_unprintable, key_of, tags};

/// The longest name of a topic, in characters.
pub const TOPIC_NAME_LEN_MAX: usize = 256;

/// The longest `DisplayName`, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 100;

/// Topics of one account in one region ("Amazon SNS endpoints and quotas").
pub const TOPICS_MAX: usize = 100_000;

/// Attributes that AWS has and that would have no effect here, with what to say of them.
const UNSUPPORTED: [(&str, &str); 9] = [
    ("KmsMasterKeyId", "encryption with KMS is not supported yet"),
    ("DeliveryPolicy", "delivery policies concern HTTP endpoints, which are not supported yet"),
    ("TracingConfig", "X-Ray tracing is not supported yet; PassThrough is what holds"),
    ("FifoTopic", "FIFO topics are not supported yet"),
    ("ContentBasedDeduplication", "FIFO topics are not supported yet"),
    ("FifoThroughputScope", "FIFO topics are not supported yet"),
    ("ArchivePolicy", "FIFO topics are not supported yet"),
    ("MaximumMessageSize", "the size of messages cannot be changed yet"),
    ("DataProtectionPolicy", "data protection is not supported yet"),
];

/// Attributes that only delivery to other protocols has: `HTTPSuccessFeedbackRoleArn`, `LambdaFailureFeedbackRoleArn`, …
const FEEDBACK: [&str; 3] = ["SuccessFeedbackRoleArn", "FailureFeedbackRoleArn", "SuccessFeedbackSampleRate"];

impl Topics {
    /// Makes a topic, or answers the one of this name if nothing that is asked for differs from it.
    pub fn create_topic(
        &self,
        ctx: &RequestContext,
        req: &CreateTopicRequest,
    ) -> Result<(CreateTopicResponse, Vec<Change>), ApiError> {
        let name = req.name.as_deref().ok_or_else(|| missing("name"))?;
        let mut topic = Topic {
            account: ctx.account().into(),
            region: ctx.region.clone(),
            name: checked_name(name, &req.attributes)?.into(),
            display_name: String::new(),
            signature_version: None,
            policy: None,
            tracing_config: None,
            tags: tags::read(ctx, &req.tags)?,
            created: ctx.now,
            subscriptions_deleted: 0,
        };
        for (name, value) in &req.attributes {
            // An answer to "is this a FIFO topic?" that agrees with what the topic is.
            if name == "FifoTopic" && value == "false" {
                continue;
            }
            set(&mut topic, name, value).map_err(|reason| invalid(format!("Attributes Reason: {reason}")))?;
        }
        let answer = CreateTopicResponse { topic_arn: topic.arn().to_string() };
        if let Some(existing) = self.row(&topic.key()) {
            same(existing, &topic, req)?;
            return Ok((answer, Vec::new()));
        }
        let prefix = topic_key(&topic.account, &topic.region, "");
        if self.topics.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)).count() >= TOPICS_MAX {
            return Err(ApiError::new(
                "TopicLimitExceeded",
                format!("The limit of {TOPICS_MAX} topics has been reached"),
            )
            .with_status(403));
        }
        Ok((answer, vec![Change::put(&topic)]))
    }

    /// Removes a topic and its subscriptions. One that is not there is passed over.
    pub fn delete_topic(&self, ctx: &RequestContext, req: &DeleteTopicRequest) -> Result<Vec<Change>, ApiError> {
        let topic = match self.topic(ctx, req.topic_arn.as_deref(), "DeleteTopic") {
            Err(refused) if refused.code == "NotFound" => return Ok(Vec::new()),
            found => found?,
        };
        let subscriptions = self.subscribed(topic).map(|(key, _)| Change::delete::<Subscription>(key));
        Ok(subscriptions.chain([Change::delete::<Topic>(topic.key())]).collect())
    }

    /// The caller's topics, by name, a hundred at a time.
    pub fn list_topics(&self, ctx: &RequestContext, req: &ListTopicsRequest) -> Result<ListTopicsResponse, ApiError> {
        let prefix = topic_key(ctx.account(), &ctx.region, "");
        let (shown, next_token) = page(&self.topics, &prefix, req.next_token.as_deref())?;
        let topics = shown.into_iter().map(|topic| ListedTopic { topic_arn: topic.arn.clone() }).collect();
        Ok(ListTopicsResponse { topics, next_token })
    }

    /// All that holds for a topic, as texts.
    pub fn get_topic_attributes(
        &self,
        ctx: &RequestContext,
        req: &GetTopicAttributesRequest,
    ) -> Result<GetTopicAttributesResponse, ApiError> {
        let topic = self.topic(ctx, req.topic_arn.as_deref(), "GetTopicAttributes")?;
        let mut attributes = BTreeMap::from([
            ("TopicArn", topic.arn().to_string()),
            ("Owner", topic.account.clone()),
            ("DisplayName", topic.display_name.clone()),
            ("Policy", topic.policy_text()),
            ("EffectiveDeliveryPolicy", default_delivery_policy()),
            ("SubscriptionsConfirmed", self.subscribed(topic).count().to_string()),
            ("SubscriptionsPending", "0".into()),
            ("SubscriptionsDeleted", topic.subscriptions_deleted.to_string()),
        ]);
        if let Some(version) = topic.signature_version {
            attributes.insert("SignatureVersion", version.to_string());
        }
        if let Some(tracing) = &topic.tracing_config {
            attributes.insert("TracingConfig", tracing.clone());
        }
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(GetTopicAttributesResponse { attributes })
    }

    /// Sets one attribute of a topic.
    pub fn set_topic_attributes(
        &self,
        ctx: &RequestContext,
        req: &SetTopicAttributesRequest,
    ) -> Result<Vec<Change>, ApiError> {
        let mut topic = self.topic(ctx, req.topic_arn.as_deref(), "SetTopicAttributes")?.clone();
        let name = req.attribute_name.as_deref().ok_or_else(|| missing("attributeName"))?;
        set(&mut topic, name, req.attribute_value.as_deref().unwrap_or_default()).map_err(invalid)?;
        Ok(vec![Change::put(&topic)])
    }

    /// The topic of an ARN from inside the server, whoever owns it.
    pub(crate) fn published_topic(&self, arn: &aws_api::Arn) -> Result<&TopicEntry, ApiError> {
        Some(arn)
            .filter(|arn| arn.partition == "aws" && arn.service == "sns")
            .and_then(|arn| self.topics.get(&key_of(arn)))
            .map(AsRef::as_ref)
            .ok_or_else(no_topic)
    }
}

fn checked_name<'n>(name: &'n str, attributes: &BTreeMap<String, String>) -> Result<&'n str, ApiError> {
    let good = |name: &str| {
        !name.is_empty()
            && name.len() <= TOPIC_NAME_LEN_MAX
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.strip_suffix(".fifo").is_some_and(good) && attributes.get("FifoTopic").is_some_and(|value| value == "true")
    {
        return Err(invalid("Attributes Reason: FifoTopic: FIFO topics are not supported yet"));
    }
    if good(name) { Ok(name) } else { Err(invalid("Topic Name")) }
}

/// Sets an attribute; an empty value stands for its default.
fn set(topic: &mut Topic, name: &str, value: &str) -> Result<(), String> {
    match name {
        "DisplayName" if value.chars().count() > DISPLAY_NAME_CHARS_MAX => {
            Err(format!("DisplayName: Must be at most {DISPLAY_NAME_CHARS_MAX} characters long"))
        }
        "DisplayName" if value.contains(is_unprintable) => {
            Err("DisplayName: Must not contain control characters".into())
        }
        "DisplayName" => {
            topic.display_name = value.into();
            Ok(())
        }
        "SignatureVersion" if value.is_empty() => {
            topic.signature_version = None;
            Ok(())
        }
        "SignatureVersion" => {
            let version = SignatureVersion::parse(value)
                .ok_or_else(|| format!("SignatureVersion: Invalid value [{value}]. Must be 1 or 2."))?;
            topic.signature_version = Some(version);
            Ok(())
        }
        // Off, as it is: AWS's default too.
        "TracingConfig" if matches!(value, "" | "PassThrough") => {
            topic.tracing_config = Some(value.to_owned()).filter(|value| !value.is_empty());
            Ok(())
        }
        "KmsMasterKeyId" | "DeliveryPolicy" if value.is_empty() => Ok(()),
        "Policy" => {
            access::check(value)?;
            topic.policy = Some(value.into());
            Ok(())
        }
        _ => Err(unsupported(name)),
    }
}

fn unsupported(name: &str) -> String {
    if let Some((_, reason)) = UNSUPPORTED.iter().find(|(known, _)| *known == name) {
        return format!("{name}: {reason}");
    }
    if FEEDBACK.iter().any(|known| name.ends_with(known)) {
        return format!("{name}: delivery status logging is not supported yet");
    }
    "AttributeName".into()
}

/// Whether what a second `CreateTopic` asks for is what the topic has.
fn same(existing: &Topic, asked: &Topic, req: &CreateTopicRequest) -> Result<(), ApiError> {
    let version = |topic: &Topic| topic.signature_version.unwrap_or_default();
    let differs = req.attributes.keys().any(|name| match name.as_str() {
        "DisplayName" => existing.display_name != asked.display_name,
        "SignatureVersion" => version(existing) != version(asked),
        "Policy" => existing.policy_text() != asked.policy_text(),
        _ => false,
    });
    if differs {
        return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
    }
    if asked.tags.iter().any(|(key, value)| existing.tags.get(key) != Some(value)) {
        return Err(invalid("Tags Reason: Topic already exists with different tags"));
    }
    Ok(())
}

/// What AWS shows as `EffectiveDeliveryPolicy` of a topic without one of its own. It concerns HTTP endpoints only.
fn default_delivery_policy() -> String {
    json!({
        "http": {
            "defaultHealthyRetryPolicy": {
                "minDelayTarget": 20,
                "maxDelayTarget": 20,
                "numRetries": 3,
                "numMaxDelayRetries": 0,
                "numNoDelayRetries": 0,
                "numMinDelayRetries": 0,
                "backoffFunction": "linear"
            },
            "disableSubscriptionOverrides": false,
            "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"}
        }
    })
    .to_string()
}

#[cfg(test)]
mod tests;
