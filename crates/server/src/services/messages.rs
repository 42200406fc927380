//! Amazon SQS: what happens to messages.
//!
//! Each decision is made on rows as they were read. If another request moved one of them meanwhile the store refuses the
//! whole unit, and the decision is made again on what is there now.

use std::sync::Arc;
use std::time::Duration;

use aws_api::sqs::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchResult, ChangeMessageVisibilityRequest,
    DeleteMessageBatchRequest, DeleteMessageBatchResult, DeleteMessageRequest, EmptyResult, ReceiveMessageRequest,
    ReceiveMessageResult, SendMessageBatchRequest, SendMessageBatchResult, SendMessageRequest, SendMessageResult,
};
use aws_api::{ApiError, RequestContext, Timestamp};
use queue::{Effect, Held, NewMessage, Queue, Receive, Received};
use store::QueueId;

use crate::app::{App, unavailable};
use crate::clock;
use crate::counters::add;
use crate::reservations::Reservation;

/// How often a decision is made again because others were quicker.
const RETRIES_MAX: usize = 100;
pub(super) async fn send(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: SendMessageRequest,
) -> Result<SendMessageResult, ApiError> {
    app.check_room()?;
    let new = app.new_message()?;
    let (queue, (result, effect)) = {
        let registry = app.registry();
        let queue = registry.queues.queue(ctx, req.queue_url.as_deref(), "SendMessage")?;
        (queue.place.arn(), queue.send_message(ctx.now, req, new, &ctx.caller.principal_id)?)
    };
    let sizes = sizes(std::slice::from_ref(&effect));
    app.commit_effects(vec![effect]).await?;
    count_sent(app, ctx, &queue, &sizes);
    Ok(result)
}

pub(super) async fn send_batch(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: SendMessageBatchRequest,
) -> Result<SendMessageBatchResult, ApiError> {
    app.check_room()?;
    let mut ids = Vec::with_capacity(req.entries.len());
    for _ in 0..req.entries.len().min(queue::limits::BATCH_COUNT_MAX) {
        ids.push(app.new_message()?);
    }
    let (queue, batch) = {
        let registry = app.registry();
        let queue = registry.queues.queue(ctx, req.queue_url.as_deref(), "SendMessage")?;
        // There is one for each entry; a batch with more is refused before any is asked for.
        let mut next = || ids.pop().unwrap_or(NewMessage { id: clock::new_id(), seq: u64::MAX });
        (queue.place.arn(), queue.send_message_batch(ctx.now, req, &ctx.caller.principal_id, &mut next)?)
    };
    let sizes = sizes(&batch.effects);
    app.commit_effects(batch.effects).await?;
    count_sent(app, ctx, &queue, &sizes);
    Ok(batch.result)
}

pub(super) async fn receive(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: ReceiveMessageRequest,
) -> Result<ReceiveMessageResult, ApiError> {
    let (receive, queue) = {
        let registry = app.registry();
        let queue = registry.queues.queue(ctx, req.queue_url.as_deref(), "ReceiveMessage")?.place.arn();
        (registry.queues.begin_receive(ctx, req)?, queue)
    };
    let until = ctx.now.plus_secs(receive.wait_s().into());
    let bell = app.wakers.bell(receive.queue());
    let mut overtaken = 0;
    loop {
        let rung = bell.notified();
        tokio::pin!(rung);
        // From here on no message comes in unnoticed.
        rung.as_mut().enable();
        let now = clock::now();
        let (received, reservation) = look(app, &receive, now)?;
        let again = received.look_again();
        if !app.commit_effects(received.effects).await? {
            overtaken += 1;
            if overtaken < RETRIES_MAX {
                continue;
            }
            return Ok(ReceiveMessageResult::default());
        }
        reservation.taken();
        add(&app.counters.dead_lettered, received.dead_lettered);
        if again {
            // Each look takes what it found out of the queue, so this comes to an end.
            continue;
        }
        if !received.messages.is_empty() || now >= until || *app.stopping.borrow() {
            count_received(app, now, &queue, received.messages.len());
            return Ok(ReceiveMessageResult { messages: received.messages });
        }
        wait(app, &receive, now, until, rung).await?;
    }
}

/// Decides over the messages that no other receive is about to take.
fn look(app: &App, receive: &Receive, now: Timestamp) -> Result<(Received, Reservation), ApiError> {
    let queue = receive.queue();
    app.reservations.choose(queue, &app.wakers, |aside| {
        let mut due = app.due(queue, now, receive.count() + aside.len())?;
        due.retain(|row| !aside.contains(&row.held.slot.seq));
        due.truncate(receive.count());
        if due.is_empty() {
            return Ok((Received::default(), Vec::new()));
        }
        let seqs = due.iter().map(|row| row.held.slot.seq).collect();
        let counts = app.store.queues().counts(QueueId(queue), now).map_err(|error| unavailable(&error))?;
        let mut failed = None;
        let mut next_seq = || {
            app.next_seq().unwrap_or_else(|error| {
                failed = Some(error);
                u64::MAX
            })
        };
        let registry = app.registry();
        let received = registry.queues.receive_message(now, receive, due, counts.in_flight, &mut next_seq)?;
        match failed {
            Some(error) => Err(error),
            None => Ok((received, seqs)),
        }
    })
}

