//! Archives that are made once and kept beside the build, and what is in them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use libdeflater::Decompressor;
use serde_json::Value;

use crate::process::workspace;

/// What the files are.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `.json.gz`
    CloudTrail,
    /// Plain text.
    AccessLogs,
}

/// A made archive. Its counts are those that its generator wrote down.
#[derive(Debug)]
pub struct Archive {
    pub folder: PathBuf,
    truth: Value,
}

impl Archive {
    /// Of so many files of about so many records; the same arguments make the same bytes.
    pub fn made(kind: Kind, files: u32, records: u32) -> Result<Self> {
        let kind = match kind {
            Kind::CloudTrail => "cloudtrail",
            Kind::AccessLogs => "access",
        };
        let made = workspace().join("target/bench-archives").join(format!("{kind}-{files}-{records}"));
        // It is moved there when it is whole.
        let truth = made.join("truth.json");
        if !truth.is_file() {
            eprintln!("  making {} …", made.display());
            let half = made.with_extension("half");
            make(kind, &half, files, records)?;
            let _ = fs::remove_dir_all(&made);
            fs::rename(&half, &made)?;
        }
        let truth = serde_json::from_slice(&fs::read(truth)?)?;
        let folder = made.join(if kind == "access" { "access-logs" } else { "AWSLogs" });
        let archive = Self { folder, truth };
        // From a warm cache, for all alike.
        archive.files()?.iter().try_for_each(|file| io::copy(&mut File::open(file)?, &mut io::sink()).map(drop))?;
        Ok(archive)
    }

    pub fn truth(&self, name: &str) -> Result<u64> {
        self.truth[name].as_u64().with_context(|| format!("no {name} in the truth of {}", self.folder.display()))
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        files(&self.folder)
    }

    /// All files as one; how long it is.
    pub fn concatenate(&self, path: &Path) -> Result<u64> {
        let mut whole = File::create(path)?;
        let mut copy = |file: &PathBuf| io::copy(&mut File::open(file)?, &mut whole);
        Ok(self.files()?.iter().map(&mut copy).sum::<io::Result<u64>>()?)
    }
}

fn make(kind: &str, folder: &Path, files: u32, records: u32) -> Result<()> {
    let generator = workspace().join("../shared/data/make_archive.py");
    let _ = fs::remove_dir_all(folder);
    let made = Command::new("python3")
        .arg(&generator)
        .arg(kind)
        .arg(folder)
        .args(["--files", &files.to_string(), "--records", &records.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(made.success(), "{} made no archive", generator.display());
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    Ok(files)
}

/// Reads and unpacks every file, and does nothing else.
pub fn decompress(folder: &Path) -> Result<()> {
    each(folder, |_| Ok(()))
}

/// How many records are so: every one is parsed, by none of our own code.
pub fn count(folder: &Path, is_wanted: impl Fn(&Value) -> bool) -> Result<u64> {
    let mut count = 0;
    each(folder, |text| {
        let document: Value = serde_json::from_slice(text)?;
        let records = document["Records"].as_array().context("no Records")?;
        count += records.iter().filter(|record| is_wanted(record)).count() as u64;
        Ok(())
    })?;
    Ok(count)
}

fn each(folder: &Path, mut then: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let (mut gzip, mut file, mut text) = (Decompressor::new(), Vec::new(), Vec::new());
    for path in files(folder)? {
        file.clear();
        File::open(&path)?.read_to_end(&mut file)?;
        let len = file.last_chunk::<4>().map(|len| u32::from_le_bytes(*len) as usize).context("no gzip")?;
        if text.len() < len {
            text.resize(len, 0);
        }
        let unpacked = gzip.gzip_decompress(&file, &mut text[..len])?;
        ensure!(unpacked == len, "{}", path.display());
        then(&text[..len])?;
    }
    Ok(())
}
