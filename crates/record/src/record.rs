//! The record itself, field by field in the order of real files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use aws_api::{Access, Category, Timestamp};

use crate::UserIdentity;
use crate::identity::is_foreign;
use crate::parameters::cut;

/// The version of the record format that is written here.
pub const EVENT_VERSION: &str = "1.11";

/// One CloudTrail record.
///
/// Its JSON is compact and in this order. Reading takes records of other versions and producers too, and keeps what has no
/// field of its own here in `extra`, so that nothing is lost when it is written again. A text that is empty here is absent
/// there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`EVENT_VERSION`]
    pub event_version: String,
    /// Who.
    pub user_identity: UserIdentity,
    /// When the request was completed: `2026-03-14T09:26:53Z`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub event_time: String,
    /// `s3.amazonaws.com`
    pub event_source: String,
    /// `PutObject`
    pub event_name: String,
    /// The region that was called; of S3 the bucket's.
    pub aws_region: String,
    /// An address, or a service's name.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// In square brackets for S3.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub user_agent: String,
    /// The service's error code; absent if the request succeeded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_code: Option<String>,
    /// The service's message for a person, as it stands in the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_message: Option<String>,
    /// What was asked.
    pub request_parameters: Option<Map<String, Value>>,
    /// What was answered, of writes only.
    pub response_elements: Option<Map<String, Value>>,
    /// How it was signed, and how much went over the wire; of S3 only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub additional_event_data: Option<AdditionalEventData>,
    /// Also in the answer's headers.
    #[serde(rename = "requestID", skip_serializing_if = "String::is_empty", default)]
    pub request_id: String,
    /// A UUID, unique to this record.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// False if the request could have changed something. Since version 1.01.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub read_only: Option<bool>,
    /// What the request was about: of S3 the object and its bucket.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resources: Vec<Resource>,
    /// `AwsApiCall`
    pub event_type: String,
    /// The opposite of a data event. Since version 1.06.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub management_event: Option<bool>,
    /// The account whose trails get this record.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub recipient_account_id: String,
    /// The same in each account's copy of the event; of calls between accounts, and of anonymous ones.
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none", default)]
    pub shared_event_id: Option<String>,
    /// `Data` or `Management`. Since version 1.07.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub event_category: String,
    /// Absent over plain HTTP and for services.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls_details: Option<TlsDetails>,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The service's error code.
    pub code: String,
    /// The service's message.
    pub message: String,
}

/// What was seen of a request, whatever the service.
#[derive(Debug, Clone)]
pub struct Common {
    /// Who; only [`UserIdentity::unproven`] if the signature was not proven.
    pub identity: UserIdentity,
    /// The key id that an unproven request named.
    pub claimed_access_key_id: Option<String>,
    /// The account that gets the record.
    pub recipient_account: String,
    /// The region that was called; of S3 the bucket's.
    pub region: String,
    /// The address of the client, or a service's name.
    pub source_ip: String,
    /// The User-Agent header.
    pub user_agent: Option<String>,
    /// The Host header.
    pub host: String,
    /// Version and cipher suite (OpenSSL's spelling) of the connection, if it was encrypted.
    pub tls: Option<(String, String)>,
    /// Also in the answer.
    pub request_id: String,
    /// A UUID.
    pub event_id: String,
    /// Why it did not succeed.
    pub failure: Option<Failure>,
}

/// What a request asked for.
pub(crate) struct Asked<'c> {
    pub event_source: String,
    pub event_name: &'c str,
    pub access: Access,
    pub category: Category,
}

