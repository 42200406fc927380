//! One value of a template.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A place in the text. Lines and columns count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A value and where it begins. Two nodes are equal if their values are, wherever they stand.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written, since `1.10` may be meant as a text.
    Number(String),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Values by name, in the order of the text; no name is there twice.
    Map(Vec<Member>),
}

/// A named value of a map.
#[derive(Debug, Clone)]
pub struct Member {
    /// The name.
    pub name: String,
    /// Where the name begins.
    pub at: Position,
    /// The value.
    pub value: Node,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }
}

impl Node {
    /// The members of a map.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The values of a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(values) => Some(values),
            _ => None,
        }
    }

    /// A member of a map.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members()?.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// A scalar as text: CloudFormation takes numbers and booleans wherever it wants a text.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text),
            Kind::Bool(true) => Some("true"),
            Kind::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The only member of a map that has one: how a function is written.
    pub fn single(&self) -> Option<(&str, &Node)> {
        match self.members()? {
            [member] => Some((&member.name, &member.value)),
            _ => None,
        }
    }

    /// As JSON, without looking at what it means.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(text) => number(text),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(values) => values.iter().map(Self::to_json).collect(),
            Kind::Map(members) => Value::Object(members.iter().map(|m| (m.name.clone(), m.value.to_json())).collect()),
        }
    }
}

/// In the order of the text.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.kind {
            Kind::List(values) => serializer.collect_seq(values),
            Kind::Map(members) => serializer.collect_map(members.iter().map(|member| (&member.name, &member.value))),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => self.to_json().serialize(serializer),
        }
    }
}

/// The number that a text stands for; the text itself if JSON has no such number.
pub(crate) fn number(text: &str) -> Value {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let whole = digits.parse::<i64>().map(Value::from).or_else(|_| digits.parse::<u64>().map(Value::from));
    let fraction = |_| digits.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number);
    whole.or_else(|error| fraction(error).ok_or(())).unwrap_or_else(|()| Value::String(text.to_owned()))
}
