//! `DuckDB`.
//!
//! Source: `DuckDB` documentation, "Loading JSON" (`read_json`, `columns`, `maximum_object_size`), "JSON Processing Functions"
//! (`json_extract`, `json_type`), "Lambda Functions", "CREATE MACRO". Files are read as JSON without an inferred schema.

use report::Field;

use crate::dialect::{Dialect, Is, Kind, Value};
use crate::engine::{Callers, Text, column, folder, grouped};
use crate::error::{Refusal, SqlError};
use crate::lexical::{hex, like, path_step};
use crate::shape::certain_path;

/// The longest log file that is read, in bytes without compression.
const OBJECT_BYTES_MAX: u32 = 1 << 30;

const MACROS: [(&str, &str); 4] = [
    (
        "elements",
        "-- A value, or what is in an array and in arrays in it.
CREATE OR REPLACE TEMP MACRO elements(value) AS CASE
    WHEN value IS NULL THEN []
    WHEN json_type(value) <> 'ARRAY' THEN [value]
    ELSE flatten(list_transform(json_extract(value, '$[*]'), lambda outer_one: CASE
        WHEN json_type(outer_one) <> 'ARRAY' THEN [outer_one]
        ELSE list_transform(json_extract(outer_one, '$[*]'), lambda inner_one: CASE
            WHEN json_type(inner_one) <> 'ARRAY' THEN inner_one
            ELSE error('an array in an array in an array: ' || inner_one)
        END)
    END))
END",
    ),
    (
        "text_of",
        "-- A JSON text, NULL for everything else.
CREATE OR REPLACE TEMP MACRO text_of(value) AS
    CASE WHEN json_type(value) = 'VARCHAR' THEN json_extract_string(value, '$') END",
    ),
    (
        "number_of",
        "-- The literal of a JSON number, NULL for everything else.
CREATE OR REPLACE TEMP MACRO number_of(value) AS
    CASE WHEN json_type(value) NOT IN ('VARCHAR', 'BOOLEAN', 'NULL', 'OBJECT', 'ARRAY') THEN value::VARCHAR END",
    ),
    (
        "comparable",
        "-- Whether a double holds what a literal says; an error where that is not certain.
CREATE OR REPLACE TEMP MACRO comparable(literal) AS CASE
    WHEN length(literal) <= 15 AND regexp_full_match(literal, '-?[0-9.]+([eE][+-]?[0-9]{1,2})?') THEN TRUE
    ELSE error('a number of more than 15 digits cannot be compared: ' || literal)
END",
    ),
];

/// The engine.
pub(crate) struct DuckDb;

impl DuckDb {
    fn json(path: &str) -> String {
        format!("json_extract(record, '$.{path}')")
    }

    fn text_at(path: &str) -> String {
        format!("text_of({})", Self::json(path))
    }
}

impl Dialect for DuckDb {
    fn literal(&self, text: &str) -> Result<String, Refusal> {
        Ok(if text.chars().any(char::is_control) {
            format!("decode(unhex('{}'))", hex(text))
        } else {
            format!("'{}'", text.replace('\'', "''"))
        })
    }

    fn field(&self, steps: &[&str]) -> Result<(Value, usize), Refusal> {
        let (path, single, count) = certain_path(steps, step)?;
        let expression = format!("json_extract(record, '${path}')");
        Ok((Value { expression, kind: Kind::Json, single }, count))
    }

    fn source(&self) -> Result<Value, Refusal> {
        let expression = format!("('aws.' || split_part({}, '.', 1))", Self::text_at("eventSource"));
        Ok(Value { expression, kind: Kind::Text, single: true })
    }

    fn member(&self, object: &Value, name: &str) -> Result<Value, Refusal> {
        let expression = format!("json_extract({}, '${}')", object.expression, step(name)?);
        Ok(Value { expression, kind: Kind::Json, single: false })
    }

