//! Statements that are added to a queue's policy and taken from it by name.
//!
//! Source: "`AddPermission`", "`RemovePermission`" in the SQS API reference; the statements are as AWS writes them.

use aws_api::sqs::{AddPermissionRequest, EmptyResult, RemovePermissionRequest};
use aws_api::{ApiError, Change, RequestContext};
use policy::edit::{self, Document};
use serde_json::json;

use crate::limits::LABEL_LEN_MAX;
use crate::place::is_plain;
use crate::{Queue, Queues, access, refusal};

/// "A policy can have a maximum of seven actions per statement".
const ACTIONS_MAX: usize = 7;

type Written = Result<(EmptyResult, Vec<Change>), ApiError>;

impl Queues {
    /// `AddPermission`: adds a statement that lets accounts do something.
    pub fn add_permission(&self, ctx: &RequestContext, req: &AddPermissionRequest) -> Written {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "AddPermission")?;
        let label = checked_label(req.label.as_deref())?;
        if req.aws_account_ids.is_empty() {
            return Err(refusal::missing("AWSAccountIds"));
        }
        if req.actions.is_empty() {
            return Err(refusal::missing("Actions"));
        }
        if req.actions.len() > ACTIONS_MAX {
            let message = format!("{} Actions were found, maximum allowed is {ACTIONS_MAX}.", req.actions.len());
            return Err(ApiError::new("OverLimit", message).with_status(403));
        }
        if let Some(action) = req.actions.iter().find(|action| *action != "*" && !access::is_shared(action)) {
            let reason = "Only the queue owner is allowed to invoke this action.";
            return Err(refusal::invalid_value(action, "ActionName", reason));
        }
        if let Some(account) = req.aws_account_ids.iter().find(|account| !is_account(account)) {
            return Err(refusal::invalid_value(account, "PrincipalId", "Unable to verify."));
        }
        let arn = queue.place.arn();
        let mut document = document(queue)?.unwrap_or_else(|| Document::new(&format!("{arn}/SQSDefaultPolicy")));
        if document.has(label) {
            return Err(refusal::invalid_value(label, "Label", "Already exists."));
        }
        let actions = req.actions.iter().map(|name| json!(format!("SQS:{name}"))).collect();
        document.add(json!({
            "Sid": label,
            "Effect": "Allow",
            "Principal": { "AWS": edit::accounts(&req.aws_account_ids) },
            "Action": edit::one_or_list(actions),
            "Resource": arn,
        }));
        changed(ctx, queue, &document)
    }

    /// `RemovePermission`: takes a statement away, and with the last one the policy.
    pub fn remove_permission(&self, ctx: &RequestContext, req: &RemovePermissionRequest) -> Written {
        let queue = self.queue(ctx, req.queue_url.as_deref(), "RemovePermission")?;
        let label = checked_label(req.label.as_deref())?;
        let mut document = document(queue)?.filter(|document| document.has(label));
        let document = document.as_mut().ok_or_else(|| refusal::invalid_value(label, "Label", "can't find label."))?;
        document.remove(label);
        changed(ctx, queue, document)
    }
}

fn checked_label(label: Option<&str>) -> Result<&str, ApiError> {
    let label = label.filter(|label| !label.is_empty()).ok_or_else(|| refusal::missing("Label"))?;
    if is_plain(label) && label.len() <= LABEL_LEN_MAX {
        return Ok(label);
    }
    let reason =
        format!("Can only include alphanumeric characters, hyphens, or underscores. 1 to {LABEL_LEN_MAX} in length");
    Err(refusal::invalid_value(label, "Label", reason))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn document(queue: &Queue) -> Result<Option<Document>, ApiError> {
    let Some(text) = &queue.settings.policy else { return Ok(None) };
    Document::of(text).map(Some).ok_or_else(|| ApiError::internal("The queue's policy cannot be read."))
}

fn changed(ctx: &RequestContext, queue: &Queue, document: &Document) -> Written {
    let mut queue = Queue { modified: ctx.now, ..queue.clone() };
    queue.settings.policy = (!document.is_empty()).then(|| document.text());
    if let Some(text) = &queue.settings.policy {
        access::parse(text)?;
    }
    Ok((EmptyResult {}, vec![Change::put(&queue)]))
}
