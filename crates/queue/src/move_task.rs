//! Tasks that move the messages of a dead-letter queue back or elsewhere.

use aws_api::sqs::{
    CancelMessageMoveTaskRequest, CancelMessageMoveTaskResult, ListMessageMoveTasksRequest, ListMessageMoveTasksResult,
    ListMessageMoveTasksResultEntry, StartMessageMoveTaskRequest, StartMessageMoveTaskResult,
};
use aws_api::{ApiError, Arn, Change, Entity, RequestContext, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::{HANDLE_LEN_MAX, MOVE_RATE_MAX, MOVE_TASK_COUNT_MAX};
use crate::place::ranged;
use crate::{Place, Queue, Queues, refusal};

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It moves messages.
    Running,
    /// It will not move another one.
    Cancelling,
    /// It was stopped.
    Cancelled,
    /// It came to the end.
    Completed,
    /// It could not go on.
    Failed,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }

    /// Does it still block another task, and want steps?
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling)
    }
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveTask {
    /// Its id, in the handle.
    pub id: Uuid,
    /// The dead-letter queue.
    pub source: Place,
    /// Where to, if it was said; else back to where each message came from.
    #[serde(default)]
    pub destination: Option<Place>,
    /// The bound on its speed, if there is one.
    #[serde(default)]
    pub per_second: Option<u32>,
    /// When it began.
    pub started: Timestamp,
    /// When its next step is due.
    pub next_step: Timestamp,
    /// How many messages were there when it began.
    pub to_move: u64,
    /// How many it has moved.
    pub moved: u64,
    /// How far it is.
    pub status: Status,
    /// The error that ended it.
    #[serde(default)]
    pub failure: Option<String>,
}

impl Entity for MoveTask {
    const KIND: &'static str = "move-task";

    /// Sorts the tasks of a source by their start.
    fn key(&self) -> String {
        format!("{}/{:015}/{}", self.source, self.started.as_millis(), self.id)
    }
}

/// What a task handle holds, as base64 of its JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handle {
    task_id: Uuid,
    source_arn: String,
}

impl MoveTask {
    fn handle(&self) -> String {
        let handle = Handle { task_id: self.id, source_arn: self.source.arn() };
        STANDARD.encode(serde_json::to_vec(&handle).unwrap_or_default())
    }

    fn entry(&self) -> ListMessageMoveTasksResultEntry {
        ListMessageMoveTasksResultEntry {
            task_handle: (self.status == Status::Running).then(|| self.handle()),
            status: self.status.text().into(),
            source_arn: self.source.arn(),
            destination_arn: self.destination.as_ref().map(Place::arn),
            max_number_of_messages_per_second: self.per_second.and_then(|rate| i32::try_from(rate).ok()),
            approximate_number_of_messages_moved: i64::try_from(self.moved).unwrap_or(i64::MAX),
            approximate_number_of_messages_to_move: Some(i64::try_from(self.to_move).unwrap_or(i64::MAX)),
            failure_reason: self.failure.clone(),
            started_timestamp: self.started.as_millis(),
        }
    }
}

impl Queues {
    /// The queue that a `SourceArn` names, so that the caller can count its messages before it starts a task.
    ///
    /// Missing, malformed, foreign, unknown: refused in this order, an unknown one with `ResourceNotFoundException`.
    pub fn move_source(&self, ctx: &RequestContext, arn: Option<&str>, action: &str) -> Result<&Queue, ApiError> {
        let arn = arn.filter(|arn| !arn.is_empty()).ok_or_else(|| refusal::missing("SourceArn"))?;
        self.task_queue(ctx, arn, "SourceArn", action)
    }

