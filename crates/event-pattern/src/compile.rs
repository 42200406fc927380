//! From a pattern's text to the rules it stands for: one for each combination of `$or` branches.

mod expression;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{PatternError, PatternErrorKind};
use crate::lexer::{Lexer, Token};
use crate::operator::{AnyOf, Operator};
use crate::pattern::Options;

/// The longest text that is read as a pattern, in bytes, whatever the options.
pub const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Fields that one combination of `$or` branches may name.
pub(crate) const MAX_FIELDS: usize = 256;
/// Combinations that the `$or`s of a pattern may multiply to.
pub(crate) const MAX_COMBINATIONS: usize = 1_000;
/// What a pattern may come to when its combinations are written out, in bytes: the names and leaf arrays of all conditions,
/// each with [`CONDITION_BYTES`]. Time and memory of compiling, and of waiting for events, follow this and not the text.
const MAX_WRITTEN_OUT: usize = 4 << 20;
/// What a condition takes besides its text.
const CONDITION_BYTES: usize = 64;

const OR: &str = "$or";

/// Names that may not be fields inside `$or`: the operators there are and those that may come.
const RESERVED_IN_OR: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// All that a pattern asks of one field.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The names on the way to the field, joined with `.`.
    pub(crate) name: Arc<str>,
    /// One of these must match one of the field's values …
    pub(crate) operators: AnyOf,
    /// … or the field must not exist, where this is set.
    pub(crate) absent: bool,
    /// Where the leaf array stands in the pattern's text.
    pub(crate) source: Range<usize>,
}

impl Condition {
    /// What it counts for towards [`MAX_WRITTEN_OUT`].
    fn written_out(&self) -> usize {
        self.name.len() + self.source.len() + CONDITION_BYTES
    }
}

/// One combination of `$or` branches: conditions that must all hold, sorted by name.
pub(crate) type SubRule = Box<[Arc<Condition>]>;

/// A sub-rule while it is read; the last condition on a name wins.
type Draft = BTreeMap<Name, Arc<Condition>>;

/// A name that sorts by UTF-16 units, as the engine's does: the order decides what `exists: false` sees.
#[derive(Clone, PartialEq, Eq)]
struct Name(Arc<str>);

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reads a pattern. Text after its closing brace is ignored.
pub(crate) fn compile(source: &str, options: &Options) -> Result<Vec<SubRule>, PatternError> {
    let mut compiler = Compiler { lexer: Lexer::new(source), options, path: Vec::new(), written_out: 0 };
    if source.len() > MAX_PATTERN_BYTES {
        let message = format!("Pattern is longer than {MAX_PATTERN_BYTES} bytes");
        return Err(compiler.lexer.error(PatternErrorKind::Limit, message));
    }
    if let Some(longest) = options.max_chars
        && source.chars().count() > longest
    {
        let message = format!("Pattern is longer than {longest} characters");
        return Err(compiler.lexer.error(PatternErrorKind::Limit, message));
    }
    if compiler.lexer.next()? != Some(Token::StartObject) {
        return Err(compiler.invalid("Filter is not an object"));
    }
    let mut drafts = vec![Draft::new()];
    compiler.object(&mut drafts, false)?;
    Ok(drafts.into_iter().map(|draft| draft.into_values().collect()).collect())
}

struct Compiler<'p> {
    lexer: Lexer<'p>,
    options: &'p Options,
    path: Vec<String>,
    /// Bytes of conditions written so far, copies for branches included.
    written_out: usize,
}

