//! The S3 front: proves the caller, hands the request to a backend, and records what was done.
//!
//! The way of a request, in the order of the files: [`target`](Target) reads what its head names, `authenticate` proves its
//! caller (`form` for browser uploads), `payload` counts, unframes and proves its body, `forward` gives it the form that a
//! backend takes, [`Backend`] does it, and [`Audit`] commits what the backend staged together with the record before the
//! answer's last byte leaves (`recorder`, `answer`). What is inside does not know that it is audited.

mod answer;
mod audit;
mod authenticate;
mod backend;
mod document;
mod embedded;
mod form;
mod forward;
mod keys;
mod payload;
mod recorder;
mod refusals;
mod reply;
mod target;
mod xml;

pub use audit::{Audit, Counters, Ids, ONE_PIECE_LEN_MAX, Peer, Principal, Surroundings};
pub use backend::{Backend, Body, BodyError, BoxError, BucketInfo};
pub use embedded::Embedded;
pub use keys::{Key, KeyRing};
pub use recorder::{Clock, Recorder, STALLED_AFTER_MILLIS};
pub use refusals::{ADDRESSES_MAX, KEPT_PER_ADDRESS, Refusals, WINDOW_SECS};
pub use target::{InvalidTarget, Target, host_bucket};
pub use xml::{ERROR_LEN_MAX, ErrorDocument};
