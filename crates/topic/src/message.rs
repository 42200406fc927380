//! What is published: a message, its subject and attributes, and the rules that they obey.
//!
//! `Publish` in the SNS API reference; the texts are AWS's.

use std::collections::BTreeMap;

use aws_api::ApiError;
use aws_api::sns::{PublishBatchRequestEntry, PublishRequest};
use serde_json::Value;

use crate::attribute::{self, MessageAttributes};
use crate::refusal::{invalid, missing};

/// The largest message with its attributes, in bytes: 256 KiB.
pub const MESSAGE_LEN_MAX: usize = 256 * 1024;

/// The longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 100;

/// One message for all subscribers of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The text, or with `structure` the JSON object of texts by protocol.
    pub message: String,
    /// Shown in the envelope.
    pub subject: Option<String>,
    /// Shown in the envelope, matched by filter policies, and message attributes of the queue when delivery is raw.
    pub attributes: MessageAttributes,
    /// `MessageStructure`: `json` or absent.
    pub structure: Option<String>,
}

impl Publication {
    pub(crate) fn of(req: &PublishRequest) -> Result<Self, ApiError> {
        Ok(Self {
            message: req.message.clone().ok_or_else(|| missing("message"))?,
            subject: req.subject.clone(),
            attributes: req.message_attributes.clone(),
            structure: req.message_structure.clone(),
        })
    }

    pub(crate) fn of_entry(entry: &PublishBatchRequestEntry, position: usize) -> Result<Self, ApiError> {
        let member = || missing(format!("publishBatchRequestEntries.{position}.member.message"));
        Ok(Self {
            message: entry.message.clone().ok_or_else(member)?,
            subject: entry.subject.clone(),
            attributes: entry.message_attributes.clone(),
            structure: entry.message_structure.clone(),
        })
    }

    /// The message's and its attributes' bytes, which the limits count.
    pub(crate) fn size(&self) -> usize {
        self.message.len() + attribute::size(&self.attributes)
    }

    /// Checks everything that does not depend on the topic. `path` is how AWS names the attributes in validation errors.
    pub(crate) fn validate(&self, path: &str) -> Result<(), ApiError> {
        if let Some(subject) = &self.subject
            && (subject.is_empty()
                || subject.chars().count() > SUBJECT_CHARS_MAX
                || subject.chars().any(char::is_control))
        {
            return Err(invalid("Subject"));
        }
        if self.message.is_empty() {
            return Err(invalid("Empty message"));
        }
        attribute::validate(&self.attributes, path)?;
        if self.size() > MESSAGE_LEN_MAX {
            return Err(invalid("Message too long"));
        }
        self.text_for("sqs").map(drop)
    }

    /// The text that subscribers of a protocol get. With `MessageStructure` `json`, members that are not texts are ignored.
    pub(crate) fn text_for(&self, protocol: &str) -> Result<String, ApiError> {
        match self.structure.as_deref() {
            None => return Ok(self.message.clone()),
            Some("json") => {}
            Some(_) => return Err(invalid("MessageStructure")),
        }
        let failed = || invalid("Message Structure - JSON message body failed to parse");
        let mut texts: BTreeMap<String, Value> = serde_json::from_str(&self.message).map_err(|_| failed())?;
        let mut text = |name: &str| match texts.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let default =
            text("default").ok_or_else(|| invalid("Message Structure - No default entry in JSON message body"))?;
        Ok(text(protocol).unwrap_or(default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Publication {
        Publication { message: text.into(), ..<_>::default() }
    }

    #[test]
    fn refused() {
        let subject = |text: &str| Publication { subject: Some(text.into()), ..message("m") };
        let json = |text: &str| Publication { structure: Some("json".into()), ..message(text) };
        let rows = [
            (subject(""), "Subject"),
            (subject(&"s".repeat(101)), "Subject"),
            (subject("two\nlines"), "Subject"),
            (message(""), "Empty message"),
            (message(&"m".repeat(MESSAGE_LEN_MAX + 1)), "Message too long"),
            (json("{"), "Message Structure - JSON message body failed to parse"),
            (json("[]"), "Message Structure - JSON message body failed to parse"),
            (json("{\"sqs\":\"x\"}"), "Message Structure - No default entry in JSON message body"),
            (json("{\"default\":1}"), "Message Structure - No default entry in JSON message body"),
            (Publication { structure: Some("xml".into()), ..message("m") }, "MessageStructure"),
        ];
        for (publication, expected) in rows {
            let refused = publication.validate("messageAttributes").unwrap_err();
            assert_eq!(refused.to_string(), format!("InvalidParameter: Invalid parameter: {expected}"));
        }
    }

    #[test]
    fn bounds_are_allowed() {
        message(&"m".repeat(MESSAGE_LEN_MAX)).validate("").unwrap();
        Publication { subject: Some("é".repeat(100)), ..message("m") }.validate("").unwrap();
    }

    #[test]
    fn text_by_protocol() {
        let json = |text: &str| Publication { structure: Some("json".into()), ..message(text) };
        assert_eq!(json(r#"{"default":"d","sqs":"q"}"#).text_for("sqs").unwrap(), "q");
        assert_eq!(json(r#"{"default":"d","http":"h","sqs":{}}"#).text_for("sqs").unwrap(), "d");
        assert_eq!(message(r#"{"default":"d"}"#).text_for("sqs").unwrap(), r#"{"default":"d"}"#);
    }
}
