//! What is to be done next with a stack, and what follows from what was done.
//!
//! An operation goes on in steps: [`Stack::advance`] decides what can be begun now and notes that it was begun; the caller
//! makes that durable, does it, and tells [`Stack::finished`] what became of it. What is noted as begun when the server stops is
//! begun again ([`Stack::begun`]).

mod attempts;
mod back;
mod forward;
mod requested;
mod tell;

use serde_json::{Map, Value};

use aws_api::Timestamp;

use crate::call::{Call, Step};
use crate::document::Position;
use crate::evaluate::Scope;
use crate::problem::Problem;
use crate::schema;
use crate::stack::{Event, Made, Operation, OperationKind, OutputValue, Stack, Status};
use crate::template::Resource;
use crate::types::{Properties, ResourceType, Subject, check_tags, resource_type};

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

impl Task {
    /// One of its operations was refused after so many were done. Of one that may have been begun before, something may be there
    /// all the same.
    pub fn refused(&self, steps_done: usize, reason: String) -> Outcome {
        Outcome::Failed { steps_done: steps_done.max(usize::from(self.repeated)), reason }
    }
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

    /// Takes over what was there under a resource's name, if the stack does so: what is to be done instead of making it. What it
    /// has is not known, so that it is given everything.
    pub fn adopt(&mut self, key: &str) -> Option<Task> {
        let (account, region) = (self.account.clone(), self.region.clone());
        let made = self.resources.get_mut(key).filter(|_| self.adopts)?;
        let kind = resource_type(&made.real.kind)?;
        made.looked = true;
        exists(made, kind, (&account, &region), &[], true);
        made.has_unknown_properties();
        self.making(key)
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
        let (account, region) = (self.account.clone(), self.region.clone());
        let Some(made) = self.resources.get_mut(key) else { return };
        if undoing && !failed {
            made.restore();
        }
        let kind = resource_type(&made.real.kind);
        let is_being_made = made.real.physical_id.is_none() && !undoing;
        let reason = match outcome {
            Outcome::Done(answers) => {
                if let Some(kind) = kind {
                    exists(made, kind, (&account, &region), &answers, is_being_made);
                }
                kind.and_then(|kind| kind.without_effect(&made.real.properties)).filter(|_| !undoing)
            }
            Outcome::Failed { steps_done, reason } => {
                // Half of it is there: it is removed with the rest, or what is missing is made up for.
                if let Some(kind) = kind.filter(|_| steps_done > 0 && is_being_made) {
                    exists(made, kind, (&account, &region), &[], true);
                    made.has_unknown_properties();
                }
                Some(reason)
            }
        };
        self.tell_resource(key, status, reason, around);
    }

    fn is_created(&self, key: &str) -> bool {
        self.resources.get(key).is_some_and(|made| made.status == Status::CreateInProgress)
    }

    fn complete_status(&self, key: &str) -> Status {
        if self.is_created(key) { Status::CreateComplete } else { Status::UpdateComplete }
    }

    fn failed_status(&self, key: &str) -> Status {
        if self.is_created(key) { Status::CreateFailed } else { Status::UpdateFailed }
    }
}

fn operation_mut(stack: &mut Stack) -> &mut Operation {
    stack.operation.get_or_insert_with(|| Operation::new(OperationKind::Remove))
}

/// Notes what there is of a resource now.
fn exists(made: &mut Made, kind: &ResourceType, (account, region): (&str, &str), answers: &[Value], is_new: bool) {
    let real = &made.real;
    let subject = Subject { account, region, name: &real.name, physical_id: real.physical_id.as_deref() };
    let physical_id =
        if is_new { Some((kind.physical_id)(&subject, &real.properties, answers)) } else { real.physical_id.clone() };
    let subject = Subject { physical_id: physical_id.as_deref(), ..subject };
    let values = (kind.values)(&subject, &real.properties);
    made.real.physical_id = physical_id;
    made.real.values = values;
}

/// The type and the properties of a resource, as its schema wants them.
fn resolved(
    scope: &Scope<'_>,
    resource: &Resource,
    tags: &[(String, String)],
) -> Result<(&'static ResourceType, Properties), String> {
    let kind = resource_type(&resource.kind).ok_or_else(|| unsupported(&resource.kind))?;
    let mut properties = Map::new();
    for (name, _, value) in &resource.properties {
        if let Some(value) = scope.value(value).map_err(|problem| problem.to_string())? {
            properties.insert(name.clone(), value);
        }
    }
    let mut typed = schema::typed(kind.properties, properties).map_err(|wrong| {
        let id = &resource.logical_id;
        format!("Properties validation failed for resource {id} with message: {}", wrong.join("; "))
    })?;
    check_tags(&typed)?;
    kind.add_tags(&mut typed, tags);
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
