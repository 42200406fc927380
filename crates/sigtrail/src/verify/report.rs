//! What was found, for people or for programs.

use std::io::{self, Write};

use report::sanitize::sanitize;
use serde::Serialize;

use crate::args::VerifyFormat;

/// How many files of a kind there are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    pub valid: u64,
    pub not_verified: u64,
    pub invalid: u64,
}

/// Everything counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub digests: Count,
    pub log_files: Count,
    /// Log files that no valid digest names.
    pub unnamed: u64,
    /// Those of them that one should name.
    pub unnamed_covered: u64,
    /// Files and folders that could not be verified, besides newest digests that name no log files.
    pub unprovable: u64,
    /// Whether there were public keys to check signatures with.
    pub signatures_checked: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    kind: &'a str,
    detail: &'a str,
    is_problem: bool,
}

/// Writes each finding as it comes, and the totals at the end.
pub struct Report<'o> {
    out: &'o mut dyn Write,
    format: VerifyFormat,
    is_first: bool,
    pub totals: Totals,
}

impl<'o> Report<'o> {
    pub fn new(out: &'o mut dyn Write, format: VerifyFormat, signatures_checked: bool) -> Self {
        Self { out, format, is_first: true, totals: Totals { signatures_checked, ..Totals::default() } }
    }

    /// Something is not what it should be.
    pub fn problem(&mut self, file: &str, kind: &str, detail: &str) -> io::Result<()> {
        self.line(&Line { file, kind, detail, is_problem: true })
    }

    /// Something that should be known, and is no problem by itself.
    pub fn note(&mut self, file: &str, kind: &str, detail: &str) -> io::Result<()> {
        self.line(&Line { file, kind, detail, is_problem: false })
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        match self.format {
            VerifyFormat::Text => {
                let text = format!("{}: {}: {}", line.file, line.kind, line.detail);
                writeln!(self.out, "{}", sanitize(&text))
            }
            VerifyFormat::Json => {
                let before = if std::mem::take(&mut self.is_first) { "{\"findings\":[" } else { "," };
                write!(self.out, "{before}\n{}", serde_json::to_string(line)?)
            }
        }
    }

    /// Writes the totals.
    pub fn finish(self) -> io::Result<Totals> {
        let totals = self.totals;
        match self.format {
            VerifyFormat::Text => {
                writeln!(self.out, "{}", counted("digest", totals.digests))?;
                writeln!(self.out, "{}", counted("log file", totals.log_files))?;
                if totals.unnamed > 0 {
                    writeln!(self.out, "{} that no digest names", plural(totals.unnamed, "log file"))?;
                }
            }
            VerifyFormat::Json => {
                let before = if self.is_first { "{\"findings\":[" } else { "\n" };
                writeln!(self.out, "{before}],\n\"totals\":{}}}", serde_json::to_string(&totals)?)?;
            }
        }
        self.out.flush()?;
        Ok(totals)
    }
}

impl Totals {
    pub fn has_problems(&self) -> bool {
        self.digests.invalid + self.log_files.invalid + self.unnamed_covered > 0
    }
}

fn counted(what: &str, count: Count) -> String {
    let Count { valid, not_verified, invalid } = count;
    let all = plural(valid + not_verified + invalid, what);
    format!("{all}: {valid} valid, {not_verified} not verified, {invalid} invalid")
}

fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: VerifyFormat, findings: bool) -> String {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, format, true);
        report.totals.digests = Count { valid: 1, not_verified: 0, invalid: 1 };
        if findings {
            report.problem("a\u{1b}", "changed", "why").unwrap();
            report.note("b", "gap", "why").unwrap();
        }
        report.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn for_people() {
        assert_eq!(
            written(VerifyFormat::Text, true),
            "a\\u{1b}: changed: why\nb: gap: why\n2 digests: 1 valid, 0 not verified, 1 invalid\n\
             0 log files: 0 valid, 0 not verified, 0 invalid\n"
        );
    }

    #[test]
    fn for_programs() {
        for findings in [false, true] {
            let json: serde_json::Value = serde_json::from_str(&written(VerifyFormat::Json, findings)).unwrap();
            assert_eq!(json["findings"].as_array().unwrap().len(), if findings { 2 } else { 0 });
            assert_eq!(json["totals"]["digests"]["invalid"], 1);
        }
    }
}