impl Compiler<'_> {
    fn invalid(&self, message: impl Into<String>) -> PatternError {
        self.lexer.error(PatternErrorKind::Semantic, message)
    }

    fn too_complex(&self, message: &str) -> PatternError {
        self.lexer.error(PatternErrorKind::TooComplex, format!("Rule is too complex - {message}"))
    }

    /// Counts what is about to be written, so that nothing beyond the bound is.
    fn write_out(&mut self, bytes: usize) -> Result<(), PatternError> {
        self.written_out = self.written_out.saturating_add(bytes);
        if self.written_out > MAX_WRITTEN_OUT {
            return Err(self.too_complex(&format!("written out it has more than {MAX_WRITTEN_OUT} bytes")));
        }
        Ok(())
    }

    /// A token that must be there: the lexer reports the end of the text itself.
    fn token(&mut self) -> Result<Token, PatternError> {
        match self.lexer.next()? {
            Some(token) => Ok(token),
            None => Err(self.lexer.error(PatternErrorKind::Syntax, "Unexpected end-of-input")),
        }
    }

    /// The fields of an object whose opening brace was read.
    fn object(&mut self, drafts: &mut Vec<Draft>, inside_or: bool) -> Result<(), PatternError> {
        let mut empty = true;
        while let Token::Name(name) = self.token()? {
            empty = false;
            if name == OR {
                self.or(drafts)?;
                continue;
            }
            if inside_or && RESERVED_IN_OR.contains(&name.as_str()) {
                let message = format!("{name} is Ruler reserved fieldName which cannot be used inside {OR}.");
                return Err(self.invalid(message));
            }
            match self.token()? {
                Token::StartObject => {
                    self.path.push(name);
                    self.object(drafts, inside_or)?;
                    self.path.pop();
                }
                Token::StartArray => self.leaf(&name, drafts)?,
                _ => return Err(self.invalid(format!("\"{name}\" must be an object or an array"))),
            }
        }
        if empty { Err(self.invalid("Empty objects are not allowed")) } else { Ok(()) }
    }

    /// Each branch takes a copy of what was asked so far.
    fn or(&mut self, drafts: &mut Vec<Draft>) -> Result<(), PatternError> {
        if self.token()? != Token::StartArray {
            return Err(self.invalid(format!("It must be an Array followed with {OR}.")));
        }
        let before = std::mem::take(drafts);
        let copy = before.iter().flat_map(BTreeMap::values).map(|condition| condition.written_out()).sum();
        let mut branches = 0;
        loop {
            match self.token()? {
                Token::EndArray => break,
                Token::StartObject => {
                    self.write_out(copy)?;
                    let mut branch = before.clone();
                    self.object(&mut branch, true)?;
                    drafts.append(&mut branch);
                    branches += 1;
                }
                _ => return Err(self.invalid(format!("Only JSON object is allowed in array of {OR} relationship."))),
            }
            if drafts.len() > MAX_COMBINATIONS {
                return Err(self.too_complex(&format!("{OR} makes more than {MAX_COMBINATIONS} combinations")));
            }
        }
        if branches < 2 {
            return Err(self.invalid(format!("There must have at least 2 Objects in {OR} relationship.")));
        }
        Ok(())
    }

    /// A leaf array whose opening bracket was read.
    fn leaf(&mut self, step: &str, drafts: &mut [Draft]) -> Result<(), PatternError> {
        let start = self.lexer.position() - 1;
        let mut operators = Vec::new();
        let mut absent = false;
        let mut empty = true;
        loop {
            match self.token()? {
                Token::EndArray => break,
                Token::StartObject => match self.expression()? {
                    Some(operator) => operators.push(operator),
                    None => absent = true,
                },
                Token::Text => {
                    let text = self.lexer.text()?;
                    operators.push(expression::exact_text(&text));
                }
                Token::Number(literal) => operators.push(expression::exact_number(&literal)),
                Token::True => operators.push(Operator::True),
                Token::False => operators.push(Operator::False),
                Token::Null => operators.push(Operator::Null),
                Token::StartArray | Token::EndObject | Token::Name(_) => {
                    return Err(self.invalid("Match value must be String, number, true, false, or null"));
                }
            }
            empty = false;
        }
        if empty {
            return Err(self.invalid("Empty arrays are not allowed"));
        }
        let source = start..self.lexer.position();
        let name_bytes = self.path.iter().map(|name| name.len() + 1).sum::<usize>() + step.len();
        self.write_out((name_bytes + source.len() + CONDITION_BYTES).saturating_mul(drafts.len()))?;
        let name = Name(self.leaf_name(step).into());
        let condition = Condition { name: name.0.clone(), operators: operators.into(), absent, source };
        self.ask(&name, &Arc::new(condition), drafts)
    }

    /// Joins the path. An empty path before the last step leaves no point, as in the engine: `{"": {"a": …}}` asks for `a`.
    fn leaf_name(&self, step: &str) -> String {
        let base = self.path.join(".");
        if base.is_empty() { step.to_owned() } else { base + "." + step }
    }

    fn ask(&self, name: &Name, condition: &Arc<Condition>, drafts: &mut [Draft]) -> Result<(), PatternError> {
        for draft in drafts {
            draft.insert(name.clone(), condition.clone());
            if draft.len() > MAX_FIELDS {
                let message = format!("Size of rule exceeds max value of {MAX_FIELDS}");
                return Err(self.lexer.error(PatternErrorKind::Limit, message));
            }
        }
        Ok(())
    }
}
