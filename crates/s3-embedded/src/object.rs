//! Objects. One file for each thing that is done with them.

pub(crate) mod attributes;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod put;
pub(crate) mod tagging;

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Error, S3ErrorCode, S3Result};
use store::Space;

use crate::EmbeddedS3;
use crate::access::{Actions, on_bucket, on_version};
use crate::context::Call;
use crate::error::{access_denied, fail, no_such_key};
use crate::row::{BucketRow, ObjectRow, object_key};
use crate::stage::{Found, Stage};
use crate::version::{self, Kept, VersionRef, VersionRow};

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

impl EmbeddedS3 {
    /// The object, if there is one.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<Option<ObjectRow>> {
        self.row(Space::Objects, &object_key(bucket, key))
    }

    /// The object or the version of it that is named, if the caller may do this to it, and its bucket.
    ///
    /// Whether there is none is told only to who may list the bucket (S3 API reference, `GetObject`, "Permissions").
    pub(crate) fn permitted_object(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        version: Option<&VersionRef>,
        actions: Actions,
    ) -> S3Result<(BucketRow, ObjectRow)> {
        let row = self.bucket(call, bucket, on_version(actions, key, version))?;
        let missing = match self.object_or_version(bucket, &row, key, version)? {
            Ok(object) => return Ok((row, object)),
            Err(missing) => missing,
        };
        self.check(call, bucket, &row, on_bucket("s3:ListBucket")).map_err(|_| access_denied())?;
        Err(missing)
    }

    /// The object or the version of it that is named, or why there is none.
    pub(crate) fn object_or_version(
        &self,
        bucket: &str,
        row: &BucketRow,
        key: &str,
        version: Option<&VersionRef>,
    ) -> S3Result<Result<ObjectRow, S3Error>> {
        let Some(version) = version else {
            if let Some(object) = self.object(bucket, key)? {
                return Ok(Ok(object));
            }
            let marker = Stage::new(self, bucket, row).newest_kept(key)?;
            return Ok(Err(marker.map_or_else(|| no_such_key(key), |marker| deleted(no_such_key(key), &marker))));
        };
        Ok(match self.version(bucket, row, key, version)? {
            Some(Found::Current(object) | Found::Kept(VersionRow { kept: Kept::Object(object), .. })) => Ok(object),
            Some(Found::Kept(marker)) => {
                let error =
                    fail(S3ErrorCode::MethodNotAllowed, "The specified method is not allowed against this resource.");
                Err(deleted(error, &marker))
            }
            None if row.versioning.is_none() && *version == VersionRef::Null => Err(no_such_key(key)),
            None => Err(fail(S3ErrorCode::NoSuchVersion, "The specified version does not exist.")),
        })
    }
}

/// An error that says that it is about a delete marker ("Working with delete markers").
fn deleted(mut error: S3Error, marker: &VersionRow) -> S3Error {
    let mut headers = HeaderMap::new();
    let mut tell = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    tell("content-type", "application/xml");
    tell("x-amz-delete-marker", "true");
    tell("x-amz-version-id", version::text(marker.version()));
    if *error.code() == S3ErrorCode::MethodNotAllowed {
        tell("allow", "DELETE");
        tell("last-modified", &marker.modified().to_http_date());
    }
    error.set_headers(headers);
    error
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
