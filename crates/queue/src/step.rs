//! How a move task goes on: the caller steps it when its next step is due, with rows of its source.

use aws_api::{Change, Timestamp};

use crate::{Class, Effect, MoveTask, NewMessage, Place, Queue, Queues, Row, Slot, State, Status};

/// Most messages of one step, so that a step is a small batch.
const STEP_COUNT_MAX: u32 = 100;
/// Between the steps of a task with a bound on its speed.
const STEP_INTERVAL_MS: i64 = 1000;
/// `FailureReason` when the destination is gone, as recorded.
const NO_DESTINATION: &str = "AWS.SimpleQueueService.NonExistentQueue";
/// `FailureReason` when a message does not say where it came from ("`ListMessageMoveTasks`").
const NO_SOURCE: &str = "CouldNotDetermineMessageSource";

/// What one step does; for one batch of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The messages that move.
    pub effects: Vec<Effect>,
    /// The task's new row.
    pub changes: Vec<Change>,
}

impl Queues {
    /// Tasks that want steps, each at its [`MoveTask::next_step`].
    pub fn active_move_tasks(&self) -> impl Iterator<Item = &MoveTask> {
        self.tasks.values().filter(|task| task.status.is_active())
    }

    /// When the earliest step of any task is due.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.active_move_tasks().map(|task| task.next_step).min()
    }

    /// The source of a task and how many of its due rows to read for a step. `None` if it wants none.
    pub fn move_task_rows(&self, task: &MoveTask) -> Option<(u64, usize)> {
        let running = task.status == Status::Running;
        let source = self.queues.get(&task.source).filter(|_| running)?;
        Some((source.id, step_count(task)))
    }

    /// Moves one step's messages. Rows that are not due are passed over; none left means that the task is complete.
    ///
    /// A moved message is a new one: `next` identifies it, its retention begins again, as "dead-letter queue redrive" has it.
    pub fn step_move_task(
        &self,
        now: Timestamp,
        task: &MoveTask,
        due: Vec<Row>,
        next: &mut dyn FnMut() -> NewMessage,
    ) -> Step {
        let mut step = Step::default();
        let mut after = task.clone();
        match (task.status, self.queues.get(&task.source)) {
            (Status::Cancelling, _) => after.status = Status::Cancelled,
            (Status::Running, Some(source)) => self.advance(now, source, &mut after, due, next, &mut step),
            (Status::Running, None) => fail(&mut after, NO_DESTINATION),
            _ => return step,
        }
        step.changes.push(Change::put(&after));
        step
    }

    fn advance(
        &self,
        now: Timestamp,
        source: &Queue,
        task: &mut MoveTask,
        due: Vec<Row>,
        next: &mut dyn FnMut() -> NewMessage,
        step: &mut Step,
    ) {
        let mut rows = due.into_iter().filter(|row| row.held.slot.visible_at <= now).peekable();
        if rows.peek().is_none() {
            task.status = Status::Completed;
            return;
        }
        for row in rows.take(step_count(task)) {
            if source.is_expired(&row, now) {
                step.effects.push(Effect::Remove { queue: source.id, slot: row.held.slot });
                continue;
            }
            let place = task.destination.clone().or_else(|| Place::from_arn(row.message.source.as_deref()?));
            let Some(place) = place else { return fail(task, NO_SOURCE) };
            let Some(target) = self.queues.get(&place) else { return fail(task, NO_DESTINATION) };
            step.effects.extend(moved(source, row, target, now, next()));
            task.moved += 1;
        }
        task.next_step = if task.per_second.is_some() { now.plus_millis(STEP_INTERVAL_MS) } else { now };
    }
}

fn step_count(task: &MoveTask) -> usize {
    // A bound above the size of a step would need shorter intervals; a step of a bounded task is a second's worth.
    task.per_second.unwrap_or(STEP_COUNT_MAX) as usize
}

fn fail(task: &mut MoveTask, reason: &str) {
    task.status = Status::Failed;
    task.failure = Some(reason.to_owned());
}

fn moved(source: &Queue, row: Row, target: &Queue, now: Timestamp, new: NewMessage) -> [Effect; 2] {
    let mut message = row.message;
    message.id = new.id;
    message.sent = now;
    message.source = None;
    let slot = Slot { visible_at: now, seq: new.seq };
    [
        Effect::Remove { queue: source.id, slot: row.held.slot },
        Effect::Send { queue: target.id, slot, class: Class::Visible, message, state: State::default() },
    ]
}
