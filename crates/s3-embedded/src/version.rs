//! Versions of an object: their ids, their order, and the rows of those that are not current.
//!
//! The current version of a key is its row in `Objects`, versioned or not: reading it takes one look, and `ListObjects` meets
//! nothing else. All other versions stand in `Versions`, with the delete markers, the latest one among them: a key without a
//! row in `Objects` has no current object, whatever stands there. Rows of a key are in S3's order, the newest first.
//!
//! Each version has a number by which it stands in that order: the milliseconds of its making, and more than that if an
//! earlier one of its key has as many. A version id begins with that number, so that it is found without a search. Where the
//! version `null` stands is written in a row of its own.

use aws_api::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::S3Result;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::invalid_argument;
use crate::row::{BucketRow, ObjectRow};

/// The name of the version that a bucket without versioning, or with suspended versioning, writes.
pub(crate) const NULL: &str = "null";
/// Bytes of an id: the number, and as many as a UUID has.
const ID_BYTES: usize = 24;

/// Whether new objects replace old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Versioning {
    /// They stand beside them.
    Enabled,
    /// They replace the version `null`; all others stay.
    Suspended,
}

/// The id of a version that is not `null`: 32 characters, opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct VersionId(String);

impl VersionId {
    /// Of the version with this number. `mark` is the writer's own, so that an id does not come twice.
    pub fn new(order: u64, mark: [u8; 16]) -> Self {
        let mut bytes = [0; ID_BYTES];
        bytes[..8].copy_from_slice(&order.to_be_bytes());
        bytes[8..].copy_from_slice(&mark);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == ID_BYTES).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its number.
    pub fn order(&self) -> u64 {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).unwrap_or_default();
        bytes.first_chunk().map_or(0, |order| u64::from_be_bytes(*order))
    }
}

/// A version as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionRef {
    Null,
    Id(VersionId),
}

impl VersionRef {
    /// Reads `versionId`. What no version can have for an id is `InvalidArgument`.
    pub fn of(text: Option<&str>) -> S3Result<Option<Self>> {
        match text {
            None => Ok(None),
            Some(NULL) => Ok(Some(Self::Null)),
            Some(text) => match VersionId::parse(text) {
                Some(id) => Ok(Some(Self::Id(id))),
                None => Err(invalid_argument("Invalid version id specified")),
            },
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Null => NULL,
            Self::Id(id) => id.as_str(),
        }
    }

    pub fn is(&self, id: Option<&VersionId>) -> bool {
        match (self, id) {
            (Self::Null, None) => true,
            (Self::Id(own), Some(id)) => own == id,
            _ => false,
        }
    }
}

/// What stands for an object that was deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MarkerRow {
    pub modified: Timestamp,
    /// `None` is the version `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    pub order: u64,
}

/// What a row of `Versions` keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "one at a time is in memory")]
pub(crate) enum Kept {
    Object(ObjectRow),
    Marker(MarkerRow),
}

/// A version that is not the current object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionRow {
    /// When a newer version took its place. `None`: it is a delete marker, and the latest version of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_since: Option<Timestamp>,
    pub kept: Kept,
}

impl VersionRow {
    pub fn version(&self) -> Option<&VersionId> {
        match &self.kept {
            Kept::Object(row) => row.version.as_ref(),
            Kept::Marker(row) => row.version.as_ref(),
        }
    }

    pub fn order(&self) -> u64 {
        match &self.kept {
            Kept::Object(row) => row.order(),
            Kept::Marker(row) => row.order,
        }
    }

    pub fn modified(&self) -> Timestamp {
        match &self.kept {
            Kept::Object(row) => row.modified,
            Kept::Marker(row) => row.modified,
        }
    }

    /// Whether it is a delete marker, and the key's latest version.
    pub fn is_latest(&self) -> bool {
        self.noncurrent_since.is_none()
    }
}

impl ObjectRow {
    /// Its number among the versions of its key. What was written before there was versioning has the time of its writing.
    pub fn order(&self) -> u64 {
        let written = u64::try_from(self.modified.as_millis()).unwrap_or_default();
        self.version.as_ref().map(VersionId::order).or(self.order).unwrap_or(written)
    }
}

/// An id as answers show it.
pub(crate) fn text(version: Option<&VersionId>) -> &str {
    version.map_or(NULL, VersionId::as_str)
}

impl BucketRow {
    /// `x-amz-version-id`: not where there never was more than one version, unless it was asked for by name.
    pub fn shown_version(&self, version: Option<&VersionId>, asked: bool) -> Option<String> {
        (self.versioning.is_some() || asked).then(|| text(version).to_owned())
    }
}

/// When a version is made, and by which request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// In whole seconds.
    pub now: Timestamp,
    /// To the millisecond.
    pub arrived: Timestamp,
    pub mark: [u8; 16],
}

impl Moment {
    /// Of a change that no request makes.
    pub fn of_service(now: Timestamp) -> Self {
        Self { now: Timestamp::from_secs(now.as_secs()), arrived: now, mark: *Uuid::nil().as_bytes() }
    }

    /// The number of a version that is made now, behind all that are there.
    pub fn order_behind(&self, latest: Option<u64>) -> u64 {
        let now = u64::try_from(self.arrived.as_millis()).unwrap_or_default();
        latest.map_or(now, |latest| now.max(latest.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_their_number_and_nothing_else_is_one() {
        for order in [0, 1_773_480_413_104, u64::MAX] {
            let id = VersionId::new(order, [0xFF; 16]);
            assert_eq!((id.order(), id.as_str().len()), (order, 32));
            assert_eq!(VersionRef::of(Some(id.as_str())).unwrap(), Some(VersionRef::Id(id)));
        }
        let today = VersionId::new(1_773_480_413_104, [7; 16]);
        assert!(!today.as_str().starts_with('-'), "a command line would take it for an option");
        assert_eq!(VersionRef::of(Some(NULL)).unwrap(), Some(VersionRef::Null));
        for bad in ["", "v", "nul", "é", &"A".repeat(31), &"A".repeat(33), &"/".repeat(32)] {
            assert!(VersionRef::of(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_grow_also_if_the_clock_does_not() {
        let moment =
            |millis| Moment { now: Timestamp::default(), arrived: Timestamp::from_millis(millis), mark: [0; 16] };
        assert_eq!(moment(5).order_behind(None), 5);
        assert_eq!(moment(5).order_behind(Some(4)), 5);
        assert_eq!(moment(5).order_behind(Some(5)), 6);
        assert_eq!(moment(5).order_behind(Some(900)), 901);
    }
}
