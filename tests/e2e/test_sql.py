"""`sigtrail sql`: other engines give the same answers as the pattern itself."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from sigtrail import BINARY, REPOSITORY, run

SHARED = REPOSITORY.parent / "shared"
ENGINES = REPOSITORY / ".e2e" / "sql" / "bin" / "python"
RUN = REPOSITORY / "tests" / "e2e" / "engines.py"
# How each engine names the id of a record that matches, in place of its callers.
EVENT_IDS = {
    "duckdb": "SELECT json_extract_string(record, '$.eventID') FROM matching",
    "spark": "SELECT variant_get(record, '$.eventID', 'string') FROM matching",
}

# Each is the detail of a pattern, or a whole one where it has more.
PATTERNS = {
    "exact text": {"eventName": ["GetObject", "PutObject"]},
    "exact member": {"additionalEventData": {"SignatureVersion": ["SigV2"]}},
    "number": {"additionalEventData": {"bytesTransferredIn": [0, 300]}},
    "number is no text": {"requestParameters": {"size": [1]}},
    "text is no number": {"requestParameters": {"size": ["1.0", "1"]}},
    "null": {"responseElements": [None]},
    "null below": {"requestParameters": {"size": [None]}},
    "booleans": {"readOnly": [True], "managementEvent": [False]},
    "false below": {"requestParameters": {"size": [False]}},
    "prefix": {"requestParameters": {"key": [{"prefix": "tenants/001"}]}},
    "prefix with signs": {"requestParameters": {"key": [{"prefix": "100%_!"}]}},
    "suffix": {"userAgent": [{"suffix": "]"}], "requestParameters": {"key": [{"suffix": "7.snappy.parquet"}]}},
    "ignore case": {"requestParameters": {"bucketName": [{"equals-ignore-case": "CORP-data-00"}]}},
    "ignore case of more": {"requestParameters": {"key": [{"equals-ignore-case": "stra\u00dfe K"}]}},
    "prefix ignore case": {"userAgent": [{"prefix": {"equals-ignore-case": "[AWS-cli"}}]},
    "suffix ignore case": {"requestParameters": {"key": [{"suffix": {"equals-ignore-case": ".PARQUET"}}]}},
    "wildcard": {"userAgent": [{"wildcard": "*Boto3*linux*"}], "requestParameters": {"key": [{"wildcard": "*/03/*/part-*0*"}]}},
    "wildcard with a star": {"requestParameters": {"key": [{"wildcard": "a\\**\\\\"}]}},
    "anything but": {"eventName": [{"anything-but": ["GetObject", "PutObject"]}]},
    "anything but number": {"requestParameters": {"size": [{"anything-but": [1, 5]}]}},
    "anything but below": {"requestParameters": {"size": [{"anything-but": "x"}]}},
    "anything but prefix": {"userAgent": [{"anything-but": {"prefix": "[aws-"}}]},
    "anything but suffix": {"requestParameters": {"key": [{"anything-but": {"suffix": ["parquet", "\\"]}}]}},
    "anything but ignore case": {"eventName": [{"anything-but": {"equals-ignore-case": "getobject"}}]},
    "anything but wildcard": {"userAgent": [{"anything-but": {"wildcard": "*Linux*"}}]},
    "numeric": {"additionalEventData": {"bytesTransferredOut": [{"numeric": [">", 1000, "<=", 500000]}]}},
    "numeric ends": {"requestParameters": {"size": [{"numeric": [">=", -1.5, "<", 300]}]}},
    "numeric equals": {"requestParameters": {"size": [{"numeric": ["=", 300]}]}},
    "exists": {"errorCode": [{"exists": True}]},
    "exists below": {"requestParameters": {"size": [{"exists": True}]}},
    "exists of an element": {"requestParameters": [{"exists": True}]},
    "absent": {"errorCode": [{"exists": False}], "userIdentity": {"arn": [{"exists": False}]}},
    "absent below": {"requestParameters": {"size": [{"exists": False}], "bucketName": [{"exists": True}]}},
    "absent or a value": {"vpcEndpointId": [{"exists": False}, {"prefix": "vpce-0a"}]},
    "cidr": {"sourceIPAddress": [{"cidr": "10.0.0.0/9"}, {"cidr": "203.0.113.64/26"}]},
    "cidr of version 6": {"sourceIPAddress": [{"cidr": "2001:db8::/33"}]},
    "cidr of all": {"sourceIPAddress": [{"cidr": "0.0.0.0/0"}]},
    "address": {"sourceIPAddress": ["2001:db8::1", "192.0.2.7"]},
    "or": {"$or": [{"eventName": ["DeleteObject"]}, {"errorCode": ["AccessDenied"], "readOnly": [True]}]},
    "or nested": {
        "eventName": [{"prefix": "Get"}],
        "$or": [{"awsRegion": ["us-east-1"]}, {"$or": [{"requestParameters": {"size": [5]}}, {"tlsDetails": {"tlsVersion": ["TLSv1.3"]}}]}],
    },
    "array": {"resources": {"type": ["AWS::S3::Object"]}},
    "array of texts": {"requestParameters": {"tags": ["b", {"prefix": "z"}]}},
    "array consistency": {"resources": {"type": ["AWS::S3::Bucket"], "ARN": [{"suffix": "data-00"}]}},
    "array inconsistency": {"resources": {"type": ["AWS::S3::Object"], "accountId": ["111122223333"]}},
    "array in array": {"requestParameters": {"grid": {"x": [1], "y": ["two"]}}},
    "two arrays": {"requestParameters": {"grid": {"x": [1]}, "tags": ["a"]}},
    "absent in an element": {"requestParameters": {"list": {"x": [1], "y": [{"exists": False}]}}},
    "absent in all elements": {"requestParameters": {"list": {"a": [{"exists": False}], "x": [1]}}},
    "absent or a value in an element": {"requestParameters": {"list": {"a": [{"exists": False}, 7], "x": [1]}}},
    "deep": {"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": ["false"]}}}},
    "names with points": {"userIdentity.sessionContext.sessionIssuer.type": ["Role"]},
    "odd texts": {"requestParameters": {"key": ["it's", "a\"b", "back\\slash", "-- no comment", "line\nend", "${x}", "/* a */;"]}},
    "envelope": {
        "source": ["aws.s3"], "account": ["111122223333"], "region": [{"prefix": "us-"}], "detail-type": [{"suffix": "CloudTrail"}],
        "time": [{"prefix": "2026-03-"}], "version": ["0"], "detail": {"eventName": ["GetObject"]},
    },
    "source": {"source": [{"anything-but": "aws.s3"}], "detail": {}},
    "other detail type": {"detail-type": ["AWS Console Sign In via CloudTrail"], "detail": {"eventName": ["GetObject"]}},
}
# What of the above the archive and the odd records have none of.
EMPTY = {"other detail type", "array inconsistency"}

ODD = r"""
{"requestParameters":{"size":1},"resources":[]}
{"requestParameters":{"size":1.0,"key":"it's"}}
{"requestParameters":{"size":"1","key":"a\"b"}}
{"requestParameters":{"size":"1.0","key":"back\\slash"}}
{"requestParameters":{"size":null,"key":"-- no comment"},"responseElements":null}
{"requestParameters":{"size":false,"key":"line\nend"}}
{"requestParameters":{"size":[],"key":"${x}"}}
{"requestParameters":{"size":{},"key":"/* a */;"}}
{"requestParameters":{"size":[1,"x",null],"key":["no","it's"]}}
{"requestParameters":{"size":["x"],"key":"100%_!x"}}
{"requestParameters":{"size":3e2,"key":"100xy!x"}}
{"requestParameters":{"size":300.0,"key":"a*b\\"}}
{"requestParameters":{"size":299.99,"key":"axb\\"}}
{"requestParameters":{"size":-1.5,"key":"STRASSE k"}}
{"requestParameters":{"size":-1.50001,"key":"stra\u00dfe \u212a"}}
{"requestParameters":{"size":5,"key":"straSSe K"}}
{"requestParameters":{"size":[[5,300],6],"key":"strasse k"}}
{"requestParameters":{"tags":["a","b"]},"sourceIPAddress":"2001:db8::1"}
{"requestParameters":{"tags":[["zz"]]},"sourceIPAddress":"2001:DB8:0:0::0001"}
{"requestParameters":{"tags":"a","grid":[[{"x":1,"y":"one"}],[{"x":2,"y":"two"}]]},"sourceIPAddress":"::ffff:c000:207"}
{"requestParameters":{"tags":"a","grid":[[{"x":1,"y":"two"}]]},"sourceIPAddress":"192.0.2.7"}
{"requestParameters":{"grid":{"x":[0,1],"y":["one","two"]}},"sourceIPAddress":"2001:db8:8000::"}
{"requestParameters":{"list":[{"x":1},{"y":2}]},"sourceIPAddress":"::ffff:a00:1"}
{"requestParameters":{"list":[{"x":1,"y":2},{"x":1}]},"sourceIPAddress":"10.128.0.0"}
{"requestParameters":{"list":[{"x":1,"y":2},{"a":3}]},"sourceIPAddress":"999.1.1.1"}
{"requestParameters":{"list":[{"x":1,"a":7},{"a":3}]}}
{"requestParameters":{"list":{"x":1,"y":null}}}
{"requestParameters":{"list":[{"x":1,"a":[]}]}}
{"requestParameters":null,"eventSource":"ec2.amazonaws.com","userAgent":"[x m/E,Z y]"}
{"requestParameters":"text","eventSource":"sts.us-east-1.amazonaws.com","userAgent":"["}
{"userAgent":"plain m/A","additionalEventData":{"Other":["SigV2"]}}
{"userAgent":null,"errorCode":"AccessDenied","readOnly":false,"managementEvent":true}
""".strip().split("\n")


def write_files(folder, records):
    path = folder / "AWSLogs" / "111122223333" / "CloudTrail" / "us-east-1"
    path.mkdir(parents=True)
    (path / "odd.json.gz").write_bytes(gzip.compress(('{"Records":[' + ",".join(records) + "]}").encode()))


def odd_records():
    """Raw, since it matters how a number is written."""
    common = {"eventTime": "2026-03-01T00:00:00Z", "awsRegion": "us-east-1", "recipientAccountId": "111122223333"}
    for number, text in enumerate(ODD):
        own = json.loads(text)
        rest = {"eventID": f"odd-{number}", "eventName": "Odd", "eventSource": "s3.amazonaws.com", **common}
        rest = {name: value for name, value in rest.items() if name not in own}
        yield json.dumps(rest)[:-1] + ", " + text[1:]


def records_of(folder):
    """The raw text of every record in a folder of log files."""
    decode = json.JSONDecoder(object_pairs_hook=lambda pairs: None).raw_decode
    for file in sorted(folder.rglob("*.json.gz")):
        text = gzip.decompress(file.read_bytes()).decode()
        at = text.index("[") + 1
        while text[at] != "]":
            _, end = decode(text, at)
            yield text[at:end]
            at = end + 1 if text[end] == "," else end


def event(record):
    read = json.loads(record)
    head = {
        "version": "0", "id": "0", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws." + read["eventSource"].split(".")[0], "account": read["recipientAccountId"],
        "time": read["eventTime"], "region": read["awsRegion"], "resources": [],
    }  # fmt: skip
    return json.dumps(head)[:-1] + ', "detail": ' + record + "}"


def whole(pattern):
    pattern = pattern if "detail" in pattern else {"detail": pattern}
    return {name: value for name, value in pattern.items() if value != {}}


def script(engine, pattern, tmp_path, *arguments):
    file = tmp_path / "pattern.json"
    file.write_text(json.dumps(whole(pattern), indent=1))
    done = run("sql", "--engine", engine, "--pattern", str(file), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Session:
    """An engine that is started once."""

    def __init__(self, engine):
        assert ENGINES.is_file(), f"{ENGINES} is missing: cargo xtask setup-clients"
        self.engine = engine
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen([str(ENGINES), str(RUN), engine], **pipes)

    def ask(self, scripts):
        """The rows of each, and the errors of those that failed."""
        print(json.dumps(scripts), file=self.process.stdin, flush=True)
        answers = json.loads(self.process.stdout.readline())
        errors = {name: answer["error"] for name, answer in answers.items() if "error" in answer}
        return {name: answer.get("rows") for name, answer in answers.items()}, errors

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def session(request):
    if request.param == "spark" and not shutil.which("java"):
        pytest.skip("Spark needs a Java on PATH")
    session = Session(request.param)
    yield session
    session.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Made from a seed, with what it holds in `truth.json`."""
    folder = tmp_path_factory.mktemp("archive")
    make = [sys.executable, str(SHARED / "data" / "make_archive.py"), "cloudtrail", str(folder)]
    subprocess.run([*make, "--files", "40", "--records", "200"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Fewer of the same, and the odd ones."""
    folder = tmp_path_factory.mktemp("small")
    make = [sys.executable, str(SHARED / "data" / "make_archive.py"), "cloudtrail", str(folder)]
    subprocess.run([*make, "--files", "2", "--records", "150", "--seed", "7"], check=True, capture_output=True)
    write_files(folder / "odd", odd_records())
    return folder


@pytest.fixture(scope="module")
def expected(small, tmp_path_factory):
    """The ids of the events that `sigtrail match` finds, for each pattern."""
    folder = tmp_path_factory.mktemp("events")
    events = folder / "events.jsonl"
    events.write_text("".join(event(record) + "\n" for record in records_of(small)))
    found = {}
    for name, pattern in PATTERNS.items():
        (folder / "pattern").write_text(json.dumps(whole(pattern)))
        done = run("match", "--validate", "--pattern", str(folder / "pattern"), str(events))
        assert done.returncode in (0, 1), done.stderr
        found[name] = sorted(json.loads(line)["detail"]["eventID"] for line in done.stdout.splitlines())
    assert {name for name, ids in found.items() if not ids} == EMPTY
    return found


def matching_ids(engine, text):
    """The same question, answered by the ids of the records."""
    head, callers, _ = text.partition("\n), texts AS (")
    assert callers
    return head + "\n)\n" + EVENT_IDS[engine] + ";\n"


def test_matches_what_the_pattern_matches(session, small, expected, tmp_path):
    scripts = {
        name: matching_ids(session.engine, script(session.engine, pattern, tmp_path, "--location", str(small)))
        for name, pattern in PATTERNS.items()
    }
    answers, errors = session.ask(scripts)
    assert errors == {}
    wrong = {
        name: sorted(set(expected[name]) ^ {id for (id,) in answers[name]})
        for name in PATTERNS
        if sorted(id for (id,) in answers[name]) != expected[name]
    }
    assert wrong == {}


def grouping(identity):
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
    account, principal = identity.get("accountId", ""), identity.get("principalId", "")
    if name := issuer or identity.get("arn") or identity.get("invokedBy"):
        return name
    if account in ("", "anonymous", "ANONYMOUS_PRINCIPAL"):
        return "anonymous"
    return f"{account}:{principal}" if principal else account


def test_callers_and_counts(session, archive):
    done = run("sql", "--engine", session.engine, "--check", "sigv2", "--location", str(archive))
    assert done.returncode == 0, done.stderr
    answers, errors = session.ask({"callers": done.stdout})
    assert errors == {}
    counts, times = Counter(), {}
    for record in map(json.loads, records_of(archive)):
        if record.get("additionalEventData", {}).get("SignatureVersion") != "SigV2":
            continue
        identity = record["userIdentity"]
        agent = re.sub(r"^\[(.*)\]$", r"\1", record["userAgent"])
        bucket = record["requestParameters"]["bucketName"]
        key = (grouping(identity), identity.get("accessKeyId", ""), record["sourceIPAddress"], agent, bucket)
        counts[key] += 1
        times.setdefault(key, []).append(record["eventTime"])
    wanted = {key: [count, min(times[key]), max(times[key])] for key, count in counts.items()}
    rows = answers["callers"]
    assert {tuple(row[:5]): row[5:] for row in rows} == wanted
    assert [row[5] for row in rows] == sorted((row[5] for row in rows), reverse=True)
    # And as whoever made the archive counted, who names callers by ARN, address, agent and bucket.
    truth = json.loads((archive / "truth.json").read_text())
    made = Counter()
    for _, ip, agent, bucket, count in truth["sigv2_by_identity_ip_agent_bucket"]:
        made[ip, re.sub(r"^\[(.*)\]$", r"\1", agent), bucket] += count
    told = Counter()
    for _, _, ip, agent, bucket, count, *_ in rows:
        told[ip, agent, bucket] += count
    assert told == made
    assert sum(told.values()) == truth["sigv2_records"]


def test_user_agents_and_buckets(session, tmp_path):
    common = '"eventSource":"s3.amazonaws.com","eventTime":"2026-03-01T00:00:00Z"'
    bucket = '{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}'
    records = [
        f'{{{common},"userAgent":"[x m/E,Z y]","resources":[{{"type":"AWS::S3::Object","ARN":"o"}},{bucket}]}}',
        f'{{{common},"userAgent":"[","requestParameters":{{"bucketName":"a"}},"resources":[{bucket}]}}',
        f'{{{common},"userAgent":"m/1 m/2","userIdentity":{{"accountId":"1","principalId":"p"}}}}',
        f'{{{common},"userAgent":"a  m/","userIdentity":{{"accountId":"1"}},"additionalEventData":{{"claimedAccessKeyId":"AK"}}}}',
        f'{{{common},"userIdentity":{{"arn":"r","sessionContext":{{"sessionIssuer":{{"arn":""}}}}}}}}',
        f'{{{common},"userIdentity":{{"invokedBy":"s","accountId":"anonymous"}}}}',
    ]
    write_files(tmp_path, records)
    wanted = [
        ["1", "AK", "", "a ", ""],
        ["1:p", "", "", "", ""],
        ["anonymous", "", "", "[", "a"],
        ["anonymous", "", "", "x y", "b"],
        ["r", "", "", "", ""],
        ["s", "", "", "", ""],
    ]
    pattern = {"eventSource": ["s3.amazonaws.com"]}
    answers, errors = session.ask({"all": script(session.engine, pattern, tmp_path, "--location", str(tmp_path))})
    assert errors == {}
    assert sorted(row[:5] for row in answers["all"]) == wanted


def test_what_shows_only_in_the_data_is_an_error(session, tmp_path):
    write_files(tmp_path, ['{"requestParameters":{"size":1234567890123456,"deep":[[[1]]]}}'])
    patterns = {"long": {"size": [{"numeric": [">", 5]}]}, "deep": {"deep": [1]}}
    words = {"long": "a number of more than 15 digits cannot be compared", "deep": "an array in an array in an array"}
    scripts = {
        name: script(session.engine, {"requestParameters": pattern}, tmp_path, "--location", str(tmp_path))
        for name, pattern in patterns.items()
    }
    _, errors = session.ask(scripts)
    assert {name for name, word in words.items() if word in errors.get(name, "")} == set(words), errors


def test_athena_is_asked_in_its_grammar(tmp_path):
    """What it can say; the rest is refused with the field and the construct."""
    scripts, refused = {}, {}
    for name, pattern in PATTERNS.items():
        (tmp_path / "pattern").write_text(json.dumps(whole(pattern)))
        place = ["--location", "s3://logs/AWSLogs/111122223333/CloudTrail/us-east-1/"]
        done = run("sql", "--engine", "athena", "--pattern", str(tmp_path / "pattern"), *place)
        if done.returncode == 0:
            scripts[name] = done.stdout.partition(";\n")[2]
        else:
            assert done.returncode == 2
            refused[name] = done.stderr
    assert set(refused) == {"null", "booleans", "exists of an element"}
    assert refused["booleans"].startswith("sigtrail: detail.managementEvent: Athena cannot ask for a field that has no column")
    session = Session("athena")
    answers, errors = session.ask(scripts)
    session.close()
    assert errors == {}
    assert {name: rows for name, rows in answers.items() if rows != [["Select"]]} == {}


def test_refusals(tmp_path):
    def refusal(engine, pattern, *arguments):
        (tmp_path / "pattern").write_text(json.dumps(pattern))
        done = run("sql", "--engine", engine, "--pattern", str(tmp_path / "pattern"), *arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stdout
        return done.stderr

    anywhere = ["--location", "x"]
    assert "id: DuckDB cannot ask for the event's id" in refusal("duckdb", {"id": ["x"]}, *anywhere)
    assert "say where the log files are" in refusal("spark", {"source": ["aws.s3"]})
    number = refusal("logs-insights", {"detail": {"requestParameters": {"n": [1]}}})
    assert number.startswith("sigtrail: detail.requestParameters.n: Logs Insights cannot ask for ")
    assert "user_agent" in refusal("logs-insights", {"source": ["aws.s3"]}, "--by", "user_agent")
    assert "a bucket" in refusal("athena", {"source": ["aws.s3"]}, "--location", "logs")
    done = run("sql", "--engine", "duckdb", "--check", "sigv9", "--location", "x")
    assert (done.returncode, "sigv9" in done.stderr) == (2, True)
