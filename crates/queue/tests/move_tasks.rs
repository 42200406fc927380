//! Tasks that move the messages of a dead-letter queue.

#![allow(clippy::unwrap_used, clippy::too_many_lines, reason = "tables are long, and what they prepare must succeed")]

mod common;

use aws_api::ApiError;
use aws_api::sqs::{
    CancelMessageMoveTaskRequest, DeleteQueueRequest, ListMessageMoveTasksRequest, ListMessageMoveTasksResultEntry,
    StartMessageMoveTaskRequest,
};
use common::{REGION, World, arn, at, ctx, map, redrive, url};
use uuid::Uuid;

fn refusal<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (String, u16, String) {
    let error = result.unwrap_err();
    (error.code.into_owned(), error.status, error.message)
}

fn world() -> World {
    World::with([("dead", map([])), ("q", map([("RedrivePolicy", &redrive("dead", 1))])), ("other", map([]))])
}

/// Puts messages into the dead-letter queue the way they get there.
fn fill(world: &mut World, count: usize) {
    for _ in 0..count {
        world.send(at(0), "q", "m", None);
    }
    assert_eq!(world.receive(at(0), "q", 10, Some(0)).messages.len(), count);
    assert_eq!(world.receive(at(0), "q", 10, Some(0)).dead_lettered, count);
}

fn start(world: &mut World, now: i64, destination: Option<&str>, rate: Option<i32>) -> Result<String, ApiError> {
    let ctx = ctx(at(now));
    let req = StartMessageMoveTaskRequest {
        source_arn: Some(arn("dead")),
        destination_arn: destination.map(arn),
        max_number_of_messages_per_second: rate,
    };
    let id = world.next().id;
    let source = world.queues.move_source(&ctx, req.source_arn.as_deref(), "StartMessageMoveTask")?.id;
    let to_move = world.counts(source, ctx.now).visible;
    let (answer, changes) = world.queues.start_message_move_task(&ctx, &req, id, to_move)?;
    world.absorb(&changes);
    Ok(answer.task_handle)
}

/// One step, as the server does it; `false` when no task wants one by then.
fn step(world: &mut World, now: i64) -> bool {
    let due = world.queues.next_deadline().is_some_and(|deadline| deadline <= at(now));
    let Some(task) = world.queues.active_move_tasks().next().cloned().filter(|_| due) else { return false };
    let rows = world.queues.move_task_rows(&task).map(|(source, limit)| world.due(source, at(now), limit));
    let mut last = world.last;
    let mut next = || {
        last += 1;
        queue::NewMessage { id: Uuid::from_u128(last.into()), seq: last }
    };
    let step = world.queues.step_move_task(at(now), &task, rows.unwrap_or_default(), &mut next);
    world.last = last;
    world.apply(step.effects);
    world.absorb(&step.changes);
    true
}

fn list(world: &World, count: i32) -> Vec<ListMessageMoveTasksResultEntry> {
    let req = ListMessageMoveTasksRequest { source_arn: Some(arn("dead")), max_results: Some(count) };
    world.queues.list_message_move_tasks(&ctx(at(0)), &req).unwrap().results
}

fn cancel(world: &mut World, handle: &str) -> Result<i64, ApiError> {
    let req = CancelMessageMoveTaskRequest { task_handle: Some(handle.into()) };
    let (answer, changes) = world.queues.cancel_message_move_task(&ctx(at(0)), &req)?;
    world.absorb(&changes);
    Ok(answer.approximate_number_of_messages_moved)
}

#[test]
fn back_to_where_they_came_from() {
    let mut world = world();
    fill(&mut world, 2);
    start(&mut world, 10, None, None).unwrap();
    while step(&mut world, 10) {}
    let task = list(&world, 1).remove(0);
    assert_eq!((&*task.status, task.task_handle, task.destination_arn), ("COMPLETED", None, None));
    assert_eq!((task.approximate_number_of_messages_moved, task.approximate_number_of_messages_to_move), (2, Some(2)));
    assert_eq!((task.started_timestamp, task.source_arn), (at(10).as_millis(), arn("dead")));
    let back = world.receive(at(10), "q", 10, None).messages;
    assert_eq!(back.len(), 2);
    assert_eq!(back[0].attributes["SentTimestamp"], at(10).as_millis().to_string());
    assert_eq!(back[0].attributes.get("DeadLetterQueueSourceArn"), None);
    assert_eq!(world.queues.next_deadline(), None);
}

#[test]
fn bounded_speed_and_cancel() {
    let mut world = world();
    fill(&mut world, 10);
    let handle = start(&mut world, 0, Some("other"), Some(2)).unwrap();
    assert_eq!(
        refusal(start(&mut world, 0, None, None)),
        (
            "InvalidParameterValueException".into(),
            400,
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
                .into()
        )
    );
    assert!(step(&mut world, 0));
    assert!(!step(&mut world, 999));
    let running = list(&world, 1).remove(0);
    assert_eq!((&*running.status, running.task_handle.as_deref()), ("RUNNING", Some(&*handle)));
    assert_eq!((running.max_number_of_messages_per_second, running.destination_arn), (Some(2), Some(arn("other"))));
    assert_eq!(cancel(&mut world, &handle), Ok(2));
    assert_eq!(list(&world, 1)[0].status, "CANCELLING");
    assert!(step(&mut world, 1000));
    let cancelled = list(&world, 1).remove(0);
    assert_eq!((&*cancelled.status, cancelled.approximate_number_of_messages_moved), ("CANCELLED", 2));
    assert_eq!(refusal(cancel(&mut world, &handle)).0, "InvalidParameterValueException");
    assert!(!step(&mut world, 5000));
    assert_eq!(world.counts(world.queue("other").id, at(1000)).visible, 2);
}

