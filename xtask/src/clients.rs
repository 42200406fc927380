//! The real S3 clients of the end-to-end tests, and the engines that run SQL, each in an environment of its own under `.e2e/`.
//!
//! Everything comes from `PyPI`, at the versions in `tests/e2e/requirements/`. An environment that already has the
//! wanted versions is left alone, so the second run costs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// The oldest Python that the pinned boto3 and pytest take.
const PYTHON_MIN: (u32, u32) = (3, 10);
/// Written into an environment when it is complete: the text of its requirements.
const STAMP: &str = "installed.txt";

/// What the tests have to work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// The Python that runs pytest.
    pub python: PathBuf,
    /// Why the AWS CLI of the original report is not there, if it is not.
    pub old_client_missing: Option<String>,
}

/// Installs what is missing. Needs a `python3` with `venv`; the old client also needs a `python2.7` and is left out
/// without one.
pub fn set_up(root: &Path) -> Result<Clients> {
    let places = Places::of(root);
    let python = find_python()?;
    for name in ["tests", "awscli", "query", "sql", "lint"] {
        places.install(name, |folder| make_venv(&python, folder))?;
    }
    let old_client_missing = match find_python27() {
        Some(python27) => set_up_old_client(&places, &python, &python27).err().map(|error| format!("{error:#}")),
        None => Some("no Python 2.7 found (pyenv install 2.7.18 brings one)".to_owned()),
    };
    match &old_client_missing {
        None => println!("clients: awscli, boto3, s3cmd, rclone and the old awscli are in {}", places.root.display()),
        Some(why) => println!("clients: awscli, boto3, s3cmd, rclone; the old awscli counts as skipped: {why}"),
    }
    Ok(Clients { python: places.program("tests", "python"), old_client_missing })
}

fn set_up_old_client(places: &Places, python: &Path, python27: &Path) -> Result<()> {
    places.install("virtualenv", |folder| make_venv(python, folder))?;
    let virtualenv = places.program("virtualenv", "python");
    places.install("old", |folder| {
        let mut make = Command::new(&virtualenv);
        command::run(make.args(["-m", "virtualenv", "--quiet", "--python"]).arg(python27).arg(folder))
    })
}

fn make_venv(python: &Path, folder: &Path) -> Result<()> {
    command::run(Command::new(python).args(["-m", "venv"]).arg(folder))
        .context("python3 cannot make a virtual environment (Debian and Ubuntu: apt-get install python3-venv)")
}

/// The folders of the environments and of their requirements.
struct Places {
    root: PathBuf,
    requirements: PathBuf,
}

impl Places {
    fn of(root: &Path) -> Self {
        Self { root: root.join(".e2e"), requirements: root.join("tests/e2e/requirements") }
    }

    fn program(&self, environment: &str, program: &str) -> PathBuf {
        self.root.join(environment).join("bin").join(program)
    }

    /// Makes the environment anew unless its stamp says that it already holds just these requirements.
    fn install(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let folder = self.root.join(name);
        let requirements = self.requirements.join(name).with_extension("txt");
        let wanted = fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
        if fs::read_to_string(folder.join(STAMP)).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        println!("clients: installing {name}");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&self.root)?;
        make(&folder)?;
        let mut pip = Command::new(self.program(name, "python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        command::run(pip.arg(&requirements).env("PYTHONWARNINGS", "ignore"))?;
        fs::write(folder.join(STAMP), wanted)?;
        Ok(())
    }
}

fn find_python() -> Result<PathBuf> {
    for name in ["python3", "python3.13", "python3.12", "python3.11", "python3.10"] {
        if version_of(Path::new(name)).is_some_and(|version| version >= PYTHON_MIN) {
            return Ok(PathBuf::from(name));
        }
    }
    bail!("the end-to-end tests need Python {}.{} or newer on PATH", PYTHON_MIN.0, PYTHON_MIN.1)
}

/// On PATH, or where pyenv keeps it. pyenv's shim stands on PATH even where it leads nowhere.
fn find_python27() -> Option<PathBuf> {
    let pyenv = command::output(Command::new("pyenv").args(["prefix", "2.7.18"]))
        .ok()
        .map(|prefix| Path::new(prefix.trim()).join("bin/python2.7"));
    [Some(PathBuf::from("python2.7")), pyenv].into_iter().flatten().find(|path| version_of(path) == Some((2, 7)))
}

fn version_of(python: &Path) -> Option<(u32, u32)> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    parse_version(&command::output(Command::new(python).args(["-c", script])).ok()?)
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse_version("3.9\n"), Some((3, 9)));
        assert!(parse_version("3.9") < Some(PYTHON_MIN));
        assert!(parse_version("3.11") > Some(PYTHON_MIN));
        for bad in ["", "3", "a.b", "3.11.7"] {
            assert_eq!(parse_version(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_program_that_does_not_run_has_no_version() {
        assert_eq!(version_of(Path::new("no-such-python")), None);
    }
}
