//! Operations that begin something.

use aws_api::cloudformation::{
    ChangeSetRequest, CreateChangeSetRequest, CreateChangeSetResponse, CreateStackRequest, DeleteStackRequest,
    EmptyResponse, ExecuteChangeSetRequest, Parameter, RollbackConfiguration, StackIdResponse, Tag, UpdateStackRequest,
    UpdateTerminationProtectionRequest,
};
use aws_api::{ApiError, Change, RequestContext};
use serde_json::Value;

use crate::change_set::{ChangeSet, changes_nothing, plan};
use crate::check;
use crate::run::Around;
use crate::stack::{OnFailure, Operation, OperationKind, Stack, Status, Wanted};
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
    /// Does a new stack take over what is there already under a name of its template?
    pub adopts: bool,
}

/// What must be absent, because nothing here does it.
pub(crate) fn refuse(given: &[(&str, bool)]) -> Result<(), ApiError> {
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(invalid(format!("The parameter {name} is not supported."))),
        None => Ok(()),
    }
}

/// The same of what all requests have that bring a template.
macro_rules! refuse_unsupported {
    ($req:expr) => {
        refuse(&[
            ("RoleARN", $req.role_arn.is_some()),
            ("NotificationARNs", !$req.notification_arns.is_empty()),
            ("ResourceTypes", !$req.resource_types.is_empty()),
            ("RollbackConfiguration", $req.rollback_configuration.as_ref().is_some_and(watches)),
        ])
    };
}

