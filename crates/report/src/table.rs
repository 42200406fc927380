//! A report for people.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use crate::sanitize::sanitize;
use crate::{Counts, Field, Group, Report, by_count};

/// Writes a line for each caller, which `grep` and `sort` can work on; for a terminal where that is too wide a block of
/// lines. `columns` is the terminal's width, `None` where there is none.
pub fn write(report: &Report, columns: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let rows = report.groups.iter().map(|group| Row { check: None, group }).collect();
    Rows { fields: &report.fields, rows }.write(columns, out)
}

/// What a table is made of.
pub(crate) struct Rows<'a> {
    pub fields: &'a [Field],
    pub rows: Vec<Row<'a>>,
}

/// A caller, and the check that found it where there were several.
pub(crate) struct Row<'a> {
    pub check: Option<&'a str>,
    pub group: &'a Group,
}

/// What is told of a caller.
#[derive(Clone, Copy)]
enum Part {
    Check,
    /// The value at this place of the key.
    Key(Field, usize),
    Operations,
    Signature,
    Errors,
    Count,
    FirstSeen,
    LastSeen,
}

impl Part {
    fn title(self) -> &'static str {
        match self {
            Self::Check => "CHECK",
            Self::Key(Field::Identity, _) => "IDENTITY",
            Self::Key(Field::AccessKeyId, _) => "ACCESS KEY",
            Self::Key(Field::SourceIp, _) => "ADDRESS",
            Self::Key(Field::UserAgent, _) => "USER AGENT",
            Self::Key(Field::Bucket, _) => "BUCKET",
            Self::Operations => "OPERATIONS",
            Self::Signature => "SIGNATURE",
            Self::Errors => "ERRORS",
            Self::Count => "COUNT",
            Self::FirstSeen => "FIRST SEEN",
            Self::LastSeen => "LAST SEEN",
        }
    }

    fn of(self, row: &Row<'_>, between: &str) -> String {
        let group = row.group;
        match self {
            Self::Check => shown(row.check.unwrap_or_default()),
            Self::Key(_, at) => group.key.get(at).map_or("-".to_owned(), |value| shown(value)),
            Self::Operations => counts(&group.actions, between),
            Self::Signature => counts(&group.auth_methods, between),
            Self::Errors => counts(&group.errors, between),
            Self::Count => group.count.to_string(),
            Self::FirstSeen => shown(&group.first_seen),
            Self::LastSeen => shown(&group.last_seen),
        }
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() { "-".to_owned() } else { sanitize(value).into_owned() }
}

fn counts(counts: &Counts, between: &str) -> String {
    if counts.is_empty() {
        return "-".to_owned();
    }
    let parts: Vec<_> =
        by_count(counts).into_iter().map(|(name, count)| format!("{} {count}", sanitize(name))).collect();
    parts.join(between)
}

