"""What several folders share: both clients behind one face, a wire that answers, a clock that never waits."""

import inspect
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import SimpleNamespace
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import anyio
import httpx
import hypothesis
import pytest

from hubspot_batch import AsyncHubSpot, BatchResult, HubSpot, Quota
from hubspot_batch.contract._inputs import AnyCreateInput, AnyUpdateInput
from hubspot_batch.transport import _async as _async_driver
from hubspot_batch.transport import _attempts as _exchange
from hubspot_batch.transport import _settings
from hubspot_batch.transport import _sync as _driver
from hubspot_batch.transport._calls import build_call

T = TypeVar("T")
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response] | None


# What a shell may leave behind, and programs go by.
_SURROUNDINGS = {
    *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "SSLKEYLOGFILE"),
    *("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    *("PYTHONUNBUFFERED", "PYTHONWARNINGS"),
}


def pytest_configure() -> None:
    """Begin as in a shell of one's own. A background job ignores Ctrl-C, for example."""
    for name in [*os.environ]:
        if name.upper() in _SURROUNDINGS or name.startswith("HUBSPOT_"):
            del os.environ[name]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
        signal.signal(number, signal.SIG_DFL)
    # A machine that is busy has more time for the same.
    hypothesis.settings.register_profile(
        "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("patient")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what other systems do not have: signals, file modes, pipes with a name, a shell."""
    if os.name != "posix" and item.get_closest_marker("posix"):
        pytest.skip("needs POSIX")


@contextmanager
def case(*names: object) -> Iterator[None]:
    """Let a failure inside say which case of a loop it is."""
    try:
        yield
    except BaseException as error:
        shown = (repr(name) if isinstance(name, str | bytes) else str(name) for name in names)
        error.add_note(f"case: {', '.join(shown)}")
        raise


class Wire(httpx.MockTransport):
    """A transport that keeps what it is given and answers as told; the last answer stands for the rest.

    None means that all inputs are written.
    """

    def __init__(self, *answers: Answer) -> None:
        super().__init__(self._answer)
        self.requests: list[httpx.Request] = []
        self.closed = False
        self._answers = answers or (None,)
        self._lock = Lock()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            count = len(self.requests)
        assert count < 1000, "a call has no end"
        answer = self._answers[min(count, len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return (answer or written)(request)

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def written(request: httpx.Request) -> httpx.Response:
    """Report every input of a request as a record."""
    moment = "2026-09-01T08:15:02.120Z"
    results = [
        {
            "id": item.get("id", f"{44001 + index}"),
            "properties": item["properties"],
            "objectWriteTraceId": item["objectWriteTraceId"],
            "createdAt": moment,
            "updatedAt": moment,
            "archived": False,
        }
        for index, item in enumerate(json.loads(request.content)["inputs"])
    ]
    body = {"status": "COMPLETE", "results": results, "startedAt": moment, "completedAt": moment}
    return httpx.Response(200, json=body)


class Face:
    """One of the two clients. What the asynchronous one promises is waited for."""

    def __init__(self, kind: type[HubSpot | AsyncHubSpot]) -> None:
        self.kind = kind

    def wire(self, *answers: Answer) -> Wire:
        return Wire(*answers)

    def connect(self, transport: Wire | None, **options: Any) -> HubSpot | AsyncHubSpot:  # noqa: ANN401
        """Make a client. Its quota is its own unless the options say otherwise."""
        defaults = {"access_token": "token-1", "transport": transport, "quota": Quota()}
        return self.kind(**defaults | options)

    def create(
        self,
        hub: HubSpot | AsyncHubSpot,
        inputs: Iterable[AnyCreateInput],
        unique_property: str | None = None,
    ) -> BatchResult:
        return self.finish(hub.orders.batch_create(inputs, unique_property=unique_property))

    def update(self, hub: HubSpot | AsyncHubSpot, inputs: Iterable[AnyUpdateInput]) -> BatchResult:
        return self.finish(hub.orders.batch_update(inputs))

    def call(
        self,
        hub: HubSpot | AsyncHubSpot,
        operation: str,
        inputs: Iterable[object] = (),
        **more: Any,  # noqa: ANN401 - as `build_call` takes it
    ) -> Any:  # noqa: ANN401 - what the operation has for a result
        """Carry out any operation of the document, also one for which the client has no method."""
        call = build_call(operation, inputs, api_version=hub._settings.api_version, **more)
        if isinstance(hub, HubSpot):
            return _driver.Driver(hub._pool, hub._settings).send(call)
        pool = _async_driver.AsyncPool(hub._pool)
        return self.finish(_async_driver.AsyncDriver(pool, hub._settings).send(call))

    def finish(self, outcome: T | Awaitable[T]) -> T:
        if not inspect.isawaitable(outcome):
            return outcome

        async def wait() -> T:
            return await outcome

        return anyio.run(wait)


class Clock:
    """The time of the driver. A sleep is noted and moves it on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, delay: float) -> None:
        self.sleeps.append(delay)
        self.now += delay
        self.on_sleep()

    async def sleep_async(self, delay: float) -> None:
        self.sleeps.append(delay)
        self.now += delay
        if inspect.isawaitable(result := self.on_sleep()):
            await result


@pytest.fixture(params=[HubSpot, AsyncHubSpot])
def face(request: pytest.FixtureRequest) -> Face:
    return Face(request.param)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the clock of the drivers, and the dice by which they spread their waits."""
    clock = Clock()
    monkeypatch.setattr(_exchange, "time", clock)
    monkeypatch.setattr(_exchange, "random", SimpleNamespace(random=lambda: 1.0))
    monkeypatch.setattr(_driver, "time", clock)
    monkeypatch.setattr(_async_driver, "anyio", SimpleNamespace(sleep=clock.sleep_async))
    monkeypatch.setattr(_async_driver, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def _no_quota_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test without quotas: the traceback of an error keeps a client until both are collected."""
    monkeypatch.setattr(_settings, "_quotas", WeakValueDictionary())
