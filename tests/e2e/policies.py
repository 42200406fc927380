"""Bucket policies that tests put."""

import json

from keys import ACCOUNT

CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect, principal, action, resource, **condition) -> dict:
    made = {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}
    return {**made, "Condition": condition} if condition else made


def trail_statements(bucket: str, account: str = ACCOUNT, prefix: str = "", **equals) -> list[dict]:
    """What the CloudTrail user guide says that a trail's bucket needs."""
    write = {"s3:x-amz-acl": "bucket-owner-full-control", **equals}
    acl = {"StringEquals": equals} if equals else {}
    objects = f"arn:aws:s3:::{bucket}/{prefix + '/' if prefix else ''}AWSLogs/{account}/*"
    return [
        statement("Allow", CLOUDTRAIL, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}", **acl),
        statement("Allow", CLOUDTRAIL, "s3:PutObject", objects, StringEquals=write),
    ]


def allow_trails(s3, bucket: str, account: str = ACCOUNT, prefix: str = "", **equals) -> None:
    """Lets the trails of an account deliver into a bucket."""
    policy = document(*trail_statements(bucket, account, prefix, **equals))
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
