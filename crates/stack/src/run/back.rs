//! Back: what failed is undone, and what is no longer wanted removed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::attempts::victim_key;
use super::{Around, Outcome, Task, operation_mut};
use crate::stack::{OnFailure, Operation, OperationKind, Real, Stack, Status};
use crate::template::DeletionPolicy;
use crate::types::{Found, ResourceType, resource_type};

impl Stack {
    pub(super) fn turn_back(&mut self, around: &mut Around<'_>) {
        let failed: Vec<_> = operation_mut(self).failed.iter().cloned().collect();
        let verb = if operation_mut(self).kind == OperationKind::Create { "create" } else { "update" };
        self.turn_back_because(
            format!("The following resource(s) failed to {verb}: [{}]. ", failed.join(", ")),
            around,
        );
    }

    /// Where nothing came of what was to take a resource's place, the resource is still the stack's.
    fn keep_replaced(&mut self) {
        for made in self.resources.values_mut().filter(|made| made.real.physical_id.is_none()) {
            let kept = made.earlier.pop().or_else(|| made.before.as_deref().cloned());
            if let Some(kept) = kept {
                made.real = kept;
            }
        }
    }

    /// The operation as a whole cannot go on.
    pub(super) fn turn_back_because(&mut self, reason: String, around: &mut Around<'_>) {
        let creating = operation_mut(self).kind == OperationKind::Create;
        match (self.on_failure, creating) {
            (OnFailure::DoNothing, true) => self.end(Status::CreateFailed, Some(reason), around),
            (OnFailure::DoNothing, false) => {
                self.keep_replaced();
                self.end(Status::UpdateFailed, Some(reason), around);
            }
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
            (_, false) => self.take_back(reason, around),
        }
    }

    /// Goes back to what the stack was when it was last stable, and says so.
    pub(super) fn take_back(&mut self, reason: String, around: &mut Around<'_>) {
        self.go_back();
        self.tell(self.status_back(), Some(reason), around);
    }

    /// If it was never stable, nothing of it stays.
    pub(super) fn go_back(&mut self) {
        self.operation = Some(match self.before {
            Some(_) => Operation::new(OperationKind::Undo),
            None => Operation { victims: self.victims(true), ..Operation::new(OperationKind::Remove) },
        });
    }

    /// The status on the way back.
    pub(super) fn status_back(&self) -> Status {
        if self.before.is_some() { Status::UpdateRollbackInProgress } else { Status::RollbackInProgress }
    }

