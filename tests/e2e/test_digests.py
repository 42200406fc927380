"""Digests of log files: `aws cloudtrail validate-logs` and `sigtrail verify` find the same, whatever is done to the files."""

import gzip
import json
import re
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from clients import AwsCli
from keys import ACCOUNT, ADMIN, config
from policies import allow_trails
from sigtrail import BINARY, REGION, Server, eventually

BUCKET = "audit-logs"
PREFIX = "p/q"
TRAIL = "audit"
ELSEWHERE = "ap-south-1"
DIGEST = re.compile(
    rf"{PREFIX}/AWSLogs/{ACCOUNT}/CloudTrail-Digest/([a-z0-9-]+)/\d{{4}}/\d\d/\d\d/"
    rf"{ACCOUNT}_CloudTrail-Digest_\1_{TRAIL}_{REGION}_\d{{8}}T\d{{6}}Z\.json\.gz"
)
FIELDS = [
    "awsAccountId",
    "digestStartTime",
    "digestEndTime",
    "digestS3Bucket",
    "digestS3Object",
    "digestPublicKeyFingerprint",
    "digestSignatureAlgorithm",
    "newestEventTime",
    "oldestEventTime",
    "previousDigestS3Bucket",
    "previousDigestS3Object",
    "previousDigestHashValue",
    "previousDigestHashAlgorithm",
    "previousDigestSignature",
    "logFiles",
]


class Cli(AwsCli):
    """The unmodified AWS CLI. `validate-logs` gives --endpoint-url only to its CloudTrail client."""

    key = ADMIN

    def flags(self):
        return []

    def environment(self):
        return super().environment() | {"AWS_ENDPOINT_URL": self.endpoint}

    def run(self, *arguments):
        command = [str(self.program), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environment(), cwd=self.home, timeout=120
        )


@dataclass
class World:
    """A server whose trail has delivered digests in two regions, and what is used to look at them."""

    server: Server
    cli: Cli
    home: Path
    arn: str
    begin: str

    def __post_init__(self):
        self.s3 = self.server.boto("s3")
        self.trails = self.server.boto("cloudtrail")

    def keys(self, bucket=BUCKET):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def logs(self):
        return [key for key in self.keys() if "/CloudTrail/" in key]

    def digests(self, region=REGION):
        """(key, content), the oldest first."""
        keys = [key for key in self.keys() if (found := DIGEST.fullmatch(key)) and found.group(1) == region]
        return [(key, self.read(key)) for key in sorted(keys)]

    def named(self):
        """The log files that digests name, each as often as it is named."""
        digests = [digest for region in [REGION, ELSEWHERE] for _, digest in self.digests(region)]
        return [file["s3Object"] for digest in digests for file in digest["logFiles"]]

    def digests_in(self, folder, region):
        """The same of a copy."""
        paths = sorted(folder.rglob(f"*_CloudTrail-Digest_{region}_*"))
        return [(path, json.loads(gzip.decompress(path.read_bytes()))) for path in paths]

    def read(self, key):
        return json.loads(gzip.decompress(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))

    def validate(self, region=REGION):
        """The AWS CLI's answer: its exit code and all that it printed."""
        asked = ["--trail-arn", self.arn, "--start-time", self.begin, "--region", region, "--verbose"]
        done = self.cli.run("cloudtrail", "validate-logs", *asked)
        return done.returncode, done.stdout + done.stderr

    def verify(self, target=f"s3://{BUCKET}", *flags, endpoint=True):
        """Our own answer."""
        asked = ["--endpoint", self.server.url] if endpoint else []
        command = [str(BINARY), "verify", str(target), *asked, *map(str, flags)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment(endpoint), timeout=60)
        return done.returncode, done.stdout + done.stderr

    def environment(self, keys=True):
        credentials = {"AWS_ACCESS_KEY_ID": ADMIN.access_key_id, "AWS_SECRET_ACCESS_KEY": ADMIN.secret_access_key}
        return credentials if keys else {}

    def sync(self, name, what=""):
        """The bucket as files, and the public keys beside them."""
        folder = self.home / name
        done = self.cli.run("s3", "sync", f"s3://{BUCKET}/{what}", folder, "--quiet")
        assert done.returncode == 0, done.stderr
        return folder

    def public_keys(self):
        files = []
        for region in [REGION, ELSEWHERE]:
            done = self.cli.run("cloudtrail", "list-public-keys", "--region", region)
            assert done.returncode == 0, done.stderr
            files.append(self.home / f"keys-{region}.json")
            files[-1].write_text(done.stdout)
        return [part for file in files for part in ("--keys", file)]


