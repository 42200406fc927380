"""CloudFormation with the real AWS CLI: stacks from ordinary templates, what they make, and what is left of them."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from clients import ENVIRONMENTS
from keys import ADMIN, AUDIT, ROLE, config
from sigtrail import REGION, REPOSITORY, Server, eventually

SPEC = REPOSITORY.parent / "shared/spec"
OLD = (SPEC / "seed-stack-2019.json").read_text()
QUEUE = "Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: %s, DelaySeconds: %d}}}"


@pytest.fixture
def server(start):
    return start("--bare", delivery_interval="1s")


def aws(server, home, *arguments, ok=True):
    command = [str(ENVIRONMENTS / "awscli/bin/aws"), "--endpoint-url", server.url, "--region", REGION, *arguments]
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": ADMIN.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ADMIN.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode == 0) == ok, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout if ok else done.stderr


def status(server, name):
    return server.boto("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def outputs(server, name):
    stack = server.boto("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def put_with_sigv2(server, bucket, key="a"):
    server.boto("s3", signature_version="s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def test_the_template_of_2019(server, tmp_path):
    template = tmp_path / "old.json"
    template.write_text(OLD)
    server.boto("s3").create_bucket(Bucket="watched")
    body, stack = f"file://{template}", ("--stack-name", "old")
    aws(server, tmp_path, "cloudformation", "validate-template", "--template-body", body)
    parameter = "ParameterKey=BucketPrefixArn,ParameterValue=arn:aws:s3:::watched/"
    aws(server, tmp_path, "cloudformation", "create-stack", *stack, "--template-body", body, "--parameters", parameter)
    aws(server, tmp_path, "cloudformation", "wait", "stack-create-complete", *stack)
    queue, logs = outputs(server, "old")["QueueUrl"], outputs(server, "old")["LogBucketName"]
    put_with_sigv2(server, "watched")
    sqs, s3 = server.boto("sqs"), server.boto("s3")
    eventually(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"), "the event")
    shown = json.loads(aws(server, tmp_path, "cloudformation", "describe-stack-resources", *stack))["StackResources"]
    assert {resource["LogicalResourceId"] for resource in shown} == set(json.loads(OLD)["Resources"])
    assert {resource["ResourceStatus"] for resource in shown} == {"CREATE_COMPLETE"}
    assert json.loads(aws(server, tmp_path, "cloudformation", "get-template", *stack))["TemplateBody"] == json.loads(OLD)
    aws(server, tmp_path, "cloudformation", "delete-stack", *stack)
    aws(server, tmp_path, "cloudformation", "wait", "stack-delete-complete", *stack)
    assert not server.boto("events").list_rules()["Rules"] and not server.boto("sns").list_topics()["Topics"]
    assert not sqs.list_queues().get("QueueUrls") and not server.boto("cloudtrail").describe_trails()["trailList"]
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == sorted([logs, "watched"])
    names = [entry["Key"] for entry in s3.list_objects_v2(Bucket=logs).get("Contents", [])]
    assert any(name.endswith(".json.gz") for name in names), "the record was delivered before the trail went"


def test_deploy_changes_only_what_changed(server, tmp_path):
    template = tmp_path / "q.yaml"
    deploy = ("cloudformation", "deploy", "--stack-name", "q", "--template-file", str(template))
    template.write_text(QUEUE % ("one", 1))
    aws(server, tmp_path, *deploy)
    assert status(server, "q") == "CREATE_COMPLETE"
    again = aws(server, tmp_path, *deploy, "--no-fail-on-empty-changeset")
    assert "No changes to deploy" in again
    template.write_text(QUEUE % ("one", 2))
    aws(server, tmp_path, *deploy)
    sqs = server.boto("sqs")
    url = sqs.get_queue_url(QueueName="one")["QueueUrl"]
    delay = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]["DelaySeconds"]
    assert (status(server, "q"), delay) == ("UPDATE_COMPLETE", "2")
    template.write_text(QUEUE % ("two", 2))
    aws(server, tmp_path, *deploy)
    assert [url.rsplit("/", 1)[1] for url in sqs.list_queues()["QueueUrls"]] == ["two"]
    changes = server.boto("cloudformation").list_change_sets(StackName="q")["Summaries"]
    assert {change["ExecutionStatus"] for change in changes} >= {"EXECUTE_COMPLETE"}


def test_a_failure_is_rolled_back_and_says_why(server):
    stacks, sqs = server.boto("cloudformation"), server.boto("sqs")
    template = {
        "Resources": {
            "Good": {"Type": "AWS::SQS::Queue"},
            "Bad": {"Type": "AWS::SQS::Queue", "DependsOn": "Good", "Properties": {"DelaySeconds": 100000}},
        }
    }
    stacks.create_stack(StackName="bad", TemplateBody=json.dumps(template))
    assert status(server, "bad") == "ROLLBACK_COMPLETE"
    assert not sqs.list_queues().get("QueueUrls")
    events = stacks.describe_stack_events(StackName="bad")["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert [event["LogicalResourceId"] for event in failed] == ["Bad"]
    assert "DelaySeconds" in failed[0]["ResourceStatusReason"]
    stacks.create_stack(StackName="kept", TemplateBody=json.dumps(template), DisableRollback=True)
    assert status(server, "kept") == "CREATE_FAILED"
    assert len(sqs.list_queues()["QueueUrls"]) == 1


def test_words_that_clients_read(server, tmp_path):
    stacks = server.boto("cloudformation")
    with pytest.raises(ClientError, match="Stack with id none does not exist"):
        stacks.describe_stacks(StackName="none")
    with pytest.raises(ClientError, match=r"Stack \[none\] does not exist"):
        stacks.describe_stack_events(StackName="none")
    stacks.delete_stack(StackName="none")
    stacks.create_stack(StackName="q", TemplateBody=QUEUE % ("q", 0))
    with pytest.raises(ClientError, match=r"Stack \[q\] already exists"):
        stacks.create_stack(StackName="q", TemplateBody=QUEUE % ("q", 0))
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.update_stack(StackName="q", TemplateBody=QUEUE % ("q", 0))
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::EC2::VPC\]"):
        stacks.create_stack(StackName="v", TemplateBody="Resources: {V: {Type: 'AWS::EC2::VPC'}}")
    assert [stack["StackName"] for stack in stacks.list_stacks()["StackSummaries"]] == ["q"]


def test_no_back_door(server):
    """Each operation of a stack is its caller's, with a record that says so; who may not make queues makes no stack of them."""
    stacks = server.boto("cloudformation")
    stacks.create_stack(StackName="q", TemplateBody=QUEUE % ("q", 0))
    trails = server.boto("cloudtrail")
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]
    found = eventually(lambda: trails.lookup_events(LookupAttributes=attributes)["Events"], "the record")
    record = json.loads(found[0]["CloudTrailEvent"])
    assert record["userIdentity"]["arn"] == ADMIN.arn
    assert record["userIdentity"]["invokedBy"] == record["sourceIPAddress"] == "cloudformation.amazonaws.com"
    assert "tlsDetails" not in record and "accessKeyId" not in record["userIdentity"], "it is on no network and not signed"
    for key in (AUDIT, ROLE):
        with pytest.raises(ClientError, match="not authorized"):
            server.boto("cloudformation", key).create_stack(StackName="r", TemplateBody=QUEUE % ("r", 0))


