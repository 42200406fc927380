//! `sigtrail match`: a grep for events.

mod ahead;
mod cases;
mod input;
mod lines;
mod rules;
mod select;

use std::fmt::Display;
use std::io::{self, BufWriter, Read, Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use event_pattern::{EventError, Matcher, Pattern};
use report::sanitize::sanitize;
use serde::de::IgnoredAny;

pub use self::input::Input;
use self::input::MARK;
use self::lines::{Line, Lines};
use crate::args::MatchArguments;

/// The exit status after any error: 1 is that nothing was found.
pub const EXIT_ERROR: u8 = 2;

/// Bytes of output that are collected before they are written.
const OUTPUT_BYTES: usize = 1 << 18;
/// The longest pattern that is read from a file.
const MAX_PATTERN_BYTES: u64 = 16 << 20;

pub fn run(arguments: &MatchArguments) -> Result<ExitCode> {
    let mut out = BufWriter::with_capacity(OUTPUT_BYTES, stdout().lock());
    let mut run = Run { out: &mut out, errors: &mut stderr().lock(), found: false, failed: false };
    if let Some(file) = &arguments.cases {
        cases::run(&mut run, &Input::of(file), arguments.validate)?;
        run.found = true;
    } else {
        let events = if arguments.files.is_empty() {
            vec![Input::Stdin]
        } else {
            arguments.files.iter().map(|file| Input::of(file)).collect()
        };
        if let Some(file) = &arguments.rules {
            let file = asked_by(file, &events)?;
            rules::run(&mut run, &file, &events, arguments.validate)?;
        } else if let Some(file) = &arguments.pattern {
            let pattern = read_pattern(&asked_by(file, &events)?)?;
            select::run(&mut run, arguments, &pattern, &events)?;
        }
    }
    run.out.flush()?;
    Ok(run.exit_code())
}

/// Where the results and the errors go, and what came of it.
struct Run<'o> {
    out: &'o mut dyn Write,
    errors: &'o mut dyn Write,
    /// Something was found.
    found: bool,
    /// Something was wrong.
    failed: bool,
}

impl Run<'_> {
    /// Reports what is wrong at a place, behind the results so far.
    fn complain(&mut self, place: impl Display, problem: impl Display) -> io::Result<()> {
        self.failed = true;
        self.out.flush()?;
        let text = format!("sigtrail: {place}: {problem}");
        // Who closed stderr does not want to know.
        let _ = writeln!(self.errors, "{}", sanitize(&text));
        Ok(())
    }

    fn complain_of_line(&mut self, input: &Input, line: u64, (column, text): Problem) -> io::Result<()> {
        match column {
            Some(column) => self.complain(format_args!("{input}:{line}:{column}"), text),
            None => self.complain(format_args!("{input}:{line}"), text),
        }
    }

    /// Calls `visit` with each line that is not blank. Whether the input could be opened.
    ///
    /// What was written is passed on before more input is waited for.
    fn each_line(
        &mut self,
        input: &Input,
        mut visit: impl FnMut(&mut Self, &Line<'_>) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut lines = match input.open().and_then(Lines::new) {
            Ok(lines) => lines,
            Err(error) => return self.complain(input, error).map(|()| false),
        };
        loop {
            while let Some(line) = lines.next() {
                if !line.is_blank() {
                    visit(self, &line)?;
                }
            }
            self.out.flush()?;
            match lines.fill() {
                Ok(true) => {}
                Ok(false) => return Ok(true),
                Err(error) => return self.complain(input, error).map(|()| true),
            }
        }
    }

    fn exit_code(&self) -> ExitCode {
        match (self.failed, self.found) {
            (true, _) => EXIT_ERROR.into(),
            (false, true) => ExitCode::SUCCESS,
            (false, false) => ExitCode::FAILURE,
        }
    }
}

/// What is wrong with a line, and in which column, where that is known.
type Problem = (Option<usize>, String);

/// Why a line of JSON is not what it should be.
fn not_this(what: &str, error: &serde_json::Error) -> Problem {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    (Some(error.column()), format!("not a {what}: {}", text.strip_suffix(&place).unwrap_or(&text)))
}

