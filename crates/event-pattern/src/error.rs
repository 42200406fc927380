//! What can be wrong with a pattern and with an event.

use std::fmt::Write as _;

/// Characters of the pattern that the rendered text repeats before it is cut.
const SOURCE_SNIPPET_CHARS: usize = 500;

/// What sort of mistake makes a pattern invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// The text is JSON but not a pattern; the message is the one `EventBridge` gives.
    Semantic,
    /// The text is not JSON; the message is ours.
    Syntax,
    /// Longer, deeper or wider than a stated bound.
    Limit,
    /// `$or` multiplies to more combinations, or to longer ones, than are allowed.
    TooComplex,
}

/// Why a text is not an event pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct PatternError {
    pub(crate) kind: PatternErrorKind,
    pub(crate) message: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl PatternError {
    /// The sort of mistake.
    pub fn kind(&self) -> PatternErrorKind {
        self.kind
    }

    /// The message without its location, e.g. `"detail" must be an object or an array`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line, from 1, where reading stopped.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, from 1 and in UTF-16 units, where reading stopped.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The text that `EventBridge` answers for this mistake in `pattern` (`InvalidEventPatternException`).
    ///
    /// The engine behind the service repeats the first 500 characters of the pattern and writes control characters
    /// other than line ends as `\uXXXX`; so does this.
    pub fn service_message(&self, pattern: &str) -> String {
        let mut text = format!("Event pattern is not valid. Reason: {}\n at [Source: (String)\"", self.message);
        for unit in pattern.chars().take(SOURCE_SNIPPET_CHARS) {
            if unit.is_control() && unit != '\n' && unit != '\r' {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04X}", u32::from(unit));
            } else {
                text.push(unit);
            }
        }
        text.push('"');
        let cut = pattern.chars().count().saturating_sub(SOURCE_SNIPPET_CHARS);
        if cut > 0 {
            let _ = write!(text, "[truncated {cut} chars]");
        }
        let _ = write!(text, "; line: {}, column: {}]", self.line, self.column);
        text
    }
}

/// Why an event could not be matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The part of the event that was read is not JSON.
    #[error("the event is not valid JSON at byte {offset}: {expected}")]
    Syntax {
        /// Bytes before the mistake.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The event is longer than [`MAX_EVENT_BYTES`](crate::MAX_EVENT_BYTES).
    #[error("the event has {bytes} bytes, more than {}", crate::MAX_EVENT_BYTES)]
    TooLong {
        /// The event's length in bytes.
        bytes: usize,
    },
    /// For some rules it took too many steps to find out whether their fields match within the same array elements.
    /// All other rules were decided.
    #[error("the array elements of the event combine in too many ways for {rules} rule(s)")]
    Undecided {
        /// How many rules have no answer.
        rules: usize,
    },
}

impl EventError {
    /// Bytes of the event before the mistake, where it has a place.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::Syntax { offset, .. } => Some(*offset),
            Self::TooLong { .. } | Self::Undecided { .. } => None,
        }
    }
}
