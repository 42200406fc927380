//! `AWS::Events::Rule`, `AWS::Events::EventBus`, `AWS::Events::EventBusPolicy`

use serde_json::{Value, json};

use super::{Properties, ResourceType, Subject, arn, by_name, list, retagged, tag_list, tags, text, values_of_name};
use crate::call::{Call, Step};
use crate::evaluate::Values;
use crate::schema::{Property, Shape, TAGS};

const TARGET: Shape = Shape::Object(&[
    Property::new("Id", Shape::Text).required(),
    Property::new("Arn", Shape::Text).required(),
    Property::new("RoleArn", Shape::Text),
    Property::new("Input", Shape::Text),
    Property::new("InputPath", Shape::Text),
    Property::new(
        "InputTransformer",
        Shape::Object(&[
            Property::new("InputPathsMap", Shape::TextMap),
            Property::new("InputTemplate", Shape::Text).required(),
        ]),
    ),
    Property::new("SqsParameters", Shape::Object(&[Property::new("MessageGroupId", Shape::Text).required()])),
    Property::new("DeadLetterConfig", Shape::Object(&[Property::new("Arn", Shape::Text)])),
    Property::new(
        "RetryPolicy",
        Shape::Object(&[
            Property::new("MaximumRetryAttempts", Shape::Integer),
            Property::new("MaximumEventAgeInSeconds", Shape::Integer),
        ]),
    ),
]);

const ABSENT: &[&str] = &["ResourceNotFoundException"];

pub(super) static RULE: ResourceType = ResourceType {
    name: "AWS::Events::Rule",
    properties: &[
        Property::new("Name", Shape::Text).replaces(),
        Property::new("Description", Shape::Text),
        Property::new("EventBusName", Shape::Text).replaces(),
        Property::new("EventPattern", Shape::Json),
        Property::new("ScheduleExpression", Shape::Text),
        Property::new("RoleArn", Shape::Text),
        Property::new("State", Shape::Text),
        Property::new("Targets", Shape::List(&TARGET)),
        TAGS,
    ],
    attributes: &["Arn"],
    name_property: Some("Name"),
    name_len_max: 64,
    lower_case: false,
    look: Some(|subject, properties| Call::Rpc {
        service: "events",
        op: "DescribeRule",
        input: on_bus(properties, json!({ "Name": subject.name })),
    }),
    create: create_rule,
    update: update_rule,
    delete: delete_rule,
    physical_id: rule_id,
    values: |subject, properties| {
        let id = rule_id(subject, properties, &[]);
        let arn = arn(subject, "events", &format!("rule/{}", id.replace('|', "/")));
        Values { reference: id, attributes: [("Arn".to_owned(), arn)].into() }
    },
};

fn bus(properties: &Properties) -> Option<&str> {
    let name = text(properties, "EventBusName")?;
    Some(name.rsplit('/').next().unwrap_or(name)).filter(|name| *name != "default")
}

/// A rule of a custom bus has the bus before its name.
fn rule_id(subject: &Subject<'_>, properties: &Properties, _: &[Value]) -> String {
    bus(properties).map_or_else(|| subject.name.to_owned(), |bus| format!("{bus}|{}", subject.name))
}

fn on_bus(properties: &Properties, mut input: Value) -> Value {
    if let Some(bus) = properties.get("EventBusName") {
        input["EventBusName"] = bus.clone();
    }
    input
}

fn put_rule(subject: &Subject<'_>, properties: &Properties, with_tags: bool) -> Step {
    let mut input = on_bus(properties, json!({ "Name": subject.name }));
    for name in ["Description", "ScheduleExpression", "RoleArn", "State"] {
        if let Some(value) = properties.get(name) {
            input[name] = value.clone();
        }
    }
    if let Some(pattern) = properties.get("EventPattern") {
        let pattern = pattern.as_str().map_or_else(|| pattern.to_string(), ToOwned::to_owned);
        input["EventPattern"] = json!(pattern);
    }
    let tags = tags(properties);
    if with_tags && !tags.is_empty() {
        input["Tags"] = tag_list(&tags);
    }
    Step::rpc("events", "PutRule", input)
}

fn put_targets(subject: &Subject<'_>, properties: &Properties) -> Option<Step> {
    let targets = list(properties, "Targets");
    let input = on_bus(properties, json!({ "Rule": subject.name, "Targets": targets }));
    (!targets.is_empty()).then(|| Step::rpc("events", "PutTargets", input))
}

fn remove_targets(subject: &Subject<'_>, properties: &Properties, ids: &[Value]) -> Option<Step> {
    let input = on_bus(properties, json!({ "Rule": subject.name, "Ids": ids }));
    (!ids.is_empty()).then(|| Step::rpc("events", "RemoveTargets", input).tolerating(ABSENT))
}

fn ids(properties: &Properties) -> Vec<Value> {
    list(properties, "Targets").iter().map(|target| target["Id"].clone()).collect()
}

fn create_rule(subject: &Subject<'_>, properties: &Properties) -> Vec<Step> {
    let mut steps = vec![put_rule(subject, properties, true)];
    steps.extend(put_targets(subject, properties));
    steps
}

