//! Buckets: create, head, delete, list, and what little configuration they have.
#![allow(
    clippy::needless_pass_by_value,
    reason = "operations have one shape, whether they take their input apart or not"
)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, ChecksumAlgorithm, ChecksumType, CreateBucketInput,
    CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput, GetBucketAclInput, GetBucketAclOutput,
    GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput, Grant,
    Grantee, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, MFADelete, Owner, Permission,
    PutBucketVersioningInput, PutBucketVersioningOutput, Type,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use sha2::{Digest, Sha256};
use store::{Space, Unit};

use crate::EmbeddedS3;
use crate::access::on_bucket;
use crate::checksum::Checksum;
use crate::context::Call;
use crate::error::{fail, header_not_implemented, invalid_argument, malformed_xml, store_error};
use crate::ownership;
use crate::row::{BucketRow, bucket_rows, decode, encode};
use crate::version::Versioning;

/// Where a bucket without a `LocationConstraint` is.
pub(crate) const US_EAST_1: &str = "us-east-1";
/// The old name of eu-west-1 (S3 API reference, `CreateBucketConfiguration`).
pub(crate) const EU: &str = "EU";
/// Most buckets of a page (`ListBuckets`, `MaxBuckets`).
const MAX_BUCKETS: i32 = 10_000;
/// Beginnings and ends of names that AWS keeps for itself ("General purpose bucket naming rules").
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// The canonical user id that stands for an account: 64 hexadecimal digits, the same each time.
pub(crate) fn canonical_id(account: &str) -> String {
    hex::encode(Sha256::digest(account.as_bytes()))
}

pub(crate) fn display_owner(account: &str, display_name: &str) -> Owner {
    Owner { id: Some(canonical_id(account)), display_name: Some(display_name.to_owned()) }
}

/// `ChecksumAlgorithm` and `ChecksumType` as lists show them.
pub(crate) fn listed_checksum(checksum: Option<&Checksum>) -> (Option<Vec<ChecksumAlgorithm>>, Option<ChecksumType>) {
    let algorithm = checksum.map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.name())]);
    (algorithm, checksum.map(|checksum| ChecksumType::from_static(checksum.kind.name())))
}

impl EmbeddedS3 {
    pub(crate) fn bucket_row(&self, name: &str) -> S3Result<Option<BucketRow>> {
        self.row(Space::Buckets, name.as_bytes())
    }
}

pub(crate) async fn create(
    s3: &EmbeddedS3,
    req: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    check_new_name(&input.bucket)?;
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(header_not_implemented());
    }
    let ownership = ownership::of_new_bucket(&call, &input)?;
    let region = location(&input, &s3.options().region)?;
    let guard = s3.locks().bucket(&input.bucket).await;
    if let Some(existing) = s3.bucket_row(&input.bucket)? {
        if existing.owner != call.owner.account {
            return Err(fail(
                S3ErrorCode::BucketAlreadyExists,
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
            ));
        }
        // "For legacy compatibility, if you re-create an existing bucket that you already own in us-east-1, Amazon S3 returns 200 OK".
        if existing.region.is_some() || region.is_some() {
            return Err(fail(
                S3ErrorCode::BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
    } else {
        let row = BucketRow { ownership: Some(ownership), ..BucketRow::new(&call.owner, call.now, region) };
        let mut unit = Unit::new();
        unit.put(Space::Buckets, input.bucket.as_bytes(), encode(&row)?);
        unit.hold(guard);
        call.finish(s3.store(), unit).await?;
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) }))
}

/// `s3s` has checked the letters; these rules are for new buckets only.
fn check_new_name(name: &str) -> S3Result<()> {
    let reserved = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if reserved {
        return Err(fail(S3ErrorCode::InvalidBucketName, "The specified bucket is not valid."));
    }
    Ok(())
}

/// The region that a bucket is to be in: one of AWS's, or the server's own.
fn location(input: &CreateBucketInput, own: &str) -> S3Result<Option<String>> {
    let Some(configuration) = &input.create_bucket_configuration else { return Ok(None) };
    if configuration.bucket.is_some() || configuration.location.is_some() {
        return Err(fail(S3ErrorCode::NotImplemented, "Directory buckets are not supported"));
    }
    let Some(region) = configuration.location_constraint.as_ref().map(BucketLocationConstraint::as_str) else {
        return Ok(None);
    };
    if !region.is_empty() && region != own && region != EU && !aws_api::is_region(region) {
        return Err(fail(S3ErrorCode::InvalidLocationConstraint, "The specified location-constraint is not valid"));
    }
    Ok(Some(region.to_owned()).filter(|region| !region.is_empty() && region != US_EAST_1))
}

