//! `userIdentity` from the requester.

use std::borrow::Cow;

use serde::Serialize;

use crate::origin::{ACCOUNT_ID_LEN, is_digits};

/// `accountId` of a request without a signature, as real records have it.
const ANONYMOUS: &str = "anonymous";
/// What S3 does by itself, such as deleting what has expired (S3 user guide, "Lifecycle and logging").
const S3_ITSELF: &str = "AmazonS3";

/// The `userIdentity` element, in the order of real records; a text that is empty is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_context: Option<SessionContext<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<&'a str>,
}

/// Where a session comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionContext<'a> {
    pub session_issuer: SessionIssuer<'a>,
}

/// The role behind a session. Its ARN is made of the session's, which does not have the role's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionIssuer<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub arn: String,
    pub account_id: &'a str,
    pub user_name: &'a str,
}

impl<'a> Identity<'a> {
    /// Of a requester; `is_signed` says whether the request was, for one that S3 knows no requester of.
    pub(crate) fn of(requester: Option<&'a str>, is_signed: bool) -> Self {
        let Some(requester) = requester else {
            return if is_signed { Self::unproven() } else { Self::anonymous() };
        };
        if let Some(service) = requester.strip_prefix("svc:") {
            return Self::service(service);
        }
        if requester == S3_ITSELF {
            return Self::service("s3.amazonaws.com");
        }
        if requester.starts_with("arn:") {
            return Self::of_arn(requester);
        }
        // A canonical id. Other servers write their own name of the account.
        Self { kind: "AWSAccount", principal_id: Some(requester.into()), ..Self::default() }
    }

    fn anonymous() -> Self {
        Self { kind: "AWSAccount", principal_id: Some("".into()), account_id: Some(ANONYMOUS), ..Self::default() }
    }

    /// A signature that S3 did not accept: nothing is said of who made the request.
    fn unproven() -> Self {
        Self { kind: "Unknown", ..Self::default() }
    }

    fn service(name: &'a str) -> Self {
        Self { kind: "AWSService", invoked_by: Some(name), ..Self::default() }
    }

    /// `arn:partition:iam::account:user/path/name`, `…:root`, `arn:partition:sts::account:assumed-role/role/session`, …
    fn of_arn(arn: &'a str) -> Self {
        let unknown = Self { kind: "Unknown", arn: Some(arn), ..Self::default() };
        let mut parts = arn.splitn(6, ':').skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let [partition, service, _region, account, resource] = [next(), next(), next(), next(), next()];
        if !is_digits(account, ACCOUNT_ID_LEN) {
            return unknown;
        }
        let known = Self { account_id: Some(account), ..unknown };
        let (form, name) = resource.split_once('/').unwrap_or((resource, ""));
        match (service, form) {
            ("iam", "root") => Self { kind: "Root", principal_id: Some(account.into()), ..known },
            ("iam", "user") => Self { kind: "IAMUser", user_name: name.rsplit('/').next(), ..known },
            ("iam", "role") => Self { kind: "Role", ..known },
            ("sts", "federated-user") => {
                Self { kind: "FederatedUser", principal_id: Some(format!("{account}:{name}").into()), ..known }
            }
            ("sts", "assumed-role") => {
                let role = name.split_once('/').map_or(name, |(role, _session)| role);
                let session_issuer = SessionIssuer {
                    kind: "Role",
                    arn: format!("arn:{partition}:iam::{account}:role/{role}"),
                    account_id: account,
                    user_name: role,
                };
                Self { kind: "AssumedRole", session_context: Some(SessionContext { session_issuer }), ..known }
            }
            _ => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(requester: Option<&str>, is_signed: bool) -> String {
        serde_json::to_string(&Identity::of(requester, is_signed)).unwrap()
    }

    #[test]
    fn the_type_is_in_the_form_of_the_requester() {
        for (requester, identity) in [
            (
                "arn:aws:iam::111122223333:user/backup/nightly",
                r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/backup/nightly","accountId":"111122223333","userName":"nightly"}"#,
            ),
            (
                "arn:aws-cn:iam::111122223333:root",
                r#"{"type":"Root","principalId":"111122223333","arn":"arn:aws-cn:iam::111122223333:root","accountId":"111122223333"}"#,
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/etl/i-0abc",
                r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/etl/i-0abc","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/etl","accountId":"111122223333","userName":"etl"}}}"#,
            ),
            (
                "arn:aws:sts::111122223333:federated-user/rob",
                r#"{"type":"FederatedUser","principalId":"111122223333:rob","arn":"arn:aws:sts::111122223333:federated-user/rob","accountId":"111122223333"}"#,
            ),
            ("arn:aws:iam::12:user/x", r#"{"type":"Unknown","arn":"arn:aws:iam::12:user/x"}"#),
            (
                "arn:aws:x::111122223333:y",
                r#"{"type":"Unknown","arn":"arn:aws:x::111122223333:y","accountId":"111122223333"}"#,
            ),
            ("svc:cloudtrail.amazonaws.com", r#"{"type":"AWSService","invokedBy":"cloudtrail.amazonaws.com"}"#),
            ("AmazonS3", r#"{"type":"AWSService","invokedBy":"s3.amazonaws.com"}"#),
            ("79a59df9", r#"{"type":"AWSAccount","principalId":"79a59df9"}"#),
        ] {
            assert_eq!(json(Some(requester), true), identity);
        }
    }

    #[test]
    fn nobody_is_anonymous_only_without_a_signature() {
        assert_eq!(json(None, false), r#"{"type":"AWSAccount","principalId":"","accountId":"anonymous"}"#);
        assert_eq!(json(None, true), r#"{"type":"Unknown"}"#);
    }
}
