//! `CopyObject`, and what `UploadPartCopy` shares with it.

use std::ops::Range;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, MetadataDirective, TaggingDirective,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::{Actions, on_bucket, on_key, on_version};
use crate::body::{Expect, Received};
use crate::checksum::{Algorithm, Claimed};
use crate::conditional::{self, Validators};
use crate::context::Call;
use crate::error::{access_denied, fail, internal, invalid_argument, invalid_request, no_such_bucket, no_such_key};
use crate::meta;
use crate::object::put::full_checksum;
use crate::object::{check_key, show_checksum};
use crate::row::{BodyRow, BucketRow, Meta, ObjectRow};
use crate::stage::Stage;
use crate::version::{VersionRef, Versioning};

/// How often a copy starts over because its source was replaced between its row and its bytes.
const ATTEMPTS: usize = 8;

/// Where a copy comes from.
pub(crate) struct Source {
    pub bucket: String,
    pub key: String,
    version: Option<VersionRef>,
}

impl Source {
    pub fn of(source: &CopySource) -> S3Result<Self> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(fail(S3ErrorCode::NotImplemented, "Access points are not supported as a copy source"));
        };
        let version = VersionRef::of(version_id.as_deref())?;
        check_key(key)?;
        Ok(Self { bucket: bucket.to_string(), key: key.to_string(), version })
    }
}

/// What is copied.
pub(crate) struct Original {
    pub row: ObjectRow,
    /// `x-amz-copy-source-version-id`
    pub version: Option<String>,
}

/// A copy has errors of its own for a source that is a delete marker.
fn of_source(missing: S3Error) -> S3Error {
    match missing.code() {
        S3ErrorCode::MethodNotAllowed => {
            invalid_request("The source of a copy request may not specifically refer to a delete marker by version id.")
        }
        S3ErrorCode::NoSuchKey => no_such_key(""),
        _ => missing,
    }
}

impl EmbeddedS3 {
    /// The source of a copy, if the caller may read it and the conditions hold.
    pub(crate) fn source(&self, call: &Call, source: &Source) -> S3Result<Original> {
        let bucket = self.bucket_row(&source.bucket)?.ok_or_else(no_such_bucket)?;
        let expected = call.header("x-amz-source-expected-bucket-owner").unwrap_or(&bucket.owner);
        if bucket.owner != expected {
            return Err(access_denied());
        }
        let version = source.version.as_ref();
        self.check(call, &source.bucket, &bucket, on_version(Actions::READ, &source.key, version))?;
        let row = match self.object_or_version(&source.bucket, &bucket, &source.key, version)? {
            Ok(row) => row,
            Err(missing) => {
                self.check(call, &source.bucket, &bucket, on_bucket("s3:ListBucket")).map_err(|_| access_denied())?;
                return Err(of_source(missing));
            }
        };
        let validators = Validators { etag: &row.etag, modified: row.modified };
        conditional::check_copy_source(&call.head, &validators)?;
        Ok(Original { version: bucket.shown_version(row.version.as_ref(), version.is_some()), row })
    }

    /// Streams bytes of the source into a body of their own.
    pub(crate) async fn copy_bytes(
        &self,
        row: &ObjectRow,
        range: Range<u64>,
        algorithm: Algorithm,
    ) -> S3Result<Option<Received>> {
        let length = range.end - range.start;
        let Some(reading) = self.read(&row.body, row.size, range).await? else { return Ok(None) };
        let claimed = Claimed::default();
        let expect = Expect {
            length: Some(length),
            max: self.options().object_size_max,
            claimed: &claimed,
            algorithm,
            trailers: None,
        };
        self.receive(reading, expect).await.map(Some)
    }
}

pub(crate) async fn copy(s3: &EmbeddedS3, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
    let call = Call::of(&req)?;
    let mut input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_key("s3:PutObject", &input.key))?;
    check_key(&input.key)?;
    meta::refuse_unsupported(&call.head)?;
    bucket.check_acl(&call, &input.bucket, &input.key)?;
    let source = Source::of(&input.copy_source)?;
    let changes = Changes::of(&call, &mut input)?;
    let onto_itself = source.bucket == input.bucket && source.key == input.key;
    if onto_itself && source.version.is_none() && changes.meta.is_none() && input.storage_class.is_none() {
        return Err(invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let rewritten = if onto_itself { rewrite(s3, &call, &source, &changes).await? } else { None };
    let Copied { bucket, row, source_version } = match rewritten {
        Some(copied) => copied,
        None => duplicate(s3, &call, &source, &input, changes).await?,
    };
    let version_id = bucket.shown_version(row.version.as_ref(), false);
    let expiration = s3.expiration(&input.bucket, &bucket, &input.key, &row)?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(row.etag)),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        ..Default::default()
    };
    show_checksum!(result, &row.checksum);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_version,
        expiration,
        version_id,
        ..Default::default()
    }))
}

/// A copy that was made.
struct Copied {
    bucket: BucketRow,
    row: ObjectRow,
    source_version: Option<String>,
}

/// What the copy has otherwise than the source.
struct Changes {
    /// `None`: the source's.
    meta: Option<Meta>,
    /// `None`: the source's.
    tags: Option<Vec<(String, String)>>,
    /// `None`: the source's.
    algorithm: Option<Algorithm>,
}

