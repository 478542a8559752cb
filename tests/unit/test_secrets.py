"""Secrets stand in no frame of a traceback, in no pickle and in no repr; a half-made object has a repr."""

import contextlib
import copy
import inspect
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
import httpx
import pytest

import hubspot_batch
from hubspot_batch import (
    AsyncHubSpot,
    ConfigurationError,
    HubSpot,
    HubSpotBatchError,
    InvalidInputError,
    Quota,
    SharedQuota,
)
from hubspot_batch.cli._connection import ConnectionOptions, connect
from hubspot_batch.oauth import RefreshToken, _Grant
from hubspot_batch.transport._tokens import Bearer, Secret
from tests.conftest import case

SECRET = "s3cr3t-7261"
APP: dict[str, Any] = {"client_id": "app", "client_secret": SECRET, "refresh_token": SECRET}
INPUTS: Any = [{"properties": {"a": "b"}}]


def shown(error: BaseException | None) -> Iterator[str]:
    """Yield all that a traceback with local variables shows, but for the frames of the tests themselves."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield f"{current!r} {current}"
        waiting += [current.__cause__, current.__context__]
        yield from in_frames(current.__traceback__)


def in_frames(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename != __file__:
            for name, value in traceback.tb_frame.f_locals.items():
                yield f"{code.co_qualname} {name}={value!r}"
        traceback = traceback.tb_next


def replying(status: int, **body: Any) -> httpx.MockTransport:  # noqa: ANN401
    return httpx.MockTransport(lambda _request: httpx.Response(status, json=body))


def nowhere() -> str:
    """Return an address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def create(token: Any = SECRET, **options: Any) -> None:  # noqa: ANN401
    HubSpot(token, quota=Quota(), retries=0, **options).orders.batch_create(INPUTS)


def create_async(token: Any = SECRET, **options: Any) -> None:  # noqa: ANN401
    hub = AsyncHubSpot(token, quota=Quota(), retries=0, **options)
    anyio.run(hub.orders.batch_create, INPUTS)


def run(token: Any = SECRET, **options: Any) -> None:  # noqa: ANN401
    HubSpot(token, quota=Quota(), retries=0, **options).orders.create_all(INPUTS)


def breaks_off(_request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset")


def hanging_up() -> str:
    """Return an address at which a connection is closed before the request is read."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with listener, contextlib.suppress(OSError):
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


BAD = f"{SECRET}\n"
FAILING: dict[str, Callable[[], object]] = {
    "a token with a line end": lambda: HubSpot(BAD),
    "the same, async": lambda: AsyncHubSpot(BAD),
    "bytes": lambda: HubSpot(SECRET.encode()),  # type: ignore[arg-type]
    "an option": lambda: HubSpot(SECRET, base_url="x"),
    "a variant": lambda: HubSpot("t").with_options(access_token=BAD),
    "an async variant": lambda: AsyncHubSpot("t").with_options(access_token=BAD),
    "another option of a variant": lambda: HubSpot("t").with_options(access_token=SECRET, timeout=-1),
    "a function": lambda: create(lambda: BAD, transport=replying(200)),
    "a function, async": lambda: create_async(lambda: BAD, transport=replying(200)),
    "a function in a run": lambda: run(lambda: BAD, transport=replying(200)),
    "inputs": lambda: HubSpot(SECRET).orders.batch_create([]),
    "a quota": lambda: HubSpot(SECRET, quota=SharedQuota("/")),
    "refused": lambda: create(transport=replying(401, category="EXPIRED_AUTHENTICATION")),
    "refused, async": lambda: create_async(transport=replying(403)),
    "unreadable": lambda: create(transport=replying(200)),
    "broken": lambda: create(transport=httpx.MockTransport(breaks_off)),
    "no connection": lambda: create(base_url=nowhere()),
    "no connection, async": lambda: create_async(base_url=nowhere()),
    "a connection that breaks": lambda: create(base_url=hanging_up()),
    "a connection that breaks, async": lambda: create_async(base_url=hanging_up()),
    "a run": lambda: run(base_url=nowhere()),
    "no secret of an app": lambda: RefreshToken(**APP | {"client_id": ""}),
    "an option of an app": lambda: RefreshToken(**APP, base_url="x"),
    "an app without connection": lambda: RefreshToken(**APP, base_url=nowhere())._granted(),
    "an app whose connection breaks": lambda: RefreshToken(**APP, base_url=hanging_up())._granted(),
    "an app in a call": lambda: create(RefreshToken(**APP, base_url="http://127.0.0.1:1", timeout=0.1)),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_secret_stands_in_no_frame(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubspot_batch.oauth._RETRIES", hubspot_batch.Retries(limit=0))

    with pytest.raises(HubSpotBatchError) as caught:
        FAILING[name]()

    found = list(shown(caught.value))
    assert [text for text in found if SECRET in text] == []
    assert len(found) > 2, "frames were looked at"


@pytest.mark.parametrize("command", ["token", "file", "app", "base url", "in the body"])
def test_nor_in_one_of_the_command_line(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", BAD if command == "token" else SECRET)
    options: dict[str, Any] = {}
    if command == "file":
        (tmp_path / "token").write_bytes(SECRET.encode() + b"\xff")
        options["token_file"] = tmp_path / "token"
    elif command == "app":
        monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN")
        monkeypatch.setenv("HUBSPOT_CLIENT_SECRET", SECRET)
    elif command == "base url":
        options["base_url"] = "http://hubspot.example"

    with pytest.raises(HubSpotBatchError) as caught, connect(ConnectionOptions(**options)):
        raise InvalidInputError([])

    assert [text for text in shown(caught.value) if SECRET in text] == []


def test_the_walk_sees_what_is_there() -> None:
    def fail(token: str) -> None:
        raise ConfigurationError(token[:0])

    with pytest.raises(ConfigurationError) as caught:
        exec(compile("fail(secret)", "elsewhere", "exec"), {}, {"fail": fail, "secret": SECRET})  # noqa: S102

    assert [text for text in shown(caught.value) if SECRET in text]


@pytest.mark.parametrize(
    "thing",
    [
        Secret(SECRET),
        Bearer(SECRET),
        _Grant(SECRET, 1.0),
        HubSpot(SECRET)._settings,
        RefreshToken(**APP),
        HubSpot(SECRET),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_holds_a_secret_is_not_pickled(thing: object) -> None:
    for save in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            save(thing)
    assert SECRET not in repr(thing)


def public_classes() -> dict[str, type]:
    found = {}
    for module in ("hubspot_batch", "hubspot_batch.bulk", "hubspot_batch.oauth", "hubspot_batch.sandbox"):
        for name, value in vars(import_module(module)).items():
            if (
                inspect.isclass(value)
                and not name.startswith("_")
                and value.__module__.startswith("hubspot_batch")
            ):
                found[f"{value.__module__}.{name}"] = value
    for name in hubspot_batch.__all__:
        if inspect.isclass(value := getattr(hubspot_batch, name)):
            found[f"{value.__module__}.{name}"] = value
    return found


def test_what_is_half_made_has_a_repr() -> None:
    half_made: list[object] = []
    kind: Any
    for name, kind in public_classes().items():
        # A class that cannot be half made refuses with a TypeError.
        with case(name), contextlib.suppress(TypeError):
            half_made.append(kind.__new__(kind))
    assert half_made
    for thing in half_made:
        with case(type(thing)):
            assert isinstance(repr(thing) + str(thing), str)
