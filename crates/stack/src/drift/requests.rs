//! Operations that ask about drift.

use std::collections::BTreeMap;

use aws_api::cloudformation::{
    DescribeStackDriftDetectionStatusRequest, DescribeStackDriftDetectionStatusResponse,
    DescribeStackResourceDriftsRequest, DescribeStackResourceDriftsResponse, DetectStackDriftRequest,
    DetectStackDriftResponse, DetectStackResourceDriftRequest, DriftInformation, PropertyDifference,
    ResourceDrift as ResourceDriftInformation, StackResourceDrift,
};
use aws_api::{ApiError, Change, Entity, RequestContext, Timestamp};
use serde_json::Value;

use super::{Detection, DetectionStatus, DriftStatus, ResourceDrift};
use crate::stack::{Made, Stack, Status, key};
use crate::stacks::{Stacks, invalid, missing};
use crate::types::ENDPOINT;

/// So many detections of a stack are kept.
const KEPT: usize = 10;
/// Resources of a page, if the request does not say.
const PAGE: usize = 100;

impl Stacks {
    /// Begins to detect a stack's drift.
    pub fn detect_stack_drift(
        &self,
        ctx: &RequestContext,
        req: &DetectStackDriftRequest,
        caller: Value,
        id: String,
    ) -> Result<(DetectStackDriftResponse, Detection, Vec<Change>), ApiError> {
        let stack = self.detectable(ctx, req.stack_name.as_deref())?;
        if let Some(absent) = req.logical_resource_ids.iter().find(|id| !stack.resources.contains_key(*id)) {
            return Err(invalid(format!("Resource {absent} does not exist for stack {}", stack.name)));
        }
        let detection = Detection {
            account: stack.account.clone(),
            region: stack.region.clone(),
            stack: stack.uuid.clone(),
            stack_id: stack.id(),
            id,
            caller,
            only: req.logical_resource_ids.clone(),
            started: ctx.now,
            status: DetectionStatus::InProgress,
            reason: Some("User Initiated".into()),
            drift: None,
            drifted: 0,
        };
        let mut kept: Vec<_> = of_stack(&self.detections, stack).collect();
        kept.sort_by_key(|detection| std::cmp::Reverse(detection.started));
        let old = kept.into_iter().skip(KEPT - 1).map(|old| Change::delete::<Detection>(old.key()));
        let changes = old.chain([Change::put(&detection)]).collect();
        Ok((DetectStackDriftResponse { stack_drift_detection_id: detection.id.clone() }, detection, changes))
    }

    /// The resource whose drift is to be told at once, and its stack.
    pub fn detect_stack_resource_drift(
        &self,
        ctx: &RequestContext,
        req: &DetectStackResourceDriftRequest,
    ) -> Result<(&Stack, String), ApiError> {
        let id = req.logical_resource_id.as_deref().ok_or_else(|| missing("logicalResourceId"))?;
        let stack = self.detectable(ctx, req.stack_name.as_deref())?;
        let made = stack.resources.get(id);
        let made = made.ok_or_else(|| invalid(format!("Resource {id} does not exist for stack {}", stack.name)))?;
        if stack.reads(id).is_none() {
            let kind = &made.real.kind;
            return Err(invalid(format!("Drift detection is not supported for resource {id} of type {kind}")));
        }
        Ok((stack, id.to_owned()))
    }

    /// A stack whose drift can be detected now.
    fn detectable(&self, ctx: &RequestContext, name: Option<&str>) -> Result<&Stack, ApiError> {
        use Status::{CreateComplete, UpdateComplete, UpdateRollbackComplete, UpdateRollbackFailed};
        let stack = self.existing(ctx, name)?;
        if !matches!(stack.status, CreateComplete | UpdateComplete | UpdateRollbackComplete | UpdateRollbackFailed) {
            return Err(invalid(format!(
                "Drift detection cannot be performed on stack [{}] while it is in [{}] state",
                stack.id(),
                stack.status.as_str()
            )));
        }
        if of_stack(&self.detections, stack).any(|detection| detection.status == DetectionStatus::InProgress) {
            return Err(invalid(format!("Drift detection is already in progress for stack [{}]", stack.id())));
        }
        Ok(stack)
    }

    /// Detections that have not ended.
    pub fn detections_under_way(&self) -> impl Iterator<Item = &Detection> {
        self.detections.values().filter(|detection| detection.status == DetectionStatus::InProgress)
    }

    /// A detection by the key of its row, and its stack.
    pub fn detection(&self, row: &str) -> Option<(&Detection, &Stack)> {
        let detection = self.detections.get(row)?;
        Some((detection, self.stack(&key(&detection.account, &detection.region, &detection.stack))?))
    }

