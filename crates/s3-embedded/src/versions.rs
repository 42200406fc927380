//! `ListObjectVersions`: the rows of `Objects` and `Versions`, merged by key, each key's newest version first.

use std::iter::Peekable;

use bytes::Bytes;
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result};
use store::{Range, Space, Store};

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::bucket::{display_owner, listed_checksum};
use crate::context::Call;
use crate::error::{internal, invalid_argument, store_error};
use crate::list::{Encoding, behind, given, page_size};
use crate::row::{BucketRow, ObjectRow, bucket_rows, decode, version_key};
use crate::stage::{Found, Stage};
use crate::version::{self, Kept, MarkerRow, VersionRef};
use crate::walk::{self, group};

/// A row of a bucket's versions, in S3's order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub key: String,
    pub found: Found,
}

impl Listed {
    pub fn order(&self) -> u64 {
        match &self.found {
            Found::Current(row) => row.order(),
            Found::Kept(row) => row.order(),
        }
    }

    fn version(&self) -> &str {
        version::text(match &self.found {
            Found::Current(row) => row.version.as_ref(),
            Found::Kept(row) => row.version(),
        })
    }
}

/// All versions of all keys of a bucket, as they were at one moment.
pub(crate) struct Versions<'a> {
    bucket: &'a str,
    objects: Peekable<Range>,
    kept: Peekable<Range>,
}

impl<'a> Versions<'a> {
    /// From this key on.
    pub fn from(store: &Store, bucket: &'a str, key: &[u8]) -> Self {
        let (mut start, end) = bucket_rows(bucket);
        start.extend(key);
        let ranges = [(Space::Objects, start.clone()..end.clone()), (Space::Versions, start..end)];
        let [objects, kept] = store.ranges(ranges);
        Self { bucket, objects: objects.peekable(), kept: kept.peekable() }
    }

    /// Behind a version of a key, or from the key on. A current object of that key that is older comes, too.
    pub fn behind(store: &Store, bucket: &'a str, key: &str, order: Option<u64>) -> Self {
        let Some(order) = order else { return Self::from(store, bucket, key.as_bytes()) };
        let (mut start, end) = bucket_rows(bucket);
        start.extend(key.as_bytes());
        let kept = [&version_key(bucket, key, order)[..], b"\0"].concat();
        let [objects, kept] =
            store.ranges([(Space::Objects, start.clone()..end.clone()), (Space::Versions, kept..end)]);
        let mut versions = Self { bucket, objects: objects.peekable(), kept: kept.peekable() };
        let listed =
            |row: &store::Row| row.0 == start && decode::<ObjectRow>(&row.1).is_ok_and(|row| row.order() >= order);
        if versions.objects.peek().is_some_and(|row| row.as_ref().is_ok_and(listed)) {
            versions.objects.next();
        }
        versions
    }

    /// The key of the next row.
    pub fn next_key(&mut self) -> S3Result<Option<String>> {
        let next = [Self::peek(&mut self.objects)?, Self::peek(&mut self.kept)?];
        let keys = next.into_iter().flatten().map(|key| self.key(&key)).collect::<S3Result<Vec<_>>>()?;
        Ok(keys.into_iter().min())
    }

    fn key(&self, row_key: &[u8]) -> S3Result<String> {
        let name = row_key.get(self.bucket.len() + 1..).unwrap_or_default();
        let key = name.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8(key.to_vec()).map_err(|_| internal("the key of a row is not UTF-8"))
    }

    fn peek(rows: &mut Peekable<Range>) -> S3Result<Option<Bytes>> {
        match rows.peek() {
            Some(Ok((key, _))) => Ok(Some(key.clone())),
            Some(Err(_)) => match rows.next() {
                Some(Err(error)) => Err(store_error(error)),
                _ => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn take(&mut self) -> S3Result<Option<Listed>> {
        let object = Self::peek(&mut self.objects)?.map(|key| self.key(&key)).transpose()?;
        let kept = Self::peek(&mut self.kept)?.map(|key| self.key(&key)).transpose()?;
        let object_is_next = match (&object, &kept) {
            (None, None) => return Ok(None),
            (Some(object), Some(kept)) => object <= kept,
            (object, _) => object.is_some(),
        };
        let rows = if object_is_next { &mut self.objects } else { &mut self.kept };
        let Some(row) = rows.next() else { return Ok(None) };
        let (_, row) = row.map_err(store_error)?;
        let found = if object_is_next { Found::Current(decode(&row)?) } else { Found::Kept(decode(&row)?) };
        let key = if object_is_next { object } else { kept };
        Ok(Some(Listed { key: key.unwrap_or_default(), found }))
    }
}

impl Iterator for Versions<'_> {
    type Item = S3Result<Listed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take().transpose()
    }
}

/// What to list.
struct Walk<'a> {
    store: &'a Store,
    bucket: &'a str,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    max: usize,
}

/// Where the page before ended: at this key, and at the version of it that has this number. Without a number all of its
/// versions have been listed, and all that begins with it if it is a group.
struct Marker<'a> {
    key: &'a str,
    order: Option<u64>,
}

impl Marker<'_> {
    fn is_before(&self, listed: &Listed) -> bool {
        listed.key.as_str() > self.key
            || (listed.key == self.key && self.order.is_some_and(|order| listed.order() < order))
    }
}

enum Item {
    Version(Box<Listed>),
    Prefix(String),
}

