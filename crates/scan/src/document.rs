//! Records in other JSON than CloudTrail's files: one a line, in EventBridge's envelope, in messages of SNS and SQS, in what the
//! AWS CLI prints.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Messages in messages.
const DEPTH_MAX: u32 = 6;

/// The members by which a document is known.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Members<'a> {
    /// A file of CloudTrail, or an invocation by SNS or SQS.
    #[serde(rename = "Records", borrow)]
    records: Option<Vec<&'a RawValue>>,
    /// `lookup-events`
    #[serde(rename = "Events")]
    events: Option<Vec<&'a RawValue>>,
    #[serde(rename = "CloudTrailEvent")]
    cloud_trail_event: Option<&'a RawValue>,
    /// `receive-message`
    #[serde(rename = "Messages")]
    messages: Option<Vec<&'a RawValue>>,
    #[serde(rename = "Body")]
    body: Option<&'a RawValue>,
    #[serde(rename = "body")]
    body_of_invocation: Option<&'a RawValue>,
    #[serde(rename = "Sns")]
    sns: Option<&'a RawValue>,
    #[serde(rename = "Message")]
    message: Option<&'a RawValue>,
    #[serde(rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    detail: Option<&'a RawValue>,
    #[serde(rename = "eventSource")]
    event_source: Option<&'a RawValue>,
    #[serde(rename = "eventName")]
    event_name: Option<&'a RawValue>,
    #[serde(rename = "eventVersion")]
    event_version: Option<&'a RawValue>,
}

/// Calls `record` with each CloudTrail record in a document, and tells how many there were; `None` if it is none and holds none.
pub(crate) fn records_of(document: &[u8], record: &mut impl FnMut(&[u8])) -> Option<usize> {
    unwrap(document, record, 0)
}

fn unwrap(document: &[u8], record: &mut impl FnMut(&[u8]), depth: u32) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    let members: Members<'_> = serde_json::from_slice(document).ok()?;
    if members.event_source.is_some() && members.event_name.is_some() && members.event_version.is_some() {
        record(document);
        return Some(1);
    }
    if members.detail_type.is_some() {
        return unwrap(members.detail?.get().as_bytes(), record, depth + 1);
    }
    let lists = [members.records, members.events, members.messages].into_iter().flatten().flatten();
    let single = [members.cloud_trail_event, members.body, members.body_of_invocation, members.sns, members.message];
    let mut found = None;
    for inner in lists.chain(single.into_iter().flatten()) {
        let text = inner.get();
        let count = if text.starts_with('"') {
            // A document as text, such as the message in a notification.
            let text: Cow<'_, str> = serde_json::from_str(text).ok()?;
            unwrap(text.as_bytes(), record, depth + 1)
        } else {
            unwrap(text.as_bytes(), record, depth + 1)
        };
        found = found.into_iter().chain(count).reduce(|sum, more| sum + more);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(document: &str) -> (Option<usize>, Vec<String>) {
        let mut records = Vec::new();
        let count =
            records_of(document.as_bytes(), &mut |record| records.push(String::from_utf8(record.to_vec()).unwrap()));
        (count, records)
    }

    #[test]
    fn in_all_wrappings() {
        let record = r#"{"eventSource":"s3.amazonaws.com","eventVersion":"1.08","eventName":"GetObject"}"#;
        let text = |inner: &str| serde_json::to_string(inner).unwrap();
        let envelope = format!(r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{record}}}"#);
        let sns = format!(r#"{{"Type":"Notification","Message":{}}}"#, text(&envelope));
        let sqs = format!(r#"{{"MessageId":"1","Body":{}}}"#, text(&sns));
        for document in [
            record.to_owned(),
            envelope.clone(),
            sns.clone(),
            sqs.clone(),
            format!(r#"{{"x":1,"Records":[{record}]}}"#),
            format!(r#"{{"Messages":[{sqs}]}}"#),
            format!(r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{sns}}}]}}"#),
            format!(r#"{{"Records":[{{"messageId":"1","body":{}}}]}}"#, text(&envelope)),
            format!(r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":{}}}]}}"#, text(record)),
        ] {
            assert_eq!(found(&document), (Some(1), vec![record.to_owned()]), "{document}");
        }
        let two = format!(r#"{{"Records":[{record},{record}]}}"#);
        assert_eq!(found(&two).0, Some(2));
    }

    #[test]
    fn what_is_none() {
        for document in [
            r#"{"a":1}"#,
            r#"{"detail-type":"x","detail":{}}"#,
            r#"{"Message":"hello"}"#,
            r#"{"Records":[{"s3":{}}]}"#,
            "{",
        ] {
            assert_eq!(found(document).0, None, "{document}");
        }
        let mut deep = r#"{"Message":"x"}"#.to_owned();
        for _ in 0..12 {
            deep = format!(r#"{{"Message":{}}}"#, serde_json::to_string(&deep).unwrap());
            if deep.len() > 100_000 {
                break;
            }
        }
        assert_eq!(found(&deep).0, None);
    }
}
