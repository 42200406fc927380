//! Amazon SNS.

use aws_api::sns::{
    AddPermissionRequest, CreateTopicRequest, CreateTopicResponse, DeleteTopicRequest,
    GetSubscriptionAttributesRequest, GetSubscriptionAttributesResponse, GetTopicAttributesRequest,
    GetTopicAttributesResponse, ListSubscriptionsByTopicRequest, ListSubscriptionsByTopicResponse,
    ListSubscriptionsRequest, ListSubscriptionsResponse, ListTagsForResourceRequest, ListTagsForResourceResponse,
    ListTopicsRequest, ListTopicsResponse, PublishBatchRequest, PublishBatchResponse, PublishRequest, PublishResponse,
    RemovePermissionRequest, SetSubscriptionAttributesRequest, SetTopicAttributesRequest, SnsApi, SubscribeRequest,
    SubscribeResponse, TagResourceRequest, TagResourceResponse, UnsubscribeRequest, UntagResourceRequest,
    UntagResourceResponse,
};
use aws_api::{ApiError, RequestContext};
use topic::Published;

use super::Services;
use crate::clock;

impl Services {
    /// Puts what was published into the subscribed queues; the answer follows once it is there.
    async fn deliver(&self, ctx: &RequestContext, topic: &str, published: &[Published]) -> Result<(), ApiError> {
        let delivered = self.0.deliver_published(ctx.now, &ctx.endpoint, topic, published)?;
        self.0.commit_effects(delivered).await?;
        Ok(())
    }
}

impl SnsApi for Services {
    reads! { topics:
        list_topics(ListTopicsRequest) -> ListTopicsResponse;
        get_topic_attributes(GetTopicAttributesRequest) -> GetTopicAttributesResponse;
        list_subscriptions(ListSubscriptionsRequest) -> ListSubscriptionsResponse;
        list_subscriptions_by_topic(ListSubscriptionsByTopicRequest) -> ListSubscriptionsByTopicResponse;
        get_subscription_attributes(GetSubscriptionAttributesRequest) -> GetSubscriptionAttributesResponse;
        list_tags_for_resource(ListTagsForResourceRequest) -> ListTagsForResourceResponse;
    }

    changes! { topics:
        create_topic(CreateTopicRequest) -> CreateTopicResponse;
        tag_resource(TagResourceRequest) -> TagResourceResponse;
        untag_resource(UntagResourceRequest) -> UntagResourceResponse;
    }

    silent_changes! { topics:
        delete_topic(DeleteTopicRequest);
        set_topic_attributes(SetTopicAttributesRequest);
        add_permission(AddPermissionRequest);
        remove_permission(RemovePermissionRequest);
        unsubscribe(UnsubscribeRequest);
    }

    async fn subscribe(&self, ctx: &RequestContext, req: SubscribeRequest) -> Result<SubscribeResponse, ApiError> {
        let decide = |registry: &pipeline::Registry| {
            registry.topics.subscribe(ctx, &req, clock::new_id(), &|arn| registry.exists(arn))
        };
        self.0.change(decide).await
    }

    async fn set_subscription_attributes(
        &self,
        ctx: &RequestContext,
        req: SetSubscriptionAttributesRequest,
    ) -> Result<(), ApiError> {
        let decide = |registry: &pipeline::Registry| {
            let changes = registry.topics.set_subscription_attributes(ctx, &req, &|arn| registry.exists(arn))?;
            Ok(((), changes))
        };
        self.0.change(decide).await
    }

    async fn publish(&self, ctx: &RequestContext, req: PublishRequest) -> Result<PublishResponse, ApiError> {
        self.0.check_room()?;
        let (answer, published) = self.0.registry().topics.publish_request(ctx, &req, clock::new_id())?;
        let topic = req.topic_arn.or(req.target_arn).unwrap_or_default();
        self.deliver(ctx, &topic, &[published]).await?;
        Ok(answer)
    }

    async fn publish_batch(
        &self,
        ctx: &RequestContext,
        req: PublishBatchRequest,
    ) -> Result<PublishBatchResponse, ApiError> {
        self.0.check_room()?;
        let (answer, published) = self.0.registry().topics.publish_batch_request(ctx, &req, &mut clock::new_id)?;
        self.deliver(ctx, &req.topic_arn.unwrap_or_default(), &published).await?;
        Ok(answer)
    }
}
