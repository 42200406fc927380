"""Metrics and alarms of CloudWatch, over its three protocols, and what the pipeline counts by itself."""

import datetime
import gzip
import json
import re
import time
import uuid

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.session import Session

import clients
from keys import ACCOUNT, ADMIN, AUDIT
from policies import allow_send, document, of_service, rule_arn, topic_arn
from raw import query_request
from sigtrail import REGION, REPOSITORY, eventually
from test_pipeline_by_hand import Aws

PROTOCOLS = ["json", "query", "smithy-rpc-v2-cbor"]
UTC = datetime.timezone.utc


class _OneProtocol(Loader):
    """botocore's own model, but for the protocols that the service is said to speak."""

    protocol = ""

    def load_service_model(self, service_name, type_name, api_version=None):
        model = super().load_service_model(service_name, type_name, api_version)
        if service_name == "cloudwatch" and type_name == "service-2":
            model["metadata"] |= {"protocols": [self.protocol], "protocol": self.protocol}
        return model


def client_of(server, protocol="json", key=ADMIN):
    loader = _OneProtocol()
    loader.protocol = protocol
    session = Session()
    session.register_component("data_loader", loader)
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.Session(botocore_session=session).client(
        "cloudwatch", endpoint_url=server.url, region_name=REGION, config=config, **key.boto()
    )
    assert client.meta.service_model.resolved_protocol == protocol
    return client


@pytest.fixture(params=PROTOCOLS)
def cloudwatch(request, server):
    return client_of(server, request.param)


def this_minute():
    return datetime.datetime.now(UTC).replace(second=0, microsecond=0)


def statistics(client, namespace, name, dimensions=(), period=60, hours=3, **more):
    """All statistics of the last hours, in the order of time."""
    now = this_minute()
    wanted = {"Statistics": ["SampleCount", "Sum", "Minimum", "Maximum", "Average"]} | more
    answer = client.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions],
        StartTime=now - datetime.timedelta(hours=hours),
        EndTime=now + datetime.timedelta(minutes=2),
        Period=period,
        **wanted,
    )
    assert answer["Label"] == name
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


def total(client, namespace, name, dimensions):
    return sum(point["Sum"] for point in statistics(client, namespace, name, dimensions))


def refused(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]


def test_put_and_get(cloudwatch):
    namespace, minute = f"App/{uuid.uuid4().hex}", this_minute() - datetime.timedelta(minutes=10)
    dimensions = [{"Name": "Host", "Value": "a"}, {"Name": "App", "Value": "b c&d"}]
    earlier = minute - datetime.timedelta(minutes=1)
    data = [
        {"Value": 3.0, "Timestamp": minute},
        {"Values": [1.0, 2.5], "Counts": [2.0, 4.0], "Timestamp": minute + datetime.timedelta(seconds=59)},
        {
            "StatisticValues": {"SampleCount": 2.0, "Sum": 11.0, "Minimum": 0.5, "Maximum": 10.5},
            "Timestamp": earlier,
        },
    ]
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[{"MetricName": "Latency", "Dimensions": dimensions, "Unit": "Seconds", **one} for one in data],
    )
    first, second = statistics(cloudwatch, namespace, "Latency", [("App", "b c&d"), ("Host", "a")])
    assert first == {
        "Timestamp": first["Timestamp"], "SampleCount": 2.0, "Sum": 11.0, "Minimum": 0.5, "Maximum": 10.5,
        "Average": 5.5, "Unit": "Seconds",
    }
    assert first["Timestamp"] == earlier and second["Timestamp"] == minute
    assert (second["SampleCount"], second["Sum"], second["Minimum"], second["Maximum"]) == (7.0, 15.0, 1.0, 3.0)
    (both,) = statistics(cloudwatch, namespace, "Latency", [("App", "b c&d"), ("Host", "a")], period=3 * 3600)
    assert (both["SampleCount"], both["Sum"]) == (9.0, 26.0)
    only_sum = statistics(cloudwatch, namespace, "Latency", [("App", "b c&d"), ("Host", "a")], Statistics=["Sum"])
    assert sorted(only_sum[0]) == ["Sum", "Timestamp", "Unit"]
    assert statistics(cloudwatch, namespace, "Latency", [("Host", "a")]) == [], "all dimensions make the metric"
    assert statistics(cloudwatch, namespace, "Latency", [("App", "b c&d"), ("Host", "a")], Unit="Bytes") == []
    listed = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Host"}])["Metrics"]
    assert listed == [
        {"Namespace": namespace, "MetricName": "Latency", "Dimensions": sorted(dimensions, key=lambda one: one["Name"])}
    ]
    assert cloudwatch.list_metrics(Namespace=namespace, MetricName="Other")["Metrics"] == []