impl Changes {
    fn of(call: &Call, input: &mut CopyObjectInput) -> S3Result<Self> {
        let meta = match input.metadata_directive.as_ref().map(MetadataDirective::as_str) {
            None | Some("COPY") => None,
            Some("REPLACE") => Some(meta::read(&call.head, input.metadata.take())?),
            Some(_) => return Err(invalid_argument("Unknown metadata directive.")),
        };
        let tags = match input.tagging_directive.as_ref().map(TaggingDirective::as_str) {
            None | Some("COPY") => None,
            Some("REPLACE") => Some(meta::tags(&call.head)?),
            Some(_) => return Err(invalid_argument("Unknown tagging directive.")),
        };
        meta::check_tags(tags.as_deref().unwrap_or_default())?;
        let algorithm = call.header("x-amz-checksum-algorithm").map(Algorithm::parse).transpose()?;
        Ok(Self { meta, tags, algorithm })
    }

    /// Tags are read with one permission of their own and written with another.
    fn check_tagging(
        &self,
        s3: &EmbeddedS3,
        call: &Call,
        source: &Source,
        (bucket, key): (&str, &str),
        original: &ObjectRow,
    ) -> S3Result<()> {
        if self.tags.is_none() && !original.tags.is_empty() {
            let row = s3.bucket_row(&source.bucket)?.ok_or_else(no_such_bucket)?;
            let need = on_version(Actions::READ_TAGS, &source.key, source.version.as_ref());
            s3.check(call, &source.bucket, &row, need)?;
        }
        s3.check_tagging(call, bucket, key, self.tags.as_deref().unwrap_or(&original.tags))
    }

    fn algorithm(&self, source: &ObjectRow) -> Algorithm {
        let kept = source.checksum.as_ref().map(|checksum| checksum.algorithm);
        self.algorithm.or(kept).unwrap_or(Algorithm::DEFAULT)
    }
}

/// A copy onto itself that keeps its bytes writes only a new row. `None` if the bytes have to be read for their digests, or if
/// what is there stays as a version of its own: two versions share no bytes.
async fn rewrite(s3: &EmbeddedS3, call: &Call, source: &Source, changes: &Changes) -> S3Result<Option<Copied>> {
    let guards = s3.locks().keys(&source.bucket, [source.key.as_str()]).await;
    let bucket = s3.bucket(call, &source.bucket, on_key("s3:PutObject", &source.key))?;
    bucket.check_acl(call, &source.bucket, &source.key)?;
    let Original { row: old, version: source_version } = s3.source(call, source)?;
    changes.check_tagging(s3, call, source, (&source.bucket, &source.key), &old)?;
    let same_checksum = old.checksum.as_ref().map(|checksum| checksum.algorithm) == Some(changes.algorithm(&old));
    let takes_its_place = old.version.is_none() && bucket.versioning != Some(Versioning::Enabled);
    if source.version.is_some() || !takes_its_place || !same_checksum || matches!(old.body, BodyRow::Parts(_)) {
        return Ok(None);
    }
    conditional::check_write(&call.head, &source.key, Some(&old.etag))?;
    let mut row = ObjectRow {
        modified: call.now,
        meta: changes.meta.clone().unwrap_or_else(|| old.meta.clone()),
        tags: changes.tags.clone().unwrap_or_else(|| old.tags.clone()),
        ..old.clone()
    };
    let mut stage = Stage::new(s3, &source.bucket, &bucket);
    stage.unit().hold(guards);
    stage.number(&source.key, &mut row, Some(&old), call.moment())?;
    stage.write(&source.key, &row, Some(old), call.moment())?;
    call.finish(s3.store(), stage.into_unit()).await?;
    Ok(Some(Copied { bucket, row, source_version }))
}

/// Copies file to file; the copy is in one piece, so its `ETag` is the MD5 of the whole even if the source came in parts.
async fn duplicate(
    s3: &EmbeddedS3,
    call: &Call,
    source: &Source,
    input: &CopyObjectInput,
    changes: Changes,
) -> S3Result<Copied> {
    for _ in 0..ATTEMPTS {
        let Original { row: original, version: source_version } = s3.source(call, source)?;
        if original.size > s3.options().object_size_max {
            return Err(invalid_request(format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {}",
                s3.options().object_size_max
            )));
        }
        changes.check_tagging(s3, call, source, (&input.bucket, &input.key), &original)?;
        let algorithm = changes.algorithm(&original);
        let Some(received) = s3.copy_bytes(&original, 0..original.size, algorithm).await? else { continue };
        let row = ObjectRow {
            size: received.size,
            modified: call.now,
            etag: received.digests.etag(),
            body: BodyRow::Empty,
            parts: None,
            meta: changes.meta.unwrap_or(original.meta),
            tags: changes.tags.unwrap_or(original.tags),
            checksum: full_checksum(&received.digests, algorithm),
            version: None,
            order: None,
        };
        let (bucket, row) = s3.write_object(call, &input.bucket, &input.key, row, &received).await?;
        return Ok(Copied { bucket, row, source_version });
    }
    Err(internal("the source of a copy was replaced each time it was opened"))
}
