//! Which values make a rule match, where it is known only that some do.
//!
//! The question whether the conditions can hold is asked again and again, each time with fewer values to choose from: half
//! of one condition's, then half of those. What is left at the end is one value for each, and they fit together, because
//! the last answer was yes. That takes a question for each condition and each doubling of its values.

use crate::consistency::{Candidates, MAX_STEPS, Undecided, consistent_within};
use crate::fields::Element;

/// All questions together may take so many times the steps of one.
const MAX_QUESTIONS: u64 = 16;

/// The elements of values with which all conditions, sorted by name, hold together; `None` for a field that has to be
/// missing there. Of several choices the first in the event's order, by the first condition. `None` if there is none.
pub(crate) fn choose(
    elements: &[Element],
    mut conditions: Vec<Candidates>,
) -> Result<Option<Vec<Option<u32>>>, Undecided> {
    let mut questions = Questions { elements, steps_left: MAX_QUESTIONS * MAX_STEPS };
    if !questions.hold(&conditions)? {
        return Ok(None);
    }
    for at in 0..conditions.len() {
        questions.settle(at, &mut conditions)?;
    }
    Ok(Some(conditions.iter().map(|condition| condition.satisfying.first().copied()).collect()))
}

struct Questions<'e> {
    elements: &'e [Element],
    steps_left: u64,
}

impl Questions<'_> {
    fn hold(&mut self, conditions: &[Candidates]) -> Result<bool, Undecided> {
        consistent_within(self.elements, &mut conditions.to_vec(), &mut self.steps_left)
    }

    /// Leaves the condition at `at`, which can hold, one way to do so.
    fn settle(&mut self, at: usize, conditions: &mut [Candidates]) -> Result<(), Undecided> {
        conditions[at].satisfying.sort_unstable();
        conditions[at].satisfying.dedup();
        if conditions[at].absent {
            conditions[at].absent = false;
            if conditions[at].satisfying.is_empty() || !self.hold(conditions)? {
                conditions[at].absent = true;
                conditions[at].satisfying.clear();
            }
        }
        while conditions[at].satisfying.len() > 1 {
            let half = conditions[at].satisfying.len() / 2;
            let others = conditions[at].satisfying.split_off(half);
            if !self.hold(conditions)? {
                conditions[at].satisfying = others;
            }
        }
        Ok(())
    }
}
