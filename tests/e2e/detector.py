"""The queue at the end of the detector stack: what arrived in it, and whether a message is right."""

import json
import time

from keys import ADMIN, Key

QUEUE_NAME_PREFIX = "sigtrail"


class Detector:
    """Receives everything and keeps it, so that tests that share a server do not take each other's messages."""

    def __init__(self, server):
        self.server = server
        self.sqs = server.boto("sqs")
        urls = self.sqs.list_queues(QueueNamePrefix=QUEUE_NAME_PREFIX).get("QueueUrls", [])
        assert urls, "serve makes the detector's queue"
        # A dead-letter queue would be named after its source.
        self.url = min(urls, key=len)
        self.envelopes: list[dict] = []

    def pull(self, wait_seconds: int = 1) -> None:
        """Takes what is there, waiting for a first message if there is none."""
        while True:
            batch = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
            ).get("Messages", [])
            if not batch:
                return
            self.envelopes += [json.loads(message["Body"]) for message in batch]
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(batch)]
            answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
            assert len(answer["Successful"]) == len(batch), answer
            wait_seconds = 0

    def of(self, key: Key) -> list[dict]:
        """The records of one access key so far."""
        records = [envelope["detail"] for envelope in self.envelopes]
        return [record for record in records if record["userIdentity"].get("accessKeyId") == key.access_key_id]

    def wait_for(self, key: Key, wanted: set[tuple], seconds: float = 20) -> list[dict]:
        """Waits until each (eventName, bucket or None) of `wanted` is there; returns all records of the key."""
        deadline = time.monotonic() + seconds
        while True:
            seen = {(record["eventName"], bucket_of(record)) for record in self.of(key)}
            missing = wanted - seen
            if not missing:
                return self.of(key)
            assert time.monotonic() < deadline, f"not in the queue: {missing}; there: {seen}"
            self.pull()

    def settle(self) -> None:
        """Waits until everything before now has been through the pipeline: a message sent after it has arrived."""
        bucket = f"settle-{time.monotonic_ns()}"
        s3 = self.server.boto("s3", signature_version="s3")
        s3.create_bucket(Bucket=bucket)
        self.wait_for(ADMIN, {("CreateBucket", bucket)})
        self.pull(wait_seconds=0)


def bucket_of(record: dict) -> str | None:
    return (record.get("requestParameters") or {}).get("bucketName")


def assert_sigv2_envelope(envelope: dict) -> None:
    """The frame that EventBridge puts around a CloudTrail record."""
    record = envelope["detail"]
    assert envelope["version"] == "0"
    assert envelope["source"] == "aws.s3"
    assert envelope["detail-type"] == "AWS API Call via CloudTrail"
    assert envelope["account"] == record["recipientAccountId"]
    assert envelope["region"] == record["awsRegion"]
    assert envelope["time"] == record["eventTime"]
    assert isinstance(envelope["resources"], list)
    assert envelope["id"]


def assert_sigv2_record(record: dict, key: Key, methods: set[str], host: str) -> None:
    """What must be true of each record that a SigV2 client caused."""
    extra = record["additionalEventData"]
    assert extra["SignatureVersion"] == "SigV2", record
    assert extra["AuthenticationMethod"] in methods, record
    assert extra["bytesTransferredIn"] >= 0 and extra["bytesTransferredOut"] >= 0
    identity = record["userIdentity"]
    assert identity["type"] == key.identity["type"]
    assert identity["arn"] == key.arn
    assert identity["principalId"] == key.identity["principal_id"]
    assert identity["accountId"] == record["recipientAccountId"]
    if issuer := key.identity.get("session_issuer"):
        session = identity["sessionContext"]
        assert session["sessionIssuer"]["arn"] == issuer["arn"]
        assert session["sessionIssuer"]["userName"] == issuer["user_name"]
        assert session["ec2RoleDelivery"] == key.identity["ec2_role_delivery"]
    assert record["eventSource"] == "s3.amazonaws.com"
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert record["userAgent"].startswith("[") and record["userAgent"].endswith("]"), record["userAgent"]
    assert record["requestParameters"]["Host"] == host
    assert record["eventCategory"] == ("Management" if record["managementEvent"] else "Data")
    text = json.dumps(record)
    assert key.secret_access_key not in text
    assert not key.session_token or key.session_token not in text
