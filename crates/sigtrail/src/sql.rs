//! `sigtrail sql`: the question of `scan`, for another engine.

use std::io::{Write, stdout};

use anyhow::{Result, bail};
use event_pattern::Pattern;
use pattern_sql::{Engine, Question, write};

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
    let by = if arguments.by.is_empty() { engine.fields() } else { &arguments.by };
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
