//! Lifecycle rules of buckets: kept as they were put, and applied by whoever calls [`EmbeddedS3::expire`] from time to time.
//!
//! Source: S3 user guide, "Managing the lifecycle of objects". Transitions to other storage classes are refused: there is one.

pub(crate) mod due;
pub(crate) mod pass;
pub(crate) mod rules;

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    BucketLifecycleConfiguration, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, TransitionDefaultMinimumObjectSize,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::context::Call;
use crate::document;
use crate::error::{fail, malformed_xml};
use crate::lifecycle::due::Subject;
use crate::lifecycle::rules::Rules;
use crate::row::{BucketRow, DocumentId, ObjectRow, decode, encode};

/// "The default minimum object size for transitions", of which there are none.
const MINIMUM_SIZE: &str = TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K;

/// `rule-id` is URL-encoded (S3 API reference, `GetObject`, `x-amz-expiration`).
const RULE_ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl EmbeddedS3 {
    /// The rules of a bucket whose row was just read, and the name of their text.
    pub(crate) fn lifecycle(&self, name: &str, row: &BucketRow) -> S3Result<Option<(DocumentId, Arc<Rules>)>> {
        let Some(id) = row.lifecycle else { return Ok(None) };
        if let Some(rules) = self.parsed_rules().get(&id) {
            return Ok(Some((id, rules)));
        }
        let Some((id, text)) = self.document(name, row, |row| row.lifecycle)? else { return Ok(None) };
        let rules = Arc::new(decode::<Rules>(&text)?);
        self.parsed_rules().insert(id, &rules);
        Ok(Some((id, rules)))
    }

    /// `x-amz-expiration`: when a rule will delete the current object, and which.
    pub(crate) fn expiration(
        &self,
        name: &str,
        row: &BucketRow,
        key: &str,
        object: &ObjectRow,
    ) -> S3Result<Option<String>> {
        let Some((_, rules)) = self.lifecycle(name, row)? else { return Ok(None) };
        if !rules.hold_for(row) {
            return Ok(None);
        }
        let expiry = rules.expiry(&Subject::of(key, object), object.modified);
        Ok(expiry.map(|(moment, rule)| {
            let id = utf8_percent_encode(rule, RULE_ID);
            format!("expiry-date=\"{}\", rule-id=\"{id}\"", moment.to_http_date())
        }))
    }

    async fn replace_rules(&self, call: &Call, name: &str, rules: Option<Rules>) -> S3Result<()> {
        // "To delete the lifecycle configuration, you must have permission to perform the s3:PutLifecycleConfiguration action."
        self.configure(call, name, "s3:PutLifecycleConfiguration", |row, unit| {
            if let Some(old) = &row.lifecycle {
                self.parsed_rules().forget(old);
            }
            let text = rules.map(|rules| encode(&rules)).transpose()?;
            document::replace(unit, &mut row.lifecycle, text.map(|text| (*call.id.as_bytes(), text)));
            Ok(())
        })
        .await
    }
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let size = input.transition_default_minimum_object_size;
    if size.is_some_and(|size| size.as_str() != MINIMUM_SIZE) {
        return Err(fail(S3ErrorCode::NotImplemented, "Transitions between storage classes are not supported."));
    }
    let BucketLifecycleConfiguration { rules } = input.lifecycle_configuration.ok_or_else(malformed_xml)?;
    let rules = Rules::of(rules, call.requester.administers, *call.id.as_bytes())?;
    s3.check_room()?;
    s3.replace_rules(&call, &input.bucket, Some(rules)).await?;
    let transition_default_minimum_object_size = Some(TransitionDefaultMinimumObjectSize::from_static(MINIMUM_SIZE));
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size }))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    let call = Call::of(&req)?;
    s3.replace_rules(&call, &req.input.bucket, None).await?;
    Ok(S3Response::new(DeleteBucketLifecycleOutput {}))
}

#[allow(clippy::needless_pass_by_value, reason = "operations have one shape")]
pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetLifecycleConfiguration"))?;
    let (_, rules) = s3
        .lifecycle(&req.input.bucket, &row)?
        .ok_or_else(|| fail(S3ErrorCode::NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist"))?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules.shown()),
        transition_default_minimum_object_size: Some(TransitionDefaultMinimumObjectSize::from_static(MINIMUM_SIZE)),
    }))
}
