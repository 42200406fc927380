//! The examples that AWS publishes, with its example key.
//!
//! Sources: "Signing and authenticating REST requests"; "Authenticating Requests: Using the Authorization Header (AWS Signature
//! Version 4)"; "… Using Query Parameters"; "Transferring payload in multiple chunks"; "… with trailing headers".

#![allow(clippy::unwrap_used, reason = "a test that meets what it did not expect must fail")]

mod common;

use aws_api::Timestamp;
use common::{Known, Outcome, Request};

fn known(now: &str) -> Known {
    Known {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        region: None,
        now: Timestamp::parse_rfc3339(now).unwrap(),
    }
}

fn request(method: &str, target: &str, bucket: Option<&str>, headers: &[(&str, &str)]) -> Request {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        host_bucket: bucket.map(str::to_owned),
        ..Request::default()
    };
    for (name, value) in headers {
        request.set(name, value);
    }
    request
}

fn assert_proven(request: &Request, known: &Known) -> Vec<u8> {
    match request.accepted(known) {
        Ok(Outcome::Verified(proven)) => proven.1,
        Ok(Outcome::Anonymous) => panic!("{} {}: anonymous", request.method, request.path),
        Err(denied) => panic!("{} {}: {denied:?} {:#?}", request.method, request.path, denied.elements),
    }
}

#[test]
fn sigv2() {
    let bucket = Some("awsexamplebucket1");
    let unicode = "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re";
    let image = [("content-type", "image/jpeg"), ("content-length", "94328")];
    let table = [
        (
            "GET",
            "/photos/puppy.jpg",
            bucket,
            &[][..],
            "Tue, 27 Mar 2007 19:36:42 +0000",
            "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
        ),
        (
            "PUT",
            "/photos/puppy.jpg",
            bucket,
            &image[..],
            "Tue, 27 Mar 2007 21:15:45 +0000",
            "iqRzw+ileNPu1fhspnRs8nOjjIA=",
        ),
        (
            "GET",
            "/?prefix=photos&max-keys=50&marker=puppy",
            bucket,
            &[][..],
            "Tue, 27 Mar 2007 19:42:41 +0000",
            "m0WP8eCtspQl5Ahe6L1SozdX9YA=",
        ),
        ("GET", "/?acl", bucket, &[][..], "Tue, 27 Mar 2007 19:44:46 +0000", "82ZHiFIjc+WbcwFKGUVEQspPn+0="),
        ("GET", "/", None, &[][..], "Wed, 28 Mar 2007 01:29:59 +0000", "qGdzdERIC03wnaRNKh6OqZehG9s="),
        ("GET", unicode, None, &[][..], "Wed, 28 Mar 2007 01:49:49 +0000", "DNEZGsoieTZ92F3bUfSPQcbGmlM="),
    ];
    for (method, target, bucket, headers, date, signature) in table {
        let mut request = request(method, target, bucket, headers);
        request.set("date", date);
        request.set("authorization", &format!("AWS AKIAIOSFODNN7EXAMPLE:{signature}"));
        let now = if date.starts_with("Wed") { "2007-03-28T01:40:00Z" } else { "2007-03-27T19:40:00Z" };
        let now = if date.contains("21:15") { "2007-03-27T21:20:00Z" } else { now };
        assert_proven(&request, &known(now));
    }
}

/// The page signs `x-amz-date` at the place of the date and leaves it out of the headers, against its own text.
#[test]
fn sigv2_delete_with_x_amz_date() {
    let mut request = request("DELETE", "/awsexamplebucket1/photos/puppy.jpg", None, &[]);
    request.set("date", "Tue, 27 Mar 2007 21:20:27 +0000");
    request.set("x-amz-date", "Tue, 27 Mar 2007 21:20:26 +0000");
    request.set("authorization", "AWS AKIAIOSFODNN7EXAMPLE:XbyTlbQdu9Xw5o8P4iMwPktxQd8=");
    assert_proven(&request, &known("2007-03-27T21:20:30Z"));
}

