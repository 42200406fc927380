"""Calls between accounts: each account's trail gets a copy, with what that account may know."""

import gzip
import json
import uuid

import pytest
from botocore.exceptions import ClientError

from keys import ACCOUNT, ADMIN, user_key
from policies import allow_trails, document, statement
from sigtrail import eventually, run
from test_callers import callers

OTHER = "444455556666"
THEIR_ADMIN = user_key("their-admin", "admin", OTHER)
MIA = user_key("mia", "s3", OTHER)


def set_up(start):
    """A bucket of one account, into which a user of another is let, and a trail of all data events in each account."""
    server = start("--bare", keys=(ADMIN, THEIR_ADMIN, MIA), delivery_interval="1s")
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="shared")
    s3.put_object(Bucket="shared", Key="large", Body=b"x" * 300_000)
    let_in = statement("Allow", {"AWS": MIA.arn}, ["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::shared/in/*")
    read = statement("Allow", {"AWS": MIA.arn}, "s3:GetObject", "arn:aws:s3:::shared/large")
    s3.put_bucket_policy(Bucket="shared", Policy=document(let_in, read))
    for admin, account in [(ADMIN, ACCOUNT), (THEIR_ADMIN, OTHER)]:
        bucket = f"logs-{account}"
        server.boto("s3", admin).create_bucket(Bucket=bucket)
        allow_trails(server.boto("s3", admin), bucket, account)
        trails = server.boto("cloudtrail", admin)
        trails.create_trail(Name="all", S3BucketName=bucket)
        data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::shared/"]}
        trails.put_event_selectors(TrailName="all", EventSelectors=[{"DataResources": [data]}])
        trails.start_logging(Name="all")
    return server


def records(server, admin, account):
    s3, found = server.boto("s3", admin), []
    for entry in s3.list_objects_v2(Bucket=f"logs-{account}").get("Contents", []):
        content = s3.get_object(Bucket=f"logs-{account}", Key=entry["Key"])["Body"].read()
        found += json.loads(gzip.decompress(content))["Records"]
    return found


def of_mia(server, admin, account, count):
    def look():
        found = [one for one in records(server, admin, account) if one["userIdentity"].get("principalId") == MIA.identity["principal_id"]]
        return found if len(found) >= count else None

    return {one["requestParameters"]["key"]: one for one in eventually(look, "the copies are in the log files", 30)}


def test_both_accounts_have_a_copy(start):
    server = set_up(start)
    theirs = server.boto("s3", MIA)
    theirs.put_object(Bucket="shared", Key="in/k", Body=b"from mia")
    assert len(theirs.get_object(Bucket="shared", Key="large")["Body"].read()) == 300_000
    try:
        theirs.get_object(Bucket="shared", Key="private")
        raise AssertionError("nobody let her")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
    owners, others = of_mia(server, ADMIN, ACCOUNT, 3), of_mia(server, THEIR_ADMIN, OTHER, 3)
    assert set(owners) == set(others) == {"in/k", "large", "private"}
    for key, owner in owners.items():
        caller = others[key]
        assert (owner["recipientAccountId"], caller["recipientAccountId"]) == (ACCOUNT, OTHER)
        assert owner["sharedEventID"] == caller["sharedEventID"] and owner["eventID"] != caller["eventID"]
        assert uuid.UUID(owner["sharedEventID"]) and owner["requestID"] == caller["requestID"]
        assert owner["userIdentity"] == {"type": "AWSAccount", "principalId": MIA.identity["principal_id"], "accountId": OTHER}
        assert (caller["userIdentity"]["arn"], caller["userIdentity"]["accessKeyId"]) == (MIA.arn, MIA.access_key_id)
        whose = lambda record: [one.get("accountId") for one in record["resources"] if one["type"] == "AWS::S3::Bucket"]
        assert whose(owner) == [ACCOUNT]
        assert whose(caller) == ([None] if key == "private" else [ACCOUNT]), "of a bucket that she may not use"
    assert owners["large"]["additionalEventData"]["bytesTransferredOut"] == 300_000


def test_a_caller_counts_once(start):
    server = set_up(start)
    server.boto("s3", MIA, signature_version="s3").put_object(Bucket="shared", Key="in/old", Body=b"SigV2")
    report = lambda: json.loads(callers("--endpoint", server.url, "--format", "json"))["callers"]
    found = lambda: [one for one in report() if one["bucket"] == "shared"]
    (caller,) = eventually(found, "the caller is counted")
    of_mia(server, THEIR_ADMIN, OTHER, 1)
    (caller,) = found()
    assert (caller["identity"], caller["count"]) == (MIA.arn, 1)


def test_a_scan_of_both_accounts_logs_agrees_with_what_the_server_counted(start, tmp_path):
    server = set_up(start)
    sigv2 = {"signature_version": "s3"}
    theirs, ours = server.boto("s3", MIA, **sigv2), server.boto("s3", **sigv2)
    for number in range(3):
        theirs.put_object(Bucket="shared", Key=f"in/{number}", Body=b"x")
        ours.put_object(Bucket="shared", Key=f"{number}", Body=b"x")
    with pytest.raises(ClientError):
        theirs.put_object(Bucket="shared", Key="elsewhere", Body=b"x")

    def scanned(*flags):
        for admin, account in [(ADMIN, ACCOUNT), (THEIR_ADMIN, OTHER)]:
            (tmp_path / f"{account}.json").write_text(json.dumps({"Records": records(server, admin, account)}))
        found = json.loads(run("scan", str(tmp_path), "--format", "json", *flags).stdout)
        rows = [{name: value for name, value in row.items() if name != "days"} for row in found["callers"]]
        return rows, found["matched"], found["duplicates"]

    def agree():
        counted = json.loads(run("callers", "--endpoint", server.url, "--format", "json").stdout)["callers"]
        rows, *_ = scanned("--dedup")
        by = lambda row: [row[name] for name in ("identity", "access_key_id", "source_ip", "user_agent", "bucket")]
        return len(rows) == 2 and sorted(rows, key=by) == sorted(counted, key=by)

    eventually(agree, "the scan of both accounts' logs agrees with what was counted", 30)
    rows, matched, duplicates = scanned("--dedup")
    assert (sorted(row["count"] for row in rows), matched, duplicates) == ([3, 4], 7, 4)
    assert scanned()[1:] == (11, 0), "without, each copy counts"
