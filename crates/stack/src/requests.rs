//! Operations that begin something.

use aws_api::cloudformation::{
    ChangeSetRequest, CreateChangeSetRequest, CreateChangeSetResponse, CreateStackRequest, DeleteStackRequest,
    EmptyResponse, ExecuteChangeSetRequest, RollbackConfiguration, StackIdResponse, Tag, UpdateStackRequest,
    UpdateTerminationProtectionRequest,
};
use aws_api::{ApiError, Change, RequestContext};
use serde_json::Value;

use crate::change_set::{ChangeSet, changes_nothing, plan};
use crate::check;
use crate::run::Around;
use crate::stack::{Before, OnFailure, Operation, OperationKind, Stack, Status};
use crate::stacks::{Stacks, invalid, missing};
use crate::template::{TEMPLATE_BODY_LEN_MAX, Template};

/// The longest name of a stack or a change set.
const NAME_LEN_MAX: usize = 128;
/// Tags of a stack.
const TAGS_MAX: usize = 50;

/// A stack that an operation is begun on; nothing if there is nothing to do.
pub type Begun = Option<Stack>;

/// What of a request a template is deployed with. `template` is what was given or, by a URL, fetched.
pub struct Given {
    /// The text; `None` if the previous template is to be used.
    pub template: Option<String>,
    /// Who asks, as the server keeps it.
    pub caller: Value,
    /// A new UUID.
    pub uuid: String,
}

/// What must be absent, because nothing here does it.
fn refuse_unsupported(
    role: Option<&String>,
    notifications: &[String],
    types: &[String],
    rollback: Option<&RollbackConfiguration>,
) -> Result<(), ApiError> {
    let triggers = rollback.is_some_and(|rollback| !rollback.rollback_triggers.is_empty());
    let given = [
        ("RoleARN", role.is_some()),
        ("NotificationARNs", !notifications.is_empty()),
        ("ResourceTypes", !types.is_empty()),
        ("RollbackConfiguration.RollbackTriggers", triggers),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(invalid(format!("The parameter {name} is not supported."))),
        None => Ok(()),
    }
}

fn checked_name(name: Option<&str>, member: &str) -> Result<String, ApiError> {
    let name = name.ok_or_else(|| missing(member))?;
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= NAME_LEN_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits {
        return Ok(name.to_owned());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}

fn checked_tags(tags: &[Tag]) -> Result<Vec<(String, String)>, ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A stack has at most {TAGS_MAX} tags.")));
    }
    for tag in tags {
        let key = tag.key.chars().count();
        if !(1..=128).contains(&key) || tag.value.chars().count() > 256 || tag.key.starts_with("aws:") {
            return Err(invalid(format!("The tag {:?} is not allowed.", tag.key)));
        }
    }
    Ok(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
}

fn read(text: &str) -> Result<Template, ApiError> {
    Ok(check::template(text)?)
}

impl Stacks {
    /// Is the template in the request, and not too long for that?
    pub fn template_body(body: Option<&String>, url: Option<&String>) -> Result<(), ApiError> {
        match (body, url) {
            (Some(_), Some(_)) => Err(invalid("Only one of Template URL or Template Body must be specified.")),
            (Some(body), None) if body.len() > TEMPLATE_BODY_LEN_MAX => Err(invalid(format!(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to {TEMPLATE_BODY_LEN_MAX}"
            ))),
            _ => Ok(()),
        }
    }

