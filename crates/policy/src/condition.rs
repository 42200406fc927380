//! Under which conditions a statement holds.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values":
//! all operators and all their keys must hold; of the values of one key any one, of a negated operator none. A key that the request
//! does not have fails the positive operators and fulfils the negated ones and those with `IfExists`.

use crate::error::{PolicyError, Problem, shortened};
use crate::json::Node;
use crate::pattern::Pattern;
use crate::vocabulary::Vocabulary;

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// As the vocabulary writes it.
    pub key: String,
    pub negated: bool,
    pub if_exists: bool,
    pub expected: Vec<Expected>,
}

/// One value, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Equal(String),
    /// Lower case.
    EqualIgnoreCase(String),
    Like(Pattern),
    /// The six parts of an ARN: `ArnEquals` is the same as `ArnLike`.
    Arn(Box<[Pattern; 6]>),
    Bool(bool),
    /// Whether the key is to be absent.
    Null(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Null,
}

/// Operators without `IfExists`, and whether they are negated.
const OPERATORS: [(&str, Comparison, bool); 12] = [
    ("StringEquals", Comparison::Equals, false),
    ("StringNotEquals", Comparison::Equals, true),
    ("StringEqualsIgnoreCase", Comparison::EqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Comparison::EqualsIgnoreCase, true),
    ("StringLike", Comparison::Like, false),
    ("StringNotLike", Comparison::Like, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("Bool", Comparison::Bool, false),
    ("Null", Comparison::Null, false),
];

impl Condition {
    /// Does it hold for what the request has under this key?
    pub fn holds(&self, actual: Option<&str>) -> bool {
        if let [Expected::Null(_), ..] = self.expected.as_slice() {
            return self.expected.contains(&Expected::Null(actual.is_none()));
        }
        match actual {
            None => self.negated || self.if_exists,
            Some(actual) => self.expected.iter().any(|expected| expected.matches(actual)) != self.negated,
        }
    }

    /// Does it hold only for values that the policy spells out?
    pub fn is_fixed(&self) -> bool {
        let fixed = |expected: &Expected| match expected {
            Expected::Equal(_) | Expected::EqualIgnoreCase(_) => true,
            Expected::Like(pattern) => pattern.is_fixed(),
            Expected::Arn(parts) => parts.iter().all(Pattern::is_fixed),
            Expected::Bool(_) | Expected::Null(_) => false,
        };
        !self.negated && !self.if_exists && self.expected.iter().all(fixed)
    }

    /// Reads the `Condition` element.
    pub fn read(node: &Node, vocabulary: &Vocabulary<'_>, place: &str) -> Result<Vec<Self>, PolicyError> {
        let syntax = |what: String| PolicyError::new(Problem::Syntax, format!("{place}, Condition{what}"));
        let Node::Object(operators) = node else { return Err(syntax(": an object is expected".into())) };
        let mut conditions: Vec<Self> = Vec::new();
        for (operator, keys) in operators {
            let (comparison, negated, if_exists) = operator_of(operator).ok_or_else(|| {
                PolicyError::new(Problem::Operator(shortened(operator)), format!("{place}, Condition: {operator:?}"))
            })?;
            let Node::Object(keys) = keys else { return Err(syntax(format!(", {operator}: an object is expected"))) };
            let first = conditions.len();
            for (key, values) in keys {
                let at = format!("{place}, Condition, {operator}, {key:?}");
                let known = vocabulary.key(key).ok_or_else(|| PolicyError::new(Problem::ConditionKey, at.clone()))?;
                // Of two spellings of one key in one operator IAM keeps one.
                if conditions[first..].iter().any(|condition| condition.key == known.name) {
                    return Err(PolicyError::new(Problem::InvalidJson, format!("{at}: the key is there twice")));
                }
                let expected = values_of(comparison, values)
                    .ok_or_else(|| PolicyError::new(Problem::Syntax, format!("{at}: the value is not supported")))?;
                conditions.push(Self { key: known.name.to_owned(), negated, if_exists, expected });
            }
        }
        Ok(conditions)
    }
}

fn operator_of(name: &str) -> Option<(Comparison, bool, bool)> {
    let (bare, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |bare| (bare, true));
    let (_, comparison, negated) = OPERATORS.iter().find(|(known, ..)| *known == bare)?;
    // "You can add IfExists to the end of any condition operator name except the Null condition".
    (*comparison != Comparison::Null || !if_exists).then_some((*comparison, *negated, if_exists))
}

fn values_of(comparison: Comparison, node: &Node) -> Option<Vec<Expected>> {
    let boolean = matches!(comparison, Comparison::Bool | Comparison::Null);
    let values: Vec<&str> = match node {
        Node::Bool(value) if boolean => vec![if *value { "true" } else { "false" }],
        node => node.texts()?,
    };
    values.into_iter().map(|value| Expected::new(comparison, value)).collect()
}

impl Expected {
    /// `None` if the value cannot be one of this comparison's, or has a policy variable in it.
    fn new(comparison: Comparison, value: &str) -> Option<Self> {
        if value.contains("${") {
            return None;
        }
        Some(match comparison {
            Comparison::Equals => Self::Equal(value.to_owned()),
            Comparison::EqualsIgnoreCase => Self::EqualIgnoreCase(value.to_lowercase()),
            Comparison::Like => Self::Like(Pattern::new(value)?),
            Comparison::Arn => {
                let parts = arn_parts(value).filter(|parts| parts[0] == "arn")?;
                let parts = parts.into_iter().map(Pattern::new).collect::<Option<Vec<_>>>()?;
                Self::Arn(Box::new(parts.try_into().ok()?))
            }
            Comparison::Bool => Self::Bool(boolean(value)?),
            Comparison::Null => Self::Null(boolean(value)?),
        })
    }

    fn matches(&self, actual: &str) -> bool {
        match self {
            Self::Equal(value) => value == actual,
            Self::EqualIgnoreCase(value) => *value == actual.to_lowercase(),
            Self::Like(pattern) => pattern.matches(actual),
            // "Each of the six colon-delimited components of the ARN is checked separately".
            Self::Arn(parts) => arn_parts(actual)
                .is_some_and(|actual| parts.iter().zip(actual).all(|(part, actual)| part.matches(actual))),
            Self::Bool(value) => boolean(actual) == Some(*value),
            Self::Null(_) => false,
        }
    }
}

fn arn_parts(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}
