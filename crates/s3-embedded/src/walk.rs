//! A walk over the rows of a bucket in the order of their names' UTF-8 bytes, with prefix, delimiter and page size: the one
//! algorithm behind `ListObjects`, `ListObjectsV2` and `ListMultipartUploads`.

use std::ops::Bound;

use bytes::Bytes;
use s3s::S3Result;
use store::{Space, Store};

use crate::error::{internal, store_error};
use crate::row::bucket_rows;

/// What to list.
pub(crate) struct Walk<'a> {
    pub store: &'a Store,
    pub space: Space,
    pub bucket: &'a str,
    /// Only names that begin with it.
    pub prefix: &'a str,
    /// Names are grouped up to its first occurrence behind the prefix.
    pub delimiter: Option<&'a str>,
    /// Most items of a page.
    pub max: usize,
}

/// An entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A row: its name (the key, for an upload followed by NUL and the upload id) and its value.
    Row(String, Bytes),
    /// Several names with this beginning.
    Prefix(String),
}

/// Part of a listing.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub items: Vec<Item>,
    /// Whether there is more.
    pub truncated: bool,
}

impl Walk<'_> {
    /// The first page whose names are at or behind `from`. A group that `from` lies in has been listed already.
    pub fn page(&self, from: &str) -> S3Result<Page> {
        let mut page = Page::default();
        if self.max == 0 {
            return Ok(page);
        }
        let mut rows = self.rows(from.as_bytes());
        while let Some(row) = rows.next() {
            let (key, value) = row.map_err(store_error)?;
            let name = self.name(&key)?;
            if !name.starts_with(self.prefix) {
                break;
            }
            let group = group(name, self.prefix, self.delimiter);
            let listed = group.is_some_and(|group| from.starts_with(group));
            if !listed && page.items.len() == self.max {
                page.truncated = true;
                break;
            }
            match group {
                None => page.items.push(Item::Row(name.to_owned(), value)),
                Some(group) => {
                    // The rest of the group is skipped by seeking: it may be millions of keys.
                    rows = self.rows(&behind(group));
                    if !listed {
                        page.items.push(Item::Prefix(group.to_owned()));
                    }
                }
            }
        }
        Ok(page)
    }

    fn rows(&self, from: &[u8]) -> store::Range {
        let (mut start, end) = bucket_rows(self.bucket);
        start.extend(from.max(self.prefix.as_bytes()));
        self.store.range(self.space, (Bound::Included(start), Bound::Excluded(end)))
    }

    fn name<'k>(&self, key: &'k [u8]) -> S3Result<&'k str> {
        let name = key.get(self.bucket.len() + 1..).and_then(|name| std::str::from_utf8(name).ok());
        name.ok_or_else(|| internal("the key of a row is not UTF-8"))
    }
}

/// The common prefix that a name belongs to.
pub(crate) fn group<'n>(name: &'n str, prefix: &str, delimiter: Option<&str>) -> Option<&'n str> {
    let delimiter = delimiter?;
    let key = name.split('\0').next().unwrap_or(name);
    let found = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + found + delimiter.len())
}

/// The least bytes that are greater than all that begin with `group`.
pub(crate) fn behind(group: &str) -> Vec<u8> {
    let mut bytes = group.as_bytes().to_vec();
    // UTF-8 has no byte 0xFF, so the last byte can be counted up.
    if let Some(last) = bytes.last_mut() {
        *last = last.saturating_add(1);
    }
    bytes
}
