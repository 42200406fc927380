"""The tags that say of which stack a resource is: CloudFormation sets them, everybody sees them, and nobody else touches them."""

import json

import pytest
from botocore.exceptions import ClientError

from sigtrail import eventually

TEMPLATE = {
    "Parameters": {"Team": {"Type": "String", "Default": "storage"}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "team", "Value": {"Ref": "Team"}}]}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Tags": [{"Key": "team", "Value": {"Ref": "Team"}}]}},
        "Bus": {
            "Type": "AWS::Events::EventBus",
            "Properties": {"Name": "own", "Tags": [{"Key": "team", "Value": {"Ref": "Team"}}]},
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["x"]}, "Tags": [{"Key": "team", "Value": {"Ref": "Team"}}]},
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "N",
                "MetricName": "M",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "Tags": [{"Key": "team", "Value": {"Ref": "Team"}}],
            },
        },
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "team", "Value": {"Ref": "Team"}}]}},
    },
    "Outputs": {
        "Queue": {"Value": {"Ref": "Queue"}},
        "Topic": {"Value": {"Ref": "Topic"}},
        "Bus": {"Value": {"Fn::GetAtt": "Bus.Arn"}},
        "Rule": {"Value": {"Fn::GetAtt": "Rule.Arn"}},
        "Alarm": {"Value": {"Fn::GetAtt": "Alarm.Arn"}},
        "Bucket": {"Value": {"Ref": "Bucket"}},
    },
}
REFUSED = "aws: prefixed tag key names are not allowed for external use"
SYSTEM = "aws:cloudformation:stack-name"


class Tags:
    """Each service's operations on tags under one set of names: `list`, `put`, `remove`, by logical id."""

    def __init__(self, server, outputs):
        sqs, sns, events, alarms = (server.boto(name) for name in ("sqs", "sns", "events", "cloudwatch"))
        queue, topic, alarm = outputs["Queue"], outputs["Topic"], outputs["Alarm"]

        def pairs(tags):
            return {tag["Key"]: tag["Value"] for tag in tags}

        def listed(tags):
            return [{"Key": key, "Value": value} for key, value in tags.items()]

        self.list = {
            "Queue": lambda: sqs.list_queue_tags(QueueUrl=queue)["Tags"],
            "Topic": lambda: pairs(sns.list_tags_for_resource(ResourceArn=topic)["Tags"]),
            "Alarm": lambda: pairs(alarms.list_tags_for_resource(ResourceARN=alarm)["Tags"]),
        }
        self.put = {
            "Queue": lambda tags: sqs.tag_queue(QueueUrl=queue, Tags=tags),
            "Topic": lambda tags: sns.tag_resource(ResourceArn=topic, Tags=listed(tags)),
            "Alarm": lambda tags: alarms.tag_resource(ResourceARN=alarm, Tags=listed(tags)),
        }
        self.remove = {
            "Queue": lambda keys: sqs.untag_queue(QueueUrl=queue, TagKeys=keys),
            "Topic": lambda keys: sns.untag_resource(ResourceArn=topic, TagKeys=keys),
            "Alarm": lambda keys: alarms.untag_resource(ResourceARN=alarm, TagKeys=keys),
        }
        for name in ("Bus", "Rule"):
            arn = outputs[name]
            self.list[name] = lambda arn=arn: pairs(events.list_tags_for_resource(ResourceARN=arn)["Tags"])
            self.put[name] = lambda tags, arn=arn: events.tag_resource(ResourceARN=arn, Tags=listed(tags))
            self.remove[name] = lambda keys, arn=arn: events.untag_resource(ResourceARN=arn, TagKeys=keys)


@pytest.fixture
def server(start):
    return start("--bare")


