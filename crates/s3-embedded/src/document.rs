//! The configuration of a bucket: small facts in its row, longer documents (its policy, its lifecycle rules, its tags) beside it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use s3s::S3Result;
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::context::Call;
use crate::error::{internal, no_such_bucket, store_error};
use crate::row::{BucketRow, DocumentId, encode};

/// How often a document is looked for again that was replaced between its bucket's row and its text.
const ATTEMPTS: usize = 8;
/// Documents of a kind that are kept parsed.
const PARSED_MAX: usize = 1024;

/// Documents that were parsed, by the name of their text, so that none can be out of date.
pub(crate) struct Parsed<T>(RwLock<HashMap<DocumentId, Arc<T>>>);

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Parsed<T> {
    pub fn get(&self, id: &DocumentId) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub fn insert(&self, id: DocumentId, document: &Arc<T>) {
        let mut parsed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= PARSED_MAX {
            parsed.clear();
        }
        parsed.insert(id, Arc::clone(document));
    }

    pub fn forget(&self, id: &DocumentId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Puts another document in the place of one, or none.
pub(crate) fn replace(unit: &mut Unit, place: &mut Option<DocumentId>, new: Option<(DocumentId, Vec<u8>)>) {
    if let Some(old) = place.take() {
        unit.delete(Space::Bodies, old);
    }
    if let Some((id, text)) = new {
        unit.put(Space::Bodies, id, text);
        *place = Some(id);
    }
}

impl EmbeddedS3 {
    /// A document of a bucket whose row was just read.
    pub(crate) fn document(
        &self,
        name: &str,
        row: &BucketRow,
        of: fn(&BucketRow) -> Option<DocumentId>,
    ) -> S3Result<Option<(DocumentId, Bytes)>> {
        let mut named = of(row);
        for _ in 0..ATTEMPTS {
            let Some(id) = named else { return Ok(None) };
            if let Some(text) = self.store().get(Space::Bodies, &id).map_err(store_error)? {
                return Ok(Some((id, text)));
            }
            named = of(&self.bucket_row(name)?.ok_or_else(no_such_bucket)?);
        }
        Err(internal("a document of a bucket was replaced each time it was looked at"))
    }

    /// Changes the configuration of a bucket, if the caller may do this to it. A change that changes nothing is not written.
    pub(crate) async fn configure(
        &self,
        call: &Call,
        name: &str,
        action: &'static str,
        change: impl FnOnce(&mut BucketRow, &mut Unit) -> S3Result<()>,
    ) -> S3Result<()> {
        // Exclusive: an object is written under the configuration that holds, to its end.
        let guard = self.locks().bucket(name).await;
        let before = self.bucket(call, name, on_bucket(action))?;
        let (mut row, mut unit) = (before.clone(), Unit::new());
        change(&mut row, &mut unit)?;
        if row == before {
            return Ok(());
        }
        unit.put(Space::Buckets, name.as_bytes(), encode(&row)?);
        unit.hold(guard);
        call.finish(self.store(), unit).await
    }
}
