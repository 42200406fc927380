//! What an engine must be able to say.

use crate::error::Refusal;

/// A value of a record, in the engine's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) expression: String,
    pub(crate) kind: Kind,
    /// Certainly no array; what may be one is asked element by element.
    pub(crate) single: bool,
}

/// How the engine has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As JSON of any kind.
    Json,
    /// As a text that may be missing.
    Text,
    /// As the text `true` or `false`, which may be missing.
    Flag,
    /// As rows of a table.
    Rows,
    /// As one of those rows.
    Row,
}

/// What a JSON value is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    /// Neither object nor array.
    Scalar,
    True,
    False,
    Null,
}

/// One engine's language. Every method returns an expression that stands alone between `AND`s; one that may be `NULL` counts as
/// false there, and [`Dialect::not`] takes it for false.
pub(crate) trait Dialect {
    /// A constant text.
    fn literal(&self, text: &str) -> Result<String, Refusal>;

    /// The value at the end of the first steps into a record, and how many steps those are, at least one.
    fn field(&self, steps: &[&str]) -> Result<(Value, usize), Refusal>;

    /// `aws.` and the first label of `eventSource`: the `source` of the event that CloudTrail's record becomes.
    fn source(&self) -> Result<Value, Refusal>;

    /// A member of an object; missing if it is none.
    fn member(&self, object: &Value, name: &str) -> Result<Value, Refusal>;

    /// An element of a value that may be an array, under a name.
    fn element(&self, value: &Value, name: &str) -> Value;

    /// Whether something holds of an element, which has a name there, of a value: of itself if it is no array, and of the
    /// elements of arrays in it, at any depth.
    fn some(&self, value: &Value, name: &str, holds: &str) -> String;

    /// A value as text, `NULL` if it is none.
    fn text(&self, value: &Value) -> Result<String, Refusal>;

    /// A value as the literal of a number, `NULL` if it is none.
    fn number(&self, value: &Value) -> Result<String, Refusal>;

    /// The double nearest to a literal.
    fn double(&self, number: &str) -> String;

    /// A double as a constant.
    fn double_literal(&self, number: f64) -> String {
        format!("{number:e}")
    }

    /// True, or an error if it is not certain that the literal is its double's shortest decimal form.
    fn comparable(&self, number: &str) -> String;

    /// Whether a JSON value is that.
    fn is(&self, value: &Value, what: Is) -> Result<String, Refusal>;

    /// Whether a value that may be missing is there.
    fn is_there(&self, value: &Value) -> String {
        format!("{} IS NOT NULL", value.expression)
    }

    /// Whether a text matches a regular expression from end to end.
    fn full_match(&self, text: &str, regex: &str) -> Result<String, Refusal>;

    /// Whether a text consists of these pieces with anything between them.
    fn like(&self, text: &str, pieces: &[&str]) -> Result<String, Refusal>;

    /// Whether a text is one of these.
    fn one_of(&self, text: &str, texts: &[&str]) -> Result<String, Refusal> {
        let literals: Vec<String> = texts.iter().map(|text| self.literal(text)).collect::<Result<_, _>>()?;
        Ok(match literals.as_slice() {
            [one] => format!("{text} = {one}"),
            _ => format!("{text} IN ({})", literals.join(", ")),
        })
    }

    fn truth(&self, truth: bool) -> &'static str {
        if truth { "TRUE" } else { "FALSE" }
    }

    fn and(&self, parts: &[String]) -> String {
        joined(parts, " AND ", self.truth(true))
    }

    fn or(&self, parts: &[String]) -> String {
        joined(parts, " OR ", self.truth(false))
    }

    fn not(&self, expression: &str) -> String {
        format!("NOT coalesce({expression}, FALSE)")
    }
}

/// Expressions with a word between them; `none` if there is none.
pub(crate) fn joined(parts: &[String], word: &str, none: &str) -> String {
    match parts {
        [] => none.to_owned(),
        [one] => one.clone(),
        _ => format!("({})", parts.join(word)),
    }
}
