//! EventBridge's buses: rules, targets, which events go where and in what form.
//!
//! Pure. [`Buses`] holds every bus of every account and region, with one compiled matcher for each. Its operations decide
//! and change nothing: they return [`Change`](aws_api::Change)s, which the caller makes durable and gives to
//! [`Buses::absorb`], the only mutation. [`Buses::route`] is what an event meets: the invocations it leads to.
//!
//! Not known here: what a topic or a queue is, beyond its ARN; where events come from; what time it is.

mod access;
mod api;
mod buses;
mod delivery;
mod entity;
mod envelope;
mod input;
mod json;
mod route;
mod state;

pub use api::{ENTRIES_MAX, PutEvent, RULES_PER_BUS_MAX, TARGETS_PER_RULE_MAX};
pub use buses::{Buses, DEFAULT_BUS};
pub use delivery::{DeadLetter, Exhausted, NextAttempt, RetryPolicy};
pub use entity::{Bus, Rule};
pub use envelope::{DETAIL_TYPE_API_CALL, EVENT_BYTES_MAX, Envelope, envelope, source_of};
pub use route::{Arrival, Failure, Invocation, InvocationError, Routed};
pub use state::{EventKind, RuleState};
