//! The embedded store as a backend.

use http::{Request, Response};
use http_body_util::BodyExt;
use s3_embedded::{EmbeddedS3, Service};

use crate::backend::{Backend, Body, BodyError, BoxError, BucketInfo};

/// S3 on the embedded store.
#[derive(Clone)]
pub struct Embedded {
    s3: EmbeddedS3,
    service: Service,
    default_region: String,
}

impl Embedded {
    /// Over this store; buckets without a `LocationConstraint` are in `default_region`.
    pub fn new(s3: EmbeddedS3, default_region: impl Into<String>) -> Self {
        let service = s3.service();
        Self { s3, service, default_region: default_region.into() }
    }
}

impl Backend for Embedded {
    async fn call(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let response = self.service.call(request).await;
        Ok(response.map(|body| body.map_err(BodyError).boxed_unsync()))
    }

    fn bucket(&self, name: &str) -> Result<Option<BucketInfo>, BoxError> {
        let home = self.s3.bucket_home(name)?;
        Ok(home.map(|home| BucketInfo {
            owner: home.owner,
            region: home.region.filter(|region| !region.is_empty()).unwrap_or_else(|| self.default_region.clone()),
            holds_logs: home.holds_logs,
        }))
    }
}
