"""Metrics and alarms of CloudWatch, over its three protocols, and what the pipeline counts by itself."""

import datetime
import gzip
import json
import time
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.session import Session

from keys import ADMIN, AUDIT
from raw import query_request
from sigtrail import REGION, eventually
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
