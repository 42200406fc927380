//! What an event leads to.

use std::borrow::Cow;
use std::sync::Arc;

use aws_api::Timestamp;
use aws_api::events::Target;
use event_pattern::EventError;

use crate::buses::{BusEntry, Buses, RuleEntry};
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

/// Why there is nothing to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The template asks for JSON, and what came of it is none.
    #[error("the input transformer's result is not valid JSON")]
    NotJson,
    /// The event is not one that parts can be taken from.
    #[error("the event is not a JSON object in UTF-8")]
    Event,
    /// Whether the rule matches took too long to find out.
    #[error("the array elements of the event combine in too many ways to decide whether the rule matches")]
    Undecided,
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
    pub error: InvocationError,
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
    /// The ARNs of rules for which the engine gave up on the event, so that nobody knows whether they match. Each of their
    /// targets is among the failures.
    pub undecided: Vec<String>,
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
        let gave_up = match entry.matcher.matches(arrival.envelope, &mut names) {
            Ok(()) => false,
            Err(EventError::Undecided { .. }) => true,
            Err(error) => return Err(error),
        };
        for rule in names.iter().filter_map(|name| entry.rules.get(name)) {
            if rule.rule.state.sees(arrival.kind) {
                routed.invoke(rule, arrival);
            }
        }
        if gave_up {
            routed.ask_each(entry, arrival, &names);
        }
        Ok(routed)
    }
}

impl<'e> Routed<'e> {
    fn invoke(&mut self, entry: &RuleEntry, arrival: &Arrival<'e>) {
        self.matched.push(entry.arn.clone());
        for (target, input) in entry.rule.targets.values().zip(&entry.inputs) {
            match input.render(entry, arrival) {
                Ok(input) => self.invocations.push(Invocation {
                    rule_arn: entry.arn.clone(),
                    target_id: target.id.clone(),
                    target_arn: target.arn.clone(),
                    input,
                    retry: RetryPolicy::of(target.retry_policy.as_ref()),
                    dead_letter_arn: dead_letter_arn(target),
                }),
                Err(error) => self.fail(entry, target, error),
            }
        }
    }

    fn fail(&mut self, entry: &RuleEntry, target: &Target, error: InvocationError) {
        self.failures.push(Failure {
            rule_arn: entry.arn.clone(),
            target_id: target.id.clone(),
            target_arn: target.arn.clone(),
            dead_letter_arn: dead_letter_arn(target),
            error,
        });
    }

    /// Finds the rules that were not decided, by asking alone each that was not found to match: the matcher only says how
    /// many there are.
    fn ask_each(&mut self, bus: &BusEntry, arrival: &Arrival<'e>, found: &[Arc<str>]) {
        for (name, pattern) in bus.matcher.iter().filter(|(name, _)| !found.contains(name)) {
            let Some(entry) = bus.rules.get(name).filter(|entry| entry.rule.state.sees(arrival.kind)) else { continue };
            match pattern.matches(arrival.envelope) {
                Ok(false) => {}
                Ok(true) => self.invoke(entry, arrival),
                Err(_) => {
                    self.undecided.push(entry.arn.clone());
                    for target in entry.rule.targets.values() {
                        self.fail(entry, target, InvocationError::Undecided);
                    }
                }
            }
        }
    }
}

fn dead_letter_arn(target: &Target) -> Option<String> {
    target.dead_letter_config.as_ref().and_then(|config| config.arn.clone())
}
