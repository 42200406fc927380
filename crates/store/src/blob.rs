//! Large bodies: files beside the engine, written and synced before the unit that names them.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter};

use crate::StoreError;
use crate::core::Core;
use crate::keeper::Chore;
use crate::tree::{Tree, Trees};

/// Bytes that one step reads or writes: a blob passes through memory in pieces of this size.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// A file's number. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub u64);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Makes and reads blobs.
pub struct Blobs {
    core: Arc<Core>,
}

impl Blobs {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Starts a file.
    pub async fn create(&self) -> Result<BlobWriter, StoreError> {
        self.core.sync.check()?;
        let core = Arc::clone(&self.core);
        // The writer is made where the file is: if nobody waits for it any more, it is dropped, and deletes the file.
        blocking(move || {
            let id = BlobId(core.blob_ids.next(&core)?);
            let file = tokio::fs::File::from_std(core.blob_files.create(id)?);
            let file = BufWriter::with_capacity(CHUNK_BYTES, file);
            Ok(BlobWriter { core, id, file, len: 0, finished: false })
        })
        .await
    }

    /// Opens a whole file for reading.
    pub async fn open(&self, id: BlobId) -> Result<BlobReader, StoreError> {
        let len = self.len(id).await?;
        self.open_range(id, 0..len).await
    }

    /// Opens the bytes of `range`, which must lie inside the file.
    pub async fn open_range(&self, id: BlobId, range: Range<u64>) -> Result<BlobReader, StoreError> {
        let opened = tokio::fs::File::open(self.core.blob_files.path(id)).await;
        let mut file = opened.map_err(|error| not_found(id, error))?;
        if range.start > 0 {
            file.seek(io::SeekFrom::Start(range.start)).await?;
        }
        Ok(BlobReader { id, file, left: range.end.saturating_sub(range.start) })
    }

    /// A file's length in bytes.
    pub async fn len(&self, id: BlobId) -> Result<u64, StoreError> {
        let metadata = tokio::fs::metadata(self.core.blob_files.path(id)).await;
        Ok(metadata.map_err(|error| not_found(id, error))?.len())
    }

    /// Deletes a finished file that no unit has named.
    pub fn discard(&self, id: BlobId) {
        self.core.send(Chore::Delete(vec![id]));
    }
}

fn not_found(id: BlobId, error: io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::NotFound { StoreError::NoSuchBlob { id } } else { error.into() }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| io::Error::other(error).into()).flatten()
}

/// A file being written. Dropped before [`Self::finish`], it is deleted.
pub struct BlobWriter {
    core: Arc<Core>,
    id: BlobId,
    file: BufWriter<tokio::fs::File>,
    len: u64,
    finished: bool,
}

/// Bytes after which a writer looks again whether there is room for more.
const ROOM_INTERVAL_BYTES: u64 = 4 * 1024 * 1024;

impl BlobWriter {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`StoreError::Full`] if the disk is nearly full.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.file.write_all(&bytes).await?;
        let looked_at = self.len / ROOM_INTERVAL_BYTES;
        self.len += bytes.len() as u64;
        if self.len / ROOM_INTERVAL_BYTES != looked_at {
            // One large body alone could fill the disk, and then not even its failure could be recorded.
            self.core.sync.look_for_room(&self.core);
            if !self.core.sync.has_room() {
                return Err(StoreError::Full);
            }
        }
        Ok(())
    }

    /// The bytes written so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Syncs the file and its directories. It still has to be named by a committed unit
    /// ([`Unit::link`](crate::Unit::link)), or the next start sweeps it.
    pub async fn finish(mut self) -> Result<BlobId, StoreError> {
        self.file.flush().await?;
        self.file.get_ref().sync_data().await?;
        let (core, id) = (Arc::clone(&self.core), self.id);
        blocking(move || Ok(core.blob_files.sync_directories(id)?)).await?;
        self.finished = true;
        Ok(id)
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.core.send(Chore::Delete(vec![self.id]));
        }
    }
}

/// A range of a file being read.
pub struct BlobReader {
    id: BlobId,
    file: tokio::fs::File,
    left: u64,
}

impl BlobReader {
    /// The bytes still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next piece, at most [`CHUNK_BYTES`]; `None` at the end of the range.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        let len = usize::try_from(self.left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        if len == 0 {
            return Ok(None);
        }
        let mut chunk = BytesMut::with_capacity(len);
        let mut file = (&mut self.file).take(len as u64);
        while chunk.len() < len {
            if file.read_buf(&mut chunk).await? == 0 {
                return Err(StoreError::damaged(format!("blob {} is shorter than it was", self.id)));
            }
        }
        self.left -= len as u64;
        Ok(Some(chunk.freeze()))
    }

    /// The pieces as a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static {
        stream::try_unfold(self, |mut reader| async move { Ok(reader.chunk().await?.map(|chunk| (chunk, reader))) })
    }
}

/// Where the files are: `blobs/` and the last byte of the number, then the number.
pub(crate) struct BlobFiles {
    dir: PathBuf,
}

impl BlobFiles {
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        Ok(Self { dir })
    }

    fn shard(&self, id: BlobId) -> PathBuf {
        self.dir.join(format!("{:02x}", id.0 & 0xff))
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.shard(id).join(id.to_string())
    }

    fn create(&self, id: BlobId) -> io::Result<File> {
        match File::create_new(self.path(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(self.shard(id))?;
                File::create_new(self.path(id))
            }
            other => other,
        }
    }

    /// A sync of a directory that did not change costs next to nothing, so nobody keeps track of which did.
    fn sync_directories(&self, id: BlobId) -> io::Result<()> {
        sync_directory(&self.shard(id))?;
        sync_directory(&self.dir)
    }

    /// What cannot be deleted now is swept at the next start.
    pub(crate) fn delete(&self, id: BlobId) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            tracing::warn!(%id, %error, "a blob's file was not deleted");
        }
    }

    /// Deletes the files numbered below `end` that no row names, and returns how many there were.
    pub(crate) fn sweep(&self, trees: &Trees, end: u64) -> Result<u64, StoreError> {
        let mut swept = 0;
        for shard in fs::read_dir(&self.dir)? {
            for file in fs::read_dir(shard?.path())? {
                let name = file?.file_name();
                let Some(id) = name.to_str().and_then(|name| u64::from_str_radix(name, 16).ok()) else { continue };
                if id < end && trees.get(Tree::BlobRefs, &id.to_be_bytes())?.is_none() {
                    self.delete(BlobId(id));
                    swept += 1;
                }
            }
        }
        Ok(swept)
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
