//! Tags of objects.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::{Need, on_key};
use crate::context::Call;
use crate::error::{malformed_xml, no_such_key};
use crate::meta::check_tags;
use crate::object::check_version;
use crate::row::{encode, object_key};

pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_version(input.version_id.as_deref())?;
    let action = if input.version_id.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
    let row = s3.permitted_object(&call, &input.bucket, &input.key, action)?;
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    let tag_set = row.tags.into_iter().map(tag).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: input.version_id }))
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_version(input.version_id.as_deref())?;
    let pair = |tag: Tag| tag.key.zip(tag.value).ok_or_else(malformed_xml);
    let tags: Vec<(String, String)> = input.tagging.tag_set.into_iter().map(pair).collect::<S3Result<_>>()?;
    check_tags(&tags)?;
    let action = if input.version_id.is_some() { "s3:PutObjectVersionTagging" } else { "s3:PutObjectTagging" };
    set(s3, &call, &input.bucket, on_key(action, &input.key), &input.key, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: input.version_id }))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_version(input.version_id.as_deref())?;
    let action = if input.version_id.is_some() { "s3:DeleteObjectVersionTagging" } else { "s3:DeleteObjectTagging" };
    set(s3, &call, &input.bucket, on_key(action, &input.key), &input.key, Vec::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id: input.version_id }))
}

async fn set(
    s3: &EmbeddedS3,
    call: &Call,
    bucket: &str,
    need: Need<'_>,
    key: &str,
    tags: Vec<(String, String)>,
) -> S3Result<()> {
    let guards = s3.locks().keys(bucket, [key]).await;
    s3.bucket(call, bucket, need)?;
    let mut row = s3.object(bucket, key)?.ok_or_else(|| no_such_key(key))?;
    row.tags = tags;
    let mut unit = Unit::new();
    unit.hold(guards);
    unit.put(Space::Objects, object_key(bucket, key), encode(&row)?);
    call.finish(s3.store(), unit).await
}
