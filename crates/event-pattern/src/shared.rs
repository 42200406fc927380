//! A set of rules that changes while events are matched.

use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwap;

use crate::error::EventError;
use crate::matcher::Matcher;
use crate::pattern::Pattern;

/// One change of a set of rules, for [`SharedMatcher::change`].
#[derive(Clone, Debug)]
pub enum Change<K> {
    /// As [`Matcher::add`].
    Add(K, Pattern),
    /// As [`Matcher::remove`].
    Remove(K),
}

/// A [`Matcher`] that many threads match against while others change its rules.
///
/// Whoever matches is never blocked, whatever is being changed, and sees each change whole or not at all. Whoever changes
/// waits for other changes only, never for those who match.
///
/// There are two copies of the rules: one is published, the other is changed and published in its place, and catches up at
/// the next change. So a change costs as much as it does in a `Matcher`, twice. Only where somebody still matches against
/// the copy that is to be changed, that one is left to them and all rules are copied: of many changes at once better make
/// one [`change`](SharedMatcher::change).
///
/// ```
/// use event_pattern::{Change, Pattern, SharedMatcher};
///
/// let rules = SharedMatcher::new();
/// rules.add("old", Pattern::compile(r#"{"source": ["aws.ec2"]}"#)?);
///
/// std::thread::scope(|threads| {
///     threads.spawn(|| {
///         let mut matching = Vec::new();
///         rules.matches(br#"{"source": "aws.ec2"}"#, &mut matching).expect("an event");
///         // One of them, never none or both.
///         assert_eq!(matching.len(), 1);
///     });
///     let new = Pattern::compile(r#"{"source": [{"prefix": "aws."}]}"#).expect("a pattern");
///     rules.change([Change::Remove("old"), Change::Add("new", new)]);
/// });
/// assert_eq!(rules.snapshot().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedMatcher<K> {
    published: ArcSwap<Matcher<K>>,
    writer: Mutex<Writer<K>>,
}

/// The copy that is changed next, and the changes that it has not seen.
#[derive(Debug)]
struct Writer<K> {
    standby: Arc<Matcher<K>>,
    missed: Vec<Change<K>>,
}

impl<K: Ord + Clone> Default for SharedMatcher<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Clone> SharedMatcher<K> {
    /// A matcher without rules.
    pub fn new() -> Self {
        Self {
            published: ArcSwap::from_pointee(Matcher::new()),
            writer: Mutex::new(Writer { standby: Arc::new(Matcher::new()), missed: Vec::new() }),
        }
    }

    /// Adds a rule, and returns the pattern that `key` had before, which it replaces.
    pub fn add(&self, key: K, pattern: Pattern) -> Option<Pattern> {
        self.apply(vec![Change::Add(key, pattern)])
    }

    /// Removes a rule, and returns its pattern if there was one.
    pub fn remove(&self, key: &K) -> Option<Pattern> {
        self.apply(vec![Change::Remove(key.clone())])
    }

    /// Makes changes in their order and publishes them at once: nobody sees some of them without the others.
    pub fn change(&self, changes: impl IntoIterator<Item = Change<K>>) {
        // Read to the end before the lock is taken: an iterator may itself want to change something.
        self.apply(changes.into_iter().collect());
    }

    /// The rules as they are now; later changes do not reach them.
    pub fn snapshot(&self) -> Arc<Matcher<K>> {
        self.published.load_full()
    }

    /// As [`Matcher::matches`], with the rules as they are now.
    pub fn matches(&self, event: &[u8], out: &mut Vec<K>) -> Result<(), EventError> {
        self.published.load().matches(event, out)
    }

    /// As [`Matcher::matches_strict`], with the rules as they are now.
    pub fn matches_strict(&self, event: &[u8], out: &mut Vec<K>) -> Result<(), EventError> {
        self.published.load().matches_strict(event, out)
    }

    /// Makes and publishes changes; the pattern that the last of them replaced or removed.
    fn apply(&self, changes: Vec<Change<K>>) -> Option<Pattern> {
        if changes.is_empty() {
            return None;
        }
        let mut writer = self.writer();
        let Writer { standby, missed } = &mut *writer;
        let rules = Arc::make_mut(standby);
        for change in missed.drain(..) {
            make(rules, change);
        }
        let mut before = None;
        for change in &changes {
            before = make(rules, change.clone());
        }
        *standby = self.published.swap(standby.clone());
        *missed = changes;
        before
    }

    fn writer(&self) -> MutexGuard<'_, Writer<K>> {
        self.writer.lock().unwrap_or_else(|poisoned| {
            // A comparison of keys panicked in the midst of a change. Nothing of it was published: begin from there.
            let mut writer = poisoned.into_inner();
            *writer = Writer { standby: self.published.load_full(), missed: Vec::new() };
            self.writer.clear_poison();
            writer
        })
    }
}

fn make<K: Ord + Clone>(rules: &mut Matcher<K>, change: Change<K>) -> Option<Pattern> {
    match change {
        Change::Add(key, pattern) => rules.add(key, pattern),
        Change::Remove(key) => rules.remove(&key),
    }
}
