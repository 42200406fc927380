"""The log files that the trail writes into its bucket: everything is in them, also what the rule does not want."""

import gzip
import json
import re
import uuid

import requests

from clients import USERS
from keys import ACCOUNT, AUDIT, ROLE
from raw import Request, object_path
from sigtrail import REGION, eventually
from test_refusals import assert_refused

NAME = re.compile(
    rf"(.+/)?AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/\d{{4}}/\d\d/\d\d/"
    rf"{ACCOUNT}_CloudTrail_{REGION}_\d{{8}}T\d{{4}}Z_[A-Za-z0-9]{{16}}\.json\.gz"
)
PLAIN = USERS["plain"]


def log_records(server):
    """All records of all log files in the buckets of all trails."""
    s3, records = server.boto("s3"), []
    for trail in server.boto("cloudtrail").describe_trails()["trailList"]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=trail["S3BucketName"])
        names = [entry["Key"] for page in pages for entry in page.get("Contents", []) if entry["Size"]]
        for name in names:
            assert NAME.fullmatch(name), name
            content = s3.get_object(Bucket=trail["S3BucketName"], Key=name)
            assert content["ContentType"] == "application/json"
            records += json.loads(gzip.decompress(content["Body"].read()))["Records"]
    return records


def wait_for_records(server, wanted):
    """Waits until each name of `wanted` has a record for which its test is true; returns these by name."""

    def look():
        records = log_records(server)
        found = {name: [r for r in records if test(r)] for name, test in wanted.items()}
        return found if all(found.values()) else None

    return eventually(look, "the records are in log files", 30)


def about(bucket, event, **fields):
    def test(record):
        parameters = record.get("requestParameters") or {}
        return (
            record["eventName"] == event
            and parameters.get("bucketName") == bucket
            and all(record.get(name) == value for name, value in fields.items())
        )

    return test


def test_log_files(start):
    server = start(delivery_interval="2s")
    bucket = f"e2e-{uuid.uuid4().hex[:20]}"
    server.boto("s3").create_bucket(Bucket=bucket)
    server.boto("s3", ROLE).put_object(Bucket=bucket, Key="k", Body=b"by version 4")
    server.boto("s3", ROLE, signature_version="s3").put_object(Bucket=bucket, Key="k", Body=b"by version 2")
    assert requests.get(f"{server.url}/{bucket}/k").status_code == 403
    assert_refused(Request(server, "PUT", object_path(bucket, "k"), b"x").sigv4(AUDIT).send(), 403, "AccessDenied")
    assert_refused(Request(server, "GET", object_path(bucket, "none")).sigv2(ROLE).send(), 404, "NoSuchKey")
    assert_refused(Request(server, "GET", object_path(bucket, "bad")).sigv2(PLAIN).send(), 403, "InvalidAccessKeyId")
    found = wait_for_records(
        server,
        {
            "created": about(bucket, "CreateBucket"),
            "put": about(bucket, "PutObject"),
            "anonymous": about(bucket, "GetObject", errorCode="AccessDenied"),
            "denied": about(bucket, "PutObject", errorCode="AccessDenied"),
            "absent": about(bucket, "GetObject", errorCode="NoSuchKey"),
        },
    )
    versions = [record["additionalEventData"].get("SignatureVersion") for record in found["put"]]
    assert sorted(versions) == ["SigV2", "SigV4", "SigV4"]
    (anonymous,) = found["anonymous"]
    assert anonymous["userIdentity"]["type"] == "AWSAccount" and "arn" not in anonymous["userIdentity"]
    assert anonymous["userIdentity"]["accountId"] in {"anonymous", "ANONYMOUS_PRINCIPAL"}
    assert "SignatureVersion" not in anonymous["additionalEventData"]
    assert "AuthenticationMethod" not in anonymous["additionalEventData"]
    assert found["denied"][0]["userIdentity"]["arn"] == AUDIT.arn
    assert found["absent"][0]["errorMessage"] == "The specified key does not exist."
    check_all(log_records(server))


def check_all(records):
    ids = [record["eventID"] for record in records]
    assert len(ids) == len(set(ids)), "each record is in one file, once"
    # Who failed to prove an identity stands in no trail.
    assert not [record for record in records if record.get("errorCode") == "InvalidAccessKeyId"]
    for record in records:
        assert record["eventTime"].endswith("Z") and record["eventVersion"].startswith("1.")
        assert ROLE.secret_access_key not in json.dumps(record)


def test_a_trail_that_is_stopped_writes_nothing(start):
    server = start(delivery_interval="1s")
    trails = server.boto("cloudtrail")
    name = trails.describe_trails()["trailList"][0]["Name"]
    trails.stop_logging(Name=name)
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="while-stopped")
    trails.start_logging(Name=name)
    s3.create_bucket(Bucket="while-started")
    wait_for_records(server, {"started": about("while-started", "CreateBucket")})
    assert not [record for record in log_records(server) if about("while-stopped", "CreateBucket")(record)]
    status = trails.get_trail_status(Name=name)
    assert status["IsLogging"] and status["LatestDeliveryTime"]
