//! Resource policies: the JSON that says who may do what to a bucket, a topic, a queue.
//!
//! [`Policy::parse`] reads a document and refuses whatever it does not understand, so that no statement is accepted and then
//! passed over. [`Policy::decide`] answers for one request: denied, allowed, or not spoken of, with the statement that decides.
//! What the answer means for the caller (an identity of the owner's account needs no Allow) is the resource's own business.
//!
//! Source: IAM user guide, "IAM JSON policy elements" and "Policy evaluation logic". What a kind of resource allows in its
//! policies (actions, ARNs, condition keys) is an argument, the [`Vocabulary`].
//!
//! Bounds: the length of the text is the vocabulary's; nesting is `serde_json`'s 128 levels; a pattern is matched in one pass
//! over the text, whatever its wildcards (see `pattern`).

mod condition;
mod decide;
mod document;
pub mod edit;
mod error;
mod json;
mod pattern;
mod principal;
mod public;
mod service;
mod vocabulary;

pub use decide::{Decision, Request, Requester};
pub use document::{Effect, Policy, Statement};
pub use error::{PolicyError, Problem};
pub use service::{Refusal, ServiceCaller};
pub use vocabulary::{Action, ConditionKey, Level, Resources, Vocabulary};
