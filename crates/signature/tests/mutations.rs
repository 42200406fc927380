//! No good request with one byte changed verifies, unless the byte means nothing under the rules.
//!
//! What "means nothing" is, is written here a second time and independently of the library: letter case of a header name, blanks
//! around a header's value, parameters that `SigV2` does not sign, the spelling of those that it signs decoded.

#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

mod common;

use common::{Case, Form, Outcome, Request, Vector, vectors};
use percent_encoding::percent_decode_str;

/// Bytes that mean something to one of the parsers, tried at every place besides flipped bits.
const STRUCTURE: &[u8] = b"&=%+/ \t";

const V2_SIGNED_NAMES: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "defaultObjectAcl",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "AWSAccessKeyId",
    "Signature",
    "Expires",
    "content-md5",
];

#[derive(Default)]
struct Tally {
    refused: u64,
    same_meaning: u64,
    accepted: Vec<String>,
}

impl Tally {
    fn request(&mut self, vector: &Vector, what: &str, original: &Request, mutated: &Request, same_meaning: bool) {
        let Ok(outcome) = mutated.accepted(&vector.known) else {
            self.refused += 1;
            return;
        };
        let unframed = match (&outcome, original.accepted(&vector.known)) {
            (Outcome::Verified(got), Ok(Outcome::Verified(good))) => {
                what == "body" && (&got.1, &got.2) == (&good.1, &good.2)
            }
            _ => false,
        };
        if same_meaning || unframed {
            self.same_meaning += 1;
        } else {
            self.accepted.push(format!("{} {what}: {} {:?}", vector.id, mutated.path, mutated.query));
        }
    }
}

fn replacements(byte: u8) -> Vec<u8> {
    let mut bytes = vec![byte ^ 1, byte ^ 0x20];
    bytes.extend_from_slice(STRUCTURE);
    bytes.sort_unstable();
    bytes.dedup();
    bytes.retain(|new| *new != byte && (new.is_ascii_graphic() || matches!(new, b' ' | b'\t')));
    bytes
}

/// Every text that differs in one byte; those that are not UTF-8 cannot come out of an HTTP parser's target.
fn mutations(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..text.len()).flat_map(move |at| {
        replacements(text[at]).into_iter().map(move |new| {
            let mut mutated = text.to_vec();
            mutated[at] = new;
            mutated
        })
    })
}

fn as_text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

#[test]
fn no_mutation_of_a_good_request_verifies() {
    let mut tally = Tally::default();
    for vector in vectors().iter().filter(|vector| vector.expect == "ok") {
        match &vector.case {
            Case::Head(request) => mutate_request(vector, request, &mut tally),
            Case::Form(form) => mutate_form(vector, form, &mut tally),
        }
    }
    println!("refused {}, same meaning {}, accepted {}", tally.refused, tally.same_meaning, tally.accepted.len());
    assert!(tally.accepted.is_empty(), "{:#?}", tally.accepted);
    assert!(tally.refused >= 10_000, "{}", tally.refused);
    // Where this share grows, the rules above have become an excuse.
    assert!(tally.same_meaning * 20 < tally.refused, "{} of {}", tally.same_meaning, tally.refused);
}

fn mutate_request(vector: &Vector, good: &Request, tally: &mut Tally) {
    let v2 = vector.json["scheme"].as_str().unwrap().starts_with("sigv2");
    for method in mutations(good.method.as_bytes()).filter_map(as_text) {
        tally.request(vector, "method", good, &Request { method, ..good.clone() }, false);
    }
    for path in mutations(good.path.as_bytes()).filter_map(as_text) {
        tally.request(vector, "path", good, &Request { path, ..good.clone() }, false);
    }
    for query in mutations(good.query.as_deref().unwrap_or_default().as_bytes()).filter_map(as_text) {
        let mutated = Request { query: Some(query), ..good.clone() };
        let same = v2 && v2_view(vector, good) == v2_view(vector, &mutated);
        tally.request(vector, "query", good, &mutated, same);
    }
    for bucket in mutations(good.host_bucket.as_deref().unwrap_or_default().as_bytes()).filter_map(as_text) {
        if v2 {
            let mutated = Request { host_bucket: Some(bucket), ..good.clone() };
            tally.request(vector, "host bucket", good, &mutated, false);
        }
    }
    for at in 0..good.headers.len() {
        if is_covered(vector, good, &good.headers[at].0, v2) {
            mutate_header(vector, good, at, v2, tally);
        }
    }
    if !v2 && !vector.id.contains("unsigned") && !vector.id.starts_with("v4-query") {
        for body in mutations(&good.body) {
            tally.request(vector, "body", good, &Request { body, ..good.clone() }, false);
        }
        for len in 0..good.body.len() {
            let body = good.body[..len].to_vec();
            tally.request(vector, "body", good, &Request { body, ..good.clone() }, false);
        }
    }
}

