//! Changes of keys and of their versions, staged in one unit. Later steps see what earlier ones did.
//!
//! All who write an object or take one away go through here, so that its bytes are given up exactly when its last row goes. The
//! caller holds the locks of the keys.

use std::collections::BTreeMap;

use bytes::Bytes;
use s3s::S3Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::error::{internal, store_error};
use crate::row::{BucketRow, ObjectRow, decode, encode, null_key, object_key, version_key, version_rows};
use crate::version::{Kept, MarkerRow, Moment, VersionId, VersionRef, VersionRow, Versioning};

/// Changes inside one bucket.
pub(crate) struct Stage<'a> {
    s3: &'a EmbeddedS3,
    bucket: &'a str,
    versioning: Option<Versioning>,
    unit: Unit,
    /// What the unit will write of `Objects` and `Versions`.
    staged: BTreeMap<(Space, Vec<u8>), Option<Bytes>>,
}

/// A version and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// The current object.
    Current(ObjectRow),
    /// Any other version.
    Kept(VersionRow),
}

/// What a deletion did, as its answer tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Deletion {
    /// The version that was named, or that was made: `null` too.
    pub version: Option<String>,
    /// It was a delete marker that was made, or that went.
    pub marker: bool,
}

impl<'a> Stage<'a> {
    /// In a bucket whose row was just read.
    pub fn new(s3: &'a EmbeddedS3, bucket: &'a str, row: &BucketRow) -> Self {
        Self { s3, bucket, versioning: row.versioning, unit: Unit::new(), staged: BTreeMap::new() }
    }

    /// To hold guards, to place bodies, and for rows of other spaces.
    pub fn unit(&mut self) -> &mut Unit {
        &mut self.unit
    }

    pub fn into_unit(self) -> Unit {
        self.unit
    }

    /// The current object.
    pub fn current(&self, key: &str) -> S3Result<Option<ObjectRow>> {
        self.get(Space::Objects, object_key(self.bucket, key))
    }

    /// The newest version that is not the current object: where there is none, it is a delete marker.
    pub fn newest_kept(&self, key: &str) -> S3Result<Option<VersionRow>> {
        if self.versioning.is_none() {
            return Ok(None);
        }
        let (from, to) = version_rows(self.bucket, key);
        let mut staged = self.staged.range((Space::Versions, from.clone())..(Space::Versions, to.clone()));
        let staged = staged.find_map(|((_, key), row)| row.as_ref().map(|row| (key.clone(), row.clone())));
        for row in self.s3.store().range(Space::Versions, from..to) {
            let (row_key, row) = row.map_err(store_error)?;
            if staged.as_ref().is_some_and(|(staged, _)| staged[..] <= row_key[..]) {
                break;
            }
            if !self.staged.contains_key(&(Space::Versions, row_key.to_vec())) {
                return decode(&row).map(Some);
            }
        }
        staged.map(|(_, row)| decode(&row)).transpose()
    }

    /// A version by its name.
    pub fn find(&self, key: &str, version: &VersionRef) -> S3Result<Option<Found>> {
        let current = self.current(key)?.filter(|row| version.is(row.version.as_ref()));
        if current.is_some() || self.versioning.is_none() {
            return Ok(current.map(Found::Current));
        }
        let order = match version {
            VersionRef::Id(id) => Some(id.order()),
            VersionRef::Null => self.get(Space::Versions, null_key(self.bucket, key))?,
        };
        let Some(order) = order else { return Ok(None) };
        let row: Option<VersionRow> = self.get(Space::Versions, version_key(self.bucket, key, order))?;
        Ok(row.filter(|row| version.is(row.version())).map(Found::Kept))
    }

