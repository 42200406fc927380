"""Rule → topic → queue: what a policy does not let through does not arrive, is counted, told and dead-lettered."""

import json
import uuid

import pytest
import requests
from botocore.exceptions import ClientError

from keys import ACCOUNT, ADMIN, AUDIT, ROLE, user_key
from policies import allow_publish, allow_send, document, of_service, queue_arn, rule_arn, statement, topic_arn
from sigtrail import REGION, eventually

STRANGER = user_key("stranger", "admin", account="444455556666")
KEYS = (ADMIN, AUDIT, ROLE, STRANGER)
QUEUES = ("q", "dead", "undelivered")


class Way:
    """A rule on events of one's own, a topic as its target, a subscribed queue, and a dead-letter queue for each."""

    def __init__(self, server):
        self.look_at(server)
        self.topic = self.sns.create_topic(Name="t")["TopicArn"]
        redrive = json.dumps({"deadLetterTargetArn": queue_arn("undelivered")})
        attributes = {"RawMessageDelivery": "true", "RedrivePolicy": redrive}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=queue_arn("q"), Attributes=attributes)
        self.events.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"]}))
        self.target(DeadLetterConfig={"Arn": queue_arn("dead")})

    def look_at(self, server):
        self.server = server
        self.sns, self.sqs, self.events = (server.boto(name) for name in ("sns", "sqs", "events"))
        self.urls = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}

    def target(self, **more):
        target = {"Id": "1", "Arn": self.topic, **more}
        assert self.events.put_targets(Rule="r", Targets=[target])["FailedEntryCount"] == 0

    def put(self):
        """Puts an event, after which everything that follows from it is there; its mark."""
        mark = uuid.uuid4().hex
        entry = {"Source": "mine", "DetailType": "d", "Detail": json.dumps({"mark": mark})}
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0
        return mark

    def take(self, name):
        """The messages of a queue, which are gone then."""
        answer = self.sqs.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        messages = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=message["ReceiptHandle"])
        return messages

    def arrived(self, mark):
        """Which queues have the event."""
        return {name for name in self.urls for message in self.take(name) if mark in message["Body"]}

    def counts(self):
        text = requests.get(f"{self.server.url}/_sigtrail/metrics", timeout=10).text
        lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
        return {name.removeprefix("sigtrail_").removesuffix("_total"): float(value) for name, value in lines}

    def told(self, resource, source):
        """The lines of the log on what is kept out: one for all events since the last change."""
        lines = self.server.stderr().splitlines()
        return [line for line in lines if "not delivered" in line and resource in line and source in line]


@pytest.fixture
def way(start):
    return Way(start("--bare", keys=KEYS))


def statement_in(line):
    text = line.split(": add ", 1)[1]
    return json.JSONDecoder().raw_decode(text)[0]


def code(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_from_nothing_to_delivery_by_what_the_log_says(way):
    """The statements that the log asks for, one after the other, are all that is needed."""
    for _ in range(3):
        way.put()
    assert way.arrived("") == set()
    counts = way.counts()
    assert (counts["failed_invocations"], counts["undelivered_lost"], counts["invocations"]) == (3, 3, 0)
    (line,) = way.told(way.topic, rule_arn("r"))
    allow = statement_in(line)
    assert allow == of_service("events", "sns:Publish", way.topic, rule_arn("r")) | {
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn("r")}}
    }
    # The rule's dead-letter queue first.
    (line,) = way.told(queue_arn("dead"), rule_arn("r"))
    policy = document(statement_in(line))
    way.sqs.set_queue_attributes(QueueUrl=way.urls["dead"], Attributes={"Policy": policy})
    mark = way.put()
    (dead,) = way.take("dead")
    attributes = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
    assert mark in dead["Body"] and attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert (attributes["RULE_ARN"], attributes["TARGET_ARN"]) == (rule_arn("r"), way.topic)
    # The topic: the event gets as far as the queue, which is closed, as is the subscription's dead-letter queue.
    way.sns.set_topic_attributes(TopicArn=way.topic, AttributeName="Policy", AttributeValue=document(allow))
    before = way.counts()
    assert way.arrived(way.put()) == set()
    after = way.counts()
    moved = {name: after[name] - before[name] for name in ("invocations", "notifications_failed", "undelivered_lost")}
    assert moved == {"invocations": 1, "notifications_failed": 1, "undelivered_lost": 1}
    for name in ("undelivered", "q"):
        (line,) = way.told(queue_arn(name), way.topic)[-1:]
        policy = document(statement_in(line))
        way.sqs.set_queue_attributes(QueueUrl=way.urls[name], Attributes={"Policy": policy})
        assert way.arrived(way.put()) == {name}
    assert way.counts()["notifications_delivered"] == 1


