"""Every API call makes its record: in the log files, through rules, and in the event history."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from keys import ACCOUNT, ADMIN, AUDIT, ROLE
from policies import allow_trails, queue_arn, queue_policy, rule_arn
from sigtrail import REGION, eventually
from test_log_files import log_records
from test_pipeline_by_hand import Aws

LOGS = "management-logs"


@pytest.fixture
def recorded(start):
    """A server with a trail of management events only, and everything that was done on it."""
    server = start("--bare")
    server.boto("s3").create_bucket(Bucket=LOGS)
    allow_trails(server.boto("s3"), LOGS)
    trails = server.boto("cloudtrail")
    trails.create_trail(Name="management", S3BucketName=LOGS)
    trails.start_logging(Name="management")
    return server


def code(call, **parameters) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def find(records, event, **fields):
    return [r for r in records if r["eventName"] == event and all(r.get(name) == value for name, value in fields.items())]


def wait_for(server, event, **fields):
    """The one record of this name in the log files."""

    def look():
        return find(log_records(server), event, **fields)

    (record,) = eventually(look, f"{event} is in a log file", 30)
    return record


def call_everything(server):
    """Some of each service; the answers of some."""
    sqs, sns, events, trails = (server.boto(name) for name in ("sqs", "sns", "events", "cloudtrail"))
    queue = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "0"}, tags={"Team": "A"})
    url = queue["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a secret message")
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.publish(TopicArn=topic, Message="a secret message")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn("q"))
    sns.list_topics()
    rule = events.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue_arn("q"), "Input": json.dumps("a secret message")}])
    events.put_events(Entries=[{"Source": "mine", "DetailType": "d", "Detail": json.dumps({"a": "a secret message"})}])
    selectors = trails.put_event_selectors(
        TrailName="management", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}]
    )
    server.boto("sts", ROLE).get_caller_identity()
    return queue, topic, rule, selectors


def test_each_service_is_in_the_log_files(recorded):
    queue, topic, rule, selectors = call_everything(recorded)
    identity = wait_for(recorded, "GetCallerIdentity")
    records = log_records(recorded)

    (created,) = find(records, "CreateQueue")
    assert list(created)[:9] == [
        "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
        "userAgent", "requestParameters",
    ]  # fmt: skip
    assert (created["eventSource"], created["awsRegion"], created["readOnly"]) == ("sqs.amazonaws.com", REGION, False)
    assert created["requestParameters"] == {
        "queueName": "q", "attributes": {"DelaySeconds": "0"}, "tags": {"Team": "A"},
    }  # fmt: skip
    assert created["responseElements"] == {"queueUrl": queue["QueueUrl"]}
    assert created["requestID"] == queue["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    assert created["userAgent"].startswith("Boto3/") and created["sourceIPAddress"] == "127.0.0.1"
    assert created["userIdentity"] == {
        "type": "IAMUser", "principalId": ADMIN.identity["principal_id"], "arn": ADMIN.arn, "accountId": ACCOUNT,
        "accessKeyId": ADMIN.access_key_id, "userName": "admin",
    }  # fmt: skip
    assert created["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::SQS::Queue", "ARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
    ]

    (made,) = find(records, "CreateTopic")
    assert (made["requestParameters"], made["responseElements"]) == ({"name": "t"}, {"topicArn": topic})
    (listed,) = find(records, "ListTopics")
    assert (listed["requestParameters"], listed["responseElements"], listed["readOnly"]) == (None, None, True)
    (subscribed,) = find(records, "Subscribe")
    assert subscribed["requestParameters"]["endpoint"].endswith(":q")

    (put,) = find(records, "PutRule")
    assert put["eventSource"] == "events.amazonaws.com" and put["responseElements"] == {"ruleArn": rule["RuleArn"]}
    assert json.loads(put["requestParameters"]["eventPattern"]) == {"source": ["mine"]}
    (targets,) = find(records, "PutTargets")
    assert targets["requestParameters"]["targets"][0]["input"] == "HIDDEN_DUE_TO_SECURITY_REASONS"

    (chosen,) = find(records, "PutEventSelectors")
    assert chosen["responseElements"]["trailARN"] == selectors["TrailARN"]
    assert chosen["requestParameters"]["eventSelectors"][0]["includeManagementEvents"] is True

    assert identity["eventSource"] == "sts.amazonaws.com" and identity["requestParameters"] is None
    assert identity["userIdentity"]["sessionContext"]["ec2RoleDelivery"] == "2.0"

    for record in records:
        assert record["managementEvent"] is True and record["eventCategory"] == "Management"
        assert "a secret message" not in json.dumps(record)
        assert ROLE.session_token not in json.dumps(record)
        assert ("additionalEventData" in record) == (record["eventSource"] == "s3.amazonaws.com")
    names = {record["eventName"] for record in records}
    assert not names & {"SendMessage", "ReceiveMessage", "DeleteMessage", "Publish", "PutEvents"}, "data events"


def test_calls_that_fail_are_recorded_too(recorded):
    sqs, trails = recorded.boto("sqs"), recorded.boto("cloudtrail")
    missing = f"{recorded.url}/{ACCOUNT}/missing"
    assert code(sqs.purge_queue, QueueUrl=missing).endswith("NonExistentQueue")
    assert code(trails.start_logging, Name="missing") == "TrailNotFoundException"
    assert code(recorded.boto("sqs", AUDIT).create_queue, QueueName="denied").startswith("AccessDenied")
    assert code(recorded.boto("sns", AUDIT).create_topic, Name="denied") == "AuthorizationError"
    liar = recorded.boto("sqs", type(ADMIN)(ADMIN.access_key_id, "admin", "liar", secret_access_key="wrong"))
    assert "Signature" in code(liar.create_queue, QueueName="forged")
    trails.stop_logging(Name="management")
    trails.start_logging(Name="management")

    topic = wait_for(recorded, "CreateTopic")
    wait_for(recorded, "StopLogging")
    records = log_records(recorded)
    assert (topic["errorCode"], topic["userIdentity"]["arn"]) == ("AccessDenied", AUDIT.arn)
    assert "is not authorized to perform: sns:CreateTopic" in topic["errorMessage"]
    (purged,) = find(records, "PurgeQueue")
    assert purged["errorCode"] == "QueueDoesNotExist" and purged["responseElements"] is None
    assert purged["requestParameters"] == {"queueUrl": missing}
    (denied,) = find(records, "CreateQueue")
    assert (denied["errorCode"], denied["requestParameters"]) == ("AccessDenied", None), "and what was forged is not there"
    (failed,) = find(records, "StartLogging", errorCode="TrailNotFoundException")
    assert failed["requestParameters"] == {"name": "missing"}


def test_rules_see_them(recorded):
    """Calls that change something match an ordinary rule, those that only look do not."""
    sqs, events = recorded.boto("sqs"), recorded.boto("events")
    policy = queue_policy(queue_arn("seen"), rule_arn("calls"))
    url = sqs.create_queue(QueueName="seen", Attributes={"Policy": policy})["QueueUrl"]
    events.put_rule(Name="calls", EventPattern=json.dumps({"source": ["aws.sqs", "aws.cloudtrail"]}))
    events.put_targets(Rule="calls", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:seen"}])
    recorded.boto("cloudtrail").list_trails()
    sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
    message = eventually(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages"), "an event")[0]
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("aws.sqs", "AWS API Call via CloudTrail")
    assert event["detail"]["eventName"] == "TagQueue"
    assert event["detail"]["requestParameters"] == {"queueUrl": url, "tags": {"a": "b"}}
    assert not sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")


def test_lookup_by_each_attribute(start, tmp_path):
    server = start("--bare")
    aws = Aws(server, tmp_path)
    for number in range(7):
        aws("sqs", "create-queue", queue_name=f"q{number}")
    server.boto("s3").create_bucket(Bucket="looked-up")
    server.boto("s3").put_object(Bucket="looked-up", Key="k", Body=b"a data event")
    server.boto("sts", AUDIT).get_caller_identity()

    def look(key, value, **options):
        return aws(
            "cloudtrail", "lookup-events", lookup_attributes=f"AttributeKey={key},AttributeValue={value}", **options
        )["Events"]

    created = eventually(lambda: len(found := look("EventName", "CreateQueue")) == 7 and found, "seven events")
    newest = created[0]
    assert json.loads(newest["CloudTrailEvent"])["requestParameters"] == {"queueName": "q6"}
    assert (newest["EventSource"], newest["ReadOnly"], newest["Username"]) == ("sqs.amazonaws.com", "false", "admin")
    assert newest["AccessKeyId"] == ADMIN.access_key_id
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q6"
    assert {"ResourceType": "AWS::SQS::Queue", "ResourceName": arn} in newest["Resources"]
    identity = eventually(lambda: look("EventName", "GetCallerIdentity"), "the last call")[0]
    assert identity["Resources"] == []

    def ids(events):
        return [event["EventId"] for event in events]

    # The CLI asks for page after page.
    assert ids(look("EventName", "CreateQueue", page_size="2")) == ids(created)
    assert ids(look("EventName", "CreateQueue", max_items="3")) == ids(created)[:3]
    assert ids(look("EventId", newest["EventId"])) == [newest["EventId"]]
    assert ids(look("EventSource", "sqs.amazonaws.com")) == ids(created)
    assert ids(look("ResourceName", arn)) == [newest["EventId"]]
    assert ids(look("ResourceType", "AWS::SQS::Queue")) == ids(created)
    assert ids(look("Username", "audit")) == [identity["EventId"]] == ids(look("AccessKeyId", AUDIT.access_key_id))
    assert ids(look("EventSource", "sts.amazonaws.com")) == [identity["EventId"]]
    assert identity["EventId"] in ids(look("ReadOnly", "true")) and newest["EventId"] not in ids(look("ReadOnly", "true"))
    (bucket,) = look("ResourceName", "looked-up")
    assert (bucket["EventName"], bucket["Resources"][0]["ResourceType"]) == ("CreateBucket", "AWS::S3::Bucket")
    assert look("EventName", "PutObject") == [], "never data events"
    assert look("EventName", "LookupEvents"), "looking up is a call as well"
    assert aws("cloudtrail", "lookup-events", event_category="insight")["Events"] == []


def test_lookup_pages_times_and_refusals(start):
    server = start("--bare")
    trails = server.boto("cloudtrail")
    for _ in range(5):
        server.boto("sts").get_caller_identity()
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}]
    events = eventually(
        lambda: len(found := trails.lookup_events(LookupAttributes=by_name)["Events"]) == 5 and found, "five events"
    )
    first = trails.lookup_events(LookupAttributes=by_name, MaxResults=2)
    second = trails.lookup_events(LookupAttributes=by_name, MaxResults=3, NextToken=first["NextToken"])
    assert [e["EventId"] for e in first["Events"] + second["Events"]] == [e["EventId"] for e in events]
    assert "NextToken" not in second

    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    assert len(trails.lookup_events(LookupAttributes=by_name, StartTime=now - hour, EndTime=now + hour)["Events"]) == 5
    assert not trails.lookup_events(LookupAttributes=by_name, EndTime=now - hour)["Events"]
    assert not server.boto("cloudtrail", region="eu-central-1").lookup_events(LookupAttributes=by_name)["Events"]
    assert abs(events[0]["EventTime"].timestamp() - time.time()) < 600

    look = trails.lookup_events
    assert code(look, LookupAttributes=by_name * 2) == "InvalidLookupAttributesException"
    odd = [{"AttributeKey": "Nonsense", "AttributeValue": "x"}]
    assert code(look, LookupAttributes=odd) == "InvalidLookupAttributesException"
    assert code(look, StartTime=now, EndTime=now - hour) == "InvalidTimeRangeException"
    assert code(look, NextToken=first["NextToken"]) == "InvalidNextTokenException"
    assert code(look, EventCategory="management") == "InvalidEventCategoryException"
    unchecked = server.boto("cloudtrail", parameter_validation=False)
    assert code(unchecked.lookup_events, MaxResults=51) == "InvalidMaxResultsException"
    assert code(server.boto("cloudtrail", ROLE).lookup_events).startswith("AccessDenied"), "a key for S3 only"


def test_history_outlives_the_server(start):
    server = start("--bare")
    server.boto("sqs").create_queue(QueueName="before")
    server.stop()
    server = start("--bare")
    named = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]
    trails = server.boto("cloudtrail")
    (event,) = eventually(lambda: trails.lookup_events(LookupAttributes=named)["Events"], "the call before the restart")
    assert json.loads(event["CloudTrailEvent"])["requestParameters"] == {"queueName": "before"}


def test_a_call_whose_client_is_killed_with_the_server_is_recorded(start):
    """SIGKILL while calls are answered: what was answered is in the history after the next start."""
    server = start("--bare")
    sqs = server.boto("sqs")
    answered = [sqs.create_queue(QueueName=f"k{number}")["QueueUrl"] for number in range(20)]
    server.process.kill()
    server.process.wait()
    server = start("--bare")
    trails = server.boto("cloudtrail")
    named = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]

    def look():
        found = trails.lookup_events(LookupAttributes=named)["Events"]
        return len(found) >= len(answered) and found

    found = [json.loads(event["CloudTrailEvent"]) for event in eventually(look, "all calls")]
    assert [one["responseElements"]["queueUrl"] for one in reversed(found)] == answered
