"""Notices of delivered log files: a trail's topic, through to a queue that is subscribed to it."""

import json

import pytest
import requests
from botocore.exceptions import ClientError

from keys import ACCOUNT
from policies import allow_publish, allow_send, allow_trails
from sigtrail import REGION, eventually
from test_log_files import NAME
from test_sns import verify

LOGS, TRAIL, TOPIC = "notice-logs", "noticed", "files"
INSUFFICIENT = "SNS Topic does not exist or the topic policy is incorrect!"
VALIDATION = "CloudTrail validation message."


class Notices:
    """A topic, a queue that is subscribed to it, and a trail that tells the topic."""

    def __init__(self, server):
        self.server, self.sqs, self.trails = server, server.boto("sqs"), server.boto("cloudtrail")
        self.topic = server.boto("sns").create_topic(Name=TOPIC)["TopicArn"]
        self.let_trails(self.topic)
        self.url = self.sqs.create_queue(QueueName="notices")["QueueUrl"]
        allow_send(self.sqs, self.url, self.topic)
        endpoint = f"arn:aws:sqs:{REGION}:{ACCOUNT}:notices"
        server.boto("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=endpoint)
        server.boto("s3").create_bucket(Bucket=LOGS)
        allow_trails(server.boto("s3"), LOGS)
        self.made = self.trails.create_trail(Name=TRAIL, S3BucketName=LOGS, SnsTopicName=TOPIC)

    def let_trails(self, topic):
        region = topic.split(":")[3]
        trails = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/*"
        allow_publish(self.server.boto("sns", region=region), topic, trails, service="cloudtrail")

    def receive(self):
        """The next envelope."""
        got = []

        def look():
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=1, WaitTimeSeconds=1)
            got.extend(answer.get("Messages", []))
            return got

        (message,) = eventually(look, "a notice comes", 30)
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        envelope = json.loads(message["Body"])
        verify(envelope)
        return envelope

    def status(self):
        return self.trails.get_trail_status(Name=TRAIL)


@pytest.fixture
def notices(start):
    return Notices(start("--bare", delivery_interval="1s"))


def code(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_topic_is_told_of_each_log_file(notices):
    assert (notices.made["SnsTopicName"], notices.made["SnsTopicARN"]) == (TOPIC, notices.topic)
    assert notices.receive()["Message"] == VALIDATION
    assert "LatestNotificationTime" not in notices.status(), "that was no notice of a file"
    notices.trails.start_logging(Name=TRAIL)
    envelope = notices.receive()
    assert envelope["TopicArn"] == notices.topic and "Subject" not in envelope
    notice = json.loads(envelope["Message"])
    assert list(notice) == ["s3Bucket", "s3ObjectKey"] and notice["s3Bucket"] == LOGS
    (key,) = notice["s3ObjectKey"]
    assert NAME.fullmatch(key)
    assert notices.server.boto("s3").head_object(Bucket=LOGS, Key=key)["ContentType"] == "application/json"
    status = eventually(lambda: (s := notices.status()).get("LatestNotificationTime") and s, "the status tells")
    assert status["LatestNotificationAttemptTime"] == status["LatestNotificationAttemptSucceeded"] != ""
    assert "LatestNotificationError" not in status
    metrics = requests.get(f"{notices.server.url}/_sigtrail/metrics", timeout=10).text
    told = [line.split()[1] for line in metrics.splitlines() if line.startswith("sigtrail_notifications_delivered_total")]
    assert int(told[0]) >= 2


def test_a_topic_that_is_gone_keeps_no_file_from_being_delivered(notices):
    notices.server.boto("sns").delete_topic(TopicArn=notices.topic)
    notices.trails.start_logging(Name=TRAIL)
    status = eventually(lambda: (s := notices.status()).get("LatestNotificationError") and s, "the status tells")
    assert status["LatestNotificationError"] == "NotFound" and status["LatestDeliveryTime"]
    assert "LatestDeliveryError" not in status and status["LatestNotificationAttemptSucceeded"] == ""
    assert notices.server.boto("s3").list_objects_v2(Bucket=LOGS)["KeyCount"] > 0
    # It is made again, and told again.
    notices.server.boto("sns").create_topic(Name=TOPIC)
    refused = lambda: notices.status().get("LatestNotificationError") == "AuthorizationError"
    eventually(refused, "the default policy lets no trail publish", 30)
    notices.let_trails(notices.topic)
    eventually(lambda: "LatestNotificationError" not in notices.status(), "the error goes away", 30)


def test_topics_are_checked(notices):
    trails = notices.trails
    for call, names in [(trails.update_trail, {"Name": TRAIL}), (trails.create_trail, {"Name": "two", "S3BucketName": LOGS})]:
        assert code(call, **names, SnsTopicName="a topic")[0] == "InvalidSnsTopicNameException"
        assert code(call, **names, SnsTopicName="t" * 257)[0] == "InvalidSnsTopicNameException"
        assert code(call, **names, SnsTopicName=notices.url)[0] == "InvalidSnsTopicNameException"
        absent = ("InsufficientSnsTopicPolicyException", INSUFFICIENT)
        assert code(call, **names, SnsTopicName="none") == absent
        assert code(call, **names, SnsTopicName=f"arn:aws:sns:eu-west-1:{ACCOUNT}:{TOPIC}") == absent
        assert code(call, **names, SnsTopicName=f"arn:aws:sns:{REGION}:999999999999:{TOPIC}") == absent
    shown = trails.get_trail(Name=TRAIL)["Trail"]
    assert (shown["SnsTopicName"], shown["SnsTopicARN"]) == (TOPIC, notices.topic)
    updated = trails.update_trail(Name=TRAIL, SnsTopicName=notices.topic)
    assert updated["SnsTopicName"] == updated["SnsTopicARN"] == notices.topic
    elsewhere = notices.server.boto("sns", region="eu-west-1").create_topic(Name="far")["TopicArn"]
    closed = ("InsufficientSnsTopicPolicyException", INSUFFICIENT)
    assert code(trails.update_trail, Name=TRAIL, SnsTopicName=elsewhere) == closed
    notices.let_trails(elsewhere)
    assert trails.update_trail(Name=TRAIL, SnsTopicName=elsewhere)["SnsTopicARN"] == elsewhere
    assert trails.update_trail(Name=TRAIL, S3BucketName=LOGS)["SnsTopicARN"] == elsewhere
    for shape in (trails.update_trail(Name=TRAIL, SnsTopicName=""), trails.describe_trails()["trailList"][0]):
        assert not {"SnsTopicName", "SnsTopicARN"} & set(shape)
