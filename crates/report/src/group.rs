//! Callers grouped and counted.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap};

use pipeline::Caller;

use crate::Field;

/// Names, each with how often it was seen.
pub type Counts = BTreeMap<String, u64>;

/// The callers that the fields do not tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The values of the report's fields.
    pub key: Vec<String>,
    /// How the signature was carried.
    pub auth_methods: Counts,
    /// `eventName`.
    pub actions: Counts,
    /// `errorCode`.
    pub errors: Counts,
    /// Requests.
    pub count: u64,
    /// `eventTime` of the first, RFC 3339 in UTC.
    pub first_seen: String,
    /// `eventTime` of the last.
    pub last_seen: String,
}

/// Callers grouped by fields, the most active first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order they were asked for, each once.
    pub fields: Vec<Field>,
    /// By count, then by identity, then by the rest of the key.
    pub groups: Vec<Group>,
}

impl Report {
    /// Groups the callers by these fields; one that is named twice counts once.
    pub fn new(by: &[Field], callers: impl IntoIterator<Item = Caller>) -> Self {
        let fields = distinct(by);
        let mut groups: HashMap<Vec<String>, Group> = HashMap::new();
        for caller in callers {
            let key = key_of(&fields, &caller);
            groups.entry(key.clone()).or_insert_with(|| Group::new(key, &caller)).add(&caller);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by(|a, b| order(&fields, a, b));
        Self { fields, groups }
    }
}

/// The fields in the order they were asked for, each once.
pub(crate) fn distinct(by: &[Field]) -> Vec<Field> {
    let mut fields = Vec::new();
    for &field in by {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

pub(crate) fn key_of(fields: &[Field], caller: &Caller) -> Vec<String> {
    fields.iter().map(|field| field.of(&caller.key).to_owned()).collect()
}

/// By count, the most active first, then by identity, wherever it stands, then by the rest of the key.
pub(crate) fn order(fields: &[Field], a: &Group, b: &Group) -> Ordering {
    let identity = fields.iter().position(|field| *field == Field::Identity);
    let order = |group: &Group| (Reverse(group.count), identity.map(|at| group.key[at].clone()));
    order(a).cmp(&order(b)).then_with(|| a.key.cmp(&b.key))
}

impl Group {
    /// Nobody yet: `first` only says when it begins.
    pub(crate) fn new(key: Vec<String>, first: &Caller) -> Self {
        Self {
            key,
            auth_methods: Counts::new(),
            actions: Counts::new(),
            errors: Counts::new(),
            count: 0,
            first_seen: first.first_seen.clone(),
            last_seen: first.last_seen.clone(),
        }
    }

    /// Takes in a caller.
    pub(crate) fn add(&mut self, caller: &Caller) {
        for (counts, more) in [
            (&mut self.auth_methods, &caller.auth_methods),
            (&mut self.actions, &caller.actions),
            (&mut self.errors, &caller.errors),
        ] {
            for (name, count) in more {
                let total = counts.entry(name.clone()).or_default();
                *total = total.saturating_add(*count);
            }
        }
        self.count = self.count.saturating_add(caller.count);
        // RFC 3339 in UTC sorts as text.
        if caller.first_seen < self.first_seen {
            self.first_seen.clone_from(&caller.first_seen);
        }
        if caller.last_seen > self.last_seen {
            self.last_seen.clone_from(&caller.last_seen);
        }
    }
}

/// Names with their counts, the most frequent first.
pub fn by_count(counts: &Counts) -> Vec<(&str, u64)> {
    let mut sorted: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    sorted.sort_by_key(|(_, count)| Reverse(*count));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{BACKUP, ETL, callers};

    fn keys_and_counts(report: &Report) -> Vec<(Vec<&str>, u64)> {
        report.groups.iter().map(|group| (group.key.iter().map(String::as_str).collect(), group.count)).collect()
    }

    #[test]
    fn groups_are_merged() {
        let report = Report::new(&[Field::Identity], callers());
        assert_eq!(keys_and_counts(&report), [(vec![BACKUP], 10), (vec![ETL], 2)]);
        let backup = &report.groups[0];
        assert_eq!(backup.actions, Counts::from([("ListBuckets".into(), 2), ("PutObject".into(), 8)]));
        assert_eq!(backup.auth_methods, Counts::from([("AuthHeader".into(), 10)]));
        assert_eq!((&*backup.first_seen, &*backup.last_seen), ("2026-11-23T07:00:00Z", "2026-11-23T11:00:00Z"));
        assert_eq!(report.groups[1].errors, Counts::from([("AccessDenied".into(), 2)]));
    }

    #[test]
    fn fields_keep_their_order_and_the_most_active_come_first() {
        let report = Report::new(&[Field::Bucket, Field::Identity, Field::Bucket], callers());
        assert_eq!(report.fields, [Field::Bucket, Field::Identity]);
        let expected = [(vec!["lake", BACKUP], 8), (vec!["logs", ETL], 2), (vec!["", BACKUP], 2)];
        assert_eq!(keys_and_counts(&report), expected, "equal counts are sorted by identity, wherever it stands");
    }

    #[test]
    fn all_fields_keep_callers_apart() {
        let report = Report::new(&Field::ALL, callers());
        assert_eq!(report.groups.len(), callers().len());
        assert_eq!(report.groups.iter().map(|group| group.count).sum::<u64>(), 12);
    }
}
