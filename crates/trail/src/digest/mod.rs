//! Digest files: what they say, how they are signed and chained, and how a chain is proven.
//!
//! A digest names the log files that were delivered in its interval, with their hashes, and the digest before it with its
//! hash and signature. Whoever can prove the newest can prove all of them.
//!
//! Source: CloudTrail user guide, "CloudTrail digest file structure" and "Custom implementations of CloudTrail log file
//! integrity validation"; the AWS CLI's `validate-logs` where the guide is silent.

mod chain;
mod content;
mod coverage;
mod name;
mod public_key;
mod walk;

#[cfg(test)]
mod tests;

pub use chain::{Chain, DIGEST_FILES_MAX, Due, NotedFile, Situation, due};
pub use content::{Digest, HASH_ALGORITHM, Hash, LogFile, PreviousDigest, SIGNATURE_ALGORITHM, hash, string_to_sign};
pub use coverage::Coverage;
pub use name::{DigestName, digest_key, is_log_file_name};
pub use public_key::{PublicKey, PublicKeyError, PublicKeys, fingerprint};
pub use walk::{
    Beside, Finding, LogRead, Place, Problem, ProblemKind, Range, Read, Unproven, Verdict, Walk, judge_log,
};
