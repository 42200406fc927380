//! What the registry keeps of a trail.

use std::collections::BTreeMap;

use aws_api::cloudtrail::{AdvancedEventSelector, EventSelector};
use aws_api::{Arn, Entity, Timestamp};
use serde::{Deserialize, Serialize};

/// Which trail: the account, the region in which it was made, its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrailRef<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// The home region.
    pub region: &'a str,
    /// The trail's name.
    pub name: &'a str,
}

impl TrailRef<'_> {
    /// The key of the trail's rows.
    pub(crate) fn key(self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.name)
    }

    /// Reads [`TrailRef::key`]; no part can hold a slash.
    pub(crate) fn from_key(key: &str) -> Option<TrailRef<'_>> {
        let mut parts = key.splitn(3, '/');
        Some(TrailRef { account: parts.next()?, region: parts.next()?, name: parts.next()? })
    }
}

/// The selectors of a trail: setting one kind replaces the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selectors {
    /// What a new trail has: all management events, no data events.
    #[default]
    Default,
    /// Basic selectors, with what the caller left out filled in.
    Basic(Vec<EventSelector>),
    /// Advanced selectors, as they were given.
    Advanced(Vec<AdvancedEventSelector>),
}

/// A trail.
#[expect(clippy::struct_excessive_bools, reason = "the API has them")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trail {
    /// The account that owns the trail: twelve digits.
    pub account: String,
    /// The region in which the trail was made: its home.
    pub region: String,
    /// The trail's name.
    pub name: String,
    /// Where the log files go.
    pub s3_bucket_name: String,
    /// Before `AWSLogs/` in the files' keys.
    pub s3_key_prefix: Option<String>,
    /// The topic that is told of each log file, by name or ARN as it was given.
    pub sns_topic_name: Option<String>,
    /// Whether events of services without a region are chosen.
    pub include_global_service_events: bool,
    /// Whether events of all regions are chosen.
    pub is_multi_region_trail: bool,
    /// Whether CloudTrail's own deliveries are chosen; `None` is true, but was not said.
    pub recursive_logging: Option<bool>,
    /// Which events are chosen.
    pub selectors: Selectors,
    /// Whether the trail chooses anything at all.
    pub is_logging: bool,
    /// The last `StartLogging`.
    pub started: Option<Timestamp>,
    /// The last `StopLogging`.
    pub stopped: Option<Timestamp>,
    /// Whether digests of the log files are written.
    pub log_file_validation: bool,
    /// When the present chain of digests began: validation or logging was switched on, and the other was on.
    pub digests_since: Option<Timestamp>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
}

impl Entity for Trail {
    const KIND: &'static str = "trail";

    fn key(&self) -> String {
        self.reference().key()
    }
}

impl Trail {
    /// Which trail this is.
    pub fn reference(&self) -> TrailRef<'_> {
        TrailRef { account: &self.account, region: &self.region, name: &self.name }
    }

    /// `arn:aws:cloudtrail:<home region>:<account>:trail/<name>`.
    pub fn arn(&self) -> Arn {
        Arn::new("cloudtrail", &self.region, &self.account, format!("trail/{}", self.name))
    }

    /// The topic that is told of each log file: a name is one of the trail's account and home region.
    pub fn sns_topic(&self) -> Option<Arn> {
        self.sns_topic_name
            .as_deref()
            .map(|given| given.parse().unwrap_or_else(|_| Arn::new("sns", &self.region, &self.account, given)))
    }

    /// Whether digests are written also where no log file was delivered.
    pub fn has_digests(&self) -> bool {
        self.log_file_validation && self.is_logging
    }

    /// Begins a new chain of digests if there are to be some, and there were none `before`.
    pub(crate) fn begin_digests(&mut self, before: bool, now: Timestamp) {
        if self.has_digests() && !before {
            self.digests_since = Some(now);
        }
    }

    /// Whether events of this region are the trail's business.
    pub fn covers(&self, region: &str) -> bool {
        self.is_multi_region_trail || self.region == region
    }
}

/// How the deliveries of a trail's files went. A row of its own, so that the deliverer and the API never overwrite each
/// other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryStatus {
    /// The trail's account.
    pub account: String,
    /// The trail's home region.
    pub region: String,
    /// The trail's name.
    pub name: String,
    /// The last file written.
    pub delivered: Option<Timestamp>,
    /// The last attempt.
    pub attempted: Option<Timestamp>,
    /// The name of S3's error, if the last attempt failed.
    pub error: Option<String>,
    /// The last file that the topic was told of.
    pub notified: Option<Timestamp>,
    /// The last attempt to tell it.
    pub notification_attempted: Option<Timestamp>,
    /// The code of SNS's error, if that failed.
    pub notification_error: Option<String>,
    /// The last digest written.
    pub digest_delivered: Option<Timestamp>,
    /// The name of S3's error, if the last digest could not be written.
    pub digest_error: Option<String>,
}

impl Entity for DeliveryStatus {
    const KIND: &'static str = "trail-delivery";

    fn key(&self) -> String {
        TrailRef { account: &self.account, region: &self.region, name: &self.name }.key()
    }
}
