//! Subscriptions: subscribe, unsubscribe, list, and their attributes.

use std::collections::BTreeMap;

use aws_api::sns::{
    GetSubscriptionAttributesRequest, GetSubscriptionAttributesResponse, ListSubscriptionsByTopicRequest,
    ListSubscriptionsByTopicResponse, ListSubscriptionsRequest, ListSubscriptionsResponse,
    SetSubscriptionAttributesRequest, SubscribeRequest, SubscribeResponse, Subscription as ListedSubscription,
    UnsubscribeRequest,
};
use aws_api::{ApiError, Arn, Change, Entity, RequestContext};
use uuid::Uuid;

use crate::entity::{SubscriptionSettings, subscription_key, topic_key};
use crate::filter::Reason;
use crate::page::page;
use crate::refusal::{invalid, missing, no_subscription, not_authorized};
use crate::{Subscribed, Subscription, Topic, Topics, parse_arn, settings};

/// Subscriptions of one topic. AWS allows 12.5 million; here one publication is written to all of them at once.
pub const SUBSCRIPTIONS_MAX: usize = 10_000;

/// Filter policies of one topic ("Filter policy constraints in Amazon SNS").
pub const FILTER_POLICIES_MAX: usize = 200;

/// Protocols that AWS has and we do not.
const UNSUPPORTED_PROTOCOLS: [&str; 8] =
    ["http", "https", "email", "email-json", "sms", "application", "lambda", "firehose"];

impl Topics {
    /// Subscribes a queue, which is confirmed at once: it belongs to the topic's account. The same queue again is answered
    /// with the subscription that it has, if nothing that is asked for differs from it.
    ///
    /// `queue_exists` says whether there is such a queue; `id` becomes the last part of the subscription's ARN.
    pub fn subscribe(
        &self,
        ctx: &RequestContext,
        req: &SubscribeRequest,
        id: Uuid,
        queue_exists: &dyn Fn(&Arn) -> bool,
    ) -> Result<(SubscribeResponse, Vec<Change>), ApiError> {
        let asked_of_policy = [
            ("sns:Protocol", req.protocol.as_deref().unwrap_or_default()),
            ("sns:Endpoint", req.endpoint.as_deref().unwrap_or_default()),
        ];
        let topic = self.topic_for(ctx, req.topic_arn.as_deref(), "Subscribe", &asked_of_policy)?;
        check_protocol(req.protocol.as_deref())?;
        let endpoint = check_endpoint(topic, req.endpoint.as_deref())?;
        let refuse = |reason: Reason| reason.refusal("Attributes Reason: ");
        let mut asked = SubscriptionSettings::default();
        for (name, value) in &req.attributes {
            settings::set(&mut asked, name, value, queue_exists).map_err(refuse)?;
        }
        let filters = settings::filters(&asked).map_err(refuse)?;
        if let Some((_, existing)) = self.subscribed(topic).find(|(_, it)| it.row.endpoint == endpoint) {
            same(&existing.row.settings, &asked, req)?;
            return Ok((SubscribeResponse { subscription_arn: existing.arn.to_string() }, Vec::new()));
        }
        if !queue_exists(&endpoint) {
            return Err(invalid(format!("Endpoint Reason: the queue {endpoint} does not exist")));
        }
        self.check_limits(topic, filters)?;
        let subscription = Subscription {
            account: topic.account.clone(),
            region: topic.region.clone(),
            topic: topic.name.clone(),
            id: id.to_string(),
            principal: ctx.caller.arn.clone(),
            endpoint,
            settings: asked,
            created: ctx.now,
        };
        let subscription_arn = subscription.arn().to_string();
        Ok((SubscribeResponse { subscription_arn }, vec![Change::put(&subscription)]))
    }

    fn check_limits(&self, topic: &Topic, filters: bool) -> Result<(), ApiError> {
        let (mut all, mut filtered) = (0, 0);
        for (_, subscribed) in self.subscribed(topic) {
            all += 1;
            filtered += usize::from(subscribed.filter.is_some());
        }
        if all >= SUBSCRIPTIONS_MAX {
            let message = format!("The limit of {SUBSCRIPTIONS_MAX} subscriptions of a topic has been reached");
            return Err(ApiError::new("SubscriptionLimitExceeded", message).with_status(403));
        }
        if filters && filtered >= FILTER_POLICIES_MAX {
            return Err(too_many_filters());
        }
        Ok(())
    }

