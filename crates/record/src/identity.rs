//! `userIdentity`: who made the request.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `userIdentity` element, in the order that real records have.
///
/// Source: CloudTrail user guide, "CloudTrail userIdentity element". Only a proven signature fills it; see
/// [`UserIdentity::unproven`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserIdentity {
    /// `Root`, `IAMUser`, `AssumedRole`, `FederatedUser`, `AWSAccount`, `AWSService`, …
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The unique id of the principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The principal's ARN; one for each session of a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Twelve digits, or `anonymous`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The key that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The name of an IAM user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Of temporary credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_context: Option<SessionContext>,
    /// The AWS service that made the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where temporary credentials come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionContext {
    /// The role or user behind the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<SessionIssuer>,
    /// When the session began, and how its user proved to be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// `1.0` (IMDSv1) or `2.0` (IMDSv2), for a role on an EC2 instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec2_role_delivery: Option<String>,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The role or user behind a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionIssuer {
    /// `Role` or `IAMUser`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `AROA…`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub principal_id: String,
    /// `arn:aws:iam::111122223333:role/etl`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub arn: String,
    /// Twelve digits.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account_id: String,
    /// The role's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_name: String,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The attributes of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attributes {
    /// `2026-03-14T08:00:00Z`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<String>,
    /// `"true"` or `"false"`, as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mfa_authenticated: String,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `accountId` of a request without a signature.
pub(crate) const ANONYMOUS: &str = "anonymous";
/// The same, as many records of AWS have it.
const ANONYMOUS_PRINCIPAL: &str = "ANONYMOUS_PRINCIPAL";

/// Whether an identity is what [`UserIdentity::as_seen_by_others`] says.
pub fn is_foreign(kind: Option<&str>, account_id: Option<&str>) -> bool {
    kind == Some("AWSAccount") && !account_id.is_some_and(|id| [ANONYMOUS, ANONYMOUS_PRINCIPAL].contains(&id))
}

impl UserIdentity {
    /// A request without a signature.
    pub fn anonymous() -> Self {
        Self {
            kind: "AWSAccount".into(),
            principal_id: Some(String::new()),
            account_id: Some(ANONYMOUS.into()),
            ..Self::default()
        }
    }

    /// What the account that was called is told of a caller of another account ("CloudTrail record contents", `sharedEventID`):
    /// neither name nor key.
    #[must_use]
    pub fn as_seen_by_others(&self) -> Self {
        Self {
            kind: "AWSAccount".into(),
            principal_id: self.principal_id.clone(),
            account_id: self.account_id.clone(),
            ..Self::default()
        }
    }

    /// A service on the caller's behalf, such as `cloudtrail.amazonaws.com` delivering a log file.
    pub fn service(name: &str) -> Self {
        Self { kind: "AWSService".into(), invoked_by: Some(name.into()), ..Self::default() }
    }

    /// A request whose signature was not proven: nothing is said of who made it. The key id that it named stands in
    /// `additionalEventData.claimedAccessKeyId`.
    pub fn unproven() -> Self {
        Self { kind: "Unknown".into(), ..Self::default() }
    }

    /// The ARN of the role behind a session; `None` if it is no role's. Where only the session's ARN is known, it is taken from
    /// that, which does not have the role's path.
    pub fn role_arn(&self) -> Option<String> {
        let issuer = self.session_context.as_ref().and_then(|session| session.session_issuer.as_ref());
        if let Some(issuer) = issuer.filter(|issuer| issuer.arn.contains(":role/")) {
            return Some(issuer.arn.clone());
        }
        let (before, session) = self.arn.as_deref()?.split_once(":assumed-role/")?;
        let (role, _) = session.split_once('/')?;
        Some(format!("{}:role/{role}", before.replacen(":sts:", ":iam:", 1)))
    }

    /// The name that `LookupEvents` shows and finds: of a user its own, of a session the session's, `root` of an account.
    pub fn username(&self) -> Option<&str> {
        if let Some(name) = self.user_name.as_deref().filter(|name| !name.is_empty()) {
            return Some(name);
        }
        match self.kind.as_str() {
            "Root" => Some("root"),
            // `AROA…:session`, `111122223333:rob`
            "AssumedRole" | "FederatedUser" => {
                self.principal_id.as_deref()?.split_once(':').map(|(_, session)| session)
            }
            _ => self.invoked_by.as_deref(),
        }
    }

    /// The name under which requests are grouped: the role behind a session, else the ARN, else the service that called, else
    /// account and principal, else `anonymous`.
    pub fn grouping(&self) -> String {
        let issuer = self.session_context.as_ref().and_then(|session| session.session_issuer.as_ref());
        let parts = GroupingParts {
            issuer_arn: issuer.map(|issuer| issuer.arn.as_str()),
            arn: self.arn.as_deref(),
            invoked_by: self.invoked_by.as_deref(),
            account: self.account_id.as_deref(),
            principal: self.principal_id.as_deref(),
        };
        parts.grouping().into_owned()
    }
}

