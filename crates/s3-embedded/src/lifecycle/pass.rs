//! Rules applied, a bounded step at a time, by the same code as a deletion: what goes is gone durably.

use aws_api::Timestamp;
use s3s::S3Result;
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::error::{internal, store_error};
use crate::lifecycle::due::Subject;
use crate::lifecycle::rules::Rules;
use crate::row::{BucketRow, DocumentId, UploadRow, bucket_rows, decode, upload_key};
use crate::stage::{Found, Stage};
use crate::version::{Kept, Moment, VersionRef, VersionRow};
use crate::versions::{Listed, Versions};

/// Rows that one step looks at.
const ROWS_MAX: usize = 1000;
/// Of them so many are deleted in one unit.
const DUE_MAX: usize = 250;
/// Uploads that one step gives up: each may have thousands of parts.
const UPLOADS_MAX: usize = 10;

/// How far a pass over all buckets is. Lost with the process: the next pass begins anew.
#[derive(Debug, Default)]
pub struct Expiry {
    at: Option<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    bucket: String,
    part: Part,
}

#[derive(Debug, Clone)]
enum Part {
    /// From the key on.
    Versions(Behind),
    /// Behind this row.
    Uploads(Vec<u8>),
}

/// The version that was looked at last, and how many of its key were noncurrent by then.
#[derive(Debug, Clone, Default)]
struct Behind {
    key: String,
    order: Option<u64>,
    noncurrent: u32,
}

/// A bucket and the rules that hold in it.
struct Target<'a> {
    name: &'a str,
    row: &'a BucketRow,
    id: DocumentId,
    rules: &'a Rules,
}

impl EmbeddedS3 {
    /// Takes a step of a pass: looks at some rows, and deletes those whose time has come at `now`. True if there is more to do.
    ///
    /// Errors: `InternalError`; the pass goes on where it was.
    pub async fn expire(&self, pass: &mut Expiry, now: Timestamp) -> S3Result<bool> {
        let from = pass.at.as_ref().map(|place| place.bucket.clone()).unwrap_or_default();
        for row in self.store().range(Space::Buckets, from.clone().into_bytes()..).take(ROWS_MAX) {
            let (name, row) = row.map_err(store_error)?;
            let name = String::from_utf8(name.to_vec()).map_err(internal)?;
            let row: BucketRow = decode(&row)?;
            let rules = self.lifecycle(&name, &row)?.filter(|(_, rules)| rules.hold_for(&row));
            if let Some((id, rules)) = rules {
                let part = match pass.at.take() {
                    Some(place) if place.bucket == name => place.part,
                    _ => Part::Versions(Behind::default()),
                };
                // If it fails, it is tried again.
                pass.at = Some(Place { bucket: name.clone(), part: part.clone() });
                let target = Target { name: &name, row: &row, id, rules: &rules };
                let part = self.expire_part(&target, part, now).await?;
                let next = || Place { bucket: format!("{name}\0"), part: Part::Versions(Behind::default()) };
                pass.at = Some(part.map_or_else(next, |part| Place { bucket: name.clone(), part }));
                return Ok(true);
            }
            pass.at = Some(Place { bucket: format!("{name}\0"), part: Part::Versions(Behind::default()) });
        }
        let at_end = pass.at.as_ref().is_none_or(|place| place.bucket == from);
        if at_end {
            pass.at = None;
        }
        Ok(!at_end)
    }

    /// What is left to do in the bucket.
    async fn expire_part(&self, target: &Target<'_>, part: Part, now: Timestamp) -> S3Result<Option<Part>> {
        match part {
            Part::Versions(behind) if target.rules.are_about_versions() => {
                let (due, rest) = self.due_versions(target, behind, now)?;
                self.delete_due(target, due, now).await?;
                Ok(Some(rest.map_or_else(|| Part::Uploads(Vec::new()), Part::Versions)))
            }
            Part::Versions(_) => Ok(Some(Part::Uploads(Vec::new()))),
            Part::Uploads(behind) => Ok(self.abort_due(target, behind, now).await?.map(Part::Uploads)),
        }
    }

