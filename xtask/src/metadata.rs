//! What `cargo metadata` says, cut to what the rules ask.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// One package of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub description: String,
    /// The SPDX expression, as the manifest has it; empty where it names only a file or nothing.
    pub license: String,
    /// None for a path dependency, else `registry+URL` or `git+URL`.
    pub source: Option<String>,
    pub folder: PathBuf,
    /// The root file of each target (`src/lib.rs`, `src/main.rs`) that is a library or a binary.
    pub roots: Vec<PathBuf>,
    /// Names of the packages that it needs to run or build; dev-dependencies are not among them.
    pub dependencies: Vec<String>,
    pub is_member: bool,
}

/// The whole graph, members of the workspace and what they depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    pub packages: Vec<Package>,
    pub target: PathBuf,
}

impl Graph {
    /// Asks cargo. With `with_dependencies` false it needs neither network nor lock file.
    pub fn read(root: &Path, with_dependencies: bool) -> Result<Self> {
        let mut command = command::cargo(root, &["metadata", "--format-version", "1"]);
        if !with_dependencies {
            command.arg("--no-deps");
        }
        Self::parse(&command::output(&mut command)?)
    }

    /// Reads the JSON text of `cargo metadata --format-version 1`.
    pub fn parse(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text).context("cargo metadata is not JSON")?;
        let members: Vec<&str> = strings(&json["workspace_members"]);
        let packages = json["packages"].as_array().context("cargo metadata lists no packages")?;
        Ok(Self {
            packages: packages.iter().map(|package| read_package(package, &members)).collect::<Result<_>>()?,
            target: PathBuf::from(text_of(&json, "target_directory")?),
        })
    }

    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_member)
    }
}

fn read_package(json: &Value, members: &[&str]) -> Result<Package> {
    let manifest = PathBuf::from(text_of(json, "manifest_path")?);
    let targets = json["targets"].as_array().map_or(&[][..], Vec::as_slice);
    let dependencies = json["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(Package {
        name: text_of(json, "name")?.to_owned(),
        version: text_of(json, "version")?.to_owned(),
        description: json["description"].as_str().unwrap_or_default().trim().to_owned(),
        license: json["license"].as_str().unwrap_or_default().to_owned(),
        source: json["source"].as_str().map(str::to_owned),
        folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
        roots: targets
            .iter()
            .filter(|target| strings(&target["kind"]).iter().any(|kind| matches!(*kind, "lib" | "bin" | "proc-macro")))
            .filter_map(|target| target["src_path"].as_str().map(PathBuf::from))
            .collect(),
        dependencies: dependencies
            .iter()
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
            .collect(),
        is_member: members.contains(&text_of(json, "id")?),
    })
}

fn text_of<'a>(json: &'a Value, key: &str) -> Result<&'a str> {
    json[key].as_str().with_context(|| format!("cargo metadata has no text `{key}`"))
}

fn strings(json: &Value) -> Vec<&str> {
    json.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_keeps_what_the_rules_ask() {
        let graph = Graph::parse(
            r#"{"packages":[{"name":"bus","version":"0.1.0","id":"path+bus","source":null,"license":"MIT","description":" d ",
                "manifest_path":"/w/crates/bus/Cargo.toml",
                "targets":[{"kind":["lib"],"src_path":"/w/crates/bus/src/lib.rs"},{"kind":["test"],"src_path":"/w/t.rs"}],
                "dependencies":[{"name":"aws-api","kind":null},{"name":"proptest","kind":"dev"},{"name":"cc","kind":"build"}]}],
               "workspace_members":["path+bus"],"target_directory":"/w/target"}"#,
        )
        .unwrap();
        let bus = graph.members().next().unwrap();
        assert_eq!((bus.name.as_str(), bus.description.as_str()), ("bus", "d"));
        assert_eq!(bus.dependencies, ["aws-api", "cc"]);
        assert_eq!(bus.roots, [PathBuf::from("/w/crates/bus/src/lib.rs")]);
        assert_eq!(bus.folder, PathBuf::from("/w/crates/bus"));
    }

    #[test]
    fn something_else_is_an_error() {
        assert!(Graph::parse("{}").is_err());
        assert!(Graph::parse("no json").is_err());
    }

    #[test]
    fn cargo_itself_is_understood() {
        let graph = Graph::read(&crate::workspace_root(), false).unwrap();
        assert!(graph.members().any(|package| package.name == "xtask"));
    }
}
