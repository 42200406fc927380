//! The nouns of the AWS surface: ARNs, timestamps, errors, and the table of operations with their shapes.
//!
//! Pure values. Nothing here knows how they look on a wire (`aws-wire`) or what an operation does (`bus`, `topic`, `queue`, …).
//!
//! Shapes carry AWS's member names (`PascalCase` on the wire). A member that AWS has and we do not support is not in the
//! shape, and an unknown member is refused: nothing is accepted that would have no effect. What a request must have is
//! checked by the core that acts on it, with the service's own message; the shape's default stands for "absent".

mod arn;
mod blob;
mod change;
mod context;
mod error;
mod moment;
mod ops;
mod region;
mod tag;
mod timestamp;

pub mod cloudformation;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod events;
pub mod s3;
pub mod sns;
pub mod sqs;
pub mod sts;

pub use arn::{ARN_LEN_MAX, Arn, InvalidArn};
pub use blob::Blob;
pub use change::{Change, Entity};
pub use context::{Caller, RequestContext, Role};
pub use error::{ApiError, Fault};
pub use moment::Moment;
pub use ops::{Access, Category, Codec, OpInfo, Service, ServiceInfo};
pub use region::{REGIONS, is_region};
pub use tag::{SYSTEM_TAG_REFUSED, is_system_tag, user_tags};
pub use timestamp::Timestamp;
