//! What of an event stands in a log file.
//!
//! EventBridge puts CloudTrail's record into an envelope ("Events from AWS services via CloudTrail"), which the log files do not
//! have. It is that of `bus::envelope`.

use event_pattern::{FieldCondition, Value};

use crate::error::Refusal;

/// Where a field of the event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<'p> {
    /// In the record, behind these steps.
    Record(Vec<&'p str>),
    /// Made of a field of the record that is always there, one text.
    Head(&'static str),
    /// Made of `eventSource`.
    Source,
    /// The same in all events: whether the condition holds.
    Constant(bool),
}

/// Finds the field of a condition.
pub(crate) fn place(condition: FieldCondition<'_>) -> Result<Place<'_>, Refusal> {
    let constant = |text: &str| Place::Constant(condition.matches(Value::String(text)));
    Ok(match condition.name() {
        "source" => Place::Source,
        "account" => Place::Head("recipientAccountId"),
        "region" => Place::Head("awsRegion"),
        "time" => Place::Head("eventTime"),
        "version" => constant("0"),
        "detail-type" => constant("AWS API Call via CloudTrail"),
        "id" => return Err(Refusal::new("the event's id, which EventBridge makes and no log file has")),
        "detail" => return Err(Refusal::new("the detail itself, which is an object in every event")),
        name => match name.strip_prefix("detail.") {
            Some(steps) => Place::Record(steps.split('.').collect()),
            None => return Err(Refusal::new("a field that events from CloudTrail do not have")),
        },
    })
}
