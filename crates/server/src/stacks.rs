//! Does what `stack` decides: operations of stacks, step by step, over restarts.

use std::sync::Arc;
use std::time::Duration;

use aws_api::{ApiError, Change};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use stack::types::{ENDPOINT, with_statement};
use stack::{Around, Call, Event, Outcome, Stack, Step, Task, is_absent};
use store::{Space, Unit};
use tokio::sync::mpsc;

use crate::app::App;
use crate::clock;
use crate::on_behalf::{Asker, OnBehalf};

/// Who makes the operations, in somebody's name.
pub const SERVICE: &str = "cloudformation.amazonaws.com";
/// A call that begins something answers when it has ended, or after so long.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Errors of a creation that say that it is there already and is the caller's, as it may be after a restart. A bucket of
/// somebody else, or a queue with other attributes, is none that was made before.
const ALREADY: [&str; 3] = ["TrailAlreadyExistsException", "ResourceAlreadyExistsException", "BucketAlreadyOwnedByYou"];

/// Takes up what was under way when the server stopped.
pub fn resume(app: &Arc<App>) {
    let under_way: Vec<_> =
        app.registry().stacks.under_way().map(|stack| (aws_api::Entity::key(stack), stack.begun())).collect();
    for (key, begun) in under_way {
        tokio::spawn(run(Arc::clone(app), key, begun));
    }
}

/// Begins to work on a stack whose operation was just committed, and waits a while for its end.
pub fn begin(app: &Arc<App>, key: String) -> BoxFuture<'static, ()> {
    let running = tokio::spawn(run(Arc::clone(app), key, Vec::new()));
    Box::pin(async move {
        // What takes longer goes on by itself.
        let _ = tokio::time::timeout(ANSWER_WAIT, running).await;
    })
}

/// Rows of events, in one place by stack and number.
pub fn event_key(stack: &str, number: u64) -> Vec<u8> {
    [b"stack-event/", stack.as_bytes(), b"/", &number.to_be_bytes()[..]].concat()
}

/// The rows that a decision writes besides the stack's own.
pub fn event_rows(uuid: &str, events: &[Event]) -> Unit {
    let mut unit = Unit::new();
    for event in events {
        // An event is texts and numbers.
        unit.put(Space::Meta, event_key(uuid, event.number), serde_json::to_vec(event).unwrap_or_default());
    }
    unit
}

/// Works on a stack until its operation has ended.
async fn run(app: Arc<App>, key: String, begun: Vec<Task>) {
    let (done, mut finished) = mpsc::unbounded_channel();
    let mut running = 0_usize;
    let start = |tasks: Vec<Task>, running: &mut usize| {
        for task in tasks {
            *running += 1;
            let (app, key, done) = (Arc::clone(&app), key.clone(), done.clone());
            tokio::spawn(async move {
                let outcome = perform(&app, &key, &task).await;
                // Nobody waits where the server stops.
                let _ = done.send((task.key, outcome));
            });
        }
    };
    start(begun, &mut running);
    loop {
        match decide(&app, &key, Stack::advance).await {
            Ok(tasks) => start(tasks, &mut running),
            Err(error) => return tracing::error!(%error, stack = key, "a stack's operation cannot go on"),
        }
        if running == 0 {
            break;
        }
        let Some((task, outcome)) = finished.recv().await else { break };
        running -= 1;
        if let Err(error) = decide(&app, &key, |stack, around| stack.finished(&task, outcome, around)).await {
            return tracing::error!(%error, stack = key, "what became of a resource could not be kept");
        }
    }
    app.stacks_changed.send_modify(|count| *count += 1);
}

