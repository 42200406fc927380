//! `GetObject` and `HeadObject`.

use std::collections::HashMap;
use std::ops::Range;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use s3s::dto::{ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput};
use s3s::{S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::Actions;
use crate::body::Reading;
use crate::checksum::{Checksum, Kind};
use crate::conditional::{self, Validators};
use crate::context::Call;
use crate::error::{custom, internal, invalid_argument, invalid_request};
use crate::meta;
use crate::multipart::PART_NUMBER_MAX;
use crate::object::show_checksum;
use crate::range::ByteRange;
use crate::row::{BodyRow, BucketRow, ObjectRow};
use crate::version::VersionRef;

/// The type of an object whose writer gave none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";
/// How often a read starts over because the object was replaced between its row and its bytes.
const ATTEMPTS: usize = 8;

/// The part of an object that a request gets.
struct Selection {
    range: Range<u64>,
    /// Whether the answer is a 206.
    partial: bool,
    checksum: Option<Checksum>,
    /// Parts of the object, where the request asked for one.
    parts_count: Option<i32>,
}

pub(crate) async fn get(s3: &EmbeddedS3, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    meta::refuse_customer_key(&call.head)?;
    let (bucket, row, selection, reading) = open(s3, &call, &input, version.as_ref()).await?;
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(reading.into_blob()),
        content_length: i64::try_from(selection.range.end - selection.range.start).ok(),
        content_range: content_range(&selection, row.size),
        e_tag: Some(ETag::Strong(row.etag.clone())),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        metadata: user_metadata(&row),
        parts_count: selection.parts_count,
        tag_count: i32::try_from(row.tags.len()).ok().filter(|count| *count > 0),
        version_id: bucket.shown_version(row.version.as_ref(), version.is_some()),
        expiration: expiration(s3, (&input.bucket, &bucket), &input.key, &row, version.as_ref())?,
        ..Default::default()
    };
    if wants_checksum(&call) {
        show_checksum!(output, &selection.checksum);
    }
    let overrides = [
        (header::CONTENT_TYPE, input.response_content_type),
        (header::CACHE_CONTROL, input.response_cache_control),
        (header::CONTENT_DISPOSITION, input.response_content_disposition),
        (header::CONTENT_ENCODING, input.response_content_encoding),
        (header::CONTENT_LANGUAGE, input.response_content_language),
        (header::EXPIRES, input.response_expires.map(http_date)),
    ];
    Ok(S3Response::with_headers(output, kept_headers(&row, overrides)?))
}

/// Rules for current objects are not told of versions that were named: they may be others.
fn expiration(
    s3: &EmbeddedS3,
    (name, bucket): (&str, &BucketRow),
    key: &str,
    row: &ObjectRow,
    version: Option<&VersionRef>,
) -> S3Result<Option<String>> {
    if version.is_some() { Ok(None) } else { s3.expiration(name, bucket, key, row) }
}

/// Finds the row, checks the conditions, chooses the bytes and opens them.
async fn open(
    s3: &EmbeddedS3,
    call: &Call,
    input: &GetObjectInput,
    version: Option<&VersionRef>,
) -> S3Result<(BucketRow, ObjectRow, Selection, Reading)> {
    for _ in 0..ATTEMPTS {
        let (bucket, row) = s3.permitted_object(call, &input.bucket, &input.key, version, Actions::READ)?;
        let Some(selection) = select(s3, call, &row, input.part_number)? else { continue };
        if let Some(reading) = s3.read(&row.body, row.size, selection.range.clone()).await? {
            return Ok((bucket, row, selection, reading));
        }
    }
    Err(internal("an object was replaced each time it was opened"))
}

pub(crate) fn head(s3: &EmbeddedS3, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    meta::refuse_customer_key(&call.head)?;
    let mut found = None;
    for _ in 0..ATTEMPTS {
        let (bucket, row) = s3.permitted_object(&call, &input.bucket, &input.key, version.as_ref(), Actions::READ)?;
        if let Some(selection) = select(s3, &call, &row, input.part_number)? {
            found = Some((bucket, row, selection));
            break;
        }
    }
    let (bucket, row, selection) =
        found.ok_or_else(|| internal("an object was replaced each time it was looked at"))?;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(selection.range.end - selection.range.start).ok(),
        content_range: content_range(&selection, row.size),
        e_tag: Some(ETag::Strong(row.etag.clone())),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        metadata: user_metadata(&row),
        parts_count: selection.parts_count,
        version_id: bucket.shown_version(row.version.as_ref(), version.is_some()),
        expiration: expiration(s3, (&input.bucket, &bucket), &input.key, &row, version.as_ref())?,
        ..Default::default()
    };
    if wants_checksum(&call) {
        show_checksum!(output, &selection.checksum);
    }
    let tags = Some(row.tags.len()).filter(|count| *count > 0).map(|count| count.to_string());
    let overrides = [
        (header::CONTENT_TYPE, input.response_content_type),
        (header::CACHE_CONTROL, input.response_cache_control),
        (header::CONTENT_DISPOSITION, input.response_content_disposition),
        (header::CONTENT_ENCODING, input.response_content_encoding),
        (header::CONTENT_LANGUAGE, input.response_content_language),
        (header::EXPIRES, input.response_expires.map(http_date)),
        (HeaderName::from_static("x-amz-tagging-count"), tags),
    ];
    Ok(S3Response::with_headers(output, kept_headers(&row, overrides)?))
}

