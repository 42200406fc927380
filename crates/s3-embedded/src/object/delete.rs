//! `DeleteObject` and `DeleteObjects`.

use std::collections::HashSet;

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
    ObjectIdentifier,
};
use s3s::{S3Error, S3Request, S3Response, S3Result};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::on_key;
use crate::conditional;
use crate::context::Call;
use crate::error::{
    access_denied, header_not_implemented, invalid_request, malformed_xml, no_such_key, precondition_failed,
};
use crate::object::{check_key, check_version};
use crate::row::{BucketRow, ObjectRow, object_key};

/// Most keys of one request (`DeleteObjects`).
const KEYS_MAX: usize = 1000;

pub(crate) async fn one(
    s3: &EmbeddedS3,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_key(&input.key)?;
    check_version(input.version_id.as_deref())?;
    // Of directory buckets only, and of buckets with MFA delete.
    if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() || input.mfa.is_some() {
        return Err(header_not_implemented());
    }
    let guards = s3.locks().keys(&input.bucket, [input.key.as_str()]).await;
    let action = delete_action(input.version_id.as_deref());
    s3.bucket(&call, &input.bucket, on_key(action, &input.key))?;
    let old = s3.object(&input.bucket, &input.key)?;
    if call.header("if-match").is_some() {
        conditional::check_write(&call.head, &input.key, old.as_ref().map(|old| old.etag.as_str()))?;
    }
    if let Some(old) = old {
        let mut unit = Unit::new();
        unit.hold(guards);
        s3.remove(&mut unit, &input.bucket, &input.key, &old)?;
        call.finish(s3.store(), unit).await?;
    }
    Ok(S3Response::new(DeleteObjectOutput { version_id: input.version_id, ..Default::default() }))
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
    let mut unit = Unit::new();
    unit.hold(guards);
    let mut batch = Batch { s3, call: &call, bucket: &input.bucket, row, unit, seen: HashSet::new() };
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in asked {
        match batch.delete(&object) {
            Ok(()) => deleted.push(DeletedObject {
                key: Some(object.key),
                version_id: object.version_id,
                ..Default::default()
            }),
            Err(error) => errors.push(entry(&error, object)),
        }
    }
    call.finish(s3.store(), batch.unit).await?;
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: Some(deleted).filter(|_| !quiet),
        errors: Some(errors),
        ..Default::default()
    }))
}

/// Naming a version needs another permission, also where there is only one.
fn delete_action(version_id: Option<&str>) -> &'static str {
    if version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" }
}

/// Deletions of one request, in one unit.
struct Batch<'a> {
    s3: &'a EmbeddedS3,
    call: &'a Call,
    bucket: &'a str,
    row: BucketRow,
    unit: Unit,
    /// Keys may come twice; their bytes must be given up once.
    seen: HashSet<String>,
}

impl Batch<'_> {
    fn delete(&mut self, object: &ObjectIdentifier) -> S3Result<()> {
        check_key(&object.key)?;
        check_version(object.version_id.as_deref())?;
        if object.size.is_some() || object.last_modified_time.is_some() {
            return Err(header_not_implemented());
        }
        let need = on_key(delete_action(object.version_id.as_deref()), &object.key);
        self.s3.check(self.call, self.bucket, &self.row, need)?;
        if self.seen.contains(&object.key) {
            return Ok(());
        }
        let old = self.s3.object(self.bucket, &object.key)?;
        if let Some(etag) = &object.e_tag {
            let old = old.as_ref().ok_or_else(|| no_such_key(&object.key))?;
            if etag.value() != "*" && etag.value() != old.etag {
                return Err(precondition_failed("ETag"));
            }
        }
        if let Some(old) = old {
            self.s3.remove(&mut self.unit, self.bucket, &object.key, &old)?;
        }
        self.seen.insert(object.key.clone());
        Ok(())
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

impl EmbeddedS3 {
    fn remove(&self, unit: &mut Unit, bucket: &str, key: &str, old: &ObjectRow) -> S3Result<()> {
        self.free(unit, &old.body)?;
        unit.delete(Space::Objects, object_key(bucket, key));
        Ok(())
    }
}
