//! What is refused, in which words, and in which order.

#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

mod common;

use aws_api::Timestamp;
use common::{Known, NOW, Outcome, Request, credentials, element, known, request, target};
use s3_signature::sign;
use s3_signature::{Carrier, Claim, Denied, Payload, Policy, Reason, Scheme, anonymous_payload, classify, verify};
use sha2::{Digest, Sha256};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
fn v2(mut request: Request, known: &Known) -> Request {
    let lines = request.lines();
    let signed = sign::v2_header(&request.head(&lines), &credentials(known), known.now).unwrap();
    signed.headers.iter().for_each(|(name, value)| request.set(name, value));
    request
}

fn v4(mut request: Request, known: &Known, payload: &str) -> Request {
    let lines = request.lines();
    let signed = sign::v4_header(&request.head(&lines), &credentials(known), &target("s3"), payload).unwrap();
    signed.headers.iter().for_each(|(name, value)| request.set(name, value));
    request
}

fn v2_url(mut request: Request, known: &Known) -> Request {
    let lines = request.lines();
    let end = Timestamp::from_secs(NOW + 60);
    let query = sign::v2_query(&request.head(&lines), &credentials(known), end).unwrap();
    request.query = Some(query);
    request
}

fn v4_url(mut request: Request, known: &Known) -> Request {
    let lines = request.lines();
    let query = sign::v4_query(&request.head(&lines), &credentials(known), &target("s3"), 60).unwrap();
    request.query = Some(query);
    request
}

fn denied(request: &Request, known: &Known) -> Denied {
    match request.accepted(known) {
        Err(denied) => denied,
        Ok(Outcome::Anonymous) => panic!("{:?} {:?} is anonymous", request.path, request.query),
        Ok(Outcome::Verified(_)) => panic!("{:?} {:?} is accepted", request.path, request.query),
    }
}

fn assert_ok(request: &Request, known: &Known) {
    if let Err(denied) = request.accepted(known) {
        panic!("{} {:?}: {denied:?} {:#?}", request.path, request.query, denied.elements);
    }
}

#[test]
fn mechanism_syntax() {
    let v4_parameters = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20260314%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20260314T092653Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let several = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
    let v4_missing = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
    let week = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds";
    let v2_missing = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
    let unsupported = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
    let three = "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.";
    let (v4_query, v4_header) = ("AuthorizationQueryParametersError", "AuthorizationHeaderMalformed");
    let table: Vec<(String, Option<&str>, u16, &str, &str)> = vec![
        ("/?Signature=a&Expires=1".into(), Some("AWS a:b"), 400, "InvalidArgument", several),
        (format!("/?{v4_parameters}"), Some("AWS a:b"), 400, "InvalidArgument", several),
        (format!("/?{v4_parameters}&AWSAccessKeyId=a"), None, 400, "InvalidArgument", several),
        ("/".into(), Some("Basic YTpi"), 400, "InvalidArgument", "Unsupported Authorization Type"),
        ("/".into(), Some("Bearer x"), 400, "InvalidArgument", "Unsupported Authorization Type"),
        ("/".into(), Some("aws a:b"), 400, "InvalidArgument", "Unsupported Authorization Type"),
        ("/".into(), Some("AWS4-ECDSA-P256-SHA256 Credential=a/b"), 400, "InvalidRequest", unsupported),
        ("/?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256".into(), None, 400, "InvalidRequest", unsupported),
        ("/".into(), Some("AWS4-HMAC-SHA256 Credential=a"), 400, v4_header, three),
        ("/".into(), Some("AWS4-HMAC-SHA256 x"), 400, v4_header, three),
        ("/?X-Amz-Algorithm=AWS4-HMAC-SHA256".into(), None, 400, v4_query, v4_missing),
        (format!("/?{v4_parameters}"), None, 400, v4_query, v4_missing),
        (format!("/?{v4_parameters}&X-Amz-Expires=9&X-Amz-Expires=9"), None, 400, v4_query, v4_missing),
        (format!("/?{v4_parameters}&X-Amz-Expires=x"), None, 400, v4_query, "X-Amz-Expires should be a number"),
        (format!("/?{v4_parameters}&X-Amz-Expires=-1"), None, 400, v4_query, "X-Amz-Expires must be non-negative"),
        (format!("/?{v4_parameters}&X-Amz-Expires=604801"), None, 400, v4_query, week),
        (format!("/?{v4_parameters}&X-Amz-Expires=99999999999999999999"), None, 400, v4_query, week),
        ("/?AWSAccessKeyId=a&Signature=b".into(), None, 403, "AccessDenied", v2_missing),
        ("/?Expires=1&Signature=b".into(), None, 403, "AccessDenied", v2_missing),
        (
            "/?AWSAccessKeyId=a&Signature=b&Expires=soon".into(),
            None,
            403,
            "AccessDenied",
            "Invalid date (should be seconds since epoch): soon",
        ),
        (
            "/".into(),
            Some("AWS nocolon"),
            400,
            "InvalidArgument",
            "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
        ),
        (
            "/".into(),
            Some("AWS  a:b"),
            400,
            "InvalidArgument",
            "Authorization header is invalid -- one and only one ' ' (space) required",
        ),
    ];
    for (path, authorization, status, code, message) in table {
        let mut request = request("GET", &path);
        if let Some(value) = authorization {
            request.set("authorization", value);
        }
        let denied = denied(&request, &known());
        assert_eq!((denied.status, denied.code, denied.message.as_str()), (status, code, message), "{path}");
    }
}

