//! Why an alarm is in its state: in words, and as JSON.

use aws_api::Timestamp;
use serde_json::{Map, Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{Alarm, Missing, Settings, StateValue, Verdict};

const SHORT: &[BorrowedFormatItem<'static>] =
    format_description!("[day]/[month]/[year repr:last_two] [hour]:[minute]:[second]");
/// Texts of a reason's data points are cut here: the reason may have 1023 characters.
const SHOWN_MAX: usize = 20;

/// `2026-03-14T09:27:00.123+0000`
pub(super) fn dated(moment: Timestamp) -> String {
    moment.to_rfc3339_millis().replace('Z', "+0000")
}

fn short(secs: i64) -> String {
    Timestamp::from_secs(secs).to_offset_date_time().format(SHORT).unwrap_or_default()
}

fn plural<'t>(count: usize, one: &'t str, more: &'t str) -> &'t str {
    if count == 1 { one } else { more }
}

impl Settings {
    /// The words for a verdict.
    pub(super) fn reason(&self, verdict: &Verdict, state: StateValue) -> String {
        let filled = verdict.filled as usize;
        if state == StateValue::InsufficientData {
            let unknown = plural(filled, "datapoint was unknown", "datapoints were unknown");
            return format!("Insufficient Data: {filled} {unknown}.");
        }
        let treated = match self.missing {
            Some(Missing::Breaching) => Some("Breaching"),
            Some(Missing::NotBreaching) => Some("NonBreaching"),
            Some(Missing::Ignore | Missing::Missing) | None => None,
        };
        let treated = treated.filter(|_| filled > 0).map(|how| {
            let (points, were) = (plural(filled, "datapoint", "datapoints"), plural(filled, "was", "were"));
            format!(" and {filled} missing {points} {were} treated as [{how}]")
        });
        if verdict.points.is_empty() {
            let periods = plural(filled, "period", "periods");
            let treated = treated.unwrap_or_default();
            return format!("Threshold Crossed: no datapoints were received for {filled} {periods}{treated}.");
        }
        let crossed = state == StateValue::Alarm;
        let counted = verdict.points.iter().filter(|(_, values)| self.is_breaching_now(values) == crossed);
        let shown: Vec<String> = counted
            .clone()
            .take(SHOWN_MAX)
            .map(|(secs, values)| format!("{:?} ({})", values.get(self.statistic), short(*secs)))
            .collect();
        let count = counted.count();
        let not = if crossed { "" } else { "not " };
        let needed = if crossed { self.datapoints() } else { self.evaluation_periods - self.datapoints() + 1 } as usize;
        let transition = if crossed { "OK -> ALARM" } else { "ALARM -> OK" };
        format!(
            "Threshold Crossed: {count} out of the last {} {} [{}] {} {not}{} the threshold ({:?}){} (minimum {needed} {} for \
             {transition} transition).",
            self.evaluation_periods,
            plural(self.evaluation_periods as usize, "datapoints", "datapoints"),
            shown.join(", "),
            plural(count, "was", "were"),
            self.comparison.words(),
            self.threshold,
            treated.unwrap_or_default(),
            plural(needed, "datapoint", "datapoints"),
        )
    }

    fn is_breaching_now(&self, values: &crate::Statistics) -> bool {
        self.comparison.is_breaching(values.get(self.statistic), self.threshold)
    }

    /// The same for programs.
    pub(super) fn reason_data(&self, verdict: &Verdict, now: Timestamp) -> String {
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        put("version", json!("1.0"));
        put("queryDate", json!(dated(now)));
        if let Some((secs, _)) = verdict.recent.first() {
            put("startDate", json!(dated(Timestamp::from_secs(*secs))));
        }
        if let Some(unit) = self.unit {
            put("unit", json!(unit.name()));
        }
        put("statistic", json!(self.statistic.name()));
        put("period", json!(self.period_s));
        let recent: Vec<f64> = verdict.recent.iter().map(|(_, values)| values.get(self.statistic)).collect();
        put("recentDatapoints", json!(recent));
        put("threshold", json!(self.threshold));
        let evaluated: Vec<Value> = verdict
            .points
            .iter()
            .take(SHOWN_MAX)
            .map(|(secs, values)| {
                let timestamp = dated(Timestamp::from_secs(*secs));
                json!({"timestamp": timestamp, "sampleCount": values.count, "value": values.get(self.statistic)})
            })
            .collect();
        put("evaluatedDatapoints", json!(evaluated));
        Value::Object(data).to_string()
    }
}

impl Alarm {
    /// The transition that a verdict asks for; `None` if the state stays.
    pub fn follow(&self, verdict: &Verdict, now: Timestamp) -> Option<super::Transition> {
        let state = verdict.state.filter(|state| *state != self.state.value)?;
        let reason = self.settings.reason(verdict, state);
        let data = self.settings.reason_data(verdict, now);
        Some(self.become_state(state, reason, Some(data), now))
    }
}
