"""What a template asks of a log bucket: lifecycle, public access block, ownership, tags; and who may change it."""

import json
import time
from datetime import datetime, timezone

import pytest
from botocore.exceptions import ClientError

from clients import AwsCli
from keys import ADMIN, config, user_key
from policies import allow_trails, document, statement
from sigtrail import Server, eventually

USER = user_key("writer")
PAST = datetime(2026, 1, 1, tzinfo=timezone.utc)
BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    text = config([ADMIN, USER], delivery_interval="1s", digest_interval="2s", lifecycle_interval="1s")
    server = Server(tmp_path_factory.mktemp("configuration"), text, "--bare").start()
    yield server
    server.stop()


class Cli(AwsCli):
    key = ADMIN

    def json(self, *arguments):
        printed = self.execute("s3api", *arguments)
        return json.loads(printed) if printed.strip() else {}

    def endpoint_everywhere(self):
        return super().environment() | {"AWS_ENDPOINT_URL": self.endpoint}


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def expire(**action):
    return {"Rules": [{"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, **action}]}


def put_rules(s3, bucket, **action):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=expire(**action))


def keys(s3, bucket):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_the_bucket_of_a_template(server):
    """The properties that CloudFormation puts on a log bucket, one after the other, as they are after a restart."""
    s3 = server.boto("s3")
    bucket = "of-a-template"
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(BLOCK, True))
    rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    actions = {
        "Expiration": {"Days": 90},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    put_rules(s3, bucket, **actions)
    tags = [{"Key": "team", "Value": "audit"}, {"Key": "7", "Value": "8"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert 'rule-id="expire"' in put["Expiration"]
    server.stop()
    server.start()
    s3 = server.boto("s3")
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == dict.fromkeys(BLOCK, True)
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == rules
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == expire(**actions)["Rules"]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    assert s3.head_object(Bucket=bucket, Key="k")["Expiration"] == put["Expiration"]
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refused(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == "NoSuchLifecycleConfiguration"
    s3.delete_public_access_block(Bucket=bucket)
    assert refused(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert refused(s3.get_bucket_ownership_controls, Bucket=bucket) == "OwnershipControlsNotFoundError"


def test_the_command_line(server, tmp_path):
    cli, bucket = Cli(server.url, tmp_path), "cli-configured"
    cli.make_bucket(bucket)
    where = ("--bucket", bucket)
    block = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=false"
    cli.json("put-public-access-block", *where, "--public-access-block-configuration", block)
    shown = cli.json("get-public-access-block", *where)["PublicAccessBlockConfiguration"]
    assert shown == dict.fromkeys(BLOCK[:3], True) | {"RestrictPublicBuckets": False}
    cli.json("put-bucket-ownership-controls", *where, "--ownership-controls", "Rules=[{ObjectOwnership=BucketOwnerPreferred}]")
    shown = cli.json("get-bucket-ownership-controls", *where)
    assert shown == {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}}
    cli.json("put-bucket-tagging", *where, "--tagging", "TagSet=[{Key=a,Value=b}]")
    assert cli.json("get-bucket-tagging", *where) == {"TagSet": [{"Key": "a", "Value": "b"}]}
    rules = expire(Expiration={"Days": 1})
    cli.json("put-bucket-lifecycle-configuration", *where, "--lifecycle-configuration", json.dumps(rules))
    assert cli.json("get-bucket-lifecycle-configuration", *where)["Rules"] == rules["Rules"]
    for operation in ("lifecycle", "tagging", "ownership-controls"):
        cli.json(f"delete-bucket-{operation}", *where)
    cli.json("delete-public-access-block", *where)
    cli.remove_bucket(bucket)


def test_objects_and_versions_expire(server):
    s3 = server.boto("s3")
    plain, versioned = "expires-plain", "expires-versioned"
    for bucket in (plain, versioned):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Enabled"})
    for bucket in (plain, versioned):
        for key in ("logs/1", "logs/2", "kept"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 100_000)
        rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Date": PAST}}
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    for bucket in (plain, versioned):
        eventually(lambda bucket=bucket: keys(s3, bucket) == ["kept"], f"objects of {bucket} expire")
    assert "DeleteMarkers" not in s3.list_object_versions(Bucket=plain)
    left = s3.list_object_versions(Bucket=versioned)
    assert [marker["Key"] for marker in left["DeleteMarkers"]] == ["logs/1", "logs/2"]
    assert len(left["Versions"]) == 3, "what is behind the markers stays"
    server.stop()
    server.start()
    assert keys(server.boto("s3"), plain) == ["kept"]


def test_rules_that_are_refused(server):
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="refused-rules")

    def put(**action):
        return refused(
            s3.put_bucket_lifecycle_configuration, Bucket="refused-rules", LifecycleConfiguration=expire(**action)
        )

    assert put() == "InvalidRequest"
    assert put(Expiration={"Days": 0}) == "InvalidArgument"
    assert put(Expiration={"Date": datetime(2026, 1, 1, 1, tzinfo=timezone.utc)}) == "InvalidArgument"
    assert put(Transitions=[{"Days": 30, "StorageClass": "GLACIER"}]) == "NotImplemented"
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    for call, arguments in (
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": encryption}),
        (s3.put_bucket_logging, {"BucketLoggingStatus": {}}),
        (s3.put_bucket_notification_configuration, {"NotificationConfiguration": {}}),
    ):
        assert refused(call, Bucket="refused-rules", **arguments) == "NotImplemented"
    tags = {"TagSet": [{"Key": "aws:cloudformation:stack-name", "Value": "x"}]}
    assert refused(s3.put_bucket_tagging, Bucket="refused-rules", Tagging=tags) == "InvalidTag"
    acl = {"Bucket": "refused-rules", "ACL": "public-read"}
    assert refused(s3.put_bucket_acl, **acl) == "AccessControlListNotSupported"
    assert refused(s3.put_object, Key="k", Body=b"", **acl) == "AccessControlListNotSupported"
    assert refused(s3.create_bucket, Bucket="another-bucket", ACL="public-read") == "InvalidBucketAclWithObjectOwnership"


def test_public_policies(server):
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="public-policy")
    policy = document(statement("Allow", "*", "s3:GetObject", "arn:aws:s3:::public-policy/*"))
    assert refused(s3.put_bucket_policy, Bucket="public-policy", Policy=policy) == "AccessDenied"
    s3.delete_public_access_block(Bucket="public-policy")
    s3.put_bucket_policy(Bucket="public-policy", Policy=policy)
    assert s3.get_bucket_policy_status(Bucket="public-policy")["PolicyStatus"]["IsPublic"] is True


def logging(server, bucket, name):
    s3, trails = server.boto("s3"), server.boto("cloudtrail")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    allow_trails(s3, bucket)
    trails.create_trail(Name=name, S3BucketName=bucket, EnableLogFileValidation=True)
    trails.start_logging(Name=name)
    return s3, trails


def test_log_buckets_are_not_configured_with_keys_for_s3(server):
    theirs = server.boto("s3", USER)
    bucket = "guarded-logs"
    s3 = server.boto("s3")
    s3.create_bucket(Bucket=bucket)
    # Before there are any logs, rules of theirs are as good as any; afterwards they do not hold.
    put_rules(theirs, bucket, Expiration={"Date": PAST})
    s3.put_object(Bucket=bucket, Key="own", Body=b"")
    eventually(lambda: keys(s3, bucket) == [], "their rule is applied")
    assert refused(theirs.delete_public_access_block, Bucket=bucket) == "AccessDenied"
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    assert refused(theirs.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=controls) == "AccessDenied"
    allow_trails(s3, bucket)
    trails = server.boto("cloudtrail")
    trails.create_trail(Name="guarded", S3BucketName=bucket)
    trails.start_logging(Name="guarded")
    logs = eventually(lambda: keys(s3, bucket), "a log file is delivered")
    time.sleep(2.5)
    assert set(logs) <= set(keys(s3, bucket)), "some passes later it is still there"

    def all_refused():
        suspended = {"Status": "Suspended"}
        assert refused(theirs.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=suspended) == "AccessDenied"
        rules = expire(Expiration={"Date": PAST})
        put = theirs.put_bucket_lifecycle_configuration
        assert refused(put, Bucket=bucket, LifecycleConfiguration=rules) == "AccessDenied"
        assert refused(theirs.delete_bucket_lifecycle, Bucket=bucket) == "AccessDenied"
        assert refused(theirs.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": []}) == "AccessDenied"
        assert refused(theirs.delete_object, Bucket=bucket, Key=logs[0], VersionId="null") == "AccessDenied"

    all_refused()
    trails.delete_trail(Name="guarded")
    all_refused()
    put_rules(s3, bucket, Expiration={"Date": PAST})
    eventually(lambda: keys(s3, bucket) == [], "log files expire by an administrator's rule")


def test_a_versioned_log_bucket_validates(server, tmp_path):
    started = datetime.now(timezone.utc)
    bucket = "versioned-logs"
    s3, trails = logging(server, bucket, "validated")

    def digests():
        return [key for key in keys(s3, bucket) if "CloudTrail-Digest" in key]

    eventually(lambda: len(digests()) >= 2 and len(keys(s3, bucket)) > len(digests()), "log files and digests", 40)
    arn = trails.get_trail(Name="validated")["Trail"]["TrailARN"]
    cli = Cli(server.url, tmp_path)
    cli.environment = cli.endpoint_everywhere
    cli.flags = lambda: []
    since = started.strftime("%Y-%m-%dT%H:%M:%SZ")
    said = cli.execute("cloudtrail", "validate-logs", "--trail-arn", arn, "--start-time", since).decode()
    assert "digest files valid" in said and "INVALID" not in said, said
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert all(entry["IsLatest"] and entry["VersionId"] != "null" for entry in versions)
    trails.delete_trail(Name="validated")


def test_records_show_what_was_configured(server):
    s3, trails = server.boto("s3"), server.boto("cloudtrail")
    bucket = "shown-in-records"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put_rules(s3, bucket, Expiration={"Days": 30})
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "n", "Value": "1"}]})
    s3.delete_public_access_block(Bucket=bucket)
    s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    expected = {
        "PutBucketVersioning": ("VersioningConfiguration", {"Status": "Enabled"}),
        "PutBucketLifecycle": ("LifecycleConfiguration", {"Rule": {"ID": "expire", "Status": "Enabled", "Expiration": {"Days": 30}}}),
        "PutBucketPublicAccessBlock": ("PublicAccessBlockConfiguration", {"BlockPublicAcls": True}),
        "PutBucketOwnershipControls": ("OwnershipControls", {"Rule": {"ObjectOwnership": "ObjectWriter"}}),
        "PutBucketTagging": ("Tagging", {"TagSet": {"Tag": {"Key": "n", "Value": "1"}}}),
        "DeleteBucketPublicAccessBlock": (None, None),
        "GetBucketLifecycle": (None, None),
    }
    resource = [{"AttributeKey": "ResourceName", "AttributeValue": bucket}]

    def records():
        found = trails.lookup_events(LookupAttributes=resource)["Events"]
        shown = {event["EventName"]: json.loads(event["CloudTrailEvent"]) for event in found}
        return shown if shown.keys() >= expected.keys() else None

    shown = eventually(records, "a record of each")
    for name, (member, document) in expected.items():
        parameters = shown[name]["requestParameters"]
        assert parameters["bucketName"] == bucket
        if member:
            given = dict(parameters[member])
            assert given.pop("xmlns") == "http://s3.amazonaws.com/doc/2006-03-01/"
            if name == "PutBucketLifecycle":
                given["Rule"] = {key: value for key, value in given["Rule"].items() if key != "Filter"}
            assert given == document, name