pub(crate) fn head(s3: &EmbeddedS3, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:ListBucket"))?;
    let region = row.region.unwrap_or_else(|| US_EAST_1.to_owned());
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..Default::default() }))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let call = Call::of(&req)?;
    let name = &req.input.bucket;
    let guard = s3.locks().bucket(name).await;
    let row = s3.bucket(&call, name, on_bucket("s3:DeleteBucket"))?;
    let (from, to) = bucket_rows(name);
    is_empty(s3, Space::Objects, (&from, &to), "The bucket you tried to delete is not empty")?;
    let message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
    is_empty(s3, Space::Versions, (&from, &to), message)?;
    let mut unit = Unit::new();
    unit.delete(Space::Buckets, name.as_bytes());
    for document in [row.policy, row.lifecycle, row.tags].into_iter().flatten() {
        unit.delete(Space::Bodies, document);
    }
    if let Some(policy) = &row.policy {
        s3.parsed().forget(policy);
    }
    if let Some(rules) = &row.lifecycle {
        s3.parsed_rules().forget(rules);
    }
    // Uploads that were never finished go with their bucket.
    for row in s3.store().range(Space::Uploads, from..to) {
        let (key, _) = row.map_err(store_error)?;
        let upload_id = key.rsplit(|byte| *byte == 0).next().unwrap_or_default();
        s3.discard_parts(&mut unit, &String::from_utf8_lossy(upload_id))?;
        unit.delete(Space::Uploads, key);
    }
    unit.hold(guard);
    call.finish(s3.store(), unit).await?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

fn is_empty(s3: &EmbeddedS3, space: Space, (from, to): (&Vec<u8>, &Vec<u8>), message: &str) -> S3Result<()> {
    match s3.store().range(space, from.clone()..to.clone()).next() {
        None => Ok(()),
        Some(row) => row.map_err(store_error).and(Err(fail(S3ErrorCode::BucketNotEmpty, message))),
    }
}

pub(crate) fn list(s3: &EmbeddedS3, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let max = input.max_buckets.unwrap_or(MAX_BUCKETS);
    if !(1..=MAX_BUCKETS).contains(&max) {
        return Err(invalid_argument("Argument max-buckets must be an integer between 1 and 10000"));
    }
    let max = usize::try_from(max).unwrap_or_default();
    let asked = input.bucket_region.is_some() || input.max_buckets.is_some() || input.prefix.is_some();
    let prefix = input.prefix.clone().unwrap_or_default();
    let from = input.continuation_token.as_deref().map(read_token).transpose()?.unwrap_or_default();
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut next = None;
    for row in s3.store().range(Space::Buckets, from.max(prefix.clone()).into_bytes()..) {
        let (name, row) = row.map_err(store_error)?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let row: BucketRow = decode(&row)?;
        if !name.starts_with(&prefix) {
            break;
        }
        let region = row.region.as_deref().unwrap_or(US_EAST_1);
        if row.owner != call.owner.account || input.bucket_region.as_deref().is_some_and(|wanted| wanted != region) {
            continue;
        }
        if buckets.len() == max {
            next = Some(URL_SAFE_NO_PAD.encode(&name));
            break;
        }
        buckets.push(Bucket {
            bucket_region: asked.then(|| region.to_owned()),
            creation_date: Some(row.created.to_offset_date_time().into()),
            name: Some(name),
        });
    }
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets),
        continuation_token: next,
        owner: Some(display_owner(&call.owner.account, &call.owner.display_name)),
        prefix: input.prefix,
    }))
}

fn read_token(token: &str) -> S3Result<String> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

pub(crate) fn get_location(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let call = Call::of(&req)?;
    let region = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetBucketLocation"))?.region;
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) }))
}

pub(crate) fn get_acl(s3: &EmbeddedS3, req: S3Request<GetBucketAclInput>) -> S3Result<S3Response<GetBucketAclOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetBucketAcl"))?;
    let grantee = Grantee {
        display_name: Some(row.owner_name.clone()),
        email_address: None,
        id: Some(canonical_id(&row.owner)),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    let grant = Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) };
    Ok(S3Response::new(GetBucketAclOutput {
        grants: Some(vec![grant]),
        owner: Some(display_owner(&row.owner, &row.owner_name)),
    }))
}

/// Where versioning was never enabled, S3 says so with an empty answer.
pub(crate) fn get_versioning(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetBucketVersioning"))?;
    let status = row.versioning.map(|versioning| match versioning {
        Versioning::Enabled => BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED),
    });
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}

pub(crate) async fn put_versioning(
    s3: &EmbeddedS3,
    req: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let asked = input.versioning_configuration;
    match asked.mfa_delete.as_ref().map(MFADelete::as_str) {
        None | Some("Disabled") if input.mfa.is_none() => {}
        None | Some("Enabled" | "Disabled") => {
            return Err(fail(S3ErrorCode::NotImplemented, "MFA delete is not supported."));
        }
        Some(_) => return Err(malformed_xml()),
    }
    let versioning = match asked.status.as_ref().map_or("", BucketVersioningStatus::as_str) {
        "Enabled" => Versioning::Enabled,
        "Suspended" => Versioning::Suspended,
        "" => {
            let code = S3ErrorCode::IllegalVersioningConfigurationException;
            return Err(fail(code, "The Versioning element must be specified"));
        }
        _ => return Err(malformed_xml()),
    };
    let change = |row: &mut BucketRow, _: &mut _| {
        row.versioning = Some(versioning);
        Ok(())
    };
    s3.configure(&call, &input.bucket, "s3:PutBucketVersioning", change).await?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_keeps() {
        for bad in ["xn--a", "sthree-a", "amzn-s3-demo-a", "a-s3alias", "a--x-s3", "a.mrap"] {
            assert!(check_new_name(bad).is_err(), "{bad}");
        }
        for good in ["000000000000", "abc", "a.b-c"] {
            assert!(check_new_name(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn canonical_ids_have_64_digits() {
        assert_eq!(canonical_id("111122223333").len(), 64);
        assert_ne!(canonical_id("111122223333"), canonical_id("111122223334"));
    }
}
