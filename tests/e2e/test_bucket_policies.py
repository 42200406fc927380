"""Bucket policies through boto3 and the AWS CLI: what is taken, what it does to callers, and to the delivery of logs."""

import gzip
import json

import pytest
from botocore.exceptions import ClientError

from keys import ACCOUNT, ADMIN, ROLE, user_key
from policies import allow_trails, document, statement, trail_statements
from sigtrail import REGION, eventually
from test_pipeline_by_hand import Aws

OTHER = "444455556666"
THEIR_ADMIN = user_key("their-admin", "admin", OTHER)
THEIRS = user_key("mia", "s3", OTHER)
OURS = user_key("ours", "s3")
ALL = (ADMIN, OURS, ROLE, THEIR_ADMIN, THEIRS)
MIA = {"AWS": THEIRS.arn}
SECURE_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


def code(call, **parameters) -> str:
    """The error code of a call, "done" if it has none."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


def error(call, **parameters) -> dict:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]


@pytest.fixture
def two(start):
    """A server with two accounts, and a bucket of the first with an object in it."""
    server = start("--bare", keys=ALL, delivery_interval="1s")
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="ours")
    s3.put_object(Bucket="ours", Key="in/k", Body=b"ours")
    return server


def test_life_of_a_policy_by_the_aws_cli(two, tmp_path):
    aws = Aws(two, tmp_path)
    s3 = two.boto("s3")
    assert error(s3.get_bucket_policy, Bucket="ours")["Code"] == "NoSuchBucketPolicy"
    assert code(s3.get_bucket_policy_status, Bucket="ours") == "NoSuchBucketPolicy"
    text = json.dumps(json.loads(document(statement("Allow", MIA, "s3:GetObject", "arn:aws:s3:::ours/*"))), indent=3)
    aws("s3api", "put-bucket-policy", bucket="ours", policy=text)
    assert aws("s3api", "get-bucket-policy", bucket="ours") == {"Policy": text}
    assert aws("s3api", "get-bucket-policy-status", bucket="ours") == {"PolicyStatus": {"IsPublic": False}}
    aws("s3api", "delete-bucket-policy", bucket="ours")
    aws("s3api", "delete-bucket-policy", bucket="ours")
    assert code(s3.get_bucket_policy, Bucket="ours") == "NoSuchBucketPolicy"
    assert code(s3.put_bucket_policy, Bucket="absent", Policy=text) == "NoSuchBucket"


def test_malformed_policies(server, bucket):
    s3 = server.boto("s3")
    here = f"arn:aws:s3:::{bucket}"
    good = statement("Allow", MIA, "s3:GetObject", f"{here}/*")

    def but(**members):
        made = {**good, **members}
        return document({name: value for name, value in made.items() if value is not None})

    cases = [
        ("no json", "Policies must be valid JSON and the first byte must be '{'"),
        ("{", "This policy contains invalid Json"),
        ('{"Statement":[],"Statement":[]}', "This policy contains invalid Json"),
        (json.dumps({"Version": "2020-01-01", "Statement": [good]}), "The policy must contain a valid version string"),
        (but(Principal=None), "Missing required field Principal"),
        (but(Action=None), "Missing required field Action"),
        (but(Principal={"AWS": "nobody"}), "Invalid principal in policy"),
        (but(Principal=None, NotPrincipal=MIA), "Invalid principal in policy"),
        (but(Action="s3:Fly"), "Policy has invalid action"),
        (but(Resource="arn:aws:s3:::elsewhere/*"), "Policy has invalid resource"),
        (but(Resource="*"), "Policy has invalid resource"),
        (but(Resource=here), "Action does not apply to any resource(s) in statement"),
        (but(Condition={"StringEquals": {"aws:username": "mia"}}), "Policy has an invalid condition key"),
        (but(Condition={"ForAnyValue:StringEquals": {"aws:SourceArn": "x"}}), "Invalid Condition type : ForAnyValue:StringEquals"),
        (but(Sid="x" * 20_480), "Normalized policy document exceeds the maximum allowed size of 20480 bytes."),
    ]
    for text, message in cases:
        refused = error(s3.put_bucket_policy, Bucket=bucket, Policy=text)
        assert (refused["Code"], refused["Message"]) == ("MalformedPolicy", message), text[:200]
    detail = error(s3.put_bucket_policy, Bucket=bucket, Policy=but(Action="s3:Fly"))["Detail"]
    assert detail == 'Statement 1, Action "s3:Fly"'
    assert code(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy", "nothing was kept"


def test_public_policies_are_blocked(server, bucket):
    s3 = server.boto("s3")
    resource = f"arn:aws:s3:::{bucket}/*"
    for principal in ("*", {"AWS": "*"}):
        refused = error(
            s3.put_bucket_policy, Bucket=bucket, Policy=document(statement("Allow", principal, "s3:GetObject", resource))
        )
        assert refused["Code"] == "AccessDenied"
        assert refused["Message"].startswith(f"User: {ADMIN.arn} is not authorized to perform: s3:PutBucketPolicy")
        assert "because public policies are prevented by the BlockPublicPolicy setting" in refused["Message"]
    fixed = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    s3.put_bucket_policy(Bucket=bucket, Policy=document(statement("Allow", "*", "s3:GetObject", resource, **fixed)))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False


def test_between_accounts(two):
    s3, theirs = two.boto("s3"), two.boto("s3", THEIRS)
    get = {"Bucket": "ours", "Key": "in/k"}
    assert code(theirs.get_object, **get) == code(theirs.list_objects_v2, Bucket="ours") == "AccessDenied"
    readers = statement("Allow", MIA, ["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::ours/in/*")
    listers = statement("Allow", {"AWS": OTHER}, "s3:ListBucket", "arn:aws:s3:::ours")
    s3.put_bucket_policy(Bucket="ours", Policy=document(readers, listers))
    assert theirs.get_object(**get)["Body"].read() == b"ours"
    assert [entry["Key"] for entry in theirs.list_objects_v2(Bucket="ours")["Contents"]] == ["in/k"]
    theirs.put_object(Bucket="ours", Key="in/hers", Body=b"hers")
    # What she writes belongs to the bucket's owner.
    assert s3.get_object(Bucket="ours", Key="in/hers")["Body"].read() == b"hers"
    s3.delete_object(Bucket="ours", Key="in/hers")
    other = two.boto("s3", THEIR_ADMIN)
    assert code(other.list_objects_v2, Bucket="ours") == "done", "the account was given the list"
    assert code(other.get_object, **get) == "AccessDenied", "the object only to one of its users"
    assert code(theirs.put_object, Bucket="ours", Key="out", Body=b"") == "AccessDenied"
    assert code(theirs.delete_object, **get) == "AccessDenied"
    assert code(theirs.get_object, **get, ExpectedBucketOwner=OTHER) == "AccessDenied"
    for call in (theirs.get_bucket_policy, theirs.delete_bucket_policy):
        assert code(call, Bucket="ours") == "AccessDenied"
    deny = statement("Deny", MIA, "s3:*", ["arn:aws:s3:::ours", "arn:aws:s3:::ours/*"])
    s3.put_bucket_policy(Bucket="ours", Policy=document(readers, listers, deny))
    assert code(theirs.get_object, **get) == code(theirs.list_objects_v2, Bucket="ours") == "AccessDenied"


def test_a_deny_holds_for_the_owners_own(two):
    s3, ours = two.boto("s3"), two.boto("s3", OURS)
    everything = statement("Deny", "*", "s3:*", ["arn:aws:s3:::ours", "arn:aws:s3:::ours/*"])
    s3.put_bucket_policy(Bucket="ours", Policy=document(everything))
    refused = error(ours.get_object, Bucket="ours", Key="in/k")
    assert refused["Code"] == "AccessDenied" and "explicit deny in a resource-based policy" in refused["Message"]
    assert code(ours.delete_bucket_policy, Bucket="ours") == "AccessDenied"
    assert code(s3.get_object, Bucket="ours", Key="in/k") == "AccessDenied"
    # An administrator does not lock himself out.
    assert json.loads(s3.get_bucket_policy(Bucket="ours")["Policy"])["Statement"] == [everything]
    s3.delete_bucket_policy(Bucket="ours")
    assert code(ours.get_object, Bucket="ours", Key="in/k") == "done"


def test_a_role_stands_for_its_sessions(two):
    s3, session, ours = two.boto("s3"), two.boto("s3", ROLE), two.boto("s3", OURS)
    role = ROLE.identity["session_issuer"]["arn"]
    get = {"Bucket": "ours", "Key": "in/k"}
    for principal, condition in [
        ({"AWS": role}, {}),
        ({"AWS": ROLE.arn}, {}),
        ("*", {"ArnEquals": {"aws:PrincipalArn": role}}),
    ]:
        deny = statement("Deny", principal, "s3:GetObject", "arn:aws:s3:::ours/*", **condition)
        s3.put_bucket_policy(Bucket="ours", Policy=document(deny))
        assert code(session.get_object, **get) == "AccessDenied", principal
        assert code(ours.get_object, **get) == "done", principal


def test_secure_transport(start):
    plain = start("--bare", keys=ALL)
    s3 = plain.boto("s3")
    s3.create_bucket(Bucket="ours")
    s3.put_object(Bucket="ours", Key="k", Body=b"x")
    deny = statement("Deny", "*", "s3:*", ["arn:aws:s3:::ours", "arn:aws:s3:::ours/*"], **SECURE_ONLY)
    s3.put_bucket_policy(Bucket="ours", Policy=document(deny))
    for call, parameters in [
        ("get_object", {"Key": "k"}),
        ("head_object", {"Key": "k"}),
        ("put_object", {"Key": "k"}),
        ("list_objects_v2", {}),
        ("create_multipart_upload", {"Key": "k"}),
    ]:
        assert code(getattr(s3, call), Bucket="ours", **parameters) in {"AccessDenied", "403"}, call
    plain.stop()
    secure = start("--bare", "--tls-self-signed", keys=ALL)
    assert secure.boto("s3").get_object(Bucket="ours", Key="k")["Body"].read() == b"x"


def test_a_trail_needs_a_policy(two, tmp_path):
    s3, trails = two.boto("s3"), two.boto("cloudtrail")
    s3.create_bucket(Bucket="logs")
    arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
    create = {"Name": "audit", "S3BucketName": "logs"}

    def refusal(call, **parameters):
        refused = error(call, **parameters)
        assert refused["Message"] == "Incorrect S3 bucket policy is detected for bucket: logs"
        return refused["Code"]

    assert refusal(trails.create_trail, **create) == "InsufficientS3BucketPolicyException"
    acl, write = trail_statements("logs", **{"aws:SourceArn": arn})
    for incomplete in ([acl], [write], trail_statements("logs", account=OTHER)):
        s3.put_bucket_policy(Bucket="logs", Policy=document(*incomplete))
        assert refusal(trails.create_trail, **create) == "InsufficientS3BucketPolicyException"
    s3.put_bucket_policy(Bucket="logs", Policy=document(acl, write))
    assert refusal(trails.create_trail, Name="other", S3BucketName="logs") == "InsufficientS3BucketPolicyException"
    assert code(trails.create_trail, Name="other", S3BucketName="absent") == "S3BucketDoesNotExistException"
    assert Aws(two, tmp_path)("cloudtrail", "create-trail", name="audit", s3_bucket_name="logs")["TrailARN"] == arn
    assert refusal(trails.update_trail, Name="audit", S3KeyPrefix="p") == "InsufficientS3BucketPolicyException"
    assert "S3KeyPrefix" not in trails.get_trail(Name="audit")["Trail"], "a refused call changes nothing"
    # Without bucket and prefix nothing is looked at.
    s3.delete_bucket_policy(Bucket="logs")
    trails.update_trail(Name="audit", IsMultiRegionTrail=True)


def names_of_created(s3, bucket) -> list[str]:
    """The buckets whose CreateBucket stands in the log files, once for each record."""
    names = []
    for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        content = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        records = json.loads(gzip.decompress(content))["Records"]
        names += [r["requestParameters"]["bucketName"] for r in records if r["eventName"] == "CreateBucket"]
    return names


def test_logs_in_another_accounts_bucket(two):
    """Delivered while the policy lets them; kept while it does not; each record once in the end."""
    s3, trails = two.boto("s3"), two.boto("cloudtrail")
    theirs = two.boto("s3", THEIR_ADMIN)
    theirs.create_bucket(Bucket="vault")
    assert code(trails.create_trail, Name="audit", S3BucketName="vault") == "InsufficientS3BucketPolicyException"
    allow_trails(theirs, "vault", **{"aws:SourceAccount": ACCOUNT})
    trails.create_trail(Name="audit", S3BucketName="vault")
    trails.start_logging(Name="audit")
    s3.create_bucket(Bucket="made-first")
    eventually(lambda: names_of_created(theirs, "vault") == ["made-first"], "the record is delivered")
    assert "LatestDeliveryError" not in trails.get_trail_status(Name="audit")
    assert code(s3.list_objects_v2, Bucket="vault") == "AccessDenied", "the trail's account reads nothing there"

    theirs.delete_bucket_policy(Bucket="vault")
    s3.create_bucket(Bucket="made-meanwhile")
    status = eventually(
        lambda: (s := trails.get_trail_status(Name="audit")).get("LatestDeliveryError") and s, "the failure is reported"
    )
    assert status["LatestDeliveryError"] == "AccessDenied"
    assert names_of_created(theirs, "vault") == ["made-first"]

    allow_trails(theirs, "vault", **{"aws:SourceAccount": ACCOUNT})
    s3.create_bucket(Bucket="made-last")
    wanted = ["made-first", "made-last", "made-meanwhile"]
    eventually(lambda: sorted(names_of_created(theirs, "vault")) == wanted, "what was kept is delivered, once")
    eventually(lambda: not trails.get_trail_status(Name="audit").get("LatestDeliveryError"), "the failure is over")


def test_a_bucket_that_is_gone(two):
    s3, trails = two.boto("s3"), two.boto("cloudtrail")
    s3.create_bucket(Bucket="logs")
    allow_trails(s3, "logs")
    trails.create_trail(Name="audit", S3BucketName="logs")
    s3.delete_bucket(Bucket="logs")
    trails.start_logging(Name="audit")
    s3.create_bucket(Bucket="made-meanwhile")
    reported = lambda: trails.get_trail_status(Name="audit").get("LatestDeliveryError")
    eventually(lambda: reported() == "NoSuchBucket", "the failure is reported")
    s3.create_bucket(Bucket="logs")
    eventually(lambda: reported() == "AccessDenied", "a new bucket has no policy")
    allow_trails(s3, "logs")
    eventually(lambda: sorted(names_of_created(s3, "logs")) == ["logs", "made-meanwhile"], "what was kept is delivered")


def test_the_detectors_bucket(start):
    """It gets the documented policy, also if an earlier version made it; who takes it away keeps it away."""
    logs = f"sigtrail-logs-{ACCOUNT}"
    arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/sigtrail-sigv2"
    server = start("--bare", keys=(ADMIN,))
    server.boto("s3").create_bucket(Bucket=logs)
    server.stop()
    server = start(keys=(ADMIN,))
    s3 = server.boto("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=logs)["Policy"])
    bare = [{name: value for name, value in found.items() if name != "Sid"} for found in policy["Statement"]]
    assert bare == trail_statements(logs, **{"aws:SourceArn": arn})
    eventually(lambda: s3.list_objects_v2(Bucket=logs).get("Contents"), "log files are delivered")
    s3.delete_bucket_policy(Bucket=logs)
    server.stop()
    s3 = start(keys=(ADMIN,)).boto("s3")
    assert code(s3.get_bucket_policy, Bucket=logs) == "NoSuchBucketPolicy"
