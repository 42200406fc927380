//! Who matched, counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hashbrown::HashMap;
use pipeline::{Caller, CallerKey, OTHERS, software};
use record::{IdentityOutline, Text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Callers that are told apart; what more come are counted together.
const CALLERS_MAX: usize = 500_000;

/// What is counted of a record that matched.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Sighting<'a> {
    #[serde(borrow)]
    user_identity: IdentityOutline<'a>,
    event_time: Text<'a>,
    event_name: Text<'a>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: Text<'a>,
    user_agent: Option<Text<'a>>,
    error_code: Option<Text<'a>>,
    request_parameters: Option<Parameters<'a>>,
    additional_event_data: Option<Additional<'a>>,
    /// As they are written: hardly ever needed.
    resources: Option<&'a RawValue>,
    #[serde(rename = "eventID")]
    event_id: Option<Text<'a>>,
    #[serde(rename = "sharedEventID")]
    shared_event_id: Option<Text<'a>>,
    management_event: Option<bool>,
    event_source: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters<'a> {
    /// A text; other services may have something else.
    #[serde(borrow)]
    bucket_name: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Additional<'a> {
    #[serde(rename = "AuthenticationMethod", borrow)]
    authentication_method: Option<Text<'a>>,
    #[serde(rename = "claimedAccessKeyId")]
    claimed_access_key_id: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resource<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(rename = "ARN")]
    arn: Option<Text<'a>>,
}

impl<'a> Sighting<'a> {
    pub fn event_time(&self) -> &str {
        &self.event_time
    }

    /// The key that signed; of a refused request, the one that it named.
    fn access_key_id(&self) -> &str {
        let claimed = self.additional_event_data.as_ref().and_then(|data| data.claimed_access_key_id.as_deref());
        self.user_identity.access_key_id.as_deref().or(claimed).unwrap_or_default()
    }

    /// The record's own id.
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    /// The same in the records of both accounts, of a call between two.
    pub fn shared_event_id(&self) -> Option<&str> {
        self.shared_event_id.as_deref()
    }

    /// Whether this is the copy of the account that was called.
    pub fn is_of_foreign_caller(&self) -> bool {
        self.shared_event_id.is_some() && self.user_identity.is_foreign()
    }

    /// Whether it is a data event of S3. Records older than version 1.06 do not say: they are taken for management events.
    pub fn is_data_event(&self) -> bool {
        self.management_event == Some(false) && &*self.event_source == "s3.amazonaws.com"
    }

    /// Its day, `2026-03-14`.
    pub fn day(&self) -> &str {
        self.event_time.get(..10).unwrap_or_default()
    }

    /// The bucket, if the record is about one.
    pub fn bucket(&self) -> Text<'a> {
        let named = self.request_parameters.as_ref().and_then(|parameters| parameters.bucket_name);
        named
            .and_then(|name| serde_json::from_str(name.get()).ok())
            .or_else(|| self.bucket_of_resources())
            .unwrap_or_default()
    }

    fn bucket_of_resources(&self) -> Option<Text<'a>> {
        let resources: Vec<Resource<'a>> = serde_json::from_str(self.resources?.get()).ok()?;
        let bucket = resources.into_iter().find(|one| one.kind.as_deref() == Some("AWS::S3::Bucket"))?;
        Some(bucket.arn?.strip_prefix("arn:aws:s3:::")?.to_owned().into())
    }
}

/// A caller and the days on which it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Which of the question's patterns it matched.
    pub pattern: usize,
    /// Who, and what it did.
    pub caller: Caller,
    /// Requests by day, `2026-03-14`.
    pub days: BTreeMap<String, u64>,
}

/// Counts of one thread, to be merged.
#[derive(Debug, Default)]
pub struct Tally {
    /// By what a record says, as it says it.
    seen: HashMap<Vec<u8>, Counts>,
    key: Vec<u8>,
}

#[derive(Debug)]
struct Counts {
    pattern: usize,
    key: CallerKey,
    methods: Names,
    actions: Names,
    errors: Names,
    days: Names,
    count: u64,
    first: String,
    last: String,
}

/// Few names, each with a count. The last that was counted is first: the next is often the same.
#[derive(Debug, Default)]
struct Names(Vec<(String, u64)>);

impl Names {
    fn add(&mut self, name: &str) {
        self.add_count(name, 1);
    }

    fn absorb(&mut self, other: Self) {
        for (name, count) in other.0 {
            self.add_count(&name, count);
        }
    }

    fn add_count(&mut self, name: &str, count: u64) {
        let place = self.0.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), 0));
            self.0.len() - 1
        });
        self.0.swap(0, place);
        self.0[0].1 += count;
    }
}

