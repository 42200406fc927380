//! `cargo xtask test`: what is run, in which order. A new step is one line of [`STEPS`] and one function.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::metadata::Graph;
use crate::{clients, command, fuzz, tidy};

/// How many end-to-end workers run at once; each has a server of its own.
const E2E_WORKERS: &str = "2";

struct Step {
    name: &'static str,
    /// Whether `--fast` runs it too.
    fast: bool,
    run: fn(&Path) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "tools", fast: true, run: tools },
    Step { name: "format", fast: true, run: format },
    Step { name: "clippy", fast: true, run: clippy },
    Step { name: "tidy", fast: true, run: tidy::run },
    Step { name: "unit and property tests", fast: true, run: unit },
    Step { name: "examples in the documentation", fast: true, run: doctests },
    Step { name: "release build", fast: false, run: release_build },
    Step { name: "counts of the pattern benchmark", fast: false, run: pattern_counts },
    Step { name: "fuzzing", fast: false, run: fuzz::step },
    Step { name: "crash tests", fast: false, run: crash },
    Step { name: "end to end with real clients", fast: false, run: end_to_end },
    Step { name: "cargo-deny", fast: false, run: deny },
];

/// Runs the steps in order and stops at the first that fails. With `fast` it stops before those that need the binary.
pub fn run(root: &Path, fast: bool) -> Result<()> {
    let steps: Vec<&Step> = STEPS.iter().filter(|step| step.fast || !fast).collect();
    let start = Instant::now();
    for (index, step) in steps.iter().enumerate() {
        println!("\n== {}/{} {}", index + 1, steps.len(), step.name);
        let step_start = Instant::now();
        (step.run)(root).with_context(|| format!("step `{}`", step.name))?;
        println!("== {}: {:.1} s", step.name, step_start.elapsed().as_secs_f64());
    }
    println!("\nall {} steps passed in {:.1} s", steps.len(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Brings the parts of the toolchain that a minimal installation leaves out.
fn tools(root: &Path) -> Result<()> {
    for component in ["rustfmt", "clippy"] {
        let subcommand = if component == "rustfmt" { "fmt" } else { component };
        if !command::works(&mut command::cargo(root, &[subcommand, "--version"])) {
            command::run(Command::new("rustup").current_dir(root).args(["component", "add", component]))?;
        }
    }
    if !command::works(&mut command::cargo(root, &["nextest", "--version"])) {
        println!("installing cargo-nextest, once; this takes some minutes");
        command::run(&mut command::cargo(root, &["install", "--locked", "cargo-nextest"]))?;
    }
    Ok(())
}

fn format(root: &Path) -> Result<()> {
    command::run(&mut command::cargo(root, &["fmt", "--all", "--check"]))
}

// Everything is built in the release profile and for the whole workspace, so that dependencies are compiled once for all steps
// and the binary.

fn clippy(root: &Path) -> Result<()> {
    command::run(&mut command::cargo(
        root,
        &["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"],
    ))
}

fn unit(root: &Path) -> Result<()> {
    command::run(&mut command::cargo(root, &["nextest", "run", "--cargo-profile", "release", "--workspace"]))
}

fn doctests(root: &Path) -> Result<()> {
    command::run(&mut command::cargo(root, &["test", "--quiet", "--release", "--doc", "--workspace"]))
}

fn release_build(root: &Path) -> Result<()> {
    command::run(&mut command::cargo(root, &["build", "--release", "--workspace", "--bins"]))
}

/// One short round of the benchmark of event patterns: every match is counted, nothing is timed.
fn pattern_counts(root: &Path) -> Result<()> {
    command::run(&mut command::cargo(root, &["bench", "--package", "event-pattern", "--", "--quick"]))
}

/// The tests of `testkit` that kill a release server under load; they are `#[ignore]`d in the ordinary run.
fn crash(root: &Path) -> Result<()> {
    let profile = ["nextest", "run", "--cargo-profile", "release", "--workspace"];
    let arguments = [&profile[..], &["--run-ignored", "only", "-E", "package(testkit)"]].concat();
    command::run(command::cargo(root, &arguments).env("SIGTRAIL_BIN", binary(root)?))
}

fn end_to_end(root: &Path) -> Result<()> {
    let clients = clients::set_up(root)?;
    let mut pytest = Command::new(&clients.python);
    pytest.current_dir(root).args(["-m", "pytest", "-n", E2E_WORKERS, "--dist", "worksteal", "tests/e2e"]);
    pytest.env("SIGTRAIL_BIN", binary(root)?).env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(why) = &clients.old_client_missing {
        pytest.env("SIGTRAIL_OLD_CLIENT_MISSING", why);
    }
    command::run(&mut pytest)
}

/// The same rules as tidy's, by the tool made for them, where somebody has installed it.
fn deny(root: &Path) -> Result<()> {
    if command::works(&mut command::cargo(root, &["deny", "--version"])) {
        return command::run(&mut command::cargo(root, &["deny", "check", "licenses", "bans", "sources"]));
    }
    println!("cargo-deny is not installed: licences, bans and sources were checked by tidy");
    Ok(())
}

fn binary(root: &Path) -> Result<PathBuf> {
    Ok(Graph::read(root, false)?.target.join("release/sigtrail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_run_is_a_beginning_of_the_whole_run() {
        let first_slow = STEPS.iter().position(|step| !step.fast).unwrap();
        assert!(STEPS[first_slow..].iter().all(|step| !step.fast));
    }
}
