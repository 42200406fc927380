//! Amazon Simple Notification Service: operations and shapes (API version 2010-03-31).
//!
//! SNS speaks the Query protocol only. Members of FIFO topics (`MessageGroupId`, …), of mobile push and of text messages
//! (`PhoneNumber`, `TargetArn`'s endpoints) and of data protection are not supported, so they are not in the shapes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Blob;

crate::service! {
    /// Amazon SNS.
    Sns via SnsApi {
        signing_name: "sns",
        version: "2010-03-31",
        target_prefix: "",
        json_media_type: "",
        query_namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
    }
    Write Admin CreateTopic(CreateTopicRequest) -> CreateTopicResponse => create_topic;
    Write Admin DeleteTopic(DeleteTopicRequest) -> () => delete_topic;
    Read Audit ListTopics(ListTopicsRequest) -> ListTopicsResponse => list_topics;
    Read Audit GetTopicAttributes(GetTopicAttributesRequest) -> GetTopicAttributesResponse => get_topic_attributes;
    Write Admin SetTopicAttributes(SetTopicAttributesRequest) -> () => set_topic_attributes;
    Write Admin AddPermission(AddPermissionRequest) -> () => add_permission;
    Write Admin RemovePermission(RemovePermissionRequest) -> () => remove_permission;
    Write Admin Subscribe(SubscribeRequest) -> SubscribeResponse => subscribe;
    Write Admin Unsubscribe(UnsubscribeRequest) -> () => unsubscribe;
    Read Audit ListSubscriptions(ListSubscriptionsRequest) -> ListSubscriptionsResponse => list_subscriptions;
    Read Audit ListSubscriptionsByTopic(ListSubscriptionsByTopicRequest) -> ListSubscriptionsByTopicResponse
        => list_subscriptions_by_topic;
    Read Audit GetSubscriptionAttributes(GetSubscriptionAttributesRequest) -> GetSubscriptionAttributesResponse
        => get_subscription_attributes;
    Write Admin SetSubscriptionAttributes(SetSubscriptionAttributesRequest) -> () => set_subscription_attributes;
    Write Admin @Data Publish(PublishRequest) -> PublishResponse => publish;
    Write Admin @Data PublishBatch(PublishBatchRequest) -> PublishBatchResponse => publish_batch;
    Write Admin TagResource(TagResourceRequest) -> TagResourceResponse => tag_resource;
    Write Admin UntagResource(UntagResourceRequest) -> UntagResourceResponse => untag_resource;
    Read Audit ListTagsForResource(ListTagsForResourceRequest) -> ListTagsForResourceResponse => list_tags_for_resource;
}

/// A name and a value that describe a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

/// What `CreateTopic` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct CreateTopicRequest {
    /// 1 to 256 letters, digits, hyphens, underscores.
    pub name: Option<String>,
    /// `DisplayName`, `Policy`, `SignatureVersion`.
    pub attributes: BTreeMap<String, String>,
    /// Tags of the new topic.
    pub tags: Vec<Tag>,
}

/// What `CreateTopic` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateTopicResponse {
    /// The topic, new or there before.
    pub topic_arn: String,
}

/// What `DeleteTopic` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct DeleteTopicRequest {
    /// The topic.
    pub topic_arn: Option<String>,
}

/// What `ListTopics` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTopicsRequest {
    /// From the page before.
    pub next_token: Option<String>,
}

/// One topic of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Topic {
    /// `arn:aws:sns:region:account:name`.
    pub topic_arn: String,
}

/// What `ListTopics` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTopicsResponse {
    /// Up to 100.
    pub topics: Vec<Topic>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What `GetTopicAttributes` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetTopicAttributesRequest {
    /// The topic.
    pub topic_arn: Option<String>,
}

/// What `GetTopicAttributes` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetTopicAttributesResponse {
    /// Names and values, all of them texts.
    pub attributes: BTreeMap<String, String>,
}

/// What `SetTopicAttributes` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SetTopicAttributesRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// `DisplayName`, `Policy` or `SignatureVersion`.
    pub attribute_name: Option<String>,
    /// Absent stands for the default.
    pub attribute_value: Option<String>,
}

/// What `AddPermission` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct AddPermissionRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// The statement's id.
    pub label: Option<String>,
    /// Who may.
    #[serde(rename = "AWSAccountId")]
    pub aws_account_id: Vec<String>,
    /// What, without `sns:`.
    pub action_name: Vec<String>,
}

/// What `RemovePermission` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RemovePermissionRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// The statement's id.
    pub label: Option<String>,
}

/// What `Subscribe` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SubscribeRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// `sqs`.
    pub protocol: Option<String>,
    /// The queue's ARN.
    pub endpoint: Option<String>,
    /// `RawMessageDelivery`, `FilterPolicy`, `FilterPolicyScope`, `RedrivePolicy`.
    pub attributes: BTreeMap<String, String>,
    /// Whether the ARN is wanted even of a subscription that waits for its confirmation. A queue's never waits.
    pub return_subscription_arn: Option<bool>,
}

