#![doc = include_str!("../README.md")]

mod address;
mod choice;
mod compile;
mod consistency;
mod engine;
mod error;
mod event;
mod explain;
mod fields;
mod fold;
mod hash;
mod lexer;
mod matcher;
mod names;
mod number;
mod operator;
mod paths;
mod pattern;
mod shared;
mod view;
mod wildcard;

pub use compile::MAX_PATTERN_BYTES;
pub use error::{EventError, PatternError, PatternErrorKind};
pub use event::{MAX_EVENT_BYTES, validate};
pub use explain::{Explanation, FieldMatch, FieldMismatch, Mismatch};
pub use matcher::Matcher;
pub use paths::{ArrayElement, PathValues, Paths, PathsRoom};
pub use pattern::{Options, Pattern, SERVICE_MAX_CHARS, Value};
pub use shared::{Change, SharedMatcher};
pub use view::{CaseForms, Combination, FieldCondition, Test};
