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
use crate::row::{BodyRow, BucketRow, Meta, ObjectRow, encode};
use crate::stage::Stage;
use crate::version::Moment;

pub(crate) async fn put(s3: &EmbeddedS3, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let call = Call::of(&req)?;
    let mut input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_key("s3:PutObject", &input.key))?;
    check_key(&input.key)?;
    meta::refuse_unsupported(&call.head)?;
    bucket.check_acl(&call, &input.bucket, &input.key)?;
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
        body: BodyRow::Empty,
        parts: None,
        meta,
        tags,
        checksum: full_checksum(&received.digests, claimed.algorithm().unwrap_or(Algorithm::DEFAULT)),
        version: None,
        order: None,
    };
    let (bucket, row) = s3.write_object(&call, &input.bucket, &input.key, row, &received).await?;
    let mut output = PutObjectOutput {
        expiration: s3.expiration(&input.bucket, &bucket, &input.key, &row)?,
        version_id: bucket.shown_version(row.version.as_ref(), false),
        e_tag: Some(ETag::Strong(row.etag)),
        ..Default::default()
    };
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
    ) -> S3Result<(BucketRow, ObjectRow)> {
        let (unit, bucket, row) = self.stage_object(call, bucket, key, row, received).await?;
        call.finish(self.store(), unit).await?;
        Ok((bucket, row))
    }

    async fn stage_object(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        mut row: ObjectRow,
        received: &Received,
    ) -> S3Result<(Unit, BucketRow, ObjectRow)> {
        let guards = self.locks().keys(bucket, [key]).await;
        // While the body came in, the bucket may have gone, or have been configured otherwise.
        let bucket_row = self.bucket(call, bucket, on_key("s3:PutObject", key))?;
        bucket_row.check_acl(call, bucket, key)?;
        let mut stage = Stage::new(self, bucket, &bucket_row);
        stage.unit().hold(guards);
        let old = stage.current(key)?;
        conditional::check_write(&call.head, key, old.as_ref().map(|old| old.etag.as_str()))?;
        row.body = received.stored.place(stage.unit(), *call.id.as_bytes());
        stage.number(key, &mut row, old.as_ref(), call.moment())?;
        stage.write(key, &row, old, call.moment())?;
        Ok((stage.into_unit(), bucket_row, row))
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
        let guards = self.locks().keys(bucket, [key]).await;
        let mut row = self.bucket_row(bucket)?.ok_or_else(no_such_bucket)?;
        let guard: Box<dyn Send> = if row.holds_logs {
            Box::new(guards)
        } else {
            // The bucket's row is written, too.
            drop(guards);
            let guard = self.locks().bucket(bucket).await;
            row = self.bucket_row(bucket)?.ok_or_else(no_such_bucket)?;
            Box::new(guard)
        };
        let mut stage = Stage::new(self, bucket, &row);
        stage.unit().hold(guard);
        if !row.holds_logs {
            // The mark is in the unit of the first delivery, so that nothing is ever there without it; it goes with the bucket.
            let marked = BucketRow { holds_logs: true, ..row.clone() };
            stage.unit().put(Space::Buckets, bucket.as_bytes(), encode(&marked)?);
        }
        self.check_delivery(bucket, key, writer)?;
        stage_own(&mut stage, (bucket, key), object, &received, Moment::of_service(now))?;
        Ok(stage.into_unit())
    }
    /// The account that owns a bucket; `None` if there is no such bucket.
    pub fn bucket_owner(&self, bucket: &str) -> S3Result<Option<String>> {
        Ok(self.bucket_row(bucket)?.map(|row| row.owner))
    }

    /// Whose a bucket is, and what it is for; `None` if there is no such bucket.
    pub fn bucket_home(&self, bucket: &str) -> S3Result<Option<BucketHome>> {
        Ok(self.bucket_row(bucket)?.map(BucketHome::of))
    }
}

fn stage_own(
    stage: &mut Stage<'_>,
    (bucket, key): (&str, &str),
    object: StagedObject,
    received: &Received,
    moment: Moment,
) -> S3Result<()> {
    let old = stage.current(key)?;
    let mut row = ObjectRow {
        size: received.size,
        modified: moment.now,
        etag: received.digests.etag(),
        body: BodyRow::Empty,
        parts: None,
        meta: Meta {
            content_type: object.content_type,
            content_encoding: object.content_encoding,
            user: object.metadata,
            ..Meta::default()
        },
        tags: Vec::new(),
        checksum: full_checksum(&received.digests, Algorithm::DEFAULT),
        version: None,
        order: None,
    };
    let moment = Moment { mark: own_id(bucket, key, &row.etag, moment.now, 0), ..moment };
    stage.number(key, &mut row, old.as_ref(), moment)?;
    // Two versions of the same bytes have a body each.
    row.body = received.stored.place(stage.unit(), own_id(bucket, key, &row.etag, moment.now, row.order()));
    stage.write(key, &row, old, moment)
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

impl BucketHome {
    pub(crate) fn of(row: BucketRow) -> Self {
        Self {
            owner: row.owner,
            region: row.region.map(|region| if region == EU { "eu-west-1".to_owned() } else { region }),
            holds_logs: row.holds_logs,
        }
    }
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

/// A name that only the same bytes, for the same key at the same time, share: there is no request id to take.
fn own_id(bucket: &str, key: &str, etag: &str, now: Timestamp, order: u64) -> [u8; 16] {
    let hash = Sha256::new()
        .chain_update(bucket)
        .chain_update([0])
        .chain_update(key)
        .chain_update([0])
        .chain_update(etag)
        .chain_update(now.as_millis().to_be_bytes())
        .chain_update(order.to_be_bytes())
        .finalize();
    std::array::from_fn(|position| hash[position])
}
