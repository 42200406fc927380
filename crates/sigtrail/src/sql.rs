//! `sigtrail sql`: the question of `scan`, for another engine.

use std::io::{Write, stdout};

use anyhow::{Result, bail};
use event_pattern::Pattern;
use pattern_sql::{Engine, Question, write};
use report::Field;

use crate::args::{SqlArguments, SqlEngine};
use crate::matching::{Input, read_pattern};
use crate::scanning::named_check;

/// After any error.
pub const EXIT_ERROR: u8 = 2;

pub fn run(arguments: &SqlArguments) -> Result<()> {
    let pattern = match (&arguments.pattern, &arguments.check) {
        (Some(file), _) => read_pattern(&Input::of(file))?,
        (None, Some(name)) => Pattern::compile(named_check(name)?.pattern())?,
        (None, None) => bail!("neither a pattern nor a check"),
    };
    let engine = engine(arguments.engine);
    let by: Vec<pattern_sql::Field> = arguments.by.iter().copied().map(field).collect();
    let by = if by.is_empty() { engine.fields() } else { &by };
    let script = write(engine, &Question { pattern: &pattern, by, location: arguments.location.as_deref() })?;
    let mut out = stdout().lock();
    write!(out, "{script}")?;
    Ok(out.flush()?)
}

fn engine(engine: SqlEngine) -> Engine {
    match engine {
        SqlEngine::Athena => Engine::Athena,
        SqlEngine::Spark => Engine::Spark,
        SqlEngine::Duckdb => Engine::DuckDb,
        SqlEngine::LogsInsights => Engine::LogsInsights,
    }
}

fn field(field: Field) -> pattern_sql::Field {
    match field {
        Field::Identity => pattern_sql::Field::Identity,
        Field::AccessKeyId => pattern_sql::Field::AccessKeyId,
        Field::SourceIp => pattern_sql::Field::SourceIp,
        Field::UserAgent => pattern_sql::Field::UserAgent,
        Field::Bucket => pattern_sql::Field::Bucket,
    }
}
