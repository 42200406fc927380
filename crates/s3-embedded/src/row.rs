//! What is stored: rows as `MessagePack` maps with names, so that a later version can add a member; and their keys.
//!
//! | space | key | value |
//! |---|---|---|
//! | `Buckets` | bucket | [`BucketRow`] |
//! | `Objects` | bucket NUL key | [`ObjectRow`] |
//! | `Uploads` | bucket NUL key NUL upload id | [`UploadRow`] |
//! | `Parts` | upload id NUL number (2 bytes, big-endian) | [`PartRow`] |
//! | `Bodies` | 16 bytes, random | up to 64 KiB of a body, an array of [`PartRow`], or the text of a policy |
//!
//! Neither bucket names nor keys contain NUL, so rows of a bucket stand together and keys sort by their UTF-8 bytes.

use std::collections::BTreeMap;

use aws_api::Timestamp;
use s3s::S3Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bucket_policy::PolicyId;
use crate::checksum::{Algorithm, Checksum, Kind};
use crate::error::internal;

/// A bucket.
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
    pub policy: Option<PolicyId>,
    /// A log file or digest was once delivered here. It never turns false again: what is here stays protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_logs: bool,
}

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

pub(crate) fn upload_key(bucket: &str, key: &str, upload_id: &str) -> Vec<u8> {
    [bucket.as_bytes(), b"\0", key.as_bytes(), b"\0", upload_id.as_bytes()].concat()
}

pub(crate) fn part_key(upload_id: &str, number: u16) -> Vec<u8> {
    [upload_id.as_bytes(), b"\0", &number.to_be_bytes()].concat()
}

/// All rows of a bucket, in `Objects` or `Uploads`: from here up to, not including, there.
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
        versioning: bool,
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
        };
        assert_eq!(decode::<ObjectRow>(&encode(&object).unwrap()).unwrap(), object);

        let later =
            Later { owner: "1".into(), owner_name: "n".into(), created: Timestamp::from_secs(1), versioning: true };
        let row: BucketRow = decode(&encode(&later).unwrap()).unwrap();
        assert_eq!((row.owner.as_str(), row.region), ("1", None));
        assert!(decode::<BucketRow>(b"\x81").is_err());
    }
}
