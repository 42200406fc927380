"""The stack of the report as different people wrote it: each deploys, finds the client, and leaves its log bucket."""

import json

import pytest

from sigtrail import eventually
from test_stacks import outputs, put_with_sigv2

# Policies inline, subscriptions in the topic, no names, the last things first.
INLINE = """
Outputs:
  QueueUrl: {Value: !GetAtt Queue.QueueUrl}
  Logs: {Value: !Ref Logs}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: LogsPolicy
    Properties:
      S3BucketName: !Ref Logs
      IsLogging: true
      AdvancedEventSelectors:
        - FieldSelectors:
            - {Field: eventCategory, Equals: [Data]}
            - {Field: resources.type, Equals: ['AWS::S3::Object']}
            - {Field: resources.ARN, StartsWith: ['arn:aws:s3:::watched/']}
  TopicPolicy:
    Type: AWS::SNS::TopicInlinePolicy
    Properties:
      TopicArn: !Ref Topic
      PolicyDocument:
        Version: 2012-10-17
        Statement: {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: 'sns:Publish', Resource: !Ref Topic}
  QueuePolicy:
    Type: AWS::SQS::QueueInlinePolicy
    Properties:
      Queue: !Ref Queue
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          Effect: Allow
          Principal: {Service: [sns.amazonaws.com]}
          Action: [SQS:SendMessage]
          Resource: '*'
          Condition: {ArnLike: {'aws:SourceArn': !Ref Topic}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Targets: [{Arn: !Ref Topic, Id: t}]
      EventPattern: '{"source": ["aws.s3"], "detail": {"additionalEventData": {"SignatureVersion": ["SigV2"]}}}'
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      Subscription:
        - {Endpoint: !GetAtt Queue.Arn, Protocol: sqs}
  Queue: {Type: AWS::SQS::Queue}
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: 's3:GetBucketAcl', Resource: !Sub 'arn:aws:s3:::${Logs}'}
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:PutObject
            Resource: !Join ['', ['arn:aws:s3:::', !Ref Logs, '/AWSLogs/', !Ref 'AWS::AccountId', /*]]
            Condition: {StringEquals: {'s3:x-amz-acl': bucket-owner-full-control}}
  Logs: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}
"""

# As the documentation of CloudWatch Events had it in 2019: JSON, everything joined, everything named, the policy of 2008.
DOCUMENTED = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"Watched": {"Type": "CommaDelimitedList", "Default": "arn:aws:s3:::watched/,arn:aws:s3:::other/"}},
    "Resources": {
        "S3Bucket": {
            "DeletionPolicy": "Retain",
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": {"Fn::Join": ["-", ["trail-logs", {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Region"}]]}},
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "S3Bucket"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "AWSCloudTrailAclCheck",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": "s3:GetBucketAcl",
                            "Resource": {"Fn::Sub": "arn:aws:s3:::${S3Bucket}"},
                        },
                        {
                            "Sid": "AWSCloudTrailWrite",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": "s3:PutObject",
                            "Resource": {"Fn::Sub": "arn:aws:s3:::${S3Bucket}/AWSLogs/${AWS::AccountId}/*"},
                            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
                        },
                    ],
                },
            },
        },
        "myTrail": {
            "DependsOn": ["BucketPolicy"],
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {
                "TrailName": "s3-data-events",
                "S3BucketName": {"Ref": "S3Bucket"},
                "IsLogging": "true",
                "IsMultiRegionTrail": "false",
                "IncludeGlobalServiceEvents": "false",
                "EventSelectors": [
                    {
                        "DataResources": [{"Type": "AWS::S3::Object", "Values": {"Ref": "Watched"}}],
                        "IncludeManagementEvents": "false",
                        "ReadWriteType": "All",
                    }
                ],
            },
        },
        "EventRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "S3-SigV2-Rule",
                "Description": "EventRule",
                "State": "ENABLED",
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["AWS API Call via CloudTrail"],
                    "detail": {
                        "eventSource": ["s3.amazonaws.com"],
                        "additionalEventData": {"SignatureVersion": ["SigV2"]},
                    },
                },
                "Targets": [{"Arn": {"Ref": "MySNSTopic"}, "Id": "TargetTopic", "InputPath": "$.detail"}],
            },
        },
        "MySNSTopic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "sigv2", "DisplayName": "SigV2"}},
        "PolicyForEventsToInvokeTopic": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "MySNSTopic"}],
                "PolicyDocument": {
                    "Version": "2008-10-17",
                    "Id": "TrustCWEToPublishEventsToMyTopic",
                    "Statement": [
                        {
                            "Sid": "TrustCWE",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": {"Ref": "MySNSTopic"},
                        }
                    ],
                },
            },
        },
        "MyQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "sigv2", "VisibilityTimeout": "30"}},
        "SQSPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "MyQueue"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Id": {"Fn::Join": ["/", [{"Fn::GetAtt": ["MyQueue", "Arn"]}, "SQSDefaultPolicy"]]},
                    "Statement": [
                        {
                            "Sid": "Allow-SNS-SendMessage",
                            "Effect": "Allow",
                            "Principal": {"AWS": "*"},
                            "Action": ["sqs:SendMessage"],
                            "Resource": {"Fn::GetAtt": ["MyQueue", "Arn"]},
                            "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "MySNSTopic"}}},
                        }
                    ],
                },
            },
        },
        "MySubscription": {
            "Type": "AWS::SNS::Subscription",
            "DependsOn": "SQSPolicy",
            "Properties": {
                "TopicArn": {"Ref": "MySNSTopic"},
                "Endpoint": {"Fn::GetAtt": ["MyQueue", "Arn"]},
                "Protocol": "sqs",
                "RawMessageDelivery": "true",
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "SigV2",
                "MetricName": "NumberOfMessagesSent",
                "Namespace": "AWS/SQS",
                "Statistic": "Sum",
                "Period": "60",
                "EvaluationPeriods": "1",
                "Threshold": "0",
                "ComparisonOperator": "GreaterThanThreshold",
                "AlarmActions": [{"Ref": "MySNSTopic"}],
                "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["MyQueue", "QueueName"]}}],
            },
        },
    },
    "Outputs": {"QueueUrl": {"Value": {"Ref": "MyQueue"}}, "Logs": {"Value": {"Ref": "S3Bucket"}}},
}

