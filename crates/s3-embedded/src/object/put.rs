//! `PutObject`, and the same without HTTP for whoever delivers files of its own.

use std::collections::BTreeMap;

use aws_api::Timestamp;
use bytes::Bytes;
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput, StreamingBlob};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use sha2::{Digest, Sha256};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::{ServiceWriter, on_key};
use crate::body::{Expect, INLINE_MAX, Received};
use crate::bucket::EU;
use crate::checksum::{Algorithm, Checksum, Claimed, Digests, Kind};
use crate::conditional;
use crate::context::Call;
use crate::error::{fail, invalid_argument, no_such_bucket};
use crate::meta;
use crate::object::{check_key, show_checksum};
use crate::row::{BucketRow, Meta, ObjectRow, encode};

pub(crate) async fn put(s3: &EmbeddedS3, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let call = Call::of(&req)?;
    let mut input = req.input;
    s3.bucket(&call, &input.bucket, on_key("s3:PutObject", &input.key))?;
    check_key(&input.key)?;
    meta::refuse_unsupported(&call.head)?;
    let meta = meta::read(&call.head, input.metadata.take())?;
    let tags = meta::tags(&call.head)?;
    meta::check_tags(&tags)?;
    s3.check_tagging(&call, &input.bucket, &input.key, &tags)?;
    let claimed = Claimed::from_head(&call.head)?;
    let expect = Expect {
        length: body_length(&call)?,
        max: s3.options().object_size_max,
        claimed: &claimed,
        algorithm: claimed.algorithm().unwrap_or(Algorithm::DEFAULT),
        trailers: call.trailers.as_ref(),
    };
    let received = s3.receive(take_body(input.body.take()), expect).await?;
    let row = ObjectRow {
        size: received.size,
        modified: call.now,
        etag: received.digests.etag(),
        body: crate::row::BodyRow::Empty,
        parts: None,
        meta,
        tags,
        checksum: full_checksum(&received.digests, claimed.algorithm().unwrap_or(Algorithm::DEFAULT)),
    };
    let row = s3.write_object(&call, &input.bucket, &input.key, row, &received).await?;
    let mut output = PutObjectOutput { e_tag: Some(ETag::Strong(row.etag)), ..Default::default() };
    show_checksum!(output, &row.checksum);
    Ok(S3Response::new(output))
}

/// A request without a body has an empty one.
pub(crate) fn take_body(body: Option<StreamingBlob>) -> StreamingBlob {
    body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()))
}

/// The length of the body as the object will have it: `x-amz-decoded-content-length` of a chunked one, else `Content-Length`.
/// Neither is there if the body was cut out of a form.
pub(crate) fn body_length(call: &Call) -> S3Result<Option<u64>> {
    let number = |name: &'static str| -> S3Result<Option<u64>> {
        let Some(text) = call.header(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid_argument(format!("Value for {name} header is invalid.")))
    };
    if let Some(decoded) = number("x-amz-decoded-content-length")? {
        return Ok(Some(decoded));
    }
    let length = number("content-length")?;
    if length.is_none() && call.header("transfer-encoding").is_some() {
        return Err(fail(S3ErrorCode::MissingContentLength, "You must provide the Content-Length HTTP header."));
    }
    Ok(length)
}

/// The checksum of an object written in one piece.
pub(crate) fn full_checksum(digests: &Digests, algorithm: Algorithm) -> Option<Checksum> {
    let value = digests.get(algorithm)?.to_owned();
    Some(Checksum { algorithm, value, kind: Kind::FullObject })
}

impl EmbeddedS3 {
    /// Puts a received body in the place of a key, under the key's lock and the request's conditions.
    pub(crate) async fn write_object(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        row: ObjectRow,
        received: &Received,
    ) -> S3Result<ObjectRow> {
        let (unit, row) = self.stage_object(call, bucket, key, row, received).await?;
        call.finish(self.store(), unit).await?;
        Ok(row)
    }

    async fn stage_object(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        mut row: ObjectRow,
        received: &Received,
    ) -> S3Result<(Unit, ObjectRow)> {
        let guards = self.locks().keys(bucket, [key]).await;
        // While the body came in, the bucket may have gone.
        self.bucket(call, bucket, on_key("s3:PutObject", key))?;
        let old = self.object(bucket, key)?;
        conditional::check_write(&call.head, key, old.as_ref().map(|old| old.etag.as_str()))?;
        let mut unit = Unit::new();
        unit.hold(guards);
        row.body = received.stored.place(&mut unit, *call.id.as_bytes());
        self.replace(&mut unit, bucket, key, &row, old.as_ref())?;
        Ok((unit, row))
    }

    /// Writing an object with tags needs a permission of its own.
    pub(crate) fn check_tagging(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        tags: &[(String, String)],
    ) -> S3Result<()> {
        if !tags.is_empty() {
            self.bucket(call, bucket, on_key("s3:PutObjectTagging", key))?;
        }
        Ok(())
    }

