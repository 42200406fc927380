//! Many rules, one pass over the event.
//!
//! Each sub-rule waits at one of its conditions, the one that the fewest values are likely to satisfy. Only when a value
//! does, the sub-rule's other conditions are looked at, by themselves: what one rule answers cannot depend on another,
//! and rules whose waiting condition is not met cost nothing. Conditions that several sub-rules share are looked at once an
//! event.

mod choices;
mod conditions;
mod grams;
mod index;
mod prefilter;
mod ranges;
mod scratch;
mod trie;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compile::{Condition, SubRule};
use crate::consistency::Undecided;
use crate::error::EventError;
use crate::event::{Reading, read, validate};
use crate::names::{FieldId, Names, id};
use crate::operator::Operator;
pub(crate) use conditions::satisfies;
use conditions::{ConditionId, Conditions};
use index::FieldIndex;
use prefilter::Prefilter;
pub(crate) use scratch::Scratch;

pub(crate) type RuleId = u32;
type SubId = u32;
type Waiting = Vec<SubId>;

#[derive(Clone, Debug)]
pub(crate) struct Engine {
    names: Names,
    fields: Vec<FieldIndex>,
    conditions: Conditions,
    subs: Vec<Sub>,
    /// Sub-rules that can match without a value: all of their conditions allow a missing field.
    always: BTreeSet<SubId>,
    /// Sub-rules of each rule.
    rules: Vec<Box<[SubId]>>,
    dead: usize,
    /// Only with a single sub-rule.
    prefilter: Option<Prefilter>,
}

/// A sub-rule, and where it waits.
#[derive(Clone, Debug)]
struct Sub {
    rule: RuleId,
    /// Sorted by name.
    conditions: Box<[ConditionId]>,
    waits_at: Option<ConditionId>,
}

/// Takes one entry out of a list whose order means nothing; `false` if it was not there.
fn take_out(waiting: &mut Waiting, sub: SubId) -> bool {
    let found = waiting.iter().position(|&other| other == sub);
    found.map(|at| waiting.swap_remove(at)).is_some()
}

