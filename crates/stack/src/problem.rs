//! What is wrong with a template.

use std::fmt;

use aws_api::ApiError;

use crate::document::Position;

/// At most so many problems are told at once.
pub const PROBLEMS_MAX: usize = 50;

/// One thing that is wrong, where, and in CloudFormation's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text.
    pub at: Position,
    /// What, as CloudFormation says it: `Template format error: …`.
    pub message: String,
}

impl Problem {
    /// `Template format error: …`
    pub(crate) fn format(at: Position, what: impl fmt::Display) -> Self {
        Self::new(at, format!("Template format error: {what}"))
    }

    /// `Template error: …`
    pub(crate) fn error(at: Position, what: impl fmt::Display) -> Self {
        Self::new(at, format!("Template error: {what}"))
    }

    pub(crate) fn new(at: Position, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.at)
    }
}

/// All that is wrong with a template, in the order of its text. Never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one. What is said twice of one place is said once.
    pub fn push(&mut self, problem: Problem) {
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Is nothing wrong?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every problem, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Fine, if there are none.
    pub fn into_result(mut self) -> Result<(), Self> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|problem| problem.at);
        Err(self)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    /// One is told in a line; of several, each has a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().take(PROBLEMS_MAX).enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        match self.0.len().saturating_sub(PROBLEMS_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl From<Problems> for ApiError {
    fn from(problems: Problems) -> Self {
        Self::new("ValidationError", problems.to_string())
    }
}