impl Record {
    /// A record without what only its service can say, the spelling of the user agent among it.
    pub(crate) fn of(asked: Asked<'_>, common: &Common, event_time: Timestamp) -> Self {
        let failure = common.failure.as_ref();
        Self {
            event_version: EVENT_VERSION.into(),
            user_identity: common.identity.clone(),
            event_time: event_time.to_rfc3339_seconds(),
            event_source: asked.event_source,
            event_name: asked.event_name.into(),
            aws_region: common.region.clone(),
            source_ip_address: common.source_ip.clone(),
            error_code: failure.map(|failure| failure.code.clone()),
            error_message: failure.map(|failure| failure.message.clone()),
            request_id: common.request_id.clone(),
            event_id: common.event_id.clone(),
            read_only: Some(asked.access == Access::Read),
            event_type: "AwsApiCall".into(),
            management_event: Some(asked.category == Category::Management),
            recipient_account_id: common.recipient_account.clone(),
            event_category: match asked.category {
                Category::Data => "Data".into(),
                Category::Management => "Management".into(),
            },
            tls_details: TlsDetails::of(common),
            ..Self::default()
        }
    }

    /// Whether it is a management event. Records older than version 1.06 do not say; they are taken for one.
    pub fn is_management(&self) -> bool {
        self.management_event.unwrap_or(true)
    }

    /// Whether the request could change nothing. A record that does not say is taken for one that could.
    pub fn is_read_only(&self) -> bool {
        self.read_only.unwrap_or(false)
    }

    /// Whether this is the copy of a call that the account which was called gets, while the caller's own has its whole identity.
    pub fn is_of_foreign_caller(&self) -> bool {
        let identity = &self.user_identity;
        self.shared_event_id.is_some() && is_foreign(Some(&identity.kind), identity.account_id.as_deref())
    }

    /// `SigV2` or `SigV4`, if it says so.
    pub fn signature_version(&self) -> Option<&str> {
        self.additional_event_data.as_ref()?.signature_version.as_deref()
    }
}

/// `additionalEventData` of an S3 record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdditionalEventData {
    /// `SigV2` or `SigV4`; absent for an anonymous request.
    #[serde(rename = "SignatureVersion", skip_serializing_if = "Option::is_none")]
    pub signature_version: Option<String>,
    /// The cipher suite in OpenSSL's spelling; absent over plain HTTP.
    #[serde(rename = "CipherSuite", skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// Bytes of the request's payload, without `aws-chunked` framing. AWS spells it `0` or `0.0`.
    #[serde(rename = "bytesTransferredIn", skip_serializing_if = "Option::is_none")]
    pub bytes_transferred_in: Option<Number>,
    /// `AuthHeader`, `QueryString` or `HtmlForm`; absent for an anonymous request.
    #[serde(rename = "AuthenticationMethod", skip_serializing_if = "Option::is_none")]
    pub authentication_method: Option<String>,
    /// The key id that a request named whose signature was not proven. Not a field of AWS's, which does not record such
    /// requests at all.
    #[serde(rename = "claimedAccessKeyId", skip_serializing_if = "Option::is_none")]
    pub claimed_access_key_id: Option<String>,
    /// The host id of the answer.
    #[serde(rename = "x-amz-id-2", skip_serializing_if = "Option::is_none")]
    pub x_amz_id_2: Option<String>,
    /// Bytes of the answer's body that were handed to the connection.
    #[serde(rename = "bytesTransferredOut", skip_serializing_if = "Option::is_none")]
    pub bytes_transferred_out: Option<Number>,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One of `resources`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// The owner; absent for an object.
    #[serde(rename = "accountId", skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// `AWS::S3::Object`, `AWS::S3::Bucket`, `AWS::SQS::Queue`, …
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The resource.
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// What the ARNs of the resources begin with, for a call that names none of them.
    #[serde(rename = "ARNPrefix", skip_serializing_if = "Option::is_none")]
    pub arn_prefix: Option<String>,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How the connection was encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsDetails {
    /// `TLSv1.2` or `TLSv1.3`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_version: String,
    /// In OpenSSL's spelling.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cipher_suite: String,
    /// The Host header.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_provided_host_header: String,
    /// What has no field here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl TlsDetails {
    /// Of what was seen; `None` over plain HTTP.
    pub(crate) fn of(common: &Common) -> Option<Self> {
        common.tls.as_ref().map(|(tls_version, cipher_suite)| Self {
            tls_version: tls_version.clone(),
            cipher_suite: cipher_suite.clone(),
            client_provided_host_header: cut(&common.host).to_owned(),
            extra: Map::new(),
        })
    }
}
