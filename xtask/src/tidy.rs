//! Rules that neither the compiler nor clippy knows. Each is a function from small values to findings, so each is
//! tested with small values.

mod layers;
mod licenses;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::metadata::Graph;

/// Prints what it finds and fails if anything of it is more than a warning.
pub fn run(root: &Path) -> Result<()> {
    let graph = Graph::read(root, true)?;
    let mut findings = layers::check(&graph);
    findings.extend(licenses::check(&graph));
    findings.extend(crate_pages(&graph)?);

    let mut tests = BTreeMap::new();
    let mut warnings = Vec::new();
    for name in tracked_files(root)? {
        // Binary files and files that are deleted but not yet committed hold no text to check.
        let Ok(text) = fs::read_to_string(root.join(&name)) else { continue };
        let file = sources::File { name: &name, text: &text };
        findings.extend(file.findings());
        warnings.extend(file.warning());
        *tests.entry(file.owner()).or_insert(0) += file.tests();
    }
    report(&tests, &warnings);
    if findings.is_empty() {
        return Ok(());
    }
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    bail!("{} findings", findings.len())
}

/// Files that git knows, and new ones that it does not ignore.
fn tracked_files(root: &Path) -> Result<Vec<String>> {
    let mut git = std::process::Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    Ok(command::output(&mut git)?.lines().map(str::to_owned).collect())
}

/// A crate says what it is twice: in one line for lists, and on its first page for readers.
fn crate_pages(graph: &Graph) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for package in graph.members() {
        if package.description.is_empty() {
            findings.push(format!("{}: the manifest has no description", package.name));
        }
        for path in &package.roots {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            if !sources::has_page(&text) {
                findings.push(format!("{}: {} does not begin with crate documentation", package.name, path.display()));
            }
        }
    }
    Ok(findings)
}

fn report(tests: &BTreeMap<String, usize>, warnings: &[String]) {
    for warning in warnings {
        println!("tidy: note: {warning}");
    }
    let counted: Vec<String> =
        tests.iter().filter(|(_, count)| **count > 0).map(|(owner, count)| format!("{owner} {count}")).collect();
    println!("tests: {} in all ({})", tests.values().sum::<usize>(), counted.join(", "));
}
