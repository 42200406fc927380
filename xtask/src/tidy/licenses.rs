//! What others' code may be: under a licence we can pass on, from crates.io, and not one of the banned.
//!
//! `deny.toml` says the same to `cargo-deny`, which few machines have and which takes minutes to build.

use crate::metadata::{Graph, Package};

/// SPDX identifiers of permissive licences. A test holds them against `deny.toml`.
const LICENSES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// TLS is rustls's: a second stack would be a second set of rules about what is refused.
const BANNED: [&str; 3] = ["native-tls", "openssl", "openssl-sys"];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What in the graph may not be there.
pub fn check(graph: &Graph) -> Vec<String> {
    graph.packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<String> {
    let mut findings = Vec::new();
    let name = format!("{} {}", package.name, package.version);
    if !is_allowed(&package.license) {
        findings.push(format!("{name}: the licence `{}` is not one of ours to pass on", package.license));
    }
    if BANNED.contains(&package.name.as_str()) {
        findings.push(format!("{name}: banned"));
    }
    if package.source.as_deref().is_some_and(|source| source != CRATES_IO) {
        findings.push(format!("{name}: comes from somewhere else than crates.io"));
    }
    if package.source.is_none() && !package.is_member {
        findings.push(format!("{name}: a path outside of this workspace"));
    }
    findings
}

/// Whether an SPDX expression lets us choose only allowed licences. What cannot be read is not allowed.
fn is_allowed(expression: &str) -> bool {
    // The old spelling `MIT/Apache-2.0` means OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words };
    parser.any() == Some(true) && parser.words.is_empty()
}

/// `any = all (OR all)*`, `all = one (AND one)*`, `one = "(" any ")" | ID [WITH ID]`. None: not an expression.
struct Parser<'a> {
    words: &'a [&'a str],
}

impl Parser<'_> {
    fn any(&mut self) -> Option<bool> {
        let mut allowed = self.all()?;
        while self.take("OR") {
            allowed |= self.all()?;
        }
        Some(allowed)
    }

    fn all(&mut self) -> Option<bool> {
        let mut allowed = self.one()?;
        while self.take("AND") {
            allowed &= self.one()?;
        }
        Some(allowed)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let allowed = self.any()?;
            return self.take(")").then_some(allowed);
        }
        let mut license = self.word()?.to_owned();
        if self.take("WITH") {
            license = format!("{license} WITH {}", self.word()?);
        }
        Some(LICENSES.contains(&license.as_str()))
    }

    fn word(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        (!matches!(*first, "(" | ")" | "AND" | "OR" | "WITH")).then_some(*first)
    }

    fn take(&mut self, word: &str) -> bool {
        let taken = self.words.first() == Some(&word);
        if taken {
            self.words = &self.words[1..];
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_allowed_if_we_can_choose_only_allowed_ones() {
        let cases = [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("MIT AND (GPL-3.0 OR LGPL-2.1)", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true),
            ("GPL-2.0 WITH LLVM-exception", false),
            ("", false),
            ("MIT OR", false),
            ("MIT MIT", false),
            ("(MIT", false),
            ("OR MIT", false),
        ];
        for (expression, allowed) in cases {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }

    #[test]
    fn sources_and_bans_are_found() {
        let package = |name: &str, source: Option<&str>, is_member| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            description: String::new(),
            license: "MIT".to_owned(),
            source: source.map(str::to_owned),
            folder: "".into(),
            roots: Vec::new(),
            dependencies: Vec::new(),
            is_member,
        };
        let cases = [
            (package("serde", Some(CRATES_IO), false), 0),
            (package("bus", None, true), 0),
            (package("bus", None, false), 1),
            (package("serde", Some("git+https://github.com/serde-rs/serde"), false), 1),
            (package("openssl-sys", Some(CRATES_IO), false), 1),
        ];
        for (package, findings) in cases {
            assert_eq!(check_package(&package).len(), findings, "{package:?}");
        }
    }

    #[test]
    fn deny_toml_says_the_same() {
        let text = std::fs::read_to_string(crate::workspace_root().join("deny.toml")).unwrap();
        let section = |name: &str| text.split_once(name).unwrap().1.split_once(']').unwrap().0;
        let quoted = |text: &str| text.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(quoted(section("allow = [")), LICENSES);
        assert_eq!(quoted(section("deny = [")), BANNED);
    }
}
