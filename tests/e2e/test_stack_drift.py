"""Drift of stacks: every kind of resource is changed behind its stack's back, found changed, and found right again."""

import json

import pytest
from botocore.exceptions import ClientError

from drifts import RESOURCES, arn, changes, resource
from keys import ADMIN, AUDIT, ROLE, config
from policies import document, statement
from sigtrail import Server, eventually
from test_stacks import aws


def answer(server, home, *arguments):
    """What the AWS CLI answers, read."""
    return json.loads(aws(server, home, *arguments))


def create(server, resources, name="s", **more):
    stacks = server.boto("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources, **more}))
    stack = eventually(lambda: ended(stacks, name), "the stack")
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", [event.get("ResourceStatusReason") for event in events]
    return stacks


def ended(stacks, name):
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack


def detect(stacks, name="s", status="DETECTION_COMPLETE", **more):
    """What a detection found, by logical id, and its own result."""
    detection = stacks.detect_stack_drift(StackName=name, **more)["StackDriftDetectionId"]

    def result():
        told = stacks.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        return None if told["DetectionStatus"] == "DETECTION_IN_PROGRESS" else told

    told = eventually(result, "the detection")
    assert told["DetectionStatus"] == status, told
    drifts = stacks.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    return {drift["LogicalResourceId"]: drift for drift in drifts}, told


def statuses(found):
    return {name: drift["StackResourceDriftStatus"] for name, drift in found.items()}


def paths(drift):
    return {(it["PropertyPath"], it["DifferenceType"]) for it in drift["PropertyDifferences"]}


def test_every_kind_of_resource(start):
    """One change after the other is found, and nothing else is; undone, all is in sync again."""
    server = start("--bare")
    stacks = create(server, RESOURCES)
    in_sync = {name: "IN_SYNC" for name in RESOURCES if name != "Nothing"}
    found, told = detect(stacks)
    wrong = {name: drift["PropertyDifferences"] for name, drift in found.items() if drift["PropertyDifferences"]}
    assert statuses(found) == in_sync, wrong
    assert (told["StackDriftStatus"], told["DriftedStackResourceCount"]) == ("IN_SYNC", 0)
    for name, change, wanted, undo in changes(server):
        change()
        found, told = detect(stacks)
        if wanted is None:
            assert statuses(found) == {**in_sync, name: "DELETED"}, (name, found[name])
            assert "ActualProperties" not in found[name]
        else:
            assert statuses(found) == {**in_sync, name: "MODIFIED"}, (name, wanted, found[name])
            assert paths(found[name]) == set(wanted), (name, found[name]["PropertyDifferences"])
        assert (told["StackDriftStatus"], told["DriftedStackResourceCount"]) == ("DRIFTED", 1)
        undo()
    found, told = detect(stacks)
    assert statuses(found) == in_sync and told["StackDriftStatus"] == "IN_SYNC"


def test_what_is_deleted(start):
    server = start("--bare")
    stacks = create(server, RESOURCES)
    sqs, sns, events = server.boto("sqs"), server.boto("sns"), server.boto("events")
    for queue in sqs.list_queues()["QueueUrls"]:
        sqs.delete_queue(QueueUrl=queue)
    for topic in sns.list_topics()["Topics"]:
        sns.delete_topic(TopicArn=topic["TopicArn"])
    events.remove_targets(Rule="sigv2", EventBusName="hub", Ids=["a", "b"])
    events.delete_rule(Name="sigv2", EventBusName="hub")
    events.delete_event_bus(Name="hub")
    server.boto("cloudwatch").delete_alarms(AlarmNames=["many"])
    server.boto("cloudtrail").delete_trail(Name="all")
    server.boto("s3").delete_bucket_policy(Bucket="logs")
    found, told = detect(stacks)
    deleted = {name: "DELETED" for name in RESOURCES if name != "Nothing"}
    assert statuses(found) == {**deleted, "Logs": "IN_SYNC"}
    assert told["DriftedStackResourceCount"] == len(deleted) - 1


def test_as_the_cli_shows_it(start, tmp_path):
    server = start("--bare")
    parameters = {"Secret": {"Type": "String", "NoEcho": True, "Default": "correct-horse"}}
    topic = resource("SNS::Topic", {"TopicName": "t", "DisplayName": {"Ref": "Secret"}})
    create(server, {"Q": RESOURCES["Dead"], "T": topic, "N": RESOURCES["Nothing"]}, Parameters=parameters)
    stack = ("--stack-name", "s")
    asked = answer(server, tmp_path, "cloudformation", "describe-stacks", *stack)["Stacks"][0]
    assert asked["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}
    server.boto("sns").set_topic_attributes(TopicArn=arn("sns", "t"), AttributeName="DisplayName", AttributeValue="x")
    sqs = server.boto("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"])
    one = ("cloudformation", "detect-stack-resource-drift", *stack, "--logical-resource-id", "T")
    drift = answer(server, tmp_path, *one)["StackResourceDrift"]
    assert drift["StackResourceDriftStatus"] == "MODIFIED" and drift["PhysicalResourceId"] == arn("sns", "t")
    assert json.loads(drift["ExpectedProperties"]) == {"TopicName": "t", "DisplayName": "****"}
    assert json.loads(drift["ActualProperties"]) == {"TopicName": "t", "DisplayName": "x"}
    difference = {"PropertyPath": "/DisplayName", "ExpectedValue": "****", "ActualValue": "x", "DifferenceType": "NOT_EQUAL"}
    assert drift["PropertyDifferences"] == [difference]
    found = detect(server.boto("cloudformation"))[0]
    assert statuses(found) == {"Q": "DELETED", "T": "MODIFIED"}
    asked = answer(server, tmp_path, "cloudformation", "describe-stacks", *stack)["Stacks"][0]["DriftInformation"]
    assert asked["StackDriftStatus"] == "DRIFTED" and asked["LastCheckTimestamp"]
    listed = answer(server, tmp_path, "cloudformation", "list-stacks")["StackSummaries"][0]["DriftInformation"]
    assert listed == asked
    shown = answer(server, tmp_path, "cloudformation", "list-stack-resources", *stack)["StackResourceSummaries"]
    of_resources = {it["LogicalResourceId"]: it["DriftInformation"]["StackResourceDriftStatus"] for it in shown}
    assert of_resources == {"N": "NOT_CHECKED", "Q": "DELETED", "T": "MODIFIED"}
    shown = answer(server, tmp_path, "cloudformation", "describe-stack-resource", *stack, "--logical-resource-id", "Q")
    assert shown["StackResourceDetail"]["DriftInformation"]["StackResourceDriftStatus"] == "DELETED"
    drifts = ("cloudformation", "describe-stack-resource-drifts", *stack)
    only = answer(server, tmp_path, *drifts, "--stack-resource-drift-status-filters", "DELETED")["StackResourceDrifts"]
    assert [drift["LogicalResourceId"] for drift in only] == ["Q"]
    page = server.boto("cloudformation").describe_stack_resource_drifts(StackName="s", MaxResults=1)
    more = server.boto("cloudformation").describe_stack_resource_drifts(StackName="s", NextToken=page["NextToken"])
    assert [it["StackResourceDrifts"][0]["LogicalResourceId"] for it in (page, more)] == ["Q", "T"]
    assert "NextToken" not in more


def test_only_what_the_template_says_counts(start):
    server = start("--bare")
    stacks = create(server, {"Q": RESOURCES["Dead"]})
    sqs = server.boto("sqs")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
    found, _ = detect(stacks)
    assert statuses(found) == {"Q": "IN_SYNC"}
    assert json.loads(found["Q"]["ActualProperties"]) == {"QueueName": "dead"}


def test_words_that_clients_read(start):
    server = start("--bare")
    bad = resource("SQS::Queue", {"DelaySeconds": 100000})
    stacks = server.boto("cloudformation")
    stacks.create_stack(StackName="bad", TemplateBody=json.dumps({"Resources": {"Q": bad}}))
    state = r"Drift detection cannot be performed on stack \[arn:.*\] while it is in \[ROLLBACK_COMPLETE\] state"
    with pytest.raises(ClientError, match=state):
        stacks.detect_stack_drift(StackName="bad")
    with pytest.raises(ClientError, match="Stack with id none does not exist"):
        stacks.detect_stack_drift(StackName="none")
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe_stack_drift_detection_status(StackDriftDetectionId="none")
    create(server, {"Q": RESOURCES["Dead"], "N": RESOURCES["Nothing"]})
    with pytest.raises(ClientError, match="Drift detection is not supported"):
        stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="N")
    with pytest.raises(ClientError, match="Resource X does not exist for stack s"):
        stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="X")
    found, told = detect(stacks, LogicalResourceIds=["N"])
    assert found == {} and told["StackDriftStatus"] == "IN_SYNC"


