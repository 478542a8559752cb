"""How links by own keys wait for ids, and what becomes of links whose records are not known."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import httpx
import pytest

from hubspot_batch import HubSpot
from hubspot_batch.bulk import _links
from hubspot_batch.bulk._late_links import NoJournal
from hubspot_batch.bulk._links import Group, Links
from hubspot_batch.bulk._rows import Kind, Row, rows_from, seal
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._keys import Key

CREATE = contract.operation("create_line_items")


def rows_of(*numbers: object) -> list[Row]:
    target = {"type": "orders", "property": "n"}
    inputs = [
        {"properties": {"name": "a"}, "associations": [{"to": {**target, "value": number}}]}
        for number in numbers
    ]
    return rows_from(CREATE, inputs, 0, None)


class Orders:
    """Finds each order that has a number, when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = anyio.Event()

    async def find(self, _object_type: str, _name: str, values: Sequence[str]) -> Mapping[str, str]:
        await self.free.wait()
        self.asked += values
        return {value: f"1{value}" for value in values if value.isdigit()}


@pytest.mark.anyio
async def test_a_key_that_an_earlier_group_looks_up_is_not_asked_for_again() -> None:
    orders = Orders()
    async with anyio.create_task_group() as tasks:

        def start(group: Group) -> None:
            tasks.start_soon(links.look, group)

        links = Links(Kind(CREATE, None, {}), orders.find, start, 0)
        for row in rows_of(*range(100), 7, 7, 200):
            links.add(row)
        assert await links.next(last=False) is None
        orders.free.set()
        complete = [await links.next(last=True), await links.next(last=True), await links.next(last=True)]

    found = [[row.wire["associations"][0]["to"]["id"] for row in one.rows] for one in complete if one]
    assert found == [[f"1{number}" for number in range(100)], ["17", "17", "1200"]]
    assert orders.asked == [*map(str, range(100)), "200"]


@pytest.mark.anyio
async def test_an_id_that_is_known_is_not_asked_for_again() -> None:
    orders = Orders()
    orders.free.set()
    async with anyio.create_task_group() as tasks:

        def start(group: Group) -> None:
            tasks.start_soon(links.look, group)

        links = Links(Kind(CREATE, None, {}), orders.find, start, 0)
        found = []
        for _ in range(2):
            for row in rows_of(7):
                links.add(row)
            complete = await links.next(last=True)
            found += complete.rows if complete else []

    assert [row.wire["associations"][0]["to"]["id"] for row in found] == ["17", "17"]
    assert orders.asked == ["7"]


@pytest.mark.anyio
async def test_ids_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_links, "_IDS_KEPT", 4)
    known = _links._Known()
    keys = [Key("orders", "n", str(number)) for number in range(5)]
    for key in keys[:4]:
        known.keep(key, key.value)
    assert known.get(keys[0]) == "0"
    known.keep(keys[4], "4")
    known.keep(Key("orders", "m", "4"), "")

    assert [known.get(key) for key in keys] == ["0", None, None, None, "4"]
    assert known.get(Key("orders", "m", "4")) == ""


def test_the_caller_cannot_change_a_row_that_waits_for_ids() -> None:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}]
    plain: dict[str, Any] = {"to": {"id": "301"}, "types": [dict(types[0])]}
    keyed = {"to": {"type": "orders", "property": "n", "value": "7"}, "types": types}
    (row,) = rows_from(CREATE, [{"properties": {"name": "a"}, "associations": [plain, keyed]}], 0, None)
    plain["to"]["id"] = "302"
    plain["types"].clear()
    types.clear()

    ((end, _),) = row.links
    end["id"] = "17"
    seal(row, Kind(CREATE, None, {}))

    sent = json.loads(row.content)["associations"]
    assert [link["to"]["id"] for link in sent] == ["301", "17"]
    assert all(
        link["types"] == [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}]
        for link in sent
    )


def test_neither_rows_nor_keys_show_values() -> None:
    (row,) = rows_of("s3cr3t")
    assert "s3cr3t" not in f"{row} {row.links}"


@pytest.mark.anyio
async def test_late_links_have_no_journal() -> None:
    assert await NoJournal().outcome(0) is None
    assert await NoJournal().owners(["44001"]) == {}


def test_the_links_of_a_record_whose_id_is_not_told_are_unknown() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        inputs = json.loads(request.content)["inputs"]
        moment = "2026-09-01T08:15:02.120Z"
        made: list[dict[str, Any]] = [
            {"id": f"{number}", "properties": {}, "createdAt": moment, "updatedAt": moment, "archived": False}
            for number, _ in enumerate(inputs)
        ]
        body = {"status": "COMPLETE", "results": made, "startedAt": moment, "completedAt": moment}
        return httpx.Response(200, json=body)

    rows: Any = [
        {"id": number, "properties": {"a": "b"}, "associations": [{"to": {"type": "orders", "id": 5}}]}
        for number in ("1", "2")
    ]
    client = httpx.Client(transport=httpx.MockTransport(reply))
    with HubSpot("token", http_client=client) as hub:
        report = hub.line_items.upsert_all(rows, id_property="n", assume_unique=True)

    assert [(outcome.status, outcome.category) for outcome in report.outcomes] == [
        ("unknown", "NOT_LINKED"),
        ("unknown", "NOT_LINKED"),
    ]
    assert all("the reply does not tell its id" in outcome.text for outcome in report.outcomes)
