//! What is asked of each record.

use std::borrow::Cow;

use aws_api::Timestamp;
use bus::{Envelope, envelope, source_of};
use event_pattern::{EventError, Matcher, Pattern};
use record::Outline;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::literal::{Literals, Needle};

/// Patterns, all asked in one pass.
#[derive(Debug, Clone)]
pub struct Question {
    /// By their places in the question.
    matcher: Matcher<usize>,
    /// Only `detail` is asked about, and so the record itself.
    of_detail_alone: bool,
    /// Of which one will do.
    literals: Vec<Literals>,
    line_literals: Option<Literals>,
}

impl Question {
    /// Asks for the records that match one of these patterns. A pattern is on the event as EventBridge delivers it: with
    /// `source`, `detail-type` and so on beside `detail`.
    pub fn new(patterns: &[Pattern]) -> Self {
        let of_details: Option<Vec<_>> = patterns.iter().map(of_detail).collect();
        let of_detail_alone = of_details.is_some();
        let mut matcher = Matcher::new();
        for (place, pattern) in of_details.as_deref().unwrap_or(patterns).iter().enumerate() {
            matcher.add(place, pattern.clone());
        }
        let (literals, line_literals) = (Literals::of(patterns), Literals::of_lines(patterns));
        Self { matcher, of_detail_alone, literals, line_literals }
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
        let event = if self.of_detail_alone {
            record
        } else {
            let outline: Outline<'_> = serde_json::from_slice(record)?;
            let source = source_of(&outline.event_source);
            let head = Envelope {
                id: outline.event_id.parse().unwrap_or(Uuid::nil()),
                detail_type: &detail_type(&outline.event_type),
                source: &source,
                account: &outline.recipient_account_id,
                time: Timestamp::parse_rfc3339(&outline.event_time).unwrap_or(Timestamp::from_millis(0)),
                region: &outline.aws_region,
                resources: &[],
            };
            *room = envelope(&head, record);
            room
        };
        match self.matcher.matches(event, out) {
            // What was found to match does.
            Ok(()) | Err(EventError::Undecided { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
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
    Pattern::compile(detail.get()).ok()
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
