//! The operations of S3, which is REST: how a request names one, and what CloudTrail calls it.
//!
//! Sources: the S3 API reference (one page an operation, "Request Syntax") and the S3 user guide, "Amazon S3 CloudTrail events",
//! for the names in records and for what is a data event.

pub use crate::Category;

use crate::Access;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `/`
    Service,
    /// `/bucket`
    Bucket,
    /// `/bucket/key`
    Object,
}

/// A method that S3 has operations for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// DELETE
    Delete,
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
}

impl Method {
    /// From the request line.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "DELETE" => Self::Delete,
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            _ => return None,
        })
    }
}

/// What a request must carry besides method and level to mean one operation and not another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// A query parameter of this name.
    Query(&'static str),
    /// A query parameter of this name with this value.
    QueryIs(&'static str, &'static str),
    /// A header of this name.
    Header(&'static str),
}

/// One operation of S3.
#[derive(Debug, PartialEq, Eq)]
pub struct S3Op {
    /// AWS's name of the operation in the API reference.
    pub name: &'static str,
    /// `eventName` in its CloudTrail record.
    pub event_name: &'static str,
    /// Whether it changes anything.
    pub access: Access,
    /// The category of its CloudTrail record.
    pub category: Category,
    /// What its path names.
    pub level: Level,
    method: Method,
    needs: &'static [Need],
}

/// A browser's form upload, which a multipart body tells apart and not its head.
pub static POST_OBJECT: S3Op = row("PostObject", Post, Object, &[], Write, Data).event("PutObject");

/// A browser asking whether another site's page may make a request: `OPTIONS`.
pub static PREFLIGHT: S3Op = row("PreflightRequest", Post, Object, &[], Read, Data);

/// A request that is none of S3's operations. It is answered with an error, and recorded.
pub static UNKNOWN: S3Op = row("UnknownOperation", Post, Service, &[], Write, Management);

/// What routing needs to see of a request's head.
pub trait Head {
    /// The value of a query parameter, empty if it has none; `None` if it is absent.
    fn query(&self, name: &str) -> Option<&str>;
    /// Is there a header of this (lower-case) name?
    fn has_header(&self, name: &str) -> bool;
}

/// The operation that a request names: the first row that fits.
pub fn route(method: Method, level: Level, head: &impl Head) -> Option<&'static S3Op> {
    OPS.iter().find(|op| {
        op.method == method
            && op.level == level
            && op.needs.iter().all(|need| match *need {
                Query(name) => head.query(name).is_some(),
                QueryIs(name, value) => head.query(name) == Some(value),
                Header(name) => head.has_header(name),
            })
    })
}

/// The operation of this name in the API reference.
pub fn operation(name: &str) -> Option<&'static S3Op> {
    OPS.iter().find(|op| op.name == name)
}

/// Every operation, in the order in which they are tried.
pub fn operations() -> impl Iterator<Item = &'static S3Op> {
    OPS.iter()
}

use Access::{Read, Write};
use Category::{Data, Management};
use Level::{Bucket, Object, Service};
use Method::{Delete, Get, Head as HeadMethod, Post, Put};
use Need::{Header, Query, QueryIs};

const fn row(
    name: &'static str,
    method: Method,
    level: Level,
    needs: &'static [Need],
    access: Access,
    category: Category,
) -> S3Op {
    S3Op { name, event_name: name, access, category, level, method, needs }
}

impl S3Op {
    const fn event(mut self, event_name: &'static str) -> Self {
        self.event_name = event_name;
        self
    }
}

