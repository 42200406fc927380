//! Many patterns at once.

use std::collections::BTreeMap;

use crate::engine::{Engine, RuleId};
use crate::error::EventError;
use crate::event::Reading;
use crate::pattern::{Pattern, with_scratch};

/// A set of rules, each a key and a pattern. One pass over an event finds all that match; what one rule answers does not
/// depend on which others there are.
#[derive(Clone, Debug)]
pub struct Matcher<K> {
    rules: BTreeMap<K, (RuleId, Pattern)>,
    /// The key of each of the engine's rules.
    keys: Vec<Option<K>>,
    engine: Engine,
}

impl<K: Ord + Clone> Default for Matcher<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Clone> Matcher<K> {
    /// A matcher without rules.
    pub fn new() -> Self {
        Self { rules: BTreeMap::new(), keys: Vec::new(), engine: Engine::new() }
    }

    /// Adds a rule, and returns the pattern that `key` had before, which it replaces.
    pub fn add(&mut self, key: K, pattern: Pattern) -> Option<Pattern> {
        let before = self.remove(&key);
        let rule = self.engine.add(pattern.subs());
        self.keys.push(Some(key.clone()));
        self.rules.insert(key, (rule, pattern));
        before
    }

    /// Removes a rule, and returns its pattern if there was one.
    pub fn remove(&mut self, key: &K) -> Option<Pattern> {
        let (rule, pattern) = self.rules.remove(key)?;
        self.engine.remove(rule);
        self.keys[rule as usize] = None;
        if self.engine.is_sparse() {
            self.rebuild();
        }
        Some(pattern)
    }

    fn rebuild(&mut self) {
        self.engine = Engine::new();
        self.keys.clear();
        for (key, (rule, pattern)) in &mut self.rules {
            *rule = self.engine.add(pattern.subs());
            self.keys.push(Some(key.clone()));
        }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The pattern of a rule.
    pub fn get(&self, key: &K) -> Option<&Pattern> {
        self.rules.get(key).map(|(_, pattern)| pattern)
    }

    /// The rules, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Pattern)> {
        self.rules.iter().map(|(key, (_, pattern))| (key, pattern))
    }

    /// Puts into `out`, emptied first, the keys of all rules that match `event`, sorted.
    ///
    /// After [`EventError::Undecided`] `out` holds the rules that were found to match; after any other error nothing.
    pub fn matches(&self, event: &[u8], out: &mut Vec<K>) -> Result<(), EventError> {
        self.matches_reading(event, Reading::Loose, out)
    }

    /// As [`Matcher::matches`], with all of the event checked: what is not one JSON object in UTF-8 is an error, whatever
    /// the rules mention.
    pub fn matches_strict(&self, event: &[u8], out: &mut Vec<K>) -> Result<(), EventError> {
        self.matches_reading(event, Reading::Strict, out)
    }

    fn matches_reading(&self, event: &[u8], reading: Reading, out: &mut Vec<K>) -> Result<(), EventError> {
        out.clear();
        with_scratch(|scratch| {
            let result = self.engine.matches(event, reading, scratch);
            if matches!(result, Ok(()) | Err(EventError::Undecided { .. })) {
                out.extend(scratch.hits.iter().filter_map(|&rule| self.keys[rule as usize].clone()));
                out.sort_unstable();
            }
            result
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Matcher<String>>();
        shared::<Pattern>();
    }

    #[test]
    fn replaces_and_removes() {
        let pattern = |text| Pattern::compile(text).expect("valid");
        let mut matcher = Matcher::new();
        let mut out = Vec::new();
        assert!(matcher.add("rule", pattern(r#"{"a":["x"]}"#)).is_none());
        assert!(matcher.add("rule", pattern(r#"{"a":["y"]}"#)).is_some());
        assert_eq!(matcher.len(), 1);
        matcher.matches(br#"{"a":"x"}"#, &mut out).expect("an event");
        assert!(out.is_empty());
        matcher.matches(br#"{"a":"y"}"#, &mut out).expect("an event");
        assert_eq!(out, ["rule"]);
        assert!(matcher.remove(&"rule").is_some());
        assert!(matcher.remove(&"rule").is_none());
        matcher.matches(br#"{"a":"y"}"#, &mut out).expect("an event");
        assert!(out.is_empty() && matcher.is_empty());
    }
}
