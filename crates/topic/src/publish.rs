//! What one publication becomes: a delivery for each subscription that lets it through.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use aws_api::sns::{
    PublishBatchRequest, PublishBatchResponse, PublishBatchResultEntry, PublishRequest, PublishResponse,
};
use aws_api::{ApiError, Arn, RequestContext, Timestamp};
use policy::{Refusal, ServiceCaller};
use uuid::Uuid;

use crate::attribute::MessageAttributes;
use crate::envelope::Envelope;
use crate::filter::Verdict;
use crate::message::{MESSAGE_LEN_MAX, Publication};
use crate::refusal::{invalid, missing};
use crate::{Subscribed, Topic, Topics};

/// Message attributes that a raw delivery can carry: SQS's bound ("Amazon SNS raw message delivery" in the SNS guide).
pub const RAW_ATTRIBUTES_MAX: usize = 10;

/// Messages of one `PublishBatch`.
pub const BATCH_ENTRIES_MAX: usize = 10;

const BATCH_ID_LEN_MAX: usize = 80;

/// What a queue gets as the message's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The message as it was published.
    Raw(Arc<str>),
    /// A notification: [`Envelope::render`] with a signature over [`Envelope::canonical`]. All deliveries of a publication
    /// share it, so one signature serves them all.
    Envelope(Arc<Envelope>),
}

/// One message for one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// For the envelope's `UnsubscribeURL`.
    pub subscription_arn: Arn,
    /// Where it goes. For a message that cannot go to the subscribed queue, the dead-letter queue.
    pub queue: Arn,
    /// The text.
    pub body: Body,
    /// Message attributes of the queue's message: with a raw body at most [`RAW_ATTRIBUTES_MAX`], with an envelope none.
    pub attributes: MessageAttributes,
    /// Where it goes if `queue` does not take it.
    pub dead_letter: Option<Arn>,
}

/// What became of one publication, by the number of subscriptions: the counts of AWS's metrics of the topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Deliveries to subscribed queues.
    pub delivered: usize,
    /// Filtered out: the attributes do not match the policy.
    pub filtered_attributes: usize,
    /// Filtered out: the policy looks at attributes and the message has none.
    pub filtered_no_attributes: usize,
    /// Filtered out: a `String.Array` attribute holds no JSON array.
    pub filtered_invalid_attributes: usize,
    /// Filtered out: the message does not match the policy.
    pub filtered_body: usize,
    /// Filtered out: the policy looks at the message and that is no JSON object.
    pub filtered_invalid_body: usize,
    /// Could not be delivered (raw, with more attributes than a queue takes) and goes to the dead-letter queue.
    pub redriven: usize,
    /// Could not be delivered, and there is no dead-letter queue: discarded, as AWS does with client errors.
    pub discarded: usize,
}

impl Summary {
    /// All that were filtered out: `NumberOfNotificationsFilteredOut`.
    pub fn filtered(&self) -> usize {
        self.filtered_attributes
            + self.filtered_no_attributes
            + self.filtered_invalid_attributes
            + self.filtered_body
            + self.filtered_invalid_body
    }

    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Passed => {}
            Verdict::Attributes => self.filtered_attributes += 1,
            Verdict::NoAttributes => self.filtered_no_attributes += 1,
            Verdict::InvalidAttributes => self.filtered_invalid_attributes += 1,
            Verdict::Body => self.filtered_body += 1,
            Verdict::InvalidBody => self.filtered_invalid_body += 1,
        }
    }
}

/// What one publication becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The publication's id, which all its envelopes show.
    pub message_id: Uuid,
    /// To which topic.
    pub topic_arn: String,
    /// To be committed together.
    pub deliveries: Vec<Delivery>,
    /// Counts; `delivered + redriven` is the number of deliveries.
    pub summary: Summary,
    /// Bytes of the message and its attributes: `PublishSize`.
    pub size: usize,
}

/// Why a service could not publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPublished<'a> {
    /// The topic's policy does not let it.
    Forbidden(Refusal<'a>),
    /// Anything else.
    Refused(ApiError),
}

impl From<ApiError> for NotPublished<'_> {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<NotPublished<'_>> for ApiError {
    fn from(reason: NotPublished<'_>) -> Self {
        match reason {
            NotPublished::Forbidden(refusal) => Self::new("AuthorizationError", refusal.message()).with_status(403),
            NotPublished::Refused(error) => error,
        }
    }
}

