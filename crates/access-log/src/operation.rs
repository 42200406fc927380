//! The operation of a line, and what CloudTrail calls it.
//!
//! The log names an operation by method and sub-resource. S3's guide has no list of the names; those in the table are from the
//! guide's examples and from public logs. Of a name that is in no list, the request line tells which operation it is, as it
//! told S3.

use std::borrow::Cow;

use aws_api::s3::{self, Category, Level, S3Op};
use aws_api::{Access, Category::Data};

use crate::Line;
use crate::request::Request;

/// What a record says of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation<'a> {
    pub event_name: Cow<'a, str>,
    pub access: Access,
    pub category: Category,
    /// Whether it makes the bucket: its record names no resources.
    pub is_create_bucket: bool,
}

/// Sorted. An operation in the log, and its name in the API reference.
#[rustfmt::skip] // one operation a line
static NAMES: &[(&str, &str)] = &[
    ("REST.COPY.OBJECT", "CopyObject"),
    ("REST.COPY.PART", "UploadPartCopy"),
    ("REST.DELETE.BUCKET", "DeleteBucket"),
    ("REST.DELETE.BUCKETPOLICY", "DeleteBucketPolicy"),
    ("REST.DELETE.CORS", "DeleteBucketCors"),
    ("REST.DELETE.ENCRYPTION", "DeleteBucketEncryption"),
    ("REST.DELETE.LIFECYCLE", "DeleteBucketLifecycle"),
    ("REST.DELETE.OBJECT", "DeleteObject"),
    ("REST.DELETE.OBJECT_TAGGING", "DeleteObjectTagging"),
    ("REST.DELETE.OWNERSHIP_CONTROLS", "DeleteBucketOwnershipControls"),
    ("REST.DELETE.PUBLIC_ACCESS_BLOCK", "DeletePublicAccessBlock"),
    ("REST.DELETE.REPLICATION", "DeleteBucketReplication"),
    ("REST.DELETE.TAGGING", "DeleteBucketTagging"),
    ("REST.DELETE.UPLOAD", "AbortMultipartUpload"),
    ("REST.DELETE.WEBSITE", "DeleteBucketWebsite"),
    ("REST.GET.ACCELERATE", "GetBucketAccelerateConfiguration"),
    ("REST.GET.ACL", "GetBucketAcl"),
    ("REST.GET.BUCKET", "ListObjects"),
    ("REST.GET.BUCKETPOLICY", "GetBucketPolicy"),
    ("REST.GET.BUCKETVERSIONS", "ListObjectVersions"),
    ("REST.GET.CORS", "GetBucketCors"),
    ("REST.GET.ENCRYPTION", "GetBucketEncryption"),
    ("REST.GET.LIFECYCLE", "GetBucketLifecycleConfiguration"),
    ("REST.GET.LOCATION", "GetBucketLocation"),
    ("REST.GET.LOGGING_STATUS", "GetBucketLogging"),
    ("REST.GET.NOTIFICATION", "GetBucketNotificationConfiguration"),
    ("REST.GET.OBJECT", "GetObject"),
    ("REST.GET.OBJECT_ATTRIBUTES", "GetObjectAttributes"),
    ("REST.GET.OBJECT_LOCK_CONFIGURATION", "GetObjectLockConfiguration"),
    ("REST.GET.OBJECT_TAGGING", "GetObjectTagging"),
    ("REST.GET.OWNERSHIP_CONTROLS", "GetBucketOwnershipControls"),
    ("REST.GET.POLICY_STATUS", "GetBucketPolicyStatus"),
    ("REST.GET.PUBLIC_ACCESS_BLOCK", "GetPublicAccessBlock"),
    ("REST.GET.REPLICATION", "GetBucketReplication"),
    ("REST.GET.REQUEST_PAYMENT", "GetBucketRequestPayment"),
    ("REST.GET.TAGGING", "GetBucketTagging"),
    ("REST.GET.UPLOAD", "ListParts"),
    ("REST.GET.UPLOADS", "ListMultipartUploads"),
    ("REST.GET.VERSIONING", "GetBucketVersioning"),
    ("REST.GET.WEBSITE", "GetBucketWebsite"),
    ("REST.HEAD.BUCKET", "HeadBucket"),
    ("REST.HEAD.OBJECT", "HeadObject"),
    ("REST.POST.MULTI_OBJECT_DELETE", "DeleteObjects"),
    ("REST.POST.RESTORE", "RestoreObject"),
    ("REST.POST.SELECT", "SelectObjectContent"),
    ("REST.POST.UPLOAD", "CompleteMultipartUpload"),
    ("REST.POST.UPLOADS", "CreateMultipartUpload"),
    ("REST.PUT.ACCELERATE", "PutBucketAccelerateConfiguration"),
    ("REST.PUT.ACL", "PutBucketAcl"),
    ("REST.PUT.BUCKET", "CreateBucket"),
    ("REST.PUT.BUCKETPOLICY", "PutBucketPolicy"),
    ("REST.PUT.CORS", "PutBucketCors"),
    ("REST.PUT.ENCRYPTION", "PutBucketEncryption"),
    ("REST.PUT.LIFECYCLE", "PutBucketLifecycleConfiguration"),
    ("REST.PUT.LOGGING_STATUS", "PutBucketLogging"),
    ("REST.PUT.NOTIFICATION", "PutBucketNotificationConfiguration"),
    ("REST.PUT.OBJECT", "PutObject"),
    ("REST.PUT.OBJECT_LOCK_CONFIGURATION", "PutObjectLockConfiguration"),
    ("REST.PUT.OBJECT_TAGGING", "PutObjectTagging"),
    ("REST.PUT.OWNERSHIP_CONTROLS", "PutBucketOwnershipControls"),
    ("REST.PUT.PART", "UploadPart"),
    ("REST.PUT.PUBLIC_ACCESS_BLOCK", "PutPublicAccessBlock"),
    ("REST.PUT.REPLICATION", "PutBucketReplication"),
    ("REST.PUT.REQUEST_PAYMENT", "PutBucketRequestPayment"),
    ("REST.PUT.TAGGING", "PutBucketTagging"),
    ("REST.PUT.VERSIONING", "PutBucketVersioning"),
    ("REST.PUT.WEBSITE", "PutBucketWebsite"),
];

