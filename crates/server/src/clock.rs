//! The only place that asks for the time and for randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_api::Timestamp;
use store::StoreError;
use tokio::sync::watch;
use uuid::Uuid;

/// Now.
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Waits until the server is told to stop.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever would tell is gone, which tells as much.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Reads much of the store where that keeps nobody else waiting.
pub async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|error| Err(StoreError::Damaged { detail: format!("what was read ended badly: {error}") }))
}

/// A new random id.
pub fn new_id() -> Uuid {
    Uuid::new_v4()
}
