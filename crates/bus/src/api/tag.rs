//! Labels on rules and buses.

use std::collections::BTreeMap;

use aws_api::events::{
    EmptyResponse, ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest,
    UntagResourceRequest,
};
use aws_api::{ApiError, Arn, Change, RequestContext, SYSTEM_TAG_REFUSED, user_tags};

use super::{Decided, invalid};
use crate::{Bus, Buses, DEFAULT_BUS, Rule};

/// Labels on one rule or bus, without those of services.
const TAGS_MAX: usize = 50;
/// The longest key, in characters.
const KEY_LEN_MAX: usize = 128;
/// The longest value, in characters.
const VALUE_LEN_MAX: usize = 256;

/// The labels with those of a request added or replaced.
pub(super) fn merged(
    ctx: &RequestContext,
    tags: &BTreeMap<String, String>,
    added: &[Tag],
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut merged = tags.clone();
    for Tag { key, value } in added {
        if key.is_empty() || key.chars().count() > KEY_LEN_MAX || value.chars().count() > VALUE_LEN_MAX {
            return Err(invalid(format!(
                "A tag's key must have 1 to {KEY_LEN_MAX} characters and its value up to {VALUE_LEN_MAX}."
            )));
        }
        check_owner(ctx, key)?;
        merged.insert(key.clone(), value.clone());
    }
    if user_tags(merged.keys()) > TAGS_MAX {
        return Err(ApiError::new("LimitExceededException", format!("A resource may have up to {TAGS_MAX} tags.")));
    }
    Ok(merged)
}

/// Is the label the caller's to set and to remove?
fn check_owner(ctx: &RequestContext, key: &str) -> Result<(), ApiError> {
    if ctx.may_tag(key) { Ok(()) } else { Err(invalid(SYSTEM_TAG_REFUSED)) }
}

/// What has labels.
enum Tagged {
    Rule(Rule),
    Bus(Bus),
}

impl Tagged {
    fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::Rule(rule) => &mut rule.tags,
            Self::Bus(bus) => &mut bus.tags,
        }
    }

    fn change(&self) -> Change {
        match self {
            Self::Rule(rule) => Change::put(rule),
            Self::Bus(bus) => Change::put(bus),
        }
    }
}

impl Buses {
    /// `TagResource`.
    pub fn tag_resource(&self, ctx: &RequestContext, req: &TagResourceRequest) -> Decided<EmptyResponse> {
        let mut tagged = self.tagged(ctx, &req.resource_arn)?;
        *tagged.tags() = merged(ctx, tagged.tags(), &req.tags)?;
        Ok((EmptyResponse {}, vec![tagged.change()]))
    }

    /// `UntagResource`. Labels that are not there are no error.
    pub fn untag_resource(&self, ctx: &RequestContext, req: &UntagResourceRequest) -> Decided<EmptyResponse> {
        let mut tagged = self.tagged(ctx, &req.resource_arn)?;
        req.tag_keys.iter().try_for_each(|key| check_owner(ctx, key))?;
        tagged.tags().retain(|key, _| !req.tag_keys.contains(key));
        Ok((EmptyResponse {}, vec![tagged.change()]))
    }

    /// `ListTagsForResource`.
    pub fn list_tags_for_resource(
        &self,
        ctx: &RequestContext,
        req: &ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, ApiError> {
        let mut tagged = self.tagged(ctx, &req.resource_arn)?;
        let tags = tagged.tags().iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() });
        Ok(ListTagsForResourceResponse { tags: tags.collect() })
    }

    fn tagged(&self, ctx: &RequestContext, text: &str) -> Result<Tagged, ApiError> {
        let arn: Arn = text.parse().map_err(|_| {
            invalid(format!("Parameter {text} is not valid. Reason: Provided Arn is not in correct format."))
        })?;
        let here = arn.service == "events" && arn.region == ctx.region && arn.account == ctx.account();
        if let (true, Some(bus)) = (here, arn.resource.strip_prefix("event-bus/")) {
            return Ok(Tagged::Bus(self.bus(ctx, self.bus_name(ctx, Some(bus))?)));
        }
        if let (true, Some(path)) = (here, arn.resource.strip_prefix("rule/")) {
            let (bus, name) = path.split_once('/').unwrap_or((DEFAULT_BUS, path));
            return Ok(Tagged::Rule(self.existing(ctx, Some(bus), name)?.clone()));
        }
        Err(ApiError::new("ResourceNotFoundException", format!("Resource {arn} does not exist.")))
    }
}