/// The file of a pattern or of rules; it is not stdin where that has the events.
pub fn asked_by(file: &Path, events: &[Input]) -> Result<Input> {
    let file = Input::of(file);
    if matches!(file, Input::Stdin) && events.iter().any(|input| matches!(input, Input::Stdin)) {
        bail!("stdin cannot be both what is asked and the events");
    }
    Ok(file)
}

/// Reads a file that holds one pattern.
pub fn read_pattern(file: &Input) -> Result<Pattern> {
    let failed = |error: io::Error| anyhow!("{file}: {error}");
    let mut bytes = Vec::new();
    file.open().map_err(failed)?.take(MAX_PATTERN_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_PATTERN_BYTES {
        bail!("{file}: longer than {MAX_PATTERN_BYTES} bytes");
    }
    let bytes = bytes.strip_prefix(MARK).unwrap_or(&bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let (line, column) = end_of(&valid);
            bail!("{file}:{line}:{column}: not UTF-8");
        }
    };
    let pattern = Pattern::compile(text)
        .map_err(|error| anyhow!("{file}:{}:{}: {}", error.line(), error.column(), error.message()))?;
    // The engine reads no further than the pattern's closing brace; of a file more was meant.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    if let Some(Ok(IgnoredAny)) = values.next() {
        let (pattern, rest) = text.split_at(values.byte_offset());
        if !rest.trim_start().is_empty() {
            let (line, column) = end_of(&text[..pattern.len() + rest.len() - rest.trim_start().len()]);
            bail!("{file}:{line}:{column}: more than one pattern");
        }
    }
    Ok(pattern)
}

/// Line and column, in UTF-16 units and from 1, of what follows a text.
fn end_of(text: &str) -> (usize, usize) {
    let line = text.rsplit('\n').next().unwrap_or_default();
    (text.matches('\n').count() + 1, line.encode_utf16().count() + 1)
}

fn matches(pattern: &Pattern, event: &[u8], validate: bool) -> Result<bool, EventError> {
    if validate { pattern.matches_strict(event) } else { pattern.matches(event) }
}

fn matches_rules(
    rules: &Matcher<usize>,
    event: &[u8],
    validate: bool,
    found: &mut Vec<usize>,
) -> Result<(), EventError> {
    if validate { rules.matches_strict(event, found) } else { rules.matches(event, found) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refused(pattern: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pattern.json");
        fs::write(&file, pattern).unwrap();
        let error = read_pattern(&Input::File(file)).unwrap_err().to_string();
        error.strip_prefix(folder.path().to_str().unwrap()).unwrap().to_owned()
    }

    #[test]
    fn patterns_are_refused_with_their_place() {
        let cases: [(&[u8], &str); 5] = [
            (b"{\n  \"a\": 1}", "/pattern.json:2:9: \"a\" must be an object or an array"),
            ("{\n \"é🦀".as_bytes(), "/pattern.json:2:6: "),
            (b"{\"a\":\n\xff", "/pattern.json:2:1: not UTF-8"),
            (b"{\"a\":[1]}\n\n {\"b\":[1]}\n", "/pattern.json:3:2: more than one pattern"),
            (b"", "/pattern.json:1:1: "),
        ];
        for (pattern, expected) in cases {
            let error = refused(pattern);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_error_is_one_line_that_does_not_act_on_a_terminal() {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let mut run = Run { out: &mut out, errors: &mut errors, found: true, failed: false };
        assert_eq!(run.exit_code(), ExitCode::SUCCESS);
        run.complain("a\u{1b}", "b\nc").unwrap();
        assert_eq!(run.exit_code(), ExitCode::from(EXIT_ERROR));
        assert_eq!(String::from_utf8(errors).unwrap(), "sigtrail: a\\u{1b}: b\\nc\n");
    }

    #[test]
    fn the_whole_event_is_checked_if_asked() {
        let pattern = Pattern::compile(r#"{"a":[1]}"#).unwrap();
        let cases = [
            (r#"{"a":1,"b":[{"c":"x\u00e9"}]}"#, None),
            (r#"{"a":1,"b":[01]}"#, Some(14)),
            (r#"{"b":[tru],"a":1}"#, Some(6)),
        ];
        for (event, offset) in cases {
            let answer = matches(&pattern, event.as_bytes(), true);
            assert_eq!(answer.err().map(|error| error.offset()), offset.map(Some), "{event}");
            assert_eq!(matches(&pattern, event.as_bytes(), false), Ok(true), "{event}");
        }
    }
}