    /// Gives a row that is about to be written its id and its number. `old` is the current object.
    pub fn number(&self, key: &str, row: &mut ObjectRow, old: Option<&ObjectRow>, moment: Moment) -> S3Result<()> {
        (row.version, row.order) = match self.versioning {
            None => (None, None),
            Some(Versioning::Enabled) => (Some(VersionId::new(self.next(key, old, moment)?, moment.mark)), None),
            Some(Versioning::Suspended) => (None, Some(self.next(key, old, moment)?)),
        };
        Ok(())
    }

    fn next(&self, key: &str, old: Option<&ObjectRow>, moment: Moment) -> S3Result<u64> {
        let latest = match old {
            Some(old) => Some(old.order()),
            None => self.newest_kept(key)?.map(|row| row.order()),
        };
        Ok(moment.order_behind(latest))
    }

    /// Makes a numbered row the current object of its key.
    pub fn write(&mut self, key: &str, row: &ObjectRow, old: Option<ObjectRow>, moment: Moment) -> S3Result<()> {
        self.make_room(key, old, Some(row), moment)?;
        self.put(Space::Objects, object_key(self.bucket, key), row)
    }

    /// Writes another row of a version that stays where it is.
    pub fn rewrite(&mut self, key: &str, found: &Found) -> S3Result<()> {
        match found {
            Found::Current(row) => self.put(Space::Objects, object_key(self.bucket, key), row),
            Found::Kept(row) => self.put(Space::Versions, version_key(self.bucket, key, row.order()), row),
        }
    }

    /// Deletes the current object: where there is versioning, a delete marker takes its place, also if there is none.
    pub fn delete(&mut self, key: &str, moment: Moment) -> S3Result<Deletion> {
        let old = self.current(key)?;
        let Some(versioning) = self.versioning else {
            self.make_room(key, old, None, moment)?;
            return Ok(Deletion::default());
        };
        let order = self.next(key, old.as_ref(), moment)?;
        let version = (versioning == Versioning::Enabled).then(|| VersionId::new(order, moment.mark));
        self.make_room(key, old, None, moment)?;
        if version.is_none() {
            self.put(Space::Versions, null_key(self.bucket, key), &order)?;
        }
        let text = crate::version::text(version.as_ref()).to_owned();
        let kept = Kept::Marker(MarkerRow { modified: moment.now, version, order });
        let row = VersionRow { noncurrent_since: None, kept };
        self.put(Space::Versions, version_key(self.bucket, key, order), &row)?;
        Ok(Deletion { version: Some(text), marker: true })
    }

    /// Deletes one version for good. The one behind it takes its place if it was the latest. No error if it is not there.
    pub fn delete_version(&mut self, key: &str, version: &VersionRef) -> S3Result<Deletion> {
        let mut done = Deletion { version: Some(version.as_str().to_owned()), marker: false };
        match self.find(key, version)? {
            None => {}
            Some(Found::Current(row)) => {
                self.s3.free(&mut self.unit, &row.body)?;
                self.remove(Space::Objects, object_key(self.bucket, key));
                self.promote(key)?;
            }
            Some(Found::Kept(row)) => {
                done.marker = matches!(row.kept, Kept::Marker(_));
                self.remove_kept(key, &row)?;
                if row.is_latest() {
                    self.promote(key)?;
                }
            }
        }
        Ok(done)
    }

    /// Takes the current object away for `new`, or for nothing: it is gone, or becomes one of the older versions.
    fn make_room(
        &mut self,
        key: &str,
        old: Option<ObjectRow>,
        new: Option<&ObjectRow>,
        moment: Moment,
    ) -> S3Result<()> {
        let replaces_null = self.versioning != Some(Versioning::Enabled);
        let is_null = old.as_ref().is_some_and(|old| old.version.is_none());
        if new.is_none() && old.is_some() {
            self.remove(Space::Objects, object_key(self.bucket, key));
        }
        if replaces_null && is_null {
            let body = old.map(|old| old.body).filter(|body| Some(body) != new.map(|new| &new.body));
            return body.map_or(Ok(()), |body| self.s3.free(&mut self.unit, &body));
        }
        if self.versioning.is_none() {
            return Ok(());
        }
        if replaces_null && let Some(Found::Kept(null)) = self.find(key, &VersionRef::Null)? {
            self.remove_kept(key, &null)?;
        }
        match old {
            Some(old) => self.keep(key, old, moment),
            None => self.outdate_marker(key, moment),
        }
    }

