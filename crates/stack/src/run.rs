//! What is to be done next with a stack, and what follows from what was done.
//!
//! An operation goes on in steps: [`Stack::advance`] decides what can be begun now and notes that it was begun; the caller
//! makes that durable, does it, and tells [`Stack::finished`] what became of it. What is noted as begun when the server stops is
//! begun again ([`Stack::begun`]).

use serde_json::{Map, Value};

use aws_api::Timestamp;

use crate::call::{Call, Step};
use crate::document::Position;
use crate::evaluate::{Scope, conditions, dependencies, is_made};
use crate::problem::Problem;
use crate::schema;
use crate::stack::{Event, Made, OnFailure, Operation, OperationKind, OutputValue, Real, Stack, Status};
use crate::template::{DeletionPolicy, Resource, Template};
use crate::types::{Properties, ResourceType, Subject, resource_type};

/// What deciding needs from outside.
pub struct Around<'a> {
    /// Now.
    pub now: Timestamp,
    /// Random numbers, for names.
    pub random: &'a mut dyn FnMut() -> u128,
    /// Exports of other stacks.
    pub exports: &'a dyn Fn(&str) -> Option<String>,
    /// What is to be told of the stack.
    pub events: Vec<Event>,
}

/// Operations to make, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The resource, or the victim.
    pub key: String,
    /// It must fail before anything is made: there is nothing of that name yet.
    pub look: Option<Call>,
    /// The operations.
    pub steps: Vec<Step>,
    /// It may have been begun before: that what it makes is there already is no mistake.
    pub repeated: bool,
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All operations were done; their answers.
    Done(Vec<Value>),
    /// One was refused.
    Failed {
        /// How many were done before it.
        steps_done: usize,
        /// In its own words.
        reason: String,
    },
}

impl Stack {
    /// Goes as far as it can without waiting: the tasks to do now. None, and none running: the operation has ended.
    pub fn advance(&mut self, around: &mut Around<'_>) -> Vec<Task> {
        let mut tasks = Vec::new();
        while let Some(kind) = self.operation.as_ref().map(|operation| operation.kind) {
            let before = (self.status, self.operation.clone());
            match kind {
                OperationKind::Create | OperationKind::Update => self.forward(around, &mut tasks),
                OperationKind::Undo => self.undo(around, &mut tasks),
                OperationKind::Remove => self.remove(around, &mut tasks),
            }
            if before == (self.status, self.operation.clone()) {
                break;
            }
        }
        tasks
    }

    /// The tasks that were begun: to be done again after the server stopped.
    pub fn begun(&self) -> Vec<Task> {
        let Some(operation) = &self.operation else { return Vec::new() };
        let repeated = operation.running.iter().filter_map(|key| match operation.kind {
            OperationKind::Remove => operation.victims.get(key).map(|real| self.removal(key, real)),
            OperationKind::Undo => self.reversal(key),
            OperationKind::Create | OperationKind::Update => self.making(key),
        });
        repeated.map(|task| Task { repeated: true, ..task }).collect()
    }

    /// Notes that nothing of a resource's name was there before it is made.
    pub fn looked(&mut self, key: &str) {
        if let Some(made) = self.resources.get_mut(key) {
            made.looked = true;
        }
    }