#[test]
fn a_refusal_names_the_attempt() {
    let table = [
        ("/", Some("AWS AKIAEXAMPLE"), Some(Scheme::SigV2), Some(Carrier::AuthHeader), Some("AKIAEXAMPLE")),
        (
            "/",
            Some("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/x, Signature=1"),
            Some(Scheme::SigV4),
            Some(Carrier::AuthHeader),
            Some("AKIAEXAMPLE"),
        ),
        (
            "/",
            Some("AWS4-ECDSA-P256-SHA256 Credential=AKIAEXAMPLE/20260314/s3/aws4_request"),
            Some(Scheme::SigV4A),
            Some(Carrier::AuthHeader),
            Some("AKIAEXAMPLE"),
        ),
        ("/?AWSAccessKeyId=AKIAEXAMPLE", None, Some(Scheme::SigV2), Some(Carrier::QueryString), Some("AKIAEXAMPLE")),
        (
            "/?X-Amz-Credential=AKIAEXAMPLE%2F",
            None,
            Some(Scheme::SigV4),
            Some(Carrier::QueryString),
            Some("AKIAEXAMPLE"),
        ),
        ("/", Some("Basic YTpi"), None, None, None),
    ];
    for (path, authorization, scheme, carrier, id) in table {
        let mut request = request("GET", path);
        if let Some(value) = authorization {
            request.set("authorization", value);
        }
        let attempt = denied(&request, &known()).attempt;
        assert_eq!(
            (attempt.scheme, attempt.carrier, attempt.access_key_id.as_deref()),
            (scheme, carrier, id),
            "{path}"
        );
    }
}

#[test]
fn dates() {
    let known = known();
    for (seconds, code) in
        [(900, None), (-900, None), (901, Some("RequestTimeTooSkewed")), (-901, Some("RequestTimeTooSkewed"))]
    {
        let mut later = known.clone();
        later.now = Timestamp::from_secs(NOW + seconds);
        for request in [v2(request("GET", "/b/k"), &known), v4(request("GET", "/b/k"), &known, EMPTY)] {
            let denied = request.accepted(&later).err();
            assert_eq!(denied.as_ref().map(|denied| denied.code), code, "{seconds}");
            if let Some(denied) = denied {
                assert_eq!(element(&denied, "MaxAllowedSkewMilliseconds"), Some("900000"));
                assert_eq!(element(&denied, "ServerTime"), Some(later.now.to_rfc3339_seconds().as_str()));
            }
        }
    }
    for date in ["", "soon", "Tue, 07 Jul 1960 01:00:00 GMT"] {
        let mut request = request("GET", "/b/k");
        request.set("date", date);
        let denied = denied(&v2(request, &known), &known);
        assert_eq!(denied.message, "AWS authentication requires a valid Date or x-amz-date header", "{date}");
    }
    // The key is asked for before the date.
    let mut stranger = known.clone();
    stranger.access_key_id = "AKIAOTHER".to_owned();
    stranger.now = Timestamp::from_secs(0);
    assert_eq!(denied(&v2(request("GET", "/b/k"), &known), &stranger).code, "InvalidAccessKeyId");
}

