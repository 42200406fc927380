//! Rules: what is kept of them, what is wrong with them, and how they are shown again.

use aws_api::Timestamp;
use s3s::dto::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator,
    LifecycleRuleFilter, NoncurrentVersionExpiration, Tag,
};
use s3s::{S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{fail, invalid_argument, invalid_request, malformed_xml};
use crate::meta::check_tag_texts;
use crate::object::KEY_MAX;
use crate::row::BucketRow;

/// "You can have up to 1,000 rules."
const RULES_MAX: usize = 1000;
const ID_MAX: usize = 255;
/// "You can specify up to 100 noncurrent versions to retain."
const NEWER_MAX: u32 = 100;
pub(super) const DAY_SECS: i64 = 24 * 60 * 60;

/// The lifecycle configuration of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rules {
    /// Whether an administrator put it: where log files are delivered, no other rules hold.
    pub by_administrator: bool,
    pub rules: Vec<Rule>,
}

/// A rule, in the terms of S3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub id: String,
    pub enabled: bool,
    pub form: Form,
    pub filter: Filter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent: Option<Noncurrent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_days: Option<u32>,
}

/// How a filter was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    /// `Prefix` beside the rule's other members.
    Prefix,
    /// `Filter` with one condition, or none.
    One,
    /// `Filter` with `And`.
    And,
}

/// Which objects a rule is about: those that all of this is true of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub larger_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smaller_than: Option<u64>,
}

/// When a current object goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Expiration {
    Days(u32),
    /// At a midnight.
    Date(Timestamp),
    /// Not an object, but a delete marker behind which nothing is left.
    ExpiredObjectDeleteMarker(bool),
}

/// When a version goes that is not the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noncurrent {
    pub days: u32,
    /// So many of the newest stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<u32>,
}

impl Rules {
    /// Reads what was put. Rules without an id get one of the request's own.
    pub fn of(rules: Vec<LifecycleRule>, by_administrator: bool, request: [u8; 16]) -> S3Result<Self> {
        if rules.is_empty() || rules.len() > RULES_MAX {
            return Err(malformed_xml());
        }
        let mut read: Vec<Rule> = Vec::with_capacity(rules.len());
        let mut ids = std::collections::HashSet::new();
        for (position, rule) in rules.into_iter().enumerate() {
            let rule = Rule::of(rule, || new_id(request, position))?;
            if !ids.insert(rule.id.clone()) {
                return Err(invalid_argument("Rule ID must be unique. Found same ID for more than one rule"));
            }
            read.push(rule);
        }
        let legacy = read.iter().filter(|rule| rule.form == Form::Prefix).count();
        if legacy != 0 && legacy != read.len() {
            return Err(invalid_request("Filter element can only be used in Lifecycle V2."));
        }
        Ok(Self { by_administrator, rules: read })
    }

    /// Whether they hold in this bucket. A key that may not delete log files may have put rules before there were any.
    pub fn hold_for(&self, row: &BucketRow) -> bool {
        self.by_administrator || !row.holds_logs
    }

    pub fn shown(&self) -> Vec<LifecycleRule> {
        self.rules.iter().map(Rule::shown).collect()
    }
}

fn new_id(request: [u8; 16], position: usize) -> String {
    let hash = Sha256::new().chain_update(request).chain_update(position.to_be_bytes()).finalize();
    hex::encode(&hash[..24])
}