    /// Takes in what was found of a resource, unless the stack changed it meanwhile.
    pub fn found(&self, checked: &Stack, drift: &ResourceDrift) -> Vec<Change> {
        let now = self.stack(&Entity::key(checked)).and_then(|stack| stack.resources.get(&drift.logical_id));
        let then = checked.resources.get(&drift.logical_id);
        let is_same = now.zip(then).is_some_and(|(now, then)| now.real == then.real && now.status == then.status);
        is_same.then(|| Change::put(drift)).into_iter().collect()
    }

    /// Ends a detection with what was found.
    pub fn detected(&self, row: &str, checked: &Stack, found: &[ResourceDrift]) -> Vec<Change> {
        let Some((detection, stack)) = self.detection(row) else { return Vec::new() };
        // What is known of resources that are no more the stack's is of no more use.
        let gone = of_stack(&self.drifts, stack).filter(|drift| !is_of(drift, stack));
        let mut changes: Vec<_> = gone.map(|drift| Change::delete::<ResourceDrift>(drift.key())).collect();
        let (mut unread, mut stale, mut drifted) = (Vec::new(), Vec::new(), 0);
        for drift in found {
            let taken = self.found(checked, drift);
            if taken.is_empty() {
                stale.push(drift.logical_id.as_str());
                continue;
            }
            changes.extend(taken);
            drifted += u32::from(drift.status.is_drifted());
            if drift.status == DriftStatus::Unknown {
                unread.push(drift.logical_id.as_str());
            }
        }
        let mut reasons = Vec::new();
        if !unread.is_empty() {
            reasons.push(format!("Failed to detect drift on resource(s) [{}]", unread.join(", ")));
        }
        if !stale.is_empty() {
            reasons.push(format!("The stack changed resource(s) [{}] meanwhile", stale.join(", ")));
        }
        let status = if reasons.is_empty() { DetectionStatus::Complete } else { DetectionStatus::Failed };
        let drift = match (drifted, status) {
            (0, DetectionStatus::Complete) => "IN_SYNC",
            (0, _) => "UNKNOWN",
            _ => "DRIFTED",
        };
        let ended = Detection {
            status,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            drift: Some(drift.to_owned()),
            drifted,
            caller: Value::Null,
            ..detection.clone()
        };
        changes.push(Change::put(&ended));
        changes
    }

    /// Takes away what is known of the drift of a stack that is deleted.
    pub fn drift_forgotten(&self, stack: &Stack) -> Vec<Change> {
        let detections = of_stack(&self.detections, stack).map(|it| Change::delete::<Detection>(it.key()));
        let drifts = of_stack(&self.drifts, stack).map(|it| Change::delete::<ResourceDrift>(it.key()));
        detections.chain(drifts).collect()
    }

    /// How far a detection is, or what it found.
    pub fn describe_stack_drift_detection_status(
        &self,
        ctx: &RequestContext,
        req: &DescribeStackDriftDetectionStatusRequest,
    ) -> Result<DescribeStackDriftDetectionStatusResponse, ApiError> {
        let id = req.stack_drift_detection_id.as_deref().ok_or_else(|| missing("stackDriftDetectionId"))?;
        let found = self.detections.values().find(|detection| {
            detection.id == id && detection.account == ctx.account() && detection.region == ctx.region
        });
        let found = found.ok_or_else(|| invalid(format!("Stack drift detection with id {id} does not exist")))?;
        Ok(DescribeStackDriftDetectionStatusResponse {
            stack_id: found.stack_id.clone(),
            stack_drift_detection_id: found.id.clone(),
            stack_drift_status: found.drift.clone(),
            detection_status: found.status.as_str().into(),
            detection_status_reason: found.reason.clone(),
            drifted_stack_resource_count: found.drift.as_ref().map(|_| i64::from(found.drifted)),
            timestamp: found.started.to_rfc3339_millis(),
        })
    }

