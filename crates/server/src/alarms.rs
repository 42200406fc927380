//! Evaluates alarms, and does what follows from a change of one's state.
//!
//! An alarm is evaluated when its clock's next step comes, and soon after its metric changed. A new state, its place in the
//! history, the messages to its topics and what its event leads to are one unit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_api::{ApiError, Arn, Change, Entity, Timestamp};
use bus::{Arrival, DEFAULT_BUS, Envelope, EventKind, envelope};
use metric::{Action, Alarm, HistoryRequest, Item, Metric, Transition, all_units};
use pipeline::{Registry, Tally};
use policy::ServiceCaller;
use queue::Effect;
use store::{Space, StoreError, Unit};
use tokio::sync::watch;
use topic::{NotPublished, Publication};

use crate::app::{App, unavailable};
use crate::clock::{self, stopped};
use crate::gauges;
use crate::queues::visible_queues;

/// After a metric changed, so long is waited for more of it.
const PAUSE: Duration = Duration::from_millis(200);
/// So long after a step values may still come that belong before it.
const SETTLING_MS: i64 = 100;
/// The shortest step of any alarm's clock.
const SHORTEST_STEP_S: i64 = 10;
const MINUTE_S: i64 = 60;
/// Metrics that are watched although no alarm looks at them.
const IDLE_MAX: usize = 1000;
/// Rows of the history that are forgotten in one unit.
const FORGOTTEN_COUNT: usize = 1000;

/// Runs until `stop` turns true or the store fails.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let mut seen = settled(clock::now());
    app.watch_alarms();
    loop {
        let wait = until_next_step(settled(clock::now()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.meter.changed() => {
                tokio::select! {
                    () = tokio::time::sleep(PAUSE.min(wait)) => {}
                    () = stopped(&mut stop) => return Ok(()),
                }
            }
            () = stopped(&mut stop) => return Ok(()),
        }
        let now = settled(clock::now());
        // Before the gauges, which tell zero where nothing was counted.
        app.meter.take_counted();
        if is_past_step(seen, now, MINUTE_S) {
            let gauges = gauges::look(&app, now)?;
            app.meter.add(gauges, now);
        }
        let changed = app.meter.take_changed();
        evaluate(&app, now, |alarm| {
            is_past_step(seen, now, alarm.settings.step_s()) || changed.contains(&alarm.settings.metric)
        })
        .await;
        seen = now;
    }
}

/// The moment up to which all values have come.
fn settled(now: Timestamp) -> Timestamp {
    now.plus_millis(-SETTLING_MS)
}

fn until_next_step(now: Timestamp) -> Duration {
    let next = (now.as_secs().div_euclid(SHORTEST_STEP_S) + 1) * SHORTEST_STEP_S * 1000;
    Duration::from_millis(u64::try_from(next - now.as_millis()).unwrap_or_default())
}

fn is_past_step(seen: Timestamp, now: Timestamp, step_s: i64) -> bool {
    seen.as_secs().div_euclid(step_s) != now.as_secs().div_euclid(step_s)
}

async fn evaluate(app: &Arc<App>, now: Timestamp, is_due: impl Fn(&Alarm) -> bool) {
    let due: Vec<Alarm> = app.registry().alarms.iter().filter(|alarm| is_due(alarm)).cloned().collect();
    for alarm in due {
        if let Err(error) = evaluate_one(app, &alarm, now).await {
            tracing::warn!(alarm = %alarm.arn(), code = %error.code, "an alarm could not be evaluated");
        }
    }
}

async fn evaluate_one(app: &Arc<App>, alarm: &Alarm, now: Timestamp) -> Result<(), ApiError> {
    let outlook = alarm.outlook(now);
    let asks = vec![outlook.closed.clone(), outlook.early.clone()];
    let mut read = app.meter.read(app, asks).await.map_err(|error| unavailable(&error))?.into_iter().map(all_units);
    let (closed, early) = (read.next().unwrap_or_default(), read.next().unwrap_or_default());
    let verdict = alarm.evaluate(&outlook, &closed, &early);
    if alarm.follow(&verdict, now).is_none() {
        return Ok(());
    }
    let decide = |registry: &Registry| {
        // It may have been changed or deleted meanwhile; then its next evaluation says.
        let current = registry.alarms.get(&alarm.key()).filter(|current| current.configured == alarm.configured);
        match current.and_then(|current| current.follow(&verdict, now)) {
            Some(transition) => app.transition(registry, &transition, now),
            None => Ok((Vec::new(), Vec::new(), Unit::new())),
        }
    };
    let woken = app.change_with(decide).await?;
    app.wakers.ring_all(&woken);
    Ok(())
}

