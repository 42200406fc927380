"""Updates that are cancelled, rolled back, or cannot be, and who imports an export."""

import json
import threading

import pytest
from botocore.exceptions import ClientError

from keys import ACCOUNT
from sigtrail import REGION, eventually
from test_stacks import aws

CHAIN = 150
ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:a"


@pytest.fixture
def server(start):
    return start("--bare")


def queue(**properties):
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def body(resources, **more):
    return json.dumps({"Resources": resources, **more})


def status(stacks, name="s"):
    return stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def waits_for(stacks, wanted, name="s"):
    eventually(lambda: not status(stacks, name).endswith("_IN_PROGRESS"), "its end", seconds=60)
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert status(stacks, name) == wanted, [event.get("ResourceStatusReason") for event in events]


def delay(server, name):
    sqs = server.boto("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]["DelaySeconds"]


def names(server):
    return sorted(url.rsplit("/", 1)[1] for url in server.boto("sqs").list_queues().get("QueueUrls", []))


def test_an_update_is_cancelled(server):
    stacks = server.boto("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=body({"A": queue(QueueName="a", DelaySeconds=1)}))
    with pytest.raises(ClientError, match="CancelUpdateStack cannot be called from current stack status"):
        stacks.cancel_update_stack(StackName="s")
    chain = {"A": queue(QueueName="a", DelaySeconds=2)}
    for number in range(CHAIN):
        chain[f"Q{number}"] = {**queue(), "DependsOn": f"Q{number - 1}" if number else "A"}
    other = server.boto("cloudformation")
    updating = threading.Thread(target=lambda: other.update_stack(StackName="s", TemplateBody=body(chain)))
    updating.start()
    eventually(lambda: len(names(server)) > 3, "the update")
    stacks.cancel_update_stack(StackName="s")
    assert status(stacks).startswith("UPDATE_ROLLBACK_")
    with pytest.raises(ClientError, match="cannot be called from current stack status"):
        stacks.cancel_update_stack(StackName="s")
    updating.join()
    waits_for(stacks, "UPDATE_ROLLBACK_COMPLETE")
    assert (names(server), delay(server, "a")) == (["a"], "1")
    events = stacks.describe_stack_events(StackName="s")["StackEvents"]
    told = [event.get("ResourceStatusReason") for event in events if event["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS"]
    assert told == ["User Initiated"]
    assert stacks.get_template(StackName="s")["TemplateBody"]["Resources"].keys() == {"A"}


def test_what_failed_and_was_left_is_rolled_back(server):
    stacks = server.boto("cloudformation")
    bad = {**queue(DelaySeconds=100000), "DependsOn": "A"}
    stacks.create_stack(StackName="s", TemplateBody=body({"A": queue(QueueName="a"), "B": bad}), DisableRollback=True)
    waits_for(stacks, "CREATE_FAILED")
    assert stacks.rollback_stack(StackName="s")["StackId"].startswith("arn:aws:cloudformation:")
    waits_for(stacks, "ROLLBACK_COMPLETE")
    assert names(server) == []
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be rolled back"):
        stacks.rollback_stack(StackName="s")
    stacks.create_stack(StackName="t", TemplateBody=body({"A": queue(QueueName="a1", DelaySeconds=1)}))
    changed = {"A": queue(QueueName="a2", DelaySeconds=2), "B": bad, "C": queue(QueueName="c")}
    for _ in range(2):
        # A second attempt changes nothing of what is gone back to.
        stacks.update_stack(StackName="t", TemplateBody=body(changed), DisableRollback=True)
        waits_for(stacks, "UPDATE_FAILED", "t")
        changed["A"] = queue(QueueName="a3", DelaySeconds=3)
    assert names(server) == ["a1", "a2", "a3", "c"]
    stacks.rollback_stack(StackName="t")
    waits_for(stacks, "UPDATE_ROLLBACK_COMPLETE", "t")
    assert (names(server), delay(server, "a1")) == (["a1"], "1")


def test_what_failed_and_was_left_goes_on(server, tmp_path):
    """Why a topic cannot be made is none of the template's: another one has its name for a while."""
    stacks, sns = server.boto("cloudformation"), server.boto("sns")
    template = tmp_path / "template.json"

    def deploy(*arguments, ok=True):
        command = ("cloudformation", "deploy", "--stack-name", "s", "--template-file", template, *arguments)
        return aws(server, tmp_path, *command, ok=ok)

    for name, failed in [("one", "CREATE_FAILED"), ("two", "UPDATE_FAILED")]:
        made = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}, "DependsOn": "A"}
        template.write_text(body({"A": queue(QueueName="a"), "B": made}))
        arn = sns.create_topic(Name=name)["TopicArn"]
        deploy("--disable-rollback", ok=False)
        waits_for(stacks, failed)
        assert "please use the disable-rollback parameter" in deploy(ok=False)
        sns.delete_topic(TopicArn=arn)
        deploy("--disable-rollback")
        waits_for(stacks, "UPDATE_COMPLETE")
        assert [topic["TopicArn"] for topic in sns.list_topics()["Topics"]] == [arn]
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.update_stack(StackName="s", TemplateBody=template.read_text(), DisableRollback=True)


def topic(name):
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a", "DisplayName": name}}


def stuck(server):
    """A stack whose rollback failed: the topic that it was to set back is not there."""
    stacks, sns = server.boto("cloudformation"), server.boto("sns")
    stacks.create_stack(StackName="s", TemplateBody=body({"A": topic("old")}))
    bad = {**queue(DelaySeconds=100000), "DependsOn": "A"}
    stacks.update_stack(StackName="s", TemplateBody=body({"A": topic("new"), "B": bad}), DisableRollback=True)
    waits_for(stacks, "UPDATE_FAILED")
    sns.delete_topic(TopicArn=ARN)
    stacks.rollback_stack(StackName="s")
    waits_for(stacks, "UPDATE_ROLLBACK_FAILED")
    return stacks


def test_a_rollback_goes_on(server):
    stacks, sns = stuck(server), server.boto("sns")
    with pytest.raises(ClientError, match="is in UPDATE_ROLLBACK_FAILED state and can not be updated"):
        stacks.update_stack(StackName="s", TemplateBody=body({"A": queue()}))
    with pytest.raises(ClientError, match="B is not in UPDATE_FAILED state"):
        stacks.continue_update_rollback(StackName="s", ResourcesToSkip=["B"])
    stacks.continue_update_rollback(StackName="s")
    waits_for(stacks, "UPDATE_ROLLBACK_FAILED")
    sns.create_topic(Name="a", Attributes={"DisplayName": "new"})
    stacks.continue_update_rollback(StackName="s")
    waits_for(stacks, "UPDATE_ROLLBACK_COMPLETE")
    assert sns.get_topic_attributes(TopicArn=ARN)["Attributes"]["DisplayName"] == "old"
    with pytest.raises(ClientError, match="its rollback can not be continued"):
        stacks.continue_update_rollback(StackName="s")


@pytest.mark.parametrize("how", [{"ResourcesToSkip": ["A"]}, {"ForceRollback": True}])
def test_what_is_skipped_is_as_it_was(server, how):
    stacks = stuck(server)
    stacks.continue_update_rollback(StackName="s", **how)
    waits_for(stacks, "UPDATE_ROLLBACK_COMPLETE")
    shown = stacks.describe_stack_resources(StackName="s")["StackResources"]
    assert {it["LogicalResourceId"]: it["ResourceStatus"] for it in shown} == {"A": "UPDATE_COMPLETE"}
    # What was skipped is the drift that it is.
    drift = stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="A")["StackResourceDrift"]
    assert drift["StackResourceDriftStatus"] == "DELETED"
    stacks.delete_stack(StackName="s")
    assert not stacks.describe_stacks()["Stacks"] and names(server) == []


def test_who_imports(server):
    stacks = server.boto("cloudformation")
    exported = {"Outputs": {"Q": {"Value": {"Fn::GetAtt": "A.QueueName"}, "Export": {"Name": "shared"}}}}
    stacks.create_stack(StackName="out", TemplateBody=body({"A": queue(QueueName="a")}, **exported))
    with pytest.raises(ClientError, match="Export 'shared' is not imported by any stack."):
        stacks.list_imports(ExportName="shared")
    imports = {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "shared"}}}}
    stacks.create_stack(StackName="in", TemplateBody=body(imports))
    assert stacks.list_imports(ExportName="shared")["Imports"] == ["in"]
