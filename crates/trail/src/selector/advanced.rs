//! Advanced selectors ("`AdvancedFieldSelector`" in the API reference).

use std::collections::BTreeSet;

use aws_api::ApiError;
use aws_api::cloudtrail::{AdvancedEventSelector, AdvancedFieldSelector};

use super::compiled::{CompiledSelector, Condition, EventCategory, Field, Operator};
use super::{EXCLUDABLE_SOURCES, check_data_resource_type, invalid_selectors};

/// Values in all advanced selectors of a trail ("Quotas in AWS CloudTrail").
const VALUES_MAX: usize = 500;
/// The longest value, in characters.
const VALUE_LEN_MAX: usize = 2048;
/// The longest name of a selector, in characters.
const NAME_LEN_MAX: usize = 1000;

/// An operator's member name, how it compares, whether it is negated, and its values.
type Operation<'a> = (&'static str, Operator, bool, &'a [String]);

/// The operators of a field selector that were given.
fn operations(selector: &AdvancedFieldSelector) -> impl Iterator<Item = Operation<'_>> {
    let all: [Operation<'_>; 6] = [
        ("Equals", Operator::Equals, false, &selector.equals),
        ("StartsWith", Operator::StartsWith, false, &selector.starts_with),
        ("EndsWith", Operator::EndsWith, false, &selector.ends_with),
        ("NotEquals", Operator::Equals, true, &selector.not_equals),
        ("NotStartsWith", Operator::StartsWith, true, &selector.not_starts_with),
        ("NotEndsWith", Operator::EndsWith, true, &selector.not_ends_with),
    ];
    all.into_iter().filter(|(_, _, _, values)| !values.is_empty())
}

/// Checks selectors.
pub(crate) fn check_advanced(selectors: &[AdvancedEventSelector]) -> Result<(), ApiError> {
    let values: usize = selectors
        .iter()
        .flat_map(|selector| &selector.field_selectors)
        .flat_map(operations)
        .map(|(_, _, _, values)| values.len())
        .sum();
    if values > VALUES_MAX {
        return Err(invalid_selectors(format!(
            "The advanced event selectors have {values} values; a trail's may have {VALUES_MAX} in all."
        )));
    }
    selectors.iter().try_for_each(check_one)
}

fn check_one(selector: &AdvancedEventSelector) -> Result<(), ApiError> {
    if selector.name.as_ref().is_some_and(|name| name.chars().count() > NAME_LEN_MAX) {
        return Err(invalid_selectors(format!(
            "The name of an advanced event selector has up to {NAME_LEN_MAX} characters."
        )));
    }
    let mut seen = BTreeSet::new();
    for field in &selector.field_selectors {
        check_values(field)?;
        if !seen.insert(field.field.as_str()) {
            return Err(invalid_selectors(format!("The field {} stands more than once in one selector.", field.field)));
        }
    }
    let category = required_value(selector, "eventCategory")?;
    match category {
        "Management" => selector.field_selectors.iter().try_for_each(check_management_field),
        "Data" => {
            check_data_resource_type(required_value(selector, "resources.type")?)?;
            selector.field_selectors.iter().try_for_each(check_data_field)
        }
        other => Err(invalid_selectors(format!(
            "Value {other} for eventCategory is invalid. Specify Management or Data; events of other categories are not recorded here."
        ))),
    }
}

fn check_values(field: &AdvancedFieldSelector) -> Result<(), ApiError> {
    let name = &field.field;
    let mut values = operations(field).flat_map(|(_, _, _, values)| values).peekable();
    if values.peek().is_none() {
        return Err(invalid_selectors(format!("The field {name} has no operator with a value.")));
    }
    if values.any(|value| value.is_empty() || value.chars().count() > VALUE_LEN_MAX) {
        return Err(invalid_selectors(format!(
            "A value for the field {name} must have 1 to {VALUE_LEN_MAX} characters."
        )));
    }
    Ok(())
}

/// The one value that a required field equals.
fn required_value<'a>(selector: &'a AdvancedEventSelector, name: &str) -> Result<&'a str, ApiError> {
    let field = selector
        .field_selectors
        .iter()
        .find(|field| field.field == name)
        .ok_or_else(|| invalid_selectors(format!("An advanced event selector must have the field {name}.")))?;
    single_equals(field)
}