def test_what_cannot_be_put_or_asked(cloudwatch):
    def put(**datum):
        return refused(cloudwatch.put_metric_data, Namespace="App", MetricData=[{"MetricName": "m", **datum}])

    both = put(Value=1.0, Values=[1.0])
    assert (both["Code"], both["Message"]) == (
        "InvalidParameterCombination",
        "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have "
        "specified both.",
    )
    sizes = put(Values=[1.0], Counts=[1.0, 2.0])
    assert (sizes["Code"], sizes["Message"]) == (
        "InvalidParameterValue",
        "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
    )
    assert put(Value=1.0, Timestamp=this_minute() - datetime.timedelta(days=15))["Code"] == "InvalidParameterValue"
    assert put(Value=1.0, Timestamp=this_minute() + datetime.timedelta(hours=3))["Code"] == "InvalidParameterValue"
    assert put(Value=1e300)["Code"] == "InvalidParameterValue"
    assert put(Value=1.0, StorageResolution=5)["Code"] == "InvalidParameterValue"
    reserved = refused(cloudwatch.put_metric_data, Namespace="AWS/SQS", MetricData=[{"MetricName": "m", "Value": 1.0}])
    assert reserved["Code"] == "InvalidParameterValue"

    def ask(**more):
        now = this_minute()
        asked = {"StartTime": now - datetime.timedelta(days=1), "EndTime": now, "Period": 60, "Statistics": ["Sum"]}
        return refused(cloudwatch.get_metric_statistics, Namespace="App", MetricName="m", **(asked | more))

    many = ask(Period=1)
    assert (many["Code"], many["Message"]) == (
        "InvalidParameterCombination",
        "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested "
        "by increasing Period, or decreasing the time range.",
    )
    backward = ask(EndTime=this_minute() - datetime.timedelta(days=2))
    assert (backward["Code"], backward["Message"]) == (
        "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."
    )
    assert ask(ExtendedStatistics=["p99"])["Code"] == "InvalidParameterValue"
    assert ask(Period=61)["Code"] == "InvalidParameterValue"


def test_with_the_cli(server, tmp_path):
    aws, namespace = Aws(server, tmp_path), f"Cli/{uuid.uuid4().hex}"
    aws("cloudwatch", "put-metric-data", namespace=namespace, metric_name="Jobs", value="2", dimensions="Queue=a")
    aws("cloudwatch", "put-metric-data", namespace=namespace, metric_name="Jobs", value="5", dimensions="Queue=a")
    now = this_minute()
    answer = aws(
        "cloudwatch", "get-metric-statistics", "--statistics", "Sum", "Maximum", namespace=namespace, metric_name="Jobs",
        dimensions="Name=Queue,Value=a", period="300",
        start_time=(now - datetime.timedelta(minutes=5)).isoformat(), end_time=(now + datetime.timedelta(minutes=5)).isoformat(),
    )
    assert sum(point["Sum"] for point in answer["Datapoints"]) == 7.0
    assert max(point["Maximum"] for point in answer["Datapoints"]) == 5.0
    assert [metric["MetricName"] for metric in aws("cloudwatch", "list-metrics", namespace=namespace)["Metrics"]] == ["Jobs"]


def test_a_compressed_body(server):
    namespace = f"App/{uuid.uuid4().hex}"
    form = (
        f"Action=PutMetricData&Version=2010-08-01&Namespace={namespace}&MetricData.member.1.MetricName=m"
        "&MetricData.member.1.Value=4&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=e"
    )
    request = query_request(server, gzip.compress(form.encode()))
    request.headers["Content-Encoding"] = "gzip"
    answer = request.sigv4(ADMIN, "monitoring").send()
    assert answer.status == 200, answer
    assert "<PutMetricDataResponse" in answer.text and "<RequestId>" in answer.text
    assert total(client_of(server), namespace, "m", [("d", "e")]) == 4.0


