//! Where files are read: a folder, as `aws s3 sync` leaves it, or a bucket.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, resolve_bucket_region};
use object_store::path::Path as Key;
use object_store::{Attribute, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use trail::digest::{Digest, Place};

use super::unpack::{Hash, Target, Unpack};

/// Bytes that are read from a file at once.
const PIECE_BYTES: usize = 128 * 1024;
const RETRIES_MAX: usize = 3;
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// What stands at a place.
pub enum Found<T> {
    /// The content, unpacked, and the signature in the object's metadata.
    Content(T, Signature),
    /// No file.
    Missing,
    /// A file that is not gzip as it should be.
    Unreadable(String),
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
    pub fn keys(&self) -> BoxStream<'_, Result<String>> {
        match self {
            Self::Folder(folder) => futures::stream::iter(folder.keys()).boxed(),
            Self::Bucket(buckets) => buckets.keys(),
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
                tokio::task::spawn_blocking(move || folder.unpack(&place)).await?
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
        let Ok(Found::Content(content, _)) = self.unpack::<Vec<u8>>(&place) else { return None };
        let digest: Digest = serde_json::from_slice(&content).ok()?;
        let lost = digest.digest_s3_object.strip_suffix(path_of_digest)?;
        (lost.is_empty() || lost.ends_with('/')).then(|| (digest.digest_s3_bucket, lost.to_owned()))
    }

    fn keys(&self) -> impl Iterator<Item = Result<String>> + Send + '_ {
        let mut folders = vec![self.root.clone()];
        let mut files = Vec::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(file) = files.pop() {
                    return Some(Ok(file));
                }
                let folder = folders.pop()?;
                if let Err(error) = self.list(&folder, &mut folders, &mut files) {
                    return Some(Err(error));
                }
            }
        })
    }

    /// What stands in one folder. Links are not followed: they would lead out of what was copied, or round in circles.
    fn list(&self, folder: &Path, folders: &mut Vec<PathBuf>, files: &mut Vec<String>) -> Result<()> {
        let failed = || folder.display().to_string();
        for entry in folder.read_dir().with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let (kind, path) = (entry.file_type().with_context(failed)?, entry.path());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && let Some(relative) = path.strip_prefix(&self.root).ok().and_then(Path::to_str)
            {
                files.push(format!("{}{relative}", self.lost));
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

    fn unpack<T: Target + Default>(&self, place: &Place) -> Result<Found<T>> {
        if place.bucket != self.bucket {
            return Ok(Found::Elsewhere);
        }
        let Some(path) = self.path(&place.key) else { return Ok(Found::Missing) };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Found::Missing);
            }
            Err(error) => return Err(anyhow!("{}: {error}", path.display())),
        };
        let (mut unpack, mut piece) = (Unpack::<T>::new(), vec![0; PIECE_BYTES]);
        loop {
            let len = file.read(&mut piece).with_context(|| path.display().to_string())?;
            if len == 0 {
                break;
            }
            if let Err(why) = unpack.feed(&piece[..len]) {
                return Ok(Found::Unreadable(why));
            }
        }
        Ok(unpack.finish().map_or_else(Found::Unreadable, |content| Found::Content(content, Signature::NotKept)))
    }
}

/// Buckets on one S3.
pub struct Buckets {
    bucket: String,
    prefix: Option<Key>,
    endpoint: Option<String>,
    insecure: bool,
    stores: Mutex<HashMap<String, Arc<AmazonS3>>>,
}

impl Buckets {
    /// Begins with a bucket and the beginning of the keys in it.
    pub async fn open(bucket: &str, prefix: &str, endpoint: Option<String>, insecure: bool) -> Result<Self> {
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { None } else { Some(Key::parse(prefix)?) };
        let buckets =
            Self { bucket: bucket.to_owned(), prefix, endpoint, insecure, stores: Mutex::new(HashMap::new()) };
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

    fn keys(&self) -> BoxStream<'_, Result<String>> {
        let listed = futures::stream::once(self.store(&self.bucket));
        let keys = listed.map(|store| match store {
            Ok(store) => store.list(self.prefix.as_ref()).map(|object| Ok(object?.location.to_string())).boxed(),
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        });
        keys.flatten().boxed()
    }

    async fn unpack<T: Target + Default>(&self, place: &Place) -> Result<Found<T>> {
        let store = self.store(&place.bucket).await?;
        let got = match store.get(&Key::parse(&place.key)?).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(Found::Missing),
            Err(error) => return Err(anyhow!(error).context(place.to_string())),
        };
        let metadata = |name: &'static str| got.attributes.get(&Attribute::Metadata(name.into()));
        let signature = match (metadata("signature"), metadata("signature-algorithm")) {
            (Some(signature), Some(_)) => Signature::Is(signature.to_string()),
            _ => Signature::Absent,
        };
        let (mut unpack, mut pieces) = (Unpack::<T>::new(), got.into_stream());
        while let Some(piece) = pieces.next().await {
            let piece = piece.with_context(|| place.to_string())?;
            if let Err(why) = unpack.feed(&piece) {
                return Ok(Found::Unreadable(why));
            }
        }
        Ok(unpack.finish().map_or_else(Found::Unreadable, |content| Found::Content(content, signature)))
    }
}

/// From the environment: keys, token, region, roles of containers and instances. It does not wait for minutes.
pub fn from_env(bucket: &str) -> AmazonS3Builder {
    let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry)
}

async fn builder(bucket: &str, endpoint: Option<&str>, insecure: bool) -> Result<AmazonS3Builder> {
    let options = ClientOptions::new().with_allow_http(true).with_allow_invalid_certificates(insecure);
    let mut builder = from_env(bucket);
    if let Some(endpoint) = endpoint {
        return Ok(builder.with_endpoint(endpoint).with_client_options(options));
    }
    let has_region = [AmazonS3ConfigKey::Region, AmazonS3ConfigKey::DefaultRegion];
    if has_region.iter().all(|key| builder.get_config_value(key).is_none()) {
        builder = builder.with_region(resolve_bucket_region(bucket, &ClientOptions::new()).await?);
    }
    Ok(builder)
}
