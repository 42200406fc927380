//! The policy of a bucket: kept as the text that was put, read once, and obeyed by every operation (see [`crate::access`]).
#![allow(
    clippy::needless_pass_by_value,
    reason = "operations have one shape, whether they take their input apart or not"
)]

mod vocabulary;

use std::sync::Arc;

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
use crate::access::on_bucket;
use crate::context::Call;
use crate::document;
use crate::error::{fail, internal, malformed_policy};
use crate::public_access::prevented;
use crate::row::{BucketRow, DocumentId, encode};

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

    fn policy_text(&self, name: &str, row: &BucketRow) -> S3Result<Option<(DocumentId, String)>> {
        let Some((id, text)) = self.document(name, row, |row| row.policy)? else { return Ok(None) };
        Ok(Some((id, String::from_utf8(text.to_vec()).map_err(internal)?)))
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
            refuse_public(call, name, &row, &policy)?;
            self.check_room()?;
        }
        if text.is_none() && row.policy.is_none() {
            return Ok(());
        }
        let mut unit = Unit::new();
        if let Some(old) = &row.policy {
            self.parsed().forget(old);
        }
        document::replace(&mut unit, &mut row.policy, text.map(|text| (*call.id.as_bytes(), text.into_bytes())));
        unit.put(Space::Buckets, name.as_bytes(), encode(&row)?);
        unit.hold(guard);
        call.finish(self.store(), unit).await
    }
}

/// New buckets block public policies, until somebody switches that off.
fn refuse_public(call: &Call, name: &str, row: &BucketRow, policy: &Policy) -> S3Result<()> {
    if policy.is_public() && row.blocks(|block| block.block_public_policy) {
        return Err(prevented(call, "s3:PutBucketPolicy", (name, None), "policies", "BlockPublicPolicy"));
    }
    Ok(())
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