fn single_equals(field: &AdvancedFieldSelector) -> Result<&str, ApiError> {
    match (field.equals.as_slice(), operations(field).count()) {
        ([value], 1) => Ok(value),
        _ => {
            Err(invalid_selectors(format!("The field {} takes only the operator Equals, with one value.", field.field)))
        }
    }
}

fn check_boolean(field: &AdvancedFieldSelector) -> Result<(), ApiError> {
    match single_equals(field)? {
        "true" | "false" => Ok(()),
        other => {
            Err(invalid_selectors(format!("Value {other} for {} is invalid. Specify true or false.", field.field)))
        }
    }
}

fn check_management_field(field: &AdvancedFieldSelector) -> Result<(), ApiError> {
    match field.field.as_str() {
        "eventCategory" => Ok(()),
        "readOnly" => check_boolean(field),
        "eventSource" => {
            let excludes = field.not_equals.iter().all(|source| EXCLUDABLE_SOURCES.contains(&source.as_str()));
            if excludes && operations(field).all(|(name, ..)| name == "NotEquals") {
                return Ok(());
            }
            Err(invalid_selectors(format!(
                "For management events the field eventSource takes only the operator NotEquals, with {}.",
                EXCLUDABLE_SOURCES.join(" or ")
            )))
        }
        other => Err(invalid_selectors(format!(
            "The field {other} is not valid for management events. Specify eventCategory, eventSource or readOnly."
        ))),
    }
}

fn check_data_field(field: &AdvancedFieldSelector) -> Result<(), ApiError> {
    match field.field.as_str() {
        "eventCategory" | "resources.type" | "eventName" | "resources.ARN" | "eventSource" | "eventType"
        | "userIdentity.arn" => Ok(()),
        "readOnly" => check_boolean(field),
        "sessionCredentialFromConsole" => {
            let boolean = |(name, _, _, values): Operation<'_>| {
                name.ends_with("Equals") && values.iter().all(|value| value == "true" || value == "false")
            };
            if operations(field).all(boolean) {
                return Ok(());
            }
            Err(invalid_selectors(
                "The field sessionCredentialFromConsole takes only the operators Equals and NotEquals, with true or false.",
            ))
        }
        other => Err(invalid_selectors(format!(
            "The field {other} is not valid for data events. Specify eventCategory, resources.type, resources.ARN, readOnly, \
             eventName, eventSource, eventType, userIdentity.arn or sessionCredentialFromConsole."
        ))),
    }
}

/// What the selectors mean.
pub(crate) fn compile_advanced(selectors: &[AdvancedEventSelector]) -> Vec<CompiledSelector> {
    selectors.iter().map(compile_one).collect()
}

fn compile_one(selector: &AdvancedEventSelector) -> CompiledSelector {
    let equals = |name: &str| {
        selector.field_selectors.iter().find(|field| field.field == name).and_then(|field| field.equals.first())
    };
    let mut conditions = Vec::new();
    for field in &selector.field_selectors {
        let Some(looks_at) = condition_field(&field.field) else { continue };
        conditions.extend(operations(field).map(|(_, operator, negated, values)| Condition {
            field: looks_at,
            operator,
            negated,
            values: values.to_vec(),
        }));
    }
    let management = equals("eventCategory").is_some_and(|category| category == "Management");
    CompiledSelector {
        category: if management { EventCategory::Management } else { EventCategory::Data },
        resource_type: equals("resources.type").cloned().unwrap_or_default(),
        read_only: equals("readOnly").map(|value| value == "true"),
        conditions,
    }
}

/// The fields that are compared as text; the others have members of their own in the compiled selector.
fn condition_field(name: &str) -> Option<Field> {
    Some(match name {
        "eventSource" => Field::EventSource,
        "eventName" => Field::EventName,
        "eventType" => Field::EventType,
        "userIdentity.arn" => Field::UserIdentityArn,
        "sessionCredentialFromConsole" => Field::SessionCredentialFromConsole,
        "resources.ARN" => Field::ResourceArn,
        _ => return None,
    })
}