    /// Begins to make a stack.
    pub fn create_stack(
        &self,
        ctx: &RequestContext,
        req: &CreateStackRequest,
        given: Given,
        around: &mut Around<'_>,
    ) -> Result<(StackIdResponse, Begun), ApiError> {
        refuse_unsupported(
            req.role_arn.as_ref(),
            &req.notification_arns,
            &req.resource_types,
            req.rollback_configuration.as_ref(),
        )?;
        let name = checked_name(req.stack_name.as_deref(), "stackName")?;
        let on_failure = match (req.on_failure.as_deref(), req.disable_rollback) {
            (Some(_), Some(_)) => {
                return Err(invalid("Either DisableRollback or OnFailure can be specified, not both."));
            }
            (None, Some(true)) | (Some("DO_NOTHING"), None) => OnFailure::DoNothing,
            (Some("DELETE"), None) => OnFailure::Delete,
            (Some("ROLLBACK") | None, _) => OnFailure::Rollback,
            (Some(other), None) => return Err(invalid(format!("OnFailure cannot be {other}."))),
        };
        if let Some(existing) = self.find(ctx, &name) {
            if existing.status != Status::ReviewInProgress {
                return Err(ApiError::new("AlreadyExistsException", format!("Stack [{name}] already exists")));
            }
            return Err(ApiError::new(
                "AlreadyExistsException",
                format!("Stack [{name}] already exists and is in review"),
            ));
        }
        self.check_room(ctx)?;
        let text = given.template.ok_or_else(no_template)?;
        let template = read(&text)?;
        let mut stack = Stack {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            name,
            uuid: given.uuid,
            status: Status::CreateInProgress,
            status_reason: None,
            created: ctx.now,
            updated: None,
            deleted: None,
            parameters: check::parameters(&template, &req.parameters, None)?,
            tags: checked_tags(&req.tags)?,
            template: text,
            outputs: Vec::new(),
            capabilities: req.capabilities.clone(),
            on_failure,
            termination_protection: req.enable_termination_protection.unwrap_or_default(),
            caller: given.caller,
            events: 0,
            resources: std::collections::BTreeMap::new(),
            operation: Some(Operation::new(OperationKind::Create)),
            before: None,
            change_set_id: None,
        };
        check::order(&template, &stack.parameters, &stack.pseudo())?;
        stack.tell(Status::CreateInProgress, Some("User Initiated".into()), around);
        Ok((StackIdResponse { stack_id: stack.id() }, Some(stack)))
    }

    /// Begins to make a stack what a template says.
    pub fn update_stack(
        &self,
        ctx: &RequestContext,
        req: &UpdateStackRequest,
        given: Given,
        around: &mut Around<'_>,
    ) -> Result<(StackIdResponse, Begun), ApiError> {
        refuse_unsupported(
            req.role_arn.as_ref(),
            &req.notification_arns,
            &req.resource_types,
            req.rollback_configuration.as_ref(),
        )?;
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        if !stack.status.may_be_updated() {
            let what = format!("Stack:{} is in {} state and can not be updated.", stack.id(), stack.status.as_str());
            return Err(invalid(what));
        }
        let previous = req.use_previous_template.unwrap_or_default().then(|| stack.template.clone());
        let text = given.template.or(previous).ok_or_else(no_template)?;
        let template = read(&text)?;
        let parameters = check::parameters(&template, &req.parameters, Some(&stack.parameters))?;
        check::order(&template, &parameters, &stack.pseudo())?;
        let tags = if req.tags.is_empty() { stack.tags.clone() } else { checked_tags(&req.tags)? };
        let planned = plan(stack, &template, &parameters, around.exports);
        if changes_nothing(stack, &template, &parameters, &tags, &planned) {
            return Err(invalid("No updates are to be performed."));
        }
        let on_failure = if req.disable_rollback == Some(true) { OnFailure::DoNothing } else { OnFailure::Rollback };
        let target =
            Target { text, parameters, tags, capabilities: &req.capabilities, on_failure, caller: given.caller };
        let updated = updating(stack, target, around);
        Ok((StackIdResponse { stack_id: stack.id() }, Some(updated)))
    }

