//! `ListParts` and `ListMultipartUploads`.

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, ETag, Initiator, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};
use store::Space;

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::bucket::{canonical_id, display_owner};
use crate::context::Call;
use crate::error::{internal, invalid_argument};
use crate::list::{Encoding, given, page_size};
use crate::object::show_checksum;
use crate::row::{BucketRow, PartRow, UploadRow, decode};
use crate::walk::{Item, Walk};

pub(crate) fn parts(s3: &EmbeddedS3, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let action = "s3:ListMultipartUploadParts";
    let (bucket, upload) = s3.upload_of_initiator(&call, action, &input.bucket, &input.key, &input.upload_id)?;
    let max = page_size(input.max_parts, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    let behind = u16::try_from(marker.min(i32::from(u16::MAX)))
        .map_err(|_| invalid_argument("Argument part-number-marker must be an integer between 0 and 2147483647"))?;
    let mut rows = s3.parts(&input.upload_id, behind);
    let page: Vec<PartRow> = rows.by_ref().take(max).collect::<S3Result<_>>()?;
    let more = rows.next().transpose()?.is_some() && max > 0;
    let (checksum_algorithm, checksum_type) = shown_checksum(&upload);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        initiator: Some(initiator(&upload)),
        owner: Some(display_owner(&bucket.owner, &bucket.owner_name)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(page.last().map_or(0, |part| i32::from(part.number))),
        max_parts: i32::try_from(max).ok(),
        is_truncated: Some(more),
        parts: Some(page.iter().map(|part| show(part, &upload)).collect()),
        checksum_algorithm,
        checksum_type,
        ..Default::default()
    }))
}

fn show(part: &PartRow, upload: &UploadRow) -> Part {
    let mut shown = Part {
        part_number: Some(i32::from(part.number)),
        size: i64::try_from(part.size).ok(),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(part.modified.to_offset_date_time().into()),
        ..Default::default()
    };
    let (algorithm, _) = upload.checksum();
    if let Some(value) = part.sum(algorithm) {
        show_checksum!(shown, algorithm, value);
    }
    shown
}

fn shown_checksum(upload: &UploadRow) -> (Option<ChecksumAlgorithm>, Option<ChecksumType>) {
    let algorithm = upload.checksum.map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name()));
    (algorithm, upload.checksum.map(|(_, kind)| ChecksumType::from_static(kind.name())))
}

fn initiator(upload: &UploadRow) -> Initiator {
    Initiator { id: Some(canonical_id(&upload.owner)), display_name: Some(upload.owner_name.clone()) }
}

pub(crate) fn uploads(
    s3: &EmbeddedS3,
    req: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_bucket("s3:ListBucketMultipartUploads"))?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = page_size(input.max_uploads, "max-uploads")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = given(input.delimiter.as_deref());
    let key_marker = given(input.key_marker.as_deref());
    // "If key-marker is not specified, the upload-id-marker parameter is ignored."
    let id_marker = key_marker.and(given(input.upload_id_marker.as_deref()));
    let from = match (key_marker, id_marker) {
        (None, _) => String::new(),
        (Some(key), None) => format!("{key}\u{1}"),
        (Some(key), Some(id)) => format!("{key}\0{id}\0"),
    };
    let walk = Walk { store: s3.store(), space: Space::Uploads, bucket: &input.bucket, prefix, delimiter, max };
    let page = walk.page(&from)?;
    let (mut uploads, mut prefixes) = (Vec::new(), Vec::new());
    let mut last = (None, None);
    for item in &page.items {
        match item {
            Item::Prefix(prefix) => {
                last = (Some(encoding.text(prefix)), None);
                prefixes.push(CommonPrefix { prefix: Some(encoding.text(prefix)) });
            }
            Item::Row(name, row) => {
                let (key, id) = name.split_once('\0').ok_or_else(|| internal("an upload's row has no upload id"))?;
                last = (Some(encoding.text(key)), Some(id.to_owned()));
                uploads.push(entry(encoding.text(key), id, &decode(row)?, &bucket));
            }
        }
    }
    let (next_key, next_id) = if page.truncated { last } else { (None, None) };
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket.clone()),
        key_marker: Some(encoding.text(key_marker.unwrap_or_default())),
        upload_id_marker: Some(id_marker.unwrap_or_default().to_owned()),
        next_key_marker: Some(next_key.unwrap_or_default()),
        next_upload_id_marker: Some(next_id.unwrap_or_default()),
        prefix: Some(encoding.text(prefix)),
        delimiter: encoding.opt(delimiter),
        encoding_type: encoding.name(),
        max_uploads: i32::try_from(max).ok(),
        is_truncated: Some(page.truncated),
        uploads: Some(uploads),
        common_prefixes: Some(prefixes),
        ..Default::default()
    }))
}

fn entry(key: String, id: &str, row: &UploadRow, bucket: &BucketRow) -> MultipartUpload {
    let (checksum_algorithm, checksum_type) = shown_checksum(row);
    MultipartUpload {
        key: Some(key),
        upload_id: Some(id.to_owned()),
        initiated: Some(row.initiated.to_offset_date_time().into()),
        initiator: Some(initiator(row)),
        owner: Some(display_owner(&bucket.owner, &bucket.owner_name)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm,
        checksum_type,
    }
}
