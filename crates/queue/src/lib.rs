//! Amazon SQS as a state machine over values: what a request does to a queue, decided from what the caller hands in.
//!
//! Two halves. [`Queues`] holds the configuration of all queues in memory: it decides changes, the caller commits them, then
//! [`Queues::absorb`] takes them in. Messages are never held here: the caller reads rows from its store, a function of
//! [`Queue`] or [`Queues`] looks at them, and the answer comes with [`Effect`]s for the caller to commit before it answers.
//!
//! Absent on purpose: clocks, randomness, waiting, stores; what a topic or a rule is. FIFO queues and encryption
//! with KMS are refused until they do what they promise.
//!
//! Rules are those of "Amazon SQS Developer Guide" and "Amazon SQS API Reference"; texts of errors are AWS's where recorded.

pub mod limits;

mod access;
mod attributes;
mod batch;
mod content;
mod digest;
mod list;
mod manage;
mod message;
mod move_task;
mod page;
mod permission;
mod place;
mod receipt;
mod receive;
mod redrive;
mod refusal;
mod registry;
mod select;
mod send;
mod step;
mod visibility;

pub use access::{Closed, POLICY_LEN_MAX};
pub use attributes::{Counts, Settings};
pub use batch::Batch;
pub use content::Attribute;
pub use digest::{md5_of_attributes, md5_of_body};
pub use message::{Class, Effect, Held, Message, NewMessage, Row, Slot, State};
pub use move_task::{MoveTask, Status};
pub use place::Place;
pub use receipt::Receipt;
pub use receive::{Receive, Received};
pub use redrive::{RedriveAllowPolicy, RedrivePolicy};
pub use registry::{Queue, Queues};
pub use send::Delivery;
pub use step::Step;