impl Engine {
    pub(crate) fn new() -> Self {
        Self {
            names: Names::new(),
            fields: Vec::new(),
            conditions: Conditions::default(),
            subs: Vec::new(),
            always: BTreeSet::new(),
            rules: Vec::new(),
            dead: 0,
            prefilter: None,
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
        self.prefilter = match subs {
            [sub] if rule == 0 => Prefilter::new(sub),
            _ => None,
        };
        let ids = subs.iter().map(|sub| self.add_sub(rule, sub)).collect();
        self.rules.push(ids);
        rule
    }

    fn add_sub(&mut self, rule: RuleId, sub: &SubRule) -> SubId {
        let sub_id = id(self.subs.len());
        let conditions: Box<[_]> = sub.iter().map(|condition| self.add_condition(condition)).collect();
        let waits_at = self.cheapest(&conditions);
        match waits_at {
            None => {
                self.always.insert(sub_id);
            }
            Some(at) => {
                let (field, condition) = self.conditions.get(at);
                self.fields[field as usize].add(sub_id, &condition.operators.operators);
            }
        }
        self.subs.push(Sub { rule, conditions, waits_at });
        sub_id
    }

    fn add_condition(&mut self, condition: &Arc<Condition>) -> ConditionId {
        let fresh = id(self.fields.len());
        let field = self.names.add(&condition.name, fresh);
        if field == fresh {
            self.fields.push(FieldIndex::default());
        }
        let index = &mut self.fields[field as usize];
        index.parses.numbers |= condition.operators.any(Operator::is_numeric);
        index.parses.addresses |= condition.operators.any(Operator::is_address);
        self.conditions.add(field, condition)
    }

    /// The condition to wait at; `None` where the sub-rule can match an event that has none of its fields.
    ///
    /// What many rules ask is likely to be so in most events. Among equals the deepest field tells most.
    fn cheapest(&self, conditions: &[ConditionId]) -> Option<ConditionId> {
        let priced = conditions.iter().filter_map(|&at| {
            let (field, condition) = self.conditions.get(at);
            let cost = || {
                let asked = self.conditions.uses(at);
                let depth = condition.name.matches('.').count();
                (self.fields[field as usize].cost(&condition.operators.operators, asked), Reverse(depth))
            };
            (!condition.absent).then(|| (cost(), at))
        });
        priced.min().map(|(_, at)| at)
    }

    /// Takes a rule out. Its ids stay used until the engine is built anew; [`Engine::is_sparse`] says when that pays.
    pub(crate) fn remove(&mut self, rule: RuleId) {
        for sub_id in std::mem::take(&mut self.rules[rule as usize]) {
            let sub = &mut self.subs[sub_id as usize];
            match sub.waits_at {
                None => {
                    self.always.remove(&sub_id);
                }
                Some(at) => {
                    let (field, condition) = self.conditions.get(at);
                    self.fields[field as usize].remove(sub_id, &condition.operators.operators);
                }
            }
            for at in std::mem::take(&mut sub.conditions) {
                self.names.remove(&self.conditions.get(at).1.name);
                self.conditions.remove(at);
            }
            self.dead += 1;
        }
    }

    /// Whether most of what it holds is removed rules.
    pub(crate) fn is_sparse(&self) -> bool {
        self.dead > 64 && self.dead * 2 > self.subs.len()
    }

    /// Leaves in `scratch.hits` the rules that match `event`, in no order. It is read no further than that takes.
    pub(crate) fn matches(&self, event: &[u8], reading: Reading, scratch: &mut Scratch) -> Result<(), EventError> {
        if let Some(prefilter) = &self.prefilter {
            let passes = prefilter.may_match(event, std::ptr::from_ref(self).addr(), &mut scratch.worth);
            if !passes {
                scratch.hits.clear();
                return if reading == Reading::Strict { validate(event) } else { Ok(()) };
            }
        }
        self.examine(event, reading, scratch)
    }

    /// As [`Engine::matches`], but every field that rules name is read.
    pub(crate) fn examine(&self, event: &[u8], reading: Reading, scratch: &mut Scratch) -> Result<(), EventError> {
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
        scratch.start_run(self.subs.len(), self.rules.len(), self.conditions.len());
        self.find_candidates(event, scratch);
        let candidates = std::mem::take(&mut scratch.candidates);
        let mut undecided = BTreeSet::new();
        for sub in candidates.iter().map(|&sub| &self.subs[sub as usize]) {
            if scratch.has_matched(sub.rule) {
                continue;
            }
            match self.holds(sub, event, scratch) {
                Ok(false) => {}
                Ok(true) => scratch.hit(sub.rule),
                Err(Undecided) => {
                    undecided.insert(sub.rule);
                }
            }
        }
        scratch.candidates = candidates;
        undecided.retain(|&rule| !scratch.has_matched(rule));
        if undecided.is_empty() { Ok(()) } else { Err(EventError::Undecided { rules: undecided.len() }) }
    }

    fn find_candidates(&self, event: &[u8], scratch: &mut Scratch) {
        scratch.candidates.extend(&self.always);
        let Scratch { fields, candidates, seen, run, canonical, .. } = scratch;
        for index in 0..fields.touched().len() {
            let field = fields.touched()[index];
            let index = &self.fields[field as usize];
            fields.parse(event, field, index.parses);
            if index.is_empty() {
                continue;
            }
            for slot in fields.slots(field) {
                index.find(fields.scalar(event, slot), canonical, &mut |waiting| {
                    for &sub in waiting {
                        let last = &mut seen[sub as usize];
                        if *last != *run {
                            *last = *run;
                            candidates.push(sub);
                        }
                    }
                });
            }
        }
    }

    /// Whether all conditions of a sub-rule hold, with values that fit together.
    fn holds(&self, sub: &Sub, event: &[u8], scratch: &mut Scratch) -> Result<bool, Undecided> {
        let (mut alone, mut in_elements) = (true, 0);
        for &at in &sub.conditions {
            let answer = self.conditions.look(at, event, scratch);
            if !answer.possible {
                return Ok(false);
            }
            alone &= answer.alone;
            in_elements += usize::from(answer.in_elements);
        }
        // A value outside of arrays fits with all others, and so do the values of one field.
        if in_elements < 2 {
            return Ok(alone);
        }
        let conditions = sub.conditions.iter().map(|&at| self.conditions.get(at));
        holds_together(conditions, event, scratch)
    }
}

/// Whether conditions hold with values that fit together.
pub(crate) fn holds_together<'c>(
    conditions: impl Iterator<Item = (FieldId, &'c Condition)>,
    event: &[u8],
    scratch: &mut Scratch,
) -> Result<bool, Undecided> {
    let Scratch { fields, choices, .. } = scratch;
    choices.clear();
    for (field, condition) in conditions {
        choices.start(condition.absent);
        for slot in fields.slots(field) {
            choices.add(slot.element, satisfies(condition, event, fields, slot));
        }
    }
    choices.consistent(&fields.elements)
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
        assert!(engine.conditions.is_empty());
    }
}