fn update_rule(subject: &Subject<'_>, before: &Properties, after: &Properties) -> Vec<Step> {
    let mut steps = vec![put_rule(subject, after, false)];
    let kept = ids(after);
    let gone: Vec<_> = ids(before).into_iter().filter(|id| !kept.contains(id)).collect();
    steps.extend(remove_targets(subject, after, &gone));
    steps.extend(put_targets(subject, after));
    let arn = arn(subject, "events", &format!("rule/{}", rule_id(subject, after, &[]).replace('|', "/")));
    steps.extend(retag(&arn, before, after));
    steps
}

fn retag(arn: &str, before: &Properties, after: &Properties) -> Vec<Step> {
    retagged(
        before,
        after,
        |keys| Step::rpc("events", "UntagResource", json!({ "ResourceARN": arn, "TagKeys": keys })),
        |tags| Step::rpc("events", "TagResource", json!({ "ResourceARN": arn, "Tags": tag_list(tags) })),
    )
}

fn delete_rule(subject: &Subject<'_>, properties: &Properties) -> Vec<Step> {
    let mut steps: Vec<_> = remove_targets(subject, properties, &ids(properties)).into_iter().collect();
    let input = on_bus(properties, json!({ "Name": subject.name }));
    steps.push(Step::rpc("events", "DeleteRule", input).tolerating(ABSENT));
    steps
}

pub(super) static EVENT_BUS: ResourceType = ResourceType {
    name: "AWS::Events::EventBus",
    properties: &[
        Property::new("Name", Shape::Text).required().replaces(),
        Property::new("Description", Shape::Text).replaces(),
        TAGS,
    ],
    attributes: &["Arn", "Name"],
    name_property: Some("Name"),
    name_len_max: 256,
    lower_case: false,
    look: Some(|subject, _| Call::Rpc {
        service: "events",
        op: "DescribeEventBus",
        input: json!({ "Name": subject.name }),
    }),
    create: |subject, properties| {
        let mut input = json!({ "Name": subject.name });
        if let Some(description) = properties.get("Description") {
            input["Description"] = description.clone();
        }
        let tags = tags(properties);
        if !tags.is_empty() {
            input["Tags"] = tag_list(&tags);
        }
        vec![Step::rpc("events", "CreateEventBus", input)]
    },
    update: |subject, before, after| {
        retag(&arn(subject, "events", &format!("event-bus/{}", subject.name)), before, after)
    },
    delete: |subject, _| {
        vec![Step::rpc("events", "DeleteEventBus", json!({ "Name": subject.name })).tolerating(ABSENT)]
    },
    physical_id: by_name,
    values: |subject, _| {
        let arn = arn(subject, "events", &format!("event-bus/{}", subject.name));
        let attributes = [("Arn".to_owned(), arn), ("Name".to_owned(), subject.name.to_owned())];
        Values { reference: subject.name.to_owned(), attributes: attributes.into() }
    },
};

pub(super) static EVENT_BUS_POLICY: ResourceType = ResourceType {
    name: "AWS::Events::EventBusPolicy",
    properties: &[
        Property::new("EventBusName", Shape::Text).replaces(),
        Property::new("StatementId", Shape::Text).required().replaces(),
        Property::new("Statement", Shape::Json),
        Property::new("Action", Shape::Text),
        Property::new("Principal", Shape::Text),
        Property::new("Condition", Shape::Json),
    ],
    attributes: &[],
    name_property: None,
    name_len_max: 255,
    lower_case: false,
    look: None,
    create: |_, properties| vec![put_permission(properties)],
    update: |_, _, after| vec![put_permission(after)],
    delete: |_, properties| {
        let input = on_bus(properties, json!({ "StatementId": properties.get("StatementId") }));
        vec![Step::rpc("events", "RemovePermission", input).tolerating(ABSENT)]
    },
    physical_id: by_name,
    values: values_of_name,
};

/// A whole statement is added to the policy that the bus has; what the operation can say by itself is said so.
fn put_permission(properties: &Properties) -> Step {
    let mut input = on_bus(properties, json!({}));
    if let Some(statement) = properties.get("Statement") {
        let mut statement = statement.clone();
        if let (Value::Object(members), Some(id)) = (&mut statement, properties.get("StatementId")) {
            members.insert("Sid".to_owned(), id.clone());
        }
        return Step { adds: Some(statement), ..Step::rpc("events", "PutPermission", input) };
    }
    for name in ["StatementId", "Action", "Principal", "Condition"] {
        if let Some(value) = properties.get(name) {
            input[name] = value.clone();
        }
    }
    Step::rpc("events", "PutPermission", input)
}

/// A policy with one more statement, in the place of one of the same `Sid`. No policy, or what is none, has no statements.
pub fn with_statement(policy: Option<&str>, statement: &Value) -> String {
    let mut policy = policy.and_then(|policy| serde_json::from_str::<Value>(policy).ok()).unwrap_or_default();
    let mut statements = match policy["Statement"].take() {
        Value::Array(statements) => statements,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    statements.retain(|other| other["Sid"] != statement["Sid"]);
    statements.push(statement.clone());
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_added_and_replaced() {
        let statement = |sid: &str, action: &str| json!({ "Sid": sid, "Effect": "Allow", "Action": action });
        let one = with_statement(None, &statement("a", "events:PutEvents"));
        let two = with_statement(Some(&one), &statement("b", "events:PutEvents"));
        let three = with_statement(Some(&two), &statement("a", "events:PutRule"));
        let read: Value = serde_json::from_str(&three).unwrap();
        assert_eq!(read["Statement"], json!([statement("b", "events:PutEvents"), statement("a", "events:PutRule")]));
    }
}
