//! Why an event does not match.

use std::fmt::{self, Write as _};

use crate::engine::{Engine, holds_alone};
use crate::fields::Fields;
use crate::operator::{Kind, Scalar};
use crate::pattern::Pattern;

/// Values of one field that an explanation shows.
const MAX_SHOWN_VALUES: usize = 10;
/// Characters of one value that an explanation shows.
const MAX_SHOWN_CHARS: usize = 200;

/// The answer to "why not?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// It does match.
    Match,
    /// For each combination of `$or` branches, why it failed; a pattern without `$or` is one combination.
    NoMatch(Vec<Mismatch>),
}

/// Why one combination of `$or` branches failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// These fields failed, whatever the others hold.
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

pub(crate) fn explain(pattern: &Pattern, engine: &Engine, event: &[u8], fields: &Fields) -> Explanation {
    let mismatches = pattern.subs().iter().map(|sub| {
        let mut failed = Vec::new();
        for condition in sub {
            let Some(field) = engine.field_named(&condition.name) else { continue };
            if holds_alone(condition, event, fields, field) {
                continue;
            }
            let mut shown: Vec<_> = fields.slots(field).collect();
            shown.reverse();
            failed.push(FieldMismatch {
                field: condition.name.to_string(),
                asked: pattern.source()[condition.source.clone()].to_owned(),
                values: shown.iter().take(MAX_SHOWN_VALUES).map(|&slot| show(fields.scalar(event, slot))).collect(),
                more: shown.len().saturating_sub(MAX_SHOWN_VALUES),
            });
        }
        if failed.is_empty() {
            Mismatch::DifferentElements(sub.iter().map(|condition| condition.name.to_string()).collect())
        } else {
            Mismatch::Fields(failed)
        }
    });
    Explanation::NoMatch(mismatches.collect())
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

impl fmt::Display for FieldMismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.field)?;
        match self.values.as_slice() {
            [] => write!(out, "is missing")?,
            values => write!(out, "is {}", values.join(", "))?,
        }
        if self.more > 0 {
            write!(out, " and {} more", self.more)?;
        }
        write!(out, ", asked for {}", self.asked)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                write!(out, "{}", fields.join("; "))
            }
            Self::DifferentElements(names) => write!(out, "no single array element satisfies {}", names.join(", ")),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match => write!(out, "matches"),
            Self::NoMatch(mismatches) => {
                let mismatches: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
                write!(out, "{}", mismatches.join(" | or "))
            }
        }
    }
}
