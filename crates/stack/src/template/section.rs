//! The sections of a template.

use std::collections::BTreeMap;

use super::expression::Expression;
use super::parameter::Parameter;
use super::rule::Rule;
use crate::document::{Node, Position};

/// A template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    /// `AWSTemplateFormatVersion`.
    pub version: Option<String>,
    /// Up to 1,024 bytes.
    pub description: Option<String>,
    /// `Metadata`, which has no meaning here.
    pub metadata: Option<Node>,
    /// In the order of the text.
    pub parameters: Vec<Parameter>,
    /// Mapping, first key, second key.
    pub mappings: BTreeMap<String, BTreeMap<String, BTreeMap<String, Node>>>,
    /// Conditions by name.
    pub conditions: BTreeMap<String, Expression>,
    /// What must hold of the parameters together.
    pub rules: Vec<Rule>,
    /// In the order of the text.
    pub resources: Vec<Resource>,
    /// In the order of the text.
    pub outputs: Vec<Output>,
}

/// A resource as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    /// Where that stands.
    pub at: Position,
    /// `AWS::SQS::Queue`
    pub kind: String,
    /// Where that stands.
    pub kind_at: Position,
    /// Its properties.
    pub properties: Vec<(String, Position, Expression)>,
    /// Resources that must be there before it.
    pub depends_on: Vec<(String, Position)>,
    /// It is made only if this condition holds.
    pub condition: Option<String>,
    /// What happens to the real resource when the stack lets go of it.
    pub deletion_policy: DeletionPolicy,
    /// The same when another one takes its place.
    pub update_replace_policy: DeletionPolicy,
    /// Free text for tools.
    pub metadata: Option<Node>,
}

/// "`DeletionPolicy` attribute". Snapshots are of types that are not supported here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeletionPolicy {
    /// It is deleted.
    #[default]
    Delete,
    /// It stays.
    Retain,
    /// It stays, unless the operation that made it is rolled back.
    RetainExceptOnCreate,
}

/// An output.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub at: Position,
    /// Up to 1,024 bytes.
    pub description: Option<String>,
    /// It is there only if this condition holds.
    pub condition: Option<String>,
    /// What it says.
    pub value: Expression,
    /// The name under which other stacks may import it.
    pub export: Option<Expression>,
}

impl Template {
    /// A resource by its logical id.
    pub fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// A parameter by its name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The types of resources it declares, each once, in the order of their names.
    pub fn resource_types(&self) -> Vec<String> {
        let types: std::collections::BTreeSet<_> = self.resources.iter().map(|resource| &resource.kind).collect();
        types.into_iter().cloned().collect()
    }
}
