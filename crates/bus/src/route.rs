//! What an event leads to.

use std::borrow::Cow;

use aws_api::Timestamp;
use event_pattern::EventError;

use crate::buses::{Buses, RuleEntry};
use crate::input::InputError;
use crate::{EventKind, RetryPolicy};

/// An event at a bus.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'e> {
    /// The account of the bus.
    pub account: &'e str,
    /// The region of the bus.
    pub region: &'e str,
    /// The name of the bus.
    pub bus: &'e str,
    /// The event, as [`envelope`](crate::envelope()) makes it.
    pub envelope: &'e [u8],
    /// What the states of rules look at.
    pub kind: EventKind,
    /// When the event came to the bus.
    pub ingested: Timestamp,
}

/// Something to send to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation<'e> {
    /// The rule that matched.
    pub rule_arn: String,
    /// The target's id in the rule.
    pub target_id: String,
    /// The topic or queue.
    pub target_arn: String,
    /// What to send: the event, or what the target asks for instead.
    pub input: Cow<'e, [u8]>,
    /// How long to try.
    pub retry: RetryPolicy,
    /// The queue for what could not be delivered.
    pub dead_letter_arn: Option<String>,
}

/// A target for which there is nothing to send: a failed invocation, whose event belongs in the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The rule that matched.
    pub rule_arn: String,
    /// The target's id in the rule.
    pub target_id: String,
    /// The topic or queue.
    pub target_arn: String,
    /// The queue for what could not be delivered.
    pub dead_letter_arn: Option<String>,
    /// Why.
    pub error: InputError,
}

/// All that an event leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routed<'e> {
    /// The ARNs of the rules that matched, in the order of their names.
    pub matched: Vec<String>,
    /// What to send, in the order of rules' names and targets' ids.
    pub invocations: Vec<Invocation<'e>>,
    /// What cannot be sent.
    pub failures: Vec<Failure>,
    /// For how many rules the engine gave up on the event. They may or may not match; the event must not be forgotten.
    pub undecided: usize,
}

impl Buses {
    /// Where an event goes. A bus that does not exist has no rules.
    ///
    /// # Errors
    /// If the event is not JSON or too long for the engine.
    pub fn route<'e>(&self, arrival: &Arrival<'e>) -> Result<Routed<'e>, EventError> {
        let mut routed = Routed::default();
        let Some(entry) = self.get(arrival.account, arrival.region, arrival.bus) else { return Ok(routed) };
        let mut names = Vec::new();
        match entry.matcher.matches(arrival.envelope, &mut names) {
            Ok(()) => {}
            Err(EventError::Undecided { rules }) => routed.undecided = rules,
            Err(error) => return Err(error),
        }
        let rules = names.iter().filter_map(|name| entry.rules.get(name));
        for rule in rules.filter(|entry| entry.rule.state.sees(arrival.kind)) {
            routed.matched.push(rule.arn.clone());
            routed.invoke(rule, arrival);
        }
        Ok(routed)
    }
}

impl<'e> Routed<'e> {
    fn invoke(&mut self, entry: &RuleEntry, arrival: &Arrival<'e>) {
        for (target, input) in entry.rule.targets.values().zip(&entry.inputs) {
            let rule_arn = entry.arn.clone();
            let target_id = target.id.clone();
            let target_arn = target.arn.clone();
            let dead_letter_arn = target.dead_letter_config.as_ref().and_then(|config| config.arn.clone());
            match input.render(entry, arrival) {
                Ok(input) => self.invocations.push(Invocation {
                    rule_arn,
                    target_id,
                    target_arn,
                    input,
                    retry: RetryPolicy::of(target.retry_policy.as_ref()),
                    dead_letter_arn,
                }),
                Err(error) => {
                    self.failures.push(Failure { rule_arn, target_id, target_arn, dead_letter_arn, error });
                }
            }
        }
    }
}
