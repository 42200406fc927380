"""The credentials that the server under test knows, and the config file that names them."""

import json
from dataclasses import dataclass, field

ACCOUNT = "111122223333"


@dataclass(frozen=True)
class Key:
    """One `[[key]]` of the config file. `user` tells callers apart in the report."""

    access_key_id: str
    role: str
    user: str
    secret_access_key: str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    session_token: str | None = None
    identity: dict = field(default_factory=dict, hash=False)
    account: str = ACCOUNT

    @property
    def arn(self) -> str:
        return self.identity["arn"]

    def boto(self) -> dict:
        """The credentials as boto3 takes them."""
        return {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }

    def toml(self) -> str:
        lines = [
            "[[key]]",
            f"access_key_id = {quote(self.access_key_id)}",
            f"secret_access_key = {quote(self.secret_access_key)}",
            f"account = {quote(self.account)}",
            f"role = {quote(self.role)}",
            f"identity = {inline(self.identity)}",
        ]
        if self.session_token:
            lines.insert(3, f"session_token = {quote(self.session_token)}")
            lines.insert(4, 'expires = "2036-12-31T00:00:00Z"')
        return "\n".join(lines)


def quote(text: str) -> str:
    # For ASCII a JSON string is a TOML string.
    return json.dumps(text)


def inline(table: dict) -> str:
    pairs = (f"{name} = {inline(value) if isinstance(value, dict) else quote(value)}" for name, value in table.items())
    return "{ " + ", ".join(pairs) + " }"


def user_key(name: str, role: str = "s3", account: str = ACCOUNT) -> Key:
    """The key of an IAM user, its id made of the name."""
    plain = name.upper().replace("-", "")
    identity = {
        "type": "IAMUser",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "principal_id": f"AIDA{plain:X<17.17}",
    }
    return Key(f"AKIA{plain:X<16.16}", role, name, identity=identity, account=account)


def role_key() -> Key:
    """The caller of the original report: a role on an instance, with a session token."""
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/etl/i-0abc",
        "principal_id": "AROAEXAMPLE:i-0abc",
        "session_issuer": {
            "arn": f"arn:aws:iam::{ACCOUNT}:role/etl",
            "principal_id": "AROAEXAMPLE",
            "user_name": "etl",
        },
        "ec2_role_delivery": "2.0",
    }
    return Key("ASIAROLEONINSTANCE00", "s3", "etl", session_token="FwoGZXIvYXdzEXAMPLE/token+0=", identity=identity)


ADMIN = user_key("admin", "admin")
AUDIT = user_key("audit", "audit")
ROLE = role_key()


def config(
    keys: list[Key],
    *,
    delivery_interval: str = "2s",
    digest_interval: str = "1h",
    record_auth_failures: bool | None = None,
    lifecycle_interval: str | None = None,
) -> str:
    cloudtrail = f"[cloudtrail]\ndelivery_interval = {quote(delivery_interval)}\n"
    cloudtrail += f"digest_interval = {quote(digest_interval)}\n"
    if record_auth_failures is not None:
        cloudtrail += f"record_auth_failures = {json.dumps(record_auth_failures)}\n"
    s3 = [f"[s3]\nlifecycle_interval = {quote(lifecycle_interval)}\n"] if lifecycle_interval else []
    return "\n\n".join([key.toml() for key in keys] + [cloudtrail] + s3)
