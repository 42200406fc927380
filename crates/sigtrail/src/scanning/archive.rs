//! What is read: files, objects in buckets, stdin.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{Error, ObjectMeta, ObjectStoreExt};
use scan::{Archive, Files, Selection, Skipped};
use tokio::runtime::Runtime;

use super::local;
use super::state::{Mark, State};
use crate::args::ScanArguments;
use crate::bucket::{Page, builder, endpoint_from_env};

/// All that is read, each with what it is known by the next time.
pub struct Everything {
    items: Vec<Item>,
    files: Files,
    buckets: Vec<(String, Arc<AmazonS3>)>,
    runtime: Option<Runtime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Stdin,
    File(usize),
    /// Bucket, key, length, and what identifies its content.
    Object {
        bucket: usize,
        key: Key,
        len: u64,
        tag: String,
    },
}

impl Item {
    fn object(bucket: usize, object: ObjectMeta) -> Self {
        let tag = object.e_tag.unwrap_or_else(|| object.last_modified.to_rfc3339());
        Self::Object { bucket, key: object.location, len: object.size, tag }
    }
}

impl Everything {
    /// Finds what is under the paths, and tells what could not be looked into.
    pub fn list(arguments: &ScanArguments, selection: &Selection) -> Result<(Self, Vec<Skipped>)> {
        let paths = local(&arguments.paths);
        for path in &paths {
            // What was named and is not there is a mistake, and no archive in which nothing matched.
            fs::metadata(path).with_context(|| path.display().to_string())?;
        }
        let (files, mut failed) = Files::list(&paths, selection);
        let mut items: Vec<_> = (0..files.0.len()).map(Item::File).collect();
        if arguments.paths.iter().any(|path| path == "-") {
            items.insert(0, Item::Stdin);
        }
        let mut everything = Self { items, files, buckets: Vec::new(), runtime: None };
        let remote: BTreeSet<_> = arguments.paths.iter().filter_map(|path| path.strip_prefix("s3://")).collect();
        if !remote.is_empty() {
            let runtime = Runtime::new()?;
            for place in remote {
                let listed = runtime.block_on(everything.list_bucket(place, arguments, selection));
                failed.extend(listed.with_context(|| format!("s3://{place}"))?);
            }
            everything.runtime = Some(runtime);
        }
        Ok((everything, failed))
    }

    /// Folders are listed one by one, so that those that the selection leaves out are not.
    async fn list_bucket(
        &mut self,
        place: &str,
        arguments: &ScanArguments,
        selection: &Selection,
    ) -> Result<Vec<Skipped>> {
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        if name.is_empty() {
            bail!("a bucket has a name");
        }
        let endpoint = arguments.endpoint.clone().or_else(|| endpoint_from_env("AWS_ENDPOINT_URL_S3"));
        let store = Arc::new(builder(name, endpoint.as_deref(), arguments.insecure).await?.build()?);
        let bucket = self.buckets.len();
        self.buckets.push((name.to_owned(), Arc::clone(&store)));
        let root = prefix.trim_end_matches('/');
        // As a folder: `a/b` is not the beginning of `a/bc`.
        let mut folders = vec![if root.is_empty() { String::new() } else { format!("{root}/") }];
        let (before, mut odd) = (self.items.len(), Vec::new());
        while let Some(folder) = folders.pop() {
            let mut page = Some(Page::of_folder());
            while let Some(this) = page {
                let (listed, next) = this.list(&*store, &folder).await?;
                folders
                    .extend(listed.folders.into_iter().filter(|inner| selection.may_hold(inner.trim_end_matches('/'))));
                let taken = listed.objects.into_iter().filter(|object| selection.takes(object.location.as_ref()));
                self.items.extend(taken.map(|object| Item::object(bucket, object)));
                odd.extend(listed.odd);
                page = next;
            }
        }
        if self.items.len() == before && odd.is_empty() && !root.is_empty() {
            // It may be the key of one object.
            match store.head(&Key::parse(root)?).await {
                Ok(object) => self.items.push(Item::object(bucket, object)),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let skipped = |key| Skipped {
            path: format!("s3://{name}/{key}"),
            error: "a key with an empty or odd part between slashes cannot be asked for".into(),
            is_unread: true,
        };
        Ok(odd.into_iter().map(skipped).collect())
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_remote(&self) -> bool {
        !self.buckets.is_empty()
    }

    /// Leaves out what was read before, and tells what has changed since.
    pub fn leave_out(&mut self, state: &State) -> Vec<Skipped> {
        let mut changed = Vec::new();
        let items = std::mem::take(&mut self.items);
        for item in items {
            let name = self.name_of(&item).into_owned();
            match (state.mark(&name), self.mark_of(&item)) {
                (Some(before), Some(now)) if *before == now => {}
                (Some(_), _) => changed.push(Skipped {
                    path: name,
                    error: "it has changed since it was counted; without the state all would be counted anew".into(),
                    is_unread: false,
                }),
                (None, _) => self.items.push(item),
            }
        }
        changed
    }

    /// What each file is called and known by.
    pub fn marks(&self) -> impl Iterator<Item = (String, Mark)> {
        self.items.iter().filter_map(|item| Some((self.name_of(item).into_owned(), self.mark_of(item)?)))
    }

    fn name_of(&self, item: &Item) -> Cow<'_, str> {
        match item {
            Item::Stdin => "-".into(),
            Item::File(index) => self.files.name(*index).into(),
            Item::Object { bucket, key, .. } => format!("s3://{}/{key}", self.buckets[*bucket].0).into(),
        }
    }

    fn mark_of(&self, item: &Item) -> Option<Mark> {
        match item {
            Item::Stdin => None,
            Item::File(index) => {
                let metadata = fs::metadata(&self.files.0[*index]).ok()?;
                let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
                Some(Mark { len: metadata.len(), tag: modified.as_nanos().to_string() })
            }
            Item::Object { len, tag, .. } => Some(Mark { len: *len, tag: tag.clone() }),
        }
    }
}

impl Archive for Everything {
    fn count(&self) -> usize {
        self.items.len()
    }

    fn name(&self, index: usize) -> String {
        self.name_of(&self.items[index]).into_owned()
    }

    fn open(&self, index: usize) -> io::Result<(Box<dyn Read + '_>, Option<u64>)> {
        match &self.items[index] {
            Item::Stdin => Ok((Box::new(io::stdin().lock()), None)),
            Item::File(file) => self.files.open(*file),
            Item::Object { bucket, key, len, .. } => {
                let runtime = self.runtime.as_ref().ok_or_else(|| io::Error::other("no runtime"))?;
                let got = runtime.block_on(self.buckets[*bucket].1.get(key))?;
                let pieces = got.into_stream().map_err(io::Error::from).boxed();
                Ok((Box::new(Pieces { runtime, pieces, piece: Bytes::new() }), Some(*len)))
            }
        }
    }
}

/// The content of an object, as it comes.
struct Pieces<'r> {
    runtime: &'r Runtime,
    pieces: BoxStream<'static, io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.pieces.next()) {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let len = self.piece.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.piece.split_to(len));
        Ok(len)
    }
}
