"""Each real client does its everyday work; those that sign with SigV2 are found in the queue, the others are not."""

import os
import uuid

from clients import AwsCliConfigured
from detector import assert_sigv2_envelope, assert_sigv2_record, bucket_of

SMALL = b"caf\xc3\xa9 \x00\xff" + bytes(range(256)) * 5


class Walk:
    """Runs methods of a client and collects the (event name, bucket) that they must leave behind."""

    def __init__(self, client):
        self.client = client
        self.bucket = f"e2e-{uuid.uuid4().hex[:20]}"
        self.wanted: set[tuple] = set()

    def do(self, method, *arguments):
        named = () if method == "buckets" else (self.bucket,)
        result = getattr(self.client, method)(*named, *arguments)
        self.wanted |= {(event, named[0] if named else None) for event in self.client.events[method]}
        return result


def test_everyday_work(client, server, detector):
    walk = Walk(client)
    walk.do("make_bucket")
    assert walk.bucket in walk.do("buckets")
    objects(walk)
    large(walk)
    remove(walk)
    assert walk.bucket not in walk.do("buckets")
    check_queue(walk, server, detector)


def objects(walk):
    """Small objects: what was put is what is got, whatever the key."""
    walk.do("put", "dir/small.bin", SMALL)
    walk.do("put", "dir/a b+c=d&\u00fc.txt", b"")
    assert walk.do("get", "dir/small.bin") == SMALL
    assert walk.do("get", "dir/a b+c=d&\u00fc.txt") == b""
    if walk.client.can("head"):
        assert walk.do("head", "dir/small.bin") == len(SMALL)
    if walk.client.can("get_range"):
        assert walk.do("get_range", "dir/small.bin", 5, 104) == SMALL[5:105]
    assert sorted(walk.do("list", "dir/")) == ["dir/a b+c=d&\u00fc.txt", "dir/small.bin"]
    walk.do("copy", "dir/small.bin", "dir/copy.bin")
    assert walk.do("get", "dir/copy.bin") == SMALL


def large(walk):
    """An object that the client cuts into parts."""
    content = os.urandom(walk.client.multipart_bytes)
    walk.do("put_large", "large.bin", content)
    assert walk.do("get", "large.bin") == content


def remove(walk):
    walk.do("delete", "large.bin")
    walk.do("delete_many", ["dir/small.bin", "dir/copy.bin"])
    assert walk.do("list", "") == ["dir/a b+c=d&\u00fc.txt"]
    walk.do("delete", "dir/a b+c=d&\u00fc.txt")
    assert walk.do("list", "") == []
    walk.do("remove_bucket")


def check_queue(walk, server, detector):
    client = walk.client
    if client.signature == "SigV4":
        detector.settle()
        assert detector.of(client.key) == []
        return
    records = detector.wait_for(client.key, walk.wanted)
    for record in records:
        assert_sigv2_record(record, client.key, {"AuthHeader"}, client.host)
    mine = [record for record in records if bucket_of(record) == walk.bucket]
    puts = {record["requestParameters"]["key"] for record in mine if record["eventName"] == "PutObject"}
    assert {"dir/small.bin", "dir/a b+c=d&\u00fc.txt"} <= puts
    small = [r for r in mine if r["eventName"] == "PutObject" and r["requestParameters"]["key"] == "dir/small.bin"]
    assert [record["additionalEventData"]["bytesTransferredIn"] for record in small] == [len(SMALL)]
    ids = {record["eventID"] for record in records}
    for envelope in detector.envelopes:
        if envelope["detail"]["eventID"] in ids:
            assert_sigv2_envelope(envelope)


def test_a_setting_that_the_current_cli_ignores(server, detector, bucket, tmp_path):
    """Who believes the configuration file would say SigV2; the request says SigV4."""
    client = AwsCliConfigured(server.url, tmp_path)
    client.put(bucket, "key", SMALL)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in client.presign(bucket, "key")
    detector.settle()
    assert detector.of(client.key) == []
