"""The property definitions that runs share, over a socket."""

import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio import CancelScope, create_task_group, wait_all_tasks_blocked

from hubspot_batch import AsyncHubSpot, HubSpot
from hubspot_batch.errors import (
    AuthenticationError,
    ConnectionFailedError,
    HubSpotBatchError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedReplyError,
)
from hubspot_batch.sandbox import Property, Sandbox, SandboxAccount
from hubspot_batch.transport import _definitions
from hubspot_batch.transport._async import AsyncDriver, AsyncPool, ThreadedPool
from hubspot_batch.transport._definitions import Definitions, Reading, is_final

pytestmark = pytest.mark.anyio


def of_async(hub: AsyncHubSpot) -> Definitions:
    """Return the definitions as the runs of a client read them."""
    return Definitions(AsyncDriver(AsyncPool(hub._pool), hub._settings), hub._settings)


def of_sync(hub: HubSpot) -> Definitions:
    """Return the same for a client of synchronous code."""
    return Definitions(AsyncDriver(ThreadedPool(hub._pool), hub._settings), hub._settings)


async def test_many_runs_at_once_ask_once_for_each_object_type() -> None:
    with Sandbox() as box:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            found = []

            async def ask(hub: AsyncHubSpot, object_type: str) -> None:
                found.append((await of_async(hub).of(object_type))["hs_object_id"].read_only)

            async with create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(ask, hub, "orders")
                    tasks.start_soon(ask, hub.with_options(timeout=20), "contacts")
        assert found == [True] * 40
        assert sorted(request.path for request in box.requests) == [
            "/crm/v3/properties/contacts",
            "/crm/v3/properties/orders",
        ]


def test_threads_ask_once_and_again_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(faults={"slow=0.2": 1.0}) as box, HubSpot(box.access_token, base_url=box.url) as hub:
        found = []
        ready = threading.Barrier(4)

        def ask() -> None:
            ready.wait()
            found.append(len(anyio.run(of_sync(hub).of, "carts")))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(box.requests) == 1
        assert len(set(found)) == 1
        later = time.monotonic() + 301
        monkeypatch.setattr(_definitions, "time", SimpleNamespace(monotonic=lambda: later))
        anyio.run(of_sync(hub).of, "carts")
        anyio.run(of_sync(hub).of, "carts")
        assert len(box.requests) == 2


@pytest.mark.parametrize("kind", [HubSpot, AsyncHubSpot])
def test_a_list_that_the_caller_has_read_counts_for_runs(kind: type[HubSpot | AsyncHubSpot]) -> None:
    rows: list[Any] = [{"id": "X-1", "properties": {"hs_order_name": "A"}}]
    unique = {"orders": {"shop_number": Property("text", unique=True)}}

    async def push() -> None:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            await hub.orders.properties()
            await hub.orders.upsert_all(rows, id_property="shop_number")
            await hub.orders.properties(archived=True)

    with Sandbox(properties=unique) as box:
        if kind is AsyncHubSpot:
            anyio.run(push)
        else:
            with HubSpot(box.access_token, base_url=box.url) as hub:
                hub.orders.properties()
                hub.orders.upsert_all(rows, id_property="shop_number")
                hub.orders.properties(archived=True)
        assert [request.path.rpartition("/")[2] for request in box.requests] == ["orders", "upsert", "orders"]


def test_an_account_never_sees_the_definitions_of_another() -> None:
    other = SandboxAccount(access_token="token-2", properties={"orders": ["theirs"]}, number=7)
    with (
        Sandbox(accounts=[other], properties={"orders": ["ours"]}) as box,
        HubSpot(box.access_token, base_url=box.url) as hub,
    ):
        theirs = hub.with_options(access_token="token-2")
        for _ in range(2):
            assert not {"theirs"} & anyio.run(of_sync(hub).of, "orders").keys()
            assert "ours" not in anyio.run(of_sync(theirs).of, "orders")
        assert "theirs" in anyio.run(of_sync(theirs).of, "orders")
        assert len(box.requests) == 2
        assert "token" not in repr(hub._settings)


def test_an_error_is_told_apart_and_is_not_kept() -> None:
    cases: list[tuple[str, type[HubSpotBatchError], bool]] = [
        ("503", ServerError, False),
        ("truncated", UnexpectedReplyError, False),
        ("reset-middle", ConnectionFailedError, False),
        ("429-daily", RateLimitError, False),
    ]
    with Sandbox() as box, HubSpot(box.access_token, base_url=box.url, retries=0) as hub:
        for fault, kind, final in cases:
            box.faults.next(fault)
            with pytest.raises(kind) as caught:
                anyio.run(of_sync(hub).of, "orders")
            assert is_final(caught.value) is final
        assert anyio.run(of_sync(hub).of, "orders")
        with pytest.raises(AuthenticationError) as expired:
            anyio.run(of_sync(hub.with_options(access_token="another")).of, "orders")
        assert not is_final(expired.value)

        def no_token() -> str:
            raise KeyError("vault")

        with pytest.raises(KeyError, match="vault"):
            anyio.run(of_sync(hub.with_options(access_token=no_token)).of, "orders")
    with (
        Sandbox(scopes=["crm.objects.orders.write"]) as box,
        HubSpot("sandbox-token", base_url=box.url) as hub,
    ):
        with pytest.raises(PermissionDeniedError) as denied:
            anyio.run(of_sync(hub).of, "orders")
        assert is_final(denied.value)


async def test_what_waits_shares_an_error_and_outlives_a_cancelled_request() -> None:
    with Sandbox(faults={"slow=0.3": 1.0}) as box:
        async with AsyncHubSpot(box.access_token, base_url=box.url, retries=0) as hub:
            found: list[object] = []

            async def ask() -> None:
                try:
                    found.append(len(await of_async(hub).of("orders")))
                except ServerError as error:
                    found.append(error.status)

            async with create_task_group() as tasks:
                with CancelScope() as first:
                    tasks.start_soon(ask)
                    async with create_task_group() as cancelled:
                        cancelled.start_soon(of_async(hub).of, "carts")
                        await wait_all_tasks_blocked()
                        tasks.start_soon(of_async(hub).of, "carts")
                        await wait_all_tasks_blocked()
                        first.cancel()
            assert len(hub._settings.known_definitions) == 2
            hub._settings.known_definitions.clear()
            box.faults.next("503", "503")
            before = len(box.requests)
            async with create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(ask)
            assert len(box.requests) == before + 1
            assert found[1:] == [503, 503, 503]


async def test_a_request_that_its_event_loop_has_forgotten_is_made_again() -> None:
    with Sandbox() as box:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            forgotten = Reading()
            forgotten._until = time.monotonic() + 0.05
            hub._settings.known_definitions[os.getpid(), "orders"] = forgotten
            assert await of_async(hub).of("orders")
