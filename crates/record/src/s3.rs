//! From what was seen of an S3 request and its answer to its record.

use aws_api::s3::{Category, S3Op};
use aws_api::{Access, Timestamp};

use crate::parameters::{cut, cut_to, request_parameters};
use crate::record::EVENT_VERSION;
use crate::{AdditionalEventData, Record, Resource, TlsDetails, UserIdentity};

/// CloudTrail's bound on `userAgent`, in bytes ("CloudTrail record contents").
pub const USER_AGENT_LEN_MAX: usize = 1024;

/// How a request was signed, whether or not the signature was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// `SigV2`, `SigV4` or `SigV4A`
    pub version: &'static str,
    /// `AuthHeader`, `QueryString` or `HtmlForm`
    pub method: &'static str,
}

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// S3's error code.
    pub code: String,
    /// S3's message.
    pub message: String,
}

/// What was seen of one S3 request and its answer.
#[derive(Clone)]
pub struct S3Call {
    /// What it asked for.
    pub op: &'static S3Op,
    /// The bucket that it named, decoded.
    pub bucket: Option<String>,
    /// The key that it named, decoded.
    pub key: Option<String>,
    /// The Host header.
    pub host: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Who; only [`UserIdentity::unproven`] if the signature was not proven.
    pub identity: UserIdentity,
    /// The key id that an unproven request named.
    pub claimed_access_key_id: Option<String>,
    /// How it was signed; `None` if it was not.
    pub signed: Option<Signed>,
    /// The address of the client.
    pub source_ip: String,
    /// The User-Agent header.
    pub user_agent: Option<String>,
    /// The bucket's region.
    pub region: String,
    /// The account that owns the bucket, if there is such a bucket.
    pub bucket_owner: Option<String>,
    /// The account that gets the record.
    pub recipient_account: String,
    /// Version and cipher suite (OpenSSL's spelling) of the connection, if it was encrypted.
    pub tls: Option<(String, String)>,
    /// `x-amz-request-id` of the answer.
    pub request_id: String,
    /// `x-amz-id-2` of the answer.
    pub host_id: String,
    /// A UUID.
    pub event_id: String,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// Why it did not succeed.
    pub failure: Option<Failure>,
}

impl S3Call {
    /// The record, completed at `event_time`.
    pub fn record(&self, event_time: Timestamp) -> Record {
        Record {
            event_version: EVENT_VERSION.into(),
            user_identity: self.identity.clone(),
            event_time: event_time.to_rfc3339_seconds(),
            event_source: "s3.amazonaws.com".into(),
            event_name: self.op.event_name.into(),
            aws_region: self.region.clone(),
            source_ip_address: self.source_ip.clone(),
            user_agent: self.user_agent_in_brackets(),
            error_code: self.failure.as_ref().map(|failure| cut(&failure.code).to_owned()),
            error_message: self.failure.as_ref().map(|failure| cut(&failure.message).to_owned()),
            request_parameters: Some(request_parameters(
                self.op,
                self.bucket.as_deref(),
                self.key.as_deref(),
                &self.host,
                &self.query,
                &self.headers,
            )),
            response_elements: None,
            additional_event_data: self.additional_event_data(),
            request_id: self.request_id.clone(),
            event_id: self.event_id.clone(),
            read_only: self.op.access == Access::Read,
            resources: self.resources(),
            event_type: "AwsApiCall".into(),
            management_event: self.op.category == Category::Management,
            recipient_account_id: self.recipient_account.clone(),
            event_category: match self.op.category {
                Category::Data => "Data".into(),
                Category::Management => "Management".into(),
            },
            tls_details: self.tls.as_ref().map(|(tls_version, cipher_suite)| TlsDetails {
                tls_version: tls_version.clone(),
                cipher_suite: cipher_suite.clone(),
                client_provided_host_header: cut(&self.host).to_owned(),
            }),
        }
    }

    /// S3 wraps it in square brackets; a service's own name stands bare.
    fn user_agent_in_brackets(&self) -> String {
        let user_agent = cut_to(self.user_agent.as_deref().unwrap_or_default(), USER_AGENT_LEN_MAX);
        if self.identity.invoked_by.is_some() { user_agent.to_owned() } else { format!("[{user_agent}]") }
    }

    fn additional_event_data(&self) -> AdditionalEventData {
        AdditionalEventData {
            signature_version: self.signed.map(|signed| signed.version.into()),
            cipher_suite: self.tls.as_ref().map(|(_, cipher_suite)| cipher_suite.clone()),
            bytes_transferred_in: self.bytes_in,
            authentication_method: self.signed.map(|signed| signed.method.into()),
            claimed_access_key_id: self.claimed_access_key_id.as_deref().map(|id| cut(id).to_owned()),
            x_amz_id_2: self.host_id.clone(),
            bytes_transferred_out: self.bytes_out,
        }
    }

    /// Object first, without an account; then its bucket. `CreateBucket` and `ListBuckets` have none.
    fn resources(&self) -> Vec<Resource> {
        let Some(bucket) = &self.bucket else { return Vec::new() };
        if self.op.name == "CreateBucket" {
            return Vec::new();
        }
        let bucket_arn = format!("arn:aws:s3:::{bucket}");
        let mut resources = Vec::with_capacity(2);
        if self.op.category == Category::Data {
            resources.push(self.object_resource(&bucket_arn));
        }
        resources.push(Resource {
            account_id: self.bucket_owner.clone(),
            kind: "AWS::S3::Bucket".into(),
            arn: Some(bucket_arn),
            arn_prefix: None,
        });
        resources
    }

    /// A call that names no object has the ARNs' common beginning instead.
    fn object_resource(&self, bucket_arn: &str) -> Resource {
        let kind = "AWS::S3::Object".into();
        if let Some(key) = &self.key {
            let arn = Some(cut(&format!("{bucket_arn}/{key}")).to_owned());
            return Resource { account_id: None, kind, arn, arn_prefix: None };
        }
        let prefix = self.query.iter().find(|(name, _)| name == "prefix").map_or("", |(_, value)| value);
        Resource {
            account_id: None,
            kind,
            arn: None,
            arn_prefix: Some(cut(&format!("{bucket_arn}/{prefix}")).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
