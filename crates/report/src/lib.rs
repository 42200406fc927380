//! What is told of callers, and of what a scan found.
//!
//! [`Report`] groups [`pipeline::Caller`]s by the [`Field`]s that were asked for; [`table`], [`json`] and [`csv`] write it.
//! [`findings::Findings`] is what a scan of an archive found; it has the same reports, and a page of HTML. All of them fail only
//! as what they write to fails.
//!
//! Identities, keys, user agents, buckets and errors are strangers' text. Nothing of it acts on whoever reads a report:
//! [`sanitize`] has the rule, and each format the escapes of its own.

pub mod csv;
mod field;
pub mod findings;
mod group;
pub mod json;
mod number;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
pub mod sanitize;
pub mod table;

pub use field::Field;
pub use group::{Counts, Group, Report, by_count};