def test_in_the_name_of_who_asks(start):
    """Who may read detects drift; what may not be read is said to be unknown. Each read has its record."""
    server = start("--bare")
    create(server, {"Q": RESOURCES["Dead"], "Logs": RESOURCES["Logs"]})
    s3 = server.boto("s3")
    deny = statement("Deny", {"AWS": AUDIT.arn}, "s3:GetBucketVersioning", "arn:aws:s3:::logs")
    s3.put_bucket_policy(Bucket="logs", Policy=document(deny))
    stacks = server.boto("cloudformation", AUDIT)
    found, told = detect(stacks, status="DETECTION_FAILED")
    assert statuses(found) == {"Logs": "UNKNOWN", "Q": "IN_SYNC"}
    assert "AccessDenied" in found["Logs"]["DriftStatusReason"] and "Logs" in told["DetectionStatusReason"]
    assert told["StackDriftStatus"] == "UNKNOWN"
    s3.delete_bucket_policy(Bucket="logs")
    assert set(statuses(detect(stacks)[0]).values()) == {"IN_SYNC"}
    trails = server.boto("cloudtrail")
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "GetBucketVersioning"}]
    records = eventually(lambda: trails.lookup_events(LookupAttributes=attributes)["Events"], "the records")
    record = json.loads(records[0]["CloudTrailEvent"])
    assert record["userIdentity"]["arn"] == AUDIT.arn
    assert record["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    with pytest.raises(ClientError, match="not authorized"):
        server.boto("cloudformation", ROLE).detect_stack_drift(StackName="s")


def test_over_a_restart(tmp_path):
    """A detection that the server was killed in ends after its start, and what was found is known; a deleted stack's is not."""
    server = Server(tmp_path, config([ADMIN]), "--bare").start()
    queues = {f"Q{number}": resource("SQS::Queue", {"DelaySeconds": 1}) for number in range(40)}
    try:
        stacks = create(server, queues)
        sqs = server.boto("sqs")
        sqs.delete_queue(QueueUrl=sqs.list_queues()["QueueUrls"][0])
        detection = stacks.detect_stack_drift(StackName="s")["StackDriftDetectionId"]
        server.process.kill()
        server.process.wait()
        server = Server(tmp_path, config([ADMIN]), "--bare").start()
        stacks = server.boto("cloudformation")

        def result():
            told = stacks.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            return told if told["DetectionStatus"] == "DETECTION_COMPLETE" else None

        told = eventually(result, "the detection")
        assert (told["StackDriftStatus"], told["DriftedStackResourceCount"]) == ("DRIFTED", 1)
        server.stop()
        server = Server(tmp_path, config([ADMIN]), "--bare").start()
        stacks = server.boto("cloudformation")
        assert stacks.describe_stacks(StackName="s")["Stacks"][0]["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
        assert len(stacks.describe_stack_resource_drifts(StackName="s")["StackResourceDrifts"]) == len(queues)
        stacks.delete_stack(StackName="s")
        eventually(lambda: not stacks.describe_stacks()["Stacks"], "the deletion")
        with pytest.raises(ClientError, match="does not exist"):
            stacks.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    finally:
        if server.process.poll() is None:
            server.stop()


def test_one_at_a_time(start):
    """A second detection is refused while one is under way."""
    server = start("--bare")
    stacks = create(server, {f"Q{number}": resource("SQS::Queue", {"DelaySeconds": 1}) for number in range(120)})
    refused = False
    for _ in range(20):
        stacks.detect_stack_drift(StackName="s")
        try:
            stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="Q1")
        except ClientError as error:
            assert "Drift detection is already in progress for stack [arn:" in str(error)
            refused = True
        eventually(lambda: idle(stacks), "its end")
        if refused:
            return
    raise AssertionError("a detection was never seen under way")


def idle(stacks):
    try:
        return stacks.detect_stack_resource_drift(StackName="s", LogicalResourceId="Q1")
    except ClientError:
        return None
