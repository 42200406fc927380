"""The way of a record, built call by call with the real AWS CLI on a server that starts with nothing."""

import json
import subprocess

import pytest

from clients import ENVIRONMENTS
from detector import assert_sigv2_envelope, assert_sigv2_record
from keys import ACCOUNT, ADMIN, ROLE
from policies import allow_send, allow_trails, document, of_service, rule_arn
from sigtrail import REGION, eventually
from test_sns import verify

BUCKET, LOGS = "watched", "trail-logs"
PATTERN = {
    "source": ["aws.s3"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventSource": ["s3.amazonaws.com"], "additionalEventData": {"SignatureVersion": ["SigV2"]}},
}


class Aws:
    """`aws SERVICE OPERATION …` as a call that returns its JSON."""

    def __init__(self, server, home, key=ADMIN):
        self.command = [str(ENVIRONMENTS / "awscli/bin/aws"), "--endpoint-url", server.url, "--region", REGION]
        self.environment = {
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __call__(self, *arguments, **options):
        flags = []
        for name, value in options.items():
            text = value if isinstance(value, str) else json.dumps(value)
            flags += [f"--{name.replace('_', '-')}", text]
        command = [*self.command, *arguments, *flags]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else {}


def test_pipeline_by_hand(start, tmp_path):
    server = start("--bare")
    aws = Aws(server, tmp_path)
    for service, call, key in [("sqs", "list_queues", "QueueUrls"), ("sns", "list_topics", "Topics")]:
        assert not getattr(server.boto(service), call)().get(key), "--bare starts with nothing"
    assert aws("sts", "get-caller-identity")["Arn"] == ADMIN.arn
    make_trail(aws, server)
    topic, raw_queue, envelope_queue = make_topic_and_queues(aws)
    make_rule(aws, topic)
    let_them(aws, topic, raw_queue, envelope_queue)
    put_with_sigv2(server)
    check_raw(server, raw_queue)
    check_envelope(server, envelope_queue, topic)
    take_apart(aws, topic, raw_queue, envelope_queue)


def make_trail(aws, server):
    s3 = server.boto("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket=LOGS)
    allow_trails(s3, LOGS)
    arn = aws("cloudtrail", "create-trail", name="watch", s3_bucket_name=LOGS)["TrailARN"]
    assert arn == f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/watch"
    assert aws("cloudtrail", "get-trail-status", name="watch")["IsLogging"] is False
    resource = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    basic = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [resource]}]
    aws("cloudtrail", "put-event-selectors", trail_name="watch", event_selectors=basic)
    got = aws("cloudtrail", "get-event-selectors", trail_name="watch")
    assert got["EventSelectors"][0]["DataResources"] == [resource] and not got.get("AdvancedEventSelectors")
    advanced = [
        {
            "Name": "objects but not the logs",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                {"Field": "resources.ARN", "NotStartsWith": [f"arn:aws:s3:::{LOGS}/"]},
            ],
        }
    ]
    aws("cloudtrail", "put-event-selectors", trail_name="watch", advanced_event_selectors=advanced)
    got = aws("cloudtrail", "get-event-selectors", trail_name=arn)
    assert got["AdvancedEventSelectors"] == advanced and not got.get("EventSelectors")
    aws("cloudtrail", "start-logging", name="watch")
    assert aws("cloudtrail", "get-trail-status", name=arn)["IsLogging"] is True
    (trail,) = aws("cloudtrail", "describe-trails")["trailList"]
    assert (trail["Name"], trail["S3BucketName"], trail["HomeRegion"]) == ("watch", LOGS, REGION)


def make_topic_and_queues(aws):
    topic = aws("sns", "create-topic", name="caught")["TopicArn"]
    queues = {}
    for name, raw in [("raw", "true"), ("envelope", "false")]:
        url = aws("sqs", "create-queue", queue_name=name)["QueueUrl"]
        attributes = aws("sqs", "get-queue-attributes", queue_url=url, attribute_names="QueueArn")
        arn = attributes["Attributes"]["QueueArn"]
        assert arn == f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        subscribe = {"topic_arn": topic, "protocol": "sqs", "notification_endpoint": arn}
        aws("sns", "subscribe", "--return-subscription-arn", attributes={"RawMessageDelivery": raw}, **subscribe)
        queues[name] = url
    subscriptions = aws("sns", "list-subscriptions-by-topic", topic_arn=topic)["Subscriptions"]
    assert {subscription["Protocol"] for subscription in subscriptions} == {"sqs"} and len(subscriptions) == 2
    return topic, queues["raw"], queues["envelope"]


def let_them(aws, topic, *queues):
    """The rule may publish, the topic may send."""
    policy = document(of_service("events", "sns:Publish", topic, rule_arn("sigv2")))
    aws("sns", "set-topic-attributes", topic_arn=topic, attribute_name="Policy", attribute_value=policy)
    shown = aws("sns", "get-topic-attributes", topic_arn=topic)["Attributes"]["Policy"]
    assert json.loads(shown) == json.loads(policy)
    for url in queues:
        attributes = aws("sqs", "get-queue-attributes", queue_url=url, attribute_names="QueueArn")["Attributes"]
        policy = document(of_service("sns", "sqs:SendMessage", attributes["QueueArn"], topic))
        aws("sqs", "set-queue-attributes", queue_url=url, attributes={"Policy": policy})