impl Rule {
    fn of(rule: LifecycleRule, new_id: impl FnOnce() -> String) -> S3Result<Self> {
        let transitions = [rule.transitions.is_some(), rule.noncurrent_version_transitions.is_some()];
        if transitions.contains(&true) {
            let message = "Transitions to other storage classes are not supported.";
            return Err(fail(S3ErrorCode::NotImplemented, message));
        }
        let id = rule.id.filter(|id| !id.is_empty()).unwrap_or_else(new_id);
        if id.chars().count() > ID_MAX {
            return Err(invalid_argument("ID length should not exceed allowed limit of 255"));
        }
        let enabled = match rule.status.as_str() {
            ExpirationStatus::ENABLED => true,
            ExpirationStatus::DISABLED => false,
            _ => return Err(malformed_xml()),
        };
        let (form, filter) = match (rule.prefix, rule.filter) {
            (Some(prefix), None) => (Form::Prefix, Filter { prefix: Some(prefix), ..Filter::default() }),
            (None, Some(filter)) => Filter::of(filter)?,
            _ => return Err(malformed_xml()),
        };
        filter.check()?;
        let read = Self {
            id,
            enabled,
            form,
            filter,
            expiration: rule.expiration.map(|expiration| Expiration::of(&expiration)).transpose()?,
            noncurrent: rule.noncurrent_version_expiration.map(|rule| Noncurrent::of(&rule)).transpose()?,
            abort_days: rule.abort_incomplete_multipart_upload.map(|rule| abort_days(&rule)).transpose()?,
        };
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> S3Result<()> {
        if self.expiration.is_none() && self.noncurrent.is_none() && self.abort_days.is_none() {
            return Err(invalid_request("At least one action needs to be specified in a rule."));
        }
        // An upload has no tags and no size yet, a delete marker never has any.
        let of_markers = matches!(self.expiration, Some(Expiration::ExpiredObjectDeleteMarker(_)));
        let without =
            [("AbortIncompleteMultipartUpload", self.abort_days.is_some()), ("ExpiredObjectDeleteMarker", of_markers)];
        for (action, _) in without.into_iter().filter(|(_, given)| *given) {
            if !self.filter.tags.is_empty() {
                return Err(invalid_request(format!("{action} cannot be specified with Tags.")));
            }
            if self.filter.has_size() {
                return Err(invalid_request(format!("{action} cannot be specified with Object Size.")));
            }
        }
        Ok(())
    }

    fn shown(&self) -> LifecycleRule {
        let (prefix, filter) = match self.form {
            Form::Prefix => (self.filter.prefix.clone(), None),
            form => (None, Some(self.filter.shown(form))),
        };
        let status = if self.enabled { ExpirationStatus::ENABLED } else { ExpirationStatus::DISABLED };
        LifecycleRule {
            abort_incomplete_multipart_upload: self
                .abort_days
                .map(|days| AbortIncompleteMultipartUpload { days_after_initiation: i32::try_from(days).ok() }),
            expiration: self.expiration.map(Expiration::shown),
            filter,
            id: Some(self.id.clone()),
            noncurrent_version_expiration: self.noncurrent.map(|rule| NoncurrentVersionExpiration {
                newer_noncurrent_versions: rule.newer.and_then(|newer| i32::try_from(newer).ok()),
                noncurrent_days: i32::try_from(rule.days).ok(),
            }),
            noncurrent_version_transitions: None,
            prefix,
            status: ExpirationStatus::from_static(status),
            transitions: None,
        }
    }
}

impl Filter {
    fn of(filter: LifecycleRuleFilter) -> S3Result<(Form, Self)> {
        let LifecycleRuleFilter { and, object_size_greater_than, object_size_less_than, prefix, tag } = filter;
        let alone = Self {
            prefix,
            tags: tag.map(pair).transpose()?.into_iter().collect(),
            larger_than: object_size_greater_than.map(size).transpose()?,
            smaller_than: object_size_less_than.map(size).transpose()?,
        };
        match (alone.conditions(), and) {
            (0 | 1, None) => Ok((Form::One, alone)),
            (0, Some(and)) => {
                let LifecycleRuleAndOperator { object_size_greater_than, object_size_less_than, prefix, tags } = and;
                let together = Self {
                    prefix,
                    tags: tags.unwrap_or_default().into_iter().map(pair).collect::<S3Result<_>>()?,
                    larger_than: object_size_greater_than.map(size).transpose()?,
                    smaller_than: object_size_less_than.map(size).transpose()?,
                };
                if together.conditions() < 2 { Err(malformed_xml()) } else { Ok((Form::And, together)) }
            }
            _ => Err(malformed_xml()),
        }
    }

    fn conditions(&self) -> usize {
        let others = [self.prefix.is_some(), self.larger_than.is_some(), self.smaller_than.is_some()];
        self.tags.len() + others.into_iter().filter(|given| *given).count()
    }

    fn has_size(&self) -> bool {
        self.larger_than.is_some() || self.smaller_than.is_some()
    }

