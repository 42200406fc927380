//! How what a template says and what there is differ.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evaluate::scalar;
use crate::types::Properties;

/// Members that tell the elements of a list apart.
const IDENTITIES: [&str; 5] = ["Id", "Key", "Name", "Field", "Type"];

/// One difference. Both values are there, or one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Where, as a JSON pointer into the properties.
    pub path: String,
    /// What the template says; nothing where something was added.
    pub expected: Option<Value>,
    /// What there is; nothing where something was removed.
    pub actual: Option<Value>,
}

impl Difference {
    /// `ADD`, `REMOVE`, `NOT_EQUAL`
    pub fn kind(&self) -> &'static str {
        match (&self.expected, &self.actual) {
            (None, _) => "ADD",
            (_, None) => "REMOVE",
            _ => "NOT_EQUAL",
        }
    }
}

/// Every difference of the properties that are expected; what is not expected is not looked at. Those named in `documents` are
/// JSON documents, in which every member counts, and the order of lists too.
pub(super) fn compare(expected: &Properties, actual: &Properties, documents: &[&str]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, value) in expected {
        let path = format!("/{}", escaped(name));
        let is_document = documents.contains(&name.as_str());
        match actual.get(name) {
            None if is_empty(value) => {}
            None => found.push(Difference { path, expected: Some(value.clone()), actual: None }),
            Some(actual) if is_document => exactly(&path, value, actual, &mut found),
            Some(actual) => given(&path, value, actual, &mut found),
        }
    }
    found
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn not_equal(path: &str, expected: &Value, actual: &Value) -> Difference {
    Difference { path: path.to_owned(), expected: Some(expected.clone()), actual: Some(actual.clone()) }
}

/// Of objects the members that are expected, of lists all elements, in whatever order.
fn given(path: &str, expected: &Value, actual: &Value, found: &mut Vec<Difference>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                let path = format!("{path}/{}", escaped(name));
                match actual.get(name) {
                    None if is_empty(value) => {}
                    None => found.push(Difference { path, expected: Some(value.clone()), actual: None }),
                    Some(actual) => given(&path, value, actual, found),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => set(path, expected, actual, found),
        _ if is_same_scalar(expected, actual) => {}
        _ => found.push(not_equal(path, expected, actual)),
    }
}

/// A text stands for the number or the boolean that it says.
fn is_same_scalar(expected: &Value, actual: &Value) -> bool {
    if expected == actual {
        return true;
    }
    let (Some(expected), Some(actual)) = (scalar(expected), scalar(actual)) else { return false };
    let numbers = (expected.parse::<f64>(), actual.parse::<f64>());
    expected == actual || matches!(numbers, (Ok(expected), Ok(actual)) if expected.total_cmp(&actual).is_eq())
}

fn set(path: &str, expected: &[Value], actual: &[Value], found: &mut Vec<Difference>) {
    let fits = |expected: &Value, actual: &Value| {
        let mut differences = Vec::new();
        given("", expected, actual, &mut differences);
        differences.is_empty()
    };
    let mut free: Vec<(usize, &Value)> = actual.iter().enumerate().collect();
    let mut take = |fits: &dyn Fn(&Value) -> bool| {
        let place = free.iter().position(|(_, actual)| fits(actual))?;
        Some(free.remove(place).1)
    };
    let all = expected.iter().enumerate();
    let left: Vec<_> = all.filter(|(_, value)| take(&|actual| fits(value, actual)).is_none()).collect();
    for (place, value) in left {
        let path = format!("{path}/{place}");
        let identity = IDENTITIES.iter().find_map(|name| Some((*name, value.get(name)?)));
        let other = match identity {
            Some((name, identity)) => take(&|actual| actual.get(name) == Some(identity)),
            // What has no name is the next that there is.
            None if value.is_object() => take(&|_| true),
            None => None,
        };
        match other {
            Some(other) => given(&path, value, other, found),
            None => found.push(Difference { path, expected: Some(value.clone()), actual: None }),
        }
    }
    found.extend(free.into_iter().map(|(place, value)| Difference {
        path: format!("{path}/{place}"),
        expected: None,
        actual: Some(value.clone()),
    }));
}

