"""A stack with every kind of resource, and what changes each of them behind its stack's back."""

import json

from keys import ACCOUNT
from policies import document, statement
from sigtrail import REGION

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
        def put():
            # The stack's own stay, and have to be said with the others.
            own = [tag for tag in s3.get_bucket_tagging(Bucket="logs")["TagSet"] if tag["Key"].startswith("aws:")]
            s3.put_bucket_tagging(Bucket="logs", Tagging={"TagSet": [*own, *tags]})

        return put

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
