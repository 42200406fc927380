"""SigV2 where it is not in a header: presigned URLs, browser forms; and the bucket in the host name."""

import pytest
import requests

from clients import USERS, AwsCli
from detector import assert_sigv2_record, bucket_of
from raw import Request

HOUR = 3600


def of_bucket(detector, key, bucket):
    return [record for record in detector.of(key) if bucket_of(record) == bucket]


@pytest.mark.parametrize("version, signature", [(None, "SigV2"), ("s3", "SigV2"), ("s3v4", "SigV4")])
def test_presigned_urls(server, detector, bucket, version, signature):
    """Without a version boto3 presigns with SigV2 in us-east-1, whatever it signs its requests with."""
    key = USERS["presigner"]
    s3 = server.boto("s3", key, **({"signature_version": version} if version else {}))
    where = {"Bucket": bucket, "Key": "dir/a b+c.txt"}
    put = s3.generate_presigned_url("put_object", Params=where | {"ContentType": "text/plain"}, ExpiresIn=HOUR)
    get = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=HOUR)
    assert ("AWSAccessKeyId=" in get) == (signature == "SigV2")
    headers = {"User-Agent": "curl/8.5.0", "Content-Type": "text/plain"}
    assert requests.put(put, data=b"presigned", headers=headers).status_code == 200
    answer = requests.get(get, headers={"User-Agent": "curl/8.5.0"})
    assert (answer.status_code, answer.content) == (200, b"presigned")
    check_queue(server, detector, bucket, key, signature, "QueryString", {"PutObject", "GetObject"})


def test_presigned_url_of_the_cli(server, detector, bucket, tmp_path):
    client = AwsCli(server.url, tmp_path)
    server.boto("s3").put_object(Bucket=bucket, Key="k", Body=b"by the cli")
    url = client.presign(bucket, "k")
    assert "AWSAccessKeyId=" in url
    assert requests.get(url).content == b"by the cli"
    records = detector.wait_for(client.key, {("GetObject", bucket)})
    assert_sigv2_record(records[-1], client.key, {"QueryString"}, client.host)


@pytest.mark.parametrize("version, signature", [("s3", "SigV2"), ("s3v4", "SigV4")])
def test_browser_forms(server, detector, bucket, version, signature):
    key = USERS["form"]
    form = server.boto("s3", key, signature_version=version).generate_presigned_post(
        bucket,
        "in/${filename}",
        Fields={"success_action_status": "201"},
        Conditions=[{"success_action_status": "201"}, ["content-length-range", 1, 1024]],
    )
    answer = requests.post(form["url"], data=form["fields"], files={"file": ("photo.jpg", b"pixels")})
    assert answer.status_code == 201, answer.text
    assert "<Key>in/photo.jpg</Key>" in answer.text
    stored = server.boto("s3").get_object(Bucket=bucket, Key="in/photo.jpg")["Body"].read()
    assert stored == b"pixels"
    too_large = requests.post(form["url"], data=form["fields"], files={"file": ("photo.jpg", b"x" * 1025)})
    assert too_large.status_code == 400 and "EntityTooLarge" in too_large.text
    check_queue(server, detector, bucket, key, signature, "HtmlForm", {"PutObject", "PostObject"})


def test_bucket_in_the_host_name(server, detector, bucket):
    key = USERS["virtual-host"]
    host = f"{bucket}.s3.amazonaws.com"
    put = Request(server, "PUT", "/dir/k", b"virtual", {"Host": host}).sigv2(key, bucket_in_host=bucket)
    answer = put.send()
    assert answer.status == 200, answer
    got = server.boto("s3").get_object(Bucket=bucket, Key="dir/k")
    assert got["Body"].read() == b"virtual"
    records = detector.wait_for(key, {("PutObject", bucket)})
    assert_sigv2_record(records[-1], key, {"AuthHeader"}, host)
    assert records[-1]["requestParameters"]["key"] == "dir/k"


def check_queue(server, detector, bucket, key, signature, method, events):
    detector.settle()
    records = of_bucket(detector, key, bucket)
    if signature == "SigV4":
        assert records == []
        return
    assert records and {record["eventName"] for record in records} <= events
    for record in records:
        assert_sigv2_record(record, key, {method}, server.url.split("//")[1])
        assert record["requestParameters"]["key"]
        # Whoever reads the record must not be able to use the URL.
        assert "Signature" not in record["requestParameters"]
