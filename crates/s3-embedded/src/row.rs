//! What is stored: rows as `MessagePack` maps with names, so that a later version can add a member; and their keys.
//!
//! | space | key | value |
//! |---|---|---|
//! | `Buckets` | bucket | [`BucketRow`] |
//! | `Objects` | bucket NUL key | [`ObjectRow`]: the current version, if it is no delete marker |
//! | `Versions` | bucket NUL key NUL number (16 hexadecimal digits, counted from the top) | [`VersionRow`](crate::version::VersionRow) |
//! | `Versions` | bucket SOH key | the number of the version `null`, if that stands in `Versions` |
//! | `Uploads` | bucket NUL key NUL upload id | [`UploadRow`] |
//! | `Parts` | upload id NUL number (2 bytes, big-endian) | [`PartRow`] |
//! | `Bodies` | 16 bytes, random | up to 64 KiB of a body, an array of [`PartRow`], or a document of a bucket's configuration |
//!
//! Neither bucket names nor keys contain NUL, so rows of a bucket stand together and keys sort by their UTF-8 bytes.

use std::collections::BTreeMap;

use aws_api::Timestamp;
use s3s::S3Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, Checksum, Kind};
use crate::context::Owner;
use crate::error::internal;
use crate::ownership::Ownership;
use crate::public_access::PublicAccessBlock;
use crate::version::{VersionId, Versioning};

/// A bucket. It is read with each request, so what may be large is a document of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BucketRow {
    /// The account, twelve digits.
    pub owner: String,
    pub owner_name: String,
    pub created: Timestamp,
    /// `LocationConstraint` as it was given; `None` is us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its policy: the key in `Bodies` of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<DocumentId>,
    /// A log file or digest was once delivered here. It never turns false again: what is here stays protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_logs: bool,
    /// `None`: it never was versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<Versioning>,
    /// Its lifecycle rules: a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<DocumentId>,
    /// Its tags: a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<DocumentId>,
    /// `None`: it was deleted, and nothing is blocked.
    #[serde(default = "PublicAccessBlock::of_new", skip_serializing_if = "PublicAccessBlock::is_of_new")]
    pub public_access_block: Option<PublicAccessBlock>,
    /// `None`: it was deleted, which is as good as `ObjectWriter`.
    #[serde(default = "Ownership::of_new", skip_serializing_if = "Ownership::is_of_new")]
    pub ownership: Option<Ownership>,
}

impl BucketRow {
    /// As new buckets are since April 2023: closed to the public, without ACLs.
    pub fn new(owner: &Owner, created: Timestamp, region: Option<String>) -> Self {
        Self {
            owner: owner.account.clone(),
            owner_name: owner.display_name.clone(),
            created,
            region,
            policy: None,
            holds_logs: false,
            versioning: None,
            lifecycle: None,
            tags: None,
            public_access_block: PublicAccessBlock::of_new(),
            ownership: Ownership::of_new(),
        }
    }
}

/// The key in `Bodies` of a document of a bucket's configuration. Another document has another one.
pub(crate) type DocumentId = [u8; 16];

/// Headers of an object that its reader gets back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// As it came: S3 does not look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `x-amz-meta-*`, without the prefix, lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
}

/// Where the bytes of an object or part are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BodyRow {
    /// Nowhere: there are none.
    Empty,
    /// In a row of `Bodies`.
    Inline([u8; 16]),
    /// In a file.
    Blob(u64),
    /// In its parts, which a row of `Bodies` lists.
    Parts([u8; 16]),
}

/// An object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ObjectRow {
    pub size: u64,
    pub modified: Timestamp,
    /// Without quotes.
    pub etag: String,
    pub body: BodyRow,
    /// Of a multipart upload: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u16>,
    #[serde(default)]
    pub meta: Meta,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// `None` is the version `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// The number of a version `null` of a bucket that is or was versioned; ids hold that of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
}

/// A multipart upload under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct UploadRow {
    pub initiated: Timestamp,
    /// Who began it. What comes of it belongs to the bucket's owner.
    pub owner: String,
    pub owner_name: String,
    #[serde(default)]
    pub meta: Meta,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// What `CreateMultipartUpload` asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<(Algorithm, Kind)>,
}

