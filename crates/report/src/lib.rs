//! What is told of callers: grouped and counted, as a table, JSON or CSV.
//!
//! What a scan of an archive found is [`findings::Findings`]; its reports are a table, JSON, CSV and a page of HTML.
//! [`Report`] groups [`pipeline::Caller`]s by the [`Field`]s that were asked for; [`table`], [`json`] and [`csv`] write it. They
//! fail only as what they write to fails.
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