def test_wrong_source_deny_and_restart(way, start):
    allow_publish(way.sns, way.topic, rule_arn("other"))
    allow_send(way.sqs, way.urls["q"], way.topic)
    allow_send(way.sqs, way.urls["dead"], rule_arn("r"))
    allow_send(way.sqs, way.urls["undelivered"], topic_arn("other"))
    assert way.arrived(way.put()) == {"dead"}
    allow_publish(way.sns, way.topic, rule_arn("*"))
    assert way.arrived(way.put()) == {"q"}
    allow = of_service("events", "sns:Publish", way.topic, rule_arn("r"))
    deny = statement("Deny", {"Service": "events.amazonaws.com"}, "sns:Publish", way.topic)
    way.sns.set_topic_attributes(TopicArn=way.topic, AttributeName="Policy", AttributeValue=document(allow, deny))
    assert way.arrived(way.put()) == {"dead"}
    assert any("denies events.amazonaws.com" in line for line in way.told(way.topic, rule_arn("r")))
    way.server.stop()
    way.look_at(start("--bare", keys=KEYS))
    assert way.arrived(way.put()) == {"dead"}, "policies are kept"
    way.sns.set_topic_attributes(TopicArn=way.topic, AttributeName="Policy", AttributeValue=document(allow))
    assert way.arrived(way.put()) == {"q"}
    allow_send(way.sqs, way.urls["q"], topic_arn("other"))
    assert way.arrived(way.put()) == set(), "the subscription's dead-letter queue is closed, too"
    allow_send(way.sqs, way.urls["undelivered"], way.topic)
    assert way.arrived(way.put()) == {"undelivered"}


def test_a_queue_as_target(way):
    target = {"Id": "1", "Arn": queue_arn("q"), "DeadLetterConfig": {"Arn": queue_arn("dead")}}
    way.events.put_targets(Rule="r", Targets=[target])
    allow_send(way.sqs, way.urls["dead"], rule_arn("r"))
    assert way.arrived(way.put()) == {"dead"}
    allow_send(way.sqs, way.urls["q"], rule_arn("r"))
    assert way.arrived(way.put()) == {"q"}


def test_permissions_of_topics_and_other_accounts(way):
    sns, stranger = way.sns, way.server.boto("sns", STRANGER)
    allow_send(way.sqs, way.urls["q"], way.topic)
    assert code(stranger.publish, TopicArn=way.topic, Message="m") == "AuthorizationError"
    permission = {"Label": "l", "AWSAccountId": [STRANGER.account], "ActionName": ["Publish", "GetTopicAttributes"]}
    sns.add_permission(TopicArn=way.topic, **permission)
    policy = json.loads(stranger.get_topic_attributes(TopicArn=way.topic)["Attributes"]["Policy"])
    assert [s["Sid"] for s in policy["Statement"]] == ["__default_statement_ID", "l"]
    assert policy["Statement"][1]["Action"] == ["SNS:Publish", "SNS:GetTopicAttributes"]
    stranger.publish(TopicArn=way.topic, Message="from elsewhere")
    assert [message["Body"] for message in way.take("q")] == ["from elsewhere"]
    assert code(stranger.delete_topic, TopicArn=way.topic) == "AuthorizationError"
    sns.remove_permission(TopicArn=way.topic, Label="l")
    assert code(stranger.publish, TopicArn=way.topic, Message="m") == "AuthorizationError"


def test_queues_and_other_accounts(way):
    stranger = way.server.boto("sqs", STRANGER)
    url, owner = way.urls["q"], {"QueueName": "q", "QueueOwnerAWSAccountId": ACCOUNT}
    assert code(stranger.send_message, QueueUrl=url, MessageBody="m") == "AccessDenied"
    assert code(stranger.get_queue_url, **owner) == "AWS.SimpleQueueService.NonExistentQueue"
    actions = ["SendMessage", "GetQueueUrl", "ReceiveMessage", "DeleteMessage"]
    way.sqs.add_permission(QueueUrl=url, Label="l", AWSAccountIds=[STRANGER.account], Actions=actions)
    assert stranger.get_queue_url(**owner)["QueueUrl"] == url
    stranger.send_message(QueueUrl=url, MessageBody="from elsewhere")
    (message,) = stranger.receive_message(QueueUrl=url)["Messages"]
    stranger.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert code(stranger.delete_queue, QueueUrl=url) == "AccessDenied"
    deny = document(statement("Deny", "*", "sqs:SendMessage", queue_arn("q")))
    way.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": deny})
    assert code(way.sqs.send_message, QueueUrl=url, MessageBody="m") == "AccessDenied"


