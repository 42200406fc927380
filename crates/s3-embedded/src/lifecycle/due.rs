//! What rules say of an object, a version, a delete marker or an upload at a moment. The moment is an argument.
//!
//! Source: S3 user guide, "Lifecycle rules based on an object's age": "Amazon S3 calculates the time by adding the number of days
//! specified in the rule to the object creation time and rounding the resulting time up to the next day midnight UTC".

use aws_api::Timestamp;

use crate::lifecycle::rules::{DAY_SECS, Expiration, Filter, Rule, Rules};
use crate::row::ObjectRow;

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub key: &'a str,
    /// `None`: it has neither size nor tags.
    pub object: Option<&'a ObjectRow>,
}

impl<'a> Subject<'a> {
    pub fn of(key: &'a str, object: &'a ObjectRow) -> Self {
        Self { key, object: Some(object) }
    }

    /// A delete marker, or an upload.
    pub fn bare(key: &'a str) -> Self {
        Self { key, object: None }
    }
}

/// When so many days are over.
pub(crate) fn days_after(from: Timestamp, days: u32) -> Timestamp {
    let moment = from.as_secs().saturating_add(i64::from(days) * DAY_SECS);
    // What lies at midnight is rounded, too: nothing goes early.
    Timestamp::from_secs((moment.div_euclid(DAY_SECS) + 1).saturating_mul(DAY_SECS))
}

impl Filter {
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        if self.prefix.as_ref().is_some_and(|prefix| !subject.key.starts_with(prefix.as_str())) {
            return false;
        }
        let Some(object) = subject.object else {
            return self.tags.is_empty() && self.larger_than.is_none() && self.smaller_than.is_none();
        };
        self.tags.iter().all(|tag| object.tags.contains(tag))
            && self.larger_than.is_none_or(|bytes| object.size > bytes)
            && self.smaller_than.is_none_or(|bytes| object.size < bytes)
    }
}

impl Rules {
    fn about<'a>(&'a self, subject: &'a Subject<'_>) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(|rule| rule.enabled && rule.filter.matches(subject))
    }

    /// When a current object goes, and by which rule: the first that is due.
    pub fn expiry<'a>(&'a self, subject: &Subject<'_>, modified: Timestamp) -> Option<(Timestamp, &'a str)> {
        let moment = |rule: &'a Rule| {
            let moment = match rule.expiration? {
                Expiration::Days(days) => days_after(modified, days),
                Expiration::Date(date) => date,
                Expiration::ExpiredObjectDeleteMarker(_) => return None,
            };
            Some((moment, rule.id.as_str()))
        };
        let rules = self.rules.iter().filter(|rule| rule.enabled && rule.filter.matches(subject));
        rules.filter_map(moment).min_by_key(|(moment, _)| *moment)
    }

    /// Whether a delete marker goes that is all that is left of its key.
    ///
    /// A rule with `Days` does that, too, once the marker is old enough ("Removing expired object delete markers").
    pub fn marker_is_due(&self, key: &str, modified: Timestamp, now: Timestamp) -> bool {
        self.about(&Subject::bare(key)).any(|rule| match rule.expiration {
            Some(Expiration::ExpiredObjectDeleteMarker(removes)) => removes,
            Some(Expiration::Days(days)) => days_after(modified, days) <= now,
            Some(Expiration::Date(date)) => date <= now,
            None => false,
        })
    }

    /// Whether a version goes that has been noncurrent since then, with so many newer noncurrent ones.
    pub fn noncurrent_is_due(&self, subject: &Subject<'_>, since: Timestamp, newer: u32, now: Timestamp) -> bool {
        self.about(subject)
            .filter_map(|rule| rule.noncurrent)
            .any(|rule| days_after(since, rule.days) <= now && rule.newer.is_none_or(|kept| newer >= kept))
    }

    /// Whether an upload is given up that was begun then.
    pub fn upload_is_due(&self, key: &str, initiated: Timestamp, now: Timestamp) -> bool {
        let subject = Subject::bare(key);
        let mut days = self.about(&subject).filter_map(|rule| rule.abort_days);
        days.any(|days| days_after(initiated, days) <= now)
    }

    /// Whether anything but uploads can be due.
    pub fn are_about_versions(&self) -> bool {
        self.rules.iter().any(|rule| rule.enabled && (rule.expiration.is_some() || rule.noncurrent.is_some()))
    }
}

#[cfg(test)]
mod tests;
