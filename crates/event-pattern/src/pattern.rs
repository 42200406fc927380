//! One pattern.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use crate::compile::{SubRule, compile};
use crate::engine::{Engine, Scratch};
use crate::error::{EventError, PatternError};
use crate::event::Reading;
use crate::explain::{Explanation, explain_match, explain_mismatch};
use crate::operator::Kind;

/// The longest pattern that the service takes, in characters (`EventPattern` of `PutRule` in the API reference).
pub const SERVICE_MAX_CHARS: usize = 4_096;

/// What a pattern may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The longest text, in characters; `None` leaves [`MAX_PATTERN_BYTES`](crate::MAX_PATTERN_BYTES) as the bound.
    pub max_chars: Option<usize>,
    /// Whether `{"exactly": "…"}` is an operator, as in the engine but not in the service's documentation.
    pub exactly: bool,
}

impl Options {
    /// As the engine's library has it: any length up to [`MAX_PATTERN_BYTES`](crate::MAX_PATTERN_BYTES), and `exactly`.
    pub fn library() -> Self {
        Self { max_chars: None, exactly: true }
    }

    /// As the service documents it: at most [`SERVICE_MAX_CHARS`], no `exactly`.
    pub fn service() -> Self {
        Self { max_chars: Some(SERVICE_MAX_CHARS), exactly: false }
    }
}

impl Default for Options {
    /// [`Options::library`].
    fn default() -> Self {
        Self::library()
    }
}

/// A value for [`Pattern::matches_fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// A text.
    String(&'v str),
    /// A number as JSON writes it. What is no JSON number equals and compares with nothing.
    Number(&'v str),
    /// True or false.
    Bool(bool),
    /// Null.
    Null,
}

/// A compiled event pattern. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Pattern {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Box<str>,
    subs: Vec<SubRule>,
    /// Built when the pattern is first matched by itself.
    engine: OnceLock<Engine>,
}

impl Pattern {
    /// Compiles a pattern with [`Options::library`].
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        Self::compile_with(text, &Options::library())
    }

    /// Compiles a pattern.
    pub fn compile_with(text: &str, options: &Options) -> Result<Self, PatternError> {
        let subs = compile(text, options)?;
        Ok(Self { inner: Arc::new(Inner { source: text.into(), subs, engine: OnceLock::new() }) })
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    pub(crate) fn subs(&self) -> &[SubRule] {
        &self.inner.subs
    }

    fn engine(&self) -> &Engine {
        self.inner.engine.get_or_init(|| Engine::single(&self.inner.subs))
    }

    /// Whether the pattern matches `event`, a JSON object. It is read as far as the answer takes: parts that the pattern
    /// does not mention are only searched for their end, and an event without a text that the pattern cannot do without
    /// is not read at all. What is read and broken is an error.
    pub fn matches(&self, event: &[u8]) -> Result<bool, EventError> {
        self.matches_reading(event, Reading::Loose)
    }

    /// As [`Pattern::matches`], with all of the event checked: what is not one JSON object in UTF-8 is an error, whatever
    /// the pattern mentions.
    pub fn matches_strict(&self, event: &[u8]) -> Result<bool, EventError> {
        self.matches_reading(event, Reading::Strict)
    }

    fn matches_reading(&self, event: &[u8], reading: Reading) -> Result<bool, EventError> {
        with_scratch(|scratch| {
            self.engine().matches(event, reading, scratch)?;
            Ok(!scratch.hits.is_empty())
        })
    }

    /// Whether the pattern matches a list of fields, each a full name and one of its values. A name with several values is
    /// repeated. So filter policies on message attributes are matched.
    pub fn matches_fields<'f>(&self, fields: impl IntoIterator<Item = (&'f str, Value<'f>)>) -> bool {
        with_scratch(|scratch| {
            let engine = self.engine();
            engine.prepare(scratch);
            for (name, value) in fields {
                if let Some(field) = engine.field_named(name) {
                    let (kind, text) = scalar(value);
                    scratch.fields.add_copy(field, kind, text.as_bytes());
                }
            }
            // Without arrays every rule is decided.
            engine.decide(&[], scratch).is_ok() && !scratch.hits.is_empty()
        })
    }

    /// Why the pattern matches `event`, or why it does not: which fields made it match or failed, what they held and
    /// what was asked.
    ///
    /// Finding the values that match together is bounded like matching, at sixteen times its steps: an event that
    /// [`Pattern::matches`] decides can be [`EventError::Undecided`] here.
    pub fn explain(&self, event: &[u8]) -> Result<Explanation, EventError> {
        with_scratch(|scratch| {
            let engine = self.engine();
            engine.examine(event, Reading::Loose, scratch)?;
            if scratch.hits.is_empty() {
                return Ok(explain_mismatch(self, engine, event, &scratch.fields));
            }
            explain_match(self, engine, event, &scratch.fields).ok_or(EventError::Undecided { rules: 1 })
        })
    }
}

pub(crate) fn scalar(value: Value<'_>) -> (Kind, &str) {
    match value {
        Value::String(text) => (Kind::Text, text),
        Value::Number(literal) if is_number(literal) => (Kind::Number, literal),
        // Compares with nothing and equals no literal of a pattern.
        Value::Number(_) => (Kind::Number, ""),
        Value::Bool(true) => (Kind::True, "true"),
        Value::Bool(false) => (Kind::False, "false"),
        Value::Null => (Kind::Null, "null"),
    }
}

/// Whether a text is a number by JSON's grammar.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

thread_local! {
    /// Buffers from the last run on this thread.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

pub(crate) fn with_scratch<T>(run: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let result = run(&mut scratch);
    if scratch.is_small() {
        SCRATCH.set(Some(scratch));
    }
    result
}
