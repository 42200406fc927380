//! `AWS::CloudWatch::Alarm`

use serde_json::{Value, json};

use super::{Properties, ResourceType, Subject, arn, by_name, retagged, tag_list, tags};
use crate::call::{Call, Step};
use crate::evaluate::Values;
use crate::schema::{Property, Shape, TAGS};

const ARNS: Shape = Shape::List(&Shape::Text);
const DIMENSIONS: Shape = Shape::List(&Shape::Object(&[
    Property::new("Name", Shape::Text).required(),
    Property::new("Value", Shape::Text).required(),
]));

pub(super) static ALARM: ResourceType = ResourceType {
    name: "AWS::CloudWatch::Alarm",
    properties: &[
        Property::new("AlarmName", Shape::Text).replaces(),
        Property::new("AlarmDescription", Shape::Text),
        Property::new("ActionsEnabled", Shape::Boolean),
        Property::new("AlarmActions", ARNS),
        Property::new("OKActions", ARNS),
        Property::new("InsufficientDataActions", ARNS),
        Property::new("Namespace", Shape::Text),
        Property::new("MetricName", Shape::Text),
        Property::new("Dimensions", DIMENSIONS),
        Property::new("Statistic", Shape::Text),
        Property::new("ExtendedStatistic", Shape::Text),
        Property::new("Unit", Shape::Text),
        Property::new("Period", Shape::Integer),
        Property::new("EvaluationPeriods", Shape::Integer).required(),
        Property::new("DatapointsToAlarm", Shape::Integer),
        Property::new("Threshold", Shape::Number),
        Property::new("ComparisonOperator", Shape::Text).required(),
        Property::new("TreatMissingData", Shape::Text),
        Property::new("EvaluateLowSampleCountPercentile", Shape::Text),
        Property::new("Metrics", Shape::Json),
        TAGS,
    ],
    attributes: &["Arn"],
    name_property: Some("AlarmName"),
    name_len_max: 255,
    lower_case: false,
    // Putting an alarm changes one that is there. Of the reads only this one fails where there is none.
    look: Some(|subject, _| {
        let arn = arn(subject, "cloudwatch", &format!("alarm:{}", subject.name));
        Call::Rpc { service: "monitoring", op: "ListTagsForResource", input: json!({ "ResourceARN": arn }) }
    }),
    create: |subject, properties| vec![put(subject, properties)],
    update,
    delete: |subject, _| {
        let input = json!({ "AlarmNames": [subject.name] });
        vec![Step::rpc("monitoring", "DeleteAlarms", input).tolerating(&["ResourceNotFound"])]
    },
    physical_id: by_name,
    values: |subject, _| {
        let arn = arn(subject, "cloudwatch", &format!("alarm:{}", subject.name));
        Values { reference: subject.name.to_owned(), attributes: [("Arn".to_owned(), arn)].into() }
    },
};

/// Putting an alarm that is there leaves its tags as they are.
fn update(subject: &Subject<'_>, before: &Properties, after: &Properties) -> Vec<Step> {
    let arn = arn(subject, "cloudwatch", &format!("alarm:{}", subject.name));
    let retagged = retagged(
        before,
        after,
        |keys| Step::rpc("monitoring", "UntagResource", json!({ "ResourceARN": arn, "TagKeys": keys })),
        |tags| Step::rpc("monitoring", "TagResource", json!({ "ResourceARN": arn, "Tags": tag_list(tags) })),
    );
    std::iter::once(put(subject, after)).chain(retagged).collect()
}

/// The operation's members are named as the properties.
fn put(subject: &Subject<'_>, properties: &Properties) -> Step {
    let mut input = Value::Object(properties.clone());
    input["AlarmName"] = json!(subject.name);
    let tags = tags(properties);
    if !tags.is_empty() {
        input["Tags"] = tag_list(&tags);
    }
    Step::rpc("monitoring", "PutMetricAlarm", input)
}
