"""`sigtrail scan`: who must migrate, from archives."""

import base64
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from clients import Boto3Role, Boto3SigV2, S3cmdSigV2
from keys import ADMIN, AUDIT, ROLE
from sigtrail import BINARY, REPOSITORY, eventually, run

SHARED = REPOSITORY.parent / "shared"
GENERATOR = SHARED / "data" / "make_archive.py"
KEY = ["identity", "source_ip", "user_agent", "bucket"]
# Three lines with a record, by `zstd -19`.
ZSTD = (
    "KLUv/QRoJQUAYggdGVDXA4CqlEeh0YBEvFCa2DBA9yU67GZGEdbAKBtolNW62+ufNUxJ8fs3DvdZ446tfWLWSWdVOL/bWmaCeM/u"
    "hkn9Ph91Opsc/KzD734WPNuepq7iWJC6KLQyiKGgA1JpvR2uAkEmdBIyWGTWmO9r9Xy/K8URIDCCae0BvmTUiBB4hugcQC43D5Bj"
    "+JHggO82fft1ljBm1FJeDVEMD6Qd3hjiLRBh"
)


ACCESS_LOG = (
    "79a59df9 b [14/Mar/2026:09:26:53 +0000] 192.0.2.1 arn:aws:iam::111122223333:user/u 7C1B9D42 REST.GET.OBJECT k "
    '"GET /b/k HTTP/1.1" 200 - 1 1 1 1 "-" "x" - h= SigV2 - AuthHeader b.s3.amazonaws.com TLSv1.2 - -\n'
)


def scan(*arguments, status=0):
    done = run("scan", *map(str, arguments), timeout=120)
    assert done.returncode == status, done.stderr
    return done.stdout


def report(*arguments):
    return json.loads(scan(*arguments, "--format", "json"))


@pytest.fixture(scope="module", params=["cloudtrail", "access", "access-gzip"])
def archive(request, tmp_path_factory):
    """A made archive, and what is in it."""
    kind, *flags = request.param.split("-")
    folder = tmp_path_factory.mktemp(request.param)
    command = [sys.executable, GENERATOR, kind, folder, "--files", "60", "--records", "150", *(f"--{f}" for f in flags)]
    subprocess.run(command, check=True, capture_output=True)
    truth = folder / "truth.json"
    found = json.loads(truth.read_text())
    truth.unlink()
    return folder, found


def groups_of(truth):
    groups = truth["sigv2_by_identity_ip_agent_bucket"]
    return [(address, agent.strip("[]"), bucket, count) for _, address, agent, bucket, count in groups]


def with_address(row):
    """A service has no address: CloudTrail has its name there, and an access log nothing."""
    address, *rest = row
    return (address if address[:1].isdigit() else "", *rest)


def role_of(arn):
    """The role behind a session; each has one."""
    session = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", arn)
    return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else arn


def test_the_truth_of_made_archives(archive):
    folder, truth = archive
    found = report(folder, "--by", ",".join(KEY))
    assert (found["files"], found["records"], found["matched"]) == (60, truth["records"], truth["sigv2_records"])
    assert found["bytes"] == truth["raw_bytes"] and found["skipped"] == []
    rows = [(row["source_ip"], row["user_agent"], row["bucket"], row["count"]) for row in found["callers"]]
    assert sorted(map(with_address, rows)) == sorted(map(with_address, groups_of(truth)))
    by_role = {role_of(arn): count for arn, count in truth["sigv2_by_identity"].items() if arn.startswith("arn:")}
    by_identity = report(folder, "--by", "identity")["callers"]
    assert {row["identity"]: row["count"] for row in by_identity if row["identity"].startswith("arn:")} == by_role
    for row in found["callers"]:
        assert sum(row["actions"].values()) == sum(row["days"].values()) == row["count"]
        assert row["first_seen"][:10] == min(row["days"]) and row["last_seen"][:10] == max(row["days"])


def test_the_same_by_any_number_of_threads_and_without_short_cuts(archive, tmp_path):
    folder, truth = archive
    one = report(folder, "--threads", "1")
    assert one["callers"] == report(folder, "--threads", "8")["callers"]
    # A pattern that no text is required of.
    pattern = tmp_path / "pattern.json"
    pattern.write_text('{"detail":{"additionalEventData":{"SignatureVersion":[{"equals-ignore-case":"sigv2"}]}}}')
    assert one["callers"] == report(folder, "--threads", "2", "--pattern", pattern)["callers"]