def test_values_of_parameters_stay_out_of_records(server):
    template = "Parameters: {P: {Type: String, NoEcho: true}}\nResources: {T: {Type: 'AWS::SNS::Topic'}}"
    parameters = [{"ParameterKey": "P", "ParameterValue": "correct-horse"}]
    stacks, trails = server.boto("cloudformation"), server.boto("cloudtrail")
    stacks.create_stack(StackName="s", TemplateBody=template, Parameters=parameters)
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "CreateStack"}]
    found = eventually(lambda: trails.lookup_events(LookupAttributes=attributes)["Events"], "the record")
    assert json.loads(found[0]["CloudTrailEvent"])["requestParameters"]["stackName"] == "s"
    assert "correct-horse" not in found[0]["CloudTrailEvent"]
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["Parameters"][0]["ParameterValue"] == "****"


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_server_that_is_killed_at_any_moment_goes_on(tmp_path, operation):
    """Wherever it is killed, the operation ends after a restart, and the stack's deletion leaves the log bucket alone."""
    for moment in range(16):
        folder = tmp_path / str(moment)
        folder.mkdir()
        server = Server(folder, config([ADMIN]), "--bare").start()
        stacks = server.boto("cloudformation")
        if operation != "create":
            stacks.create_stack(StackName="old", TemplateBody=OLD)
        asked = threading.Thread(target=ask, args=(stacks, operation))
        asked.start()
        time.sleep(0.004 * moment)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        asked.join()
        server = Server(folder, config([ADMIN]), "--bare").start()
        try:
            ended_and_deletable(server, operation)
        finally:
            server.stop()


# What the stack of the report becomes: a queue that keeps longer, another rule in the place of the old one, a second queue.
CHANGED = json.loads(OLD)
CHANGED["Resources"]["Queue"]["Properties"] = {"MessageRetentionPeriod": 1209600}
CHANGED["Resources"]["Rule"]["Properties"]["Name"] = "named"
CHANGED["Resources"]["Second"] = {"Type": "AWS::SQS::Queue"}


def ask(stacks, operation):
    """Begins the operation. Whether the answer comes is not asked."""
    try:
        match operation:
            case "create":
                stacks.create_stack(StackName="old", TemplateBody=OLD)
            case "update":
                stacks.update_stack(StackName="old", TemplateBody=json.dumps(CHANGED))
            case "delete":
                stacks.delete_stack(StackName="old")
    except (BotoCoreError, ClientError):
        pass


