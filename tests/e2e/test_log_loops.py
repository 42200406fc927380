"""Logs that feed themselves, and the ways not to let them ("Suppressing recursive events" in the CloudTrail user guide)."""

import gzip
import json

from policies import allow_trails
from sigtrail import eventually

WATCHED = "watched"
# Each trail delivers into the bucket of its own name, and watches it too, as far as its selectors go.
TRAILS = ("suppressed", "excluded", "prefixed", "recursive")
INTERVALS = 4


def basic(*prefixes):
    resources = {"Type": "AWS::S3::Object", "Values": list(prefixes)}
    return {"EventSelectors": [{"IncludeManagementEvents": False, "DataResources": [resources]}]}


def all_but(*buckets):
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "NotStartsWith": [f"arn:aws:s3:::{bucket}/" for bucket in buckets]},
    ]
    return {"AdvancedEventSelectors": [{"FieldSelectors": fields}]}


SELECTORS = {
    "suppressed": basic("arn:aws:s3"),
    "excluded": all_but("excluded", "recursive", "prefixed", "suppressed"),
    "prefixed": basic(f"arn:aws:s3:::{WATCHED}/", "arn:aws:s3:::prefixed/data/"),
    "recursive": basic(f"arn:aws:s3:::{WATCHED}/", "arn:aws:s3:::recursive/"),
}


def files_of(s3, bucket):
    """The records of each file of a bucket, by key, in the order of delivery."""
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = [entry["Key"] for entry in sorted(listed, key=lambda entry: entry["LastModified"])]
    bodies = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    return {key: json.loads(gzip.decompress(body))["Records"] for key, body in bodies.items()}


def test_logs_do_not_feed_themselves(start):
    server = start("--bare", delivery_interval="1s")
    s3, trails = server.boto("s3"), server.boto("cloudtrail")
    s3.create_bucket(Bucket=WATCHED)
    for name in TRAILS:
        s3.create_bucket(Bucket=name)
        allow_trails(s3, name)
        said = {"RecursiveLogging": False} if name == "suppressed" else {}
        trails.create_trail(Name=name, S3BucketName=name, **said)
        trails.put_event_selectors(TrailName=name, **SELECTORS[name])
        trails.start_logging(Name=name)
    s3.put_object(Bucket=WATCHED, Key="k", Body=b"the one request")

    # All trails deliver in turn, so that each delivery of the one that feeds itself is a chance for the others.
    deliveries = set()

    def look():
        deliveries.add(trails.get_trail_status(Name="recursive").get("LatestDeliveryTime"))
        return len(deliveries - {None}) >= INTERVALS

    eventually(look, f"{INTERVALS} files of the trail that records its own deliveries", 60)
    for name in TRAILS:
        trails.stop_logging(Name=name)
    for name in ("suppressed", "excluded", "prefixed"):
        (records,) = files_of(s3, name).values()
        assert [record["requestParameters"]["bucketName"] for record in records] == [WATCHED], name
    check_recursion(files_of(s3, "recursive"))


def check_recursion(files):
    """Each file but the first has one record: the delivery of the file before it."""
    assert len(files) >= INTERVALS
    records = [record for content in files.values() for record in content]
    assert len(records) == len(files), "one record in each file"
    about = [record["requestParameters"]["key"] for record in records]
    assert about[0] == "k" and set(about[1:]) <= set(files)
    assert len(set(about)) == len(about), "no delivery is told of twice"
    assert all(record["userIdentity"]["invokedBy"] == "cloudtrail.amazonaws.com" for record in records[1:])