impl App {
    /// From here on changes of the metrics that alarms look at are noted.
    pub fn watch_alarms(&self) {
        self.meter.watch(self.registry().alarms.iter().map(|alarm| alarm.settings.metric.clone()).collect());
    }

    /// All that a new state leads to, in one unit: the queues to wake, the alarm's row, the rest.
    pub fn transition(
        &self,
        registry: &Registry,
        transition: &Transition,
        now: Timestamp,
    ) -> Result<(Vec<u64>, Vec<Change>, Unit), ApiError> {
        let (alarm, mut unit) = (&transition.alarm, Unit::new());
        let (mut effects, mut tally) = (Vec::new(), Tally::default());
        let mut items = vec![transition.item()];
        for action in transition.actions() {
            let told = self.tell(registry, alarm, &action, now, &mut tally);
            let code = told.as_ref().err().map(|error| error.code.as_ref());
            if let Some(code) = code {
                tracing::warn!(alarm = %alarm.arn(), topic = %action.topic, code, "a topic could not be told of an alarm");
            }
            items.push(Item::action(alarm, &action, code));
            effects.extend(told.unwrap_or_default());
        }
        effects.extend(self.announce(registry, transition, now, &mut tally)?);
        self.note(&mut unit, items.iter().map(|item| (alarm, item)))?;
        let woken = visible_queues(&effects);
        self.stage(&mut unit, effects)?;
        self.meter.count(now, |all| all.merge(tally));
        Ok((woken, vec![transition.change()], unit))
    }

