//! The event history: which rows find a management event, and which of them a look-up reads.
//!
//! An event is one row, in the order of time. Beside it stands a row without a value for each attribute that
//! `LookupEvents` can ask for, in the order of account, region, attribute, value and time: a look-up walks the rows of one
//! value from the latest back, and reads what it returns and no more.

use aws_api::cloudtrail::{Event, EventResource, LookupEventsRequest};
use aws_api::{ApiError, RequestContext, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use record::Record;
use sha2::{Digest, Sha256};

use crate::resource::resources;

/// Events are found for so long.
pub const HISTORY_DAYS: i64 = 90;
/// `MaxResults` at most, and if absent.
const RESULTS_MAX: i32 = 50;
/// Characters of an attribute's value.
const VALUE_LEN_MAX: usize = 2000;

/// The last second that a [`Timestamp`] can show.
const TIME_MAX: f64 = 253_402_300_799.0;

/// What stands first in the key of an event's own row.
const EVENT: u8 = 0;
/// What stands first in the key of a row that finds an event.
const FINDER: u8 = 1;

/// What can be asked for. The numbers stand in keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    /// Every event.
    Any = 0,
    EventId = 1,
    EventName = 2,
    ReadOnly = 3,
    Username = 4,
    ResourceType = 5,
    ResourceName = 6,
    EventSource = 7,
    AccessKeyId = 8,
}

impl Attribute {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "EventId" => Self::EventId,
            "EventName" => Self::EventName,
            "ReadOnly" => Self::ReadOnly,
            "Username" => Self::Username,
            "ResourceType" => Self::ResourceType,
            "ResourceName" => Self::ResourceName,
            "EventSource" => Self::EventSource,
            "AccessKeyId" => Self::AccessKeyId,
            _ => return None,
        })
    }
}

/// Where an event stands in the order of the history: its second, and its number in the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    secs: u64,
    seq: u64,
}

impl Place {
    /// The place of a record that has this number in the event log.
    pub fn of(record: &Record, seq: u64) -> Self {
        let time = Timestamp::parse_rfc3339(&record.event_time).unwrap_or_default();
        Self { secs: secs(time), seq }
    }

    /// The place that ends a key.
    pub fn read(key: &[u8]) -> Option<Self> {
        let (rest, seq) = key.split_last_chunk::<8>()?;
        let secs = rest.last_chunk::<8>()?;
        Some(Self { secs: u64::from_be_bytes(*secs), seq: u64::from_be_bytes(*seq) })
    }

    /// The key of the event's own row.
    pub fn event_key(self) -> Vec<u8> {
        let mut key = vec![EVENT];
        self.end(&mut key);
        key
    }

    fn end(self, key: &mut Vec<u8>) {
        key.extend_from_slice(&self.secs.to_be_bytes());
        key.extend_from_slice(&self.seq.to_be_bytes());
    }
}

/// The keys of the rows of events that are older than [`HISTORY_DAYS`] begin before this one, and not before
/// [`first_event_key`].
pub fn expired_before(now: Timestamp) -> Vec<u8> {
    Place { secs: secs(oldest(now)), seq: 0 }.event_key()
}

/// No event's row stands before it.
pub fn first_event_key() -> Vec<u8> {
    vec![EVENT]
}

/// The keys of the rows that find an event.
pub fn finder_keys(record: &Record, place: Place) -> Vec<Vec<u8>> {
    let mut keys = Vec::with_capacity(16);
    let mut add = |attribute, value: &str| {
        let mut key = prefix(&record.recipient_account_id, &record.aws_region, attribute, value);
        place.end(&mut key);
        keys.push(key);
    };
    add(Attribute::Any, "");
    add(Attribute::EventId, &record.event_id);
    add(Attribute::EventName, &record.event_name);
    add(Attribute::EventSource, &record.event_source);
    if let Some(read_only) = record.read_only {
        add(Attribute::ReadOnly, bool_text(read_only));
    }
    if let Some(name) = record.user_identity.username() {
        add(Attribute::Username, name);
    }
    if let Some(key) = &record.user_identity.access_key_id {
        add(Attribute::AccessKeyId, key);
    }
    for resource in resources(record) {
        add(Attribute::ResourceType, &resource.resource_type);
        add(Attribute::ResourceName, &resource.resource_name);
    }
    // Two resources of one type are found by one row.
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What stands in a key before the place. Each text is behind its length, so that none can pass for the beginning of
/// another.
fn prefix(account: &str, region: &str, attribute: Attribute, value: &str) -> Vec<u8> {
    let mut key = vec![FINDER];
    push(&mut key, account);
    push(&mut key, region);
    key.push(attribute as u8);
    push(&mut key, value);
    key
}

fn push(key: &mut Vec<u8>, text: &str) {
    let end = text.char_indices().nth(VALUE_LEN_MAX).map_or(text.len(), |(end, _)| end);
    // 2,000 characters have 8,000 bytes at most.
    let len = u16::try_from(end).unwrap_or(u16::MAX);
    key.extend_from_slice(&len.to_be_bytes());
    key.extend_from_slice(&text.as_bytes()[..end]);
}

/// One `LookupEvents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    prefix: Vec<u8>,
    from: u64,
    /// The first place that is not wanted any more.
    end: Place,
    limit: usize,
    /// Tells the parameters of one request from those of another.
    fingerprint: [u8; 8],
}

