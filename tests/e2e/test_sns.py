"""Topics as boto3 sees them: attributes, subscriptions, publishing, and envelopes that are really signed."""

import base64
import json

import pytest
import requests
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from policies import allow_send, topic_arn
from sigtrail import eventually

SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
HASHES = {"1": SHA1, "2": SHA256}


def verify(message):
    """As the SNS guide's "verify the signature of a message" says; raises where the signature is wrong."""
    text = "".join(f"{name}\n{message[name]}\n" for name in SIGNED if name in message).encode()
    pem = requests.get(message["SigningCertURL"], timeout=10)
    assert pem.status_code == 200
    certificate = x509.load_pem_x509_certificate(pem.content)
    algorithm = HASHES[message["SignatureVersion"]]()
    certificate.public_key().verify(base64.b64decode(message["Signature"]), text, PKCS1v15(), algorithm)


@pytest.fixture
def sns(server):
    return server.boto("sns")


def queue_of(server, name):
    sqs = server.boto("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow_send(sqs, url, topic_arn("*"))

    def receive(count):
        got = []

        def more():
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            got.extend(answer.get("Messages", []))
            return len(got) >= count

        eventually(more, f"{count} messages in {name}")
        assert len(got) == count
        return got

    return arn, receive


@pytest.mark.parametrize("version", ["1", "2"])
def test_envelopes_are_signed(server, sns, version):
    topic = sns.create_topic(Name=f"signed-{version}", Attributes={"SignatureVersion": version})["TopicArn"]
    arn, receive = queue_of(server, f"signed-{version}")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    attributes = {"kind": {"DataType": "String", "StringValue": "test"}}
    with_subject = sns.publish(TopicArn=topic, Message="m\u00fc\n", Subject="s", MessageAttributes=attributes)
    without = sns.publish(TopicArn=topic, Message="{}")
    messages = {m["MessageId"]: m for m in (json.loads(message["Body"]) for message in receive(2))}
    assert set(messages) == {with_subject["MessageId"], without["MessageId"]}
    first = messages[with_subject["MessageId"]]
    assert (first["Message"], first["Subject"], first["SignatureVersion"]) == ("m\u00fc\n", "s", version)
    assert first["MessageAttributes"] == {"kind": {"Type": "String", "Value": "test"}}
    assert "Subject" not in messages[without["MessageId"]]
    for message in messages.values():
        verify(message)
    first["Message"] = "changed"
    with pytest.raises(InvalidSignature):
        verify(first)


def test_raw_delivery_carries_attributes(server, sns):
    topic = sns.create_topic(Name="raw")["TopicArn"]
    arn, receive = queue_of(server, "raw-delivery")
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    subscription = subscribed["SubscriptionArn"]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    attributes = {
        "text": {"DataType": "String", "StringValue": "a"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sns.publish(TopicArn=topic, Message="plain", MessageAttributes=attributes)
    (message,) = receive(1)
    assert message["Body"] == "plain"
    assert message["MessageAttributes"]["text"]["StringValue"] == "a"
    assert message["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\xff"


def test_publish_batch(server, sns):
    topic = sns.create_topic(Name="batch")["TopicArn"]
    arn, receive = queue_of(server, "batch")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    entries = [{"Id": str(n), "Message": f"message {n}"} for n in range(10)]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert len(answer["Successful"]) == 10 and not answer.get("Failed")
    assert {message["Body"] for message in receive(10)} == {entry["Message"] for entry in entries}
    for wrong, code in [
        (entries + [{"Id": "10", "Message": "m"}], "TooManyEntriesInBatchRequest"),
        ([{"Id": "1", "Message": "m"}] * 2, "BatchEntryIdsNotDistinct"),
    ]:
        with pytest.raises(ClientError) as error:
            sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=wrong)
        assert code in error.value.response["Error"]["Code"]


def test_filter_policies(server, sns):
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    arn, receive = queue_of(server, "filtered")
    policy = {"FilterPolicy": json.dumps({"kind": ["wanted"]}), "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=policy)
    for kind in ("unwanted", "wanted"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Message=kind, MessageAttributes=attributes)
    assert [message["Body"] for message in receive(1)] == ["wanted"]


def test_topics_and_subscriptions(server, sns):
    topic = sns.create_topic(Name="attributes")["TopicArn"]
    assert sns.create_topic(Name="attributes")["TopicArn"] == topic
    assert topic in [listed["TopicArn"] for listed in sns.list_topics()["Topics"]]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="shown")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["DisplayName"], attributes["TopicArn"]) == ("shown", topic)
    arn, _ = queue_of(server, "attributes")
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    assert sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"] == subscription
    got = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert (got["Endpoint"], got["RawMessageDelivery"], got["PendingConfirmation"]) == (arn, "false", "false")
    assert subscription in [listed["SubscriptionArn"] for listed in sns.list_subscriptions()["Subscriptions"]]
    sns.unsubscribe(SubscriptionArn=subscription)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_subscription_attributes(SubscriptionArn=subscription)
    sns.delete_topic(TopicArn=topic)
    sns.delete_topic(TopicArn=topic)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_topic_attributes(TopicArn=topic)


def test_the_last_statement_of_a_policy_goes_too(sns):
    topic = sns.create_topic(Name="without-statements")["TopicArn"]

    def policy():
        return json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])

    default = policy()["Statement"]
    sns.remove_permission(TopicArn=topic, Label=default[0]["Sid"])
    assert policy()["Statement"] == []
    sns.publish(TopicArn=topic, Message="to its own account it is open")
    with pytest.raises(sns.exceptions.InvalidParameterException):
        empty = json.dumps({"Version": "2012-10-17", "Statement": []})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=empty)
    sns.add_permission(TopicArn=topic, Label="l", AWSAccountId=["111122223333"], ActionName=["Publish"])
    assert [statement["Sid"] for statement in policy()["Statement"]] == ["l"]


def test_what_sns_refuses(sns):
    topic = sns.create_topic(Name="refusals")["TopicArn"]
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.create_topic(Name="not a name!")
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.publish(TopicArn=topic, Message="m" * (256 * 1024 + 1))
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="http://not.an.arn")
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue="{}")
