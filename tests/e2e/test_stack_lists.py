"""CloudFormation's lists over more than one page, with boto3's paginators."""

import json

import pytest
from botocore.exceptions import ClientError

COUNT = 105
HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
ONE = json.dumps({"Resources": {"W": HANDLE}})


@pytest.fixture
def server(start):
    return start("--bare")


def pages(client, operation, result, **arguments):
    found = [page[result] for page in client.get_paginator(operation).paginate(**arguments)]
    return [len(page) for page in found], [entry for page in found for entry in page]


def test_stacks(server):
    stacks = server.boto("cloudformation")
    names = [f"s{number:03}" for number in range(COUNT)]
    for name in names:
        stacks.create_stack(StackName=name, TemplateBody=ONE)
    lengths, found = pages(stacks, "list_stacks", "StackSummaries")
    assert (lengths, [stack["StackName"] for stack in found]) == ([100, 5], names[::-1])
    lengths, found = pages(stacks, "describe_stacks", "Stacks")
    assert (lengths, [stack["StackName"] for stack in found]) == ([100, 5], names[::-1])
    # A page goes on where the one before it ended, whatever became of the stacks meanwhile.
    first = stacks.describe_stacks()
    stacks.delete_stack(StackName=first["Stacks"][-1]["StackName"])
    stacks.delete_stack(StackName=names[1])
    stacks.create_stack(StackName="new", TemplateBody=ONE)
    rest = stacks.describe_stacks(NextToken=first["NextToken"])
    assert "NextToken" not in rest
    assert [stack["StackName"] for stack in rest["Stacks"]] == ["s004", "s003", "s002", "s000"]
    deleted = stacks.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])
    assert sorted(stack["StackName"] for stack in deleted["StackSummaries"]) == ["s001", "s005"]
    lengths, found = pages(stacks, "list_stacks", "StackSummaries", StackStatusFilter=["CREATE_COMPLETE"])
    assert (lengths, len({stack["StackId"] for stack in found})) == ([100, 4], 104)
    assert {stack["StackStatus"] for stack in found} == {"CREATE_COMPLETE"}
    for foreign in ("x", first["NextToken"]):
        with pytest.raises(ClientError, match="next token"):
            stacks.list_stacks(NextToken=foreign)
    with pytest.raises(ClientError, match="next token"):
        stacks.describe_stacks(StackName="new", NextToken=first["NextToken"])
    with pytest.raises(ClientError, match="next token"):
        server.boto("cloudformation", region="eu-west-1").describe_stacks(NextToken=first["NextToken"])


def test_resources_and_exports(server):
    stacks = server.boto("cloudformation")
    names = [f"W{number:03}" for number in range(COUNT)]
    outputs = {name: {"Value": name, "Export": {"Name": f"export-{name}"}} for name in names}
    template = {"Resources": dict.fromkeys(names, HANDLE), "Outputs": outputs}
    stacks.create_stack(StackName="wide", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="wide")
    lengths, found = pages(stacks, "list_stack_resources", "StackResourceSummaries", StackName="wide")
    assert (lengths, [resource["LogicalResourceId"] for resource in found]) == ([100, 5], names)
    lengths, found = pages(stacks, "list_exports", "Exports")
    assert (lengths, [export["Name"] for export in found]) == ([100, 5], [f"export-{name}" for name in names])
    stacks.create_stack(StackName="other", TemplateBody=ONE)
    token = stacks.list_stack_resources(StackName="wide")["NextToken"]
    with pytest.raises(ClientError, match="next token"):
        stacks.list_stack_resources(StackName="other", NextToken=token)


def test_change_sets(server):
    stacks = server.boto("cloudformation")
    stacks.create_stack(StackName="one", TemplateBody=ONE)
    names = [f"c{number:03}" for number in range(COUNT)]
    for name in names:
        stacks.create_change_set(StackName="one", ChangeSetName=name, TemplateBody=ONE.replace('"W"', f'"{name}"'))
    lengths, found = pages(stacks, "list_change_sets", "Summaries", StackName="one")
    assert (lengths, [one["ChangeSetName"] for one in found]) == ([100, 5], names)
    id = stacks.describe_stacks(StackName="one")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="one")
    assert stacks.list_change_sets(StackName=id)["Summaries"] == []
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stacks.describe_change_set(ChangeSetName=found[0]["ChangeSetId"])
