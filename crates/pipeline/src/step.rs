//! One record's way: chosen by trails, matched by rules, fanned out by topics.

use std::borrow::Cow;

use aws_api::{Arn, Entity, Timestamp};
use bus::{Arrival, DETAIL_TYPE_API_CALL, Envelope, EventKind, Failure, Invocation, envelope, source_of};
use queue::Effect;
use record::{Entry, Outcome, Outline};
use serde::Deserialize;
use topic::{NotPublished, Publication};
use trail::{EventCategory, EventFacts, ResourceName, Trails};

use crate::Registry;
use crate::deliver::{self, Outgoing, Placed, Surroundings, derived_id};

/// What one record leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The keys of the trails that chose it, whose log files it belongs into.
    pub trails: Vec<String>,
    /// What happens in queues.
    pub effects: Vec<Effect>,
    /// Counts, for the metrics.
    pub counts: Counts,
}

/// What one record was counted as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rules that matched.
    pub matched: usize,
    /// Targets that took the event.
    pub invocations: usize,
    /// Targets that could not take it.
    pub failed_invocations: usize,
    /// Messages in subscribed queues.
    pub notifications: usize,
    /// Messages that a filter policy held back.
    pub filtered: usize,
    /// Messages that a subscribed queue could not take.
    pub failed_notifications: usize,
    /// Messages in dead-letter queues instead of where they were for.
    pub dead_lettered: usize,
    /// Messages that are lost: there was no dead-letter queue, or it did not take them.
    pub lost: usize,
    /// Rules for which the engine gave up on the event.
    pub undecided: usize,
}

/// Passes one entry of the event log on. Changes nothing: the caller commits what is returned, together with its place in
/// the log. `trails` are those of the entry's place in the log: whether a trail records a request does not depend on when
/// it is asked. The rest of the configuration is that of now.
pub fn step(
    registry: &Registry,
    trails: &Trails,
    entry: &Entry<'_>,
    record_auth_failures: bool,
    around: &mut Surroundings<'_>,
) -> Step {
    let mut step = Step::default();
    if entry.outcome == Outcome::Refused && !record_auth_failures {
        return step;
    }
    let record = &entry.outline;
    let resources = resources(record);
    let stopped = stopped_trail(record);
    let facts = facts(record, &resources, stopped.as_deref());
    step.trails = trails.selecting(&facts).map(Entity::key).collect();
    if step.trails.is_empty() {
        // Without a trail there is no event ("Events from AWS services via CloudTrail").
        return step;
    }
    let id = derived_id(&["event", &record.event_id]);
    let source = source_of(&record.event_source);
    let head = Envelope {
        id,
        detail_type: DETAIL_TYPE_API_CALL,
        source: &source,
        account: &record.recipient_account_id,
        time: Timestamp::parse_rfc3339(&record.event_time).unwrap_or(around.now),
        region: &record.aws_region,
        resources: &[],
    };
    let event = envelope(&head, entry.json);
    let kind = if record.is_management() {
        EventKind::management(&record.event_source, &record.event_name)
    } else {
        EventKind::other()
    };
    let arrival = Arrival {
        account: &record.recipient_account_id,
        region: &record.aws_region,
        bus: bus::DEFAULT_BUS,
        envelope: &event,
        kind,
        ingested: around.now,
    };
    dispatch(registry, &arrival, &id.to_string(), around, &mut step);
    step
}

/// Sends one event to the targets of the rules that it matches. `event_id` makes the ids of messages follow from the event.
pub fn dispatch(
    registry: &Registry,
    arrival: &Arrival<'_>,
    event_id: &str,
    around: &mut Surroundings<'_>,
    step: &mut Step,
) {
    let Ok(routed) = registry.buses.route(arrival) else {
        // The event was made here and is within the engine's bounds; were it not, that is counted and not passed over.
        step.counts.undecided += 1;
        return;
    };
    step.counts.matched += routed.matched.len();
    step.counts.undecided += routed.undecided.len();
    around.tally.matched(arrival.account, arrival.region, &routed.matched);
    for failure in routed.failures {
        fail(registry, arrival, failure, event_id, around, step);
    }
    for invocation in routed.invocations {
        invoke(registry, invocation, event_id, around, step);
    }
}

