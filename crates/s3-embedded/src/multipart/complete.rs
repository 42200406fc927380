//! `CompleteMultipartUpload`.

use std::collections::BTreeMap;

use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use store::Space;

use crate::EmbeddedS3;
use crate::checksum::{self, Algorithm, Checksum, Kind, PartSum};
use crate::conditional;
use crate::context::Call;
use crate::error::{fail, internal, invalid_request, malformed_xml};
use crate::multipart::PART_NUMBER_MAX;
use crate::object::{check_key, show_checksum};
use crate::row::{BodyRow, ObjectRow, PartRow, UploadRow, encode, part_key, upload_key};
use crate::stage::Stage;

pub(crate) async fn complete(
    s3: &EmbeddedS3,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_key(&input.key)?;
    let asked = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
    if asked.is_empty() || asked.len() > usize::from(PART_NUMBER_MAX) {
        return Err(malformed_xml());
    }
    let guards = s3.locks().keys(&input.bucket, [input.key.as_str()]).await;
    let (bucket, upload) = s3.upload(&call, "s3:PutObject", &input.bucket, &input.key, &input.upload_id)?;
    let mut stage = Stage::new(s3, &input.bucket, &bucket);
    stage.unit().hold(guards);
    let old = stage.current(&input.key)?;
    conditional::check_write(&call.head, &input.key, old.as_ref().map(|old| old.etag.as_str()))?;
    let mut stored = BTreeMap::new();
    for part in s3.parts(&input.upload_id, 0) {
        let part = part?;
        stored.insert(part.number, part);
    }
    let unit = stage.unit();
    for number in stored.keys() {
        unit.delete(Space::Parts, part_key(&input.upload_id, *number));
    }
    let chosen = choose(s3, asked, &upload, &mut stored)?;
    for unused in stored.values() {
        s3.free(unit, &unused.body)?;
    }
    let mut row = assemble(&call, upload, &chosen, input.mpu_object_size)?;
    unit.put(Space::Bodies, *call.id.as_bytes(), encode(&chosen)?);
    unit.delete(Space::Uploads, upload_key(&input.bucket, &input.key, &input.upload_id));
    stage.number(&input.key, &mut row, old.as_ref(), call.moment())?;
    stage.write(&input.key, &row, old, call.moment())?;
    call.finish(s3.store(), stage.into_unit()).await?;
    let expiration = s3.expiration(&input.bucket, &bucket, &input.key, &row)?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        version_id: bucket.shown_version(row.version.as_ref(), false),
        expiration,
        e_tag: Some(ETag::Strong(row.etag)),
        ..Default::default()
    };
    show_checksum!(output, &row.checksum);
    Ok(S3Response::new(output))
}

/// Takes the parts that the client lists out of those that are stored.
fn choose(
    s3: &EmbeddedS3,
    asked: &[CompletedPart],
    upload: &UploadRow,
    stored: &mut BTreeMap<u16, PartRow>,
) -> S3Result<Vec<PartRow>> {
    let mut chosen: Vec<PartRow> = Vec::with_capacity(asked.len());
    let mut last = 0;
    for (position, part) in asked.iter().enumerate() {
        let number = part.part_number.ok_or_else(malformed_xml)?;
        if number <= last {
            return Err(fail(
                S3ErrorCode::InvalidPartOrder,
                "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
            ));
        }
        last = number;
        let found = u16::try_from(number).ok().and_then(|number| stored.remove(&number)).ok_or_else(invalid_part)?;
        if part.e_tag.as_ref().is_none_or(|etag| etag.value() != found.etag) {
            return Err(invalid_part());
        }
        check_sum(part, upload, &found)?;
        if found.size < s3.options().part_size_min && position + 1 < asked.len() {
            return Err(fail(
                S3ErrorCode::EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size",
            ));
        }
        chosen.push(found);
    }
    Ok(chosen)
}

/// Composite checksums have to be repeated part by part; whatever is repeated must be right.
fn check_sum(part: &CompletedPart, upload: &UploadRow, found: &PartRow) -> S3Result<()> {
    let sent = [
        (Algorithm::Crc32, &part.checksum_crc32),
        (Algorithm::Crc32c, &part.checksum_crc32c),
        (Algorithm::Crc64nvme, &part.checksum_crc64nvme),
        (Algorithm::Sha1, &part.checksum_sha1),
        (Algorithm::Sha256, &part.checksum_sha256),
    ];
    for (algorithm, value) in sent {
        let Some(value) = value else { continue };
        if found.sum(algorithm) != Some(value.as_str()) {
            return Err(invalid_part());
        }
    }
    if let Some((algorithm, Kind::Composite)) = upload.checksum
        && !sent.iter().any(|(known, value)| *known == algorithm && value.is_some())
    {
        return Err(invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {} in the request.",
            algorithm.name().to_lowercase(),
            found.number
        )));
    }
    Ok(())
}

fn invalid_part() -> S3Error {
    fail(
        S3ErrorCode::InvalidPart,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    )
}

/// The object that the parts make.
fn assemble(call: &Call, upload: UploadRow, parts: &[PartRow], claimed_size: Option<i64>) -> S3Result<ObjectRow> {
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if claimed_size.is_some_and(|claimed| u64::try_from(claimed) != Ok(size)) {
        return Err(invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {size}",
            claimed_size.unwrap_or_default()
        )));
    }
    let (algorithm, kind) = upload.checksum();
    let sums: Option<Vec<PartSum<'_>>> =
        parts.iter().map(|part| part.sum(algorithm).map(|value| PartSum { value, size: part.size })).collect();
    let checksum = sums.and_then(|sums| checksum::join(algorithm, kind, &sums));
    check_claimed(call, checksum.as_ref())?;
    let etag = checksum::joined_etag(parts.iter().map(|part| part.etag.as_str()));
    Ok(ObjectRow {
        size,
        modified: call.now,
        etag: etag.ok_or_else(|| internal("the ETag of a part is not an MD5"))?,
        body: BodyRow::Parts(*call.id.as_bytes()),
        parts: u16::try_from(parts.len()).ok(),
        meta: upload.meta,
        tags: upload.tags,
        checksum,
        version: None,
        order: None,
    })
}

/// `x-amz-checksum-*` and `x-amz-checksum-type` of the request speak of the object.
fn check_claimed(call: &Call, computed: Option<&Checksum>) -> S3Result<()> {
    if let (Some(kind), Some(computed)) = (call.header("x-amz-checksum-type"), computed)
        && kind != computed.kind.name()
    {
        return Err(invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            computed.kind.name()
        )));
    }
    let claimed = Algorithm::ALL.into_iter().find_map(|name| call.header(name.header()).map(|value| (name, value)));
    let Some((algorithm, value)) = claimed else { return Ok(()) };
    let Some(computed) = computed.filter(|computed| computed.algorithm == algorithm) else {
        return Err(invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            computed.map_or_else(|| "null".to_owned(), |computed| computed.algorithm.name().to_lowercase()),
            algorithm.name().to_lowercase()
        )));
    };
    let bare = computed.value.split('-').next().unwrap_or_default();
    if value == computed.value || value == bare { Ok(()) } else { Err(checksum::mismatch(algorithm)) }
}