    fn check(&self) -> S3Result<()> {
        if self.prefix.as_ref().is_some_and(|prefix| prefix.len() > KEY_MAX) {
            return Err(invalid_request("The maximum size of a prefix is 1024."));
        }
        let is_twice = |(position, (key, _)): (usize, &(String, String))| {
            self.tags[..position].iter().any(|(known, _)| known == key)
        };
        if self.tags.iter().enumerate().any(is_twice) {
            return Err(invalid_request("Duplicate Tag Keys are not allowed."));
        }
        check_tag_texts(&self.tags)?;
        if let (Some(larger), Some(smaller)) = (self.larger_than, self.smaller_than)
            && larger.saturating_add(1) >= smaller
        {
            return Err(invalid_request(
                "'ObjectSizeLessThan' should be greater than 'ObjectSizeGreaterThan' by at least 2.",
            ));
        }
        Ok(())
    }

    fn shown(&self, form: Form) -> LifecycleRuleFilter {
        let (larger, smaller) = (self.larger_than.and_then(shown_size), self.smaller_than.and_then(shown_size));
        let tag = |(key, value): &(String, String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
        let mut tags: Vec<Tag> = self.tags.iter().map(tag).collect();
        if form == Form::And {
            let and = LifecycleRuleAndOperator {
                object_size_greater_than: larger,
                object_size_less_than: smaller,
                prefix: self.prefix.clone(),
                tags: Some(tags).filter(|tags| !tags.is_empty()),
            };
            return LifecycleRuleFilter { and: Some(and), ..LifecycleRuleFilter::default() };
        }
        LifecycleRuleFilter {
            and: None,
            object_size_greater_than: larger,
            object_size_less_than: smaller,
            prefix: self.prefix.clone(),
            tag: tags.pop(),
        }
    }
}

fn pair(tag: Tag) -> S3Result<(String, String)> {
    tag.key.zip(tag.value).ok_or_else(malformed_xml)
}

fn size(bytes: i64) -> S3Result<u64> {
    u64::try_from(bytes).map_err(|_| invalid_request("Object sizes must not be negative."))
}

fn shown_size(bytes: u64) -> Option<i64> {
    i64::try_from(bytes).ok()
}

impl Expiration {
    fn of(expiration: &LifecycleExpiration) -> S3Result<Self> {
        match (expiration.days, expiration.date.clone(), expiration.expired_object_delete_marker) {
            (Some(days), None, None) => positive(days, "Days", "Expiration").map(Self::Days),
            (None, Some(date), None) => {
                let date = Timestamp::from_secs(time::OffsetDateTime::from(date).unix_timestamp());
                if date.as_secs().rem_euclid(DAY_SECS) != 0 {
                    return Err(invalid_argument("'Date' must be at midnight GMT"));
                }
                Ok(Self::Date(date))
            }
            (None, None, Some(marker)) => Ok(Self::ExpiredObjectDeleteMarker(marker)),
            _ => Err(malformed_xml()),
        }
    }

    fn shown(self) -> LifecycleExpiration {
        let mut shown = LifecycleExpiration::default();
        match self {
            Self::Days(days) => shown.days = i32::try_from(days).ok(),
            Self::Date(date) => shown.date = Some(date.to_offset_date_time().into()),
            Self::ExpiredObjectDeleteMarker(marker) => shown.expired_object_delete_marker = Some(marker),
        }
        shown
    }
}

impl Noncurrent {
    fn of(rule: &NoncurrentVersionExpiration) -> S3Result<Self> {
        let action = "NoncurrentVersionExpiration";
        let days = positive(rule.noncurrent_days.ok_or_else(malformed_xml)?, "NoncurrentDays", action)?;
        let newer = rule.newer_noncurrent_versions.map(|newer| positive(newer, "NewerNoncurrentVersions", action));
        let newer = newer.transpose()?;
        if newer.is_some_and(|newer| newer > NEWER_MAX) {
            return Err(invalid_argument(format!(
                "'NewerNoncurrentVersions' for {action} action must be less than or equal to {NEWER_MAX}"
            )));
        }
        Ok(Self { days, newer })
    }
}

fn abort_days(rule: &AbortIncompleteMultipartUpload) -> S3Result<u32> {
    let days = rule.days_after_initiation.ok_or_else(malformed_xml)?;
    positive(days, "DaysAfterInitiation", "AbortIncompleteMultipartUpload")
}

fn positive(number: i32, member: &str, action: &str) -> S3Result<u32> {
    let refused =
        || -> S3Error { invalid_argument(format!("'{member}' for {action} action must be a positive integer")) };
    u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(refused)
}