# Straight to a queue, with a mapping, conditions and an input transformer; the log files under a prefix.
DIRECT = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod], Default: dev}
  Prefix: {Type: String, Default: logs}
Mappings:
  Retention:
    dev: {seconds: 3600}
    prod: {seconds: 1209600}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Logs:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      AccessControl: Private
      Tags: !If [IsProd, [{Key: stage, Value: prod}], !Ref 'AWS::NoValue']
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: "s3:GetBucketAcl", Resource: !GetAtt Logs.Arn}
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: "s3:PutObject"
            Resource: !Sub "${Logs.Arn}/${Prefix}/AWSLogs/${AWS::AccountId}/*"
            Condition: {StringEquals: {"s3:x-amz-acl": bucket-owner-full-control}}
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: [LogsPolicy]
    Properties:
      TrailName: !Sub "${AWS::StackName}-${Stage}"
      S3BucketName: !Ref Logs
      S3KeyPrefix: !Ref Prefix
      IsLogging: true
      EventSelectors:
        - ReadWriteType: WriteOnly
          IncludeManagementEvents: true
          DataResources: [{Type: "AWS::S3::Object", Values: ["arn:aws:s3"]}]
  Dead: {Type: "AWS::SQS::Queue"}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: !FindInMap [Retention, !Ref Stage, seconds]
      RedrivePolicy: !Sub '{"deadLetterTargetArn": "${Dead.Arn}", "maxReceiveCount": 3}'
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        detail-type: ["AWS API Call via CloudTrail"]
        detail: {additionalEventData: {SignatureVersion: [SigV2]}}
      Targets:
        - Id: !Select [0, [queue]]
          Arn: !GetAtt Queue.Arn
          InputTransformer:
            InputPathsMap: {who: $.detail.userIdentity.arn, bucket: $.detail.requestParameters.bucketName}
            InputTemplate: '{"who": <who>, "bucket": <bucket>, "SigV2": true}'
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: "sqs:SendMessage"
            Resource: !GetAtt Queue.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !GetAtt Rule.Arn}}
Outputs:
  QueueUrl: {Value: !Ref Queue, Export: {Name: !Sub "${AWS::StackName}-queue"}}
  Logs: {Value: !Ref Logs}
"""

TEMPLATES = {"inline": INLINE, "documented": json.dumps(DOCUMENTED, indent=2), "direct": DIRECT}


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_finds_the_client_and_leaves_the_log_bucket(start, name):
    server = start("--bare", delivery_interval="1s")
    stacks, s3, sqs = server.boto("cloudformation"), server.boto("s3"), server.boto("sqs")
    s3.create_bucket(Bucket="watched")
    stacks.create_stack(StackName="audit", TemplateBody=TEMPLATES[name])
    stacks.get_waiter("stack_create_complete").wait(StackName="audit", WaiterConfig={"Delay": 1})
    made = outputs(server, "audit")
    put_with_sigv2(server, "watched")
    s3.put_object(Bucket="watched", Key="b", Body=b"signed with version 4")
    receive = lambda: sqs.receive_message(QueueUrl=made["QueueUrl"], WaitTimeSeconds=1).get("Messages")
    (message,) = eventually(receive, "the event")
    assert "SigV2" in message["Body"] and "watched" in message["Body"]
    assert not sqs.receive_message(QueueUrl=made["QueueUrl"], WaitTimeSeconds=1).get("Messages")
    eventually(lambda: s3.list_objects_v2(Bucket=made["Logs"]).get("KeyCount", 0) > 0, "the log file")
    stacks.delete_stack(StackName="audit")
    stacks.get_waiter("stack_delete_complete").wait(StackName="audit", WaiterConfig={"Delay": 1})
    assert sorted(bucket["Name"] for bucket in s3.list_buckets()["Buckets"]) == sorted([made["Logs"], "watched"])
    assert not sqs.list_queues().get("QueueUrls") and not server.boto("sns").list_topics()["Topics"]
    assert not server.boto("events").list_rules()["Rules"] and not server.boto("cloudtrail").describe_trails()["trailList"]
    assert not server.boto("cloudwatch").describe_alarms()["MetricAlarms"]
