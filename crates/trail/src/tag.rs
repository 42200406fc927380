//! Labels on trails.

use std::collections::BTreeMap;

use aws_api::cloudtrail::{
    AddTagsRequest, EmptyResponse, ListTagsRequest, ListTagsResponse, RemoveTagsRequest, ResourceTag, Tag,
};
use aws_api::{ApiError, Change, RequestContext};

use crate::api::Decided;
use crate::name::parse_trail_arn;
use crate::{Trail, Trails};

/// Labels on one trail ("Quotas in AWS CloudTrail").
const TAGS_MAX: usize = 50;
/// Trails in one `ListTags`.
const LIST_RESOURCES_MAX: usize = 20;
/// The longest key, in characters.
const KEY_LEN_MAX: usize = 128;
/// The longest value, in characters.
const VALUE_LEN_MAX: usize = 256;

/// The labels with those of a request added or replaced.
pub(crate) fn merged(tags: &BTreeMap<String, String>, added: &[Tag]) -> Result<BTreeMap<String, String>, ApiError> {
    let invalid = |message: String| Err(ApiError::new("InvalidTagParameterException", message));
    let mut merged = tags.clone();
    let mut seen = std::collections::BTreeSet::new();
    for Tag { key, value } in added {
        let value = value.clone().unwrap_or_default();
        if key.is_empty() || key.chars().count() > KEY_LEN_MAX || value.chars().count() > VALUE_LEN_MAX {
            return invalid(format!(
                "A tag's key must have 1 to {KEY_LEN_MAX} characters and its value up to {VALUE_LEN_MAX}."
            ));
        }
        if aws_api::is_system_tag(key) {
            return invalid(format!("The tag key {key} begins with aws:, which is reserved."));
        }
        if !seen.insert(key) {
            return invalid(format!("The tag key {key} stands more than once in the request."));
        }
        merged.insert(key.clone(), value);
    }
    if merged.len() > TAGS_MAX {
        return Err(ApiError::new("TagsLimitExceededException", format!("A trail may have up to {TAGS_MAX} tags.")));
    }
    Ok(merged)
}

impl Trails {
    /// `AddTags`.
    pub fn add_tags(&self, ctx: &RequestContext, req: &AddTagsRequest) -> Decided<EmptyResponse> {
        let mut trail = self.tagged(ctx, &req.resource_id)?.clone();
        trail.tags = merged(&trail.tags, &req.tags_list)?;
        Ok((EmptyResponse {}, vec![Change::put(&trail)]))
    }

    /// `RemoveTags`: a label goes if its key is given, with its value or without one; labels that are not there are no error.
    pub fn remove_tags(&self, ctx: &RequestContext, req: &RemoveTagsRequest) -> Decided<EmptyResponse> {
        let mut trail = self.tagged(ctx, &req.resource_id)?.clone();
        for Tag { key, value } in &req.tags_list {
            if value.is_none() || value.as_ref() == trail.tags.get(key) {
                trail.tags.remove(key);
            }
        }
        Ok((EmptyResponse {}, vec![Change::put(&trail)]))
    }

    /// `ListTags`.
    pub fn list_tags(&self, ctx: &RequestContext, req: &ListTagsRequest) -> Result<ListTagsResponse, ApiError> {
        if req.next_token.as_ref().is_some_and(|token| !token.is_empty()) {
            return Err(ApiError::new(
                "InvalidTokenException",
                "The NextToken is not valid: there are no further pages.",
            ));
        }
        if req.resource_id_list.len() > LIST_RESOURCES_MAX {
            return Err(ApiError::new(
                "InvalidParameterCombinationException",
                format!("ResourceIdList has more than {LIST_RESOURCES_MAX} ARNs."),
            ));
        }
        let one = |arn: &String| {
            let tags = &self.tagged(ctx, arn)?.tags;
            let tags_list = tags.iter().map(|(key, value)| Tag { key: key.clone(), value: Some(value.clone()) });
            Ok(ResourceTag { resource_id: arn.clone(), tags_list: tags_list.collect() })
        };
        let resource_tag_list = req.resource_id_list.iter().map(one).collect::<Result<_, ApiError>>()?;
        Ok(ListTagsResponse { resource_tag_list })
    }

    /// Labels are on ARNs, in the trail's home region.
    fn tagged(&self, ctx: &RequestContext, arn: &str) -> Result<&Trail, ApiError> {
        let not_found = || ApiError::new("ResourceNotFoundException", format!("The trail {arn} does not exist."));
        let (region, account, name) = parse_trail_arn(arn)?;
        if account != ctx.account() || region != ctx.region {
            return Err(not_found());
        }
        self.trail(&account, &region, &name).ok_or_else(not_found)
    }
}
