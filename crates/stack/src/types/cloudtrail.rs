//! `AWS::CloudTrail::Trail`

use serde_json::{Value, json};

use super::{Properties, ResourceType, Subject, arn, by_name, differs, retagged, tag_list, tags, text};
use crate::call::{Call, Step};
use crate::evaluate::Values;
use crate::schema::{Property, Shape, TAGS};

const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) static TRAIL: ResourceType = ResourceType {
    name: "AWS::CloudTrail::Trail",
    properties: &[
        Property::new("TrailName", Shape::Text).replaces(),
        Property::new("S3BucketName", Shape::Text).required(),
        Property::new("S3KeyPrefix", Shape::Text),
        Property::new("IsLogging", Shape::Boolean).required(),
        Property::new("IsMultiRegionTrail", Shape::Boolean),
        Property::new("IsOrganizationTrail", Shape::Boolean),
        Property::new("IncludeGlobalServiceEvents", Shape::Boolean),
        Property::new("EnableLogFileValidation", Shape::Boolean),
        Property::new("SnsTopicName", Shape::Text),
        Property::new("CloudWatchLogsLogGroupArn", Shape::Text),
        Property::new("CloudWatchLogsRoleArn", Shape::Text),
        Property::new("KMSKeyId", Shape::Text),
        Property::new(
            "EventSelectors",
            Shape::List(&Shape::Object(&[
                Property::new("ReadWriteType", Shape::Text),
                Property::new("IncludeManagementEvents", Shape::Boolean),
                Property::new("ExcludeManagementEventSources", TEXTS),
                Property::new(
                    "DataResources",
                    Shape::List(&Shape::Object(&[
                        Property::new("Type", Shape::Text).required(),
                        Property::new("Values", TEXTS),
                    ])),
                ),
            ])),
        ),
        Property::new(
            "AdvancedEventSelectors",
            Shape::List(&Shape::Object(&[
                Property::new("Name", Shape::Text),
                Property::new(
                    "FieldSelectors",
                    Shape::List(&Shape::Object(&[
                        Property::new("Field", Shape::Text).required(),
                        Property::new("Equals", TEXTS),
                        Property::new("NotEquals", TEXTS),
                        Property::new("StartsWith", TEXTS),
                        Property::new("NotStartsWith", TEXTS),
                        Property::new("EndsWith", TEXTS),
                        Property::new("NotEndsWith", TEXTS),
                    ])),
                )
                .required(),
            ])),
        ),
        Property::new("InsightSelectors", Shape::List(&Shape::Object(&[Property::new("InsightType", Shape::Text)]))),
        TAGS,
    ],
    attributes: &["Arn", "SnsTopicArn"],
    name_property: Some("TrailName"),
    name_len_max: 128,
    lower_case: false,
    look: Some(|subject, _| Call::Rpc {
        service: "cloudtrail",
        op: "GetTrail",
        input: json!({ "Name": subject.name }),
    }),
    create,
    update,
    delete,
    physical_id: by_name,
    values,
};

/// Properties that the API has under the same name, or another.
const SETTINGS: [(&str, &str); 10] = [
    ("S3BucketName", "S3BucketName"),
    ("S3KeyPrefix", "S3KeyPrefix"),
    ("IsMultiRegionTrail", "IsMultiRegionTrail"),
    ("IsOrganizationTrail", "IsOrganizationTrail"),
    ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
    ("EnableLogFileValidation", "EnableLogFileValidation"),
    ("SnsTopicName", "SnsTopicName"),
    ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
    ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
    ("KMSKeyId", "KmsKeyId"),
];

fn settings(subject: &Subject<'_>, properties: &Properties) -> Value {
    let mut input = json!({ "Name": subject.name });
    for (property, member) in SETTINGS {
        if let Some(value) = properties.get(property) {
            input[member] = value.clone();
        }
    }
    input
}

fn create(subject: &Subject<'_>, properties: &Properties) -> Vec<Step> {
    let mut input = settings(subject, properties);
    input["TagsList"] = tag_list(&tags(properties));
    let mut steps = vec![Step::rpc("cloudtrail", "CreateTrail", input)];
    steps.extend(selectors(subject, properties));
    if properties.contains_key("InsightSelectors") {
        steps.push(insights(subject, properties));
    }
    if properties.get("IsLogging") == Some(&Value::Bool(true)) {
        steps.push(logging(subject, true));
    }
    steps
}

