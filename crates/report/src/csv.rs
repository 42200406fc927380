//! A report for spreadsheets.

use std::io::{self, Write};

use crate::sanitize::sanitize;
use crate::table::Row;
use crate::{Counts, Field, Report, by_count};

/// Writes a header line and a line for each group. Counts within a cell are `PutObject=12;GetObject=3`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    write_rows(&report.fields, report.groups.iter().map(|group| Row { check: None, group }), false, out)
}

/// The same; `checked` says whether the check that found a caller stands in front.
pub(crate) fn write_rows<'a>(
    fields: &[Field],
    rows: impl Iterator<Item = Row<'a>>,
    checked: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let fixed = ["auth_methods", "actions", "errors", "count", "first_seen", "last_seen"];
    let check = checked.then_some("check");
    csv.write_record(check.into_iter().chain(fields.iter().map(|field| field.name())).chain(fixed))?;
    for Row { check, group } in rows {
        let counts = [&group.auth_methods, &group.actions, &group.errors].map(counts);
        let rest = [&group.count.to_string(), &group.first_seen, &group.last_seen];
        let cells = group.key.iter().chain(&counts).chain(rest).map(String::as_str);
        let check = checked.then_some(check.unwrap_or_default());
        csv.write_record(check.into_iter().chain(cells).map(cell))?;
    }
    csv.flush()
}

fn counts(counts: &Counts) -> String {
    let parts: Vec<_> = by_count(counts).into_iter().map(|(name, count)| format!("{name}={count}")).collect();
    parts.join(";")
}

/// Nothing hidden, and nothing that a spreadsheet takes for a formula: OWASP, "CSV Injection".
fn cell(text: &str) -> String {
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) || text.trim_start().starts_with(['=', '+', '-', '@']);
    let guard = if formula { "'" } else { "" };
    format!("{guard}{}", sanitize(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{caller, callers};

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counts_share_a_cell() {
        let report = Report::new(&[Field::Identity, Field::Bucket], callers());
        let expected = "\
identity,bucket,auth_methods,actions,errors,count,first_seen,last_seen
arn:aws:iam::111122223333:user/nightly-backup,lake,AuthHeader=8,PutObject=8,,8,2026-11-23T07:00:00Z,2026-11-23T11:00:00Z
arn:aws:iam::111122223333:role/etl,logs,QueryString=2,GetObject=2,AccessDenied=2,2,2026-11-23T08:00:00Z,2026-11-23T09:00:00Z
arn:aws:iam::111122223333:user/nightly-backup,,AuthHeader=2,ListBuckets=2,,2,2026-11-23T10:30:00Z,2026-11-23T10:40:00Z
";
        assert_eq!(text(&report), expected);
    }

    #[test]
    fn strangers_text_is_no_formula() {
        let cases = [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", r"'\tx"),
            ("\r=1", r"'\r=1"),
            (" =1", "' =1"),
            ("\n=1", r"'\n=1"),
            ("a=1", "a=1"),
            ("a\u{202e},b", r"a\u{202e},b"),
        ];
        for (agent, shown) in cases {
            let report =
                Report::new(&[Field::UserAgent], [caller(["", "", "", agent, ""], &[("GetObject", 1)], ["1", "2"])]);
            let text = text(&report);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!(&row[0], shown);
        }
    }
}
