//! The policy of a bucket: kept as the text that was put, read once, and obeyed by every operation (see [`crate::access`]).
#![allow(
    clippy::needless_pass_by_value,
    reason = "operations have one shape, whether they take their input apart or not"
)]

mod vocabulary;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use policy::Policy;
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput, PutBucketPolicyOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::{arn, on_bucket};
use crate::context::Call;
use crate::error::{fail, internal, malformed_policy, no_such_bucket, store_error};
use crate::row::{BucketRow, encode};

/// How often a policy is looked for again that was replaced between its bucket's row and its text.
const ATTEMPTS: usize = 8;
/// Policies that are kept parsed.
const PARSED_MAX: usize = 1024;

/// The name of a stored text, and so of the policy: another text has another name.
pub(crate) type PolicyId = [u8; 16];

/// Policies that were parsed, by the name of their text, so that none can be out of date.
#[derive(Default)]
pub(crate) struct Parsed(RwLock<HashMap<PolicyId, Arc<Policy>>>);

impl Parsed {
    fn get(&self, id: &PolicyId) -> Option<Arc<Policy>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn insert(&self, id: PolicyId, policy: &Arc<Policy>) {
        let mut parsed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= PARSED_MAX {
            parsed.clear();
        }
        parsed.insert(id, Arc::clone(policy));
    }

    fn forget(&self, id: &PolicyId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl EmbeddedS3 {
    /// The policy of a bucket whose row was just read.
    pub(crate) fn policy(&self, name: &str, row: &BucketRow) -> S3Result<Option<Arc<Policy>>> {
        let Some(id) = row.policy else { return Ok(None) };
        if let Some(policy) = self.parsed().get(&id) {
            return Ok(Some(policy));
        }
        let Some((id, text)) = self.policy_text(name, row)? else { return Ok(None) };
        // A text that no longer reads closes the bucket: nothing is allowed or denied by guessing.
        let policy = Arc::new(vocabulary::parse(text.as_bytes(), name).map_err(internal)?);
        self.parsed().insert(id, &policy);
        Ok(Some(policy))
    }

    fn policy_text(&self, name: &str, row: &BucketRow) -> S3Result<Option<(PolicyId, String)>> {
        let mut named = row.policy;
        for _ in 0..ATTEMPTS {
            let Some(id) = named else { return Ok(None) };
            if let Some(text) = self.store().get(Space::Bodies, &id).map_err(store_error)? {
                return Ok(Some((id, String::from_utf8(text.to_vec()).map_err(internal)?)));
            }
            named = self.bucket_row(name)?.ok_or_else(no_such_bucket)?.policy;
        }
        Err(internal("the policy of a bucket was replaced each time it was looked at"))
    }

    /// The bucket, if the caller may see or change its policy: identities of the owner's account only, and of these the root and
    /// administrators whatever the policy says, so that nobody locks himself out (S3 API reference, `PutBucketPolicy`).
    fn bucket_of_policy(&self, call: &Call, name: &str, action: &'static str) -> S3Result<BucketRow> {
        let row = self.expected_bucket(call, name)?;
        if row.owner == call.owner.account && call.requester.administers {
            return Ok(row);
        }
        self.check(call, name, &row, on_bucket(action))?;
        if row.owner == call.owner.account {
            return Ok(row);
        }
        // "If you have the correct permissions, but you're not using an identity that belongs to the bucket owner's account".
        Err(fail(S3ErrorCode::MethodNotAllowed, "The specified method is not allowed against this resource."))
    }

    /// Takes a policy's text away with the unit.
    pub(crate) fn discard_policy(&self, unit: &mut Unit, row: &BucketRow) {
        if let Some(id) = &row.policy {
            unit.delete(Space::Bodies, *id);
            self.parsed().forget(id);
        }
    }

    async fn replace_policy(
        &self,
        call: &Call,
        name: &str,
        action: &'static str,
        text: Option<String>,
    ) -> S3Result<()> {
        // Exclusive: an object is written under the policy that holds, to its end.
        let guard = self.locks().bucket(name).await;
        let mut row = self.bucket_of_policy(call, name, action)?;
        if let Some(text) = &text {
            let policy = vocabulary::parse(text.as_bytes(), name).map_err(|error| malformed_policy(&error))?;
            refuse_public(call, name, &policy)?;
            self.check_room()?;
        }
        if text.is_none() && row.policy.is_none() {
            return Ok(());
        }
        let mut unit = Unit::new();
        self.discard_policy(&mut unit, &row);
        row.policy = text.is_some().then(|| *call.id.as_bytes());
        if let (Some(text), Some(id)) = (text, row.policy) {
            unit.put(Space::Bodies, id, text.into_bytes());
        }
        unit.put(Space::Buckets, name.as_bytes(), encode(&row)?);
        unit.hold(guard);
        call.finish(self.store(), unit).await
    }
}

/// New buckets have all settings of S3 Block Public Access on, and there is no way to switch them off.
fn refuse_public(call: &Call, name: &str, policy: &Policy) -> S3Result<()> {
    if !policy.is_public() {
        return Ok(());
    }
    let (caller, resource) = (&call.requester.arn, arn(name, None));
    Err(fail(
        S3ErrorCode::AccessDenied,
        format!(
            "User: {caller} is not authorized to perform: s3:PutBucketPolicy on resource: \"{resource}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        ),
    ))
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    s3.replace_policy(&call, &input.bucket, "s3:PutBucketPolicy", Some(input.policy)).await?;
    Ok(S3Response::new(PutBucketPolicyOutput::default()))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    let call = Call::of(&req)?;
    s3.replace_policy(&call, &req.input.bucket, "s3:DeleteBucketPolicy", None).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket_of_policy(&call, &req.input.bucket, "s3:GetBucketPolicy")?;
    let (_, policy) = s3.policy_text(&req.input.bucket, &row)?.ok_or_else(no_such_policy)?;
    let mut response = S3Response::new(GetBucketPolicyOutput { policy: Some(policy) });
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

pub(crate) fn get_status(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket_of_policy(&call, &req.input.bucket, "s3:GetBucketPolicyStatus")?;
    let policy = s3.policy(&req.input.bucket, &row)?.ok_or_else(no_such_policy)?;
    let policy_status = Some(PolicyStatus { is_public: Some(policy.is_public()) });
    Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
}

fn no_such_policy() -> s3s::S3Error {
    fail(S3ErrorCode::NoSuchBucketPolicy, "The bucket policy does not exist")
}
