"""Records looked up by a unique property: over a socket, and from replies that the sandbox never gives."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import anyio
import httpx
import pytest

from hubspot_batch import AsyncHubSpot
from hubspot_batch.bulk._lookup import Lookup, portions
from hubspot_batch.bulk._report import Counts
from hubspot_batch.errors import BadRequestError, ConfigurationError, PermissionDeniedError
from hubspot_batch.sandbox import Property, Sandbox
from hubspot_batch.transport._async import AsyncDriver, AsyncPool

pytestmark = pytest.mark.anyio

NUMBER = "hs_external_order_id"
UNIQUE = {"orders": {NUMBER: Property("text", unique=True)}}
TIME = "2026-01-01T00:00:00.000Z"


def lookup_of(hub: AsyncHubSpot, counts: Counts) -> Lookup:
    """Return a lookup as the runs of a client make it."""
    driver = AsyncDriver(AsyncPool(hub._pool), hub._settings)
    return Lookup(driver, hub._settings.api_version, counts)


async def test_any_number_of_values_is_looked_up_a_hundred_in_a_request() -> None:
    written = [f"SO-{number}" for number in range(150)] + ['"quoted"', "a;b", "x" * 65_536, "b" * 40_000]
    with Sandbox(properties=UNIQUE) as box:
        for id_, value in enumerate(written, 1):
            box.add("orders", id_, {NUMBER: value, "hs_order_name": value[:9]})
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            counts = Counts()
            asked = [*written, *(f"none {number}" for number in range(60)), *written]
            found = await lookup_of(hub, counts).find("orders", NUMBER, asked, ["hs_order_name"])
        assert found is not None
        assert {value: record.properties["hs_order_name"] for value, record in found.items()} == {
            value: value[:9] for value in written
        }
        assert len({record.id for record in found.values()}) == len(written)
        assert (counts.looks, counts.in_flight, counts.requests) == (3, 0, 0)
        assert [request.path for request in box.requests] == ["/crm/v3/objects/orders/batch/read"] * 3


async def test_targets_of_links_are_looked_up_by_their_own_property() -> None:
    with Sandbox() as box:
        box.add("contacts", 7, {"email": "ada@example.com"})
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            found = await lookup_of(hub, Counts()).find("contacts", "email", ["Ada@Example.com", "b@c.de"])
            assert found is not None
            assert {value: record.id for value, record in found.items()} == {"Ada@Example.com": "7"}
            with pytest.raises(ConfigurationError, match="does not hold that property unique"):
                await lookup_of(hub, Counts()).find("orders", "hs_order_name", ["A", "B"])


async def test_a_look_ends_at_once_when_it_is_withdrawn() -> None:
    counts = Counts()
    with Sandbox(faults={"slow=60": 1.0}) as box:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            lookup, found = lookup_of(hub, counts), []

            async def look() -> None:
                found.append(await lookup.find("orders", NUMBER, ["A"]))

            with anyio.fail_after(30):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(look)
                    while not counts.in_flight:  # noqa: ASYNC110 - nothing tells when a request has left
                        await anyio.sleep(0.01)
                    lookup.withdraw()
            await look()
            assert (found, counts.in_flight, counts.looks) == ([None, None], 0, 1)


def record(id_: int, value: str | None) -> dict[str, Any]:
    return {
        "id": str(id_),
        "properties": {NUMBER: value},
        "createdAt": TIME,
        "updatedAt": TIME,
        "archived": False,
    }


async def found_by(
    answer: Callable[[Sequence[str]], Iterable[dict[str, Any]] | int],
    values: Sequence[str],
    look: tuple[str, str] = ("orders", NUMBER),
) -> dict[str, str]:
    """Return the ids that are found at a service with these records, or this status, for the values asked."""

    def serve(request: httpx.Request) -> httpx.Response:
        records = answer([item["id"] for item in json.loads(request.content)["inputs"]])
        if isinstance(records, int):
            return httpx.Response(
                records, json={"status": "error", "message": "no", "category": "VALIDATION_ERROR"}
            )
        body = {"status": "COMPLETE", "results": [*records], "startedAt": TIME, "completedAt": TIME}
        return httpx.Response(200, json=body)

    async with AsyncHubSpot("token", transport=httpx.MockTransport(serve)) as hub:
        found = await lookup_of(hub, Counts()).find(*look, values)
    assert found is not None
    return {value: record.id for value, record in found.items()}


async def test_what_a_reply_leaves_open_is_asked_for_in_halves() -> None:
    values = [str(number) for number in range(10)]

    def refused(asked: Sequence[str]) -> Iterable[dict[str, Any]] | int:
        return 400 if "7" in asked else [record(int(value), value) for value in asked]

    def without_value(asked: Sequence[str]) -> Iterable[dict[str, Any]]:
        return [record(int(value) + 10, None if value == "3" else value) for value in asked]

    ids = {value: f"1{value}" for value in values}
    assert await found_by(lambda _asked: [record(1, "so-1"), record(2, "SO-2")], ["SO-1", " so-2", "3"]) == {
        "SO-1": "1",
        " so-2": "2",
    }
    assert await found_by(refused, values) == {value: value for value in values if value != "7"}
    assert await found_by(without_value, values) == ids
    assert await found_by(lambda _asked: [], values) == {}
    with pytest.raises(BadRequestError):
        await found_by(lambda _asked: 400, values)
    with pytest.raises(PermissionDeniedError):
        await found_by(lambda _asked: 403, values)
    with pytest.raises(ConfigurationError, match=f"records 1 and 2 have one value of {NUMBER}"):
        await found_by(lambda _asked: [record(1, "A"), record(2, "a")], ["A", "B"])


async def test_only_a_record_that_has_the_value_is_believed() -> None:
    def other(_asked: Sequence[str]) -> Iterable[dict[str, Any]]:
        return [{**record(5, "other"), "properties": {NUMBER: "other", "email": "first@shop.example"}}]

    assert await found_by(other, ["A", "B"]) == {}
    # HubSpot finds a contact by its second address, and shows the first.
    address = "second@shop.example"
    assert await found_by(other, [address], ("contacts", "email")) == {address: "5"}
    # Found by its id, where a service does not take the name of the property.
    assert await found_by(lambda _asked: [record(5, None)], ["5"]) == {}
    assert await found_by(lambda _asked: [record(5, "A"), record(6, "B"), record(5, "A")], ["A"]) == {
        "A": "5"
    }


async def test_what_a_reply_leaves_out_without_a_word_is_asked_for_once_more() -> None:
    asked: list[Sequence[str]] = []

    def forgetful(values: Sequence[str]) -> Iterable[dict[str, Any]]:
        asked.append(values)
        return [record(ord(value), value) for value in values if value != "C" and len(asked) > 1]

    assert await found_by(forgetful, ["A", "B", "C"]) == {"A": "65", "B": "66"}
    assert asked == [["A", "B", "C"], ["A", "B", "C"]]


def test_values_that_may_be_equal_are_asked_for_apart() -> None:
    assert portions(["a", "A", "b", "a", "9", "9.00", " b"]) == [["a", "b", "9"], ["A", "9.00", " b"]]
    assert [len(one) for one in portions(str(number) * 50_000 for number in range(100))] == [46, 41, 13]
