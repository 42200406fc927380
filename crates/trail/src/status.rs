//! What the deliverer of log files tells.

use aws_api::{Change, Timestamp};

use crate::{DeliveryStatus, TrailRef, Trails};

impl Trails {
    /// A file was written, or the attempt failed with one of S3's errors (`AccessDenied`, `NoSuchBucket`). `None` if the
    /// trail is gone.
    pub fn delivery_attempted(&self, trail: TrailRef<'_>, now: Timestamp, outcome: Result<(), &str>) -> Option<Change> {
        let trail = self.trail(trail.account, trail.region, trail.name)?;
        let before = self.status(trail);
        let status = DeliveryStatus {
            account: trail.account.clone(),
            region: trail.region.clone(),
            name: trail.name.clone(),
            delivered: if outcome.is_ok() { Some(now) } else { before.and_then(|status| status.delivered) },
            attempted: Some(now),
            error: outcome.err().map(str::to_owned),
        };
        Some(Change::put(&status))
    }
}
