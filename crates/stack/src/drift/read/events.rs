//! Rules, event buses and their policies.

use serde_json::{Value, json};

use super::{answer, document, taken};
use crate::drift::{Answer, Read, Reader};
use crate::types::{Properties, Subject, arn, text};

pub(in crate::drift) static RULE: Reader = Reader {
    kind: "AWS::Events::Rule",
    reads: |subject, expected| {
        let on_bus = |mut input: Value| {
            if let Some(bus) = expected.get("EventBusName") {
                input["EventBusName"] = bus.clone();
            }
            input
        };
        let mut reads = vec![Read::rpc("events", "DescribeRule", on_bus(json!({ "Name": subject.name })))];
        if expected.contains_key("Targets") {
            let targets = Read::rpc("events", "ListTargetsByRule", on_bus(json!({ "Rule": subject.name })));
            reads.push(targets.paged("Targets"));
        }
        if expected.contains_key("Tags") {
            let id = subject.physical_id.unwrap_or_default().replace('|', "/");
            reads.push(tags(&arn(subject, "events", &format!("rule/{id}"))));
        }
        reads
    },
    actual: |_, expected, answers| {
        let rule = answer(answers, 0);
        let names = ["Name", "Description", "ScheduleExpression", "RoleArn", "State"];
        let mut actual = taken(rule, &names.map(|name| (name, name)));
        if let Some(pattern) = rule.get("EventPattern") {
            actual.insert("EventPattern".to_owned(), document(pattern));
        }
        actual.insert("EventBusName".to_owned(), bus_as_given(expected, &rule["EventBusName"]));
        told(&mut actual, answers, "Targets");
        told(&mut actual, answers, "Tags");
        Some(actual)
    },
    documents: &["EventPattern"],
    untold: &[],
};

fn tags(arn: &str) -> Read {
    Read::rpc("events", "ListTagsForResource", json!({ "ResourceARN": arn }))
}

fn told(actual: &mut Properties, answers: &[Answer], name: &str) {
    if let Some(list) = answers.iter().skip(1).flatten().find_map(|answer| answer.get(name)) {
        actual.insert(name.to_owned(), list.clone());
    }
}

/// A bus is named by its name or its ARN.
fn bus_as_given(expected: &Properties, name: &Value) -> Value {
    let given = expected.get("EventBusName").filter(|given| {
        let end = given.as_str().and_then(|given| given.rsplit('/').next());
        end == name.as_str()
    });
    given.unwrap_or(name).clone()
}

pub(in crate::drift) static EVENT_BUS: Reader = Reader {
    kind: "AWS::Events::EventBus",
    reads: |subject, expected| {
        let mut reads = vec![Read::rpc("events", "DescribeEventBus", json!({ "Name": subject.name }))];
        if expected.contains_key("Tags") {
            reads.push(tags(&arn(subject, "events", &format!("event-bus/{}", subject.name))));
        }
        reads
    },
    actual: |_, _, answers| {
        let mut actual = taken(answer(answers, 0), &[("Name", "Name"), ("Description", "Description")]);
        told(&mut actual, answers, "Tags");
        Some(actual)
    },
    documents: &[],
    untold: &[],
};

pub(in crate::drift) static EVENT_BUS_POLICY: Reader = Reader {
    kind: "AWS::Events::EventBusPolicy",
    reads: |_, expected| {
        let bus = text(expected, "EventBusName").unwrap_or("default");
        vec![Read::rpc("events", "DescribeEventBus", json!({ "Name": bus }))]
    },
    actual: statement,
    documents: &["Statement", "Condition"],
    untold: &[],
};

/// The bus's policy is one document; the resource is the statement of its id.
fn statement(_: &Subject<'_>, expected: &Properties, answers: &[Answer]) -> Option<Properties> {
    let bus = answer(answers, 0);
    let policy = document(bus.get("Policy")?);
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    };
    let id = expected.get("StatementId")?;
    let mut found = statements.into_iter().find(|statement| statement.get("Sid") == Some(id))?;
    let mut actual = taken(&found, &[("StatementId", "Sid"), ("Action", "Action"), ("Condition", "Condition")]);
    actual.insert("EventBusName".to_owned(), bus_as_given(expected, &bus["Name"]));
    actual.insert("Principal".to_owned(), principal_as_given(expected, &found["Principal"]));
    let has_id = expected.get("Statement").is_some_and(|statement| statement.get("Sid").is_some());
    if let (false, Some(members)) = (has_id, found.as_object_mut()) {
        members.remove("Sid");
    }
    actual.insert("Statement".to_owned(), found);
    Some(actual)
}

/// `Principal` is an account, which stands in the policy as that account's root.
fn principal_as_given(expected: &Properties, actual: &Value) -> Value {
    let account = text(expected, "Principal").filter(|account| {
        let root = json!(format!("arn:aws:iam::{account}:root"));
        let stands = &actual["AWS"];
        *stands == root || *stands == json!([root])
    });
    account.map_or_else(|| actual.clone(), |account| json!(account))
}
