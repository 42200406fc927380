"""Real S3 clients behind one set of methods, so that a test is written once and run with each of them.

`events` says which CloudTrail event names the method of a client must leave behind; a client may make more requests
than that (a HEAD before a GET, say).
"""

import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.config import Config

from keys import ROLE, Key, user_key
from sigtrail import REGION, REPOSITORY

ENVIRONMENTS = REPOSITORY / ".e2e"
MIB = 1024 * 1024
MULTIPART = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")


class Client:
    """What every client can do. `home` is a folder of its own for configuration and files."""

    name: str
    key: Key
    signature: str
    multipart_bytes = 9 * MIB
    events = {
        "make_bucket": ("CreateBucket",),
        "buckets": ("ListBuckets",),
        "put": ("PutObject",),
        "get": ("GetObject",),
        "get_range": ("GetObject",),
        "head": ("HeadObject",),
        "list": ("ListObjects",),
        "put_large": MULTIPART,
        "copy": ("CopyObject",),
        "delete": ("DeleteObject",),
        "delete_many": ("DeleteObjects",),
        "remove_bucket": ("DeleteBucket",),
    }

    def __init__(self, endpoint: str, home: Path):
        self.endpoint = endpoint
        self.host = endpoint.split("//", 1)[1]
        self.home = home
        self.prepare()

    def prepare(self) -> None:
        """Writes the configuration, if the client has one."""

    @classmethod
    def missing(cls) -> str | None:
        """Why the client is not there, if it is not."""
        return None

    def can(self, method: str) -> bool:
        return hasattr(self, method)

    def file(self, name: str, content: bytes) -> Path:
        path = self.home / name
        path.write_bytes(content)
        return path


