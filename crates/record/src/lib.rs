//! The CloudTrail record of one request: who, from where, with what, on what, and how it ended.
//!
//! Pure values. [`S3Call`] and [`ApiCall`] hold what was seen of a request and its answer; their `record` makes the record
//! from it, and [`Entry`] is how a record stands in the event log. Nothing here knows what becomes of a record.
//!
//! Sources: CloudTrail user guide, "CloudTrail record contents" (version 1.11) and "CloudTrail userIdentity element"; S3 user
//! guide, "Amazon S3 CloudTrail events" and "Identifying Amazon S3 requests using CloudTrail"; public logs.

mod api;
mod elements;
mod entry;
mod identity;
mod outline;
mod parameters;
mod record;
mod s3;
mod size;

pub use api::{ApiCall, HIDDEN};
pub use elements::{Elements, request_parameters, response_elements};
pub use entry::{Entry, EntryError, Logged, Marker, Outcome};
pub use identity::{Attributes, GroupingParts, SessionContext, SessionIssuer, UserIdentity, is_foreign};
pub use outline::{IdentityOutline, IssuerOutline, Outline, ResourceOutline, SessionOutline, SignatureOutline, Text};
pub use parameters::is_shown_header;
pub use record::{AdditionalEventData, Common, Failure, Record, Resource, TlsDetails};
pub use s3::{CallersCopy, S3Call, Signed, answered};
pub use size::EVENT_LEN_MAX;
