//! `AWS::S3::Bucket`, `AWS::S3::BucketPolicy`

use quick_xml::escape::escape;
use serde_json::Value;

use super::{Properties, ResourceType, Subject, by_name, differs, policy_document, tags, values_of_name};
use crate::call::{Call, Step};
use crate::evaluate::{Values, scalar};
use crate::schema::{Property, Shape, TAGS};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

const LIFECYCLE_RULE: Shape = Shape::Object(&[
    Property::new("Id", Shape::Text),
    Property::new("Status", Shape::Text).required(),
    Property::new("Prefix", Shape::Text),
    Property::new("ExpirationInDays", Shape::Integer),
    Property::new("ExpirationDate", Shape::Text),
    Property::new("ExpiredObjectDeleteMarker", Shape::Boolean),
    Property::new("NoncurrentVersionExpirationInDays", Shape::Integer),
    Property::new(
        "NoncurrentVersionExpiration",
        Shape::Object(&[
            Property::new("NoncurrentDays", Shape::Integer).required(),
            Property::new("NewerNoncurrentVersions", Shape::Integer),
        ]),
    ),
    Property::new(
        "AbortIncompleteMultipartUpload",
        Shape::Object(&[Property::new("DaysAfterInitiation", Shape::Integer).required()]),
    ),
]);

pub(super) static BUCKET: ResourceType = ResourceType {
    name: "AWS::S3::Bucket",
    properties: &[
        Property::new("BucketName", Shape::Text).replaces(),
        // A legacy property, with which older templates say what holds anyway. The other canned ACLs need ACLs, which are off.
        Property::new("AccessControl", Shape::OneOf(&["Private"]))
            .without_effect("buckets are private and have no ACLs"),
        Property::new("BucketEncryption", Shape::Json)
            .without_effect("the built-in store does not encrypt; encrypt its disk"),
        Property::new(
            "PublicAccessBlockConfiguration",
            Shape::Object(&[
                Property::new("BlockPublicAcls", Shape::Boolean),
                Property::new("BlockPublicPolicy", Shape::Boolean),
                Property::new("IgnorePublicAcls", Shape::Boolean),
                Property::new("RestrictPublicBuckets", Shape::Boolean),
            ]),
        ),
        Property::new(
            "OwnershipControls",
            Shape::Object(&[Property::new(
                "Rules",
                Shape::List(&Shape::Object(&[Property::new("ObjectOwnership", Shape::Text)])),
            )
            .required()]),
        ),
        Property::new("VersioningConfiguration", Shape::Object(&[Property::new("Status", Shape::Text).required()])),
        Property::new(
            "LifecycleConfiguration",
            Shape::Object(&[Property::new("Rules", Shape::List(&LIFECYCLE_RULE)).required()]),
        ),
        TAGS,
    ],
    attributes: &["Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL"],
    name_property: Some("BucketName"),
    name_len_max: 63,
    lower_case: true,
    look: Some(|subject, _| Call::S3 {
        op: "HeadBucket",
        method: "HEAD",
        bucket: subject.name.to_owned(),
        query: "",
        body: String::new(),
    }),
    create: |subject, properties| {
        let body = match subject.region {
            "us-east-1" => String::new(),
            region => element(
                "CreateBucketConfiguration",
                &format!("<LocationConstraint>{}</LocationConstraint>", escape(region)),
            ),
        };
        let mut steps = vec![Step::put_bucket("CreateBucket", subject.name, "", body)];
        steps.extend(configure(subject, &Properties::new(), properties));
        steps
    },
    update: configure,
    delete: |subject, _| vec![Step::delete_bucket("DeleteBucket", subject.name, "")],
    physical_id: by_name,
    values: |subject, _| {
        let (name, region) = (subject.name, subject.region);
        let attributes = [
            ("Arn", format!("arn:aws:s3:::{name}")),
            ("DomainName", format!("{name}.s3.amazonaws.com")),
            ("RegionalDomainName", format!("{name}.s3.{region}.amazonaws.com")),
            ("DualStackDomainName", format!("{name}.s3.dualstack.{region}.amazonaws.com")),
            ("WebsiteURL", format!("http://{name}.s3-website-{region}.amazonaws.com")),
        ];
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Values { reference: name.to_owned(), attributes }
    },
};

/// What a bucket is given beyond itself, as far as it differs.
fn configure(subject: &Subject<'_>, before: &Properties, after: &Properties) -> Vec<Step> {
    let mut steps = Vec::new();
    let changed = |name: &str| differs(before, after, name);
    if changed("VersioningConfiguration") {
        let status = after.get("VersioningConfiguration").and_then(|v| v["Status"].as_str()).unwrap_or("Suspended");
        let body = element("VersioningConfiguration", &leaf("Status", status));
        steps.push(Step::put_bucket("PutBucketVersioning", subject.name, "versioning", body));
    }
    if changed("PublicAccessBlockConfiguration") {
        steps.push(public_access_block(subject, after));
    }
    if changed("OwnershipControls") {
        steps.push(ownership_controls(subject, after));
    }
    if changed("LifecycleConfiguration") {
        steps.push(lifecycle(subject, after));
    }
    if changed("Tags") {
        steps.push(tagging(subject, &tags(after)));
    }
    steps
}

