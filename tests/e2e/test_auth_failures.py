"""`record_auth_failures`: what failed authentication goes to trails and rules where the configuration says so, else nowhere."""

import json
import re
import time

import pytest
import requests
from botocore.exceptions import ClientError

from keys import ACCOUNT, ADMIN
from policies import allow_trails, queue_arn, queue_policy, rule_arn
from raw import Request, json_request
from sigtrail import REGION, eventually, run
from test_log_files import log_records

LOGS = "auth-failure-logs"
FORGER = type(ADMIN)(ADMIN.access_key_id, "admin", "forger", secret_access_key="not-the-secret", identity=ADMIN.identity)
KEPT_PER_ADDRESS, WINDOW_SECONDS = 100, 60
# What boto3 puts into a form is not in the head, and is not believed.
FORGED = {
    "cloudtrail": ("stop_logging", {"Name": "all"}, "StopLogging"),
    "events": ("put_rule", {"Name": "forged", "EventPattern": '{"source": ["a"]}'}, "PutRule"),
    "sns": ("create_topic", {"Name": "forged"}, "UnknownOperation"),
    "sqs": ("create_queue", {"QueueName": "forged"}, "CreateQueue"),
    "sts": ("get_caller_identity", {}, "UnknownOperation"),
}


def watched(start, **cloudtrail):
    """A server with a trail of management events, and a queue that gets what a rule sees of nobody's and of SQS's calls."""
    server = start("--bare", **cloudtrail)
    s3, trails, sqs, events = (server.boto(name) for name in ("s3", "cloudtrail", "sqs", "events"))
    s3.create_bucket(Bucket=LOGS)
    allow_trails(s3, LOGS)
    trails.create_trail(Name="all", S3BucketName=LOGS)
    trails.start_logging(Name="all")
    policy = queue_policy(queue_arn("seen"), rule_arn("nobody"))
    url = sqs.create_queue(QueueName="seen", Attributes={"Policy": policy})["QueueUrl"]
    pattern = {"detail": {"$or": [{"userIdentity": {"type": ["Unknown"]}}, {"eventName": ["TagQueue"]}]}}
    events.put_rule(Name="nobody", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="nobody", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:seen"}])
    return server, url


def forge(server):
    """A call to each service with a wrong secret; the codes that they are refused with, by service."""
    codes = {}
    for service, (call, parameters, _) in FORGED.items():
        with pytest.raises(ClientError) as refused:
            getattr(server.boto(service, FORGER), call)(**parameters)
        codes[service] = refused.value.response["Error"]["Code"]
        assert codes[service] in {"SignatureDoesNotMatch", "InvalidSignatureException"}
    return codes


def pull(server, url):
    """The records in the queue, which are then gone from it."""
    sqs, records = server.boto("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        records += [json.loads(message["Body"])["detail"] for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return records


def unproven(records):
    return [record for record in records if record["userIdentity"]["type"] == "Unknown"]


def assert_not_in_history(server):
    events = server.boto("cloudtrail").get_paginator("lookup_events").paginate().search("Events[].CloudTrailEvent")
    records = [json.loads(event) for event in events]
    assert any(record["eventName"] == "CreateQueue" for record in records)
    assert unproven(records) == []


def assert_not_a_caller(server):
    """The report is about SigV2, with `--refused` as without."""
    for flags in [(), ("--refused",)]:
        done = run("callers", "--endpoint", server.url, "--format", "json", *flags)
        assert (done.returncode, json.loads(done.stdout)["callers"]) == (0, []), done.stderr


def test_they_are_recorded_where_the_configuration_says_so(start):
    server, url = watched(start, record_auth_failures=True)
    codes = forge(server)
    count = len(FORGED)
    in_files = eventually(lambda: len(found := unproven(log_records(server))) >= count and found, "log files", 30)
    assert {record["eventSource"].split(".")[0]: record["eventName"] for record in in_files} == {
        service: event for service, (_, _, event) in FORGED.items()
    }
    for record in in_files:
        assert record["userIdentity"] == {"type": "Unknown"}
        assert record["additionalEventData"] == {"claimedAccessKeyId": ADMIN.access_key_id}
        assert (record["requestParameters"], record["responseElements"]) == (None, None)
        assert record["errorCode"] == codes[record["eventSource"].split(".")[0]] and record["errorMessage"]
        assert (record["sourceIPAddress"], record["awsRegion"]) == ("127.0.0.1", REGION)
        assert record["userAgent"].startswith("Boto3/") and record["recipientAccountId"] == ACCOUNT
        assert (record["managementEvent"], record["eventCategory"]) == (True, "Management")
        text = json.dumps(record)
        assert "forged" not in text and "not-the-secret" not in text and ADMIN.secret_access_key not in text
    by_rule = []
    eventually(lambda: by_rule.extend(pull(server, url)) or len(by_rule) >= count, "the queue", 30)
    assert sorted(by_rule, key=lambda record: record["eventID"]) == sorted(in_files, key=lambda record: record["eventID"])
    assert server.boto("cloudtrail").get_trail_status(Name="all")["IsLogging"] is True
    assert_not_in_history(server)
    assert_not_a_caller(server)


def test_else_they_go_nowhere(start):
    server, url = watched(start)
    forge(server)
    # What comes after them is in the same places.
    server.boto("sqs").tag_queue(QueueUrl=url, Tags={"a": "b"})
    by_rule = eventually(lambda: pull(server, url), "the queue", 30)
    assert [record["eventName"] for record in by_rule] == ["TagQueue"]

    def look():
        records = log_records(server)
        return any(record["eventName"] == "TagQueue" for record in records) and records

    assert unproven(eventually(look, "log files", 30)) == []
    assert metrics(server)["sigtrail_api_refused_total"] == len(FORGED)
    assert_not_in_history(server)
    assert_not_a_caller(server)


def metrics(server):
    text = requests.get(f"{server.url}/_sigtrail/metrics").text
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


def test_one_bound_for_all_services(start):
    """An address has so many refusals recorded in a minute, whatever it asks for."""
    server = start("--bare")
    each = KEPT_PER_ADDRESS * 3 // 5
    if WINDOW_SECONDS - time.time() % WINDOW_SECONDS < 10:
        # A new minute would begin anew while they are sent.
        time.sleep(11)
    for _ in range(each):
        assert Request(server, "GET", "/b/k", headers={"Authorization": "AWS nobody:c2ln"}).send().status == 403
        assert json_request(server, "AmazonSQS.ListQueues", b"{}", "1.0").send().status == 400
    counts = metrics(server)
    assert (counts["sigtrail_s3_refused_total"], counts["sigtrail_api_refused_total"]) == (each, each)
    not_kept = counts["sigtrail_s3_refused_not_kept_total"], counts["sigtrail_api_refused_not_kept_total"]
    assert not_kept == (each - KEPT_PER_ADDRESS // 2,) * 2
