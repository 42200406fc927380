//! Trails.

use serde_json::{Value, json};

use super::{answer, taken};
use crate::drift::{Answer, Read, Reader};
use crate::types::{Properties, Subject, arn, text};

pub(in crate::drift) static TRAIL: Reader = Reader {
    kind: "AWS::CloudTrail::Trail",
    reads: |subject, expected| {
        let named = |op, member: &str| Read::rpc("cloudtrail", op, json!({ member: subject.name }));
        let mut reads = vec![named("GetTrail", "Name"), named("GetTrailStatus", "Name")];
        if expected.contains_key("EventSelectors") || expected.contains_key("AdvancedEventSelectors") {
            reads.push(named("GetEventSelectors", "TrailName"));
        }
        if expected.contains_key("InsightSelectors") {
            reads.push(named("GetInsightSelectors", "TrailName"));
        }
        if expected.contains_key("Tags") {
            let arn = arn(subject, "cloudtrail", &format!("trail/{}", subject.name));
            reads.push(Read::rpc("cloudtrail", "ListTags", json!({ "ResourceIdList": [arn] })));
        }
        reads
    },
    actual: trail,
    documents: &[],
    untold: &[],
};

fn trail(subject: &Subject<'_>, expected: &Properties, answers: &[Answer]) -> Option<Properties> {
    let trail = &answers.first()?.as_ref()?["Trail"];
    let mut actual = taken(
        trail,
        &[
            ("TrailName", "Name"),
            ("S3BucketName", "S3BucketName"),
            ("S3KeyPrefix", "S3KeyPrefix"),
            ("IsMultiRegionTrail", "IsMultiRegionTrail"),
            ("IsOrganizationTrail", "IsOrganizationTrail"),
            ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
            ("EnableLogFileValidation", "LogFileValidationEnabled"),
            ("SnsTopicName", "SnsTopicName"),
            ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
            ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
            ("KMSKeyId", "KmsKeyId"),
        ],
    );
    if let Some(topic) = topic_as_given(subject, expected, trail) {
        actual.insert("SnsTopicName".to_owned(), topic);
    }
    actual.insert("IsLogging".to_owned(), answer(answers, 1)["IsLogging"].clone());
    for told in answers.iter().skip(2).flatten() {
        let names = ["EventSelectors", "AdvancedEventSelectors", "InsightSelectors"];
        actual.extend(taken(told, &names.map(|name| (name, name))));
        if let Some(tags) = told["ResourceTagList"].get(0).and_then(|tagged| tagged.get("TagsList")) {
            actual.insert("Tags".to_owned(), tags.clone());
        }
    }
    Some(actual)
}

/// A topic is named by its name or its ARN.
fn topic_as_given(subject: &Subject<'_>, expected: &Properties, trail: &Value) -> Option<Value> {
    let given = text(expected, "SnsTopicName")?;
    let whole = if given.starts_with("arn:") { given.to_owned() } else { arn(subject, "sns", given) };
    let actual = trail.get("SnsTopicARN")?;
    Some(if *actual == json!(whole) { json!(given) } else { actual.clone() })
}
