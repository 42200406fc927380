//! The JSON of a call's record, written without making the [`Record`] first.
//!
//! Every request is recorded while its client waits. A `Record` owns its texts, which is some forty allocations for what is
//! written once and dropped. What is written is the same, byte for byte: the property test below compares them.

use aws_api::{Access, Category, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::S3Call;
use crate::parameters::{RequestParameters, cut_to};
use crate::record::EVENT_VERSION;
use crate::size::TEXT_LEN_MAX;
use crate::{AdditionalEventData, Resource, TlsDetails, UserIdentity};

/// The members of [`crate::Record`] that an S3 call has, in its order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written<'a> {
    event_version: &'static str,
    user_identity: &'a UserIdentity,
    event_time: String,
    event_source: &'static str,
    event_name: &'static str,
    aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    request_parameters: RequestParameters<'a>,
    response_elements: Option<&'a Map<String, Value>>,
    additional_event_data: AdditionalEventData,
    #[serde(rename = "requestID", skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(rename = "eventID")]
    event_id: &'a str,
    read_only: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource>,
    event_type: &'static str,
    management_event: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    recipient_account_id: &'a str,
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none")]
    shared_event_id: Option<&'a str>,
    event_category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_details: Option<TlsDetails>,
}

impl<'a> Written<'a> {
    /// Of a call whose body is not in its record. `user_agent` is as S3 spells it.
    pub fn of(call: &'a S3Call, user_agent: &'a str, event_time: Timestamp) -> Self {
        let common = &call.common;
        let failure = common.failure.as_ref();
        let text = |text: &'a str| cut_to(text, TEXT_LEN_MAX);
        let (bucket, key) = (call.bucket.as_deref(), call.key.as_deref());
        Self {
            event_version: EVENT_VERSION,
            user_identity: &common.identity,
            event_time: event_time.to_rfc3339_seconds(),
            event_source: super::EVENT_SOURCE,
            event_name: call.op.event_name,
            aws_region: &common.region,
            source_ip_address: &common.source_ip,
            user_agent: text(user_agent),
            error_code: failure.map(|failure| text(&failure.code)),
            error_message: failure.map(|failure| text(&failure.message)),
            request_parameters: RequestParameters::new(call.op, bucket, key, &common.host, &call.query, &call.headers),
            response_elements: call.response.as_ref(),
            additional_event_data: call.additional_event_data(),
            request_id: text(&common.request_id),
            event_id: &common.event_id,
            read_only: call.op.access == Access::Read,
            resources: call.resources(),
            event_type: "AwsApiCall",
            management_event: call.op.category == Category::Management,
            recipient_account_id: &common.recipient_account,
            shared_event_id: call.shared_event_id.as_deref(),
            event_category: match call.op.category {
                Category::Data => "Data",
                Category::Management => "Management",
            },
            tls_details: TlsDetails::of(common),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_api::s3::{S3Op, operations};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use crate::{Common, Entry, Failure, Outcome, S3Call, Signed, UserIdentity};
    use aws_api::Timestamp;

    fn op() -> impl Strategy<Value = &'static S3Op> {
        prop::sample::select(operations().collect::<Vec<_>>())
    }

    /// Short ones with what JSON escapes, and some that are longer than a field may be.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            9 => "[a-zA-Z0-9/\"\\\\\u{1}é]{0,12}",
            1 => (1000..6000_usize, "[aé\u{1}]").prop_map(|(len, letter)| letter.repeat(len)),
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        let known = ["prefix", "range", "x-amz-acl", "x-amz-grant-read", "Signature", "bucketName", "authorization"];
        prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => text()]
    }

    prop_compose! {
        fn identity()(texts in vec(option::of(text()), 6), kind in text()) -> UserIdentity {
            let [principal_id, arn, account_id, access_key_id, user_name, invoked_by] = texts.try_into().unwrap();
            UserIdentity { kind, principal_id, arn, account_id, access_key_id, user_name, invoked_by, ..Default::default() }
        }
    }

    prop_compose! {
        fn common()(
            identity in identity(),
            optional in vec(option::of(text()), 2),
            texts in vec(text(), 6),
            tls in option::of((text(), text())),
            failure in option::of((text(), text())),
        ) -> Common {
            let [claimed_access_key_id, user_agent] = optional.try_into().unwrap();
            let [recipient_account, region, source_ip, host, request_id, event_id] = texts.try_into().unwrap();
            let failure = failure.map(|(code, message)| Failure { code, message });
            Common {
                identity, claimed_access_key_id, recipient_account, region, source_ip, user_agent, host, tls, request_id,
                event_id, failure,
            }
        }
    }

    /// Shown by its record: a call's own headers are nobody's to see.
    struct Made(S3Call);

    impl std::fmt::Debug for Made {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.record(NOW).fmt(f)
        }
    }

    const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);

    prop_compose! {
        fn call()(
            op in op(),
            common in common(),
            optional in vec(option::of(text()), 4),
            query in vec((name(), text()), 0..5),
            headers in vec((name(), text()), 0..5),
            is_signed in any::<bool>(),
            host_id in text(),
            bytes in any::<(u64, u64)>(),
            response in option::of(text()),
        ) -> Made {
            let [bucket, key, bucket_owner, shared_event_id] = optional.try_into().unwrap();
            let response = response.and_then(|value| crate::answered(|name| (name == "x-amz-version-id").then_some(&*value)));
            Made(S3Call {
                op, common, bucket, key, query, headers, bucket_owner, host_id, shared_event_id, response,
                signed: is_signed.then_some(Signed { version: "SigV2", method: "AuthHeader" }),
                bytes_in: bytes.0, bytes_out: bytes.1, document: None, callers_copy: None,
            })
        }
    }

    proptest! {
        #[test]
        fn the_same_as_of_the_record(Made(call) in call()) {
            let (entry, copy) = call.entries(Outcome::Admitted, NOW);
            let expected = Entry::encode(Outcome::Admitted, &call.record(NOW));
            prop_assert_eq!(String::from_utf8(entry), String::from_utf8(expected));
            prop_assert!(copy.is_none());
        }
    }
}