/// What a request means that carries nothing special. A name that is not in the table says that it did.
const PLAIN: [&str; 9] = [
    "CreateBucket",
    "DeleteBucket",
    "DeleteObject",
    "GetObject",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListObjects",
    "PutObject",
];

impl<'a> Operation<'a> {
    pub(crate) fn of(line: &Line<'a>) -> Self {
        let text = String::from_utf8_lossy(line.operation);
        match by_name(&text, line.key.is_some()).or_else(|| by_request(&text, line)) {
            Some(op) => Self {
                event_name: op.event_name.into(),
                access: op.access,
                category: op.category,
                is_create_bucket: op.name == "CreateBucket",
            },
            None => Self::unnamed(text, line.key.is_some()),
        }
    }

    /// What has no name in CloudTrail keeps the log's: `BATCH.DELETE.OBJECT`, `S3.EXPIRE.OBJECT`, `WEBSITE.GET.OBJECT`, `SOAP.…`,
    /// and the reading half of a copy.
    fn unnamed(text: Cow<'a, str>, has_key: bool) -> Self {
        let mut words = text.split('.').skip(1);
        let verb = words.next().unwrap_or_default().to_ascii_uppercase();
        let resource = words.next().unwrap_or_default();
        let reads = verb.starts_with("GET")
            || verb.starts_with("HEAD")
            || verb.starts_with("LIST")
            || verb.starts_with("OPTIONS")
            || resource.ends_with("_GET");
        let category = if has_key || resource.starts_with("OBJECT") { Data } else { Category::Management };
        let access = if reads { Access::Read } else { Access::Write };
        Self { event_name: text, access, category, is_create_bucket: false }
    }
}

fn by_name(text: &str, has_key: bool) -> Option<&'static S3Op> {
    match text {
        "REST.OPTIONS.PREFLIGHT" => return Some(&s3::PREFLIGHT),
        "REST.POST.OBJECT" => return Some(&s3::POST_OBJECT),
        "REST.GET.ACL" if has_key => return s3::operation("GetObjectAcl"),
        "REST.PUT.ACL" if has_key => return s3::operation("PutObjectAcl"),
        _ => {}
    }
    let at = NAMES.binary_search_by_key(&text, |(operation, _)| operation).ok()?;
    s3::operation(NAMES[at].1)
}

