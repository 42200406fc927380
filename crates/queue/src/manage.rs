//! Making, changing and removing queues.

use std::collections::BTreeMap;

use aws_api::sqs::{
    CreateQueueRequest, CreateQueueResult, DeleteQueueRequest, EmptyResult, GetQueueAttributesRequest,
    GetQueueAttributesResult, GetQueueUrlRequest, GetQueueUrlResult, ListQueueTagsRequest, ListQueueTagsResult,
    PurgeQueueRequest, SetQueueAttributesRequest, TagQueueRequest, UntagQueueRequest,
};
use aws_api::{ApiError, Change, Entity, RequestContext, SYSTEM_TAG_REFUSED, Timestamp, user_tags};
use uuid::Uuid;

use crate::limits::{NAME_REUSE_S, PURGE_INTERVAL_S, TAG_COUNT_MAX, TAG_KEY_LEN_MAX, TAG_VALUE_LEN_MAX};
use crate::place::is_plain;
use crate::registry::Deleted;
use crate::{Counts, Effect, MoveTask, Place, Queue, Queues, Settings, refusal};

type Written = Result<(EmptyResult, Vec<Change>), ApiError>;
type Emptied = Result<(EmptyResult, Vec<Change>, Effect), ApiError>;

impl Queues {
    /// `CreateQueue`: makes a queue; one that exists with the same values is found, and its tags stay as they are.
    ///
    /// Refused: bad names, FIFO queues, attributes that [`Settings`] refuses, a name with other values (`QueueNameExists`), a
    /// name that was deleted less than a minute ago (`QueueDeletedRecently`).
    pub fn create_queue(
        &self,
        ctx: &RequestContext,
        req: &CreateQueueRequest,
        id: Uuid,
    ) -> Result<(CreateQueueResult, Vec<Change>), ApiError> {
        let place = Place::new(ctx, check_name(req)?);
        let mut settings = Settings::default();
        settings.set_all(&req.attributes)?;
        check_tags(ctx, &req.tags)?;
        check_tag_count(&place, &req.tags)?;
        let answer = CreateQueueResult { queue_url: place.url(ctx) };
        if let Some(queue) = self.queues.get(&place) {
            check_same(queue, &settings, &req.attributes)?;
            return Ok((answer, Vec::new()));
        }
        if self.deleted.get(&place).is_some_and(|deleted| rests(deleted, ctx.now)) {
            return Err(ApiError::new(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            ));
        }
        self.check_redrive(&place, &settings)?;
        let queue = Queue {
            id: self.free_id(id),
            place,
            created: ctx.now,
            modified: ctx.now,
            settings,
            tags: req.tags.clone(),
            purged: None,
        };
        let mut changes = self.forgotten(ctx.now);
        changes.push(Change::put(&queue));
        Ok((answer, changes))
    }