    /// Removes a subscription. One that is not there is passed over.
    pub fn unsubscribe(&self, ctx: &RequestContext, req: &UnsubscribeRequest) -> Result<Vec<Change>, ApiError> {
        let text = req
            .subscription_arn
            .as_deref()
            .ok_or_else(|| invalid("SubscriptionArn Reason: no value for required parameter"))?;
        let Some(key) = key_of_subscription(ctx, text, "Unsubscribe")? else {
            return Err(invalid("SubscriptionId"));
        };
        let Some(subscribed) = self.subscriptions.get(&key) else { return Ok(Vec::new()) };
        let mut changes = vec![Change::delete::<Subscription>(key)];
        let row = &subscribed.row;
        if let Some(topic) = self.row(&topic_key(&row.account, &row.region, &row.topic)) {
            let subscriptions_deleted = topic.subscriptions_deleted + 1;
            changes.push(Change::put(&Topic { subscriptions_deleted, ..topic.clone() }));
        }
        Ok(changes)
    }

    /// The caller's subscriptions, by topic and id, a hundred at a time.
    pub fn list_subscriptions(
        &self,
        ctx: &RequestContext,
        req: &ListSubscriptionsRequest,
    ) -> Result<ListSubscriptionsResponse, ApiError> {
        let prefix = topic_key(ctx.account(), &ctx.region, "");
        let (shown, next_token) = page(&self.subscriptions, &prefix, req.next_token.as_deref())?;
        Ok(ListSubscriptionsResponse { subscriptions: shown.into_iter().map(|it| listed(it)).collect(), next_token })
    }

    /// A topic's subscriptions, by id, a hundred at a time.
    pub fn list_subscriptions_by_topic(
        &self,
        ctx: &RequestContext,
        req: &ListSubscriptionsByTopicRequest,
    ) -> Result<ListSubscriptionsByTopicResponse, ApiError> {
        let topic = self.topic(ctx, req.topic_arn.as_deref(), "ListSubscriptionsByTopic")?;
        let prefix = format!("{}/", topic.key());
        let (shown, next_token) = page(&self.subscriptions, &prefix, req.next_token.as_deref())?;
        let subscriptions = shown.into_iter().map(|it| listed(it)).collect();
        Ok(ListSubscriptionsByTopicResponse { subscriptions, next_token })
    }

    /// All that holds for a subscription, as texts.
    pub fn get_subscription_attributes(
        &self,
        ctx: &RequestContext,
        req: &GetSubscriptionAttributesRequest,
    ) -> Result<GetSubscriptionAttributesResponse, ApiError> {
        let Subscribed { row, arn, .. } =
            self.subscription(ctx, req.subscription_arn.as_deref(), "GetSubscriptionAttributes")?;
        let mut attributes = BTreeMap::from([
            ("ConfirmationWasAuthenticated", "true".to_owned()),
            ("Endpoint", row.endpoint.to_string()),
            ("Owner", row.account.clone()),
            ("PendingConfirmation", "false".into()),
            ("Protocol", "sqs".into()),
            ("RawMessageDelivery", row.settings.raw_message_delivery.to_string()),
            ("SubscriptionArn", arn.to_string()),
            ("SubscriptionPrincipal", row.principal.clone()),
            ("TopicArn", row.topic_arn().to_string()),
        ]);
        if let Some(policy) = &row.settings.filter_policy {
            attributes.insert("FilterPolicy", policy.clone());
            attributes.insert("FilterPolicyScope", row.settings.filter_policy_scope.to_string());
        }
        if let Some(policy) = &row.settings.redrive_policy {
            attributes.insert("RedrivePolicy", policy.text.clone());
        }
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(GetSubscriptionAttributesResponse { attributes })
    }

    /// Sets one attribute of a subscription; an absent value stands for its default. It holds for the next publication.
    pub fn set_subscription_attributes(
        &self,
        ctx: &RequestContext,
        req: &SetSubscriptionAttributesRequest,
        queue_exists: &dyn Fn(&Arn) -> bool,
    ) -> Result<Vec<Change>, ApiError> {
        let Subscribed { row, filter, .. } =
            self.subscription(ctx, req.subscription_arn.as_deref(), "SetSubscriptionAttributes")?;
        let name = req.attribute_name.as_deref().ok_or_else(|| missing("attributeName"))?;
        let mut row = row.clone();
        let value = req.attribute_value.as_deref().unwrap_or_default();
        let refuse = |reason: Reason| reason.refusal("");
        settings::set(&mut row.settings, name, value, queue_exists).map_err(refuse)?;
        let filters = settings::filters(&row.settings).map_err(refuse)?;
        if filters
            && filter.is_none()
            && let Some(topic) = self.row(&topic_key(&row.account, &row.region, &row.topic))
            && self.subscribed(topic).filter(|(_, it)| it.filter.is_some()).count() >= FILTER_POLICIES_MAX
        {
            return Err(too_many_filters());
        }
        Ok(vec![Change::put(&row)])
    }

