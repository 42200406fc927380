//! CloudTrail as a caller of S3: how log files and digests get into a trail's bucket.

use aws_api::Timestamp;
use gateway::{Backend, BucketInfo};
use record::{Common, Outcome, S3Call, UserIdentity};
use s3_embedded::{ServiceWriter, StagedObject};
use store::Unit;
use trail::Trail;

use crate::app::App;
use crate::clock;

/// CloudTrail, as a caller.
const SERVICE: &str = "cloudtrail.amazonaws.com";

/// A file in a trail's bucket and the record of its delivery, to be committed together. `Err` is the code of S3's error if the
/// bucket does not take it.
pub async fn stage(app: &App, trail: &Trail, key: &str, file: StagedObject, now: Timestamp) -> Result<Unit, String> {
    let bucket = app.s3.bucket(&trail.s3_bucket_name).ok().flatten();
    let bucket = bucket.ok_or_else(|| "NoSuchBucket".to_owned())?;
    if !app.store.has_room() {
        return Err("ServiceUnavailable".into());
    }
    let (arn, len) = (trail.arn().to_string(), file.body.len() as u64);
    let staged = app.embedded.stage_put(&trail.s3_bucket_name, key, file, &writer(&arn, &trail.account), now).await;
    let mut unit = staged.map_err(|error| error.code().as_str().to_owned())?;
    let call = delivery(trail, key, &bucket, len);
    // No other account called: there is no second copy.
    let (entry, _) = call.entries(Outcome::Admitted, now);
    unit.append(entry.into());
    Ok(unit)
}

/// Who writes, as the policy of a bucket sees it: CloudTrail for a trail of this ARN and account.
pub fn writer<'a>(trail_arn: &'a str, account: &'a str) -> ServiceWriter<'a> {
    ServiceWriter { service: SERVICE, source_arn: trail_arn, source_account: account }
}

/// CloudTrail's own PUT, as it stands in the bucket owner's records.
fn delivery(trail: &Trail, key: &str, bucket: &BucketInfo, len: u64) -> S3Call {
    let (request_id, event_id) = (clock::new_id().simple().to_string(), clock::new_id());
    S3Call {
        op: aws_api::s3::operation("PutObject").unwrap_or(&aws_api::s3::UNKNOWN),
        common: Common {
            identity: UserIdentity::service(SERVICE),
            claimed_access_key_id: None,
            recipient_account: bucket.owner.clone(),
            region: bucket.region.clone(),
            source_ip: SERVICE.into(),
            user_agent: Some(SERVICE.into()),
            host: format!("{}.s3.{}.amazonaws.com", trail.s3_bucket_name, bucket.region),
            tls: None,
            request_id: request_id[..16].to_ascii_uppercase(),
            event_id: event_id.to_string(),
            failure: None,
        },
        bucket: Some(trail.s3_bucket_name.clone()),
        key: Some(key.to_owned()),
        query: Vec::new(),
        headers: vec![("x-amz-acl".into(), "bucket-owner-full-control".into())],
        signed: Some(record::Signed { version: "SigV4", method: "AuthHeader" }),
        bucket_owner: Some(bucket.owner.clone()),
        host_id: String::new(),
        bytes_in: len,
        bytes_out: 0,
        shared_event_id: None,
        callers_copy: None,
        document: None,
        response: None,
    }
}
