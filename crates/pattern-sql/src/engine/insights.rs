//! CloudWatch Logs Insights.
//!
//! Source: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax", "filter" (`in`, `like`, `and`, `or`,
//! `not`), "Boolean, comparison, numeric, datetime, and other functions" (`ispresent`, `coalesce`), "Fields that contain special
//! characters", "Supported logs and discovered fields".
//!
//! It names the members of nested objects with points, has no types that a query could ask for, and numbers the elements of
//! arrays as if they were members. Exact are therefore questions about elements that are always one text. How a quote or a
//! backslash stands in a text is not documented: such texts are asked for by regular expression.

use report::Field;

use crate::dialect::{Dialect, Is, Kind, Value, joined};
use crate::engine::Callers;
use crate::error::{Refusal, SqlError};
use crate::lexical::{regex_pieces, regex_text};
use crate::shape::{Known, known};

/// Parameters of S3's requests that are one text ("Example: CloudTrail log file entries for Amazon S3").
const S3_TEXTS: [&str; 3] = ["requestParameters.bucketName", "requestParameters.key", "requestParameters.Host"];

/// The engine.
pub(crate) struct LogsInsights;

impl Dialect for LogsInsights {
    fn literal(&self, text: &str) -> Result<String, Refusal> {
        if text.chars().any(|character| character.is_control() || matches!(character, '"' | '\\' | '\'')) {
            return Err(Refusal::new("a text with quotes, backslashes or control characters"));
        }
        Ok(format!("\"{text}\""))
    }

    fn field(&self, steps: &[&str]) -> Result<(Value, usize), Refusal> {
        let name = steps.join(".");
        if known(&name) != Some(Known::Text) && !S3_TEXTS.contains(&name.as_str()) {
            return Err(Refusal::new("a field that is not always one text: it does not tell kinds of values apart"));
        }
        let plain = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '.');
        let expression = if plain { name } else { format!("`{name}`") };
        Ok((Value { expression, kind: Kind::Text, single: true }, steps.len()))
    }

    fn source(&self) -> Result<Value, Refusal> {
        // The first label stands alone only in a regular expression: see `text` and those that ask of it.
        Ok(Value { expression: SOURCE.to_owned(), kind: Kind::Text, single: true })
    }

    fn member(&self, _: &Value, name: &str) -> Result<Value, Refusal> {
        Err(Refusal::new(format!("{name:?} of an element that may be an array")))
    }

    fn element(&self, value: &Value, _: &str) -> Value {
        value.clone()
    }

    fn some(&self, _: &Value, _: &str, holds: &str) -> String {
        holds.to_owned()
    }

    fn text(&self, value: &Value) -> Result<String, Refusal> {
        Ok(value.expression.clone())
    }

    fn number(&self, _: &Value) -> Result<String, Refusal> {
        Err(Refusal::new("a number: it does not tell numbers from texts"))
    }

    fn double(&self, number: &str) -> String {
        number.to_owned()
    }

    fn comparable(&self, number: &str) -> String {
        number.to_owned()
    }

    fn is(&self, _: &Value, _: Is) -> Result<String, Refusal> {
        Err(Refusal::new("a kind of value"))
    }

    fn is_there(&self, value: &Value) -> String {
        let field = if value.expression == SOURCE { "eventSource" } else { &value.expression };
        format!("ispresent({field})")
    }

    fn full_match(&self, text: &str, regex: &str) -> Result<String, Refusal> {
        if text == SOURCE {
            return Err(Refusal::new("anything but whole texts of the event's source"));
        }
        Ok(format!("{text} like /(?s)\\A(?:{regex})\\z/"))
    }

    fn like(&self, text: &str, pieces: &[&str]) -> Result<String, Refusal> {
        self.full_match(text, &regex_pieces(pieces))
    }

    fn one_of(&self, text: &str, texts: &[&str]) -> Result<String, Refusal> {
        if text == SOURCE {
            let labels: Vec<String> = texts
                .iter()
                .filter_map(|text| text.strip_prefix("aws.").filter(|label| !label.contains('.')))
                .map(regex_text)
                .collect();
            if labels.is_empty() {
                return Ok(self.truth(false).to_owned());
            }
            return self.full_match("eventSource", &format!("(?:{})(?:\\x2e.*)?", labels.join("|")));
        }
        let literals: Result<Vec<String>, Refusal> = texts.iter().map(|text| self.literal(text)).collect();
        if let Ok(literals) = literals {
            return Ok(format!("{text} in [{}]", literals.join(", ")));
        }
        let texts: Vec<String> = texts.iter().map(|text| regex_text(text)).collect();
        self.full_match(text, &texts.join("|"))
    }

    fn truth(&self, truth: bool) -> &'static str {
        if truth { "1 = 1" } else { "1 = 0" }
    }

    fn and(&self, parts: &[String]) -> String {
        joined(parts, " and ", self.truth(true))
    }

    fn or(&self, parts: &[String]) -> String {
        joined(parts, " or ", self.truth(false))
    }

    fn not(&self, expression: &str) -> String {
        format!("not ({expression})")
    }
}

/// Stands for the event's source, which no field of the record is.
const SOURCE: &str = "source";

impl Callers for LogsInsights {
    fn notes(&self) -> &'static [&'static str] {
        &[
            "Choose the trail's log group and a time range. At most 10,000 callers are shown.",
            "Callers without an ARN are told apart by their account alone: Logs Insights cannot ask which of the two is there.",
        ]
    }

    fn column(&self, field: Field) -> Result<String, Refusal> {
        Ok(match field {
            Field::Identity => "coalesce(userIdentity.sessionContext.sessionIssuer.arn, userIdentity.arn, \
                                userIdentity.invokedBy, userIdentity.accountId, \"anonymous\")"
                .to_owned(),
            Field::AccessKeyId => {
                "coalesce(userIdentity.accessKeyId, additionalEventData.claimedAccessKeyId, \"\")".to_owned()
            }
            Field::SourceIp => "coalesce(sourceIPAddress, \"\")".to_owned(),
            Field::UserAgent => {
                return Err(Refusal::new(
                    "the user agent without brackets and features, since it cannot take words out of a text; \
                     leave it out with --by identity,access_key_id,source_ip,bucket",
                ));
            }
            Field::Bucket => "coalesce(requestParameters.bucketName, \"\")".to_owned(),
        })
    }

    fn statements(
        &self,
        filter: &str,
        columns: &[(Field, String)],
        location: Option<&str>,
    ) -> Result<Vec<String>, SqlError> {
        if location.is_some() {
            return Err(SqlError::Location(
                "Logs Insights reads a log group, which is chosen where it is asked".to_owned(),
            ));
        }
        let filter = filter.replace("\n      ", "\n    ").replace("\n       ", "\n    ");
        let fields: Vec<String> =
            columns.iter().map(|(field, column)| format!("{column} as {}", field.name())).collect();
        let names: Vec<&str> = columns.iter().map(|(field, _)| field.name()).collect();
        let fields = if fields.is_empty() { String::new() } else { format!("| fields {}\n", fields.join(",\n    ")) };
        let by = if names.is_empty() { String::new() } else { format!(" by {}", names.join(", ")) };
        Ok(vec![format!(
            "filter {filter}\n{fields}| stats count(*) as requests, min(@timestamp) as first_seen, \
             max(@timestamp) as last_seen{by}\n| sort requests desc\n| limit 10000"
        )])
    }
}
