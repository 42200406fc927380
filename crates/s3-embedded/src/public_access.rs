//! S3 Block Public Access of a bucket.
//!
//! Source: S3 user guide, "Blocking public access to your Amazon S3 storage". New buckets have all four settings on. Requests
//! without a signature are refused whatever the settings say: nothing here is open to those who do not say who they are. There
//! are no ACLs that grant anything to the public, so that `IgnorePublicAcls` has nothing to ignore.

use s3s::dto::{
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetPublicAccessBlockInput, GetPublicAccessBlockOutput,
    PublicAccessBlockConfiguration, PutPublicAccessBlockInput, PutPublicAccessBlockOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result};
use serde::{Deserialize, Serialize};

use crate::EmbeddedS3;
use crate::access::{arn, on_bucket};
use crate::context::Call;
use crate::error::{custom, fail};
use crate::row::BucketRow;

/// What the public is kept from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "AWS has four settings")]
pub(crate) struct PublicAccessBlock {
    /// Public ACLs are refused.
    pub block_public_acls: bool,
    /// Public ACLs mean nothing.
    pub ignore_public_acls: bool,
    /// Public policies are refused.
    pub block_public_policy: bool,
    /// A public policy allows nothing to other accounts.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    #[allow(clippy::unnecessary_wraps, reason = "the shape of a member's default")]
    pub fn of_new() -> Option<Self> {
        Some(Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        })
    }

    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    pub fn is_of_new(block: &Option<Self>) -> bool {
        *block == Self::of_new()
    }
}

impl BucketRow {
    /// Whether this setting is on.
    pub fn blocks(&self, setting: fn(&PublicAccessBlock) -> bool) -> bool {
        self.public_access_block.as_ref().is_some_and(setting)
    }
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let asked = input.public_access_block_configuration;
    let block = PublicAccessBlock {
        block_public_acls: asked.block_public_acls.unwrap_or(false),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or(false),
        block_public_policy: asked.block_public_policy.unwrap_or(false),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or(false),
    };
    let change = |row: &mut BucketRow, _: &mut _| {
        row.public_access_block = Some(block);
        Ok(())
    };
    s3.configure(&call, &input.bucket, "s3:PutBucketPublicAccessBlock", change).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput {}))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    let call = Call::of(&req)?;
    let change = |row: &mut BucketRow, _: &mut _| {
        row.public_access_block = None;
        Ok(())
    };
    // "To delete the configuration, you must have the s3:PutBucketPublicAccessBlock permission."
    s3.configure(&call, &req.input.bucket, "s3:PutBucketPublicAccessBlock", change).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput {}))
}

#[allow(clippy::needless_pass_by_value, reason = "operations have one shape")]
pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetBucketPublicAccessBlock"))?;
    let block = row.public_access_block.ok_or_else(|| {
        let status = http::StatusCode::NOT_FOUND;
        custom("NoSuchPublicAccessBlockConfiguration", status, "The public access block configuration was not found")
    })?;
    Ok(S3Response::new(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            ignore_public_acls: Some(block.ignore_public_acls),
            block_public_policy: Some(block.block_public_policy),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        }),
    }))
}

/// What a caller is told whom a setting stops.
pub(crate) fn prevented(
    call: &Call,
    action: &str,
    (bucket, key): (&str, Option<&str>),
    what: &str,
    setting: &str,
) -> S3Error {
    let (caller, resource) = (&call.requester.arn, arn(bucket, key));
    fail(
        s3s::S3ErrorCode::AccessDenied,
        format!(
            "User: {caller} is not authorized to perform: {action} on resource: \"{resource}\" because public {what} are prevented by the {setting} setting in S3 Block Public Access."
        ),
    )
}