fn by_request(text: &str, line: &Line<'_>) -> Option<&'static S3Op> {
    let method = s3::Method::parse(text.strip_prefix("REST.")?.split('.').next()?)?;
    let request = Request::of(line).filter(|request| request.method() == Some(method))?;
    let level = if line.key.is_some() { Level::Object } else { Level::Bucket };
    s3::route(method, level, &request.decoded()).filter(|op| !PLAIN.contains(&op.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(operation: &'static str, key: &str, uri: &str) -> Vec<u8> {
        let owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
        format!(
            "{owner} b [06/Feb/2019:00:00:38 +0000] 192.0.2.3 {owner} 3E57427F3EXAMPLE {operation} {key} \"{uri}\" 200 - - - 7 - \"-\" \"-\" -"
        )
        .into_bytes()
    }

    fn name(operation: &'static str, key: &str, uri: &str) -> (String, bool, Category) {
        let line = line(operation, key, uri);
        let operation = Operation::of(&Line::parse(&line).unwrap());
        (operation.event_name.into_owned(), operation.access == Access::Read, operation.category)
    }

    #[test]
    fn the_table_is_sorted_and_its_names_are_operations() {
        assert!(NAMES.is_sorted_by_key(|(operation, _)| *operation));
        for (operation, name) in NAMES {
            assert!(s3::operation(name).is_some(), "{operation}: {name}");
        }
        for name in PLAIN {
            assert!(s3::operation(name).is_some(), "{name}");
        }
    }

    #[test]
    fn named_by_the_log() {
        for (operation, key, expected) in [
            ("REST.GET.OBJECT", "k", ("GetObject", true, Data)),
            ("REST.PUT.PART", "k", ("UploadPart", false, Data)),
            ("REST.GET.ACL", "k", ("GetObjectAcl", true, Data)),
            ("REST.GET.ACL", "-", ("GetBucketAcl", true, Category::Management)),
            ("REST.GET.BUCKET", "-", ("ListObjects", true, Data)),
            ("REST.GET.LIFECYCLE", "-", ("GetBucketLifecycle", true, Category::Management)),
            ("REST.OPTIONS.PREFLIGHT", "-", ("PreflightRequest", true, Data)),
            ("REST.POST.OBJECT", "k", ("PutObject", false, Data)),
        ] {
            let (event_name, reads, category) = name(operation, key, "-");
            assert_eq!((event_name.as_str(), reads, category), expected);
        }
    }

    #[test]
    fn named_by_the_request() {
        let named = |operation, key, uri| name(operation, key, uri).0;
        assert_eq!(named("REST.GET.METRICS", "-", "GET /b?metrics HTTP/1.1"), "ListBucketMetricsConfigurations");
        assert_eq!(named("REST.GET.METRICS", "-", "GET /b?metrics&id=a HTTP/1.1"), "GetBucketMetricsConfiguration");
        assert_eq!(named("REST.PUT.RETENTION", "k", "PUT /b/k?%72etention= HTTP/1.1"), "PutObjectRetention");
        // The request line must mean something, and the same method.
        assert_eq!(named("REST.GET.NOVELTY", "k", "GET /b/k HTTP/1.1"), "REST.GET.NOVELTY");
        assert_eq!(named("REST.GET.NOVELTY", "k", "PUT /b/k?acl HTTP/1.1"), "REST.GET.NOVELTY");
        assert_eq!(named("REST.GET.NOVELTY", "k", "-"), "REST.GET.NOVELTY");
        // The log's name counts before what the client wrote.
        assert_eq!(named("REST.GET.OBJECT", "k", "GET /b/k?acl HTTP/1.1"), "GetObject");
    }

    #[test]
    fn what_has_no_name_keeps_its_own() {
        for (operation, key, reads, category) in [
            ("BATCH.DELETE.OBJECT", "k", false, Data),
            ("S3.EXPIRE.OBJECT", "k", false, Data),
            ("S3.CREATE.DELETEMARKER", "k", false, Data),
            ("WEBSITE.GET.OBJECT", "k", true, Data),
            ("REST.COPY.OBJECT_GET", "k", true, Data),
            ("SOAP.GetObject", "k", true, Data),
            ("SOAP.CreateBucket", "-", false, Category::Management),
            ("REST", "-", false, Category::Management),
        ] {
            assert_eq!(name(operation, key, "GET /b/k?acl HTTP/1.1"), (operation.into(), reads, category));
        }
    }
}
