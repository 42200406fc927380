//! Operations that take an update back, or go on with that, and the stacks that import an export.

use aws_api::cloudformation::{
    CancelUpdateStackRequest, ContinueUpdateRollbackRequest, EmptyResponse, ListImportsRequest, ListImportsResponse,
    RollbackStackRequest, StackIdResponse,
};
use aws_api::{ApiError, RequestContext};
use serde_json::Value;

use crate::requests::{Begun, is_repetition, refuse};
use crate::run::Around;
use crate::stack::{OperationKind, Stack, Status};
use crate::stacks::{Stacks, invalid, missing};

impl Stacks {
    /// Begins to undo an update that is under way.
    pub fn cancel_update_stack(
        &self,
        ctx: &RequestContext,
        req: &CancelUpdateStackRequest,
        around: &mut Around<'_>,
    ) -> Result<Begun, ApiError> {
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        let updating = stack.operation.as_ref().is_some_and(|operation| operation.kind == OperationKind::Update);
        if stack.status != Status::UpdateInProgress || !updating {
            if is_repetition(stack, req.client_request_token.as_ref()) {
                return Ok(None);
            }
            return Err(invalid("CancelUpdateStack cannot be called from current stack status"));
        }
        let mut stack = stack.clone();
        stack.token = req.client_request_token.clone().or(stack.token);
        stack.cancel(around);
        Ok(Some(stack))
    }

    /// Begins to undo an operation that failed and was left as it was.
    pub fn rollback_stack(
        &self,
        ctx: &RequestContext,
        req: &RollbackStackRequest,
        caller: Value,
        around: &mut Around<'_>,
    ) -> Result<(StackIdResponse, Begun), ApiError> {
        refuse(&[
            ("RoleARN", req.role_arn.is_some()),
            ("RetainExceptOnCreate", req.retain_except_on_create == Some(true)),
        ])?;
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        if is_repetition(stack, req.client_request_token.as_ref()) {
            return Ok((StackIdResponse { stack_id: stack.id() }, None));
        }
        if !stack.status.is_paused() {
            let status = stack.status.as_str();
            return Err(invalid(format!("Stack:{} is in {status} state and can not be rolled back.", stack.id())));
        }
        let mut stack = Stack { caller, token: req.client_request_token.clone(), ..stack.clone() };
        stack.roll_back(around);
        Ok((StackIdResponse { stack_id: stack.id() }, Some(stack)))
    }

    /// Goes on undoing an update, past the resources that are to be skipped.
    pub fn continue_update_rollback(
        &self,
        ctx: &RequestContext,
        req: &ContinueUpdateRollbackRequest,
        caller: Value,
        around: &mut Around<'_>,
    ) -> Result<(EmptyResponse, Begun), ApiError> {
        refuse(&[("RoleARN", req.role_arn.is_some())])?;
        let force = req.force_rollback == Some(true);
        if force && !req.resources_to_skip.is_empty() {
            return Err(invalid("ForceRollback and ResourcesToSkip are mutually exclusive."));
        }
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        if is_repetition(stack, req.client_request_token.as_ref()) {
            return Ok((EmptyResponse {}, None));
        }
        if stack.status != Status::UpdateRollbackFailed {
            let status = stack.status.as_str();
            let what = format!("Stack:{} is in {status} state and its rollback can not be continued.", stack.id());
            return Err(invalid(what));
        }
        let failed = stack.stuck();
        if let Some(other) = req.resources_to_skip.iter().find(|id| !failed.contains(id)) {
            let what = format!("The resource {other} is not in UPDATE_FAILED state and cannot be skipped.");
            return Err(invalid(what));
        }
        let skipped = if force { failed } else { req.resources_to_skip.clone() };
        let mut stack = Stack { caller, token: req.client_request_token.clone(), ..stack.clone() };
        stack.roll_back_on(&skipped, around);
        Ok((EmptyResponse {}, Some(stack)))
    }

    /// The stacks that import an export, by their names.
    pub fn list_imports(
        &self,
        ctx: &RequestContext,
        req: &ListImportsRequest,
    ) -> Result<ListImportsResponse, ApiError> {
        if req.next_token.is_some() {
            return Err(invalid("The next token is not one of this list."));
        }
        let name = req.export_name.as_deref().ok_or_else(|| missing("exportName"))?;
        let imports: Vec<_> =
            self.importers(ctx.account(), &ctx.region, name).map(|stack| stack.name.clone()).collect();
        if imports.is_empty() {
            return Err(invalid(format!("Export '{name}' is not imported by any stack.")));
        }
        Ok(ListImportsResponse { imports, next_token: None })
    }
}
