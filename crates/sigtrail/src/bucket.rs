//! Buckets on AWS, or on another server that speaks S3, as a client.

use std::time::Duration;

use anyhow::Result;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};
use object_store::{ClientOptions, RetryConfig};

const RETRIES_MAX: usize = 3;
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// From the environment: keys, token, region, roles of containers and instances. It does not wait for minutes.
pub fn from_env(bucket: &str) -> AmazonS3Builder {
    let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry)
}

/// The same at an endpoint, or in the region that the bucket is in.
pub async fn builder(bucket: &str, endpoint: Option<&str>, insecure: bool) -> Result<AmazonS3Builder> {
    let options = ClientOptions::new().with_allow_http(true).with_allow_invalid_certificates(insecure);
    let mut builder = from_env(bucket);
    if let Some(endpoint) = endpoint {
        return Ok(builder.with_endpoint(endpoint).with_client_options(options));
    }
    let has_region = [AmazonS3ConfigKey::Region, AmazonS3ConfigKey::DefaultRegion];
    if has_region.iter().all(|key| builder.get_config_value(key).is_none()) {
        builder = builder.with_region(resolve_bucket_region(bucket, &ClientOptions::new()).await?);
    }
    Ok(builder)
}

pub fn endpoint_from_env(of_service: &str) -> Option<String> {
    let given = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
    given(of_service).or_else(|| given("AWS_ENDPOINT_URL"))
}
