//! Who may do what: the bucket's owner, and whomever its policy names.
//!
//! An identity of the owner's account may do what its key may do (which the gateway has seen to) unless the policy denies it; one
//! of another account, and a service, only what the policy allows. Source: S3 user guide, "How Amazon S3 authorizes a request".
//! The actions that an operation needs are those of "Required permissions for Amazon S3 API operations".

use policy::{Decision, Request};
use s3s::S3Result;

use crate::EmbeddedS3;
use crate::context::Call;
use crate::error::{access_denied, explicitly_denied, no_such_bucket};
use crate::row::BucketRow;
use crate::version::VersionRef;

/// What an operation needs: an IAM action on the bucket, or on a key in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need<'a> {
    action: &'static str,
    key: Option<&'a str>,
    version: Option<&'a str>,
}

/// The action on an object, and the one that its versions need, also where there is only one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actions {
    pub plain: &'static str,
    pub of_version: &'static str,
}

impl Actions {
    pub const READ: Self = Self { plain: "s3:GetObject", of_version: "s3:GetObjectVersion" };
    pub const DELETE: Self = Self { plain: "s3:DeleteObject", of_version: "s3:DeleteObjectVersion" };
    pub const READ_ATTRIBUTES: Self =
        Self { plain: "s3:GetObjectAttributes", of_version: "s3:GetObjectVersionAttributes" };
    pub const READ_TAGS: Self = Self { plain: "s3:GetObjectTagging", of_version: "s3:GetObjectVersionTagging" };
    pub const WRITE_TAGS: Self = Self { plain: "s3:PutObjectTagging", of_version: "s3:PutObjectVersionTagging" };
    pub const DELETE_TAGS: Self = Self { plain: "s3:DeleteObjectTagging", of_version: "s3:DeleteObjectVersionTagging" };
}

/// An action on the bucket itself.
pub(crate) fn on_bucket(action: &'static str) -> Need<'static> {
    Need { action, key: None, version: None }
}

/// An action on an object, whether it is there or not.
pub(crate) fn on_key<'a>(action: &'static str, key: &'a str) -> Need<'a> {
    Need { action, key: Some(key), version: None }
}

/// An action on an object, or on the version of it that is named.
pub(crate) fn on_version<'a>(actions: Actions, key: &'a str, version: Option<&'a VersionRef>) -> Need<'a> {
    let action = if version.is_some() { actions.of_version } else { actions.plain };
    Need { action, key: Some(key), version: version.map(VersionRef::as_str) }
}

/// A service of AWS that writes into a bucket for one of its resources.
#[derive(Debug, Clone, Copy)]
pub struct ServiceWriter<'a> {
    /// `cloudtrail.amazonaws.com`
    pub service: &'a str,
    /// `aws:SourceArn`: the ARN of the trail.
    pub source_arn: &'a str,
    /// `aws:SourceAccount`: the account of the trail.
    pub source_account: &'a str,
}

/// What services write belongs to the bucket's owner, and they say so ("Amazon S3 bucket policy for CloudTrail").
const SERVICE_ACL: &str = "bucket-owner-full-control";

impl EmbeddedS3 {
    /// The bucket, if it is there and the caller may do this to it.
    pub(crate) fn bucket(&self, call: &Call, name: &str, need: Need<'_>) -> S3Result<BucketRow> {
        let row = self.expected_bucket(call, name)?;
        self.check(call, name, &row, need)?;
        Ok(row)
    }

    /// The bucket, if it is there and its owner is the one whom the caller expects. Says nothing of what the caller may do.
    pub(crate) fn expected_bucket(&self, call: &Call, name: &str) -> S3Result<BucketRow> {
        let row = self.bucket_row(name)?.ok_or_else(no_such_bucket)?;
        let expected = call.header("x-amz-expected-bucket-owner").unwrap_or(&row.owner);
        if row.owner == expected { Ok(row) } else { Err(access_denied()) }
    }

