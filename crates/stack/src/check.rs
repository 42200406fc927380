//! Whether a template can be deployed, and the values of its parameters.

use std::collections::BTreeMap;

use aws_api::ApiError;
use aws_api::cloudformation::Parameter;

use crate::evaluate::{Pseudo, circle, conditions, rules};
use crate::problem::{Problem, Problems};
use crate::run::unsupported;
use crate::schema;
use crate::stacks::invalid;
use crate::template::{Name, Template};
use crate::types::resource_type;

/// Reads a template, and looks at the types of its resources, their properties and attributes.
///
/// # Errors
/// All that is wrong with it.
pub fn template(text: &str) -> Result<Template, Problems> {
    let template = Template::parse(text)?;
    let mut problems = Problems::default();
    for resource in &template.resources {
        let Some(kind) = resource_type(&resource.kind) else {
            problems.push(Problem::new(resource.kind_at, unsupported(&resource.kind)));
            continue;
        };
        schema::check(&resource.logical_id, "", kind.properties, &resource.properties, resource.at, &mut problems);
        for (_, _, value) in &resource.properties {
            check_attributes(&template, value, &mut problems);
        }
    }
    for output in &template.outputs {
        check_attributes(&template, &output.value, &mut problems);
    }
    problems.into_result()?;
    Ok(template)
}

fn check_attributes(template: &Template, value: &crate::template::Expression, problems: &mut Problems) {
    value.names(&|_| None, &mut |name, at| {
        let Name::Attribute(resource, attribute) = name else { return };
        let kind = template.resource(resource).and_then(|resource| resource_type(&resource.kind));
        if kind.is_some_and(|kind| !kind.attributes.contains(&attribute)) {
            let what = format!("resource {resource} does not support attribute type {attribute} in Fn::GetAtt");
            problems.push(Problem::error(at, what));
        }
    });
}

/// The value of every parameter: given, kept from before, or the default.
pub(crate) fn parameters(
    template: &Template,
    given: &[Parameter],
    before: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let unknown: Vec<_> = given
        .iter()
        .filter_map(|parameter| parameter.parameter_key.as_deref())
        .filter(|key| template.parameter(key).is_none())
        .collect();
    if !unknown.is_empty() {
        return Err(invalid(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))));
    }
    let (mut values, mut without) = (BTreeMap::new(), Vec::new());
    for declared in &template.parameters {
        let named = given.iter().find(|parameter| parameter.parameter_key.as_deref() == Some(&declared.name));
        let value = match named {
            Some(parameter) if parameter.use_previous_value == Some(true) => before.get(&declared.name).cloned(),
            Some(parameter) => parameter.parameter_value.clone(),
            None => declared.default.clone(),
        };
        match value {
            Some(value) => {
                if let Some(refusal) = declared.refusal(&value) {
                    return Err(invalid(refusal));
                }
                values.insert(declared.name.clone(), value);
            }
            None => without.push(declared.name.as_str()),
        }
    }
    if without.is_empty() {
        return Ok(values);
    }
    Err(invalid(format!("Parameters: [{}] must have values", without.join(", "))))
}

/// Are the values what the rules say, and do the resources depend on each other in no circle where they lead?
pub(crate) fn values(template: &Template, values: &BTreeMap<String, String>, pseudo: &Pseudo) -> Result<(), ApiError> {
    rules(template, values, pseudo).map_err(|problem| invalid(problem.to_string()))?;
    let decided = conditions(template, values, pseudo).map_err(|problem| invalid(problem.to_string()))?;
    let circle = circle(template, &decided);
    if circle.is_empty() {
        return Ok(());
    }
    Err(invalid(format!("Circular dependency between resources: [{}]", circle.join(", "))))
}
