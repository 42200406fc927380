"""Versions of objects: boto3 and the AWS CLI against one bucket, across restarts and a kill."""

import json

import pytest
from botocore.exceptions import ClientError

from clients import AwsCli
from keys import ADMIN, config
from policies import allow_trails
from sigtrail import Server, eventually


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("versioning"), config([ADMIN], delivery_interval="1s"), "--bare").start()
    yield server
    server.stop()


class Cli(AwsCli):
    key = ADMIN

    def json(self, *arguments):
        printed = self.execute("s3api", *arguments)
        return json.loads(printed) if printed.strip() else {}


def error(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response


def code(call, **arguments):
    return error(call, **arguments)["Error"]["Code"]


def enable(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def make(s3, bucket):
    s3.create_bucket(Bucket=bucket)
    enable(s3, bucket)
    return bucket


def read(s3, **arguments):
    return s3.get_object(**arguments)["Body"].read()


def empty(s3, bucket):
    """What every tool does that deletes a versioned bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3}):
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        names = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        if names:
            assert not s3.delete_objects(Bucket=bucket, Delete={"Objects": names}).get("Errors")
    s3.delete_bucket(Bucket=bucket)


def test_the_life_of_a_key(server):
    s3 = server.boto("s3")
    bucket = "life-of-a-key"
    s3.create_bucket(Bucket=bucket)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    enable(s3, bucket)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    large = b"two" * 100_000
    two = s3.put_object(Bucket=bucket, Key="k", Body=large)["VersionId"]
    deleted = s3.delete_object(Bucket=bucket, Key="k")
    assert deleted["DeleteMarker"] is True
    gone = error(s3.get_object, Bucket=bucket, Key="k")
    assert gone["Error"]["Code"] == "NoSuchKey"
    assert gone["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId=deleted["VersionId"]) == "MethodNotAllowed"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [entry["VersionId"] for entry in listed["Versions"]] == [two, one, "null"]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in listed["DeleteMarkers"]] == [(deleted["VersionId"], True)]
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    for version, body in ((two, large), (one, b"one"), ("null", b"before")):
        assert read(s3, Bucket=bucket, Key="k", VersionId=version) == body
    back = s3.delete_object(Bucket=bucket, Key="k", VersionId=deleted["VersionId"])
    assert back["DeleteMarker"] is True
    assert read(s3, Bucket=bucket, Key="k") == large
    # An older version again, as the user guide restores one.
    copy = s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": one})
    assert copy["CopySourceVersionId"] == one and copy["VersionId"] not in (one, two)
    assert read(s3, Bucket=bucket, Key="k") == b"one"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", VersionId=two, ObjectAttributes=["ObjectSize"])
    assert (attributes["ObjectSize"], attributes["VersionId"]) == (len(large), two)
    s3.put_object_tagging(Bucket=bucket, Key="k", VersionId=one, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k", VersionId=one)["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert code(s3.get_object, Bucket=bucket, Key="k", VersionId="nonsense") == "InvalidArgument"
    assert code(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    empty(s3, bucket)


def test_uploads_in_parts_and_suspension(server):
    s3 = server.boto("s3")
    bucket = make(s3, "parts-and-suspension")
    versions = []
    for body in (b"a" * 6 * 1024 * 1024, b"b"):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=body)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)
        versions.append((done["VersionId"], body))
    for version, body in versions:
        assert read(s3, Bucket=bucket, Key="k", VersionId=version) == body
    enable(s3, bucket, "Suspended")
    for body in (b"null 1", b"null 2"):
        assert s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] == "null"
    shown = [entry["VersionId"] for entry in s3.list_object_versions(Bucket=bucket)["Versions"]]
    assert shown == ["null", versions[1][0], versions[0][0]]
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert read(s3, Bucket=bucket, Key="k", VersionId=versions[0][0]) == versions[0][1]
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"", IfMatch="*") == "NoSuchKey"
    s3.put_object(Bucket=bucket, Key="k", Body=b"again", IfNoneMatch="*")
    assert code(s3.put_object, Bucket=bucket, Key="k", Body=b"", IfNoneMatch="*") == "PreconditionFailed"
    empty(s3, bucket)


def test_the_command_line(server, tmp_path):
    cli = Cli(server.url, tmp_path)
    bucket = "command-line"
    cli.make_bucket(bucket)
    enabled = ("--versioning-configuration", "Status=Enabled")
    cli.json("put-bucket-versioning", "--bucket", bucket, *enabled)
    assert cli.json("get-bucket-versioning", "--bucket", bucket) == {"Status": "Enabled"}
    body = cli.file("body", b"one")
    one = cli.json("put-object", "--bucket", bucket, "--key", "k", "--body", body)["VersionId"]
    cli.put(bucket, "k", b"two")
    got = tmp_path / "got"
    shown = cli.json("get-object", "--bucket", bucket, "--key", "k", "--version-id", one, got)
    assert (shown["VersionId"], got.read_bytes()) == (one, b"one")
    assert cli.json("head-object", "--bucket", bucket, "--key", "k", "--version-id", one)["ContentLength"] == 3
    cli.delete(bucket, "k")
    listed = cli.json("list-object-versions", "--bucket", bucket, "--max-items", "10", "--page-size", "1")
    assert len(listed["Versions"]) == 2 and listed["DeleteMarkers"][0]["IsLatest"] is True
    # Without --force-delete of versions the bucket stays.
    cli.execute("s3", "rb", f"s3://{bucket}", ok=(1,))
    for entry in listed["Versions"] + listed["DeleteMarkers"]:
        cli.json("delete-object", "--bucket", bucket, "--key", "k", "--version-id", entry["VersionId"])
    cli.remove_bucket(bucket)


def test_pages_in_order(server):
    s3 = server.boto("s3")
    bucket = make(s3, "pages-in-order")
    expected = []
    for key in ("a", "dir/1", "dir/2", "z"):
        ids = [s3.put_object(Bucket=bucket, Key=key, Body=bytes([n]))["VersionId"] for n in range(3)]
        expected += [(key, version) for version in reversed(ids)]
    for size in (1, 2, 5, 1000):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
        assert [(e["Key"], e["VersionId"]) for page in pages for e in page["Versions"]] == expected
    grouped = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [group["Prefix"] for group in grouped["CommonPrefixes"]] == ["dir/"]
    assert {entry["Key"] for entry in grouped["Versions"]} == {"a", "z"}
    empty(s3, bucket)


def test_versions_outlive_a_kill(tmp_path):
    server = Server(tmp_path, config([ADMIN]), "--bare").start()
    s3 = server.boto("s3")
    bucket = make(s3, "outlives-a-kill")
    kept = {}
    for number in range(20):
        body = str(number).encode() * (1 if number % 2 else 50_000)
        kept[s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"]] = body
    gone = next(iter(kept))
    s3.delete_object(Bucket=bucket, Key="k", VersionId=gone)
    del kept[gone]
    server.process.kill()
    server.process.wait()
    server.start()
    s3 = server.boto("s3")
    shown = [entry["VersionId"] for entry in s3.list_object_versions(Bucket=bucket)["Versions"]]
    assert shown == list(reversed(kept))
    for version, body in kept.items():
        assert read(s3, Bucket=bucket, Key="k", VersionId=version) == body
    empty(s3, bucket)
    server.stop()


def test_records_name_the_version(server):
    s3, trails = server.boto("s3"), server.boto("cloudtrail")
    for bucket in ("recorded", "recorded-logs"):
        make(s3, bucket)
    allow_trails(s3, "recorded-logs")
    trails.create_trail(Name="versions", S3BucketName="recorded-logs")
    selector = {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::recorded/"]}]}
    trails.put_event_selectors(TrailName="versions", EventSelectors=[selector])
    trails.start_logging(Name="versions")
    version = s3.put_object(Bucket="recorded", Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket="recorded", Key="k")["VersionId"]
    read(s3, Bucket="recorded", Key="k", VersionId=version)
    s3.delete_object(Bucket="recorded", Key="k", VersionId=version)

    def records():
        import gzip

        found = []
        for entry in s3.list_objects_v2(Bucket="recorded-logs").get("Contents", []):
            if "/CloudTrail/" in entry["Key"]:
                found += json.loads(gzip.decompress(read(s3, Bucket="recorded-logs", Key=entry["Key"])))["Records"]
        own = [record for record in found if record["eventSource"] == "s3.amazonaws.com" and record["requestParameters"].get("key") == "k"]
        own.sort(key=lambda record: (record["eventTime"], record["eventName"]))
        return own if len(own) == 4 else None

    by_name = {}
    for record in eventually(records, "four records in a versioned log bucket"):
        by_name.setdefault(record["eventName"], []).append(record)
    (put,), (got,) = by_name["PutObject"], by_name["GetObject"]
    assert put["responseElements"]["x-amz-version-id"] == version
    assert got["requestParameters"]["versionId"] == version and got["responseElements"] is None
    answers = [record["responseElements"] for record in by_name["DeleteObject"]]
    assert {"x-amz-delete-marker": "true", "x-amz-version-id": marker} in answers
    assert {"x-amz-version-id": version} in answers
    trails.delete_trail(Name="versions")
