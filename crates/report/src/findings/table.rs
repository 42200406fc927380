//! Findings for people.

use std::io::{self, Write};

use super::grouped::Grouped;
use super::{CheckTitle, Findings};
use crate::Field;
use crate::number::{bytes, counted, separated};
use crate::sanitize::sanitize;
use crate::table::{Row, Rows};

/// Writes a table of the callers, as [`crate::table::write`] does, and below it what was read and what was skipped. `columns` is
/// the terminal's width, `None` where there is none. Paths are not broken to fit, so that they can be copied.
pub fn write(findings: &Findings, by: &[Field], columns: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let Grouped { fields, groups } = Grouped::new(findings, by);
    if groups.is_empty() {
        writeln!(out, "{}", nobody(&findings.checks))?;
    } else {
        let rows = groups.iter().map(|found| Row { check: found.check, group: &found.group }).collect();
        Rows { fields: &fields, rows }.write(columns, out)?;
    }
    writeln!(out, "\n{}", summary(findings))?;
    for skipped in &findings.skipped {
        writeln!(out, "skipped {}: {}", sanitize(&skipped.path), sanitize(&skipped.error))?;
    }
    if findings.skipped_more > 0 {
        writeln!(out, "skipped {} more", separated(findings.skipped_more))?;
    }
    Ok(())
}

fn nobody(checks: &[CheckTitle]) -> String {
    let titles: Vec<_> = checks.iter().map(|check| sanitize(&check.title)).collect();
    if titles.is_empty() { "Nothing matched.".to_owned() } else { format!("Nothing matched: {}.", titles.join(", ")) }
}

fn summary(findings: &Findings) -> String {
    let mut parts = vec![
        counted(findings.files, "file"),
        counted(findings.records, "record"),
        bytes(findings.bytes),
        format!("{} matched", separated(findings.matched)),
    ];
    if findings.duplicates > 0 {
        parts.push(format!("{} left out", counted(findings.duplicates, "duplicate")));
    }
    let skipped = findings.skipped_count();
    if skipped > 0 {
        parts.push(format!("{} skipped", counted(skipped, "file")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::findings::Skipped;
    use crate::samples::findings;
    use crate::sanitize::is_hidden;

    fn text(findings: &Findings, by: &[Field], columns: Option<usize>) -> String {
        let mut out = Vec::new();
        write(findings, by, columns, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_was_read_is_summed_up() {
        let mut findings = findings();
        findings.skipped_more = 1234;
        let expected = "\
BUCKET  OPERATIONS     SIGNATURE      ERRORS          COUNT  FIRST SEEN            LAST SEEN
lake    PutObject 8    AuthHeader 8   -                   8  2026-11-23T07:00:00Z  2026-11-23T11:00:00Z
-       ListBuckets 2  AuthHeader 2   -                   2  2026-11-23T10:30:00Z  2026-11-23T10:40:00Z
logs    GetObject 2    QueryString 2  AccessDenied 2      2  2026-11-23T08:00:00Z  2026-11-23T09:00:00Z

3 files, 1,200 records, 2.0 MB, 12 matched, 7 duplicates left out, 1,235 files skipped
skipped a/b.json.gz: the end of the gzip stream is missing
skipped 1,234 more
";
        assert_eq!(text(&findings, &[Field::Bucket], None), expected);
    }

    #[test]
    fn several_checks_have_a_column() {
        let mut findings = findings();
        findings.checks.push(CheckTitle { name: "tls".into(), ..CheckTitle::default() });
        findings.callers[3].check = "tls".into();
        let text = text(&findings, &[Field::Bucket], None);
        assert!(text.starts_with("CHECK  BUCKET"), "{text}");
        assert!(text.contains("\nsigv2  lake ") && text.contains("\ntls    logs "), "{text}");
    }

    #[test]
    fn it_fits() {
        let mut findings = findings();
        findings.checks.push(CheckTitle { name: "tls".into(), ..CheckTitle::default() });
        for columns in [90, 100, 120, 160, 300] {
            let text = text(&findings, &Field::ALL, Some(columns));
            assert!(text.lines().all(|line| line.width() <= columns), "{columns}:\n{text}");
        }
    }

    #[test]
    fn nobody_is_said() {
        let mut findings = findings();
        findings.callers.clear();
        findings.skipped.clear();
        (findings.matched, findings.duplicates) = (0, 0);
        let expected = "Nothing matched: Signature Version 2.\n\n3 files, 1,200 records, 2.0 MB, 0 matched\n";
        assert_eq!(text(&findings, &Field::ALL, Some(80)), expected);
        assert!(text(&Findings::default(), &Field::ALL, None).starts_with("Nothing matched.\n"));
    }

    #[test]
    fn strangers_text_does_not_act() {
        let path = "\u{202e}\u{1b}[31m\nskipped nothing";
        let skipped = vec![Skipped { path: path.into(), error: path.into() }];
        let text = text(&Findings { skipped, ..Findings::default() }, &Field::ALL, None);
        assert!(!text.contains(|c| is_hidden(c) && c != '\n'), "{text:?}");
        assert_eq!(text.lines().count(), 4, "{text:?}");
    }
}
