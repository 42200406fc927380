"""Requests that must not be done: what S3 answers, that nothing happened, and that they are kept apart."""

import datetime
import json
import time

import pytest
import requests
from botocore.exceptions import ClientError

from clients import USERS
from keys import ADMIN, AUDIT, user_key
from raw import Request, chunked_request, json_request, object_path, query_request
from sigtrail import eventually, run

PLAIN = USERS["plain"]
KEY_BYTES_MAX = 1024


def put(server, bucket, key="k", body=b"content", headers=None):
    return Request(server, "PUT", object_path(bucket, key), body, headers)


def assert_refused(answer, status, code):
    assert answer.status == status and f"<Code>{code}</Code>" in answer.text, answer
    assert "<Error>" in answer.text and "<RequestId>" in answer.text, answer


def assert_empty(server, bucket):
    assert "Contents" not in server.boto("s3").list_objects_v2(Bucket=bucket)


def http_date(seconds_from_now):
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds_from_now)
    return then.strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize("sign", ["sigv2", "sigv4"])
def test_a_wrong_signature(server, bucket, sign):
    wrong = user_key("tampered")
    forger = type(wrong)(wrong.access_key_id, "s3", wrong.user, "not-the-secret", identity=wrong.identity)
    assert_refused(getattr(put(server, bucket), sign)(forger).send(), 403, "SignatureDoesNotMatch")
    assert_empty(server, bucket)


@pytest.mark.parametrize("sign", ["sigv2", "sigv4"])
def test_an_unknown_key(server, bucket, sign):
    assert_refused(getattr(put(server, bucket), sign)(user_key("nobody")).send(), 403, "InvalidAccessKeyId")
    assert_empty(server, bucket)


@pytest.mark.parametrize("sign", ["sigv2", "sigv4"])
@pytest.mark.parametrize("change", ["path", "method", "header"])
def test_a_request_changed_after_it_was_signed(server, bucket, sign, change):
    request = getattr(put(server, bucket, headers={"x-amz-meta-a": "1"}), sign)(PLAIN)
    if change == "path":
        request.path += "2"
    elif change == "method":
        request.method = "DELETE"
    else:
        request.headers["x-amz-meta-a"] = "2"
    assert_refused(request.send(), 403, "SignatureDoesNotMatch")
    assert_empty(server, bucket)


def test_a_changed_body(server, bucket):
    request = put(server, bucket, body=b"content").sigv4(PLAIN)
    request.body = b"c0ntent"
    assert_refused(request.send(), 400, "XAmzContentSHA256Mismatch")
    # SigV2 signs a digest of the body only where the client sends one.
    request = put(server, bucket, headers={"Content-MD5": "mgNkuembtIDdJeHwKEyFVQ=="}).sigv2(PLAIN)
    request.body = b"c0ntent"
    assert_refused(request.send(), 400, "BadDigest")
    assert_empty(server, bucket)


def test_a_changed_chunk(server, bucket):
    """Of a body whose chunks are signed, none of what follows a changed byte is stored."""
    chunks = [b"a" * 8192, b"b" * 8192, b"c"]
    path = object_path(bucket, "k")
    changed = chunked_request(server, path, chunks, PLAIN)
    changed.body = changed.body.replace(b"bb", b"bB", 1)
    assert_refused(changed.send(), 403, "SignatureDoesNotMatch")
    cut = chunked_request(server, path, chunks, PLAIN)
    cut.body = cut.body[: cut.body.rindex(b"0;chunk-signature")]
    assert 400 <= cut.send().status < 500
    assert_empty(server, bucket)
    assert chunked_request(server, path, chunks, PLAIN).send().status == 200
    stored = server.boto("s3").get_object(Bucket=bucket, Key="k")
    assert stored["Body"].read() == b"".join(chunks)
    assert stored.get("ContentEncoding", "") == ""


