//! What has to be done at some time: message moves, purges, retention, stalled answers, lifecycle rules of buckets, the trimming
//! of the log and of the event history, the forgetting of deleted stacks.

use std::sync::Arc;
use std::time::Duration;

use aws_api::{ApiError, Timestamp};
use gateway::Recorder;
use s3_embedded::Expiry;
use store::{QueueId, StoreError, Unit};
use tokio::sync::watch;

use crate::app::App;
use crate::clock::{self, stopped};
use crate::{forget, history, waiting, worker};

/// How often what has no deadline of its own is looked after.
const ROUND: Duration = Duration::from_secs(10);
/// Messages that are removed in one unit.
const CLEAR_COUNT: usize = 1000;
/// Messages whose retention is looked at in one round, for each queue.
const EXPIRE_COUNT: usize = 1000;
/// Log entries are trimmed when there are so many to trim.
const TRIM_COUNT: u64 = 1000;

/// Runs until `stop` turns true or the store fails.
pub async fn run(app: Arc<App>, recorder: Recorder, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    let mut next_round = clock::now();
    let mut lifecycle = Lifecycle { pass: Expiry::default(), next: clock::now() };
    loop {
        let now = clock::now();
        while app.clear_some(CLEAR_COUNT).await? {}
        if let Err(error) = move_messages(&app).await {
            tracing::warn!(%error, "messages could not be moved");
        }
        if now >= next_round {
            round(&app, &recorder).await?;
            next_round = now.plus_millis(i64::try_from(ROUND.as_millis()).unwrap_or(i64::MAX));
        }
        if now >= lifecycle.next {
            lifecycle.step(&app).await;
        }
        let next = next_round.min(lifecycle.next);
        let deadline = app.registry().queues.next_deadline().map_or(next, |at| at.min(next));
        let wait = u64::try_from(deadline.millis_since(clock::now())).unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            () = app.chores.notified() => {}
            () = stopped(&mut stop) => return Ok(()),
        }
    }
}

/// A pass over the buckets that have lifecycle rules, and when to go on with it.
struct Lifecycle {
    pass: Expiry,
    next: Timestamp,
}

impl Lifecycle {
    /// A bounded step at a time, so that nothing else waits long. What failed is tried again in the next pass.
    async fn step(&mut self, app: &App) {
        let now = clock::now();
        match app.embedded.expire(&mut self.pass, now).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "lifecycle rules could not be applied");
                self.pass = Expiry::default();
            }
        }
        let interval = app.config.lifecycle_interval.as_millis();
        self.next = now.plus_millis(i64::try_from(interval).unwrap_or(i64::MAX));
    }
}

async fn round(app: &Arc<App>, recorder: &Recorder) -> Result<(), StoreError> {
    recorder.finish_stalled(clock::now())?;
    expire(app).await?;
    waiting::forget_deleted(app).await?;
    history::forget_old(&app.store).await?;
    if let Err(error) = forget::deleted_stacks(app, clock::now()).await {
        tracing::warn!(%error, "deleted stacks could not be forgotten");
    }
    trim(app).await
}

/// Steps the tasks of `StartMessageMoveTask` whose time has come.
async fn move_messages(app: &Arc<App>) -> Result<(), ApiError> {
    loop {
        let now = clock::now();
        let due: Vec<_> = {
            let registry = app.registry();
            registry.queues.active_move_tasks().filter(|task| task.next_step <= now).cloned().collect()
        };
        if due.is_empty() {
            return Ok(());
        }
        for task in due {
            let decide = |registry: &pipeline::Registry| {
                let rows = registry.queues.move_task_rows(&task);
                let rows = rows.map(|(queue, count)| app.due(queue, now, count)).transpose()?.unwrap_or_default();
                let mut failed = None;
                let mut next = || {
                    app.new_message().unwrap_or_else(|error| {
                        failed = Some(error);
                        queue::NewMessage { id: clock::new_id(), seq: u64::MAX }
                    })
                };
                let step = registry.queues.step_move_task(now, &task, rows, &mut next);
                if let Some(error) = failed {
                    return Err(error);
                }
                let visible = crate::queues::visible_queues(&step.effects);
                let mut unit = Unit::new();
                app.stage(&mut unit, step.effects)?;
                Ok((visible, step.changes, unit))
            };
            app.wakers.ring_all(&app.change_with(decide).await?);
        }
    }
}

/// Removes the messages whose retention is over.
async fn expire(app: &Arc<App>) -> Result<(), StoreError> {
    let queues: Vec<_> = app.registry().queues.iter().cloned().collect();
    for queue in queues {
        let now = clock::now();
        let oldest = app.store.queues().oldest(QueueId(queue.id), EXPIRE_COUNT)?;
        let mut unit = Unit::new();
        for row in oldest {
            let Ok(message) = queue::Message::decode(&row.message) else { continue };
            if now >= message.sent.plus_secs(queue.settings.retention_s.into()) {
                unit.queue_discard(QueueId(queue.id), row.slot.seq);
            }
        }
        if !unit.is_empty() {
            app.store.commit(unit).await?;
        }
    }
    Ok(())
}

/// Removes what every reader of the log is done with.
async fn trim(app: &Arc<App>) -> Result<(), StoreError> {
    let passed_on = app.store.cursor(worker::CURSOR)?.unwrap_or_default();
    let oldest = waiting::oldest(app)?;
    let keep_from = oldest.unwrap_or(u64::MAX).min(passed_on + 1);
    if keep_from > app.store.log().first_seq() + TRIM_COUNT {
        let store = app.store.clone();
        let trimmed = tokio::task::spawn_blocking(move || store.log().trim(keep_from)).await;
        trimmed.map_or(Ok(0), |trimmed| trimmed)?;
    }
    Ok(())
}
