//! `ListObjectVersions` where versioning was never enabled: each object is its only version, `null`.

use s3s::dto::{
    CommonPrefix, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result};
use store::Space;

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::bucket::{display_owner, listed_checksum};
use crate::context::Call;
use crate::error::invalid_argument;
use crate::list::{Encoding, behind, given, page_size};
use crate::row::{BucketRow, ObjectRow, decode};
use crate::walk::{Item, Walk};

pub(crate) fn list(
    s3: &EmbeddedS3,
    req: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_bucket("s3:ListBucketVersions"))?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = page_size(input.max_keys, "maxKeys")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = given(input.delimiter.as_deref());
    let marker = given(input.key_marker.as_deref());
    let version_marker = given(input.version_id_marker.as_deref());
    if version_marker.is_some() && marker.is_none() {
        return Err(invalid_argument("A version-id marker cannot be specified without a key marker."));
    }
    let walk = Walk { store: s3.store(), space: Space::Objects, bucket: &input.bucket, prefix, delimiter, max };
    let page = walk.page(&marker.map(behind).unwrap_or_default())?;
    let (mut versions, mut prefixes) = (Vec::new(), Vec::new());
    let mut last = (None, None);
    for item in &page.items {
        match item {
            Item::Row(key, row) => {
                let key = encoding.text(key);
                last = (Some(key.clone()), Some("null".to_owned()));
                versions.push(entry(key, &decode(row)?, &bucket));
            }
            Item::Prefix(prefix) => {
                last = (Some(encoding.text(prefix)), None);
                prefixes.push(CommonPrefix { prefix: Some(encoding.text(prefix)) });
            }
        }
    }
    let (next_key_marker, next_version_id_marker) = if page.truncated { last } else { (None, None) };
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.text(prefix)),
        key_marker: Some(encoding.text(marker.unwrap_or_default())),
        version_id_marker: Some(version_marker.unwrap_or_default().to_owned()),
        next_key_marker,
        next_version_id_marker,
        max_keys: i32::try_from(max).ok(),
        is_truncated: Some(page.truncated),
        delimiter: encoding.opt(delimiter),
        encoding_type: encoding.name(),
        versions: Some(versions),
        common_prefixes: Some(prefixes),
        ..Default::default()
    }))
}

fn entry(key: String, row: &ObjectRow, bucket: &BucketRow) -> ObjectVersion {
    let (checksum_algorithm, checksum_type) = listed_checksum(row.checksum.as_ref());
    ObjectVersion {
        key: Some(key),
        version_id: Some("null".to_owned()),
        is_latest: Some(true),
        size: i64::try_from(row.size).ok(),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        e_tag: Some(ETag::Strong(row.etag.clone())),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        owner: Some(display_owner(&bucket.owner, &bucket.owner_name)),
        checksum_algorithm,
        checksum_type,
        ..Default::default()
    }
}