impl UploadRow {
    /// The checksum that the finished object will have.
    pub fn checksum(&self) -> (Algorithm, Kind) {
        self.checksum.unwrap_or((Algorithm::DEFAULT, Kind::FullObject))
    }
}

/// A part, of an upload or of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartRow {
    pub number: u16,
    pub size: u64,
    pub etag: String,
    pub modified: Timestamp,
    pub body: BodyRow,
    /// Base64 by algorithm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sums: Vec<(Algorithm, String)>,
}

impl PartRow {
    pub fn sum(&self, algorithm: Algorithm) -> Option<&str> {
        self.sums.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_str())
    }
}

pub(crate) fn encode<T: Serialize>(row: &T) -> S3Result<Vec<u8>> {
    rmp_serde::to_vec_named(row).map_err(internal)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> S3Result<T> {
    rmp_serde::from_slice(bytes).map_err(internal)
}

pub(crate) fn object_key(bucket: &str, key: &str) -> Vec<u8> {
    [bucket.as_bytes(), b"\0", key.as_bytes()].concat()
}

/// Where a version stands: the newest first.
pub(crate) fn version_key(bucket: &str, key: &str, order: u64) -> Vec<u8> {
    let place = format!("{:016x}", u64::MAX - order);
    [bucket.as_bytes(), b"\0", key.as_bytes(), b"\0", place.as_bytes()].concat()
}

/// The versions of a key: from here up to, not including, there.
pub(crate) fn version_rows(bucket: &str, key: &str) -> (Vec<u8>, Vec<u8>) {
    let start = [bucket.as_bytes(), b"\0", key.as_bytes()].concat();
    ([&start[..], b"\0"].concat(), [&start[..], b"\x01"].concat())
}

/// Where it is written where the version `null` stands. Outside of [`bucket_rows`].
pub(crate) fn null_key(bucket: &str, key: &str) -> Vec<u8> {
    [bucket.as_bytes(), b"\x01", key.as_bytes()].concat()
}

pub(crate) fn upload_key(bucket: &str, key: &str, upload_id: &str) -> Vec<u8> {
    [bucket.as_bytes(), b"\0", key.as_bytes(), b"\0", upload_id.as_bytes()].concat()
}

pub(crate) fn part_key(upload_id: &str, number: u16) -> Vec<u8> {
    [upload_id.as_bytes(), b"\0", &number.to_be_bytes()].concat()
}

/// All rows of a bucket, in `Objects`, `Versions` or `Uploads`: from here up to, not including, there.
pub(crate) fn bucket_rows(bucket: &str) -> (Vec<u8>, Vec<u8>) {
    ([bucket.as_bytes(), b"\0"].concat(), [bucket.as_bytes(), b"\x01"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Later {
        owner: String,
        owner_name: String,
        created: Timestamp,
        paint: bool,
    }

    #[test]
    fn rows_come_back_and_a_later_member_does_not_hurt() {
        let object = ObjectRow {
            size: 5,
            modified: Timestamp::from_secs(7),
            etag: "e".into(),
            body: BodyRow::Inline([7; 16]),
            parts: None,
            meta: Meta { content_type: Some("text/plain".into()), ..Meta::default() },
            tags: vec![("a".into(), "b".into())],
            checksum: Some(Checksum { algorithm: Algorithm::Sha1, value: "x".into(), kind: Kind::FullObject }),
            version: Some(VersionId::new(7, [1; 16])),
            order: None,
        };
        assert_eq!(decode::<ObjectRow>(&encode(&object).unwrap()).unwrap(), object);

        let later = Later { owner: "1".into(), owner_name: "n".into(), created: Timestamp::from_secs(1), paint: true };
        let row: BucketRow = decode(&encode(&later).unwrap()).unwrap();
        assert_eq!((row.owner.as_str(), &row.region), ("1", &None));
        // What was not there when it was written is as in a new bucket.
        let owner = Owner { account: "1".into(), display_name: "n".into() };
        assert_eq!(row, BucketRow::new(&owner, Timestamp::from_secs(1), None));
        let open = BucketRow { public_access_block: None, ownership: None, ..row };
        assert_eq!(decode::<BucketRow>(&encode(&open).unwrap()).unwrap(), open);
        assert!(decode::<BucketRow>(b"\x81").is_err());
    }
}
