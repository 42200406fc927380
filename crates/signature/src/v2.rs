//! What Signature Version 2 signs.
//!
//! Clients do not agree on it in three places, and S3 takes them all: where the date stands if `x-amz-date` is there, which query
//! parameters are sub-resources, and whether a bucket's path ends with a slash. [`strings_to_sign`] gives every reading of one
//! request that means the same, S3's own first.
//!
//! Source: "Signing and authenticating REST requests", Amazon S3 API Reference; the lists of sub-resources of botocore and `MinIO`.

use crate::claim::{Carrier, Expires};
use crate::head::{QueryPair, RequestHead, trim};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Query parameters that every client signs.
const SUBRESOURCES: [&str; 31] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
];
const SUBRESOURCES_OF_VERSIONS: [&str; 3] = ["versioning", "versions", "website"];
/// Query parameters that some clients sign and some do not.
const DISPUTED: [&str; 9] = [
    "attributes",
    "encryption",
    "intelligent-tiering",
    "legal-hold",
    "object-lock",
    "ownershipControls",
    "policyStatus",
    "publicAccessBlock",
    "retention",
];
/// Up to so many disputed names in one request every subset is tried; beyond it, all or none.
const DISPUTED_SUBSETS_MAX: usize = 2;

/// One request as `SigV2` sees it.
pub(crate) struct V2Request<'a> {
    pub(crate) head: &'a RequestHead<'a>,
    pub(crate) query: &'a [QueryPair<'a>],
    pub(crate) carrier: Carrier,
    /// Of a presigned URL.
    pub(crate) expires: Option<&'a Expires>,
}

impl<'a> V2Request<'a> {
    /// The header, or for a presigned URL, where clients move headers into the query, the parameter of that name.
    fn header(&self, name: &str) -> Cow<'a, [u8]> {
        if self.carrier == Carrier::AuthHeader || self.head.has(name) {
            return self.head.joined(name);
        }
        let pair = self.query.iter().find(|pair| *pair.name == *name.as_bytes());
        pair.map(|pair| Cow::Owned(trim(&pair.value()).to_vec())).unwrap_or_default()
    }

    /// Every `x-amz-` header, sorted by name, repeated ones joined in arrival order.
    fn amz_headers(&self) -> BTreeMap<Cow<'a, [u8]>, Cow<'a, [u8]>> {
        let mut amz = BTreeMap::new();
        for (name, _) in self.head.headers.iter().filter(|(name, _)| name.starts_with("x-amz-")) {
            amz.entry(Cow::Borrowed(name.as_bytes())).or_insert_with(|| self.head.joined(name));
        }
        if self.carrier == Carrier::QueryString {
            for (name, value) in headers_in_query(self.query) {
                amz.entry(name).or_insert(value);
            }
        }
        amz
    }

    /// The text at the place of the date, and whether `x-amz-date` is among the headers.
    fn dates(&self) -> Vec<(Cow<'a, [u8]>, bool)> {
        if let Some(expires) = self.expires {
            return vec![(Cow::Borrowed(expires.text.as_bytes()), true)];
        }
        if !self.head.has("x-amz-date") {
            return vec![(self.head.joined("date"), true)];
        }
        let mut dates = vec![(Cow::Borrowed(&b""[..]), true)];
        if self.head.has("date") {
            dates.push((self.head.joined("date"), true));
        }
        // The form of the documentation page's DELETE example, which its text does not describe.
        dates.push((self.head.joined("x-amz-date"), false));
        dates
    }

    fn paths(&self) -> Vec<String> {
        let raw = if self.head.raw_path.is_empty() { "/" } else { self.head.raw_path };
        if let Some(bucket) = self.head.host_bucket {
            return vec![format!("/{bucket}{raw}")];
        }
        let name = raw.trim_matches('/');
        let bucket_with_slash = raw == format!("/{name}/");
        let bucket_alone = raw == format!("/{name}");
        let mut paths = vec![raw.to_owned()];
        if !name.is_empty() && !name.contains('/') {
            if bucket_alone {
                paths.push(format!("{raw}/"));
            } else if bucket_with_slash {
                paths.push(format!("/{name}"));
            }
        }
        paths
    }

    /// Every reading of the query's sub-resources, with the `?`; the empty text if there are none.
    fn subresources(&self) -> Vec<Vec<u8>> {
        let known = |pair: &&QueryPair<'_>| {
            let mut names = SUBRESOURCES.iter().chain(&SUBRESOURCES_OF_VERSIONS).chain(&DISPUTED);
            names.any(|name| name.as_bytes() == &*pair.name)
        };
        let mut pairs: Vec<&QueryPair<'_>> = self.query.iter().filter(known).collect();
        pairs.sort_by(|left, right| left.name.cmp(&right.name));
        let is_disputed = |pair: &QueryPair<'_>| DISPUTED.iter().any(|name| name.as_bytes() == &*pair.name);
        let disputed: Vec<usize> = (0..pairs.len()).filter(|at| is_disputed(pairs[*at])).collect();
        let left_out: Vec<Vec<usize>> = match disputed.len() {
            0 => vec![vec![]],
            1 => vec![vec![], disputed],
            DISPUTED_SUBSETS_MAX => vec![vec![], vec![disputed[0]], vec![disputed[1]], disputed],
            _ => vec![vec![], disputed],
        };
        // `?acl=`: botocore keeps the equals sign, MinIO drops it.
        let dangling = pairs.iter().any(|pair| pair.raw_value == Some(""));
        let keeps: &[bool] = if dangling { &[true, false] } else { &[true] };
        let mut readings = Vec::new();
        for without in &left_out {
            let chosen: Vec<&QueryPair<'_>> =
                pairs.iter().enumerate().filter(|(at, _)| !without.contains(at)).map(|(_, pair)| *pair).collect();
            readings.extend(keeps.iter().map(|keep_dangling| join_subresources(&chosen, *keep_dangling)));
        }
        readings
    }
}

