//! Says in the log which deliveries a policy stands in the way of, and what to add to it: once a minute for each source and
//! destination, and again after each change of the configuration.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use aws_api::Timestamp;
use policy::Refusal;

/// Between two lines for one source and destination.
const AGAIN_AFTER_SECS: i64 = 60;
/// Pairs of source and destination that are remembered.
const REMEMBERED_MAX: usize = 4096;

/// When somebody was last told.
#[derive(Debug, Default)]
pub struct Forbidden(Mutex<HashMap<u64, Timestamp>>);

impl Forbidden {
    /// Says it, unless it was just said. Nothing is written or allocated for the events in between.
    pub fn tell(&self, refusal: &Refusal<'_>, now: Timestamp) {
        if self.is_news(refusal, now) {
            let (resource, source) = (refusal.resource, refusal.caller.source_arn);
            tracing::warn!(resource, source, "not delivered: {refusal}");
        }
    }

    /// The configuration has changed: what is still forbidden is said again.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn is_news(&self, refusal: &Refusal<'_>, now: Timestamp) -> bool {
        let mut hasher = DefaultHasher::new();
        (refusal.caller.name, refusal.caller.source_arn, refusal.action, refusal.resource).hash(&mut hasher);
        let key = hasher.finish();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&key).is_some_and(|at| now < at.plus_secs(AGAIN_AFTER_SECS)) {
            return false;
        }
        if told.len() >= REMEMBERED_MAX {
            told.clear();
        }
        told.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use policy::ServiceCaller;

    use super::*;

    #[test]
    fn once_a_minute_and_after_each_change() {
        let forbidden = Forbidden::default();
        let refusal = |source_arn| Refusal {
            caller: ServiceCaller::new("events.amazonaws.com", source_arn),
            action: "sns:Publish",
            resource: "arn:aws:sns:eu-central-1:111122223333:t",
            is_explicit: false,
        };
        let at = Timestamp::from_secs;
        assert!(forbidden.is_news(&refusal("a"), at(0)));
        assert!(!forbidden.is_news(&refusal("a"), at(59)));
        assert!(forbidden.is_news(&refusal("b"), at(59)));
        assert!(forbidden.is_news(&refusal("a"), at(60)));
        forbidden.forget();
        assert!(forbidden.is_news(&refusal("a"), at(60)));
    }
}
