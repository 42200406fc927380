"""What boto3 can do with objects beyond everyday work, over the wire and back, signed both ways."""

import base64
import hashlib
import zlib

import pytest
import requests
from botocore.exceptions import ClientError

from clients import MIB, USERS

PART = 5 * MIB


@pytest.fixture(params=["s3", "s3v4"])
def s3(request, server):
    return server.boto("s3", USERS["plain"], signature_version=request.param)


def refused(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]


def test_metadata_and_headers(s3, bucket):
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"content",
        ContentType="text/x-own",
        CacheControl="max-age=5",
        ContentDisposition='attachment; filename="k"',
        Metadata={"one": "1", "two": "a b"},
    )
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == (
        "text/x-own",
        "max-age=5",
        {"one": "1", "two": "a b"},
    )
    assert got["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    s3.copy_object(
        Bucket=bucket, Key="c", CopySource=f"{bucket}/k", MetadataDirective="REPLACE", Metadata={"three": "3"}
    )
    assert s3.head_object(Bucket=bucket, Key="c")["Metadata"] == {"three": "3"}
    got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/other")
    assert got["ContentType"] == "text/other"


def test_ranges_and_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
    where = {"Bucket": bucket, "Key": "k"}
    for asked, got in [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")]:
        answer = s3.get_object(**where, Range=asked)
        assert answer["Body"].read() == got
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert refused(s3.get_object, **where, Range="bytes=10-") == (416, "InvalidRange")
    assert s3.get_object(**where, IfMatch=etag)["Body"].read() == b"0123456789"
    assert refused(s3.get_object, **where, IfMatch='"other"')[0] == 412
    assert refused(s3.get_object, **where, IfNoneMatch=etag)[0] == 304
    assert refused(s3.put_object, **where, Body=b"x", IfNoneMatch="*") == (412, "PreconditionFailed")
    assert s3.get_object(**where)["Body"].read() == b"0123456789"
    assert refused(s3.get_object, Bucket=bucket, Key="absent") == (404, "NoSuchKey")
    assert refused(s3.get_object, Bucket=f"{bucket}-absent", Key="k") == (404, "NoSuchBucket")
    assert refused(s3.head_object, Bucket=bucket, Key="absent")[0] == 404


def test_checksums(s3, bucket):
    body = b"checked" * 100
    wrong = base64.b64encode(zlib.crc32(b"other").to_bytes(4)).decode()
    right = base64.b64encode(zlib.crc32(body).to_bytes(4)).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=body, ChecksumCRC32=wrong) == (400, "BadDigest")
    assert refused(s3.get_object, Bucket=bucket, Key="k") == (404, "NoSuchKey")
    s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumCRC32=right)
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == right
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm="SHA256")
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ObjectSize", "ETag"])
    assert (attributes["ObjectSize"], attributes["Checksum"]["ChecksumSHA256"]) == (len(body), sha256)
    digest = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="m", Body=body, ContentMD5=digest) == (400, "BadDigest")


def test_tagging(s3, bucket):
    where = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**where, Body=b"", Tagging="a=1&b=x%20y")
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**where)["TagSet"]}
    assert tags == {"a": "1", "b": "x y"}
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.get_object_tagging(**where)["TagSet"] == [{"Key": "c", "Value": "3"}]
    s3.delete_object_tagging(**where)
    assert s3.get_object_tagging(**where)["TagSet"] == []


def test_multipart(s3, bucket):
    where = {"Bucket": bucket, "Key": "large"}
    s3.put_object(Bucket=bucket, Key="source", Body=b"s" * PART)
    upload = s3.create_multipart_upload(**where, Metadata={"a": "1"})["UploadId"]
    where["UploadId"] = upload
    first = s3.upload_part(**where, PartNumber=1, Body=b"1" * PART)["ETag"]
    copied = s3.upload_part_copy(**where, PartNumber=2, CopySource=f"{bucket}/source")["CopyPartResult"]["ETag"]
    last = s3.upload_part(**where, PartNumber=3, Body=b"end")["ETag"]
    assert [part["PartNumber"] for part in s3.list_parts(**where)["Parts"]] == [1, 2, 3]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(listed["Key"], listed["UploadId"]) for listed in uploads] == [("large", upload)]
    parts = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate([first, copied, last], 1)]
    wrong = {"Parts": [parts[0], {**parts[1], "ETag": '"0"'}]}
    assert refused(s3.complete_multipart_upload, **where, MultipartUpload=wrong) == (400, "InvalidPart")
    order = {"Parts": [parts[1], parts[0]]}
    assert refused(s3.complete_multipart_upload, **where, MultipartUpload=order) == (400, "InvalidPartOrder")
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-3"')
    got = s3.get_object(Bucket=bucket, Key="large")
    assert (got["ETag"], got["Metadata"]) == (done["ETag"], {"a": "1"})
    assert got["Body"].read() == b"1" * PART + b"s" * PART + b"end"
    other = s3.create_multipart_upload(Bucket=bucket, Key="aborted")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="aborted", UploadId=other, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key="aborted", UploadId=other)
    absent = {"Bucket": bucket, "Key": "aborted", "UploadId": other}
    assert refused(s3.list_parts, **absent) == (404, "NoSuchUpload")
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_listing(s3, bucket):
    keys = ["a", "dir/1", "dir/2", "dir/sub/3", "e+\u00e9 &<", "z"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    listed = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="dir/")
    assert [entry["Key"] for entry in listed["Contents"]] == ["dir/1", "dir/2"]
    assert listed["CommonPrefixes"] == [{"Prefix": "dir/sub/"}]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="dir/2")
    assert [entry["Key"] for entry in after["Contents"]] == keys[3:]


def test_buckets(s3, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.head_bucket(Bucket=bucket)
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    assert refused(s3.head_bucket, Bucket=f"{bucket}-absent")[0] == 404
    # Settings that would be stored without effect are not stored.
    cors = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    assert refused(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration=cors)[1] == "NotImplemented"


def test_anonymous_requests_are_refused(server, bucket):
    server.boto("s3").put_object(Bucket=bucket, Key="k", Body=b"private")
    url = f"{server.url}/{bucket}/k"
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = requests.request(method, url, data=b"" if method == "PUT" else None)
        assert answer.status_code == 403, (method, answer.text)
        assert method == "HEAD" or "<Code>AccessDenied</Code>" in answer.text
    assert server.boto("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"private"
