//! Tags of topics.

use std::collections::BTreeMap;

use aws_api::sns::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse,
};
use aws_api::{ApiError, Change, RequestContext, SYSTEM_TAG_REFUSED, user_tags};

use crate::refusal::{invalid, missing, no_resource};
use crate::{Topic, Topics, is_unprintable};

/// Tags of one topic, without those of services ("Amazon SNS topic tagging" in the SNS guide).
pub const TAGS_MAX: usize = 50;

const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

/// Checks the tags of a request and puts them in order.
pub(crate) fn read(ctx: &RequestContext, tags: &[Tag]) -> Result<BTreeMap<String, String>, ApiError> {
    if user_tags(tags.iter().map(|tag| &tag.key)) > TAGS_MAX {
        return Err(too_many());
    }
    let mut read = BTreeMap::new();
    for Tag { key, value } in tags {
        if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
            return Err(invalid(format!("Tags Reason: a tag key must have 1 to {KEY_CHARS_MAX} characters")));
        }
        check_owner(ctx, key, "Tags")?;
        if key.contains(is_unprintable) || value.contains(is_unprintable) {
            return Err(invalid("Tags Reason: a tag must not contain control characters"));
        }
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(invalid(format!("Tags Reason: a tag value can have up to {VALUE_CHARS_MAX} characters")));
        }
        if read.insert(key.clone(), value.clone()).is_some() {
            return Err(invalid("Duplicated keys are not allowed."));
        }
    }
    Ok(read)
}

/// Is the tag the caller's to set and to remove?
fn check_owner(ctx: &RequestContext, key: &str, member: &str) -> Result<(), ApiError> {
    if ctx.may_tag(key) { Ok(()) } else { Err(invalid(format!("{member} Reason: {SYSTEM_TAG_REFUSED}"))) }
}