fn join_subresources(pairs: &[&QueryPair<'_>], keep_dangling: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for pair in pairs {
        out.push(if out.is_empty() { b'?' } else { b'&' });
        out.extend_from_slice(&pair.name);
        if pair.raw_value.is_some_and(|value| keep_dangling || !value.is_empty()) {
            out.push(b'=');
            out.extend_from_slice(&pair.value());
        }
    }
    out
}

/// The `x-amz-` parameters of a presigned URL, which stand for headers; repeated ones joined.
pub(crate) fn headers_in_query<'a>(query: &[QueryPair<'a>]) -> BTreeMap<Cow<'a, [u8]>, Cow<'a, [u8]>> {
    let mut found: BTreeMap<Cow<'a, [u8]>, Cow<'a, [u8]>> = BTreeMap::new();
    for pair in query.iter().filter(|pair| pair.name.starts_with(b"x-amz-")) {
        let value = trim(&pair.value()).to_vec();
        match found.get_mut(&pair.name) {
            Some(all) => {
                let all = all.to_mut();
                all.push(b',');
                all.extend_from_slice(&value);
            }
            None => {
                found.insert(pair.name.clone(), Cow::Owned(value));
            }
        }
    }
    found
}

/// Every string that a client may have signed for this request, the one of the rule first; at most 48.
pub(crate) fn strings_to_sign(request: &V2Request<'_>) -> impl Iterator<Item = Vec<u8>> {
    let amz = request.amz_headers();
    let start =
        [Cow::Borrowed(request.head.method.as_bytes()), request.header("content-md5"), request.header("content-type")];
    let mut resources = Vec::new();
    for path in request.paths() {
        for subresources in request.subresources() {
            resources.push([path.as_bytes(), &subresources].concat());
        }
    }
    let heads = request.dates().into_iter().map(move |(date, with_amz_date)| {
        let mut out = Vec::with_capacity(256);
        for part in start.iter().chain([&date]) {
            out.extend_from_slice(part);
            out.push(b'\n');
        }
        for (name, value) in amz.iter().filter(|(name, _)| with_amz_date || &***name != b"x-amz-date") {
            out.extend_from_slice(name);
            out.push(b':');
            out.extend_from_slice(value);
            out.push(b'\n');
        }
        out
    });
    heads.flat_map(move |head| resources.iter().map(|resource| [&head[..], resource].concat()).collect::<Vec<_>>())
}
