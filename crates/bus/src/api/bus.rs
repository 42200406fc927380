//! Operations on buses.

use aws_api::events::{
    CreateEventBusRequest, CreateEventBusResponse, DeleteEventBusRequest, DescribeEventBusRequest,
    DescribeEventBusResponse, EmptyResponse, ListEventBusesRequest, ListEventBusesResponse,
};
use aws_api::{ApiError, Change, Entity, RequestContext, Timestamp};

use super::{DESCRIPTION_LEN_MAX, Decided, check_len, check_name, invalid, limit_exceeded, page};
use crate::api::tag;
use crate::{Bus, Buses, DEFAULT_BUS, Rule};

/// Buses of an account in one region, without the default bus.
const BUSES_MAX: usize = 100;
/// The longest name of a bus, in characters.
const BUS_NAME_LEN_MAX: usize = 256;

impl Buses {
    /// `CreateEventBus`.
    pub fn create_event_bus(
        &self,
        ctx: &RequestContext,
        req: &CreateEventBusRequest,
    ) -> Decided<CreateEventBusResponse> {
        if req.name.contains('/') {
            return Err(invalid("Event bus name must not contain '/'."));
        }
        check_name(&req.name, "name", BUS_NAME_LEN_MAX)?;
        check_len(req.description.as_deref().unwrap_or_default(), "description", 0, DESCRIPTION_LEN_MAX)?;
        if req.name == DEFAULT_BUS || self.get(ctx.account(), &ctx.region, &req.name).is_some() {
            let message = format!("Event bus {} already exists.", req.name);
            return Err(ApiError::new("ResourceAlreadyExistsException", message));
        }
        if self.custom(ctx.account(), &ctx.region).count() >= BUSES_MAX {
            return Err(limit_exceeded());
        }
        let bus = Bus {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            name: req.name.clone(),
            description: req.description.clone().filter(|text| !text.is_empty()),
            created: Some(ctx.now),
            tags: tag::merged(ctx, &std::collections::BTreeMap::new(), &req.tags)?,
            policy: None,
        };
        let answer =
            CreateEventBusResponse { event_bus_arn: bus.arn().to_string(), description: bus.description.clone() };
        Ok((answer, vec![Change::put(&bus)]))
    }

    /// `DescribeEventBus`.
    pub fn describe_event_bus(
        &self,
        ctx: &RequestContext,
        req: &DescribeEventBusRequest,
    ) -> Result<DescribeEventBusResponse, ApiError> {
        let name = self.bus_name(ctx, req.name.as_deref())?;
        Ok(described(&self.bus(ctx, name)))
    }

    /// `ListEventBuses`: the default bus among them.
    pub fn list_event_buses(
        &self,
        ctx: &RequestContext,
        req: &ListEventBusesRequest,
    ) -> Result<ListEventBusesResponse, ApiError> {
        let prefix = req.name_prefix.as_deref().unwrap_or_default();
        let mut buses = vec![self.bus(ctx, DEFAULT_BUS)];
        buses.extend(self.custom(ctx.account(), &ctx.region).cloned());
        buses.retain(|bus| bus.name.starts_with(prefix));
        buses.sort_by(|a, b| a.name.cmp(&b.name));
        let (buses, next_token) =
            page(buses.into_iter(), |bus| bus.name.as_str(), req.limit, req.next_token.as_deref())?;
        Ok(ListEventBusesResponse { event_buses: buses.iter().map(described).collect(), next_token })
    }

    /// `DeleteEventBus`, with its rules; a bus that does not exist is no error.
    pub fn delete_event_bus(&self, ctx: &RequestContext, req: &DeleteEventBusRequest) -> Decided<EmptyResponse> {
        let name = req.name.as_str();
        if name == DEFAULT_BUS {
            return Err(invalid("Cannot delete event bus default."));
        }
        check_name(name, "name", BUS_NAME_LEN_MAX)?;
        if self.get(ctx.account(), &ctx.region, name).is_none() {
            return Ok((EmptyResponse {}, Vec::new()));
        }
        let mut changes: Vec<_> = self.rules(ctx, name).map(|rule| Change::delete::<Rule>(rule.key())).collect();
        changes.push(Change::delete::<Bus>(self.bus(ctx, name).key()));
        Ok((EmptyResponse {}, changes))
    }

    /// A bus that exists; the default bus has no row of its own unless it has labels or a policy.
    pub(super) fn bus(&self, ctx: &RequestContext, name: &str) -> Bus {
        let stored = self.get(ctx.account(), &ctx.region, name).and_then(|entry| entry.bus.clone());
        stored.unwrap_or_else(|| Bus {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            name: name.to_owned(),
            ..Bus::default()
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds up to the year 9999 are exact in a double")]
fn described(bus: &Bus) -> DescribeEventBusResponse {
    let seconds = |moment: Timestamp| moment.as_millis() as f64 / 1000.0;
    DescribeEventBusResponse {
        name: bus.name.clone(),
        arn: bus.arn().to_string(),
        description: bus.description.clone(),
        policy: bus.policy.clone(),
        creation_time: bus.created.map(seconds),
        last_modified_time: bus.created.map(seconds),
    }
}
