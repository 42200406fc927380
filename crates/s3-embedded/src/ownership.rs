//! Object ownership, and what of ACLs there is.
//!
//! Source: S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket". Every object here belongs to its
//! bucket's owner, and nobody else is granted anything by an ACL. What would make it otherwise is refused: by
//! `BucketOwnerEnforced` with S3's own error, else as not implemented.

use s3s::dto::{
    AccessControlPolicy, CreateBucketInput, DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput,
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, Grant, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, Permission, PutBucketAclInput, PutBucketAclOutput, PutBucketOwnershipControlsInput,
    PutBucketOwnershipControlsOutput, PutObjectAclInput, PutObjectAclOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use serde::{Deserialize, Serialize};

use crate::EmbeddedS3;
use crate::access::{Actions, on_bucket, on_version};
use crate::bucket::canonical_id;
use crate::context::Call;
use crate::error::{custom, fail, invalid_argument, malformed_xml};
use crate::public_access::prevented;
use crate::row::BucketRow;
use crate::version::VersionRef;

/// Whose the objects of a bucket are, and whether ACLs mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ownership {
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}

const CANNED: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];
/// Those that grant something to everybody, or to everybody with an account ("The meaning of 'public'").
const PUBLIC: [&str; 3] = ["public-read", "public-read-write", "authenticated-read"];
const PUBLIC_GROUPS: [&str; 2] =
    ["http://acs.amazonaws.com/groups/global/AllUsers", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"];
const OWNER_FULL_CONTROL: &str = "bucket-owner-full-control";
const ACTIONS: Actions = Actions { plain: "s3:PutObjectAcl", of_version: "s3:PutObjectVersionAcl" };

impl Ownership {
    #[allow(clippy::unnecessary_wraps, reason = "the shape of a member's default")]
    pub fn of_new() -> Option<Self> {
        Some(Self::BucketOwnerEnforced)
    }

    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
    pub fn is_of_new(ownership: &Option<Self>) -> bool {
        *ownership == Self::of_new()
    }

    fn parse(text: &ObjectOwnership) -> Option<Self> {
        Some(match text.as_str() {
            "BucketOwnerEnforced" => Self::BucketOwnerEnforced,
            "BucketOwnerPreferred" => Self::BucketOwnerPreferred,
            "ObjectWriter" => Self::ObjectWriter,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }
}

/// What a request says of ACLs.
struct AskedAcl<'c> {
    canned: Option<&'c str>,
    /// There are `x-amz-grant-*`.
    grants: bool,
    /// One of them, or the canned ACL, or the body, is for the public.
    public: bool,
}

impl<'c> AskedAcl<'c> {
    fn of(call: &'c Call) -> S3Result<Self> {
        let canned = call.header("x-amz-acl");
        if canned.is_some_and(|canned| !CANNED.contains(&canned)) {
            return Err(invalid_argument("x-amz-acl header value is invalid"));
        }
        let mut asked = Self { canned, grants: false, public: canned.is_some_and(|canned| PUBLIC.contains(&canned)) };
        for (_, value) in call.head.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-grant-")) {
            asked.grants = true;
            let value = String::from_utf8_lossy(value.as_bytes());
            asked.public |= PUBLIC_GROUPS.iter().any(|group| value.contains(group));
        }
        Ok(asked)
    }
}

impl BucketRow {
    /// Checks what a write of an object says of ACLs.
    pub fn check_acl(&self, call: &Call, name: &str, key: &str) -> S3Result<()> {
        let asked = AskedAcl::of(call)?;
        if self.ownership == Some(Ownership::BucketOwnerEnforced) {
            let harmless = asked.canned.is_none_or(|canned| canned == OWNER_FULL_CONTROL) && !asked.grants;
            return if harmless { Ok(()) } else { Err(not_supported()) };
        }
        self.refuse_public_acl(call, (name, Some(key)), "s3:PutObject", asked.public)?;
        let is_own = self.owner == call.owner.account;
        match asked.canned {
            _ if asked.grants => Err(not_implemented()),
            // Without this ACL it would be the writer's.
            Some(OWNER_FULL_CONTROL) if is_own || self.ownership == Some(Ownership::BucketOwnerPreferred) => Ok(()),
            None | Some("private") if is_own => Ok(()),
            _ => Err(not_implemented()),
        }
    }

    fn refuse_public_acl(
        &self,
        call: &Call,
        resource: (&str, Option<&str>),
        action: &str,
        is_public: bool,
    ) -> S3Result<()> {
        if is_public && self.blocks(|block| block.block_public_acls) {
            return Err(prevented(call, action, resource, "access control lists", "BlockPublicAcls"));
        }
        Ok(())
    }

    /// Checks an ACL for the bucket or one of its objects: none but the one that everything has.
    fn check_new_acl(
        &self,
        call: &Call,
        resource: (&str, Option<&str>),
        action: &str,
        body: Option<&AccessControlPolicy>,
    ) -> S3Result<()> {
        let asked = AskedAcl::of(call)?;
        if self.ownership == Some(Ownership::BucketOwnerEnforced) {
            return Err(not_supported());
        }
        let grants = body.and_then(|policy| policy.grants.as_deref()).unwrap_or_default();
        self.refuse_public_acl(call, resource, action, asked.public || grants.iter().any(is_public))?;
        let given = [asked.canned.is_some(), asked.grants, body.is_some()].into_iter().filter(|given| *given).count();
        match given {
            0 => return Err(fail(S3ErrorCode::MissingSecurityHeader, "Your request was missing a required header")),
            1 => {}
            _ => return Err(fail(S3ErrorCode::UnexpectedContent, "This request does not support content")),
        }
        let harmless = resource.1.map_or(&["private"][..], |_| &["private", OWNER_FULL_CONTROL]);
        let is_own = if body.is_some() {
            matches!(grants, [grant] if self.is_owners(grant))
        } else {
            asked.canned.is_some_and(|canned| harmless.contains(&canned))
        };
        if is_own { Ok(()) } else { Err(not_implemented()) }
    }

    /// Everything to the bucket's owner.
    fn is_owners(&self, grant: &Grant) -> bool {
        let id = grant.grantee.as_ref().and_then(|grantee| grantee.id.as_deref());
        let permission = grant.permission.as_ref().map(Permission::as_str);
        permission == Some(Permission::FULL_CONTROL) && id == Some(canonical_id(&self.owner).as_str())
    }
}

fn is_public(grant: &Grant) -> bool {
    let uri = grant.grantee.as_ref().and_then(|grantee| grantee.uri.as_deref());
    uri.is_some_and(|uri| PUBLIC_GROUPS.contains(&uri))
}

/// What `CreateBucket` says of ownership and ACLs. New buckets have public access blocked.
pub(crate) fn of_new_bucket(call: &Call, input: &CreateBucketInput) -> S3Result<Ownership> {
    let asked = AskedAcl::of(call)?;
    let ownership = match &input.object_ownership {
        None => Ownership::BucketOwnerEnforced,
        Some(text) => {
            Ownership::parse(text).ok_or_else(|| invalid_argument("Invalid x-amz-object-ownership header: "))?
        }
    };
    let bad_request = |code, message| Err(custom(code, http::StatusCode::BAD_REQUEST, message));
    match asked.canned {
        None | Some("private") if !asked.grants => Ok(ownership),
        _ if ownership == Ownership::BucketOwnerEnforced => bad_request(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ),
        _ if asked.public => bad_request(
            "InvalidBucketAclWithBlockPublicAccessError",
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
        ),
        _ => Err(not_implemented()),
    }
}

fn not_supported() -> S3Error {
    fail(S3ErrorCode::AccessControlListNotSupported, "The bucket does not allow ACLs")
}

fn not_implemented() -> S3Error {
    fail(S3ErrorCode::NotImplemented, "ACLs that grant anything to others than the bucket's owner are not supported.")
}

pub(crate) async fn put(
    s3: &EmbeddedS3,
    req: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let [rule] = &input.ownership_controls.rules[..] else { return Err(malformed_xml()) };
    let ownership = Ownership::parse(&rule.object_ownership).ok_or_else(malformed_xml)?;
    let change = |row: &mut BucketRow, _: &mut _| {
        row.ownership = Some(ownership);
        Ok(())
    };
    s3.configure(&call, &input.bucket, "s3:PutBucketOwnershipControls", change).await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput {}))
}

