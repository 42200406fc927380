//! Array consistency: two fields may not be satisfied by different elements of one array.
//!
//! The array elements of an event form a tree. Two values fit together unless, where their ways from the top part, they
//! part into different elements of the same array. A set of values fits together if each pair does.
//!
//! Without `exists: false` this is solved from the top down: under one element each array is a question of its own, and
//! some element of it must satisfy all the fields that need it. That is linear in the values as long as a field's values
//! lie in one array at each level, which only repeated keys can undo. With `exists: false` the choices for earlier
//! fields decide what counts as missing, so combinations are tried one by one. Both count their steps.

use crate::fields::{Element, OUTSIDE};

/// Steps after which a rule counts as undecided.
pub(crate) const MAX_STEPS: u64 = 4_000_000;
/// Elements within each other that are followed before a rule counts as undecided.
const MAX_LEVELS: u32 = 1_000;

/// What is known of one condition of a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    /// The elements of the values that satisfy it.
    pub(crate) satisfying: Vec<u32>,
    /// The elements of all values of the field.
    pub(crate) present: Vec<u32>,
    /// Whether the field may also be missing.
    pub(crate) absent: bool,
}

/// There were too many combinations to find out.
#[derive(Debug, PartialEq)]
pub(crate) struct Undecided;

/// Whether all conditions, sorted by name, can hold with values that fit together.
pub(crate) fn consistent(elements: &[Element], conditions: &mut Vec<Candidates>) -> Result<bool, Undecided> {
    consistent_within(elements, conditions, &mut { MAX_STEPS })
}

/// The same in so many steps, of which it takes those it needs.
pub(crate) fn consistent_within(
    elements: &[Element],
    conditions: &mut Vec<Candidates>,
    steps_left: &mut u64,
) -> Result<bool, Undecided> {
    for condition in conditions.iter_mut() {
        condition.satisfying.sort_unstable();
        condition.satisfying.dedup();
        condition.present.sort_unstable();
        condition.present.dedup();
        // A value outside of arrays fits with every other, so the field is never missing.
        condition.absent &= condition.present.first() != Some(&OUTSIDE);
        if condition.satisfying.is_empty() && !condition.absent {
            return Ok(false);
        }
    }
    // With no value at all, missing holds and asks nothing of the others.
    conditions.retain(|condition| !(condition.absent && condition.present.is_empty()));
    let mut search = Search { elements, steps_left };
    if conditions.iter().any(|condition| condition.absent) {
        return search.combinations(conditions, &mut Vec::new());
    }
    let needs = conditions
        .drain(..)
        .map(|condition| condition.satisfying)
        .filter(|satisfying| satisfying.first() != Some(&OUTSIDE));
    search.satisfy(OUTSIDE, needs.collect())
}

struct Search<'e> {
    elements: &'e [Element],
    steps_left: &'e mut u64,
}

/// A value's way through one level: the array, the element in it, whose need it serves, and the value's own element.
type Way = (u32, u32, usize, u32);

