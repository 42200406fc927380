//! Which queue: account, region and name, in URLs, ARNs and keys.

use std::fmt;
use std::str::FromStr;

use aws_api::{ApiError, Arn, RequestContext};
use serde::{Deserialize, Serialize};

use crate::limits::QUEUE_NAME_LEN_MAX;
use crate::refusal;

/// What tells one queue from another; its text is `account/region/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// The region of the credential scope that it was made with.
    pub region: String,
    /// 1 to 80 letters, digits, `-`, `_`.
    pub name: String,
}

impl Place {
    /// The queue of this name in the caller's account and region.
    pub fn new(ctx: &RequestContext, name: impl Into<String>) -> Self {
        Self { account: ctx.account().into(), region: ctx.region.clone(), name: name.into() }
    }

    /// `arn:aws:sqs:region:account:name`.
    pub fn arn(&self) -> String {
        Arn::new("sqs", &self.region, &self.account, self.name.as_str()).to_string()
    }

    /// The place that an ARN of a queue names; `None` for any other text.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let arn: Arn = arn.parse().ok()?;
        (arn.service == "sqs" && !arn.region.is_empty() && is_account(&arn.account) && is_queue_name(&arn.resource))
            .then_some(Self { account: arn.account, region: arn.region, name: arn.resource })
    }

    /// The URL at the endpoint that the client uses.
    pub fn url(&self, ctx: &RequestContext) -> String {
        format!("{}/{}/{}", ctx.endpoint, self.account, self.name)
    }

    /// Reads a `QueueUrl`: the host may be any ("queue and message identifiers" lists several forms), the path decides.
    pub(crate) fn from_url(ctx: &RequestContext, url: Option<&str>) -> Result<Self, ApiError> {
        let url = url.filter(|url| !url.is_empty()).ok_or_else(|| refusal::missing("QueueUrl"))?;
        let path = url.split_once("://").map_or(Some(url), |(_, rest)| rest.split_once('/').map(|(_, path)| path));
        let place = path.and_then(|path| {
            let (account, name) = path.trim_start_matches('/').trim_end_matches('/').split_once('/')?;
            (is_account(account) && is_queue_name(name)).then_some((account, name))
        });
        let (account, name) = place.ok_or_else(|| {
            ApiError::new("InvalidAddress", format!("The address {url} is not valid for this endpoint."))
        })?;
        Ok(Self { account: account.to_owned(), ..Self::new(ctx, name) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.region, self.name)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '/').map(str::to_owned);
        let mut next = || parts.next().ok_or(());
        Ok(Self { account: next()?, region: next()?, name: next()? })
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// 1 to 80 letters, digits, `-`, `_`; the `.` of FIFO queues is counted in, so that they are unknown and not malformed.
pub fn is_queue_name(name: &str) -> bool {
    is_plain(name.strip_suffix(".fifo").unwrap_or(name)) && name.len() <= QUEUE_NAME_LEN_MAX
}

/// Not empty; ASCII letters, digits, `-`, `_`.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A number of the request, held to a range; `default` stands in for an absent one.
pub fn ranged(
    value: Option<i32>,
    range: std::ops::RangeInclusive<u32>,
    default: u32,
    parameter: &str,
    reason: &str,
) -> Result<u32, ApiError> {
    let Some(value) = value else { return Ok(default) };
    u32::try_from(value)
        .ok()
        .filter(|value| range.contains(value))
        .ok_or_else(|| refusal::invalid_value(value, parameter, reason))
}