fn count_cell(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

impl Rows<'_> {
    pub fn write(&self, columns: Option<usize>, out: &mut impl Write) -> io::Result<()> {
        let mut lines: Vec<String> = self.flat().lines().collect();
        if let Some(columns) = columns.filter(|columns| lines.iter().any(|line| line.trim_end().width() > *columns)) {
            lines = self.stacked(columns).lines().collect();
        }
        for line in lines {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn has_errors(&self) -> bool {
        self.rows.iter().any(|row| !row.group.errors.is_empty())
    }

    fn keys(&self) -> impl Iterator<Item = Part> {
        let check = self.rows.iter().any(|row| row.check.is_some()).then_some(Part::Check);
        check.into_iter().chain(self.fields.iter().enumerate().map(|(at, field)| Part::Key(*field, at)))
    }

    /// A column for each part.
    fn flat(&self) -> Table {
        let mut parts: Vec<_> = self.keys().chain([Part::Operations, Part::Signature]).collect();
        parts.extend(self.has_errors().then_some(Part::Errors));
        parts.extend([Part::Count, Part::FirstSeen, Part::LastSeen]);
        let cell =
            |part: Part, text: String| if matches!(part, Part::Count) { count_cell(&text) } else { Cell::new(text) };
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(parts.iter().map(|part| cell(*part, part.title().to_owned())));
        for row in &self.rows {
            table.add_row(parts.iter().map(|part| cell(*part, part.of(row, ", "))));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table
    }

    /// A few columns with several parts below each other, and a rule between callers.
    fn stacked(&self, columns: usize) -> Table {
        let who = |part: &Part| matches!(part, Part::Check | Part::Key(Field::Identity | Field::AccessKeyId, _));
        let whence = |part: &Part| matches!(part, Part::Key(Field::SourceIp | Field::UserAgent, _));
        let mut what: Vec<_> = self.keys().filter(|part| !who(part) && !whence(part)).collect();
        what.extend([Part::Operations, Part::Signature]);
        what.extend(self.has_errors().then_some(Part::Errors));
        let stacks = [self.keys().filter(who).collect(), self.keys().filter(whence).collect(), what];
        let stacks: Vec<Vec<Part>> = stacks.into_iter().filter(|stack| !stack.is_empty()).collect();
        let seen = vec![Part::FirstSeen, Part::LastSeen];
        let line = |text: &dyn Fn(Part) -> String| {
            let stack =
                |stack: &Vec<Part>| Cell::new(stack.iter().map(|part| text(*part)).collect::<Vec<_>>().join("\n"));
            let mut cells: Vec<_> = stacks.iter().map(stack).collect();
            cells.extend([count_cell(&text(Part::Count)), stack(&seen)]);
            cells
        };
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(columns).unwrap_or(u16::MAX));
        table.set_header(line(&|part| part.title().to_owned()));
        for row in &self.rows {
            table.add_row(line(&|part| part.of(row, "\n")));
        }
        for column in table.column_iter_mut().skip(stacks.len()) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ETL, caller, callers};

    fn text(report: &Report, columns: Option<usize>) -> String {
        let mut out = Vec::new();
        write(report, columns, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn at_a_hundred_columns() {
        let text = text(&Report::new(&Field::ALL, callers().into_iter().skip(2)), Some(100));
        let expected = "\
────────────────────────────────────────────────────────────────────────────────────────────────────
 IDENTITY                   ADDRESS                   BUCKET           COUNT   FIRST SEEN
 ACCESS KEY                 USER AGENT                OPERATIONS               LAST SEEN
                                                      SIGNATURE
                                                      ERRORS
════════════════════════════════════════════════════════════════════════════════════════════════════
 arn:aws:iam::11112222333   10.0.0.9                  logs                 2   2026-11-23T08:00:00Z
 3:role/etl                 s3cmd/2.4.0               GetObject 2              2026-11-23T09:00:00Z
 ASIAETL                                              QueryString 2
                                                      AccessDenied 2
────────────────────────────────────────────────────────────────────────────────────────────────────
 arn:aws:iam::11112222333   10.0.0.1                  -                    2   2026-11-23T10:30:00Z
 3:user/nightly-backup      Boto/2.49.0               ListBuckets 2            2026-11-23T10:40:00Z
 AKIABACKUP                 Python/2.7.18             AuthHeader 2
                            Linux/5.10.0-33-amd64     -
────────────────────────────────────────────────────────────────────────────────────────────────────
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_line_each_where_there_is_room() {
        let wide = text(&Report::new(&Field::ALL, callers()), Some(250));
        assert_eq!(wide, text(&Report::new(&Field::ALL, callers()), None));
        let by_identity = text(&Report::new(&[Field::Identity], callers()), None);
        let expected = "\
IDENTITY                                       OPERATIONS                  SIGNATURE      ERRORS          COUNT  FIRST SEEN            LAST SEEN
arn:aws:iam::111122223333:user/nightly-backup  PutObject 8, ListBuckets 2  AuthHeader 10  -                  10  2026-11-23T07:00:00Z  2026-11-23T11:00:00Z
arn:aws:iam::111122223333:role/etl             GetObject 2                 QueryString 2  AccessDenied 2      2  2026-11-23T08:00:00Z  2026-11-23T09:00:00Z
";
        assert_eq!(by_identity, expected);
    }

    #[test]
    fn it_fits() {
        for columns in [80, 100, 120, 160, 300] {
            let text = text(&Report::new(&Field::ALL, callers()), Some(columns));
            assert!(text.lines().all(|line| line.width() <= columns), "{columns}:\n{text}");
        }
    }

    #[test]
    fn values_are_whole_where_there_is_no_terminal() {
        let agent = "x".repeat(500);
        let report =
            Report::new(&Field::ALL, [caller([ETL, "ASIAETL", "::1", &agent, ""], &[("GetObject", 1)], ["1", "2"])]);
        let text = text(&report, None);
        assert!(text.contains(ETL) && text.contains(&agent), "{text}");
    }

    #[test]
    fn strangers_text_does_not_act() {
        let agent = "a\u{202e}b\u{1b}[31m\nc";
        let report = Report::new(&Field::ALL, [caller([ETL, "A", "::1", agent, ""], &[("GetObject", 1)], ["1", "2"])]);
        assert!(text(&report, None).contains(r"a\u{202e}b\u{1b}[31m\nc"));
    }
}