def test_what_is_not_served(server):
    for protocol in PROTOCOLS:
        error = refused(client_of(server, protocol).list_dashboards)
        assert error["Code"] == ("InvalidAction" if protocol == "query" else "UnknownOperationException")
    unsigned = query_request(server, {"Action": "ListMetrics", "Version": "2010-08-01"})
    assert unsigned.send().status == 403
    audit = client_of(server, key=AUDIT)
    assert refused(audit.put_metric_data, Namespace="App", MetricData=[{"MetricName": "m", "Value": 1.0}])["Code"].startswith("AccessDenied")
    assert audit.list_metrics(Namespace="none")["Metrics"] == []


def test_points_survive_a_restart(start):
    server = start("--bare", name="restarted")
    put = client_of(server)
    put.put_metric_data(Namespace="App", MetricData=[{"MetricName": "m", "Value": 2.0}])
    server.process.kill()
    server.process.wait()
    server = start("--bare", name="restarted")
    client_of(server).put_metric_data(Namespace="App", MetricData=[{"MetricName": "m", "Value": 3.0}])
    server.stop()
    server = start("--bare", name="restarted")
    assert total(client_of(server), "App", "m", []) == 5.0
    assert [one["MetricName"] for one in client_of(server).list_metrics(Namespace="App")["Metrics"]] == ["m"]


