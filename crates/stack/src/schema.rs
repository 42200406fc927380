//! The properties of resource types: which there are, and what their values are made of.

use serde_json::{Map, Value};

use crate::document::Position;
use crate::evaluate::scalar;
use crate::problem::{Problem, Problems};
use crate::template::{Expression, Form};

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text; numbers and booleans are taken for their text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// `true`, `false`, also as texts.
    Boolean,
    /// A whole number, also as a text.
    Integer,
    /// A number, also as a text.
    Number,
    /// Any JSON.
    Json,
    /// A list.
    List(&'static Shape),
    /// An object with these members.
    Object(&'static [Property]),
    /// A map of texts by the user's own names.
    TextMap,
}

/// A property of a resource or of an object in it.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub shape: Shape,
    /// Must it be there?
    pub required: bool,
    /// Does a new value of it mean a new resource?
    pub replaces: bool,
    /// What is said of it in the stack's events, if it has no effect here.
    pub without_effect: Option<&'static str>,
}

impl Property {
    pub(crate) const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: false, replaces: false, without_effect: None }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn replaces(self) -> Self {
        Self { replaces: true, ..self }
    }

    pub(crate) const fn without_effect(self, what: &'static str) -> Self {
        Self { without_effect: Some(what), ..self }
    }
}

/// `Tags` as most types have them.
pub(crate) const TAGS: Property = Property::new(
    "Tags",
    Shape::List(&Shape::Object(&[
        Property::new("Key", Shape::Text).required(),
        Property::new("Value", Shape::Text).required(),
    ])),
);

/// Notes members of a template's object that its type does not have, and missing ones.
pub(crate) fn check(
    id: &str,
    path: &str,
    known: &[Property],
    members: &[(String, Position, Expression)],
    at: Position,
    problems: &mut Problems,
) {
    let failed = |what: String| format!("Properties validation failed for resource {id} with message: {what}");
    for (name, at, value) in members {
        if let Some(property) = known.iter().find(|property| property.name == name) {
            check_value(id, &format!("{path}/{name}"), &property.shape, value, problems);
            continue;
        }
        let what = format!("#{path}: extraneous key [{name}] is not permitted");
        problems.push(Problem::new(*at, failed(what)));
    }
    for property in known.iter().filter(|property| property.required) {
        if !members.iter().any(|(name, _, _)| name == property.name) {
            problems.push(Problem::new(at, failed(format!("#{path}: required key [{}] not found", property.name))));
        }
    }
}

fn check_value(id: &str, path: &str, shape: &Shape, value: &Expression, problems: &mut Problems) {
    match (shape, &value.form) {
        (_, Form::If(_, yes, no)) => {
            check_value(id, path, shape, yes, problems);
            check_value(id, path, shape, no, problems);
        }
        (Shape::Object(known), Form::Map(members)) => check(id, path, known, members, value.at, problems),
        (Shape::List(element), Form::List(values)) => {
            for (place, value) in values.iter().enumerate() {
                check_value(id, &format!("{path}/{place}"), element, value, problems);
            }
        }
        _ => {}
    }
}

/// Gives resolved values the types that the shape wants. Members without a value stay away.
///
/// # Errors
/// All values that do not fit, each with its path.
pub(crate) fn typed(known: &[Property], members: Map<String, Value>) -> Result<Map<String, Value>, Vec<String>> {
    let mut wrong = Vec::new();
    let typed = object("#", known, members, &mut wrong);
    if wrong.is_empty() { Ok(typed) } else { Err(wrong) }
}

fn object(path: &str, known: &[Property], members: Map<String, Value>, wrong: &mut Vec<String>) -> Map<String, Value> {
    let mut typed = Map::new();
    for (name, value) in members {
        let Some(property) = known.iter().find(|property| property.name == name) else {
            wrong.push(format!("{path}: extraneous key [{name}] is not permitted"));
            continue;
        };
        if let Some(value) = one(&format!("{path}/{name}"), &property.shape, value, wrong) {
            typed.insert(name, value);
        }
    }
    for property in known.iter().filter(|property| property.required && !typed.contains_key(property.name)) {
        wrong.push(format!("{path}: required key [{}] not found", property.name));
    }
    typed
}

fn one(path: &str, shape: &Shape, value: Value, wrong: &mut Vec<String>) -> Option<Value> {
    if value.is_null() && !matches!(shape, Shape::Json) {
        wrong.push(format!("{path}: null values are not allowed in templates"));
        return None;
    }
    let (typed, expected) = match (shape, value) {
        (Shape::Json, value) => (Some(value), "JSON"),
        (Shape::Text, value) => (scalar(&value).map(Value::String), "String"),
        (Shape::OneOf(texts), value) => {
            let text = scalar(&value).unwrap_or_else(|| value.to_string());
            if !texts.contains(&&*text) {
                wrong.push(format!("{path}: {text} is not a valid enum value"));
                return None;
            }
            (Some(Value::String(text)), "String")
        }
        (Shape::Boolean, value) => (scalar(&value).and_then(|text| text.parse().ok()).map(Value::Bool), "Boolean"),
        (Shape::Integer, value) => {
            (scalar(&value).and_then(|text| text.parse::<i64>().ok()).map(Value::from), "Integer")
        }
        (Shape::Number, value) => {
            let finite =
                scalar(&value).and_then(|text| text.parse::<f64>().ok()).and_then(serde_json::Number::from_f64);
            (finite.map(Value::Number), "Number")
        }
        (Shape::List(element), Value::Array(values)) => {
            let typed = values.into_iter().enumerate();
            let typed = typed.filter_map(|(place, value)| one(&format!("{path}/{place}"), element, value, wrong));
            (Some(Value::Array(typed.collect())), "Array")
        }
        // A list of one may be written without its brackets.
        (Shape::List(element @ Shape::Text), value) if scalar(&value).is_some() => {
            (one(path, element, value, wrong).map(|value| Value::Array(vec![value])), "Array")
        }
        (Shape::List(_), _) => (None, "JSONArray"),
        (Shape::Object(known), Value::Object(members)) => {
            (Some(Value::Object(object(path, known, members, wrong))), "JSONObject")
        }
        (Shape::TextMap, Value::Object(members)) => {
            let texts: Option<Map<_, _>> =
                members.into_iter().map(|(name, value)| Some((name, Value::String(scalar(&value)?)))).collect();
            (texts.map(Value::Object), "a map of strings")
        }
        (Shape::TextMap | Shape::Object(_), _) => (None, "JSONObject"),
    };
    if typed.is_none() {
        wrong.push(format!("{path}: expected type: {expected}"));
    }
    typed
}
