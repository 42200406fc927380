//! From a tree to a template, with everything that is wrong with it.

use std::collections::BTreeMap;

use crate::document::{Kind, Member, Node, Position, parse};
use crate::problem::{Problem, Problems};

use super::functions::{Functions, Place};
use super::parameter::{Parameter, ParameterKind, allowed_pattern};
use super::section::{DeletionPolicy, Output, Resource, Template};
use super::{MAPPINGS_MAX, OUTPUTS_MAX, PARAMETERS_MAX, RESOURCES_MAX, TEMPLATE_LEN_MAX, names};

/// The only version of the format.
const VERSION: &str = "2010-09-09";
/// In bytes.
const DESCRIPTION_LEN_MAX: usize = 1024;

impl Template {
    /// Reads and checks a template. What types of resources there are, and what their properties are, is not looked at.
    ///
    /// # Errors
    /// All that is wrong with it, as far as the text can be read at all.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        if text.len() > TEMPLATE_LEN_MAX {
            let what = format!("the template is longer than {TEMPLATE_LEN_MAX} bytes.");
            return Err(Problem::format(Position { line: 1, column: 1 }, what).into());
        }
        let root = parse(text)?;
        let mut reader = Reader::default();
        let template = reader.template(&root);
        names::check(&template, &mut reader.problems);
        reader.problems.into_result()?;
        Ok(template)
    }
}

#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Problems,
}

impl Reader {
    pub(super) fn wrong(&mut self, at: Position, what: impl std::fmt::Display) {
        self.problems.push(Problem::format(at, what));
    }

    fn template(&mut self, root: &Node) -> Template {
        let mut template = Template::default();
        let Some(members) = root.members() else {
            self.wrong(root.at, "the template is not a JSON object or YAML map.");
            return template;
        };
        for Member { name, at, value } in members {
            match name.as_str() {
                "AWSTemplateFormatVersion" => {
                    self.check_version(value);
                    template.version = Some(VERSION.to_owned());
                }
                "Description" => template.description = self.description(value),
                "Metadata" => template.metadata = Some(value.clone()),
                "Parameters" => template.parameters = self.parameters(value),
                "Mappings" => template.mappings = self.mappings(value),
                "Conditions" => template.conditions = self.conditions(value),
                "Resources" => template.resources = self.resources(value),
                "Outputs" => template.outputs = self.outputs(value),
                "Transform" => self.wrong(*at, "transforms and macros are not supported."),
                "Rules" => template.rules = self.rules(value),
                "Hooks" => self.wrong(*at, "the section Hooks is not supported."),
                other => self.wrong(*at, format!("Invalid template property or properties [{other}]")),
            }
        }
        if root.get("Resources").is_none() || (template.resources.is_empty() && self.problems.is_empty()) {
            self.wrong(root.at, "At least one Resources member must be defined.");
        }
        template
    }

    fn check_version(&mut self, node: &Node) {
        if node.text() != Some(VERSION) {
            self.wrong(node.at, format!("Unrecognized template format version. The version is {VERSION}."));
        }
    }