/// What `Subscribe` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubscribeResponse {
    /// The subscription, new or there before.
    pub subscription_arn: String,
}

/// What `Unsubscribe` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UnsubscribeRequest {
    /// The subscription.
    pub subscription_arn: Option<String>,
}

/// What `ListSubscriptions` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListSubscriptionsRequest {
    /// From the page before.
    pub next_token: Option<String>,
}

/// One subscription of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Subscription {
    /// `arn:aws:sns:region:account:topic:uuid`.
    pub subscription_arn: String,
    /// The account that subscribed.
    pub owner: String,
    /// `sqs`.
    pub protocol: String,
    /// The queue's ARN.
    pub endpoint: String,
    /// The topic.
    pub topic_arn: String,
}

/// What `ListSubscriptions` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListSubscriptionsResponse {
    /// Up to 100.
    pub subscriptions: Vec<Subscription>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What `ListSubscriptionsByTopic` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListSubscriptionsByTopicRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// From the page before.
    pub next_token: Option<String>,
}

/// What `ListSubscriptionsByTopic` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListSubscriptionsByTopicResponse {
    /// Up to 100.
    pub subscriptions: Vec<Subscription>,
    /// There if more follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What `GetSubscriptionAttributes` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct GetSubscriptionAttributesRequest {
    /// The subscription.
    pub subscription_arn: Option<String>,
}

/// What `GetSubscriptionAttributes` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetSubscriptionAttributesResponse {
    /// Names and values, all of them texts.
    pub attributes: BTreeMap<String, String>,
}

/// What `SetSubscriptionAttributes` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct SetSubscriptionAttributesRequest {
    /// The subscription.
    pub subscription_arn: Option<String>,
    /// `RawMessageDelivery`, `FilterPolicy`, `FilterPolicyScope` or `RedrivePolicy`.
    pub attribute_name: Option<String>,
    /// Absent stands for the default.
    pub attribute_value: Option<String>,
}

/// The value of a message attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct MessageAttributeValue {
    /// `String`, `String.Array`, `Number` or `Binary`.
    pub data_type: Option<String>,
    /// The value of all types but `Binary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of `Binary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<Blob>,
}

/// What `Publish` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PublishRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// The topic under the name that push endpoints have too; either this or `topic_arn`.
    pub target_arn: Option<String>,
    /// The text, or with `MessageStructure` an object of texts by protocol.
    pub message: Option<String>,
    /// Up to 100 characters.
    pub subject: Option<String>,
    /// `json` or absent.
    pub message_structure: Option<String>,
    /// Attributes by name.
    pub message_attributes: BTreeMap<String, MessageAttributeValue>,
}

/// What `Publish` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublishResponse {
    /// A UUID.
    pub message_id: String,
}

/// One message of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PublishBatchRequestEntry {
    /// Names the entry within the batch: 1 to 80 letters, digits, hyphens, underscores.
    pub id: Option<String>,
    /// As in [`PublishRequest`].
    pub message: Option<String>,
    /// As in [`PublishRequest`].
    pub subject: Option<String>,
    /// As in [`PublishRequest`].
    pub message_structure: Option<String>,
    /// As in [`PublishRequest`].
    pub message_attributes: BTreeMap<String, MessageAttributeValue>,
}

/// What `PublishBatch` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct PublishBatchRequest {
    /// The topic.
    pub topic_arn: Option<String>,
    /// 1 to 10.
    pub publish_batch_request_entries: Vec<PublishBatchRequestEntry>,
}

/// An entry that was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublishBatchResultEntry {
    /// The entry.
    pub id: String,
    /// A UUID.
    pub message_id: String,
}

/// An entry that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchResultErrorEntry {
    /// The entry.
    pub id: String,
    /// The code that `Publish` would have answered.
    pub code: String,
    /// Its message.
    pub message: String,
    /// Whether the request was at fault.
    pub sender_fault: bool,
}

/// What `PublishBatch` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublishBatchResponse {
    /// In the order of the request.
    pub successful: Vec<PublishBatchResultEntry>,
    /// In the order of the request.
    pub failed: Vec<BatchResultErrorEntry>,
}

/// What `TagResource` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TagResourceRequest {
    /// A topic.
    pub resource_arn: Option<String>,
    /// Added, or put in place of those with the same key.
    pub tags: Vec<Tag>,
}

/// Has no members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagResourceResponse {}

/// What `UntagResource` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct UntagResourceRequest {
    /// A topic.
    pub resource_arn: Option<String>,
    /// Those that are not there are passed over.
    pub tag_keys: Vec<String>,
}

/// Has no members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntagResourceResponse {}

/// What `ListTagsForResource` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct ListTagsForResourceRequest {
    /// A topic.
    pub resource_arn: Option<String>,
}

/// What `ListTagsForResource` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForResourceResponse {
    /// Sorted by key.
    pub tags: Vec<Tag>,
}