impl Lookup {
    /// Reads a request; `None` if there are no such events, because they are Insights events.
    pub fn read(ctx: &RequestContext, req: &LookupEventsRequest) -> Result<Option<Self>, ApiError> {
        let (attribute, value) = attribute(req)?;
        let (from, to) = time_range(req)?;
        let limit = match req.max_results {
            None => RESULTS_MAX,
            Some(limit) if (1..=RESULTS_MAX).contains(&limit) => limit,
            Some(limit) => {
                let message = format!(
                    "A maximum results value of {limit} is invalid. Specify a value between 1 and {RESULTS_MAX}."
                );
                return Err(ApiError::new("InvalidMaxResultsException", message));
            }
        };
        let prefix = prefix(ctx.account(), &ctx.region, attribute, value);
        let fingerprint = fingerprint(&prefix, req);
        let after_last = Place { secs: to.map_or(u64::MAX, |to| to + 1), seq: 0 };
        let end = match req.next_token.as_deref() {
            None => after_last,
            Some(token) => read_token(token, fingerprint).filter(|place| *place < after_last).ok_or_else(|| {
                let message = "The NextToken is not valid, or was given for other parameters.";
                ApiError::new("InvalidNextTokenException", message)
            })?,
        };
        if is_insight(req)? {
            return Ok(None);
        }
        let from = from.unwrap_or(0).max(secs(oldest(ctx.now)));
        Ok(Some(Self { prefix, from, end, limit: limit.unsigned_abs() as usize, fingerprint }))
    }

    /// The first key that may be wanted, and the first that is not: to be walked from the back.
    pub fn range(&self) -> std::ops::Range<Vec<u8>> {
        let key = |place: Place| {
            let mut key = self.prefix.clone();
            place.end(&mut key);
            key
        };
        key(Place { secs: self.from, seq: 0 })..key(self.end)
    }

    /// Events of one page.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The token that goes on after this event.
    pub fn next_token(&self, last: Place) -> String {
        let mut bytes = Vec::with_capacity(24);
        last.end(&mut bytes);
        bytes.extend_from_slice(&self.fingerprint);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn attribute(req: &LookupEventsRequest) -> Result<(Attribute, &str), ApiError> {
    let invalid = |message: String| ApiError::new("InvalidLookupAttributesException", message);
    let given = match req.lookup_attributes.as_slice() {
        [] => return Ok((Attribute::Any, "")),
        [one] => one,
        _ => return Err(invalid("LookupAttributes can have only one attribute.".into())),
    };
    let attribute = Attribute::parse(&given.attribute_key).ok_or_else(|| {
        invalid(
            "AttributeKey must be one of EventId, EventName, ReadOnly, Username, ResourceType, ResourceName, EventSource, \
             AccessKeyId."
                .into(),
        )
    })?;
    // "_", " ", "," and a line feed count as two.
    let len: usize = given.attribute_value.chars().map(|char| 1 + usize::from("_ ,\n".contains(char))).sum();
    if !(1..=VALUE_LEN_MAX).contains(&len) {
        return Err(invalid(format!("AttributeValue must have 1 to {VALUE_LEN_MAX} characters.")));
    }
    Ok((attribute, &given.attribute_value))
}

fn time_range(req: &LookupEventsRequest) -> Result<(Option<u64>, Option<u64>), ApiError> {
    let invalid = |message: &str| ApiError::new("InvalidTimeRangeException", message);
    let read = |given: Option<f64>| match given {
        None => Ok(None),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range of a Timestamp")]
        Some(value) if (0.0..=TIME_MAX).contains(&value) => Ok(Some(value as u64)),
        Some(_) => Err(invalid("The time range is outside of the range of possible values.")),
    };
    let (from, to) = (read(req.start_time)?, read(req.end_time)?);
    if matches!((req.start_time, req.end_time), (Some(from), Some(to)) if from > to) {
        return Err(invalid("The start time is after the end time."));
    }
    Ok((from, to))
}

fn is_insight(req: &LookupEventsRequest) -> Result<bool, ApiError> {
    match req.event_category.as_deref() {
        None => Ok(false),
        Some("insight") => Ok(true),
        Some(_) => {
            Err(ApiError::new("InvalidEventCategoryException", "EventCategory must be insight, if it is given."))
        }
    }
}

fn fingerprint(prefix: &[u8], req: &LookupEventsRequest) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(prefix);
    for time in [req.start_time, req.end_time] {
        hash.update(time.map_or(u64::MAX, f64::to_bits).to_be_bytes());
    }
    let mut half = [0; 8];
    half.copy_from_slice(&hash.finalize()[..8]);
    half
}

fn read_token(token: &str, fingerprint: [u8; 8]) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(Some(token).filter(|token| token.len() <= 64)?).ok()?;
    let (place, given) = bytes.split_last_chunk::<8>()?;
    Some(place).filter(|place| place.len() == 16 && *given == fingerprint).and_then(Place::read)
}

/// An event as a look-up shows it, from its stored record.
pub fn shown(json: &[u8]) -> Result<Event, serde_json::Error> {
    let record: Record = serde_json::from_slice(json)?;
    let time = Timestamp::parse_rfc3339(&record.event_time).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "seconds up to the year 9999 are exact in a double")]
    let event_time = time.as_secs() as f64;
    Ok(Event {
        read_only: record.read_only.map(|read_only| bool_text(read_only).into()),
        access_key_id: record.user_identity.access_key_id.clone(),
        event_time,
        username: record.user_identity.username().map(Into::into),
        resources: resources(&record).into_iter().collect::<Vec<EventResource>>(),
        event_id: record.event_id,
        event_name: record.event_name,
        event_source: record.event_source,
        cloud_trail_event: String::from_utf8_lossy(json).into_owned(),
    })
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn oldest(now: Timestamp) -> Timestamp {
    now.plus_secs(-HISTORY_DAYS * 24 * 60 * 60)
}

/// A `Timestamp` is never before 1970.
fn secs(time: Timestamp) -> u64 {
    time.as_secs().unsigned_abs()
}

#[cfg(test)]
mod tests;