def work(server, name):
    """Some requests in both regions."""
    for bucket in ["near", "far"]:
        server.boto("s3").put_object(Bucket=bucket, Key=name, Body=name.encode())


def digest_with_logs_after(world, region, moment):
    """Waits for a digest with log files that ends after `moment`."""

    def look():
        found = [key for key, digest in world.digests(region) if digest["logFiles"] and digest["digestEndTime"] > moment]
        return found

    return eventually(look, f"a digest of {region} names log files", 30)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return datetime.now(timezone.utc)


def set_up(server, home, begin):
    """The trail, its bucket, and a bucket in each of two regions."""
    s3, trails = server.boto("s3"), server.boto("cloudtrail")
    s3.create_bucket(Bucket=BUCKET)
    allow_trails(s3, BUCKET, prefix=PREFIX)
    created = trails.create_trail(
        Name=TRAIL, S3BucketName=BUCKET, S3KeyPrefix=PREFIX, IsMultiRegionTrail=True, EnableLogFileValidation=True
    )
    assert created["LogFileValidationEnabled"] is True
    data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::near/", "arn:aws:s3:::far/"]}
    trails.put_event_selectors(TrailName=TRAIL, EventSelectors=[{"DataResources": [data]}])
    trails.start_logging(Name=TRAIL)
    s3.create_bucket(Bucket="near")
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": ELSEWHERE})
    return World(server, Cli(server.url, home), home, created["TrailARN"], begin)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = tmp_path_factory.mktemp("digests")
    folder = home / "server"
    folder.mkdir()
    begin = text(now() - timedelta(minutes=1))
    written = config([ADMIN], delivery_interval="1s", digest_interval="2s")
    server = Server(folder, written, "--bare").start()
    built = set_up(server, home, begin)
    # The run: log files, a kill in the middle of deliveries, log files again, and intervals without any.
    for number in range(30):
        work(server, f"before-{number}")
        time.sleep(0.1)
    digest_with_logs_after(built, REGION, begin)
    work(server, "last-words")
    server.process.kill()
    server.process.wait()
    built.server = server = Server(folder, written, "--bare").start()
    built.cli.endpoint = server.url
    built.__post_init__()
    restarted = text(now())
    work(server, "after")
    for region in [REGION, ELSEWHERE]:
        digest_with_logs_after(built, region, restarted)

    def settled():
        has_empty = any(not digest["logFiles"] for _, digest in built.digests()[:-1])
        return has_empty and len(built.digests()) >= 4 and sorted(built.named()) == sorted(built.logs())

    eventually(settled, "each log file is in one digest, and there are digests of intervals without any", 30)
    yield built
    server.stop()


def test_a_chain_over_a_crash(world):
    for region in [REGION, ELSEWHERE]:
        digests = world.digests(region)
        previous = None
        for key, digest in digests:
            assert list(digest) == FIELDS
            assert digest["digestS3Bucket"] == BUCKET and digest["digestS3Object"] == key
            assert digest["previousDigestS3Object"] == (previous and previous["digestS3Object"])
            if previous:
                assert digest["digestStartTime"] == previous["digestEndTime"], "nothing is left out between two digests"
            else:
                assert all(digest[name] is None for name in FIELDS if name.startswith("previous"))
            for file in digest["logFiles"]:
                assert list(file) == [
                    "s3Bucket",
                    "s3Object",
                    "hashValue",
                    "hashAlgorithm",
                    "newestEventTime",
                    "oldestEventTime",
                ]
                assert f"_CloudTrail_{region}_" in file["s3Object"]
                times = [record["eventTime"] for record in world.read(file["s3Object"])["Records"]]
                assert (file["newestEventTime"], file["oldestEventTime"]) == (max(times), min(times))
            previous = digest
        head = world.s3.head_object(Bucket=BUCKET, Key=digests[0][0])
        assert head["Metadata"]["signature-algorithm"] == "SHA256withRSA"
        assert head["ContentType"] == "application/json"
    assert [key for key, digest in world.digests() if not digest["logFiles"]], "an interval without files has a digest"


def test_everything_is_valid(world, tmp_path):
    for region in [REGION, ELSEWHERE]:
        code, output = world.validate(region)
        assert code == 0, output
        assert re.search(r"(\d+)/\1 digest files valid", output) and re.search(r"(\d+)/\1 log files valid", output), output
    code, output = world.verify()
    assert code == 0, output
    assert " 0 not verified, 0 invalid" in output, output
    code, output = world.verify(f"s3://{BUCKET}/{PREFIX}", "--since", world.begin, "--format", "json")
    assert code == 0, output
    totals = json.loads(output)["totals"]
    assert totals["digests"]["valid"] >= 4 and totals["log_files"]["valid"] >= 4 and totals["signatures_checked"]


