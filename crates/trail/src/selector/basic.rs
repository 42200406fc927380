//! Basic selectors.

use aws_api::ApiError;
use aws_api::cloudtrail::{DataResource, EventSelector};

use super::compiled::{CompiledSelector, Condition, EventCategory, Field, Operator};
use super::{EXCLUDABLE_SOURCES, check_data_resource_type, invalid_selectors};

/// Basic selectors of a trail ("Quotas in AWS CloudTrail").
const SELECTORS_MAX: usize = 5;
/// `DataResources.Values` of all basic selectors of a trail.
const VALUES_MAX: usize = 250;

/// What a new trail has, in full: all management events.
pub(crate) fn default_basic() -> EventSelector {
    EventSelector {
        read_write_type: Some("All".into()),
        include_management_events: Some(true),
        ..EventSelector::default()
    }
}

/// Checks selectors and fills in what was left out, as `GetEventSelectors` shows them.
pub(crate) fn check_basic(selectors: &[EventSelector]) -> Result<Vec<EventSelector>, ApiError> {
    if selectors.len() > SELECTORS_MAX {
        return Err(invalid_selectors("Specify a valid number of selectors (1 to 5) for your trail."));
    }
    let values: usize = selectors.iter().flat_map(|s| &s.data_resources).map(|resource| resource.values.len()).sum();
    if values > VALUES_MAX {
        return Err(invalid_selectors(
            "Specify a valid number of DataResources.Values (0 to 250) for all your selectors.",
        ));
    }
    selectors.iter().map(check_one).collect()
}

fn check_one(selector: &EventSelector) -> Result<EventSelector, ApiError> {
    let read_write = selector.read_write_type.as_deref().unwrap_or("All");
    if !matches!(read_write, "All" | "ReadOnly" | "WriteOnly") {
        return Err(invalid_selectors(format!(
            "Value {read_write} for ReadWriteType is invalid. Specify ReadOnly, WriteOnly or All."
        )));
    }
    let management = selector.include_management_events.unwrap_or(true);
    if !management && selector.data_resources.is_empty() {
        return Err(invalid_selectors(
            "Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty.",
        ));
    }
    for source in &selector.exclude_management_event_sources {
        if !EXCLUDABLE_SOURCES.contains(&source.as_str()) {
            return Err(invalid_selectors(format!(
                "Value {source} for ExcludeManagementEventSources is invalid. Specify {}.",
                EXCLUDABLE_SOURCES.join(" or ")
            )));
        }
    }
    selector.data_resources.iter().try_for_each(check_data_resource)?;
    Ok(EventSelector {
        read_write_type: Some(read_write.to_owned()),
        include_management_events: Some(management),
        ..selector.clone()
    })
}

fn check_data_resource(resource: &DataResource) -> Result<(), ApiError> {
    check_data_resource_type(&resource.r#type)?;
    match resource.values.iter().find(|value| !is_object_prefix(value)) {
        None => Ok(()),
        Some(value) => Err(invalid_selectors(format!("Value {value} for DataResources.Values is invalid."))),
    }
}

/// All buckets, or a bucket with its slash and maybe the beginning of a key. Stars are not wildcards, and CloudTrail takes
/// none.
fn is_object_prefix(value: &str) -> bool {
    if matches!(value, "arn:aws:s3" | "arn:aws:s3:::") {
        return true;
    }
    let Some((bucket, key)) = value.strip_prefix("arn:aws:s3:::").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !bucket.is_empty() && bucket.bytes().all(plain) && !key.contains('*')
}

/// What the selectors mean: each is up to one selector of management events and one of data events for each type.
pub(crate) fn compile_basic(selectors: &[EventSelector]) -> Vec<CompiledSelector> {
    let mut compiled = Vec::new();
    for selector in selectors {
        let read_only = match selector.read_write_type.as_deref() {
            Some("ReadOnly") => Some(true),
            Some("WriteOnly") => Some(false),
            _ => None,
        };
        if selector.include_management_events.unwrap_or(true) {
            compiled.push(CompiledSelector {
                category: EventCategory::Management,
                resource_type: String::new(),
                read_only,
                conditions: excluding(&selector.exclude_management_event_sources),
            });
        }
        compiled.extend(selector.data_resources.iter().map(|resource| CompiledSelector {
            category: EventCategory::Data,
            resource_type: resource.r#type.clone(),
            read_only,
            conditions: vec![Condition {
                field: Field::ResourceArn,
                operator: Operator::StartsWith,
                negated: false,
                values: resource.values.clone(),
            }],
        }));
    }
    compiled
}

fn excluding(sources: &[String]) -> Vec<Condition> {
    if sources.is_empty() {
        return Vec::new();
    }
    vec![Condition { field: Field::EventSource, operator: Operator::Equals, negated: true, values: sources.to_vec() }]
}
