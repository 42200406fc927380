//! CloudTrail's trails: which records they choose, what their API says, how their log files and digests are
//! named, laid out and proven.
//!
//! Pure. [`Trails`] holds every trail of every account and region. Its operations decide and change nothing: they return
//! [`Change`](aws_api::Change)s, which the caller makes durable and gives to [`Trails::absorb`], the only mutation.
//! [`Trails::selecting`] is what a record meets: the trails that want it, decided by selectors that were compiled when they
//! were absorbed.
//!
//! [`Lookup`] and [`finder_keys`] are the event history: the keys of the rows that `LookupEvents` reads.
//!
//! Not known here: where files and rows are kept, what time it is.

mod api;
pub mod digest;
mod entity;
mod file;
mod history;
mod insight;
mod name;
mod resource;
mod selector;
mod status;
mod tag;
mod trails;
mod view;

pub use entity::{DeliveryStatus, Selectors, Trail, TrailRef};
pub use file::{LOG_FILE_BYTES_MAX, LogFileWriter, delivery_deadline, log_file_key, unique16};
pub use history::{HISTORY_DAYS, Lookup, Place, expired_before, finder_keys, first_event_key, shown};
pub use name::insufficient_topic_policy;
pub use selector::{CompiledSelectors, EventCategory, EventFacts, ResourceName};
pub use trails::{TRAILS_PER_REGION_MAX, Trails};
