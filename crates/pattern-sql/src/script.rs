//! The whole question, as one script.

use std::fmt::{self, Write as _};

use event_pattern::Pattern;
use report::Field;

use crate::engine::{Callers, athena::Athena, duckdb::DuckDb, insights::LogsInsights, spark::Spark};
use crate::error::SqlError;
use crate::lexical::comment;
use crate::plan::filter;

/// The longest script that is written, in bytes. Athena takes no longer query than 262,144 (Athena user guide, "Service
/// Quotas"); the others take this many, too.
pub const SCRIPT_BYTES_MAX: usize = 262_144;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Amazon Athena, engine version 3, on the table of its user guide.
    Athena,
    /// Apache Spark SQL, 4.0 or later: it has the type `VARIANT`.
    Spark,
    /// `DuckDB`, 1.3 or later: it has `lambda`.
    DuckDb,
    /// CloudWatch Logs Insights, on the log group that a trail delivers into.
    LogsInsights,
}

impl Engine {
    /// The fields that it can tell callers apart by.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Athena | Self::Spark | Self::DuckDb => &Field::ALL,
            // It cannot take words out of a text, as the user agent needs it.
            Self::LogsInsights => &[Field::Identity, Field::AccessKeyId, Field::SourceIp, Field::Bucket],
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Athena => "Athena",
            Self::Spark => "Spark",
            Self::DuckDb => "DuckDB",
            Self::LogsInsights => "Logs Insights",
        })
    }
}

/// What is to be asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// Which records.
    pub pattern: &'q Pattern,
    /// What tells their callers apart; a field that is there twice counts once, and none at all makes one row.
    pub by: &'q [Field],
    /// Where the log files are: `s3://bucket/AWSLogs/`, or a folder.
    pub location: Option<&'q str>,
}

/// Statements to be run one after the other; the last one is the query.
///
/// Its text ends each of them with a semicolon and a line end, which stand nowhere else. Logs Insights has one query and no
/// semicolons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    header: String,
    statements: Vec<String>,
    end: &'static str,
}

impl Script {
    /// The statements, without semicolons.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().map(String::as_str)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.header)?;
        for (at, statement) in self.statements.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n" };
            writeln!(f, "{gap}{statement}{}", self.end)?;
        }
        Ok(())
    }
}

/// Writes the question in an engine's language.
///
/// # Errors
/// [`SqlError::Unsupported`] with the field and the construct that the engine cannot say exactly; [`SqlError::Location`];
/// [`SqlError::TooLong`].
pub fn write(engine: Engine, question: &Question<'_>) -> Result<Script, SqlError> {
    let dialect: &dyn Callers = match engine {
        Engine::Athena => &Athena,
        Engine::Spark => &Spark,
        Engine::DuckDb => &DuckDb,
        Engine::LogsInsights => &LogsInsights,
    };
    let unsupported = |(field, refusal): (String, crate::error::Refusal)| SqlError::Unsupported {
        engine,
        field,
        construct: refusal.0,
    };
    let filter = filter(dialect, question.pattern).map_err(unsupported)?;
    let mut by: Vec<Field> = Vec::new();
    for &field in question.by {
        if !by.contains(&field) {
            by.push(field);
        }
    }
    let columns: Vec<(Field, String)> = by
        .iter()
        .map(|&field| Ok((field, dialect.column(field).map_err(|refusal| (field.name().to_owned(), refusal))?)))
        .collect::<Result<_, _>>()
        .map_err(unsupported)?;
    let statements = dialect.statements(&filter, &columns, question.location)?;
    let (start, end) = if engine == Engine::LogsInsights { ("#", "") } else { ("--", ";") };
    let header = header(start, engine, &by, question.pattern, dialect.notes());
    let script = Script { header, statements, end };
    if script.to_string().len() > SCRIPT_BYTES_MAX {
        return Err(SqlError::TooLong(SCRIPT_BYTES_MAX));
    }
    Ok(script)
}

fn header(start: &str, engine: Engine, by: &[Field], pattern: &Pattern, notes: &[&str]) -> String {
    let names: Vec<&str> = by.iter().map(|field| field.name()).collect();
    let by = if names.is_empty() { String::new() } else { format!(", by {}", names.join(", ")) };
    let pattern = comment(start, pattern.source().trim());
    let mut header = format!("{start} For {engine}: whose records match this event pattern{by}?\n{pattern}");
    for note in notes {
        let _ = writeln!(header, "{start} {note}");
    }
    header
}
