//! Amazon Simple Queue Service: its operations and their shapes, as "Amazon SQS API Reference" has them.
//!
//! `StringListValues` and `BinaryListValues` of message attributes, which AWS reserves and does not implement, are not here.

mod batch;
mod message;
mod move_task;
mod queue;

pub use batch::*;
pub use message::*;
pub use move_task::*;
pub use queue::*;

use serde::{Deserialize, Serialize};

crate::service! {
    /// Amazon SQS. Receiving counts as reading, as in its page of the "Service Authorization Reference".
    Sqs via SqsApi {
        signing_name: "sqs",
        version: "2012-11-05",
        target_prefix: "AmazonSQS",
        json_media_type: "application/x-amz-json-1.0",
        query_namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    }
    Write Admin AddPermission(AddPermissionRequest) -> EmptyResult => add_permission;
    Write Admin CancelMessageMoveTask(CancelMessageMoveTaskRequest) -> CancelMessageMoveTaskResult
        => cancel_message_move_task;
    Write Admin @Data ChangeMessageVisibility(ChangeMessageVisibilityRequest) -> EmptyResult => change_message_visibility;
    Write Admin @Data ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchRequest) -> ChangeMessageVisibilityBatchResult
        => change_message_visibility_batch;
    Write Admin CreateQueue(CreateQueueRequest) -> CreateQueueResult => create_queue;
    Write Admin @Data DeleteMessage(DeleteMessageRequest) -> EmptyResult => delete_message;
    Write Admin @Data DeleteMessageBatch(DeleteMessageBatchRequest) -> DeleteMessageBatchResult => delete_message_batch;
    Write Admin DeleteQueue(DeleteQueueRequest) -> EmptyResult => delete_queue;
    Read Audit @Data GetQueueAttributes(GetQueueAttributesRequest) -> GetQueueAttributesResult => get_queue_attributes;
    Read Audit @Data GetQueueUrl(GetQueueUrlRequest) -> GetQueueUrlResult => get_queue_url;
    Read Audit @Data ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesRequest) -> ListDeadLetterSourceQueuesResult
        => list_dead_letter_source_queues;
    Read Audit ListMessageMoveTasks(ListMessageMoveTasksRequest) -> ListMessageMoveTasksResult => list_message_move_tasks;
    Read Audit @Data ListQueueTags(ListQueueTagsRequest) -> ListQueueTagsResult => list_queue_tags;
    Read Audit @Data ListQueues(ListQueuesRequest) -> ListQueuesResult => list_queues;
    Write Admin PurgeQueue(PurgeQueueRequest) -> EmptyResult => purge_queue;
    Read Audit @Data ReceiveMessage(ReceiveMessageRequest) -> ReceiveMessageResult => receive_message;
    Write Admin RemovePermission(RemovePermissionRequest) -> EmptyResult => remove_permission;
    Write Admin @Data SendMessage(SendMessageRequest) -> SendMessageResult => send_message;
    Write Admin @Data SendMessageBatch(SendMessageBatchRequest) -> SendMessageBatchResult => send_message_batch;
    Write Admin SetQueueAttributes(SetQueueAttributesRequest) -> EmptyResult => set_queue_attributes;
    Write Admin StartMessageMoveTask(StartMessageMoveTaskRequest) -> StartMessageMoveTaskResult
        => start_message_move_task;
    Write Admin TagQueue(TagQueueRequest) -> EmptyResult => tag_queue;
    Write Admin UntagQueue(UntagQueueRequest) -> EmptyResult => untag_queue;
}

/// The answer of an operation that has nothing to say but success.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyResult {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    #[test]
    fn every_operation_of_the_service_is_declared() {
        assert_eq!(SERVICE.ops.len(), 23);
        assert!(SERVICE.ops.is_sorted_by_key(|op| op.name));
    }

    /// "Logging Amazon Simple Queue Service API calls using AWS CloudTrail" in the developer guide.
    #[test]
    fn management_events() {
        let management = SERVICE.ops.iter().filter(|op| op.category == crate::Category::Management);
        assert_eq!(
            management.map(|op| op.name).collect::<Vec<_>>(),
            [
                "AddPermission",
                "CancelMessageMoveTask",
                "CreateQueue",
                "DeleteQueue",
                "ListMessageMoveTasks",
                "PurgeQueue",
                "RemovePermission",
                "SetQueueAttributes",
                "StartMessageMoveTask",
                "TagQueue",
                "UntagQueue"
            ]
        );
    }

    #[test]
    fn a_key_for_audit_removes_nothing() {
        let audit: Vec<_> = SERVICE.ops.iter().filter(|op| op.role < Role::Admin).map(|op| op.name).collect();
        assert_eq!(
            audit,
            [
                "GetQueueAttributes",
                "GetQueueUrl",
                "ListDeadLetterSourceQueues",
                "ListMessageMoveTasks",
                "ListQueueTags",
                "ListQueues",
                "ReceiveMessage"
            ]
        );
    }

    #[test]
    fn odd_member_names() {
        let tags = r#"{"QueueName":"q","Attributes":{"DelaySeconds":"5"},"tags":{"a":"b"}}"#;
        assert_eq!(serde_json::from_str::<CreateQueueRequest>(tags).unwrap().tags["a"], "b");
        let sources = ListDeadLetterSourceQueuesResult { queue_urls: vec!["u".into()], next_token: None };
        assert_eq!(serde_json::to_string(&sources).unwrap(), r#"{"queueUrls":["u"]}"#);
        let sent = SendMessageResult { md5_of_message_body: "m".into(), message_id: "i".into(), ..Default::default() };
        assert_eq!(serde_json::to_string(&sent).unwrap(), r#"{"MD5OfMessageBody":"m","MessageId":"i"}"#);
        let message = Message { md5_of_body: "m".into(), body: "b".into(), ..Default::default() };
        assert_eq!(
            serde_json::to_string(&message).unwrap(),
            r#"{"MessageId":"","ReceiptHandle":"","MD5OfBody":"m","Body":"b"}"#
        );
        let owner = r#"{"QueueName":"q","QueueOwnerAWSAccountId":"111122223333"}"#;
        let owner = serde_json::from_str::<GetQueueUrlRequest>(owner).unwrap().queue_owner_aws_account_id;
        assert_eq!(owner.as_deref(), Some("111122223333"));
        assert_eq!(serde_json::to_string(&ReceiveMessageResult::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<SendMessageRequest>(r#"{"QueueUrl":"u","Priority":1}"#).is_err());
    }
}
