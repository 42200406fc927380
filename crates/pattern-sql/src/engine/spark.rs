//! Apache Spark SQL.
//!
//! Source: Spark SQL reference, "Built-in Functions" (`from_json`, `variant_get`, `schema_of_variant`, `exists`), "Text Files"
//! (`wholetext`), "Literals" (raw text). Records are read as `VARIANT`, which keeps each value's own type. A function of our
//! own cannot stand in a lambda, hence the long words.

use report::Field;

use crate::dialect::{Dialect, Is, Kind, Value};
use crate::engine::{Callers, Text, column, folder, grouped};
use crate::error::{Refusal, SqlError};
use crate::lexical::{hex, like, path_step};
use crate::shape::certain_path;

/// The engine.
pub(crate) struct Spark;

impl Spark {
    /// A text at a place where certainly no array is; `NULL` for anything else.
    fn text_at(path: &str) -> String {
        text_of(&format!("variant_get(record, '$.{path}')"))
    }
}

fn text_of(value: &str) -> String {
    format!("CASE WHEN schema_of_variant({value}) = 'STRING' THEN CAST({value} AS STRING) END")
}

impl Dialect for Spark {
    /// What a backslash means depends on `spark.sql.parser.escapedStringLiterals`, `${` is a variable of `spark-sql`, and two
    /// quotes are one or none.
    fn literal(&self, text: &str) -> Result<String, Refusal> {
        let plain = !text.chars().any(|character| character.is_control() || matches!(character, '\'' | '\\'));
        Ok(if plain && !text.contains("${") {
            format!("'{text}'")
        } else {
            format!("decode(unhex('{}'), 'UTF-8')", hex(text))
        })
    }

    fn field(&self, steps: &[&str]) -> Result<(Value, usize), Refusal> {
        let (path, single, count) = certain_path(steps, step)?;
        let expression = format!("variant_get(record, '${path}')");
        Ok((Value { expression, kind: Kind::Json, single }, count))
    }

    fn source(&self) -> Result<Value, Refusal> {
        let expression = format!("concat('aws.', split_part({}, '.', 1))", Self::text_at("eventSource"));
        Ok(Value { expression, kind: Kind::Text, single: true })
    }

    fn member(&self, object: &Value, name: &str) -> Result<Value, Refusal> {
        let expression = format!("variant_get({}, '${}')", object.expression, step(name)?);
        Ok(Value { expression, kind: Kind::Json, single: false })
    }

    fn element(&self, _: &Value, name: &str) -> Value {
        Value { expression: name.to_owned(), kind: Kind::Json, single: true }
    }

    fn some(&self, value: &Value, name: &str, holds: &str) -> String {
        let is_array = |value: &str| format!("schema_of_variant({value}) LIKE 'ARRAY<%'");
        let cast = |value: &str| format!("CAST({value} AS ARRAY<VARIANT>)");
        let (value, outer, inner) = (value.expression.as_str(), format!("{name}o"), format!("{name}i"));
        let deeper = format!(
            "transform({}, {inner} -> CASE WHEN {} THEN raise_error('an array in an array in an array') ELSE {inner} END)",
            cast(&outer),
            is_array(&inner)
        );
        let elements = format!(
            "CASE WHEN {value} IS NULL THEN CAST(array() AS ARRAY<VARIANT>) WHEN {} THEN flatten(transform({}, \
             {outer} -> CASE WHEN {} THEN {deeper} ELSE array({outer}) END)) ELSE array({value}) END",
            is_array(value),
            cast(value),
            is_array(&outer)
        );
        format!("exists({elements}, {name} -> {holds})")
    }

    fn text(&self, value: &Value) -> Result<String, Refusal> {
        Ok(if value.kind == Kind::Json { text_of(&value.expression) } else { value.expression.clone() })
    }

    fn number(&self, value: &Value) -> Result<String, Refusal> {
        let value = &value.expression;
        Ok(format!(
            "CASE WHEN schema_of_variant({value}) RLIKE '^(BIGINT|DOUBLE|DECIMAL.*)$' THEN CAST({value} AS STRING) END"
        ))
    }

