//! How long delivery to a target is tried, and what is told when it ends ("Using dead-letter queues" in the guide).

use aws_api::{Timestamp, events};
use serde::{Deserialize, Serialize};

/// Attempts after the first, if the target says nothing.
const ATTEMPTS_DEFAULT: u32 = 185;
/// Seconds that an event is tried, if the target says nothing.
const AGE_SECS_DEFAULT: u32 = 86_400;
/// The shortest wait between attempts; it doubles up to the longest.
const BACKOFF_SECS_MIN: i64 = 1;
/// The longest wait between attempts.
const BACKOFF_SECS_MAX: i64 = 600;

/// How long delivery is tried; the first bound that is reached ends it.
///
/// Here a target either takes an event in the unit that passes it on or cannot (no permission, no resource), which AWS does not
/// retry either; a store that fails keeps the event where it is, for every target. So nothing is tried again by this yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts after the first.
    pub attempts_max: u32,
    /// Seconds from the event's arrival at the bus.
    pub age_secs_max: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts_max: ATTEMPTS_DEFAULT, age_secs_max: AGE_SECS_DEFAULT }
    }
}

/// Which bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// Enough attempts.
    MaximumRetryAttempts,
    /// The event is too old.
    MaximumEventAgeInSeconds,
}

impl Exhausted {
    /// The value of `EXHAUSTED_RETRY_CONDITION`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaximumRetryAttempts => "MaximumRetryAttempts",
            Self::MaximumEventAgeInSeconds => "MaximumEventAgeInSeconds",
        }
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// Try again at this moment.
    At(Timestamp),
    /// To the dead-letter queue, if the target has one.
    Never(Exhausted),
}

impl RetryPolicy {
    pub(crate) fn of(policy: Option<&events::RetryPolicy>) -> Self {
        let or = |value: Option<i32>, default| value.and_then(|n| u32::try_from(n).ok()).unwrap_or(default);
        let (attempts, age) =
            policy.map_or((None, None), |p| (p.maximum_retry_attempts, p.maximum_event_age_in_seconds));
        Self { attempts_max: or(attempts, ATTEMPTS_DEFAULT), age_secs_max: or(age, AGE_SECS_DEFAULT) }
    }

    /// What follows a failure at `now` of an event that came at `arrived` and was tried again `retries` times. The wait
    /// doubles from one second to ten minutes; `jitter`, 0 to 255, adds up to a quarter.
    pub fn after_failure(self, arrived: Timestamp, retries: u32, now: Timestamp, jitter: u8) -> NextAttempt {
        if retries >= self.attempts_max {
            return NextAttempt::Never(Exhausted::MaximumRetryAttempts);
        }
        let wait_ms = (BACKOFF_SECS_MIN << retries.min(16)).min(BACKOFF_SECS_MAX) * 1000;
        let next = now.plus_millis(wait_ms + wait_ms * i64::from(jitter) / 1024);
        if next.millis_since(arrived) > i64::from(self.age_secs_max) * 1000 {
            return NextAttempt::Never(Exhausted::MaximumEventAgeInSeconds);
        }
        NextAttempt::At(next)
    }
}

/// What the message in a dead-letter queue tells besides the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// The rule that matched.
    pub rule_arn: &'a str,
    /// The target that could not be reached.
    pub target_arn: &'a str,
    /// `NO_PERMISSIONS`, `NO_RESOURCE`, `THROTTLING`, `TIMEOUT`, …
    pub error_code: &'a str,
    /// For a person.
    pub error_message: &'a str,
    /// Which bound ended the attempts; `None` if the first failure could not have been mended by another.
    pub exhausted: Option<Exhausted>,
    /// Attempts after the first.
    pub retries: u32,
}

impl DeadLetter<'_> {
    /// The attributes of the message, all of the type `String`.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("RULE_ARN", self.rule_arn.to_owned()),
            ("TARGET_ARN", self.target_arn.to_owned()),
            ("ERROR_CODE", self.error_code.to_owned()),
            ("ERROR_MESSAGE", self.error_message.to_owned()),
        ];
        attributes.extend(self.exhausted.map(|bound| ("EXHAUSTED_RETRY_CONDITION", bound.as_str().to_owned())));
        attributes.push(("RETRY_ATTEMPTS", self.retries.to_string()));
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let policy = RetryPolicy { attempts_max: 3, age_secs_max: 60 };
        let start = Timestamp::from_secs(1_000);
        assert_eq!(policy.after_failure(start, 0, start, 0), NextAttempt::At(start.plus_secs(1)));
        assert_eq!(policy.after_failure(start, 2, start, 0), NextAttempt::At(start.plus_secs(4)));
        assert_eq!(policy.after_failure(start, 2, start, 255), NextAttempt::At(start.plus_millis(4_996)));
        assert_eq!(policy.after_failure(start, 3, start, 0), NextAttempt::Never(Exhausted::MaximumRetryAttempts));
        assert_eq!(
            policy.after_failure(start, 1, start.plus_secs(59), 0),
            NextAttempt::Never(Exhausted::MaximumEventAgeInSeconds)
        );
        let long = RetryPolicy::default();
        assert_eq!(long.after_failure(start, 184, start, 0), NextAttempt::At(start.plus_secs(600)));
    }

    #[test]
    fn attributes_of_a_dead_letter() {
        let letter = DeadLetter {
            rule_arn: "r",
            target_arn: "t",
            error_code: "NO_RESOURCE",
            error_message: "gone",
            exhausted: None,
            retries: 0,
        };
        let names: Vec<_> = letter.attributes().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS"]);
        let letter = DeadLetter { exhausted: Some(Exhausted::MaximumRetryAttempts), ..letter };
        assert!(letter.attributes().contains(&("EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts".to_owned())));
    }
}
