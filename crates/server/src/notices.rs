//! Tells a trail's topic of each log file that is delivered.
//!
//! Source: "Configuring Amazon SNS notifications for CloudTrail" in the CloudTrail user guide. Digests are not told of.

use std::sync::Arc;

use aws_api::{ApiError, Arn, Timestamp};
use pipeline::Registry;
use policy::ServiceCaller;
use queue::Effect;
use serde::Serialize;
use store::Unit;
use topic::{NotPublished, Publication};
use trail::Trail;

use crate::app::App;
use crate::clock;
use crate::queues::visible_queues;

/// What a topic is told when a trail gets it. AWS does not document it, but it sends it, and readers of notices know it
/// (`SourceType.CloudTrailValidationMessage` in the CloudTrail Processing Library).
const VALIDATION: &str = "CloudTrail validation message.";

/// What became of a notice.
pub struct Told {
    /// The code of SNS's error if the topic could not be told.
    pub outcome: Result<(), String>,
    queues: Vec<u64>,
}

impl Told {
    /// Wakes those who wait for the messages, once they are there.
    pub fn ring(&self, app: &App) {
        app.wakers.ring_all(&self.queues);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice<'a> {
    s3_bucket: &'a str,
    s3_object_key: [&'a str; 1],
}

/// The topic of a trail is there to be told, and its policy lets CloudTrail publish for this trail: "Amazon SNS topic policy for
/// CloudTrail" in the user guide; the default policy does not.
pub fn check_topic(registry: &Registry, topic: Option<&str>, trail_arn: &str) -> Result<(), ApiError> {
    let is_open = |topic: &str| topic.parse().is_ok_and(|arn: Arn| registry.topics.is_open_to(&arn, caller(trail_arn)));
    topic.is_none_or(is_open).then_some(()).ok_or_else(trail::insufficient_topic_policy)
}

/// CloudTrail, as the policies of topics see it.
fn caller(trail_arn: &str) -> ServiceCaller<'_> {
    ServiceCaller::new("cloudtrail.amazonaws.com", trail_arn)
}

/// Tells a topic that a trail has it now. The trail has it, whether or not that succeeds.
pub async fn validate(app: &Arc<App>, topic: Option<&str>, trail_arn: &str, now: Timestamp) {
    let Some(topic) = topic.and_then(|topic| topic.parse().ok()) else { return };
    let told = match publish(app, &topic, trail_arn, VALIDATION.into(), now) {
        Ok(effects) => app.commit_effects(effects).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        tracing::warn!(%topic, code = %error.code, "a topic could not be told that a trail has it");
    }
}

/// Adds the notice of a log file to the unit that delivers it, if its trail has a topic. A topic that is gone does not keep
/// the file from being delivered.
pub fn stage(app: &App, trail: &Trail, key: &str, now: Timestamp, unit: &mut Unit) -> Option<Told> {
    let (topic, trail_arn) = (trail.sns_topic()?, trail.arn().to_string());
    let notice = Notice { s3_bucket: &trail.s3_bucket_name, s3_object_key: [key] };
    let message = serde_json::to_string(&notice).map_err(|_| ApiError::internal("The notice could not be written."));
    let told = message.and_then(|message| publish(app, &topic, &trail_arn, message, now)).and_then(|effects| {
        let queues = visible_queues(&effects);
        app.stage(unit, effects)?;
        Ok(queues)
    });
    Some(match told {
        Ok(queues) => Told { outcome: Ok(()), queues },
        Err(error) => {
            let code = error.code.into_owned();
            tracing::warn!(trail = %trail.arn(), %topic, code, "a topic could not be told of a log file");
            Told { outcome: Err(code), queues: Vec::new() }
        }
    })
}

fn publish(app: &App, topic: &Arn, trail_arn: &str, message: String, now: Timestamp) -> Result<Vec<Effect>, ApiError> {
    let publication = Publication { message, ..Publication::default() };
    let registry = app.registry();
    let published = registry.topics.publish(topic, caller(trail_arn), &publication, now, clock::new_id());
    if let Err(NotPublished::Forbidden(refusal)) = &published {
        app.forbidden.tell(refusal, now);
    }
    let published = published?;
    drop(registry);
    app.deliver_published(now, app.endpoint(), &topic.to_string(), &[published])
}
