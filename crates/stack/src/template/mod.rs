//! A template, read and checked: what it declares, without any values.
//!
//! Source: CloudFormation user guide, "Template sections" and the pages below it.

mod expression;
mod functions;
mod names;
mod parameter;
mod read;
mod rule;
mod section;
mod sub;

pub use expression::{Expression, Form, Name};
pub use parameter::{Parameter, ParameterKind};
pub use rule::{Assertion, Rule};
pub use section::{DeletionPolicy, Output, Resource, Template};

pub use sub::Part;

/// The longest template (quotas: `TemplateURL`, 1 MB).
pub const TEMPLATE_LEN_MAX: usize = 1_000_000;
/// The longest template that stands in a request (`TemplateBody`).
pub const TEMPLATE_BODY_LEN_MAX: usize = 51_200;
/// Resources of a template.
pub const RESOURCES_MAX: usize = 500;
/// Parameters of a template.
pub const PARAMETERS_MAX: usize = 200;
/// Outputs of a template.
pub const OUTPUTS_MAX: usize = 200;
/// Mappings of a template, and attributes of a mapping's key.
pub const MAPPINGS_MAX: usize = 200;
