//! What happened to alarms, for two weeks.

use aws_api::cloudwatch::{AlarmHistoryItem, DescribeAlarmHistoryInput};
use aws_api::{ApiError, Entity, Moment, RequestContext, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::view;
use super::{Action, Alarm, State, Transition, key_of, put};
use crate::refusal;

/// "CloudWatch preserves alarm history for two weeks."
pub const HISTORY_DAYS: i64 = 14;
const DATA_CHARS_MAX: usize = 4095;
const PAGE_COUNT: i32 = 50;
const PAGE_COUNT_MAX: i32 = 100;
const KINDS: [&str; 3] = ["ConfigurationUpdate", "StateUpdate", "Action"];

/// One thing that happened to an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// When.
    pub moment: Timestamp,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    pub kind: String,
    /// For a person.
    pub summary: String,
    /// For programs: JSON.
    pub data: String,
}

impl Item {
    fn new(kind: &str, moment: Timestamp, summary: &str, data: &Value) -> Self {
        Self { moment, kind: kind.into(), summary: summary.chars().take(255).collect(), data: data.to_string() }
    }

    pub(super) fn created(alarm: &Alarm, now: Timestamp) -> Self {
        let data = json!({"version": "1.0", "type": "Create", "createdAlarm": configuration(alarm)});
        Self::new(KINDS[0], now, &format!("Alarm \"{}\" created", alarm.name), &bounded(data, "createdAlarm"))
    }

    pub(super) fn updated(alarm: &Alarm, now: Timestamp) -> Self {
        let data = json!({"version": "1.0", "type": "Update", "updatedAlarm": configuration(alarm)});
        Self::new(KINDS[0], now, &format!("Alarm \"{}\" updated", alarm.name), &bounded(data, "updatedAlarm"))
    }

    pub(super) fn deleted(alarm: &Alarm, now: Timestamp) -> Self {
        let data = json!({"version": "1.0", "type": "Delete", "deletedAlarm": configuration(alarm)});
        Self::new(KINDS[0], now, &format!("Alarm \"{}\" deleted", alarm.name), &bounded(data, "deletedAlarm"))
    }

    pub(super) fn transition(transition: &Transition) -> Self {
        let (alarm, before) = (&transition.alarm, &transition.before);
        let data = json!({"version": "1.0", "oldState": state(before), "newState": state(&alarm.state)});
        let summary = format!("Alarm updated from {} to {}", before.value.name(), alarm.state.value.name());
        let data = if data.to_string().chars().count() > DATA_CHARS_MAX {
            let bare = |state: &State| json!({"stateValue": state.value.name(), "stateReason": state.reason});
            json!({"version": "1.0", "oldState": bare(before), "newState": bare(&alarm.state)})
        } else {
            data
        };
        Self::new(KINDS[1], alarm.state.updated, &summary, &data)
    }

    /// A topic was told, or could not be.
    pub fn action(alarm: &Alarm, action: &Action, error: Option<&str>) -> Self {
        let (outcome, verb) = match error {
            None => ("Succeeded", "Successfully executed"),
            Some(_) => ("Failed", "Failed to execute"),
        };
        let data = json!({
            "version": "1.0", "type": "Notification", "actionState": outcome,
            "stateUpdateTimestamp": alarm.state.updated.as_millis(), "notificationResource": action.topic,
            "publishedMessage": action.message, "error": error,
        });
        let summary = format!("{verb} action {}", action.topic);
        Self::new(KINDS[2], alarm.state.updated, &summary, &bounded(data, "publishedMessage"))
    }

    /// As `DescribeAlarmHistory` shows it.
    pub fn shown(self, alarm_name: &str) -> AlarmHistoryItem {
        AlarmHistoryItem {
            alarm_name: alarm_name.to_owned(),
            alarm_type: "MetricAlarm".into(),
            timestamp: Moment(self.moment),
            history_item_type: self.kind,
            history_summary: self.summary,
            history_data: self.data,
        }
    }
}

/// Without a member if the text would be too long with it.
fn bounded(mut data: Value, member: &str) -> Value {
    if data.to_string().chars().count() > DATA_CHARS_MAX {
        data[member] = Value::Null;
    }
    data
}

fn configuration(alarm: &Alarm) -> Value {
    serde_json::to_value(view(alarm)).unwrap_or_default()
}

