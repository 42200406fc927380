//! What is looked up once a minute for AWS's metrics of queues.
//!
//! "Amazon SQS … A queue is considered active … for up to six hours from the last activity": only then its gauges are told,
//! and its counters also where they are zero.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_api::Timestamp;
use metric::Put;
use pipeline::{QUEUE_COUNTERS, QueueCounts, QueueGauges, queue_value};
use queue::Place;
use store::{QueueId, StoreError};

use crate::app::App;

const ACTIVE_S: i64 = 6 * 3600;
const MINUTE_S: i64 = 60;

/// When queues were last used, by their ARNs.
#[derive(Debug, Default)]
pub struct Activity(Mutex<HashMap<String, Used>>);

#[derive(Debug, Clone, Copy, Default)]
struct Used {
    last: Timestamp,
    /// The last minute in which each of [`QUEUE_COUNTERS`] counted anything.
    counted: [i64; QUEUE_COUNTERS.len()],
}

impl Activity {
    /// Something was counted of a queue.
    pub fn note(&self, queue: &str, counts: &QueueCounts, moment: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(queue) {
            all.insert(queue.to_owned(), Used::default());
        }
        let Some(used) = all.get_mut(queue) else { return };
        used.last = used.last.max(moment);
        let counted = [counts.sent.is_some(), counts.received > 0, counts.deleted > 0, counts.empty_receives > 0];
        for (minute, _) in used.counted.iter_mut().zip(counted).filter(|(_, counted)| *counted) {
            *minute = minute_of(moment);
        }
    }

    fn of(&self, queue: &str) -> Used {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).copied().unwrap_or_default()
    }

    fn forget_before(&self, moment: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, used| used.last >= moment);
    }
}

fn minute_of(moment: Timestamp) -> i64 {
    moment.as_secs().div_euclid(MINUTE_S)
}

/// The gauges of all queues at the end of a minute, and the zeros of their counters in it.
pub fn look(app: &App, now: Timestamp) -> Result<Vec<Put>, StoreError> {
    let places: Vec<(u64, Place)> = app.registry().queues.iter().map(|one| (one.id, one.place.clone())).collect();
    // The last moment of the minute that just ended.
    let ended = Timestamp::from_secs(minute_of(now) * MINUTE_S - 1);
    let active_since = now.plus_secs(-ACTIVE_S);
    let mut puts = Vec::new();
    for (id, place) in places {
        let counts = app.store.queues().counts(QueueId(id), now)?;
        let used = app.meter.activity().of(&place.arn());
        if counts.visible + counts.in_flight + counts.delayed == 0 && used.last < active_since {
            continue;
        }
        let oldest = app.store.queues().oldest(QueueId(id), 1)?;
        let sent = oldest.first().and_then(|row| queue::Message::decode(&row.message).ok()).map(|message| message.sent);
        let age = sent.map_or(0, |sent| now.millis_since(sent) / 1000);
        let gauges = QueueGauges {
            visible: counts.visible,
            in_flight: counts.in_flight,
            delayed: counts.delayed,
            oldest_age_s: u64::try_from(age).unwrap_or_default(),
        };
        puts.extend(gauges.values(&place, ended));
        let counters = QUEUE_COUNTERS.iter().zip(used.counted);
        let silent = counters.filter(|(_, minute)| *minute != minute_of(ended));
        puts.extend(silent.map(|((name, unit), _)| queue_value(&place, name, *unit, 0, ended)));
    }
    app.meter.activity().forget_before(active_since);
    Ok(puts)
}