def ended_and_deletable(server, operation):
    stacks, sqs = server.boto("cloudformation"), server.boto("sqs")
    shown = lambda: [stack["StackStatus"] for stack in stacks.describe_stacks()["Stacks"]]
    eventually(lambda: not any("IN_PROGRESS" in one for one in shown()), "the end")
    # Killed before it was durable, it never began.
    assert shown() in {
        "create": ([], ["CREATE_COMPLETE"]),
        "update": (["CREATE_COMPLETE"], ["UPDATE_COMPLETE"]),
        "delete": ([], ["CREATE_COMPLETE"]),
    }[operation]
    queues = len(sqs.list_queues().get("QueueUrls", []))
    rules = [rule["Name"] == "named" for rule in server.boto("events").list_rules()["Rules"]]
    assert (queues, rules) == {"UPDATE_COMPLETE": (2, [True]), "CREATE_COMPLETE": (1, [False])}.get("".join(shown()), (0, []))
    stacks.delete_stack(StackName="old")
    eventually(lambda: not shown(), "the deletion")
    assert not server.boto("events").list_rules()["Rules"] and not server.boto("sns").list_topics()["Topics"]
    assert not sqs.list_queues().get("QueueUrls") and not server.boto("cloudtrail").describe_trails()["trailList"]
    assert len(server.boto("s3").list_buckets()["Buckets"]) <= 1


def test_the_template_with_its_alarm(server, tmp_path):
    """All of it: a SigV2 request comes into the queue, and its alarm rings; the bucket is what the template says."""
    server.boto("s3").create_bucket(Bucket="src")
    wanted = ("AllBuckets=true", "RequireTls=false", "ManagementEvents=true", "AlarmPeriodSeconds=60")
    template = str(SPEC / "seed-stack.yaml")
    deploy = ("cloudformation", "deploy", "--stack-name", "audit", "--template-file", template)
    aws(server, tmp_path, *deploy, "--parameter-overrides", *wanted)
    said = outputs(server, "audit")
    put_with_sigv2(server, "src")
    sqs, s3, cloudwatch = server.boto("sqs"), server.boto("s3"), server.boto("cloudwatch")
    found = eventually(lambda: sqs.receive_message(QueueUrl=said["QueueUrl"], WaitTimeSeconds=1).get("Messages"), "it")
    assert json.loads(found[0]["Body"])["detail"]["additionalEventData"]["SignatureVersion"] == "SigV2"

    def state():
        return cloudwatch.describe_alarms(AlarmNames=[said["AlarmName"]])["MetricAlarms"][0]["StateValue"]

    eventually(lambda: state() == "ALARM", "the alarm", seconds=70)
    bucket = said["LogLocation"].split("/")[2]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rule = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert (rule["Expiration"]["Days"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == (90, 7)
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    events = server.boto("cloudformation").describe_stack_events(StackName="audit")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert any("BucketEncryption has no effect here" in reason for reason in reasons)
    server.boto("cloudformation").delete_stack(StackName="audit")
    eventually(lambda: not server.boto("cloudformation").describe_stacks()["Stacks"], "the deletion")
    assert not sqs.list_queues().get("QueueUrls") and not cloudwatch.describe_alarms()["MetricAlarms"]
    assert sorted(entry["Name"] for entry in s3.list_buckets()["Buckets"]) == sorted([bucket, "src"])


def test_statements_of_one_bus_stand_beside_each_other(server):
    account = "444455556666"
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Resource": {"Fn::GetAtt": ["Bus", "Arn"]}}
    policy = lambda name, **more: {
        "Type": "AWS::Events::EventBusPolicy",
        "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": name, **more},
    }
    resources = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shared"}},
        "A": policy("a", Statement={**statement, "Action": "events:PutEvents"}),
        "B": policy("b", Statement={**statement, "Action": "events:PutEvents"}),
        "C": policy("c", Action="events:PutEvents", Principal=account),
    }
    stacks, events = server.boto("cloudformation"), server.boto("events")
    sids = lambda: sorted(one["Sid"] for one in json.loads(events.describe_event_bus(Name="shared")["Policy"])["Statement"])
    stacks.create_stack(StackName="bus", TemplateBody=json.dumps({"Resources": resources}))
    stacks.get_waiter("stack_create_complete").wait(StackName="bus", WaiterConfig={"Delay": 1})
    assert sids() == ["a", "b", "c"]
    del resources["A"]
    resources["B"]["Properties"]["Statement"]["Action"] = ["events:PutEvents"]
    stacks.update_stack(StackName="bus", TemplateBody=json.dumps({"Resources": resources}))
    stacks.get_waiter("stack_update_complete").wait(StackName="bus", WaiterConfig={"Delay": 1})
    assert sids() == ["b", "c"]