def make_rule(aws, topic):
    pattern = json.dumps(PATTERN)
    event = {
        "id": "1",
        "account": ACCOUNT,
        "source": "aws.s3",
        "time": "2026-03-14T09:26:53Z",
        "region": REGION,
        "resources": [],
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventSource": "s3.amazonaws.com", "additionalEventData": {"SignatureVersion": "SigV2"}},
    }
    assert aws("events", "test-event-pattern", event_pattern=pattern, event=json.dumps(event))["Result"] is True
    event["detail"]["additionalEventData"]["SignatureVersion"] = "SigV4"
    assert aws("events", "test-event-pattern", event_pattern=pattern, event=json.dumps(event))["Result"] is False
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    rule = aws("events", "put-rule", name="sigv2", event_pattern=pattern, state=state)["RuleArn"]
    assert rule == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/sigv2"
    answer = aws("events", "put-targets", rule="sigv2", targets=[{"Id": "topic", "Arn": topic}])
    assert answer["FailedEntryCount"] == 0
    assert [listed["Name"] for listed in aws("events", "list-rules")["Rules"]] == ["sigv2"]
    assert aws("events", "list-targets-by-rule", rule="sigv2")["Targets"] == [{"Id": "topic", "Arn": topic}]
    assert json.loads(aws("events", "describe-rule", name="sigv2")["EventPattern"]) == PATTERN
    aws("events", "disable-rule", name="sigv2")
    assert aws("events", "describe-rule", name="sigv2")["State"] == "DISABLED"
    aws("events", "enable-rule", name="sigv2")
    assert aws("events", "describe-rule", name="sigv2")["State"] == "ENABLED"


def put_with_sigv2(server):
    """By the caller of the original report; and the same with SigV4, which must not arrive."""
    server.boto("s3", ROLE, signature_version="s3v4").put_object(Bucket=BUCKET, Key="new", Body=b"v4")
    server.boto("s3", ROLE, signature_version="s3").put_object(Bucket=BUCKET, Key="old", Body=b"v2")


def receive_one(server, url):
    sqs = server.boto("sqs")
    messages = eventually(
        lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), f"a message in {url}"
    )
    sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    return messages[0]


def check_event(event, server):
    assert_sigv2_envelope(event)
    assert_sigv2_record(event["detail"], ROLE, {"AuthHeader"}, server.url.split("//")[1])
    assert event["detail"]["requestParameters"]["key"] == "old"
    assert event["detail"]["eventName"] == "PutObject"


def check_raw(server, url):
    check_event(json.loads(receive_one(server, url)["Body"]), server)


def check_envelope(server, url, topic):
    message = json.loads(receive_one(server, url)["Body"])
    assert message["Type"] == "Notification" and message["TopicArn"] == topic
    verify(message)
    check_event(json.loads(message["Message"]), server)
    # What was signed with SigV4 came first; it is not behind.
    assert "Messages" not in server.boto("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=0)


def take_apart(aws, topic, *queues):
    aws("events", "remove-targets", rule="sigv2", ids='["topic"]')
    aws("events", "delete-rule", name="sigv2")
    for subscription in aws("sns", "list-subscriptions-by-topic", topic_arn=topic)["Subscriptions"]:
        aws("sns", "unsubscribe", subscription_arn=subscription["SubscriptionArn"])
    aws("sns", "delete-topic", topic_arn=topic)
    for queue in queues:
        aws("sqs", "delete-queue", queue_url=queue)
    aws("cloudtrail", "stop-logging", name="watch")
    assert aws("cloudtrail", "get-trail-status", name="watch")["IsLogging"] is False
    aws("cloudtrail", "delete-trail", name="watch")
    assert aws("cloudtrail", "describe-trails")["trailList"] == []
    assert aws("events", "list-rules")["Rules"] == []


@pytest.mark.parametrize("pattern", ["{", "[]", '{"a": 1}', '{"a": [{"no-such-operator": 1}]}', '{"a": []}'])
def test_a_pattern_that_does_not_compile(server, pattern):
    events = server.boto("events")
    with pytest.raises(events.exceptions.InvalidEventPatternException):
        events.put_rule(Name="broken", EventPattern=pattern)
    assert events.list_rules(NamePrefix="broken")["Rules"] == []


def test_what_is_not_there(server):
    events, trails, sns = server.boto("events"), server.boto("cloudtrail"), server.boto("sns")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.describe_rule(Name="absent")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.put_targets(Rule="absent", Targets=[{"Id": "1", "Arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:absent"}])
    with pytest.raises(trails.exceptions.TrailNotFoundException):
        trails.get_trail_status(Name="absent")
    with pytest.raises(trails.exceptions.S3BucketDoesNotExistException):
        trails.create_trail(Name="absent", S3BucketName="no-such-bucket-anywhere")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:absent", Message="m")


def test_events_of_ones_own(server):
    """PutEvents through a rule to a queue, the shortest way through the bus."""
    events, sqs = server.boto("events"), server.boto("sqs")
    url = sqs.create_queue(QueueName="own-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow_send(sqs, url, rule_arn("own"))
    events.put_rule(Name="own", EventPattern='{"source": ["my.app"], "detail": {"n": [{"numeric": [">", 1]}]}}')
    assert events.put_targets(Rule="own", Targets=[{"Id": "q", "Arn": arn}])["FailedEntryCount"] == 0
    entries = [{"Source": "my.app", "DetailType": "t", "Detail": json.dumps({"n": n})} for n in (1, 2)]
    answer = events.put_events(Entries=[*entries, {"Source": "my.app", "DetailType": "t", "Detail": "no json"}])
    assert answer["FailedEntryCount"] == 1 and "EventId" in answer["Entries"][0]
    assert answer["Entries"][2]["ErrorCode"] == "MalformedDetail"
    event = json.loads(receive_one(server, url)["Body"])
    assert event["detail"] == {"n": 2} and event["id"] == answer["Entries"][1]["EventId"]
    assert events.describe_event_bus()["Name"] == "default"
