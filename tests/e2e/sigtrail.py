"""The binary under test: start a server, stop it, run a subcommand."""

import os
import queue
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import boto3
from botocore.config import Config

from keys import ADMIN, Key

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SIGTRAIL_BIN", REPOSITORY / "target/release/sigtrail"))
REGION = "us-east-1"
READY = re.compile(r"ready (https?://127\.0\.0\.1:\d+)\n")
START_SECONDS = 15
STOP_SECONDS = 20


def eventually(look, what: str, seconds: float = 20):
    """Calls `look` until it gives something true; fails with the last thing it gave after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s; last seen: {found!r}"
        time.sleep(0.05)


class Server:
    """`sigtrail serve` on a port that the system picks. Stop it with `stop`, which asserts a clean end."""

    def __init__(self, folder: Path, config: str | None, *flags: str):
        self.folder = folder
        self.data = folder / "data"
        self.arguments = ["--data", str(self.data), *flags]
        if config is not None:
            config_file = folder / "sigtrail.toml"
            config_file.write_text(config)
            self.arguments += ["--config", str(config_file)]

    def start(self) -> "Server":
        command = [str(BINARY), "serve", "--listen", "127.0.0.1:0", *self.arguments]
        self.errors = (self.folder / "stderr.txt").open("a+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        # A server that is started again has lines of its own.
        self.lines: queue.Queue[str] = queue.Queue()
        # Whoever prints must be read, or it stops when the pipe is full.
        threading.Thread(target=self._drain, args=(self.process.stdout, self.lines), daemon=True).start()
        try:
            first = self.lines.get(timeout=START_SECONDS)
        except queue.Empty:
            first = ""
        ready = READY.fullmatch(first)
        if not ready:
            self.process.kill()
            raise AssertionError(f"no ready line but {first!r}; stderr: {self.stderr()}")
        self.url = ready.group(1)
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=STOP_SECONDS)
        assert code == 0, f"exit code {code}; stderr: {self.stderr()}"

    def stderr(self) -> str:
        return (self.folder / "stderr.txt").read_text()

    def boto(self, service: str, key: Key = ADMIN, region: str = REGION, **config):
        """A boto3 client that says each error at once instead of trying again."""
        config = {"retries": {"total_max_attempts": 1}, "read_timeout": 60, **config}
        secure = {"verify": False} if self.url.startswith("https") else {}
        return boto3.client(
            service, endpoint_url=self.url, region_name=region, config=Config(**config), **key.boto(), **secure
        )

    @staticmethod
    def _drain(printed, lines) -> None:
        for line in printed:
            lines.put(line)
        lines.put("")


def run(*arguments: str, timeout: float = 20) -> subprocess.CompletedProcess:
    """Runs the binary to its end."""
    return subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, timeout=timeout)
