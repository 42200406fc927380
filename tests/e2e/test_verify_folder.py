"""`sigtrail verify` on a folder of old logs: whatever stands in a file's place, everything else is still checked."""

import base64
import gzip
import hashlib
import json
import os
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sigtrail import BINARY

ACCOUNT, REGION, BUCKET = "111122223333", "eu-west-1", "old-logs"
BEGIN = datetime(2026, 3, 14, tzinfo=timezone.utc)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DER = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
FINGERPRINT = hashlib.md5(DER).hexdigest()


def log_path(time, unique):
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{time:%Y%m%dT%H%MZ}_{unique}.json.gz"
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{time:%Y/%m/%d}/{name}"


class Archive:
    """A chain of hourly digests, each with two log files, as `aws s3 sync` copies it."""

    def __init__(self, root, hours=5):
        self.root, self.digests, self.logs = root / "archive", [], []
        self.keys = root / "keys.json"
        key = {"Value": base64.b64encode(DER).decode(), "Fingerprint": FINGERPRINT}
        self.keys.write_text(json.dumps({"PublicKeyList": [key]}))
        self.previous = None
        for hour in range(hours):
            self.add_hour(hour)

    def write(self, path, content):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content))
        return path

    def add_hour(self, hour):
        start, files = BEGIN + timedelta(hours=hour), []
        end = start + timedelta(hours=1)
        for minute in [10, 40]:
            path = log_path(start + timedelta(minutes=minute), f"hour{hour}")
            content = json.dumps({"Records": [{"eventName": "PutObject", "hour": hour}]}).encode()
            self.logs.append(self.write(path, content))
            told = {"hashValue": hashlib.sha256(content).hexdigest(), "hashAlgorithm": "SHA-256"}
            files.append({"s3Bucket": BUCKET, "s3Object": path, **told})
        name = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_audit_{REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        path = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/{name}"
        digest = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": path,
            "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            **(self.previous or {"previousDigestSignature": None}),
            "logFiles": files,
        }
        content = json.dumps(digest).encode()
        digest_hash = hashlib.sha256(content).hexdigest()
        before = digest["previousDigestSignature"] or "null"
        text = f"{digest['digestEndTime']}\n{BUCKET}/{path}\n{digest_hash}\n{before}"
        self.signature = KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
        self.previous = {
            "previousDigestS3Bucket": BUCKET,
            "previousDigestS3Object": path,
            "previousDigestHashValue": digest_hash,
            "previousDigestHashAlgorithm": "SHA-256",
            "previousDigestSignature": self.signature,
        }
        self.digests.append(self.write(path, content))

    def verify(self, signed=True):
        command = [BINARY, "verify", self.root, "--keys", self.keys, "--format", "json"]
        command += ["--signature", self.signature] if signed else []
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, env={}, timeout=20)
        found = json.loads(done.stdout)
        problems = {finding["file"]: finding["kind"] for finding in found["findings"] if finding["is_problem"]}
        return done.returncode, problems, found["totals"]


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path)


def a_folder(path):
    path.mkdir()


def a_pipe(path):
    os.mkfifo(path)


def a_link(path):
    """To a file with the right content."""
    path.symlink_to(path.parent.parent / f"{path.name}.moved")


def test_all_is_well(archive):
    code, problems, totals = archive.verify()
    assert (code, problems) == (0, {}) and totals["log_files"]["valid"] == 10 and totals["digests"]["valid"] == 5


@pytest.mark.parametrize("put", [a_folder, a_pipe, a_link])
@pytest.mark.parametrize("kind", ["logs", "digests"])
def test_what_is_no_file_is_missing(archive, put, kind):
    path = getattr(archive, kind)[3]
    path.rename(path.parent.parent / f"{path.name}.moved")
    put(path)
    code, problems, totals = archive.verify()
    assert code == 1 and problems[str(path)] == "missing", problems
    # Everything older has been looked at: only what the digest named, or vouched for, is not proven.
    assert totals["digests"]["valid"] + totals["digests"]["not_verified"] == (5 if kind == "logs" else 4)
    assert totals["log_files"]["invalid"] == (1 if kind == "logs" else 0)


def test_a_folder_that_is_a_link_is_not_followed(archive):
    folder = archive.logs[0].parent
    moved = archive.root.parent / "elsewhere"
    folder.rename(moved)
    folder.symlink_to(moved)
    code, problems, totals = archive.verify()
    assert code == 1 and totals["log_files"]["invalid"] == 10, problems


def test_a_newest_digest_that_is_not_proven(archive):
    code, problems, totals = archive.verify(signed=False)
    assert (code, problems) == (2, {}), "it names log files"
    forged = json.loads(gzip.decompress(archive.digests[-1].read_bytes()))
    forged["logFiles"][0]["hashValue"] = hashlib.sha256(b"{}").hexdigest()
    archive.digests[-1].write_bytes(gzip.compress(json.dumps(forged).encode()))
    archive.logs[-2].write_bytes(gzip.compress(b"{}"))
    code, problems, totals = archive.verify(signed=False)
    assert (code, problems) == (2, {}) and totals["digests"]["not_verified"] == 1


def test_a_forged_log_file_that_no_digest_names(archive):
    inside = archive.write(log_path(BEGIN + timedelta(hours=2, minutes=20), "forged"), b'{"Records":[]}')
    code, problems, totals = archive.verify()
    assert code == 1 and problems == {str(inside): "not named"}, problems
    inside.unlink()
    for hours in [-1, 5, 6]:
        archive.write(log_path(BEGIN + timedelta(hours=hours), "later"), b'{"Records":[]}')
    code, problems, totals = archive.verify()
    assert (code, problems) == (0, {}) and totals["unnamed"] == 3, "before the chain, and after its newest digest"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_read_is_told_of(archive, kind):
    path = archive.logs[0] if kind == "file" else archive.logs[0].parent
    path.chmod(0)
    try:
        code, problems, totals = archive.verify()
    finally:
        path.chmod(0o700)
    assert code == 2 and problems[str(path)] == "unreadable", problems
    assert totals["digests"]["valid"] == 5


def test_a_name_that_no_file_can_have_is_told_of(archive):
    """As one that cannot be read, also for root."""
    digest = json.loads(gzip.decompress(archive.digests[-1].read_bytes()))
    digest["logFiles"][0]["s3Object"] = f"AWSLogs/{'x' * 300}.json.gz"
    archive.digests[-1].write_bytes(gzip.compress(json.dumps(digest).encode()))
    code, problems, totals = archive.verify(signed=False)
    assert code == 2 and list(problems.values()) == ["unreadable"], problems
    assert totals["digests"]["valid"] == 4 and totals["log_files"]["valid"] == 8
