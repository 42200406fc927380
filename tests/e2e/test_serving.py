"""Starting, stopping, starting again, and being refused a start."""

import socket
import ssl

import boto3
import pytest
import requests

from clients import AwsCli
from detector import Detector, assert_sigv2_record
from keys import ADMIN, ROLE
from sigtrail import run
from test_log_files import about, wait_for_records


def serve(*arguments):
    return run("serve", *arguments)


def assert_says(done, *words):
    """An error that a person can act on, and no ready line."""
    assert done.returncode not in (0, None), done
    assert "ready" not in done.stdout
    assert any(word in done.stderr.lower() for word in words), done.stderr
    assert "panicked" not in done.stderr


def test_health(server):
    answer = requests.get(f"{server.url}/_sigtrail/health")
    assert answer.status_code == 200
    # It says nothing to whoever asks for something else there.
    assert requests.get(f"{server.url}/_sigtrail/absent").status_code == 404


def test_what_was_stored_is_there_after_a_restart(start):
    server = start()
    server.boto("s3").create_bucket(Bucket="kept")
    server.boto("s3", ROLE, signature_version="s3").put_object(Bucket="kept", Key="k", Body=b"kept")
    server.stop()
    server = start()
    assert server.boto("s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"kept"
    detector = Detector(server)
    records = detector.wait_for(ROLE, {("PutObject", "kept")})
    (record,) = [record for record in records if record["eventName"] == "PutObject"]
    assert record["requestParameters"]["key"] == "k"
    assert len(server.boto("cloudtrail").describe_trails()["trailList"]) == 1, "the detector is not made twice"


def test_a_second_server_on_the_same_data(server):
    done = serve("--listen", "127.0.0.1:0", *server.arguments)
    assert_says(done, "in use", "lock", "already", "another")
    assert requests.get(f"{server.url}/_sigtrail/health").status_code == 200


def test_a_port_in_use(server, tmp_path):
    done = serve("--listen", f"127.0.0.1:{server.port}", "--data", str(tmp_path / "data"))
    assert_says(done, "in use")
    assert str(server.port) in done.stderr


def test_a_data_directory_that_is_none(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a directory")
    done = serve("--listen", "127.0.0.1:0", "--data", str(file))
    assert_says(done, str(file).lower())


@pytest.mark.parametrize(
    "text", ["no toml", "[[key]]\naccess_key_id = 1", '[[key]]\nrole = "s3"', '[[key]]\nrole = "emperor"']
)
def test_a_config_that_cannot_be_read(tmp_path, text):
    file = tmp_path / "sigtrail.toml"
    file.write_text(text)
    done = serve("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--config", str(file))
    assert_says(done, "sigtrail.toml")


def test_test_credentials_stay_at_home(tmp_path):
    done = serve("--listen", "0.0.0.0:0", "--data", str(tmp_path / "data"))
    assert_says(done, "loopback")


def test_secrets_are_not_in_the_output(start):
    server = start()
    server.boto("s3", ROLE, signature_version="s3").list_buckets()
    server.stop()
    printed = server.stderr() + "".join(iter(lambda: server.lines.get(timeout=5), ""))
    for secret in (ROLE.secret_access_key, ROLE.session_token):
        assert secret not in printed


def test_tls(start, tmp_path):
    """Over TLS the record says how; the modern CLI sends its checksum as a trailer of an unsigned stream there."""
    server = start("--tls-self-signed", delivery_interval="1s")
    assert server.url.startswith("https://")
    server.boto("s3").create_bucket(Bucket="tls")
    server.boto("s3", ROLE, signature_version="s3").put_object(Bucket="tls", Key="k", Body=b"secret")
    records = Detector(server).wait_for(ROLE, {("PutObject", "tls")})
    (record,) = [record for record in records if record["eventName"] == "PutObject"]
    assert_sigv2_record(record, ROLE, {"AuthHeader"}, server.url.split("//")[1])
    tls = record["tlsDetails"]
    assert tls["tlsVersion"] in {"TLSv1.2", "TLSv1.3"}
    assert tls["cipherSuite"] == record["additionalEventData"]["CipherSuite"] != ""
    assert tls["clientProvidedHostHeader"] == server.url.split("//")[1]
    put_by_cli(server, tmp_path)


def put_by_cli(server, tmp_path):
    class Cli(AwsCli):
        key = ADMIN

        def flags(self):
            return [*super().flags(), "--no-verify-ssl"]

    client = Cli(server.url, tmp_path)
    client.put("tls", "by-cli", b"trailer" * 1000)
    assert server.boto("s3").get_object(Bucket="tls", Key="by-cli")["Body"].read() == b"trailer" * 1000
    wait_for_records(server, {"put": about("tls", "PutObject", errorCode=None)})


def test_tls_1_1_is_refused(start):
    server = start("--tls-self-signed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        context.wrap_socket(plain)
    secure = requests.get(f"{server.url}/_sigtrail/metrics", verify=False)
    assert secure.status_code == 200
    assert 'sigtrail_tls_handshakes_refused_by_address_total{address="127.0.0.1"} 1' in secure.text


def test_no_config_means_one_known_key(start):
    """The README's first command: nothing but the binary."""
    server = start(keys=None)
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", **credentials)
    assert sts.get_caller_identity()["Account"] == "000000000000"


def test_unknown_arguments():
    done = run("serve", "--no-such-flag")
    assert done.returncode == 2 and "--no-such-flag" in done.stderr
