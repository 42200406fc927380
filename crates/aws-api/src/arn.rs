//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest ARN that is accepted from outside, in bytes (EventBridge's and IAM's bound).
pub const ARN_LEN_MAX: usize = 1600;

/// `arn:partition:service:region:account-id:resource`, taken apart.
///
/// See "Amazon Resource Names (ARNs)" in the IAM reference. `region` and `account` may be empty, as in `arn:aws:s3:::bucket`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    /// `aws`, `aws-cn`, …
    pub partition: String,
    /// `s3`, `sqs`, `events`, …
    pub service: String,
    /// Such as `eu-central-1`; empty where the service has none in its ARNs.
    pub region: String,
    /// Twelve digits; empty where the service has none in its ARNs.
    pub account: String,
    /// What the service makes of the rest; may hold `:` and `/`.
    pub resource: String,
}

/// A text that is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Amazon Resource Name (arn:partition:service:region:account-id:resource)")]
pub struct InvalidArn;

impl Arn {
    /// An ARN of the partition `aws`.
    pub fn new(service: &str, region: &str, account: &str, resource: impl Into<String>) -> Self {
        Self {
            partition: "aws".into(),
            service: service.into(),
            region: region.into(),
            account: account.into(),
            resource: resource.into(),
        }
    }
}

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, InvalidArn> {
        if text.len() > ARN_LEN_MAX {
            return Err(InvalidArn);
        }
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(InvalidArn);
        if next()? != "arn" {
            return Err(InvalidArn);
        }
        let arn = Self {
            partition: next()?.into(),
            service: next()?.into(),
            region: next()?.into(),
            account: next()?.into(),
            resource: next()?.into(),
        };
        if arn.partition.is_empty() || arn.service.is_empty() || arn.resource.is_empty() {
            return Err(InvalidArn);
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl TryFrom<String> for Arn {
    type Error = InvalidArn;

    fn try_from(text: String) -> Result<Self, InvalidArn> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for text in
            ["arn:aws:sqs:eu-central-1:111122223333:q", "arn:aws:s3:::b/k:with:colons", "arn:aws:sns:r:a:t:uuid"]
        {
            assert_eq!(text.parse::<Arn>().map(|arn| arn.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn refused() {
        for text in ["", "arn", "arn:aws:sqs:r:a", "arn:aws:sqs:r:a:", "arn::sqs:r:a:q", "ARN:aws:sqs:r:a:q"] {
            assert_eq!(text.parse::<Arn>(), Err(InvalidArn), "{text}");
        }
    }
}