    /// All that there is of the stack's resources.
    pub(super) fn victims(&self, of_failed_create: bool) -> BTreeMap<String, Real> {
        // Of an update that failed, and was left so, several may be there.
        let there = self.resources.iter().flat_map(|(id, made)| {
            let first = usize::from(made.real.physical_id.is_none());
            made.existing().into_iter().enumerate().map(move |(place, real)| (victim_key(id, first + place), real))
        });
        there
            .map(|(id, real)| {
                let mut real = real.clone();
                if real.deletion_policy == DeletionPolicy::RetainExceptOnCreate {
                    real.deletion_policy =
                        if of_failed_create { DeletionPolicy::Delete } else { DeletionPolicy::Retain };
                }
                (id, real)
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

    /// Begins to delete the stack, and all that it made stays.
    pub fn release(&mut self, around: &mut Around<'_>) {
        let mut victims = self.victims(false);
        for real in victims.values_mut() {
            real.deletion_policy = DeletionPolicy::Retain;
        }
        self.removing(victims, Status::DeleteInProgress, Some("What it made stays.".into()), around);
    }

    /// Makes resources again what they were.
    pub(super) fn undo(&mut self, around: &mut Around<'_>, tasks: &mut Vec<Task>) {
        let ids: Vec<_> = self.resources.keys().cloned().collect();
        for id in ids {
            let operation = operation_mut(self);
            if operation.done.contains(&id) || operation.running.contains(&id) || operation.failed.contains(&id) {
                continue;
            }
            let changed = self.resources.get(&id).is_some_and(|made| !made.is_new && made.is_changed());
            if changed {
                operation_mut(self).running.insert(id.clone());
                tasks.extend(self.reversal(&id));
                self.tell_resource(&id, Status::UpdateInProgress, None, around);
            } else {
                operation_mut(self).done.insert(id);
            }
        }
        let operation = operation_mut(self);
        if !operation.running.is_empty() {
            return;
        }
        if !operation.failed.is_empty() {
            let failed: Vec<_> = operation.failed.iter().cloned().collect();
            let reason = format!("The following resource(s) failed to update: [{}]. ", failed.join(", "));
            return self.end(Status::UpdateRollbackFailed, Some(reason), around);
        }
        let victims = self.undone();
        if let Some(before) = self.before.take() {
            self.become_wanted(*before);
        }
        self.removing(victims, Status::UpdateRollbackCompleteCleanupInProgress, None, around);
    }

    /// Every resource that was there before is what it was: what is there besides.
    fn undone(&mut self) -> BTreeMap<String, Real> {
        let mut victims = BTreeMap::new();
        for (id, made) in &mut self.resources {
            let failed = matches!(made.status, Status::UpdateFailed | Status::UpdateInProgress);
            if !made.is_new && (failed || made.before.is_some()) {
                made.restore();
                made.status = Status::UpdateComplete;
                made.status_reason = None;
            }
            let there = if made.is_new { made.existing() } else { made.others() };
            let first = usize::from(!made.is_new || made.real.physical_id.is_none());
            for (place, real) in there.into_iter().enumerate() {
                victims.insert(victim_key(id, first + place), real.clone());
            }
            if !made.is_new {
                made.earlier.clear();
            }
        }
        self.resources.retain(|id, made| !made.is_new || victims.contains_key(id));
        victims
    }

    pub(super) fn reversal(&self, key: &str) -> Option<Task> {
        let made = self.resources.get(key)?;
        let before = made.before.as_ref()?;
        let kind = resource_type(&before.kind)?;
        let now = kind.marked(&made.properties_before(before), self, key);
        let steps = (kind.update)(&self.subject(before), &now, &kind.marked(&before.properties, self, key));
        Some(Task { key: key.to_owned(), look: None, steps, repeated: false })
    }

    /// Victims, each once nothing is left that needs it.
    pub(super) fn remove(&mut self, around: &mut Around<'_>, tasks: &mut Vec<Task>) {
        let operation = operation_mut(self).clone();
        let free = |key: &String| {
            let id = key.trim_start_matches('~');
            !operation.victims.iter().any(|(other, needing)| {
                other != key && needing.depends_on.contains(id) && other.starts_with('~') == key.starts_with('~')
            })
        };
        // What is left of several templates may need each other in a circle, which is broken somewhere.
        let still = operation.running.is_empty() && operation.failed.is_empty();
        let circle = still && !operation.victims.keys().any(free);
        let victims = operation.victims.iter().filter(|(key, _)| circle || free(key));
        for (key, real) in victims.take(if circle { 1 } else { usize::MAX }) {
            if operation.running.contains(key) || operation.failed.contains(key) {
                continue;
            }
            if real.deletion_policy == DeletionPolicy::Retain {
                self.tell_victim(key, real, Status::DeleteSkipped, None, around);
                self.forget(key);
                continue;
            }
            if !operation.searches.contains_key(key) {
                self.tell_victim(key, real, Status::DeleteInProgress, None, around);
            }
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

    pub(super) fn removal(&self, key: &str, real: &Real) -> Task {
        let steps = resource_type(&real.kind).map(|kind| {
            if !kind.is_lost(real) {
                return (kind.delete)(&self.subject(real), &real.properties);
            }
            let from = self.operation.as_ref().and_then(|operation| operation.searches.get(key)?.as_deref());
            vec![ResourceType::search(&real.properties, from)]
        });
        Task { key: key.to_owned(), look: None, steps: steps.unwrap_or_default(), repeated: false }
    }

    pub(super) fn removed(&mut self, key: &str, outcome: Outcome, around: &mut Around<'_>) {
        let Some(real) = operation_mut(self).victims.get(key).cloned() else { return };
        match outcome {
            Outcome::Done(answers) if self.found(key, &real, &answers) => {}
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

    /// Takes in what came of the look for a victim that is lost. False if the victim is gone.
    fn found(&mut self, key: &str, real: &Real, answers: &[Value]) -> bool {
        if !resource_type(&real.kind).is_some_and(|kind| kind.is_lost(real)) {
            return false;
        }
        let operation = operation_mut(self);
        let further = match ResourceType::found(&real.properties, answers.first().unwrap_or(&Value::Null)) {
            Found::Nowhere => return false,
            Found::Further(from) => Some(from),
            Found::Here(id) => {
                if let Some(victim) = operation.victims.get_mut(key) {
                    victim.physical_id = Some(id);
                }
                None
            }
        };
        operation.searches.insert(key.to_owned(), further);
        true
    }

    pub(super) fn forget(&mut self, key: &str) {
        let victim = operation_mut(self).victims.remove(key);
        if let Some(made) = self.resources.get_mut(key.trim_start_matches('~')) {
            let is_gone = |real: &Real| victim.as_ref().is_some_and(|victim| victim.is_same(real));
            made.before.take_if(|before| is_gone(before));
            made.earlier.retain(|earlier| !is_gone(earlier));
        }
        if !key.starts_with('~') && self.status != Status::DeleteInProgress {
            self.resources.remove(key);
        } else if let Some(made) = self.resources.get_mut(key) {
            made.real.physical_id = None;
        }
    }

    pub(super) fn end(&mut self, status: Status, reason: Option<String>, around: &mut Around<'_>) {
        self.operation = None;
        // What an update made is new until the update is complete, or undone.
        for made in self.resources.values_mut().filter(|_| !status.is_unstable()) {
            made.is_new = false;
        }
        self.tell(status, reason, around);
    }
}
