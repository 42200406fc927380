//! Objects. One file for each thing that is done with them.

pub(crate) mod attributes;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod put;
pub(crate) mod tagging;

use s3s::{S3ErrorCode, S3Result};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::{on_bucket, on_key};
use crate::context::Call;
use crate::error::{access_denied, fail, invalid_argument, no_such_key};
use crate::row::{ObjectRow, encode, object_key};

/// The longest key in bytes of UTF-8 ("Naming Amazon S3 objects").
pub(crate) const KEY_MAX: usize = 1024;

/// A key is any text but the empty one and one with NUL, which XML cannot carry and which separates our rows' keys.
pub(crate) fn check_key(key: &str) -> S3Result<()> {
    if key.len() > KEY_MAX {
        return Err(fail(S3ErrorCode::KeyTooLongError, "Your key is too long"));
    }
    // `..` climbs nowhere here, but the next tool that turns keys into paths may not be so careful.
    if key.is_empty() || key.contains('\0') || key.split('/').any(|segment| segment == "..") {
        return Err(fail(S3ErrorCode::InvalidURI, "Couldn't parse the specified URI."));
    }
    Ok(())
}

/// Versioning was never enabled: there is one version of each object, `null`.
pub(crate) fn check_version(version_id: Option<&str>) -> S3Result<()> {
    match version_id {
        None | Some("null") => Ok(()),
        Some(_) => Err(invalid_argument("Invalid version id specified")),
    }
}

impl EmbeddedS3 {
    /// The object, if there is one.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<Option<ObjectRow>> {
        self.row(Space::Objects, &object_key(bucket, key))
    }

    /// The object, if the caller may do this to it.
    ///
    /// Whether there is none is told only to who may list the bucket (S3 API reference, `GetObject`, "Permissions").
    pub(crate) fn permitted_object(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        action: &'static str,
    ) -> S3Result<ObjectRow> {
        let row = self.bucket(call, bucket, on_key(action, key))?;
        let object = self.object(bucket, key)?;
        if object.is_none() {
            self.check(call, bucket, &row, on_bucket("s3:ListBucket")).map_err(|_| access_denied())?;
        }
        object.ok_or_else(|| no_such_key(key))
    }

    /// Writes a row, and gives up the bytes of the one in its place.
    pub(crate) fn replace(
        &self,
        unit: &mut Unit,
        bucket: &str,
        key: &str,
        row: &ObjectRow,
        old: Option<&ObjectRow>,
    ) -> S3Result<()> {
        if let Some(old) = old
            && old.body != row.body
        {
            self.free(unit, &old.body)?;
        }
        unit.put(Space::Objects, object_key(bucket, key), encode(row)?);
        Ok(())
    }
}

/// Sets the member of an answer that belongs to a checksum's algorithm.
macro_rules! show_checksum {
    ($output:expr, $algorithm:expr, $value:expr) => {{
        let value = Some(String::from($value));
        match $algorithm {
            $crate::checksum::Algorithm::Crc32 => $output.checksum_crc32 = value,
            $crate::checksum::Algorithm::Crc32c => $output.checksum_crc32c = value,
            $crate::checksum::Algorithm::Crc64nvme => $output.checksum_crc64nvme = value,
            $crate::checksum::Algorithm::Sha1 => $output.checksum_sha1 = value,
            $crate::checksum::Algorithm::Sha256 => $output.checksum_sha256 = value,
        }
    }};
    ($output:expr, $checksum:expr) => {{
        if let Some(checksum) = $checksum {
            $crate::object::show_checksum!($output, checksum.algorithm, checksum.value.as_str());
            $output.checksum_type = Some(s3s::dto::ChecksumType::from_static(checksum.kind.name()));
        }
    }};
}
pub(crate) use show_checksum;
