//! What there may be of a resource after updates that failed and were left as they were: each is an attempt, and what one of
//! them made or changed has to be known until the stack is stable again.

use aws_api::Timestamp;
use serde_json::Value;

use crate::stack::{Made, Real, Status};
use crate::types::{Properties, ResourceType};

impl Made {
    /// All that exists of it, each with what was last wanted of it, the present one first.
    pub(super) fn existing(&self) -> Vec<&Real> {
        let all = std::iter::once(&self.real).chain(self.earlier.iter().rev()).chain(self.before.as_deref());
        let mut existing: Vec<&Real> = Vec::new();
        for real in all.filter(|real| real.physical_id.is_some()) {
            if !existing.iter().any(|known| known.is_same(real)) {
                existing.push(real);
            }
        }
        existing
    }

    /// What exists of it besides the one that it is now.
    pub(super) fn others(&self) -> Vec<&Real> {
        self.existing().into_iter().filter(|real| !real.is_same(&self.real)).collect()
    }

    /// Sets what it is to be now; what it was is kept until the stack is stable again.
    pub(super) fn becoming(mut self, real: Real) -> Self {
        if self.before.is_none() && !self.is_new {
            self.before = Some(Box::new(self.real.clone()));
        }
        self.earlier.push(std::mem::replace(&mut self.real, real));
        self
    }

    /// Begins to become `wanted`, by a change of what there is or as a new one; the second is said.
    pub(super) fn changing(self, kind: &ResourceType, mut wanted: Real, now: Timestamp) -> (Self, Option<String>) {
        let is_replaced = self.real.kind != wanted.kind || kind.is_replaced(&self.real.properties, &wanted.properties);
        let kept = if is_replaced { self.taken_back(kind, &wanted.properties) } else { Some(self.real.clone()) };
        let reason = "Requested update requires the creation of a new physical resource; hence creating one.";
        let reason = kept.is_none().then(|| reason.to_owned());
        let mut made = Self { status: Status::UpdateInProgress, status_reason: None, updated: now, ..self };
        made.looked = kept.is_some();
        if let Some(kept) = kept {
            wanted.name = kept.name;
            wanted.physical_id = kept.physical_id;
            wanted.values = kept.values;
        }
        (made.becoming(wanted), reason)
    }

    /// Nobody knows which of its properties it has: whatever it becomes, it is given all of them.
    pub(super) fn has_unknown_properties(&mut self) {
        self.earlier.push(Real { properties: Properties::new(), ..self.real.clone() });
    }

    /// An earlier one that can become what is wanted: who takes a name back gets what has it.
    pub(super) fn taken_back(&self, kind: &ResourceType, wanted: &Properties) -> Option<Real> {
        let fits = |real: &&Real| real.kind == kind.name && !kind.is_replaced(&real.properties, wanted);
        self.others().into_iter().find(fits).cloned()
    }

    /// It is again what it was when the stack was last stable. What else there is of it is left to be removed.
    pub(super) fn restore(&mut self) {
        let Some(before) = self.before.take() else { return };
        self.earlier.push(std::mem::replace(&mut self.real, *before));
        let now = self.real.clone();
        self.earlier.retain(|real| !real.is_same(&now));
    }

    /// Was the one that it was when the stack was last stable changed since?
    pub(super) fn is_changed(&self) -> bool {
        let was_changed = |before: &Real| {
            let mut since = std::iter::once(&self.real).chain(&self.earlier);
            since.any(|real| real.is_same(before) && real.properties != before.properties)
        };
        self.before.as_deref().is_some_and(was_changed)
    }

    /// The properties that it may have in part, on its way to those of `target`: where attempts differ, those that `target`
    /// changes.
    pub(super) fn properties_before(&self, target: &Real) -> Properties {
        let all = self.before.as_deref().into_iter().chain(&self.earlier).chain(std::iter::once(&self.real));
        let versions = all.filter(|real| real.is_same(target)).map(|real| &real.properties);
        let mut merged = target.properties.clone();
        for version in versions {
            let names: Vec<_> = version.keys().chain(target.properties.keys()).cloned().collect();
            for name in names {
                merge(&mut merged, &name, version.get(&name), target.properties.get(&name));
            }
        }
        merged
    }
}

fn merge(merged: &mut Properties, name: &str, version: Option<&Value>, target: Option<&Value>) {
    if version == target {
        return;
    }
    let known = merged.get(name).filter(|known| Some(*known) != target).cloned();
    match (known, version) {
        // All that any of them put into a list has to be taken out of it.
        (Some(Value::Array(mut all)), Some(Value::Array(more))) => {
            let more: Vec<_> = more.iter().filter(|value| !all.contains(value)).cloned().collect();
            all.extend(more);
            merged.insert(name.to_owned(), Value::Array(all));
        }
        (Some(_), _) => {}
        (None, Some(value)) => drop(merged.insert(name.to_owned(), value.clone())),
        (None, None) => drop(merged.remove(name)),
    }
}

impl Real {
    /// Is it the same thing in the world?
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.physical_id.is_some() && self.physical_id == other.physical_id && self.kind == other.kind
    }
}

/// The key of a victim that is one of several of a resource.
pub(super) fn victim_key(id: &str, place: usize) -> String {
    format!("{}{id}", "~".repeat(place))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::evaluate::Values;
    use crate::template::DeletionPolicy;

    fn real(physical_id: &str, properties: &Value) -> Real {
        Real {
            kind: "AWS::SQS::Queue".into(),
            name: physical_id.into(),
            physical_id: Some(physical_id.into()),
            properties: properties.as_object().cloned().unwrap_or_default(),
            values: Values::default(),
            depends_on: BTreeSet::new(),
            deletion_policy: DeletionPolicy::Delete,
            update_replace_policy: DeletionPolicy::Delete,
        }
    }

    fn made(real: Real) -> Made {
        Made {
            status: Status::CreateComplete,
            status_reason: None,
            updated: Timestamp::from_millis(0),
            real,
            before: None,
            earlier: Vec::new(),
            is_new: false,
            looked: true,
        }
    }

    #[test]
    fn what_any_attempt_changed_is_changed_back() {
        let made = made(real("q", &json!({ "A": 1, "Tags": [{ "Key": "a" }] })));
        let made = made.becoming(real("q", &json!({ "A": 2, "B": 1, "Tags": [{ "Key": "b" }] })));
        let made = made.becoming(real("q", &json!({ "A": 1, "Tags": [{ "Key": "c" }] })));
        let base = made.properties_before(&made.real);
        assert_eq!(Value::Object(base), json!({ "A": 2, "B": 1, "Tags": [{ "Key": "a" }, { "Key": "b" }] }));
        let base = made.properties_before(made.before.as_deref().unwrap_or(&made.real));
        assert_eq!(Value::Object(base), json!({ "A": 2, "B": 1, "Tags": [{ "Key": "b" }, { "Key": "c" }] }));
    }

    #[test]
    fn each_thing_that_exists_is_known_once() {
        let mut made =
            made(real("one", &json!({}))).becoming(real("two", &json!({}))).becoming(real("three", &json!({})));
        let names = |made: &Made| -> Vec<String> { made.existing().iter().map(|real| real.name.clone()).collect() };
        assert_eq!(names(&made), ["three", "two", "one"]);
        assert!(!made.is_new && !made.others().is_empty());
        made.restore();
        assert_eq!(names(&made), ["one", "three", "two"]);
    }
}