    /// What is known of the drift of a stack's resources, in the order of their names.
    pub fn describe_stack_resource_drifts(
        &self,
        ctx: &RequestContext,
        req: &DescribeStackResourceDriftsRequest,
    ) -> Result<DescribeStackResourceDriftsResponse, ApiError> {
        let stack = self.existing(ctx, req.stack_name.as_deref())?;
        let filters = &req.stack_resource_drift_status_filters;
        let known = ["IN_SYNC", "MODIFIED", "DELETED", "NOT_CHECKED", "UNKNOWN", "UNSUPPORTED"];
        if let Some(other) = filters.iter().find(|filter| !known.contains(&filter.as_str())) {
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'stackResourceDriftStatusFilters' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                known.join(", ")
            )));
        }
        let size = match req.max_results {
            None => PAGE,
            Some(size) => usize::try_from(size).ok().filter(|size| (1..=PAGE).contains(size)).ok_or_else(|| {
                invalid(format!(
                    "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and {PAGE}"
                ))
            })?,
        };
        let after = req.next_token.as_deref().unwrap_or_default();
        let mut shown = self.drifts_of(stack).filter(|drift| drift.logical_id.as_str() > after);
        let fits = |drift: &&ResourceDrift| filters.is_empty() || filters.iter().any(|it| it == drift.status.as_str());
        let page: Vec<_> = shown.by_ref().filter(fits).take(size).collect();
        let next_token = shown.find(fits).and_then(|_| page.last()).map(|last| last.logical_id.clone());
        let stack_resource_drifts = page.into_iter().map(|drift| shown_drift(ctx, stack, drift)).collect();
        Ok(DescribeStackResourceDriftsResponse { stack_resource_drifts, next_token })
    }

    /// What is known of a stack's resources that are still the ones that were looked at.
    fn drifts_of<'a>(&'a self, stack: &'a Stack) -> impl Iterator<Item = &'a ResourceDrift> {
        of_stack(&self.drifts, stack).filter(|drift| is_of(drift, stack))
    }

    /// `DriftInformation` of a stack: what follows from what is known of its resources.
    pub(crate) fn drift_of(&self, stack: &Stack) -> DriftInformation {
        let drifts: Vec<_> = self.drifts_of(stack).collect();
        let ended = of_stack(&self.detections, stack).filter(|it| it.status != DetectionStatus::InProgress);
        let started: Vec<_> = ended.map(|detection| detection.started).collect();
        let status = if drifts.iter().any(|drift| drift.status.is_drifted()) {
            "DRIFTED"
        } else if started.is_empty() {
            "NOT_CHECKED"
        } else if drifts.iter().any(|drift| drift.status == DriftStatus::Unknown) {
            "UNKNOWN"
        } else {
            "IN_SYNC"
        };
        let checked = started.into_iter().chain(drifts.iter().map(|drift| drift.time)).max();
        DriftInformation {
            stack_drift_status: status.into(),
            last_check_timestamp: checked.map(Timestamp::to_rfc3339_millis),
        }
    }

    /// The same of a resource.
    pub(crate) fn resource_drift_of(&self, stack: &Stack, id: &str, made: &Made) -> ResourceDriftInformation {
        let row = format!("{}/{}/{}/{id}", stack.account, stack.region, stack.uuid);
        let drift = self.drifts.get(&row);
        let drift = drift.filter(|drift| made.real.physical_id.as_deref() == Some(&drift.physical_id));
        ResourceDriftInformation {
            stack_resource_drift_status: drift.map_or("NOT_CHECKED", |drift| drift.status.as_str()).into(),
            last_check_timestamp: drift.map(|drift| drift.time.to_rfc3339_millis()),
        }
    }
}

/// Is the resource that was looked at still the stack's?
fn is_of(drift: &ResourceDrift, stack: &Stack) -> bool {
    let made = stack.resources.get(&drift.logical_id);
    made.is_some_and(|made| made.real.physical_id.as_deref() == Some(&drift.physical_id))
}

/// The rows of a stack.
fn of_stack<'a, T>(rows: &'a BTreeMap<String, T>, stack: &Stack) -> impl Iterator<Item = &'a T> + use<'a, T> {
    let prefix = format!("{}/{}/{}/", stack.account, stack.region, stack.uuid);
    let of = rows.range(prefix.clone()..).take_while(move |(row, _)| row.starts_with(&prefix));
    of.map(|(_, value)| value)
}

/// How what was found of a resource is shown.
pub fn shown_drift(ctx: &RequestContext, stack: &Stack, drift: &ResourceDrift) -> StackResourceDrift {
    let reached = |text: &String| text.replace(ENDPOINT, &ctx.endpoint);
    let differences = drift.differences.iter().map(|(path, expected, actual, kind)| PropertyDifference {
        property_path: path.clone(),
        expected_value: reached(expected),
        actual_value: reached(actual),
        difference_type: kind.clone(),
    });
    StackResourceDrift {
        stack_id: stack.id(),
        logical_resource_id: drift.logical_id.clone(),
        physical_resource_id: reached(&drift.physical_id),
        resource_type: drift.kind.clone(),
        expected_properties: drift.expected.as_ref().map(reached),
        actual_properties: drift.actual.as_ref().map(reached),
        property_differences: differences.collect(),
        stack_resource_drift_status: drift.status.as_str().into(),
        timestamp: drift.time.to_rfc3339_millis(),
        drift_status_reason: drift.reason.clone(),
    }
}
