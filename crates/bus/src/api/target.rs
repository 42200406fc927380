//! Operations on targets.

use aws_api::events::{
    FailedEntry, ListRuleNamesByTargetRequest, ListRuleNamesByTargetResponse, ListTargetsByRuleRequest,
    ListTargetsByRuleResponse, PutTargetsRequest, PutTargetsResponse, RemoveTargetsRequest, RemoveTargetsResponse,
    RetryPolicy, Target,
};
use aws_api::{ApiError, Arn, Change, RequestContext};

use super::{Decided, NAME_LEN_MAX, PAGE_MAX, check_count, check_name, constraint, invalid, limit_exceeded, page};
use crate::Buses;
use crate::input::Input;

/// Targets of one rule.
pub const TARGETS_PER_RULE_MAX: usize = 5;

/// Bounds of `MaximumRetryAttempts`.
const RETRIES: (i32, i32) = (0, 185);
/// Bounds of `MaximumEventAgeInSeconds`.
const AGE_SECS: (i32, i32) = (60, 86_400);

/// Why one target is not taken while the others are.
struct Refusal {
    code: &'static str,
    message: String,
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal { code: "ValidationException", message: message.into() }
}

impl Buses {
    /// `PutTargets`: adds targets, or replaces those of the same ids. What is wrong with the request refuses it all; a
    /// target that is well formed and cannot be served fails alone. `exists` knows the topics and queues.
    pub fn put_targets(
        &self,
        ctx: &RequestContext,
        req: &PutTargetsRequest,
        exists: &dyn Fn(&Arn) -> bool,
    ) -> Decided<PutTargetsResponse> {
        check_name(&req.rule, "rule", NAME_LEN_MAX)?;
        check_count(req.targets.len(), "targets", PAGE_MAX)?;
        for (index, target) in req.targets.iter().enumerate() {
            check_form(target, &format!("targets.{}.member", index + 1))?;
        }
        let mut rule = self.existing(ctx, req.event_bus_name.as_deref(), &req.rule)?.clone();
        let mut failed_entries = Vec::new();
        for target in &req.targets {
            Input::compile(target)?;
            match check_served(ctx, target, exists)? {
                Ok(()) => {
                    rule.targets.insert(target.id.clone(), target.clone());
                }
                Err(Refusal { code, message }) => failed_entries.push(FailedEntry {
                    target_id: target.id.clone(),
                    error_code: code.to_owned(),
                    error_message: message,
                }),
            }
        }
        if rule.targets.len() > TARGETS_PER_RULE_MAX {
            return Err(limit_exceeded());
        }
        Ok((answer(failed_entries), vec![Change::put(&rule)]))
    }

    /// `RemoveTargets`. Ids that the rule does not have are no error.
    pub fn remove_targets(&self, ctx: &RequestContext, req: &RemoveTargetsRequest) -> Decided<RemoveTargetsResponse> {
        check_name(&req.rule, "rule", NAME_LEN_MAX)?;
        check_count(req.ids.len(), "ids", PAGE_MAX)?;
        for (index, id) in req.ids.iter().enumerate() {
            check_name(id, &format!("ids.{}.member", index + 1), NAME_LEN_MAX)?;
        }
        let mut rule = self.existing(ctx, req.event_bus_name.as_deref(), &req.rule)?.clone();
        rule.targets.retain(|id, _| !req.ids.contains(id));
        Ok((answer(Vec::new()), vec![Change::put(&rule)]))
    }

    /// `ListTargetsByRule`.
    pub fn list_targets_by_rule(
        &self,
        ctx: &RequestContext,
        req: &ListTargetsByRuleRequest,
    ) -> Result<ListTargetsByRuleResponse, ApiError> {
        check_name(&req.rule, "rule", NAME_LEN_MAX)?;
        let rule = self.existing(ctx, req.event_bus_name.as_deref(), &req.rule)?;
        let targets = rule.targets.values();
        let (targets, next_token) = page(targets, |target| target.id.as_str(), req.limit, req.next_token.as_deref())?;
        Ok(ListTargetsByRuleResponse { targets: targets.into_iter().cloned().collect(), next_token })
    }

    /// `ListRuleNamesByTarget`.
    pub fn list_rule_names_by_target(
        &self,
        ctx: &RequestContext,
        req: &ListRuleNamesByTargetRequest,
    ) -> Result<ListRuleNamesByTargetResponse, ApiError> {
        parse_arn(&req.target_arn)?;
        let bus = self.bus_name(ctx, req.event_bus_name.as_deref())?;
        let rules = self.rules(ctx, bus).filter(|rule| rule.targets.values().any(|t| t.arn == req.target_arn));
        let (rules, next_token) = page(rules, |rule| rule.name.as_str(), req.limit, req.next_token.as_deref())?;
        Ok(ListRuleNamesByTargetResponse {
            rule_names: rules.into_iter().map(|rule| rule.name.clone()).collect(),
            next_token,
        })
    }
}

