//! `sigtrail`: finds who still signs S3 requests with Signature Version 2.

mod args;
mod bucket;
mod callers;
mod live;
mod logging;
mod matching;
mod scanning;
mod serve;
mod sql;
mod template;
mod terminal;
mod verify;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use report::sanitize::sanitize_lines;

use crate::args::{Arguments, Command};

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::ALLOCATOR;

fn main() -> ExitCode {
    allocator::keep_memory();
    let command = Arguments::parse().command;
    let failure = failure(&command);
    match run(command) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sigtrail: {}", sanitize_lines(&explain(&error)));
            failure
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Callers(arguments) => callers::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Scan(arguments) => scanning::run(&arguments),
        Command::Checks => scanning::list_checks().map(|()| ExitCode::SUCCESS),
        Command::Match(arguments) => matching::run(&arguments),
        Command::Sql(arguments) => sql::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Template(arguments) => template::run(&arguments).map(|()| ExitCode::SUCCESS),
    }
}

/// The exit status of a command that failed: for those that search, 1 is that nothing was found.
fn failure(command: &Command) -> ExitCode {
    match command {
        Command::Serve(_) | Command::Callers(_) | Command::Checks | Command::Template(_) => ExitCode::FAILURE,
        Command::Sql(_) => sql::EXIT_ERROR.into(),
        Command::Match(_) | Command::Scan(_) => matching::EXIT_ERROR.into(),
        Command::Verify(_) => verify::EXIT_ERROR.into(),
    }
}

/// What was tried, and why it failed. Our own errors tell their cause themselves, others leave it to the chain.
fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(|cause| cause.to_string().trim_end().to_owned()) {
        if !text.contains(&cause) {
            let between = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{between}{cause}");
        }
    }
    text
}

/// Whoever read the output has seen enough, `head` for one.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn causes_are_told_once() {
        let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, "refused");
        let told = anyhow::anyhow!("port 1: refused; choose another");
        assert_eq!(explain(&told), "port 1: refused; choose another");
        let twice = Err::<(), _>(refused()).context("port 1: refused; choose another").unwrap_err();
        assert_eq!(explain(&twice), "port 1: refused; choose another");
        let chain = Err::<(), _>(refused()).context("no answer").unwrap_err();
        assert_eq!(explain(&chain), "no answer: refused");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("written");
        assert!(is_broken_pipe(&closed));
        assert!(!is_broken_pipe(&anyhow::Error::from(io::Error::from(io::ErrorKind::NotFound))));
    }
}