def test_calls_are_recorded_with_the_policy(way):
    policy = document(of_service("events", "sns:Publish", way.topic, rule_arn("r")))
    way.sns.set_topic_attributes(TopicArn=way.topic, AttributeName="Policy", AttributeValue=policy)
    way.sns.add_permission(TopicArn=way.topic, Label="l", AWSAccountId=[ACCOUNT], ActionName=["Publish"])
    trails = way.server.boto("cloudtrail")

    def parameters(name):
        attribute = [{"AttributeKey": "EventName", "AttributeValue": name}]
        found = trails.lookup_events(LookupAttributes=attribute)["Events"]
        return [json.loads(event["CloudTrailEvent"])["requestParameters"] for event in found]

    (set_policy,) = eventually(lambda: parameters("SetTopicAttributes"), "the call is found")
    assert set_policy == {"topicArn": way.topic, "attributeName": "Policy", "attributeValue": policy}
    (added,) = eventually(lambda: parameters("AddPermission"), "the call is found")
    assert (added["label"], added["actionName"], added["aWSAccountId"]) == ("l", ["Publish"], [ACCOUNT])


def test_buses_and_other_accounts(way):
    events, stranger = way.events, way.server.boto("events", STRANGER)
    allow_publish(way.sns, way.topic, rule_arn("r"))
    allow_send(way.sqs, way.urls["q"], way.topic)
    bus = events.describe_event_bus()["Arn"]
    entry = {"Source": "mine", "DetailType": "d", "Detail": '{"by": "a stranger"}', "EventBusName": bus}
    assert code(stranger.put_events, Entries=[entry]) == "AccessDeniedException"
    events.put_permission(Action="events:PutEvents", Principal=STRANGER.account, StatementId="s")
    policy = json.loads(events.describe_event_bus()["Policy"])
    assert policy["Statement"] == [
        {
            "Sid": "s",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{STRANGER.account}:root"},
            "Action": "events:PutEvents",
            "Resource": bus,
        }
    ]
    assert stranger.put_events(Entries=[entry])["FailedEntryCount"] == 0
    (message,) = way.take("q")
    assert json.loads(message["Body"])["account"] == STRANGER.account
    assert code(events.remove_permission, StatementId="t") == "ResourceNotFoundException"
    events.remove_permission(StatementId="s")
    assert "Policy" not in events.describe_event_bus()
    assert code(stranger.put_events, Entries=[entry]) == "AccessDeniedException"
    allow = statement("Allow", "*", "events:PutEvents", bus, StringEquals={"events:source": "theirs"})
    events.put_permission(Policy=document(allow))
    assert code(stranger.put_events, Entries=[entry]) == "AccessDeniedException"
    assert stranger.put_events(Entries=[{**entry, "Source": "theirs"}])["FailedEntryCount"] == 0
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()


def test_what_templates_ask_of_the_way(way):
    """Attributes that CloudFormation templates set, as they come back."""
    retry = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}
    dead = {"Arn": queue_arn("dead")}
    way.target(DeadLetterConfig=dead, RetryPolicy=retry)
    (target,) = way.events.list_targets_by_rule(Rule="r")["Targets"]
    assert (target["RetryPolicy"], target["DeadLetterConfig"]) == (retry, dead)
    settings = {
        "DelaySeconds": "3",
        "MaximumMessageSize": "1048576",
        "SqsManagedSseEnabled": "true",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 3}),
        "RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue_arn("dead")]}),
    }
    url = way.sqs.create_queue(QueueName="asked", Attributes=settings)["QueueUrl"]
    shown = way.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    for name, value in settings.items():
        same = json.loads(shown[name]) == json.loads(value) if name.startswith("Redrive") else shown[name] == value
        assert same, name
    assert code(way.sqs.create_queue, QueueName="kms", Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    attributes = {"DisplayName": "shown", "SignatureVersion": "2", "TracingConfig": "PassThrough"}
    topic = way.sns.create_topic(Name="asked", Attributes=attributes)["TopicArn"]
    shown = way.sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert {name: shown[name] for name in attributes} == attributes
    for name, value in [("TracingConfig", "Active"), ("KmsMasterKeyId", "alias/aws/sns"), ("DeliveryPolicy", "{}")]:
        assert code(way.sns.set_topic_attributes, TopicArn=topic, AttributeName=name, AttributeValue=value)
    subscription = {
        "RawMessageDelivery": "true",
        "FilterPolicy": json.dumps({"source": ["mine"]}),
        "FilterPolicyScope": "MessageBody",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn("dead")}),
    }
    arn = way.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn("q"), Attributes=subscription)
    shown = way.sns.get_subscription_attributes(SubscriptionArn=arn["SubscriptionArn"])["Attributes"]
    assert {name: shown[name] for name in subscription} == subscription
