//! The values of a template's expressions.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::document::{Node, number};
use crate::problem::Problem;
use crate::template::{Expression, Form, Name, Part, Resource, Template};

/// What a made resource is known by: the value of `Ref`, and those of `Fn::GetAtt`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Values {
    /// `Ref`
    pub reference: String,
    /// `Fn::GetAtt`, by the attribute's name.
    pub attributes: BTreeMap<String, String>,
}

/// What the pseudo parameters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudo {
    /// Twelve digits.
    pub account: String,
    /// `eu-central-1`
    pub region: String,
    /// The stack's name.
    pub stack_name: String,
    /// The stack's ARN.
    pub stack_id: String,
}

/// Where names of an expression are looked up.
pub struct Scope<'a> {
    /// The template that the expression is of.
    pub template: &'a Template,
    /// Every parameter's value.
    pub parameters: &'a BTreeMap<String, String>,
    /// The pseudo parameters.
    pub pseudo: &'a Pseudo,
    /// Every condition's value ([`conditions`]).
    pub conditions: &'a BTreeMap<String, bool>,
    /// A made resource.
    pub resources: &'a dyn Fn(&str) -> Option<Values>,
    /// An export of another stack.
    pub exports: &'a dyn Fn(&str) -> Option<String>,
}

/// Decides every condition of a template, which names run in no circle.
pub fn conditions(
    template: &Template,
    parameters: &BTreeMap<String, String>,
    pseudo: &Pseudo,
) -> Result<BTreeMap<String, bool>, Problem> {
    let mut decided = BTreeMap::new();
    while decided.len() < template.conditions.len() {
        let before = decided.len();
        for (name, condition) in &template.conditions {
            let mut ready = !decided.contains_key(name);
            condition.names(&|_| None, &mut |name, _| {
                if let Name::Condition(other) = name {
                    ready &= decided.contains_key(other);
                }
            });
            if ready {
                let known = decided.clone();
                let scope = Scope {
                    template,
                    parameters,
                    pseudo,
                    conditions: &known,
                    resources: &|_| None,
                    exports: &|_| None,
                };
                decided.insert(name.clone(), scope.holds(condition)?);
            }
        }
        if decided.len() == before {
            break;
        }
    }
    Ok(decided)
}

/// Does everything hold that a template's rules say of its parameters?
///
/// # Errors
/// The first assertion that does not, or that cannot be decided.
pub fn rules(template: &Template, parameters: &BTreeMap<String, String>, pseudo: &Pseudo) -> Result<(), Problem> {
    let conditions = BTreeMap::new();
    let scope =
        Scope { template, parameters, pseudo, conditions: &conditions, resources: &|_| None, exports: &|_| None };
    for rule in &template.rules {
        if rule.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))? {
            for assertion in &rule.assertions {
                if !scope.holds(&assertion.assert)? {
                    return Err(Problem::error(assertion.assert.at, rule.broken(assertion)));
                }
            }
        }
    }
    Ok(())
}

/// The resources that must be there before this one: those it names where its conditions lead, and its `DependsOn`. One that is
/// not made, because of its condition, is waited for by nobody.
pub fn dependencies(template: &Template, resource: &Resource, decided: &BTreeMap<String, bool>) -> BTreeSet<String> {
    let made = |name: &str| template.resource(name).is_some_and(|resource| is_made(resource, decided));
    let mut names: BTreeSet<String> = resource.depends_on.iter().map(|(name, _)| name.clone()).collect();
    for (_, _, value) in &resource.properties {
        value.names(&|condition| decided.get(condition).copied(), &mut |name, _| match name {
            Name::Ref(name) | Name::Attribute(name, _) => drop(names.insert(name.to_owned())),
            Name::Condition(_) | Name::Mapping(_) => {}
        });
    }
    names.retain(|name| made(name));
    names
}

/// Does the resource's condition hold?
pub fn is_made(resource: &Resource, decided: &BTreeMap<String, bool>) -> bool {
    resource.condition.as_ref().is_none_or(|condition| decided.get(condition).copied().unwrap_or_default())
}

