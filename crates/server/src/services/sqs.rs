//! Amazon SQS: the queues themselves.

use aws_api::sqs::{
    AddPermissionRequest, CancelMessageMoveTaskRequest, CancelMessageMoveTaskResult, CreateQueueRequest,
    CreateQueueResult, DeleteQueueRequest, EmptyResult, GetQueueAttributesRequest, GetQueueAttributesResult,
    GetQueueUrlRequest, GetQueueUrlResult, ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult,
    ListMessageMoveTasksRequest, ListMessageMoveTasksResult, ListQueueTagsRequest, ListQueueTagsResult,
    ListQueuesRequest, ListQueuesResult, PurgeQueueRequest, RemovePermissionRequest, SetQueueAttributesRequest, SqsApi,
    StartMessageMoveTaskRequest, StartMessageMoveTaskResult, TagQueueRequest, UntagQueueRequest,
};
use aws_api::sqs::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchResult, ChangeMessageVisibilityRequest,
    DeleteMessageBatchRequest, DeleteMessageBatchResult, DeleteMessageRequest, ReceiveMessageRequest,
    ReceiveMessageResult, SendMessageBatchRequest, SendMessageBatchResult, SendMessageRequest, SendMessageResult,
};
use aws_api::{ApiError, Change, RequestContext};
use queue::{Counts, Effect};
use store::{QueueId, Unit};

use super::{Services, messages};
use crate::app::unavailable;
use crate::clock;

impl Services {
    fn counts(&self, queue: u64, ctx: &RequestContext) -> Result<Counts, ApiError> {
        let counts = self.0.store.queues().counts(QueueId(queue), ctx.now).map_err(|error| unavailable(&error))?;
        Ok(Counts { visible: counts.visible, in_flight: counts.in_flight, delayed: counts.delayed })
    }

    /// A change that also empties a queue: what is left to remove is noted in the same batch.
    fn emptied<T>(&self, decided: (T, Vec<Change>, Effect)) -> Result<(T, Vec<Change>, Unit), ApiError> {
        let (answer, changes, effect) = decided;
        let mut unit = Unit::new();
        self.0.stage(&mut unit, vec![effect])?;
        Ok((answer, changes, unit))
    }
}

impl SqsApi for Services {
    reads! { queues:
        get_queue_url(GetQueueUrlRequest) -> GetQueueUrlResult;
        list_queues(ListQueuesRequest) -> ListQueuesResult;
        list_dead_letter_source_queues(ListDeadLetterSourceQueuesRequest) -> ListDeadLetterSourceQueuesResult;
        list_queue_tags(ListQueueTagsRequest) -> ListQueueTagsResult;
        list_message_move_tasks(ListMessageMoveTasksRequest) -> ListMessageMoveTasksResult;
    }

    changes! { queues:
        add_permission(AddPermissionRequest) -> EmptyResult;
        remove_permission(RemovePermissionRequest) -> EmptyResult;
        set_queue_attributes(SetQueueAttributesRequest) -> EmptyResult;
        tag_queue(TagQueueRequest) -> EmptyResult;
        untag_queue(UntagQueueRequest) -> EmptyResult;
        cancel_message_move_task(CancelMessageMoveTaskRequest) -> CancelMessageMoveTaskResult;
    }

    async fn create_queue(&self, ctx: &RequestContext, req: CreateQueueRequest) -> Result<CreateQueueResult, ApiError> {
        self.0.change(|registry| registry.queues.create_queue(ctx, &req, clock::new_id())).await
    }

    async fn delete_queue(&self, ctx: &RequestContext, req: DeleteQueueRequest) -> Result<EmptyResult, ApiError> {
        self.0.change_with(|registry| self.emptied(registry.queues.delete_queue(ctx, &req)?)).await
    }

    async fn purge_queue(&self, ctx: &RequestContext, req: PurgeQueueRequest) -> Result<EmptyResult, ApiError> {
        self.0.change_with(|registry| self.emptied(registry.queues.purge_queue(ctx, &req)?)).await
    }

    async fn get_queue_attributes(
        &self,
        ctx: &RequestContext,
        req: GetQueueAttributesRequest,
    ) -> Result<GetQueueAttributesResult, ApiError> {
        let registry = self.0.registry();
        let counts =
            self.counts(registry.queues.queue(ctx, req.queue_url.as_deref(), "GetQueueAttributes")?.id, ctx)?;
        registry.queues.get_queue_attributes(ctx, &req, counts)
    }

    async fn start_message_move_task(
        &self,
        ctx: &RequestContext,
        req: StartMessageMoveTaskRequest,
    ) -> Result<StartMessageMoveTaskResult, ApiError> {
        let decide = |registry: &pipeline::Registry| {
            let source = registry.queues.move_source(ctx, req.source_arn.as_deref(), "StartMessageMoveTask")?.id;
            let counts = self.counts(source, ctx)?;
            let to_move = counts.visible + counts.in_flight + counts.delayed;
            registry.queues.start_message_move_task(ctx, &req, clock::new_id(), to_move)
        };
        self.0.change(decide).await
    }

    async fn send_message(&self, ctx: &RequestContext, req: SendMessageRequest) -> Result<SendMessageResult, ApiError> {
        messages::send(&self.0, ctx, req).await
    }

    async fn send_message_batch(
        &self,
        ctx: &RequestContext,
        req: SendMessageBatchRequest,
    ) -> Result<SendMessageBatchResult, ApiError> {
        messages::send_batch(&self.0, ctx, req).await
    }

    async fn receive_message(
        &self,
        ctx: &RequestContext,
        req: ReceiveMessageRequest,
    ) -> Result<ReceiveMessageResult, ApiError> {
        messages::receive(&self.0, ctx, req).await
    }

    async fn delete_message(&self, ctx: &RequestContext, req: DeleteMessageRequest) -> Result<EmptyResult, ApiError> {
        messages::delete(&self.0, ctx, req).await
    }

    async fn delete_message_batch(
        &self,
        ctx: &RequestContext,
        req: DeleteMessageBatchRequest,
    ) -> Result<DeleteMessageBatchResult, ApiError> {
        messages::delete_batch(&self.0, ctx, req).await
    }

    async fn change_message_visibility(
        &self,
        ctx: &RequestContext,
        req: ChangeMessageVisibilityRequest,
    ) -> Result<EmptyResult, ApiError> {
        messages::change_visibility(&self.0, ctx, req).await
    }

    async fn change_message_visibility_batch(
        &self,
        ctx: &RequestContext,
        req: ChangeMessageVisibilityBatchRequest,
    ) -> Result<ChangeMessageVisibilityBatchResult, ApiError> {
        messages::change_visibility_batch(&self.0, ctx, req).await
    }
}
