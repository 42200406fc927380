//! Where files are read: a folder, as `aws s3 sync` leaves it, or a bucket.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AwsCredential};
use object_store::path::Path as Key;
use object_store::{Attribute, Error, ObjectStoreExt};
use trail::digest::{Digest, DigestName, Place};

use super::unpack::{Hash, Target, Unpack};
use crate::bucket::{Page, builder};

/// Bytes that are read from a file at once.
const PIECE_BYTES: usize = 128 * 1024;
/// Objects in succession that the server fails to give: after them it is not asked for the others.
const FAILURES_MAX: usize = 20;

/// What stands at a place.
pub enum Found<T> {
    /// The content, unpacked, and the signature in the object's metadata.
    Content(T, Signature),
    /// No file.
    Missing,
    /// Something else in its place: a folder, a link, a pipe.
    NotAFile,
    /// A file that is not gzip as it should be.
    Unreadable(String),
    /// It could not be read.
    Failed(String),
    /// The bucket is not at hand.
    Elsewhere,
}

/// What a digest's metadata say.
pub enum Signature {
    /// Files have none.
    NotKept,
    /// There is none.
    Absent,
    /// In hexadecimal.
    Is(String),
}

/// What a list tells.
#[derive(Debug)]
pub enum Listed {
    /// The key of a file.
    Key(String),
    /// What stands in a folder is not known.
    Failed { folder: String, why: String },
}

/// Where files are read.
#[derive(Clone)]
pub enum Source {
    /// A folder with files of one bucket.
    Folder(Folder),
    /// A bucket, and others that its digests name.
    Bucket(Arc<Buckets>),
}

impl Source {
    /// The keys of all files, in no order.
    pub fn list(&self) -> BoxStream<'_, Result<Listed>> {
        match self {
            Self::Folder(folder) => futures::stream::iter(folder.list().map(Ok)).boxed(),
            Self::Bucket(buckets) => buckets.list().map_ok(Listed::Key).boxed(),
        }
    }

    /// The bucket that the files are, or were, in.
    pub fn bucket(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.bucket,
            Self::Bucket(buckets) => &buckets.bucket,
        }
    }

    /// How a file is called here.
    pub fn shown(&self, place: &Place) -> String {
        match self {
            Self::Folder(folder) if place.bucket == folder.bucket => {
                folder.path(&place.key).unwrap_or_else(|| folder.root.join(&place.key)).display().to_string()
            }
            _ => place.to_string(),
        }
    }

    /// A digest.
    pub async fn digest(&self, place: &Place) -> Result<Found<Vec<u8>>> {
        self.unpack(place).await
    }

    /// The hash of a log file.
    pub async fn log_file(&self, place: &Place) -> Result<Found<Hash>> {
        self.unpack(place).await
    }

    async fn unpack<T: Target + Default + Send + 'static>(&self, place: &Place) -> Result<Found<T>> {
        match self {
            Self::Folder(folder) => {
                let (folder, place) = (folder.clone(), place.clone());
                Ok(tokio::task::spawn_blocking(move || folder.unpack(&place)).await?)
            }
            Self::Bucket(buckets) => buckets.unpack(place).await,
        }
    }
}

/// A folder that a bucket, or a part of it, was copied into.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// The bucket that the digests name.
    bucket: String,
    /// What the keys begin with and the paths do not.
    lost: String,
}

impl Folder {
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), bucket: String::new(), lost: String::new() }
    }

    /// Learns from digests which bucket this was, and which beginning of its keys was left away: what most of them say.
    pub fn learn<'p>(&mut self, paths: impl IntoIterator<Item = &'p String>) -> bool {
        let mut votes: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (bucket, lost) in paths.into_iter().filter_map(|path| self.vote(path)) {
            *votes.entry((bucket, lost)).or_default() += 1;
        }
        let Some(((bucket, lost), _)) = votes.into_iter().max_by_key(|(_, count)| *count) else { return false };
        (self.bucket, self.lost) = (bucket, lost);
        true
    }

    fn vote(&self, path_of_digest: &str) -> Option<(String, String)> {
        let place = Place { bucket: String::new(), key: path_of_digest.to_owned() };
        let Found::Content(content, _) = self.unpack::<Vec<u8>>(&place) else { return None };
        let digest: Digest = serde_json::from_slice(&content).ok()?;
        let lost = digest.digest_s3_object.strip_suffix(path_of_digest)?;
        (lost.is_empty() || lost.ends_with('/')).then(|| (digest.digest_s3_bucket, lost.to_owned()))
    }

    fn list(&self) -> impl Iterator<Item = Listed> + Send + '_ {
        let mut folders = vec![self.root.clone()];
        let mut keys = Vec::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(key) = keys.pop() {
                    return Some(Listed::Key(key));
                }
                let folder = folders.pop()?;
                if let Err(error) = self.list_one(&folder, &mut folders, &mut keys) {
                    return Some(Listed::Failed { folder: folder.display().to_string(), why: error.to_string() });
                }
            }
        })
    }

    /// What stands in one folder. Links are not followed: they would lead out of what was copied, or round in circles.
    /// What is no file is listed as well, so that it is told of.
    fn list_one(&self, folder: &Path, folders: &mut Vec<PathBuf>, keys: &mut Vec<String>) -> io::Result<()> {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let (is_folder, path) = (entry.file_type()?.is_dir(), entry.path());
            if let Some(relative) = path.strip_prefix(&self.root).ok().and_then(Path::to_str)
                && (!is_folder || DigestName::parse(relative).is_some())
            {
                keys.push(format!("{}{relative}", self.lost));
            }
            if is_folder {
                folders.push(path);
            }
        }
        Ok(())
    }

    /// The file of a key; none if the key leads out of the folder.
    fn path(&self, key: &str) -> Option<PathBuf> {
        let relative = Path::new(key.strip_prefix(&self.lost)?);
        let is_inside = relative.components().all(|component| matches!(component, Component::Normal(_)));
        is_inside.then(|| self.root.join(relative))
    }

    /// Opens the file of a key. No link is followed, and nothing is opened that is no file: a pipe would be waited for.
    fn open<T>(&self, key: &str) -> Result<File, Found<T>> {
        let Some(path) = self.path(key) else { return Err(Found::Missing) };
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Found::Missing,
            _ => Found::Failed(error.to_string()),
        };
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
        for folder in folders {
            if fs::symlink_metadata(folder).map_err(failed)?.is_symlink() {
                return Err(Found::NotAFile);
            }
        }
        if !fs::symlink_metadata(&path).map_err(failed)?.is_file() {
            return Err(Found::NotAFile);
        }
        File::open(&path).map_err(failed)
    }

    fn unpack<T: Target + Default>(&self, place: &Place) -> Found<T> {
        if place.bucket != self.bucket {
            return Found::Elsewhere;
        }
        let mut file = match self.open(&place.key) {
            Ok(file) => file,
            Err(found) => return found,
        };
        let (mut unpack, mut piece) = (Unpack::<T>::new(), vec![0; PIECE_BYTES]);
        loop {
            let len = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Found::Failed(error.to_string()),
            };
            if let Err(why) = unpack.feed(&piece[..len]) {
                return Found::Unreadable(why);
            }
        }
        unpack.finish().map_or_else(Found::Unreadable, |content| Found::Content(content, Signature::NotKept))
    }
}

