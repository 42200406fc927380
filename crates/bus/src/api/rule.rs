//! Operations on rules.

use aws_api::events::{
    DeleteRuleRequest, DescribeRuleRequest, DescribeRuleResponse, DisableRuleRequest, EmptyResponse, EnableRuleRequest,
    ListRulesRequest, ListRulesResponse, PutRuleRequest, PutRuleResponse, Rule as Shape,
};
use aws_api::{ApiError, Change, Entity, RequestContext};
use event_pattern::{Options, Pattern, SERVICE_MAX_CHARS};

use super::{
    DESCRIPTION_LEN_MAX, Decided, NAME_LEN_MAX, check_len, check_name, constraint, invalid, limit_exceeded, page,
};
use crate::api::tag;
use crate::{Buses, DEFAULT_BUS, Rule, RuleState};

/// Rules of one bus. At AWS a quota of 300, which can be raised.
pub const RULES_PER_BUS_MAX: usize = 10_000;

/// A pattern compiles; the service's own words if not. AWS's default quota is 2,048 characters and can be raised; the bound
/// of the API's shape is taken here.
pub(super) fn check_pattern(text: &str) -> Result<Pattern, ApiError> {
    check_len(text, "eventPattern", 0, SERVICE_MAX_CHARS)?;
    Pattern::compile_with(text, &Options::service())
        .map_err(|error| ApiError::new("InvalidEventPatternException", error.service_message(text)))
}

impl Buses {
    /// `PutRule`: makes a rule, or replaces one with everything but its targets and labels.
    pub fn put_rule(&self, ctx: &RequestContext, req: &PutRuleRequest) -> Decided<PutRuleResponse> {
        check_name(&req.name, "name", NAME_LEN_MAX)?;
        check_len(req.description.as_deref().unwrap_or_default(), "description", 0, DESCRIPTION_LEN_MAX)?;
        let state = parse_state(req.state.as_deref())?;
        let bus = self.bus_name(ctx, req.event_bus_name.as_deref())?;
        let event_pattern = wanted_pattern(req, bus)?;
        check_pattern(event_pattern)?;
        if req.role_arn.as_ref().is_some_and(|role| !role.is_empty()) {
            return Err(invalid(
                "RoleArn is not supported: no delivery assumes a role, and none is needed in the same account.",
            ));
        }
        let before = self.rule(ctx, bus, &req.name);
        if before.is_none() && self.rules(ctx, bus).count() >= RULES_PER_BUS_MAX {
            return Err(limit_exceeded());
        }
        let (tags, targets) = match before {
            Some(rule) => (rule.tags.clone(), rule.targets.clone()),
            None => {
                (tag::merged(ctx, &std::collections::BTreeMap::new(), &req.tags)?, std::collections::BTreeMap::new())
            }
        };
        let rule = Rule {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            bus: bus.to_owned(),
            name: req.name.clone(),
            event_pattern: event_pattern.to_owned(),
            state,
            description: req.description.clone().filter(|text| !text.is_empty()),
            tags,
            targets,
        };
        Ok((PutRuleResponse { rule_arn: rule.arn().to_string() }, vec![Change::put(&rule)]))
    }

    /// `DescribeRule`.
    pub fn describe_rule(
        &self,
        ctx: &RequestContext,
        req: &DescribeRuleRequest,
    ) -> Result<DescribeRuleResponse, ApiError> {
        check_name(&req.name, "name", NAME_LEN_MAX)?;
        let rule = self.existing(ctx, req.event_bus_name.as_deref(), &req.name)?;
        Ok(DescribeRuleResponse {
            name: rule.name.clone(),
            arn: rule.arn().to_string(),
            event_pattern: Some(rule.event_pattern.clone()),
            state: rule.state.as_str().to_owned(),
            description: rule.description.clone(),
            event_bus_name: rule.bus.clone(),
            created_by: Some(rule.account.clone()),
        })
    }

    /// `ListRules`.
    pub fn list_rules(&self, ctx: &RequestContext, req: &ListRulesRequest) -> Result<ListRulesResponse, ApiError> {
        let bus = self.bus_name(ctx, req.event_bus_name.as_deref())?;
        let prefix = req.name_prefix.as_deref().unwrap_or_default();
        let rules = self.rules(ctx, bus).filter(|rule| rule.name.starts_with(prefix));
        let (rules, next_token) = page(rules, |rule| rule.name.as_str(), req.limit, req.next_token.as_deref())?;
        let shape = |rule: &Rule| Shape {
            name: rule.name.clone(),
            arn: rule.arn().to_string(),
            event_pattern: Some(rule.event_pattern.clone()),
            state: rule.state.as_str().to_owned(),
            description: rule.description.clone(),
            event_bus_name: rule.bus.clone(),
        };
        Ok(ListRulesResponse { rules: rules.into_iter().map(shape).collect(), next_token })
    }

    /// `DeleteRule`: a rule that does not exist is no error; one with targets is.
    pub fn delete_rule(&self, ctx: &RequestContext, req: &DeleteRuleRequest) -> Decided<EmptyResponse> {
        check_name(&req.name, "name", NAME_LEN_MAX)?;
        let bus = self.bus_name(ctx, req.event_bus_name.as_deref())?;
        let Some(rule) = self.rule(ctx, bus, &req.name) else { return Ok((EmptyResponse {}, Vec::new())) };
        if !rule.targets.is_empty() {
            return Err(invalid("Rule can't be deleted since it has targets."));
        }
        Ok((EmptyResponse {}, vec![Change::delete::<Rule>(rule.key())]))
    }

    /// `EnableRule`.
    pub fn enable_rule(&self, ctx: &RequestContext, req: &EnableRuleRequest) -> Decided<EmptyResponse> {
        self.set_state(ctx, req, RuleState::Enabled)
    }

    /// `DisableRule`.
    pub fn disable_rule(&self, ctx: &RequestContext, req: &DisableRuleRequest) -> Decided<EmptyResponse> {
        self.set_state(ctx, req, RuleState::Disabled)
    }

    fn set_state(&self, ctx: &RequestContext, req: &DescribeRuleRequest, state: RuleState) -> Decided<EmptyResponse> {
        check_name(&req.name, "name", NAME_LEN_MAX)?;
        let mut rule = self.existing(ctx, req.event_bus_name.as_deref(), &req.name)?.clone();
        rule.state = state;
        Ok((EmptyResponse {}, vec![Change::put(&rule)]))
    }
}

fn parse_state(state: Option<&str>) -> Result<RuleState, ApiError> {
    let Some(text) = state else { return Ok(RuleState::default()) };
    text.parse().map_err(|()| {
        constraint(
            text,
            "state",
            "satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]",
        )
    })
}

fn wanted_pattern<'a>(req: &'a PutRuleRequest, bus: &str) -> Result<&'a str, ApiError> {
    if req.schedule_expression.as_ref().is_some_and(|text| !text.is_empty()) {
        if bus != DEFAULT_BUS {
            return Err(invalid("ScheduleExpression is supported only on the default event bus."));
        }
        return Err(invalid("ScheduleExpression is not supported: rules run on events here, not on schedules."));
    }
    let pattern = req.event_pattern.as_deref();
    pattern.ok_or_else(|| invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."))
}
