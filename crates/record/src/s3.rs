//! From what was seen of an S3 request and its answer to its record.

mod written;

use aws_api::s3::S3Op;
use aws_api::{Category, Timestamp};
use serde_json::{Map, Value};

use crate::parameters::{RequestParameters, cut, cut_to};
use crate::record::Asked;
use crate::size::{ADDITIONAL_LEN_MAX, TEXT_LEN_MAX};
use crate::{AdditionalEventData, Common, Entry, Outcome, Record, Resource};

const EVENT_SOURCE: &str = "s3.amazonaws.com";

/// How a request was signed, whether or not the signature was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// `SigV2`, `SigV4` or `SigV4A`
    pub version: &'static str,
    /// `AuthHeader`, `QueryString` or `HtmlForm`
    pub method: &'static str,
}

/// What was seen of one S3 request and its answer.
#[derive(Clone)]
pub struct S3Call {
    /// What it asked for.
    pub op: &'static S3Op,
    /// As of any request. The account is the bucket's, the region, too.
    pub common: Common,
    /// The bucket that it named, decoded.
    pub bucket: Option<String>,
    /// The key that it named, decoded.
    pub key: Option<String>,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case, in order; at least those that [`is_shown_header`](crate::is_shown_header).
    pub headers: Vec<(String, String)>,
    /// How it was signed; `None` if it was not.
    pub signed: Option<Signed>,
    /// The account that owns the bucket, if there is such a bucket.
    pub bucket_owner: Option<String>,
    /// `x-amz-id-2` of the answer.
    pub host_id: String,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// The policy or other document that a bucket's configuration was sent, under its name in the record.
    pub document: Option<(&'static str, Value)>,
    /// `responseElements`, of writes only.
    pub response: Option<Map<String, Value>>,
    /// What all copies have in common, of a call between accounts or an anonymous one.
    pub shared_event_id: Option<String>,
    /// The copy for the caller's account, where that is not the recipient.
    pub callers_copy: Option<CallersCopy>,
}

/// What is different in the copy that the caller's account gets of a call to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallersCopy {
    /// The caller's account.
    pub account: String,
    /// A UUID of its own.
    pub event_id: String,
}

/// Headers of answers that `responseElements` shows.
const ANSWERED: [&str; 4] =
    ["x-amz-copy-source-version-id", "x-amz-delete-marker", "x-amz-expiration", "x-amz-version-id"];

/// `responseElements` of a write, from the headers of its answer. `None` if there is nothing to show.
pub fn answered<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Option<Map<String, Value>> {
    let shown = ANSWERED.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(cut(header(name)?)))));
    Some(shown.collect()).filter(|shown: &Map<_, _>| !shown.is_empty())
}

impl S3Call {
    /// The entries of the event log with its [records](Self::records), completed at `event_time`.
    pub fn entries(&self, outcome: Outcome, event_time: Timestamp) -> (Vec<u8>, Option<Vec<u8>>) {
        if self.callers_copy.is_none() && self.document.is_none() {
            let user_agent = self.user_agent_in_brackets();
            let entry = Entry::write(outcome, &written::Written::of(self, &user_agent, event_time));
            // No structure of so short a record is longer than it may be.
            if entry.len() <= ADDITIONAL_LEN_MAX {
                return (entry, None);
            }
        }
        let (record, copy) = self.records(event_time);
        (Entry::encode(outcome, &record), copy.map(|copy| Entry::encode(outcome, &copy)))
    }

    /// The records, completed at `event_time`, one for each account that gets a copy: that of the bucket, which does not learn
    /// more of a foreign caller than its account and principal, and the caller's, which is not told whose a bucket is that it
    /// may not use ("CloudTrail record contents"; S3 user guide, "CloudTrail events for S3 object-level actions with cross-account
    /// access").
    pub fn records(&self, event_time: Timestamp) -> (Record, Option<Record>) {
        let mut record = self.record(event_time);
        let Some(CallersCopy { account, event_id }) = &self.callers_copy else { return (record, None) };
        let mut copy = record.clone();
        copy.recipient_account_id.clone_from(account);
        copy.event_id.clone_from(event_id);
        if copy.error_code.as_deref() == Some("AccessDenied") {
            copy.resources.iter_mut().for_each(|resource| resource.account_id = None);
        }
        record.user_identity = self.common.identity.as_seen_by_others();
        (record, Some(copy))
    }

    /// The record, completed at `event_time`.
    pub fn record(&self, event_time: Timestamp) -> Record {
        let asked = Asked {
            event_source: EVENT_SOURCE.into(),
            event_name: self.op.event_name,
            access: self.op.access,
            category: self.op.category,
        };
        let (bucket, key) = (self.bucket.as_deref(), self.key.as_deref());
        let parameters = RequestParameters::new(self.op, bucket, key, &self.common.host, &self.query, &self.headers);
        let mut parameters = parameters.to_map();
        if let Some((name, document)) = &self.document {
            parameters.insert((*name).into(), document.clone());
        }
        let record = Record {
            user_agent: self.user_agent_in_brackets(),
            request_parameters: Some(parameters),
            response_elements: self.response.clone(),
            additional_event_data: Some(self.additional_event_data()),
            resources: self.resources(),
            shared_event_id: self.shared_event_id.clone(),
            ..Record::of(asked, &self.common, event_time)
        };
        record.fitted()
    }

    /// S3 wraps it in square brackets; a service's own name stands bare.
    fn user_agent_in_brackets(&self) -> String {
        let user_agent = self.common.user_agent.as_deref().unwrap_or_default();
        if self.common.identity.invoked_by.is_some() {
            return user_agent.to_owned();
        }
        format!("[{}]", cut_to(user_agent, TEXT_LEN_MAX - "[]".len()))
    }

    fn additional_event_data(&self) -> AdditionalEventData {
        AdditionalEventData {
            signature_version: self.signed.map(|signed| signed.version.into()),
            cipher_suite: self.common.tls.as_ref().map(|(_, cipher_suite)| cipher_suite.clone()),
            bytes_transferred_in: Some(self.bytes_in.into()),
            authentication_method: self.signed.map(|signed| signed.method.into()),
            claimed_access_key_id: self.common.claimed_access_key_id.as_deref().map(|id| cut(id).to_owned()),
            x_amz_id_2: Some(self.host_id.clone()).filter(|id| !id.is_empty()),
            bytes_transferred_out: Some(self.bytes_out.into()),
            extra: Map::new(),
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
            ..Resource::default()
        });
        resources
    }

    /// A call that names no object has the ARNs' common beginning instead.
    fn object_resource(&self, bucket_arn: &str) -> Resource {
        let kind = "AWS::S3::Object".into();
        if let Some(key) = &self.key {
            let arn = Some(cut(&format!("{bucket_arn}/{key}")).to_owned());
            return Resource { kind, arn, ..Resource::default() };
        }
        let prefix = self.query.iter().find(|(name, _)| name == "prefix").map_or("", |(_, value)| value);
        Resource { kind, arn_prefix: Some(cut(&format!("{bucket_arn}/{prefix}")).to_owned()), ..Resource::default() }
    }
}

#[cfg(test)]
mod tests;
