//! A trail as the API's shapes show it.

use aws_api::Timestamp;
use aws_api::cloudtrail::{
    CreateTrailResponse, EventSelectorsResponse, GetTrailStatusResponse, Trail as Shape, TrailInfo,
};

use crate::selector::default_basic;
use crate::{DeliveryStatus, Selectors, Trail};

pub(crate) fn created(trail: &Trail) -> CreateTrailResponse {
    CreateTrailResponse {
        name: trail.name.clone(),
        s3_bucket_name: trail.s3_bucket_name.clone(),
        s3_key_prefix: trail.s3_key_prefix.clone(),
        sns_topic_name: trail.sns_topic_name.clone(),
        sns_topic_arn: trail.sns_topic().map(|topic| topic.to_string()),
        include_global_service_events: trail.include_global_service_events,
        is_multi_region_trail: trail.is_multi_region_trail,
        trail_arn: trail.arn().to_string(),
        log_file_validation_enabled: trail.log_file_validation,
        is_organization_trail: false,
        recursive_logging: trail.recursive_logging,
    }
}

pub(crate) fn described(trail: &Trail) -> Shape {
    Shape {
        name: trail.name.clone(),
        s3_bucket_name: trail.s3_bucket_name.clone(),
        s3_key_prefix: trail.s3_key_prefix.clone(),
        sns_topic_name: trail.sns_topic_name.clone(),
        sns_topic_arn: trail.sns_topic().map(|topic| topic.to_string()),
        include_global_service_events: trail.include_global_service_events,
        is_multi_region_trail: trail.is_multi_region_trail,
        home_region: trail.region.clone(),
        trail_arn: trail.arn().to_string(),
        log_file_validation_enabled: trail.log_file_validation,
        has_custom_event_selectors: trail.selectors != Selectors::Default,
        has_insight_selectors: false,
        is_organization_trail: false,
        recursive_logging: trail.recursive_logging,
    }
}

pub(crate) fn listed(trail: &Trail) -> TrailInfo {
    TrailInfo { trail_arn: trail.arn().to_string(), name: trail.name.clone(), home_region: trail.region.clone() }
}

pub(crate) fn selectors(trail: &Trail) -> EventSelectorsResponse {
    let trail_arn = trail.arn().to_string();
    let (event_selectors, advanced_event_selectors) = match &trail.selectors {
        Selectors::Default => (vec![default_basic()], Vec::new()),
        Selectors::Basic(list) => (list.clone(), Vec::new()),
        Selectors::Advanced(list) => (Vec::new(), list.clone()),
    };
    EventSelectorsResponse { trail_arn, event_selectors, advanced_event_selectors }
}

pub(crate) fn status(trail: &Trail, delivery: &DeliveryStatus) -> GetTrailStatusResponse {
    let text = |moment: Option<Timestamp>| moment.map(Timestamp::to_rfc3339_seconds).unwrap_or_default();
    GetTrailStatusResponse {
        is_logging: trail.is_logging,
        latest_delivery_error: delivery.error.clone(),
        latest_notification_error: delivery.notification_error.clone(),
        latest_notification_time: delivery.notified.map(epoch_seconds),
        latest_delivery_time: delivery.delivered.map(epoch_seconds),
        latest_digest_delivery_time: delivery.digest_delivered.map(epoch_seconds),
        latest_digest_delivery_error: delivery.digest_error.clone(),
        start_logging_time: trail.started.map(epoch_seconds),
        stop_logging_time: trail.stopped.map(epoch_seconds),
        latest_delivery_attempt_time: text(delivery.attempted),
        latest_notification_attempt_time: text(delivery.notification_attempted),
        latest_notification_attempt_succeeded: text(delivery.notified),
        latest_delivery_attempt_succeeded: text(delivery.delivered),
        time_logging_started: text(trail.started),
        time_logging_stopped: text(trail.stopped),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds up to the year 9999 are exact in a double")]
fn epoch_seconds(moment: Timestamp) -> f64 {
    moment.as_millis() as f64 / 1000.0
}