const SCOPE: &str = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn sigv4(method: &str, target: &str, headers: &[(&str, &str)], signed: &str, signature: &str) -> Request {
    let mut request = request(method, target, Some("examplebucket"), headers);
    request.set("x-amz-date", "20130524T000000Z");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders={signed},Signature={signature}");
    request.set("authorization", &authorization);
    request
}

#[test]
fn sigv4_header() {
    let known = known("2013-05-24T00:00:00Z");
    let host = ("host", "examplebucket.s3.amazonaws.com");
    let hash = ("x-amz-content-sha256", EMPTY);
    let plain = "host;x-amz-content-sha256;x-amz-date";
    let range = [host, hash, ("range", "bytes=0-9")];
    let get = sigv4(
        "GET",
        "/test.txt",
        &range,
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
    assert_proven(&get, &known);
    let put_headers = [
        host,
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
    ];
    // The dollar is sent bare here and signed escaped.
    let mut put = sigv4(
        "PUT",
        "/test$file.text",
        &put_headers,
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
    put.body = b"Welcome to Amazon S3.".to_vec();
    assert_proven(&put, &known);
    put.body[0] = b'w';
    assert_eq!(put.accepted(&known).err().map(|denied| denied.code), Some("XAmzContentSHA256Mismatch"));
    for (target, signature) in [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ("/?prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        assert_proven(&sigv4("GET", target, &[host, hash], plain, signature), &known);
    }
}

#[test]
fn sigv4_query() {
    let target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let request = request("GET", target, Some("examplebucket"), &[("host", "examplebucket.s3.amazonaws.com")]);
    for (now, expected) in [
        ("2013-05-23T23:44:59Z", Some("Request is not valid yet")),
        ("2013-05-23T23:45:00Z", None),
        ("2013-05-25T00:00:00Z", None),
        ("2013-05-25T00:00:01Z", Some("Request has expired")),
    ] {
        let denied = request.accepted(&known(now)).err().map(|denied| denied.message);
        assert_eq!(denied.as_deref(), expected, "{now}");
    }
}

const STREAM_HEADERS: [(&str, &str); 4] = [
    ("host", "s3.amazonaws.com"),
    ("content-encoding", "aws-chunked"),
    ("x-amz-decoded-content-length", "66560"),
    ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
];

fn chunk(out: &mut Vec<u8>, len: usize, signature: &str) {
    out.extend_from_slice(format!("{len:x};chunk-signature={signature}\r\n").as_bytes());
    out.resize(out.len() + len, b'a');
    if len > 0 {
        out.extend_from_slice(b"\r\n");
    }
}

#[test]
fn sigv4_chunks() {
    let mut headers = STREAM_HEADERS.to_vec();
    headers.push(("content-length", "66824"));
    headers.push(("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
    let mut request = sigv4(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &headers,
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    let body = &mut request.body;
    chunk(body, 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    chunk(body, 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
    chunk(body, 0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
    body.extend_from_slice(b"\r\n");
    assert_eq!(body.len(), 66_824);
    assert_eq!(assert_proven(&request, &known("2013-05-24T00:00:00Z")), vec![b'a'; 66_560]);
}

#[test]
fn sigv4_chunks_with_trailer() {
    let mut headers = STREAM_HEADERS.to_vec();
    headers.push(("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"));
    headers.push(("x-amz-trailer", "x-amz-checksum-crc32c"));
    let mut request = sigv4(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &headers,
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    );
    let body = &mut request.body;
    chunk(body, 65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
    chunk(body, 1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
    chunk(body, 0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
    let signature = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
    let good = body.clone();
    // One line end, and the two that minio-go writes.
    for end in ["\r\n", "\n\r\n"] {
        let trailer = format!("x-amz-checksum-crc32c:sOO8/Q=={end}x-amz-trailer-signature:{signature}\r\n\r\n");
        request.body = [&good[..], trailer.as_bytes()].concat();
        let known = known("2013-05-24T00:00:00Z");
        assert_eq!(assert_proven(&request, &known).len(), 66_560);
        let Ok(Outcome::Verified(proven)) = request.accepted(&known) else { panic!("not proven") };
        assert_eq!(proven.2, [("x-amz-checksum-crc32c".to_owned(), "sOO8/Q==".to_owned())]);
    }
}
