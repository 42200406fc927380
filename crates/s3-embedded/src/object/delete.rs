//! `DeleteObject` and `DeleteObjects`.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
    ObjectIdentifier,
};
use s3s::{S3Error, S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::{Actions, on_version};
use crate::conditional;
use crate::context::Call;
use crate::error::{
    access_denied, header_not_implemented, invalid_request, malformed_xml, no_such_key, precondition_failed,
};
use crate::object::check_key;
use crate::row::BucketRow;
use crate::stage::{Deletion, Found, Stage};
use crate::version::{Kept, VersionRef, VersionRow};

/// Most keys of one request (`DeleteObjects`).
const KEYS_MAX: usize = 1000;

pub(crate) async fn one(
    s3: &EmbeddedS3,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_key(&input.key)?;
    let version = VersionRef::of(input.version_id.as_deref())?;
    // Of directory buckets only, and of buckets with MFA delete.
    if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() || input.mfa.is_some() {
        return Err(header_not_implemented());
    }
    let guards = s3.locks().keys(&input.bucket, [input.key.as_str()]).await;
    let row = s3.bucket(&call, &input.bucket, on_version(Actions::DELETE, &input.key, version.as_ref()))?;
    let mut stage = Stage::new(s3, &input.bucket, &row);
    stage.unit().hold(guards);
    if call.header("if-match").is_some() {
        let etag = etag_of(&stage, &input.key, version.as_ref())?;
        conditional::check_write(&call.head, &input.key, etag.as_deref())?;
    }
    let done = match &version {
        None => stage.delete(&input.key, call.moment())?,
        Some(version) => stage.delete_version(&input.key, version)?,
    };
    call.finish(s3.store(), stage.into_unit()).await?;
    let delete_marker = Some(true).filter(|_| done.marker);
    Ok(S3Response::new(DeleteObjectOutput { version_id: done.version, delete_marker, ..Default::default() }))
}

/// What a condition is tested against: the object that would be deleted, if there is one.
fn etag_of(stage: &Stage<'_>, key: &str, version: Option<&VersionRef>) -> S3Result<Option<String>> {
    let found = match version {
        None => stage.current(key)?.map(Found::Current),
        Some(version) => stage.find(key, version)?,
    };
    Ok(match found {
        Some(Found::Current(row) | Found::Kept(VersionRow { kept: Kept::Object(row), .. })) => Some(row.etag),
        Some(Found::Kept(_)) | None => None,
    })
}

pub(crate) async fn many(
    s3: &EmbeddedS3,
    req: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    if input.mfa.is_some() {
        return Err(header_not_implemented());
    }
    let protected =
        |name: &str| name == "content-md5" || name == "x-amz-trailer" || name.starts_with("x-amz-checksum-");
    if !call.head.keys().any(|name| protected(name.as_str())) {
        return Err(invalid_request("Missing required header for this request: Content-MD5"));
    }
    let asked = input.delete.objects;
    if asked.is_empty() || asked.len() > KEYS_MAX {
        return Err(malformed_xml());
    }
    let guards = s3.locks().keys(&input.bucket, asked.iter().map(|object| object.key.as_str())).await;
    let row = s3.expected_bucket(&call, &input.bucket)?;
    if row.owner != call.owner.account && row.policy.is_none() {
        return Err(access_denied());
    }
    let mut stage = Stage::new(s3, &input.bucket, &row);
    stage.unit().hold(guards);
    let mut batch = Batch { s3, call: &call, bucket: &input.bucket, row: &row, stage };
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in asked {
        match batch.delete(&object) {
            Ok(done) => deleted.push(shown(done, object)),
            Err(error) => errors.push(entry(&error, object)),
        }
    }
    call.finish(s3.store(), batch.stage.into_unit()).await?;
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: Some(deleted).filter(|_| !quiet),
        errors: Some(errors),
        ..Default::default()
    }))
}

/// Deletions of one request, in one unit.
struct Batch<'a> {
    s3: &'a EmbeddedS3,
    call: &'a Call,
    bucket: &'a str,
    row: &'a BucketRow,
    /// Keys may come twice: each deletion sees what those before it did.
    stage: Stage<'a>,
}

impl Batch<'_> {
    fn delete(&mut self, object: &ObjectIdentifier) -> S3Result<Deletion> {
        let key = object.key.as_str();
        check_key(key)?;
        let version = VersionRef::of(object.version_id.as_deref())?;
        if object.size.is_some() || object.last_modified_time.is_some() {
            return Err(header_not_implemented());
        }
        self.s3.check(self.call, self.bucket, self.row, on_version(Actions::DELETE, key, version.as_ref()))?;
        if let Some(etag) = &object.e_tag {
            let found = etag_of(&self.stage, key, version.as_ref())?.ok_or_else(|| no_such_key(key))?;
            if etag.value() != "*" && etag.value() != found {
                return Err(precondition_failed("ETag"));
            }
        }
        match &version {
            None => self.stage.delete(key, self.call.moment()),
            Some(version) => self.stage.delete_version(key, version),
        }
    }
}

/// A version that was named, a marker that was made, or the one that went.
fn shown(done: Deletion, object: ObjectIdentifier) -> DeletedObject {
    DeletedObject {
        delete_marker: Some(true).filter(|_| done.marker),
        delete_marker_version_id: done.version.filter(|_| done.marker),
        key: Some(object.key),
        version_id: object.version_id,
    }
}

fn entry(error: &S3Error, object: ObjectIdentifier) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(object.key),
        message: error.message().map(str::to_owned),
        version_id: object.version_id,
    }
}
