//! `--cases`: a pattern and an event on each line.

use std::borrow::Cow;
use std::io;

use event_pattern::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::input::Input;
use super::{Run, matches, not_this};

/// A line of the input. Members that are not named here are ignored.
#[derive(Deserialize)]
struct Case<'l> {
    #[serde(borrow)]
    id: &'l RawValue,
    #[serde(borrow)]
    pattern: Cow<'l, str>,
    #[serde(borrow)]
    event: Cow<'l, str>,
}

/// A line of the output.
#[derive(Serialize)]
struct Answer<'l> {
    id: &'l RawValue,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub fn run(run: &mut Run<'_>, cases: &Input, validate: bool) -> io::Result<()> {
    run.each_line(cases, |run, line| {
        let case = match &line.bytes {
            Ok(bytes) => serde_json::from_slice::<Case<'_>>(bytes).map_err(|error| not_this("case", &error)),
            Err(error) => Err((None, error.to_string())),
        };
        let case = match case {
            Ok(case) => case,
            Err(problem) => return run.complain_of_line(cases, line.number, problem),
        };
        let answer = case.answer(validate);
        run.failed |= answer.result == "error";
        serde_json::to_writer(&mut *run.out, &answer)?;
        run.out.write_all(b"\n")
    })?;
    Ok(())
}

impl<'l> Case<'l> {
    fn answer(&self, validate: bool) -> Answer<'l> {
        let (result, error) = match Pattern::compile(&self.pattern) {
            Err(error) => ("invalid-pattern", Some(error.message().to_owned())),
            Ok(pattern) => match matches(&pattern, self.event.as_bytes(), validate) {
                Ok(true) => ("match", None),
                Ok(false) => ("no-match", None),
                Err(error) => ("error", Some(error.to_string())),
            },
        };
        Answer { id: self.id, result, error }
    }
}