def test_the_record_of_the_delivery(world):
    """CloudTrail's own PUT into the bucket, as log files have it; the trail watches other buckets only, so look for it."""
    trails = world.trails
    allow_trails(world.s3, "near")
    trails.create_trail(Name="watcher", S3BucketName="near")
    data = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{BUCKET}/"]}
    selectors = [{"DataResources": [data], "IncludeManagementEvents": False}]
    trails.put_event_selectors(TrailName="watcher", EventSelectors=selectors)
    trails.start_logging(Name="watcher")

    def look():
        records = []
        for key in world.keys("near"):
            if key.startswith("AWSLogs/"):
                body = world.s3.get_object(Bucket="near", Key=key)["Body"].read()
                records += json.loads(gzip.decompress(body))["Records"]
        return [r for r in records if "/CloudTrail-Digest/" in (r["requestParameters"].get("key") or "")]

    try:
        record = eventually(look, "the digest's PUT is recorded", 30)[0]
    finally:
        trails.delete_trail(Name="watcher")
    assert record["eventName"] == "PutObject" and record["userIdentity"]["invokedBy"] == "cloudtrail.amazonaws.com"


def middle(world):
    """A digest that names log files, and that another digest follows."""
    digests = world.digests()
    return next((key, digest) for key, digest in digests[1:-1] if digest["logFiles"])


def change_log(world):
    key = middle(world)[1]["logFiles"][0]["s3Object"]
    log = world.read(key)
    log["Records"][0]["sourceIPAddress"] = "192.0.2.1"
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(json.dumps(log).encode()))
    return key, "changed"


def spoil_log(world):
    key = middle(world)[1]["logFiles"][0]["s3Object"]
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=b"not gzip")
    return key, "changed"


def remove_log(world):
    key = middle(world)[1]["logFiles"][0]["s3Object"]
    world.s3.delete_object(Bucket=BUCKET, Key=key)
    return key, "missing"


def change_digest(world):
    """A log file is taken out of it, as who removes a log would like."""
    key, digest = middle(world)
    metadata = world.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]
    digest["logFiles"].pop()
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(json.dumps(digest).encode()), Metadata=metadata)
    return key, "changed"


def remove_digest(world):
    key = middle(world)[0]
    world.s3.delete_object(Bucket=BUCKET, Key=key)
    return key, "missing"


def change_signature(world):
    key = middle(world)[0]
    answer = world.s3.get_object(Bucket=BUCKET, Key=key)
    signature = answer["Metadata"]["signature"]
    metadata = answer["Metadata"] | {"signature": signature[:-1] + ("0" if signature[-1] != "0" else "1")}
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=answer["Body"].read(), Metadata=metadata)
    return key, "signature"


def remove_signature(world):
    key = middle(world)[0]
    body = world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return key, "signature"


def swap_digest(world):
    """Another digest with its own, right signature in the place of one."""
    key = middle(world)[0]
    answer = world.s3.get_object(Bucket=BUCKET, Key=world.digests()[0][0])
    world.s3.put_object(Bucket=BUCKET, Key=key, Body=answer["Body"].read(), Metadata=answer["Metadata"])
    return key, "wrong place"


IN_METADATA = {change_signature, remove_signature}
DEEDS = [
    change_log,
    spoil_log,
    remove_log,
    change_digest,
    remove_digest,
    change_signature,
    remove_signature,
    swap_digest,
]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_what_was_done_is_found(world, deed, tmp_path):
    digest, content = middle(world)
    touched = [digest, content["logFiles"][0]["s3Object"]]
    answers = {key: world.s3.get_object(Bucket=BUCKET, Key=key) for key in touched}
    before = {key: (answer["Body"].read(), answer["Metadata"]) for key, answer in answers.items()}
    key, kind = deed(world)
    try:
        code, output = world.validate()
        assert code == 1 and key in output, output
        code, output = world.verify()
        assert code == 1 and f"s3://{BUCKET}/{key}: {kind}: " in output, output
        others = [line for line in output.splitlines() if re.search(r": (changed|missing|signature|wrong place): ", line)]
        assert len(others) == 1, output
        if deed not in IN_METADATA:
            folder = world.sync(deed.__name__)
            code, output = world.verify(folder, *world.public_keys(), endpoint=False)
            assert code == 1 and f"{folder}/{key}: {kind}: " in output, output
            # Without keys the hashes are still compared.
            code, output = world.verify(folder, endpoint=False)
            assert code == 1 and str(key) in output, output
        assert world.validate(ELSEWHERE)[0] == 0, "the other region is as it was"
    finally:
        for key, (body, metadata) in before.items():
            world.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)
    assert world.validate()[0] == 0