impl Walk<'_> {
    /// A page, and whether there is more.
    fn page(&self, marker: &Marker<'_>) -> S3Result<(Vec<Item>, bool)> {
        let mut items = Vec::new();
        if self.max == 0 {
            return Ok((items, false));
        }
        let start = match marker.order {
            Some(_) => marker.key.to_owned(),
            None if marker.key.is_empty() => String::new(),
            None => behind(marker.key),
        };
        let mut rows = match marker.order {
            Some(order) if marker.key >= self.prefix => {
                Versions::behind(self.store, self.bucket, marker.key, Some(order))
            }
            _ => Versions::from(self.store, self.bucket, self.prefix.max(&start).as_bytes()),
        };
        while let Some(listed) = rows.next().transpose()? {
            if !listed.key.starts_with(self.prefix) {
                break;
            }
            if !marker.key.is_empty() && !marker.is_before(&listed) {
                continue;
            }
            let group = group(&listed.key, self.prefix, self.delimiter).map(str::to_owned);
            let is_listed = group.as_ref().is_some_and(|group| marker.key.starts_with(group.as_str()));
            if !is_listed && items.len() == self.max {
                return Ok((items, true));
            }
            match group {
                None => items.push(Item::Version(Box::new(listed))),
                Some(group) => {
                    // The rest of the group is skipped by seeking: it may be millions of keys.
                    rows = Versions::from(self.store, self.bucket, &walk::behind(&group));
                    if !is_listed {
                        items.push(Item::Prefix(group));
                    }
                }
            }
        }
        Ok((items, false))
    }
}

pub(crate) fn list(
    s3: &EmbeddedS3,
    req: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_bucket("s3:ListBucketVersions"))?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = page_size(input.max_keys, "maxKeys")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = given(input.delimiter.as_deref());
    let key_marker = given(input.key_marker.as_deref());
    let version_marker = given(input.version_id_marker.as_deref());
    if version_marker.is_some() && key_marker.is_none() {
        return Err(invalid_argument("A version-id marker cannot be specified without a key marker."));
    }
    let order = order_of(s3, (&input.bucket, &bucket), key_marker.unwrap_or_default(), version_marker)?;
    let walk = Walk { store: s3.store(), bucket: &input.bucket, prefix, delimiter, max };
    let (items, truncated) = walk.page(&Marker { key: key_marker.unwrap_or_default(), order })?;
    let (next_key_marker, next_version_id_marker) = match items.last().filter(|_| truncated) {
        None => (None, None),
        Some(Item::Prefix(prefix)) => (Some(encoding.text(prefix)), None),
        Some(Item::Version(listed)) => (Some(encoding.text(&listed.key)), Some(listed.version().to_owned())),
    };
    let mut output = ListObjectVersionsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.text(prefix)),
        key_marker: Some(encoding.text(key_marker.unwrap_or_default())),
        version_id_marker: Some(version_marker.unwrap_or_default().to_owned()),
        next_key_marker,
        next_version_id_marker,
        max_keys: i32::try_from(max).ok(),
        is_truncated: Some(truncated),
        delimiter: encoding.opt(delimiter),
        encoding_type: encoding.name(),
        ..Default::default()
    };
    fill(&mut output, &items, encoding, &bucket);
    Ok(S3Response::new(output))
}

/// The number of the version that a page begins behind.
fn order_of(
    s3: &EmbeddedS3,
    (bucket, row): (&str, &BucketRow),
    key: &str,
    version: Option<&str>,
) -> S3Result<Option<u64>> {
    match VersionRef::of(version)? {
        None => Ok(None),
        Some(VersionRef::Id(id)) => Ok(Some(id.order())),
        // If it has gone meanwhile, nobody knows where it was, and the page begins behind its key.
        Some(VersionRef::Null) => {
            Ok(Stage::new(s3, bucket, row).find(key, &VersionRef::Null)?.map(|found| match found {
                Found::Current(row) => row.order(),
                Found::Kept(row) => row.order(),
            }))
        }
    }
}

fn fill(output: &mut ListObjectVersionsOutput, items: &[Item], encoding: Encoding, bucket: &BucketRow) {
    let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let listed = match item {
            Item::Prefix(prefix) => {
                prefixes.push(CommonPrefix { prefix: Some(encoding.text(prefix)) });
                continue;
            }
            Item::Version(listed) => listed,
        };
        let key = encoding.text(&listed.key);
        match &listed.found {
            Found::Current(row) => versions.push(entry(key, row, true, bucket)),
            Found::Kept(kept) => match &kept.kept {
                Kept::Object(row) => versions.push(entry(key, row, false, bucket)),
                Kept::Marker(row) => markers.push(marker(key, row, kept.is_latest(), bucket)),
            },
        }
    }
    output.versions = Some(versions);
    output.delete_markers = Some(markers);
    output.common_prefixes = Some(prefixes);
}

fn entry(key: String, row: &ObjectRow, is_latest: bool, bucket: &BucketRow) -> ObjectVersion {
    let (checksum_algorithm, checksum_type) = listed_checksum(row.checksum.as_ref());
    ObjectVersion {
        key: Some(key),
        version_id: Some(version::text(row.version.as_ref()).to_owned()),
        is_latest: Some(is_latest),
        size: i64::try_from(row.size).ok(),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        e_tag: Some(ETag::Strong(row.etag.clone())),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        owner: Some(display_owner(&bucket.owner, &bucket.owner_name)),
        checksum_algorithm,
        checksum_type,
        ..Default::default()
    }
}

fn marker(key: String, row: &MarkerRow, is_latest: bool, bucket: &BucketRow) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(key),
        version_id: Some(version::text(row.version.as_ref()).to_owned()),
        is_latest: Some(is_latest),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        owner: Some(display_owner(&bucket.owner, &bucket.owner_name)),
    }
}
