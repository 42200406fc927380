//! Whether everything that a template names is there.

use crate::document::Position;
use crate::problem::{Problem, Problems};

use super::expression::{Expression, Name};
use super::rule::{self, Rule};
use super::section::Template;

/// "Pseudo parameters reference".
pub(crate) const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// Notes names that stand for nothing, and conditions that refer to themselves.
pub(crate) fn check(template: &Template, problems: &mut Problems) {
    for parameter in &template.parameters {
        if template.resource(&parameter.name).is_some() {
            let what = format!("Resource name {} is already used by a parameter", parameter.name);
            problems.push(Problem::format(parameter.at, what));
        }
    }
    for rule in &template.rules {
        check_rule(template, rule, problems);
    }
    for condition in template.conditions.values() {
        each(condition, |name, at| {
            let what = match name {
                Name::Condition(other) if !template.conditions.contains_key(other) => {
                    format!(
                        "Template format error: Unresolved condition dependency {other} in the Conditions block of the template"
                    )
                }
                Name::Ref(other) if template.parameter(other).is_none() && !PSEUDO_PARAMETERS.contains(&other) => {
                    format!(
                        "Template format error: Unresolved dependencies [{other}]. Cannot reference resources in the Conditions block of the template"
                    )
                }
                Name::Attribute(other, _) => {
                    format!(
                        "Template format error: Unresolved dependencies [{other}]. Cannot reference resources in the Conditions block of the template"
                    )
                }
                Name::Mapping(mapping) => return check_mapping(template, mapping, at, problems),
                Name::Condition(_) | Name::Ref(_) => return,
            };
            problems.push(Problem::new(at, what));
        });
    }
    check_condition_cycles(template, problems);
    for resource in &template.resources {
        check_condition(template, resource.condition.as_deref(), resource.at, "Resources", problems);
        for (name, at) in &resource.depends_on {
            if template.resource(name).is_none() {
                problems.push(unresolved(name, "Resources", *at));
            }
        }
        for (_, _, value) in &resource.properties {
            check_value(template, value, "Resources", problems);
        }
    }
    for output in &template.outputs {
        check_condition(template, output.condition.as_deref(), output.at, "Outputs", problems);
        check_value(template, &output.value, "Outputs", problems);
        if let Some(name) = &output.export {
            check_value(template, name, "Outputs", problems);
        }
    }
}

/// A rule is about parameters alone.
fn check_rule(template: &Template, rule: &Rule, problems: &mut Problems) {
    for expression in rule::expressions(rule) {
        each(expression, |name, at| {
            if let Name::Ref(other) = name
                && template.parameter(other).is_none()
                && !PSEUDO_PARAMETERS.contains(&other)
            {
                let what = format!(
                    "Unresolved dependencies [{other}]. Cannot reference resources in the Rules block of the template"
                );
                problems.push(Problem::format(at, what));
            }
        });
    }
}

fn each<'e>(expression: &'e Expression, mut tell: impl FnMut(Name<'e>, Position)) {
    expression.names(&|_| None, &mut tell);
}

fn unresolved(name: &str, block: &str, at: Position) -> Problem {
    Problem::format(at, format!("Unresolved resource dependencies [{name}] in the {block} block of the template"))
}

fn check_value(template: &Template, value: &Expression, block: &str, problems: &mut Problems) {
    each(value, |name, at| match name {
        Name::Ref(name) => {
            let known = PSEUDO_PARAMETERS.contains(&name)
                || template.parameter(name).is_some()
                || template.resource(name).is_some();
            if !known {
                problems.push(unresolved(name, block, at));
            }
        }
        Name::Attribute(resource, _) if template.resource(resource).is_none() => {
            problems.push(unresolved(resource, block, at));
        }
        Name::Attribute(..) => {}
        Name::Condition(condition) => check_condition(template, Some(condition), at, block, problems),
        Name::Mapping(mapping) => check_mapping(template, mapping, at, problems),
    });
}

fn check_condition(template: &Template, name: Option<&str>, at: Position, block: &str, problems: &mut Problems) {
    if let Some(name) = name.filter(|name| !template.conditions.contains_key(*name)) {
        problems.push(Problem::format(
            at,
            format!("Unresolved condition dependency {name} in the {block} block of the template"),
        ));
    }
}

fn check_mapping(template: &Template, name: &str, at: Position, problems: &mut Problems) {
    if !template.mappings.contains_key(name) {
        let what = format!("Mapping named '{name}' is not present in the 'Mappings' section of template.");
        problems.push(Problem::error(at, what));
    }
}

/// Conditions are evaluated through each other, so that they must not run in a circle.
fn check_condition_cycles(template: &Template, problems: &mut Problems) {
    let mut sound = std::collections::BTreeSet::new();
    loop {
        let fits = |name: &str, condition: &Expression| {
            let mut fits = true;
            each(condition, |other, _| {
                if let Name::Condition(other) = other {
                    fits &= sound.contains(other) || !template.conditions.contains_key(other);
                }
            });
            fits && !sound.contains(name)
        };
        let more: Vec<_> =
            template.conditions.iter().filter(|(name, c)| fits(name, c)).map(|(name, _)| name.as_str()).collect();
        if more.is_empty() {
            break;
        }
        sound.extend(more);
    }
    let circular = template.conditions.iter().filter(|(name, _)| !sound.contains(name.as_str()));
    let circular: Vec<_> = circular.collect();
    if let Some((_, first)) = circular.first() {
        let names: Vec<_> = circular.iter().map(|(name, _)| name.as_str()).collect();
        let what = format!("Circular dependency between conditions: [{}]", names.join(", "));
        problems.push(Problem::format(first.at, what));
    }
}
