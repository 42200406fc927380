//! From a line to the CloudTrail record of the same request.

use std::borrow::Cow;

use aws_api::{Access, Category, is_region};
use serde::Serialize;

use crate::event_id::event_id;
use crate::identity::Identity;
use crate::operation::Operation;
use crate::request::{Request, access_key_id};
use crate::text::{TEXT_LEN_MAX, VALUE_LEN_MAX, cut, decoded_key, shown};
use crate::{Line, Origin};

/// The version of the record format that is written here.
const EVENT_VERSION: &str = "1.11";
/// What tells an imported record from one of CloudTrail's.
const IMPORTED_FROM: &str = "s3-server-access-log";

/// A record, in the order of real files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Imported<'a> {
    event_version: &'static str,
    user_identity: Identity<'a>,
    event_time: String,
    event_source: &'static str,
    event_name: &'a str,
    aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    user_agent: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<Cow<'a, str>>,
    request_parameters: RequestParameters<'a>,
    response_elements: (),
    additional_event_data: AdditionalEventData<'a>,
    #[serde(rename = "requestID", skip_serializing_if = "Option::is_none")]
    request_id: Option<Cow<'a, str>>,
    #[serde(rename = "eventID")]
    event_id: String,
    read_only: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource<'a>>,
    event_type: &'static str,
    management_event: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_account_id: Option<&'a str>,
    event_category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_details: Option<TlsDetails<'a>>,
}

#[derive(Serialize)]
struct RequestParameters<'a> {
    #[serde(rename = "bucketName", skip_serializing_if = "Option::is_none")]
    bucket_name: Option<&'a str>,
    #[serde(rename = "Host", skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AdditionalEventData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_version: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher_suite: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_method: Option<Cow<'a, str>>,
    #[serde(rename = "claimedAccessKeyId", skip_serializing_if = "Option::is_none")]
    claimed_access_key_id: Option<String>,
    #[serde(rename = "x-amz-id-2", skip_serializing_if = "Option::is_none")]
    x_amz_id_2: Option<Cow<'a, str>>,
    #[serde(rename = "bytesTransferredOut")]
    bytes_transferred_out: u64,
    #[serde(rename = "aclRequired", skip_serializing_if = "Option::is_none")]
    acl_required: Option<Cow<'a, str>>,
    #[serde(rename = "importedFrom")]
    imported_from: &'static str,
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(rename = "accountId", skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    #[serde(rename = "ARNPrefix", skip_serializing_if = "Option::is_none")]
    arn_prefix: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TlsDetails<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_version: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher_suite: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_provided_host_header: Option<&'a str>,
}

impl<'l> Line<'l> {
    /// Appends the record of the request to `out`: one JSON object, compact, in CloudTrail's order.
    ///
    /// `additionalEventData.importedFrom` marks it. What a line does not say is absent, or empty where a record cannot do
    /// without: the region of a bucket that was called by `s3.amazonaws.com`, an address that S3 does not tell. The key id
    /// is known only of a presigned URL; where S3 does not know the requester, the id is no more than claimed
    /// (`additionalEventData.claimedAccessKeyId`). No signature is in it.
    pub fn record(&self, out: &mut Vec<u8>) {
        self.record_of(&Origin::default(), out);
    }

    /// As [`Line::record`], with what the place of the log file says. The account is also that of a requester who owns the bucket.
    pub fn record_of(&self, origin: &Origin<'_>, out: &mut Vec<u8>) {
        let value = |column: Option<&'l [u8]>| column.map(|column| shown(column, VALUE_LEN_MAX));
        let (bucket, requester, remote_ip) = (value(self.bucket), value(self.requester), value(self.remote_ip));
        let (host, cipher_suite) = (value(self.host_header), value(self.cipher_suite));
        let key = self.key.map(decoded_key);
        let operation = Operation::of(self);
        let (user_identity, claimed_access_key_id) = self.identity(requester.as_deref(), origin);
        let region = origin.region.or_else(|| host.as_deref().and_then(region_of_host)).unwrap_or_default();
        let source_ip = remote_ip.as_deref().or(user_identity.invoked_by).unwrap_or_default();
        let is_data = operation.category == Category::Data;
        let target = Target { bucket: bucket.as_deref(), key: key.as_deref(), region, account_id: origin.account_id };
        let record = Imported {
            event_version: EVENT_VERSION,
            event_time: self.time.to_rfc3339_seconds(),
            event_source: "s3.amazonaws.com",
            event_name: &operation.event_name,
            aws_region: region,
            source_ip_address: source_ip,
            user_agent: self.user_agent_in_brackets(&user_identity),
            user_identity,
            error_code: self.error_code.map(|code| shown(code, TEXT_LEN_MAX)),
            request_parameters: RequestParameters {
                bucket_name: bucket.as_deref(),
                host: host.as_deref(),
                key: key.as_deref(),
            },
            response_elements: (),
            additional_event_data: self.additional_event_data(cipher_suite.as_deref(), claimed_access_key_id),
            request_id: self.request_id.map(|id| shown(id, TEXT_LEN_MAX)),
            event_id: event_id(self),
            read_only: operation.access == Access::Read,
            resources: if operation.is_create_bucket { Vec::new() } else { self.resources(target, is_data) },
            event_type: "AwsApiCall",
            management_event: !is_data,
            recipient_account_id: origin.account_id,
            event_category: if is_data { "Data" } else { "Management" },
            tls_details: self.tls_details(cipher_suite.as_deref(), host.as_deref()),
        };
        // Texts and numbers into memory: nothing of it can fail.
        serde_json::to_writer(out, &record).expect("a record serialises to JSON");
    }

