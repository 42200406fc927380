//! The text of a template as a tree that remembers where everything stood.
//!
//! JSON and YAML give the same tree. The short forms of YAML (`!Ref x`, `!Sub …`) stand in it as their long forms, so that
//! nothing behind this module knows which of the two was written.
//!
//! Source: CloudFormation user guide, "CloudFormation template formats": YAML 1.1 without the tags `binary`, `omap`, `pairs`,
//! `set`, `timestamp`, without aliases and hash merges.

mod node;
mod parse;

pub(crate) use node::number;
pub use node::{Kind, Member, Node, Position};
pub use parse::{DEPTH_MAX, parse};