    fn description(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "Description");
        if text.as_ref().is_some_and(|text| text.len() > DESCRIPTION_LEN_MAX) {
            self.wrong(node.at, format!("a description is longer than {DESCRIPTION_LEN_MAX} bytes."));
        }
        text
    }

    pub(super) fn text(&mut self, node: &Node, name: &str) -> Option<String> {
        let text = node.text().map(ToOwned::to_owned);
        if text.is_none() {
            self.wrong(node.at, format!("{name} must be a string."));
        }
        text
    }

    /// The members of a section, of which there may be so many, each with an alphanumeric name.
    pub(super) fn section<'n>(&mut self, node: &'n Node, section: &str, max: usize) -> Vec<&'n Member> {
        let Some(members) = node.members() else {
            self.wrong(node.at, format!("the section {section} must be a map."));
            return Vec::new();
        };
        if members.len() > max {
            self.wrong(
                node.at,
                format!("Number of {section}, {}, is greater than maximum allowed, {max}", members.len()),
            );
        }
        let (fit, others): (Vec<_>, Vec<_>) = members.iter().partition(|member| is_name(&member.name));
        for other in others {
            self.wrong(other.at, format!("{section} name {:?} is non alphanumeric.", other.name));
        }
        fit
    }

    /// The members of a declaration; those whose names are not listed are noted.
    pub(super) fn attributes<'n>(&mut self, member: &'n Member, path: &str, known: &[&str]) -> &'n [Member] {
        let Some(attributes) = member.value.members() else {
            self.wrong(member.value.at, format!("[{path}] must be an object."));
            return &[];
        };
        for attribute in attributes.iter().filter(|attribute| !known.contains(&attribute.name.as_str())) {
            self.wrong(attribute.at, format!("[{path}] Encountered unsupported property {}", attribute.name));
        }
        attributes
    }

    fn parameters(&mut self, node: &Node) -> Vec<Parameter> {
        let members = self.section(node, "Parameters", PARAMETERS_MAX);
        members.into_iter().map(|member| self.parameter(member)).collect()
    }

    fn parameter(&mut self, member: &Member) -> Parameter {
        let mut parameter = Parameter {
            name: member.name.clone(),
            at: member.at,
            kind: ParameterKind::String,
            default: None,
            allowed_values: Vec::new(),
            allowed_pattern: None,
            min_length: None,
            max_length: None,
            min_value: None,
            max_value: None,
            no_echo: false,
            description: None,
            constraint_description: None,
        };
        let path = format!("/Parameters/{}", member.name);
        let attributes = self.attributes(member, &path, &PARAMETER_ATTRIBUTES);
        if !attributes.iter().any(|attribute| attribute.name == "Type") {
            self.wrong(member.at, format!("[{path}] Every Parameters object must contain a Type member."));
        }
        for attribute in attributes {
            self.parameter_attribute(&mut parameter, attribute);
        }
        if let Some(refusal) = parameter.default.as_ref().and_then(|default| parameter.refusal(default)) {
            self.problems.push(Problem::new(member.at, format!("{refusal} (its default does not)")));
        }
        parameter
    }

    fn parameter_attribute(&mut self, parameter: &mut Parameter, attribute: &Member) {
        let Member { name, value, .. } = attribute;
        match name.as_str() {
            "Type" => self.parameter_type(parameter, value),
            "Default" => parameter.default = self.default_value(value),
            "NoEcho" => parameter.no_echo = value.text() == Some("true"),
            "AllowedValues" => {
                let texts: Option<Vec<_>> =
                    value.list().map(|v| v.iter().filter_map(Node::text).map(Into::into).collect());
                match texts.filter(|texts| Some(texts.len()) == value.list().map(<[_]>::len)) {
                    Some(texts) => parameter.allowed_values = texts,
                    None => self.wrong(value.at, "AllowedValues must be a list of strings."),
                }
            }
            "AllowedPattern" => {
                let text = self.text(value, "AllowedPattern").unwrap_or_default();
                match allowed_pattern(&text) {
                    Ok(regex) => parameter.allowed_pattern = Some((text, regex)),
                    Err(error) => self.wrong(value.at, format!("AllowedPattern cannot be read: {error}.")),
                }
            }
            "MinLength" => parameter.min_length = self.number(value, name),
            "MaxLength" => parameter.max_length = self.number(value, name),
            "MinValue" => parameter.min_value = self.number::<f64>(value, name).and(value.text()).map(Into::into),
            "MaxValue" => parameter.max_value = self.number::<f64>(value, name).and(value.text()).map(Into::into),
            "Description" => parameter.description = self.text(value, name),
            "ConstraintDescription" => parameter.constraint_description = self.text(value, name),
            _ => {}
        }
    }

    fn parameter_type(&mut self, parameter: &mut Parameter, value: &Node) {
        if let Some(kind) = value.text().and_then(ParameterKind::named) {
            parameter.kind = kind;
            return;
        }
        let kind = value.text().unwrap_or("that is given");
        let known = "String, Number, CommaDelimitedList and List<Number> are";
        self.wrong(value.at, format!("the parameter type {kind} is not supported; {known}."));
    }

    fn default_value(&mut self, value: &Node) -> Option<String> {
        let text = value.text().map(ToOwned::to_owned);
        if text.is_none() {
            self.wrong(value.at, "Every Default member must be a string.");
        }
        text
    }

    fn number<T: std::str::FromStr>(&mut self, node: &Node, name: &str) -> Option<T> {
        let number = node.text().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.wrong(node.at, format!("{name} must be a number."));
        }
        number
    }

    fn mappings(&mut self, node: &Node) -> BTreeMap<String, BTreeMap<String, BTreeMap<String, Node>>> {
        let mut mappings = BTreeMap::new();
        for mapping in self.section(node, "Mappings", MAPPINGS_MAX) {
            let mut keys = BTreeMap::new();
            let path = format!("/Mappings/{}", mapping.name);
            for key in mapping.value.members().unwrap_or_default() {
                let values = key.value.members().unwrap_or_default();
                if values.is_empty() {
                    self.wrong(key.value.at, format!("[{path}/{}] Every Mappings member must be a map.", key.name));
                }
                for value in values {
                    let is_list =
                        value.value.list().is_some_and(|list| list.iter().all(|value| value.text().is_some()));
                    if value.value.text().is_none() && !is_list {
                        let what = format!(
                            "[{path}/{}/{}] Every Mappings attribute must be a String or a List.",
                            key.name, value.name
                        );
                        self.wrong(value.value.at, what);
                    }
                }
                keys.insert(key.name.clone(), values.iter().map(|v| (v.name.clone(), v.value.clone())).collect());
            }
            if keys.is_empty() {
                self.wrong(mapping.value.at, format!("[{path}] Every Mappings member must be a map."));
            }
            mappings.insert(mapping.name.clone(), keys);
        }
        mappings
    }

    fn conditions(&mut self, node: &Node) -> BTreeMap<String, super::Expression> {
        let members = self.section(node, "Conditions", usize::MAX);
        let mut functions = Functions { place: Place::Condition, problems: &mut self.problems };
        members.into_iter().map(|member| (member.name.clone(), functions.read(&member.value))).collect()
    }

    fn resources(&mut self, node: &Node) -> Vec<Resource> {
        let members = self.section(node, "Resources", RESOURCES_MAX);
        members.into_iter().filter_map(|member| self.resource(member)).collect()
    }

    fn resource(&mut self, member: &Member) -> Option<Resource> {
        let path = format!("/Resources/{}", member.name);
        let attributes = self.attributes(member, &path, &RESOURCE_ATTRIBUTES);
        let get = |name: &str| attributes.iter().find(|attribute| attribute.name == name);
        let kind = get("Type").and_then(|kind| kind.value.text().map(|text| (text, kind.value.at)));
        let Some((kind, kind_at)) = kind else {
            self.wrong(member.at, format!("[{path}] Every Resources object must contain a Type member."));
            return None;
        };
        for name in ["CreationPolicy", "UpdatePolicy"] {
            if let Some(attribute) = get(name) {
                self.wrong(attribute.at, format!("[{path}] the attribute {name} is not supported."));
            }
        }
        Some(Resource {
            logical_id: member.name.clone(),
            at: member.at,
            kind: kind.to_owned(),
            kind_at,
            properties: get("Properties").map(|properties| self.properties(properties)).unwrap_or_default(),
            depends_on: get("DependsOn").map(|names| self.depends_on(&names.value)).unwrap_or_default(),
            condition: get("Condition").and_then(|condition| self.text(&condition.value, "Condition")),
            deletion_policy: self.policy(get("DeletionPolicy"), &path),
            update_replace_policy: self.policy(get("UpdateReplacePolicy"), &path),
            metadata: get("Metadata").map(|metadata| metadata.value.clone()),
        })
    }

    fn properties(&mut self, member: &Member) -> Vec<(String, Position, super::Expression)> {
        let mut functions = Functions { place: Place::Value, problems: &mut self.problems };
        match &member.value.kind {
            Kind::Null => Vec::new(),
            Kind::Map(members) => members
                .iter()
                .map(|property| (property.name.clone(), property.at, functions.read(&property.value)))
                .collect(),
            _ => {
                self.wrong(member.value.at, "Properties must be an object.");
                Vec::new()
            }
        }
    }

    fn depends_on(&mut self, node: &Node) -> Vec<(String, Position)> {
        let values = node.list().unwrap_or(std::slice::from_ref(node));
        let names: Vec<_> = values.iter().filter_map(|v| Some((v.text()?.to_owned(), v.at))).collect();
        if names.len() != values.len() {
            self.wrong(node.at, "DependsOn must be a string or a list of strings.");
        }
        names
    }

    fn policy(&mut self, member: Option<&Member>, path: &str) -> DeletionPolicy {
        let Some(member) = member else { return DeletionPolicy::Delete };
        match member.value.text() {
            Some("Delete") => DeletionPolicy::Delete,
            Some("Retain") => DeletionPolicy::Retain,
            Some("RetainExceptOnCreate") if member.name == "DeletionPolicy" => DeletionPolicy::RetainExceptOnCreate,
            other => {
                let given = other.unwrap_or("that is given");
                self.wrong(member.value.at, format!("[{path}] Unrecognized {} {given}", member.name));
                DeletionPolicy::Delete
            }
        }
    }

    fn outputs(&mut self, node: &Node) -> Vec<Output> {
        let members = self.section(node, "Outputs", OUTPUTS_MAX);
        members.into_iter().filter_map(|member| self.output(member)).collect()
    }

    fn output(&mut self, member: &Member) -> Option<Output> {
        let path = format!("/Outputs/{}", member.name);
        let attributes = self.attributes(member, &path, &["Description", "Value", "Export", "Condition"]);
        let get = |name: &str| attributes.iter().find(|attribute| attribute.name == name).map(|member| &member.value);
        let Some(value) = get("Value") else {
            self.wrong(member.at, format!("[{path}] Every Outputs member must contain a Value object"));
            return None;
        };
        let export =
            get("Export").map(|export| export.single().filter(|(name, _)| *name == "Name").map(|(_, name)| name));
        if export == Some(None) {
            self.wrong(member.at, format!("[{path}/Export] an Export has a Name and nothing else."));
        }
        let description = get("Description").and_then(|description| self.description(description));
        let condition = get("Condition").and_then(|condition| self.text(condition, "Condition"));
        let mut functions = Functions { place: Place::Value, problems: &mut self.problems };
        Some(Output {
            name: member.name.clone(),
            at: member.at,
            description,
            condition,
            value: functions.read(value),
            export: export.flatten().map(|name| functions.read(name)),
        })
    }
}

const PARAMETER_ATTRIBUTES: [&str; 11] = [
    "Type",
    "Default",
    "NoEcho",
    "AllowedValues",
    "AllowedPattern",
    "MaxLength",
    "MinLength",
    "MaxValue",
    "MinValue",
    "Description",
    "ConstraintDescription",
];

const RESOURCE_ATTRIBUTES: [&str; 9] = [
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
];

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
