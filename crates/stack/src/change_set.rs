//! Change sets: what a template would change, before it does.

use std::collections::BTreeMap;

use aws_api::{Entity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::evaluate::{Scope, conditions, is_made};
use crate::schema;
use crate::stack::{OnFailure, Stack, Wanted};
use crate::template::Template;
use crate::types::resource_type;

/// A change set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// Twelve digits.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// The last part of its ARN.
    pub uuid: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// `ClientToken` of the request that made it.
    pub token: Option<String>,
    /// For the reader.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// What it would make of the stack.
    pub wanted: Wanted,
    /// What was acknowledged.
    pub capabilities: Vec<String>,
    /// What happens if it fails.
    pub on_failure: OnFailure,
    /// Does it make the stack?
    pub creates: bool,
    /// What it would change.
    pub changes: Vec<Planned>,
    /// `AVAILABLE`, `UNAVAILABLE`, `EXECUTE_COMPLETE`, `OBSOLETE`.
    pub execution_status: String,
    /// Why it is not to be executed.
    pub status_reason: Option<String>,
}

/// What would happen to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// `Add`, `Modify`, `Remove`
    pub action: String,
    /// Its name in the template.
    pub logical_id: String,
    /// Its physical id, if there is one.
    pub physical_id: Option<String>,
    /// `AWS::SQS::Queue`
    pub kind: String,
    /// `True`, `False`, `Conditional`
    pub replacement: Option<String>,
}

impl ChangeSet {
    /// `arn:aws:cloudformation:<region>:<account>:changeSet/<name>/<uuid>`
    pub fn id(&self) -> String {
        format!("arn:aws:cloudformation:{}:{}:changeSet/{}/{}", self.region, self.account, self.name, self.uuid)
    }

    /// Its place among those of its stack, the oldest first.
    pub(crate) fn place(&self) -> String {
        format!("{:015} {}", self.created.as_millis(), self.uuid)
    }
}

impl Entity for ChangeSet {
    const KIND: &'static str = "change-set";

    fn key(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.uuid)
    }
}

/// What a template and parameters would change of a stack, in the order of the template, removals last. What depends on a
/// resource that is yet to be made is taken for changed.
pub(crate) fn plan(
    stack: &Stack,
    template: &Template,
    parameters: &BTreeMap<String, String>,
    tags: &[(String, String)],
    exports: &dyn Fn(&str) -> Option<String>,
) -> Vec<Planned> {
    let pseudo = stack.pseudo();
    let decided = conditions(template, parameters, &pseudo).unwrap_or_default();
    let known = |name: &str| {
        let made = stack.resources.get(name).filter(|made| made.real.physical_id.is_some());
        made.map(|made| made.real.values.clone())
    };
    let scope = Scope { template, parameters, pseudo: &pseudo, conditions: &decided, resources: &known, exports };
    let mut planned = Vec::new();
    for resource in template.resources.iter().filter(|resource| is_made(resource, &decided)) {
        let mut properties = Map::new();
        let mut is_known = true;
        for (name, _, value) in &resource.properties {
            match scope.value(value) {
                Ok(Some(value)) => drop(properties.insert(name.clone(), value)),
                Ok(None) => {}
                Err(_) => is_known = false,
            }
        }
        let kind = resource_type(&resource.kind);
        let typed = kind.and_then(|kind| {
            let mut typed = schema::typed(kind.properties, properties).ok()?;
            kind.add_tags(&mut typed, tags);
            Some(typed)
        });
        let existing = stack.resources.get(&resource.logical_id).filter(|made| made.real.physical_id.is_some());
        let entry = |action: &str, replacement: Option<&str>| Planned {
            action: action.to_owned(),
            logical_id: resource.logical_id.clone(),
            physical_id: existing.and_then(|made| made.real.physical_id.clone()),
            kind: resource.kind.clone(),
            replacement: replacement.map(ToOwned::to_owned),
        };
        let Some(made) = existing else {
            planned.push(entry("Add", None));
            continue;
        };
        match (typed, kind) {
            (Some(typed), Some(kind)) if is_known => {
                if !made.has_failed() && made.real.kind == resource.kind && made.real.properties == typed {
                    continue;
                }
                let replaced = made.real.kind != resource.kind || kind.is_replaced(&made.real.properties, &typed);
                planned.push(entry("Modify", Some(if replaced { "True" } else { "False" })));
            }
            _ => planned.push(entry("Modify", Some("Conditional"))),
        }
    }
    let gone = stack.resources.iter().filter(|(id, made)| {
        made.real.physical_id.is_some() && !template.resource(id).is_some_and(|resource| is_made(resource, &decided))
    });
    planned.extend(gone.map(|(id, made)| Planned {
        action: "Remove".to_owned(),
        logical_id: id.clone(),
        physical_id: made.real.physical_id.clone(),
        kind: made.real.kind.clone(),
        replacement: None,
    }));
    planned
}

/// Would nothing change, neither resources nor outputs nor tags, and is there nothing to be tried again?
pub(crate) fn changes_nothing(stack: &Stack, template: &Template, wanted: &Wanted, planned: &[Planned]) -> bool {
    let before = Template::parse(&stack.template).ok();
    let outputs_same = before.as_ref().is_some_and(|before| {
        before.outputs == template.outputs
            && before.conditions == template.conditions
            && before.mappings == template.mappings
    });
    let policies_same = before.is_some_and(|before| {
        before.resources == template.resources || planned.is_empty() && same_policies(&before, template)
    });
    !stack.status.is_paused()
        && planned.is_empty()
        && outputs_same
        && policies_same
        && stack.parameters == wanted.parameters
        && stack.tags == wanted.tags
}

fn same_policies(before: &Template, after: &Template) -> bool {
    after.resources.iter().all(|resource| {
        before.resource(&resource.logical_id).is_some_and(|old| {
            old.deletion_policy == resource.deletion_policy
                && old.update_replace_policy == resource.update_replace_policy
                && old.metadata == resource.metadata
        })
    })
}
