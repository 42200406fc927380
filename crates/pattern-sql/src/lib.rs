//! An event pattern in the language of another engine: who are the callers whose records it matches?
//!
//! [`write`] makes of a pattern the table definition, where the engine has one, and the query that ask of CloudTrail's log files
//! what `sigtrail scan` asks of them. The semantics are the pattern's: texts are never numbers, a field matches if any element of
//! an array does, two fields of one array are satisfied by the same element, `{"exists": false}` sees what comes before it.
//! Whatever the engine cannot say so is refused by name ([`SqlError::Unsupported`]); what shows only in the data, such as a number
//! that a double does not hold, ends the query with an error.
//!
//! The queries rely on what CloudTrail writes, and say so in their first lines: no key is twice in an object, no key on the way
//! to a field holds a point, no number is beyond what a double holds, and the elements that are one object or one text by "CloudTrail
//! record contents", such as `userIdentity.arn`, are just that.
//!
//! The queries for `DuckDB` and Spark are run by the end-to-end tests against the pattern's own answers. Nobody but AWS runs Athena
//! and Logs Insights: those follow the documentation that their modules name, and Athena's are read by a parser of its SQL.
//!
//! The way of a pattern: [`event_pattern::Combination`] → `envelope` (what of it stands in a record) → `plan` (which conditions
//! share an array) → `leaf` (what one value must be) → a `dialect`, one for each engine, which knows how to say it.
//!
//! ```
//! use event_pattern::Pattern;
//! use pattern_sql::{Engine, Field, Question, write};
//!
//! let pattern = Pattern::compile(r#"{"detail": {"additionalEventData": {"SignatureVersion": ["SigV2"]}}}"#).unwrap();
//! let question = Question { pattern: &pattern, by: &[Field::Identity], location: Some("logs") };
//! let script = write(Engine::DuckDb, &question)?;
//! assert!(script.to_string().contains("read_json('logs/**/*.json.gz'"));
//! # Ok::<_, pattern_sql::SqlError>(())
//! ```
//!
//! Bounds: those of [`event_pattern`] on the pattern, and [`SCRIPT_BYTES_MAX`] on what is written.

mod address;
mod dialect;
mod engine;
mod envelope;
mod error;
mod leaf;
mod lexical;
mod plan;
mod script;
mod shape;

pub use error::SqlError;
pub use report::Field;
pub use script::{Engine, Question, SCRIPT_BYTES_MAX, Script, write};
