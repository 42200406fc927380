//! Many rules, one pass over the event.
//!
//! Each sub-rule waits at one of its conditions, the one that the fewest values are likely to satisfy. Only when a value
//! does, the sub-rule's other conditions are looked at, by themselves: what one rule answers cannot depend on another,
//! and rules whose waiting condition is not met cost nothing.

mod index;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compile::{Condition, SubRule};
use crate::consistency::{Candidates, Undecided, consistent};
use crate::error::EventError;
use crate::event::{Frame, Reading, read};
use crate::fields::{Fields, MAX_KEPT, Slot};
use crate::names::{FieldId, Names, id};
use index::FieldIndex;

pub(crate) type RuleId = u32;
type SubId = u32;

#[derive(Clone, Debug)]
pub(crate) struct Engine {
    names: Names,
    fields: Vec<FieldIndex>,
    subs: Vec<Sub>,
    /// Sub-rules that can match without a value: all of their conditions allow a missing field.
    always: BTreeSet<SubId>,
    /// Sub-rules of each rule.
    rules: Vec<Vec<SubId>>,
    dead: usize,
}

/// A sub-rule, and where it waits.
#[derive(Clone, Debug)]
struct Sub {
    rule: RuleId,
    conditions: Box<[(FieldId, Arc<Condition>)]>,
    waits_at: Option<usize>,
}

/// Buffers of one matching run, kept for the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) fields: Fields,
    frames: Vec<Frame>,
    /// The run in which a sub-rule was last looked at, and a rule last matched.
    seen: Vec<u32>,
    matched: Vec<u32>,
    run: u32,
    candidates: Vec<SubId>,
    /// The rules that match.
    pub(crate) hits: Vec<RuleId>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        Self {
            names: Names::new(),
            fields: Vec::new(),
            subs: Vec::new(),
            always: BTreeSet::new(),
            rules: Vec::new(),
            dead: 0,
        }
    }

    pub(crate) fn single(subs: &[SubRule]) -> Self {
        let mut engine = Self::new();
        engine.add(subs);
        engine
    }

    /// Adds a rule that matches when one of `subs` does.
    pub(crate) fn add(&mut self, subs: &[SubRule]) -> RuleId {
        let rule = id(self.rules.len());
        let ids = subs.iter().map(|sub| self.add_sub(rule, sub)).collect();
        self.rules.push(ids);
        rule
    }

    fn add_sub(&mut self, rule: RuleId, sub: &SubRule) -> SubId {
        let sub_id = id(self.subs.len());
        let conditions: Box<[_]> =
            sub.iter().map(|condition| (self.field(&condition.name), condition.clone())).collect();
        let waits_at = self.cheapest(&conditions);
        match waits_at {
            None => {
                self.always.insert(sub_id);
            }
            Some(at) => {
                let (field, condition) = &conditions[at];
                self.fields[*field as usize].add(sub_id, &condition.operators);
            }
        }
        self.subs.push(Sub { rule, conditions, waits_at });
        sub_id
    }

    fn field(&mut self, name: &str) -> FieldId {
        let fresh = id(self.fields.len());
        let field = self.names.add(name, fresh);
        if field == fresh {
            self.fields.push(FieldIndex::default());
        }
        field
    }

    /// The condition to wait at; `None` where the sub-rule can match an event that has none of its fields.
    fn cheapest(&self, conditions: &[(FieldId, Arc<Condition>)]) -> Option<usize> {
        let needed = conditions.iter().enumerate().filter(|(_, (_, condition))| !condition.absent);
        needed
            .min_by_key(|(_, (field, condition))| self.fields[*field as usize].cost(&condition.operators))
            .map(|(at, _)| at)
    }

    /// Takes a rule out. Its ids stay used until the engine is built anew; [`Engine::is_sparse`] says when that pays.
    pub(crate) fn remove(&mut self, rule: RuleId) {
        for sub_id in std::mem::take(&mut self.rules[rule as usize]) {
            let sub = &mut self.subs[sub_id as usize];
            let conditions = std::mem::take(&mut sub.conditions);
            match sub.waits_at {
                None => {
                    self.always.remove(&sub_id);
                }
                Some(at) => {
                    let (field, condition) = &conditions[at];
                    self.fields[*field as usize].remove(sub_id, &condition.operators);
                }
            }
            for (_, condition) in &conditions {
                self.names.remove(&condition.name);
            }
            self.dead += 1;
        }
    }

    /// Whether most of what it holds is removed rules.
    pub(crate) fn is_sparse(&self) -> bool {
        self.dead > 64 && self.dead * 2 > self.subs.len()
    }

    /// Reads `event` and leaves in `scratch.hits` the rules that match, in no order.
    pub(crate) fn matches(&self, event: &[u8], reading: Reading, scratch: &mut Scratch) -> Result<(), EventError> {
        self.read(event, reading, scratch)?;
        self.decide(event, scratch)
    }

    pub(crate) fn read(&self, event: &[u8], reading: Reading, scratch: &mut Scratch) -> Result<(), EventError> {
        scratch.fields.reset(self.fields.len());
        read(event, &self.names, reading, &mut scratch.fields, &mut scratch.frames)
    }

    /// The field that a name leads to, from outside an event.
    pub(crate) fn field_named(&self, name: &str) -> Option<FieldId> {
        self.names.walk(crate::names::ROOT, name.as_bytes(), 0, name.len()).and_then(|node| self.names.field(node))
    }

    /// Makes room for the fields of an input that is not an event.
    pub(crate) fn prepare(&self, scratch: &mut Scratch) {
        scratch.fields.reset(self.fields.len());
    }

    /// Finds the rules that match what was read.
    pub(crate) fn decide(&self, event: &[u8], scratch: &mut Scratch) -> Result<(), EventError> {
        scratch.start_run(self.subs.len(), self.rules.len());
        self.find_candidates(event, scratch);
        let candidates = std::mem::take(&mut scratch.candidates);
        let mut undecided = BTreeSet::new();
        for sub in candidates.iter().map(|&sub| &self.subs[sub as usize]) {
            if scratch.matched[sub.rule as usize] == scratch.run {
                continue;
            }
            match holds(sub, event, &scratch.fields) {
                Ok(false) => {}
                Ok(true) => {
                    scratch.matched[sub.rule as usize] = scratch.run;
                    scratch.hits.push(sub.rule);
                }
                Err(Undecided) => {
                    undecided.insert(sub.rule);
                }
            }
        }
        scratch.candidates = candidates;
        undecided.retain(|&rule| scratch.matched[rule as usize] != scratch.run);
        if undecided.is_empty() { Ok(()) } else { Err(EventError::Undecided { rules: undecided.len() }) }
    }

    fn find_candidates(&self, event: &[u8], scratch: &mut Scratch) {
        let Scratch { fields, candidates, seen, run, .. } = scratch;
        candidates.extend(&self.always);
        for &field in fields.touched() {
            let index = &self.fields[field as usize];
            if index.is_empty() {
                continue;
            }
            for slot in fields.slots(field) {
                index.find(fields.scalar(event, slot), &mut |sub| {
                    let last = &mut seen[sub as usize];
                    if *last != *run {
                        *last = *run;
                        candidates.push(sub);
                    }
                });
            }
        }
    }
}

