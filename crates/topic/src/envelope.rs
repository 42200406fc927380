//! The notification that a queue receives when delivery is not raw, and the text under its signature.
//!
//! "Parsing Amazon SNS message formats" and "Verifying the signatures of Amazon SNS messages" in the SNS guide. The text to
//! sign does not depend on the subscription, so that one signature serves all deliveries of a publication; only
//! `UnsubscribeURL`, which is not signed, differs. Making the signature and serving its certificate are the caller's.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_api::{Arn, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::attribute::MessageAttributes;
use crate::entity::SignatureVersion;

const TYPE: &str = "Notification";

/// A notification without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The publication's.
    pub message_id: Uuid,
    /// Where it was published.
    pub topic_arn: Arn,
    /// Up to 100 characters.
    pub subject: Option<String>,
    /// The text for this protocol.
    pub message: Arc<str>,
    /// When it was published.
    pub timestamp: Timestamp,
    /// Which hash the signature is to be made over.
    pub signature_version: SignatureVersion,
    /// Shown to the receiver, but not signed.
    pub attributes: MessageAttributes,
}

impl Envelope {
    /// The bytes to sign: name and value of each signed member, a line each, sorted by name.
    pub fn canonical(&self) -> String {
        let (id, timestamp, topic) =
            (self.message_id.to_string(), self.timestamp.to_rfc3339_millis(), self.topic_arn.to_string());
        let members = [
            Some(("Message", &*self.message)),
            Some(("MessageId", &id)),
            self.subject.as_deref().map(|subject| ("Subject", subject)),
            Some(("Timestamp", &timestamp)),
            Some(("TopicArn", &topic)),
            Some(("Type", TYPE)),
        ];
        members.into_iter().flatten().fold(String::new(), |mut text, (name, value)| {
            for part in [name, "\n", value, "\n"] {
                text.push_str(part);
            }
            text
        })
    }

    /// The notification as AWS writes it, byte for byte. `signature` is base64 text.
    pub fn render(&self, signature: &str, signing_cert_url: &str, unsubscribe_url: &str) -> String {
        let mut json = String::with_capacity(self.message.len() + self.message.len() / 4 + 1024);
        json.push_str("{\n");
        let mut member = |name: &str, value: &str| {
            let _ = write!(json, "  \"{name}\" : ");
            push_string(&mut json, value);
            json.push_str(",\n");
        };
        member("Type", TYPE);
        member("MessageId", &self.message_id.to_string());
        member("TopicArn", &self.topic_arn.to_string());
        if let Some(subject) = &self.subject {
            member("Subject", subject);
        }
        member("Message", &self.message);
        member("Timestamp", &self.timestamp.to_rfc3339_millis());
        member("SignatureVersion", &self.signature_version.to_string());
        member("Signature", signature);
        member("SigningCertURL", signing_cert_url);
        member("UnsubscribeURL", unsubscribe_url);
        json.truncate(json.len() - ",\n".len());
        self.push_attributes(&mut json);
        json.push_str("\n}");
        json
    }

    fn push_attributes(&self, json: &mut String) {
        let mut before = ",\n  \"MessageAttributes\" : {\n";
        for (name, value) in &self.attributes {
            json.push_str(before);
            json.push_str("    ");
            push_string(json, name);
            json.push_str(" : {\"Type\":");
            push_string(json, value.data_type.as_deref().unwrap_or_default());
            json.push_str(",\"Value\":");
            match (&value.string_value, &value.binary_value) {
                (Some(text), _) => push_string(json, text),
                (None, Some(blob)) => push_string(json, &STANDARD.encode(&blob.0)),
                (None, None) => push_string(json, ""),
            }
            json.push('}');
            before = ",\n";
        }
        if !self.attributes.is_empty() {
            json.push_str("\n  }");
        }
    }
}

/// `UnsubscribeURL` for a subscription, on the endpoint whose scheme and authority are given without a slash at the end.
pub fn unsubscribe_url(endpoint: &str, subscription_arn: &Arn) -> String {
    format!("{endpoint}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}")
}

