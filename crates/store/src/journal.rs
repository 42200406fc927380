//! The sync of the engine's journal, past the engine's lock.
//!
//! `Database::persist(SyncData)` holds the journal's lock for as long as the disk takes, and every writer with it: with one
//! thread a core, the whole server stands still, and few units come together for the next sync. So the engine is only asked
//! to hand its buffer to the operating system, which is quick, and the newest journal file is synced here, through a
//! descriptor of our own. That is enough, because
//! - the engine moves to file N + 1 only after an fsync of file N and of nothing less, under its lock; if that fails it
//!   takes no more writes, and the first step here fails;
//! - a descriptor kept open sees every error of writing back that happened since it was opened.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use crate::blob::sync_directory;

const EXTENSION: &str = "jnl";

/// The newest journal file: `engine/N.jnl`.
pub(crate) struct JournalFile {
    engine: PathBuf,
    number: u64,
    file: File,
}

impl JournalFile {
    /// Finds the newest file of an engine that is open.
    pub(crate) fn open(engine: PathBuf) -> io::Result<Self> {
        let mut newest = None;
        for entry in fs::read_dir(&engine)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
                newest = newest.max(number);
            }
        }
        let number = newest.ok_or_else(|| io::Error::other("the engine has no journal file"))?;
        let file = File::open(engine.join(format!("{number}.{EXTENSION}")))?;
        Ok(Self { engine, number, file })
    }

    /// Makes durable what the operating system has been given of the journal.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.follow()?;
        self.file.sync_data()
    }

    /// Moves on to the newest file. The engine has synced its name; where it failed to and said so, this does too.
    fn follow(&mut self) -> io::Result<()> {
        loop {
            let next = self.number + 1;
            match File::open(self.engine.join(format!("{next}.{EXTENSION}"))) {
                Ok(file) => (self.number, self.file) = (next, file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
            sync_directory(&self.engine)?;
        }
    }

    #[cfg(test)]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}
