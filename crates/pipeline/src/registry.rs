//! Everything that is configured, in one place.

use aws_api::{Arn, Change};
use bus::Buses;
use metric::Alarms;
use queue::Queues;
use stack::Stacks;
use topic::Topics;
use trail::Trails;

/// The configuration of all services.
#[derive(Default)]
pub struct Registry {
    /// Trails and what they choose.
    pub trails: Trails,
    /// Rules and their targets.
    pub buses: Buses,
    /// Topics and subscriptions.
    pub topics: Topics,
    /// Queues.
    pub queues: Queues,
    /// CloudFormation's stacks.
    pub stacks: Stacks,
    /// Alarms.
    pub alarms: Alarms,
}

impl Registry {
    /// Takes in a committed change. Each service takes the kinds that are its own.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        self.trails.absorb(change)?;
        self.buses.absorb(change)?;
        self.topics.absorb(change)?;
        self.alarms.absorb(change)?;
        self.queues.absorb(change)?;
        self.stacks.absorb(change)
    }

    /// Is there such a topic or queue? What a rule's target or a subscription names must exist.
    pub fn exists(&self, arn: &Arn) -> bool {
        match arn.service.as_str() {
            "sns" => self.topics.exists(arn),
            "sqs" => self.queues.queue_by_arn(&arn.to_string()).is_some(),
            _ => false,
        }
    }

    /// Does some trail deliver its log files into this bucket?
    pub fn is_log_bucket(&self, bucket: &str) -> bool {
        self.trails.iter().any(|trail| trail.s3_bucket_name == bucket)
    }
}