/// A JSON string. Beside what JSON asks for, the two characters are escaped that SQS takes in no message, U+FFFE and U+FFFF:
/// otherwise a message that SNS took could not be delivered.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(json, "\\u{:04X}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_api::Blob;
    use aws_api::sns::MessageAttributeValue;
    use proptest::prelude::*;

    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            message_id: Uuid::from_u128(0x2f1e_0000_0000_4000_8000_0000_0000_0001),
            topic_arn: Arn::new("sns", "eu-central-1", "111122223333", "sigv2"),
            subject: None,
            message: "{\"version\":\"0\"}".into(),
            timestamp: Timestamp::from_millis(1_773_480_415_104),
            signature_version: SignatureVersion::V1,
            attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn golden_without_subject_and_attributes() {
        let rendered = envelope().render(
            "c2ln",
            "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
            "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:111122223333:sigv2:u",
        );
        let expected = r#"{
  "Type" : "Notification",
  "MessageId" : "2f1e0000-0000-4000-8000-000000000001",
  "TopicArn" : "arn:aws:sns:eu-central-1:111122223333:sigv2",
  "Message" : "{\"version\":\"0\"}",
  "Timestamp" : "2026-03-14T09:26:55.104Z",
  "SignatureVersion" : "1",
  "Signature" : "c2ln",
  "SigningCertURL" : "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
  "UnsubscribeURL" : "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:111122223333:sigv2:u"
}"#;
        assert_eq!(rendered, expected);
    }

    #[test]
    fn golden_with_subject_and_attributes() {
        let text = MessageAttributeValue {
            data_type: Some("Number".into()),
            string_value: Some("99.12".into()),
            binary_value: None,
        };
        let blob = MessageAttributeValue {
            data_type: Some("Binary".into()),
            string_value: None,
            binary_value: Some(Blob(vec![2, 3, 4])),
        };
        let rendered = Envelope {
            subject: Some("a \"subject\"".into()),
            message: "line\n\u{1}\u{ffff}é".into(),
            signature_version: SignatureVersion::V2,
            attributes: BTreeMap::from([("a".into(), text), ("b".into(), blob)]),
            ..envelope()
        }
        .render("c2ln", "C", "U");
        let expected = r#"{
  "Type" : "Notification",
  "MessageId" : "2f1e0000-0000-4000-8000-000000000001",
  "TopicArn" : "arn:aws:sns:eu-central-1:111122223333:sigv2",
  "Subject" : "a \"subject\"",
  "Message" : "line\n\u0001\uFFFFé",
  "Timestamp" : "2026-03-14T09:26:55.104Z",
  "SignatureVersion" : "2",
  "Signature" : "c2ln",
  "SigningCertURL" : "C",
  "UnsubscribeURL" : "U",
  "MessageAttributes" : {
    "a" : {"Type":"Number","Value":"99.12"},
    "b" : {"Type":"Binary","Value":"AgME"}
  }
}"#;
        assert_eq!(rendered, expected);
    }

    #[test]
    fn canonical_strings() {
        let plain = "Message\n{\"version\":\"0\"}\nMessageId\n2f1e0000-0000-4000-8000-000000000001\n\
                     Timestamp\n2026-03-14T09:26:55.104Z\nTopicArn\narn:aws:sns:eu-central-1:111122223333:sigv2\n\
                     Type\nNotification\n";
        assert_eq!(envelope().canonical(), plain);
        let with_subject = Envelope { subject: Some("s".into()), ..envelope() }.canonical();
        assert_eq!(with_subject, plain.replace("Timestamp\n", "Subject\ns\nTimestamp\n"));
    }

    proptest! {
        /// Whatever was published comes out of the JSON again, and SQS takes every character of it.
        #[test]
        fn the_receiver_reads_what_was_published(message in ".*", subject in proptest::option::of(".*")) {
            let envelope = Envelope { subject, message: message.into(), ..envelope() };
            let rendered = envelope.render("s", "c", "u");
            let read: serde_json::Value = serde_json::from_str(&rendered).unwrap();
            prop_assert_eq!(read["Message"].as_str(), Some(&*envelope.message));
            prop_assert_eq!(read.get("Subject").and_then(|s| s.as_str()), envelope.subject.as_deref());
            let refused_by_sqs = |c: char| (c < ' ' && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
            prop_assert!(!rendered.contains(refused_by_sqs));
        }
    }
}
