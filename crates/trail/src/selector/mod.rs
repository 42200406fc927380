//! Selectors: which events a trail chooses ("Logging data events" in the guide).
//!
//! Basic selectors are translated to what the advanced ones compile to, so that there is one evaluation and the two cannot
//! drift apart.

mod advanced;
mod basic;
mod compiled;

use aws_api::ApiError;

pub(crate) use advanced::{check_advanced, compile_advanced};
pub(crate) use basic::{check_basic, compile_basic, default_basic};
pub use compiled::{CompiledSelectors, EventCategory, EventFacts, ResourceName};

/// The types of resources whose data events are recorded. Selectors for others would never choose anything.
pub(crate) const DATA_RESOURCE_TYPES: &[&str] = &["AWS::S3::Object"];

/// Sources whose management events a selector may leave out ("`EventSelector`" in the API reference).
pub(crate) const EXCLUDABLE_SOURCES: &[&str] = &["kms.amazonaws.com", "rdsdata.amazonaws.com"];

pub(crate) fn invalid_selectors(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidEventSelectorsException", message)
}

pub(crate) fn check_data_resource_type(name: &str) -> Result<(), ApiError> {
    if DATA_RESOURCE_TYPES.contains(&name) {
        return Ok(());
    }
    Err(invalid_selectors(format!(
        "Data events of the resource type {name} are not recorded here; a selector for them would choose nothing. Recorded: {}.",
        DATA_RESOURCE_TYPES.join(", ")
    )))
}
