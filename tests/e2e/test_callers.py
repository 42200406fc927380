"""`sigtrail callers`: who must migrate."""

import csv
import io
import json

from clients import Boto3Role, Boto3SigV2, RcloneSigV2, S3cmdSigV2
from detector import Detector
from keys import ACCOUNT, ADMIN, AUDIT, ROLE
from sigtrail import run

KINDS = [Boto3SigV2, Boto3Role, RcloneSigV2, S3cmdSigV2]


def callers(*arguments):
    done = run("callers", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_callers(start, tmp_path):
    server = start(keys=(ADMIN, AUDIT, ROLE, *(kind.key for kind in KINDS if kind.key is not ROLE)))
    admin = server.boto("s3")
    admin.create_bucket(Bucket="shared")
    for number, kind in enumerate(KINDS):
        home = tmp_path / kind.name
        home.mkdir()
        client = kind(server.url, home)
        for version in range(2):
            client.put("shared", f"{kind.name}-{version}", b"x" * number)
        assert client.get("shared", f"{kind.name}-0") == b"x" * number
    detector = Detector(server)
    for kind in KINDS:
        detector.wait_for(kind.key, {("PutObject", "shared"), ("GetObject", "shared")})
    check_json(json.loads(callers("--endpoint", server.url, "--format", "json")))
    check_table(callers("--endpoint", server.url))
    rows = list(csv.DictReader(io.StringIO(callers("--endpoint", server.url, "--format", "csv"))))
    assert {kind.key.access_key_id for kind in KINDS} <= {row["access_key_id"] for row in rows}
    server.stop()
    check_json(json.loads(callers("--data", str(server.data), "--format", "json")))


def check_json(report):
    rows = {}
    for row in report["callers"]:
        assert row["access_key_id"] not in rows, f"{row['access_key_id']} is listed once"
        rows[row["access_key_id"]] = row
    assert set(rows) == {kind.key.access_key_id for kind in KINDS}, "who signs with SigV4 is not listed"
    for kind in KINDS:
        row = rows[kind.key.access_key_id]
        issuer = kind.key.identity.get("session_issuer")
        assert row["identity"] == (issuer["arn"] if issuer else kind.key.arn)
        assert (row["source_ip"], row["bucket"]) == ("127.0.0.1", "shared")
        assert row["auth_methods"] == {"AuthHeader": row["count"]}
        assert row["actions"]["PutObject"] == 2 and row["actions"]["GetObject"] >= 1
        assert row["count"] == sum(row["actions"].values())
        assert row["first_seen"] <= row["last_seen"] and row["last_seen"].endswith("Z")
    assert "rclone/" in rows[RcloneSigV2.key.access_key_id]["user_agent"]
    assert "Boto3/" in rows[Boto3SigV2.key.access_key_id]["user_agent"]


def check_table(table):
    assert f"arn:aws:iam::{ACCOUNT}:role/etl" in table
    for kind in KINDS:
        assert kind.key.access_key_id in table
    assert ADMIN.access_key_id not in table


def test_callers_of_nothing():
    done = run("callers", "--endpoint", "http://127.0.0.1:9")
    assert done.returncode not in (0, None) and "127.0.0.1:9" in done.stderr
