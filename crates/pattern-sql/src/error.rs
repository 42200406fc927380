//! Why a question is not put.

use crate::script::Engine;

/// Why there is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The engine cannot say it exactly.
    #[error("{field}: {engine} cannot ask for {construct}")]
    Unsupported {
        /// Which engine.
        engine: Engine,
        /// The field of the pattern, as `detail.requestParameters.key`, or the column.
        field: String,
        /// What of the pattern, and why.
        construct: String,
    },
    /// The engine does not read from there.
    #[error("location: {0}")]
    Location(String),
    /// The query would be longer than [`SCRIPT_BYTES_MAX`](crate::SCRIPT_BYTES_MAX).
    #[error("the query would be longer than {0} bytes")]
    TooLong(usize),
}

/// What an engine cannot say, before it is known of which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl Refusal {
    pub(crate) fn new(construct: impl Into<String>) -> Self {
        Self(construct.into())
    }
}
