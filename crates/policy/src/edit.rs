//! A policy's text, to which statements are added and from which they are taken (`AddPermission`, `RemovePermission`). The rest
//! stays as it was put.

use serde_json::{Map, Value, json};

/// The text of a policy, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(Map<String, Value>);

impl Document {
    /// One without statements, which is no policy yet.
    pub fn new(id: &str) -> Self {
        let members = [("Version", json!("2012-10-17")), ("Id", json!(id)), ("Statement", json!([]))];
        Self(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// One without statements and without `Id`.
    pub fn unnamed() -> Self {
        let mut document = Self::new("");
        document.0.shift_remove("Id");
        document
    }

    /// The document of a policy that was read ([`Policy::parse`](crate::Policy::parse)) before; `None` if it is no JSON object.
    pub fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// Is there a statement of this name?
    pub fn has(&self, sid: &str) -> bool {
        self.statements().iter().any(|statement| is_named(statement, sid))
    }

    /// Adds a statement behind the others.
    pub fn add(&mut self, statement: Value) {
        let mut statements = self.statements().to_vec();
        statements.push(statement);
        self.0.insert("Statement".to_owned(), Value::Array(statements));
    }

    /// Takes a statement away; false if there is none of this name.
    pub fn remove(&mut self, sid: &str) -> bool {
        if !self.has(sid) {
            return false;
        }
        let rest = self.statements().iter().filter(|statement| !is_named(statement, sid)).cloned().collect();
        self.0.insert("Statement".to_owned(), Value::Array(rest));
        true
    }

    /// Has it no statement left?
    pub fn is_empty(&self) -> bool {
        self.statements().is_empty()
    }

    /// The text.
    pub fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    fn statements(&self) -> &[Value] {
        match self.0.get("Statement") {
            Some(Value::Array(statements)) => statements,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }
}

/// Who is meant by a list of accounts: as a text if it is one, as AWS writes it.
pub fn accounts(accounts: &[String]) -> Value {
    one_or_list(accounts.iter().map(|account| json!(format!("arn:aws:iam::{account}:root"))).collect())
}

/// A list, or its element if it has one.
pub fn one_or_list(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}

fn is_named(statement: &Value, sid: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(sid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_and_go_and_the_rest_stays() {
        let mut document =
            Document::of(r#"{"Id":"i","Statement":{"Sid":"a","Effect":"Allow"},"Version":"2008-10-17"}"#).unwrap();
        document.add(json!({"Sid": "b"}));
        let both = r#"{"Id":"i","Statement":[{"Sid":"a","Effect":"Allow"},{"Sid":"b"}],"Version":"2008-10-17"}"#;
        assert_eq!(document.text(), both);
        assert!(document.has("b") && !document.remove("c") && document.text() == both);
        assert!(document.remove("a") && document.remove("b") && document.is_empty());
        assert_eq!(Document::new("x").text(), r#"{"Version":"2012-10-17","Id":"x","Statement":[]}"#);
        assert!(Document::of("[]").is_none() && Document::of("{").is_none());
    }

    #[test]
    fn one_account_or_several() {
        assert_eq!(accounts(&["111122223333".into()]), json!("arn:aws:iam::111122223333:root"));
        let two = accounts(&["111122223333".into(), "444455556666".into()]);
        assert_eq!(two, json!(["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"]));
    }
}