@pytest.mark.parametrize("seconds", [-16 * 60, 16 * 60])
def test_a_skewed_clock(server, bucket, seconds):
    request = put(server, bucket).sigv2(PLAIN, date=http_date(seconds))
    assert_refused(request.send(), 403, "RequestTimeTooSkewed")
    assert_empty(server, bucket)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_an_expired_url(server, bucket, version):
    s3 = server.boto("s3", PLAIN, signature_version=version)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=1)
    if version == "s3":
        url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=-10)
    eventually(lambda: requests.put(url, data=b"late").status_code == 403, "the URL expires", 5)
    answer = requests.put(url, data=b"late")
    assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True), answer.text
    assert "Request has expired" in answer.text


def test_two_ways_to_sign_at_once(server, bucket):
    request = put(server, bucket)
    request.path += "?AWSAccessKeyId=a&Expires=9999999999&Signature=b"
    assert_refused(request.sigv4(PLAIN).send(), 400, "InvalidArgument")


def test_keys_against_the_rules(server, bucket):
    longest = "k" * KEY_BYTES_MAX
    assert put(server, bucket, longest).sigv2(PLAIN).send().status == 200
    assert_refused(put(server, bucket, longest + "k").sigv2(PLAIN).send(), 400, "KeyTooLongError")
    for path in (f"/{bucket}/../../escape", f"/{bucket}/a/../../../escape", f"/{bucket}/%2e%2e/%2e%2e/escape"):
        answer = Request(server, "PUT", path, b"x").sigv2(PLAIN).send()
        assert 400 <= answer.status < 500 and "<Code>" in answer.text, (path, answer)
    answer = Request(server, "PUT", f"/{bucket}/a%00b", b"x").sigv2(PLAIN).send()
    assert 400 <= answer.status < 500 and "<Code>" in answer.text, answer
    listed = server.boto("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in listed] == [longest]
    assert not list(server.folder.rglob("escape"))


@pytest.mark.parametrize("name", ["ab", "A-Capital", "dot..dot", "x" * 64, "-dash", "under_score"])
def test_bucket_names_against_the_rules(server, name):
    assert_refused(Request(server, "PUT", f"/{name}").sigv4(PLAIN).send(), 400, "InvalidBucketName")


def test_malformed_bodies(server, bucket):
    delete = {"Content-MD5": "ndTkYSaMgDT1yFZOFVxnpg=="}
    answer = Request(server, "POST", f"/{bucket}?delete", b"<Delete><Obj", {}).sigv4(PLAIN).send()
    assert answer.status == 400 and ("MalformedXML" in answer.text or "InvalidRequest" in answer.text), answer
    answer = Request(server, "POST", f"/{bucket}?delete", b"x", delete).sigv4(PLAIN).send()
    assert answer.status == 400 and "<Code>" in answer.text, answer
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = Request(server, "POST", f"/{bucket}", b"--b\r\nno form", form).send()
    assert 400 <= answer.status < 500 and "<Code>" in answer.text, answer
    for body in (b"{", b"[]", b'{"Name": 1}', b"\xff"):
        target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail"
        answer = json_request(server, target, body).sigv4(ADMIN, "cloudtrail").send()
        assert answer.status == 400 and json.loads(answer.body)["__type"], (body, answer)
    for body in (b"", b"Action=", b"Action=CreateTopic&Version=2010-03-31", b"%%%=%%"):
        answer = query_request(server, body).sigv4(ADMIN, "sns").send()
        assert answer.status == 400 and "<Code>" in answer.text, (body, answer)


def test_unknown_operations(server, bucket):
    assert_refused(Request(server, "GET", f"/{bucket}?analytics").sigv4(PLAIN).send(), 501, "NotImplemented")
    answer = query_request(server, {"Action": "NoSuchAction", "Version": "2010-03-31"}).sigv4(ADMIN, "sns").send()
    assert answer.status == 400 and "<Code>InvalidAction</Code>" in answer.text, answer
    answer = query_request(server, {"Action": "NoSuchAction", "Version": "2011-06-15"}).sigv4(ADMIN, "sts").send()
    assert answer.status == 400 and "<Code>InvalidAction</Code>" in answer.text, answer
    for target, service, version in [
        ("AmazonSQS.NoSuchAction", "sqs", "1.0"),
        ("AWSEvents.NoSuchAction", "events", "1.1"),
        ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.NoSuchAction", "cloudtrail", "1.1"),
    ]:
        answer = json_request(server, target, b"{}", version).sigv4(ADMIN, service).send()
        assert 400 <= answer.status < 500, answer
        assert json.loads(answer.body)["__type"].endswith("UnknownOperationException"), answer


def test_every_service_is_authenticated(server):
    calls = {
        "sqs": "list_queues",
        "sns": "list_topics",
        "sts": "get_caller_identity",
        "events": "list_rules",
        "cloudtrail": "describe_trails",
    }
    for service, call in calls.items():
        with pytest.raises(ClientError) as error:
            getattr(server.boto(service, user_key("nobody")), call)()
        code = error.value.response["Error"]["Code"]
        assert code in {"InvalidClientTokenId", "UnrecognizedClientException"}, (service, code)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 401, 403}


