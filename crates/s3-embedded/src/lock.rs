//! Locks that keep a write's decision true until it is applied.
//!
//! Order, so that there is no deadlock: first the bucket (shared for writes inside it, exclusive for its creation and deletion),
//! then the stripes of the keys, ascending. The guards go into the unit, which drops them once it is applied or given up.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Stripes of bucket names.
const BUCKET_STRIPES: usize = 64;
/// Stripes of (bucket, key): enough that a thousand writes in flight seldom wait for a stranger.
const KEY_STRIPES: usize = 4096;

/// All locks of one store.
pub(crate) struct Locks {
    buckets: Vec<Arc<RwLock<()>>>,
    keys: Vec<Arc<Mutex<()>>>,
}

/// Held by a write inside a bucket.
pub(crate) struct KeyGuards {
    _bucket: OwnedRwLockReadGuard<()>,
    _keys: Vec<OwnedMutexGuard<()>>,
}

impl Locks {
    pub fn new() -> Self {
        Self {
            buckets: (0..BUCKET_STRIPES).map(|_| Arc::default()).collect(),
            keys: (0..KEY_STRIPES).map(|_| Arc::default()).collect(),
        }
    }

    /// Nobody else writes to these keys, and the bucket neither appears nor goes away.
    pub async fn keys<'k>(&self, bucket: &str, keys: impl IntoIterator<Item = &'k str>) -> KeyGuards {
        let stripes: BTreeSet<usize> = keys.into_iter().map(|key| stripe(&(bucket, key), KEY_STRIPES)).collect();
        let bucket = self.buckets[stripe(&bucket, BUCKET_STRIPES)].clone().read_owned().await;
        let mut guards = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            guards.push(self.keys[stripe].clone().lock_owned().await);
        }
        KeyGuards { _bucket: bucket, _keys: guards }
    }

    /// Nobody else writes in this bucket.
    pub async fn bucket(&self, bucket: &str) -> OwnedRwLockWriteGuard<()> {
        self.buckets[stripe(&bucket, BUCKET_STRIPES)].clone().write_owned().await
    }
}

fn stripe<T: Hash>(value: &T, stripes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    usize::try_from(hasher.finish() % stripes as u64).unwrap_or_default()
}