    fn double(&self, number: &str) -> String {
        format!("TRY_CAST({number} AS DOUBLE)")
    }

    fn double_literal(&self, number: f64) -> String {
        format!("{number:e}D")
    }

    fn comparable(&self, number: &str) -> String {
        format!(
            "CASE WHEN length({number}) <= 15 AND {number} RLIKE '^-?[0-9.]+([eE][+-]?[0-9]{{1,2}})?$' THEN TRUE \
             ELSE raise_error(concat('a number of more than 15 digits cannot be compared: ', {number})) END"
        )
    }

    fn is(&self, value: &Value, what: Is) -> Result<String, Refusal> {
        let value = &value.expression;
        let is_there = format!("{value} IS NOT NULL");
        let kind = format!("schema_of_variant({value})");
        Ok(match what {
            Is::Scalar => format!("({is_there} AND {kind} NOT LIKE 'OBJECT<%' AND {kind} NOT LIKE 'ARRAY<%')"),
            Is::True => format!("({kind} = 'BOOLEAN' AND CAST({value} AS STRING) = 'true')"),
            Is::False => format!("({kind} = 'BOOLEAN' AND CAST({value} AS STRING) = 'false')"),
            Is::Null => format!("({is_there} AND {kind} = 'VOID')"),
        })
    }

    fn full_match(&self, text: &str, regex: &str) -> Result<String, Refusal> {
        // Of what stands in a regular expression here only letters and signs are not escaped, so the raw text ends at its end.
        Ok(format!("{text} RLIKE r'(?s)\\A(?:{regex})\\z'"))
    }

    fn like(&self, text: &str, pieces: &[&str]) -> Result<String, Refusal> {
        Ok(format!("{text} LIKE {} ESCAPE '!'", self.literal(&like(pieces))?))
    }
}

fn step(name: &str) -> Result<String, Refusal> {
    let quoted = path_step(name)?;
    let plain = name.chars().all(|character| character.is_ascii_alphabetic());
    Ok(if plain { format!(".{name}") } else { quoted })
}

impl Callers for Spark {
    fn column(&self, field: Field) -> Result<String, Refusal> {
        Ok(column(field, |text| {
            format!("array_join(filter(split({text}, ' '), part -> NOT startswith(part, 'm/')), ' ')")
        }))
    }

    fn statements(
        &self,
        filter: &str,
        columns: &[(Field, String)],
        location: Option<&str>,
    ) -> Result<Vec<String>, SqlError> {
        let folder = folder(location, "a folder or s3://bucket/AWSLogs/")?;
        if folder.contains(['\'', '$']) {
            return Err(SqlError::Location("holds a quote or a dollar sign".to_owned()));
        }
        let files = format!(
            "CREATE OR REPLACE TEMPORARY VIEW cloudtrail_files\nUSING text\nOPTIONS (path '{folder}', wholetext 'true', \
             recursiveFileLookup 'true', pathGlobFilter '*.json.gz')"
        );
        let matching = format!(
            "WITH records AS (\n    SELECT explode(from_json(value, 'STRUCT<Records: ARRAY<VARIANT>>',\n        \
             map('mode', 'FAILFAST')).Records) AS record\n    FROM cloudtrail_files\n), matching AS (\n    \
             SELECT record FROM records\n    WHERE {filter}\n)"
        );
        let query = grouped(&matching, columns, |text| match text {
            Text::At(path) => Self::text_at(path),
            Text::BucketArn => format!(
                "get(transform(filter(CAST(coalesce(variant_get(record, '$.resources'), parse_json('[]')) AS \
                 ARRAY<VARIANT>),\n            one -> {} = 'AWS::S3::Bucket'),\n            one -> {}), 0)",
                text_of("variant_get(one, '$.type')"),
                text_of("variant_get(one, '$.ARN')")
            ),
        });
        Ok(vec![files, query])
    }
}