    /// `DeleteQueue`: removes a queue with its messages and move tasks; its name rests for a minute.
    pub fn delete_queue(&self, ctx: &RequestContext, req: &DeleteQueueRequest) -> Emptied {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "DeleteQueue")?;
        let mut changes = self.forgotten(ctx.now);
        changes.push(Change::delete::<Queue>(queue.key()));
        changes.push(Change::put(&Deleted { id: queue.id, place: queue.place.clone(), at: ctx.now }));
        changes.extend(self.tasks_of(&queue.place).map(|task| Change::delete::<MoveTask>(task.key())));
        Ok((EmptyResult {}, changes, Effect::Clear { queue: queue.id }))
    }

    /// `PurgeQueue`: removes all messages, those in flight too; once a minute (`PurgeQueueInProgress`).
    pub fn purge_queue(&self, ctx: &RequestContext, req: &PurgeQueueRequest) -> Emptied {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "PurgeQueue")?;
        if queue.purged.is_some_and(|at| ctx.now < at.plus_secs(PURGE_INTERVAL_S)) {
            let name = &queue.place.name;
            let text = format!("Only one PurgeQueue operation on {name} is allowed every {PURGE_INTERVAL_S} seconds.");
            return Err(ApiError::new("PurgeQueueInProgress", text).with_status(403));
        }
        let purged = Queue { purged: Some(ctx.now), ..queue.clone() };
        Ok((EmptyResult {}, vec![Change::put(&purged)], Effect::Clear { queue: queue.id }))
    }

    /// `GetQueueUrl`: finds a queue by name; other accounts' queues do not exist, unless their policy lets them be found.
    pub fn get_queue_url(&self, ctx: &RequestContext, req: &GetQueueUrlRequest) -> Result<GetQueueUrlResult, ApiError> {
        let name = required(req.queue_name.as_deref(), "QueueName")?;
        let owner = req.queue_owner_aws_account_id.as_deref().filter(|owner| !owner.is_empty());
        let place = Place { account: owner.unwrap_or(ctx.account()).into(), ..Place::new(ctx, name) };
        let is_own = place.account == ctx.account();
        self.admitted(ctx, &place, "GetQueueUrl")
            .map_err(|refused| if is_own { refused } else { refusal::no_such_queue() })?;
        Ok(GetQueueUrlResult { queue_url: place.url(ctx) })
    }

    /// `GetQueueAttributes`; `counts` are those of [`Queue::id`].
    pub fn get_queue_attributes(
        &self,
        ctx: &RequestContext,
        req: &GetQueueAttributesRequest,
        counts: Counts,
    ) -> Result<GetQueueAttributesResult, ApiError> {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "GetQueueAttributes")?;
        let attributes = queue.attributes(&req.attribute_names, counts)?;
        Ok(GetQueueAttributesResult { attributes: (!req.attribute_names.is_empty()).then_some(attributes) })
    }

    /// `SetQueueAttributes`: changes some attributes, all of them or none.
    pub fn set_queue_attributes(&self, ctx: &RequestContext, req: &SetQueueAttributesRequest) -> Written {
        let mut queue = self.queue(ctx, req.queue_url.as_deref(), "SetQueueAttributes")?.clone();
        if req.attributes.is_empty() {
            return Err(refusal::missing("Attributes"));
        }
        queue.settings.set_all(&req.attributes)?;
        if req.attributes.contains_key("RedrivePolicy") {
            self.check_redrive(&queue.place, &queue.settings)?;
        }
        queue.modified = ctx.now;
        Ok((EmptyResult {}, vec![Change::put(&queue)]))
    }

    /// `ListQueueTags`.
    pub fn list_queue_tags(
        &self,
        ctx: &RequestContext,
        req: &ListQueueTagsRequest,
    ) -> Result<ListQueueTagsResult, ApiError> {
        Ok(ListQueueTagsResult { tags: self.queue(ctx, req.queue_url.as_deref(), "ListQueueTags")?.tags.clone() })
    }

    /// `TagQueue`: a tag of the same key gets the new value.
    pub fn tag_queue(&self, ctx: &RequestContext, req: &TagQueueRequest) -> Written {
        let mut queue = self.queue(ctx, req.queue_url.as_deref(), "TagQueue")?.clone();
        if req.tags.is_empty() {
            return Err(refusal::missing("Tags"));
        }
        check_tags(ctx, &req.tags)?;
        queue.tags.extend(req.tags.clone());
        check_tag_count(&queue.place, &queue.tags)?;
        Ok((EmptyResult {}, vec![Change::put(&queue)]))
    }

    /// `UntagQueue`: keys that are not there are passed over.
    pub fn untag_queue(&self, ctx: &RequestContext, req: &UntagQueueRequest) -> Written {
        let mut queue = self.queue(ctx, req.queue_url.as_deref(), "UntagQueue")?.clone();
        if req.tag_keys.is_empty() {
            return Err(refusal::missing("TagKeys"));
        }
        req.tag_keys.iter().try_for_each(|key| check_tag_owner(ctx, key))?;
        queue.tags.retain(|key, _| !req.tag_keys.contains(key));
        Ok((EmptyResult {}, vec![Change::put(&queue)]))
    }

    /// A number that no queue has or had a minute ago.
    fn free_id(&self, id: Uuid) -> u64 {
        let (high, low) = id.as_u64_pair();
        let mut id = high ^ low;
        let taken = |id| {
            self.queues.values().any(|queue| queue.id == id) || self.deleted.values().any(|deleted| deleted.id == id)
        };
        while taken(id) {
            id = id.wrapping_add(1);
        }
        id
    }

    /// Removals of the names that have rested long enough.
    fn forgotten(&self, now: Timestamp) -> Vec<Change> {
        let rested = self.deleted.values().filter(|deleted| !rests(deleted, now));
        rested.map(|deleted| Change::delete::<Deleted>(deleted.key())).collect()
    }

    /// The dead-letter queue must be another one of the same account and region, exist, and allow it.
    fn check_redrive(&self, place: &Place, settings: &Settings) -> Result<(), ApiError> {
        let Some(policy) = &settings.redrive else { return Ok(()) };
        let text = settings.get("RedrivePolicy").unwrap_or_default();
        let refuse = |reason: &str| Err(refusal::invalid_value(&text, "RedrivePolicy", reason));
        let target = policy.target();
        let Some(target) = target.filter(|t| t.account == place.account && t.region == place.region) else {
            return refuse("Dead letter target must be of the same account and region.");
        };
        if target == *place {
            return refuse("Dead letter target is the queue itself.");
        }
        let Some(target) = self.queues.get(&target) else {
            return refuse("Dead letter target does not exist.");
        };
        if target.settings.redrive_allow.as_ref().is_some_and(|policy| !policy.allows(&place.arn())) {
            return refuse("The RedriveAllowPolicy of the dead letter target does not allow this queue.");
        }
        Ok(())
    }
}

