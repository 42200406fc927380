"""All 23 operations of SQS on standard queues, over both of its protocols."""

import hashlib
import json
import threading
import time
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from clients import ENVIRONMENTS
from keys import ADMIN
from sigtrail import REGION, eventually

PROTOCOLS = ["json", "query"]


@pytest.fixture(params=PROTOCOLS)
def sqs(request, server):
    return client_of(server, request.param)


def client_of(server, protocol):
    """boto3 with its own model of SQS, or with the last one that spoke Query."""
    session = Session()
    if protocol == "query":
        (data,) = ENVIRONMENTS.glob("query/lib/python3*/site-packages/botocore/data")
        session.get_component("data_loader").search_paths.insert(0, str(data))
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.Session(botocore_session=session).client(
        "sqs", endpoint_url=server.url, region_name=REGION, config=config, **ADMIN.boto()
    )
    assert client.meta.service_model.protocol == protocol
    return client


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:12]}")["QueueUrl"]


def name_of(url):
    return url.rsplit("/", 1)[1]


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(sqs, url, count=1, **options):
    """Receives until `count` messages are there."""
    got = []

    def more():
        options.setdefault("WaitTimeSeconds", 1)
        got.extend(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **options).get("Messages", []))
        return len(got) >= count

    eventually(more, f"{count} messages in {url}")
    assert len(got) == count
    return got


