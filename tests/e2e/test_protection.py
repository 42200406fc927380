"""What a key for S3 cannot do: make up regions, reach log files of a trail that is gone, change who may read them."""

import json

import pytest
from botocore.exceptions import ClientError

from keys import ACCOUNT, ADMIN, config, user_key
from policies import allow_trails, document, statement, trail_statements
from sigtrail import Server, eventually

MARS = "mars-north-1"
USER = user_key("writer")
BUCKET = "kept-logs"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("protection")
    server = Server(folder, config([ADMIN, USER], delivery_interval="1s"), "--bare").start()
    yield server
    server.stop()


def refused(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def test_a_region_that_there_is_not(server):
    for key in (USER, ADMIN):
        sts, trails, s3 = (server.boto(service, key, region=MARS) for service in ("sts", "cloudtrail", "s3"))
        assert refused(sts.get_caller_identity) == "SignatureDoesNotMatch"
        assert refused(trails.list_trails) == "InvalidSignatureException"
        assert refused(s3.list_buckets) == "AuthorizationHeaderMalformed"
    constraint = {"LocationConstraint": MARS}
    create = server.boto("s3").create_bucket
    assert refused(create, Bucket="mars", CreateBucketConfiguration=constraint) == "InvalidLocationConstraint"
    assert server.boto("sts", region="eu-south-2").get_caller_identity()["Account"] == ACCOUNT


def test_log_files_of_a_trail_that_moved_or_is_gone(server):
    s3, theirs, trails = server.boto("s3"), server.boto("s3", USER), server.boto("cloudtrail")
    for bucket in (BUCKET, "next-logs"):
        s3.create_bucket(Bucket=bucket)
        allow_trails(s3, bucket)
    trails.create_trail(Name="moving", S3BucketName=BUCKET)
    trails.start_logging(Name="moving")
    key = eventually(lambda: s3.list_objects_v2(Bucket=BUCKET).get("Contents"), "a log file is delivered")[0]["Key"]

    def is_protected():
        assert refused(theirs.delete_object, Bucket=BUCKET, Key=key) == "AccessDenied"
        assert refused(theirs.put_object, Bucket=BUCKET, Key=key, Body=b"") == "AccessDenied"

    is_protected()
    trails.update_trail(Name="moving", S3BucketName="next-logs")
    is_protected()
    trails.delete_trail(Name="moving")
    is_protected()


def test_a_policy_is_for_administrators_and_in_the_record(server):
    s3, theirs = server.boto("s3"), server.boto("s3", USER)
    s3.create_bucket(Bucket="with-policy")
    text = document(*trail_statements("with-policy"))
    assert refused(theirs.put_bucket_policy, Bucket="with-policy", Policy=text) == "AccessDenied"
    s3.put_bucket_policy(Bucket="with-policy", Policy=text)
    assert refused(theirs.delete_bucket_policy, Bucket="with-policy") == "AccessDenied"
    broken = document(statement("Perhaps", "*", "s3:*", "*"))
    assert refused(s3.put_bucket_policy, Bucket="with-policy", Policy=broken) == "MalformedPolicy"
    put = [{"AttributeKey": "EventName", "AttributeValue": "PutBucketPolicy"}]

    def policies():
        found = server.boto("cloudtrail").lookup_events(LookupAttributes=put)["Events"]
        parameters = [json.loads(event["CloudTrailEvent"])["requestParameters"] for event in found]
        own = [given.get("bucketPolicy") for given in parameters if given["bucketName"] == "with-policy"]
        return own if len(own) == 3 else None

    # The newest first; of a call that the role forbids the body is not read.
    assert eventually(policies, "three records of policies") == [json.loads(broken), json.loads(text), None]