    /// Takes in what became of a task.
    pub fn finished(&mut self, key: &str, outcome: Outcome, around: &mut Around<'_>) {
        let Some(operation) = &mut self.operation else { return };
        operation.running.remove(key);
        if operation.kind == OperationKind::Remove {
            return self.removed(key, outcome, around);
        }
        let undoing = operation.kind == OperationKind::Undo;
        let (failed, status) = match (&outcome, undoing) {
            (Outcome::Failed { .. }, _) => (true, self.failed_status(key)),
            (Outcome::Done(_), true) => (false, Status::UpdateComplete),
            (Outcome::Done(_), false) => (false, self.complete_status(key)),
        };
        if failed {
            operation_mut(self).failed.insert(key.to_owned());
        } else {
            operation_mut(self).done.insert(key.to_owned());
        }
        let (account, region, tags) = (self.account.clone(), self.region.clone(), self.tags.clone());
        let Some(made) = self.resources.get_mut(key) else { return };
        let kind = resource_type(&made.real.kind);
        let is_being_made = made.real.physical_id.is_none();
        let reason = match outcome {
            Outcome::Done(answers) => {
                if undoing {
                    if let Some(before) = made.before.take() {
                        made.real = *before;
                    }
                }
                if let Some(kind) = kind {
                    exists(made, kind, (&account, &region, &tags), &answers, is_being_made);
                }
                kind.and_then(|kind| kind.without_effect(&made.real.properties)).filter(|_| !undoing)
            }
            Outcome::Failed { steps_done, reason } => {
                // Half of it is there: it is removed with the rest.
                if let Some(kind) = kind.filter(|_| steps_done > 0 && is_being_made) {
                    exists(made, kind, (&account, &region, &tags), &[], true);
                }
                Some(reason)
            }
        };
        self.tell_resource(key, status, reason, around);
    }

    fn complete_status(&self, key: &str) -> Status {
        let is_new = self.resources.get(key).is_some_and(|made| made.is_new);
        if is_new { Status::CreateComplete } else { Status::UpdateComplete }
    }

    fn failed_status(&self, key: &str) -> Status {
        let is_new = self.resources.get(key).is_some_and(|made| made.is_new);
        if is_new { Status::CreateFailed } else { Status::UpdateFailed }
    }

    /// The template's resources, each once those are done that it needs.
    fn forward(&mut self, around: &mut Around<'_>, tasks: &mut Vec<Task>) {
        let parsed = Template::parse(&self.template);
        let template = match parsed {
            Ok(template) => template,
            Err(problems) => return self.fail(&problems.to_string(), around),
        };
        let decided = match conditions(&template, &self.parameters, &self.pseudo()) {
            Ok(decided) => decided,
            Err(problem) => return self.fail(&problem.to_string(), around),
        };
        let operation = operation_mut(self);
        if !operation.failed.is_empty() {
            if operation.running.is_empty() {
                self.turn_back(around);
            }
            return;
        }
        let mut waiting = false;
        for resource in template.resources.iter().filter(|resource| is_made(resource, &decided)) {
            let operation = operation_mut(self);
            let id = &resource.logical_id;
            if operation.done.contains(id) || operation.running.contains(id) || operation.failed.contains(id) {
                continue;
            }
            let needs = dependencies(&template, resource, &decided);
            if !needs.iter().all(|need| operation.done.contains(need)) {
                waiting = true;
                continue;
            }
            let scope_values = |name: &str| self.resources.get(name).map(|made| made.real.values.clone());
            let scope = Scope {
                template: &template,
                parameters: &self.parameters,
                pseudo: &self.pseudo(),
                conditions: &decided,
                resources: &scope_values,
                exports: around.exports,
            };
            match resolved(&scope, resource) {
                Ok((kind, properties)) => tasks.extend(self.begin(resource, kind, properties, needs, around)),
                Err(reason) => self.cannot_begin(resource, reason, around),
            }
        }
        let operation = operation_mut(self);
        if !waiting && operation.running.is_empty() && operation.failed.is_empty() {
            self.forward_done(&template, &decided, around);
        }
    }

