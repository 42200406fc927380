//! Which bytes of an object a request asks for: `Range` (RFC 9110 §14) as S3 reads it, and `partNumber`.

use std::ops::Range;

use s3s::{S3Error, S3ErrorCode, S3Result};

/// One range of a `Range` header, before the object's size is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// `first-last`, `last` inclusive; `first-` has none.
    From { first: u64, last: Option<u64> },
    /// `-length`: the last bytes.
    Suffix { length: u64 },
}

impl ByteRange {
    /// Reads a `Range` header. `None` where RFC 9110 has the header ignored: another unit, bad syntax, `last` before `first`;
    /// and for several ranges, which S3 ignores ("Amazon S3 doesn't support retrieving multiple ranges of data per GET request").
    pub fn parse(header: &str) -> Option<Self> {
        let set = header.trim().strip_prefix("bytes=")?.trim();
        let (first, last) = set.split_once('-')?;
        let number = |text: &str| -> Option<u64> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(u64::MAX))
        };
        if first.is_empty() {
            return Some(Self::Suffix { length: number(last)? });
        }
        let first = number(first)?;
        if last.is_empty() {
            return Some(Self::From { first, last: None });
        }
        let last = number(last)?;
        (first <= last).then_some(Self::From { first, last: Some(last) })
    }

    /// The bytes of an object of this size, or `InvalidRange` (416).
    pub fn within(self, size: u64) -> S3Result<Range<u64>> {
        match self {
            Self::From { first, last } if first < size => {
                Ok(first..last.map_or(size, |last| last.saturating_add(1).min(size)))
            }
            Self::Suffix { length } if length > 0 && size > 0 => Ok(size - length.min(size)..size),
            _ => Err(not_satisfiable(size)),
        }
    }
}

/// Reads `x-amz-copy-source-range`, which must be `bytes=first-last` and inside the source (`UploadPartCopy`).
pub(crate) fn copy_source_range(header: &str, size: u64) -> S3Result<Range<u64>> {
    match ByteRange::parse(header) {
        Some(ByteRange::From { first, last: Some(last) }) if last < size => Ok(first..last + 1),
        Some(ByteRange::From { last: Some(_), .. }) => Err(S3Error::with_message(
            S3ErrorCode::InvalidArgument,
            format!("Range specified is not valid for source object of size: {size}"),
        )),
        _ => Err(S3Error::with_message(
            S3ErrorCode::InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
        )),
    }
}

fn not_satisfiable(size: u64) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = http::HeaderValue::from_str(&format!("bytes */{size}")) {
        headers.insert(http::header::CONTENT_RANGE, value);
    }
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_ranges_are_read_and_others_ignored() {
        let from = |first, last| Some(ByteRange::From { first, last });
        let cases = [
            ("bytes=0-4", from(0, Some(4))),
            ("bytes=5-", from(5, None)),
            ("bytes=-3", Some(ByteRange::Suffix { length: 3 })),
            ("bytes=0-99999999999999999999999", from(0, Some(u64::MAX))),
            ("bytes=4-0", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-b", None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("items=0-4", None),
        ];
        for (header, expected) in cases {
            assert_eq!(ByteRange::parse(header), expected, "{header}");
        }
    }

    #[test]
    fn held_to_the_size() {
        let cases = [
            ("bytes=0-4", 10, Some(0..5)),
            ("bytes=8-20", 10, Some(8..10)),
            ("bytes=9-", 10, Some(9..10)),
            ("bytes=10-", 10, None),
            ("bytes=-3", 10, Some(7..10)),
            ("bytes=-30", 10, Some(0..10)),
            ("bytes=-0", 10, None),
            ("bytes=0-", 0, None),
            ("bytes=-5", 0, None),
        ];
        for (header, size, expected) in cases {
            assert_eq!(ByteRange::parse(header).unwrap().within(size).ok(), expected, "{header} of {size}");
        }
    }

    #[test]
    fn copy_ranges_must_be_whole() {
        assert_eq!(copy_source_range("bytes=0-9", 10).unwrap(), 0..10);
        for header in ["bytes=0-10", "bytes=0-", "bytes=-1", "0-1", "bytes=3-2"] {
            assert!(copy_source_range(header, 10).is_err(), "{header}");
        }
    }
}