    fn subscription(&self, ctx: &RequestContext, arn: Option<&str>, action: &str) -> Result<&Subscribed, ApiError> {
        let text = arn.ok_or_else(|| missing("subscriptionArn"))?;
        let key = key_of_subscription(ctx, text, action)?.ok_or_else(|| invalid("SubscriptionArn"))?;
        self.subscriptions.get(&key).map(AsRef::as_ref).ok_or_else(no_subscription)
    }
}

/// The key of a subscription in the caller's account; `None` if the ARN is a topic's.
fn key_of_subscription(ctx: &RequestContext, text: &str, action: &str) -> Result<Option<String>, ApiError> {
    let arn = parse_arn(text, "SubscriptionArn")?;
    if arn.service != "sns" || arn.partition != "aws" || arn.region != ctx.region {
        return Err(invalid("SubscriptionArn"));
    }
    if arn.account != ctx.account() {
        return Err(not_authorized(&ctx.caller.arn, action, text));
    }
    let key = arn.resource.split_once(':').map(|(topic, id)| subscription_key(&arn.account, &arn.region, topic, id));
    Ok(key)
}

fn check_protocol(protocol: Option<&str>) -> Result<(), ApiError> {
    match protocol.ok_or_else(|| missing("protocol"))? {
        "sqs" => Ok(()),
        known if UNSUPPORTED_PROTOCOLS.contains(&known) => Err(invalid(format!(
            "Protocol Reason: subscriptions with the protocol {known} are not supported yet; use sqs"
        ))),
        other => Err(invalid(format!("Amazon SNS does not support this protocol string: {other}"))),
    }
}

/// The queue, which must be of the topic's account: others would need a confirmation, and an owner of their own.
fn check_endpoint(topic: &Topic, endpoint: Option<&str>) -> Result<Arn, ApiError> {
    let text = endpoint
        .filter(|text| !text.is_empty())
        .ok_or_else(|| ApiError::new("NotFound", "Endpoint not specified in subscription").with_status(404))?;
    let arn: Arn = text.parse().map_err(|_| invalid("SQS endpoint ARN"))?;
    if arn.service != "sqs" || arn.partition != "aws" || arn.region.is_empty() || arn.resource.contains([':', '/']) {
        return Err(invalid("SQS endpoint ARN"));
    }
    if arn.resource.strip_suffix(".fifo").is_some() {
        // AWS writes the prefix twice here.
        return Err(invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        ));
    }
    if arn.account != topic.account {
        return Err(invalid(
            "Endpoint Reason: the queue belongs to another account than the topic, which is not supported yet",
        ));
    }
    Ok(arn)
}

/// Whether what a second `Subscribe` asks for is what the subscription has.
fn same(existing: &SubscriptionSettings, asked: &SubscriptionSettings, req: &SubscribeRequest) -> Result<(), ApiError> {
    let differs = req.attributes.keys().any(|name| match name.as_str() {
        "RawMessageDelivery" => existing.raw_message_delivery != asked.raw_message_delivery,
        "FilterPolicy" => existing.filter_policy != asked.filter_policy,
        "FilterPolicyScope" => existing.filter_policy_scope != asked.filter_policy_scope,
        "RedrivePolicy" => existing.redrive_policy != asked.redrive_policy,
        _ => false,
    });
    if differs {
        return Err(invalid("Attributes Reason: Subscription already exists with different attributes"));
    }
    Ok(())
}

fn too_many_filters() -> ApiError {
    let message = format!("The limit of {FILTER_POLICIES_MAX} filter policies of a topic has been reached");
    ApiError::new("FilterPolicyLimitExceeded", message).with_status(403)
}

fn listed(subscribed: &Subscribed) -> ListedSubscription {
    ListedSubscription {
        subscription_arn: subscribed.arn.to_string(),
        owner: subscribed.row.account.clone(),
        protocol: "sqs".into(),
        endpoint: subscribed.row.endpoint.to_string(),
        topic_arn: subscribed.row.topic_arn().to_string(),
    }
}

#[cfg(test)]
mod tests;