    /// A resource whose turn it is.
    fn begin(
        &mut self,
        resource: &Resource,
        kind: &'static ResourceType,
        properties: Properties,
        depends_on: std::collections::BTreeSet<String>,
        around: &mut Around<'_>,
    ) -> Option<Task> {
        let id = resource.logical_id.clone();
        let existing = self.resources.get(&id).filter(|made| made.real.physical_id.is_some()).cloned();
        let mut real = Real {
            kind: kind.name.to_owned(),
            name: String::new(),
            physical_id: None,
            properties,
            values: crate::evaluate::Values::default(),
            depends_on,
            deletion_policy: resource.deletion_policy,
            update_replace_policy: resource.update_replace_policy,
        };
        let fresh = |status| Made {
            status,
            status_reason: None,
            updated: around.now,
            real: real.clone(),
            before: None,
            is_new: true,
            looked: false,
        };
        let (made, reason) = match existing {
            None => (fresh(Status::CreateInProgress), None),
            Some(mut made) if made.real.kind == real.kind && made.real.properties == real.properties => {
                // Only what the stack thinks of it may have changed.
                made.real.depends_on = real.depends_on;
                made.real.deletion_policy = real.deletion_policy;
                made.real.update_replace_policy = real.update_replace_policy;
                made.is_new = false;
                self.resources.insert(id.clone(), made);
                operation_mut(self).done.insert(id);
                return None;
            }
            Some(made) if made.real.kind != real.kind || kind.is_replaced(&made.real.properties, &real.properties) => {
                let reason = "Requested update requires the creation of a new physical resource; hence creating one.";
                let new = Made { before: Some(Box::new(made.real)), is_new: false, ..fresh(Status::UpdateInProgress) };
                (new, Some(reason.to_owned()))
            }
            Some(made) => {
                real.name.clone_from(&made.real.name);
                real.physical_id.clone_from(&made.real.physical_id);
                real.values = made.real.values.clone();
                let changed = Made {
                    status: Status::UpdateInProgress,
                    status_reason: None,
                    updated: around.now,
                    real,
                    before: Some(Box::new(made.real)),
                    is_new: false,
                    looked: true,
                };
                (changed, None)
            }
        };
        self.start(id, kind, made, reason, around)
    }

