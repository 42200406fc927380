//! Log lines, to stderr.

use std::env;
use std::io::{IsTerminal, stderr};

use anyhow::{Context, Result};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sets what is logged: a level, or `target=level,…`.
const LEVEL_VARIABLE: &str = "SIGTRAIL_LOG";
const LEVEL_DEFAULT: &str = "warn";

/// Starts logging to `writer`, which ends up in stderr.
pub fn start(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> Result<()> {
    let levels = env::var(LEVEL_VARIABLE).unwrap_or_else(|_| LEVEL_DEFAULT.to_owned());
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(parse(&levels)?).init();
    Ok(())
}

fn parse(levels: &str) -> Result<Targets> {
    let targets: Targets = levels.parse().with_context(|| format!("{LEVEL_VARIABLE}={levels}"))?;
    // It logs whole requests, with what they were signed with.
    Ok(targets.with_target("s3s", LevelFilter::OFF))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn requests_are_never_logged_whole() {
        for levels in ["warn", "trace", "s3s=trace", "server=debug,s3s=trace"] {
            let targets = parse(levels).unwrap();
            assert!(!targets.would_enable("s3s", &Level::ERROR), "{levels}");
            assert!(!targets.would_enable("s3s::service", &Level::ERROR), "{levels}");
        }
        assert!(parse("debug").unwrap().would_enable("server::worker", &Level::DEBUG));
        assert!(!parse("warn").unwrap().would_enable("server::worker", &Level::INFO));
        assert!(parse("server=loud").is_err());
    }
}
