//! What the registry keeps of buses and rules.

use std::collections::BTreeMap;

use aws_api::events::Target;
use aws_api::{Arn, Entity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{DEFAULT_BUS, RuleState};

/// A bus. Every account has a default bus in every region, with a row only if it has labels or a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bus {
    /// The account that owns the bus: twelve digits.
    pub account: String,
    /// The bus's region.
    pub region: String,
    /// The bus's name.
    pub name: String,
    /// As it was given.
    pub description: Option<String>,
    /// When the bus was made; `None` for the default bus.
    pub created: Option<Timestamp>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// The text of its policy.
    pub policy: Option<String>,
}

impl Bus {
    /// `arn:aws:events:<region>:<account>:event-bus/<name>`.
    pub fn arn(&self) -> Arn {
        Arn::new("events", &self.region, &self.account, format!("event-bus/{}", self.name))
    }
}

impl Entity for Bus {
    const KIND: &'static str = "event-bus";

    fn key(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.name)
    }
}

/// A rule with its targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// The account that owns the rule: twelve digits.
    pub account: String,
    /// The rule's region.
    pub region: String,
    /// The name of the rule's bus.
    pub bus: String,
    /// The rule's name.
    pub name: String,
    /// The pattern's text, as it was given.
    pub event_pattern: String,
    /// The rule's state.
    pub state: RuleState,
    /// As it was given.
    pub description: Option<String>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
    /// The targets by id.
    pub targets: BTreeMap<String, Target>,
}

impl Rule {
    /// `arn:aws:events:<region>:<account>:rule/[<bus>/]<name>`, without the bus for the default bus.
    pub fn arn(&self) -> Arn {
        let path = if self.bus == DEFAULT_BUS { self.name.clone() } else { format!("{}/{}", self.bus, self.name) };
        Arn::new("events", &self.region, &self.account, format!("rule/{path}"))
    }
}

impl Entity for Rule {
    const KIND: &'static str = "rule";

    fn key(&self) -> String {
        format!("{}/{}/{}/{}", self.account, self.region, self.bus, self.name)
    }
}
