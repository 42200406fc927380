//! From a pattern to one condition on a record.
//!
//! Where a field lies below something that may be an array, the engine is asked whether *some element* satisfies it. Conditions
//! that share an array are asked of the same element, which is array consistency: with no key twice in an object, values below
//! one array fit together if and only if they lie in one element of it. Conditions that share no array are independent.
//!
//! `{"exists": false}` sees the choices for earlier fields. In an array it therefore asks something of all elements if it
//! stands before the first condition that takes a value there, and of the chosen element if it stands behind.

use event_pattern::{Combination, FieldCondition, Pattern};

use crate::dialect::{Dialect, Kind, Value};
use crate::envelope::{Place, place};
use crate::error::Refusal;
use crate::leaf::{leaf, scalar};
use crate::shape::certain_steps;

/// Conditions of one array that hold with a value or without: each doubles what is written.
const EITHER_MAX: usize = 6;

/// What is refused, and of which field.
pub(crate) type Refused = (String, Refusal);

/// The parts of one combination, all of which must hold; `None` if they never do.
type Parts = Option<Vec<String>>;

/// What a condition wants, once it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A value that matches.
    Value,
    /// No value.
    Absent,
    /// One or the other.
    Either,
}

/// A condition on a field behind some steps.
#[derive(Debug, Clone)]
struct Asked<'p> {
    steps: Vec<&'p str>,
    condition: FieldCondition<'p>,
    want: Want,
}

/// The lines of a condition that holds of the records that match: each is one alternative or one conjunct.
pub(crate) fn filter(dialect: &dyn Dialect, pattern: &Pattern) -> Result<String, Refused> {
    let mut alternatives: Vec<Vec<String>> = Vec::new();
    for combination in pattern.combinations() {
        alternatives.extend(parts(dialect, combination, pattern)?);
    }
    let Some((first, others)) = alternatives.split_first() else { return Ok(dialect.truth(false).to_owned()) };
    // What all have in common is asked once.
    let common: Vec<String> =
        first.iter().filter(|part| others.iter().all(|other| other.contains(part))).cloned().collect();
    let mut conjuncts = common.clone();
    let rest = alternatives.iter().map(|parts| {
        let own: Vec<String> = parts.iter().filter(|part| !common.contains(part)).cloned().collect();
        dialect.and(&own)
    });
    let rest: Vec<String> = rest.collect();
    if rest.iter().all(|part| part != dialect.truth(true)) {
        conjuncts.push(match rest.as_slice() {
            [one] => one.clone(),
            _ => format!("({})", rest.join(&format!("\n       {} ", word(dialect, false)))),
        });
    }
    if conjuncts.is_empty() {
        return Ok(dialect.truth(true).to_owned());
    }
    Ok(conjuncts.join(&format!("\n      {} ", word(dialect, true))))
}

/// The engine's `AND` or `OR`.
fn word(dialect: &dyn Dialect, and: bool) -> String {
    let pair = [String::new(), String::new()];
    let text = if and { dialect.and(&pair) } else { dialect.or(&pair) };
    text.trim_matches(['(', ')', ' ']).to_owned()
}