class Pipeline:
    """SigV2 requests' way by hand, with a name of its own for each resource."""

    def __init__(self, server):
        self.server, self.id = server, uuid.uuid4().hex[:12]
        self.sns, self.sqs, self.events = (server.boto(name) for name in ("sns", "sqs", "events"))
        self.topic = self.sns.create_topic(Name=f"t-{self.id}")["TopicArn"]
        self.url = self.sqs.create_queue(QueueName=f"q-{self.id}")["QueueUrl"]
        allow_send(self.sqs, self.url, topic_arn("*"), rule_arn("*"))
        publishers = [("events", rule_arn("*")), ("cloudwatch", f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*")]
        policy = document(*(of_service(name, "sns:Publish", self.topic, source) for name, source in publishers))
        self.sns.set_topic_attributes(TopicArn=self.topic, AttributeName="Policy", AttributeValue=policy)
        self.queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q-{self.id}"
        self.subscription = self.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue, Attributes={"RawMessageDelivery": "true"}
        )["SubscriptionArn"]

    def receive(self, url=None, seconds=20):
        """The next message's text; it is deleted."""
        url = url or self.url

        def look():
            return self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")

        (message,) = eventually(look, "a message comes", seconds)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message["Body"]


def test_queues_and_topics_are_counted(server):
    way, cloudwatch = Pipeline(server), client_of(server)
    way.sns.set_subscription_attributes(
        SubscriptionArn=way.subscription, AttributeName="FilterPolicy", AttributeValue='{"kind": ["wanted"]}'
    )
    for kind in ("wanted", "other", "wanted"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        way.sns.publish(TopicArn=way.topic, Message="12345", MessageAttributes=attributes)
    way.sns.publish(TopicArn=way.topic, Message="12345")
    way.sqs.send_message(QueueUrl=way.url, MessageBody="1234567")
    for _ in range(3):
        way.receive()
    assert "Messages" not in way.sqs.receive_message(QueueUrl=way.url)
    of_queue, of_topic = [("QueueName", f"q-{way.id}")], [("TopicName", f"t-{way.id}")]
    expected = [
        ("AWS/SQS", "NumberOfMessagesSent", of_queue, 3),
        ("AWS/SQS", "NumberOfMessagesReceived", of_queue, 3),
        ("AWS/SQS", "NumberOfMessagesDeleted", of_queue, 3),
        ("AWS/SNS", "NumberOfMessagesPublished", of_topic, 4),
        ("AWS/SNS", "NumberOfNotificationsDelivered", of_topic, 2),
        ("AWS/SNS", "NumberOfNotificationsFilteredOut", of_topic, 2),
        ("AWS/SNS", "NumberOfNotificationsFilteredOut-MessageAttributes", of_topic, 1),
        ("AWS/SNS", "NumberOfNotificationsFilteredOut-NoMessageAttributes", of_topic, 1),
    ]
    for namespace, name, dimensions, count in expected:
        assert total(cloudwatch, namespace, name, dimensions) == count, name
    assert total(cloudwatch, "AWS/SQS", "NumberOfEmptyReceives", of_queue) >= 1
    sizes = statistics(cloudwatch, "AWS/SQS", "SentMessageSize", of_queue)
    assert max(point["Maximum"] for point in sizes) >= 7.0 and {point["Unit"] for point in sizes} == {"Bytes"}
    listed = cloudwatch.list_metrics(Namespace="AWS/SNS", Dimensions=[{"Name": "TopicName", "Value": f"t-{way.id}"}])
    assert "PublishSize" in [metric["MetricName"] for metric in listed["Metrics"]]


def test_rules_are_counted(server):
    way, cloudwatch = Pipeline(server), client_of(server)
    way.events.create_event_bus(Name=f"b-{way.id}")
    for bus in ("default", f"b-{way.id}"):
        pattern = json.dumps({"source": [f"app-{way.id}"]})
        way.events.put_rule(Name=f"r-{way.id}", EventBusName=bus, EventPattern=pattern)
        targets = [{"Id": "topic", "Arn": way.topic}, {"Id": "gone", "Arn": way.queue}]
        way.events.put_targets(Rule=f"r-{way.id}", EventBusName=bus, Targets=targets)
        entry = {"Source": f"app-{way.id}", "DetailType": "d", "Detail": "{}", "EventBusName": bus}
        assert way.events.put_events(Entries=[entry, entry])["FailedEntryCount"] == 0
    for dimensions in ([("RuleName", f"r-{way.id}")], [("EventBusName", f"b-{way.id}"), ("RuleName", f"r-{way.id}")]):
        for name, count in [("MatchedEvents", 2), ("TriggeredRules", 2), ("Invocations", 4), ("InvocationAttempts", 4)]:
            assert total(cloudwatch, "AWS/Events", name, dimensions) == count, (name, dimensions)
        assert statistics(cloudwatch, "AWS/Events", "FailedInvocations", dimensions) == []
    assert total(cloudwatch, "AWS/Events", "PutEventsEntriesCount", []) >= 4
    assert total(cloudwatch, "AWS/SQS", "NumberOfMessagesSent", [("QueueName", f"q-{way.id}")]) == 8


def test_gauges_each_minute(server):
    """What waits in a queue is told each minute, and what was not counted is zero."""
    way, cloudwatch = Pipeline(server), client_of(server)
    way.sqs.send_message(QueueUrl=way.url, MessageBody="a")
    way.sqs.send_message(QueueUrl=way.url, MessageBody="b", DelaySeconds=600)
    of_queue = [("QueueName", f"q-{way.id}")]

    def gauge(name):
        points = statistics(cloudwatch, "AWS/SQS", name, of_queue)
        return points and points[-1]["Maximum"]

    eventually(lambda: gauge("ApproximateNumberOfMessagesVisible"), "a minute ends", 70)
    assert gauge("ApproximateNumberOfMessagesVisible") == 1.0
    assert gauge("ApproximateNumberOfMessagesDelayed") == 1.0
    assert gauge("ApproximateNumberOfMessagesNotVisible") == 0.0
    assert gauge("ApproximateAgeOfOldestMessage") >= 0.0
    assert statistics(cloudwatch, "AWS/SQS", "NumberOfMessagesDeleted", of_queue)[-1]["Sum"] == 0.0


def sums(client, queries, **more):
    now = this_minute()
    answer = client.get_metric_data(
        MetricDataQueries=queries,
        StartTime=now - datetime.timedelta(minutes=10),
        EndTime=now + datetime.timedelta(minutes=2),
        **more,
    )
    return {result["Id"]: result for result in answer["MetricDataResults"]}, answer.get("NextToken")


def test_metric_math(cloudwatch):
    namespace, minute = f"App/{uuid.uuid4().hex}", this_minute() - datetime.timedelta(minutes=5)
    for name, values in {"Ok": [8.0, 6.0], "Failed": [2.0]}.items():
        data = [
            {"MetricName": name, "Value": value, "Timestamp": minute + datetime.timedelta(minutes=n)}
            for n, value in enumerate(values)
        ]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def stat(name):
        return {"Metric": {"Namespace": namespace, "MetricName": name}, "Period": 60, "Stat": "Sum"}

    queries = [
        {"Id": "rate", "Expression": "100 * failed / (ok + failed)", "Label": "failures"},
        {"Id": "filled", "Expression": "FILL(failed, 0) / SUM(METRICS())"},
        {"Id": "ok", "MetricStat": stat("Ok"), "ReturnData": False},
        {"Id": "failed", "MetricStat": stat("Failed")},
    ]
    results, token = sums(cloudwatch, queries, ScanBy="TimestampAscending")
    assert token is None and sorted(results) == ["failed", "filled", "rate"]
    assert (results["rate"]["Values"], results["rate"]["Label"]) == ([20.0], "failures")
    assert results["rate"]["Timestamps"] == [minute] and results["rate"]["StatusCode"] == "Complete"
    assert results["filled"]["Values"] == [0.2, 0.0]
    assert (results["failed"]["Values"], results["failed"]["Label"]) == ([2.0], "Failed")
    pages, token = [], None
    while True:
        more = {"NextToken": token} if token else {}
        page, token = sums(cloudwatch, [{"Id": "ok", "MetricStat": stat("Ok")}], MaxDatapoints=1, **more)
        pages += page["ok"]["Values"]
        if not token:
            break
    assert pages == [6.0, 8.0], "the latest first"
    wrong = {
        "SEARCH('{AWS/SQS,QueueName}', 'Sum', 300)": "the function SEARCH is not supported",
        "ok + missing": "there is no query 'missing'",
        "e1 * 2": "it looks at itself",
    }
    for expression, reason in wrong.items():
        queries = [{"Id": "e1", "Expression": expression}, {"Id": "ok", "MetricStat": stat("Ok")}]
        now = this_minute()
        error = refused(
            cloudwatch.get_metric_data,
            MetricDataQueries=queries, StartTime=now - datetime.timedelta(hours=1), EndTime=now,
        )
        assert (error["Code"], error["Message"]) == ("ValidationError", f"Error in expression 'e1': {reason}")


def seed_alarm(way, period=60, **more):
    """The alarm of the detector's stack."""
    return {
        "AlarmName": f"a-{way.id}",
        "AlarmDescription": "At least one S3 request was signed with Signature Version 2",
        "Namespace": "AWS/SQS",
        "MetricName": "NumberOfMessagesSent",
        "Dimensions": [{"Name": "QueueName", "Value": f"q-{way.id}"}],
        "Statistic": "Sum",
        "Period": period,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }


def described(client, way):
    (alarm,) = client.describe_alarms(AlarmNames=[f"a-{way.id}"])["MetricAlarms"]
    return alarm


def state(client, way):
    return described(client, way)["StateValue"]


@pytest.mark.parametrize("period", [60, 300])
def test_an_alarm_tells_its_topic_and_the_bus(server, period):
    way, watched, cloudwatch = Pipeline(server), Pipeline(server), client_of(server)
    events = way.sqs.create_queue(QueueName=f"e-{way.id}")["QueueUrl"]
    allow_send(way.sqs, events, rule_arn("*"))
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [f"a-{watched.id}"]}}
    way.events.put_rule(Name=f"alarms-{way.id}", EventPattern=json.dumps(pattern))
    target = {"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:e-{way.id}"}
    way.events.put_targets(Rule=f"alarms-{way.id}", Targets=[target])
    cloudwatch.put_metric_alarm(**seed_alarm(watched, period, AlarmActions=[way.topic]))
    made = described(cloudwatch, watched)
    assert (made["StateValue"], made["StateReason"]) in [
        ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation"),
        ("OK", "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."),
    ]
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a-{watched.id}"
    assert (made["AlarmArn"], made["ActionsEnabled"], made["OKActions"]) == (arn, True, [])
    before = time.monotonic()
    watched.sqs.send_message(QueueUrl=watched.url, MessageBody="a")
    eventually(lambda: state(cloudwatch, watched) == "ALARM", "the alarm goes off", 60)
    assert time.monotonic() - before < 10, "what counts up need not wait for the end of its minute"
    alarm = described(cloudwatch, watched)
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [1.0 (")
    assert alarm["StateReason"].endswith(
        ")] was greater than the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [1.0]
    told = json.loads(way.receive())
    assert (told["AlarmName"], told["NewStateValue"], told["AWSAccountId"]) == (f"a-{watched.id}", "ALARM", ACCOUNT)
    assert (told["AlarmArn"], told["Region"], told["NewStateReason"]) == (arn, "US East (N. Virginia)", alarm["StateReason"])
    assert told["Trigger"] == {
        "MetricName": "NumberOfMessagesSent", "Namespace": "AWS/SQS", "StatisticType": "Statistic", "Statistic": "SUM",
        "Unit": None, "Dimensions": [{"value": f"q-{watched.id}", "name": "QueueName"}], "Period": period,
        "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0,
        "TreatMissingData": "notBreaching", "EvaluateLowSampleCountPercentile": "",
    }
    seen = []

    def alarmed():
        seen.append(json.loads(way.receive(events)))
        return seen[-1]["detail"]["state"]["value"] == "ALARM"

    eventually(alarmed, "the event of the alarm")
    event = seen[-1]
    assert (event["detail-type"], event["resources"]) == ("CloudWatch Alarm State Change", [arn])
    metric = event["detail"]["configuration"]["metrics"][0]["metricStat"]
    assert metric["metric"]["dimensions"] == {"QueueName": f"q-{watched.id}"}
    history = cloudwatch.describe_alarm_history(AlarmName=f"a-{watched.id}")["AlarmHistoryItems"]
    kinds = [item["HistoryItemType"] for item in history]
    assert kinds[-1] == "ConfigurationUpdate" and sorted(kinds[:2]) == ["Action", "StateUpdate"]
    (action,) = [item for item in history if item["HistoryItemType"] == "Action"]
    assert action["HistorySummary"] == f"Successfully executed action {way.topic}"
    assert json.loads(action["HistoryData"])["actionState"] == "Succeeded"


def test_an_alarm_goes_back_to_ok_and_survives_a_restart(start):
    server = start("--bare", name="alarmed")
    way, cloudwatch = Pipeline(server), client_of(server)
    cloudwatch.put_metric_alarm(**seed_alarm(way, 10, Namespace="App", MetricName="m", Tags=[{"Key": "k", "Value": "v"}]))
    data = {"MetricName": "m", "Dimensions": seed_alarm(way)["Dimensions"], "Value": 1.0, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace="App", MetricData=[data])
    eventually(lambda: state(cloudwatch, way) == "ALARM", "the alarm goes off", 15)
    server.process.kill()
    server.process.wait()
    server = start("--bare", name="alarmed")
    cloudwatch = client_of(server)
    alarm = described(cloudwatch, way)
    assert alarm["StateValue"] == "ALARM"
    tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "k", "Value": "v"}]
    eventually(lambda: state(cloudwatch, way) == "OK", "the data is too old to count", 60)
    history = cloudwatch.describe_alarm_history(AlarmName=f"a-{way.id}", HistoryItemType="StateUpdate")
    assert "Alarm updated from ALARM to OK" in [item["HistorySummary"] for item in history["AlarmHistoryItems"]]


def test_operations_on_alarms(cloudwatch, server):
    way = Pipeline(server)
    cloudwatch.put_metric_alarm(**seed_alarm(way, AlarmActions=[way.topic], Tags=[{"Key": "a", "Value": "1"}]))
    arn = described(cloudwatch, way)["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    cloudwatch.set_alarm_state(AlarmName=f"a-{way.id}", StateValue="ALARM", StateReason="by hand", StateReasonData="{}")
    told = json.loads(way.receive())
    assert (told["NewStateValue"], told["NewStateReason"]) == ("ALARM", "by hand")
    cloudwatch.disable_alarm_actions(AlarmNames=[f"a-{way.id}"])
    assert described(cloudwatch, way)["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=[f"a-{way.id}"])
    found = cloudwatch.describe_alarms_for_metric(
        Namespace="AWS/SQS", MetricName="NumberOfMessagesSent", Dimensions=[{"Name": "QueueName", "Value": f"q-{way.id}"}]
    )
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == [f"a-{way.id}"]
    assert cloudwatch.describe_alarms(AlarmNamePrefix=f"a-{way.id}", ActionPrefix=way.topic)["MetricAlarms"]
    assert cloudwatch.describe_alarms(AlarmNamePrefix=f"a-{way.id}", AlarmTypes=["CompositeAlarm"])["MetricAlarms"] == []
    unknown = refused(cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="")
    assert unknown["Code"] == "ResourceNotFound"
    bad = refused(cloudwatch.set_alarm_state, AlarmName=f"a-{way.id}", StateValue="BAD", StateReason="")
    assert (bad["Code"], bad["Message"]) == (
        "ValidationError",
        "1 validation error detected: Value 'BAD' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value "
        "set: [INSUFFICIENT_DATA, ALARM, OK]",
    )
    for more in (
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
        {"Period": 45},
        {"DatapointsToAlarm": 2},
        {"TreatMissingData": "perhaps"},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
    ):
        assert refused(cloudwatch.put_metric_alarm, **seed_alarm(way, **more))["Code"] == "ValidationError", more
    cloudwatch.delete_alarms(AlarmNames=[f"a-{way.id}"])
    assert cloudwatch.describe_alarms(AlarmNames=[f"a-{way.id}"])["MetricAlarms"] == []
    assert refused(cloudwatch.delete_alarms, AlarmNames=[f"a-{way.id}"])["Code"] == "ResourceNotFound"
    kinds = [
        item["HistorySummary"] for item in cloudwatch.describe_alarm_history(AlarmName=f"a-{way.id}")["AlarmHistoryItems"]
    ]
    assert f'Alarm "a-{way.id}" deleted' in kinds and f'Alarm "a-{way.id}" created' in kinds


def test_alarms_with_the_cli(server, tmp_path):
    aws, way = Aws(server, tmp_path), Pipeline(server)
    name = f"a-{way.id}"
    aws(
        "cloudwatch", "put-metric-alarm", alarm_name=name, namespace="AWS/SQS", metric_name="NumberOfMessagesSent",
        dimensions=f"Name=QueueName,Value=q-{way.id}", statistic="Sum", period="60", evaluation_periods="1", threshold="0",
        comparison_operator="GreaterThanThreshold", treat_missing_data="notBreaching", alarm_actions=way.topic,
    )
    way.sqs.send_message(QueueUrl=way.url, MessageBody="a")
    way.receive()

    def alarm():
        return aws("cloudwatch", "describe-alarms", alarm_names=name)["MetricAlarms"][0]

    eventually(lambda: alarm()["StateValue"] == "ALARM", "the alarm goes off", 60)
    assert json.loads(way.receive())["AlarmName"] == name
    aws("cloudwatch", "delete-alarms", alarm_names=name)
    assert aws("cloudwatch", "describe-alarms", alarm_names=name)["MetricAlarms"] == []


def test_calls_are_management_events_and_data_is_not(start):
    server = start("--bare")
    way, cloudwatch = Pipeline(server), client_of(server)
    cloudwatch.put_metric_alarm(**seed_alarm(way))
    cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": "m", "Value": 1.0}])
    trails = server.boto("cloudtrail")
    source = [{"AttributeKey": "EventSource", "AttributeValue": "monitoring.amazonaws.com"}]
    found = eventually(lambda: trails.lookup_events(LookupAttributes=source)["Events"], "the call is in the history")
    assert [event["EventName"] for event in found] == ["PutMetricAlarm"]
    parameters = json.loads(found[0]["CloudTrailEvent"])["requestParameters"]
    assert (parameters["alarmName"], parameters["threshold"]) == (f"a-{way.id}", 0.0)


def test_the_dashboard_asks_for_what_the_page_has(server):
    text = requests.get(f"{server.url}/_sigtrail/metrics", timeout=10).text
    dashboard = json.loads((REPOSITORY / "dashboards/sigv2.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = {name for expression in expressions for name in re.findall(r"sigtrail_\w+", expression)}
    assert named and all(f"\n# TYPE {name} " in f"\n{text}" for name in named), named
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    families = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert len({name for name, _ in families}) == len(families), "each family once"
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in families), families
    assert re.findall(r"^# HELP (\S+) \S", text, re.M) == [name for name, _ in families]


def test_sigv2_by_caller(server, detector, bucket):
    """Who signs with SigV2 stands on the page by name, and what was refused apart."""
    s3 = server.boto("s3", clients.Boto3.key, signature_version="s3")
    s3.list_objects(Bucket=bucket)

    def shown():
        text = requests.get(f"{server.url}/_sigtrail/metrics", timeout=10).text
        return re.findall(r'^sigtrail_sigv2_caller_requests_total\{identity="([^"]+)",access_key_id="([^"]+)"\} \d+$', text, re.M)

    key = clients.Boto3.key
    eventually(lambda: (key.arn, key.access_key_id) in shown(), "the caller is on the page")