#[rustfmt::skip] // one operation a line
static OPS: &[S3Op] = &[
    row("HeadBucket", HeadMethod, Bucket, &[], Read, Data),
    row("HeadObject", HeadMethod, Object, &[], Read, Data),
    row("ListDirectoryBuckets", Get, Service, &[QueryIs("x-id", "ListDirectoryBuckets")], Read, Management),
    row("ListBuckets", Get, Service, &[], Read, Management),
    row("GetBucketAnalyticsConfiguration", Get, Bucket, &[Query("analytics"), Query("id")], Read, Management),
    row("GetBucketIntelligentTieringConfiguration", Get, Bucket, &[Query("intelligent-tiering"), Query("id")], Read, Management),
    row("GetBucketInventoryConfiguration", Get, Bucket, &[Query("inventory"), Query("id")], Read, Management),
    row("GetBucketMetricsConfiguration", Get, Bucket, &[Query("metrics"), Query("id")], Read, Management),
    row("CreateSession", Get, Bucket, &[Query("session")], Write, Data),
    row("GetBucketAccelerateConfiguration", Get, Bucket, &[Query("accelerate")], Read, Management).event("GetAccelerateConfiguration"),
    row("GetBucketAcl", Get, Bucket, &[Query("acl")], Read, Management),
    row("GetBucketCors", Get, Bucket, &[Query("cors")], Read, Management),
    row("GetBucketEncryption", Get, Bucket, &[Query("encryption")], Read, Management),
    row("GetBucketLifecycleConfiguration", Get, Bucket, &[Query("lifecycle")], Read, Management).event("GetBucketLifecycle"),
    row("GetBucketLocation", Get, Bucket, &[Query("location")], Read, Management),
    row("GetBucketLogging", Get, Bucket, &[Query("logging")], Read, Management),
    row("GetBucketMetadataTableConfiguration", Get, Bucket, &[Query("metadataTable")], Read, Management),
    row("GetBucketNotificationConfiguration", Get, Bucket, &[Query("notification")], Read, Management).event("GetBucketNotification"),
    row("GetBucketOwnershipControls", Get, Bucket, &[Query("ownershipControls")], Read, Management),
    row("GetBucketPolicy", Get, Bucket, &[Query("policy")], Read, Management),
    row("GetBucketPolicyStatus", Get, Bucket, &[Query("policyStatus")], Read, Management),
    row("GetBucketReplication", Get, Bucket, &[Query("replication")], Read, Management),
    row("GetBucketRequestPayment", Get, Bucket, &[Query("requestPayment")], Read, Management),
    row("GetBucketTagging", Get, Bucket, &[Query("tagging")], Read, Management),
    row("GetBucketVersioning", Get, Bucket, &[Query("versioning")], Read, Management),
    row("GetBucketWebsite", Get, Bucket, &[Query("website")], Read, Management),
    row("GetObjectLockConfiguration", Get, Bucket, &[Query("object-lock")], Read, Management).event("GetBucketObjectLockConfiguration"),
    row("GetPublicAccessBlock", Get, Bucket, &[Query("publicAccessBlock")], Read, Management).event("GetBucketPublicAccessBlock"),
    row("ListBucketAnalyticsConfigurations", Get, Bucket, &[Query("analytics")], Read, Management),
    row("ListBucketIntelligentTieringConfigurations", Get, Bucket, &[Query("intelligent-tiering")], Read, Management),
    row("ListBucketInventoryConfigurations", Get, Bucket, &[Query("inventory")], Read, Management),
    row("ListBucketMetricsConfigurations", Get, Bucket, &[Query("metrics")], Read, Management),
    row("ListMultipartUploads", Get, Bucket, &[Query("uploads")], Read, Data),
    row("ListObjectVersions", Get, Bucket, &[Query("versions")], Read, Data),
    row("ListObjectsV2", Get, Bucket, &[QueryIs("list-type", "2")], Read, Data).event("ListObjects"),
    row("ListObjects", Get, Bucket, &[], Read, Data),
    row("GetObjectAttributes", Get, Object, &[Query("attributes")], Read, Data),
    row("GetObjectAcl", Get, Object, &[Query("acl")], Read, Data),
    row("GetObjectLegalHold", Get, Object, &[Query("legal-hold")], Read, Data),
    row("GetObjectRetention", Get, Object, &[Query("retention")], Read, Data),
    row("GetObjectTagging", Get, Object, &[Query("tagging")], Read, Data),
    row("GetObjectTorrent", Get, Object, &[Query("torrent")], Read, Data),
    row("ListParts", Get, Object, &[Query("uploadId")], Read, Data),
    row("GetObject", Get, Object, &[], Read, Data),
    row("CreateBucketMetadataTableConfiguration", Post, Bucket, &[Query("metadataTable")], Write, Management),
    row("DeleteObjects", Post, Bucket, &[Query("delete")], Write, Data),
    row("WriteGetObjectResponse", Post, Bucket, &[Header("x-amz-request-route"), Header("x-amz-request-token")], Write, Data),
    row("SelectObjectContent", Post, Object, &[Query("select"), QueryIs("select-type", "2")], Read, Data),
    row("CreateMultipartUpload", Post, Object, &[Query("uploads")], Write, Data),
    row("RestoreObject", Post, Object, &[Query("restore")], Write, Data),
    row("CompleteMultipartUpload", Post, Object, &[Query("uploadId")], Write, Data),
    row("PutBucketAnalyticsConfiguration", Put, Bucket, &[Query("analytics")], Write, Management),
    row("PutBucketIntelligentTieringConfiguration", Put, Bucket, &[Query("intelligent-tiering")], Write, Management),
    row("PutBucketInventoryConfiguration", Put, Bucket, &[Query("inventory")], Write, Management),
    row("PutBucketMetricsConfiguration", Put, Bucket, &[Query("metrics")], Write, Management),
    row("PutBucketAccelerateConfiguration", Put, Bucket, &[Query("accelerate")], Write, Management).event("PutAccelerateConfiguration"),
    row("PutBucketAcl", Put, Bucket, &[Query("acl")], Write, Management),
    row("PutBucketCors", Put, Bucket, &[Query("cors")], Write, Management),
    row("PutBucketEncryption", Put, Bucket, &[Query("encryption")], Write, Management),
    row("PutBucketLifecycleConfiguration", Put, Bucket, &[Query("lifecycle")], Write, Management).event("PutBucketLifecycle"),
    row("PutBucketLogging", Put, Bucket, &[Query("logging")], Write, Management),
    row("PutBucketNotificationConfiguration", Put, Bucket, &[Query("notification")], Write, Management).event("PutBucketNotification"),
    row("PutBucketOwnershipControls", Put, Bucket, &[Query("ownershipControls")], Write, Management),
    row("PutBucketPolicy", Put, Bucket, &[Query("policy")], Write, Management),
    row("PutBucketReplication", Put, Bucket, &[Query("replication")], Write, Management),
    row("PutBucketRequestPayment", Put, Bucket, &[Query("requestPayment")], Write, Management),
    row("PutBucketTagging", Put, Bucket, &[Query("tagging")], Write, Management),
    row("PutBucketVersioning", Put, Bucket, &[Query("versioning")], Write, Management),
    row("PutBucketWebsite", Put, Bucket, &[Query("website")], Write, Management),
    row("PutObjectLockConfiguration", Put, Bucket, &[Query("object-lock")], Write, Management).event("PutBucketObjectLockConfiguration"),
    row("PutPublicAccessBlock", Put, Bucket, &[Query("publicAccessBlock")], Write, Management).event("PutBucketPublicAccessBlock"),
    row("CreateBucket", Put, Bucket, &[], Write, Management),
    row("PutObjectAcl", Put, Object, &[Query("acl")], Write, Data),
    row("PutObjectLegalHold", Put, Object, &[Query("legal-hold")], Write, Data),
    row("PutObjectRetention", Put, Object, &[Query("retention")], Write, Data),
    row("PutObjectTagging", Put, Object, &[Query("tagging")], Write, Data),
    row("UploadPartCopy", Put, Object, &[Query("partNumber"), Query("uploadId"), Header("x-amz-copy-source")], Write, Data),
    row("UploadPart", Put, Object, &[Query("partNumber"), Query("uploadId")], Write, Data),
    row("CopyObject", Put, Object, &[Header("x-amz-copy-source")], Write, Data),
    row("PutObject", Put, Object, &[], Write, Data),
    row("DeleteBucketAnalyticsConfiguration", Delete, Bucket, &[Query("analytics")], Write, Management),
    row("DeleteBucketIntelligentTieringConfiguration", Delete, Bucket, &[Query("intelligent-tiering")], Write, Management),
    row("DeleteBucketInventoryConfiguration", Delete, Bucket, &[Query("inventory")], Write, Management),
    row("DeleteBucketMetricsConfiguration", Delete, Bucket, &[Query("metrics")], Write, Management),
    row("DeleteBucketCors", Delete, Bucket, &[Query("cors")], Write, Management),
    row("DeleteBucketEncryption", Delete, Bucket, &[Query("encryption")], Write, Management),
    row("DeleteBucketLifecycle", Delete, Bucket, &[Query("lifecycle")], Write, Management),
    row("DeleteBucketMetadataTableConfiguration", Delete, Bucket, &[Query("metadataTable")], Write, Management),
    row("DeleteBucketOwnershipControls", Delete, Bucket, &[Query("ownershipControls")], Write, Management),
    row("DeleteBucketPolicy", Delete, Bucket, &[Query("policy")], Write, Management),
    row("DeleteBucketReplication", Delete, Bucket, &[Query("replication")], Write, Management),
    row("DeleteBucketTagging", Delete, Bucket, &[Query("tagging")], Write, Management),
    row("DeleteBucketWebsite", Delete, Bucket, &[Query("website")], Write, Management),
    row("DeletePublicAccessBlock", Delete, Bucket, &[Query("publicAccessBlock")], Write, Management).event("DeleteBucketPublicAccessBlock"),
    row("DeleteBucket", Delete, Bucket, &[], Write, Management),
    row("DeleteObjectTagging", Delete, Object, &[Query("tagging")], Write, Data),
    row("AbortMultipartUpload", Delete, Object, &[Query("uploadId")], Write, Data),
    row("DeleteObject", Delete, Object, &[], Write, Data),
];