    /// Who, and the key id that nothing proves.
    fn identity<'r>(&self, requester: Option<&'r str>, origin: &Origin<'r>) -> (Identity<'r>, Option<String>) {
        let mut identity = Identity::of(requester, self.signature_version.is_some());
        if requester.is_some() && self.requester == self.bucket_owner {
            identity.account_id = identity.account_id.or(origin.account_id);
        }
        let id = access_key_id(self);
        if requester.is_none() {
            return (identity, id);
        }
        identity.access_key_id = id;
        (identity, None)
    }

    /// S3 wraps it in square brackets; a service's own name stands bare.
    fn user_agent_in_brackets(&self, identity: &Identity<'_>) -> Cow<'_, str> {
        let user_agent = self.user_agent.unwrap_or_default();
        if identity.invoked_by.is_some() {
            return shown(user_agent, TEXT_LEN_MAX);
        }
        format!("[{}]", shown(user_agent, TEXT_LEN_MAX - "[]".len())).into()
    }

    fn additional_event_data<'r>(
        &'r self,
        cipher_suite: Option<&'r str>,
        claimed: Option<String>,
    ) -> AdditionalEventData<'r> {
        let value = |column: Option<&'r [u8]>| column.map(|column| shown(column, VALUE_LEN_MAX));
        AdditionalEventData {
            signature_version: value(self.signature_version),
            cipher_suite,
            authentication_method: value(self.authentication_type),
            claimed_access_key_id: claimed,
            x_amz_id_2: value(self.host_id),
            bytes_transferred_out: self.bytes_sent.unwrap_or_default(),
            acl_required: value(self.acl_required),
            imported_from: IMPORTED_FROM,
        }
    }

    /// Object first, without an account; then its bucket.
    fn resources<'r>(&self, target: Target<'r>, is_data: bool) -> Vec<Resource<'r>> {
        let Some(bucket) = target.bucket else { return Vec::new() };
        let bucket_arn = format!("arn:{}:s3:::{bucket}", partition(target.region));
        let mut resources = Vec::with_capacity(2);
        if is_data {
            let kind = "AWS::S3::Object";
            let within = |text: &str| Some(cut(format!("{bucket_arn}/{text}").into(), VALUE_LEN_MAX).into_owned());
            resources.push(match target.key {
                Some(key) => Resource { account_id: None, kind, arn: within(key), arn_prefix: None },
                None => Resource { account_id: None, kind, arn: None, arn_prefix: within(&self.prefix()) },
            });
        }
        let (account_id, arn) = (target.account_id, Some(bucket_arn));
        resources.push(Resource { account_id, kind: "AWS::S3::Bucket", arn, arn_prefix: None });
        resources
    }

    /// The prefix that a list was asked for.
    fn prefix(&self) -> String {
        let prefix = Request::of(self).and_then(|request| request.parameter("prefix")).unwrap_or_default();
        shown(&prefix, VALUE_LEN_MAX).into_owned()
    }

    fn tls_details<'r>(&'r self, cipher_suite: Option<&'r str>, host: Option<&'r str>) -> Option<TlsDetails<'r>> {
        let tls_version = self.tls_version.map(tls_version);
        (tls_version.is_some() || cipher_suite.is_some()).then_some(TlsDetails {
            tls_version,
            cipher_suite,
            client_provided_host_header: host,
        })
    }
}

/// What a request was about.
#[derive(Clone, Copy)]
struct Target<'a> {
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    region: &'a str,
    account_id: Option<&'a str>,
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}

/// The guide's list has `TLSv1.2`, its examples `TLSV1.2`; records have the first.
fn tls_version(column: &[u8]) -> Cow<'_, str> {
    const NAME: &str = "TLSv";
    let text = shown(column, TEXT_LEN_MAX);
    match text.get(..NAME.len()) {
        Some(name) if name != NAME && name.eq_ignore_ascii_case(NAME) => {
            format!("{NAME}{}", &text[NAME.len()..]).into()
        }
        _ => text,
    }
}

/// The region in the name of an endpoint: `s3.eu-central-1.amazonaws.com`, `bucket.s3.dualstack.eu-west-1.amazonaws.com`,
/// `s3-us-west-2.amazonaws.com`, `bucket.s3-website.eu-central-1.amazonaws.com` (S3 user guide, "Endpoints"; AWS general reference).
/// The names without one serve all regions.
fn region_of_host(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
    let host = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    let (before, last) = host.rsplit_once('.').unwrap_or(("", host));
    if is_region(last) {
        // Whatever comes before: a bucket's own name ends before the service's.
        let service = before.rsplit('.').find(|label| *label != "dualstack")?;
        return (service == "s3" || service.starts_with("s3-")).then_some(last);
    }
    let old = last
        .strip_prefix("s3-website-")
        .or_else(|| last.strip_prefix("s3-fips-"))
        .or_else(|| last.strip_prefix("s3-"))?;
    if old == "external-1" { Some("us-east-1") } else { Some(old).filter(|region| is_region(region)) }
}

/// The partition of a region.
fn partition(region: &str) -> &'static str {
    match region.split_once('-') {
        Some(("cn", _)) => "aws-cn",
        Some(("us", rest)) if rest.starts_with("gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests;
