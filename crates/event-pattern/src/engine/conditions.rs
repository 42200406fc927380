//! The conditions of all sub-rules, each kept once however many ask it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Scratch;
use crate::compile::Condition;
use crate::fields::{Fields, OUTSIDE, Slot};
use crate::hash::FastMap;
use crate::names::{FieldId, id};

pub(super) type ConditionId = u32;

#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    entries: Vec<Entry>,
    by_what: FastMap<What, ConditionId>,
    free: Vec<ConditionId>,
}

#[derive(Clone, Debug)]
struct Entry {
    field: FieldId,
    condition: Arc<Condition>,
    /// Sub-rules that ask it.
    uses: usize,
}

/// What a condition asks, whichever pattern's text it stands in.
#[derive(Clone, Debug)]
struct What(FieldId, Arc<Condition>);

impl PartialEq for What {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 && self.1.absent == other.1.absent && self.1.operators == other.1.operators
    }
}

impl Eq for What {}

impl Hash for What {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1.absent).hash(state);
        self.1.operators.hash(state);
    }
}

/// What is known of a condition and an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    /// It holds if arrays are left out of account.
    pub(super) alone: bool,
    /// It may hold with some choice of array elements.
    pub(super) possible: bool,
    /// Some of the field's values stand in array elements.
    pub(super) in_elements: bool,
}

impl Conditions {
    pub(super) fn add(&mut self, field: FieldId, condition: &Arc<Condition>) -> ConditionId {
        let what = What(field, condition.clone());
        if let Some(&at) = self.by_what.get(&what) {
            self.entries[at as usize].uses += 1;
            return at;
        }
        let entry = Entry { field, condition: condition.clone(), uses: 1 };
        let at = if let Some(at) = self.free.pop() {
            self.entries[at as usize] = entry;
            at
        } else {
            self.entries.push(entry);
            id(self.entries.len() - 1)
        };
        self.by_what.insert(what, at);
        at
    }

    pub(super) fn remove(&mut self, at: ConditionId) {
        let entry = &mut self.entries[at as usize];
        entry.uses -= 1;
        if entry.uses == 0 {
            self.by_what.remove(&What(entry.field, entry.condition.clone()));
            self.free.push(at);
        }
    }

    pub(super) fn get(&self, at: ConditionId) -> (FieldId, &Condition) {
        let entry = &self.entries[at as usize];
        (entry.field, &entry.condition)
    }

    /// How many sub-rules ask it.
    pub(super) fn uses(&self, at: ConditionId) -> usize {
        self.entries[at as usize].uses
    }

    /// One more than the highest id.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_what.is_empty()
    }

    /// What is known of a condition and the event at hand, found out at most once an event.
    #[inline]
    pub(super) fn look(&self, at: ConditionId, event: &[u8], scratch: &mut Scratch) -> Answer {
        let (run, answer) = scratch.answers[at as usize];
        if run == scratch.run {
            return answer;
        }
        let (field, condition) = self.get(at);
        let answer = find_out(condition, event, &scratch.fields, field);
        scratch.answers[at as usize] = (scratch.run, answer);
        answer
    }
}

fn find_out(condition: &Condition, event: &[u8], fields: &Fields, field: FieldId) -> Answer {
    let (mut satisfied, mut present, mut in_elements, mut outside) = (false, false, false, false);
    for slot in fields.slots(field) {
        present = true;
        in_elements |= slot.element != OUTSIDE;
        outside |= slot.element == OUTSIDE;
        satisfied = satisfied || satisfies(condition, event, fields, slot);
    }
    Answer {
        alone: satisfied || (condition.absent && !present),
        // In no element that others choose, a field may be missing that has values elsewhere.
        possible: satisfied || (condition.absent && !outside),
        in_elements,
    }
}

/// Whether a value satisfies a condition.
pub(crate) fn satisfies(condition: &Condition, event: &[u8], fields: &Fields, slot: Slot) -> bool {
    condition.operators.matches(fields.scalar(event, slot))
}