/// Clients send an empty one.
fn watches(rollback: &RollbackConfiguration) -> bool {
    !rollback.rollback_triggers.is_empty() || rollback.monitoring_time_in_minutes.is_some_and(|minutes| minutes > 0)
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
        if aws_api::is_system_tag(&tag.key) {
            return Err(invalid(aws_api::SYSTEM_TAG_REFUSED));
        }
        let key = tag.key.chars().count();
        if !(1..=128).contains(&key) || tag.value.chars().count() > 256 {
            return Err(invalid(format!("The tag {:?} is not allowed.", tag.key)));
        }
    }
    Ok(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
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
        refuse_unsupported!(req)?;
        refuse(&[
            ("TimeoutInMinutes", req.timeout_in_minutes.is_some()),
            ("RetainExceptOnCreate", req.retain_except_on_create == Some(true)),
        ])?;
        let name = checked_name(req.stack_name.as_deref(), "stackName")?;
        let on_failure = match (req.on_failure.as_deref(), req.disable_rollback) {
            (Some(_), Some(_)) => {
                return Err(invalid("Either DisableRollback or OnFailure can be specified, not both."));
            }
            (None, Some(true)) => OnFailure::DoNothing,
            (named, None) => on_failure(named)?,
            (None, Some(false)) => OnFailure::Rollback,
        };
        if let Some(existing) = self.find(ctx, &name) {
            if is_repetition(existing, req.client_request_token.as_ref()) {
                return Ok((StackIdResponse { stack_id: existing.id() }, None));
            }
            return Err(ApiError::new("AlreadyExistsException", format!("Stack [{name}] already exists")));
        }
        self.check_room(ctx)?;
        let mut stack = Stack {
            token: req.client_request_token.clone(),
            adopts: given.adopts,
            ..Stack::new(ctx, name, given.uuid)
        };
        let (wanted, _) = wanted(&stack, given.template, false, &req.parameters, &req.tags)?;
        stack.termination_protection = req.enable_termination_protection.unwrap_or_default();
        creating(
            &mut stack,
            Target { wanted, capabilities: &req.capabilities, on_failure, caller: given.caller },
            around,
        );
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
        refuse_unsupported!(req)?;
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        if is_repetition(stack, req.client_request_token.as_ref()) {
            return Ok((StackIdResponse { stack_id: stack.id() }, None));
        }
        check_updatable(stack, req.disable_rollback)?;
        let previous = req.use_previous_template.unwrap_or_default();
        let (wanted, template) = wanted(stack, given.template, previous, &req.parameters, &req.tags)?;
        let planned = plan(stack, &template, &wanted.parameters, &wanted.tags, around.exports);
        if changes_nothing(stack, &template, &wanted, &planned) {
            return Err(invalid("No updates are to be performed."));
        }
        let on_failure = if req.disable_rollback == Some(true) { OnFailure::DoNothing } else { OnFailure::Rollback };
        let target = Target { wanted, capabilities: &req.capabilities, on_failure, caller: given.caller };
        let updated = Stack { token: req.client_request_token.clone(), ..updating(stack, target, around) };
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
        refuse(&[("RoleARN", req.role_arn.is_some())])?;
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

    /// A stack that imports what another exports.
    fn importer(&self, of: &Stack, export: &str) -> Option<String> {
        let mut importers = self.importers(&of.account, &of.region, export);
        importers.find(|stack| stack.uuid != of.uuid).map(|stack| stack.name.clone())
    }

    /// The stacks that import an export. Names of imports that are computed are looked for as texts.
    pub(crate) fn importers<'a>(
        &'a self,
        account: &'a str,
        region: &'a str,
        export: &'a str,
    ) -> impl Iterator<Item = &'a Stack> {
        let of = move |stack: &&Stack| stack.account == account && stack.region == region && stack.exists();
        self.iter().filter(of).filter(move |stack| imports(stack, export))
    }

    /// Plans what a template would change.
    pub fn create_change_set(
        &self,
        ctx: &RequestContext,
        req: &CreateChangeSetRequest,
        given: Given,
        around: &mut Around<'_>,
    ) -> Result<(CreateChangeSetResponse, Vec<Change>), ApiError> {
        refuse_unsupported!(req)?;
        refuse(&[
            ("IncludeNestedStacks", req.include_nested_stacks == Some(true)),
            ("ImportExistingResources", req.import_existing_resources == Some(true)),
        ])?;
        let name = checked_name(req.change_set_name.as_deref(), "changeSetName")?;
        let creates = match req.change_set_type.as_deref() {
            Some("CREATE") => true,
            Some("UPDATE") | None => false,
            Some(other) => return Err(invalid(format!("The change set type {other} is not supported."))),
        };
        let (stack, is_new) = self.reviewed(ctx, req, creates, &given.uuid)?;
        // The name of one that can no more be executed may be had again: the CLI names them by the second.
        let namesake = self.change_sets(&stack).find(|set| set.name == name);
        if let Some(set) = namesake.filter(|set| set.token.is_some() && set.token == req.client_token) {
            return Ok((CreateChangeSetResponse { id: set.id(), stack_id: stack.id() }, Vec::new()));
        }
        if namesake.is_some_and(|set| set.execution_status == "AVAILABLE") {
            return Err(ApiError::new("AlreadyExistsException", format!("ChangeSet {name} already exists")));
        }
        let previous = req.use_previous_template.unwrap_or_default();
        let (wanted, template) = wanted(&stack, given.template, previous, &req.parameters, &req.tags)?;
        let planned = plan(&stack, &template, &wanted.parameters, &wanted.tags, around.exports);
        let nothing = !creates && changes_nothing(&stack, &template, &wanted, &planned);
        let reason =
            "The submitted information didn't contain changes. Submit different information to create a change set.";
        let set = ChangeSet {
            account: stack.account.clone(),
            region: stack.region.clone(),
            name,
            uuid: given.uuid,
            stack_id: stack.id(),
            token: req.client_token.clone(),
            description: req.description.clone(),
            created: ctx.now,
            wanted,
            capabilities: req.capabilities.clone(),
            on_failure: on_failure(req.on_stack_failure.as_deref())?,
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
            // Whether it is rolled back is said when it is executed.
            check_updatable(stack, Some(true))?;
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
        Ok((Stack::new(ctx, name, uuid.to_owned()), true))
    }

    /// Begins to do what a change set plans. The other change sets of the stack are obsolete with it.
    pub fn execute_change_set(
        &self,
        ctx: &RequestContext,
        req: &ExecuteChangeSetRequest,
        caller: Value,
        around: &mut Around<'_>,
    ) -> Result<(EmptyResponse, Begun, Vec<Change>), ApiError> {
        refuse(&[("RetainExceptOnCreate", req.retain_except_on_create == Some(true))])?;
        let (set, stack) = self.change_set(ctx, req.change_set_name.as_deref(), req.stack_name.as_deref())?;
        if is_repetition(stack, req.client_request_token.as_ref()) {
            return Ok((EmptyResponse {}, None, Vec::new()));
        }
        if set.execution_status != "AVAILABLE" {
            let what = format!(
                "ChangeSet [{}] cannot be executed in its current status of [{}]",
                set.id(),
                set.execution_status
            );
            return Err(ApiError::new("InvalidChangeSetStatus", what));
        }
        // The stack may have been changed or deleted since.
        if set.creates && stack.status != Status::ReviewInProgress {
            return Err(invalid(format!(
                "Stack:{} is in {} state and can not be created.",
                stack.id(),
                stack.status.as_str()
            )));
        }
        let on_failure = if req.disable_rollback == Some(true) { OnFailure::DoNothing } else { set.on_failure };
        if !set.creates {
            check_updatable(stack, Some(on_failure == OnFailure::DoNothing))?;
        }
        let target = Target { wanted: set.wanted.clone(), capabilities: &set.capabilities, on_failure, caller };
        let mut begun = stack.clone();
        if set.creates {
            creating(&mut begun, target, around);
        } else {
            begun = updating(stack, target, around);
        }
        begun.change_set_id = Some(set.id());
        begun.token.clone_from(&req.client_request_token);
        let sets = self.change_sets(stack).map(|other| {
            let status = if other.uuid == set.uuid { "EXECUTE_COMPLETE" } else { "OBSOLETE" };
            Change::put(&ChangeSet { execution_status: status.into(), ..other.clone() })
        });
        Ok((EmptyResponse {}, Some(begun), sets.collect()))
    }

    /// Removes a change set. A stack that is only in review stays so.
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

/// Does a stack's template, with the values that the stack has, import this export?
fn imports(stack: &Stack, export: &str) -> bool {
    if !stack.template.contains("ImportValue") {
        return false;
    }
    let pseudo = stack.pseudo();
    let Ok(template) = Template::parse(&stack.template) else { return false };
    let Ok(decided) = crate::evaluate::conditions(&template, &stack.parameters, &pseudo) else { return false };
    let asked = std::cell::Cell::new(false);
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
    asked.get()
}

/// Was the stack's last operation begun by a request with this token?
pub(crate) fn is_repetition(stack: &Stack, token: Option<&String>) -> bool {
    token.is_some() && stack.token.as_ref() == token
}

/// "Choose how to handle failures when provisioning resources" in the user guide: what failed and was left so goes on with another
/// update that is left so if it fails, too.
fn check_updatable(stack: &Stack, disable_rollback: Option<bool>) -> Result<(), ApiError> {
    let is_paused = stack.status.is_paused();
    if stack.status.may_be_updated() || is_paused && disable_rollback == Some(true) {
        return Ok(());
    }
    if is_paused {
        return Err(invalid(format!(
            "This stack is currently in a non-terminal [{}] state. To update the stack from this state, please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, use the rollback-stack API",
            stack.status.as_str()
        )));
    }
    Err(invalid(format!("Stack:{} is in {} state and can not be updated.", stack.id(), stack.status.as_str())))
}

fn on_failure(named: Option<&str>) -> Result<OnFailure, ApiError> {
    Ok(match named {
        None | Some("ROLLBACK") => OnFailure::Rollback,
        Some("DELETE") => OnFailure::Delete,
        Some("DO_NOTHING") => OnFailure::DoNothing,
        Some(other) => return Err(invalid(format!("OnFailure cannot be {other}."))),
    })
}

/// What a request wants a stack to become, and its template, read and checked. `previous`: the template stays.
fn wanted(
    stack: &Stack,
    given: Option<String>,
    previous: bool,
    parameters: &[Parameter],
    tags: &[Tag],
) -> Result<(Wanted, Template), ApiError> {
    let kept = (previous && !stack.template.is_empty()).then(|| stack.template.clone());
    let text = given.or(kept);
    let text = text.ok_or_else(|| invalid("Either Template URL or Template Body must be specified."))?;
    let template = check::template(&text)?;
    let parameters = check::parameters(&template, parameters, &stack.parameters)?;
    check::values(&template, &parameters, &stack.pseudo())?;
    let tags = if tags.is_empty() { stack.tags.clone() } else { checked_tags(tags)? };
    Ok((Wanted { template: text, parameters, tags }, template))
}

/// What a stack is to become, for whom, and what happens if that fails.
struct Target<'a> {
    wanted: Wanted,
    capabilities: &'a [String],
    on_failure: OnFailure,
    caller: Value,
}

impl Target<'_> {
    /// Gives the stack what it is to become; what it was.
    fn apply(self, stack: &mut Stack) -> Wanted {
        stack.capabilities = self.capabilities.to_vec();
        stack.on_failure = self.on_failure;
        stack.caller = self.caller;
        stack.become_wanted(self.wanted)
    }
}

fn creating(stack: &mut Stack, target: Target<'_>, around: &mut Around<'_>) {
    target.apply(stack);
    stack.operation = Some(Operation::new(OperationKind::Create));
    stack.tell(Status::CreateInProgress, Some("User Initiated".into()), around);
}

fn updating(stack: &Stack, target: Target<'_>, around: &mut Around<'_>) -> Stack {
    let mut updated = stack.clone();
    let before = Box::new(target.apply(&mut updated));
    // After an update that failed and was left as it was, what was before that one is still what is gone back to; after such a
    // creation there is nothing.
    if !stack.status.is_unstable() {
        updated.before = Some(before);
    }
    updated.updated = Some(around.now);
    updated.operation = Some(Operation::new(OperationKind::Update));
    updated.tell(Status::UpdateInProgress, Some("User Initiated".into()), around);
    updated
}