impl Tally {
    pub(crate) fn add(&mut self, pattern: usize, seen: &Sighting<'_>) {
        let (identity, user_agent) = (seen.user_identity.grouping(), seen.user_agent.as_deref().unwrap_or_default());
        let (access_key_id, bucket) = (seen.access_key_id(), seen.bucket());
        self.key.clear();
        self.key.extend_from_slice(&pattern.to_be_bytes());
        for part in [&identity, access_key_id, &seen.source_ip_address, user_agent, &bucket] {
            self.key.extend_from_slice(&(part.len() as u64).to_be_bytes());
            self.key.extend_from_slice(part.as_bytes());
        }
        let new = || CallerKey {
            identity: identity.clone().into_owned(),
            access_key_id: access_key_id.to_owned(),
            source_ip: seen.source_ip_address.to_string(),
            user_agent: software(user_agent),
            bucket: bucket.to_string(),
        };
        if let Some(counts) = self.seen.get_mut(&self.key[..]) {
            return counts.add(seen);
        }
        let key = if self.seen.len() < CALLERS_MAX {
            new()
        } else {
            self.key.truncate(size_of::<usize>());
            others()
        };
        let counts = self.seen.entry_ref(&self.key[..]).or_insert_with(|| Counts::new(pattern, key));
        counts.add(seen);
    }

    /// Adds the counts of other files.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (key, counts) in other.seen {
            let is_room = self.seen.len() < CALLERS_MAX || self.seen.contains_key(&key[..]);
            let pattern = counts.pattern;
            let key = if is_room { key } else { pattern.to_be_bytes().to_vec() };
            let new = || Counts::new(pattern, if is_room { counts.key.clone() } else { others() });
            self.seen.entry(key).or_insert_with(new).absorb(counts);
        }
    }

    /// The most active first.
    pub(crate) fn into_found(self) -> Vec<Found> {
        merge(self.seen.into_values().map(Counts::into_found))
    }
}

/// The same callers as one, the most active first.
pub(crate) fn merge(found: impl IntoIterator<Item = Found>) -> Vec<Found> {
    let mut merged: BTreeMap<(usize, CallerKey), Found> = BTreeMap::new();
    for found in found {
        match merged.entry((found.pattern, found.caller.key.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(found);
            }
            Entry::Occupied(mut occupied) => occupied.get_mut().merge(found),
        }
    }
    let mut merged: Vec<_> = merged.into_values().collect();
    merged.sort_by_key(|found| Reverse(found.caller.count));
    merged
}

impl Counts {
    fn new(pattern: usize, key: CallerKey) -> Self {
        let [methods, actions, errors, days] = std::array::from_fn(|_| Names::default());
        Self { pattern, key, methods, actions, errors, days, count: 0, first: String::new(), last: String::new() }
    }

    fn add(&mut self, seen: &Sighting<'_>) {
        self.count += 1;
        self.actions.add(&seen.event_name);
        self.days.add(seen.day());
        if let Some(method) = seen.additional_event_data.as_ref().and_then(|data| data.authentication_method.as_deref())
        {
            self.methods.add(method);
        }
        if let Some(code) = &seen.error_code {
            self.errors.add(code);
        }
        // RFC 3339 in UTC sorts as text.
        if self.first.is_empty() || *seen.event_time < *self.first {
            self.first = seen.event_time.to_string();
        }
        if *seen.event_time > *self.last {
            self.last = seen.event_time.to_string();
        }
    }

    /// Adds the counts of the same caller.
    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.methods.absorb(other.methods);
        self.actions.absorb(other.actions);
        self.errors.absorb(other.errors);
        self.days.absorb(other.days);
        if self.first.is_empty() || (!other.first.is_empty() && other.first < self.first) {
            self.first = other.first;
        }
        self.last = std::mem::take(&mut self.last).max(other.last);
    }

    fn into_found(self) -> Found {
        let map = |names: Names| names.0.into_iter().collect::<BTreeMap<_, _>>();
        Found {
            pattern: self.pattern,
            caller: Caller {
                key: self.key,
                refused: false,
                auth_methods: map(self.methods),
                actions: map(self.actions),
                errors: map(self.errors),
                count: self.count,
                first_seen: self.first,
                last_seen: self.last,
            },
            days: map(self.days),
        }
    }
}

impl Found {
    /// Adds the counts of the same caller elsewhere.
    fn merge(&mut self, other: Self) {
        let add = |into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>| {
            for (name, count) in from {
                *into.entry(name).or_default() += count;
            }
        };
        add(&mut self.days, other.days);
        let (into, from) = (&mut self.caller, other.caller);
        add(&mut into.auth_methods, from.auth_methods);
        add(&mut into.actions, from.actions);
        add(&mut into.errors, from.errors);
        into.count += from.count;
        into.first_seen = std::mem::take(&mut into.first_seen).min(from.first_seen);
        into.last_seen = std::mem::take(&mut into.last_seen).max(from.last_seen);
    }
}

fn others() -> CallerKey {
    let other = || OTHERS.to_owned();
    CallerKey { identity: other(), access_key_id: other(), source_ip: other(), user_agent: other(), bucket: other() }
}
