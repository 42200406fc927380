//! Every vector of the specification: accepted, or refused with the code that it names; and made again by the signer.

#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

mod common;

use aws_api::Timestamp;
use common::{Case, Outcome, Vector, vectors};
use s3_signature::sign::{self, Credentials, Target};
use s3_signature::{Carrier, Scheme};

#[test]
fn all_vectors() {
    let all = vectors();
    assert_eq!(all.len(), 60);
    for vector in &all {
        let outcome = match &vector.case {
            Case::Head(request) => request.accepted(&vector.known).map(|outcome| match outcome {
                Outcome::Anonymous => panic!("{}: anonymous", vector.id),
                Outcome::Verified(proven) => {
                    check_names(vector, proven.0.scheme, proven.0.carrier);
                    if let Some(len) = vector.json["decoded_length"].as_u64() {
                        assert_eq!(proven.1.len() as u64, len, "{}", vector.id);
                        assert_eq!(proven.1, b"first chunk\ntail\n");
                    }
                }
            }),
            Case::Form(form) => form.accepted(&vector.known).map(|post| {
                let post = post.unwrap_or_else(|| panic!("{}: anonymous", vector.id));
                check_names(vector, post.scheme, Carrier::HtmlForm);
                assert_eq!(post.content_length, Some(1..=1_048_576));
            }),
        };
        let got = match outcome {
            Ok(()) => "ok".to_owned(),
            Err(denied) if denied.code == "AccessDenied" => format!("AccessDenied ({})", denied.message),
            Err(denied) => denied.code.to_owned(),
        };
        assert_eq!(got, vector.expect, "{}", vector.id);
    }
}

fn check_names(vector: &Vector, scheme: Scheme, carrier: Carrier) {
    let name = vector.json["scheme"].as_str().unwrap();
    assert_eq!(scheme, if name.starts_with("sigv2") { Scheme::SigV2 } else { Scheme::SigV4 }, "{}", vector.id);
    let expected = match name.split_once('-').unwrap().1 {
        "query" => Carrier::QueryString,
        "post" => Carrier::HtmlForm,
        _ => Carrier::AuthHeader,
    };
    assert_eq!(carrier, expected, "{}", vector.id);
}

/// A refused signature says what was to be signed.
#[test]
fn the_strings_to_sign_are_the_vectors() {
    let mut checked = 0;
    for vector in vectors().iter().filter(|vector| vector.expect == "ok") {
        let (Case::Head(request), Some(expected)) = (&vector.case, vector.json["string_to_sign"].as_str()) else {
            continue;
        };
        let mut known = vector.known.clone();
        known.secret_access_key.push('x');
        let denied = request.accepted(&known).err().unwrap_or_else(|| panic!("{}: accepted", vector.id));
        assert_eq!(denied.code, "SignatureDoesNotMatch", "{}", vector.id);
        let element =
            |name: &str| denied.elements.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str());
        assert_eq!(element("AWSAccessKeyId"), Some(known.access_key_id.as_str()));
        if vector.id == "v2-header-encryption-not-signed" {
            continue; // The first of two readings is echoed; this vector signs the second.
        }
        assert_eq!(element("StringToSign"), Some(expected), "{}", vector.id);
        if let Some(canonical) = vector.json["canonical_request"].as_str() {
            assert_eq!(element("CanonicalRequest"), Some(canonical), "{}", vector.id);
        }
        checked += 1;
    }
    assert!(checked >= 40, "{checked}");
}

#[test]
fn the_signer_makes_the_vectors() {
    let mut made = 0;
    for vector in vectors().iter().filter(|vector| vector.expect == "ok") {
        if let Case::Head(request) = &vector.case {
            made += usize::from(sign_again(vector, request));
        } else if let Case::Form(form) = &vector.case {
            sign_form_again(vector, form);
            made += 1;
        }
    }
    assert!(made >= 40, "{made}");
}

fn credentials(vector: &Vector) -> Credentials<'_> {
    Credentials {
        access_key_id: &vector.known.access_key_id,
        secret_access_key: &vector.known.secret_access_key,
        session_token: vector.known.session_token.as_deref(),
    }
}

fn target(vector: &Vector) -> Target<'_> {
    Target { service: "s3", region: vector.known.region.as_deref().unwrap_or_default(), at: vector.known.now }
}