fn invoke(
    registry: &Registry,
    invocation: Invocation<'_>,
    event_id: &str,
    around: &mut Surroundings<'_>,
    step: &mut Step,
) {
    let Invocation { rule_arn, target_id, target_arn, input, dead_letter_arn, .. } = invocation;
    let body = String::from_utf8_lossy(&input).into_owned();
    let id = derived_id(&[event_id, &rule_arn, &target_id]);
    let outgoing = deliver::of_rule(&rule_arn, &target_arn, body, id, dead_letter_arn);
    let topic = target_arn.parse::<Arn>().ok().filter(|arn| arn.service == "sns");
    let Some(topic) = topic else {
        let has_queue = outgoing.dead_letter.is_some();
        let placed = deliver::place(registry, vec![outgoing], around, &mut step.effects);
        around.tally.invoked(&rule_arn, &placed, has_queue);
        return step.counts.invoked(placed);
    };
    let publication = Publication { message: outgoing.body.clone(), ..Publication::default() };
    match registry.topics.publish(&topic, outgoing.origin.caller(), &publication, around.now, id) {
        Ok(published) => {
            step.counts.invocations += 1;
            step.counts.filtered += published.summary.filtered();
            step.counts.failed_notifications += published.summary.discarded;
            let messages = deliver::messages(&published, around);
            let placed = deliver::place(registry, messages, around, &mut step.effects);
            around.tally.published(&target_arn, published.size, &published.summary, &placed);
            around.tally.invoked(&rule_arn, &Placed { delivered: 1, ..Placed::default() }, false);
            step.counts.notified(placed);
        }
        Err(reason) => {
            let (code, message) = match reason {
                NotPublished::Forbidden(refusal) => {
                    (around.forbidden)(&refusal);
                    (deliver::NO_PERMISSIONS, refusal.message())
                }
                NotPublished::Refused(error) if error.code == "NotFound" => (deliver::NO_RESOURCE, error.message),
                NotPublished::Refused(error) => (deliver::INVALID_PARAMETER, error.message),
            };
            let saved = deliver::give_up(registry, &outgoing, code, &message, around, &mut step.effects);
            let placed = given_up(saved);
            around.tally.invoked(&rule_arn, &placed, outgoing.dead_letter.is_some());
            step.counts.invoked(placed);
        }
    }
}

/// A target for which no input could be made: the event itself goes to the dead-letter queue.
fn fail(
    registry: &Registry,
    arrival: &Arrival<'_>,
    failure: Failure,
    event_id: &str,
    around: &mut Surroundings<'_>,
    step: &mut Step,
) {
    let id = derived_id(&[event_id, &failure.rule_arn, &failure.target_id]);
    let body = String::from_utf8_lossy(arrival.envelope).into_owned();
    let outgoing: Outgoing =
        deliver::of_rule(&failure.rule_arn, &failure.target_arn, body, id, failure.dead_letter_arn);
    let reason = failure.error.to_string();
    let saved = deliver::give_up(registry, &outgoing, deliver::INVALID_PARAMETER, &reason, around, &mut step.effects);
    let placed = given_up(saved);
    around.tally.invoked(&failure.rule_arn, &placed, outgoing.dead_letter.is_some());
    step.counts.invoked(placed);
}

/// One message that its target did not take.
fn given_up(saved: bool) -> Placed {
    Placed { dead_lettered: usize::from(saved), lost: usize::from(!saved), ..Placed::default() }
}

impl Counts {
    fn invoked(&mut self, placed: Placed) {
        self.invocations += placed.delivered;
        self.failed_invocations += placed.dead_lettered + placed.lost;
        self.dead_lettered += placed.dead_lettered;
        self.lost += placed.lost;
    }

    fn notified(&mut self, placed: Placed) {
        self.notifications += placed.delivered;
        self.failed_notifications += placed.dead_lettered + placed.lost;
        self.dead_lettered += placed.dead_lettered;
        self.lost += placed.lost;
    }
}

const OBJECT: &str = "AWS::S3::Object";

fn resources<'a>(record: &'a Outline<'_>) -> Vec<ResourceName<'a>> {
    let objects = record.resources.iter().filter(|resource| &*resource.kind == OBJECT);
    objects
        .filter_map(|resource| {
            let prefix = || resource.arn_prefix.as_deref().map(ResourceName::ArnPrefix);
            resource.arn.as_deref().map(ResourceName::Arn).or_else(prefix)
        })
        .collect()
}

fn facts<'a>(
    record: &'a Outline<'_>,
    resources: &'a [ResourceName<'a>],
    stopped_trail: Option<&'a str>,
) -> EventFacts<'a> {
    EventFacts {
        account: &record.recipient_account_id,
        region: &record.aws_region,
        category: if record.is_management() { EventCategory::Management } else { EventCategory::Data },
        read_only: record.is_read_only(),
        event_source: &record.event_source,
        event_name: &record.event_name,
        event_type: &record.event_type,
        resource_type: if record.is_management() { "" } else { OBJECT },
        resources,
        user_identity_arn: record.user_identity.arn.as_deref(),
        session_credential_from_console: false,
        own_delivery: record.user_identity.invoked_by.as_deref() == Some("cloudtrail.amazonaws.com"),
        stopped_trail,
    }
}

/// What a successful `StopLogging` named.
fn stopped_trail<'a>(record: &Outline<'a>) -> Option<Cow<'a, str>> {
    let stops = &*record.event_name == "StopLogging"
        && &*record.event_source == "cloudtrail.amazonaws.com"
        && record.error_code.is_none();
    let parameters = record.request_parameters.filter(|_| stops)?;
    serde_json::from_str::<StopLogging<'_>>(parameters.get()).ok().map(|parameters| parameters.name)
}

#[derive(Deserialize)]
struct StopLogging<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}