impl Scratch {
    /// Whether the buffers that grow with the event are small enough to be kept.
    pub(crate) fn is_small(&self) -> bool {
        self.fields.is_small() && self.frames.capacity() <= MAX_KEPT
    }

    fn start_run(&mut self, subs: usize, rules: usize) {
        if self.run == u32::MAX {
            self.seen.fill(0);
            self.matched.fill(0);
            self.run = 0;
        }
        self.run += 1;
        if self.seen.len() < subs {
            self.seen.resize(subs, 0);
        }
        if self.matched.len() < rules {
            self.matched.resize(rules, 0);
        }
        self.candidates.clear();
        self.hits.clear();
    }
}

/// Whether a value satisfies a condition.
pub(crate) fn satisfies(condition: &Condition, event: &[u8], fields: &Fields, slot: Slot) -> bool {
    let value = fields.scalar(event, slot);
    condition.operators.iter().any(|operator| operator.matches(value))
}

/// Whether a condition holds if arrays are left out of account.
pub(crate) fn holds_alone(condition: &Condition, event: &[u8], fields: &Fields, field: FieldId) -> bool {
    let mut present = false;
    fields.slots(field).any(|slot| {
        present = true;
        satisfies(condition, event, fields, slot)
    }) || (condition.absent && !present)
}

fn holds(sub: &Sub, event: &[u8], fields: &Fields) -> Result<bool, Undecided> {
    if !fields.has_elements() {
        return Ok(sub.conditions.iter().all(|(field, condition)| holds_alone(condition, event, fields, *field)));
    }
    holds_together(sub.conditions.iter().map(|(field, condition)| (*field, &**condition)), event, fields)
}

/// Whether conditions hold with values that fit together.
pub(crate) fn holds_together<'c>(
    conditions: impl Iterator<Item = (FieldId, &'c Condition)>,
    event: &[u8],
    fields: &Fields,
) -> Result<bool, Undecided> {
    let mut candidates = Vec::new();
    for (field, condition) in conditions {
        let mut candidate = Candidates { absent: condition.absent, ..Candidates::default() };
        for slot in fields.slots(field) {
            candidate.present.push(slot.element);
            if satisfies(condition, event, fields, slot) {
                candidate.satisfying.push(slot.element);
            }
        }
        if candidate.satisfying.is_empty() && !candidate.absent {
            return Ok(false);
        }
        candidates.push(candidate);
    }
    consistent(&fields.elements, &mut candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pattern;

    #[test]
    fn what_is_removed_is_no_longer_read() {
        let mut engine = Engine::new();
        let pattern = |text| Pattern::compile(text).expect("valid");
        let first = engine.add(pattern(r#"{"a":{"b":[1]},"c":[{"prefix":"x"}]}"#).subs());
        let second = engine.add(pattern(r#"{"a":{"b":[2]}}"#).subs());
        let event = br#"{"a":{"b":2},"c":"x"}"#;
        let mut scratch = Scratch::default();
        engine.remove(first);
        engine.matches(event, Reading::Loose, &mut scratch).expect("an event");
        assert_eq!((scratch.hits.as_slice(), scratch.fields.touched().len()), (&[second][..], 1));
        engine.remove(second);
        engine.matches(event, Reading::Loose, &mut scratch).expect("an event");
        assert!(scratch.hits.is_empty() && scratch.candidates.is_empty() && scratch.fields.touched().is_empty());
        assert!(engine.fields.iter().all(FieldIndex::is_empty) && engine.always.is_empty());
    }
}
