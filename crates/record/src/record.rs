//! The record itself, field by field in the order of real files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::UserIdentity;

/// The version of the record format that is written here.
pub const EVENT_VERSION: &str = "1.11";

/// One CloudTrail record.
///
/// Its JSON is compact and in this order. Reading takes records of other versions and producers too, as far as they have the
/// fields that the pipeline needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`EVENT_VERSION`]
    pub event_version: String,
    /// Who.
    pub user_identity: UserIdentity,
    /// When the request was completed: `2026-03-14T09:26:53Z`.
    pub event_time: String,
    /// `s3.amazonaws.com`
    pub event_source: String,
    /// `PutObject`
    pub event_name: String,
    /// The bucket's region.
    pub aws_region: String,
    /// An address, or a service's name.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// In square brackets for S3.
    #[serde(default)]
    pub user_agent: String,
    /// S3's error code; absent if the request succeeded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_code: Option<String>,
    /// S3's message for a person, as it stands in the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_message: Option<String>,
    /// What was asked.
    pub request_parameters: Option<Map<String, Value>>,
    /// Response headers that matter, of writes only.
    pub response_elements: Option<Map<String, Value>>,
    /// How it was signed, and how much went over the wire.
    #[serde(default)]
    pub additional_event_data: AdditionalEventData,
    /// Also `x-amz-request-id` in the answer.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// A UUID, unique to this record.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// False if the request could have changed something.
    pub read_only: bool,
    /// The object and its bucket.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resources: Vec<Resource>,
    /// `AwsApiCall`
    pub event_type: String,
    /// The opposite of a data event.
    pub management_event: bool,
    /// The account whose trails get this record.
    pub recipient_account_id: String,
    /// `Data` or `Management`
    pub event_category: String,
    /// Absent over plain HTTP and for services.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls_details: Option<TlsDetails>,
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
    /// Bytes of the request's payload, without `aws-chunked` framing.
    #[serde(rename = "bytesTransferredIn", deserialize_with = "whole_number")]
    pub bytes_transferred_in: u64,
    /// `AuthHeader`, `QueryString` or `HtmlForm`; absent for an anonymous request.
    #[serde(rename = "AuthenticationMethod", skip_serializing_if = "Option::is_none")]
    pub authentication_method: Option<String>,
    /// The key id that a request named whose signature was not proven. Not a field of AWS's, which does not record such
    /// requests at all.
    #[serde(rename = "claimedAccessKeyId", skip_serializing_if = "Option::is_none")]
    pub claimed_access_key_id: Option<String>,
    /// The host id of the answer.
    #[serde(rename = "x-amz-id-2", skip_serializing_if = "String::is_empty")]
    pub x_amz_id_2: String,
    /// Bytes of the answer's body that were handed to the connection.
    #[serde(rename = "bytesTransferredOut", deserialize_with = "whole_number")]
    pub bytes_transferred_out: u64,
}

/// One of `resources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Of a bucket only.
    #[serde(rename = "accountId", skip_serializing_if = "Option::is_none", default)]
    pub account_id: Option<String>,
    /// `AWS::S3::Object` or `AWS::S3::Bucket`
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The resource.
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none", default)]
    pub arn: Option<String>,
    /// What the ARNs of the resources begin with, for a call that names none of them.
    #[serde(rename = "ARNPrefix", skip_serializing_if = "Option::is_none", default)]
    pub arn_prefix: Option<String>,
}

/// How the connection was encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsDetails {
    /// `TLSv1.2` or `TLSv1.3`
    pub tls_version: String,
    /// In OpenSSL's spelling.
    pub cipher_suite: String,
    /// The Host header.
    pub client_provided_host_header: String,
}

/// Records of AWS spell these numbers `0` or `0.0`.
fn whole_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte count; `as` saturates")]
    Ok(number.as_u64().unwrap_or_else(|| number.as_f64().unwrap_or_default() as u64))
}