    /// Versions whose time has come, of as many as one step looks at; and where the next one begins.
    fn due_versions(
        &self,
        target: &Target<'_>,
        mut behind: Behind,
        now: Timestamp,
    ) -> S3Result<(Vec<Listed>, Option<Behind>)> {
        let mut rows = Versions::behind(self.store(), target.name, &behind.key, behind.order);
        let mut due = Vec::new();
        for _ in 0..ROWS_MAX {
            let Some(listed) = rows.next().transpose()? else { return Ok((due, None)) };
            if listed.key != behind.key {
                behind = Behind { key: listed.key.clone(), order: None, noncurrent: 0 };
            }
            let is_first = behind.order.is_none();
            behind.order = Some(listed.order());
            let is_due = match &listed.found {
                Found::Current(row) => {
                    let expiry = target.rules.expiry(&Subject::of(&listed.key, row), row.modified);
                    expiry.is_some_and(|(moment, _)| moment <= now)
                }
                Found::Kept(row) => {
                    let is_alone = is_first && rows.next_key()?.is_none_or(|next| next != listed.key);
                    is_kept_due(target.rules, &listed.key, row, is_alone, behind.noncurrent, now)
                }
            };
            if matches!(&listed.found, Found::Kept(row) if !row.is_latest()) {
                behind.noncurrent = behind.noncurrent.saturating_add(1);
            }
            if is_due {
                due.push(listed);
                if due.len() == DUE_MAX {
                    break;
                }
            }
        }
        Ok((due, Some(behind)))
    }

    /// Deletes what is still as it was seen, under rules that are still the same.
    async fn delete_due(&self, target: &Target<'_>, due: Vec<Listed>, now: Timestamp) -> S3Result<()> {
        if due.is_empty() {
            return Ok(());
        }
        let guards = self.locks().keys(target.name, due.iter().map(|listed| listed.key.as_str())).await;
        let Some(row) = self.still(target)? else { return Ok(()) };
        let mut stage = Stage::new(self, target.name, &row);
        stage.unit().hold(guards);
        let moment = Moment::of_service(now);
        for listed in due {
            match &listed.found {
                Found::Current(seen) => {
                    if stage.current(&listed.key)?.as_ref() == Some(seen) {
                        stage.delete(&listed.key, moment)?;
                    }
                }
                Found::Kept(seen) => {
                    let version = seen.version().cloned().map_or(VersionRef::Null, VersionRef::Id);
                    if stage.find(&listed.key, &version)?.as_ref() == Some(&listed.found) {
                        stage.delete_version(&listed.key, &version)?;
                    }
                }
            }
        }
        self.store().commit(stage.into_unit()).await.map(drop).map_err(store_error)
    }

    /// Gives up uploads whose time has come. Returns the row behind which the next step begins.
    async fn abort_due(&self, target: &Target<'_>, behind: Vec<u8>, now: Timestamp) -> S3Result<Option<Vec<u8>>> {
        let (start, end) = bucket_rows(target.name);
        let start = if behind.is_empty() { start } else { [&behind[..], b"\0"].concat() };
        let (mut due, mut last) = (Vec::new(), None);
        for (row, count) in self.store().range(Space::Uploads, start..end).zip(1..) {
            let (row_key, row) = row.map_err(store_error)?;
            let name = String::from_utf8(row_key[target.name.len() + 1..].to_vec()).map_err(internal)?;
            let (key, id) = name.split_once('\0').ok_or_else(|| internal("an upload's row has no upload id"))?;
            let upload: UploadRow = decode(&row)?;
            if target.rules.upload_is_due(key, upload.initiated, now) {
                due.push((key.to_owned(), id.to_owned()));
            }
            if due.len() == UPLOADS_MAX || count == ROWS_MAX {
                last = Some(row_key.to_vec());
                break;
            }
        }
        if due.is_empty() {
            return Ok(last);
        }
        let guards = self.locks().keys(target.name, due.iter().map(|(key, _)| key.as_str())).await;
        if self.still(target)?.is_none() {
            return Ok(None);
        }
        let mut unit = Unit::new();
        unit.hold(guards);
        for (key, id) in due {
            let row_key = upload_key(target.name, &key, &id);
            if self.store().get(Space::Uploads, &row_key).map_err(store_error)?.is_some() {
                self.discard_parts(&mut unit, &id)?;
                unit.delete(Space::Uploads, row_key);
            }
        }
        self.store().commit(unit).await.map_err(store_error)?;
        Ok(last)
    }

    /// The bucket's row, if the same rules still hold.
    fn still(&self, target: &Target<'_>) -> S3Result<Option<BucketRow>> {
        let row = self.bucket_row(target.name)?;
        Ok(row.filter(|row| {
            row.lifecycle == Some(target.id) && row.created == target.row.created && target.rules.hold_for(row)
        }))
    }

    pub(crate) fn parsed_rules(&self) -> &crate::document::Parsed<Rules> {
        &self.0.rules
    }
}

fn is_kept_due(rules: &Rules, key: &str, row: &VersionRow, is_alone: bool, newer: u32, now: Timestamp) -> bool {
    let Some(since) = row.noncurrent_since else {
        return is_alone && rules.marker_is_due(key, row.modified(), now);
    };
    let subject = match &row.kept {
        Kept::Object(object) => Subject::of(key, object),
        Kept::Marker(_) => Subject::bare(key),
    };
    rules.noncurrent_is_due(&subject, since, newer, now)
}
