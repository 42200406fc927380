//! Who matched, counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hashbrown::HashMap;
use pipeline::{Caller, CallerKey, OTHERS, software};
use serde::{Deserialize, Serialize};

use crate::sighting::Sighting;

/// Callers that are told apart; what more come are counted together.
const CALLERS_MAX: usize = 500_000;

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
        let (identity, access_key_id, bucket) = (seen.identity(), seen.access_key_id(), seen.bucket());
        let (source_ip, user_agent) = (seen.source_ip_address(), seen.user_agent());
        self.key.clear();
        self.key.extend_from_slice(&pattern.to_be_bytes());
        for part in [&*identity, access_key_id, source_ip, user_agent, bucket] {
            self.key.extend_from_slice(&(part.len() as u64).to_be_bytes());
            self.key.extend_from_slice(part.as_bytes());
        }
        let new = || CallerKey {
            identity: identity.clone().into_owned(),
            access_key_id: access_key_id.to_owned(),
            source_ip: source_ip.to_owned(),
            user_agent: software(user_agent),
            bucket: bucket.to_owned(),
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
        self.actions.add(seen.event_name());
        self.days.add(seen.day());
        if let Some(method) = seen.authentication_method() {
            self.methods.add(method);
        }
        if let Some(code) = seen.error_code() {
            self.errors.add(code);
        }
        // RFC 3339 in UTC sorts as text.
        let time = seen.event_time();
        if self.first.is_empty() || time < self.first.as_str() {
            time.clone_into(&mut self.first);
        }
        if time > self.last.as_str() {
            time.clone_into(&mut self.last);
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
