//! A report for programs.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::sanitize::is_hidden;
use crate::{Field, Group, Report};

/// Writes `{"callers":[…]}`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let callers: Vec<_> = report.groups.iter().map(|group| Row { fields: &report.fields, group }).collect();
    write_value(&Callers { callers }, out)
}

/// Writes any value, in which nothing acts on a terminal.
pub(crate) fn write_value(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Visible(PrettyFormatter::new())))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Callers<'a> {
    callers: Vec<Row<'a>>,
}

/// A group as an object.
pub(crate) struct Row<'a> {
    pub fields: &'a [Field],
    pub group: &'a Group,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { fields, group } = self;
        let mut map = serializer.serialize_map(None)?;
        for (field, value) in fields.iter().zip(&group.key) {
            map.serialize_entry(field.name(), value)?;
        }
        map.serialize_entry("auth_methods", &group.auth_methods)?;
        map.serialize_entry("actions", &group.actions)?;
        map.serialize_entry("errors", &group.errors)?;
        map.serialize_entry("count", &group.count)?;
        map.serialize_entry("first_seen", &group.first_seen)?;
        map.serialize_entry("last_seen", &group.last_seen)?;
        map.end()
    }
}

/// Pretty JSON, in which what is hidden has an escape.
struct Visible(PrettyFormatter<'static>);

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, mut fragment: &str) -> io::Result<()> {
        while let Some((at, hidden)) = fragment.char_indices().find(|(_, letter)| is_hidden(*letter)) {
            out.write_all(&fragment.as_bytes()[..at])?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            fragment = &fragment[at + hidden.len_utf8()..];
        }
        out.write_all(fragment.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::{ETL, S3CMD, caller, callers};

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_caller_has_all_members() {
        let report = Report::new(&Field::ALL, callers().into_iter().skip(3));
        let parsed: Value = serde_json::from_str(&text(&report)).unwrap();
        assert_eq!(
            parsed,
            json!({"callers": [{
                "identity": ETL, "access_key_id": "ASIAETL", "source_ip": "10.0.0.9", "user_agent": S3CMD, "bucket": "logs",
                "auth_methods": {"QueryString": 2}, "actions": {"GetObject": 2}, "errors": {"AccessDenied": 2},
                "count": 2, "first_seen": "2026-11-23T08:00:00Z", "last_seen": "2026-11-23T09:00:00Z",
            }]})
        );
    }

    #[test]
    fn fields_not_asked_for_are_left_out() {
        let report = Report::new(&[Field::Bucket], callers());
        let parsed: Value = serde_json::from_str(&text(&report)).unwrap();
        assert_eq!(parsed["callers"][0]["bucket"], "lake");
        assert_eq!(parsed["callers"][0].get("identity"), None);
    }

    #[test]
    fn strangers_text_is_kept_but_does_not_act() {
        let agent = "\u{202e}\u{9b}31m\u{1b}[31m\n\u{e0041}\"é🦀";
        let report = Report::new(&Field::ALL, [caller(["", "", "", agent, ""], &[("GetObject", 1)], ["1", "2"])]);
        let text = text(&report);
        assert!(!text.contains(|c| is_hidden(c) && c != '\n'), "{text:?}");
        let parsed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["callers"][0]["user_agent"], agent);
    }

    #[test]
    fn nobody_is_an_empty_list() {
        let parsed: Value = serde_json::from_str(&text(&Report::new(&Field::ALL, []))).unwrap();
        assert_eq!(parsed, json!({"callers": []}));
    }
}