impl Published {
    /// The envelope to sign; `None` if all deliveries are raw and none needs a signature.
    pub fn envelope(&self) -> Option<&Arc<Envelope>> {
        self.deliveries.iter().find_map(|delivery| match &delivery.body {
            Body::Envelope(envelope) => Some(envelope),
            Body::Raw(_) => None,
        })
    }
}

impl Topics {
    /// Publishes from inside the server, for a service of AWS: a rule, a trail, an alarm.
    ///
    /// Changes nothing. The same `message_id` for the same event makes the same deliveries, so that a repetition after a
    /// crash can be recognised.
    ///
    /// # Errors
    /// `NotFound` if there is no such topic, a [`Refusal`] if its policy does not let the service publish, `InvalidParameter`
    /// or `ParameterValueInvalid` if the publication is against the rules.
    pub fn publish<'a>(
        &'a self,
        topic_arn: &Arn,
        caller: ServiceCaller<'a>,
        publication: &Publication,
        now: Timestamp,
        message_id: Uuid,
    ) -> Result<Published, NotPublished<'a>> {
        let entry = self.published_topic(topic_arn)?;
        caller.ask(Some(&entry.policy), "sns:Publish", &entry.arn).map_err(NotPublished::Forbidden)?;
        publication.validate("messageAttributes")?;
        Ok(self.fan_out(&entry.row, publication, now, message_id)?)
    }

    /// Could a service publish to this topic?
    pub fn is_open_to(&self, topic_arn: &Arn, caller: ServiceCaller<'_>) -> bool {
        self.published_topic(topic_arn)
            .is_ok_and(|entry| caller.ask(Some(&entry.policy), "sns:Publish", &entry.arn).is_ok())
    }

    /// The operation `Publish`.
    pub fn publish_request(
        &self,
        ctx: &RequestContext,
        req: &PublishRequest,
        message_id: Uuid,
    ) -> Result<(PublishResponse, Published), ApiError> {
        let publication = Publication::of(req)?;
        publication.validate("messageAttributes")?;
        let arn = match (&req.topic_arn, &req.target_arn) {
            (Some(_), Some(_)) => {
                return Err(invalid("TopicArn or TargetArn Reason: only one of them can be given"));
            }
            (Some(arn), None) | (None, Some(arn)) => arn,
            (None, None) => return Err(invalid("TopicArn or TargetArn Reason: no value for required parameter")),
        };
        let topic = self.topic(ctx, Some(arn), "Publish")?;
        let published = self.fan_out(topic, &publication, ctx.now, message_id)?;
        Ok((PublishResponse { message_id: message_id.to_string() }, published))
    }

    /// The operation `PublishBatch`: all entries or none. As on AWS, an entry against the rules refuses the whole batch.
    ///
    /// `new_id` gives each entry its message id.
    pub fn publish_batch_request(
        &self,
        ctx: &RequestContext,
        req: &PublishBatchRequest,
        new_id: &mut dyn FnMut() -> Uuid,
    ) -> Result<(PublishBatchResponse, Vec<Published>), ApiError> {
        let entries = &req.publish_batch_request_entries;
        if entries.is_empty() {
            return Err(ApiError::new("EmptyBatchRequest", "The batch request doesn't contain any entries."));
        }
        if entries.len() > BATCH_ENTRIES_MAX {
            let message = "The batch request contains more entries than permissible.";
            return Err(ApiError::new("TooManyEntriesInBatchRequest", message));
        }
        let topic = self.topic(ctx, req.topic_arn.as_deref(), "Publish")?;
        let ids = batch_ids(req)?;
        let mut publications = Vec::with_capacity(entries.len());
        for (position, entry) in (1..).zip(entries) {
            let publication = Publication::of_entry(entry, position)?;
            publication.validate(&format!("publishBatchRequestEntries.{position}.member.messageAttributes"))?;
            publications.push(publication);
        }
        if publications.iter().map(Publication::size).sum::<usize>() > MESSAGE_LEN_MAX {
            let message = "The length of all the messages put together is more than the limit.";
            return Err(ApiError::new("BatchRequestTooLong", message));
        }
        let (mut answer, mut all) = (PublishBatchResponse::default(), Vec::with_capacity(entries.len()));
        for (id, publication) in ids.into_iter().zip(&publications) {
            let published = self.fan_out(topic, publication, ctx.now, new_id())?;
            answer
                .successful
                .push(PublishBatchResultEntry { id: id.into(), message_id: published.message_id.to_string() });
            all.push(published);
        }
        Ok((answer, all))
    }

    /// The publication has been validated.
    fn fan_out(
        &self,
        topic: &Topic,
        publication: &Publication,
        now: Timestamp,
        message_id: Uuid,
    ) -> Result<Published, ApiError> {
        let text: Arc<str> = publication.text_for("sqs")?.into();
        let envelope = LazyCell::new(|| {
            Arc::new(Envelope {
                message_id,
                topic_arn: topic.arn(),
                subject: publication.subject.clone(),
                message: Arc::clone(&text),
                timestamp: now,
                signature_version: topic.signature_version.unwrap_or_default(),
                attributes: publication.attributes.clone(),
            })
        });
        let mut published = Published {
            message_id,
            topic_arn: topic.arn().to_string(),
            deliveries: Vec::new(),
            summary: Summary::default(),
            size: publication.size(),
        };
        for (_, subscribed) in self.subscribed(topic) {
            let verdict = match &subscribed.filter {
                Some(filter) => filter.judge(&text, &publication.attributes),
                None => Verdict::Passed,
            };
            published.summary.count(verdict);
            if verdict == Verdict::Passed {
                let notification = || Body::Envelope(Arc::clone(&envelope));
                let delivery = deliver(subscribed, publication, &text, notification, &mut published.summary);
                published.deliveries.extend(delivery);
            }
        }
        Ok(published)
    }
}

