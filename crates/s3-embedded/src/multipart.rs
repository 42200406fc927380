//! Multipart uploads. Parts keep bodies of their own; completing one names them in order and copies nothing.

pub(crate) mod complete;
pub(crate) mod list;
pub(crate) mod part;

use aws_api::Timestamp;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType, CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
};
use s3s::{S3Request, S3Response, S3Result};
use store::{Space, Unit};
use uuid::Uuid;

use crate::EmbeddedS3;
use crate::access::on_key;
use crate::checksum::{Algorithm, Kind};
use crate::context::Call;
use crate::error::{header_not_implemented, invalid_argument, invalid_request, no_such_upload, store_error};
use crate::meta;
use crate::object::check_key;
use crate::row::{BucketRow, PartRow, UploadRow, decode, encode, part_key, upload_key};

/// The greatest part number ("Amazon S3 multipart upload limits").
pub(crate) const PART_NUMBER_MAX: u16 = 10_000;

/// Opaque to clients; sorts by the time of initiation, as `ListMultipartUploads` wants uploads of one key.
fn upload_id(now: Timestamp, id: Uuid) -> String {
    format!("{:012x}{}", now.as_millis(), id.simple())
}

/// A part number that can be.
fn part_number(number: i32) -> S3Result<u16> {
    let number = u16::try_from(number).ok().filter(|number| (1..=PART_NUMBER_MAX).contains(number));
    number.ok_or_else(|| invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
}

impl EmbeddedS3 {
    /// An upload under way, if the caller may do this to its key.
    fn upload(
        &self,
        call: &Call,
        action: &'static str,
        bucket: &str,
        key: &str,
        upload_id: &str,
    ) -> S3Result<(BucketRow, UploadRow)> {
        let row = self.bucket(call, bucket, on_key(action, key))?;
        let upload = self.row(Space::Uploads, &upload_key(bucket, key, upload_id))?;
        Ok((row, upload.ok_or_else(no_such_upload)?))
    }

    /// The same for what the account that began an upload may do without being allowed to: list its parts, and abort it.
    ///
    /// Source: S3 user guide, "Multipart upload API and permissions".
    fn upload_of_initiator(
        &self,
        call: &Call,
        action: &'static str,
        bucket: &str,
        key: &str,
        upload_id: &str,
    ) -> S3Result<(BucketRow, UploadRow)> {
        let row = self.expected_bucket(call, bucket)?;
        let upload: Option<UploadRow> = self.row(Space::Uploads, &upload_key(bucket, key, upload_id))?;
        let began = upload.as_ref().is_some_and(|upload| upload.owner == call.owner.account);
        let is_open = began || row.owner == call.owner.account;
        self.check_unless_denied(call, bucket, &row, on_key(action, key), is_open)?;
        Ok((row, upload.ok_or_else(no_such_upload)?))
    }

    /// The parts of an upload whose numbers are greater than `behind`, in order.
    pub(crate) fn parts(&self, upload_id: &str, behind: u16) -> impl Iterator<Item = S3Result<PartRow>> + use<> {
        let (from, to) = (part_key(upload_id, behind.saturating_add(1)), part_key(upload_id, u16::MAX));
        self.store().range(Space::Parts, from..to).map(|row| decode(&row.map_err(store_error)?.1))
    }

    /// Forgets all parts of an upload, bytes too.
    pub(crate) fn discard_parts(&self, unit: &mut Unit, upload_id: &str) -> S3Result<()> {
        for part in self.parts(upload_id, 0) {
            let part = part?;
            self.free(unit, &part.body)?;
            unit.delete(Space::Parts, part_key(upload_id, part.number));
        }
        Ok(())
    }
}

pub(crate) async fn create(
    s3: &EmbeddedS3,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
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
    let checksum = checksum_of(&call)?;
    let id = upload_id(call.arrived, call.id);
    let guards = s3.locks().keys(&input.bucket, [input.key.as_str()]).await;
    s3.bucket(&call, &input.bucket, on_key("s3:PutObject", &input.key))?;
    s3.check_room()?;
    let row = UploadRow {
        initiated: call.now,
        owner: call.owner.account.clone(),
        owner_name: call.owner.display_name.clone(),
        meta,
        tags,
        checksum,
    };
    let mut unit = Unit::new();
    unit.hold(guards);
    unit.put(Space::Uploads, upload_key(&input.bucket, &input.key, &id), encode(&row)?);
    call.finish(s3.store(), unit).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: checksum.map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: checksum.map(|(_, kind)| ChecksumType::from_static(kind.name())),
        ..Default::default()
    }))
}

/// Reads `x-amz-checksum-algorithm` and `x-amz-checksum-type`.
fn checksum_of(call: &Call) -> S3Result<Option<(Algorithm, Kind)>> {
    let kind = call.header("x-amz-checksum-type");
    match call.header("x-amz-checksum-algorithm") {
        Some(name) => {
            let algorithm = Algorithm::parse(name)?;
            Ok(Some((algorithm, Kind::of_upload(algorithm, kind)?)))
        }
        None if kind.is_some() => Err(invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )),
        None => Ok(None),
    }
}

pub(crate) async fn abort(
    s3: &EmbeddedS3,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    // Of directory buckets only.
    if input.if_match_initiated_time.is_some() {
        return Err(header_not_implemented());
    }
    let guards = s3.locks().keys(&input.bucket, [input.key.as_str()]).await;
    s3.upload_of_initiator(&call, "s3:AbortMultipartUpload", &input.bucket, &input.key, &input.upload_id)?;
    let mut unit = Unit::new();
    unit.hold(guards);
    s3.discard_parts(&mut unit, &input.upload_id)?;
    unit.delete(Space::Uploads, upload_key(&input.bucket, &input.key, &input.upload_id));
    call.finish(s3.store(), unit).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upload_ids_sort_by_time() {
        let early = upload_id(Timestamp::from_millis(999), Uuid::from_u128(u128::MAX));
        let late = upload_id(Timestamp::from_millis(1000), Uuid::nil());
        assert!(early < late);
    }

    #[test]
    fn part_numbers() {
        for (number, good) in [(0, false), (1, true), (10_000, true), (10_001, false), (-1, false), (65_537, false)] {
            assert_eq!(part_number(number).is_ok(), good, "{number}");
        }
    }
}
