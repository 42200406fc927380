//! Metric math: expressions over time series. "Using metric math" in the CloudWatch user guide.

mod evaluate;
mod function;
mod lexer;
mod parse;

use std::collections::BTreeMap;

use function::Function;

pub(crate) use evaluate::{Environment, evaluate};
pub(crate) use parse::parse;

/// Values by the beginning of their period, in seconds since the epoch.
pub(crate) type TimeSeries = BTreeMap<i64, f64>;

/// What an expression, or a part of one, is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar(f64),
    Series(TimeSeries),
    Array(Vec<TimeSeries>),
}

/// An expression, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    /// Of another query.
    Id(String),
    /// Only as an argument: of `METRICS`.
    Text(String),
    /// Only as an argument: `REPEAT` or `LINEAR`, of `FILL`.
    Word(String),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Divide,
    Power,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

impl Expression {
    /// The ids that it names, each as often as it does.
    pub(crate) fn ids<'e>(&'e self, found: &mut Vec<&'e str>) {
        match self {
            Self::Id(id) => found.push(id),
            Self::Number(_) | Self::Text(_) | Self::Word(_) => {}
            Self::Negative(inner) => inner.ids(found),
            Self::Binary(_, left, right) => {
                left.ids(found);
                right.ids(found);
            }
            Self::Call(_, arguments) => arguments.iter().for_each(|argument| argument.ids(found)),
        }
    }

    /// Does it look at all metrics of the request (`METRICS`)?
    pub(crate) fn uses_all(&self) -> bool {
        match self {
            Self::Number(_) | Self::Id(_) | Self::Text(_) | Self::Word(_) => false,
            Self::Negative(inner) => inner.uses_all(),
            Self::Binary(_, left, right) => left.uses_all() || right.uses_all(),
            Self::Call(function, arguments) => *function == Function::Metrics || arguments.iter().any(Self::uses_all),
        }
    }
}

#[cfg(test)]
mod tests;
