//! AWS Security Token Service: who am I?

use serde::{Deserialize, Serialize};

crate::service! {
    /// AWS STS.
    Sts via StsApi {
        signing_name: "sts",
        version: "2011-06-15",
        target_prefix: "",
        json_media_type: "",
        query_namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    }
    Read S3 GetCallerIdentity(GetCallerIdentityRequest) -> GetCallerIdentityResponse => get_caller_identity;
}

/// Has no parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetCallerIdentityRequest {}

/// The identity of the key that signed the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCallerIdentityResponse {
    /// The principal's unique id.
    pub user_id: String,
    /// Twelve digits.
    pub account: String,
    /// The principal's ARN.
    pub arn: String,
}
