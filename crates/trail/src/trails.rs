//! Every trail, and how they are found.

use std::collections::BTreeMap;

use aws_api::{ApiError, Change, Entity, RequestContext};

use crate::name::{NameOrArn, parse_name_or_arn};
use crate::{CompiledSelectors, DeliveryStatus, EventFacts, Trail, TrailRef};

/// Trails of an account in one region ("Quotas in AWS CloudTrail").
pub const TRAILS_PER_REGION_MAX: usize = 5;

/// A trail with its selectors compiled.
#[derive(Debug)]
struct Entry {
    trail: Trail,
    selectors: CompiledSelectors,
}

/// (home region, name)
type InAccount<T> = BTreeMap<(String, String), T>;

/// Every trail of every account and region.
#[derive(Debug, Default)]
pub struct Trails {
    by_account: BTreeMap<String, InAccount<Entry>>,
    statuses: BTreeMap<String, DeliveryStatus>,
}

impl Trails {
    /// Takes a change in. The only mutation; rows of other kinds are ignored. Called for every stored row at start, and for
    /// each change after it was made durable.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        if change.kind == DeliveryStatus::KIND {
            match &change.row {
                Some(row) => self.statuses.insert(change.key.clone(), serde_json::from_slice(row)?),
                None => self.statuses.remove(&change.key),
            };
        }
        if change.kind == Trail::KIND {
            match &change.row {
                Some(row) => self.insert(serde_json::from_slice(row)?),
                None => self.remove(&change.key),
            }
        }
        Ok(())
    }

    fn insert(&mut self, trail: Trail) {
        let selectors = CompiledSelectors::new(&trail.selectors);
        let in_account = self.by_account.entry(trail.account.clone()).or_default();
        in_account.insert((trail.region.clone(), trail.name.clone()), Entry { trail, selectors });
    }

    fn remove(&mut self, key: &str) {
        let Some(TrailRef { account, region, name }) = TrailRef::from_key(key) else { return };
        if let Some(in_account) = self.by_account.get_mut(account) {
            in_account.remove(&(region.to_owned(), name.to_owned()));
        }
    }

    /// The trails that log and choose this event. Allocates nothing.
    pub fn selecting<'a>(&'a self, facts: &'a EventFacts<'a>) -> impl Iterator<Item = &'a Trail> {
        let entries = self.by_account.get(facts.account).into_iter().flat_map(BTreeMap::values);
        entries
            .filter(|Entry { trail, selectors }| {
                let recorded = !facts.own_delivery || trail.recursive_logging.unwrap_or(true);
                let logs =
                    trail.is_logging || facts.stopped_trail.is_some_and(|stopped| is_called(trail, stopped, facts));
                logs && trail.covers(facts.region) && recorded && selectors.selects(facts)
            })
            .map(|entry| &entry.trail)
    }

    /// One trail.
    pub fn trail(&self, account: &str, region: &str, name: &str) -> Option<&Trail> {
        let in_account = self.by_account.get(account)?;
        in_account.get(&(region.to_owned(), name.to_owned())).map(|entry| &entry.trail)
    }

    /// Every trail, for the deliverer to look for what waits after a start.
    pub fn iter(&self) -> impl Iterator<Item = &Trail> {
        self.by_account.values().flat_map(BTreeMap::values).map(|entry| &entry.trail)
    }

    /// The account's trails in the order of home region and name.
    pub(crate) fn of_account(&self, account: &str) -> impl Iterator<Item = &Trail> {
        self.by_account.get(account).into_iter().flat_map(BTreeMap::values).map(|entry| &entry.trail)
    }

    pub(crate) fn status(&self, trail: &Trail) -> Option<&DeliveryStatus> {
        self.statuses.get(&trail.key())
    }

    /// The trail that a name or an ARN in a request means: a name is one of the request's region; an ARN may be of any
    /// region.
    pub(crate) fn find(&self, ctx: &RequestContext, name_or_arn: &str) -> Result<&Trail, ApiError> {
        let found = match parse_name_or_arn(name_or_arn)? {
            NameOrArn::Name(name) => self.trail(ctx.account(), &ctx.region, name),
            NameOrArn::Arn { region, account, name } if account == ctx.account() => {
                self.trail(&account, &region, &name)
            }
            NameOrArn::Arn { .. } => None,
        };
        found.ok_or_else(|| unknown(ctx, name_or_arn))
    }

    /// The same for an operation that changes the trail, which only its home region does.
    pub(crate) fn find_at_home(&self, ctx: &RequestContext, name_or_arn: &str) -> Result<&Trail, ApiError> {
        let found = self.find(ctx, name_or_arn);
        let shadow = || self.of_account(ctx.account()).find(|t| t.is_multi_region_trail && t.name == name_or_arn);
        let trail = match found {
            Err(error) if error.code == "TrailNotFoundException" => shadow().ok_or(error)?,
            other => other?,
        };
        if trail.region == ctx.region {
            return Ok(trail);
        }
        Err(ApiError::new(
            "InvalidHomeRegionException",
            format!(
                "Trail {} can be changed only in its home region {}, not in {}.",
                trail.name, trail.region, ctx.region
            ),
        ))
    }
}

/// Whether a call in the event's region means this trail. Only its home region stops a trail.
fn is_called(trail: &Trail, name_or_arn: &str, facts: &EventFacts<'_>) -> bool {
    trail.region == facts.region && (trail.name == name_or_arn || trail.arn().to_string() == name_or_arn)
}

pub(crate) fn unknown(ctx: &RequestContext, name_or_arn: &str) -> ApiError {
    let arn = if name_or_arn.starts_with("arn:") {
        name_or_arn.to_owned()
    } else {
        format!("arn:aws:cloudtrail:{}:{}:trail/{name_or_arn}", ctx.region, ctx.account())
    };
    ApiError::new("TrailNotFoundException", format!("Unknown trail: {arn} for the user: {}", ctx.account()))
}
