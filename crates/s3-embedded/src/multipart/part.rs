//! `UploadPart` and `UploadPartCopy`.

use s3s::dto::{CopyPartResult, ETag, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput};
use s3s::{S3Request, S3Response, S3Result};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::body::{Expect, Received};
use crate::checksum::Claimed;
use crate::context::Call;
use crate::error::{internal, invalid_request};
use crate::meta;
use crate::multipart::part_number;
use crate::object::copy::{Original, Source};
use crate::object::put::{body_length, take_body};
use crate::object::show_checksum;
use crate::range::copy_source_range;
use crate::row::{BodyRow, PartRow, UploadRow, encode, part_key};

/// How often a copy starts over because its source was replaced between its row and its bytes.
const ATTEMPTS: usize = 8;

/// Which part a request is about.
struct Target<'a> {
    bucket: &'a str,
    key: &'a str,
    upload_id: &'a str,
    number: u16,
}

pub(crate) async fn upload(s3: &EmbeddedS3, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
    let call = Call::of(&req)?;
    let mut input = req.input;
    let number = part_number(input.part_number)?;
    let (_, upload) = s3.upload(&call, "s3:PutObject", &input.bucket, &input.key, &input.upload_id)?;
    meta::refuse_unsupported(&call.head)?;
    let claimed = Claimed::from_head(&call.head)?;
    check_algorithm(&upload, &claimed)?;
    let expect = Expect {
        length: body_length(&call)?,
        max: s3.options().object_size_max,
        claimed: &claimed,
        algorithm: upload.checksum().0,
        trailers: call.trailers.as_ref(),
    };
    let received = s3.receive(take_body(input.body.take()), expect).await?;
    let target = Target { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id, number };
    let part = s3.write_part(&call, &target, &received).await?;
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(part.etag.clone())), ..Default::default() };
    let algorithm = claimed.algorithm().unwrap_or(upload.checksum().0);
    if let Some(value) = part.sum(algorithm) {
        show_checksum!(output, algorithm, value);
    }
    Ok(S3Response::new(output))
}

/// An upload that was begun with an algorithm takes parts with a checksum of that algorithm only.
fn check_algorithm(upload: &UploadRow, claimed: &Claimed) -> S3Result<()> {
    let Some((expected, _)) = upload.checksum else { return Ok(()) };
    if claimed.algorithm() == Some(expected) {
        return Ok(());
    }
    let actual = claimed.algorithm().map_or_else(|| "null".to_owned(), |actual| actual.name().to_lowercase());
    Err(invalid_request(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {actual}",
        expected.name().to_lowercase()
    )))
}

pub(crate) async fn copy(
    s3: &EmbeddedS3,
    req: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let number = part_number(input.part_number)?;
    let (_, upload) = s3.upload(&call, "s3:PutObject", &input.bucket, &input.key, &input.upload_id)?;
    meta::refuse_unsupported(&call.head)?;
    let source = Source::of(&input.copy_source)?;
    let (received, source_version) =
        copy_source(s3, &call, &source, &upload, input.copy_source_range.as_deref()).await?;
    let target = Target { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id, number };
    let part = s3.write_part(&call, &target, &received).await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(part.modified.to_offset_date_time().into()),
        ..Default::default()
    };
    if let Some((algorithm, _)) = upload.checksum
        && let Some(value) = part.sum(algorithm)
    {
        show_checksum!(result, algorithm, value);
    }
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source_version,
        ..Default::default()
    }))
}

async fn copy_source(
    s3: &EmbeddedS3,
    call: &Call,
    source: &Source,
    upload: &UploadRow,
    range: Option<&str>,
) -> S3Result<(Received, Option<String>)> {
    for _ in 0..ATTEMPTS {
        let Original { row, version } = s3.source(call, source)?;
        let range = range.map_or(Ok(0..row.size), |range| copy_source_range(range, row.size))?;
        if range.end - range.start > s3.options().object_size_max {
            return Err(invalid_request(format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {}",
                s3.options().object_size_max
            )));
        }
        if let Some(received) = s3.copy_bytes(&row, range, upload.checksum().0).await? {
            return Ok((received, version));
        }
    }
    Err(internal("the source of a copy was replaced each time it was opened"))
}

impl EmbeddedS3 {
    async fn write_part(&self, call: &Call, target: &Target<'_>, received: &Received) -> S3Result<PartRow> {
        let (unit, part) = self.stage_part(call, target, received).await?;
        call.finish(self.store(), unit).await?;
        Ok(part)
    }

    async fn stage_part(&self, call: &Call, target: &Target<'_>, received: &Received) -> S3Result<(Unit, PartRow)> {
        let guards = self.locks().keys(target.bucket, [target.key]).await;
        // While the body came in, the upload may have been aborted or completed.
        self.upload(call, "s3:PutObject", target.bucket, target.key, target.upload_id)?;
        let row_key = part_key(target.upload_id, target.number);
        let old: Option<PartRow> = self.row(Space::Parts, &row_key)?;
        let mut unit = Unit::new();
        unit.hold(guards);
        if let Some(old) = old {
            self.free(&mut unit, &old.body)?;
        }
        let body: BodyRow = received.stored.place(&mut unit, *call.id.as_bytes());
        let part = PartRow {
            number: target.number,
            size: received.size,
            etag: received.digests.etag(),
            modified: call.now,
            body,
            sums: received.digests.sums.clone(),
        };
        unit.put(Space::Parts, row_key, encode(&part)?);
        Ok((unit, part))
    }
}
