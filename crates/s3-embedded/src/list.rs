//! `ListObjects` and `ListObjectsV2`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result};
use store::Space;

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::bucket::{display_owner, listed_checksum};
use crate::context::Call;
use crate::error::invalid_argument;
use crate::row::{BucketRow, ObjectRow, decode};
use crate::walk::{Item, Page, Walk};

/// Most entries of a page (`ListObjectsV2`, `MaxKeys`).
pub(crate) const PAGE_MAX: i32 = 1000;

/// `encoding-type=url` leaves these as they are.
const URL_SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// How names are written into the answer.
#[derive(Clone, Copy)]
pub(crate) struct Encoding {
    url: bool,
}

impl Encoding {
    pub fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None | Some("") => Ok(Self { url: false }),
            Some("url") => Ok(Self { url: true }),
            Some(_) => Err(invalid_argument("Invalid Encoding Method specified in Request")),
        }
    }

    pub fn text(self, name: &str) -> String {
        if self.url { utf8_percent_encode(name, URL_SAFE).to_string() } else { name.to_owned() }
    }

    pub fn opt(self, name: Option<&str>) -> Option<String> {
        name.map(|name| self.text(name))
    }

    pub fn name(self) -> Option<EncodingType> {
        self.url.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

/// Reads `max-keys` and its like: none or too many mean 1,000.
pub(crate) fn page_size(asked: Option<i32>, name: &str) -> S3Result<usize> {
    let size = asked.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    usize::try_from(size)
        .map_err(|_| invalid_argument(format!("Argument {name} must be an integer between 0 and 2147483647")))
}

/// An empty parameter is as good as none.
pub(crate) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// The least name behind this one.
pub(crate) fn behind(name: &str) -> String {
    format!("{name}\0")
}

pub(crate) fn objects(s3: &EmbeddedS3, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_bucket("s3:ListBucket"))?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = page_size(input.max_keys, "maxKeys")?;
    let marker = given(input.marker.as_deref());
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = given(input.delimiter.as_deref());
    let walk = Walk { store: s3.store(), space: Space::Objects, bucket: &input.bucket, prefix, delimiter, max };
    let page = walk.page(&marker.map(behind).unwrap_or_default())?;
    let listing = Listing::new(&page, encoding, Some(&bucket))?;
    // "This element is returned only if you have the delimiter request parameter specified."
    let next = delimiter.and(listing.last.as_deref()).filter(|_| page.truncated);
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.text(prefix)),
        marker: Some(encoding.text(marker.unwrap_or_default())),
        max_keys: i32::try_from(max).ok(),
        is_truncated: Some(page.truncated),
        next_marker: encoding.opt(next),
        delimiter: encoding.opt(delimiter),
        encoding_type: encoding.name(),
        contents: Some(listing.contents),
        common_prefixes: Some(listing.prefixes),
        ..ListObjectsOutput::default()
    }))
}

pub(crate) fn objects_v2(
    s3: &EmbeddedS3,
    req: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let bucket = s3.bucket(&call, &input.bucket, on_bucket("s3:ListBucket"))?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = page_size(input.max_keys, "max-keys")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = given(input.delimiter.as_deref());
    let from = match (&input.continuation_token, given(input.start_after.as_deref())) {
        (Some(token), _) => behind(&read_token(token)?),
        (None, Some(start_after)) => behind(start_after),
        (None, None) => String::new(),
    };
    let walk = Walk { store: s3.store(), space: Space::Objects, bucket: &input.bucket, prefix, delimiter, max };
    let page = walk.page(&from)?;
    let listing = Listing::new(&page, encoding, input.fetch_owner.unwrap_or(false).then_some(&bucket))?;
    let next = listing.last.as_deref().filter(|_| page.truncated);
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.text(prefix)),
        max_keys: i32::try_from(max).ok(),
        key_count: i32::try_from(page.items.len()).ok(),
        continuation_token: input.continuation_token.clone(),
        is_truncated: Some(page.truncated),
        next_continuation_token: next.map(write_token),
        start_after: encoding.opt(input.start_after.as_deref()),
        delimiter: encoding.opt(delimiter),
        encoding_type: encoding.name(),
        contents: Some(listing.contents),
        common_prefixes: Some(listing.prefixes),
        ..ListObjectsV2Output::default()
    }))
}

/// A page as the answers show it.
struct Listing {
    contents: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    /// The last name, as it is.
    last: Option<String>,
}

impl Listing {
    fn new(page: &Page, encoding: Encoding, owner: Option<&BucketRow>) -> S3Result<Self> {
        let mut listing = Self { contents: Vec::new(), prefixes: Vec::new(), last: None };
        for item in &page.items {
            match item {
                Item::Row(key, row) => listing.contents.push(entry(encoding.text(key), &decode(row)?, owner)),
                Item::Prefix(prefix) => {
                    listing.prefixes.push(CommonPrefix { prefix: Some(encoding.text(prefix)) });
                }
            }
        }
        listing.last = page.items.last().map(|item| match item {
            Item::Row(name, _) | Item::Prefix(name) => name.clone(),
        });
        Ok(listing)
    }
}

fn entry(key: String, row: &ObjectRow, owner: Option<&BucketRow>) -> Object {
    let (checksum_algorithm, checksum_type) = listed_checksum(row.checksum.as_ref());
    Object {
        key: Some(key),
        size: i64::try_from(row.size).ok(),
        last_modified: Some(row.modified.to_offset_date_time().into()),
        e_tag: Some(s3s::dto::ETag::Strong(row.etag.clone())),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: owner.map(|bucket| display_owner(&bucket.owner, &bucket.owner_name)),
        checksum_algorithm,
        checksum_type,
        ..Object::default()
    }
}

fn write_token(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

fn read_token(token: &str) -> S3Result<String> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.filter(|name| !name.is_empty()).ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_encoding_is_reversible_by_both_kinds_of_decoders() {
        let encoding = Encoding { url: true };
        assert_eq!(encoding.text("a b+c/d%é.*-_"), "a%20b%2Bc/d%25%C3%A9.*-_");
        assert_eq!(Encoding { url: false }.text("a b"), "a b");
    }

    #[test]
    fn tokens() {
        assert_eq!(read_token(&write_token("a/b é")).unwrap(), "a/b é");
        for bad in ["", "!", "_w"] {
            assert!(read_token(bad).is_err(), "{bad}");
        }
    }
}