fn too_many() -> ApiError {
    ApiError::new("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
}

impl Topics {
    /// Adds tags to a topic, or puts others in their place.
    pub fn tag_resource(
        &self,
        ctx: &RequestContext,
        req: &TagResourceRequest,
    ) -> Result<(TagResourceResponse, Vec<Change>), ApiError> {
        let mut topic = self.tagged(ctx, req.resource_arn.as_deref(), "TagResource")?.clone();
        topic.tags.append(&mut read(ctx, &req.tags)?);
        if user_tags(topic.tags.keys()) > TAGS_MAX {
            return Err(too_many());
        }
        Ok((TagResourceResponse {}, vec![Change::put(&topic)]))
    }

    /// Removes tags from a topic; keys that it does not have are passed over.
    pub fn untag_resource(
        &self,
        ctx: &RequestContext,
        req: &UntagResourceRequest,
    ) -> Result<(UntagResourceResponse, Vec<Change>), ApiError> {
        let mut topic = self.tagged(ctx, req.resource_arn.as_deref(), "UntagResource")?.clone();
        req.tag_keys.iter().try_for_each(|key| check_owner(ctx, key, "TagKeys"))?;
        topic.tags.retain(|key, _| !req.tag_keys.contains(key));
        Ok((UntagResourceResponse {}, vec![Change::put(&topic)]))
    }

    /// A topic's tags, by key.
    pub fn list_tags_for_resource(
        &self,
        ctx: &RequestContext,
        req: &ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, ApiError> {
        let topic = self.tagged(ctx, req.resource_arn.as_deref(), "ListTagsForResource")?;
        let tags = topic.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
        Ok(ListTagsForResourceResponse { tags: tags.collect() })
    }

    fn tagged(&self, ctx: &RequestContext, arn: Option<&str>, action: &str) -> Result<&Topic, ApiError> {
        let arn = arn.ok_or_else(|| missing("resourceArn"))?;
        self.topic(ctx, Some(arn), action).map_err(|refused| match &*refused.code {
            "NotFound" => no_resource(),
            "InvalidParameter" => {
                ApiError { message: refused.message.replacen("TopicArn", "ResourceArn", 1), ..refused }
            }
            _ => refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{apply, ctx, refusal, with_topic};

    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.into(), value: value.into() }
    }

    #[test]
    fn life_of_tags() {
        let (mut topics, arn) = with_topic("t");
        let resource_arn = Some(arn);
        let add = |tags| TagResourceRequest { resource_arn: resource_arn.clone(), tags };
        let list = |topics: &Topics| {
            let req = ListTagsForResourceRequest { resource_arn: resource_arn.clone() };
            topics.list_tags_for_resource(&ctx(), &req).unwrap().tags
        };
        let changes = topics.tag_resource(&ctx(), &add(vec![tag("k2", "v2"), tag("k1", "v1")])).unwrap().1;
        apply(&mut topics, &changes);
        assert_eq!(list(&topics), [tag("k1", "v1"), tag("k2", "v2")]);
        let changes = topics.tag_resource(&ctx(), &add(vec![tag("k2", "v2b")])).unwrap().1;
        apply(&mut topics, &changes);
        let req = UntagResourceRequest { resource_arn: resource_arn.clone(), tag_keys: vec!["k1".into(), "x".into()] };
        let changes = topics.untag_resource(&ctx(), &req).unwrap().1;
        apply(&mut topics, &changes);
        assert_eq!(list(&topics), [tag("k2", "v2b")]);
    }

    #[test]
    fn refused() {
        let (topics, arn) = with_topic("t");
        let many = |n: usize| (0..n).map(|i| tag(&i.to_string(), "")).collect::<Vec<_>>();
        let rows = [
            (
                arn.clone(),
                vec![tag("k", "1"), tag("k", "2")],
                "InvalidParameter: Invalid parameter: Duplicated keys are not allowed.",
            ),
            (arn.clone(), many(51), "TagLimitExceeded: Could not complete request: tag quota of per resource exceeded"),
            (
                arn.clone(),
                vec![tag("AWS:x", "")],
                "InvalidParameter: Invalid parameter: Tags Reason: aws: prefixed tag key names are not allowed for external use.",
            ),
            (
                arn.clone(),
                vec![tag(&"k".repeat(129), "")],
                "InvalidParameter: Invalid parameter: Tags Reason: a tag key must have 1 to 128 characters",
            ),
            (
                arn.clone(),
                vec![tag("k", "\u{1}")],
                "InvalidParameter: Invalid parameter: Tags Reason: a tag must not contain control characters",
            ),
            (format!("{arn}x"), many(1), "ResourceNotFound: Resource does not exist"),
            (
                "a:b".into(),
                many(1),
                "InvalidParameter: Invalid parameter: ResourceArn Reason: An ARN must have at least 6 elements, not 2",
            ),
        ];
        for (arn, tags, expected) in rows {
            let req = TagResourceRequest { resource_arn: Some(arn), tags };
            assert_eq!(refusal(topics.tag_resource(&ctx(), &req)), expected);
        }
        let req = TagResourceRequest { resource_arn: Some(arn), tags: many(50) };
        assert!(topics.tag_resource(&ctx(), &req).is_ok());
    }

    #[test]
    fn tags_of_services_are_theirs() {
        let (mut topics, arn) = with_topic("t");
        let service = RequestContext { via: Some("cloudformation.amazonaws.com"), ..ctx() };
        let stack = tag("aws:cloudformation:stack-name", "audit");
        let add = |tags| TagResourceRequest { resource_arn: Some(arn.clone()), tags };
        let changes = topics.tag_resource(&service, &add(vec![stack.clone()])).unwrap().1;
        apply(&mut topics, &changes);
        // They do not count.
        let fifty = (0..50).map(|i| tag(&i.to_string(), "")).collect();
        let changes = topics.tag_resource(&ctx(), &add(fifty)).unwrap().1;
        apply(&mut topics, &changes);
        let refused = "Reason: aws: prefixed tag key names are not allowed for external use.";
        let altered = refusal(topics.tag_resource(&ctx(), &add(vec![tag(&stack.key, "mine")])));
        assert_eq!(altered, format!("InvalidParameter: Invalid parameter: Tags {refused}"));
        let remove = UntagResourceRequest { resource_arn: Some(arn.clone()), tag_keys: vec!["0".into(), stack.key] };
        let removed = refusal(topics.untag_resource(&ctx(), &remove));
        assert_eq!(removed, format!("InvalidParameter: Invalid parameter: TagKeys {refused}"));
        assert!(topics.untag_resource(&service, &remove).is_ok());
    }
}
