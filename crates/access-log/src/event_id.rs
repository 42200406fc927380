//! `eventID` of an imported record, which follows from the line.

use sha2::{Digest as _, Sha256};
use uuid::Builder;

use crate::Line;

/// A UUID of version 8 (RFC 9562, "custom") from what tells requests apart. S3 may deliver a line more than once: its copies
/// have one id, so that they can be counted once. The lines that one request leaves (a copy, a deletion of many keys) differ in
/// operation, key or version.
pub(crate) fn event_id(line: &Line<'_>) -> String {
    let mut hash = Sha256::new();
    for column in [line.request_id, line.host_id, Some(line.operation), line.key, line.version_id] {
        hash.update(column.unwrap_or(b"-"));
        // No column holds a blank.
        hash.update(b" ");
    }
    // S3's ids are unique. What other servers write need not be.
    hash.update(line.time.as_millis().to_be_bytes());
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string()
}