fn state(state: &State) -> Value {
    let data = state.reason_data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok());
    let mut shown = json!({"stateValue": state.value.name(), "stateReason": state.reason});
    if let Some(data) = data {
        shown["stateReasonData"] = data;
    }
    shown
}

/// Keys of the rows ([`crate::row`]).
impl Item {
    /// The key of an item's row. `number` tells those of one alarm and moment apart.
    pub fn key(alarm: &Alarm, moment: Timestamp, number: u16) -> Vec<u8> {
        [&prefix(&alarm.key()), &moment.as_millis().to_be_bytes()[..], &number.to_be_bytes()].concat()
    }

    /// The alarm's name and the moment of a key.
    pub fn read_key(key: &[u8]) -> Option<(String, Timestamp)> {
        let (head, number) = key.split_last_chunk::<2>()?;
        let (head, millis) = head.split_last_chunk::<8>()?;
        let _ = number;
        let text = head.strip_prefix(b"h")?.strip_suffix(b"\0")?;
        let text = std::str::from_utf8(text).ok()?;
        let name = text.splitn(3, '/').nth(2)?;
        Some((name.to_owned(), Timestamp::from_millis(i64::from_be_bytes(*millis))))
    }

    /// Keys of all items.
    pub fn all_keys() -> std::ops::Range<Vec<u8>> {
        b"h".to_vec()..b"i".to_vec()
    }
}

fn prefix(key: &str) -> Vec<u8> {
    format!("h{key}\0").into_bytes()
}

/// A `DescribeAlarmHistory` that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Where the rows are that may fit.
    pub keys: std::ops::Range<Vec<u8>>,
    /// Items of a page.
    pub limit: usize,
    /// Items before the page.
    pub skipped: usize,
    /// From the oldest on?
    pub ascending: bool,
    kind: Option<String>,
    from: Timestamp,
    to: Timestamp,
}

impl HistoryRequest {
    /// Checks a request.
    pub fn read(ctx: &RequestContext, req: &DescribeAlarmHistoryInput) -> Result<Self, ApiError> {
        let keys = if req.alarm_name.is_some() {
            let name = put::alarm_name(req.alarm_name.as_ref(), "alarmName")?;
            let start = prefix(&key_of(ctx.account(), &ctx.region, name));
            // No moment and number is as great.
            let end = [&start[..], &[0xff; 11]].concat();
            start..end
        } else {
            let start = format!("h{}", key_of(ctx.account(), &ctx.region, "")).into_bytes();
            // No byte of UTF-8 is as great.
            let end = [&start[..], &[0xff]].concat();
            start..end
        };
        if let Some(kind) = req.history_item_type.as_deref().filter(|kind| !KINDS.contains(kind)) {
            return Err(refusal::one_of(kind, "historyItemType", &KINDS));
        }
        let ascending = match req.scan_by.as_deref() {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(other) => {
                return Err(refusal::one_of(other, "scanBy", &["TimestampDescending", "TimestampAscending"]));
            }
        };
        let limit = limit(req.max_records)?;
        let metric_alarms = req.alarm_types.is_empty() || req.alarm_types.iter().any(|kind| kind == "MetricAlarm");
        let skipped = match &req.next_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| refusal::next_token())?,
        };
        Ok(Self {
            keys: if metric_alarms { keys } else { Vec::new()..Vec::new() },
            limit,
            skipped,
            ascending,
            kind: req.history_item_type.clone(),
            from: req.start_date.map_or(Timestamp::default(), |moment| moment.0),
            to: req.end_date.map_or(Timestamp::MAX, |moment| moment.0),
        })
    }

    /// Is this item asked for?
    pub fn fits(&self, item: &Item) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == item.kind) && item.moment >= self.from && item.moment <= self.to
    }
}

/// How many records a page has.
pub(super) fn limit(given: Option<i32>) -> Result<usize, ApiError> {
    let limit = given.unwrap_or(PAGE_COUNT);
    if !(1..=PAGE_COUNT_MAX).contains(&limit) {
        let rule = if limit < 1 {
            "Member must have value greater than or equal to 1".to_owned()
        } else {
            format!("Member must have value less than or equal to {PAGE_COUNT_MAX}")
        };
        return Err(refusal::constraint(&limit.to_string(), "maxRecords", &rule));
    }
    Ok(usize::try_from(limit).unwrap_or(1))
}