def test_queues(sqs, queue):
    name = name_of(queue)
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == queue
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == queue
    assert sqs.list_queues(QueueNamePrefix=name)["QueueUrls"] == [queue]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "7", "DelaySeconds": "0"})
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("7", "345600")
    assert attributes["QueueArn"].endswith(f":{name}")
    assert attributes["SqsManagedSseEnabled"] == "true", "AWS's default"
    sqs.tag_queue(QueueUrl=queue, Tags={"a": "1", "b": "2"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["a"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"b": "2"}
    sqs.delete_queue(QueueUrl=queue)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    assert not sqs.list_queues(QueueNamePrefix=name).get("QueueUrls")


def test_one_message(sqs, queue):
    attributes = {
        "text": {"DataType": "String", "StringValue": "caf\u00e9"},
        "number": {"DataType": "Number", "StringValue": "3"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    body = 'a <b> & "c" \u00e9 \U0001f600\n'
    sent = sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    (message,) = receive(sqs, queue, MessageAttributeNames=["All"], AttributeNames=["All"])
    assert (message["Body"], message["MessageId"]) == (body, sent["MessageId"])
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(message["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 0, 0)


def counts(sqs, queue):
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return tuple(int(attributes[name]) for name in names)


def test_visibility(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    (first,) = receive(sqs, queue, VisibilityTimeout=600)
    assert counts(sqs, queue) == (0, 1, 0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    (second,) = receive(sqs, queue, AttributeNames=["ApproximateReceiveCount"])
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert second["ReceiptHandle"] != first["ReceiptHandle"]


def test_batches(sqs, queue):
    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert len(sent["Successful"]) == 10 and not sent.get("Failed")
    messages = receive(sqs, queue, 10)
    handles = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
    longer = [{**handle, "VisibilityTimeout": 600} for handle in handles]
    assert len(sqs.change_message_visibility_batch(QueueUrl=queue, Entries=longer)["Successful"]) == 10
    wrong = {"Id": "wrong", "ReceiptHandle": "not a handle"}
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=[*handles[:9], wrong])
    assert len(answer["Successful"]) == 9
    assert [failed["Id"] for failed in answer["Failed"]] == ["wrong"]
    assert counts(sqs, queue) == (0, 1, 0)
    sqs.purge_queue(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 0, 0)
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress):
        sqs.purge_queue(QueueUrl=queue)


def test_dead_letters_and_the_way_back(sqs, queue):
    dead = sqs.create_queue(QueueName=f"{name_of(queue)}-dead")["QueueUrl"]
    dead_arn = arn_of(sqs, dead)
    redrive = f'{{"deadLetterTargetArn": "{dead_arn}", "maxReceiveCount": "1"}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": redrive})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="poison")
    receive(sqs, queue, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    (message,) = receive(sqs, dead, VisibilityTimeout=0)
    assert message["MessageId"] == sent["MessageId"]
    sqs.start_message_move_task(SourceArn=dead_arn)
    (back,) = receive(sqs, queue)
    assert back["Body"] == "poison"
    (task,) = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"]
    assert task["Status"] in {"RUNNING", "COMPLETED"} and task["SourceArn"] == dead_arn
    with pytest.raises(ClientError):
        sqs.cancel_message_move_task(TaskHandle="not a handle")


def test_long_polling_wakes_up(sqs, queue, server):
    """A waiting receiver gets the message when it is sent, and an empty wait lasts as long as asked."""
    answer = {}

    def wait():
        other = client_of(server, sqs.meta.service_model.protocol)
        answer["messages"] = other.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages")
        answer["at"] = time.monotonic()

    receiver = threading.Thread(target=wait)
    receiver.start()
    # Whether it already waits cannot be seen from outside; either way it must have the message long before 20 s.
    sent_at = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="awaited")
    receiver.join(timeout=25)
    assert [message["Body"] for message in answer["messages"]] == ["awaited"]
    assert answer["at"] - sent_at < 5
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert 0.9 <= time.monotonic() - started < 5


def test_delay(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    assert counts(sqs, queue) == (0, 0, 1)
    started = time.monotonic()
    assert receive(sqs, queue)[0]["Body"] == "later"
    assert time.monotonic() - started > 0.5


def refused(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"].rsplit(".", 1)[-1]


def test_what_sqs_refuses(sqs, queue):
    absent = queue + "-absent"
    assert refused(sqs.send_message, QueueUrl=absent, MessageBody="m") in {"NonExistentQueue", "QueueDoesNotExist"}
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="\x01") == "InvalidMessageContents"
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="m" * (1024 * 1024 + 1)).startswith("InvalidParameter")
    assert refused(sqs.delete_message, QueueUrl=queue, ReceiptHandle="no") == "ReceiptHandleIsInvalid"
    assert refused(sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=11).startswith("InvalidParameterValue")
    assert refused(sqs.create_queue, QueueName="no spaces").startswith("InvalidParameterValue")
    twice = [{"Id": "a", "MessageBody": "m"}] * 2
    assert refused(sqs.send_message_batch, QueueUrl=queue, Entries=twice) == "BatchEntryIdsNotDistinct"
    assert refused(sqs.send_message_batch, QueueUrl=queue, Entries=[]) == "EmptyBatchRequest"
    eleven = [{"Id": str(n), "MessageBody": "m"} for n in range(11)]
    assert refused(sqs.send_message_batch, QueueUrl=queue, Entries=eleven) == "TooManyEntriesInBatchRequest"
    assert counts(sqs, queue) == (0, 0, 0)


def test_policies_are_read_before_they_are_kept(sqs, queue):
    for policy in ('{"Version": "2012-10-17", "Statement": []}', "no policy"):
        assert refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Policy": policy}) == "InvalidAttributeValue"
    assert refused(sqs.remove_permission, QueueUrl=queue, Label="l") == "InvalidParameterValue"
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert "Policy" not in attributes


def test_permissions_come_and_go(sqs, queue):
    def policy():
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"]).get("Attributes", {})
        return json.loads(attributes["Policy"]) if "Policy" in attributes else None

    sqs.add_permission(QueueUrl=queue, Label="l", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    sqs.add_permission(
        QueueUrl=queue, Label="m", AWSAccountIds=["111122223333", "444455556666"], Actions=["ReceiveMessage", "*"]
    )
    arn = arn_of(sqs, queue)
    assert policy()["Id"] == f"{arn}/SQSDefaultPolicy"
    assert policy()["Statement"][0] == {
        "Sid": "l",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "SQS:SendMessage",
        "Resource": arn,
    }
    assert policy()["Statement"][1]["Action"] == ["SQS:ReceiveMessage", "SQS:*"]
    again = {"QueueUrl": queue, "Label": "l", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]}
    assert refused(sqs.add_permission, **again) == "InvalidParameterValue"
    assert refused(sqs.add_permission, **{**again, "Label": "n", "Actions": ["DeleteQueue"]}) == "InvalidParameterValue"
    sqs.remove_permission(QueueUrl=queue, Label="l")
    assert [statement["Sid"] for statement in policy()["Statement"]] == ["m"]
    sqs.remove_permission(QueueUrl=queue, Label="m")
    assert policy() is None


def test_both_protocols_see_one_queue(server):
    first, second = (client_of(server, protocol) for protocol in PROTOCOLS)
    url = first.create_queue(QueueName=f"both-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    second.send_message(QueueUrl=url, MessageBody="by query")
    (message,) = receive(first, url)
    assert message["Body"] == "by query"
    second.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert counts(first, url) == (0, 0, 0)
