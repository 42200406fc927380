"""Requests as no SDK sends them: signed by botocore's own signers, then changed, then put on the wire as they are."""

import hashlib
import http.client
from urllib.parse import quote, urlencode

from botocore.auth import HmacV1Auth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from keys import Key
from sigtrail import REGION


class Answer:
    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.text = self.body.decode("utf-8", "replace")

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


class Request:
    """A request whose parts can be changed between signing and sending."""

    def __init__(self, server, method: str, path: str, body: bytes = b"", headers: dict | None = None):
        self.port = server.port
        self.method, self.path, self.body = method, path, body
        self.headers = {"Host": f"127.0.0.1:{server.port}", **(headers or {})}

    def sigv4(self, key: Key, service: str = "s3") -> "Request":
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        return self._sign(kind(credentials(key), service, REGION))

    def sigv2(self, key: Key, bucket_in_host: str | None = None, date: str | None = None) -> "Request":
        request = self._aws_request()
        if bucket_in_host:
            request.auth_path = f"/{bucket_in_host}{self.path}"
        signer = HmacV1Auth(credentials(key))
        if date:
            # The signer replaces a Date header by its own idea of now.
            signer._get_date = lambda: date
        return self._sign(signer, request)

    def send(self) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            if not any(name.lower() == "content-length" for name in self.headers):
                connection.putheader("Content-Length", str(len(self.body)))
            connection.endheaders(self.body)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def _aws_request(self) -> AWSRequest:
        url = f"http://{self.headers['Host']}{self.path}"
        return AWSRequest(method=self.method, url=url, data=self.body, headers=self.headers)

    def _sign(self, signer, request: AWSRequest | None = None) -> "Request":
        request = request or self._aws_request()
        signer.add_auth(request)
        self.headers = dict(request.headers.items())
        return self


def credentials(key: Key) -> Credentials:
    return Credentials(key.access_key_id, key.secret_access_key, key.session_token)


def json_request(server, target: str, body: bytes, version: str = "1.1") -> Request:
    """A request of the JSON protocols, unsigned as yet."""
    headers = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"}
    return Request(server, "POST", "/", body, headers)


def query_request(server, parameters: dict | bytes) -> Request:
    """A request of the Query protocol, unsigned as yet."""
    body = parameters if isinstance(parameters, bytes) else urlencode(parameters).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return Request(server, "POST", "/", body, headers)


def object_path(bucket: str, key: str) -> str:
    return f"/{bucket}/{quote(key, safe='/-_.~')}"


class _Streaming(S3SigV4Auth):
    """The seed of a body whose chunks are signed one by one."""

    def payload(self, request):
        return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def chunked_request(server, path: str, chunks: list[bytes], key: Key) -> Request:
    """A PUT as older Java SDKs send it: `aws-chunked`, each chunk signed (S3 API, "sigv4-streaming")."""
    size = str(sum(map(len, chunks)))
    headers = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": size}
    request = Request(server, "PUT", path, b"", headers)
    signer, aws = _Streaming(credentials(key), "s3", REGION), request._aws_request()
    request._sign(signer, aws)
    signature = request.headers["Authorization"].rsplit("Signature=", 1)[1]
    frames = []
    for chunk in [*chunks, b""]:
        hashes = [hashlib.sha256(data).hexdigest() for data in (b"", chunk)]
        lines = [aws.context["timestamp"], signer.credential_scope(aws), signature, *hashes]
        signature = signer.signature("\n".join(["AWS4-HMAC-SHA256-PAYLOAD", *lines]), aws)
        frames.append(b"%x;chunk-signature=%s\r\n%s\r\n" % (len(chunk), signature.encode(), chunk))
    request.body = b"".join(frames)
    return request
