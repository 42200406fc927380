//! What is asked of each record.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aws_api::Timestamp;
use bus::{Envelope, envelope, source_of};
use event_pattern::{EventError, Matcher, Pattern};
use record::Text;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::literal::{Literals, Needle};

/// Patterns, all asked in one pass.
#[derive(Debug, Clone)]
pub struct Question {
    /// By their places in the question.
    matcher: Matcher<usize>,
    asked: Asked,
    /// Of which one will do.
    literals: Vec<Literals>,
    line_literals: Option<Literals>,
}

/// Of what the matcher is asked, which is the less to make the less there is to patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The record: nothing but `detail` is asked about, and the patterns are what they ask of it.
    Record,
    /// An event that has a `detail`.
    Detail,
    /// All of an event.
    Event,
}

impl Question {
    /// Asks for the records that match one of these patterns. A pattern is on the event as EventBridge delivers it: with
    /// `source`, `detail-type` and so on beside `detail`.
    pub fn new(patterns: &[Pattern]) -> Self {
        let of_details: Option<Vec<_>> = patterns.iter().map(of_detail).collect();
        let asked = if of_details.is_some() {
            Asked::Record
        } else if patterns.iter().flat_map(names).all(|name| name.starts_with("detail.")) {
            Asked::Detail
        } else {
            Asked::Event
        };
        let mut matcher = Matcher::new();
        for (place, pattern) in of_details.as_deref().unwrap_or(patterns).iter().enumerate() {
            matcher.add(place, pattern.clone());
        }
        let (literals, line_literals) = (Literals::of(patterns), Literals::of_lines(patterns));
        Self { matcher, asked, literals, line_literals }
    }

    /// The same question without its short cuts: every record is matched. The answers are the same; for tests.
    #[must_use]
    pub fn without_literals(mut self) -> Self {
        (self.literals, self.line_literals) = (Vec::new(), None);
        self
    }

    pub(crate) fn needle(&self) -> Needle<'_> {
        Needle::new(&self.literals)
    }

    pub(crate) fn line_literals(&self) -> Option<&Literals> {
        self.line_literals.as_ref()
    }

    /// The patterns that a record matches.
    pub(crate) fn matches(&self, record: &[u8], room: &mut Vec<u8>, out: &mut Vec<usize>) -> Result<(), Unmatched> {
        let event = match self.asked {
            Asked::Record => record,
            Asked::Detail => {
                room.clear();
                for part in [b"{\"detail\":", record, b"}"] {
                    room.extend_from_slice(part);
                }
                room
            }
            Asked::Event => {
                *room = event_of(record)?;
                room
            }
        };
        match self.matcher.matches(event, out) {
            // What was found to match does.
            Ok(()) | Err(EventError::Undecided { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is beside `detail` in an event. Old records, and those of Insights, do not have all of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head<'a> {
    #[serde(borrow)]
    event_source: Text<'a>,
    #[serde(rename = "eventID")]
    event_id: Text<'a>,
    event_type: Text<'a>,
    recipient_account_id: Text<'a>,
    event_time: Text<'a>,
    aws_region: Text<'a>,
}

fn event_of(record: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let head: Head<'_> = serde_json::from_slice(record)?;
    let source = source_of(&head.event_source);
    let head = Envelope {
        id: head.event_id.parse().unwrap_or(Uuid::nil()),
        detail_type: &detail_type(&head.event_type),
        source: &source,
        account: &head.recipient_account_id,
        time: Timestamp::parse_rfc3339(&head.event_time).unwrap_or(Timestamp::from_millis(0)),
        region: &head.aws_region,
        resources: &[],
    };
    Ok(envelope(&head, record))
}

/// The fields that a pattern asks about.
fn names(pattern: &Pattern) -> BTreeSet<String> {
    let fields = pattern.combinations().flat_map(|combination| combination.conditions(pattern));
    fields.map(|field| field.name().to_owned()).collect()
}

/// What a pattern asks of `detail`, if it asks of nothing else.
fn of_detail(pattern: &Pattern) -> Option<Pattern> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OfDetail<'a> {
        #[serde(borrow)]
        detail: &'a RawValue,
    }
    let OfDetail { detail } = serde_json::from_str(pattern.source()).ok()?;
    let inner = Pattern::compile(detail.get()).ok()?;
    // An empty name at the beginning is not one of a path.
    let is_the_same = names(&inner).iter().map(|name| format!("detail.{name}")).eq(names(pattern));
    is_the_same.then_some(inner)
}

/// A record that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmatched {
    #[error("a record that is not one: {0}")]
    Record(#[from] serde_json::Error),
    #[error("a record that is not JSON: {0}")]
    Event(#[from] EventError),
}

/// Of the events that CloudTrail sends ("Events delivered via CloudTrail" in the EventBridge guide).
fn detail_type(event_type: &str) -> Cow<'static, str> {
    match event_type {
        "AwsApiCall" => bus::DETAIL_TYPE_API_CALL.into(),
        "AwsServiceEvent" => "AWS Service Event via CloudTrail".into(),
        "AwsConsoleAction" => "AWS Console Action via CloudTrail".into(),
        "AwsConsoleSignIn" => "AWS Console Sign In via CloudTrail".into(),
        "AwsCloudTrailInsight" => "AWS Insight via CloudTrail".into(),
        other => format!("{other} via CloudTrail").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With an event around the record, as EventBridge has it.
    #[test]
    fn a_record_is_asked_as_its_event_would_be() {
        let records = [
            r#"{"a":"xyz","eventSource":"s3.amazonaws.com"}"#,
            r#"{"":{"a":"xyz"}}"#,
            r#"{".a":"xyz"}"#,
            r#"{"":"xyz"}"#,
            r#"{"detail":{"a":"xyz"},"b":["c",1]}"#,
            r#"{"eventCategory":"Insight","b":{"a":"xyz"}}"#,
        ];
        let patterns = [
            r#"{"detail":{"a":["xyz"]}}"#,
            r#"{"detail":{"":{"a":["xyz"]}}}"#,
            r#"{"detail":{"":{"":["xyz"]}}}"#,
            r#"{"detail":{"":["xyz"]}}"#,
            r#"{"detail":{"detail":{"a":["xyz"]}}}"#,
            r#"{"detail":{"$or":[{"a":["xyz"]},{"b":["c"]}]}}"#,
            r#"{"$or":[{"detail":{"eventCategory":["Insight"]}},{"detail":{"a":["xyz"]}}]}"#,
            r#"{"detail.a":["xyz"]}"#,
            r#"{"de\u0074ail":{"a":["xyz"]}}"#,
            r#"{"source":["aws.s3"],"detail":{"a":["xyz"]}}"#,
            r#"{"detail":{"a":[{"exists":false}]}}"#,
            r#"{"detail":{"b":{"a":[{"exists":true}]},"a":[{"exists":false}]}}"#,
        ];
        for pattern in patterns.map(|pattern| Pattern::compile(pattern).unwrap()) {
            for record in records {
                let source = if record.contains("s3.") { r#""source":"aws.s3","# } else { "" };
                let event = format!(r#"{{{source}"detail":{record}}}"#);
                let mut found = Vec::new();
                let question = Question::new(std::slice::from_ref(&pattern));
                question.matches(record.as_bytes(), &mut Vec::new(), &mut found).unwrap();
                let expected = pattern.matches(event.as_bytes()).unwrap();
                assert_eq!(!found.is_empty(), expected, "{} of {record}", pattern.source());
            }
        }
    }
}
