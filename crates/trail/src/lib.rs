//! CloudTrail's trails: which records they choose, what their API says, how their log files and digests are
//! named, laid out and proven.
//!
//! Pure. [`Trails`] holds every trail of every account and region. Its operations decide and change nothing: they return
//! [`Change`](aws_api::Change)s, which the caller makes durable and gives to [`Trails::absorb`], the only mutation.
//! [`Trails::selecting`] is what a record meets: the trails that want it, decided by selectors that were compiled when they
//! were absorbed.
//!
//! Not known here: what a record looks like as JSON, where files are kept, what time it is.

mod api;
pub mod digest;
mod entity;
mod file;
mod name;
mod selector;
mod status;
mod tag;
mod trails;
mod view;

pub use entity::{DeliveryStatus, Selectors, Trail, TrailRef};
pub use file::{LOG_FILE_BYTES_MAX, delivery_deadline, log_file_body, log_file_key, unique16};
pub use selector::{CompiledSelectors, EventCategory, EventFacts, ResourceName};
pub use trails::{TRAILS_PER_REGION_MAX, Trails};