/// Applies conditions, `Range` and `partNumber`. `None` if the object was replaced meanwhile.
fn select(s3: &EmbeddedS3, call: &Call, row: &ObjectRow, part_number: Option<i32>) -> S3Result<Option<Selection>> {
    let validators = Validators { etag: &row.etag, modified: row.modified };
    conditional::check_read(&call.head, &validators, call.now)?;
    let range = call.header("range").and_then(ByteRange::parse);
    let range = range.filter(|_| conditional::range_stands(&call.head, &validators));
    match (range, part_number) {
        (None, None) => Ok(Some(Selection {
            range: 0..row.size,
            partial: false,
            checksum: row.checksum.clone(),
            parts_count: None,
        })),
        (Some(range), None) => {
            let range = range.within(row.size)?;
            Ok(Some(Selection { range, partial: true, checksum: None, parts_count: None }))
        }
        (None, Some(number)) => select_part(s3, row, number),
        (Some(_), Some(_)) => Err(invalid_request("Cannot specify both Range header and partNumber query parameter")),
    }
}

/// An object that was written in one piece is its own part 1.
fn select_part(s3: &EmbeddedS3, row: &ObjectRow, number: i32) -> S3Result<Option<Selection>> {
    let number = u16::try_from(number).ok().filter(|number| (1..=PART_NUMBER_MAX).contains(number));
    let number =
        number.ok_or_else(|| invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))?;
    let missing = || {
        let status = http::StatusCode::RANGE_NOT_SATISFIABLE;
        custom("InvalidPartNumber", status, "The requested partnumber is not satisfiable")
    };
    let BodyRow::Parts(manifest) = &row.body else {
        if number != 1 {
            return Err(missing());
        }
        let (range, partial) = (0..row.size, row.size > 0);
        return Ok(Some(Selection { range, partial, checksum: row.checksum.clone(), parts_count: None }));
    };
    let Some(parts) = s3.manifest(manifest)? else { return Ok(None) };
    let position = parts.iter().position(|part| part.number == number).ok_or_else(missing)?;
    let start: u64 = parts[..position].iter().map(|part| part.size).sum();
    let part = &parts[position];
    let checksum = row.checksum.as_ref().and_then(|whole| {
        let value = part.sum(whole.algorithm)?.to_owned();
        Some(Checksum { algorithm: whole.algorithm, value, kind: Kind::FullObject })
    });
    Ok(Some(Selection {
        range: start..start + part.size,
        partial: part.size > 0,
        checksum,
        parts_count: i32::try_from(parts.len()).ok(),
    }))
}

fn content_range(selection: &Selection, size: u64) -> Option<String> {
    let Range { start, end } = selection.range;
    selection.partial.then(|| format!("bytes {start}-{}/{size}", end.saturating_sub(1)))
}

fn wants_checksum(call: &Call) -> bool {
    call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"))
}

fn user_metadata(row: &ObjectRow) -> Option<HashMap<String, String>> {
    Some(row.meta.user.clone().into_iter().collect()).filter(|user: &HashMap<_, _>| !user.is_empty())
}

fn http_date(moment: s3s::dto::Timestamp) -> String {
    let moment: time::OffsetDateTime = moment.into();
    aws_api::Timestamp::from_secs(moment.unix_timestamp()).to_http_date()
}

/// The headers that came with the object, under what the request wants instead.
fn kept_headers(
    row: &ObjectRow,
    overrides: impl IntoIterator<Item = (HeaderName, Option<String>)>,
) -> S3Result<HeaderMap> {
    let meta = &row.meta;
    let kept = [
        (header::CONTENT_TYPE, Some(meta.content_type.as_deref().unwrap_or(DEFAULT_CONTENT_TYPE))),
        (header::CACHE_CONTROL, meta.cache_control.as_deref()),
        (header::CONTENT_DISPOSITION, meta.content_disposition.as_deref()),
        (header::CONTENT_ENCODING, meta.content_encoding.as_deref()),
        (header::CONTENT_LANGUAGE, meta.content_language.as_deref()),
        (header::EXPIRES, meta.expires.as_deref()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in kept {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).map_err(internal)?);
        }
    }
    for (name, value) in overrides {
        let Some(value) = value else { continue };
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| invalid_argument("Header value cannot be represented using ISO-8859-1."))?;
        headers.insert(name, value);
    }
    Ok(headers)
}