/// The delivery to one subscription, if it can be made at all.
fn deliver(
    subscribed: &Subscribed,
    publication: &Publication,
    text: &Arc<str>,
    notification: impl Fn() -> Body,
    summary: &mut Summary,
) -> Option<Delivery> {
    let settings = &subscribed.row.settings;
    let dead_letter = settings.redrive_policy.as_ref().map(|policy| policy.dead_letter_target.clone());
    let subscription_arn = subscribed.arn.clone();
    let queue = subscribed.row.endpoint.clone();
    let fits = publication.attributes.len() <= RAW_ATTRIBUTES_MAX;
    if !settings.raw_message_delivery {
        summary.delivered += 1;
        let (body, attributes) = (notification(), MessageAttributes::new());
        Some(Delivery { subscription_arn, queue, body, attributes, dead_letter })
    } else if fits {
        summary.delivered += 1;
        let (body, attributes) = (Body::Raw(Arc::clone(text)), publication.attributes.clone());
        Some(Delivery { subscription_arn, queue, body, attributes, dead_letter })
    } else if let Some(queue) = dead_letter {
        // The dead-letter queue could not take that many attributes either; the envelope holds them all.
        summary.redriven += 1;
        let (body, attributes) = (notification(), MessageAttributes::new());
        Some(Delivery { subscription_arn, queue, body, attributes, dead_letter: None })
    } else {
        summary.discarded += 1;
        None
    }
}

/// The ids of a batch's entries, which are well-formed and distinct.
fn batch_ids(req: &PublishBatchRequest) -> Result<Vec<&str>, ApiError> {
    let mut ids = Vec::with_capacity(req.publish_batch_request_entries.len());
    for (position, entry) in (1..).zip(&req.publish_batch_request_entries) {
        let id = entry.id.as_deref();
        ids.push(id.ok_or_else(|| missing(format!("publishBatchRequestEntries.{position}.member.id")))?);
    }
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        let message = "Two or more batch entries in the request have the same Id.";
        return Err(ApiError::new("BatchEntryIdsNotDistinct", message));
    }
    let refuse = |what: &str, id: &str| {
        ApiError::new("InvalidBatchEntryId", format!("The Id of a batch entry in the batch request {what}: {id}"))
    };
    for id in &ids {
        if id.len() > BATCH_ID_LEN_MAX {
            return Err(refuse("is too long", id));
        }
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(refuse("contains an impermissible character", id));
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