/// Everything counts.
fn exactly(path: &str, expected: &Value, actual: &Value, found: &mut Vec<Difference>) {
    match (expected, actual) {
        _ if expected == actual => {}
        (Value::Object(expected), Value::Object(actual)) => {
            let added = actual.iter().filter(|(name, _)| !expected.contains_key(*name));
            for (name, value) in expected.iter().chain(added) {
                let path = format!("{path}/{}", escaped(name));
                match (expected.get(name), actual.get(name)) {
                    (Some(expected), Some(actual)) => exactly(&path, expected, actual, found),
                    (Some(_), None) => found.push(Difference { path, expected: Some(value.clone()), actual: None }),
                    _ => found.push(Difference { path, expected: None, actual: Some(value.clone()) }),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            for place in 0..expected.len().max(actual.len()) {
                let path = format!("{path}/{place}");
                match (expected.get(place), actual.get(place)) {
                    (Some(expected), Some(actual)) => exactly(&path, expected, actual, found),
                    (expected, actual) => {
                        found.push(Difference { path, expected: expected.cloned(), actual: actual.cloned() });
                    }
                }
            }
        }
        _ => found.push(not_equal(path, expected, actual)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, actual: &Value, documents: &[&str]) -> Vec<(String, &'static str)> {
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let found = compare(&members(expected), &members(actual), documents);
        found.iter().map(|difference| (difference.path.clone(), difference.kind())).collect()
    }

    #[test]
    fn only_what_is_expected_counts() {
        let actual = json!({ "A": "1", "B": { "C": 2, "D": 3 }, "E": 5 });
        assert_eq!(differences(&json!({ "A": 1, "B": { "C": "2" }, "F": "" }), &actual, &[]), []);
        let found = differences(&json!({ "A": 2, "B": { "C": 2, "X": 1 }, "G/H": true }), &actual, &[]);
        let wanted = [("/A", "NOT_EQUAL"), ("/B/X", "REMOVE"), ("/G~1H", "REMOVE")];
        assert_eq!(found, wanted.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn lists_are_sets_of_what_is_named() {
        let expected = json!({ "T": [{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }], "L": ["x", "y"] });
        let same = json!({ "T": [{ "Key": "b", "Value": "2" }, { "Key": "a", "Value": "1" }], "L": ["y", "x"] });
        assert_eq!(differences(&expected, &same, &[]), []);
        let other = json!({ "T": [{ "Key": "c", "Value": "3" }, { "Key": "a", "Value": "9" }], "L": ["y", "z"] });
        let wanted =
            [("/T/0/Value", "NOT_EQUAL"), ("/T/1", "REMOVE"), ("/T/0", "ADD"), ("/L/0", "REMOVE"), ("/L/1", "ADD")];
        assert_eq!(differences(&expected, &other, &[]), wanted.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn of_documents_everything_counts() {
        let expected = json!({ "P": { "S": [{ "a": 1 }, { "b": 2 }] } });
        assert_eq!(differences(&expected, &expected, &["P"]), []);
        let swapped = json!({ "P": { "S": [{ "b": 2 }, { "a": 1 }] } });
        assert_eq!(differences(&expected, &swapped, &["P"]).len(), 4);
        let longer = json!({ "P": { "S": [{ "a": "1" }, { "b": 2 }, 3], "V": "x" } });
        let wanted = [("/P/S/0/a", "NOT_EQUAL"), ("/P/S/2", "ADD"), ("/P/V", "ADD")];
        assert_eq!(differences(&expected, &longer, &["P"]), wanted.map(|(path, kind)| (path.to_owned(), kind)));
    }
}