pub(crate) async fn delete(
    s3: &EmbeddedS3,
    req: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    let call = Call::of(&req)?;
    let change = |row: &mut BucketRow, _: &mut _| {
        row.ownership = None;
        Ok(())
    };
    s3.configure(&call, &req.input.bucket, "s3:PutBucketOwnershipControls", change).await?;
    Ok(S3Response::new(DeleteBucketOwnershipControlsOutput {}))
}

#[allow(clippy::needless_pass_by_value, reason = "operations have one shape")]
pub(crate) fn get(
    s3: &EmbeddedS3,
    req: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    let call = Call::of(&req)?;
    let row = s3.bucket(&call, &req.input.bucket, on_bucket("s3:GetBucketOwnershipControls"))?;
    let ownership = row.ownership.ok_or_else(|| {
        let status = http::StatusCode::NOT_FOUND;
        custom("OwnershipControlsNotFoundError", status, "The bucket ownership controls were not found")
    })?;
    let rule = OwnershipControlsRule { object_ownership: ObjectOwnership::from_static(ownership.name()) };
    let ownership_controls = Some(OwnershipControls { rules: vec![rule] });
    Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls }))
}

pub(crate) async fn put_bucket_acl(
    s3: &EmbeddedS3,
    req: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let (name, action) = (&input.bucket, "s3:PutBucketAcl");
    // Whatever passes is what there is already.
    let check = |row: &mut BucketRow, _: &mut _| {
        row.check_new_acl(&call, (name, None), action, input.access_control_policy.as_ref())
    };
    s3.configure(&call, name, action, check).await?;
    Ok(S3Response::new(PutBucketAclOutput {}))
}

pub(crate) async fn put_object_acl(
    s3: &EmbeddedS3,
    req: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let call = Call::of(&req)?;
    let input = req.input;
    let version = VersionRef::of(input.version_id.as_deref())?;
    let _guards = s3.locks().keys(&input.bucket, [input.key.as_str()]).await;
    let row = s3.bucket(&call, &input.bucket, on_version(ACTIONS, &input.key, version.as_ref()))?;
    s3.permitted_object(&call, &input.bucket, &input.key, version.as_ref(), ACTIONS)?;
    let resource = (input.bucket.as_str(), Some(input.key.as_str()));
    row.check_new_acl(&call, resource, "s3:PutObjectAcl", input.access_control_policy.as_ref())?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}