    fn start(
        &mut self,
        id: String,
        kind: &'static ResourceType,
        mut made: Made,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) -> Option<Task> {
        if made.real.physical_id.is_none() {
            match kind.given_name(&made.real.properties) {
                Some(name) => made.real.name = name.to_owned(),
                None => {
                    made.real.name = kind.made_up_name(&self.name, &id, (around.random)());
                    made.looked = true;
                }
            }
        }
        let same_name = made.before.as_ref().is_some_and(|before| {
            made.real.physical_id.is_none() && before.name == made.real.name && before.kind == made.real.kind
        });
        let status = made.status;
        self.resources.insert(id.clone(), made);
        self.tell_resource(&id, status, reason, around);
        if same_name {
            let reason = format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {id} and update the stack again."
            );
            operation_mut(self).failed.insert(id.clone());
            self.tell_resource(&id, Status::UpdateFailed, Some(reason), around);
            return None;
        }
        operation_mut(self).running.insert(id.clone());
        self.making(&id)
    }

    /// The task that makes a resource, or changes it.
    fn making(&self, key: &str) -> Option<Task> {
        let made = self.resources.get(key)?;
        let kind = resource_type(&made.real.kind)?;
        let subject = self.subject(&made.real);
        let (look, steps) = match &made.before {
            Some(before) if made.real.physical_id.is_some() => {
                (None, (kind.update)(&subject, &before.properties, &made.real.properties))
            }
            _ => {
                let look = kind.look.filter(|_| !made.looked).map(|look| look(&subject, &made.real.properties));
                (look, (kind.create)(&subject, &made.real.properties))
            }
        };
        Some(Task { key: key.to_owned(), look, steps, repeated: false })
    }

    fn subject<'a>(&'a self, real: &'a Real) -> Subject<'a> {
        Subject {
            account: &self.account,
            region: &self.region,
            name: &real.name,
            physical_id: real.physical_id.as_deref(),
            tags: &self.tags,
        }
    }

    fn cannot_begin(&mut self, resource: &Resource, reason: String, around: &mut Around<'_>) {
        let id = resource.logical_id.clone();
        operation_mut(self).failed.insert(id.clone());
        let is_new = !self.resources.contains_key(&id);
        let made = self.resources.entry(id.clone()).or_insert_with(|| Made {
            status: Status::CreateFailed,
            status_reason: None,
            updated: around.now,
            real: Real {
                kind: resource.kind.clone(),
                name: String::new(),
                physical_id: None,
                properties: Map::new(),
                values: crate::evaluate::Values::default(),
                depends_on: std::collections::BTreeSet::new(),
                deletion_policy: resource.deletion_policy,
                update_replace_policy: resource.update_replace_policy,
            },
            before: None,
            is_new: true,
            looked: false,
        });
        made.is_new = is_new;
        let status = if is_new { Status::CreateFailed } else { Status::UpdateFailed };
        self.tell_resource(&id, status, Some(reason), around);
    }

    /// All resources are there: the outputs, and what comes after.
    fn forward_done(
        &mut self,
        template: &Template,
        decided: &std::collections::BTreeMap<String, bool>,
        around: &mut Around<'_>,
    ) {
        let outputs = {
            let values = |name: &str| self.resources.get(name).map(|made| made.real.values.clone());
            let scope = Scope {
                template,
                parameters: &self.parameters,
                pseudo: &self.pseudo(),
                conditions: decided,
                resources: &values,
                exports: around.exports,
            };
            outputs(&scope)
        };
        match outputs {
            Ok(outputs) => self.outputs = outputs,
            Err(problem) => return self.fail(&problem.to_string(), around),
        }
        for export in self.outputs.iter().filter_map(|output| output.export.clone()) {
            if (around.exports)(&export).is_some() {
                let reason = format!("Export with name {export} is already exported by another stack");
                return self.fail(&reason, around);
            }
        }
        if operation_mut(self).kind == OperationKind::Create {
            self.end(Status::CreateComplete, None, around);
            return;
        }
        let wanted = |id: &str| template.resource(id).is_some_and(|resource| is_made(resource, decided));
        let mut victims = std::collections::BTreeMap::new();
        let gone: Vec<_> = self.resources.keys().filter(|id| !wanted(id)).cloned().collect();
        for id in gone {
            if let Some(made) = self.resources.get(&id).filter(|made| made.real.physical_id.is_some()) {
                victims.insert(id, made.real.clone());
            } else {
                self.resources.remove(&id);
            }
        }
        for (id, made) in &mut self.resources {
            let replaced = made.before.take().filter(|before| before.physical_id != made.real.physical_id);
            if let Some(before) = replaced {
                let policy = before.update_replace_policy;
                victims.insert(format!("~{id}"), Real { deletion_policy: policy, ..*before });
            }
            made.is_new = false;
        }
        self.before = None;
        self.removing(victims, Status::UpdateCompleteCleanupInProgress, None, around);
    }

    fn removing(
        &mut self,
        victims: std::collections::BTreeMap<String, Real>,
        status: Status,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) {
        self.operation = Some(Operation { victims, ..Operation::new(OperationKind::Remove) });
        self.tell(status, reason, around);
    }

    /// The operation as a whole cannot go on.
    fn fail(&mut self, reason: &str, around: &mut Around<'_>) {
        self.status_reason = Some(reason.to_owned());
        self.turn_back_because(reason.to_owned(), around);
    }

    fn turn_back(&mut self, around: &mut Around<'_>) {
        let failed: Vec<_> = operation_mut(self).failed.iter().cloned().collect();
        let verb = if operation_mut(self).kind == OperationKind::Create { "create" } else { "update" };
        self.turn_back_because(
            format!("The following resource(s) failed to {verb}: [{}]. ", failed.join(", ")),
            around,
        );
    }

    fn turn_back_because(&mut self, reason: String, around: &mut Around<'_>) {
        let creating = operation_mut(self).kind == OperationKind::Create;
        match (self.on_failure, creating) {
            (OnFailure::DoNothing, true) => self.end(Status::CreateFailed, Some(reason), around),
            (OnFailure::DoNothing, false) => self.end(Status::UpdateFailed, Some(reason), around),
            (OnFailure::Delete, true) => {
                let victims = self.victims(true);
                self.removing(
                    victims,
                    Status::DeleteInProgress,
                    Some(format!("{reason}Delete requested by user.")),
                    around,
                );
            }
            (_, true) => {
                let victims = self.victims(true);
                let reason = format!("{reason}Rollback requested by user.");
                self.removing(victims, Status::RollbackInProgress, Some(reason), around);
            }
            (_, false) => {
                self.operation = Some(Operation::new(OperationKind::Undo));
                self.tell(Status::UpdateRollbackInProgress, Some(reason), around);
            }
        }
    }

    /// All that there is of the stack's resources.
    fn victims(&self, of_failed_create: bool) -> std::collections::BTreeMap<String, Real> {
        let there = self.resources.iter().filter(|(_, made)| made.real.physical_id.is_some());
        there
            .map(|(id, made)| {
                let mut real = made.real.clone();
                if real.deletion_policy == DeletionPolicy::RetainExceptOnCreate {
                    real.deletion_policy =
                        if of_failed_create { DeletionPolicy::Delete } else { DeletionPolicy::Retain };
                }
                (id.clone(), real)
            })
            .collect()
    }

    /// Begins to delete the stack; resources of these logical ids stay.
    pub fn delete(&mut self, retained: &[String], around: &mut Around<'_>) {
        let mut victims = self.victims(false);
        for (_, real) in victims.iter_mut().filter(|(id, _)| retained.contains(id)) {
            real.deletion_policy = DeletionPolicy::Retain;
        }
        self.removing(victims, Status::DeleteInProgress, Some("User Initiated".into()), around);
    }

    /// Makes resources again what they were.
    fn undo(&mut self, around: &mut Around<'_>, tasks: &mut Vec<Task>) {
        let ids: Vec<_> = self.resources.keys().cloned().collect();
        let mut victims = operation_mut(self).victims.clone();
        for id in ids {
            let operation = operation_mut(self);
            if operation.done.contains(&id) || operation.running.contains(&id) || operation.failed.contains(&id) {
                continue;
            }
            let Some(made) = self.resources.get_mut(&id) else { continue };
            if made.is_new {
                if made.real.physical_id.is_some() {
                    victims.insert(id.clone(), made.real.clone());
                } else {
                    self.resources.remove(&id);
                    continue;
                }
            } else if let Some(before) = made.before.clone() {
                if made.real.physical_id == before.physical_id {
                    let status = Status::UpdateInProgress;
                    operation_mut(self).running.insert(id.clone());
                    tasks.extend(self.reversal(&id));
                    self.tell_resource(&id, status, None, around);
                    continue;
                }
                if made.real.physical_id.is_some() {
                    victims.insert(format!("~{id}"), made.real.clone());
                }
                made.real = *before;
                made.before = None;
                made.status = Status::UpdateComplete;
            }
            operation_mut(self).done.insert(id);
        }
        let operation = operation_mut(self);
        operation.victims.clone_from(&victims);
        if !operation.running.is_empty() {
            return;
        }
        if !operation.failed.is_empty() {
            let failed: Vec<_> = operation.failed.iter().cloned().collect();
            let reason = format!("The following resource(s) failed to update: [{}]. ", failed.join(", "));
            return self.end(Status::UpdateRollbackFailed, Some(reason), around);
        }
        if let Some(before) = self.before.take() {
            self.template = before.template;
            self.parameters = before.parameters;
            self.tags = before.tags;
        }
        self.removing(victims, Status::UpdateRollbackCompleteCleanupInProgress, None, around);
    }

    fn reversal(&self, key: &str) -> Option<Task> {
        let made = self.resources.get(key)?;
        let (kind, before) = (resource_type(&made.real.kind)?, made.before.as_ref()?);
        let steps = (kind.update)(&self.subject(&made.real), &made.real.properties, &before.properties);
        Some(Task { key: key.to_owned(), look: None, steps, repeated: false })
    }

    /// Victims, each once nothing is left that needs it.
    fn remove(&mut self, around: &mut Around<'_>, tasks: &mut Vec<Task>) {
        let operation = operation_mut(self).clone();
        for (key, real) in &operation.victims {
            if operation.running.contains(key) || operation.failed.contains(key) {
                continue;
            }
            let id = key.trim_start_matches('~').to_owned();
            let needed = operation.victims.iter().any(|(other, needing)| {
                other != key && needing.depends_on.contains(&id) && other.starts_with('~') == key.starts_with('~')
            });
            if needed {
                continue;
            }
            if real.deletion_policy == DeletionPolicy::Retain {
                self.tell_victim(key, real, Status::DeleteSkipped, None, around);
                self.forget(key);
                continue;
            }
            self.tell_victim(key, real, Status::DeleteInProgress, None, around);
            operation_mut(self).running.insert(key.clone());
            tasks.push(self.removal(key, real));
        }
        let operation = operation_mut(self);
        let stuck = operation.running.is_empty() && !operation.failed.is_empty();
        if !(operation.victims.is_empty() || stuck) {
            return;
        }
        let failed: Vec<_> = operation.failed.iter().cloned().collect();
        let reason = stuck.then(|| format!("The following resource(s) failed to delete: [{}]. ", failed.join(", ")));
        let end = match (self.status, stuck) {
            (Status::DeleteInProgress, false) => Status::DeleteComplete,
            (Status::DeleteInProgress, true) => Status::DeleteFailed,
            (Status::RollbackInProgress, false) => Status::RollbackComplete,
            (Status::RollbackInProgress, true) => Status::RollbackFailed,
            (Status::UpdateRollbackCompleteCleanupInProgress, _) => Status::UpdateRollbackComplete,
            // What could not be cleaned up is said in its event; the update holds all the same.
            _ => Status::UpdateComplete,
        };
        if end == Status::DeleteComplete {
            self.deleted = Some(around.now);
        }
        self.end(end, reason, around);
    }

    fn removal(&self, key: &str, real: &Real) -> Task {
        let steps = resource_type(&real.kind).map(|kind| (kind.delete)(&self.subject(real), &real.properties));
        Task { key: key.to_owned(), look: None, steps: steps.unwrap_or_default(), repeated: false }
    }

    fn removed(&mut self, key: &str, outcome: Outcome, around: &mut Around<'_>) {
        let Some(real) = operation_mut(self).victims.get(key).cloned() else { return };
        match outcome {
            Outcome::Done(_) => {
                self.tell_victim(key, &real, Status::DeleteComplete, None, around);
                self.forget(key);
            }
            Outcome::Failed { reason, .. } => {
                operation_mut(self).failed.insert(key.to_owned());
                self.tell_victim(key, &real, Status::DeleteFailed, Some(reason), around);
            }
        }
    }

    fn forget(&mut self, key: &str) {
        operation_mut(self).victims.remove(key);
        if !key.starts_with('~') && self.status != Status::DeleteInProgress {
            self.resources.remove(key);
        } else if let Some(made) = self.resources.get_mut(key) {
            made.real.physical_id = None;
        }
    }

    fn end(&mut self, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        self.operation = None;
        for made in self.resources.values_mut() {
            made.is_new = false;
        }
        self.tell(status, reason, around);
    }

    /// Sets the stack's status and tells of it.
    pub fn tell(&mut self, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        self.status = status;
        self.status_reason.clone_from(&reason);
        let (logical_id, physical_id) = (self.name.clone(), Some(self.id()));
        let kind = "AWS::CloudFormation::Stack".to_owned();
        self.push(
            Event { number: 0, time: around.now, logical_id, physical_id, kind, status, reason, properties: None },
            around,
        );
    }

    fn tell_resource(&mut self, id: &str, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        let Some(made) = self.resources.get_mut(id) else { return };
        made.status = status;
        made.status_reason.clone_from(&reason);
        made.updated = around.now;
        let real = made.real.clone();
        self.push_resource(id, &real, status, reason, around);
    }

    fn tell_victim(&mut self, key: &str, real: &Real, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        let id = key.trim_start_matches('~');
        if !key.starts_with('~') {
            if let Some(made) = self.resources.get_mut(id) {
                made.status = status;
                made.status_reason.clone_from(&reason);
                made.updated = around.now;
            }
        }
        self.push_resource(id, real, status, reason, around);
    }

    fn push_resource(
        &mut self,
        id: &str,
        real: &Real,
        status: Status,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) {
        let properties = Value::Object(real.properties.clone()).to_string();
        let event = Event {
            number: 0,
            time: around.now,
            logical_id: id.to_owned(),
            physical_id: real.physical_id.clone(),
            kind: real.kind.clone(),
            status,
            reason,
            properties: Some(self.without_secrets(properties)),
        };
        self.push(event, around);
    }

    fn push(&mut self, event: Event, around: &mut Around<'_>) {
        around.events.push(Event { number: self.events, ..event });
        self.events += 1;
    }

    /// Values of `NoEcho` parameters are not shown.
    fn without_secrets(&self, text: String) -> String {
        let Ok(template) = Template::parse(&self.template) else { return text };
        let secrets = template.parameters.iter().filter(|parameter| parameter.no_echo);
        let secrets =
            secrets.filter_map(|parameter| self.parameters.get(&parameter.name)).filter(|value| !value.is_empty());
        secrets.fold(text, |text, secret| {
            let quoted = Value::String(secret.clone()).to_string();
            text.replace(quoted.trim_matches('"'), "****")
        })
    }
}

