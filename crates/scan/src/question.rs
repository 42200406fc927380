//! What is asked of each record.

use std::borrow::Cow;

use aws_api::Timestamp;
use bus::{Envelope, envelope, source_of};
use event_pattern::{EventError, Matcher, Pattern};
use record::Outline;
use uuid::Uuid;

use crate::literal::Literals;

/// Patterns, all asked in one pass.
#[derive(Debug, Clone)]
pub struct Question {
    /// By their places in the question.
    matcher: Matcher<usize>,
    /// Only `detail` is asked about, so that the rest of the envelope need not be made.
    of_detail_alone: bool,
    literals: Option<Literals>,
    line_literals: Option<Literals>,
}

impl Question {
    /// Asks for the records that match one of these patterns. A pattern is on the event as EventBridge delivers it: with
    /// `source`, `detail-type` and so on beside `detail`.
    pub fn new(patterns: &[Pattern]) -> Self {
        let mut matcher = Matcher::new();
        for (place, pattern) in patterns.iter().enumerate() {
            matcher.add(place, pattern.clone());
        }
        let of_detail_alone = patterns.iter().all(|pattern| {
            let mut fields = pattern.combinations().flat_map(|combination| combination.conditions(pattern));
            fields.all(|field| field.name().starts_with("detail."))
        });
        let (literals, line_literals) = (Literals::of(patterns), Literals::of_lines(patterns));
        Self { matcher, of_detail_alone, literals, line_literals }
    }

    /// The same question without its short cuts: every record is matched. The answers are the same; for tests.
    #[must_use]
    pub fn without_literals(mut self) -> Self {
        (self.literals, self.line_literals) = (None, None);
        self
    }

    pub(crate) fn literals(&self) -> Option<&Literals> {
        self.literals.as_ref()
    }

    pub(crate) fn line_literals(&self) -> Option<&Literals> {
        self.line_literals.as_ref()
    }

    /// The patterns that a record matches.
    pub(crate) fn matches(&self, record: &[u8], event: &mut Vec<u8>, out: &mut Vec<usize>) -> Result<(), Unmatched> {
        event.clear();
        if self.of_detail_alone {
            event.extend_from_slice(b"{\"detail\":");
            event.extend_from_slice(record);
            event.push(b'}');
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
            *event = envelope(&head, record);
        }
        match self.matcher.matches(event, out) {
            // What was found to match does.
            Ok(()) | Err(EventError::Undecided { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
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