    /// May the caller do this to a bucket?
    pub(crate) fn check(&self, call: &Call, name: &str, row: &BucketRow, need: Need<'_>) -> S3Result<()> {
        self.check_unless_denied(call, name, row, need, row.owner == call.owner.account)
    }

    /// The same for a caller who needs no Allow if `is_open`.
    pub(crate) fn check_unless_denied(
        &self,
        call: &Call,
        name: &str,
        row: &BucketRow,
        need: Need<'_>,
        is_open: bool,
    ) -> S3Result<()> {
        let Some(policy) = self.policy(name, row)? else {
            return if is_open { Ok(()) } else { Err(access_denied()) };
        };
        let is_own = row.owner == call.owner.account;
        if !is_own && policy.is_public() && row.blocks(|block| block.restrict_public_buckets) {
            return Err(access_denied());
        }
        let resource = arn(name, need.key);
        let mut context = call.policy_context();
        context.extend(need.version.map(|version| ("s3:VersionId", version)));
        match policy.decide(&call.asked(need.action, &resource, &context)) {
            Decision::Allowed(_) => Ok(()),
            Decision::NotMentioned if is_open => Ok(()),
            // A stranger is not told what stands in the policy.
            Decision::Denied(_) if is_own => Err(explicitly_denied(&call.requester.arn, need.action, &resource)),
            Decision::Denied(_) | Decision::NotMentioned => Err(access_denied()),
        }
    }

    /// May a service deliver an object of this key? Needs `s3:GetBucketAcl` on the bucket and `s3:PutObject` on the key.
    ///
    /// Errors: `NoSuchBucket`, `AccessDenied`, `InternalError`.
    pub fn check_delivery(&self, bucket: &str, key: &str, writer: &ServiceWriter<'_>) -> S3Result<()> {
        let row = self.bucket_row(bucket)?.ok_or_else(no_such_bucket)?;
        self.check_service(bucket, &row, writer, on_bucket("s3:GetBucketAcl"))?;
        self.check_service(bucket, &row, writer, on_key("s3:PutObject", key))
    }

    pub(crate) fn check_service(
        &self,
        name: &str,
        row: &BucketRow,
        writer: &ServiceWriter<'_>,
        need: Need<'_>,
    ) -> S3Result<()> {
        let policy = self.policy(name, row)?.ok_or_else(access_denied)?;
        let resource = arn(name, need.key);
        let context = [
            ("aws:SourceArn", writer.source_arn),
            ("aws:SourceAccount", writer.source_account),
            ("aws:SecureTransport", "true"),
            ("s3:x-amz-acl", SERVICE_ACL),
        ];
        // Only a request that writes has an ACL.
        let context = if need.key.is_some() { &context[..] } else { &context[..3] };
        let requester = policy::Requester::Service { name: writer.service };
        let request = Request { requester, action: need.action, resource: &resource, context };
        if matches!(policy.decide(&request), Decision::Allowed(_)) { Ok(()) } else { Err(access_denied()) }
    }
}

/// The ARN of a bucket or of an object in it.
pub(crate) fn arn(bucket: &str, key: Option<&str>) -> String {
    match key {
        None => format!("arn:aws:s3:::{bucket}"),
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
    }
}

impl Call {
    /// The caller's request, as a policy sees it.
    pub(crate) fn asked<'a>(
        &'a self,
        action: &'a str,
        resource: &'a str,
        context: &'a [(&'a str, &'a str)],
    ) -> Request<'a> {
        let requester = policy::Requester::Identity {
            account: &self.owner.account,
            arn: &self.requester.arn,
            role_arn: self.requester.role_arn.as_deref(),
        };
        Request { requester, action, resource, context }
    }

    /// The condition keys that the request has values for.
    pub(crate) fn policy_context(&self) -> Vec<(&str, &str)> {
        let secure = if self.requester.secure_transport { "true" } else { "false" };
        let acl = self.header("x-amz-acl").map(|acl| ("s3:x-amz-acl", acl));
        std::iter::once(("aws:SecureTransport", secure)).chain(acl).collect()
    }
}