def test_a_copy_in_a_folder(world):
    keys = world.public_keys()
    folder = world.sync("whole")
    # The newest digests are not proven: what they name is not verified, and the status says so.
    names = any(world.digests_in(folder, region)[-1][1]["logFiles"] for region in [REGION, ELSEWHERE])
    code, output = world.verify(folder, *keys, endpoint=False)
    assert code == (2 if names else 0), output
    newest = [line for line in output.splitlines() if ": not verified: " in line]
    assert len(newest) == 2 and all("the newest digest of its chain" in line for line in newest), output
    code, output = world.verify(folder, endpoint=True)
    assert code in (0, 2) and "the newest digest of its chain" in output, "the server can be asked for the keys"
    # The bucket's keys without their beginning.
    code, output = world.verify(world.sync("part", f"{PREFIX}/"), *keys, endpoint=False)
    assert code in (0, 2) and " 0 invalid" in output, output
    signatures = []
    for region in [REGION, ELSEWHERE]:
        copied = sorted(path for path in folder.rglob(f"*CloudTrail-Digest_{region}_*"))[-1]
        head = world.s3.head_object(Bucket=BUCKET, Key=str(copied.relative_to(folder)))
        signatures += ["--signature", head["Metadata"]["signature"]]
    code, output = world.verify(folder, *keys, *signatures, endpoint=False)
    assert code == 0 and ": not verified: " not in output, output