    /// Publishes to a topic as CloudWatch does: as the service principal `cloudwatch.amazonaws.com`, for the alarm and its
    /// account.
    fn tell(
        &self,
        registry: &Registry,
        alarm: &Alarm,
        action: &Action,
        now: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<Effect>, ApiError> {
        let topic: Arn = action.topic.parse().map_err(|_| ApiError::new("InvalidParameter", "not an ARN"))?;
        if topic.region != alarm.region() {
            return Err(ApiError::new("InvalidParameter", "The topic is not in the alarm's region."));
        }
        let publication = Publication {
            message: action.message.clone(),
            subject: Some(action.subject.clone()),
            ..Publication::default()
        };
        let source_arn = alarm.arn().to_string();
        let caller = ServiceCaller { name: "cloudwatch.amazonaws.com", source_arn: &source_arn, tells_owner: true };
        let published = registry.topics.publish(&topic, caller, &publication, now, clock::new_id());
        if let Err(NotPublished::Forbidden(refusal)) = &published {
            self.forbidden.tell(refusal, now);
        }
        let published = published?;
        let (endpoint, mut effects) = (self.endpoint(), Vec::new());
        self.surrounded(now, endpoint, &self.signing_cert_url(endpoint), tally, |around| {
            let messages = pipeline::messages(&published, around);
            let placed = pipeline::place(registry, messages, around, &mut effects);
            around.tally.published(&action.topic, published.size, &published.summary, &placed);
        })
        .map_err(|error| unavailable(&error))?;
        Ok(effects)
    }

    /// The event on the default bus of the alarm's account and region.
    fn announce(
        &self,
        registry: &Registry,
        transition: &Transition,
        now: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<Effect>, ApiError> {
        let (alarm, id) = (&transition.alarm, clock::new_id());
        let resources = [alarm.arn().to_string()];
        let head = Envelope {
            id,
            detail_type: "CloudWatch Alarm State Change",
            source: "aws.cloudwatch",
            account: alarm.account(),
            time: now,
            region: alarm.region(),
            resources: &resources,
        };
        let detail = transition.detail(&clock::new_id().to_string()).to_string();
        let event = envelope(&head, detail.as_bytes());
        let arrival = Arrival {
            account: alarm.account(),
            region: alarm.region(),
            bus: DEFAULT_BUS,
            envelope: &event,
            kind: EventKind::other(),
            ingested: now,
        };
        let (endpoint, mut step) = (self.endpoint(), pipeline::Step::default());
        self.surrounded(now, endpoint, &self.signing_cert_url(endpoint), tally, |around| {
            pipeline::dispatch(registry, &arrival, &id.to_string(), around, &mut step);
        })
        .map_err(|error| unavailable(&error))?;
        self.count(&step.counts, step.effects.len());
        Ok(step.effects)
    }

    /// Adds to a unit what the history tells.
    pub fn note<'i>(
        &self,
        unit: &mut Unit,
        items: impl Iterator<Item = (&'i Alarm, &'i Item)>,
    ) -> Result<(), ApiError> {
        for (alarm, item) in items {
            // Numbers of one moment differ: there are not as many in a millisecond.
            let number = u16::try_from(self.next_seq()? & 0xffff).unwrap_or_default();
            let row = serde_json::to_vec(item).map_err(|_| ApiError::internal("The history could not be written."))?;
            unit.put(Space::Metrics, Item::key(alarm, item.moment, number), row);
        }
        Ok(())
    }

    /// A page of the history: the items with their alarms' names, and whether more follow.
    pub fn alarm_history(&self, request: &HistoryRequest) -> Result<(Vec<(String, Item)>, bool), StoreError> {
        let mut items = Vec::new();
        for row in self.store.range(Space::Metrics, request.keys.clone()) {
            let (key, value) = row?;
            let Some((name, _)) = Item::read_key(&key) else { continue };
            let item: Item = serde_json::from_slice(&value)
                .map_err(|error| StoreError::Damaged { detail: format!("an alarm's history: {error}") })?;
            if request.fits(&item) {
                items.push((name, item));
            }
        }
        // Rows of one alarm are in the order of time already, and stay so where moments are the same.
        items.sort_by_key(|(_, item)| item.moment);
        if !request.ascending {
            items.reverse();
        }
        let more = items.len() > request.skipped.saturating_add(request.limit);
        Ok((items.into_iter().skip(request.skipped).take(request.limit).collect(), more))
    }
}

/// Forgets what happened to alarms too long ago.
pub async fn forget_old(app: &App) -> Result<(), StoreError> {
    let before = clock::now().plus_secs(-metric::HISTORY_DAYS * 86_400);
    loop {
        let mut unit = Unit::new();
        let mut count = 0;
        for row in app.store.range(Space::Metrics, Item::all_keys()) {
            let (key, _) = row?;
            if Item::read_key(&key).is_some_and(|(_, moment)| moment < before) {
                unit.delete(Space::Metrics, key.to_vec());
                count += 1;
            }
            if count == FORGOTTEN_COUNT {
                break;
            }
        }
        if count > 0 {
            app.store.commit(unit).await?;
        }
        if count < FORGOTTEN_COUNT {
            return Ok(());
        }
    }
}

/// Metrics that alarms look at, and those of them that changed.
#[derive(Debug, Default)]
pub struct Watched {
    metrics: HashSet<Metric>,
    changed: HashSet<Metric>,
}

impl Watched {
    /// Adds metrics that alarms look at. Those that none looks at any more do no harm: they go when they are many.
    pub fn watch(&mut self, metrics: HashSet<Metric>) {
        if self.metrics.len() > 2 * metrics.len() + IDLE_MAX {
            self.metrics.clear();
        }
        self.metrics.extend(metrics);
    }

    /// Notes a change; tells whether somebody looks at the metric.
    pub fn note(&mut self, metric: &Metric) -> bool {
        let watched = self.metrics.contains(metric);
        if watched && !self.changed.contains(metric) {
            self.changed.insert(metric.clone());
        }
        watched
    }

    /// What changed since the last call.
    pub fn take(&mut self) -> HashSet<Metric> {
        std::mem::take(&mut self.changed)
    }
}
