"""A Redis that runs while a test does. Without one, tests are skipped; with ENGINES_REQUIRED, they fail."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest


def missing(what: str) -> None:
    """Skip a test, or fail where everything has to be there."""
    if "ENGINES_REQUIRED" in os.environ:
        pytest.fail(f"{what} is missing")
    pytest.skip(f"needs {what}; `nox -s engines` runs this test")


class RedisServer:
    """A Redis on a port of its own, which can be stopped and started again. It keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            missing("redis-server on PATH")
        self._program = str(program)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """Start it, and wait until it answers."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no", *options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        pytest.fail("redis-server does not answer")

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once. All that it knows is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def redis_package() -> None:
    """Skip what needs redis where it is not installed."""
    if find_spec("redis") is None:
        missing("the package redis")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that stays up. Each test uses names of its own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    # One that has just started holds all back for a window, which is 1 second in most tests.
    time.sleep(3.5)
    yield server
    server.kill()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that a test may kill, not started yet."""
    server = RedisServer(tmp_path)
    yield server
    if server._process is not None:
        server.signal(signal.SIGCONT)
    server.kill()