fn parts(dialect: &dyn Dialect, combination: Combination<'_>, pattern: &Pattern) -> Result<Parts, Refused> {
    let mut parts = Vec::new();
    // Those that share their certain steps, in the order of their names.
    let mut groups: Vec<(Vec<&str>, Vec<Asked<'_>>)> = Vec::new();
    for condition in combination.conditions(pattern) {
        let refused = |refusal| (condition.name().to_owned(), refusal);
        match place(condition).map_err(refused)? {
            Place::Constant(true) => {}
            Place::Constant(false) => return Ok(None),
            Place::Source => {
                let value = dialect.source().map_err(refused)?;
                parts.push(leaf(dialect, &value, condition).map_err(refused)?);
            }
            Place::Head(field) => {
                let (value, _) = dialect.field(&[field]).map_err(refused)?;
                parts.push(leaf(dialect, &value, condition).map_err(refused)?);
            }
            Place::Record(steps) => {
                let prefix = steps[..certain_steps(&steps)].to_vec();
                let asked = Asked { steps, condition, want: want(condition) };
                match groups.iter_mut().find(|(other, _)| *other == prefix) {
                    Some((_, group)) => group.push(asked),
                    None => groups.push((prefix, vec![asked])),
                }
            }
        }
    }
    for (_, group) in groups {
        let name = group[0].condition.name().to_owned();
        parts.push(field_group(dialect, group).map_err(|refusal| (name, refusal))?);
    }
    parts.retain(|part| part != dialect.truth(true));
    Ok(if parts.iter().any(|part| part == dialect.truth(false)) { None } else { Some(parts) })
}

fn want(condition: FieldCondition<'_>) -> Want {
    match (condition.may_be_absent(), condition.tests().next().is_some()) {
        (true, true) => Want::Either,
        (true, false) => Want::Absent,
        (false, _) => Want::Value,
    }
}

/// Conditions behind the same certain steps.
fn field_group(dialect: &dyn Dialect, mut group: Vec<Asked<'_>>) -> Result<String, Refusal> {
    let (value, consumed) = dialect.field(&group[0].steps)?;
    for asked in &mut group {
        asked.steps.drain(..consumed.min(asked.steps.len()));
    }
    let branches = branches(group)?;
    let branches: Vec<String> =
        branches.iter().map(|group| node(dialect, &value, group, 1)).collect::<Result<_, _>>()?;
    Ok(dialect.or(&branches))
}

/// One branch for each way to choose between value and absence.
fn branches(group: Vec<Asked<'_>>) -> Result<Vec<Vec<Asked<'_>>>, Refusal> {
    if group.iter().filter(|asked| asked.want == Want::Either).count() > EITHER_MAX {
        let construct = format!("more than {EITHER_MAX} fields of one element that may match or be absent");
        return Err(Refusal::new(construct));
    }
    let mut branches = vec![Vec::new()];
    for asked in group {
        let wants = match asked.want {
            Want::Either => vec![Want::Value, Want::Absent],
            want => vec![want],
        };
        branches = wants
            .into_iter()
            .flat_map(|want| {
                let asked = Asked { want, ..asked.clone() };
                branches.iter().map(move |branch| branch.iter().cloned().chain([asked.clone()]).collect())
            })
            .collect();
    }
    Ok(branches)
}

/// Conditions on a value and on what lies below it.
fn node(dialect: &dyn Dialect, value: &Value, group: &[Asked<'_>], depth: usize) -> Result<String, Refusal> {
    let leading = group.iter().take_while(|asked| asked.want == Want::Absent).count();
    let (absent, rest) = group.split_at(leading);
    let mut parts = Vec::new();
    for asked in absent {
        parts.push(dialect.not(&present(dialect, value, &asked.steps, depth)?));
    }
    if let [asked] = rest
        && asked.steps.is_empty()
    {
        parts.push(some(dialect, value, depth, |value| leaf(dialect, value, asked.condition))?);
    } else if rest.iter().any(|asked| asked.steps.is_empty()) {
        return Err(Refusal::new("a field itself and fields below it at once"));
    } else if !rest.is_empty() {
        parts.push(some(dialect, value, depth, |value| members(dialect, value, rest, depth + 1))?);
    }
    Ok(dialect.and(&parts))
}

/// Conditions on members of one object.
fn members(dialect: &dyn Dialect, object: &Value, group: &[Asked<'_>], depth: usize) -> Result<String, Refusal> {
    let mut names: Vec<(&str, Vec<Asked<'_>>)> = Vec::new();
    for asked in group {
        let Some((&name, steps)) = asked.steps.split_first() else { continue };
        let below = Asked { steps: steps.to_vec(), ..asked.clone() };
        match names.iter_mut().find(|(other, _)| *other == name) {
            Some((_, group)) => group.push(below),
            None => names.push((name, vec![below])),
        }
    }
    let parts = names.iter().map(|(name, group)| node(dialect, &dialect.member(object, name)?, group, depth));
    Ok(dialect.and(&parts.collect::<Result<Vec<_>, _>>()?))
}

/// Whether there is a scalar behind the steps.
fn present(dialect: &dyn Dialect, value: &Value, steps: &[&str], depth: usize) -> Result<String, Refusal> {
    some(dialect, value, depth, |value| match steps.split_first() {
        None => scalar(dialect, value),
        Some((name, steps)) => present(dialect, &dialect.member(value, name)?, steps, depth + 1),
    })
}

/// Whether something holds of an element of a value.
fn some(
    dialect: &dyn Dialect,
    value: &Value,
    depth: usize,
    holds: impl FnOnce(&Value) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    if value.single || matches!(value.kind, Kind::Text | Kind::Flag) {
        return holds(value);
    }
    let name = format!("v{depth}");
    let holds = holds(&dialect.element(value, &name))?;
    Ok(dialect.some(value, &name, &holds))
}
