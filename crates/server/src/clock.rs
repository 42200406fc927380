//! The only place that asks for the time and for randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_api::Timestamp;
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

/// A new random id.
pub fn new_id() -> Uuid {
    Uuid::new_v4()
}
