//! Buckets and their policies.

use serde_json::{Map, Value, json};

use super::{answer, document};
use crate::drift::xml::Element;
use crate::drift::{Answer, Read, Reader};
use crate::types::{Properties, Subject};

/// The properties that are read each by an operation of its own.
const PARTS: [(&str, &str, &str); 5] = [
    ("VersioningConfiguration", "GetBucketVersioning", "versioning"),
    ("PublicAccessBlockConfiguration", "GetPublicAccessBlock", "publicAccessBlock"),
    ("OwnershipControls", "GetBucketOwnershipControls", "ownershipControls"),
    ("LifecycleConfiguration", "GetBucketLifecycleConfiguration", "lifecycle"),
    ("Tags", "GetBucketTagging", "tagging"),
];

pub(in crate::drift) static BUCKET: Reader = Reader {
    kind: "AWS::S3::Bucket",
    reads: |subject, expected| {
        let parts = PARTS.iter().filter(|(name, _, _)| expected.contains_key(*name));
        let parts = parts.map(|(_, op, query)| Read::bucket(op, subject.name, query));
        std::iter::once(Read::bucket("HeadBucket", subject.name, "")).chain(parts).collect()
    },
    actual: bucket,
    documents: &[],
    // It has no effect, and is written nowhere.
    untold: &["BucketEncryption"],
};

fn bucket(subject: &Subject<'_>, expected: &Properties, answers: &[Answer]) -> Option<Properties> {
    answers.first()?.as_ref()?;
    let mut actual = Properties::new();
    actual.insert("BucketName".to_owned(), json!(subject.name));
    let asked = PARTS.iter().filter(|(name, _, _)| expected.contains_key(*name));
    for (place, (name, _, _)) in asked.enumerate() {
        let told = answer(answers, place + 1).as_str().and_then(Element::parse);
        let Some(told) = told else { continue };
        let value = match *name {
            "VersioningConfiguration" => json!({ "Status": told.text("Status").unwrap_or("Suspended") }),
            "PublicAccessBlockConfiguration" => {
                told.leaves().map(|(name, text)| (name.to_owned(), json!(text == "true"))).collect()
            }
            "OwnershipControls" => {
                let rule = |rule: &Element| json!({ "ObjectOwnership": rule.text("ObjectOwnership") });
                json!({ "Rules": told.all("Rule").map(rule).collect::<Vec<_>>() })
            }
            "LifecycleConfiguration" => json!({ "Rules": lifecycle_rules(&told, expected) }),
            _ => tags(&told),
        };
        actual.insert((*name).to_owned(), value);
    }
    Some(actual)
}

fn tags(told: &Element) -> Value {
    let set = told.get("TagSet").map(|set| set.all("Tag").collect::<Vec<_>>()).unwrap_or_default();
    set.iter().map(|tag| json!({ "Key": tag.text("Key"), "Value": tag.text("Value") })).collect()
}

fn lifecycle_rules(told: &Element, expected: &Properties) -> Vec<Value> {
    let given = expected.get("LifecycleConfiguration").map(|given| &given["Rules"]);
    let given = given.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    told.all("Rule").map(|rule| lifecycle_rule(rule, given)).collect()
}

fn lifecycle_rule(rule: &Element, given: &[Value]) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    let number = |element: &Element, name: &str| {
        let text = element.text(name)?;
        Some(text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)))
    };
    let id = rule.text("ID").unwrap_or_default();
    put("Id", Some(json!(id)));
    put("Status", rule.text("Status").map(|status| json!(status)));
    let prefix = rule.get("Filter").and_then(|filter| filter.text("Prefix")).or_else(|| rule.text("Prefix"));
    put("Prefix", Some(json!(prefix.unwrap_or_default())));
    if let Some(expiration) = rule.get("Expiration") {
        put("ExpirationInDays", number(expiration, "Days"));
        put("ExpirationDate", expiration.text("Date").map(|date| json!(date)));
        let marker = expiration.text("ExpiredObjectDeleteMarker");
        put("ExpiredObjectDeleteMarker", marker.map(|marker| json!(marker == "true")));
    }
    if let Some(noncurrent) = rule.get("NoncurrentVersionExpiration") {
        let (days, newer) = (number(noncurrent, "NoncurrentDays"), number(noncurrent, "NewerNoncurrentVersions"));
        // The template has two ways to say it.
        let old_way = given.iter().any(|given| {
            given.get("NoncurrentVersionExpirationInDays").is_some() && given.get("Id").is_none_or(|own| own == id)
        });
        if old_way {
            put("NoncurrentVersionExpirationInDays", days.clone());
        }
        let members = [("NoncurrentDays", days), ("NewerNoncurrentVersions", newer)];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        put("NoncurrentVersionExpiration", Some(members.collect()));
    }
    if let Some(abort) = rule.get("AbortIncompleteMultipartUpload") {
        let days = number(abort, "DaysAfterInitiation");
        put("AbortIncompleteMultipartUpload", Some(json!({ "DaysAfterInitiation": days })));
    }
    Value::Object(shown)
}

pub(in crate::drift) static BUCKET_POLICY: Reader = Reader {
    kind: "AWS::S3::BucketPolicy",
    reads: |subject, _| vec![Read::bucket("GetBucketPolicy", subject.name, "policy")],
    actual: |subject, _, answers| {
        let policy = document(answers.first()?.as_ref()?);
        Some([("Bucket".to_owned(), json!(subject.name)), ("PolicyDocument".to_owned(), policy)].into_iter().collect())
    },
    documents: &["PolicyDocument"],
    untold: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_as_a_template_says_it() {
        let lifecycle = "<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix/></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>";
        let expected = json!({
            "VersioningConfiguration": { "Status": "Enabled" },
            "LifecycleConfiguration": { "Rules": [{ "Status": "Enabled", "NoncurrentVersionExpirationInDays": 7 }] },
            "Tags": [],
        });
        let expected = expected.as_object().cloned().unwrap_or_default();
        let subject = Subject { account: "1", region: "r", name: "b", physical_id: Some("b") };
        let answers = [Some(json!("")), Some(json!("<VersioningConfiguration/>")), Some(json!(lifecycle)), None];
        assert_eq!((BUCKET.reads)(&subject, &expected).len(), answers.len());
        let rule = json!({
            "Id": "a",
            "Status": "Enabled",
            "Prefix": "",
            "ExpirationInDays": 3,
            "NoncurrentVersionExpirationInDays": 7,
            "NoncurrentVersionExpiration": { "NoncurrentDays": 7 },
        });
        assert_eq!(
            bucket(&subject, &expected, &answers).map(Value::Object),
            Some(json!({
                "BucketName": "b",
                "VersioningConfiguration": { "Status": "Suspended" },
                "LifecycleConfiguration": { "Rules": [rule] },
            }))
        );
        assert_eq!(bucket(&subject, &expected, &[None]), None);
    }
}
