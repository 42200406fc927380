//! Alarms.

use serde_json::json;

use super::{answer, taken};
use crate::drift::{Read, Reader};
use crate::types::arn;

pub(in crate::drift) static ALARM: Reader = Reader {
    kind: "AWS::CloudWatch::Alarm",
    reads: |subject, expected| {
        let mut reads = vec![Read::rpc("monitoring", "DescribeAlarms", json!({ "AlarmNames": [subject.name] }))];
        if expected.contains_key("Tags") {
            let arn = arn(subject, "cloudwatch", &format!("alarm:{}", subject.name));
            reads.push(Read::rpc("monitoring", "ListTagsForResource", json!({ "ResourceARN": arn })));
        }
        reads
    },
    actual: |_, expected, answers| {
        let alarm = answer(answers, 0)["MetricAlarms"].get(0)?;
        // The members are named as the properties.
        let mut actual = alarm.as_object()?.clone();
        actual.entry("TreatMissingData").or_insert_with(|| json!("missing"));
        if let Some(periods) = alarm.get("EvaluationPeriods").filter(|_| expected.contains_key("DatapointsToAlarm")) {
            actual.entry("DatapointsToAlarm").or_insert_with(|| periods.clone());
        }
        actual.extend(taken(answer(answers, 1), &[("Tags", "Tags")]));
        Some(actual)
    },
    documents: &[],
    untold: &[],
};
