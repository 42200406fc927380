//! What the deliverer of log files tells.

use aws_api::{Change, Timestamp};

use crate::{DeliveryStatus, Trail, TrailRef, Trails};

impl Trails {
    /// A file was written, or the attempt failed with one of S3's errors (`AccessDenied`, `NoSuchBucket`). `notice` is how
    /// it went to tell the trail's topic, if that was attempted: `Err` is SNS's error (`NotFound`). `None` if the trail is
    /// gone.
    pub fn delivery_attempted(
        &self,
        trail: TrailRef<'_>,
        now: Timestamp,
        outcome: Result<(), &str>,
        notice: Option<Result<(), &str>>,
    ) -> Option<Change> {
        let trail = self.trail(trail.account, trail.region, trail.name)?;
        let before = self.status_so_far(trail);
        let mut status = DeliveryStatus {
            delivered: if outcome.is_ok() { Some(now) } else { before.delivered },
            attempted: Some(now),
            error: outcome.err().map(str::to_owned),
            ..before
        };
        if let Some(notice) = notice {
            status.notified = if notice.is_ok() { Some(now) } else { status.notified };
            status.notification_attempted = Some(now);
            status.notification_error = notice.err().map(str::to_owned);
        }
        Some(Change::put(&status))
    }

    /// The same of a digest.
    pub fn digest_attempted(&self, trail: TrailRef<'_>, now: Timestamp, outcome: Result<(), &str>) -> Option<Change> {
        let trail = self.trail(trail.account, trail.region, trail.name)?;
        let before = self.status_so_far(trail);
        let status = DeliveryStatus {
            digest_delivered: if outcome.is_ok() { Some(now) } else { before.digest_delivered },
            digest_error: outcome.err().map(str::to_owned),
            ..before
        };
        Some(Change::put(&status))
    }

    fn status_so_far(&self, trail: &Trail) -> DeliveryStatus {
        self.status(trail).cloned().unwrap_or_else(|| DeliveryStatus {
            account: trail.account.clone(),
            region: trail.region.clone(),
            name: trail.name.clone(),
            ..DeliveryStatus::default()
        })
    }
}