#[test]
fn presigned_urls_end() {
    let known = known();
    for request in [v2_url(request("GET", "/b/k"), &known), v4_url(request("GET", "/b/k"), &known)] {
        assert_ok(&request, &known);
        let mut later = known.clone();
        later.now = Timestamp::from_secs(NOW + 60);
        assert_ok(&request, &later);
        later.now = Timestamp::from_millis((NOW + 60) * 1000 + 1);
        let denied = denied(&request, &later);
        assert_eq!((denied.status, denied.code, denied.reason), (403, "AccessDenied", Reason::Expired));
        assert_eq!(element(&denied, "Expires"), Some("2026-03-14T09:27:53Z"));
        assert_eq!(element(&denied, "ServerTime"), Some("2026-03-14T09:27:53Z"));
    }
}

/// There is no longest life, and no number is too large.
#[test]
fn a_sigv2_url_may_be_for_ever() {
    let known = known();
    for expires in ["99999999999", "99999999999999999999999999999999"] {
        let query = format!("AWSAccessKeyId=AKIAEXAMPLE&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&Expires={expires}");
        let request = request("GET", &format!("/b/k?{query}"));
        assert_eq!(denied(&request, &known).code, "SignatureDoesNotMatch");
    }
}

#[test]
fn session_tokens() {
    let mut temporary = known();
    temporary.session_token = Some("token/1==".to_owned());
    let make: [fn(Request, &Known) -> Request; 4] = [v2, |request, known| v4(request, known, EMPTY), v2_url, v4_url];
    for sign in make {
        let signed = sign(request("GET", "/b/k"), &temporary);
        assert_ok(&signed, &temporary);
        let mut other = temporary.clone();
        other.session_token = Some("token/2==".to_owned());
        let refused = denied(&signed, &other);
        assert_eq!((refused.status, refused.code), (400, "InvalidToken"));
        assert_eq!(element(&refused, "Token-0"), Some("token/1=="));
        assert!(!format!("{refused:?}").contains("token/1"));
        // A permanent key has no token.
        assert_eq!(denied(&signed, &known()).code, "InvalidToken");
        // Without its token a temporary key is none.
        assert_eq!(denied(&sign(request("GET", "/b/k"), &known()), &temporary).code, "InvalidAccessKeyId");
        // A token that is not signed does not help.
        let mut added = sign(request("GET", "/b/k"), &known());
        added.set("x-amz-security-token", "token/1==");
        assert!(matches!(denied(&added, &temporary).status, 403));
    }
}

#[test]
fn temporary_keys_end() {
    let known = known();
    let request = v4(request("GET", "/b/k"), &known, EMPTY);
    let lines = request.lines();
    let Ok(Claim::Signed(claim)) = classify(request.head(&lines)) else { panic!("not signed") };
    for (end, code) in [(NOW, Some("ExpiredToken")), (NOW + 1, None)] {
        let secret = s3_signature::Secret { expires: Some(Timestamp::from_secs(end)), ..known.secret() };
        let denied = verify(&claim, Some(secret), known.now, &Policy::s3()).err();
        assert_eq!(denied.map(|denied| denied.code), code);
    }
}

