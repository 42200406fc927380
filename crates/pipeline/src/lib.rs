//! From a record to messages in queues: trails choose, rules match, topics fan out.
//!
//! Pure: [`step`] looks at the configuration ([`Registry`]) and one entry of the event log, and returns what follows from it
//! ([`Step`]); the caller commits that together with its place in the log. The ids of what is made follow from the event and
//! its target, so that doing it twice after a crash can be recognised. [`Callers`] counts who signs with SigV2, [`Tally`] what AWS's metrics say of
//! queues, topics and rules.
//!
//! The four cores below do not know each other; this crate is the only one that knows them all.

mod callers;
mod deliver;
mod registry;
mod step;
mod tally;

pub use callers::{CALLERS_MAX, Caller, CallerKey, Callers, OTHERS, REFUSED_CALLERS_MAX, RowKey, software};
pub use deliver::{Origin, Outgoing, Placed, Surroundings, messages, place};
pub use registry::Registry;
pub use step::{Counts, Step, dispatch, step};
pub use tally::{QUEUE_COUNTERS, QueueCounts, QueueGauges, Tally, queue_metric, queue_value};
