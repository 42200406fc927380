"""Trails as others make them: Terraform, CloudFormation, and the AWS CLI, call for call; and that a refusal changes nothing."""

import re

import pytest
from botocore.exceptions import ClientError

from keys import ACCOUNT
from policies import allow_publish, document, trail_statements
from sigtrail import REGION, REPOSITORY
from test_pipeline_by_hand import Aws

LOGS, TRAIL = "sequence-logs", "sequence"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:files"
OBJECTS = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]}]
ALL_OBJECTS = [
    {"Field": "eventCategory", "Equals": ["Data"]},
    {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
]


@pytest.fixture
def bare(start):
    server = start("--bare")
    server.boto("s3").create_bucket(Bucket=LOGS)
    policy = document(*trail_statements(LOGS), *trail_statements(LOGS, prefix="p"))
    server.boto("s3").put_bucket_policy(Bucket=LOGS, Policy=policy)
    assert server.boto("sns").create_topic(Name="files")["TopicArn"] == TOPIC
    trails = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/*"
    allow_publish(server.boto("sns"), TOPIC, trails, service="cloudtrail")
    return server


def code(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


class Terraform:
    """The calls of `aws_cloudtrail` (`internal/service/cloudtrail/trail.go` of its provider). The id is the ARN."""

    def __init__(self, server):
        self.trails = server.boto("cloudtrail")

    def create(self, tags, **more):
        parameters = {"IncludeGlobalServiceEvents": True, "Name": TRAIL, "S3BucketName": LOGS, "TagsList": tags, **more}
        self.id = self.trails.create_trail(**parameters)["TrailARN"]
        self.trails.start_logging(Name=self.id)

    def read(self):
        (trail,) = self.trails.describe_trails(trailNameList=[self.id])["trailList"]
        state = dict(trail, IsLogging=self.trails.get_trail_status(Name=self.id)["IsLogging"])
        if trail["HasCustomEventSelectors"]:
            state |= self.trails.get_event_selectors(TrailName=self.id)
        assert not trail["HasInsightSelectors"]
        (tagged,) = self.trails.list_tags(ResourceIdList=[self.id])["ResourceTagList"]
        return state | {"Tags": tagged["TagsList"]}


def test_terraform(bare):
    terraform = Terraform(bare)
    trails, tags = terraform.trails, [{"Key": "Team", "Value": "A"}]
    terraform.create(tags, SnsTopicName="files", IsMultiRegionTrail=True, EnableLogFileValidation=True)
    state = terraform.read()
    assert (state["TrailARN"], state["SnsTopicARN"], state["Tags"]) == (terraform.id, TOPIC, tags)
    assert state["IsLogging"] and state["IsMultiRegionTrail"] and state["LogFileValidationEnabled"]
    # An update of everything; what is empty is what a removed attribute is sent as.
    trails.update_trail(
        Name=terraform.id, CloudWatchLogsRoleArn="", CloudWatchLogsLogGroupArn="", EnableLogFileValidation=False,
        IncludeGlobalServiceEvents=True, IsMultiRegionTrail=False, IsOrganizationTrail=False, KmsKeyId="",
        S3BucketName=LOGS, S3KeyPrefix="p", SnsTopicName="",
    )  # fmt: skip
    trails.stop_logging(Name=terraform.id)
    selector = {"IncludeManagementEvents": False, "ReadWriteType": "WriteOnly", "DataResources": OBJECTS}
    trails.put_event_selectors(TrailName=terraform.id, EventSelectors=[selector])
    state = terraform.read()
    assert (state["S3KeyPrefix"], state["IsLogging"], state["LogFileValidationEnabled"]) == ("p", False, False)
    assert "SnsTopicARN" not in state and "KmsKeyId" not in state and "CloudWatchLogsRoleArn" not in state
    assert selector.items() <= state["EventSelectors"][0].items()
    advanced = [{"Name": "", "FieldSelectors": ALL_OBJECTS}]
    trails.put_event_selectors(TrailName=terraform.id, AdvancedEventSelectors=advanced)
    assert terraform.read()["AdvancedEventSelectors"][0]["FieldSelectors"] == ALL_OBJECTS
    # Selectors that were removed: the default one, and no insights.
    default = {"IncludeManagementEvents": True, "ReadWriteType": "All", "DataResources": []}
    trails.put_event_selectors(TrailName=terraform.id, EventSelectors=[default])
    assert trails.put_insight_selectors(TrailName=terraform.id, InsightSelectors=[])["TrailARN"] == terraform.id
    trails.remove_tags(ResourceId=terraform.id, TagsList=[{"Key": "Team"}])
    trails.add_tags(ResourceId=terraform.id, TagsList=[{"Key": "Owner", "Value": "B"}])
    assert terraform.read()["Tags"] == [{"Key": "Owner", "Value": "B"}]
    trails.delete_trail(Name=terraform.id)
    assert trails.describe_trails(trailNameList=[terraform.id])["trailList"] == []
    assert code(trails.delete_trail, Name=terraform.id) == "TrailNotFoundException"


def test_cloudformation(bare):
    """`AWS::CloudTrail::Trail`: its handlers' permissions in the registry schema name the calls; `Ref` is the name."""
    trails = bare.boto("cloudtrail")
    made = trails.create_trail(
        Name="stack-Trail-1A2B3C", S3BucketName=LOGS, S3KeyPrefix="p", SnsTopicName=TOPIC, IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True, EnableLogFileValidation=True, TagsList=[{"Key": "k", "Value": "v"}],
    )  # fmt: skip
    name, arn = made["Name"], made["TrailARN"]
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": OBJECTS}
    trails.put_event_selectors(TrailName=name, EventSelectors=[selector])
    trails.start_logging(Name=name)
    shown = trails.get_trail(Name=name)["Trail"]
    assert (shown["TrailARN"], shown["SnsTopicARN"], shown["SnsTopicName"]) == (arn, TOPIC, TOPIC)
    assert trails.get_trail_status(Name=name)["IsLogging"]
    assert trails.get_event_selectors(TrailName=name)["EventSelectors"][0]["DataResources"] == OBJECTS
    assert code(trails.get_insight_selectors, TrailName=name) == "InsightNotEnabledException"
    assert trails.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"] == [{"Key": "k", "Value": "v"}]
    updated = trails.update_trail(Name=name, S3BucketName=LOGS, S3KeyPrefix="", SnsTopicName="", IsMultiRegionTrail=False)
    assert "S3KeyPrefix" not in updated and "SnsTopicARN" not in updated
    trails.add_tags(ResourceId=arn, TagsList=[{"Key": "k", "Value": "w"}])
    trails.stop_logging(Name=name)
    assert {"TrailARN": arn, "Name": name, "HomeRegion": REGION} in trails.list_trails()["Trails"]
    trails.delete_trail(Name=name)
    assert code(trails.get_trail, Name=name) == "TrailNotFoundException"


def served():
    """Every operation of the table, as the CLI writes it."""
    text = (REPOSITORY / "crates/aws-api/src/cloudtrail.rs").read_text()
    names = re.findall(r"^    (?:Read|Write) \w+ @?(?:Data )?(\w+)\(", text, re.M)
    assert "CreateTrail" in names
    return {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name in names}


def test_the_cli_has_every_operation(bare, tmp_path):
    aws, called = Aws(bare, tmp_path), set()

    def run(operation, *arguments, **options):
        called.add(operation)
        return aws("cloudtrail", operation, *arguments, **options)

    created = run("create-trail", "--is-multi-region-trail", name=TRAIL, s3_bucket_name=LOGS, sns_topic_name="files")
    arn = created["TrailARN"]
    assert (created["SnsTopicARN"], created["IsMultiRegionTrail"]) == (TOPIC, True)
    assert run("update-trail", name=TRAIL, sns_topic_name=TOPIC)["SnsTopicName"] == TOPIC
    assert run("start-logging", name=TRAIL) == {}
    assert run("get-trail-status", name=arn)["IsLogging"] is True
    assert run("get-trail", name=TRAIL)["Trail"]["HomeRegion"] == REGION
    assert [trail["Name"] for trail in run("describe-trails")["trailList"]] == [TRAIL]
    assert run("list-trails")["Trails"][0]["TrailARN"] == arn
    advanced = [{"FieldSelectors": ALL_OBJECTS}]
    put = run("put-event-selectors", trail_name=TRAIL, advanced_event_selectors=advanced)
    assert put["AdvancedEventSelectors"] == run("get-event-selectors", trail_name=TRAIL)["AdvancedEventSelectors"]
    assert run("add-tags", resource_id=arn, tags_list=[{"Key": "k", "Value": "v"}]) == {}
    assert run("list-tags", resource_id_list=arn)["ResourceTagList"][0]["TagsList"] == [{"Key": "k", "Value": "v"}]
    assert run("remove-tags", resource_id=arn, tags_list=[{"Key": "k"}]) == {}
    assert run("put-insight-selectors", trail_name=TRAIL, insight_selectors=[])["InsightSelectors"] == []
    with pytest.raises(AssertionError, match="InsightNotEnabledException"):
        run("get-insight-selectors", trail_name=TRAIL)
    assert "PublicKeyList" in run("list-public-keys")
    assert run("lookup-events")["Events"]
    assert run("stop-logging", name=TRAIL) == {}
    assert run("delete-trail", name=TRAIL) == {}
    assert called == served()


def bad_requests(trails):
    """Calls that are refused, with their error."""
    new, there = {"Name": "new", "S3BucketName": LOGS}, {"Name": TRAIL, "S3KeyPrefix": "p", "IsMultiRegionTrail": False}
    arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
    bad = {
        "S3BucketName": ("Not_A_Bucket", "InvalidS3BucketNameException"),
        "SnsTopicName": ("none", "InsufficientSnsTopicPolicyException"),
        "CloudWatchLogsLogGroupArn": ("arn:aws:logs:x", "InvalidCloudWatchLogsLogGroupArnException"),
        "CloudWatchLogsRoleArn": ("arn:aws:iam::x:role/r", "InvalidCloudWatchLogsRoleArnException"),
        "KmsKeyId": ("alias/k", "InvalidKmsKeyIdException"),
        "IsOrganizationTrail": (True, "UnsupportedOperationException"),
    }
    for name, (value, error) in bad.items():
        yield trails.create_trail, {**new, name: value}, error
        yield trails.update_trail, {**there, name: value}, error
    for call, base in [(trails.create_trail, new), (trails.update_trail, there)]:
        yield call, {**base, "S3KeyPrefix": "p" * 201}, "InvalidS3PrefixException"
        yield call, {**base, "S3KeyPrefix": "closed"}, "InsufficientS3BucketPolicyException"
        yield call, {**base, "S3BucketName": "no-such-bucket-at-all"}, "S3BucketDoesNotExistException"
        both = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False}
        yield call, {**base, **both}, "InvalidParameterCombinationException"
    yield trails.create_trail, {**new, "Name": TRAIL}, "TrailAlreadyExistsException"
    yield trails.create_trail, {**new, "Name": "x"}, "InvalidTrailNameException"
    yield trails.create_trail, {**new, "TagsList": [{"Key": "aws:k"}]}, "InvalidTagParameterException"
    good, evil = {"IncludeManagementEvents": False, "DataResources": OBJECTS}, {"ReadWriteType": "Some"}
    yield trails.put_event_selectors, {"TrailName": TRAIL, "EventSelectors": [good, evil]}, "InvalidEventSelectorsException"
    insight = [{"InsightType": "ApiCallRateInsight"}]
    yield trails.put_insight_selectors, {"TrailName": TRAIL, "InsightSelectors": insight}, "UnsupportedOperationException"
    unknown = [{"InsightType": "Other"}]
    yield trails.put_insight_selectors, {"TrailName": TRAIL, "InsightSelectors": unknown}, "InvalidInsightSelectorsException"
    tags = [{"Key": "good", "Value": "v"}, {"Key": "aws:k", "Value": "v"}]
    yield trails.add_tags, {"ResourceId": arn, "TagsList": tags}, "InvalidTagParameterException"
    for call in (trails.start_logging, trails.stop_logging, trails.delete_trail):
        yield call, {"Name": "none"}, "TrailNotFoundException"


def test_what_is_refused_changes_nothing(bare):
    trails = bare.boto("cloudtrail")
    tags = [{"Key": "k", "Value": "v"}]
    arn = trails.create_trail(Name=TRAIL, S3BucketName=LOGS, SnsTopicName="files", TagsList=tags)["TrailARN"]

    def state():
        shown = [
            trails.describe_trails(),
            trails.get_event_selectors(TrailName=TRAIL),
            trails.get_trail_status(Name=TRAIL),
            trails.list_tags(ResourceIdList=[arn]),
        ]
        return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in shown]

    before = state()
    for call, parameters, error in bad_requests(trails):
        assert code(call, **parameters) == error, parameters
        assert state() == before, parameters
