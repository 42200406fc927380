//! `cargo xtask fuzz`: libFuzzer on the targets of `event-pattern` and `scan`, on a stable compiler and without further tools.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::metadata::Graph;

const PATTERN: &str = "crates/event-pattern/fuzz";
const SCAN: &str = "crates/scan/fuzz";

/// The package of a fuzz target, its name, and the longest input it is given, in bytes.
const TARGETS: [(&str, &str, u32); 4] =
    [(PATTERN, "pattern", 2_048), (PATTERN, "event", 2_048), (PATTERN, "both", 768), (SCAN, "archive", 6_144)];

/// How long each target runs in `cargo xtask test`.
const SECONDS: u32 = 15;

/// Inputs grow soon: the time is short. A single one may take this long, in seconds, and this much memory, in MiB. Millions of small inputs are far from both.
const LIMITS: [&str; 3] = ["-len_control=10", "-timeout=10", "-rss_limit_mb=1024"];

/// Counters at every edge and every comparison, for libFuzzer to steer by. They are compiler passes that a stable compiler
/// has too; only the flags of `-Zsanitizer` are for nightly ones.
const INSTRUMENTATION: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// What `[TARGET] [SECONDS]` say; None where they say something else.
pub fn arguments<'a>(arguments: &[&'a str]) -> Option<(Option<&'a str>, u32)> {
    match arguments {
        [] => Some((None, SECONDS)),
        [one] => Some(one.parse().map_or((Some(*one), SECONDS), |seconds| (None, seconds))),
        [target, seconds] => Some((Some(*target), seconds.parse().ok()?)),
        _ => None,
    }
}

/// Each target for a short time, as a step of `cargo xtask test`.
pub fn step(root: &Path) -> Result<()> {
    run(root, None, SECONDS)
}

/// Builds the targets and runs one of them, or each, for a time. Fails on the first input that crashes one.
pub fn run(root: &Path, only: Option<&str>, seconds: u32) -> Result<()> {
    let targets: Vec<_> = TARGETS.iter().filter(|(_, name, _)| only.is_none_or(|only| only == *name)).collect();
    if targets.is_empty() {
        let names = TARGETS.map(|(_, name, _)| name).join(", ");
        bail!("no fuzz target `{}`; there are {names}", only.unwrap_or_default());
    }
    let folder = Graph::read(root, false)?.target.join("fuzz");
    for packaged in targets.chunk_by(|(a, ..), (b, ..)| a == b) {
        let package = root.join(packaged[0].0);
        command::run(&mut command::cargo(&package, &["fmt", "--check"]))?;
        let binaries = build(&package, &folder)?;
        for (_, name, longest) in packaged {
            let place = Place { package: &package, folder: &folder, name };
            place.run(&binaries, *longest, seconds)?;
        }
    }
    Ok(())
}

/// Builds for the machine that builds, by name: so build scripts and macros are not instrumented.
fn build(package: &Path, folder: &Path) -> Result<PathBuf> {
    let version = command::output(Command::new("rustc").current_dir(package).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("`rustc -vV` names no host")?;
    let mut cargo = command::cargo(package, &["build", "--quiet", "--release", "--locked", "--target", host]);
    cargo.arg("--target-dir").arg(folder).env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"));
    command::run(&mut cargo)?;
    Ok(folder.join(host).join("release"))
}

/// Where a target has its inputs.
struct Place<'a> {
    package: &'a Path,
    folder: &'a Path,
    name: &'a str,
}

impl Place<'_> {
    fn run(&self, binaries: &Path, longest: u32, seconds: u32) -> Result<()> {
        let name = self.name;
        let (found, crashes) = (self.folder.join("corpus").join(name), self.folder.join("crashes"));
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&crashes)?;
        let log = self.folder.join(format!("{name}.log"));
        let mut target = Command::new(binaries.join(name));
        target.args(LIMITS).arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={longest}"));
        target.arg(format!("-artifact_prefix={}/{name}-", crashes.display()));
        target.arg(format!("-dict={}", self.package.join("tokens.dict").display()));
        // New inputs go into the first folder; the seeds stay as they are.
        target.arg(&found).arg(self.package.join("seeds").join(name));
        let status = target.stderr(File::create(&log)?).status().with_context(|| format!("cannot start `{name}`"))?;
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if !status.success() {
            eprintln!("{}", last_lines(&said, 60));
            bail!(
                "`{name}` failed ({status}); its input is in {}, all it said in {}",
                crashes.display(),
                log.display()
            );
        }
        println!("{name}: {}", summary(&said).with_context(|| format!("no coverage in {}", log.display()))?);
        Ok(())
    }
}

/// The last line with figures: runs, edges (`cov`) and inputs. None if libFuzzer saw no edge, as without instrumentation.
fn summary(said: &str) -> Option<&str> {
    let line = said.lines().rfind(|line| line.contains("\tDONE"))?;
    let edges = line.split("cov: ").nth(1)?.split_whitespace().next()?.parse::<u64>().ok()?;
    (edges > 100).then_some(line)
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_coverage_is_no_run() {
        let said = "#2\tINITED cov: 900 ft: 1\n#99\tDONE   cov: 1234 ft: 5 corp: 3/9b\nDone 99 runs\n";
        assert_eq!(summary(said), Some("#99\tDONE   cov: 1234 ft: 5 corp: 3/9b"));
        assert_eq!(summary("#99\tDONE   cov: 2 ft: 5 corp: 3/9b\n"), None);
        assert_eq!(summary("#99\tDONE   corp: 3/9b\n"), None);
        assert_eq!(last_lines("a\nb\nc", 2), "b\nc");
    }

    #[test]
    fn target_and_time_may_be_left_out() {
        assert_eq!(arguments(&[]), Some((None, SECONDS)));
        assert_eq!(arguments(&["both"]), Some((Some("both"), SECONDS)));
        assert_eq!(arguments(&["180"]), Some((None, 180)));
        assert_eq!(arguments(&["both", "180"]), Some((Some("both"), 180)));
        assert_eq!(arguments(&["both", "long"]), None);
    }

    #[test]
    fn an_unknown_target_is_refused() {
        let error = run(Path::new("."), Some("none"), 1).unwrap_err();
        assert_eq!(error.to_string(), "no fuzz target `none`; there are pattern, event, both, archive");
    }
}