def test_formats(archive, tmp_path):
    folder, truth = archive
    lines = scan(folder, "--format", "ndjson").splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == truth["sigv2_records"]
    assert all(record["additionalEventData"]["SignatureVersion"] == "SigV2" for record in records)
    # What comes out goes in again.
    again = subprocess.run([BINARY, "scan", "-", "--format", "json"], input="\n".join(lines), capture_output=True, text=True)
    assert json.loads(again.stdout)["callers"] == report(folder)["callers"]
    rows = list(csv.DictReader(io.StringIO(scan(folder, "--format", "csv", "--by", "bucket"))))
    assert sum(int(row["count"]) for row in rows) == truth["sigv2_records"]
    assert f"{truth['sigv2_records']:,} matched" in scan(folder)
    page = tmp_path / "page.html"
    scan(folder, "--format", "html", "--output", page)
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>") and f"{truth['sigv2_records']:,}" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "<script src" not in text


def test_exit_codes(archive, tmp_path):
    folder, _ = archive
    scan(folder, "--exit-code", status=1)
    nothing = tmp_path / "nothing.json"
    nothing.write_text('{"detail":{"eventName":["NoSuchCall"]}}')
    scan(folder, "--exit-code", "--pattern", nothing, status=0)
    broken = tmp_path / "broken.json"
    broken.write_text('{"detail":{"eventName":"GetObject"}}')
    done = run("scan", str(folder), "--pattern", str(broken))
    assert done.returncode == 2 and "broken.json" in done.stderr and "1:25" in done.stderr.replace("line 1, column ", "1:")
    done = run("scan", str(folder), str(tmp_path / "no-such"), "--format", "json")
    assert done.returncode == 2 and "no-such" in done.stderr and done.stdout == ""
    for wrong in (["--since", "yesterday"], ["--check", "no-such"], ["--threads", "0"]):
        assert run("scan", str(folder), *wrong).returncode == 2, wrong


def record(number, **fields):
    fields = {"eventTime": "2026-03-14T09:26:53Z", "version": "SigV2", "id": str(number), **fields}
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/u", "accessKeyId": "AKIA"},
        "eventTime": fields["eventTime"],
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "[x]",
        "requestParameters": {"bucketName": "b", "key": f"k{number}"},
        "additionalEventData": {"SignatureVersion": fields["version"]},
        "eventID": fields["id"],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": "111122223333",
    }


def file_of(*records):
    return json.dumps({"Records": records}).encode()