#[test]
fn a_destination_that_goes_away_ends_it() {
    let mut world = world();
    fill(&mut world, 4);
    start(&mut world, 0, Some("other"), Some(3)).unwrap();
    assert!(step(&mut world, 0));
    let (_, changes, _) =
        world.queues.delete_queue(&ctx(at(1)), &DeleteQueueRequest { queue_url: url("other") }).unwrap();
    world.absorb(&changes);
    assert!(step(&mut world, 1000));
    let task = list(&world, 1).remove(0);
    assert_eq!((&*task.status, task.approximate_number_of_messages_moved), ("FAILED", 3));
    assert_eq!(task.failure_reason.as_deref(), Some("AWS.SimpleQueueService.NonExistentQueue"));
    assert_eq!(world.counts(world.queue("dead").id, at(1000)).visible, 1);
}

#[test]
fn a_message_without_a_source_ends_it() {
    let mut world = world();
    world.send(at(0), "dead", "sent directly", None);
    start(&mut world, 0, None, None).unwrap();
    assert!(step(&mut world, 0));
    assert_eq!(list(&world, 1)[0].failure_reason.as_deref(), Some("CouldNotDetermineMessageSource"));
}

#[test]
fn the_latest_are_remembered_newest_first() {
    let mut world = world();
    for now in 0..12 {
        start(&mut world, now, None, None).unwrap();
        while step(&mut world, now) {}
    }
    let started: Vec<_> = list(&world, 10).iter().map(|task| task.started_timestamp - at(0).as_millis()).collect();
    assert_eq!(started, (2..12).rev().collect::<Vec<_>>());
    assert_eq!(list(&world, 1)[0].started_timestamp, at(11).as_millis());
    let (_, changes, _) =
        world.queues.delete_queue(&ctx(at(20)), &DeleteQueueRequest { queue_url: url("dead") }).unwrap();
    world.absorb(&changes);
    let removed = changes.iter().filter(|change| change.kind == "move-task" && change.row.is_none()).count();
    assert_eq!((removed, world.queues.next_deadline()), (10, None));
}

#[test]
fn refused() {
    let mut world = world();
    let ask = |world: &World, source: Option<&str>, destination: Option<&str>, rate: Option<i32>| {
        let req = StartMessageMoveTaskRequest {
            source_arn: source.map(str::to_owned),
            destination_arn: destination.map(str::to_owned),
            max_number_of_messages_per_second: rate,
        };
        refusal(world.queues.start_message_move_task(&ctx(at(0)), &req, Uuid::nil(), 0))
    };
    let (invalid, missing) = ("InvalidParameterValueException", "ResourceNotFoundException");
    let (dead, other, gone) = (arn("dead"), arn("other"), arn("gone"));
    let foreign = format!("arn:aws:sqs:{REGION}:999988887777:dead");
    let source = "The resource that you specified for the SourceArn parameter doesn't exist.";
    for (source_arn, destination, rate, code, status, text) in [
        (
            None,
            None,
            None,
            "MissingRequiredParameterException",
            400,
            "The request must contain the parameter SourceArn.",
        ),
        (
            Some("dead"),
            None,
            None,
            invalid,
            400,
            "You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
        ),
        (Some(&*gone), None, None, missing, 404, source),
        (Some(&*foreign), None, None, missing, 404, source),
        (Some(&*other), None, None, invalid, 400, "Source queue must be configured as a Dead Letter Queue."),
        (
            Some(&*dead),
            Some(&*gone),
            None,
            missing,
            404,
            "The resource that you specified for the DestinationArn parameter doesn't exist.",
        ),
        (
            Some(&*dead),
            Some(&*dead),
            None,
            invalid,
            400,
            "Source queue arn and destination queue arn cannot be the same.",
        ),
        (
            Some(&*dead),
            None,
            Some(501),
            invalid,
            400,
            "Value 501 for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a value between 1 and 500.",
        ),
    ] {
        assert_eq!(ask(&world, source_arn, destination, rate), (code.into(), status, text.into()));
    }
    let handle = |id: &str, source: &str| {
        use base64::Engine as _;
        let json = format!(r#"{{"taskId":"{id}","sourceArn":"{source}"}}"#);
        base64::engine::general_purpose::STANDARD.encode(json)
    };
    let id = Uuid::nil().to_string();
    for (handle, code, status, text) in [
        ("foobared".to_owned(), invalid, 400, "Value for parameter TaskHandle is invalid."),
        (handle("x", &dead), invalid, 400, "Value for parameter TaskHandle is invalid."),
        (handle(&id, &arn("gone")), missing, 404, source),
        (handle(&id, &dead), missing, 404, "Task does not exist."),
    ] {
        assert_eq!(refusal(cancel(&mut world, &handle)), (code.into(), status, text.into()));
    }
    for count in [0, 11] {
        let req = ListMessageMoveTasksRequest { source_arn: Some(dead.clone()), max_results: Some(count) };
        assert_eq!(
            refusal(world.queues.list_message_move_tasks(&ctx(at(0)), &req)).2,
            format!(
                "Value {count} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 10."
            )
        );
    }
}
