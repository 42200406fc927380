//! The order of the crates: one knows only those above it, and the pure ones know nothing of the world.

use crate::metadata::{Graph, Package};

/// A crate of ours and the libraries it may use. `None`: any, since it talks to the world anyway.
type Layer = (&'static str, Option<&'static [&'static str]>);

/// What every pure crate may use: values, their codecs, errors.
const VALUES: [&str; 8] = ["base64", "bytes", "hex", "serde", "serde_json", "thiserror", "time", "uuid"];

/// In the order a record meets them. A crate may depend on those that stand before it.
const LAYERS: [Layer; 25] = [
    ("event-pattern", Some(&["arc-swap", "fast-float2", "memchr", "wide"])),
    ("aws-api", Some(&[])),
    ("aws-wire", Some(&["ciborium", "http", "percent-encoding", "quick-xml"])),
    ("s3-signature", Some(&["hmac", "md-5", "percent-encoding", "sha1", "sha2", "subtle"])),
    ("record", Some(&["flate2", "percent-encoding", "sha2"])),
    ("access-log", Some(&["memchr", "percent-encoding", "sha2"])),
    ("checks", Some(&[])),
    ("policy", Some(&[])),
    ("trail", Some(&["rsa", "sha2"])),
    ("bus", Some(&["sha2"])),
    ("topic", Some(&["sha1", "sha2"])),
    ("queue", Some(&["md-5", "rmp-serde", "sha2"])),
    ("stack", Some(&["quick-xml", "regex-lite", "saphyr-parser"])),
    ("detector", Some(&[])),
    ("metric", Some(&[])),
    ("pipeline", Some(&["hashbrown", "sha2"])),
    ("scan", None),
    ("report", Some(&["comfy-table", "csv", "maud", "sha2", "unicode-width"])),
    ("pattern-sql", Some(&[])),
    ("allocator", None),
    ("store", None),
    ("s3-embedded", None),
    ("gateway", None),
    ("server", None),
    ("sigtrail", None),
];

/// Outside the order: they may use everything, and only tests and benchmarks may use them.
const TOOLS: [&str; 3] = ["testkit", "bench", "xtask"];

/// What in the graph is against the order.
pub fn check(graph: &Graph) -> Vec<String> {
    let ours: Vec<&str> = graph.members().map(|package| package.name.as_str()).collect();
    graph.members().flat_map(|package| check_crate(package, &ours)).collect()
}

fn check_crate(package: &Package, ours: &[&str]) -> Vec<String> {
    let name = package.name.as_str();
    if TOOLS.contains(&name) {
        return Vec::new();
    }
    let Some(place) = place_of(name) else {
        return vec![format!("{name}: give it its place among the layers of xtask/src/tidy/layers.rs")];
    };
    let allowed = LAYERS[place].1;
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let dependency = dependency.as_str();
        let ours = ours.contains(&dependency);
        if ours && place_of(dependency).is_none_or(|other| other >= place) {
            findings.push(format!("{name} depends on {dependency}, which does not stand above it"));
        }
        if let Some(allowed) = allowed
            && !(ours || allowed.contains(&dependency) || VALUES.contains(&dependency))
        {
            findings.push(format!("{name} is pure and depends on {dependency}, which is not among its libraries"));
        }
    }
    findings
}

fn place_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(layer, _)| *layer == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate and what it depends on.
    type Crate = (&'static str, &'static [&'static str]);

    fn graph(crates: &[Crate]) -> Graph {
        let packages = crates.iter().map(|(name, dependencies)| Package {
            name: (*name).to_owned(),
            version: "0.1.0".to_owned(),
            description: String::new(),
            license: String::new(),
            source: None,
            folder: "".into(),
            roots: Vec::new(),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
            is_member: true,
        });
        Graph { packages: packages.collect(), target: "".into() }
    }

    #[test]
    fn a_crate_depends_only_on_those_above_it() {
        let cases: [(&[Crate], usize); 8] = [
            (&[("aws-api", &[]), ("bus", &["aws-api", "serde_json"])], 0),
            (&[("bus", &[]), ("aws-api", &["bus"])], 1),
            (&[("bus", &["bus"])], 1),
            (&[("server", &["tokio", "fjall"])], 0),
            (&[("queue", &["tokio"])], 1),
            (&[("testkit", &["server", "tokio"]), ("server", &[])], 0),
            (&[("testkit", &[]), ("server", &["testkit"])], 1),
            (&[("novelty", &[])], 1),
        ];
        for (crates, findings) in cases {
            assert_eq!(check(&graph(crates)).len(), findings, "{crates:?}");
        }
    }

    #[test]
    fn the_finding_names_both_crates() {
        let findings = check(&graph(&[("queue", &["fjall"])]));
        assert_eq!(findings, ["queue is pure and depends on fjall, which is not among its libraries"]);
    }
}
