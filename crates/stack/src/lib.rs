//! CloudFormation: templates, and the ordinary API operations that make, change and remove what they describe.
//!
//! [`document`] reads the text, [`template`] what it declares, [`mod@evaluate`] its values; [`types`] knows by which operations a
//! resource is made. [`Stacks`] keeps the stacks; [`Stack::advance`] decides what is to be done next with one. Somebody else does
//! it, in the name of who asked. What there is may be other than what was made: [`Stack::reads`] and [`Stack::checked`] tell how.
//!
//! Source: CloudFormation user guide and API reference. What is not supported is refused, all of a template's problems at once.

mod call;
mod change_set;
mod check;
pub mod document;
mod drift;
pub mod evaluate;
mod page;
mod problem;
mod requests;
mod rollback;
mod run;
mod schema;
mod stack;
mod stacks;
pub mod template;
pub mod types;
mod views;

pub use call::{Call, Step};
pub use change_set::{ChangeSet, Planned};
pub use check::template as check_template;
pub use drift::{Answer, Detection, Difference, DriftStatus, Read, ResourceDrift, is_absent, shown_drift};
pub use problem::{PROBLEMS_MAX, Problem, Problems};
pub use requests::{Begun, Given};
pub use run::{Around, Outcome, Task};
pub use schema::{Property, Shape};
pub use stack::{Event, Made, OnFailure, Operation, OperationKind, OutputValue, Real, Stack, Status, Wanted, key};
pub use stacks::{STACKS_MAX, Stacks};
pub use views::{template_summary, validate_template};