class Boto3(Client):
    """The AWS SDK for Python as its users have it: defaults, but for the endpoint."""

    name, signature = "boto3", "SigV4"
    config: dict = {}

    def prepare(self):
        self.s3 = boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, config=Config(**self.config), **self.key.boto()
        )

    def make_bucket(self, bucket):
        self.s3.create_bucket(Bucket=bucket)

    def buckets(self):
        return [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]

    def put(self, bucket, key, content):
        self.s3.put_object(Bucket=bucket, Key=key, Body=content)

    def get(self, bucket, key):
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def get_range(self, bucket, key, first, last):
        return self.s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")["Body"].read()

    def head(self, bucket, key):
        return self.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]

    def list(self, bucket, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def put_large(self, bucket, key, content):
        self.s3.upload_file(str(self.file("large", content)), bucket, key)

    def copy(self, bucket, source, target):
        self.s3.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": source})

    def delete(self, bucket, key):
        self.s3.delete_object(Bucket=bucket, Key=key)

    def delete_many(self, bucket, keys):
        answer = self.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        assert not answer.get("Errors"), answer

    def remove_bucket(self, bucket):
        self.s3.delete_bucket(Bucket=bucket)


class Boto3SigV2(Boto3):
    name, signature = "boto3-sigv2", "SigV2"
    config = {"signature_version": "s3"}


class Boto3Role(Boto3SigV2):
    """A role on an instance: temporary credentials, whose token is signed as a header."""

    name = "boto3-role"


class Program(Client):
    """A client that is a program of its own."""

    program: Path

    @classmethod
    def missing(cls):
        # Whoever runs this has run `cargo xtask setup-clients`: a missing program is an error, not a skip.
        assert cls.program.is_file(), f"{cls.program} is missing: cargo xtask setup-clients"
        return None

    def environment(self) -> dict:
        return {"HOME": str(self.home), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}

    def execute(self, *arguments, ok=(0,)) -> bytes:
        command = [str(self.program), *self.flags(), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, env=self.environment(), cwd=self.home, timeout=90)
        assert done.returncode in ok, f"{' '.join(command)}: {done.returncode}\n{done.stderr.decode()[-3000:]}"
        return done.stdout

    def flags(self) -> list[str]:
        return []

    def lines(self, *arguments) -> list[str]:
        return self.execute(*arguments).decode().splitlines()


class AwsCli(Program):
    """The current AWS CLI with its default settings."""

    name, signature = "awscli", "SigV4"
    program = ENVIRONMENTS / "awscli/bin/aws"
    multipart_bytes = 20 * MIB
    profile = ""

    def prepare(self):
        self.file("aws-config", f"[default]\nregion = {REGION}\n{self.profile}".encode())

    def environment(self):
        return super().environment() | {
            "AWS_ACCESS_KEY_ID": self.key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret_access_key,
            "AWS_CONFIG_FILE": str(self.home / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def flags(self):
        return ["--endpoint-url", self.endpoint]

    def make_bucket(self, bucket):
        self.execute("s3", "mb", f"s3://{bucket}")

    def buckets(self):
        return [line.split()[-1] for line in self.lines("s3", "ls")]

    def put(self, bucket, key, content):
        self.execute("s3", "cp", self.file("small", content), f"s3://{bucket}/{key}", "--quiet")

    def get(self, bucket, key):
        self.execute("s3", "cp", f"s3://{bucket}/{key}", self.home / "got", "--quiet")
        return (self.home / "got").read_bytes()

    def get_range(self, bucket, key, first, last):
        wanted = ("--bucket", bucket, "--key", key, "--range", f"bytes={first}-{last}")
        self.execute("s3api", "get-object", *wanted, self.home / "part")
        return (self.home / "part").read_bytes()

    def head(self, bucket, key):
        query = ("--query", "ContentLength", "--output", "text")
        return int(self.execute("s3api", "head-object", "--bucket", bucket, "--key", key, *query))

    def list(self, bucket, prefix):
        return [line.split(None, 3)[-1] for line in self.lines("s3", "ls", "--recursive", f"s3://{bucket}/{prefix}")]

    def put_large(self, bucket, key, content):
        self.execute("s3", "cp", self.file("large", content), f"s3://{bucket}/{key}", "--quiet")

    def copy(self, bucket, source, target):
        self.execute("s3", "cp", f"s3://{bucket}/{source}", f"s3://{bucket}/{target}", "--quiet")

    def delete(self, bucket, key):
        self.execute("s3", "rm", f"s3://{bucket}/{key}")

    def delete_many(self, bucket, keys):
        objects = "Objects=[" + ",".join(f"{{Key={key}}}" for key in keys) + "]"
        self.execute("s3api", "delete-objects", "--bucket", bucket, "--delete", objects)

    def remove_bucket(self, bucket):
        self.execute("s3", "rb", f"s3://{bucket}")

    def presign(self, bucket, key):
        return self.execute("s3", "presign", f"s3://{bucket}/{key}").decode().strip()


class AwsCliConfigured(AwsCli):
    """After `aws configure set s3.signature_version s3`, as old instructions have it.

    Since botocore has endpoint rules the setting does not reach its requests: it signs them with SigV4. Presigned URLs,
    which are SigV2 without the setting, become SigV4 with it.
    """

    name = "awscli-configured"
    profile = "s3 =\n    signature_version = s3\n"


class OldAwsCli(AwsCli):
    """The client of the original report, under Python 2.7; it signs with SigV2 unless told otherwise."""

    name, signature = "awscli-1.11.29", "SigV2"
    program = ENVIRONMENTS / "old/bin/aws"

    @classmethod
    def missing(cls):
        return os.environ.get("SIGTRAIL_OLD_CLIENT_MISSING") or super().missing()

    def environment(self):
        # Python 2 does not ask the locale when it writes into a pipe.
        return super().environment() | {"PYTHONIOENCODING": "utf-8"}


class S3cmd(Program):
    name, signature = "s3cmd", "SigV4"
    program = Path(sys.executable).with_name("s3cmd")
    signature_flags: list[str] = []
    # It asks for one deletion after the other.
    events = Program.events | {"delete_many": ("DeleteObject",)}

    def prepare(self):
        lines = [
            "[default]",
            f"access_key = {self.key.access_key_id}",
            f"secret_key = {self.key.secret_access_key}",
            f"bucket_location = {REGION}",
        ]
        self.file("s3cfg", "\n".join(lines).encode())

    def flags(self):
        where = ["--no-ssl", f"--host={self.host}", f"--host-bucket={self.host}"]
        limits = ["--multipart-chunk-size-mb=5", "--max-retries=1", "--no-progress"]
        return ["-c", str(self.home / "s3cfg"), *where, *limits, *self.signature_flags]

    def make_bucket(self, bucket):
        self.execute("mb", f"s3://{bucket}")

    def buckets(self):
        return [line.split("s3://")[-1] for line in self.lines("ls")]

    def put(self, bucket, key, content):
        self.execute("put", self.file("small", content), f"s3://{bucket}/{key}")

    def get(self, bucket, key):
        self.execute("get", "--force", f"s3://{bucket}/{key}", self.home / "got")
        return (self.home / "got").read_bytes()

    def list(self, bucket, prefix):
        lines = self.lines("ls", "--recursive", f"s3://{bucket}/{prefix}")
        return [line.split(f"s3://{bucket}/", 1)[-1] for line in lines]

    def put_large(self, bucket, key, content):
        self.execute("put", self.file("large", content), f"s3://{bucket}/{key}")

    def copy(self, bucket, source, target):
        self.execute("cp", f"s3://{bucket}/{source}", f"s3://{bucket}/{target}")

    def delete(self, bucket, key):
        self.execute("del", f"s3://{bucket}/{key}")

    def delete_many(self, bucket, keys):
        self.execute("del", *(f"s3://{bucket}/{key}" for key in keys))

    def remove_bucket(self, bucket):
        self.execute("rb", f"s3://{bucket}")


class S3cmdSigV2(S3cmd):
    name, signature = "s3cmd-sigv2", "SigV2"
    signature_flags = ["--signature-v2"]


class Rclone(Program):
    name, signature = "rclone", "SigV4"
    program = Path(sys.executable).with_name("rclone")
    v2_auth = "false"
    # It deletes one object after the other.
    events = Client.events | {"delete_many": ("DeleteObject",)}

    def environment(self):
        options = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ACCESS_KEY_ID": self.key.access_key_id,
            "SECRET_ACCESS_KEY": self.key.secret_access_key,
            "ENDPOINT": self.endpoint,
            "REGION": REGION,
            "V2_AUTH": self.v2_auth,
            "UPLOAD_CUTOFF": "5Mi",
            "CHUNK_SIZE": "5Mi",
        }
        config = {"RCLONE_CONFIG": str(self.home / "rclone.conf"), "RCLONE_RETRIES": "1"}
        return super().environment() | config | {f"RCLONE_CONFIG_R_{name}": value for name, value in options.items()}

    def prepare(self):
        # An empty file, so that rclone does not complain about none on each run.
        self.file("rclone.conf", b"")

    def make_bucket(self, bucket):
        self.execute("mkdir", f"r:{bucket}")

    def buckets(self):
        return [line.split()[-1] for line in self.lines("lsd", "r:")]

    def put(self, bucket, key, content):
        self.execute("copyto", self.file("small", content), f"r:{bucket}/{key}")

    def get(self, bucket, key):
        return self.execute("cat", f"r:{bucket}/{key}")

    def get_range(self, bucket, key, first, last):
        return self.execute("cat", "--offset", first, "--count", last - first + 1, f"r:{bucket}/{key}")

    def head(self, bucket, key):
        return int(self.execute("lsf", "--format", "s", f"r:{bucket}/{key}"))

    def list(self, bucket, prefix):
        names = self.lines("lsf", "--recursive", "--files-only", f"r:{bucket}/{prefix}")
        return [prefix + name for name in names]

    def put_large(self, bucket, key, content):
        self.execute("copyto", self.file("large", content), f"r:{bucket}/{key}")

    def copy(self, bucket, source, target):
        self.execute("copyto", f"r:{bucket}/{source}", f"r:{bucket}/{target}")

    def delete(self, bucket, key):
        self.execute("deletefile", f"r:{bucket}/{key}")

    def delete_many(self, bucket, keys):
        names = self.file("names", "\n".join(keys).encode())
        self.execute("delete", "--files-from", names, f"r:{bucket}")

    def remove_bucket(self, bucket):
        self.execute("rmdir", f"r:{bucket}")


class RcloneSigV2(Rclone):
    name, signature = "rclone-v2auth", "SigV2"
    v2_auth = "true"


CLIENTS = [
    Boto3,
    Boto3SigV2,
    Boto3Role,
    AwsCli,
    OldAwsCli,
    S3cmd,
    S3cmdSigV2,
    Rclone,
    RcloneSigV2,
]

for kind in [*CLIENTS, AwsCliConfigured]:
    kind.key = ROLE if kind is Boto3Role else user_key(kind.name.replace(".", ""))
# Users of the tests that are not about one client.
USERS = {name: user_key(name) for name in ("presigner", "form", "virtual-host", "plain", "tampered", "stranger-s")}
KEYS = [kind.key for kind in [*CLIENTS, AwsCliConfigured] if kind.key is not ROLE] + list(USERS.values())
