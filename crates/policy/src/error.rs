//! Why a document is no policy.

use std::fmt;

/// Characters of the document's own text that an error repeats.
const QUOTED_CHARS_MAX: usize = 200;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} ({place})")]
pub struct PolicyError {
    /// What is wrong, in S3's words.
    pub problem: Problem,
    /// Where: statement, element and value.
    pub place: String,
}

impl PolicyError {
    pub(crate) fn new(problem: Problem, place: impl Into<String>) -> Self {
        Self { problem, place: shortened(&place.into()) }
    }
}

/// A text of a stranger's, no longer than an error should be.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is wrong with a policy. The texts are those of S3's `MalformedPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The first byte is no brace.
    NotAnObject,
    /// It is no JSON, or a member is there twice.
    InvalidJson,
    /// It is longer than it may be.
    TooLong(usize),
    /// `Version` is neither of IAM's two.
    Version,
    /// A required element is not there.
    Missing(&'static str),
    /// An element that a policy does not have, or that is not supported.
    UnknownField(String),
    /// There is no statement.
    NoStatement,
    /// `Effect` is neither `Allow` nor `Deny`.
    Effect(String),
    /// Two statements have one name.
    DuplicateSid,
    /// A principal that cannot be, or of a kind that is not supported.
    Principal,
    /// An action that the service does not have.
    Action,
    /// A resource that the policy does not belong to.
    Resource,
    /// An action that cannot be done to any resource of the statement.
    ActionWithoutResource,
    /// A condition operator that does not exist or is not supported.
    Operator(String),
    /// A condition key that does not exist or is not supported.
    ConditionKey,
    /// A condition key that requests for the statement's actions do not have.
    ConditionWithoutAction,
    /// A value of the wrong form.
    Syntax,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => "Policies must be valid JSON and the first byte must be '{'",
            Self::InvalidJson => "This policy contains invalid Json",
            Self::TooLong(max) => {
                return write!(f, "Normalized policy document exceeds the maximum allowed size of {max} bytes.");
            }
            Self::Version => "The policy must contain a valid version string",
            Self::Missing(name) => return write!(f, "Missing required field {name}"),
            Self::UnknownField(name) => return write!(f, "Unknown field {name}"),
            Self::NoStatement => "Could not parse the policy: Statement is empty!",
            Self::Effect(effect) => return write!(f, "Invalid effect: {effect}"),
            Self::DuplicateSid => "Statement IDs (SID) in a single policy must be unique.",
            Self::Principal => "Invalid principal in policy",
            Self::Action => "Policy has invalid action",
            Self::Resource => "Policy has invalid resource",
            Self::ActionWithoutResource => "Action does not apply to any resource(s) in statement",
            Self::Operator(name) => return write!(f, "Invalid Condition type : {name}"),
            Self::ConditionKey => "Policy has an invalid condition key",
            Self::ConditionWithoutAction => {
                "Conditions do not apply to combination of actions and resources in statement"
            }
            Self::Syntax => "Invalid policy syntax.",
        })
    }
}
