"""What was acknowledged before a trail changed is recorded as the trail was then, however far behind the pipeline is."""

import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from policies import allow_send, allow_trails, rule_arn
from sigtrail import eventually
from test_log_files import log_records

RULES = 60
TARGETS = 5
PUTS = 800
BUCKET = "in-order"


def slow_down(server):
    """Rules and queues that keep the pipeline busy for longer than the requests take that it is to follow."""
    queues, rules = server.boto("sqs"), server.boto("events")
    arns = []
    for number in range(TARGETS):
        url = queues.create_queue(QueueName=f"q{number}")["QueueUrl"]
        answer = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arns.append(answer["Attributes"]["QueueArn"])
        allow_send(queues, url, rule_arn("r*"))
    pattern = json.dumps({"source": ["aws.s3"], "detail": {"eventName": ["PutObject"]}})
    targets = [{"Id": str(number), "Arn": arn} for number, arn in enumerate(arns)]
    for number in range(RULES):
        rules.put_rule(Name=f"r{number}", EventPattern=pattern)
        assert rules.put_targets(Rule=f"r{number}", Targets=targets)["FailedEntryCount"] == 0


def make_trail(server, name="in-order"):
    trails = server.boto("cloudtrail")
    trails.create_trail(Name=name, S3BucketName=f"{BUCKET}-logs")
    objects = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{BUCKET}/"]}
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [objects]}
    trails.put_event_selectors(TrailName=name, EventSelectors=[selector])
    trails.start_logging(Name=name)
    return trails


def put_many(server):
    s3 = server.boto("s3")
    keys = [f"k{number}" for number in range(PUTS)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: s3.put_object(Bucket=BUCKET, Key=key, Body=b"x"), keys))
    return set(keys)


def keys_in(records):
    puts = [record for record in records if record["eventName"] == "PutObject"]
    keys = [put["requestParameters"]["key"] for put in puts if put["requestParameters"]["bucketName"] == BUCKET]
    assert len(keys) == len(set(keys)), "each is recorded once"
    return set(keys)


def stop(trails):
    trails.stop_logging(Name="in-order")


def choose_nothing_more(trails):
    trails.put_event_selectors(TrailName="in-order", EventSelectors=[{"ReadWriteType": "All", "DataResources": []}])


@pytest.fixture
def busy(start):
    server = start("--bare", delivery_interval="2s")
    s3 = server.boto("s3")
    for bucket in (BUCKET, f"{BUCKET}-logs"):
        s3.create_bucket(Bucket=bucket)
    allow_trails(s3, f"{BUCKET}-logs")
    slow_down(server)
    return server


@pytest.mark.parametrize("change", [stop, choose_nothing_more])
def test_a_change_of_a_trail_holds_for_what_comes_after_it(busy, change):
    trails = make_trail(busy)
    wanted = put_many(busy)
    change(trails)
    busy.boto("s3").put_object(Bucket=BUCKET, Key="after", Body=b"x")
    eventually(lambda: wanted <= keys_in(log_records(busy)) or None, "all requests before it are in log files", 90)
    records = log_records(busy)
    assert keys_in(records) == wanted, "what came after the change is not"
    if change is stop:
        # The last event of the trail that it stops; it may be in a later file.
        stops = lambda: [record for record in log_records(busy) if record["eventName"] == "StopLogging"]  # noqa: E731
        assert len(eventually(stops, "the stop is in a log file")) == 1


def test_what_waits_is_delivered_before_a_trail_is_deleted(busy):
    trails = make_trail(busy)
    s3, wanted = busy.boto("s3"), put_many(busy)
    trails.delete_trail(Name="in-order")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=f"{BUCKET}-logs")
    names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    bodies = [s3.get_object(Bucket=f"{BUCKET}-logs", Key=name)["Body"].read() for name in names]
    records = [record for body in bodies for record in json.loads(gzip.decompress(body))["Records"]]
    assert keys_in(records) == wanted
    assert "DeleteTrail" not in {record["eventName"] for record in records}, "the trail's own deletion is after its end"


def test_what_a_bucket_refuses_is_counted_when_the_trail_is_deleted(start):
    server = start("--bare", delivery_interval="1h")
    s3 = server.boto("s3")
    for bucket in (BUCKET, f"{BUCKET}-logs"):
        s3.create_bucket(Bucket=bucket)
    allow_trails(s3, f"{BUCKET}-logs")
    trails = make_trail(server)
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    s3.delete_bucket_policy(Bucket=f"{BUCKET}-logs")
    trails.delete_trail(Name="in-order")
    metrics = requests.get(f"{server.url}/_sigtrail/metrics").text
    (count,) = re.findall(r"^sigtrail_log_file_records_undelivered_total (\d+)$", metrics, re.M)
    assert int(count) >= 2, "the object and StartLogging at least"