fn sign_again(vector: &Vector, request: &common::Request) -> bool {
    let mut unsigned = request.clone();
    let added = ["authorization", "x-amz-security-token", "x-amz-content-sha256"];
    let v4 = vector.json["scheme"].as_str().unwrap().starts_with("sigv4");
    unsigned.headers.retain(|(name, _)| !(added.contains(&name.as_str()) || v4 && name == "x-amz-date"));
    let lines = unsigned.lines();
    let head = unsigned.head(&lines);
    let credentials = credentials(vector);
    let expected = vector.json["authorization"].as_str();
    let signed = match vector.json["scheme"].as_str().unwrap() {
        "sigv2-header" if vector.id == "v2-header-encryption-not-signed" => return false,
        "sigv2-header" => sign::v2_header(&head, &credentials, vector.known.now).unwrap(),
        "sigv4-header" | "sigv4-streaming" => {
            let payload = request.headers.iter().find(|(name, _)| name == "x-amz-content-sha256").unwrap();
            let payload = std::str::from_utf8(&payload.1).unwrap();
            sign::v4_header(&head, &credentials, &target(vector), payload).unwrap()
        }
        "sigv2-query" => {
            let expires = vector.json["expires_epoch"].as_i64().unwrap();
            let head = s3_signature::RequestHead { raw_query: own_query(vector), ..head };
            let query = sign::v2_query(&head, &credentials, Timestamp::from_secs(expires)).unwrap();
            assert_eq!(parameter(&query, "Signature"), parameter(url_query(vector), "Signature"), "{}", vector.id);
            return true;
        }
        _ => {
            let head = s3_signature::RequestHead { raw_query: own_query(vector), ..head };
            let secs = u32::try_from(vector.json["expires_seconds"].as_u64().unwrap()).unwrap();
            let query = sign::v4_query(&head, &credentials, &target(vector), secs).unwrap();
            let name = "X-Amz-Signature";
            assert_eq!(parameter(&query, name), parameter(url_query(vector), name), "{}", vector.id);
            return true;
        }
    };
    assert_eq!(signed.headers.last().map(|(_, value)| value.as_str()), expected, "{}", vector.id);
    true
}

fn own_query(vector: &Vector) -> Option<&str> {
    vector.json["url"].as_str().unwrap().split_once('?').map(|(_, query)| query)
}

fn url_query(vector: &Vector) -> &str {
    vector.json["signed_url"].as_str().unwrap().split_once('?').unwrap().1
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn sign_form_again(vector: &Vector, form: &common::Form) {
    let field = |name: &str| form.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let policy = field("policy").unwrap();
    match field("x-amz-signature") {
        Some(signature) => assert_eq!(sign::v4_post(&credentials(vector), &target(vector), policy), signature),
        None => assert_eq!(Some(sign::v2_post(&credentials(vector), policy).as_str()), field("signature")),
    }
}

#[test]
fn the_chunk_signer_makes_the_vectors() {
    for vector in vectors() {
        let Case::Head(request) = &vector.case else { continue };
        let Some(chunks) = vector.json["chunk_signatures"].as_array().filter(|chunks| !chunks.is_empty()) else {
            continue;
        };
        let mut unsigned = request.clone();
        unsigned
            .headers
            .retain(|(name, _)| !["authorization", "x-amz-content-sha256", "x-amz-date"].contains(&name.as_str()));
        let lines = unsigned.lines();
        let payload = vector.json["signed_headers"]["x-amz-content-sha256"].as_str().unwrap();
        let signed = sign::v4_header(&unsigned.head(&lines), &credentials(&vector), &target(&vector), payload).unwrap();
        let mut chain = signed.chunks.unwrap();
        for (data, expected) in ["first chunk\n", "tail\n", ""].iter().zip(chunks) {
            assert_eq!(chain.sign_chunk(data.as_bytes()), expected["signature"].as_str().unwrap());
        }
        if let Some(line) = vector.json["trailer_signature"]["line"].as_str() {
            let signature = chain.sign_trailer(format!("{line}\n").as_bytes());
            assert_eq!(Some(signature.as_str()), vector.json["trailer_signature"]["signature"].as_str());
        }
    }
}
