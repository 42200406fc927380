//! What can go wrong, and what whoever runs the server can do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{BlobId, QueueId};

/// Why a data directory could not be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the directory open.
    #[error(
        "{} is in use by another server; stop that one, or give this one a data directory of its own (--data DIR)", dir.display()
    )]
    Locked {
        /// The data directory.
        dir: PathBuf,
    },
    /// The operating system refused: no permission, not a directory, no space, a failing disk.
    #[error("{} cannot be read and written: {source}; check its owner, its permissions and the free space", dir.display())]
    Unreadable {
        /// The data directory.
        dir: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something that was stored is missing or changed.
    #[error(
        "{} is damaged: {detail}; restore it from a backup, or move it away and start with an empty one", dir.display()
    )]
    Damaged {
        /// The data directory.
        dir: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A later version of the program wrote it.
    #[error("{} has format {found}, this program knows {known}; run the version that wrote it, or a later one", dir.display())]
    NewerFormat {
        /// The data directory.
        dir: PathBuf,
        /// The format found.
        found: u32,
        /// The latest format that this program knows.
        known: u32,
    },
}

/// Why an open store could not do something.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An earlier write or sync failed: what is on the disk is no longer known, so nothing more is acknowledged
    /// until a restart. Never retried: after a failed fsync the kernel may have dropped the pages.
    #[error("the store stopped after a failed write: {reason}; restart the server once the disk is well")]
    Poisoned {
        /// The first failure.
        reason: String,
    },
    /// The engine could not read or write.
    #[error("storage engine: {0}")]
    Engine(#[source] Arc<fjall::Error>),
    /// A file could not be read or written.
    #[error("{0}")]
    Io(#[source] Arc<io::Error>),
    /// Stored bytes are not what was written.
    #[error("the store is damaged: {detail}")]
    Damaged {
        /// What is wrong.
        detail: String,
    },
    /// A message is not where the unit thought: it was moved or removed since it was read. Nothing was applied.
    #[error("message {seq} of queue {} was moved or removed meanwhile", queue.0)]
    Stale {
        /// The queue.
        queue: QueueId,
        /// The message.
        seq: u64,
    },
    /// There is less free space than [`Options::low_disk_bytes`](crate::Options::low_disk_bytes), so that what is written
    /// was given up before the disk is full.
    #[error("the disk is nearly full")]
    Full,
    /// No file for this blob.
    #[error("no blob {id}")]
    NoSuchBlob {
        /// The blob.
        id: BlobId,
    },
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self::Engine(Arc::new(error))
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl StoreError {
    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged { detail: detail.into() }
    }
}
