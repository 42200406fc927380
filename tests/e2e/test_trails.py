"""Trails through boto3: what the walk by hand does not touch."""

import uuid

import pytest
from botocore.exceptions import ClientError

from policies import allow_trails
from test_refusals import PLAIN


def test_update_and_list(server, bucket):
    trails = server.boto("cloudtrail")
    name = f"e2e-{uuid.uuid4().hex[:12]}"
    s3 = server.boto("s3")
    allow_trails(s3, bucket)
    arn = trails.create_trail(Name=name, S3BucketName=bucket)["TrailARN"]
    try:
        assert {"TrailARN": arn, "Name": name, "HomeRegion": "us-east-1"} in trails.list_trails()["Trails"]
        with pytest.raises(ClientError) as refused:
            trails.update_trail(Name=arn, S3KeyPrefix="audit")
        assert refused.value.response["Error"]["Code"] == "InsufficientS3BucketPolicyException"
        allow_trails(s3, bucket, prefix="audit")
        updated = trails.update_trail(Name=arn, S3KeyPrefix="audit", IsMultiRegionTrail=True)
        assert (updated["S3KeyPrefix"], updated["S3BucketName"], updated["IsMultiRegionTrail"]) == ("audit", bucket, True)
        described = trails.get_trail(Name=name)["Trail"]
        assert (described["S3KeyPrefix"], described["IsMultiRegionTrail"]) == ("audit", True)
        elsewhere = server.boto("cloudtrail", region="eu-central-1")
        shadows = elsewhere.describe_trails()["trailList"]
        assert name in {trail["Name"] for trail in shadows}, "a trail of all regions shows in each of them"
        with pytest.raises(ClientError) as refused:
            elsewhere.stop_logging(Name=name)
        assert refused.value.response["Error"]["Code"] == "InvalidHomeRegionException"
        with pytest.raises(ClientError) as refused:
            trails.update_trail(Name=name, S3BucketName="no-such-bucket-anywhere")
        assert refused.value.response["Error"]["Code"] == "S3BucketDoesNotExistException"
    finally:
        trails.delete_trail(Name=name)
    with pytest.raises(ClientError) as gone:
        trails.get_trail_status(Name=name)
    assert gone.value.response["Error"]["Code"] == "TrailNotFoundException"


def test_the_detector_sees_every_region(server, detector):
    """A rule sees the events of its own region only, so each region that has a bucket gets one; the queue is one."""
    name = f"e2e-{uuid.uuid4().hex[:20]}"
    server.boto("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    server.boto("s3", PLAIN, signature_version="s3").put_object(Bucket=name, Key="k", Body=b"far away")
    (record,) = [one for one in detector.wait_for(PLAIN, {("PutObject", name)}) if one["requestParameters"]["bucketName"] == name]
    assert record["awsRegion"] == "ap-south-1"
    assert server.boto("s3").get_bucket_location(Bucket=name)["LocationConstraint"] == "ap-south-1"
    rules = server.boto("events", region="ap-south-1").list_rules()["Rules"]
    assert [rule["Name"] for rule in rules] == ["sigtrail-sigv2"]
