//! The quick way to find out whether values fit together: for the few values that most events have, trying all
//! combinations is fastest and needs no memory of its own. [`consistency`](crate::consistency) takes over where it is not.

use crate::consistency::{Candidates, Undecided, consistent, fit_together};
use crate::fields::{Element, MAX_KEPT};

/// Steps after which it is no longer quick.
const QUICK_STEPS: usize = 4_000;

/// The values of a sub-rule's conditions, condition after condition.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    conditions: Vec<Ask>,
    values: Vec<Choice>,
    chosen: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Ask {
    /// Where its values start.
    start: usize,
    absent: bool,
}

#[derive(Clone, Copy, Debug)]
struct Choice {
    element: u32,
    satisfies: bool,
}

/// It was not quick.
struct TooLong;

impl Choices {
    pub(super) fn clear(&mut self) {
        self.conditions.clear();
        self.values.clear();
        self.chosen.clear();
    }

    pub(super) fn is_small(&self) -> bool {
        self.values.capacity() <= MAX_KEPT
    }

    /// Starts the next condition, in the order of names.
    pub(super) fn start(&mut self, absent: bool) {
        self.conditions.push(Ask { start: self.values.len(), absent });
    }

    /// Adds a value to the condition started last.
    pub(super) fn add(&mut self, element: u32, satisfies: bool) {
        self.values.push(Choice { element, satisfies });
    }

    /// Whether all conditions can hold with values that fit together.
    pub(super) fn consistent(&mut self, elements: &[Element]) -> Result<bool, Undecided> {
        let mut steps = QUICK_STEPS;
        match self.search(0, elements, &mut steps) {
            Ok(answer) => Ok(answer),
            Err(TooLong) => consistent(elements, &mut self.candidates()),
        }
    }

    fn values_of(&self, condition: usize) -> std::ops::Range<usize> {
        let end = self.conditions.get(condition + 1).map_or(self.values.len(), |next| next.start);
        self.conditions[condition].start..end
    }

    /// Tries the values of the condition at `index` with those chosen for the conditions before.
    fn search(&mut self, index: usize, elements: &[Element], steps: &mut usize) -> Result<bool, TooLong> {
        let Some(&condition) = self.conditions.get(index) else { return Ok(true) };
        let mut missing = true;
        for at in self.values_of(index) {
            let Choice { element, satisfies } = self.values[at];
            if !(satisfies || (condition.absent && missing)) || !self.fits(element, elements, steps)? {
                continue;
            }
            missing = false;
            if satisfies {
                self.chosen.push(element);
                if self.search(index + 1, elements, steps)? {
                    return Ok(true);
                }
                self.chosen.pop();
            }
        }
        if condition.absent && missing { self.search(index + 1, elements, steps) } else { Ok(false) }
    }

    fn fits(&self, element: u32, elements: &[Element], steps: &mut usize) -> Result<bool, TooLong> {
        let mut step = || {
            *steps = steps.checked_sub(1).ok_or(TooLong)?;
            Ok(())
        };
        for &other in &self.chosen {
            if !fit_together(elements, element, other, &mut step)? {
                return Ok(false);
            }
        }
        step()?;
        Ok(true)
    }

    fn candidates(&self) -> Vec<Candidates> {
        let of = |condition: usize| {
            let values = &self.values[self.values_of(condition)];
            Candidates {
                satisfying: values.iter().filter(|value| value.satisfies).map(|value| value.element).collect(),
                present: values.iter().map(|value| value.element).collect(),
                absent: self.conditions[condition].absent,
            }
        };
        (0..self.conditions.len()).map(of).collect()
    }
}