def test_what_cannot_be_read_is_told(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    whole = gzip.compress(file_of(*(record(n) for n in range(500))))
    (folder / "whole.json.gz").write_bytes(whole)
    (folder / "cut.json.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "sum.json.gz").write_bytes(whole[:-8] + b"\0" * 4 + whole[-4:])
    (folder / "cut.log.gz").write_bytes(gzip.compress(ACCESS_LOG.encode() * 2 + ACCESS_LOG[:-20].encode())[:-8])
    (folder / "cut.json").write_bytes(file_of(record(1), record(2))[:-20])
    (folder / "bomb.json.gz").write_bytes(gzip.compress(b" " * (200 << 20)))
    (folder / "empty.json.gz").write_bytes(b"")
    (folder / "foreign.txt").write_text("hello\n")
    (folder / "nul.json").write_bytes(b"\0" * 100)
    (folder / "other.json").write_text('{"a": 1}')
    (folder / "utf8.json").write_bytes(file_of(record(1)).replace(b"[x]", b"\xff\xfe"))
    (folder / "dangling.json").symlink_to("nowhere")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.json")
    found = report(folder)
    skipped = {os.path.relpath(one["path"], folder): one["error"] for one in found["skipped"]}
    assert set(skipped) == {
        "cut.json.gz", "cut.json", "sum.json.gz", "cut.log.gz", "bomb.json.gz", "empty.json.gz", "foreign.txt", "nul.json", "other.json",
        "utf8.json", "dangling.json", "round", "pipe.json",
    }  # fmt: skip
    assert "cut short" in skipped["cut.json.gz"] and "300 times" in skipped["bomb.json.gz"]
    assert "neither JSON nor" in skipped["foreign.txt"] and "empty" in skipped["empty.json.gz"]
    # What was whole counts: in the file of which only the checksum is wrong, all; in the log, whole lines.
    matched = {name: report(folder / name)["matched"] for name in ("whole.json.gz", "cut.json.gz", "sum.json.gz", "cut.json", "cut.log.gz")}
    assert matched.pop("cut.json.gz") in range(1, 500)
    assert matched == {"whole.json.gz": 500, "sum.json.gz": 500, "cut.json": 1, "cut.log.gz": 2}
    table = scan(folder)
    assert "foreign.txt" in table and "skipped" in table


def test_wrappings_and_zstd(tmp_path):
    one = record(1)
    envelope = {"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": one}
    notification = {"Type": "Notification", "Message": json.dumps(envelope)}
    inputs = {
        "lines.jsonl": "\n".join(json.dumps(record(n)) for n in range(3)),
        "envelope.json": json.dumps(envelope, indent=2),
        "sns.json": json.dumps(notification),
        "sqs.json": json.dumps({"Messages": [{"MessageId": "1", "Body": json.dumps(notification)}]}),
        "other-order.json": json.dumps({"x": {"Records": []}, "Records": [dict(reversed(one.items()))]}),
        "spelled.json": file_of(one).decode().replace('"SigV2"', '"\\u0053ig\\u00562"'),
        "text.json": file_of(record(1, version='a"SignatureVersion":"SigV2"')).decode(),
    }
    counts = {"lines.jsonl": 3, "text.json": 0}
    for name, text in inputs.items():
        file = tmp_path / name
        file.write_text(text)
        assert report(file)["matched"] == counts.get(name, 1), name
        with_newline = tmp_path / f"{name}.gz"
        with_newline.write_bytes(gzip.compress(text.encode() + b"\n"))
        assert report(with_newline)["matched"] == counts.get(name, 1), name
    zstd = tmp_path / "file.zst"
    zstd.write_bytes(base64.b64decode(ZSTD))
    assert report(zstd)["matched"] == 3


def test_memory_does_not_grow_with_a_file(tmp_path):
    """Half a gigabyte on one line; of ten it is the same, only longer."""
    block = ",".join(json.dumps(record(n, version="SigV2" if n == 7 else "SigV4")) for n in range(1000)).encode()
    count = (500 << 20) // len(block)
    command = [BINARY, "scan", "-", "--format", "json", "--no-progress"]
    with open(tmp_path / "found", "wb") as found, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=found) as scan:
        scan.stdin.write(b'{"Records":[' + block)
        for _ in range(count - 1):
            scan.stdin.write(b"," + block)
        scan.stdin.flush()
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{scan.pid}/status").read_text())
        scan.stdin.write(b"]}")
    assert scan.returncode == 0
    found = json.loads((tmp_path / "found").read_text())
    assert (found["records"], found["matched"], found["skipped"]) == (1000 * count, count, [])
    assert int(peak[1]) < (64 + 32) << 10, "KiB"
    one = tmp_path / "one.json"
    one.write_bytes(b'{"Records":[' + block + b',{"a":"' + b"x" * (20 << 20) + b'"}]}')
    found = report(one)
    assert found["matched"] == 1 and "more than 8 MiB" in found["skipped"][0]["error"]


def test_time_account_and_region(tmp_path):
    for day in range(1, 29):
        for account in ("111122223333", "444455556666"):
            for region in ("eu-west-1", "us-east-1"):
                folder = tmp_path / f"p/AWSLogs/{account}/CloudTrail/{region}/2026/03/{day:02d}"
                folder.mkdir(parents=True)
                one = record(day, eventTime=f"2026-03-{day:02d}T12:00:00Z", id=f"{account}{region}{day}")
                (folder / "a.json.gz").write_bytes(gzip.compress(file_of(one)))
    digests = tmp_path / "p/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/01"
    digests.mkdir(parents=True)
    (digests / "a.json.gz").write_bytes(gzip.compress(b"{}"))
    all_of_it = report(tmp_path)
    assert (all_of_it["files"], all_of_it["matched"], all_of_it["skipped"]) == (112, 112, [])
    some = report(tmp_path, "--account", "111122223333", "--region", "eu-west-1", "--since", "2026-03-10")
    assert (some["files"], some["matched"]) == (19, 19)
    some = report(tmp_path, "--since", "2026-03-10", "--until", "2026-03-12T12:00:00Z")
    assert some["matched"] == 8 and some["files"] <= 24
    assert set(day for row in some["callers"] for day in row["days"]) == {"2026-03-10", "2026-03-11"}


def test_duplicates_are_counted_once(tmp_path):
    for region in ("eu-west-1", "us-east-1"):
        (tmp_path / f"{region}.json").write_bytes(file_of(record(1, id="a"), record(2, id=region)))
    assert report(tmp_path)["matched"] == 4
    once = report(tmp_path, "--dedup")
    assert (once["matched"], once["duplicates"], once["records"]) == (3, 1, 4)


def test_only_new_files_are_read(tmp_path):
    archive, state = tmp_path / "archive", tmp_path / "state.json"
    archive.mkdir()
    first = date(2026, 3, 1)
    for number in range(5):
        day = first + timedelta(days=number)
        (archive / f"{day}.json").write_bytes(file_of(*(record(n, eventTime=f"{day}T01:00:00Z") for n in range(3))))
        found = report(archive, "--state", state)
        assert (found["files"], found["matched"]) == (number + 1, 3 * (number + 1))
        plain = report(archive)
        assert found["callers"] == plain["callers"] and found["bytes"] == plain["bytes"]
    assert report(archive, "--state", state)["data_events"] == 15, "a state that knows all can be shown as a page"
    (archive / "2026-03-01.json").write_bytes(file_of(record(1)))
    changed = report(archive, "--state", state)
    assert changed["matched"] == 15 and "changed" in changed["skipped"][0]["error"]
    done = run("scan", str(archive), "--state", str(state), "--check", "root")
    assert done.returncode == 2 and "another question" in done.stderr


def test_named_checks_at_once(tmp_path):
    (tmp_path / "a.json").write_bytes(file_of(record(1), record(2, version="SigV4")))
    found = report(tmp_path, "--check", "sigv2", "--check", "long-term-keys")
    assert {check["name"] for check in found["checks"]} == {"sigv2", "long-term-keys"}
    assert found["matched"] == 2
    assert sorted((row["check"], row["count"]) for row in found["callers"]) == [("long-term-keys", 2), ("sigv2", 1)]
    listed = run("checks").stdout
    assert listed.startswith("sigv2") and "hygiene" in listed


def report_of_buckets(server, *arguments):
    environment = {
        "AWS_ACCESS_KEY_ID": ADMIN.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ADMIN.secret_access_key,
        "AWS_REGION": "us-east-1",
    }
    command = [BINARY, "scan", *arguments, "--endpoint", server.url, "--format", "json"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_buckets(server, bucket, tmp_path):
    s3 = server.boto("s3")
    root = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03"
    keys = [f"{root}/{day:02d}/a.json" for day in (1, 2, 3)] + ["plain.json", "odd//one.json", "odd/x.json", "zz/last.json"]
    for number, key in enumerate(keys):
        day = int(key.split("/")[-2]) if key.startswith(root) else 28
        one = record(number, eventTime=f"2026-03-{day:02d}T12:00:00Z")
        s3.put_object(Bucket=bucket, Key=key, Body=file_of(one))
    everything = report_of_buckets(server, f"s3://{bucket}")
    assert everything["matched"] == 6
    assert [one["path"] for one in everything["skipped"]] == [f"s3://{bucket}/odd//"]
    some = report_of_buckets(server, f"s3://{bucket}/AWSLogs/", "--until", "2026-03-02")
    assert (some["files"], some["matched"]) == (3, 1), "a file is delivered up to two days later"
    late = report_of_buckets(server, f"s3://{bucket}/AWSLogs", "--since", "2026-03-02", "--state", str(tmp_path / "state"))
    assert (late["files"], late["matched"]) == (2, 2)
    assert report_of_buckets(server, f"s3://{bucket}/plain.json")["matched"] == 1
    assert report_of_buckets(server, f"s3://{bucket}/plai")["files"] == 0, "as a folder"


def test_what_a_server_delivered_is_what_it_counted(start, tmp_path):
    kinds = [Boto3SigV2, Boto3Role, S3cmdSigV2]
    keys = (ADMIN, AUDIT, ROLE, *(kind.key for kind in kinds if kind.key is not ROLE))
    server = start(keys=keys, delivery_interval="1s")
    server.boto("s3").create_bucket(Bucket="shared")
    for kind in kinds:
        home = tmp_path / kind.name
        home.mkdir()
        client = kind(server.url, home)
        for version in range(3):
            client.put("shared", f"{kind.name}-{version}", b"x")
    counted = json.loads(run("callers", "--endpoint", server.url, "--format", "json").stdout)["callers"]
    # The newest requests may be counted a moment later.
    total = sum(row["count"] for row in counted)
    assert total >= 9
    buckets = [b["Name"] for b in server.boto("s3").list_buckets()["Buckets"] if b["Name"].startswith("sigtrail-logs-")]

    def scanned():
        return report_of_buckets(server, *(f"s3://{bucket}" for bucket in buckets))

    def agree():
        now = json.loads(run("callers", "--endpoint", server.url, "--format", "json").stdout)["callers"]
        found = scanned()
        assert found["skipped"] == []
        rows = [{name: value for name, value in row.items() if name != "days"} for row in found["callers"]]
        by = lambda row: [row[name] for name in ("identity", "access_key_id", "source_ip", "user_agent", "bucket")]
        return sorted(rows, key=by) == sorted(now, key=by)

    eventually(agree, "the scan of what was delivered agrees with what was counted", 30)
