//! Tags of objects.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::{Actions, on_version};
use crate::context::Call;
use crate::error::{malformed_xml, no_such_key};
use crate::meta::check_tags;
use crate::stage::{Found, Stage};
use crate::version::{Kept, VersionRef, VersionRow};

pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    let (bucket, row) = s3.permitted_object(&call, &input.bucket, &input.key, version.as_ref(), Actions::READ_TAGS)?;
    let version_id = bucket.shown_version(row.version.as_ref(), version.is_some());
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    let tag_set = row.tags.into_iter().map(tag).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    let pair = |tag: Tag| tag.key.zip(tag.value).ok_or_else(malformed_xml);
    let tags: Vec<(String, String)> = input.tagging.tag_set.into_iter().map(pair).collect::<S3Result<_>>()?;
    check_tags(&tags)?;
    let (bucket, key) = (&input.bucket, &input.key);
    let version_id = set(s3, &call, (bucket, key), version.as_ref(), Actions::WRITE_TAGS, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    let (bucket, key) = (&input.bucket, &input.key);
    let version_id = set(s3, &call, (bucket, key), version.as_ref(), Actions::DELETE_TAGS, Vec::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
}

/// Gives an object, or a version of it, other tags. Returns the id to show.
async fn set(
    s3: &EmbeddedS3,
    call: &Call,
    (bucket, key): (&str, &str),
    version: Option<&VersionRef>,
    actions: Actions,
    tags: Vec<(String, String)>,
) -> S3Result<Option<String>> {
    let guards = s3.locks().keys(bucket, [key]).await;
    let row = s3.bucket(call, bucket, on_version(actions, key, version))?;
    let object = s3.object_or_version(bucket, &row, key, version)??;
    let mut stage = Stage::new(s3, bucket, &row);
    stage.unit().hold(guards);
    let named = object.version.clone().map_or(VersionRef::Null, VersionRef::Id);
    let mut found = stage.find(key, &named)?.ok_or_else(|| no_such_key(key))?;
    if let Found::Current(object) | Found::Kept(VersionRow { kept: Kept::Object(object), .. }) = &mut found {
        object.tags = tags;
    }
    stage.rewrite(key, &found)?;
    call.finish(s3.store(), stage.into_unit()).await?;
    Ok(row.shown_version(object.version.as_ref(), version.is_some()))
}
