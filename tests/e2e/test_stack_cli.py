"""Each call of CloudFormation with the real AWS CLI; and what a deletion leaves of the records before it."""

import gzip
import json

import pytest

from sigtrail import REPOSITORY
from test_stacks import aws, outputs

SEED = REPOSITORY.parent / "shared/spec/seed-stack.yaml"
FIRST = "Resources: {Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: q}}}\nOutputs: {Url: {Value: !Ref Q, Export: {Name: url}}}"
SECOND = FIRST.replace("QueueName: q", "QueueName: q, DelaySeconds: 5")


@pytest.fixture
def server(start):
    return start("--bare", delivery_interval="1h")


def test_every_call(server, tmp_path):
    def cli(*arguments, ok=True):
        answer = aws(server, tmp_path, "cloudformation", *arguments, "--output", "json", ok=ok)
        return json.loads(answer) if ok and answer.strip().startswith("{") else answer

    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(FIRST)
    second.write_text(SECOND)
    name = ("--stack-name", "s")
    assert cli("validate-template", "--template-body", f"file://{first}")["Parameters"] == []
    assert cli("get-template-summary", "--template-body", f"file://{first}")["ResourceTypes"] == ["AWS::SQS::Queue"]
    made = cli("create-stack", *name, "--template-body", f"file://{first}")["StackId"]
    cli("wait", "stack-create-complete", *name)
    assert cli("describe-stacks", *name)["Stacks"][0]["StackId"] == made
    assert cli("describe-stack-events", *name)["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert len(cli("describe-stack-resources", *name)["StackResources"]) == 1
    assert cli("list-stack-resources", *name)["StackResourceSummaries"][0]["LogicalResourceId"] == "Q"
    assert cli("get-template", *name)["TemplateBody"] == FIRST
    assert [export["Name"] for export in cli("list-exports")["Exports"]] == ["url"]
    assert "is not imported by any stack" in cli("list-imports", "--export-name", "url", ok=False)
    cli("update-stack", *name, "--template-body", f"file://{second}")
    cli("wait", "stack-update-complete", *name)
    assert "No updates are to be performed" in cli("update-stack", *name, "--template-body", f"file://{second}", ok=False)
    change = (*name, "--change-set-name", "back")
    cli("create-change-set", *change, "--template-body", f"file://{first}")
    cli("wait", "change-set-create-complete", *change)
    assert cli("describe-change-set", *change)["Changes"][0]["ResourceChange"]["Action"] == "Modify"
    assert [one["ChangeSetName"] for one in cli("list-change-sets", *name)["Summaries"]] == ["back"]
    cli("execute-change-set", *change)
    cli("wait", "stack-update-complete", *name)
    cli("delete-change-set", *change)
    assert cli("get-template", *name)["TemplateBody"] == FIRST
    assert "cancel" in cli("cancel-update-stack", *name, ok=False).lower()
    cli("update-termination-protection", *name, "--enable-termination-protection")
    assert "TerminationProtection is enabled" in cli("delete-stack", *name, ok=False)
    cli("update-termination-protection", *name, "--no-enable-termination-protection")
    cli("delete-stack", *name)
    cli("wait", "stack-delete-complete", *name)
    assert "Stack with id s does not exist" in cli("describe-stacks", *name, ok=False)
    deleted = cli("list-stacks", "--stack-status-filter", "DELETE_COMPLETE")["StackSummaries"]
    assert [stack["StackId"] for stack in deleted] == [made]


def test_no_record_is_lost_when_the_stack_is_deleted(server, tmp_path):
    """No log file is due before the deletion: what waits is delivered by it."""
    s3 = server.boto("s3")
    s3.create_bucket(Bucket="watched")
    deploy = ("cloudformation", "deploy", "--stack-name", "audit", "--template-file", str(SEED), "--parameter-overrides")
    aws(server, tmp_path, *deploy, "AllBuckets=true", "RequireTls=false")
    logs = outputs(server, "audit")["LogLocation"].split("/")[2]
    put = lambda number: s3.put_object(Bucket="watched", Key=str(number), Body=b"x")["ResponseMetadata"]["RequestId"]
    requests = {put(number) for number in range(100)}
    aws(server, tmp_path, "cloudformation", "delete-stack", "--stack-name", "audit")
    aws(server, tmp_path, "cloudformation", "wait", "stack-delete-complete", "--stack-name", "audit")
    files = [entry["Key"] for entry in s3.list_objects_v2(Bucket=logs)["Contents"] if entry["Key"].endswith(".json.gz")]
    read = lambda key: json.loads(gzip.decompress(s3.get_object(Bucket=logs, Key=key)["Body"].read()))
    found = {record["requestID"] for key in files for record in read(key).get("Records", [])}
    assert requests <= found
