//! What was read before, so that the next scan reads only what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use aws_api::Timestamp;
use scan::{Limits, Outcome};
use serde::{Deserialize, Serialize};

use super::Asked;
use super::archive::Everything;

/// The version of the file.
const VERSION: u32 = 1;

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its length as it is stored.
    pub len: u64,
    /// When it was changed, or the entity tag of an object.
    pub tag: String,
}

/// A state file.
pub struct State {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    version: u32,
    /// What was asked: another question has another state.
    asked: Vec<(String, String)>,
    accounts: Vec<String>,
    regions: Vec<String>,
    since: Option<String>,
    until: Option<String>,
    files: BTreeMap<String, Mark>,
    outcome: Outcome,
}

impl State {
    /// Reads a state, or begins one where there is none.
    pub fn read(path: &Path, asked: &[Asked], limits: &Limits) -> Result<Self> {
        let selection = &limits.selection;
        let content = Content {
            version: VERSION,
            asked: asked.iter().map(|asked| (asked.title.name.clone(), asked.pattern.source().to_owned())).collect(),
            accounts: selection.accounts.clone(),
            regions: selection.regions.clone(),
            since: selection.since.map(Timestamp::to_rfc3339_seconds),
            until: selection.until.map(Timestamp::to_rfc3339_seconds),
            ..Content::default()
        };
        let state = Self { path: path.to_owned(), content };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(state),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let read: Content = serde_json::from_reader(BufReader::new(file))
            .with_context(|| format!("{} is no state of a scan", path.display()))?;
        state.go_on(read)
    }

    fn go_on(mut self, read: Content) -> Result<Self> {
        let path = self.path.display();
        if read.version != VERSION {
            bail!("{path} is of version {}, this one reads {VERSION}", read.version);
        }
        let asks = |content: &Content| {
            let Content { asked, accounts, regions, since, until, .. } = content;
            (asked.clone(), accounts.clone(), regions.clone(), since.clone(), until.clone())
        };
        if asks(&read) != asks(&self.content) {
            bail!("{path} is of another question, account, region or time: each has a state of its own");
        }
        self.content = read;
        Ok(self)
    }

    /// What a file was known by when it was read.
    pub fn mark(&self, name: &str) -> Option<&Mark> {
        self.content.files.get(name)
    }

    /// All that was found until now.
    pub fn outcome(&self) -> &Outcome {
        &self.content.outcome
    }

    /// Adds what was read now. What could not be opened counts as not read, and is tried again.
    pub fn add(&mut self, everything: &Everything, outcome: &Outcome) {
        let unread: BTreeSet<_> = outcome.skipped.iter().filter(|one| one.is_unread).map(|one| &one.path).collect();
        self.content.files.extend(everything.marks().filter(|(name, _)| !unread.contains(name)));
        let mut counted = outcome.clone();
        counted.skipped.retain(|one| !one.is_unread);
        self.content.outcome.merge(counted);
    }

    /// Writes it, whole or not at all.
    pub fn write(&self) -> Result<()> {
        let new = self.path.with_added_extension("new");
        let write = || -> Result<()> {
            let mut out = BufWriter::new(File::create(&new)?);
            serde_json::to_writer(&mut out, &self.content)?;
            out.flush()?;
            out.get_ref().sync_all()?;
            Ok(fs::rename(&new, &self.path)?)
        };
        write().with_context(|| self.path.display().to_string())
    }
}
