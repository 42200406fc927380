//! Every stack, and how it is found.

use std::collections::BTreeMap;

use aws_api::{ApiError, Change, Entity, RequestContext, Timestamp};

use crate::change_set::ChangeSet;
use crate::drift::{Detection, ResourceDrift};
use crate::stack::{Stack, Status};

/// Stacks of one account in one region (quotas: 2,000).
pub const STACKS_MAX: usize = 2000;

/// "`ListStacks`": what was deleted is shown for 90 days.
const REMEMBERED_S: i64 = 90 * 24 * 60 * 60;

/// Every stack of every account and region.
#[derive(Debug, Default)]
pub struct Stacks {
    stacks: BTreeMap<String, Stack>,
    change_sets: BTreeMap<String, ChangeSet>,
    pub(crate) detections: BTreeMap<String, Detection>,
    pub(crate) drifts: BTreeMap<String, ResourceDrift>,
}

impl Stacks {
    /// Takes a change in. The only mutation; rows of other kinds are ignored.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        if change.kind == Stack::KIND {
            absorb_into(&mut self.stacks, change)?;
        }
        if change.kind == ChangeSet::KIND {
            absorb_into(&mut self.change_sets, change)?;
        }
        if change.kind == Detection::KIND {
            absorb_into(&mut self.detections, change)?;
        }
        if change.kind == ResourceDrift::KIND {
            absorb_into(&mut self.drifts, change)?;
        }
        Ok(())
    }

    /// A stack by the key of its row.
    pub fn stack(&self, key: &str) -> Option<&Stack> {
        self.stacks.get(key)
    }

    /// The stack of a name that is not deleted.
    pub fn named(&self, account: &str, region: &str, name: &str) -> Option<&Stack> {
        let prefix = format!("{account}/{region}/");
        let of = self.stacks.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        of.map(|(_, stack)| stack).find(|stack| stack.name == name && stack.exists())
    }

    /// Every stack.
    pub fn iter(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.values()
    }

    /// The caller's stacks in the region, deleted ones too, the newest first.
    pub(crate) fn of(&self, ctx: &RequestContext) -> Vec<&Stack> {
        let prefix = format!("{}/{}/", ctx.account(), ctx.region);
        let of = self.stacks.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let mut stacks: Vec<_> = of.map(|(_, stack)| stack).collect();
        stacks.sort_by_cached_key(|stack| stack.place());
        stacks
    }

    /// The stack of a name, if it is not deleted, or of an ARN.
    pub(crate) fn find(&self, ctx: &RequestContext, name_or_id: &str) -> Option<&Stack> {
        let of = self.of(ctx).into_iter();
        if name_or_id.starts_with("arn:") {
            return of.into_iter().find(|stack| stack.id() == name_or_id);
        }
        of.into_iter().find(|stack| stack.name == name_or_id && stack.exists())
    }

    /// The same, or CloudFormation's refusal.
    pub(crate) fn existing(&self, ctx: &RequestContext, name: Option<&str>) -> Result<&Stack, ApiError> {
        let name = name.ok_or_else(|| missing("stackName"))?;
        self.find(ctx, name).ok_or_else(|| invalid(format!("Stack with id {name} does not exist")))
    }

    /// What the stacks of an account and region export, without those of one.
    pub fn export(&self, account: &str, region: &str, name: &str, without: &str) -> Option<String> {
        let others = self.stacks.values().filter(|stack| {
            stack.account == account && stack.region == region && stack.exists() && stack.uuid != without
        });
        let mut outputs = others.flat_map(|stack| &stack.outputs);
        outputs.find(|output| output.export.as_deref() == Some(name)).map(|output| output.value.clone())
    }

    /// Every change set of a stack.
    pub(crate) fn change_sets<'a>(&'a self, stack: &Stack) -> impl Iterator<Item = &'a ChangeSet> {
        let id = stack.id();
        self.change_sets.values().filter(move |set| set.stack_id == id)
    }

    /// A change set by its ARN, or by its name and its stack.
    pub(crate) fn change_set(
        &self,
        ctx: &RequestContext,
        name: Option<&str>,
        stack: Option<&str>,
    ) -> Result<(&ChangeSet, &Stack), ApiError> {
        let name = name.ok_or_else(|| missing("changeSetName"))?;
        let absent =
            || ApiError::new("ChangeSetNotFound", format!("ChangeSet [{name}] does not exist")).with_status(404);
        let set = if name.starts_with("arn:") {
            self.change_sets.values().find(|set| set.id() == name && set.account == ctx.account())
        } else {
            let stack = stack
                .ok_or_else(|| invalid("StackName must be specified if ChangeSetName is not specified as an ARN."))?;
            let stack = self.existing(ctx, Some(stack))?;
            self.change_sets(stack).find(|set| set.name == name)
        };
        let set = set.ok_or_else(absent)?;
        let stack = self.find(ctx, &set.stack_id).ok_or_else(absent)?;
        Ok((set, stack))
    }

    /// What else goes when a stack is being deleted, or is: its change sets.
    pub fn let_go(&self, stack: &Stack) -> Vec<Change> {
        if !matches!(stack.status, Status::DeleteInProgress | Status::DeleteComplete) {
            return Vec::new();
        }
        self.change_sets(stack).map(|set| Change::delete::<ChangeSet>(set.key())).collect()
    }

    /// Stacks that were deleted so long ago that nothing is told of them any more.
    pub fn forgotten(&self, now: Timestamp) -> impl Iterator<Item = &Stack> {
        let is_old = move |at: Timestamp| now >= at.plus_secs(REMEMBERED_S);
        self.stacks.values().filter(move |stack| !stack.exists() && stack.deleted.is_some_and(is_old))
    }

    /// Stacks with an operation that has not ended.
    pub fn under_way(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.values().filter(|stack| stack.operation.is_some())
    }

    /// Is there room for one more?
    pub(crate) fn check_room(&self, ctx: &RequestContext) -> Result<(), ApiError> {
        let there = self.of(ctx).into_iter().filter(|stack| stack.status != Status::DeleteComplete).count();
        if there < STACKS_MAX {
            return Ok(());
        }
        Err(ApiError::new("LimitExceededException", format!("The limit of {STACKS_MAX} stacks has been reached.")))
    }
}

fn absorb_into<E: Entity>(rows: &mut BTreeMap<String, E>, change: &Change) -> Result<(), serde_json::Error> {
    match &change.row {
        Some(row) => drop(rows.insert(change.key.clone(), serde_json::from_slice(row)?)),
        None => drop(rows.remove(&change.key)),
    }
    Ok(())
}

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

pub(crate) fn missing(name: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
    );
    invalid(message)
}
