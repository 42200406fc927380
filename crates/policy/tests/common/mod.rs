//! A small vocabulary, and requests.

use policy::{Action, ConditionKey, Level, Policy, PolicyError, Resources, Vocabulary};

pub const BUCKET: &str = "arn:aws:s3:::bkt";
pub const KEYS: [&str; 6] = [
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SecureTransport",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "s3:x-amz-acl",
];

const fn key<'v>(name: &'v str, fixes_caller: bool, actions: &'v [&'v str]) -> ConditionKey<'v> {
    ConditionKey { name, fixes_caller, actions }
}

pub const VOCABULARY: Vocabulary<'static> = Vocabulary {
    service: "s3",
    actions: &[
        Action { name: "GetObject", level: Level::Within },
        Action { name: "PutObject", level: Level::Within },
        Action { name: "GetBucketAcl", level: Level::Whole },
        Action { name: "ListBucket", level: Level::Whole },
    ],
    foreign_actions: &[],
    resources: Resources::Nested(BUCKET),
    keys: &[
        key(KEYS[0], true, &[]),
        key(KEYS[1], true, &[]),
        key(KEYS[2], false, &[]),
        key(KEYS[3], true, &[]),
        key(KEYS[4], true, &[]),
        key(KEYS[5], false, &["PutObject"]),
    ],
    len_max: 20 * 1024,
};

pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text.as_bytes(), &VOCABULARY)
}
