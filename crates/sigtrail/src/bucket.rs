//! Buckets on AWS, or on another server that speaks S3, as a client.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Error as KeyError;
use object_store::{ClientOptions, Error, ObjectMeta, RetryConfig};

const RETRIES_MAX: usize = 3;
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);
/// Keys that are listed at once, as many as S3 lists.
const PAGE_KEYS: usize = 1000;

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

/// What stands on a page of a list.
#[derive(Debug, Default)]
pub struct Listed {
    pub objects: Vec<ObjectMeta>,
    /// What keys begin with up to the next slash, with it; only of the list of one folder.
    pub folders: Vec<String>,
    /// Keys, or folders, that cannot be asked for.
    pub odd: Vec<String>,
}

/// The next page of a list.
///
/// The client library refuses all of a page with a key that it cannot write as a path, such as `a//b`. Such a page is
/// asked for in smaller pieces, until the key stands alone; the list goes on after it.
pub struct Page {
    after: Option<String>,
    token: Option<String>,
    keys_max: usize,
    delimiter: Option<Cow<'static, str>>,
}

impl Page {
    /// The first of all keys with a prefix.
    pub fn of_all() -> Self {
        Self { after: None, token: None, keys_max: PAGE_KEYS, delimiter: None }
    }

    /// The first of one folder.
    pub fn of_folder() -> Self {
        Self { delimiter: Some("/".into()), ..Self::of_all() }
    }

    /// Asks for it, and tells which is the next.
    pub async fn list(self, store: &impl PaginatedListStore, prefix: &str) -> Result<(Listed, Option<Self>)> {
        let Self { after, token, keys_max, delimiter } = self;
        let options = PaginatedListOptions {
            offset: after.clone(),
            page_token: token.clone(),
            max_keys: Some(keys_max),
            delimiter: delimiter.clone(),
            ..PaginatedListOptions::default()
        };
        let page = match store.list_paginated(Some(prefix).filter(|prefix| !prefix.is_empty()), options).await {
            Ok(page) => page,
            Err(Error::InvalidPath { source: KeyError::EmptySegment { path } | KeyError::BadSegment { path, .. } }) => {
                if keys_max > 1 {
                    return Ok((Listed::default(), Some(Self { after, token, keys_max: keys_max / 2, delimiter })));
                }
                let after = Some(behind(&path));
                let listed = Listed { odd: vec![path], ..Listed::default() };
                return Ok((listed, Some(Self { after, token: None, keys_max, delimiter })));
            }
            Err(error) => return Err(error.into()),
        };
        let folders = page.result.common_prefixes.iter().map(|folder| format!("{folder}/")).collect();
        let listed = Listed { objects: page.result.objects, folders, odd: Vec::new() };
        let keys_max = (keys_max * 2).min(PAGE_KEYS);
        let next = page.page_token.map(|token| Self { after: None, token: Some(token), keys_max, delimiter });
        Ok((listed, next))
    }
}

/// What comes after a key, and after all that is in a folder.
fn behind(path: &str) -> String {
    if path.ends_with('/') { format!("{path}{}", char::MAX) } else { path.to_owned() }
}
