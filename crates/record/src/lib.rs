//! The CloudTrail record of one request: who, from where, with what, on what, and how it ended.
//!
//! Pure values. [`S3Call`] holds what was seen of a request and its answer; [`S3Call::record`] makes the record from it, and
//! [`Entry`] is how a record stands in the event log. Nothing here knows what becomes of a record.
//!
//! Sources: CloudTrail user guide, "CloudTrail record contents" (version 1.11) and "CloudTrail userIdentity element"; S3 user
//! guide, "Amazon S3 CloudTrail events" and "Identifying Amazon S3 requests using CloudTrail".

mod entry;
mod identity;
mod parameters;
mod record;
mod s3;

pub use entry::{Entry, EntryError, Outcome};
pub use identity::{Attributes, SessionContext, SessionIssuer, UserIdentity};
pub use record::{AdditionalEventData, Record, Resource, TlsDetails};
pub use s3::{Failure, S3Call, Signed};
