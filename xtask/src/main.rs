//! The project's scripts, in the project's language: `cargo xtask test | tidy | fuzz | setup-clients`.

mod clients;
mod command;
mod fuzz;
mod metadata;
mod steps;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  test [--fast]    set up what is missing, then run every test; --fast stops before the release build
  tidy             the rules that compiler and clippy do not know: layers, licences, sizes, leftovers
  fuzz [TARGET] [SECONDS]
                   random patterns and events against event-pattern, 15 s for each target if not told otherwise
  setup-clients    install the real S3 clients of the end-to-end tests into .e2e/";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace_root();
    let result = match arguments.as_slice() {
        ["test"] => steps::run(&root, false),
        ["test", "--fast"] => steps::run(&root, true),
        ["tidy"] => tidy::run(&root),
        ["fuzz", arguments @ ..] => match fuzz::arguments(arguments) {
            Some((target, seconds)) => fuzz::run(&root, target, seconds),
            None => return usage(),
        },
        ["setup-clients"] => clients::set_up(&root).map(|_| ()),
        _ => return usage(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// The folder of the workspace: the parent of this crate's, as cargo knew it when it built us.
fn workspace_root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}
