//! Who may put events on a bus: its policy.
//!
//! Source: "Permissions for event buses in Amazon EventBridge" in the guide. Only `events:PutEvents` is served for other accounts;
//! statements about rules of the bus would have no effect and are refused.

use aws_api::{ApiError, Arn, RequestContext};
use policy::{Action, ConditionKey, Decision, Level, Policy, Request, Resources, Vocabulary};

use crate::buses::{Buses, no_bus};

/// The longest policy of a bus, in characters ("Amazon EventBridge quotas").
pub const POLICY_LEN_MAX: usize = 10_240;

const fn key(name: &'static str) -> ConditionKey<'static> {
    ConditionKey { name, fixes_caller: false, actions: &[] }
}

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    service: "events",
    actions: &[Action { name: "PutEvents", level: Level::Whole }],
    foreign_actions: &["DeleteRule", "DescribeRule", "PutRule", "PutTargets", "RemoveTargets", "PutPermission"],
    resources: Resources::Flat,
    keys: &[
        key("aws:PrincipalAccount"),
        key("aws:PrincipalArn"),
        key("aws:SecureTransport"),
        key("events:detail-type"),
        key("events:source"),
    ],
    len_max: POLICY_LEN_MAX,
};

/// Reads the policy of a bus.
pub(crate) fn parse(text: &str) -> Result<Policy, ApiError> {
    Policy::parse(text.as_bytes(), &VOCABULARY).map_err(|error| {
        ApiError::new("ValidationException", format!("Parameter Policy is not valid. Reason: {error}"))
    })
}

/// A bus that an entry of `PutEvents` names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub account: &'a str,
    pub name: &'a str,
}

impl Buses {
    /// The bus of an entry, in the request's region; another account's by its ARN only.
    pub(crate) fn named<'a>(&self, ctx: &'a RequestContext, bus: Option<&'a str>) -> Result<Named<'a>, ApiError> {
        let Some((text, account, name)) = bus.and_then(|text| foreign(ctx, text)) else {
            return Ok(Named { account: ctx.account(), name: self.bus_name(ctx, bus)? });
        };
        // Of another account's buses nothing is told, not even whether they exist: the policy decides.
        if name.is_empty() { Err(no_bus(text)) } else { Ok(Named { account, name }) }
    }

    /// May the caller put such an event there? The own account needs no statement, and its root is not asked.
    pub(crate) fn admit(
        &self,
        ctx: &RequestContext,
        bus: Named<'_>,
        source: &str,
        detail_type: &str,
    ) -> Result<(), ApiError> {
        let is_own = bus.account == ctx.account();
        let policy = self.get(bus.account, &ctx.region, bus.name).and_then(|entry| entry.policy.as_ref());
        if is_own && (policy.is_none() || ctx.caller.is_root()) {
            return Ok(());
        }
        let resource = Arn::new("events", &ctx.region, bus.account, format!("event-bus/{}", bus.name)).to_string();
        let secure = if ctx.endpoint.starts_with("https:") { "true" } else { "false" };
        let context = [("events:source", source), ("events:detail-type", detail_type), ("aws:SecureTransport", secure)];
        let requester = (&ctx.caller).into();
        let request = Request { requester, action: "events:PutEvents", resource: &resource, context: &context };
        let decision = policy.map_or(Decision::NotMentioned, |policy| policy.decide(&request));
        if decision.admits(is_own) {
            return Ok(());
        }
        let because = match decision {
            Decision::Denied(_) if is_own => "with an explicit deny in a resource-based policy",
            _ => "because no resource-based policy allows the events:PutEvents action",
        };
        let message = format!(
            "User: {} is not authorized to perform: events:PutEvents on resource: {resource} {because}",
            ctx.caller.arn
        );
        Err(ApiError::new("AccessDeniedException", message))
    }
}

/// The account and name in the ARN of a bus of another account, in the request's region.
fn foreign<'a>(ctx: &RequestContext, text: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let rest = text.strip_prefix("arn:aws:events:")?.strip_prefix(ctx.region.as_str())?.strip_prefix(':')?;
    let (account, resource) = rest.split_once(':')?;
    let name = resource.strip_prefix("event-bus/")?;
    let well_formed = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (well_formed && account != ctx.account()).then_some((text, account, name))
}
