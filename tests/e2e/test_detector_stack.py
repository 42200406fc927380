"""The detector is a stack, and its template is the one that is printed for AWS."""

import json
import signal
import subprocess
import time

import pytest
from botocore.exceptions import ClientError

from clients import ENVIRONMENTS
from detector import Detector
from keys import ACCOUNT, ADMIN, config
from policies import allow_trails
from sigtrail import BINARY, REGION, Server, eventually
from test_stacks import aws, outputs, put_with_sigv2, status

LOGS = f"sigtrail-logs-{ACCOUNT}"
FORMS = [(), ("--format", "json"), ("--other-region",), ("--other-region", "--format", "json")]


def printed(*flags):
    return subprocess.run([BINARY, "template", *flags], capture_output=True, text=True, check=True, timeout=20).stdout


def events_of(server, url, seconds=20):
    """The bodies of what arrives in a queue until nothing does for a second; at least one within the time."""
    sqs, bodies = server.boto("sqs"), []
    deadline = time.monotonic() + seconds
    while True:
        batch = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        bodies += [json.loads(message["Body"]) for message in batch]
        for message in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        if bodies and not batch:
            return bodies
        assert time.monotonic() < deadline, "nothing arrives"


@pytest.mark.parametrize("flags", FORMS, ids=" ".join)
def test_the_linter_finds_nothing(flags, tmp_path):
    template = tmp_path / ("t.json" if "json" in flags else "t.yaml")
    template.write_text(printed(*flags))
    lint = [ENVIRONMENTS / "lint/bin/cfn-lint", "--regions", REGION, "--", template]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_what_serve_sets_up_is_what_is_printed(server):
    stacks = server.boto("cloudformation")
    assert stacks.get_template(StackName="sigtrail")["TemplateBody"] == printed()
    server.boto("s3").create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    put_with_sigv2(server, "far")
    far = server.boto("cloudformation", region="eu-west-3")
    eventually(lambda: status_in(far) == "CREATE_COMPLETE", "the stack of the other region")
    assert far.get_template(StackName="sigtrail")["TemplateBody"] == printed("--other-region")
    for where in (stacks, far):
        assert drift_of(where) == ("IN_SYNC", [])
    made = server.boto("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateTrail"}]
    )["Events"][-1]
    record = json.loads(made["CloudTrailEvent"])
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}
    assert record["sourceIPAddress"] == "cloudformation.amazonaws.com"


def drift_of(stacks):
    """What a detection of drift finds of the detector's stack: its status, and the resources that are not as they should be."""
    detection = stacks.detect_stack_drift(StackName="sigtrail")["StackDriftDetectionId"]
    look = lambda: stacks.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    ended = eventually(lambda: (found := look())["DetectionStatus"] == "DETECTION_COMPLETE" and found, "the detection")
    drifts = stacks.describe_stack_resource_drifts(StackName="sigtrail")["StackResourceDrifts"]
    wrong = [drift for drift in drifts if drift["StackResourceDriftStatus"] != "IN_SYNC"]
    return ended["StackDriftStatus"], wrong


def status_in(stacks):
    try:
        return stacks.describe_stacks(StackName="sigtrail")["Stacks"][0]["StackStatus"]
    except ClientError:
        return None


