"""One server for each worker; tests that need another state start their own."""

import uuid

import pytest

import clients
from detector import Detector
from keys import ADMIN, AUDIT, ROLE, config
from sigtrail import BINARY, Server


def pytest_configure(config):
    if not BINARY.is_file():
        raise pytest.UsageError(f"{BINARY} is missing: cargo build --release, or set SIGTRAIL_BIN")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    keys = [ADMIN, AUDIT, ROLE, *clients.KEYS]
    server = Server(tmp_path_factory.mktemp("server"), config(keys)).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def detector(server):
    return Detector(server)


@pytest.fixture
def start(tmp_path):
    """Starts servers for one test: `start("--bare")`; without a config if `keys` is None. They are stopped after it."""
    started = []

    def start_one(*flags, keys=(ADMIN, AUDIT, ROLE), name="one", **cloudtrail):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        text = None if keys is None else config(list(keys), **cloudtrail)
        started.append(Server(folder, text, *flags).start())
        return started[-1]

    yield start_one
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def bucket(server):
    """A new bucket, made with SigV4 so that the detector does not see it."""
    name = f"e2e-{uuid.uuid4().hex[:20]}"
    server.boto("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(params=clients.CLIENTS, ids=lambda kind: kind.name)
def client(request, server, tmp_path):
    """Each real client in turn."""
    kind = request.param
    if why := kind.missing():
        pytest.skip(why)
    return kind(server.url, tmp_path)