#[test]
fn headers_that_are_not_signed() {
    let known = known();
    let mut header = v4(request("PUT", "/b/k"), &known, EMPTY);
    header.set("x-amz-acl", "public-read");
    header.set("x-amz-meta-a", "1");
    let refused = denied(&header, &known);
    assert_eq!(refused.message, "There were headers present in the request which were not signed");
    assert_eq!(element(&refused, "HeadersNotSigned"), Some("x-amz-acl, x-amz-meta-a"));
    let mut url = v4_url(request("PUT", "/b/k"), &known);
    url.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_ok(&url, &known);
    url.headers[1].1 = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_vec();
    assert_eq!(denied(&url, &known).code, "AccessDenied");
    let mut v2_put = v2(request("PUT", "/b/k"), &known);
    v2_put.set("x-amz-acl", "public-read");
    assert_eq!(denied(&v2_put, &known).code, "SignatureDoesNotMatch");
    // A header name in capitals would slip through.
    let mut capitals = v4(request("PUT", "/b/k"), &known, EMPTY);
    capitals.headers.push(("X-Amz-Acl".to_owned(), b"public-read".to_vec()));
    assert_eq!(denied(&capitals, &known).code, "InvalidRequest");
}

#[test]
fn another_spelling_hides_no_subresource() {
    let known = known();
    let mut put = v2(request("PUT", "/b/k"), &known);
    for query in ["acl", "%61cl", "ac%6C=", "tagging", "x=1&versionId=3"] {
        put.query = Some(query.to_owned());
        assert_eq!(denied(&put, &known).code, "SignatureDoesNotMatch", "{query}");
    }
    put.query = Some("prefix=a&x-id=PutObject".to_owned());
    assert_ok(&put, &known);
    let url = v2_url(request("GET", "/b/k"), &known);
    for more in ["acl", "x-amz-acl=private", "content-type=a", "x-amz-meta-a=1%0Ax-amz-meta-b:2"] {
        let mut longer = url.clone();
        longer.query = Some(format!("{}&{more}", url.query.as_deref().unwrap()));
        assert!(matches!(denied(&longer, &known).code, "SignatureDoesNotMatch" | "InvalidRequest"), "{more}");
    }
}

#[test]
fn sigv2_readings() {
    let known = known();
    for (signed_as, sent) in [
        ("/bucket/", "/bucket"),
        ("/bucket", "/bucket/"),
        ("/bucket/?acl", "/bucket?acl"),
        ("/b/k", "/b/k?encryption"),
        ("/b/k?encryption", "/b/k?encryption"),
        ("/b/k?encryption", "/b/k?encryption&retention"),
        ("/b/k?retention&versionId=1", "/b/k?versionId=1&encryption&retention"),
        ("/b/k?acl", "/b/k?acl="),
        ("/b/k?acl=", "/b/k?acl="),
    ] {
        let mut request = v2(request("GET", signed_as), &known);
        let (path, query) = sent.split_once('?').map_or((sent, None), |(path, query)| (path, Some(query)));
        request.path = path.to_owned();
        request.query = query.map(str::to_owned);
        assert_ok(&request, &known);
    }
    for (signed_as, sent) in [("/b/k/", "/b/k"), ("/", "//"), ("//b", "/b"), ("/b", "/b//")] {
        let mut request = v2(request("GET", signed_as), &known);
        request.path = sent.to_owned();
        assert_eq!(denied(&request, &known).code, "SignatureDoesNotMatch", "{signed_as} {sent}");
    }
}

#[test]
fn scope() {
    let mut elsewhere = known();
    elsewhere.region = Some("us-east-1".to_owned());
    let header = v4(request("GET", "/b/k"), &known(), EMPTY);
    let refused = denied(&header, &elsewhere);
    assert_eq!((refused.status, refused.code), (400, "AuthorizationHeaderMalformed"));
    assert_eq!(
        refused.message,
        "The authorization header is malformed; the region 'eu-central-1' is wrong; expecting 'us-east-1'"
    );
    assert_eq!(element(&refused, "Region"), Some("us-east-1"));
    assert_eq!(denied(&v4_url(request("GET", "/b/k"), &known()), &elsewhere).code, "AuthorizationQueryParametersError");
}

