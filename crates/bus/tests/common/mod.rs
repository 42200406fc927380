//! What the tests share.

#![allow(dead_code, reason = "each test file uses a part")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_api::events::{InputTransformer, PutRuleRequest, PutTargetsRequest, PutTargetsResponse, Target};
use aws_api::{Arn, Caller, Change, RequestContext, Role, Timestamp};
use bus::{Arrival, Buses, Envelope, EventKind, envelope};
use uuid::Uuid;

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-central-1";
pub const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);
pub const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:sigv2";
pub const QUEUE: &str = "arn:aws:sqs:eu-central-1:111122223333:sigv2";
pub const ALL: &str = r#"{"account":["111122223333"]}"#;

pub fn ctx() -> RequestContext {
    RequestContext {
        caller: Caller {
            account: ACCOUNT.into(),
            arn: format!("arn:aws:iam::{ACCOUNT}:root"),
            principal_id: ACCOUNT.into(),
            role_arn: None,
            role: Role::Admin,
        },
        region: REGION.into(),
        now: NOW,
        request_id: "r".into(),
        endpoint: "http://127.0.0.1:4566".into(),
        via: None,
    }
}

/// Absorbs the changes of a decision.
pub fn commit<T>(buses: &mut Buses, (answer, changes): (T, Vec<Change>)) -> T {
    for change in &changes {
        buses.absorb(change).unwrap();
    }
    answer
}

pub fn rule(name: &str, pattern: &str) -> PutRuleRequest {
    PutRuleRequest { name: name.into(), event_pattern: Some(pattern.into()), ..PutRuleRequest::default() }
}

pub fn put_rule(buses: &mut Buses, req: &PutRuleRequest) -> String {
    let decided = buses.put_rule(&ctx(), req).unwrap();
    commit(buses, decided).rule_arn
}

pub fn exists(arn: &Arn) -> bool {
    !arn.resource.starts_with("none")
}

pub fn target(id: &str, arn: &str) -> Target {
    Target { id: id.into(), arn: arn.into(), ..Target::default() }
}

pub fn put_targets(buses: &mut Buses, rule: &str, targets: &[Target]) -> PutTargetsResponse {
    let req = PutTargetsRequest { rule: rule.into(), event_bus_name: None, targets: targets.to_vec() };
    let decided = buses.put_targets(&ctx(), &req, &exists).unwrap();
    commit(buses, decided)
}

pub fn transformer(paths: &[(&str, &str)], template: &str) -> InputTransformer {
    InputTransformer {
        input_paths_map: paths.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect(),
        input_template: template.into(),
    }
}

pub fn event(detail: &str) -> Vec<u8> {
    let head = Envelope {
        id: Uuid::from_u128(1),
        detail_type: "AWS API Call via CloudTrail",
        source: "aws.s3",
        account: ACCOUNT,
        time: NOW,
        region: REGION,
        resources: &[],
    };
    envelope(&head, detail.as_bytes())
}

pub fn arrival(envelope: &[u8]) -> Arrival<'_> {
    Arrival { account: ACCOUNT, region: REGION, bus: "default", envelope, kind: EventKind::other(), ingested: NOW }
}