/// Resources that depend on each other in a circle, in the order of their names.
pub fn circle(template: &Template, decided: &BTreeMap<String, bool>) -> Vec<String> {
    let made = template.resources.iter().filter(|resource| is_made(resource, decided));
    let mut left: BTreeMap<&str, BTreeSet<String>> =
        made.map(|resource| (resource.logical_id.as_str(), dependencies(template, resource, decided))).collect();
    loop {
        let leaves: Vec<&str> = left
            .iter()
            .filter(|(_, on)| on.iter().all(|name| !left.contains_key(name.as_str())))
            .map(|(n, _)| *n)
            .collect();
        let wanted: BTreeSet<&String> = left.values().flatten().collect();
        // What nothing needs is in no circle, either.
        let unneeded: Vec<&str> = left.keys().filter(|name| !wanted.iter().any(|w| w == *name)).copied().collect();
        let gone: BTreeSet<&str> = leaves.into_iter().chain(unneeded).collect();
        if gone.is_empty() {
            return left.into_keys().map(ToOwned::to_owned).collect();
        }
        left.retain(|name, _| !gone.contains(name));
    }
}

impl Scope<'_> {
    /// The value of an expression; `None` for `AWS::NoValue`, which takes away what it is the value of.
    pub fn value(&self, expression: &Expression) -> Result<Option<Value>, Problem> {
        Ok(Some(match &expression.form {
            Form::Null => Value::Null,
            Form::Bool(value) => Value::Bool(*value),
            Form::Number(text) => number(text),
            Form::Text(text) => Value::String(text.clone()),
            Form::List(values) => {
                let values: Result<Vec<_>, _> =
                    values.iter().filter_map(|value| self.value(value).transpose()).collect();
                Value::Array(values?)
            }
            Form::Map(members) => {
                let mut map = Map::new();
                for (name, _, value) in members {
                    if let Some(value) = self.value(value)? {
                        map.insert(name.clone(), value);
                    }
                }
                Value::Object(map)
            }
            Form::Ref(name) if name == "AWS::NoValue" => return Ok(None),
            Form::Ref(name) => self.reference(name, expression)?,
            Form::GetAtt(resource, attribute) => Value::String(self.attribute(resource, attribute, expression)?),
            Form::Sub(parts, variables) => Value::String(self.sub(parts, variables, expression)?),
            Form::Join(delimiter, values) => Value::String(self.texts(values)?.join(delimiter)),
            Form::Select(index, values) => self.select(index, values)?,
            Form::Split(delimiter, text) => {
                let text = self.text(text)?;
                text.split(delimiter.as_str()).map(|part| Value::String(part.to_owned())).collect()
            }
            Form::If(condition, yes, no) => {
                let holds = self.conditions.get(condition).copied().unwrap_or_default();
                return self.value(if holds { yes } else { no });
            }
            Form::FindInMap(keys) => self.find_in_map(keys, expression)?,
            Form::ImportValue(name) => {
                let name = self.text(name)?;
                let found = (self.exports)(&name);
                Value::String(
                    found.ok_or_else(|| Problem::new(expression.at, format!("No export named {name} found.")))?,
                )
            }
            Form::Base64(text) => Value::String(base64::engine::general_purpose::STANDARD.encode(self.text(text)?)),
            Form::Equals(_)
            | Form::And(_)
            | Form::Or(_)
            | Form::Not(_)
            | Form::Contains(_)
            | Form::EachMemberEquals(_)
            | Form::EachMemberIn(_)
            | Form::Condition(_) => Value::Bool(self.holds(expression)?),
        }))
    }

    /// Does a condition hold?
    fn holds(&self, expression: &Expression) -> Result<bool, Problem> {
        Ok(match &expression.form {
            Form::Equals(values) => {
                let as_text =
                    |value: Option<Value>| value.map(|value| scalar(&value).unwrap_or_else(|| value.to_string()));
                as_text(self.value(&values[0])?) == as_text(self.value(&values[1])?)
            }
            Form::And(values) => {
                let all: Result<Vec<bool>, _> = values.iter().map(|value| self.holds(value)).collect();
                all?.into_iter().all(|holds| holds)
            }
            Form::Or(values) => {
                let all: Result<Vec<bool>, _> = values.iter().map(|value| self.holds(value)).collect();
                all?.into_iter().any(|holds| holds)
            }
            Form::Not(value) => !self.holds(value)?,
            Form::Contains(pair) => self.texts(&pair[0])?.contains(&self.text(&pair[1])?),
            Form::EachMemberEquals(pair) => {
                let text = self.text(&pair[1])?;
                self.texts(&pair[0])?.iter().all(|member| *member == text)
            }
            Form::EachMemberIn(pair) => {
                let allowed = self.texts(&pair[1])?;
                self.texts(&pair[0])?.iter().all(|member| allowed.contains(member))
            }
            Form::Condition(name) => self.conditions.get(name).copied().unwrap_or_default(),
            _ => match self.value(expression)? {
                Some(Value::Bool(value)) => value,
                Some(Value::String(text)) if text == "true" || text == "false" => text == "true",
                _ => return Err(Problem::error(expression.at, "a condition is neither true nor false.")),
            },
        })
    }

    fn reference(&self, name: &str, expression: &Expression) -> Result<Value, Problem> {
        if let Some(parameter) = self.template.parameter(name) {
            let value = self.parameters.get(name).map(String::as_str).unwrap_or_default();
            return Ok(if parameter.kind.is_list() {
                parameter.elements(value).into_iter().map(Value::String).collect()
            } else {
                Value::String(value.to_owned())
            });
        }
        let text = match name {
            "AWS::AccountId" => &self.pseudo.account,
            "AWS::Region" => &self.pseudo.region,
            "AWS::StackName" => &self.pseudo.stack_name,
            "AWS::StackId" => &self.pseudo.stack_id,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            "AWS::NotificationARNs" => return Ok(Value::Array(Vec::new())),
            resource => {
                let values = (self.resources)(resource).ok_or_else(|| unmade(resource, expression))?;
                return Ok(Value::String(values.reference));
            }
        };
        Ok(Value::String(text.to_owned()))
    }

    fn attribute(&self, resource: &str, attribute: &str, expression: &Expression) -> Result<String, Problem> {
        let mut values = (self.resources)(resource).ok_or_else(|| unmade(resource, expression))?;
        values.attributes.remove(attribute).ok_or_else(|| {
            let what = format!("resource {resource} does not support attribute type {attribute} in Fn::GetAtt");
            Problem::error(expression.at, what)
        })
    }

    fn sub(&self, parts: &[Part], variables: &[(String, Expression)], at: &Expression) -> Result<String, Problem> {
        let own = |wanted: &str| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Ref(name) => {
                    if let Some(value) = own(name) {
                        text.push_str(&self.text(value)?);
                    } else {
                        let value = self.reference(name, at)?;
                        let found = scalar(&value)
                            .ok_or_else(|| Problem::error(at.at, format!("{name} is no string in Fn::Sub.")))?;
                        text.push_str(&found);
                    }
                }
                Part::Attribute(resource, attribute) => match own(&format!("{resource}.{attribute}")) {
                    Some(value) => text.push_str(&self.text(value)?),
                    None => text.push_str(&self.attribute(resource, attribute, at)?),
                },
            }
        }
        Ok(text)
    }

    fn text(&self, expression: &Expression) -> Result<String, Problem> {
        let value = self.value(expression)?;
        value.as_ref().and_then(scalar).ok_or_else(|| Problem::error(expression.at, "a string is expected here."))
    }

    fn texts(&self, expression: &Expression) -> Result<Vec<String>, Problem> {
        let texts = match self.value(expression)? {
            Some(Value::Array(values)) => values.iter().map(scalar).collect(),
            _ => None,
        };
        texts.ok_or_else(|| Problem::error(expression.at, "a list of strings is expected here."))
    }

    fn select(&self, index: &Expression, values: &Expression) -> Result<Value, Problem> {
        let Some(Value::Array(list)) = self.value(values)? else {
            return Err(Problem::error(
                values.at,
                "Fn::Select requires a list argument with two elements: an integer index and a list.",
            ));
        };
        let place = self.text(index)?.parse::<usize>().ok();
        place
            .and_then(|place| list.into_iter().nth(place))
            .ok_or_else(|| Problem::error(index.at, "Fn::Select cannot select nonexistent value at index."))
    }

    fn find_in_map(&self, keys: &[Expression; 3], expression: &Expression) -> Result<Value, Problem> {
        let [map, first, second] = keys;
        let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
        let found = self.template.mappings.get(&map).and_then(|keys| keys.get(&first)?.get(&second));
        found
            .map(Node::to_json)
            .ok_or_else(|| Problem::error(expression.at, format!("Unable to get mapping for {map}::{first}::{second}")))
    }
}

fn unmade(resource: &str, expression: &Expression) -> Problem {
    Problem::format(
        expression.at,
        format!("Unresolved resource dependencies [{resource}] in the Resources block of the template"),
    )
}

/// A scalar as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
