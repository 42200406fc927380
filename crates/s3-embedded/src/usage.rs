//! How much a bucket holds, as S3's storage metrics count it.
//!
//! Source: CloudWatch metrics of S3. `NumberOfObjects` counts current and noncurrent objects, delete markers, and the parts of
//! uploads under way; `BucketSizeBytes` their bytes. Counted by a walk over the rows, so that no crash can make it wrong; a
//! walk is taken in steps, and what is written meanwhile is counted or not.

use s3s::S3Result;
use store::Space;

use crate::EmbeddedS3;
use crate::error::{internal, store_error};
use crate::object::put::BucketHome;
use crate::row::{BucketRow, ObjectRow, bucket_rows, decode};
use crate::version::{Kept, VersionRow};

/// What a bucket holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// `NumberOfObjects`
    pub objects: u64,
    /// `BucketSizeBytes`
    pub bytes: u64,
}

/// A count under way.
#[derive(Debug, Clone)]
pub struct UsageWalk {
    bucket: String,
    /// The space that is counted, and the row that was counted last.
    at: Option<(Space, Vec<u8>)>,
    so_far: Usage,
}

impl UsageWalk {
    /// Of a bucket.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), at: Some((Space::Objects, Vec::new())), so_far: Usage::default() }
    }
}

impl EmbeddedS3 {
    /// Counts up to `rows_max` rows more (and the parts of the uploads among them). The result, once all are counted; a bucket
    /// that there is not holds nothing.
    ///
    /// It reads only, and blocks its thread for as long.
    pub fn count_usage(&self, walk: &mut UsageWalk, rows_max: usize) -> S3Result<Option<Usage>> {
        let mut left = rows_max;
        while let Some((space, behind)) = walk.at.take() {
            let (start, end) = bucket_rows(&walk.bucket);
            let start = if behind.is_empty() { start } else { [&behind[..], b"\0"].concat() };
            let mut last = None;
            for row in self.store().range(space, start..end) {
                if left == 0 {
                    walk.at = Some((space, last.unwrap_or(behind)));
                    return Ok(None);
                }
                left -= 1;
                let (key, row) = row.map_err(store_error)?;
                self.count(space, &key, &row, &mut walk.so_far)?;
                last = Some(key.to_vec());
            }
            walk.at = match space {
                Space::Objects => Some((Space::Versions, Vec::new())),
                Space::Versions => Some((Space::Uploads, Vec::new())),
                _ => None,
            };
        }
        Ok(Some(walk.so_far))
    }

    fn count(&self, space: Space, key: &[u8], row: &[u8], usage: &mut Usage) -> S3Result<()> {
        let mut add = |bytes: u64| {
            usage.objects += 1;
            usage.bytes += bytes;
        };
        match space {
            Space::Objects => add(decode::<ObjectRow>(row)?.size),
            Space::Versions => match decode::<VersionRow>(row)?.kept {
                Kept::Object(object) => add(object.size),
                Kept::Marker(_) => add(0),
            },
            _ => {
                let id = key.rsplit(|byte| *byte == 0).next().unwrap_or_default();
                for part in self.parts(std::str::from_utf8(id).map_err(internal)?, 0) {
                    add(part?.size);
                }
            }
        }
        Ok(())
    }

    /// The same in one go.
    pub fn usage(&self, bucket: &str) -> S3Result<Usage> {
        let counted = self.count_usage(&mut UsageWalk::new(bucket), usize::MAX)?;
        Ok(counted.unwrap_or_default())
    }

    /// The buckets behind this name, in order, not more than so many: what is known of them from outside.
    pub fn buckets_behind(&self, name: &str, max: usize) -> S3Result<Vec<(String, BucketHome)>> {
        let start = if name.is_empty() { Vec::new() } else { [name.as_bytes(), b"\0"].concat() };
        let rows = self.store().range(Space::Buckets, start..).take(max);
        rows.map(|row| {
            let (name, row) = row.map_err(store_error)?;
            let row: BucketRow = decode(&row)?;
            Ok((String::from_utf8(name.to_vec()).map_err(internal)?, BucketHome::of(row)))
        })
        .collect()
    }
}
