"""Drift of stacks: every kind of resource is changed behind its stack's back, found changed, and found right again."""

import json
import os
import subprocess

import pytest
from botocore.exceptions import ClientError

from clients import ENVIRONMENTS
from keys import ACCOUNT, ADMIN, AUDIT, ROLE, config
from policies import document, statement
from sigtrail import REGION, Server, eventually

SEND = [statement("Allow", {"Service": "sns.amazonaws.com"}, "sqs:SendMessage", "*")]
PUBLISH = [statement("Allow", {"Service": "events.amazonaws.com"}, "sns:Publish", "*")]


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def arn(service, name):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def resource(kind, properties, **more):
    return {"Type": f"AWS::{kind}", "Properties": properties, **more}


def logs_policy(bucket):
    principal = {"Service": "cloudtrail.amazonaws.com"}
    write = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    return policy(
        statement("Allow", principal, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"),
        statement("Allow", principal, "s3:PutObject", f"arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/*", **write),
    )


TAGS = [{"Key": "team", "Value": "storage"}, {"Key": "cost", "Value": "1"}]
FORWARD = {"EventBusName": "hub", "StatementId": "let", "Action": "events:PutEvents", "Principal": "444455556666"}
RULES = [{"Status": "Enabled", "ExpirationInDays": 30, "NoncurrentVersionExpirationInDays": 7}]
CLOSED = {name: True for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")}
RESOURCES = {
    "Dead": resource("SQS::Queue", {"QueueName": "dead"}),
    "Queue": resource(
        "SQS::Queue",
        {
            "QueueName": "work",
            "DelaySeconds": "5",
            "FifoQueue": False,
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": "Dead.Arn"}, "maxReceiveCount": "3"},
            "Tags": TAGS,
        },
    ),
    "QueuePolicy": resource("SQS::QueuePolicy", {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy(*SEND)}),
    "DeadPolicy": resource("SQS::QueueInlinePolicy", {"Queue": {"Ref": "Dead"}, "PolicyDocument": policy(*SEND)}),
    "Topic": resource(
        "SNS::Topic",
        {
            "TopicName": "news",
            "DisplayName": "News",
            "SignatureVersion": "1",
            "Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": "Queue.Arn"}}],
            "Tags": TAGS,
        },
    ),
    "Other": resource("SNS::Topic", {"TopicName": "other"}),
    "TopicPolicy": resource("SNS::TopicPolicy", {"Topics": [{"Ref": "Topic"}], "PolicyDocument": policy(*PUBLISH)}),
    "OtherPolicy": resource(
        "SNS::TopicInlinePolicy", {"TopicArn": {"Ref": "Other"}, "PolicyDocument": policy(*PUBLISH)}
    ),
    "Subscription": resource(
        "SNS::Subscription",
        {
            "TopicArn": {"Ref": "Other"},
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": "Queue.Arn"},
            "RawMessageDelivery": "true",
            "FilterPolicy": {"kind": ["a"]},
        },
    ),
    "Logs": resource(
        "S3::Bucket",
        {
            "BucketName": "logs",
            "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": CLOSED,
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LifecycleConfiguration": {"Rules": RULES},
            "BucketEncryption": {"ServerSideEncryptionConfiguration": []},
            "Tags": TAGS,
        },
    ),
    "LogsPolicy": resource("S3::BucketPolicy", {"Bucket": {"Ref": "Logs"}, "PolicyDocument": logs_policy("logs")}),
    "Trail": resource(
        "CloudTrail::Trail",
        {
            "TrailName": "all",
            "S3BucketName": {"Ref": "Logs"},
            "IsLogging": True,
            "EnableLogFileValidation": True,
            "EventSelectors": [
                {
                    "ReadWriteType": "All",
                    "IncludeManagementEvents": True,
                    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
                }
            ],
            "Tags": TAGS,
        },
        DependsOn="LogsPolicy",
    ),
    "Bus": resource("Events::EventBus", {"Name": "hub", "Tags": TAGS}),
    "BusPolicy": resource("Events::EventBusPolicy", FORWARD, DependsOn="Bus"),
    "Rule": resource(
        "Events::Rule",
        {
            "Name": "sigv2",
            "Description": "Who signs so",
            "EventBusName": {"Ref": "Bus"},
            "EventPattern": {"source": ["aws.s3"]},
            "State": "ENABLED",
            "Targets": [
                {"Id": "b", "Arn": {"Ref": "Topic"}, "InputPath": "$.detail"},
                {"Id": "a", "Arn": {"Fn::GetAtt": "Queue.Arn"}},
            ],
            "Tags": TAGS,
        },
    ),
    "Alarm": resource(
        "CloudWatch::Alarm",
        {
            "AlarmName": "many",
            "Namespace": "AWS/SQS",
            "MetricName": "NumberOfMessagesSent",
            "Dimensions": [{"Name": "QueueName", "Value": "work"}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [{"Ref": "Topic"}],
            "Tags": TAGS,
        },
    ),
    "Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
}


