//! Every bus, and how they and their rules are found.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::{ApiError, Change, Entity, RequestContext};
use event_pattern::{Matcher, Options, Pattern};
use policy::Policy;
use serde::de::Error as _;

use crate::input::Input;
use crate::{Bus, Rule, RuleState, access};

/// The bus that every account has in every region.
pub const DEFAULT_BUS: &str = "default";

/// A rule with what a route needs ready.
#[derive(Debug)]
pub(crate) struct RuleEntry {
    pub rule: Rule,
    pub arn: String,
    /// For each target, in the order of their ids.
    pub inputs: Vec<Input>,
}

/// One bus.
#[derive(Debug, Default)]
pub(crate) struct BusEntry {
    /// Absent for a default bus without labels and policy.
    pub bus: Option<Bus>,
    /// The bus's policy, read.
    pub policy: Option<Policy>,
    pub rules: BTreeMap<Arc<str>, RuleEntry>,
    /// Of the rules that are not disabled.
    pub matcher: Matcher<Arc<str>>,
}

type ByName<T> = BTreeMap<String, T>;

/// Every bus of every account and region.
#[derive(Debug, Default)]
pub struct Buses {
    /// Account, region, bus.
    entries: ByName<ByName<ByName<BusEntry>>>,
}

impl Buses {
    /// Takes a change in. The only mutation; rows of other kinds are ignored. Called for every stored row at start, and for
    /// each change after it was made durable.
    pub fn absorb(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        if change.kind == Bus::KIND {
            self.absorb_bus(change)?;
        }
        if change.kind == Rule::KIND {
            self.absorb_rule(change)?;
        }
        Ok(())
    }

    fn absorb_bus(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        if let Some(row) = &change.row {
            let bus: Bus = serde_json::from_slice(row)?;
            let policy = bus.policy.as_deref().map(access::parse).transpose().map_err(serde_json::Error::custom)?;
            let entry = self.entry(&bus.account, &bus.region, &bus.name);
            (entry.bus, entry.policy) = (Some(bus), policy);
        } else if let [account, region, name] = parts(&change.key)[..] {
            // The rules of a removed bus are removed by changes of their own.
            let entry = self.entry(account, region, name);
            (entry.bus, entry.policy) = (None, None);
        }
        Ok(())
    }

    fn absorb_rule(&mut self, change: &Change) -> Result<(), serde_json::Error> {
        let Some(row) = &change.row else {
            if let [account, region, bus, name] = parts(&change.key)[..] {
                let entry = self.entry(account, region, bus);
                entry.rules.remove(name);
                entry.matcher.remove(&Arc::from(name));
            }
            return Ok(());
        };
        let rule: Rule = serde_json::from_slice(row)?;
        let pattern =
            Pattern::compile_with(&rule.event_pattern, &Options::service()).map_err(serde_json::Error::custom)?;
        let compiled: Result<Vec<_>, ApiError> = rule.targets.values().map(Input::compile).collect();
        let inputs = compiled.map_err(serde_json::Error::custom)?;
        let name: Arc<str> = Arc::from(rule.name.as_str());
        let entry = self.entry(&rule.account, &rule.region, &rule.bus);
        if rule.state == RuleState::Disabled {
            entry.matcher.remove(&name);
        } else if entry.matcher.get(&name).is_none_or(|before| before.source() != pattern.source()) {
            entry.matcher.add(Arc::clone(&name), pattern);
        }
        entry.rules.insert(name, RuleEntry { arn: rule.arn().to_string(), rule, inputs });
        Ok(())
    }

    fn entry(&mut self, account: &str, region: &str, bus: &str) -> &mut BusEntry {
        let regions = self.entries.entry(account.to_owned()).or_default();
        regions.entry(region.to_owned()).or_default().entry(bus.to_owned()).or_default()
    }

    /// A bus that has a row or rules. The default bus exists without.
    pub(crate) fn get(&self, account: &str, region: &str, bus: &str) -> Option<&BusEntry> {
        self.entries.get(account)?.get(region)?.get(bus).filter(|entry| bus == DEFAULT_BUS || entry.bus.is_some())
    }

    /// The account's buses of a region, without the default bus, in the order of their names.
    pub(crate) fn custom(&self, account: &str, region: &str) -> impl Iterator<Item = &Bus> {
        let entries = self.entries.get(account).and_then(|regions| regions.get(region));
        entries.into_iter().flat_map(BTreeMap::values).filter_map(|e| e.bus.as_ref()).filter(|b| b.name != DEFAULT_BUS)
    }

    /// The bus that a request means: a name, or an ARN, of the request's account and region; the default bus if absent.
    pub(crate) fn bus_name<'a>(&self, ctx: &RequestContext, name_or_arn: Option<&'a str>) -> Result<&'a str, ApiError> {
        let name = match name_or_arn {
            None | Some("") => DEFAULT_BUS,
            Some(text) if text.starts_with("arn:") => {
                let prefix = format!("arn:aws:events:{}:{}:event-bus/", ctx.region, ctx.account());
                text.strip_prefix(&prefix).ok_or_else(|| no_bus(text))?
            }
            Some(name) => name,
        };
        if name == DEFAULT_BUS || self.get(ctx.account(), &ctx.region, name).is_some() {
            return Ok(name);
        }
        Err(no_bus(name))
    }

    /// The rules of a bus in the order of their names.
    pub(crate) fn rules(&self, ctx: &RequestContext, bus: &str) -> impl Iterator<Item = &Rule> {
        let entry = self.get(ctx.account(), &ctx.region, bus);
        entry.into_iter().flat_map(|entry| entry.rules.values()).map(|entry| &entry.rule)
    }

    /// Is there a rule of this name?
    pub fn has_rule(&self, account: &str, region: &str, bus: &str, name: &str) -> bool {
        self.get(account, region, bus).is_some_and(|entry| entry.rules.contains_key(name))
    }

    pub(crate) fn rule(&self, ctx: &RequestContext, bus: &str, name: &str) -> Option<&Rule> {
        self.get(ctx.account(), &ctx.region, bus)?.rules.get(name).map(|entry| &entry.rule)
    }

    /// The rule that a request is about.
    pub(crate) fn existing(&self, ctx: &RequestContext, bus: Option<&str>, name: &str) -> Result<&Rule, ApiError> {
        let bus = self.bus_name(ctx, bus)?;
        self.rule(ctx, bus, name).ok_or_else(|| {
            ApiError::new("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus {bus}."))
        })
    }
}

pub(crate) fn no_bus(name: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("Event bus {name} does not exist."))
}

/// The parts of a row's key; none can hold a slash.
fn parts(key: &str) -> Vec<&str> {
    key.split('/').collect()
}