fn rests(deleted: &Deleted, now: Timestamp) -> bool {
    now < deleted.at.plus_secs(NAME_REUSE_S)
}

fn required<'a>(value: Option<&'a str>, parameter: &str) -> Result<&'a str, ApiError> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| refusal::missing(parameter))
}

fn check_name(req: &CreateQueueRequest) -> Result<&str, ApiError> {
    let name = required(req.queue_name.as_deref(), "QueueName")?;
    if req.attributes.get("FifoQueue").is_some_and(|fifo| fifo == "true") {
        return Err(refusal::no_fifo());
    }
    if !is_plain(name) || name.len() > crate::limits::QUEUE_NAME_LEN_MAX {
        return Err(refusal::invalid_parameter(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    Ok(name)
}

/// The first attribute of the request that has another value than the queue.
fn check_same(queue: &Queue, asked: &Settings, names: &BTreeMap<String, String>) -> Result<(), ApiError> {
    match names.keys().find(|name| asked.get(name) != queue.settings.get(name)) {
        None => Ok(()),
        Some(name) => Err(ApiError::new(
            "QueueNameExists",
            format!("A queue already exists with the same name and a different value for attribute {name}"),
        )),
    }
}

fn check_tag_count(place: &Place, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if user_tags(tags.keys()) > TAG_COUNT_MAX {
        return Err(refusal::invalid_parameter(format!("Too many tags added for queue {}.", place.name)));
    }
    Ok(())
}

/// Is the tag the caller's to set and to remove?
fn check_tag_owner(ctx: &RequestContext, key: &str) -> Result<(), ApiError> {
    if ctx.may_tag(key) { Ok(()) } else { Err(refusal::invalid_parameter(SYSTEM_TAG_REFUSED)) }
}

fn check_tags(ctx: &RequestContext, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > TAG_KEY_LEN_MAX {
            return Err(refusal::invalid_parameter(format!(
                "Tag keys must be between 1 and {TAG_KEY_LEN_MAX} characters in length."
            )));
        }
        check_tag_owner(ctx, key)?;
        if value.chars().count() > TAG_VALUE_LEN_MAX {
            return Err(refusal::invalid_parameter(format!(
                "Tag values must be between 0 and {TAG_VALUE_LEN_MAX} characters in length."
            )));
        }
    }
    Ok(())
}
