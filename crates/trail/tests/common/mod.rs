//! What the tests share.

use aws_api::cloudtrail::CreateTrailRequest;
use aws_api::{Caller, Change, RequestContext, Role, Timestamp};
use trail::Trails;

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-central-1";
pub const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);

pub fn ctx(region: &str) -> RequestContext {
    RequestContext {
        caller: Caller {
            account: ACCOUNT.into(),
            arn: format!("arn:aws:iam::{ACCOUNT}:root"),
            principal_id: ACCOUNT.into(),
            role_arn: None,
            role: Role::Admin,
        },
        region: region.into(),
        now: NOW,
        request_id: "r".into(),
        endpoint: "http://127.0.0.1:4566".into(),
        via: None,
    }
}

pub fn bucket_exists(name: &str) -> bool {
    name == "logs"
}

pub fn new_trail(name: &str) -> CreateTrailRequest {
    CreateTrailRequest { name: name.into(), s3_bucket_name: "logs".into(), ..CreateTrailRequest::default() }
}

/// Absorbs the changes of a decision.
pub fn commit<T>(trails: &mut Trails, (answer, changes): (T, Vec<Change>)) -> T {
    for change in &changes {
        trails.absorb(change).unwrap();
    }
    answer
}

pub fn create(trails: &mut Trails, region: &str, req: &CreateTrailRequest) {
    let decided = trails.create_trail(&ctx(region), req, &bucket_exists).unwrap();
    commit(trails, decided);
}
