//! The engines.

pub(crate) mod athena;
pub(crate) mod duckdb;
pub(crate) mod insights;
pub(crate) mod spark;

use report::Field;

use crate::dialect::Dialect;
use crate::error::{Refusal, SqlError};

/// What of the script is an engine's own, besides the condition.
pub(crate) trait Callers: Dialect {
    /// What the reader has to know, line by line.
    fn notes(&self) -> &'static [&'static str] {
        &[ASSUMED]
    }

    /// The field of a record's caller, never `NULL`.
    fn column(&self, field: Field) -> Result<String, Refusal>;

    /// Definitions and the query.
    fn statements(
        &self,
        filter: &str,
        columns: &[(Field, String)],
        location: Option<&str>,
    ) -> Result<Vec<String>, SqlError>;
}

/// A text of a record that columns are made of; `NULL` where the record has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Behind this way.
    At(&'static str),
    /// The ARN of the first resource that is a bucket. Parameters that are too long are not in the record; its resources are.
    BucketArn,
}

/// What the column of a field is made of, under the names that [`column`] knows.
fn texts_of(field: Field) -> &'static [(&'static str, Text)] {
    match field {
        Field::Identity => &[
            ("issuer", Text::At("userIdentity.sessionContext.sessionIssuer.arn")),
            ("arn", Text::At("userIdentity.arn")),
            ("service", Text::At("userIdentity.invokedBy")),
            ("account", Text::At("userIdentity.accountId")),
            ("principal", Text::At("userIdentity.principalId")),
        ],
        Field::AccessKeyId => &[
            ("access_key", Text::At("userIdentity.accessKeyId")),
            ("claimed_key", Text::At("additionalEventData.claimedAccessKeyId")),
        ],
        Field::SourceIp => &[("address", Text::At("sourceIPAddress"))],
        Field::UserAgent => &[("agent", Text::At("userAgent"))],
        Field::Bucket => &[("bucket_name", Text::At("requestParameters.bucketName")), ("bucket_arn", Text::BucketArn)],
    }
}

/// The column of a field, over the texts that it is made of. `words` takes the features (`m/E,Z,b`) out of a text.
pub(crate) fn column(field: Field, words: impl FnOnce(&str) -> String) -> String {
    match field {
        Field::Identity => "CASE
            WHEN issuer <> '' THEN issuer
            WHEN arn IS NOT NULL THEN arn
            WHEN service IS NOT NULL THEN service
            WHEN account IN ('anonymous', 'ANONYMOUS_PRINCIPAL') THEN 'anonymous'
            WHEN coalesce(account, '') = '' THEN CASE WHEN principal <> '' THEN principal ELSE 'anonymous' END
            WHEN coalesce(principal, '') = '' THEN account
            ELSE concat(account, ':', principal)
        END"
        .to_owned(),
        Field::AccessKeyId => "coalesce(access_key, claimed_key, '')".to_owned(),
        Field::SourceIp => "coalesce(address, '')".to_owned(),
        Field::UserAgent => {
            words("CASE WHEN agent LIKE '[%]' THEN substr(agent, 2, length(agent) - 2) ELSE coalesce(agent, '') END")
        }
        Field::Bucket => {
            "coalesce(bucket_name, CASE WHEN bucket_arn LIKE 'arn:aws:s3:::%' THEN substr(bucket_arn, 14) END, '')"
                .to_owned()
        }
    }
}

/// The query over records that match. `matching` is the end of a `WITH` clause, `text` says where a text is.
pub(crate) fn grouped(matching: &str, columns: &[(Field, String)], text: impl Fn(Text) -> String) -> String {
    let time = [("event_time", Text::At("eventTime"))];
    let needed = columns.iter().flat_map(|(field, _)| texts_of(*field)).chain(&time);
    let texts: Vec<String> = needed.map(|(name, place)| format!("{} AS {name}", text(*place))).collect();
    let mut inner: Vec<String> =
        columns.iter().map(|(field, column)| format!("{column} AS {}", field.name())).collect();
    inner.push("event_time".to_owned());
    let names: Vec<&str> = columns.iter().map(|(field, _)| field.name()).collect();
    let group = if names.is_empty() { String::new() } else { format!("\nGROUP BY {}", names.join(", ")) };
    let counts = ["count(*) AS count", "min(event_time) AS first_seen", "max(event_time) AS last_seen"];
    let outer: Vec<&str> = names.iter().copied().chain(counts).collect();
    let order: Vec<&str> = ["count DESC"].into_iter().chain(names).collect();
    format!(
        "{matching}, texts AS (\n    SELECT\n        {}\n    FROM matching\n), callers AS (\n    SELECT\n        {}\n    \
         FROM texts\n)\nSELECT {}\nFROM callers{group}\nORDER BY {}",
        texts.join(",\n        "),
        inner.join(",\n        "),
        outer.join(", "),
        order.join(", ")
    )
}

/// What the reader has to know of the engines that read JSON.
const ASSUMED: &str = "It relies on what CloudTrail writes: no key twice in an object, no point in a key, no number beyond what a double holds.";

/// A folder or bucket whose text can stand in a glob.
pub(crate) fn folder<'l>(location: Option<&'l str>, example: &str) -> Result<&'l str, SqlError> {
    let Some(location) = location else {
        return Err(SqlError::Location(format!("say where the log files are, such as {example}")));
    };
    if let Some(odd) = location.chars().find(|&character| character.is_control() || "*?[]{}\\".contains(character)) {
        return Err(SqlError::Location(format!("holds {odd:?}, which has a meaning of its own in a glob")));
    }
    let folder = location.trim_end_matches('/');
    Ok(if folder.is_empty() && !location.is_empty() { "/" } else { folder })
}
