"""A Redis that runs while a test does, and faults that come at a fixed request.

Without a Redis, tests are skipped; with ENGINES_REQUIRED, they fail.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubspot_batch.sandbox import Sandbox, _sandbox
from hubspot_batch.sandbox._app import make_app

WRITES = ("/batch/create", "/batch/update", "/batch/upsert")


def missing(what: str) -> None:
    """Skip a test, or fail where everything has to be there."""
    if "ENGINES_REQUIRED" in os.environ:
        pytest.fail(f"{what} is missing")
    pytest.skip(f"needs {what}; `nox -s engines` runs this test")


class Gate:
    """Holds back replies of a sandbox, so that a fault comes at the same request whenever a test runs.

    What a held request asked for is written, and its sender does not know it yet.
    """

    def __init__(self) -> None:
        self.app: ASGIApp
        self._writes: Counter[str] = Counter()
        self._held = 0
        self._hold: tuple[float, int, Callable[[], object]] = (float("inf"), 0, dict)
        self._opened = asyncio.Event()

    def hold(self, request: int, strike: Callable[[], object], *, held: int = 1) -> None:
        """Hold the replies to writes, from a request of each path on. Strike when enough are held."""
        self._hold = (request, held, strike)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, enough, strike = self._hold

        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].endswith(WRITES):
                self._writes[scope["path"]] += 1
                if self._writes[scope["path"]] >= first and not self._opened.is_set():
                    self._held += 1
                    if self._held == enough:
                        self._opened.set()
                        strike()
                    await asyncio.wait_for(self._opened.wait(), 100)
            await send(message)

        await self.app(scope, receive, passed)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The gate of the sandboxes of a test."""
    gate = Gate()

    def gated(*given: Any, **options: Any) -> Gate:  # noqa: ANN401 - of all kinds
        gate.app = make_app(*given, **options)
        return gate

    monkeypatch.setattr(_sandbox, "make_app", gated)
    return gate


def doubled(box: Sandbox, object_type: str = "orders", name: str = "hs_order_name") -> int:
    """Return how many records there are beyond one for each name."""
    values = Counter(record.properties[name] for record in box.records(object_type))
    return sum(count - 1 for count in values.values())


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
