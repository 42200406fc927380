//! What a request on a bucket's configuration was sent, as its record shows it.
//!
//! CloudTrail writes a policy as it is and an XML document as the JSON that it corresponds to: attributes and elements become
//! members, repeated ones a list, texts that are truth values or whole numbers such values.

use aws_api::s3::S3Op;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use crate::xml::resolve;

/// The longest bucket policy (S3 user guide, "Policies and permissions in Amazon S3": 20 KB).
const POLICY_LEN_MAX: usize = 20 * 1024;
/// Longer documents are not shown: `requestParameters` may have 100 KiB.
const XML_LEN_MAX: usize = 64 * 1024;
const DEPTH_MAX: usize = 16;

/// The member of `requestParameters` that shows the document of an operation.
fn name(op: &S3Op) -> Option<&'static str> {
    Some(match op.name {
        "PutBucketPolicy" => "bucketPolicy",
        "PutBucketVersioning" => "VersioningConfiguration",
        "PutBucketLifecycleConfiguration" => "LifecycleConfiguration",
        "PutPublicAccessBlock" => "PublicAccessBlockConfiguration",
        "PutBucketOwnershipControls" => "OwnershipControls",
        "PutBucketTagging" => "Tagging",
        "PutBucketAcl" => "AccessControlPolicy",
        "CreateBucket" => "CreateBucketConfiguration",
        _ => return None,
    })
}

/// How much of an operation's body is to be kept for its record.
pub(crate) fn kept_len_max(op: &S3Op) -> Option<usize> {
    name(op).map(|name| if name == "bucketPolicy" { POLICY_LEN_MAX } else { XML_LEN_MAX })
}

/// The document, under its name. `None` if it is not one.
pub(crate) fn read(op: &S3Op, body: &[u8]) -> Option<(&'static str, Value)> {
    let name = name(op)?;
    let document = if name == "bucketPolicy" {
        serde_json::from_slice(body).ok().filter(Value::is_object)?
    } else {
        // The texts of tags stay texts.
        of_xml(std::str::from_utf8(body).ok()?, name, name != "Tagging")?
    };
    Some((name, document))
}

/// An element that is not at its end.
#[derive(Default)]
struct Open {
    name: String,
    members: Map<String, Value>,
    text: String,
}

impl Open {
    fn of(start: &BytesStart<'_>) -> Option<Self> {
        let mut open = Self { name: start.local_name().as_ref().to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            open.members.insert(attribute.key.as_ref().to_owned(), Value::String(attribute.value.into_owned()));
        }
        Some(open)
    }

    fn close(self, is_typed: bool) -> (String, Value) {
        if !self.members.is_empty() {
            return (self.name, Value::Object(self.members));
        }
        let text = self.text.trim();
        let value = match text {
            "true" if is_typed => Value::Bool(true),
            "false" if is_typed => Value::Bool(false),
            text => match text.parse::<i64>() {
                Ok(number) if is_typed && number.to_string() == text => number.into(),
                _ => text.into(),
            },
        };
        (self.name, value)
    }

    fn take(&mut self, (name, value): (String, Value)) {
        match self.members.get_mut(&name) {
            None => drop(self.members.insert(name, value)),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

fn of_xml(text: &str, root: &str, is_typed: bool) -> Option<Value> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let closed = match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() == DEPTH_MAX {
                    return None;
                }
                open.push(Open::of(&start)?);
                continue;
            }
            Event::Empty(start) => Open::of(&start)?,
            Event::End(_) => open.pop()?,
            Event::Text(text) => {
                if let Some(open) = open.last_mut() {
                    open.text.push_str(&text.xml10_content());
                }
                continue;
            }
            Event::GeneralRef(entity) => {
                open.last_mut()?.text.push(resolve(&entity)?);
                continue;
            }
            Event::Eof => return None,
            _ => continue,
        };
        let (name, value) = closed.close(is_typed);
        match open.last_mut() {
            Some(parent) => parent.take((name, value)),
            None => return (name == root).then_some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_api::s3::operation;
    use serde_json::json;

    use super::*;

    fn read_as(op: &str, body: &str) -> Option<Value> {
        read(operation(op).unwrap(), body.as_bytes()).map(|(_, value)| value)
    }

    #[test]
    fn documents_as_cloudtrail_shows_them() {
        let xmlns = "http://s3.amazonaws.com/doc/2006-03-01/";
        let text = format!(
            "<?xml version=\"1.0\"?>\n<LifecycleConfiguration xmlns=\"{xmlns}\"><Rule><ID>a &amp; b</ID><Filter/><Expiration><Days>30</Days></Expiration></Rule><Rule><ID>007</ID></Rule></LifecycleConfiguration>"
        );
        assert_eq!(
            read_as("PutBucketLifecycleConfiguration", &text),
            Some(json!({"xmlns": xmlns, "Rule": [
                {"ID": "a & b", "Filter": "", "Expiration": {"Days": 30}}, {"ID": "007"}
            ]}))
        );
        let text =
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
        assert_eq!(read_as("PutPublicAccessBlock", text), Some(json!({"BlockPublicAcls": true})));
        let text = "<Tagging><TagSet><Tag><Key>n</Key><Value>1</Value></Tag></TagSet></Tagging>";
        assert_eq!(read_as("PutBucketTagging", text), Some(json!({"TagSet": {"Tag": {"Key": "n", "Value": "1"}}})));
        assert_eq!(read_as("PutBucketPolicy", "{\"Version\":1}"), Some(json!({"Version": 1})));
    }

    #[test]
    fn what_is_none_is_not_shown() {
        let deep = "<a>".repeat(20);
        for text in ["", "x", "<a/>", "<VersioningConfiguration>", "<VersioningConfiguration>&x;", &deep] {
            assert_eq!(read_as("PutBucketVersioning", text), None, "{text}");
        }
        assert_eq!(read_as("PutBucketPolicy", "[]"), None);
        assert_eq!(read_as("PutObject", "<a/>"), None);
    }
}