/// Changes a stack as `change` decides, and makes that durable with what is to be told of it.
async fn decide<T>(
    app: &Arc<App>,
    key: &str,
    change: impl FnOnce(&mut Stack, &mut Around<'_>) -> T,
) -> Result<T, ApiError> {
    app.change_with(|registry| {
        let Some(stack) = registry.stacks.stack(key) else { return Err(ApiError::internal("The stack is gone.")) };
        let mut next = stack.clone();
        let exports = |name: &str| registry.stacks.export(&stack.account, &stack.region, name, &stack.uuid);
        let mut random = || clock::new_id().as_u128().rotate_left(64) ^ clock::new_id().as_u128();
        let mut around = Around { now: clock::now(), random: &mut random, exports: &exports, events: Vec::new() };
        let value = change(&mut next, &mut around);
        let unit = event_rows(&next.uuid, &around.events);
        let mut changes = registry.stacks.let_go(&next);
        if next != *stack {
            changes.push(Change::put(&next));
        }
        if stack.exists() && !next.exists() {
            changes.extend(registry.stacks.drift_forgotten(&next));
        }
        Ok((value, changes, unit))
    })
    .await
}

/// Does a task.
async fn perform(app: &Arc<App>, key: &str, task: &Task) -> Outcome {
    let behalf = {
        let registry = app.registry();
        registry.stacks.stack(key).and_then(|stack| {
            let asker: Asker = serde_json::from_value(stack.caller.clone()).ok()?;
            Some(OnBehalf { asker, region: stack.region.clone(), via: SERVICE })
        })
    };
    let Some(behalf) = behalf else {
        return Outcome::Failed { steps_done: 0, reason: "It is not known in whose name this is to be done.".into() };
    };
    let adoption = match looked(app, key, &behalf, task).await {
        Ok(adoption) => adoption,
        Err(reason) => return Outcome::Failed { steps_done: 0, reason },
    };
    let task = adoption.as_ref().unwrap_or(task);
    let mut answers = Vec::new();
    for step in &task.steps {
        match done(app, &behalf, step).await {
            Ok(answer) => answers.push(answer),
            Err(error) if step.tolerated.contains(&&*error.code) => answers.push(Value::Null),
            Err(error) if task.repeated && answers.is_empty() && ALREADY.contains(&&*error.code) => {
                answers.push(Value::Null);
            }
            Err(error) => return task.refused(answers.len(), told(&error)),
        }
    }
    Outcome::Done(answers)
}

/// Looks whether there is something of a resource's name before it is made, and what is to be done instead if the stack takes
/// that over; why the resource is not made if it does not.
async fn looked(app: &Arc<App>, key: &str, behalf: &OnBehalf, task: &Task) -> Result<Option<Task>, String> {
    let Some(look) = &task.look else { return Ok(None) };
    let refused = |error: ApiError| told(&error);
    match call(app, behalf, look).await {
        Ok(_) => {
            let adoption = decide(app, key, |stack, _| stack.adopt(&task.key)).await.map_err(refused)?;
            adoption.map(Some).ok_or_else(|| "A resource of this name already exists.".to_owned())
        }
        Err(error) if is_absent(error.status, &error.code) => {
            decide(app, key, |stack, _| stack.looked(&task.key)).await.map_err(refused)?;
            Ok(None)
        }
        Err(error) => Err(told(&error)),
    }
}

/// Lets go of a stack: it is deleted, and all that it made stays.
pub async fn release(app: &Arc<App>, key: String) -> Result<(), ApiError> {
    decide(app, &key, Stack::release).await?;
    run(Arc::clone(app), key, Vec::new()).await;
    Ok(())
}

/// Waits until no operation of a stack is under way, and tells how it is then; nothing if it is forgotten.
pub async fn ended(app: &App, key: &str) -> Option<Stack> {
    let mut changed = app.stacks_changed.subscribe();
    loop {
        changed.mark_unchanged();
        let stack = app.registry().stacks.stack(key).cloned()?;
        if stack.operation.is_none() {
            return Some(stack);
        }
        // The sender lives as long as the server.
        changed.changed().await.ok()?;
    }
}

/// How a refusal is told of.
pub fn told(error: &ApiError) -> String {
    format!("{} (Status Code: {}; Error Code: {})", error.message, error.status, error.code)
}

async fn done(app: &Arc<App>, behalf: &OnBehalf, step: &Step) -> Result<Value, ApiError> {
    let Call::Rpc { service, op: op @ ("PutPermission" | "RemovePermission"), input } = &step.call else {
        return call(app, behalf, &step.call).await;
    };
    // Two stacks, or two resources of one, change the policy of a bus one after the other.
    let _one_at_a_time = app.merging.lock().await;
    let Some(statement) = &step.adds else { return call(app, behalf, &step.call).await };
    let bus = json!({ "Name": input.get("EventBusName").and_then(Value::as_str).unwrap_or("default") });
    let described = behalf.rpc(app, service, "DescribeEventBus", &bus).await?;
    let mut input = input.clone();
    input["Policy"] = json!(with_statement(described["Policy"].as_str(), statement));
    call(app, behalf, &Call::Rpc { service, op, input }).await
}

async fn call(app: &Arc<App>, behalf: &OnBehalf, call: &Call) -> Result<Value, ApiError> {
    match call {
        Call::Rpc { service, op, input } => {
            let input = input.to_string().replace(ENDPOINT, app.endpoint());
            let input =
                serde_json::from_str(&input).map_err(|_| ApiError::internal("The parameters could not be written."))?;
            let answer = behalf.rpc(app, service, op, &input).await?;
            failed_entry(&answer)?;
            Ok(answer)
        }
        Call::S3 { method, bucket, query, body, .. } => {
            let body = body.replace(ENDPOINT, app.endpoint());
            behalf.s3(app, OnBehalf::bucket_request(method, bucket, query, body)).await?;
            Ok(Value::Null)
        }
    }
}

/// `PutTargets` and `RemoveTargets` succeed with entries that failed.
fn failed_entry(answer: &Value) -> Result<(), ApiError> {
    let entry = answer.get("FailedEntries").and_then(|entries| entries.get(0));
    let Some(entry) = entry else { return Ok(()) };
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(ApiError { code: text("ErrorCode").into(), ..ApiError::new("", text("ErrorMessage")) })
}
