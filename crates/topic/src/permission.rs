//! Statements that are added to a topic's policy and taken from it by name.
//!
//! Source: "`AddPermission`", "`RemovePermission`" in the SNS API reference; the statements are as AWS writes them.

use aws_api::sns::{AddPermissionRequest, RemovePermissionRequest};
use aws_api::{ApiError, Change, RequestContext};
use policy::edit::{self, Document};
use serde_json::json;

use crate::refusal::{invalid, missing};
use crate::{Topic, Topics, access};

impl Topics {
    /// Adds a statement that lets accounts do something. Nothing is said of an account that does not exist: none is known.
    pub fn add_permission(&self, ctx: &RequestContext, req: &AddPermissionRequest) -> Result<Vec<Change>, ApiError> {
        let topic = self.topic(ctx, req.topic_arn.as_deref(), "AddPermission")?;
        let label = req.label.as_deref().filter(|label| !label.is_empty()).ok_or_else(|| missing("label"))?;
        if req.aws_account_id.is_empty() {
            return Err(missing("aWSAccountId"));
        }
        if req.action_name.is_empty() {
            return Err(missing("actionName"));
        }
        if !req.action_name.iter().all(|name| access::is_action(name)) {
            return Err(invalid("Policy statement action out of service scope!"));
        }
        req.aws_account_id.iter().try_for_each(|account| access::check_account(account))?;
        let mut document = document(topic)?;
        if document.has(label) {
            return Err(invalid("Statement already exists"));
        }
        let actions = req.action_name.iter().map(|name| json!(format!("SNS:{name}"))).collect();
        document.add(json!({
            "Sid": label,
            "Effect": "Allow",
            "Principal": { "AWS": edit::accounts(&req.aws_account_id) },
            "Action": edit::one_or_list(actions),
            "Resource": topic.arn(),
        }));
        changed(topic, &document)
    }

    /// Takes a statement away. AWS takes the last one, too, though it lets nobody set a policy without any: what is left grants
    /// nothing, and is no default policy again.
    pub fn remove_permission(
        &self,
        ctx: &RequestContext,
        req: &RemovePermissionRequest,
    ) -> Result<Vec<Change>, ApiError> {
        let topic = self.topic(ctx, req.topic_arn.as_deref(), "RemovePermission")?;
        let label = req.label.as_deref().filter(|label| !label.is_empty()).ok_or_else(|| missing("label"))?;
        let mut document = document(topic)?;
        if !document.remove(label) {
            // AWS answers nothing else to a label that is not there.
            return Ok(Vec::new());
        }
        if document.is_empty() {
            return Ok(vec![Change::put(&Topic { policy: Some(document.text()), ..topic.clone() })]);
        }
        changed(topic, &document)
    }
}

fn document(topic: &Topic) -> Result<Document, ApiError> {
    Document::of(&topic.policy_text()).ok_or_else(|| ApiError::internal("The topic's policy cannot be read."))
}

fn changed(topic: &Topic, document: &Document) -> Result<Vec<Change>, ApiError> {
    let text = document.text();
    access::check(&text).map_err(invalid)?;
    Ok(vec![Change::put(&Topic { policy: Some(text), ..topic.clone() })])
}