fn selectors(subject: &Subject<'_>, properties: &Properties) -> Option<Step> {
    let mut input = json!({ "TrailName": subject.name });
    for name in ["EventSelectors", "AdvancedEventSelectors"] {
        if let Some(selectors) = properties.get(name) {
            input[name] = selectors.clone();
        }
    }
    (input.as_object().is_some_and(|input| input.len() > 1))
        .then(|| Step::rpc("cloudtrail", "PutEventSelectors", input))
}

fn insights(subject: &Subject<'_>, properties: &Properties) -> Step {
    let selectors = properties.get("InsightSelectors").cloned().unwrap_or_else(|| json!([]));
    Step::rpc("cloudtrail", "PutInsightSelectors", json!({ "TrailName": subject.name, "InsightSelectors": selectors }))
}

fn logging(subject: &Subject<'_>, on: bool) -> Step {
    Step::rpc("cloudtrail", if on { "StartLogging" } else { "StopLogging" }, json!({ "Name": subject.name }))
}

fn update(subject: &Subject<'_>, before: &Properties, after: &Properties) -> Vec<Step> {
    let mut input = settings(subject, after);
    // What is absent stays as it is in an update; what a template no longer says gets its default.
    for (property, default) in [
        ("S3KeyPrefix", json!("")),
        ("SnsTopicName", json!("")),
        ("IsMultiRegionTrail", json!(false)),
        ("IncludeGlobalServiceEvents", json!(true)),
        ("EnableLogFileValidation", json!(false)),
    ] {
        if before.contains_key(property) && !after.contains_key(property) {
            input[property] = default;
        }
    }
    let mut steps = vec![Step::rpc("cloudtrail", "UpdateTrail", input)];
    let selectors_differ = differs(before, after, "EventSelectors") || differs(before, after, "AdvancedEventSelectors");
    if selectors_differ {
        steps.push(selectors(subject, after).unwrap_or_else(|| default_selectors(subject)));
    }
    if differs(before, after, "InsightSelectors") {
        steps.push(insights(subject, after));
    }
    let arn = arn(subject, "cloudtrail", &format!("trail/{}", subject.name));
    let tagging = |op, tags: Value| Step::rpc("cloudtrail", op, json!({ "ResourceId": arn, "TagsList": tags }));
    steps.extend(retagged(
        before,
        after,
        |keys| tagging("RemoveTags", keys.into_iter().map(|key| json!({ "Key": key })).collect()),
        |tags| tagging("AddTags", tag_list(tags)),
    ));
    if differs(before, after, "IsLogging") {
        steps.push(logging(subject, after.get("IsLogging") == Some(&Value::Bool(true))));
    }
    steps
}

/// What a trail has that was given no selectors: all management events.
fn default_selectors(subject: &Subject<'_>) -> Step {
    let selector = json!({ "ReadWriteType": "All", "IncludeManagementEvents": true });
    Step::rpc("cloudtrail", "PutEventSelectors", json!({ "TrailName": subject.name, "EventSelectors": [selector] }))
}

fn delete(subject: &Subject<'_>, _: &Properties) -> Vec<Step> {
    let absent = &["TrailNotFoundException"];
    vec![
        logging(subject, false).tolerating(absent),
        Step::rpc("cloudtrail", "DeleteTrail", json!({ "Name": subject.name })).tolerating(absent),
    ]
}

fn values(subject: &Subject<'_>, properties: &Properties) -> Values {
    let topic = text(properties, "SnsTopicName")
        .map(|topic| if topic.starts_with("arn:") { topic.to_owned() } else { arn(subject, "sns", topic) });
    let trail = arn(subject, "cloudtrail", &format!("trail/{}", subject.name));
    let attributes = [("Arn".to_owned(), trail), ("SnsTopicArn".to_owned(), topic.unwrap_or_default())];
    Values { reference: subject.name.to_owned(), attributes: attributes.into() }
}
