//! What stands behind the audit layer.

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a body ended early.
///
/// A type of its own and not a [`BoxError`]: the compiler does not see that a boxed error converts into itself where a future
/// must be able to move between threads.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BodyError(pub BoxError);

/// A body on its way in or out.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// What is known of a bucket before a request is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// The account that owns it.
    pub owner: String,
    /// The region that it was created in.
    pub region: String,
    /// Whether log files or digests were ever delivered into it.
    pub holds_logs: bool,
}

/// A service that speaks S3 over HTTP, in path style, to callers that are already proven.
///
/// It does not know that it is audited. An embedded backend finds in the request's extensions what it needs to know of the
/// caller (`s3_embedded::context`) and leaves there what is to be committed with the record.
pub trait Backend: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: Request<Body>) -> impl Future<Output = Result<Response<Body>, BoxError>> + Send;

    /// Looks a bucket up.
    fn bucket(&self, name: &str) -> Result<Option<BucketInfo>, BoxError>;
}