def test_roles_of_keys(server, detector, bucket):
    """A key for S3 cannot switch off what watches it; a key for auditors can look and not touch."""
    trail = server.boto("cloudtrail").describe_trails()["trailList"][0]["Name"]
    refused = [
        (PLAIN, "cloudtrail", "stop_logging", {"Name": trail}),
        (PLAIN, "cloudtrail", "delete_trail", {"Name": trail}),
        (PLAIN, "sqs", "purge_queue", {"QueueUrl": detector.url}),
        (PLAIN, "sqs", "receive_message", {"QueueUrl": detector.url}),
        (PLAIN, "events", "delete_rule", {"Name": "any"}),
        (PLAIN, "sns", "create_topic", {"Name": "any"}),
        (AUDIT, "cloudtrail", "stop_logging", {"Name": trail}),
        (AUDIT, "sqs", "purge_queue", {"QueueUrl": detector.url}),
        (AUDIT, "s3", "put_object", {"Bucket": bucket, "Key": "k", "Body": b""}),
    ]
    for key, service, call, parameters in refused:
        with pytest.raises(ClientError) as error:
            getattr(server.boto(service, key), call)(**parameters)
        code = error.value.response["Error"]["Code"]
        assert code.startswith("AccessDenied") or code == "AuthorizationError", (key.user, call, code)
    assert server.boto("cloudtrail", AUDIT).get_trail_status(Name=trail)["IsLogging"] is True
    assert server.boto("sqs", AUDIT).list_queues()["QueueUrls"]


def test_refused_requests_are_kept_apart(server, detector, bucket):
    """`AWS victim:garbage` is easily said: it reaches neither the queue nor the report, but `--refused`."""
    stranger = USERS["stranger-s"]
    forger = type(stranger)(stranger.access_key_id, "s3", stranger.user, "garbage", identity=stranger.identity)
    headers = {"User-Agent": f"forger/{time.time_ns()}"}
    assert_refused(put(server, bucket, headers=headers).sigv2(forger).send(), 403, "SignatureDoesNotMatch")
    detector.settle()
    assert detector.of(stranger) == []

    def callers(*flags):
        done = run("callers", "--endpoint", server.url, "--format", "json", *flags)
        assert done.returncode == 0, done.stderr
        return [row for row in json.loads(done.stdout)["callers"] if headers["User-Agent"] in row["user_agent"]]

    assert callers() == []
    (row,) = eventually(lambda: callers("--refused"), "the refused request is listed")
    assert row["count"] == 1 and "SignatureDoesNotMatch" in json.dumps(row)
    assert row["source_ip"] == "127.0.0.1"
