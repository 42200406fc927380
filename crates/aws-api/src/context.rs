//! Who calls, when, and through which door: what every operation is told besides its parameters.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::tag::is_system_tag;

/// What a key may do, in the order of how much of the control plane it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Object and bucket requests to S3, and `GetCallerIdentity`.
    S3,
    /// Reads: of trails, rules, topics and queues, and of S3.
    Audit,
    /// Everything.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S3 => "s3",
            Self::Audit => "audit",
            Self::Admin => "admin",
        })
    }
}

/// The proven caller of an operation, as the control plane needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account that the key belongs to: twelve digits.
    pub account: String,
    /// `arn:aws:iam::111122223333:user/nightly-backup`.
    pub arn: String,
    /// The unique id (`AIDA…`, `AROA…:session`, or the account for its root).
    pub principal_id: String,
    /// The ARN of the role behind a session; `None` for everybody else.
    pub role_arn: Option<String>,
    /// What the key may do.
    pub role: Role,
}

/// One authenticated request to one operation, without its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// Who calls.
    pub caller: Caller,
    /// The region of the credential scope.
    pub region: String,
    /// When the request arrived: one moment for the whole of it.
    pub now: Timestamp,
    /// A UUID, also in the answer.
    pub request_id: String,
    /// Scheme and authority that the client used, such as `http://127.0.0.1:4566`, for the URLs in answers.
    pub endpoint: String,
    /// The service that makes the operation in the caller's name: `cloudformation.amazonaws.com`. `None` of what the caller asked
    /// for itself; nothing in a request can say otherwise.
    pub via: Option<&'static str>,
}

impl Caller {
    /// Is it the root of its account?
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }
}

impl RequestContext {
    /// May the operation set or remove a tag of this key? Services keep those that begin with `aws:` for themselves.
    pub fn may_tag(&self, key: &str) -> bool {
        self.via.is_some() || !is_system_tag(key)
    }

    /// The account whose resources the request is about: the caller's.
    pub fn account(&self) -> &str {
        &self.caller.account
    }
}
