//! The audit layer over the embedded store, with a clock that stands still: what is answered, and what is recorded.

#![allow(clippy::unwrap_used, clippy::similar_names, reason = "a test panics where it fails")]
#![allow(clippy::unused_self, clippy::unused_async, reason = "requests are asked of the harness, whatever it needs")]

mod harness;

use bytes::Bytes;
use gateway::{BodyError, STALLED_AFTER_MILLIS};
use harness::{Harness, NOW, V2, V4};
use http::StatusCode;
use http_body_util::BodyExt;
use record::Outcome;

#[tokio::test]
async fn every_request_makes_one_record() {
    let harness = Harness::new().await;
    let steps = [
        ("PUT", "/bkt", &b""[..], "CreateBucket", 200),
        ("PUT", "/bkt/k", b"body", "PutObject", 200),
        ("GET", "/bkt/k", b"", "GetObject", 200),
        ("HEAD", "/bkt/k", b"", "HeadObject", 200),
        ("GET", "/bkt/none", b"", "GetObject", 404),
        ("HEAD", "/bkt/none", b"", "HeadObject", 404),
        ("GET", "/bkt?list-type=2&prefix=k", b"", "ListObjects", 200),
        ("GET", "/", b"", "ListBuckets", 200),
        ("GET", "/bkt?policy", b"", "GetBucketPolicy", 404),
        ("GET", "/bkt?cors", b"", "GetBucketCors", 501),
        ("PATCH", "/bkt/k", b"", "UnknownOperation", 501),
        ("DELETE", "/bkt/k", b"", "DeleteObject", 204),
        ("DELETE", "/bkt", b"", "DeleteBucket", 204),
    ];
    for (signer, version) in [(V2, "SigV2"), (V4, "SigV4")] {
        for (method, path, body, event, status) in steps {
            let answer = harness.signed(signer, method, path, body).await;
            assert_eq!(answer.status.as_u16(), status, "{version} {method} {path}: {}", answer.text());
            let (outcome, record) = harness.only_record();
            assert_eq!((outcome, record.event_name.as_str()), (Outcome::Admitted, event), "{method} {path}");
            let extra = record.additional_event_data.clone().unwrap();
            assert_eq!(extra.signature_version.as_deref(), Some(version));
            assert_eq!(extra.authentication_method.as_deref(), Some("AuthHeader"));
            assert_eq!(extra.bytes_transferred_in, Some(body.len().into()), "{method} {path}");
            assert_eq!(extra.bytes_transferred_out, Some(answer.body.len().into()), "{method} {path}");
            assert_eq!(record.error_code.is_some(), status >= 400, "{method} {path}");
            assert_eq!(record.user_identity.arn.as_deref(), Some(harness::ARN));
            assert_eq!(answer.header("x-amz-request-id"), record.request_id);
        }
    }
}