impl Search<'_> {
    fn step(&mut self, steps: usize) -> Result<(), Undecided> {
        *self.steps_left = self.steps_left.checked_sub(steps as u64).ok_or(Undecided)?;
        Ok(())
    }

    fn element(&self, id: u32) -> Element {
        self.elements[id as usize]
    }

    /// Whether each need has a value, all in values that fit together. All are elements somewhere below `at`.
    fn satisfy(&mut self, at: u32, needs: Vec<Vec<u32>>) -> Result<bool, Undecided> {
        if needs.len() <= 1 {
            return Ok(true);
        }
        if self.element(at).depth > MAX_LEVELS {
            return Err(Undecided);
        }
        let ways = self.ways(at, &needs)?;
        if let Some(divided) = divided_need(&ways, needs.len()) {
            return self.choose_array(at, needs, &ways, divided);
        }
        for array in ways.chunk_by(|left, right| left.0 == right.0) {
            if !self.some_element(array)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn ways(&mut self, at: u32, needs: &[Vec<u32>]) -> Result<Vec<Way>, Undecided> {
        let level = self.element(at).depth + 1;
        let mut ways = Vec::new();
        for (need, values) in needs.iter().enumerate() {
            for &value in values {
                let below = self.element(value).depth - level;
                self.step(1 + below as usize)?;
                let mut child = value;
                for _ in 0..below {
                    child = self.element(child).parent;
                }
                ways.push((self.element(child).array, child, need, value));
            }
        }
        ways.sort_unstable();
        Ok(ways)
    }

    /// Whether some element of an array satisfies all needs that the array serves.
    fn some_element(&mut self, array: &[Way]) -> Result<bool, Undecided> {
        let mut all: Vec<usize> = array.iter().map(|way| way.2).collect();
        all.sort_unstable();
        all.dedup();
        for ways in array.chunk_by(|left, right| left.1 == right.1) {
            let mut here: Vec<Vec<u32>> = Vec::new();
            for need in ways.chunk_by(|left, right| left.2 == right.2) {
                here.push(need.iter().map(|way| way.3).collect());
            }
            if here.len() == all.len() {
                let element = ways[0].1;
                here.retain(|values| !values.contains(&element));
                if self.satisfy(element, here)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A need that several arrays could serve: tries one after the other.
    fn choose_array(
        &mut self,
        at: u32,
        mut needs: Vec<Vec<u32>>,
        ways: &[Way],
        need: usize,
    ) -> Result<bool, Undecided> {
        for array in ways.chunk_by(|left, right| left.0 == right.0) {
            let values: Vec<u32> = array.iter().filter(|way| way.2 == need).map(|way| way.3).collect();
            if values.is_empty() {
                continue;
            }
            self.step(values.len())?;
            needs[need] = values;
            if self.satisfy(at, needs.clone())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the conditions in their order and tries every value, and every absence, that fits with the choices before.
    fn combinations(&mut self, conditions: &[Candidates], chosen: &mut Vec<u32>) -> Result<bool, Undecided> {
        let Some((condition, rest)) = conditions.split_first() else {
            return Ok(true);
        };
        for &value in &condition.satisfying {
            if self.fits(value, chosen)? {
                chosen.push(value);
                if self.combinations(rest, chosen)? {
                    return Ok(true);
                }
                chosen.pop();
            }
        }
        if !condition.absent {
            return Ok(false);
        }
        for &value in &condition.present {
            if self.fits(value, chosen)? {
                return Ok(false);
            }
        }
        self.combinations(rest, chosen)
    }

    fn fits(&mut self, value: u32, chosen: &[u32]) -> Result<bool, Undecided> {
        self.step(1)?;
        for &other in chosen {
            if !fit_together(self.elements, value, other, &mut || self.step(1))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether two values fit together, given the elements they stand in. Calls `step` for each level that is looked at.
pub(crate) fn fit_together<E>(
    elements: &[Element],
    mut left: u32,
    mut right: u32,
    step: &mut impl FnMut() -> Result<(), E>,
) -> Result<bool, E> {
    while left != right {
        step()?;
        let (above_left, above_right) = (elements[left as usize], elements[right as usize]);
        match above_left.depth.cmp(&above_right.depth) {
            std::cmp::Ordering::Greater => left = above_left.parent,
            std::cmp::Ordering::Less => right = above_right.parent,
            std::cmp::Ordering::Equal if above_left.parent == above_right.parent => {
                return Ok(above_left.array != above_right.array);
            }
            std::cmp::Ordering::Equal => (left, right) = (above_left.parent, above_right.parent),
        }
    }
    Ok(true)
}

/// The first need with values in more than one array. `ways` are sorted by array.
fn divided_need(ways: &[Way], needs: usize) -> Option<usize> {
    let mut arrays = vec![None; needs];
    ways.iter().find(|way| *arrays[way.2].get_or_insert(way.0) != way.0).map(|way| way.2)
}
