//! Those fields of a record that decide on its way, read without the rest.

use std::borrow::Cow;
use std::ops::Deref;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::identity::{GroupingParts, is_foreign};

/// What trails, rules and counts ask of a record, borrowed from its JSON.
///
/// A record passes on its way thousands of times a second, and most of what it holds is of interest to nobody but the log file,
/// into which its text goes as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outline<'a> {
    /// Who.
    #[serde(borrow)]
    pub user_identity: IdentityOutline<'a>,
    /// `2026-03-14T09:26:53Z`
    #[serde(default)]
    pub event_time: Text<'a>,
    /// `s3.amazonaws.com`
    pub event_source: Text<'a>,
    /// `PutObject`
    pub event_name: Text<'a>,
    /// The region that was called; of S3 the bucket's.
    pub aws_region: Text<'a>,
    /// An address, or a service's name.
    #[serde(rename = "sourceIPAddress", default)]
    pub source_ip_address: Text<'a>,
    /// In square brackets for S3.
    #[serde(default)]
    pub user_agent: Text<'a>,
    /// The service's error code.
    #[serde(default)]
    pub error_code: Option<Text<'a>>,
    /// As they are written.
    #[serde(default)]
    pub request_parameters: Option<&'a RawValue>,
    /// How it was signed.
    #[serde(default)]
    pub additional_event_data: Option<SignatureOutline<'a>>,
    /// A UUID.
    #[serde(rename = "eventID")]
    pub event_id: Text<'a>,
    /// False if the request could have changed something.
    #[serde(default)]
    pub read_only: Option<bool>,
    /// What the request was about.
    #[serde(default)]
    pub resources: Vec<ResourceOutline<'a>>,
    /// `AwsApiCall`
    pub event_type: Text<'a>,
    /// The opposite of a data event.
    #[serde(default)]
    pub management_event: Option<bool>,
    /// The account whose trails get this record.
    #[serde(default)]
    pub recipient_account_id: Text<'a>,
    /// The same in each account's copy of the event.
    #[serde(rename = "sharedEventID", default)]
    pub shared_event_id: Option<Text<'a>>,
}

/// Of `userIdentity`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IdentityOutline<'a> {
    /// `IAMUser`, `AssumedRole`, …
    #[serde(rename = "type", borrow)]
    pub kind: Option<Text<'a>>,
    /// The principal's ARN.
    pub arn: Option<Text<'a>>,
    /// The AWS service that made the request.
    pub invoked_by: Option<Text<'a>>,
    /// The unique id of the principal.
    pub principal_id: Option<Text<'a>>,
    /// Twelve digits, or `anonymous`.
    pub account_id: Option<Text<'a>>,
    /// The key that signed.
    pub access_key_id: Option<Text<'a>>,
    /// Of temporary credentials.
    pub session_context: Option<SessionOutline<'a>>,
}

/// Of `sessionContext`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionOutline<'a> {
    /// The role or user behind the session.
    #[serde(borrow)]
    pub session_issuer: Option<IssuerOutline<'a>>,
}

/// Of `sessionIssuer`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct IssuerOutline<'a> {
    /// `arn:aws:iam::111122223333:role/etl`
    #[serde(borrow)]
    pub arn: Option<Text<'a>>,
}

impl IdentityOutline<'_> {
    /// Whether it is of another account, in the copy of the account that was called.
    pub fn is_foreign(&self) -> bool {
        is_foreign(self.kind.as_deref(), self.account_id.as_deref())
    }

    /// [`UserIdentity::grouping`](crate::UserIdentity::grouping)
    pub fn grouping(&self) -> Cow<'_, str> {
        let issuer = self.session_context.as_ref().and_then(|session| session.session_issuer.as_ref());
        let parts = GroupingParts {
            issuer_arn: issuer.and_then(|issuer| issuer.arn.as_deref()),
            arn: self.arn.as_deref(),
            invoked_by: self.invoked_by.as_deref(),
            account: self.account_id.as_deref(),
            principal: self.principal_id.as_deref(),
        };
        parts.grouping()
    }
}