#[tokio::test]
async fn what_a_policy_denies_is_recorded() {
    let harness = Harness::with_bucket().await;
    let policy = format!(
        r#"{{"Statement":{{"Effect":"Deny","Principal":{{"AWS":"{}"}},"Action":"s3:*","Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]}}}}"#,
        harness::ARN
    );
    assert_eq!(harness.signed(V4, "PUT", "/bkt?policy", policy.as_bytes()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(harness.only_record().1.event_name, "PutBucketPolicy");
    let denied = "is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::bkt/k\" with an explicit deny";
    for signer in [V2, V4] {
        let answer = harness.signed(signer, "PUT", "/bkt/k", b"x").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let (outcome, record) = harness.only_record();
        assert_eq!((outcome, record.error_code.as_deref()), (Outcome::Admitted, Some("AccessDenied")));
        assert!(record.error_message.is_some_and(|message| message.contains(denied)));
    }
    // Both keys are one user's. Only that of an administrator gets by the policy, and only to the policy.
    assert_eq!(harness.signed(V2, "DELETE", "/bkt?policy", b"").await.status, StatusCode::FORBIDDEN);
    assert_eq!(harness.signed(V4, "DELETE", "/bkt?policy", b"").await.status, StatusCode::NO_CONTENT);
    assert_eq!(harness.signed(V2, "PUT", "/bkt/k", b"x").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_proven_has_no_effect_and_no_identity() {
    let harness = Harness::with_bucket().await;
    let cases = [
        (
            harness.request(V2, "PUT", "/bkt/k", b"x").with_header("authorization", "AWS AKIAV2:c2lnbmF0dXJl"),
            "SignatureDoesNotMatch",
        ),
        (
            harness.request(V2, "PUT", "/bkt/k", b"x").with_header("authorization", "AWS nobody:c2lnbmF0dXJl"),
            "InvalidAccessKeyId",
        ),
        (harness.request(V4, "PUT", "/bkt/k", b"x").with_body(b"y"), "XAmzContentSHA256Mismatch"),
        (harness.request(V4, "PUT", "/bkt/k", b"x").with_path("/bkt/other"), "SignatureDoesNotMatch"),
        (harness.request(V2, "PUT", "/bkt/k", b"x").with_header("authorization", "Bearer x"), "InvalidArgument"),
        (harness.skewed(V2, "PUT", "/bkt/k", 16 * 60), "RequestTimeTooSkewed"),
        (harness.presigned_v2("PUT", "/bkt/k", -1), "AccessDenied"),
        (
            harness.request(V4, "DELETE", "/bkt", b"").with_body(b"a body that nobody signed"),
            "XAmzContentSHA256Mismatch",
        ),
    ];
    for (request, code) in cases {
        let answer = harness.send(request).await;
        assert_eq!(answer.error_code().as_deref(), Some(code), "{}", answer.text());
        let (outcome, record) = harness.only_record();
        assert_eq!((outcome, record.error_code.as_deref()), (Outcome::Refused, Some(code)));
        assert_eq!(record.user_identity, record::UserIdentity::unproven());
    }
    let listed = harness.signed(V4, "GET", "/bkt?list-type=2", b"").await;
    assert!(listed.text().contains("<KeyCount>0</KeyCount>"), "{}", listed.text());
}

#[tokio::test]
async fn anonymous_requests_are_records_like_others() {
    let harness = Harness::with_bucket().await;
    let answer = harness.send(harness.anonymous("GET", "/bkt/k")).await;
    assert_eq!((answer.status, answer.error_code().as_deref()), (StatusCode::FORBIDDEN, Some("AccessDenied")));
    let (outcome, record) = harness.only_record();
    assert_eq!(record.signature_version(), None);
    assert_eq!((outcome, record.user_identity), (Outcome::Admitted, record::UserIdentity::anonymous()));
    assert_eq!(record.recipient_account_id, harness::ACCOUNT);
}

#[tokio::test]
async fn a_virtual_host_is_the_same_bucket() {
    let harness = Harness::with_bucket().await;
    let request = harness.request_to("bkt.s3.example", V2, "PUT", "/k%20%2B", b"x");
    assert_eq!(harness.send(request).await.status, StatusCode::OK);
    let (_, record) = harness.only_record();
    let parameters = record.request_parameters.unwrap();
    assert_eq!((&parameters["bucketName"], &parameters["key"]), (&"bkt".into(), &"k +".into()));
    assert_eq!(harness.signed(V4, "GET", "/bkt/k%20%2B", b"").await.body, &b"x"[..]);
}

#[tokio::test]
async fn a_streamed_answer_is_recorded_before_its_first_byte() {
    let harness = Harness::with_bucket().await;
    let body = vec![7; 300 * 1024];
    harness.signed(V2, "PUT", "/bkt/big", &body).await;
    harness.only_record();

    let response = harness.answer(harness.request(V2, "GET", "/bkt/big", b"")).await;
    assert_eq!(harness.open_entries(), 1, "the opening entry is there before the first byte");
    let mut stream = response.into_body();
    let mut got = 0;
    while got < body.len() {
        assert!(harness.records().is_empty(), "the opening entry stands for it");
        got += stream.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    drop(stream);
    let (_, record) = harness.next_record().await;
    assert_eq!(record.additional_event_data.unwrap().bytes_transferred_out, Some(body.len().into()));
    assert_eq!(harness.open_entries(), 0);
}

#[tokio::test]
async fn a_reader_who_leaves_or_stalls_leaves_a_record() {
    let harness = Harness::with_bucket().await;
    harness.signed(V2, "PUT", "/bkt/big", &vec![7; 1024 * 1024]).await;
    harness.only_record();

    let mut leaving = harness.answer(harness.request(V2, "GET", "/bkt/big", b"")).await.into_body();
    let first = leaving.frame().await.unwrap().unwrap().into_data().unwrap();
    drop(leaving);
    let (_, record) = harness.next_record().await;
    assert_eq!(record.additional_event_data.unwrap().bytes_transferred_out, Some(first.len().into()));

    let mut stalled = harness.answer(harness.request(V2, "GET", "/bkt/big", b"")).await.into_body();
    stalled.frame().await.unwrap().unwrap();
    harness.recorder().finish_stalled(NOW.plus_millis(STALLED_AFTER_MILLIS)).unwrap();
    assert_eq!(harness.open_entries(), 1, "not yet");
    harness.recorder().finish_stalled(NOW.plus_millis(STALLED_AFTER_MILLIS + 1)).unwrap();
    harness.next_record().await;
    while let Some(frame) = stalled.frame().await {
        if frame.is_err() {
            assert_eq!(harness.records().len(), 0, "one record and no second");
            return;
        }
    }
    panic!("an answer that was recorded as ended went on");
}

#[tokio::test]
async fn an_answer_that_a_crash_cut_off_is_recorded_at_the_next_start() {
    let harness = Harness::with_bucket().await;
    harness.signed(V2, "PUT", "/bkt/big", &vec![7; 1024 * 1024]).await;
    harness.only_record();
    let open = harness.answer(harness.request(V2, "GET", "/bkt/big", b"")).await;
    std::mem::forget(open);
    assert_eq!(harness.recorder().recover().await.unwrap(), 1);
    let (_, record) = harness.only_record();
    assert_eq!(record.event_name, "GetObject");
    let sent = record.additional_event_data.unwrap().bytes_transferred_out;
    assert_eq!(sent, Some((1024 * 1024).into()), "nobody can say how much of it was read");
    assert_eq!(harness.open_entries(), 0);
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_recorded_and_stores_nothing() {
    let harness = Harness::with_bucket().await;
    let broken = http_body_util::StreamBody::new(futures::stream::iter([
        Ok(http_body::Frame::data(Bytes::from_static(b"half"))),
        Err(BodyError("the connection is gone".into())),
    ]));
    let mut request = harness.request(V2, "PUT", "/bkt/k", b"half of it");
    request.body = broken.boxed_unsync();
    let answer = harness.send(request).await;
    assert_eq!(answer.error_code().as_deref(), Some("IncompleteBody"));
    let (_, record) = harness.only_record();
    assert_eq!(
        (record.error_code.as_deref(), record.additional_event_data.unwrap().bytes_transferred_in),
        (Some("IncompleteBody"), Some(4.into()))
    );
    assert_eq!(harness.signed(V2, "HEAD", "/bkt/k", b"").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_for_s3_does_not_write_where_log_files_are() {
    let harness = Harness::with_bucket().await;
    harness.signed(V4, "PUT", "/logs", b"").await;
    harness.only_record();
    for (method, path) in
        [("PUT", "/logs/AWSLogs/x"), ("DELETE", "/logs/AWSLogs/x"), ("POST", "/logs?delete"), ("DELETE", "/logs")]
    {
        let answer = harness.signed(V2, method, path, b"").await;
        assert_eq!(answer.error_code().as_deref(), Some("AccessDenied"), "{method} {path}");
        let (outcome, record) = harness.only_record();
        assert_eq!((outcome, record.error_code.as_deref()), (Outcome::Admitted, Some("AccessDenied")));
    }
    assert_eq!(harness.signed(V2, "GET", "/logs?list-type=2", b"").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_for_s3_does_not_change_policies() {
    let harness = Harness::with_bucket().await;
    for (method, body) in [("PUT", &b"{}"[..]), ("DELETE", b"")] {
        let answer = harness.signed(V2, method, "/bkt?policy", body).await;
        assert_eq!(answer.error_code().as_deref(), Some("AccessDenied"), "{method}");
        assert_eq!(harness.only_record().1.error_code.as_deref(), Some("AccessDenied"));
    }
}

#[tokio::test]
async fn the_policy_is_in_the_record() {
    let harness = Harness::with_bucket().await;
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal":
        {"AWS": "arn:aws:iam::111122223333:user/other"}, "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::bkt/*"}]});
    let malformed = serde_json::json!({"Statement": [{"NotPrincipal": "*"}]});
    for (document, status) in [(&policy, 204), (&malformed, 400)] {
        let answer = harness.signed(V4, "PUT", "/bkt?policy", document.to_string().as_bytes()).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        let parameters = harness.only_record().1.request_parameters.unwrap();
        assert_eq!(&parameters["bucketPolicy"], document);
    }
    // What is no JSON or not what was signed is not shown, nor is any other body.
    let forged = harness.request(V4, "PUT", "/bkt?policy", b"{}").with_body(b"[]");
    let long = format!(r#"{{"Id":"{}"}}"#, "x".repeat(20 * 1024));
    for request in [
        forged,
        harness.request(V4, "PUT", "/bkt?policy", b"nonsense"),
        harness.request(V4, "PUT", "/bkt?policy", long.as_bytes()),
        harness.request(V4, "PUT", "/bkt/k", b"{}"),
    ] {
        harness.send(request).await;
        assert_eq!(harness.only_record().1.request_parameters.unwrap().get("bucketPolicy"), None);
    }
}

#[tokio::test]
async fn a_region_that_there_is_not_is_refused_where_no_bucket_says_another() {
    let harness = Harness::with_bucket().await;
    for path in ["/", "/none"] {
        let answer = harness.send(harness.request_in("mars-1", "GET", path)).await;
        assert_eq!(answer.error_code().as_deref(), Some("AuthorizationHeaderMalformed"), "{path}");
        assert!(answer.text().contains("<Region>us-east-1</Region>"), "{}", answer.text());
        let (outcome, record) = harness.only_record();
        assert_eq!((outcome, record.aws_region.as_str()), (Outcome::Refused, "us-east-1"));
        assert_eq!(record.additional_event_data.unwrap().claimed_access_key_id.as_deref(), Some("AKIAV4"));
    }
    for (region, path, recorded) in [("eu-west-1", "/", "eu-west-1"), ("mars-1", "/bkt", "us-east-1")] {
        assert_eq!(harness.send(harness.request_in(region, "GET", path)).await.status, StatusCode::OK);
        let (outcome, record) = harness.only_record();
        assert_eq!((outcome, record.aws_region.as_str()), (Outcome::Admitted, recorded));
    }
}

#[tokio::test]
async fn a_form_is_an_upload() {
    let harness = Harness::with_bucket().await;
    let fields = [("success_action_status", "201"), ("x-amz-meta-colour", "red")];
    let answer = harness.send(harness.form("in/${filename}", &fields, b"from a browser", "right")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert!(answer.text().contains("<Key>in/a.txt</Key>"), "{}", answer.text());
    let (_, record) = harness.only_record();
    let extra = record.additional_event_data.clone().unwrap();
    assert_eq!((record.event_name.as_str(), extra.authentication_method.as_deref()), ("PutObject", Some("HtmlForm")));
    assert_eq!((extra.signature_version.as_deref(), extra.bytes_transferred_in), (Some("SigV2"), Some(14.into())));
    let stored = harness.signed(V4, "GET", "/bkt/in/a.txt", b"").await;
    assert_eq!((stored.body.as_ref(), stored.header("x-amz-meta-colour")), (&b"from a browser"[..], "red"));
    harness.only_record();

    let refused = harness.send(harness.form("in/b.txt", &fields, b"x", "wrong")).await;
    assert_eq!(refused.error_code().as_deref(), Some("SignatureDoesNotMatch"));
    assert_eq!(harness.only_record().0, Outcome::Refused);
    let too_long = harness.send(harness.form("in/c.txt", &fields, &[b'x'; 101], "right")).await;
    assert_eq!(too_long.error_code().as_deref(), Some("EntityTooLarge"));
    let (outcome, record) = harness.only_record();
    assert_eq!((outcome, record.user_identity.arn.as_deref()), (Outcome::Admitted, Some(harness::ARN)));
    let elsewhere = harness.send(harness.form("out/d.txt", &fields, b"x", "right")).await;
    assert_eq!(elsewhere.error_code().as_deref(), Some("AccessDenied"));
}

/// Each byte of the head, the query and the body of good requests, changed in several ways: none is taken, and nothing is
/// left behind.
#[tokio::test]
async fn changed_requests_are_refused() {
    let harness = Harness::with_bucket().await;
    let mut tried = 0;
    for request in harness.good_requests() {
        let name = request.name();
        assert_eq!(harness.send(request.duplicate()).await.status, StatusCode::OK, "{name}");
        for changed in request.mutations() {
            let what = changed.name();
            let answer = harness.send(changed).await;
            assert!(!answer.status.is_success(), "{name} was taken as {what}");
            tried += 1;
        }
    }
    let listed = harness.signed(V4, "GET", "/bkt?list-type=2", b"").await;
    assert!(listed.text().contains("<KeyCount>1</KeyCount>"), "{}", listed.text());
    assert!(tried >= 10_000, "{tried} mutations");
}
