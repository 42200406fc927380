//! Who asks in the tests, and when.

use aws_api::{Caller, RequestContext, Role, Timestamp};

/// The root of an account in us-east-1.
pub fn context() -> RequestContext {
    RequestContext {
        caller: Caller {
            account: "111122223333".into(),
            arn: "arn:aws:iam::111122223333:root".into(),
            principal_id: "111122223333".into(),
            role: Role::Admin,
            role_arn: None,
        },
        region: "us-east-1".into(),
        now: Timestamp::from_millis(1_700_000_000_000),
        request_id: "r".into(),
        endpoint: "http://localhost".into(),
        via: None,
    }
}