def aws(server, home, *arguments):
    command = [str(ENVIRONMENTS / "awscli/bin/aws"), "--endpoint-url", server.url, "--region", REGION, *arguments]
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": ADMIN.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ADMIN.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


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


def changes(server):
    """Of each resource: what changes it behind its stack's back, what is found then, and what undoes it."""
    sqs, sns, s3 = server.boto("sqs"), server.boto("sns"), server.boto("s3")
    events, trails, alarms = server.boto("events"), server.boto("cloudtrail"), server.boto("cloudwatch")
    work = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    dead = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    news, other = arn("sns", "news"), arn("sns", "other")
    of_other = sns.list_subscriptions_by_topic(TopicArn=other)["Subscriptions"][0]["SubscriptionArn"]
    other_send = document({**SEND[0], "Effect": "Deny"})
    both = document(*PUBLISH, {**PUBLISH[0], "Effect": "Deny"})
    alarm = dict(RESOURCES["Alarm"]["Properties"], AlarmActions=[news])
    del alarm["Tags"]
    logs, selectors = document(*logs_policy("logs")["Statement"]), RESOURCES["Trail"]["Properties"]["EventSelectors"]

    def attribute(url, name, value):
        return lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})

    def of_topic(topic, name, value):
        return lambda: sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)

    def bucket_tags(tags):
        return lambda: s3.put_bucket_tagging(Bucket="logs", Tagging={"TagSet": tags})

    def lifecycle(days):
        rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": 7}
        rules = {"Rules": [rule]}
        return lambda: s3.put_bucket_lifecycle_configuration(Bucket="logs", LifecycleConfiguration=rules)

    def versioning(status):
        return lambda: s3.put_bucket_versioning(Bucket="logs", VersioningConfiguration={"Status": status})

    def rule(**settings):
        pattern = json.dumps({"source": ["aws.s3"]})
        given = {"Description": "Who signs so", "EventPattern": pattern, "State": "ENABLED", **settings}
        return lambda: events.put_rule(Name="sigv2", EventBusName="hub", **given)

    def bus_tag(value):
        tags = [{"Key": "team", "Value": value}]
        return lambda: events.tag_resource(ResourceARN=arn("events", "event-bus/hub"), Tags=tags)

    def permission(principal):
        given = {"StatementId": "let", "Action": "events:PutEvents", "Principal": principal}
        return lambda: events.put_permission(EventBusName="hub", **given)

    def filtered(value):
        given = {"AttributeName": "FilterPolicy", "AttributeValue": json.dumps({"kind": value})}
        return lambda: sns.set_subscription_attributes(SubscriptionArn=of_other, **given)

    def selecting(chosen):
        return lambda: trails.put_event_selectors(TrailName="all", EventSelectors=chosen)

    def closed(**settings):
        given = {**CLOSED, **settings}
        return lambda: s3.put_public_access_block(Bucket="logs", PublicAccessBlockConfiguration=given)

    def target(**settings):
        targets = [{"Id": "b", "Arn": news, "InputPath": "$.detail", **settings}]
        return lambda: events.put_targets(Rule="sigv2", EventBusName="hub", Targets=targets)

    more = {"Id": "c", "Arn": news}
    send, publish = document(*SEND), document(*PUBLISH)
    redrive = {"deadLetterTargetArn": arn("sqs", "dead"), "maxReceiveCount": 3}
    return [
        ("Queue", attribute(work, "DelaySeconds", "9"), [("/DelaySeconds", "NOT_EQUAL")], attribute(work, "DelaySeconds", "5")),
        (
            "Queue",
            attribute(work, "RedrivePolicy", json.dumps({**redrive, "maxReceiveCount": 4})),
            [("/RedrivePolicy/maxReceiveCount", "NOT_EQUAL")],
            attribute(work, "RedrivePolicy", json.dumps(redrive)),
        ),
        (
            "Queue",
            lambda: sqs.tag_queue(QueueUrl=work, Tags={"team": "x", "new": "1"}),
            [("/Tags/0/Value", "NOT_EQUAL"), ("/Tags/1", "ADD")],
            lambda: (sqs.tag_queue(QueueUrl=work, Tags={"team": "storage"}), sqs.untag_queue(QueueUrl=work, TagKeys=["new"])),
        ),
        (
            "QueuePolicy",
            attribute(work, "Policy", other_send),
            [("/PolicyDocument/Statement/0/Effect", "NOT_EQUAL")],
            attribute(work, "Policy", send),
        ),
        ("QueuePolicy", attribute(work, "Policy", ""), None, attribute(work, "Policy", send)),
        ("DeadPolicy", attribute(dead, "Policy", ""), None, attribute(dead, "Policy", send)),
        ("Topic", of_topic(news, "DisplayName", "Old"), [("/DisplayName", "NOT_EQUAL")], of_topic(news, "DisplayName", "News")),
        ("Topic", of_topic(news, "SignatureVersion", "2"), [("/SignatureVersion", "NOT_EQUAL")], of_topic(news, "SignatureVersion", "1")),
        (
            "Topic",
            lambda: sns.untag_resource(ResourceArn=news, TagKeys=["cost"]),
            [("/Tags/1", "REMOVE")],
            lambda: sns.tag_resource(ResourceArn=news, Tags=TAGS),
        ),
        (
            "Topic",
            lambda: sns.unsubscribe(
                SubscriptionArn=sns.list_subscriptions_by_topic(TopicArn=news)["Subscriptions"][0]["SubscriptionArn"]
            ),
            [("/Subscription/0", "REMOVE")],
            lambda: sns.subscribe(TopicArn=news, Protocol="sqs", Endpoint=arn("sqs", "work")),
        ),
        ("TopicPolicy", of_topic(news, "Policy", both), [("/PolicyDocument/Statement/1", "ADD")], of_topic(news, "Policy", publish)),
        ("OtherPolicy", of_topic(other, "Policy", both), [("/PolicyDocument/Statement/1", "ADD")], of_topic(other, "Policy", publish)),
        ("Subscription", filtered(["b"]), [("/FilterPolicy/kind/0", "NOT_EQUAL")], filtered(["a"])),
        ("Logs", versioning("Suspended"), [("/VersioningConfiguration/Status", "NOT_EQUAL")], versioning("Enabled")),
        (
            "Logs",
            closed(BlockPublicAcls=False),
            [("/PublicAccessBlockConfiguration/BlockPublicAcls", "NOT_EQUAL")],
            closed(),
        ),
        (
            "Logs",
            lambda: s3.delete_bucket_ownership_controls(Bucket="logs"),
            [("/OwnershipControls", "REMOVE")],
            lambda: s3.put_bucket_ownership_controls(
                Bucket="logs", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
            ),
        ),
        ("Logs", lifecycle(60), [("/LifecycleConfiguration/Rules/0/ExpirationInDays", "NOT_EQUAL")], lifecycle(30)),
        ("Logs", bucket_tags(TAGS[:1]), [("/Tags/1", "REMOVE")], bucket_tags(TAGS[::-1])),
        (
            "LogsPolicy",
            lambda: s3.put_bucket_policy(Bucket="logs", Policy=document(*logs_policy("logs")["Statement"][:1])),
            [("/PolicyDocument/Statement/1", "REMOVE")],
            lambda: s3.put_bucket_policy(Bucket="logs", Policy=logs),
        ),
        ("Trail", lambda: trails.stop_logging(Name="all"), [("/IsLogging", "NOT_EQUAL")], lambda: trails.start_logging(Name="all")),
        (
            "Trail",
            lambda: trails.update_trail(Name="all", EnableLogFileValidation=False),
            [("/EnableLogFileValidation", "NOT_EQUAL")],
            lambda: trails.update_trail(Name="all", EnableLogFileValidation=True),
        ),
        (
            "Trail",
            selecting([{**selectors[0], "ReadWriteType": "WriteOnly"}]),
            [("/EventSelectors/0/ReadWriteType", "NOT_EQUAL")],
            selecting(selectors),
        ),
        ("Bus", bus_tag("x"), [("/Tags/0/Value", "NOT_EQUAL")], bus_tag("storage")),
        ("BusPolicy", permission("*"), [("/Principal", "NOT_EQUAL")], permission("444455556666")),
        (
            "BusPolicy",
            lambda: events.remove_permission(EventBusName="hub", StatementId="let"),
            None,
            permission("444455556666"),
        ),
        ("Rule", rule(State="DISABLED"), [("/State", "NOT_EQUAL")], rule()),
        (
            "Rule",
            rule(EventPattern=json.dumps({"source": ["aws.s3", "aws.sqs"]})),
            [("/EventPattern/source/1", "ADD")],
            rule(),
        ),
        (
            "Rule",
            lambda: events.put_targets(Rule="sigv2", EventBusName="hub", Targets=[more]),
            [("/Targets/2", "ADD")],
            lambda: events.remove_targets(Rule="sigv2", EventBusName="hub", Ids=["c"]),
        ),
        ("Rule", target(InputPath="$.source"), [("/Targets/0/InputPath", "NOT_EQUAL")], target()),
        (
            "Alarm",
            lambda: alarms.put_metric_alarm(**{**alarm, "Threshold": 2, "AlarmActions": []}),
            [("/Threshold", "NOT_EQUAL"), ("/AlarmActions/0", "REMOVE")],
            lambda: alarms.put_metric_alarm(**alarm),
        ),
    ]


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
    asked = aws(server, tmp_path, "cloudformation", "describe-stacks", *stack)["Stacks"][0]
    assert asked["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}
    server.boto("sns").set_topic_attributes(TopicArn=arn("sns", "t"), AttributeName="DisplayName", AttributeValue="x")
    sqs = server.boto("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"])
    one = ("cloudformation", "detect-stack-resource-drift", *stack, "--logical-resource-id", "T")
    drift = aws(server, tmp_path, *one)["StackResourceDrift"]
    assert drift["StackResourceDriftStatus"] == "MODIFIED" and drift["PhysicalResourceId"] == arn("sns", "t")
    assert json.loads(drift["ExpectedProperties"]) == {"TopicName": "t", "DisplayName": "****"}
    assert json.loads(drift["ActualProperties"]) == {"TopicName": "t", "DisplayName": "x"}
    difference = {"PropertyPath": "/DisplayName", "ExpectedValue": "****", "ActualValue": "x", "DifferenceType": "NOT_EQUAL"}
    assert drift["PropertyDifferences"] == [difference]
    found = detect(server.boto("cloudformation"))[0]
    assert statuses(found) == {"Q": "DELETED", "T": "MODIFIED"}
    asked = aws(server, tmp_path, "cloudformation", "describe-stacks", *stack)["Stacks"][0]["DriftInformation"]
    assert asked["StackDriftStatus"] == "DRIFTED" and asked["LastCheckTimestamp"]
    listed = aws(server, tmp_path, "cloudformation", "list-stacks")["StackSummaries"][0]["DriftInformation"]
    assert listed == asked
    shown = aws(server, tmp_path, "cloudformation", "list-stack-resources", *stack)["StackResourceSummaries"]
    of_resources = {it["LogicalResourceId"]: it["DriftInformation"]["StackResourceDriftStatus"] for it in shown}
    assert of_resources == {"N": "NOT_CHECKED", "Q": "DELETED", "T": "MODIFIED"}
    shown = aws(server, tmp_path, "cloudformation", "describe-stack-resource", *stack, "--logical-resource-id", "Q")
    assert shown["StackResourceDetail"]["DriftInformation"]["StackResourceDriftStatus"] == "DELETED"
    drifts = ("cloudformation", "describe-stack-resource-drifts", *stack)
    only = aws(server, tmp_path, *drifts, "--stack-resource-drift-status-filters", "DELETED")["StackResourceDrifts"]
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
