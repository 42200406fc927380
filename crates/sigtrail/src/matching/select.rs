//! `--pattern`: the events that match, or how many, or why.

use std::io;

use event_pattern::Pattern;
use report::sanitize::sanitize;

use super::input::Input;
use super::lines::Line;
use super::{Run, matches};
use crate::args::MatchArguments;

pub fn run(run: &mut Run<'_>, arguments: &MatchArguments, pattern: &Pattern, inputs: &[Input]) -> io::Result<()> {
    for input in inputs {
        let mut selected = 0_u64;
        let opened = run.each_line(input, |run, line| {
            let Some((event, is_match)) = answer(run, pattern, input, line, arguments.validate)? else { return Ok(()) };
            if arguments.explain {
                explain(run, pattern, (input, line.number), event, is_match)?;
            }
            if is_match == arguments.invert_match {
                return Ok(());
            }
            selected += 1;
            if arguments.count {
                return Ok(());
            }
            run.out.write_all(event)?;
            run.out.write_all(b"\n")
        })?;
        run.found |= selected > 0;
        match (arguments.count && opened, inputs) {
            (false, _) => {}
            (true, [_]) => writeln!(run.out, "{selected}")?,
            (true, _) => writeln!(run.out, "{}", sanitize(&format!("{input}:{selected}")))?,
        }
    }
    Ok(())
}

/// The event of a line and whether it matches; `None` if that cannot be said, which is reported.
fn answer<'l>(
    run: &mut Run<'_>,
    pattern: &Pattern,
    input: &Input,
    line: &Line<'l>,
    validate: bool,
) -> io::Result<Option<(&'l [u8], bool)>> {
    let answer = line.bytes.clone().and_then(|event| Ok((event, matches(pattern, event, validate)?)));
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => run.complain(format_args!("{input}:{}", line.number), error).map(|()| None),
    }
}

fn explain(
    run: &mut Run<'_>,
    pattern: &Pattern,
    (input, line): (&Input, u64),
    event: &[u8],
    is_match: bool,
) -> io::Result<()> {
    let answer = if is_match { "match" } else { "no match" };
    // A match in too many ways to tell one is still a match.
    let told = pattern.explain(event).map_or_else(|error| error.to_string(), |told| told.to_string());
    writeln!(run.out, "{}", sanitize(&format!("{input}:{line}: {answer}: {told}")))
}
