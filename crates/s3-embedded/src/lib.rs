//! S3 on the embedded store: `s3s` reads and writes the protocol, [`store`] keeps the bytes, and this crate decides.
//!
//! It knows nothing of signatures, records, sockets or the clock. A request comes with what was established before it got here
//! (see the types of extensions below); an answer leaves only when what it says is durable, or when its batch has been handed to
//! the caller who makes it so ([`DeferredUnit`]).
//!
//! The way of a write: body to memory or file ([`body`]) and digests ([`checksum`]) → the key's lock ([`lock`]) → the row that is
//! there ([`row`]) → conditions ([`conditional`]) → a unit with the new row, the old one's bytes given up, and the lock.

mod access;
mod body;
mod bucket;
mod bucket_policy;
mod bucket_tags;
mod checksum;
mod conditional;
mod context;
mod document;
mod error;
mod lifecycle;
mod list;
mod lock;
mod meta;
mod multipart;
mod object;
mod operations;
mod ownership;
mod public_access;
mod range;
mod row;
mod service;
mod stage;
mod usage;
mod version;
mod versions;
mod walk;

use std::sync::Arc;

use s3s::S3Result;
use serde::de::DeserializeOwned;
use store::{Space, Store};

pub use access::ServiceWriter;
pub use context::{DeferredUnit, ExpectedOperation, Owner, RequestId, RequestTime, Requester, Trailers};
pub use lifecycle::pass::Expiry;
pub use object::put::{BucketHome, StagedObject};
pub use service::Service;
pub use usage::{Usage, UsageWalk};

use crate::bucket::US_EAST_1;
use crate::document::Parsed;
use crate::error::store_error;
use crate::lifecycle::rules::Rules;
use crate::lock::Locks;

/// Limits of the service. The defaults are S3's.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most bytes of one `PutObject`, part or copy ("Amazon S3 multipart upload limits": 5 GiB).
    pub object_size_max: u64,
    /// Fewest bytes of a part that is not the last (5 MiB).
    pub part_size_min: u64,
    /// A region that buckets may be in besides AWS's.
    pub region: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { object_size_max: 5 * 1024 * 1024 * 1024, part_size_min: 5 * 1024 * 1024, region: US_EAST_1.to_owned() }
    }
}

/// S3 over an open store. Clones share it, its locks too: there must be only one for each store.
#[derive(Clone)]
pub struct EmbeddedS3(Arc<Inner>);

struct Inner {
    store: Store,
    options: Options,
    locks: Locks,
    parsed: Parsed<policy::Policy>,
    rules: Parsed<Rules>,
}

impl EmbeddedS3 {
    /// Over this store.
    pub fn new(store: Store, options: Options) -> Self {
        Self(Arc::new(Inner {
            store,
            options,
            locks: Locks::new(),
            parsed: Parsed::default(),
            rules: Parsed::default(),
        }))
    }

    /// As an HTTP service.
    pub fn service(&self) -> Service {
        Service::new(self.clone())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn locks(&self) -> &Locks {
        &self.0.locks
    }

    pub(crate) fn parsed(&self) -> &Parsed<policy::Policy> {
        &self.0.parsed
    }

    pub(crate) fn row<T: DeserializeOwned>(&self, space: Space, key: &[u8]) -> S3Result<Option<T>> {
        self.store().get(space, key).map_err(store_error)?.map(|row| row::decode(&row)).transpose()
    }
}

/// S3 as an HTTP service over an open store.
pub fn service(store: Store, options: Options) -> Service {
    EmbeddedS3::new(store, options).service()
}