    /// Stages an object of a service's own (a log file) and commits nothing: the caller adds its rows and commits both together.
    ///
    /// The body is in memory; if it is larger than 64 KiB its file is written and synced here, before the unit that names it.
    /// The bucket may be any account's; its policy must allow the service to write there.
    /// Errors: `NoSuchBucket`, `AccessDenied`, `KeyTooLongError`, `InvalidURI`, `EntityTooLarge`, `InternalError`.
    pub async fn stage_put(
        &self,
        bucket: &str,
        key: &str,
        object: StagedObject,
        writer: &ServiceWriter<'_>,
        now: Timestamp,
    ) -> S3Result<Unit> {
        check_key(key)?;
        // Before the body becomes a file, and again once nobody can change the policy.
        self.check_delivery(bucket, key, writer)?;
        let claimed = Claimed::default();
        let expect = Expect {
            length: Some(object.body.len() as u64),
            max: self.options().object_size_max,
            claimed: &claimed,
            algorithm: Algorithm::DEFAULT,
            trailers: None,
        };
        let chunks = (0..object.body.len())
            .step_by(INLINE_MAX)
            .map(|start| Ok(object.body.slice(start..object.body.len().min(start + INLINE_MAX))));
        let received = self.receive(futures::stream::iter(chunks.collect::<Vec<_>>()), expect).await?;
        let mut unit = Unit::new();
        let guards = self.locks().keys(bucket, [key]).await;
        if self.bucket_row(bucket)?.is_some_and(|row| row.holds_logs) {
            unit.hold(guards);
        } else {
            // The bucket's row is written, too.
            drop(guards);
            unit.hold(self.locks().bucket(bucket).await);
            self.mark_log_bucket(&mut unit, bucket)?;
        }
        self.check_delivery(bucket, key, writer)?;
        self.stage_own(unit, (bucket, key), object, &received, now)
    }

    /// The mark is in the unit of the first delivery, so that nothing is ever there without it; it goes with the bucket.
    fn mark_log_bucket(&self, unit: &mut Unit, bucket: &str) -> S3Result<()> {
        let row = self.bucket_row(bucket)?.ok_or_else(no_such_bucket)?;
        unit.put(Space::Buckets, bucket.as_bytes(), encode(&BucketRow { holds_logs: true, ..row })?);
        Ok(())
    }

    fn stage_own(
        &self,
        mut unit: Unit,
        (bucket, key): (&str, &str),
        object: StagedObject,
        received: &Received,
        now: Timestamp,
    ) -> S3Result<Unit> {
        let old = self.object(bucket, key)?;
        let now = Timestamp::from_secs(now.as_secs());
        let etag = received.digests.etag();
        let row = ObjectRow {
            size: received.size,
            modified: now,
            body: received.stored.place(&mut unit, own_body_id(bucket, key, &etag, now)),
            etag,
            parts: None,
            meta: Meta {
                content_type: object.content_type,
                content_encoding: object.content_encoding,
                user: object.metadata,
                ..Meta::default()
            },
            tags: Vec::new(),
            checksum: full_checksum(&received.digests, Algorithm::DEFAULT),
        };
        self.replace(&mut unit, bucket, key, &row, old.as_ref())?;
        Ok(unit)
    }

    /// The account that owns a bucket; `None` if there is no such bucket.
    pub fn bucket_owner(&self, bucket: &str) -> S3Result<Option<String>> {
        Ok(self.bucket_row(bucket)?.map(|row| row.owner))
    }

    /// Whose a bucket is, and what it is for; `None` if there is no such bucket.
    pub fn bucket_home(&self, bucket: &str) -> S3Result<Option<BucketHome>> {
        Ok(self.bucket_row(bucket)?.map(|row| BucketHome {
            owner: row.owner,
            region: row.region.map(|region| if region == EU { "eu-west-1".to_owned() } else { region }),
            holds_logs: row.holds_logs,
        }))
    }
}

/// What is known of a bucket from outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketHome {
    /// The account that owns it.
    pub owner: String,
    /// The region of the `LocationConstraint` that it was created with.
    pub region: Option<String>,
    /// Whether a service has ever delivered into it ([`EmbeddedS3::stage_put`]).
    pub holds_logs: bool,
}

/// An object for [`EmbeddedS3::stage_put`].
#[derive(Debug, Clone, Default)]
pub struct StagedObject {
    /// All of it.
    pub body: Bytes,
    /// `Content-Type`; `None` means binary/octet-stream.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// User metadata, without `x-amz-meta-`, lower case.
    pub metadata: BTreeMap<String, String>,
}

/// A name for the body that only the same bytes, for the same key at the same time, share: there is no request id to take.
fn own_body_id(bucket: &str, key: &str, etag: &str, now: Timestamp) -> [u8; 16] {
    let hash = Sha256::new()
        .chain_update(bucket)
        .chain_update([0])
        .chain_update(key)
        .chain_update([0])
        .chain_update(etag)
        .chain_update(now.as_millis().to_be_bytes())
        .finalize();
    std::array::from_fn(|position| hash[position])
}
