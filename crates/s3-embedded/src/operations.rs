//! The table of operations: `s3s` calls, the subject's module answers. What is not here is `NotImplemented`.

use async_trait::async_trait;
#[allow(clippy::wildcard_imports, reason = "one input and one output for each line of the table")]
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::object::{attributes, copy, delete, get, put, tagging};
use crate::{
    EmbeddedS3, bucket, bucket_policy, bucket_tags, lifecycle, list, multipart, ownership, public_access, versions,
};

macro_rules! operations {
    (
        at_once { $($read:ident: $read_input:ident => $read_output:ident = $read_function:path;)* }
        in_time { $($name:ident: $input:ident => $output:ident = $function:path;)* }
    ) => {
        #[async_trait]
        impl S3 for EmbeddedS3 {
            $(async fn $read(&self, req: S3Request<$read_input>) -> S3Result<S3Response<$read_output>> {
                $read_function(self, req)
            })*
            $(async fn $name(&self, req: S3Request<$input>) -> S3Result<S3Response<$output>> {
                $function(self, req).await
            })*
        }
    };
}

operations! {
    // Reads of rows.
    at_once {
        head_bucket: HeadBucketInput => HeadBucketOutput = bucket::head;
        list_buckets: ListBucketsInput => ListBucketsOutput = bucket::list;
        get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput = bucket::get_location;
        get_bucket_acl: GetBucketAclInput => GetBucketAclOutput = bucket::get_acl;
        get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput = bucket::get_versioning;
        get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput = bucket_policy::get;
        get_bucket_policy_status: GetBucketPolicyStatusInput => GetBucketPolicyStatusOutput = bucket_policy::get_status;
        get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput = bucket_tags::get;
        get_bucket_ownership_controls: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput = ownership::get;
        get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput = public_access::get;
        get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput
            = lifecycle::get;
        list_objects: ListObjectsInput => ListObjectsOutput = list::objects;
        list_objects_v2: ListObjectsV2Input => ListObjectsV2Output = list::objects_v2;
        list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput = versions::list;
        head_object: HeadObjectInput => HeadObjectOutput = get::head;
        get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput = attributes::get;
        get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput = tagging::get;
        list_parts: ListPartsInput => ListPartsOutput = multipart::list::parts;
        list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput = multipart::list::uploads;
    }
    // Writes, and reads of bodies.
    in_time {
        create_bucket: CreateBucketInput => CreateBucketOutput = bucket::create;
        delete_bucket: DeleteBucketInput => DeleteBucketOutput = bucket::delete;
        put_bucket_policy: PutBucketPolicyInput => PutBucketPolicyOutput = bucket_policy::put;
        delete_bucket_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput = bucket_policy::delete;
        put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput = bucket::put_versioning;
        put_bucket_tagging: PutBucketTaggingInput => PutBucketTaggingOutput = bucket_tags::put;
        delete_bucket_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput = bucket_tags::delete;
        put_bucket_ownership_controls: PutBucketOwnershipControlsInput => PutBucketOwnershipControlsOutput = ownership::put;
        delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput => DeleteBucketOwnershipControlsOutput
            = ownership::delete;
        put_bucket_acl: PutBucketAclInput => PutBucketAclOutput = ownership::put_bucket_acl;
        put_object_acl: PutObjectAclInput => PutObjectAclOutput = ownership::put_object_acl;
        put_public_access_block: PutPublicAccessBlockInput => PutPublicAccessBlockOutput = public_access::put;
        delete_public_access_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput = public_access::delete;
        put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput
            = lifecycle::put;
        delete_bucket_lifecycle: DeleteBucketLifecycleInput => DeleteBucketLifecycleOutput = lifecycle::delete;
        put_object: PutObjectInput => PutObjectOutput = put::put;
        get_object: GetObjectInput => GetObjectOutput = get::get;
        delete_object: DeleteObjectInput => DeleteObjectOutput = delete::one;
        delete_objects: DeleteObjectsInput => DeleteObjectsOutput = delete::many;
        copy_object: CopyObjectInput => CopyObjectOutput = copy::copy;
        put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput = tagging::put;
        delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput = tagging::delete;
        create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput = multipart::create;
        upload_part: UploadPartInput => UploadPartOutput = multipart::part::upload;
        upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput = multipart::part::copy;
        complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput
            = multipart::complete::complete;
        abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput = multipart::abort;
    }
}