    /// Begins to delete a stack. One that is not there is passed over.
    pub fn delete_stack(
        &self,
        ctx: &RequestContext,
        req: &DeleteStackRequest,
        caller: Value,
        around: &mut Around<'_>,
    ) -> Result<Begun, ApiError> {
        refuse_unsupported(req.role_arn.as_ref(), &[], &[], None)?;
        if let Some(mode) = req.deletion_mode.as_deref().filter(|mode| *mode != "STANDARD") {
            return Err(invalid(format!("The deletion mode {mode} is not supported.")));
        }
        let name = req.stack_name.as_deref().ok_or_else(|| missing("stackName"))?;
        let Some(stack) = self.find(ctx, name).filter(|stack| stack.exists()) else { return Ok(None) };
        if stack.termination_protection {
            return Err(invalid(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        if !req.retain_resources.is_empty() && stack.status != Status::DeleteFailed {
            let what = format!("Invalid operation on stack [{}]. The stack is not in DELETE_FAILED.", stack.id());
            return Err(invalid(what));
        }
        if stack.operation.is_some() {
            if stack.status == Status::DeleteInProgress {
                return Ok(None);
            }
            return Err(invalid(format!(
                "Stack [{}] cannot be deleted while in status {}",
                stack.name,
                stack.status.as_str()
            )));
        }
        for export in stack.outputs.iter().filter_map(|output| output.export.as_deref()) {
            if let Some(user) = self.importer(stack, export) {
                return Err(invalid(format!("Export {export} cannot be deleted as it is in use by {user}")));
            }
        }
        let mut stack = Stack { caller, ..stack.clone() };
        stack.delete(&req.retain_resources, around);
        Ok(Some(stack))
    }

    /// A stack that imports what another exports. Names of imports that are computed are looked for as texts.
    fn importer(&self, of: &Stack, export: &str) -> Option<String> {
        let others = self.iter().filter(|stack| {
            stack.account == of.account && stack.region == of.region && stack.exists() && stack.uuid != of.uuid
        });
        others.filter(|stack| stack.template.contains("ImportValue")).find_map(|stack| {
            let template = Template::parse(&stack.template).ok()?;
            let (pseudo, asked) = (stack.pseudo(), std::cell::Cell::new(false));
            let decided = crate::evaluate::conditions(&template, &stack.parameters, &pseudo).ok()?;
            let note = |name: &str| {
                asked.set(asked.get() || name == export);
                Some(String::new())
            };
            let values = |name: &str| stack.resources.get(name).map(|made| made.real.values.clone());
            let scope = crate::evaluate::Scope {
                template: &template,
                parameters: &stack.parameters,
                pseudo: &pseudo,
                conditions: &decided,
                resources: &values,
                exports: &note,
            };
            let made = template.resources.iter().filter(|resource| crate::evaluate::is_made(resource, &decided));
            for (_, _, value) in made.flat_map(|resource| &resource.properties) {
                // What else is wrong with the value does not matter here.
                let _ = scope.value(value);
            }
            asked.get().then(|| stack.name.clone())
        })
    }

    /// Plans what a template would change.
    pub fn create_change_set(
        &self,
        ctx: &RequestContext,
        req: &CreateChangeSetRequest,
        given: Given,
        around: &mut Around<'_>,
    ) -> Result<(CreateChangeSetResponse, Vec<Change>), ApiError> {
        refuse_unsupported(
            req.role_arn.as_ref(),
            &req.notification_arns,
            &req.resource_types,
            req.rollback_configuration.as_ref(),
        )?;
        for (name, value) in [
            ("IncludeNestedStacks", req.include_nested_stacks),
            ("ImportExistingResources", req.import_existing_resources),
        ] {
            if value == Some(true) {
                return Err(invalid(format!("The parameter {name} is not supported.")));
            }
        }
        let name = checked_name(req.change_set_name.as_deref(), "changeSetName")?;
        let creates = match req.change_set_type.as_deref() {
            Some("CREATE") => true,
            Some("UPDATE") | None => false,
            Some(other) => return Err(invalid(format!("The change set type {other} is not supported."))),
        };
        let (stack, is_new) = self.reviewed(ctx, req, creates, &given.uuid)?;
        // The name of one that was executed may be had again: the CLI names them by the second.
        let namesake = self.change_sets(&stack).find(|set| set.name == name);
        if namesake.is_some_and(|set| set.execution_status != "EXECUTE_COMPLETE") {
            return Err(ApiError::new("AlreadyExistsException", format!("ChangeSet {name} already exists")));
        }
        let previous = req.use_previous_template.unwrap_or_default().then(|| stack.template.clone());
        let text = given.template.or(previous).ok_or_else(no_template)?;
        let template = read(&text)?;
        let before = (!creates).then_some(&stack.parameters);
        let parameters = check::parameters(&template, &req.parameters, before)?;
        check::order(&template, &parameters, &stack.pseudo())?;
        let tags = if req.tags.is_empty() { stack.tags.clone() } else { checked_tags(&req.tags)? };
        let planned = plan(&stack, &template, &parameters, around.exports);
        let nothing = !creates && changes_nothing(&stack, &template, &parameters, &tags, &planned);
        let reason =
            "The submitted information didn't contain changes. Submit different information to create a change set.";
        let set = ChangeSet {
            account: stack.account.clone(),
            region: stack.region.clone(),
            name,
            uuid: given.uuid,
            stack_id: stack.id(),
            description: req.description.clone(),
            created: ctx.now,
            template: text,
            parameters,
            tags,
            capabilities: req.capabilities.clone(),
            on_failure: match req.on_stack_failure.as_deref() {
                Some("DO_NOTHING") => OnFailure::DoNothing,
                Some("DELETE") => OnFailure::Delete,
                _ => OnFailure::Rollback,
            },
            creates,
            changes: planned,
            execution_status: if nothing { "UNAVAILABLE".into() } else { "AVAILABLE".into() },
            status_reason: nothing.then(|| reason.to_owned()),
        };
        let answer = CreateChangeSetResponse { id: set.id(), stack_id: stack.id() };
        let gone = namesake.map(|set| Change::delete::<ChangeSet>(aws_api::Entity::key(set)));
        let mut changes: Vec<_> = gone.into_iter().chain([Change::put(&set)]).collect();
        if is_new {
            changes.push(Change::put(&stack));
        }
        Ok((answer, changes))
    }

    /// The stack of a change set, made if it is to be created.
    fn reviewed(
        &self,
        ctx: &RequestContext,
        req: &CreateChangeSetRequest,
        creates: bool,
        uuid: &str,
    ) -> Result<(Stack, bool), ApiError> {
        if !creates {
            let stack = self.existing(ctx, req.stack_name.as_deref())?;
            if !stack.status.may_be_updated() {
                let what =
                    format!("Stack:{} is in {} state and can not be updated.", stack.id(), stack.status.as_str());
                return Err(invalid(what));
            }
            return Ok((stack.clone(), false));
        }
        let name = checked_name(req.stack_name.as_deref(), "stackName")?;
        if let Some(stack) = self.find(ctx, &name) {
            if stack.status == Status::ReviewInProgress {
                return Ok((stack.clone(), false));
            }
            return Err(invalid(format!(
                "Stack [{name}] already exists and cannot be created again with the changeSet [{}].",
                req.change_set_name.as_deref().unwrap_or_default()
            )));
        }
        self.check_room(ctx)?;
        let stack = Stack {
            account: ctx.account().to_owned(),
            region: ctx.region.clone(),
            name,
            uuid: uuid.to_owned(),
            status: Status::ReviewInProgress,
            status_reason: Some("User Initiated".into()),
            created: ctx.now,
            updated: None,
            deleted: None,
            template: String::new(),
            parameters: std::collections::BTreeMap::new(),
            tags: Vec::new(),
            outputs: Vec::new(),
            capabilities: Vec::new(),
            on_failure: OnFailure::Rollback,
            termination_protection: false,
            caller: Value::Null,
            events: 0,
            resources: std::collections::BTreeMap::new(),
            operation: None,
            before: None,
            change_set_id: None,
        };
        Ok((stack, true))
    }

    /// Begins to do what a change set plans. The other change sets of the stack are obsolete with it.
    pub fn execute_change_set(
        &self,
        ctx: &RequestContext,
        req: &ExecuteChangeSetRequest,
        caller: Value,
        around: &mut Around<'_>,
    ) -> Result<(EmptyResponse, Stack, Vec<Change>), ApiError> {
        let (set, stack) = self.change_set(ctx, req.change_set_name.as_deref(), req.stack_name.as_deref())?;
        if set.execution_status != "AVAILABLE" {
            let what = format!(
                "ChangeSet [{}] cannot be executed in its current status of [{}]",
                set.id(),
                set.execution_status
            );
            return Err(ApiError::new("InvalidChangeSetStatus", what));
        }
        let on_failure = if req.disable_rollback == Some(true) { OnFailure::DoNothing } else { set.on_failure };
        let target = Target {
            text: set.template.clone(),
            parameters: set.parameters.clone(),
            tags: set.tags.clone(),
            capabilities: &set.capabilities,
            on_failure,
            caller,
        };
        let mut begun = if set.creates {
            let mut begun = stack.clone();
            target.apply(&mut begun);
            begun.operation = Some(Operation::new(OperationKind::Create));
            begun.tell(Status::CreateInProgress, Some("User Initiated".into()), around);
            begun
        } else {
            updating(stack, target, around)
        };
        begun.change_set_id = Some(set.id());
        let sets = self.change_sets(stack).map(|other| {
            let status = if other.uuid == set.uuid { "EXECUTE_COMPLETE" } else { "OBSOLETE" };
            Change::put(&ChangeSet { execution_status: status.into(), ..other.clone() })
        });
        Ok((EmptyResponse {}, begun, sets.collect()))
    }

    /// Removes a change set; with the last one of a stack that was only in review that goes, too.
    pub fn delete_change_set(
        &self,
        ctx: &RequestContext,
        req: &ChangeSetRequest,
    ) -> Result<(EmptyResponse, Vec<Change>), ApiError> {
        let found = self.change_set(ctx, req.change_set_name.as_deref(), req.stack_name.as_deref());
        let set = match found {
            Ok((set, _)) => set,
            Err(error) if error.code == "ChangeSetNotFound" => return Ok((EmptyResponse {}, Vec::new())),
            Err(error) => return Err(error),
        };
        Ok((EmptyResponse {}, vec![Change::delete::<ChangeSet>(aws_api::Entity::key(set))]))
    }

    /// Says whether a stack may be deleted.
    pub fn update_termination_protection(
        &self,
        ctx: &RequestContext,
        req: &UpdateTerminationProtectionRequest,
    ) -> Result<(StackIdResponse, Vec<Change>), ApiError> {
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        let on = req.enable_termination_protection.ok_or_else(|| missing("enableTerminationProtection"))?;
        let changed = Stack { termination_protection: on, ..stack.clone() };
        Ok((StackIdResponse { stack_id: stack.id() }, vec![Change::put(&changed)]))
    }
}

fn no_template() -> ApiError {
    invalid("Either Template URL or Template Body must be specified.")
}

/// What a stack is to become.
struct Target<'a> {
    text: String,
    parameters: std::collections::BTreeMap<String, String>,
    tags: Vec<(String, String)>,
    capabilities: &'a [String],
    on_failure: OnFailure,
    caller: Value,
}

impl Target<'_> {
    fn apply(self, stack: &mut Stack) {
        stack.template = self.text;
        stack.parameters = self.parameters;
        stack.tags = self.tags;
        stack.capabilities = self.capabilities.to_vec();
        stack.on_failure = self.on_failure;
        stack.caller = self.caller;
    }
}

fn updating(stack: &Stack, target: Target<'_>, around: &mut Around<'_>) -> Stack {
    let mut updated = stack.clone();
    updated.before = Some(Box::new(Before {
        template: stack.template.clone(),
        parameters: stack.parameters.clone(),
        tags: stack.tags.clone(),
    }));
    target.apply(&mut updated);
    updated.updated = Some(around.now);
    updated.operation = Some(Operation::new(OperationKind::Update));
    updated.tell(Status::UpdateInProgress, Some("User Initiated".into()), around);
    updated
}