/// Until a message comes, one becomes visible, or the time is up.
async fn wait(
    app: &Arc<App>,
    receive: &Receive,
    now: Timestamp,
    until: Timestamp,
    rung: impl Future<Output = ()>,
) -> Result<(), ApiError> {
    let id = QueueId(receive.queue());
    let visible = app.store.queues().next_visible(id, now).map_err(|error| unavailable(&error))?;
    let wake = visible.map_or(until, |visible| visible.min(until));
    let millis = u64::try_from(wake.millis_since(clock::now())).unwrap_or_default();
    let mut stopping = app.stopping.subscribe();
    tokio::select! {
        () = rung => {}
        // The rest of the millisecond has to pass, too.
        () = tokio::time::sleep(Duration::from_millis(millis + 1)) => {}
        () = clock::stopped(&mut stopping) => {}
    }
    Ok(())
}

pub(super) async fn delete(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: DeleteMessageRequest,
) -> Result<EmptyResult, ApiError> {
    let url = req.queue_url.as_deref();
    let deleted = retried(app, ctx, url, "DeleteMessage", |queue| {
        let receipt = queue.receipt(req.receipt_handle.as_deref())?;
        let effect = queue.delete_message(receipt, app.held(queue.id, receipt.seq)?.as_ref())?;
        Ok((effect.is_some(), effect.into_iter().collect()))
    });
    let deleted = usize::from(deleted.await?);
    count_deleted(app, ctx, url, deleted);
    Ok(EmptyResult {})
}

pub(super) async fn delete_batch(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: DeleteMessageBatchRequest,
) -> Result<DeleteMessageBatchResult, ApiError> {
    let url = req.queue_url.clone();
    let (result, count) = retried(app, ctx, url.as_deref(), "DeleteMessage", |queue| {
        let batch = looked_up(app, queue, |look_up| queue.delete_message_batch(req.clone(), look_up))?;
        let count = batch.effects.len();
        Ok(((batch.result, count), batch.effects))
    })
    .await?;
    count_deleted(app, ctx, url.as_deref(), count);
    Ok(result)
}

pub(super) async fn change_visibility(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: ChangeMessageVisibilityRequest,
) -> Result<EmptyResult, ApiError> {
    retried(app, ctx, req.queue_url.as_deref(), "ChangeMessageVisibility", |queue| {
        let receipt = queue.receipt(req.receipt_handle.as_deref())?;
        let held = app.held(queue.id, receipt.seq)?;
        let effect = queue.change_message_visibility(ctx.now, receipt, req.visibility_timeout, held.as_ref())?;
        Ok((EmptyResult {}, vec![effect]))
    })
    .await
}

pub(super) async fn change_visibility_batch(
    app: &Arc<App>,
    ctx: &RequestContext,
    req: ChangeMessageVisibilityBatchRequest,
) -> Result<ChangeMessageVisibilityBatchResult, ApiError> {
    let url = req.queue_url.clone();
    retried(app, ctx, url.as_deref(), "ChangeMessageVisibility", |queue| {
        let decide = |look_up: &mut dyn FnMut(u64) -> Option<Held>| {
            queue.change_message_visibility_batch(ctx.now, req.clone(), look_up)
        };
        let batch = looked_up(app, queue, decide)?;
        Ok((batch.result, batch.effects))
    })
    .await
}

/// The sizes of what is sent.
fn sizes(effects: &[Effect]) -> Vec<usize> {
    let size = |effect: &Effect| match effect {
        Effect::Send { message, .. } => Some(message.size()),
        Effect::Move { .. } | Effect::Remove { .. } | Effect::Clear { .. } => None,
    };
    effects.iter().filter_map(size).collect()
}

fn count_sent(app: &App, ctx: &RequestContext, queue: &str, sizes: &[usize]) {
    add(&app.counters.messages_sent, sizes.len());
    app.meter.count(ctx.now, |tally| sizes.iter().for_each(|size| tally.sent(queue, *size)));
}

fn count_received(app: &App, now: Timestamp, queue: &str, count: usize) {
    add(&app.counters.messages_received, count);
    app.meter.count(now, |tally| {
        let counts = tally.queue(queue);
        counts.received += count;
        counts.empty_receives += usize::from(count == 0);
    });
}

fn count_deleted(app: &App, ctx: &RequestContext, queue_url: Option<&str>, count: usize) {
    add(&app.counters.messages_deleted, count);
    // The queue may have been deleted meanwhile.
    let queue = app.registry().queues.queue(ctx, queue_url, "DeleteMessage").ok().map(|queue| queue.place.arn());
    if let Some(queue) = queue {
        app.meter.count(ctx.now, |tally| tally.queue(&queue).deleted += count);
    }
}

/// Decides and commits, and decides again while others are quicker.
async fn retried<T>(
    app: &Arc<App>,
    ctx: &RequestContext,
    queue_url: Option<&str>,
    action: &str,
    decide: impl Fn(&Queue) -> Result<(T, Vec<Effect>), ApiError>,
) -> Result<T, ApiError> {
    for _ in 0..RETRIES_MAX {
        let (answer, effects) = decide(app.registry().queues.queue(ctx, queue_url, action)?)?;
        if app.commit_effects(effects).await? {
            return Ok(answer);
        }
    }
    Err(ApiError::internal("The message is being moved by too many requests at once. Please try again."))
}

/// Hands a decision the way to look messages up, and fails if a look failed.
fn looked_up<T>(
    app: &Arc<App>,
    queue: &Queue,
    decide: impl FnOnce(&mut dyn FnMut(u64) -> Option<Held>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let mut failed = None;
    let mut look_up = |seq| match app.held(queue.id, seq) {
        Ok(held) => held,
        Err(error) => {
            failed = Some(error);
            None
        }
    };
    let decided = decide(&mut look_up)?;
    match failed {
        Some(error) => Err(error),
        None => Ok(decided),
    }
}
