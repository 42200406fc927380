//! Tags of buckets.
//!
//! Those that begin with `aws:` are set by services: nobody else adds, changes or removes them.

use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, Tag,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::context::Call;
use crate::document;
use crate::error::{custom, fail, malformed_xml};
use crate::meta::{SYSTEM_TAG, check_tag_texts};
use crate::row::{BucketRow, decode, encode};

/// Tags of a bucket, without those of services ("Using cost allocation S3 bucket tags").
const TAGS_MAX: usize = 50;

type Tags = Vec<(String, String)>;

impl EmbeddedS3 {
    fn bucket_tags(&self, name: &str, row: &BucketRow) -> S3Result<Tags> {
        let found = self.document(name, row, |row| row.tags)?;
        found.map_or_else(|| Ok(Tags::new()), |(_, text)| decode(&text))
    }

    async fn replace_tags(&self, call: &Call, name: &str, choose: impl FnOnce(Tags) -> S3Result<Tags>) -> S3Result<()> {
        self.configure(call, name, "s3:PutBucketTagging", |row, unit| {
            let tags = choose(self.bucket_tags(name, row)?)?;
            let text = if tags.is_empty() { None } else { Some((*call.id.as_bytes(), encode(&tags)?)) };
            document::replace(unit, &mut row.tags, text);
            Ok(())
        })
        .await
    }
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let pair = |tag: Tag| tag.key.zip(tag.value).ok_or_else(malformed_xml);
    let new: Tags = input.tagging.tag_set.into_iter().map(pair).collect::<S3Result<_>>()?;
    check(&new)?;
    let by_service = call.requester.sets_system_tags;
    s3.replace_tags(&call, &input.bucket, |old| {
        if !by_service {
            check_system_tags(&old, &new)?;
        }
        Ok(new)
    })
    .await?;
    Ok(S3Response::new(PutBucketTaggingOutput {}))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    let call = Call::of(&req)?;
    let by_service = call.requester.sets_system_tags;
    s3.replace_tags(&call, &req.input.bucket, |old| {
        if !by_service {
            check_system_tags(&old, &[])?;
        }
        Ok(Tags::new())
    })
    .await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput {}))
}

#[allow(clippy::needless_pass_by_value, reason = "operations have one shape")]
pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetBucketTagging"))?;
    let tags = s3.bucket_tags(&req.input.bucket, &row)?;
    if tags.is_empty() {
        return Err(custom("NoSuchTagSet", http::StatusCode::NOT_FOUND, "The TagSet does not exist"));
    }
    let tag_set = tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set }))
}

fn check(tags: &[(String, String)]) -> S3Result<()> {
    if tags.iter().filter(|(key, _)| !key.starts_with(SYSTEM_TAG)).count() > TAGS_MAX {
        let message = "Bucket tag count cannot be greater than 50";
        return Err(custom("BadRequest", http::StatusCode::BAD_REQUEST, message));
    }
    check_tag_texts(tags)
}

/// A caller repeats the tags of services as they are, or says nothing that would change them.
fn check_system_tags(old: &[(String, String)], new: &[(String, String)]) -> S3Result<()> {
    let of_system = |tags: &[(String, String)]| -> Tags {
        tags.iter().filter(|(key, _)| key.starts_with(SYSTEM_TAG)).cloned().collect()
    };
    let (old, new) = (of_system(old), of_system(new));
    if new.iter().any(|tag| !old.contains(tag)) {
        return Err(fail(S3ErrorCode::InvalidTag, "System tags cannot be added/updated by requester"));
    }
    if old.iter().any(|tag| !new.contains(tag)) {
        return Err(fail(S3ErrorCode::InvalidTag, "System Tags cannot be removed by requester"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_of_services_are_not_the_callers() {
        let stack = ("aws:cloudformation:stack-name", "logs");
        let old = tags(&[stack, ("team", "a")]);
        let verdict = |new: &[(&str, &str)]| {
            check_system_tags(&old, &tags(new)).err().and_then(|error| error.message().map(str::to_owned))
        };
        assert_eq!(verdict(&[stack]), None);
        assert_eq!(verdict(&[("x", "y"), stack]), None);
        assert_eq!(verdict(&[("x", "y")]).as_deref(), Some("System Tags cannot be removed by requester"));
        for new in [&[stack, ("aws:x", "y")][..], &[(stack.0, "other")]] {
            assert_eq!(verdict(new).as_deref(), Some("System tags cannot be added/updated by requester"));
        }
    }

    #[test]
    fn fifty_and_no_more() {
        let many = |count: usize| -> Tags { (0..count).map(|number| (number.to_string(), String::new())).collect() };
        assert!(check(&many(50)).is_ok());
        assert!(check(&many(51)).is_err());
        let stack = tags(&[("aws:cloudformation:stack-name", "logs")]);
        assert!(check(&[many(50), stack].concat()).is_ok(), "those of services do not count");
        assert!(check(&tags(&[("a", "1"), ("a", "2")])).is_err());
        assert!(check(&tags(&[("", "1")])).is_err());
    }
}
