//! Why an event matches, or does not.

use std::fmt::{self, Write as _};

use crate::choice::choose;
use crate::compile::{Condition, SubRule};
use crate::consistency::{Candidates, consistent};
use crate::engine::{Engine, satisfies};
use crate::fields::{Fields, OUTSIDE, Slot};
use crate::names::FieldId;
use crate::operator::{Kind, Scalar};
use crate::pattern::Pattern;

/// Values of one field that an explanation shows.
const MAX_SHOWN_VALUES: usize = 10;
/// Characters of one value that an explanation shows.
const MAX_SHOWN_CHARS: usize = 200;

/// The answer to "why?" and "why not?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// It does match: the fields of the first combination of `$or` branches that holds, sorted by name, each with what
    /// satisfied it. The values fit together: no two are from different elements of one array.
    Match(Vec<FieldMatch>),
    /// For each combination of `$or` branches, why it failed; a pattern without `$or` is one combination.
    NoMatch(Vec<Mismatch>),
}

/// A field that made the event match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMatch {
    /// The names on the way to the field, joined with `.`.
    pub field: String,
    /// What the pattern asks, as its text says it.
    pub asked: String,
    /// The values that satisfy it, as JSON; empty if the field is missing, as `exists: false` asks. Several are values of
    /// one array. At most ten, each cut at 200 characters.
    pub values: Vec<String>,
    /// Further such values that are not shown.
    pub more: usize,
}

/// Why one combination of `$or` branches failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// These fields failed: whatever the others hold, or, for `exists: false`, because a value stands in the array
    /// elements that the fields before it need.
    Fields(Vec<FieldMismatch>),
    /// Each field has a value that was asked for, but they stand in different elements of an array. The names of all
    /// fields of the combination.
    DifferentElements(Vec<String>),
}

/// A field that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMismatch {
    /// The names on the way to the field, joined with `.`.
    pub field: String,
    /// What the pattern asks, as its text says it.
    pub asked: String,
    /// What the event holds there, as JSON; empty if the field is missing. At most ten, each cut at 200 characters.
    pub values: Vec<String>,
    /// Further values that are not shown.
    pub more: usize,
}

/// Why a pattern matches an event that it does match; `None` if it takes too many steps to find out.
pub(crate) fn explain_match(pattern: &Pattern, engine: &Engine, event: &[u8], fields: &Fields) -> Option<Explanation> {
    pattern.subs().iter().find_map(|sub| {
        let read = Read::new(pattern, engine, event, fields, sub);
        // Another combination may be found to hold.
        let elements = choose(&fields.elements, read.candidates()).ok()??;
        let asked = read.conditions.iter().zip(elements);
        Some(Explanation::Match(asked.map(|((condition, field), at)| read.matched(condition, *field, at)).collect()))
    })
}

/// Why a pattern does not match an event that it does not match.
pub(crate) fn explain_mismatch(pattern: &Pattern, engine: &Engine, event: &[u8], fields: &Fields) -> Explanation {
    let subs = pattern.subs().iter();
    Explanation::NoMatch(subs.map(|sub| Read::new(pattern, engine, event, fields, sub).mismatch()).collect())
}

/// One combination of `$or` branches, and what was read of the event.
struct Read<'r> {
    pattern: &'r Pattern,
    event: &'r [u8],
    fields: &'r Fields,
    conditions: Vec<(&'r Condition, FieldId)>,
}

impl<'r> Read<'r> {
    fn new(pattern: &'r Pattern, engine: &Engine, event: &'r [u8], fields: &'r Fields, sub: &'r SubRule) -> Self {
        let conditions =
            sub.iter().filter_map(|condition| Some((&**condition, engine.field_named(&condition.name)?))).collect();
        Self { pattern, event, fields, conditions }
    }

    fn candidates(&self) -> Vec<Candidates> {
        let of_one = |(condition, field): &(&Condition, FieldId)| {
            let satisfying =
                self.fields.slots(*field).filter(|&slot| satisfies(condition, self.event, self.fields, slot));
            Candidates {
                satisfying: satisfying.map(|slot| slot.element).collect(),
                present: self.fields.slots(*field).map(|slot| slot.element).collect(),
                absent: condition.absent,
            }
        };
        self.conditions.iter().map(of_one).collect()
    }

    fn asked(&self, condition: &Condition) -> String {
        self.pattern.source()[condition.source.clone()].to_owned()
    }

    /// The first of some values, in the order of the event, and how many more there are.
    fn show(&self, slots: impl Iterator<Item = Slot>) -> (Vec<String>, usize) {
        let mut slots: Vec<Slot> = slots.collect();
        slots.reverse();
        let shown = slots.iter().take(MAX_SHOWN_VALUES).map(|&slot| show(self.fields.scalar(self.event, slot)));
        (shown.collect(), slots.len().saturating_sub(MAX_SHOWN_VALUES))
    }

