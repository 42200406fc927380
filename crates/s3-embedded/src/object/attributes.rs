//! `GetObjectAttributes`.

use s3s::dto::{
    Checksum as ChecksumDto, ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    ObjectPart, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::{Actions, on_version};
use crate::context::Call;
use crate::error::{internal, invalid_argument};
use crate::list::page_size;
use crate::meta;
use crate::object::show_checksum;
use crate::row::{BodyRow, ObjectRow, PartRow};
use crate::version::VersionRef;

/// Marks an answer in which S3 writes the `ETag` without quotes, unlike everywhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnquotedETag;

const ATTRIBUTES: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    meta::refuse_customer_key(&call.head)?;
    let wanted = wanted(&call)?;
    let wants = |attribute: &str| wanted.iter().any(|name| name == attribute);
    let version = version.as_ref();
    s3.bucket(&call, &input.bucket, on_version(Actions::READ_ATTRIBUTES, &input.key, version))?;
    let (bucket, row) = s3.permitted_object(&call, &input.bucket, &input.key, version, Actions::READ)?;
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(row.modified.to_offset_date_time().into()),
        version_id: bucket.shown_version(row.version.as_ref(), version.is_some()),
        ..Default::default()
    };
    if wants("ETag") {
        output.e_tag = Some(ETag::Strong(row.etag.clone()));
    }
    if wants("Checksum") && row.checksum.is_some() {
        let mut checksum = ChecksumDto::default();
        show_checksum!(checksum, &row.checksum);
        output.checksum = Some(checksum);
    }
    if wants("ObjectParts") {
        output.object_parts = parts(s3, &row, &input)?;
    }
    if wants("StorageClass") {
        output.storage_class = Some(StorageClass::from_static(StorageClass::STANDARD));
    }
    if wants("ObjectSize") {
        output.object_size = i64::try_from(row.size).ok();
    }
    let mut response = S3Response::new(output);
    response.extensions.insert(UnquotedETag);
    Ok(response)
}

/// The header may come several times and hold several names each.
fn wanted(call: &Call) -> S3Result<Vec<String>> {
    let mut names = Vec::new();
    for value in call.head.get_all("x-amz-object-attributes") {
        for name in value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if !ATTRIBUTES.contains(&name) {
                return Err(invalid_argument("Invalid attribute name specified."));
            }
            names.push(name.to_owned());
        }
    }
    if names.is_empty() {
        return Err(invalid_argument(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        ));
    }
    Ok(names)
}

/// Only objects that were uploaded in parts have any.
fn parts(
    s3: &EmbeddedS3,
    row: &ObjectRow,
    input: &GetObjectAttributesInput,
) -> S3Result<Option<GetObjectAttributesParts>> {
    let BodyRow::Parts(manifest) = &row.body else { return Ok(None) };
    let max = page_size(input.max_parts, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    let all = s3.manifest(manifest)?.ok_or_else(|| internal("an object was replaced while it was described"))?;
    let mut behind = all.iter().filter(|part| i32::from(part.number) > marker);
    let page: Vec<&PartRow> = behind.by_ref().take(max).collect();
    Ok(Some(GetObjectAttributesParts {
        is_truncated: Some(behind.next().is_some()),
        max_parts: i32::try_from(max).ok(),
        next_part_number_marker: Some(page.last().map_or(0, |part| i32::from(part.number))),
        part_number_marker: Some(marker),
        parts: Some(page.into_iter().map(|part| show(part, row)).collect()),
        total_parts_count: i32::try_from(all.len()).ok(),
    }))
}

fn show(part: &PartRow, row: &ObjectRow) -> ObjectPart {
    let mut shown = ObjectPart {
        part_number: Some(i32::from(part.number)),
        size: i64::try_from(part.size).ok(),
        ..Default::default()
    };
    if let Some((algorithm, value)) =
        row.checksum.as_ref().and_then(|whole| part.sum(whole.algorithm).map(|value| (whole.algorithm, value)))
    {
        show_checksum!(shown, algorithm, value);
    }
    shown
}