/// Of `additionalEventData`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SignatureOutline<'a> {
    /// `SigV2` or `SigV4`
    #[serde(rename = "SignatureVersion", borrow)]
    pub signature_version: Option<Text<'a>>,
    /// `AuthHeader`, `QueryString` or `HtmlForm`
    #[serde(rename = "AuthenticationMethod")]
    pub authentication_method: Option<Text<'a>>,
    /// The key id that a request named whose signature was not proven.
    #[serde(rename = "claimedAccessKeyId")]
    pub claimed_access_key_id: Option<Text<'a>>,
}

/// Of `requestParameters`.
#[derive(Deserialize)]
struct ParametersOutline<'a> {
    #[serde(rename = "bucketName", borrow)]
    bucket_name: Text<'a>,
}

/// One of `resources`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ResourceOutline<'a> {
    /// `AWS::S3::Object`
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    /// The resource.
    #[serde(rename = "ARN")]
    pub arn: Option<Text<'a>>,
    /// What the ARNs of the resources begin with.
    #[serde(rename = "ARNPrefix")]
    pub arn_prefix: Option<Text<'a>>,
}

/// A text, borrowed where it holds no escapes; a `Cow` that stands in an `Option` would be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'a> Text<'a> {
    /// The text itself.
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> Outline<'a> {
    /// Whether this is the copy of a call that the account which was called gets, while the caller's own has its whole identity.
    pub fn is_of_foreign_caller(&self) -> bool {
        self.shared_event_id.is_some() && self.user_identity.is_foreign()
    }

    /// The bucket that an S3 request named. Parameters that are too long are not in the record; its resources are.
    pub fn bucket(&self) -> Option<Cow<'a, str>> {
        let parameters = self.request_parameters.map(RawValue::get);
        let named = parameters.and_then(|text| serde_json::from_str::<ParametersOutline<'_>>(text).ok());
        let of_resources = || {
            let bucket = self.resources.iter().find(|resource| &*resource.kind == "AWS::S3::Bucket")?;
            Some(bucket.arn.as_deref()?.strip_prefix("arn:aws:s3:::")?.to_owned().into())
        };
        named.map(|parameters| parameters.bucket_name.into_inner()).or_else(of_resources)
    }

    /// Whether it is a management event. Records older than version 1.06 do not say; they are taken for one.
    pub fn is_management(&self) -> bool {
        self.management_event.unwrap_or(true)
    }

    /// Whether the request could change nothing. A record that does not say is taken for one that could.
    pub fn is_read_only(&self) -> bool {
        self.read_only.unwrap_or(false)
    }

    /// Whether it is a request to S3 that was signed with Signature Version 2.
    pub fn is_sigv2(&self) -> bool {
        let version = self.additional_event_data.as_ref().and_then(|data| data.signature_version.as_deref());
        version == Some("SigV2") && &*self.event_source == "s3.amazonaws.com"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use crate::{Outline, Record};

    /// Public logs are read in `tests/public_logs.rs`; here is what they have none of.
    #[test]
    fn escapes_and_what_is_not_there() {
        let json = r#"{"eventVersion":"1.05","eventSource":"x","awsRegion":"y","eventType":"z","userIdentity":{"arn":"a\u0041","principalId":null},"eventName":"Get\"","requestParameters":{"name": "t"},
            "additionalEventData":null,"resources":[{"ARN":"arn:\u00e9","type":"AWS::S3::Object"}],"eventID":"1","errorCode":null}"#;
        let outline: Outline<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(outline.user_identity.arn.as_deref(), Some("aA"));
        assert_eq!(&*outline.event_name, "Get\"");
        assert_eq!(outline.resources[0].arn.as_deref(), Some("arn:é"));
        assert_eq!(outline.request_parameters.map(RawValue::get), Some(r#"{"name": "t"}"#));
        assert!(outline.is_management() && !outline.is_read_only() && !outline.is_sigv2());
        assert!(outline.additional_event_data.is_none() && outline.error_code.is_none());
        let written = serde_json::to_string(&Record { event_id: "2".into(), ..Record::default() }).unwrap();
        let empty: Outline<'_> = serde_json::from_str(&written).unwrap();
        assert!(empty.request_parameters.is_none(), "null is nothing");
    }
}
