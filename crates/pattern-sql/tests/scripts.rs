//! What is written, read again: nothing of a pattern leaves the place that it was put in.

use std::fmt::Write as _;

use event_pattern::Pattern;
use pattern_sql::{Engine, Field, Question, SqlError, write};
use proptest::prelude::*;

const ENGINES: [Engine; 4] = [Engine::Athena, Engine::Spark, Engine::DuckDb, Engine::LogsInsights];

fn ask(engine: Engine, pattern: &str) -> Result<String, SqlError> {
    let pattern = Pattern::compile(pattern).expect("valid");
    let location = if engine == Engine::LogsInsights { None } else { Some("s3://logs/AWSLogs/") };
    write(engine, &Question { pattern: &pattern, by: engine.fields(), location }).map(|script| script.to_string())
}

fn refusal(engine: Engine, pattern: &str) -> String {
    ask(engine, pattern).expect_err(pattern).to_string()
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            character if character < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out + "\""
}

/// The script without what stands between quotes and in comments, read as the engine's lexer reads it; `None` if it ends
/// inside of one of them.
fn skeleton(engine: Engine, script: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = script;
    let comment = if engine == Engine::LogsInsights { "#" } else { "--" };
    while let Some(first) = rest.chars().next() {
        if rest.starts_with(comment) {
            rest = rest.split_once('\n')?.1;
            continue;
        }
        let raw = engine == Engine::Spark && rest.starts_with("r'");
        let opening = if raw { 2 } else { first.len_utf8() };
        let close = match (engine, first) {
            (Engine::LogsInsights, '"') => '"',
            (Engine::LogsInsights, '/') => '/',
            (Engine::LogsInsights, _) => '\0',
            (_, '\'') => '\'',
            _ if raw => '\'',
            _ => '\0',
        };
        if close == '\0' {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        out.push('?');
        let (text, behind) = rest[opening..].split_once(close)?;
        // No backslash before the end that an engine may take for an escape, and no line ends or variables within.
        if (!raw && engine != Engine::LogsInsights && engine == Engine::Spark && text.contains('\\'))
            || text.contains(['\n', '\r'])
            || (engine == Engine::Spark && text.contains("${"))
            || (engine == Engine::LogsInsights && text.ends_with('\\'))
        {
            return None;
        }
        rest = behind;
    }
    // Two quotes within a text are one quote, which seems to be two texts here.
    while out.contains("??") {
        out = out.replace("??", "?");
    }
    Some(out)
}

/// Texts that would like to be something else.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("'"),
        Just("''"),
        Just("\""),
        Just("\\"),
        Just("\\'"),
        Just("--"),
        Just("/*"),
        Just("*/"),
        Just("\n"),
        Just("\r\n"),
        Just(";\n"),
        Just("#"),
        Just("${x}"),
        Just("$$"),
        Just("`"),
        Just("%"),
        Just("_"),
        Just("!"),
        Just("/"),
        Just("\0"),
        Just("\u{2028}"),
        Just("é"),
        Just("OR 1=1"),
        Just("a"),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn texts_stay_where_they_are_put(text in hostile(), other in hostile()) {
        let leaf = |text: &str| {
            // A wildcard has escapes and stars of its own.
            let wildcard = quoted(&(text.replace(['\\', '*'], "") + "*"));
            let text = quoted(text);
            format!(
                "[{{\"prefix\":{text}}},{{\"suffix\":{text}}},{{\"equals-ignore-case\":{text}}},{{\"wildcard\":{wildcard}}},\
                 {{\"prefix\":{{\"equals-ignore-case\":{text}}}}},{{\"anything-but\":{{\"suffix\":[\"x\",\"y\"]}}}}]"
            )
        };
        for engine in ENGINES {
            // Both texts are asked for alike, so the rest of the scripts is the same.
            let pattern = |text: &str| format!("{{\"detail\":{{\"eventName\":{}}}}}", leaf(text));
            let same = |text: &str| -> Result<Option<String>, TestCaseError> {
                let script = ask(engine, &pattern(text)).map_err(|error| TestCaseError::fail(error.to_string()))?;
                let skeleton = skeleton(engine, &script);
                prop_assert!(skeleton.is_some(), "{engine}: {script}");
                // Texts with odd characters are decoded from hexadecimal digits.
                Ok(skeleton.map(|text| {
                    text.replace("decode(unhex(?), ?)", "?").replace("decode(unhex(?))", "?").replace("from_utf8(from_hex(?))", "?")
                }))
            };
            prop_assert_eq!(same(&text)?, same(&other)?);
        }
    }

    #[test]
    fn names_are_taken_as_they_are_or_refused(name in hostile()) {
        prop_assume!(!name.is_empty());
        let pattern = format!("{{\"detail\":{{\"requestParameters\":{{{}:[\"x\"]}}}}}}", quoted(&name));
        for engine in ENGINES {
            match ask(engine, &pattern) {
                Ok(script) => prop_assert!(skeleton(engine, &script).is_some(), "{script}"),
                Err(SqlError::Unsupported { field, .. }) => prop_assert!(field.ends_with(&name)),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn no_pattern_ends_the_comment(text in ".{0,40}", engine in proptest::sample::select(&ENGINES)) {
        // What stands behind a pattern's last brace is its text, too.
        let script = ask(engine, &format!("{{\"source\":[\"aws.s3\"]}} {text}\n{text}\\\n")).unwrap();
        let plain = ask(engine, "{\"source\":[\"aws.s3\"]}").unwrap();
        prop_assert_eq!(skeleton(engine, &script), skeleton(engine, &plain));
    }
}

#[test]
fn what_an_engine_cannot_say_is_refused_by_name() {
    let cases = [
        (Engine::DuckDb, r#"{"id":["x"]}"#, "id: DuckDB cannot ask for the event's id"),
        (
            Engine::DuckDb,
            r#"{"foo":["x"]}"#,
            "foo: DuckDB cannot ask for a field that events from CloudTrail do not have",
        ),
        (Engine::DuckDb, r#"{"resources":["x"]}"#, "resources: "),
        (Engine::Spark, r#"{"detail":{"a":[1e400]}}"#, "detail.a: Spark cannot ask for the number 1e400"),
        (
            Engine::Spark,
            r#"{"detail":{"a":[1],"a.b":[2]}}"#,
            "detail.a: Spark cannot ask for a field itself and fields below it",
        ),
        (
            Engine::Athena,
            r#"{"detail":{"errorCode":[null]}}"#,
            "detail.errorCode: Athena cannot ask for null in a column",
        ),
        (
            Engine::Athena,
            r#"{"detail":{"managementEvent":[true]}}"#,
            "detail.managementEvent: Athena cannot ask for a field",
        ),
        (Engine::Athena, r#"{"detail":{"resources":{"ARNPrefix":["x"]}}}"#, "detail.resources.ARNPrefix: "),
        (Engine::Athena, r#"{"detail":{"requestParameters":[{"exists":false}]}}"#, "detail.requestParameters: "),
        (Engine::LogsInsights, r#"{"detail":{"requestParameters":{"x":["a"]}}}"#, "detail.requestParameters.x: "),
        (Engine::LogsInsights, r#"{"detail":{"readOnly":[true]}}"#, "detail.readOnly: "),
        (Engine::LogsInsights, r#"{"source":[{"prefix":"aws."}]}"#, "source: "),
    ];
    for (engine, pattern, expected) in cases {
        let refusal = refusal(engine, pattern);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[test]
fn places() {
    let pattern = Pattern::compile(r#"{"source":["aws.s3"]}"#).unwrap();
    let cases = [
        (Engine::DuckDb, None, "say where the log files are"),
        (Engine::DuckDb, Some("logs/*"), "holds '*'"),
        (Engine::Spark, Some("it's"), "holds a quote"),
        (Engine::Athena, Some("logs"), "a bucket"),
        (Engine::LogsInsights, Some("s3://logs"), "a log group"),
    ];
    for (engine, location, expected) in cases {
        let error = write(engine, &Question { pattern: &pattern, by: &[], location }).unwrap_err().to_string();
        assert!(error.starts_with("location: ") && error.contains(expected), "{error}");
    }
    let quote = write(Engine::DuckDb, &Question { pattern: &pattern, by: &[], location: Some("it's/") }).unwrap();
    assert!(quote.to_string().contains("'it''s/**/*.json.gz'"));
}

#[test]
fn a_question_in_all_languages() {
    let pattern = r#"{"source": ["aws.s3"], "detail": {"additionalEventData": {"SignatureVersion": ["SigV2"]}}}"#;
    let expected = [
        (Engine::Athena, "json_extract_scalar(additionaleventdata, '$[\"SignatureVersion\"]') = 'SigV2'"),
        (Engine::Spark, "AS STRING) END = 'SigV2'"),
        (Engine::DuckDb, "text_of(json_extract(record, '$.additionalEventData.SignatureVersion')) = 'SigV2'"),
        (Engine::LogsInsights, "and additionalEventData.SignatureVersion in [\"SigV2\"]\n"),
    ];
    for (engine, part) in expected {
        let script = ask(engine, pattern).unwrap();
        assert!(script.contains(part), "{script}");
        assert!(script.contains(pattern), "{script}");
    }
}

#[test]
fn columns_are_those_that_were_asked_for() {
    let pattern = Pattern::compile(r#"{"source":["aws.s3"]}"#).unwrap();
    let by = [Field::Bucket, Field::SourceIp, Field::Bucket];
    let script = write(Engine::DuckDb, &Question { pattern: &pattern, by: &by, location: Some("x") }).unwrap();
    let query = script.statements().last().unwrap();
    assert!(query.contains("\nGROUP BY bucket, source_ip\n"), "{query}");
    let script = write(Engine::DuckDb, &Question { pattern: &pattern, by: &[], location: Some("x") }).unwrap();
    assert!(!script.to_string().contains("GROUP BY"), "{script}");
}

#[test]
fn a_query_has_a_longest_length() {
    let keys: Vec<String> = (0..20_000).map(|number| format!("\"key-{number:08}\"")).collect();
    let pattern = format!("{{\"detail\":{{\"eventName\":[{}]}}}}", keys.join(","));
    assert!(refusal(Engine::DuckDb, &pattern).contains("longer than 262144 bytes"));
}
