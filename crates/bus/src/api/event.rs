//! Events of users' own, and patterns tried on events.

use aws_api::events::{
    PutEventsRequest, PutEventsRequestEntry, PutEventsResponse, PutEventsResultEntry, TestEventPatternRequest,
    TestEventPatternResponse,
};
use aws_api::{ApiError, RequestContext, Timestamp};
use uuid::Uuid;

use super::rule::check_pattern;
use super::{check_count, invalid};
use crate::{Buses, Envelope, envelope, json};

/// Entries of one `PutEvents`.
pub const ENTRIES_MAX: usize = 10;

/// The size of all entries together stays below this, in bytes ("`PutEvents`" in the API reference; until 2025 256 KB).
const ENTRIES_BYTES: usize = 1024 * 1024;
/// What a given `Time` counts in the size of an entry, in bytes.
const TIME_BYTES: usize = 14;
/// Members that `TestEventPattern` wants in an event.
const EVENT_MEMBERS: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];

/// An event that was taken, to be made durable and then routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutEvent {
    /// The account of the bus.
    pub account: String,
    /// The name of the bus, of the request's region.
    pub bus: String,
    /// The event's id.
    pub id: Uuid,
    /// The event.
    pub envelope: Vec<u8>,
}

/// Why an entry was not taken.
struct EntryError {
    code: &'static str,
    message: String,
}

impl Buses {
    /// `TestEventPattern`.
    pub fn test_event_pattern(&self, req: &TestEventPatternRequest) -> Result<TestEventPatternResponse, ApiError> {
        let pattern = check_pattern(&req.event_pattern)?;
        let members = json::members(&req.event).ok_or_else(|| invalid("Parameter Event is not valid."))?;
        if let Some(missing) = EVENT_MEMBERS.iter().find(|name| !members.contains_key(**name)) {
            return Err(invalid(format!("Parameter Event is not valid. Reason: The event has no member {missing}.")));
        }
        let result = pattern.matches(req.event.as_bytes());
        let result = result.map_err(|error| invalid(format!("Parameter Event is not valid. Reason: {error}")))?;
        Ok(TestEventPatternResponse { result })
    }

    /// `PutEvents`: answers each entry in its place, and returns the events that were taken. `ids` are new ids, one for each
    /// entry.
    pub fn put_events(
        &self,
        ctx: &RequestContext,
        req: &PutEventsRequest,
        ids: &[Uuid; ENTRIES_MAX],
    ) -> Result<(PutEventsResponse, Vec<PutEvent>), ApiError> {
        check_count(req.entries.len(), "entries", ENTRIES_MAX)?;
        if req.entries.iter().map(entry_size).sum::<usize>() >= ENTRIES_BYTES {
            return Err(invalid("Total size of the entries in the request is over the limit."));
        }
        self.admit_all(ctx, req)?;
        let mut answer = PutEventsResponse::default();
        let mut events = Vec::new();
        for (entry, id) in req.entries.iter().zip(ids) {
            match self.take(ctx, entry, *id) {
                Ok(event) => {
                    events.push(event);
                    let event_id = Some(id.hyphenated().to_string());
                    answer.entries.push(PutEventsResultEntry { event_id, ..PutEventsResultEntry::default() });
                }
                Err(EntryError { code, message }) => {
                    answer.failed_entry_count += 1;
                    answer.entries.push(PutEventsResultEntry {
                        event_id: None,
                        error_code: Some(code.to_owned()),
                        error_message: Some(message),
                    });
                }
            }
        }
        Ok((answer, events))
    }

    /// An entry that the policy of its bus does not let pass refuses the request, as IAM decides before the service looks.
    fn admit_all(&self, ctx: &RequestContext, req: &PutEventsRequest) -> Result<(), ApiError> {
        for entry in &req.entries {
            let (source, detail_type) = (entry.source.as_deref(), entry.detail_type.as_deref());
            if let Ok(bus) = self.named(ctx, entry.event_bus_name.as_deref()) {
                self.admit(ctx, bus, source.unwrap_or_default(), detail_type.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn take(&self, ctx: &RequestContext, entry: &PutEventsRequestEntry, id: Uuid) -> Result<PutEvent, EntryError> {
        let source = required(entry.source.as_deref(), "Source")?;
        let detail_type = required(entry.detail_type.as_deref(), "DetailType")?;
        let detail = required(entry.detail.as_deref(), "Detail")?;
        if source.starts_with("aws.") {
            let message = "Not authorized for the source.".to_owned();
            return Err(EntryError { code: "NotAuthorizedForSourceException", message });
        }
        let malformed = || EntryError { code: "MalformedDetail", message: "Detail is malformed.".to_owned() };
        let detail = json::compact_object(detail).ok_or_else(malformed)?;
        // AWS answers with an id and drops the event; here the caller learns of it.
        let bus = self.named(ctx, entry.event_bus_name.as_deref());
        let bus = bus.map_err(|error| argument("EventBusName", &error.message))?;
        let head = Envelope {
            id,
            detail_type,
            source,
            account: ctx.account(),
            time: event_time(entry.time, ctx.now)?,
            region: &ctx.region,
            resources: &entry.resources,
        };
        let envelope = envelope(&head, detail.as_bytes());
        Ok(PutEvent { account: bus.account.to_owned(), bus: bus.name.to_owned(), id, envelope })
    }
}

fn argument(name: &str, reason: &str) -> EntryError {
    EntryError { code: "InvalidArgument", message: format!("Parameter {name} is not valid. Reason: {reason}") }
}

fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, EntryError> {
    let value = value.filter(|text| !text.is_empty());
    value.ok_or_else(|| argument(name, &format!("{name} is a required argument.")))
}

/// An entry's own time, to the second, or now.
#[expect(clippy::cast_possible_truncation, reason = "held to the years that a timestamp can show")]
fn event_time(seconds: Option<f64>, now: Timestamp) -> Result<Timestamp, EntryError> {
    let Some(seconds) = seconds else { return Ok(now) };
    let last = 253_402_300_799.0;
    if !(0.0..=last).contains(&seconds) {
        return Err(argument("Time", "Time is not between the years 1970 and 9999."));
    }
    Ok(Timestamp::from_secs(seconds as i64))
}

fn entry_size(entry: &PutEventsRequestEntry) -> usize {
    let texts = [&entry.source, &entry.detail_type, &entry.detail];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let resources: usize = entry.resources.iter().map(String::len).sum();
    texts + resources + if entry.time.is_some() { TIME_BYTES } else { 0 }
}
