//! Where the public keys come from: files, or `ListPublicKeys`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use aws_api::Timestamp;
use object_store::aws::AwsCredential;
use serde_json::json;
use sha2::{Digest, Sha256};
use signature::RequestHead;
use signature::sign::{Credentials, Target, v4_header};
use trail::digest::PublicKeys;

use crate::callers::source::agent;

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.ListPublicKeys";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";
/// The longest list of keys that is read.
const LIST_BYTES_MAX: u64 = 16 << 20;
/// How much further than the digests keys are asked for; `validate-logs` does the same.
const MARGIN_S: i64 = 2 * 3600;

/// Reads what `aws cloudtrail list-public-keys` printed.
pub fn from_files(files: &[PathBuf]) -> Result<PublicKeys> {
    let mut keys = PublicKeys::default();
    for file in files {
        let failed = || file.display().to_string();
        let mut json = Vec::new();
        File::open(file).with_context(failed)?.take(LIST_BYTES_MAX).read_to_end(&mut json).with_context(failed)?;
        keys.add_list(&json).with_context(failed)?;
    }
    Ok(keys)
}

/// Asks CloudTrail for the keys of regions, each since the time of its oldest digest (`20260314T090000Z`).
pub fn ask(
    regions: &BTreeMap<String, String>,
    endpoint: Option<&str>,
    insecure: bool,
    credential: &AwsCredential,
) -> Result<PublicKeys> {
    let mut keys = PublicKeys::default();
    for (region, since) in regions {
        let endpoint = endpoint.map_or_else(|| of_aws(region), ToOwned::to_owned);
        let list = ask_one(region, since, &endpoint, insecure, credential)
            .with_context(|| format!("the public keys of {region} cannot be had from {endpoint}"))?;
        keys.add_list(&list)?;
    }
    Ok(keys)
}

fn of_aws(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://cloudtrail.{region}.amazonaws.com{suffix}")
}

fn ask_one(region: &str, since: &str, endpoint: &str, insecure: bool, credential: &AwsCredential) -> Result<Vec<u8>> {
    let now = now();
    let start = parse_basic(since).unwrap_or_default().plus_secs(-MARGIN_S).min(now);
    let body = json!({ "StartTime": start.as_secs(), "EndTime": now.plus_secs(MARGIN_S).as_secs() }).to_string();
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host).trim_end_matches('/');
    let lines = [("content-type", MEDIA_TYPE), ("host", host), ("x-amz-target", TARGET)];
    let headers: Vec<(&str, &[u8])> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let head = RequestHead { method: "POST", raw_path: "/", raw_query: None, headers: &headers, host_bucket: None };
    let credentials = Credentials {
        access_key_id: &credential.key_id,
        secret_access_key: &credential.secret_key,
        session_token: credential.token.as_deref(),
    };
    let target = Target { service: "cloudtrail", region, at: now };
    let signed = v4_header(&head, &credentials, &target, &hex::encode(Sha256::digest(&body)))
        .map_err(|_| anyhow!("the request cannot be signed"))?;
    let mut request = agent(insecure).post(format!("{}/", endpoint.trim_end_matches('/')));
    for (name, value) in lines.iter().filter(|(name, _)| *name != "host") {
        request = request.header(*name, *value);
    }
    for (name, value) in &signed.headers {
        request = request.header(*name, value);
    }
    let answer = request.send(body.as_bytes())?;
    let status = answer.status().as_u16();
    let list = answer.into_body().into_with_config().limit(LIST_BYTES_MAX).read_to_vec()?;
    if status != 200 {
        let text = String::from_utf8_lossy(&list[..list.len().min(500)]).into_owned();
        bail!("status {status}: {text}");
    }
    Ok(list)
}

#[expect(clippy::disallowed_methods, reason = "a signed request has the time of its signature")]
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Reads `20260314T090000Z`.
fn parse_basic(text: &str) -> Option<Timestamp> {
    let part = |range: std::ops::Range<usize>| text.get(range);
    Timestamp::parse_rfc3339(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(9..11)?,
        part(11..13)?,
        part(13..15)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_names_are_read() {
        assert_eq!(parse_basic("20260314T092653Z"), Timestamp::parse_rfc3339("2026-03-14T09:26:53Z"));
        for bad in ["", "20260314", "2026031éT092653Z", "20261314T092653Z"] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_endpoints_of_aws() {
        assert_eq!(of_aws("eu-central-1"), "https://cloudtrail.eu-central-1.amazonaws.com");
        assert_eq!(of_aws("cn-north-1"), "https://cloudtrail.cn-north-1.amazonaws.com.cn");
    }
}
