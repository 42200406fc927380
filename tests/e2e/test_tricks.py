"""Requests that were once taken for something else than they are."""

import socket
import threading

from keys import ACCOUNT, ADMIN
from raw import Request, json_request
from test_refusals import PLAIN, assert_refused


def test_no_spelling_leads_into_the_log_bucket(server):
    """A bucket is one segment of a path, so that the bucket that is recorded is the one that is written to."""
    logs = f"sigtrail-logs-{ACCOUNT}"
    for path in (f"/{logs}/x", f"/{logs}%2Fx/k", f"/{logs}%2fAWSLogs%2fx", f"//{logs}/x"):
        answer = Request(server, "PUT", path, b"x").sigv2(PLAIN).send()
        assert answer.status in (400, 403, 501), (path, answer)
    for host in (f"{logs}%2Fx.localhost", f"{logs}/x.localhost", f"{logs}/x?.localhost", f"{logs}#.localhost"):
        request = Request(server, "PUT", "/k", b"x", {"Host": host}).sigv2(PLAIN, bucket_in_host=host[: -len(".localhost")])
        answer = request.send()
        assert answer.status in (400, 403), (host, answer)
    listed = server.boto("s3", ADMIN).list_objects_v2(Bucket=logs).get("Contents", [])
    assert all(entry["Key"].startswith("AWSLogs/") for entry in listed), listed


def test_what_names_no_operation_does_nothing(server, bucket):
    answer = Request(server, "POST", f"/{bucket}%2Fkey?uploads").sigv2(PLAIN).send()
    assert_refused(answer, 400, "InvalidBucketName")
    answer = Request(server, "POST", f"/{bucket}/key").sigv2(PLAIN).send()
    assert_refused(answer, 501, "NotImplemented")


def test_a_long_host_is_an_error_and_not_an_end(server):
    answer = Request(server, "GET", "/k", headers={"Host": "a" * 60_000 + ".localhost"}).send()
    assert answer.status == 400, answer
    assert Request(server, "GET", "/_sigtrail/health").send().status == 200


def test_changes_hold_even_if_nobody_waits_for_the_answer(server):
    """The client leaves before the answer: the queue is there at once, and not only after a restart."""
    names = [f"gone-{number}" for number in range(40)]

    def leave(name):
        body = f'{{"QueueName":"{name}"}}'.encode()
        request = json_request(server, "AmazonSQS.CreateQueue", body, "1.0").sigv4(ADMIN, "sqs")
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines += [f"{header}: {value}" for header, value in request.headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall("\r\n".join(lines).encode() + body)

    threads = [threading.Thread(target=leave, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sqs = server.boto("sqs", ADMIN)
    listed = {url.rsplit("/", 1)[-1] for url in sqs.list_queues(QueueNamePrefix="gone-").get("QueueUrls", [])}
    # A queue that is there already with the same attributes is no error, one that is stored and not known would be made anew.
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
    for name in listed:
        sqs.send_message(QueueUrl=urls[name], MessageBody="x")
    for url in urls.values():
        sqs.delete_queue(QueueUrl=url)