fn mutate_header(vector: &Vector, good: &Request, at: usize, v2: bool, tally: &mut Tally) {
    let folded = |value: &[u8]| -> String {
        let text = String::from_utf8_lossy(value).into_owned();
        if v2 { text.trim().to_owned() } else { text.split_ascii_whitespace().collect::<Vec<_>>().join(" ") }
    };
    for value in mutations(&good.headers[at].1) {
        let mut mutated = good.clone();
        let same = good.headers[at].0 != "authorization" && folded(&value) == folded(&good.headers[at].1);
        mutated.headers[at].1 = value;
        tally.request(vector, &good.headers[at].0, good, &mutated, same);
    }
}

fn is_covered(vector: &Vector, good: &Request, name: &str, v2: bool) -> bool {
    if name == "authorization" {
        return true;
    }
    if v2 {
        let has = |name: &str| good.headers.iter().any(|(given, _)| given == name);
        let date = name == "date" && !has("x-amz-date") && vector.json["scheme"] == "sigv2-header";
        return name.starts_with("x-amz-") || name == "content-type" || name == "content-md5" || date;
    }
    let canonical = vector.json["canonical_request"].as_str().unwrap();
    let signed = canonical.rsplit('\n').nth(1).unwrap();
    signed.split(';').any(|signed| signed == name)
}

/// What `SigV2` signs of a query, decoded and sorted.
fn v2_view(vector: &Vector, request: &Request) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let header = |name: &str| request.headers.iter().any(|(given, _)| given == name);
    let decode = |text: &str| -> Vec<u8> { percent_decode_str(text).collect() };
    let mut view: Vec<_> = request
        .query
        .as_deref()
        .unwrap_or_default()
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (decode(name), Some(decode(value))),
            None => (decode(pair), None),
        })
        .filter(|(name, _)| {
            let name = String::from_utf8_lossy(name);
            let moved = vector.json["scheme"] == "sigv2-query"
                && (name == "content-type" || name.starts_with("x-amz-"))
                && !header(&name);
            // This vector's client does not sign the parameter at all.
            let unsigned = vector.id == "v2-header-encryption-not-signed" && name == "encryption";
            (V2_SIGNED_NAMES.contains(&&*name) || moved) && !unsigned
        })
        .collect();
    view.sort();
    view
}

fn mutate_form(vector: &Vector, good: &Form, tally: &mut Tally) {
    let free_key_tail = "incoming/";
    for at in 0..good.fields.len() {
        let (name, value) = &good.fields[at];
        for mutated_name in mutations(name.as_bytes()).filter_map(as_text) {
            let same = mutated_name.eq_ignore_ascii_case(name);
            tally.form(vector, good, at, (mutated_name, value.clone()), same);
        }
        for mutated_value in mutations(value.as_bytes()).filter_map(as_text) {
            let same = name == "key" && mutated_value.starts_with(free_key_tail);
            tally.form(vector, good, at, (name.clone(), mutated_value), same);
        }
    }
    for bucket in mutations(good.bucket.as_bytes()).filter_map(as_text) {
        let mutated = Form { bucket, ..good.clone() };
        match mutated.accepted(&vector.known) {
            Err(_) => tally.refused += 1,
            Ok(_) => tally.accepted.push(format!("{} bucket {}", vector.id, mutated.bucket)),
        }
    }
}

impl Tally {
    fn form(&mut self, vector: &Vector, good: &Form, at: usize, field: (String, String), same_meaning: bool) {
        let mut mutated = good.clone();
        mutated.fields[at] = field;
        match mutated.accepted(&vector.known) {
            Err(_) => self.refused += 1,
            Ok(_) if same_meaning => self.same_meaning += 1,
            Ok(_) => self.accepted.push(format!("{} field {:?}", vector.id, mutated.fields[at])),
        }
    }
}