/// What [`UserIdentity::grouping`] is made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct GroupingParts<'a> {
    /// `sessionContext.sessionIssuer.arn`
    pub issuer_arn: Option<&'a str>,
    /// `arn`
    pub arn: Option<&'a str>,
    /// `invokedBy`
    pub invoked_by: Option<&'a str>,
    /// `accountId`
    pub account: Option<&'a str>,
    /// `principalId`
    pub principal: Option<&'a str>,
}

impl<'a> GroupingParts<'a> {
    /// [`UserIdentity::grouping`]
    pub fn grouping(&self) -> Cow<'a, str> {
        let issuer = self.issuer_arn.filter(|arn| !arn.is_empty());
        if let Some(name) = issuer.or(self.arn).or(self.invoked_by) {
            return name.into();
        }
        match (self.account.unwrap_or_default(), self.principal.unwrap_or_default()) {
            (ANONYMOUS | ANONYMOUS_PRINCIPAL, _) | ("", "") => ANONYMOUS.into(),
            // An access log knows accounts by their canonical ids alone.
            ("", principal) => principal.into(),
            (account, "") => account.into(),
            (account, principal) => format!("{account}:{principal}").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_behind_a_session() {
        let session = UserIdentity {
            arn: Some("arn:aws:sts::111122223333:assumed-role/etl/i-0abc".into()),
            ..UserIdentity::default()
        };
        assert_eq!(session.role_arn().as_deref(), Some("arn:aws:iam::111122223333:role/etl"));
        let issuer =
            SessionIssuer { arn: "arn:aws:iam::111122223333:role/team/etl".into(), ..SessionIssuer::default() };
        let context = SessionContext { session_issuer: Some(issuer.clone()), ..SessionContext::default() };
        let known = UserIdentity { session_context: Some(context), ..session };
        assert_eq!(known.role_arn(), Some(issuer.arn));
        let user = UserIdentity { arn: Some("arn:aws:iam::111122223333:user/u".into()), ..UserIdentity::default() };
        assert_eq!(user.role_arn(), None);
    }

    #[test]
    fn names_that_a_look_up_finds() {
        let identity = |kind: &str, principal: &str, user: Option<&str>| UserIdentity {
            kind: kind.into(),
            principal_id: Some(principal.into()),
            user_name: user.map(Into::into),
            ..UserIdentity::default()
        };
        assert_eq!(identity("IAMUser", "AIDA", Some("mia")).username(), Some("mia"));
        assert_eq!(identity("Root", "111122223333", None).username(), Some("root"));
        assert_eq!(identity("AssumedRole", "AROA:i-0abc", None).username(), Some("i-0abc"));
        assert_eq!(identity("FederatedUser", "111122223333:rob", None).username(), Some("rob"));
        assert_eq!(UserIdentity::service("cloudtrail.amazonaws.com").username(), Some("cloudtrail.amazonaws.com"));
        assert_eq!(UserIdentity::anonymous().username(), None);
    }

    #[test]
    fn grouped_by_the_role_behind_a_session() {
        let role = "arn:aws:iam::111122223333:role/etl";
        let session = SessionContext {
            session_issuer: Some(SessionIssuer { arn: role.into(), ..SessionIssuer::default() }),
            ..SessionContext::default()
        };
        let arn = Some("arn:aws:sts::111122223333:assumed-role/etl/i-0abc".to_owned());
        let cases = [
            (UserIdentity { arn: arn.clone(), session_context: Some(session), ..UserIdentity::default() }, role),
            // a user's own session has an empty issuer
            (
                UserIdentity {
                    arn,
                    session_context: Some(SessionContext {
                        session_issuer: Some(SessionIssuer::default()),
                        ..SessionContext::default()
                    }),
                    ..UserIdentity::default()
                },
                "arn:aws:sts::111122223333:assumed-role/etl/i-0abc",
            ),
            (UserIdentity::service("cloudtrail.amazonaws.com"), "cloudtrail.amazonaws.com"),
            (
                UserIdentity {
                    account_id: Some("444455556666".into()),
                    principal_id: Some("AIDA".into()),
                    ..UserIdentity::default()
                },
                "444455556666:AIDA",
            ),
            (UserIdentity { principal_id: Some("79a59df9".into()), ..UserIdentity::default() }, "79a59df9"),
            (UserIdentity::anonymous(), "anonymous"),
            (UserIdentity::unproven(), "anonymous"),
        ];
        for (identity, expected) in cases {
            assert_eq!(identity.grouping(), expected);
        }
    }
}