#[cfg(test)]
mod tests {
    use super::*;

    struct Parts(&'static [(&'static str, &'static str)], &'static [&'static str]);

    impl Head for Parts {
        fn query(&self, name: &str) -> Option<&str> {
            self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
        }

        fn has_header(&self, name: &str) -> bool {
            self.1.contains(&name)
        }
    }

    fn name(method: Method, level: Level, query: &'static [(&'static str, &'static str)]) -> &'static str {
        route(method, level, &Parts(query, &[])).map_or("none", |op| op.name)
    }

    #[test]
    fn the_first_row_that_fits() {
        assert_eq!(name(Get, Object, &[]), "GetObject");
        assert_eq!(name(Get, Bucket, &[("list-type", "2"), ("prefix", "a")]), "ListObjectsV2");
        assert_eq!(name(Get, Bucket, &[("list-type", "1")]), "ListObjects");
        assert_eq!(name(Put, Object, &[("partNumber", "1"), ("uploadId", "x")]), "UploadPart");
        assert_eq!(name(Post, Object, &[]), "none");
        let copy = Parts(&[("partNumber", "1"), ("uploadId", "x")], &["x-amz-copy-source"]);
        assert_eq!(route(Put, Object, &copy).map(|op| op.name), Some("UploadPartCopy"));
    }

    #[test]
    fn both_lists_are_one_event() {
        let events: Vec<_> = operations().filter(|op| op.event_name == "ListObjects").map(|op| op.name).collect();
        assert_eq!(events, ["ListObjectsV2", "ListObjects"]);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = operations().map(|op| op.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