    fn element(&self, _: &Value, name: &str) -> Value {
        Value { expression: name.to_owned(), kind: Kind::Json, single: true }
    }

    fn some(&self, value: &Value, name: &str, holds: &str) -> String {
        format!("len(list_filter(elements({}), lambda {name}: {holds})) > 0", value.expression)
    }

    fn text(&self, value: &Value) -> Result<String, Refusal> {
        Ok(if value.kind == Kind::Json { format!("text_of({})", value.expression) } else { value.expression.clone() })
    }

    fn number(&self, value: &Value) -> Result<String, Refusal> {
        Ok(format!("number_of({})", value.expression))
    }

    fn double(&self, number: &str) -> String {
        format!("TRY_CAST({number} AS DOUBLE)")
    }

    fn comparable(&self, number: &str) -> String {
        format!("comparable({number})")
    }

    fn is(&self, value: &Value, what: Is) -> Result<String, Refusal> {
        let value = &value.expression;
        Ok(match what {
            Is::Scalar => format!("json_type({value}) NOT IN ('OBJECT', 'ARRAY')"),
            Is::True => format!("(json_type({value}) = 'BOOLEAN' AND json_extract_string({value}, '$') = 'true')"),
            Is::False => format!("(json_type({value}) = 'BOOLEAN' AND json_extract_string({value}, '$') = 'false')"),
            Is::Null => format!("json_type({value}) = 'NULL'"),
        })
    }

    fn full_match(&self, text: &str, regex: &str) -> Result<String, Refusal> {
        // RE2 has no other letter for "this and nothing around it"; `s` lets the point match line ends.
        Ok(format!("regexp_full_match({text}, {}, 's')", self.literal(regex)?))
    }

    fn like(&self, text: &str, pieces: &[&str]) -> Result<String, Refusal> {
        Ok(format!("{text} LIKE {} ESCAPE '!'", self.literal(&like(pieces))?))
    }
}

fn step(name: &str) -> Result<String, Refusal> {
    let quoted = path_step(name)?;
    let plain = name.chars().all(|character| character.is_ascii_alphabetic());
    Ok(if plain { format!(".{name}") } else { format!(".{}", quoted.trim_matches(['[', ']'])) })
}

impl Callers for DuckDb {
    fn column(&self, field: Field) -> Result<String, Refusal> {
        Ok(column(field, |text| {
            format!(
                "array_to_string(list_filter(string_split({text}, ' '), lambda part: NOT starts_with(part, 'm/')), ' ')"
            )
        }))
    }

    fn statements(
        &self,
        filter: &str,
        columns: &[(Field, String)],
        location: Option<&str>,
    ) -> Result<Vec<String>, SqlError> {
        let folder = folder(location, "a folder or s3://bucket/AWSLogs/")?;
        let files = format!("{}/**/*.json.gz", folder.trim_end_matches('/'));
        let files = self.literal(&files).map_err(|Refusal(text)| SqlError::Location(text))?;
        let matching = format!(
            "WITH records AS (\n    SELECT unnest(Records) AS record\n    FROM read_json({files},\n        \
             columns = {{Records: 'JSON[]'}}, maximum_object_size = {OBJECT_BYTES_MAX})\n), matching AS (\n    \
             SELECT record FROM records\n    WHERE {filter}\n)"
        );
        let query = grouped(&matching, columns, |text| match text {
            Text::At(path) => Self::text_at(path),
            Text::BucketArn => "text_of(json_extract(list_filter(json_extract(record, '$.resources[*]'), \
                                lambda one: text_of(json_extract(one, '$.type')) = 'AWS::S3::Bucket')[1], '$.ARN'))"
                .to_owned(),
        });
        let used = |name: &str| query.contains(&format!("{name}("));
        let macros = MACROS.iter().filter(|(name, _)| used(name)).map(|(_, text)| (*text).to_owned());
        Ok(macros.chain([query.clone()]).collect())
    }
}