    /// Moves what was the current object among the older versions.
    fn keep(&mut self, key: &str, old: ObjectRow, moment: Moment) -> S3Result<()> {
        let order = old.order();
        if old.version.is_none() {
            self.put(Space::Versions, null_key(self.bucket, key), &order)?;
        }
        let row = VersionRow { noncurrent_since: Some(moment.now), kept: Kept::Object(old) };
        self.put(Space::Versions, version_key(self.bucket, key, order), &row)
    }

    /// A delete marker is not the latest version any more.
    fn outdate_marker(&mut self, key: &str, moment: Moment) -> S3Result<()> {
        let Some(mut row) = self.newest_kept(key)?.filter(VersionRow::is_latest) else { return Ok(()) };
        row.noncurrent_since = Some(moment.now);
        self.put(Space::Versions, version_key(self.bucket, key, row.order()), &row)
    }

    /// The newest of the older versions becomes the latest.
    fn promote(&mut self, key: &str) -> S3Result<()> {
        let Some(mut row) = self.newest_kept(key)? else { return Ok(()) };
        let order = row.order();
        if let Kept::Object(object) = row.kept {
            self.remove(Space::Versions, version_key(self.bucket, key, order));
            if object.version.is_none() {
                self.remove(Space::Versions, null_key(self.bucket, key));
            }
            return self.put(Space::Objects, object_key(self.bucket, key), &object);
        }
        row.noncurrent_since = None;
        self.put(Space::Versions, version_key(self.bucket, key, order), &row)
    }

    fn remove_kept(&mut self, key: &str, row: &VersionRow) -> S3Result<()> {
        if let Kept::Object(object) = &row.kept {
            self.s3.free(&mut self.unit, &object.body)?;
        }
        if row.version().is_none() {
            self.remove(Space::Versions, null_key(self.bucket, key));
        }
        self.remove(Space::Versions, version_key(self.bucket, key, row.order()));
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, space: Space, key: Vec<u8>) -> S3Result<Option<T>> {
        if self.staged.is_empty() {
            return self.s3.row(space, &key);
        }
        let key = (space, key);
        match self.staged.get(&key) {
            Some(row) => row.as_ref().map(|row| decode(row)).transpose(),
            None => self.s3.row(space, &key.1),
        }
    }

    fn put<T: Serialize>(&mut self, space: Space, key: Vec<u8>, row: &T) -> S3Result<()> {
        let row = Bytes::from(encode(row)?);
        self.unit.put(space, key.clone(), row.clone());
        self.staged.insert((space, key), Some(row));
        Ok(())
    }

    fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.unit.delete(space, key.clone());
        self.staged.insert((space, key), None);
    }
}

/// How often a version is looked for again that may have moved between two looks.
const LOOKS: usize = 8;

impl EmbeddedS3 {
    /// A version by its name, without a lock.
    pub(crate) fn version(
        &self,
        bucket: &str,
        row: &BucketRow,
        key: &str,
        version: &VersionRef,
    ) -> S3Result<Option<Found>> {
        let stage = Stage::new(self, bucket, row);
        for _ in 0..LOOKS {
            let before = stage.current(key)?.map(|row| row.order());
            if let Some(found) = stage.find(key, version)? {
                return Ok(Some(found));
            }
            // It is not there, unless it came into the first place after that had been looked at.
            if row.versioning.is_none() || stage.current(key)?.map(|row| row.order()) == before {
                return Ok(None);
            }
        }
        Err(internal("the versions of a key moved each time they were looked at"))
    }
}
