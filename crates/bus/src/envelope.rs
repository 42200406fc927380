//! The envelope of an event ("Events structure" in the guide).

use aws_api::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// The greatest event of an AWS service that reaches a bus, in bytes; CloudTrail cuts its records to it.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;

/// The `detail-type` of a CloudTrail record of an API call.
pub const DETAIL_TYPE_API_CALL: &str = "AWS API Call via CloudTrail";

/// Everything in an event's envelope but its detail.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The event's id.
    pub id: Uuid,
    /// What kind of event this is, such as [`DETAIL_TYPE_API_CALL`].
    pub detail_type: &'a str,
    /// `aws.s3`, as [`source_of`] makes it, or the user's own.
    pub source: &'a str,
    /// The account that receives the event.
    pub account: &'a str,
    /// When it happened; written to the second.
    pub time: Timestamp,
    /// Where it happened.
    pub region: &'a str,
    /// The ARNs of what the event is about; none for events from CloudTrail.
    pub resources: &'a [String],
}

/// The members in AWS's order.
#[derive(Serialize)]
struct Wire<'a> {
    version: &'static str,
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: &'a str,
    source: &'a str,
    account: &'a str,
    time: String,
    region: &'a str,
    resources: &'a [String],
}

/// An event around its detail, compact, in AWS's order of members. The detail is taken over as it is, without a look: whoever
/// has it has read it as a JSON object, and written it without white space between its tokens.
pub fn envelope(head: &Envelope<'_>, detail: &[u8]) -> Vec<u8> {
    let wire = Wire {
        version: "0",
        id: head.id.hyphenated().to_string(),
        detail_type: head.detail_type,
        source: head.source,
        account: head.account,
        time: head.time.to_rfc3339_seconds(),
        region: head.region,
        resources: head.resources,
    };
    let mut bytes = Vec::with_capacity(detail.len() + 320);
    #[expect(clippy::expect_used, reason = "texts serialise, and a vector takes them")]
    serde_json::to_writer(&mut bytes, &wire).expect("the head of an event serialises to JSON");
    // In place of the brace at its end.
    bytes.pop();
    bytes.extend_from_slice(b",\"detail\":");
    bytes.extend_from_slice(detail);
    bytes.push(b'}');
    bytes
}

/// The `source` of events about an AWS service: `aws.` and the first label of the record's `eventSource`.
pub fn source_of(event_source: &str) -> String {
    format!("aws.{}", event_source.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_in_order_and_compact() {
        let source = source_of("s3.amazonaws.com");
        let head = Envelope {
            id: Uuid::from_u128(0x5d1c_0a52_0000_4000_8000_0000_0000_0001),
            detail_type: DETAIL_TYPE_API_CALL,
            source: &source,
            account: "111122223333",
            time: Timestamp::from_millis(1_773_480_413_104),
            region: "eu-central-1",
            resources: &[],
        };
        let bytes = envelope(&head, br#"{"eventName":"GetObject","n":21838.0}"#);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"version\":\"0\",\"id\":\"5d1c0a52-0000-4000-8000-000000000001\",\
             \"detail-type\":\"AWS API Call via CloudTrail\",\"source\":\"aws.s3\",\"account\":\"111122223333\",\
             \"time\":\"2026-03-14T09:26:53Z\",\"region\":\"eu-central-1\",\"resources\":[],\
             \"detail\":{\"eventName\":\"GetObject\",\"n\":21838.0}}"
        );
    }
}