def test_one_object_does_not_end_the_check(world):
    """Keys that a client library refuses, and an object that may not be read."""
    other = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_other_{REGION}_20260101T000000Z.json.gz"
    odd = ["a//b", "p//q", f"{PREFIX}//{other}"]
    for key in odd:
        world.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    denied = middle(world)[1]["logFiles"][0]["s3Object"]
    before = world.s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    policy = json.loads(before)
    arn = f"arn:aws:s3:::{BUCKET}/{denied}"
    policy["Statement"] += [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": arn}]
    try:
        code, output = world.verify()
        refused = [line for line in output.splitlines() if f"{PREFIX}//" in line]
        assert code == 2 and len(refused) == 1 and ": unreadable: " in refused[0], output
        assert " 0 invalid" in output and output.count(" 0 invalid") == 2, output
        world.s3.delete_object(Bucket=BUCKET, Key=odd[-1])
        code, output = world.verify()
        assert code == 0, output
        world.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        code, output = world.verify()
        assert code == 2 and f"s3://{BUCKET}/{denied}: unreadable: " in output, output
        assert output.count(" 0 invalid") == 2, "all others have been checked"
    finally:
        world.s3.put_bucket_policy(Bucket=BUCKET, Policy=before)
        for key in odd:
            world.s3.delete_object(Bucket=BUCKET, Key=key)


def test_a_newest_digest_cannot_hide_the_others(world):
    """Nothing proves the newest digest in a folder, so nothing that it says makes the older ones the newest of a chain."""
    folder = world.sync("hidden")
    newest = sorted(folder.rglob(f"*CloudTrail-Digest_{REGION}_*"))[-1]
    digest = json.loads(gzip.decompress(newest.read_bytes()))
    digest |= {name: None for name in FIELDS if name.startswith("previous")}
    newest.write_bytes(gzip.compress(json.dumps(digest).encode()))
    code, output = world.verify(folder, *world.public_keys(), endpoint=False)
    assert code == 2 and "could not be verified" in output, output


def test_without_keys_nothing_is_called_valid(world, tmp_path):
    folder = world.sync("keyless")
    code, output = world.verify(folder, endpoint=False)
    assert code == 2 and "signatures were not checked" in output and " 0 valid, " in output, output
    code, output = world.verify(tmp_path, endpoint=False)
    assert code == 2 and "no digest" in output
    code, output = world.verify(tmp_path / "none", endpoint=False)
    assert code == 2
    (tmp_path / "keys.json").write_text('{"PublicKeyList": []}')
    code, output = world.verify(folder, "--keys", tmp_path / "keys.json", endpoint=False)
    assert code == 1 and "no public key with the fingerprint" in output, "keys that are not the right ones prove nothing"


def test_public_keys(world):
    (key,) = world.trails.list_public_keys()["PublicKeyList"]
    assert re.fullmatch(r"[0-9a-f]{32}", key["Fingerprint"])
    assert key["ValidityStartTime"] <= now() < key["ValidityEndTime"]
    assert {digest["digestPublicKeyFingerprint"] for _, digest in world.digests()} == {key["Fingerprint"]}
    (other,) = world.server.boto("cloudtrail", region=ELSEWHERE).list_public_keys()["PublicKeyList"]
    assert other["Fingerprint"] != key["Fingerprint"], "each region has its own"
    long_ago = now() - timedelta(days=1000)
    assert world.trails.list_public_keys(StartTime=long_ago, EndTime=long_ago)["PublicKeyList"] == []
    for wrong, code in [
        ({"StartTime": now(), "EndTime": long_ago}, "InvalidTimeRangeException"),
        ({"NextToken": "x"}, "InvalidTokenException"),
    ]:
        with pytest.raises(ClientError) as refused:
            world.trails.list_public_keys(**wrong)
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_status(world):
    status = world.trails.get_trail_status(Name=TRAIL)
    assert status["LatestDigestDeliveryTime"] and "LatestDigestDeliveryError" not in status
    assert world.trails.get_trail(Name=TRAIL)["Trail"]["LogFileValidationEnabled"] is True


def test_a_bucket_that_is_gone_for_a_while(start):
    """Nothing is lost: the digest that can be delivered again covers all of the time."""
    server = start("--bare", keys=[ADMIN], delivery_interval="1s", digest_interval="1s")
    s3, trails = server.boto("s3"), server.boto("cloudtrail")
    s3.create_bucket(Bucket="comes-and-goes")
    allow_trails(s3, "comes-and-goes")
    trails.create_trail(Name=TRAIL, S3BucketName="comes-and-goes", EnableLogFileValidation=True)
    s3.delete_bucket(Bucket="comes-and-goes")
    trails.start_logging(Name=TRAIL)
    started = text(now() + timedelta(seconds=1))
    status = lambda: trails.get_trail_status(Name=TRAIL)
    eventually(lambda: status().get("LatestDigestDeliveryError") == "NoSuchBucket", "the failure is told")
    time.sleep(2)
    s3.create_bucket(Bucket="comes-and-goes")
    allow_trails(s3, "comes-and-goes")

    def digests():
        entries = s3.list_objects_v2(Bucket="comes-and-goes").get("Contents", [])
        return sorted(entry["Key"] for entry in entries if "/CloudTrail-Digest/" in entry["Key"])

    first = eventually(digests, "digests are delivered again")[0]
    digest = json.loads(gzip.decompress(s3.get_object(Bucket="comes-and-goes", Key=first)["Body"].read()))
    assert digest["digestStartTime"] <= started and digest["previousDigestSignature"] is None
    eventually(lambda: "LatestDigestDeliveryError" not in status(), "the failure is over")


def test_off_and_on_again_begins_a_new_chain(start, tmp_path):
    server = start("--bare", keys=[ADMIN], delivery_interval="1s", digest_interval="1s")
    begin = text(now() - timedelta(minutes=1))
    world = set_up(server, tmp_path, begin)
    digest_with_logs_after(world, REGION, begin)
    trails = world.trails
    assert trails.update_trail(Name=TRAIL, EnableLogFileValidation=False)["LogFileValidationEnabled"] is False
    seen = len(world.digests())
    work(server, "while-off")

    def logs_in_no_digest():
        return set(world.logs()) - set(world.named())

    eventually(logs_in_no_digest, "a log file is delivered that is in no digest")
    time.sleep(2)
    unnamed = logs_in_no_digest()
    assert unnamed, "no digest names it later"
    assert trails.update_trail(Name=TRAIL, EnableLogFileValidation=True)["LogFileValidationEnabled"] is True
    work(server, "on-again")

    def new_chain():
        return [key for key, digest in world.digests()[seen:] if digest["previousDigestSignature"] is None]

    first = eventually(new_chain, "a new chain begins")[0]
    eventually(lambda: world.digests()[-1][0] > first, "it goes on")
    code, output = world.validate()
    assert code == 0, output
    code, output = world.verify()
    assert code == 0 and f"s3://{BUCKET}/{first}: gap: " in output, output
    for key in unnamed:
        assert f"s3://{BUCKET}/{key}: not named: " in output, output
