//! Rules that change while events are matched.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use event_pattern::{Change, EventError, Pattern, SharedMatcher};
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    Pattern::compile(text).expect("valid")
}

const EVENT: &[u8] = br#"{"a":1}"#;

#[test]
fn can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<SharedMatcher<String>>();
}

#[test]
fn a_batch_is_seen_whole_or_not_at_all() {
    const BATCH: usize = 20;
    let rules = SharedMatcher::new();
    let matching = pattern(r#"{"a":[1]}"#);
    let all = |generation| (0..BATCH).map(move |at| (generation, at));
    rules.change(all(0).map(|key| Change::Add(key, matching.clone())));
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let read = || {
        let mut found = Vec::new();
        let mut last = 0;
        while !done.load(Relaxed) {
            rules.matches(EVENT, &mut found).expect("an event");
            let generation = found[0].0;
            assert!(found.iter().copied().eq(all(generation)), "{found:?}");
            assert!(generation >= last, "{generation} after {last}");
            last = generation;
            reads.fetch_add(1, Relaxed);
        }
    };
    thread::scope(|threads| {
        let readers = [threads.spawn(read), threads.spawn(read)];
        for generation in 1..2_000 {
            let remove = all(generation - 1).map(Change::Remove);
            rules.change(remove.chain(all(generation).map(|key| Change::Add(key, matching.clone()))));
        }
        // On a busy machine the readers may not have had their turn yet.
        while reads.load(Relaxed) < 100 && readers.iter().all(|reader| !reader.is_finished()) {
            thread::yield_now();
        }
        done.store(true, Relaxed);
    });
    assert!(reads.load(Relaxed) >= 100);
}

#[test]
fn writers_do_not_lose_each_others_changes() {
    let rules = SharedMatcher::new();
    thread::scope(|threads| {
        for writer in 0..4 {
            let rules = &rules;
            threads.spawn(move || (0..200).for_each(|at| drop(rules.add((writer, at), pattern(r#"{"a":[1]}"#)))));
        }
    });
    let mut found = Vec::new();
    rules.matches_strict(EVENT, &mut found).expect("an event");
    assert_eq!(found.len(), 800);
    assert!(matches!(rules.matches_strict(b"{} x", &mut found), Err(EventError::Syntax { .. })));
}

#[test]
fn snapshots_stay_as_they_are() {
    let rules = SharedMatcher::new();
    let mut snapshots = Vec::new();
    for at in 0..50 {
        snapshots.push(rules.snapshot());
        rules.add(at, pattern(r#"{"a":[1]}"#));
    }
    let mut found = Vec::new();
    for (length, snapshot) in snapshots.iter().enumerate() {
        snapshot.matches(EVENT, &mut found).expect("an event");
        assert_eq!((found.len(), snapshot.len()), (length, length));
    }
}

/// A key that cannot be compared with its like.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(Option<u8>);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        assert!(self.0.is_some() && other.0.is_some(), "not to be compared");
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn a_change_that_panics_changes_nothing() {
    let rules = SharedMatcher::new();
    let matching = pattern(r#"{"a":[1]}"#);
    rules.add(Key(Some(1)), matching.clone());
    let batch = [Change::Add(Key(Some(2)), matching.clone()), Change::Remove(Key(None))];
    assert!(catch_unwind(AssertUnwindSafe(|| rules.change(batch))).is_err());
    let mut found = Vec::new();
    rules.matches(EVENT, &mut found).expect("an event");
    assert_eq!(found, [Key(Some(1))]);
    rules.add(Key(Some(3)), matching);
    rules.matches(EVENT, &mut found).expect("an event");
    assert_eq!(found, [Key(Some(1)), Key(Some(3))]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_a_map_does(
        batches in prop::collection::vec((prop::collection::vec((0..12_u8, 0..5_u8), 1..8), any::<bool>()), 1..60),
    ) {
        let rules = SharedMatcher::new();
        let mut model = BTreeMap::new();
        let mut held = None;
        let mut found = Vec::new();
        for (batch, hold) in batches {
            let changes: Vec<_> = batch.iter().map(|&(key, value)| match value {
                0 => Change::Remove(key),
                value => Change::Add(key, pattern(&format!("{{\"a\":[{value}]}}"))),
            }).collect();
            let before = model.get(&batch[0].0).copied();
            for (key, value) in batch {
                if value == 0 { model.remove(&key) } else { model.insert(key, value) };
            }
            if let [change] = changes.as_slice() {
                let replaced = match change.clone() {
                    Change::Add(key, pattern) => rules.add(key, pattern),
                    Change::Remove(key) => rules.remove(&key),
                };
                prop_assert_eq!(replaced.map(|pattern| pattern.source().to_owned()), before.map(|value| format!("{{\"a\":[{value}]}}")));
            } else {
                rules.change(changes);
            }
            // A reader that holds a copy must not keep others from seeing what is new.
            held = hold.then(|| rules.snapshot()).or(held);
            for value in 1..5 {
                rules.matches(format!("{{\"a\":{value}}}").as_bytes(), &mut found).expect("an event");
                let expected: Vec<u8> = model.iter().filter(|(_, has)| **has == value).map(|(key, _)| *key).collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