def test_the_printed_templates_deploy(start, tmp_path):
    """As a person does on AWS: some buckets by name and prefix, an alarm's topic, another region; and again after a deletion."""
    server = start("--bare", delivery_interval="1s")
    home, far = tmp_path / "home.yaml", tmp_path / "far.json"
    home.write_text(printed())
    far.write_text(printed("--other-region", "--format", "json"))
    s3 = server.boto("s3")
    for name in ("one", "two", "three", "unwatched"):
        s3.create_bucket(Bucket=name)
    deploy = ("cloudformation", "deploy", "--stack-name", "audit", "--template-file", str(home), "--parameter-overrides")
    refused = aws(server, tmp_path, *deploy, "RequireTls=false", ok=False)
    assert "Give BucketNames or ObjectArnPrefixes, or set AllBuckets to true." in refused
    topic = server.boto("sns").create_topic(Name="oncall")["TopicArn"]
    watched = ("BucketNames=one,two", "ObjectArnPrefixes=arn:aws:s3:::three/in/,arn:aws:s3:::three/also/")
    aws(server, tmp_path, *deploy, *watched, f"AlarmTopicArns={topic}", "LogPrefix=audit", "MultiRegion=true")
    queue = outputs(server, "audit")["QueueUrl"]
    for name, key in [("one", "a"), ("two", "b"), ("three", "in/c"), ("three", "out/d"), ("unwatched", "e"), ("three", "also/f")]:
        put_with_sigv2(server, name, key)
    seen = {event["detail"]["requestParameters"]["key"] for event in events_of(server, queue)}
    assert seen == {"a", "b", "in/c", "also/f"}
    (alarm,) = server.boto("cloudwatch").describe_alarms(AlarmNames=["audit-sigv2"])["MetricAlarms"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]

    s3.create_bucket(Bucket="two-far", CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    arn = outputs(server, "audit")["QueueArn"]
    aws(server, tmp_path, *deploy, "BucketNames=two-far")
    parameter = f"ParameterKey=QueueArn,ParameterValue={arn}"
    create = ("cloudformation", "create-stack", "--region", "ap-south-1", "--stack-name", "whatever")
    aws(server, tmp_path, *create, "--template-body", f"file://{far}", "--parameters", parameter)
    put_with_sigv2(server, "two-far", "g")
    assert {event["region"] for event in events_of(server, queue)} == {"ap-south-1"}

    logs = outputs(server, "audit")["LogLocation"].split("/")[2]
    policy = s3.get_bucket_policy(Bucket=logs)["Policy"]
    aws(server, tmp_path, "cloudformation", "delete-stack", "--stack-name", "audit")
    aws(server, tmp_path, "cloudformation", "wait", "stack-delete-complete", "--stack-name", "audit")
    assert s3.get_bucket_policy(Bucket=logs)["Policy"] == policy
    assert not server.boto("cloudtrail").describe_trails()["trailList"]
    # The names of the queues were just given back, and the policy lets the trail of this stack alone deliver.
    again = (f"ExistingLogBucket={logs}", "BucketNames=one", "AllBuckets=false")
    refused = aws(server, tmp_path, *(word if word != "audit" else "other" for word in deploy), *again, ok=False)
    assert "Failed to create/update the stack" in refused
    events = server.boto("cloudformation").describe_stack_events(StackName="other")["StackEvents"]
    assert any("bucket policy" in event.get("ResourceStatusReason", "") for event in events), events


def test_what_an_earlier_version_made_is_taken_over(start):
    server = start("--bare", keys=(ADMIN,), delivery_interval="1s")
    made_by_calls(server)
    server.boto("s3").put_object(Bucket=LOGS, Key="kept", Body=b"kept")
    server.boto("sqs").send_message(QueueUrl=queue_of(server), MessageBody="{}")
    server.stop()
    server = start(keys=(ADMIN,), delivery_interval="1s")
    assert status(server, "sigtrail") == "CREATE_COMPLETE"
    server.boto("s3").create_bucket(Bucket="watched")
    put_with_sigv2(server, "watched")
    events = events_of(server, queue_of(server))
    assert events[0] == {} and len(events) == 2, "what waited, and each event once"
    tags = server.boto("sqs").list_queue_tags(QueueUrl=queue_of(server))["Tags"]
    assert tags["aws:cloudformation:logical-id"] == "Queue" and tags["aws:cloudformation:stack-name"] == "sigtrail"
    s3 = server.boto("s3")
    assert s3.get_object(Bucket=LOGS, Key="kept")["Body"].read() == b"kept"
    assert s3.get_bucket_versioning(Bucket=LOGS)["Status"] == "Enabled"
    assert server.boto("cloudtrail").get_trail(Name="sigtrail-sigv2")["Trail"]["LogFileValidationEnabled"]


def queue_of(server):
    return server.boto("sqs").get_queue_url(QueueName="sigtrail-sigv2")["QueueUrl"]


def made_by_calls(server):
    s3, sqs, sns = server.boto("s3"), server.boto("sqs"), server.boto("sns")
    s3.create_bucket(Bucket=LOGS)
    allow_trails(s3, LOGS)
    trails = server.boto("cloudtrail")
    trails.create_trail(Name="sigtrail-sigv2", S3BucketName=LOGS, IsMultiRegionTrail=True)
    trails.start_logging(Name="sigtrail-sigv2")
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:sigtrail-sigv2"
    sqs.create_queue(QueueName="sigtrail-sigv2", Attributes={"VisibilityTimeout": "60"})
    topic = sns.create_topic(Name="sigtrail-sigv2")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    events = server.boto("events")
    events.put_rule(Name="sigtrail-sigv2", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="sigtrail-sigv2", Targets=[{"Id": "sigv2-topic", "Arn": topic}])


def test_what_is_gone_is_made_again_and_what_was_changed_stays(start):
    server = start(keys=(ADMIN,))
    server.boto("sns").delete_topic(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:sigtrail-sigv2")
    server.stop()
    server = start(keys=(ADMIN,))
    assert "a part of the detector was gone and is made again" in server.stderr()
    server.boto("s3").create_bucket(Bucket="watched")
    put_with_sigv2(server, "watched")
    assert len(events_of(server, queue_of(server))) == 1
    stacks = server.boto("cloudformation")
    parameters = stacks.describe_stacks(StackName="sigtrail")["Stacks"][0]["Parameters"]
    for parameter in parameters:
        if parameter["ParameterKey"] == "AlarmPeriodSeconds":
            parameter["ParameterValue"] = "60"
    stacks.update_stack(StackName="sigtrail", UsePreviousTemplate=True, Parameters=parameters)
    stacks.get_waiter("stack_update_complete").wait(StackName="sigtrail", WaiterConfig={"Delay": 1})
    server.stop()
    server = start(keys=(ADMIN,))
    (alarm,) = server.boto("cloudwatch").describe_alarms(AlarmNames=["sigtrail-sigv2"])["MetricAlarms"]
    assert alarm["Period"] == 60


def test_a_first_start_that_is_killed_is_gone_on_with(tmp_path):
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        server = Server(folder, config([ADMIN]))
        command = [str(BINARY), "serve", "--listen", "127.0.0.1:0", *server.arguments]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.02 + 0.015 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        server.start()
        try:
            assert status(server, "sigtrail") == "CREATE_COMPLETE"
            server.boto("s3").create_bucket(Bucket="watched")
            put_with_sigv2(server, "watched")
            Detector(server).wait_for(ADMIN, {("PutObject", "watched")})
        finally:
            server.stop()