    fn matched(&self, condition: &Condition, field: FieldId, at: Option<u32>) -> FieldMatch {
        let chosen = self
            .fields
            .slots(field)
            .filter(|&slot| Some(slot.element) == at && satisfies(condition, self.event, self.fields, slot));
        let (values, more) = self.show(chosen);
        FieldMatch { field: condition.name.to_string(), asked: self.asked(condition), values, more }
    }

    fn failed(&self, (condition, field): (&Condition, FieldId)) -> FieldMismatch {
        let (values, more) = self.show(self.fields.slots(field));
        FieldMismatch { field: condition.name.to_string(), asked: self.asked(condition), values, more }
    }

    fn mismatch(&self) -> Mismatch {
        let candidates = self.candidates();
        let alone = (0..candidates.len()).filter(|&at| fails_alone(&candidates, at));
        let mut failed: Vec<_> = alone.map(|at| self.failed(self.conditions[at])).collect();
        if failed.is_empty() {
            failed.extend(self.value_in_the_way(&candidates).map(|at| self.failed(self.conditions[at])));
        }
        if failed.is_empty() {
            Mismatch::DifferentElements(
                self.conditions.iter().map(|(condition, _)| condition.name.to_string()).collect(),
            )
        } else {
            Mismatch::Fields(failed)
        }
    }

    /// The condition that has to be missing and is not, where those before it do hold together.
    fn value_in_the_way(&self, candidates: &[Candidates]) -> Option<usize> {
        if !candidates.iter().any(must_be_missing) {
            return None;
        }
        // Conditions that hold together do so without the last.
        let (mut holding, mut failing) = (0, candidates.len());
        while failing - holding > 1 {
            let middle = usize::midpoint(holding, failing);
            let hold = consistent(&self.fields.elements, &mut candidates[..middle].to_vec()).ok()?;
            *(if hold { &mut holding } else { &mut failing }) = middle;
        }
        must_be_missing(&candidates[holding]).then_some(holding)
    }
}

/// Whether only `exists: false` is left to satisfy it.
fn must_be_missing(candidates: &Candidates) -> bool {
    candidates.satisfying.is_empty() && candidates.absent
}

/// Whether a condition fails whatever values are chosen for the others.
fn fails_alone(candidates: &[Candidates], at: usize) -> bool {
    let condition = &candidates[at];
    let always_present = || {
        // With nothing chosen before it any value counts, and one outside of arrays always does.
        let first = candidates[..at].iter().all(|before| before.present.is_empty());
        !condition.present.is_empty() && (first || condition.present.contains(&OUTSIDE))
    };
    condition.satisfying.is_empty() && (!condition.absent || always_present())
}

/// A value as JSON, with control characters escaped.
fn show(value: Scalar<'_>) -> String {
    let text = String::from_utf8_lossy(value.bytes);
    let cut = text.char_indices().nth(MAX_SHOWN_CHARS);
    let (start, dots) = cut.map_or((&*text, ""), |(at, _)| (&text[..at], "…"));
    if value.kind != Kind::Text {
        return format!("{start}{dots}");
    }
    let mut shown = String::from('"');
    for character in start.chars() {
        match character {
            '"' | '\\' => shown.extend(['\\', character]),
            _ if character.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{:04x}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    shown + dots + "\""
}

fn write_values(out: &mut fmt::Formatter<'_>, field: &str, values: &[String], more: usize) -> fmt::Result {
    match values {
        [] => write!(out, "{field}: is missing")?,
        values => write!(out, "{field}: is {}", values.join(", "))?,
    }
    if more > 0 { write!(out, " and {more} more") } else { Ok(()) }
}

impl fmt::Display for FieldMatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_values(out, &self.field, &self.values, self.more)?;
        write!(out, ", as asked by {}", one_line(&self.asked))
    }
}

impl fmt::Display for FieldMismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_values(out, &self.field, &self.values, self.more)?;
        write!(out, ", asked for {}", one_line(&self.asked))
    }
}

/// A leaf array without its line breaks, which cannot be in its strings, and the space around them.
fn one_line(source: &str) -> String {
    source.split(['\n', '\r']).map(str::trim).collect()
}

fn join<T: ToString>(parts: &[T], between: &str) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(fields) => write!(out, "{}", join(fields, "; ")),
            Self::DifferentElements(names) => write!(out, "no single array element satisfies {}", names.join(", ")),
        }
    }
}

impl fmt::Display for Explanation {
    /// The fields that matched, or those that failed, with ` | or ` between combinations of `$or` branches.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match(fields) => write!(out, "{}", join(fields, "; ")),
            Self::NoMatch(mismatches) => write!(out, "{}", join(mismatches, " | or ")),
        }
    }
}
