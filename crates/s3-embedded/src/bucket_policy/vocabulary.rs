//! What bucket policies may speak of.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3". All of S3's actions on buckets
//! and objects are known, also those of operations that are not served: a policy that forbids them is not wrong. Condition keys
//! are known only if every request has its value for them.

use policy::{Action, ConditionKey, Level, Policy, PolicyError, Resources, Vocabulary};

use crate::access::arn;

/// "Bucket policies are limited to 20 KB in size."
const POLICY_LEN_MAX: usize = 20 * 1024;

/// Actions on a bucket.
const BUCKET_ACTIONS: [&str; 49] = [
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketPolicy",
    "DeleteBucketWebsite",
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetLifecycleConfiguration",
    "GetMetricsConfiguration",
    "GetReplicationConfiguration",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutLifecycleConfiguration",
    "PutMetricsConfiguration",
    "PutReplicationConfiguration",
];

/// Actions on an object.
const OBJECT_ACTIONS: [&str; 33] = [
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionTagging",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetObjectVersion",
    "GetObjectVersionAcl",
    "GetObjectVersionAttributes",
    "GetObjectVersionForReplication",
    "GetObjectVersionTagging",
    "GetObjectVersionTorrent",
    "InitiateReplication",
    "ListMultipartUploadParts",
    "ObjectOwnerOverrideToBucketOwner",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionTagging",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateTags",
    "RestoreObject",
];

/// Which of them count as a caller's "fixed value": S3 user guide, "The meaning of 'public'".
const KEYS: [ConditionKey<'static>; 7] = [
    ConditionKey { name: "aws:SourceArn", fixes_caller: true, actions: &[] },
    ConditionKey { name: "aws:SourceAccount", fixes_caller: true, actions: &[] },
    ConditionKey { name: "aws:SecureTransport", fixes_caller: false, actions: &[] },
    ConditionKey { name: "aws:PrincipalArn", fixes_caller: true, actions: &[] },
    ConditionKey { name: "aws:PrincipalAccount", fixes_caller: true, actions: &[] },
    ConditionKey {
        name: "s3:x-amz-acl",
        fixes_caller: false,
        actions: &["CreateBucket", "PutBucketAcl", "PutObject", "PutObjectAcl", "PutObjectVersionAcl"],
    },
    ConditionKey {
        name: "s3:VersionId",
        fixes_caller: false,
        actions: &[
            "DeleteObjectVersion",
            "DeleteObjectVersionTagging",
            "GetObjectVersion",
            "GetObjectVersionAcl",
            "GetObjectVersionAttributes",
            "GetObjectVersionTagging",
            "PutObjectVersionAcl",
            "PutObjectVersionTagging",
        ],
    },
];

/// Reads the policy of a bucket.
pub(super) fn parse(text: &[u8], bucket: &str) -> Result<Policy, PolicyError> {
    let on = |level| move |name: &&'static str| Action { name, level };
    let actions: Vec<Action<'_>> =
        BUCKET_ACTIONS.iter().map(on(Level::Whole)).chain(OBJECT_ACTIONS.iter().map(on(Level::Within))).collect();
    let resource = arn(bucket, None);
    let vocabulary = Vocabulary {
        service: "s3",
        actions: &actions,
        foreign_actions: &[],
        resources: Resources::Nested(&resource),
        keys: &KEYS,
        len_max: POLICY_LEN_MAX,
    };
    Policy::parse(text, &vocabulary)
}
