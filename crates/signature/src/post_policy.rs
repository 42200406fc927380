//! The policy document of a browser upload.
//!
//! Source: "Creating a POST Policy", Amazon S3 API Reference.

use crate::denied::{Denied, Reason};
use crate::post::PostForm;
use aws_api::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Fields that need no condition.
const FREE_FIELDS: [&str; 5] = ["awsaccesskeyid", "signature", "x-amz-signature", "policy", "file"];
const FILE_NAME: &str = "${filename}";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    expiration: String,
    conditions: Vec<Value>,
}

/// A policy whose syntax is sound.
pub(crate) struct PostPolicy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
    content_length: Option<RangeInclusive<u64>>,
}

struct Condition {
    operator: Operator,
    /// Lower-case, without the `$`.
    field: String,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    StartsWith,
}

fn invalid(what: &str) -> Denied {
    Denied::new(Reason::Policy, 400, "InvalidPolicyDocument", format!("Invalid Policy: {what}"))
}

fn refused(what: &str) -> Denied {
    Denied::access_denied(Reason::Policy, format!("Invalid according to Policy: {what}"))
}

impl PostPolicy {
    /// From the base64 text of the form.
    ///
    /// Error: `InvalidPolicyDocument`.
    pub(crate) fn parse(text: &str) -> Result<Self, Denied> {
        let compact: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        let json = STANDARD.decode(compact).map_err(|_| invalid("Invalid Base64 encoding."))?;
        let document: Document = serde_json::from_slice(&json).map_err(|error| invalid(&format!("{error}.")))?;
        let expiration = Timestamp::parse_rfc3339(&document.expiration)
            .ok_or_else(|| invalid(&format!("Invalid 'expiration' value: '{}'", document.expiration)))?;
        let mut policy = Self { expiration, conditions: Vec::new(), content_length: None };
        for condition in &document.conditions {
            policy.add(condition)?;
        }
        Ok(policy)
    }

    fn add(&mut self, condition: &Value) -> Result<(), Denied> {
        match condition {
            Value::Object(pairs) => {
                let mut pairs = pairs.iter();
                let (Some((field, value)), None) = (pairs.next(), pairs.next()) else {
                    return Err(invalid(
                        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                    ));
                };
                let value =
                    value.as_str().ok_or_else(|| invalid("Invalid Simple-Condition: value must be a string."))?;
                self.push(Operator::Eq, field, value);
                Ok(())
            }
            Value::Array(parts) => self.add_operation(parts),
            _ => Err(invalid("Invalid Condition: a condition must be an object or a list.")),
        }
    }

    fn add_operation(&mut self, parts: &[Value]) -> Result<(), Denied> {
        let [operator, left, right] = parts else {
            return Err(invalid("Invalid Condition: wrong number of arguments."));
        };
        let operator = operator.as_str().ok_or_else(|| invalid("Invalid Condition: operation must be a string."))?;
        if operator.eq_ignore_ascii_case("content-length-range") {
            let (Some(min), Some(max)) = (length(left), length(right)) else {
                return Err(invalid("Invalid content-length-range: the lengths must be whole numbers."));
            };
            let known = self.content_length.take().unwrap_or(0..=u64::MAX);
            self.content_length = Some(min.max(*known.start())..=max.min(*known.end()));
            return Ok(());
        }
        let operator = match operator.to_ascii_lowercase().as_str() {
            "eq" => Operator::Eq,
            "starts-with" => Operator::StartsWith,
            _ => return Err(invalid(&format!("Invalid Condition: unknown operation '{operator}'."))),
        };
        let field = left.as_str().and_then(|field| field.strip_prefix('$'));
        let (Some(field), Some(value)) = (field, right.as_str()) else {
            return Err(invalid("Invalid Condition: expecting [\"operation\", \"$field\", \"value\"]."));
        };
        self.push(operator, field, value);
        Ok(())
    }

    fn push(&mut self, operator: Operator, field: &str, value: &str) {
        self.conditions.push(Condition { operator, field: field.to_ascii_lowercase(), value: value.to_owned() });
    }

    /// Holds the form to the policy and gives the lengths that it allows.
    ///
    /// Errors, first to last: the policy's end has come, a condition fails, a field has no condition.
    pub(crate) fn check(&self, form: &PostForm<'_>, now: Timestamp) -> Result<Option<RangeInclusive<u64>>, Denied> {
        if now >= self.expiration {
            return Err(refused("Policy expired."));
        }
        if let Some(failed) = self.conditions.iter().find(|condition| !condition.holds(form)) {
            let [operator, field, value] = failed.parts().map(|part| Value::from(part).to_string());
            return Err(refused(&format!("Policy Condition failed: [{operator}, {field}, {value}]")));
        }
        let extra = self.extra_fields(form);
        if extra.is_empty() {
            return Ok(self.content_length.clone());
        }
        Err(refused(&format!("Extra input fields: {}", extra.join(", "))))
    }

    fn extra_fields(&self, form: &PostForm<'_>) -> Vec<String> {
        let names = form.fields.iter().map(|(name, _)| name.to_ascii_lowercase());
        let mut names: Vec<String> = names.filter(|name| name != "bucket").chain(["bucket".to_owned()]).collect();
        names.retain(|name| {
            let free = FREE_FIELDS.contains(&name.as_str()) || name.starts_with("x-ignore-");
            !free && !self.conditions.iter().any(|condition| condition.field == *name)
        });
        names
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl Condition {
    fn parts(&self) -> [String; 3] {
        let operator = match self.operator {
            Operator::Eq => "eq",
            Operator::StartsWith => "starts-with",
        };
        [operator.to_owned(), format!("${}", self.field), self.value.clone()]
    }

    /// The bucket is the one addressed, whatever a field says; the key is the one that will be written.
    fn holds(&self, form: &PostForm<'_>) -> bool {
        let given = if self.field == "bucket" { form.bucket } else { form.field(&self.field).unwrap_or_default() };
        if self.field == "key" {
            let key = given.replace(FILE_NAME, form.file_name);
            return self.allows(&key, &self.value.replace(FILE_NAME, form.file_name));
        }
        // Browsers may send a list of types in one field; each of them is held to the condition.
        if self.field == "content-type" && self.operator == Operator::StartsWith {
            return given.split(',').all(|part| self.allows(part.trim(), &self.value));
        }
        self.allows(given, &self.value)
    }

    fn allows(&self, given: &str, value: &str) -> bool {
        match self.operator {
            Operator::Eq => given == value,
            Operator::StartsWith => given.starts_with(value),
        }
    }
}
