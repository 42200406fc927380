//! Forward: the template's resources are made, or become what a new template says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;

use super::attempts::victim_key;
use super::{Around, Task, operation_mut, outputs, resolved};
use crate::evaluate::{Scope, Values, conditions, dependencies, is_made};
use crate::stack::{Made, Operation, OperationKind, Real, Stack, Status};
use crate::template::{Resource, Template};
use crate::types::{Properties, ResourceType, Subject, resource_type};

impl Stack {
    /// The template's resources, each once those are done that it needs.
    pub(super) fn forward(&mut self, around: &mut Around<'_>, tasks: &mut Vec<Task>) {
        let operation = operation_mut(self);
        if operation.cancelled {
            if operation.running.is_empty() {
                self.go_back();
            }
            return;
        }
        let parsed = Template::parse(&self.template);
        let template = match parsed {
            Ok(template) => template,
            Err(problems) => return self.turn_back_because(problems.to_string(), around),
        };
        let decided = match conditions(&template, &self.parameters, &self.pseudo()) {
            Ok(decided) => decided,
            Err(problem) => return self.turn_back_because(problem.to_string(), around),
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
            match resolved(&scope, resource, &self.tags) {
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
    pub(super) fn begin(
        &mut self,
        resource: &Resource,
        kind: &'static ResourceType,
        properties: Properties,
        depends_on: BTreeSet<String>,
        around: &mut Around<'_>,
    ) -> Option<Task> {
        let id = resource.logical_id.clone();
        let existing = self.resources.get(&id).filter(|made| made.real.physical_id.is_some()).cloned();
        let real = Real {
            kind: kind.name.to_owned(),
            name: String::new(),
            physical_id: None,
            properties,
            values: Values::default(),
            depends_on,
            deletion_policy: resource.deletion_policy,
            update_replace_policy: resource.update_replace_policy,
        };
        let Some(made) = existing else {
            let made = Made {
                status: Status::CreateInProgress,
                status_reason: None,
                updated: around.now,
                real,
                before: None,
                earlier: Vec::new(),
                is_new: true,
                looked: false,
            };
            return self.start(&id, kind, made, None, around);
        };
        // What failed, and was left so, is tried again.
        if !made.has_failed() && made.real.kind == real.kind && made.real.properties == real.properties {
            let mut made = made;
            // Only what the stack thinks of it may have changed.
            made.real.depends_on = real.depends_on;
            made.real.deletion_policy = real.deletion_policy;
            made.real.update_replace_policy = real.update_replace_policy;
            self.resources.insert(id.clone(), made);
            operation_mut(self).done.insert(id);
            return None;
        }
        let (made, reason) = made.changing(kind, real, around.now);
        self.start(&id, kind, made, reason, around)
    }

    pub(super) fn start(
        &mut self,
        id: &str,
        kind: &'static ResourceType,
        mut made: Made,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) -> Option<Task> {
        if made.real.physical_id.is_none() {
            let given = kind.given_name(&made.real.properties).map(ToOwned::to_owned);
            // Nobody else has a name that was just made up.
            made.looked = given.is_none();
            made.real.name = given.unwrap_or_else(|| kind.made_up_name(&self.name, id, (around.random)()));
        }
        let same_name = made.real.physical_id.is_none()
            && made.existing().iter().any(|other| other.name == made.real.name && other.kind == made.real.kind);
        let status = made.status;
        self.resources.insert(id.to_owned(), made);
        self.tell_resource(id, status, reason, around);
        if same_name {
            let reason = format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {id} and update the stack again."
            );
            operation_mut(self).failed.insert(id.to_owned());
            self.tell_resource(id, Status::UpdateFailed, Some(reason), around);
            return None;
        }
        operation_mut(self).running.insert(id.to_owned());
        self.making(id)
    }

    /// The task that makes a resource, or changes it.
    pub(super) fn making(&self, key: &str) -> Option<Task> {
        let made = self.resources.get(key)?;
        let kind = resource_type(&made.real.kind)?;
        let subject = self.subject(&made.real);
        let properties = kind.marked(&made.real.properties, self, key);
        let (look, steps) = if made.real.physical_id.is_some() {
            let before = made.properties_before(&made.real);
            // Of one of which nothing is known it is not known, either, that it is marked.
            let before = if before.is_empty() { before } else { kind.marked(&before, self, key) };
            (None, (kind.update)(&subject, &before, &properties))
        } else {
            let look = kind.look.filter(|_| !made.looked).map(|look| look(&subject, &properties));
            (look, (kind.create)(&subject, &properties))
        };
        Some(Task { key: key.to_owned(), look, steps, repeated: false })
    }

    pub(crate) fn subject<'a>(&'a self, real: &'a Real) -> Subject<'a> {
        Subject {
            account: &self.account,
            region: &self.region,
            name: &real.name,
            physical_id: real.physical_id.as_deref(),
        }
    }

    pub(super) fn cannot_begin(&mut self, resource: &Resource, reason: String, around: &mut Around<'_>) {
        let id = resource.logical_id.clone();
        operation_mut(self).failed.insert(id.clone());
        let is_new = !self.resources.contains_key(&id);
        self.resources.entry(id.clone()).or_insert_with(|| Made {
            status: Status::CreateFailed,
            status_reason: None,
            updated: around.now,
            real: Real {
                kind: resource.kind.clone(),
                name: String::new(),
                physical_id: None,
                properties: Map::new(),
                values: Values::default(),
                depends_on: BTreeSet::new(),
                deletion_policy: resource.deletion_policy,
                update_replace_policy: resource.update_replace_policy,
            },
            before: None,
            earlier: Vec::new(),
            is_new: true,
            looked: false,
        });
        let status = if is_new { Status::CreateFailed } else { Status::UpdateFailed };
        self.tell_resource(&id, status, Some(reason), around);
    }

    /// All resources are there: the outputs, and what comes after.
    pub(super) fn forward_done(
        &mut self,
        template: &Template,
        decided: &BTreeMap<String, bool>,
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
        let outputs = match outputs {
            Ok(outputs) => outputs,
            Err(problem) => return self.turn_back_because(problem.to_string(), around),
        };
        let mut exports = outputs.iter().filter_map(|output| output.export.as_ref());
        if let Some(export) = exports.find(|export| (around.exports)(export).is_some()) {
            let reason = format!("Export with name {export} is already exported by another stack");
            return self.turn_back_because(reason, around);
        }
        self.outputs = outputs;
        if operation_mut(self).kind == OperationKind::Create {
            for made in self.resources.values_mut() {
                made.earlier.clear();
            }
            self.end(Status::CreateComplete, None, around);
            return;
        }
        let wanted = |id: &str| template.resource(id).is_some_and(|resource| is_made(resource, decided));
        let mut victims = BTreeMap::new();
        let gone: Vec<_> = self.resources.keys().filter(|id| !wanted(id)).cloned().collect();
        for id in gone {
            let Some(made) = self.resources.get(&id) else { continue };
            let existing = made.existing();
            if existing.is_empty() {
                self.resources.remove(&id);
                continue;
            }
            let first = usize::from(made.real.physical_id.is_none());
            for (place, real) in existing.into_iter().enumerate() {
                victims.insert(victim_key(&id, first + place), real.clone());
            }
        }
        for (id, made) in self.resources.iter_mut().filter(|(id, _)| wanted(id)) {
            for (place, real) in made.others().into_iter().enumerate() {
                let real = Real { deletion_policy: real.update_replace_policy, ..real.clone() };
                victims.insert(victim_key(id, place + 1), real);
            }
            made.is_new = false;
            made.before = None;
            made.earlier.clear();
        }
        self.before = None;
        self.removing(victims, Status::UpdateCompleteCleanupInProgress, None, around);
    }

    pub(super) fn removing(
        &mut self,
        victims: BTreeMap<String, Real>,
        status: Status,
        reason: Option<String>,
        around: &mut Around<'_>,
    ) {
        self.operation = Some(Operation { victims, ..Operation::new(OperationKind::Remove) });
        self.tell(status, reason, around);
    }
}
