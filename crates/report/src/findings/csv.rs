//! Findings for spreadsheets.

use std::io::{self, Write};

use super::Findings;
use super::grouped::Grouped;
use crate::Field;
use crate::csv::write_rows;
use crate::table::Row;

/// Writes a header line and a line for each caller, as [`crate::csv::write`] does. Where several checks ran, the name of the one
/// that found it stands in front. What was skipped is not in it.
pub fn write(findings: &Findings, by: &[Field], out: &mut impl Write) -> io::Result<()> {
    let Grouped { fields, groups } = Grouped::new(findings, by);
    let rows = groups.iter().map(|found| Row { check: found.check, group: &found.group });
    write_rows(&fields, rows, findings.has_several_checks(), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::CheckTitle;
    use crate::samples::findings;

    fn text(findings: &Findings) -> String {
        let mut out = Vec::new();
        write(findings, &[Field::Bucket], &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_check_is_named_where_there_are_several() {
        let mut findings = findings();
        let header = "bucket,auth_methods,actions,errors,count,first_seen,last_seen\n";
        assert!(text(&findings).starts_with(header), "{}", text(&findings));
        findings.checks.push(CheckTitle { name: "=1".into(), ..CheckTitle::default() });
        findings.callers[3].check = "=1".into();
        let expected = "\
check,bucket,auth_methods,actions,errors,count,first_seen,last_seen
sigv2,lake,AuthHeader=8,PutObject=8,,8,2026-11-23T07:00:00Z,2026-11-23T11:00:00Z
sigv2,,AuthHeader=2,ListBuckets=2,,2,2026-11-23T10:30:00Z,2026-11-23T10:40:00Z
'=1,logs,QueryString=2,GetObject=2,AccessDenied=2,2,2026-11-23T08:00:00Z,2026-11-23T09:00:00Z
";
        assert_eq!(text(&findings), expected);
    }

    #[test]
    fn nobody_is_a_header() {
        let text = text(&Findings::default());
        assert_eq!(text, "bucket,auth_methods,actions,errors,count,first_seen,last_seen\n");
    }
}