/// Buckets on one S3.
pub struct Buckets {
    bucket: String,
    prefix: String,
    endpoint: Option<String>,
    insecure: bool,
    stores: Mutex<HashMap<String, Arc<AmazonS3>>>,
    /// Objects in succession that the server failed to give.
    failures: AtomicUsize,
}

impl Buckets {
    /// Begins with a bucket and the beginning of the keys in it.
    pub async fn open(bucket: &str, prefix: &str, endpoint: Option<String>, insecure: bool) -> Result<Self> {
        // As a folder: `a/b` is not the beginning of `a/bc`.
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let (stores, failures) = (Mutex::new(HashMap::new()), AtomicUsize::new(0));
        let buckets = Self { bucket: bucket.to_owned(), prefix, endpoint, insecure, stores, failures };
        buckets.store(bucket).await?;
        Ok(buckets)
    }

    /// Who asks.
    pub async fn credentials(&self) -> Result<Arc<AwsCredential>> {
        let store = self.store(&self.bucket).await?;
        Ok(store.credentials().get_credential().await?)
    }

    async fn store(&self, bucket: &str) -> Result<Arc<AmazonS3>> {
        if let Some(store) = self.stores.lock().unwrap_or_else(PoisonError::into_inner).get(bucket) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(builder(bucket, self.endpoint.as_deref(), self.insecure).await?.build()?);
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), Arc::clone(&store));
        Ok(store)
    }

    fn list(&self) -> BoxStream<'_, Result<String>> {
        let pages = futures::stream::try_unfold(Some(Page::of_all()), |page| async {
            let Some(page) = page else { return Ok(None) };
            let (listed, next) = page.list(&*self.store(&self.bucket).await?, &self.prefix).await?;
            let keys = listed.objects.into_iter().map(|object| object.location.into()).chain(listed.odd);
            anyhow::Ok(Some((keys.collect::<Vec<String>>(), next)))
        });
        pages.map_ok(|keys| futures::stream::iter(keys).map(Ok)).try_flatten().boxed()
    }

    async fn unpack<T: Target + Default>(&self, place: &Place) -> Result<Found<T>> {
        match self.get(place).await {
            Ok(found) => {
                self.failures.store(0, Ordering::Relaxed);
                Ok(found)
            }
            Err(error) => self.failed(place, &error),
        }
    }

    /// One object that cannot be had is that object's problem; a server that gives nothing any more is ours.
    fn failed<T>(&self, place: &Place, error: &anyhow::Error) -> Result<Found<T>> {
        match error.downcast_ref() {
            Some(Error::NotFound { .. }) => return Ok(Found::Missing),
            Some(Error::PermissionDenied { .. } | Error::InvalidPath { .. }) => {}
            _ if self.failures.fetch_add(1, Ordering::Relaxed) < FAILURES_MAX => {}
            _ => bail!("{place}: {error:#}; nor could the {FAILURES_MAX} files before it be read"),
        }
        Ok(Found::Failed(format!("{error:#}")))
    }

    async fn get<T: Target + Default>(&self, place: &Place) -> Result<Found<T>> {
        let key = Key::parse(&place.key).map_err(|source| Error::InvalidPath { source })?;
        if key.as_ref() != place.key {
            return Ok(Found::Failed("a key that begins or ends with a slash cannot be asked for".into()));
        }
        let got = self.store(&place.bucket).await?.get(&key).await?;
        let metadata = |name: &'static str| got.attributes.get(&Attribute::Metadata(name.into()));
        let signature = match (metadata("signature"), metadata("signature-algorithm")) {
            (Some(signature), Some(_)) => Signature::Is(signature.to_string()),
            _ => Signature::Absent,
        };
        let (mut unpack, mut pieces) = (Unpack::<T>::new(), got.into_stream());
        while let Some(piece) = pieces.next().await {
            if let Err(why) = unpack.feed(&piece?) {
                return Ok(Found::Unreadable(why));
            }
        }
        Ok(unpack.finish().map_or_else(Found::Unreadable, |content| Found::Content(content, signature)))
    }
}