fn answer(failed_entries: Vec<FailedEntry>) -> PutTargetsResponse {
    PutTargetsResponse { failed_entry_count: i32::try_from(failed_entries.len()).unwrap_or(i32::MAX), failed_entries }
}

fn parse_arn(text: &str) -> Result<Arn, ApiError> {
    text.parse()
        .map_err(|_| invalid(format!("Parameter {text} is not valid. Reason: Provided Arn is not in correct format.")))
}

/// What the API's model demands of a target.
fn check_form(target: &Target, at: &str) -> Result<(), ApiError> {
    check_name(&target.id, &format!("{at}.id"), NAME_LEN_MAX)?;
    parse_arn(&target.arn)?;
    let Some(RetryPolicy { maximum_retry_attempts, maximum_event_age_in_seconds }) = target.retry_policy else {
        return Ok(());
    };
    let member = |name: &str| format!("{at}.retryPolicy.{name}");
    check_range(maximum_retry_attempts, &member("maximumRetryAttempts"), RETRIES)?;
    check_range(maximum_event_age_in_seconds, &member("maximumEventAgeInSeconds"), AGE_SECS)
}

fn check_range(value: Option<i32>, at: &str, (min, max): (i32, i32)) -> Result<(), ApiError> {
    match value {
        Some(value) if value < min => {
            Err(constraint(value, at, format_args!("have value greater than or equal to {min}")))
        }
        Some(value) if value > max => {
            Err(constraint(value, at, format_args!("have value less than or equal to {max}")))
        }
        _ => Ok(()),
    }
}

/// Whether events can be sent to a target.
fn check_served(
    ctx: &RequestContext,
    target: &Target,
    exists: &dyn Fn(&Arn) -> bool,
) -> Result<Result<(), Refusal>, ApiError> {
    let arn = parse_arn(&target.arn)?;
    if let Err(refusal) = check_place(ctx, &arn, exists).and_then(|()| check_members(target)) {
        return Ok(Err(refusal));
    }
    let Some(dead_letter) = target.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref()) else {
        return Ok(Ok(()));
    };
    let queue = parse_arn(dead_letter)?;
    if queue.service != "sqs" {
        return Ok(Err(refused(format!("The dead-letter queue {queue} is not an Amazon SQS queue."))));
    }
    Ok(check_place(ctx, &queue, exists))
}

/// A topic or queue of the caller's account and region, which exists.
fn check_place(ctx: &RequestContext, arn: &Arn, exists: &dyn Fn(&Arn) -> bool) -> Result<(), Refusal> {
    let Arn { service, region, account, resource, .. } = arn;
    if !matches!(service.as_str(), "sns" | "sqs") || resource.contains([':', '/']) {
        return Err(refused(format!(
            "{arn} is not a supported target. Supported are Amazon SNS topics and Amazon SQS queues."
        )));
    }
    if *region != ctx.region {
        return Err(refused(format!(
            "The target {arn} is in the region {region}; a rule's targets are in its own, {}.",
            ctx.region
        )));
    }
    if account != ctx.account() {
        return Err(refused(format!(
            "The target {arn} is of another account; delivery to other accounts is not supported yet."
        )));
    }
    // The caller's word; EventBridge has no FIFO parameters without their queues.
    if resource.to_ascii_lowercase().ends_with(".fifo") {
        return Err(refused(format!("The target {arn} is FIFO, which is not supported yet.")));
    }
    if !exists(arn) {
        let message = format!("The target {arn} does not exist.");
        return Err(Refusal { code: "ResourceNotFoundException", message });
    }
    Ok(())
}

/// Nothing that would have no effect.
fn check_members(target: &Target) -> Result<(), Refusal> {
    let id = &target.id;
    if target.role_arn.as_ref().is_some_and(|role| !role.is_empty()) {
        return Err(refused(format!(
            "RoleArn for target {id} is not supported: no delivery assumes a role, and none is needed in the same account."
        )));
    }
    if target.sqs_parameters.as_ref().is_some_and(|parameters| parameters.message_group_id.is_some()) {
        return Err(refused(format!("SqsParameters for target {id} is for FIFO queues, which are not supported yet.")));
    }
    Ok(())
}