fn public_access_block(subject: &Subject<'_>, properties: &Properties) -> Step {
    let Some(Value::Object(settings)) = properties.get("PublicAccessBlockConfiguration") else {
        return Step::delete_bucket("DeletePublicAccessBlock", subject.name, "publicAccessBlock");
    };
    let settings: String = settings.iter().map(|(name, value)| leaf(name, &value.to_string())).collect();
    let body = element("PublicAccessBlockConfiguration", &settings);
    Step::put_bucket("PutPublicAccessBlock", subject.name, "publicAccessBlock", body)
}

fn ownership_controls(subject: &Subject<'_>, properties: &Properties) -> Step {
    let Some(controls) = properties.get("OwnershipControls") else {
        return Step::delete_bucket("DeleteBucketOwnershipControls", subject.name, "ownershipControls");
    };
    let rules = controls["Rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rule =
        |rule: &Value| wrapped("Rule", &leaf("ObjectOwnership", rule["ObjectOwnership"].as_str().unwrap_or_default()));
    let body = element("OwnershipControls", &rules.iter().map(rule).collect::<String>());
    Step::put_bucket("PutBucketOwnershipControls", subject.name, "ownershipControls", body)
}

fn lifecycle(subject: &Subject<'_>, properties: &Properties) -> Step {
    let Some(configuration) = properties.get("LifecycleConfiguration") else {
        return Step::delete_bucket("DeleteBucketLifecycle", subject.name, "lifecycle");
    };
    let rules = configuration["Rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let body = element("LifecycleConfiguration", &rules.iter().map(lifecycle_rule).collect::<String>());
    Step::put_bucket("PutBucketLifecycleConfiguration", subject.name, "lifecycle", body)
}

fn lifecycle_rule(rule: &Value) -> String {
    let get = |name: &str| rule.get(name).and_then(scalar);
    let mut xml = get("Id").map(|id| leaf("ID", &id)).unwrap_or_default();
    xml += &wrapped("Filter", &leaf("Prefix", &get("Prefix").unwrap_or_default()));
    xml += &leaf("Status", &get("Status").unwrap_or_default());
    let expiration = [
        ("ExpirationInDays", "Days"),
        ("ExpirationDate", "Date"),
        ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
    ];
    let expiration: String = expiration.iter().filter_map(|(name, element)| Some(leaf(element, &get(name)?))).collect();
    if !expiration.is_empty() {
        xml += &wrapped("Expiration", &expiration);
    }
    let noncurrent = &rule["NoncurrentVersionExpiration"];
    let days = scalar(&noncurrent["NoncurrentDays"]).or_else(|| get("NoncurrentVersionExpirationInDays"));
    if let Some(days) = days {
        let newer = scalar(&noncurrent["NewerNoncurrentVersions"]).map(|newer| leaf("NewerNoncurrentVersions", &newer));
        xml += &wrapped("NoncurrentVersionExpiration", &(leaf("NoncurrentDays", &days) + &newer.unwrap_or_default()));
    }
    if let Some(days) = scalar(&rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]) {
        xml += &wrapped("AbortIncompleteMultipartUpload", &leaf("DaysAfterInitiation", &days));
    }
    wrapped("Rule", &xml)
}

fn tagging(subject: &Subject<'_>, tags: &[(String, String)]) -> Step {
    if tags.is_empty() {
        return Step::delete_bucket("DeleteBucketTagging", subject.name, "tagging");
    }
    let tag = |(key, value): &(String, String)| wrapped("Tag", &(leaf("Key", key) + &leaf("Value", value)));
    let body = element("Tagging", &wrapped("TagSet", &tags.iter().map(tag).collect::<String>()));
    Step::put_bucket("PutBucketTagging", subject.name, "tagging", body)
}

/// The outermost element of a body.
fn element(name: &str, content: &str) -> String {
    format!("<{name} xmlns=\"{NAMESPACE}\">{content}</{name}>")
}

fn wrapped(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

fn leaf(name: &str, text: &str) -> String {
    wrapped(name, &escape(text))
}

pub(super) static BUCKET_POLICY: ResourceType = ResourceType {
    name: "AWS::S3::BucketPolicy",
    properties: &[
        Property::new("Bucket", Shape::Text).required().replaces(),
        Property::new("PolicyDocument", Shape::Json).required(),
    ],
    attributes: &[],
    name_property: Some("Bucket"),
    name_len_max: 63,
    lower_case: true,
    look: None,
    create: |subject, properties| vec![put_policy(subject, properties)],
    update: |subject, _, after| vec![put_policy(subject, after)],
    delete: |subject, _| vec![Step::delete_bucket("DeleteBucketPolicy", subject.name, "policy")],
    physical_id: by_name,
    values: values_of_name,
};

fn put_policy(subject: &Subject<'_>, properties: &Properties) -> Step {
    Step::put_bucket("PutBucketPolicy", subject.name, "policy", policy_document(properties))
}
