"""Policies that tests put on buckets, topics and queues."""

import json

from keys import ACCOUNT
from sigtrail import REGION

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


def of_service(service: str, action: str, resource: str, source: str) -> dict:
    """What lets a service do something for one of its resources: a rule, a topic, a trail."""
    principal = {"Service": f"{service}.amazonaws.com"}
    return statement("Allow", principal, action, resource, ArnLike={"aws:SourceArn": source})


def allow_publish(sns, topic: str, *sources: str, service: str = "events") -> None:
    """Lets rules (or, with another service, trails) publish to a topic."""
    policy = document(*(of_service(service, "sns:Publish", topic, source) for source in sources))
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def queue_policy(queue: str, *sources: str) -> str:
    """Lets topics and rules send to a queue, each for itself."""
    return document(*(of_service(arn.split(":")[2], "sqs:SendMessage", queue, arn) for arn in sources))


def allow_send(sqs, queue_url: str, *sources: str) -> None:
    """Lets topics and rules send to a queue that is there."""
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": queue_policy(arn, *sources)})


def rule_arn(name: str, region: str = REGION) -> str:
    """A rule on the default bus."""
    return f"arn:aws:events:{region}:{ACCOUNT}:rule/{name}"


def topic_arn(name: str, region: str = REGION) -> str:
    return f"arn:aws:sns:{region}:{ACCOUNT}:{name}"


def queue_arn(name: str, region: str = REGION) -> str:
    return f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
