//! Callers grouped and counted, to be printed.

pub mod csv;
pub mod json;
pub mod table;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use clap::ValueEnum;
use pipeline::{Caller, CallerKey};

/// What tells one caller from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Field {
    /// The role behind a session, else the ARN
    Identity,
    /// The key that signed
    AccessKeyId,
    /// The address
    SourceIp,
    /// The software, as it names itself
    UserAgent,
    /// The bucket, empty for calls on none
    Bucket,
}

impl Field {
    pub const ALL: [Self; 5] = [Self::Identity, Self::AccessKeyId, Self::SourceIp, Self::UserAgent, Self::Bucket];

    /// Its name on the command line, in JSON and in CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::AccessKeyId => "access_key_id",
            Self::SourceIp => "source_ip",
            Self::UserAgent => "user_agent",
            Self::Bucket => "bucket",
        }
    }

    fn of(self, key: &CallerKey) -> &str {
        match self {
            Self::Identity => &key.identity,
            Self::AccessKeyId => &key.access_key_id,
            Self::SourceIp => &key.source_ip,
            Self::UserAgent => &key.user_agent,
            Self::Bucket => &key.bucket,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names, each with how often it was seen.
pub type Counts = BTreeMap<String, u64>;

/// The callers that the fields do not tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The values of the report's fields.
    pub key: Vec<String>,
    pub auth_methods: Counts,
    pub actions: Counts,
    pub errors: Counts,
    pub count: u64,
    pub first_seen: String,
    pub last_seen: String,
}

/// The most active first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order they were asked for, each once.
    pub fields: Vec<Field>,
    pub groups: Vec<Group>,
}

impl Report {
    pub fn new(by: &[Field], callers: impl IntoIterator<Item = Caller>) -> Self {
        let mut fields = Vec::new();
        for &field in by {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let mut groups: HashMap<Vec<String>, Group> = HashMap::new();
        for caller in callers {
            let key: Vec<String> = fields.iter().map(|field| field.of(&caller.key).to_owned()).collect();
            groups.entry(key.clone()).or_insert_with(|| Group::new(key, &caller)).add(&caller);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        let identity = fields.iter().position(|field| *field == Field::Identity);
        groups.sort_by(|a, b| {
            let order = |group: &Group| (Reverse(group.count), identity.map(|at| group.key[at].clone()));
            order(a).cmp(&order(b)).then_with(|| a.key.cmp(&b.key))
        });
        Self { fields, groups }
    }
}

impl Group {
    fn new(key: Vec<String>, first: &Caller) -> Self {
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

    fn add(&mut self, caller: &Caller) {
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
pub mod samples {
    //! Callers for tests.

    use super::*;

    /// A caller that was seen once a minute, `count` times since `first`, an RFC 3339 time's `HH:MM`.
    pub fn caller(key: [&str; 5], actions: &[(&str, u64)], seen: [&str; 2]) -> Caller {
        let [identity, access_key_id, source_ip, user_agent, bucket] = key.map(str::to_owned);
        let actions: Counts = actions.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let count = actions.values().sum();
        let [first_seen, last_seen] = seen.map(|time| format!("2026-11-23T{time}Z"));
        Caller {
            key: CallerKey { identity, access_key_id, source_ip, user_agent, bucket },
            refused: false,
            auth_methods: Counts::from([("AuthHeader".to_owned(), count)]),
            actions,
            errors: Counts::new(),
            count,
            first_seen,
            last_seen,
        }
    }

    pub const BACKUP: &str = "arn:aws:iam::111122223333:user/nightly-backup";
    pub const ETL: &str = "arn:aws:iam::111122223333:role/etl";
    pub const BOTO: &str = "Boto/2.49.0 Python/2.7.18 Linux/5.10.0-33-amd64";
    pub const S3CMD: &str = "s3cmd/2.4.0";

    pub fn callers() -> Vec<Caller> {
        let mut denied =
            caller([ETL, "ASIAETL", "10.0.0.9", S3CMD, "logs"], &[("GetObject", 2)], ["08:00:00", "09:00:00"]);
        denied.errors.insert("AccessDenied".into(), 2);
        denied.auth_methods = Counts::from([("QueryString".into(), 2)]);
        vec![
            caller([BACKUP, "AKIABACKUP", "10.0.0.1", BOTO, "lake"], &[("PutObject", 7)], ["10:00:00", "11:00:00"]),
            caller([BACKUP, "AKIABACKUP", "10.0.0.2", BOTO, "lake"], &[("PutObject", 1)], ["07:00:00", "07:00:00"]),
            caller([BACKUP, "AKIABACKUP", "10.0.0.1", BOTO, ""], &[("ListBuckets", 2)], ["10:30:00", "10:40:00"]),
            denied,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{BACKUP, ETL, callers};
    use super::*;

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

    #[test]
    fn names_on_the_command_line_are_those_in_reports() {
        for field in Field::ALL {
            assert_eq!(
                field.to_possible_value().map(|value| value.get_name().to_owned()).as_deref(),
                Some(field.name())
            );
        }
    }
}
