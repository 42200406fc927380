//! The policy of a bus, and statements that are added to it and taken from it by name.
//!
//! Source: "`PutPermission`", "`RemovePermission`" in the API reference.

use aws_api::events::{EmptyResponse, PutPermissionRequest, RemovePermissionRequest};
use aws_api::{ApiError, Change, RequestContext};
use policy::edit::{self, Document};
use serde_json::json;

use super::{Decided, NAME_LEN_MAX, check_name, invalid};
use crate::{Bus, Buses, access};

impl Buses {
    /// `PutPermission`: the whole policy, or one statement, which replaces the one of its name.
    pub fn put_permission(&self, ctx: &RequestContext, req: &PutPermissionRequest) -> Decided<EmptyResponse> {
        let mut bus = self.bus(ctx, self.bus_name(ctx, req.event_bus_name.as_deref())?);
        let one = [&req.action, &req.principal, &req.statement_id];
        bus.policy = Some(match &req.policy {
            Some(_) if one.iter().any(|member| member.is_some()) => {
                return Err(invalid("Parameter Policy cannot be given with Action, Principal or StatementId."));
            }
            Some(policy) => policy.clone(),
            None => with_statement(&bus, req)?,
        });
        access::parse(bus.policy.as_deref().unwrap_or_default())?;
        Ok((EmptyResponse {}, vec![Change::put(&bus)]))
    }

    /// `RemovePermission`: one statement, and with the last one the policy; or all.
    pub fn remove_permission(&self, ctx: &RequestContext, req: &RemovePermissionRequest) -> Decided<EmptyResponse> {
        let mut bus = self.bus(ctx, self.bus_name(ctx, req.event_bus_name.as_deref())?);
        let not_found = |message: &str| ApiError::new("ResourceNotFoundException", message);
        let policy = bus.policy.as_deref().and_then(Document::of);
        if req.remove_all_permissions == Some(true) {
            bus.policy = None;
        } else {
            let mut document = policy.ok_or_else(|| not_found("EventBus does not have a policy."))?;
            let sid = req.statement_id.as_deref().unwrap_or_default();
            if !document.remove(sid) {
                return Err(not_found("Statement with the provided id does not exist."));
            }
            bus.policy = (!document.is_empty()).then(|| document.text());
        }
        Ok((EmptyResponse {}, vec![Change::put(&bus)]))
    }
}

fn with_statement(bus: &Bus, req: &PutPermissionRequest) -> Result<String, ApiError> {
    let required = |value: &Option<String>, name: &str| {
        value
            .clone()
            .ok_or_else(|| invalid(format!("Parameter {name} is not valid. Reason: {name} is a required argument.")))
    };
    let (sid, action) = (required(&req.statement_id, "StatementId")?, required(&req.action, "Action")?);
    let principal = required(&req.principal, "Principal")?;
    check_name(&sid, "statementId", NAME_LEN_MAX)?;
    if action != "events:PutEvents" {
        return Err(invalid("Provided value in parameter 'action' is not supported."));
    }
    if req.condition.is_some() {
        return Err(invalid("Parameter Condition is not supported: no account here is in an organization."));
    }
    let is_account = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
    if principal != "*" && !is_account {
        return Err(invalid(
            "Provided value in parameter 'principal' is not valid. Reason: it must be * or an account.",
        ));
    }
    let mut document = match &bus.policy {
        Some(text) => Document::of(text).ok_or_else(|| ApiError::internal("The bus's policy cannot be read."))?,
        None => Document::unnamed(),
    };
    document.remove(&sid);
    document.add(json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": if is_account { json!({ "AWS": edit::accounts(&[principal]) }) } else { json!("*") },
        "Action": action,
        "Resource": bus.arn(),
    }));
    Ok(document.text())
}