#[test]
fn payload_rules() {
    let known = known();
    let mut without = v4(request("GET", "/b/k"), &known, EMPTY);
    without.headers.retain(|(name, _)| name != "x-amz-content-sha256");
    assert_eq!(denied(&without, &known).message, "Missing required header for this request: x-amz-content-sha256");
    assert_eq!(denied(&v4(request("GET", "/b/k"), &known, "junk"), &known).code, "InvalidArgument");
    let v4a = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
    assert_eq!(denied(&v4(request("PUT", "/b/k"), &known, v4a), &known).code, "InvalidRequest");
    let streaming = v4(request("PUT", "/b/k"), &known, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let refused = denied(&streaming, &known);
    assert_eq!((refused.status, refused.code), (411, "MissingContentLength"));
    let mut v2_put = request("PUT", "/b/k");
    v2_put.set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    assert_eq!(denied(&v2(v2_put, &known), &known).code, "InvalidRequest");
    let mut put = v4(request("PUT", "/b/k"), &known, EMPTY);
    put.body = b"x".to_vec();
    let refused = denied(&put, &known);
    assert_eq!((refused.status, refused.code), (400, "XAmzContentSHA256Mismatch"));
    assert_eq!(element(&refused, "ClientComputedContentSHA256"), Some(EMPTY));
    assert_eq!(element(&refused, "S3ComputedContentSHA256"), Some(hex::encode(Sha256::digest(b"x")).as_str()));
}

#[test]
fn anonymous_bodies() {
    let mut put = request("PUT", "/b/k");
    let lines = put.lines();
    assert!(matches!(classify(put.head(&lines)), Ok(Claim::Anonymous)));
    assert!(matches!(anonymous_payload(&put.head(&lines)), Ok(Payload::Unsigned)));
    put.set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    put.set("x-amz-decoded-content-length", "1");
    let lines = put.lines();
    assert!(matches!(anonymous_payload(&put.head(&lines)), Ok(Payload::UnsignedTrailer(_))));
    put.headers[1].1 = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_vec();
    let lines = put.lines();
    assert!(anonymous_payload(&put.head(&lines)).is_err());
}

/// Headers that a presigned URL carries come back as headers.
#[test]
fn headers_in_the_query() {
    let known = known();
    for (request, expected) in [
        (v2_url(request("PUT", "/b/k?content-type=text%2Fcsv&x-amz-acl=private"), &known), 2),
        (v4_url(request("PUT", "/b/k?content-type=text%2Fcsv&x-amz-acl=private"), &known), 1),
    ] {
        let Ok(Outcome::Verified(proven)) = request.accepted(&known) else { panic!("refused") };
        assert_eq!(proven.0.query_headers.len(), expected, "{:?}", proven.0.query_headers);
        assert_eq!(proven.0.query_headers.last().unwrap(), &("x-amz-acl".to_owned(), "private".to_owned()));
    }
}

#[test]
fn other_services() {
    let known = known();
    let body = b"Action=SendMessage";
    let hash: [u8; 32] = Sha256::digest(body).into();
    let mut request = request("POST", "/000000000000/a%20b?x=1");
    request.set("content-type", "application/x-www-form-urlencoded");
    let lines = request.lines();
    let signed =
        sign::v4_header(&request.head(&lines), &credentials(&known), &target("sqs"), &hex::encode(hash)).unwrap();
    signed.headers.iter().for_each(|(name, value)| request.set(name, value));
    let check = |request: &Request, policy: &Policy<'_>| {
        let lines = request.lines();
        let Ok(Claim::Signed(claim)) = classify(request.head(&lines)) else { panic!("not signed") };
        verify(&claim, Some(known.secret()), known.now, policy).map(|verified| verified.region)
    };
    assert_eq!(check(&request, &Policy::other("sqs", hash)).unwrap().as_deref(), Some("eu-central-1"));
    let changed = check(&request, &Policy::other("sqs", Sha256::digest(b"x").into())).unwrap_err();
    assert_eq!((&*changed.for_query().code, changed.for_query().status), ("SignatureDoesNotMatch", 403));
    assert_eq!((&*changed.for_json().code, changed.for_json().status), ("InvalidSignatureException", 400));
    let wrong = check(&request, &Policy::other("sns", hash)).unwrap_err();
    assert_eq!(wrong.for_query().message, "Credential should be scoped to correct service: 'sns'. ");
    assert_eq!(
        check(&v2(self::request("GET", "/"), &known), &Policy::other("sqs", hash)).unwrap_err().reason,
        Reason::Unsupported
    );
    request.path = "/000000000000/../000000000000/a%20b".to_owned();
    assert_eq!(check(&request, &Policy::other("sqs", hash)).unwrap_err().reason, Reason::SignatureMismatch);
}

