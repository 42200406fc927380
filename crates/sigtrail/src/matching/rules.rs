//! `--rules`: which of many rules match each event.

use std::collections::BTreeMap;
use std::io::{self, Write};

use event_pattern::{Matcher, Pattern};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::input::Input;
use super::lines::Line;
use super::{Problem, Run, end_of, matches_rules, not_this};

/// A line of the file of rules. Members that are not named here are ignored.
#[derive(Deserialize)]
struct Rule<'l> {
    name: String,
    #[serde(borrow)]
    pattern: &'l RawValue,
}

/// Rules by name, each with the line it is on.
type ByName = BTreeMap<String, (u64, Pattern)>;

/// Reads the rules, all of which must be right before an event is read.
pub fn run(run: &mut Run<'_>, rules: &Input, inputs: &[Input], validate: bool) -> io::Result<()> {
    let by_name = read(run, rules)?;
    if run.failed {
        return Ok(());
    }
    // Names are sorted, so their places are, too.
    let names = by_name.keys().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    let mut matcher = Matcher::new();
    for (place, (_, pattern)) in by_name.into_values().enumerate() {
        matcher.add(place, pattern);
    }
    let mut found = Vec::new();
    for input in inputs {
        run.each_line(input, |run, line| {
            let answer = line.bytes.clone().and_then(|event| matches_rules(&matcher, event, validate, &mut found));
            if let Err(error) = answer {
                run.out.write_all(b"null\n")?;
                return run.complain(format_args!("{input}:{}", line.number), error);
            }
            run.found |= !found.is_empty();
            write_names(run.out, &names, &found)
        })?;
    }
    Ok(())
}

fn write_names(out: &mut dyn Write, names: &[String], found: &[usize]) -> io::Result<()> {
    let mut before: &[u8] = b"[";
    for &place in found {
        out.write_all(before)?;
        out.write_all(names[place].as_bytes())?;
        before = b",";
    }
    out.write_all(if found.is_empty() { b"[]\n" } else { b"]\n" })
}

fn read(run: &mut Run<'_>, rules: &Input) -> io::Result<ByName> {
    let mut by_name = ByName::new();
    run.each_line(rules, |run, line| match read_line(line, &mut by_name) {
        Ok(()) => Ok(()),
        Err(problem) => run.complain_of_line(rules, line.number, problem),
    })?;
    Ok(by_name)
}

fn read_line(line: &Line<'_>, by_name: &mut ByName) -> Result<(), Problem> {
    let bytes = line.bytes.clone().map_err(|error| (None, error.to_string()))?;
    let text = std::str::from_utf8(bytes).map_err(|error| (None, error.to_string()))?;
    let rule: Rule<'_> = serde_json::from_str(text).map_err(|error| not_this("rule", &error))?;
    let source = rule.pattern.get();
    let pattern = Pattern::compile(source).map_err(|error| {
        // The pattern is a part of the line.
        let start = source.as_ptr().addr() - text.as_ptr().addr();
        let (_, column) = end_of(&text[..start]);
        (Some(column + error.column() - 1), format!("rule {:?}: {}", rule.name, error.message()))
    })?;
    if let Some((other, _)) = by_name.get(&rule.name) {
        return Err((None, format!("rule {:?} is on line {other} already", rule.name)));
    }
    by_name.insert(rule.name, (line.number, pattern));
    Ok(())
}
