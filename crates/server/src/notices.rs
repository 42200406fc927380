//! Tells a trail's topic of each log file that is delivered.
//!
//! Source: "Configuring Amazon SNS notifications for CloudTrail" in the CloudTrail user guide. Digests are not told of.

use std::sync::Arc;

use aws_api::{ApiError, Arn, Timestamp};
use pipeline::Registry;
use queue::Effect;
use serde::Serialize;
use store::Unit;
use topic::Publication;
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

/// The topic of a trail is there to be told. It is of the trail's account, so it needs no policy to let CloudTrail publish.
pub fn check_topic(registry: &Registry, topic: Option<&str>) -> Result<(), ApiError> {
    let is_there = |topic: &str| topic.parse().is_ok_and(|arn: Arn| registry.exists(&arn));
    topic.is_none_or(is_there).then_some(()).ok_or_else(trail::insufficient_topic_policy)
}

/// Tells a topic that a trail has it now. The trail has it, whether or not that succeeds.
pub async fn validate(app: &Arc<App>, topic: Option<&str>, now: Timestamp) {
    let Some(topic) = topic.and_then(|topic| topic.parse().ok()) else { return };
    let told = match publish(app, &topic, VALIDATION.into(), now) {
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
    let topic = trail.sns_topic()?;
    let notice = Notice { s3_bucket: &trail.s3_bucket_name, s3_object_key: [key] };
    let message = serde_json::to_string(&notice).map_err(|_| ApiError::internal("The notice could not be written."));
    let told = message.and_then(|message| publish(app, &topic, message, now)).and_then(|effects| {
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

fn publish(app: &App, topic: &Arn, message: String, now: Timestamp) -> Result<Vec<Effect>, ApiError> {
    let publication = Publication { message, ..Publication::default() };
    let published = app.registry().topics.publish(topic, &publication, now, clock::new_id())?;
    app.deliver_published(now, app.endpoint(), &topic.to_string(), &[published])
}