def deployed(server, **parameters):
    stacks = server.boto("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    arguments = {"StackName": "marked", "TemplateBody": json.dumps(TEMPLATE), "Parameters": given}
    (stacks.update_stack if parameters else stacks.create_stack)(**arguments)
    stacks.get_waiter("stack_update_complete" if parameters else "stack_create_complete").wait(StackName="marked")
    stack = stacks.describe_stacks(StackName="marked")["Stacks"][0]
    return stack, {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def system_tags(stack, logical_id):
    return {
        "aws:cloudformation:stack-name": "marked",
        "aws:cloudformation:stack-id": stack["StackId"],
        "aws:cloudformation:logical-id": logical_id,
    }


def bucket_tags(s3, bucket):
    return {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}


def test_resources_say_of_which_stack_they_are(server):
    stack, outputs = deployed(server)
    assert stack["Tags"] == []
    tags, s3 = Tags(server, outputs), server.boto("s3")
    for name, look in tags.list.items():
        assert look() == {"team": "storage", **system_tags(stack, name)}, name
    assert bucket_tags(s3, outputs["Bucket"]) == {"team": "storage", **system_tags(stack, "Bucket")}
    with pytest.raises(ClientError, match="No updates are to be performed"):
        server.boto("cloudformation").update_stack(StackName="marked", TemplateBody=json.dumps(TEMPLATE))
    deployed(server, Team="backup")
    for name, look in tags.list.items():
        assert look() == {"team": "backup", **system_tags(stack, name)}, name
    assert bucket_tags(s3, outputs["Bucket"]) == {"team": "backup", **system_tags(stack, "Bucket")}


def test_nobody_else_touches_them(server):
    stack, outputs = deployed(server)
    tags = Tags(server, outputs)
    for name in tags.list:
        with pytest.raises(ClientError, match=REFUSED):
            tags.put[name]({SYSTEM: "mine"})
        with pytest.raises(ClientError, match=REFUSED):
            tags.put[name]({"AWS:other": "mine"})
        with pytest.raises(ClientError, match=REFUSED):
            tags.remove[name](["team", SYSTEM])
        assert tags.list[name]() == {"team": "storage", **system_tags(stack, name)}, name
        # They do not count against the limit: `team` and 49 more.
        tags.put[name]({f"k{number}": "v" for number in range(49)})
        assert len(tags.list[name]()) == 53
        with pytest.raises(ClientError):
            tags.put[name]({"one-more": "v"})
        tags.remove[name](["team"] + [f"k{number}" for number in range(49)])
        assert tags.list[name]() == system_tags(stack, name), name


def test_nor_those_of_a_bucket(server):
    stack, outputs = deployed(server)
    s3, bucket = server.boto("s3"), outputs["Bucket"]

    def put(tags):
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})

    own = system_tags(stack, "Bucket")
    with pytest.raises(ClientError, match="System Tags cannot be removed by requester"):
        put({"team": "mine"})
    with pytest.raises(ClientError, match="System Tags cannot be removed by requester"):
        s3.delete_bucket_tagging(Bucket=bucket)
    for changed in ({**own, SYSTEM: "other"}, {**own, "aws:more": "x"}):
        with pytest.raises(ClientError, match="System tags cannot be added/updated by requester"):
            put(changed)
    assert bucket_tags(s3, bucket) == {"team": "storage", **own}
    fifty = {f"k{number}": "v" for number in range(50)}
    put({**fifty, **own})
    assert bucket_tags(s3, bucket) == {**fifty, **own}


def test_no_request_claims_to_be_cloudformation(server):
    """Neither a template's tags, nor a stack's, nor whatever a client says of itself."""
    stacks, sqs = server.boto("cloudformation"), server.boto("sqs")
    with pytest.raises(ClientError, match=REFUSED):
        stacks.create_stack(
            StackName="s", TemplateBody=json.dumps(TEMPLATE), Tags=[{"Key": SYSTEM, "Value": "other"}]
        )
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": SYSTEM, "Value": "o"}]}}}}
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(template))
    eventually(lambda: stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE", "the end")
    events = stacks.describe_stack_events(StackName="s")["StackEvents"]
    assert any(REFUSED in event.get("ResourceStatusReason", "") for event in events)
    disguised = server.boto("sqs", user_agent="cloudformation.amazonaws.com")
    with pytest.raises(ClientError, match=REFUSED):
        disguised.create_queue(QueueName="q", tags={SYSTEM: "other"})
    assert not sqs.list_queues().get("QueueUrls")


def test_a_trail_has_only_its_own_tags(server):
    """The schema of `AWS::CloudTrail::Trail` says that it has no system tags."""
    template = {
        "Resources": {
            "Logs": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Logs"},
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                                "Action": "s3:GetBucketAcl",
                                "Resource": {"Fn::GetAtt": "Logs.Arn"},
                            },
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                                "Action": "s3:PutObject",
                                "Resource": {"Fn::Sub": "${Logs.Arn}/AWSLogs/*"},
                            },
                        ],
                    },
                },
            },
            "Trail": {
                "Type": "AWS::CloudTrail::Trail",
                "DependsOn": "Policy",
                "Properties": {
                    "S3BucketName": {"Ref": "Logs"},
                    "IsLogging": False,
                    "Tags": [{"Key": "team", "Value": "a"}],
                },
            },
        },
        "Outputs": {"Trail": {"Value": {"Fn::GetAtt": "Trail.Arn"}}},
    }
    stacks, trails = server.boto("cloudformation"), server.boto("cloudtrail")
    stacks.create_stack(StackName="t", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="t")
    trail = stacks.describe_stacks(StackName="t")["Stacks"][0]["Outputs"][0]["OutputValue"]
    listed = trails.list_tags(ResourceIdList=[trail])["ResourceTagList"][0]["TagsList"]
    assert listed == [{"Key": "team", "Value": "a"}]