    /// `StartMessageMoveTask`; `to_move` counts the messages of [`Queues::move_source`].
    ///
    /// Refused: a source that is nobody's dead-letter queue, an unknown destination, a second task for the source.
    pub fn start_message_move_task(
        &self,
        ctx: &RequestContext,
        req: &StartMessageMoveTaskRequest,
        id: Uuid,
        to_move: u64,
    ) -> Result<(StartMessageMoveTaskResult, Vec<Change>), ApiError> {
        let source = &self.move_source(ctx, req.source_arn.as_deref(), "StartMessageMoveTask")?.place;
        let reason = format!("You must enter a value between 1 and {MOVE_RATE_MAX}.");
        let asked = req.max_number_of_messages_per_second;
        let rate = ranged(asked, 1..=MOVE_RATE_MAX, 0, "MaxNumberOfMessagesPerSecond", &reason)?;
        if self.sources(source).next().is_none() {
            return Err(refusal::invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
        }
        let destination =
            req.destination_arn.as_deref().map(|arn| self.task_queue(ctx, arn, "DestinationArn", "SendMessage"));
        let destination = destination.transpose()?.map(|queue| queue.place.clone());
        if destination.as_ref() == Some(source) {
            return Err(refusal::invalid_parameter("Source queue arn and destination queue arn cannot be the same."));
        }
        if self.tasks_of(source).any(|task| task.status.is_active()) {
            return Err(refusal::invalid_parameter(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
            ));
        }
        let task = MoveTask {
            id,
            source: source.clone(),
            destination,
            per_second: asked.map(|_| rate),
            started: ctx.now,
            next_step: ctx.now,
            to_move,
            moved: 0,
            status: Status::Running,
            failure: None,
        };
        let known = self.tasks_of(source).count();
        let forgotten = self.tasks_of(source).take((known + 1).saturating_sub(MOVE_TASK_COUNT_MAX));
        let mut changes: Vec<_> = forgotten.map(|task| Change::delete::<MoveTask>(task.key())).collect();
        changes.push(Change::put(&task));
        Ok((StartMessageMoveTaskResult { task_handle: task.handle() }, changes))
    }

    /// `CancelMessageMoveTask`: the task ends with its next step; what was moved stays moved.
    pub fn cancel_message_move_task(
        &self,
        ctx: &RequestContext,
        req: &CancelMessageMoveTaskRequest,
    ) -> Result<(CancelMessageMoveTaskResult, Vec<Change>), ApiError> {
        let handle = req.task_handle.as_deref().filter(|handle| !handle.is_empty());
        let handle = handle.ok_or_else(|| refusal::missing("TaskHandle"))?;
        let handle = read_handle(handle)
            .ok_or_else(|| refusal::invalid_parameter("Value for parameter TaskHandle is invalid."))?;
        let source = &self.task_queue(ctx, &handle.source_arn, "SourceArn", "CancelMessageMoveTask")?.place;
        let mut task = self
            .tasks_of(source)
            .find(|task| task.id == handle.task_id)
            .cloned()
            .ok_or_else(|| refusal::resource_not_found("Task does not exist."))?;
        if task.status != Status::Running {
            let text = format!("Only active tasks can be cancelled. This one is {}.", task.status.text());
            return Err(refusal::invalid_parameter(text));
        }
        task.status = Status::Cancelling;
        task.next_step = ctx.now;
        let moved = i64::try_from(task.moved).unwrap_or(i64::MAX);
        let answer = CancelMessageMoveTaskResult { approximate_number_of_messages_moved: moved };
        Ok((answer, vec![Change::put(&task)]))
    }

    /// `ListMessageMoveTasks`: the latest tasks of a source, newest first.
    pub fn list_message_move_tasks(
        &self,
        ctx: &RequestContext,
        req: &ListMessageMoveTasksRequest,
    ) -> Result<ListMessageMoveTasksResult, ApiError> {
        let source = &self.move_source(ctx, req.source_arn.as_deref(), "ListMessageMoveTasks")?.place;
        let most = u32::try_from(MOVE_TASK_COUNT_MAX).unwrap_or(u32::MAX);
        let reason = format!("MaxResults must be an integer between 1 and {most}.");
        let count = ranged(req.max_results, 1..=most, 1, "MaxResults", &reason)?;
        let mut results: Vec<_> = self.tasks_of(source).map(MoveTask::entry).collect();
        results.reverse();
        results.truncate(count as usize);
        Ok(ListMessageMoveTasksResult { results })
    }

    /// The remembered tasks of a source, oldest first.
    pub(crate) fn tasks_of<'a>(&'a self, source: &'a Place) -> impl Iterator<Item = &'a MoveTask> {
        let first = format!("{source}/");
        self.tasks.range(first..).map(|(_, task)| task).take_while(move |task| task.source == *source)
    }

    fn task_queue(&self, ctx: &RequestContext, arn: &str, parameter: &str, action: &str) -> Result<&Queue, ApiError> {
        if arn.parse::<Arn>().is_err() {
            return Err(refusal::invalid_parameter(format!(
                "You must use this format to specify the {parameter}: \
                 arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
            )));
        }
        let own = |place: &Place| place.account == ctx.account() && place.region == ctx.region;
        let place =
            Place::from_arn(arn).filter(own).filter(|place| self.queues.contains_key(place)).ok_or_else(|| {
                let text = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
                refusal::resource_not_found(text)
            })?;
        self.admitted(ctx, &place, action)
    }
}

fn read_handle(handle: &str) -> Option<Handle> {
    let bytes = (handle.len() <= HANDLE_LEN_MAX).then(|| STANDARD.decode(handle).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok()
}