/// The codes of "Common Errors" in the API References, which the two protocols name and number differently.
#[test]
fn common_errors() {
    let mut temporary = known();
    temporary.session_token = Some("a".to_owned());
    let mut other = temporary.clone();
    other.session_token = Some("b".to_owned());
    let mut stranger = known();
    stranger.access_key_id = "AKIAOTHER".to_owned();
    let signed = v4(request("GET", "/"), &known(), EMPTY);
    let mut malformed = request("GET", "/");
    malformed.set("authorization", "AWS4-HMAC-SHA256 x");
    for (refused, query, json) in [
        (Denied::anonymous(), ("MissingAuthenticationToken", 403), "MissingAuthenticationTokenException"),
        (denied(&signed, &stranger), ("InvalidClientTokenId", 403), "UnrecognizedClientException"),
        (
            denied(&v4(request("GET", "/"), &temporary, EMPTY), &other),
            ("InvalidClientTokenId", 403),
            "UnrecognizedClientException",
        ),
        (denied(&malformed, &known()), ("IncompleteSignature", 400), "IncompleteSignatureException"),
    ] {
        let (for_query, for_json) = (refused.for_query(), refused.for_json());
        assert_eq!((&*for_query.code, for_query.status), query);
        assert_eq!((&*for_json.code, for_json.status), (json, 400));
    }
}

/// A session token that a URL carries is proven, and then goes nowhere.
#[test]
fn no_secret_in_debug() {
    let mut temporary = known();
    temporary.session_token = Some("very+private".to_owned());
    let url = v2_url(request("GET", "/b/k?x-amz-acl=private"), &temporary);
    let lines = url.lines();
    let Ok(Claim::Signed(claim)) = classify(url.head(&lines)) else { panic!("not signed") };
    let verified = verify(&claim, Some(temporary.secret()), temporary.now, &Policy::s3()).unwrap();
    let text = format!("{claim:?} {verified:?}");
    let signature = url.query.as_deref().unwrap().split_once("Signature=").unwrap().1;
    assert!(!text.contains("very") && !text.contains(&signature[..20]), "{text}");
}

#[test]
fn bounds() {
    let known = known();
    let huge = "a".repeat(70_000);
    let many = "a=1&".repeat(1100);
    for target in [format!("/{huge}"), format!("/?{huge}"), format!("/?{many}")] {
        assert_eq!(denied(&request("GET", &target), &known).code, "RequestHeaderSectionTooLarge");
    }
    let mut crowded = request("GET", "/");
    (0..130).for_each(|at| crowded.set(&format!("a{at}"), "1"));
    assert_eq!(denied(&crowded, &known).code, "RequestHeaderSectionTooLarge");
    let mut long_id = request("GET", "/");
    long_id.set("authorization", &format!("AWS {}:x", "A".repeat(129)));
    let refused = denied(&long_id, &known);
    assert_eq!((refused.code, refused.attempt.access_key_id.as_deref()), ("InvalidArgument", None));
}
