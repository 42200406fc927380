//! All queues, by place; the only mutation is to absorb a committed change.

use std::collections::BTreeMap;

use aws_api::{ApiError, Change, Entity, RequestContext, Timestamp};
use policy::Policy;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::{MoveTask, Place, Settings, access};

/// A queue's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// What its messages are stored under; another queue of the same name later has another.
    pub id: u64,
    /// Account, region and name.
    pub place: Place,
    /// `CreatedTimestamp`.
    pub created: Timestamp,
    /// `LastModifiedTimestamp`.
    pub modified: Timestamp,
    /// The settable attributes.
    #[serde(default)]
    pub settings: Settings,
    /// By key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The latest purge.
    #[serde(default)]
    pub purged: Option<Timestamp>,
}

impl Entity for Queue {
    const KIND: &'static str = "queue";

    fn key(&self) -> String {
        self.place.to_string()
    }
}

/// The name of a deleted queue, which rests for a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub id: u64,
    pub place: Place,
    pub at: Timestamp,
}

impl Entity for Deleted {
    const KIND: &'static str = "deleted-queue";

    fn key(&self) -> String {
        self.place.to_string()
    }
}

/// The configuration of all queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queues {
    pub(crate) queues: BTreeMap<Place, Queue>,
    /// Those of the queues that have one, read.
    pub(crate) policies: BTreeMap<Place, Policy>,
    pub(crate) deleted: BTreeMap<Place, Deleted>,
    /// By the row's key, which sorts a source's tasks by their start.
    pub(crate) tasks: BTreeMap<String, MoveTask>,
}

impl Queues {
    /// Takes in a committed change; rows of other kinds are passed over. Called for every stored row at start too.
    ///
    /// Fails for a row that this version cannot read; nothing is changed then.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        match change.kind {
            Queue::KIND => {
                self.absorb_policy(change)?;
                absorb_place(&mut self.queues, change, |queue| queue.place.clone())
            }
            Deleted::KIND => absorb_place(&mut self.deleted, change, |deleted| deleted.place.clone()),
            MoveTask::KIND => {
                match &change.row {
                    Some(row) => {
                        let task: MoveTask = serde_json::from_slice(row)?;
                        self.tasks.insert(task.key(), task);
                    }
                    None => {
                        self.tasks.remove(&change.key);
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn absorb_policy(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        let Some(row) = &change.row else {
            if let Ok(place) = change.key.parse() {
                self.policies.remove(&place);
            }
            return Ok(());
        };
        let queue: Queue = serde_json::from_slice(row)?;
        match &queue.settings.policy {
            Some(text) => {
                let policy = access::parse(text).map_err(serde_json::Error::custom)?;
                self.policies.insert(queue.place, policy);
            }
            None => {
                self.policies.remove(&queue.place);
            }
        }
        Ok(())
    }

    /// The queue that a `QueueUrl` names, if the caller may do this to it; `action` is IAM's, which batches have from what they
    /// are batches of.
    ///
    /// Missing and malformed URLs are refused, those of no queue, and callers whom the policy denies or does not allow.
    pub fn queue(&self, ctx: &RequestContext, url: Option<&str>, action: &str) -> Result<&Queue, ApiError> {
        self.admitted(ctx, &Place::from_url(ctx, url)?, action)
    }

    /// The queue of an ARN, for deliveries from topics and rules.
    pub fn queue_by_arn(&self, arn: &str) -> Option<&Queue> {
        self.queues.get(&Place::from_arn(arn)?)
    }

    /// The queue of this place.
    pub fn queue_at(&self, place: &Place) -> Option<&Queue> {
        self.queues.get(place)
    }

    /// Every queue, by account, region and name.
    pub fn iter(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values()
    }

    /// Where messages of this queue go that were received too often: absent without a policy, when the target is gone, and
    /// when the target does not allow it any more.
    pub fn dead_letter_queue(&self, queue: &Queue) -> Option<&Queue> {
        let target = self.queues.get(&queue.settings.redrive.as_ref()?.target()?)?;
        let allow = target.settings.redrive_allow.as_ref();
        allow.is_none_or(|policy| policy.allows(&queue.place.arn())).then_some(target)
    }

    /// The queues whose dead-letter queue this is.
    pub(crate) fn sources<'a>(&'a self, target: &'a Place) -> impl Iterator<Item = &'a Queue> {
        let arn = target.arn();
        self.of_region(target)
            .filter(move |queue| queue.settings.redrive.as_ref().is_some_and(|r| r.dead_letter_target_arn == arn))
    }

    /// The queues of the same account and region, by name.
    pub(crate) fn of_region<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Queue> {
        let first = Place { name: String::new(), ..place.clone() };
        self.queues
            .range(first..)
            .map(|(_, queue)| queue)
            .take_while(|queue| queue.place.account == place.account && queue.place.region == place.region)
    }
}

fn absorb_place<E: Entity>(
    map: &mut BTreeMap<Place, E>,
    change: &Change,
    place: impl Fn(&E) -> Place,
) -> Result<(), serde_json::Error> {
    match &change.row {
        Some(row) => {
            let entity: E = serde_json::from_slice(row)?;
            map.insert(place(&entity), entity);
        }
        None => {
            if let Ok(place) = change.key.parse() {
                map.remove(&place);
            }
        }
    }
    Ok(())
}