fn operation_mut(stack: &mut Stack) -> &mut Operation {
    stack.operation.get_or_insert_with(|| Operation::new(OperationKind::Remove))
}

/// Notes what there is of a resource now.
fn exists(
    made: &mut Made,
    kind: &ResourceType,
    (account, region, tags): (&str, &str, &[(String, String)]),
    answers: &[Value],
    is_new: bool,
) {
    let real = &made.real;
    let subject = Subject { account, region, name: &real.name, physical_id: real.physical_id.as_deref(), tags };
    let physical_id =
        if is_new { Some((kind.physical_id)(&subject, &real.properties, answers)) } else { real.physical_id.clone() };
    let subject = Subject { physical_id: physical_id.as_deref(), ..subject };
    let values = (kind.values)(&subject, &real.properties);
    made.real.physical_id = physical_id;
    made.real.values = values;
}

/// The type and the properties of a resource, as its schema wants them.
fn resolved(scope: &Scope<'_>, resource: &Resource) -> Result<(&'static ResourceType, Properties), String> {
    let kind = resource_type(&resource.kind).ok_or_else(|| unsupported(&resource.kind))?;
    let mut properties = Map::new();
    for (name, _, value) in &resource.properties {
        if let Some(value) = scope.value(value).map_err(|problem| problem.to_string())? {
            properties.insert(name.clone(), value);
        }
    }
    let typed = schema::typed(kind.properties, properties).map_err(|wrong| {
        let id = &resource.logical_id;
        format!("Properties validation failed for resource {id} with message: {}", wrong.join("; "))
    })?;
    Ok((kind, typed))
}

pub(crate) fn unsupported(kind: &str) -> String {
    format!("Template format error: Unrecognized resource types: [{kind}]")
}

fn outputs(scope: &Scope<'_>) -> Result<Vec<OutputValue>, Problem> {
    let shown = scope.template.outputs.iter().filter(|output| {
        output.condition.as_ref().is_none_or(|name| scope.conditions.get(name).copied().unwrap_or_default())
    });
    let text = |expression: &crate::template::Expression| -> Result<String, Problem> {
        let value = scope.value(expression)?.unwrap_or_default();
        crate::evaluate::scalar(&value).ok_or_else(|| output_is_no_text(expression.at))
    };
    shown
        .map(|output| {
            Ok(OutputValue {
                key: output.name.clone(),
                value: text(&output.value)?,
                description: output.description.clone(),
                export: output.export.as_ref().map(text).transpose()?,
            })
        })
        .collect()
}

fn output_is_no_text(at: Position) -> Problem {
    Problem::format(at, "The Value field of every Outputs member must evaluate to a String.")
}
