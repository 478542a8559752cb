"""Rows are compared with an account, over a socket, and nothing is written."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeAlias

import anyio
import httpx
import pytest

from hubspot_batch import AsyncHubSpot, HubSpot
from hubspot_batch.bulk import CheckReport, _check_account, check
from hubspot_batch.errors import (
    ConfigurationError,
    InputIssue,
    PermissionDeniedError,
    ServerError,
    UnexpectedReplyError,
)
from hubspot_batch.sandbox import Property, Sandbox

NUMBER = "shop_number"
CUSTOM: dict[str, Any] = {"orders": {NUMBER: Property("text", unique=True)}}
RECORDS: dict[str, Any] = {
    "orders": [{"id": "501", NUMBER: "N5", "hs_order_name": "x"}],
    "contacts": ["301"],
}
Client: TypeAlias = type[HubSpot] | type[AsyncHubSpot]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(properties=CUSTOM, records=RECORDS) as box:
        yield box


@pytest.fixture(params=[HubSpot, AsyncHubSpot])
def client(request: pytest.FixtureRequest) -> Client:
    return request.param  # type: ignore[no-any-return]


def found(
    client: Client,
    box: Sandbox,
    rows: object,
    namespace: str = "orders",
    **options: Any,  # noqa: ANN401
) -> CheckReport:
    """Return what a check of one of the clients finds."""
    kind: dict[str, Any] = {"access_token": box.access_token, "base_url": box.url, "retries": 0}
    if issubclass(client, HubSpot):
        with client(**kind) as hub:
            return getattr(hub, namespace).check(rows, **options)  # type: ignore[no-any-return]

    async def go() -> CheckReport:
        async with client(**kind) as hub:
            return await getattr(hub, namespace).check(rows, **options)  # type: ignore[no-any-return]

    return anyio.run(go)


def order(number: object, **properties: str) -> Any:  # noqa: ANN401
    return {"properties": {"hs_order_name": "A", NUMBER: f"N{number}", **properties}}


def linked(number: int, record: str, kind: int = 507) -> Any:  # noqa: ANN401
    link = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}
    return {**order(number), "associations": [{"to": {"id": record}, "types": [link]}]}


def told(report: CheckReport) -> dict[str, tuple[int, ...]]:
    return {f"{fault.place}: {fault.problem}": fault.rows for fault in report.faults}


def test_each_kind_of_fault_is_counted_with_its_first_rows(client: Client, box: Sandbox) -> None:
    rows = [order(number) for number in range(230)]
    for row in range(10, 20):
        rows[row]["properties"]["hs_total_price"] = "1,5"
    rows[20]["properties"]["hs_currency_code"] = "euro"
    rows[21]["properties"]["hs_ordr_note"] = "x"
    rows[22]["properties"]["hs_createdate"] = "2026-01-01"
    rows[23]["properties"]["hs_order_name"] = ""
    rows[24] = {"propertis": {}}
    rows[120] = order(3)
    rows[121] = order(120) | {"properties": {"hs_order_name": "A", NUMBER: "n3"}}
    faulty: list[int] = []
    issues: list[InputIssue] = []

    def on_faults(row: int, faults: Any) -> None:  # noqa: ANN401
        faulty.append(row)
        issues.extend(faults)

    report = found(client, box, rows, unique_property=NUMBER, on_faults=on_faults)

    assert (report.rows, report.invalid, report.requests, report.compared) == (230, 16, 3, True)
    assert (report.ok, report.existing, report.new) == (False, None, None)
    kinds = told(report)
    assert kinds["properties/hs_total_price: the value is not a number"] == (10, 11, 12, 13, 14)
    assert report.faults[0].count == 10
    assert kinds["properties/hs_ordr_note: the account has no property of this name"] == (21,)
    assert kinds["properties/hs_createdate: the account does not let this property be written"] == (22,)
    assert kinds["properties/hs_order_name: a new record needs this property"] == (23,)
    twice = f"properties/{NUMBER}: an earlier row has the same value, and HubSpot takes it once only"
    assert kinds[twice] == (120,)
    assert faulty == [*range(10, 25), 120]
    assert len(issues) == sum(fault.count for fault in report.faults)
    assert [request.path for request in box.requests] == ["/crm/v3/properties/orders"]
    assert len(box.records("orders")) == 1


def test_what_has_no_fault_here_is_written(client: Client, box: Sandbox) -> None:
    rows = [
        order(number, hs_total_price="9.5", hs_external_created_date="2026-09-01") for number in range(10, 19)
    ]
    assert found(client, box, rows).ok
    for namespace, properties in {"carts": {}, "line_items": {"quantity": "2"}}.items():
        assert (
            found(client, box, [{"properties": {"hs_source_store": "x"} | properties}], namespace).rows == 1
        )
    with HubSpot(box.access_token, base_url=box.url) as hub:
        assert hub.orders.create_all(rows).done == 9


def test_a_look_finds_what_exists_and_links_that_lead_nowhere(client: Client, box: Sandbox) -> None:
    rows = [linked(number, "301") for number in range(150)] + [linked(150, "999"), linked(151, "1", kind=518)]
    # A label of the account, which does not say what it leads to.
    label = {"associationCategory": "USER_DEFINED", "associationTypeId": 7}
    rows += [order(152) | {"associations": [{"to": {"id": "1"}, "types": [label]}]}]
    rows.append({"propertis": {}})
    report = found(client, box, rows, unique_property=NUMBER, look=True)
    assert told(report) == {
        f"properties/{NUMBER}: a record of the account has this value": (5,),
        "associations/0/to: there is no such record among the contacts of the account": (150,),
    } | {kind: where for kind, where in told(report).items() if where == (153,)}
    assert (report.existing, report.new, report.unread) == (1, 152, ("invoices",))
    # Two for the orders, two for the contacts: those that are known are not asked for again.
    paths = [request.path.rpartition("/crm/v3/")[2] for request in box.requests]
    assert paths.count("objects/orders/batch/read") == 2
    assert paths.count("objects/contacts/batch/read") == 2
    assert len(paths) == 5


def test_a_look_for_updates_and_upserts(client: Client, box: Sandbox) -> None:
    changes = [
        {"id": "501", "properties": {"hs_order_note": "x"}},
        {"id": "9", "properties": {"hs_order_note": "x"}},
        {"id": "N5", "idProperty": NUMBER, "properties": {"hs_order_note": "x"}},
        {"id": "N6", "idProperty": NUMBER, "properties": {"hs_order_note": "x"}},
    ]
    report = found(client, box, changes, verb="update", look=True)
    assert told(report) == {"id: the account has no such record": (1, 3)}
    assert (report.existing, report.new) == (2, 2)
    upserts = [{"id": f"N{row}", "properties": {"hs_order_note": "x"}} for row in range(4, 7)]
    report = found(client, box, upserts, verb="upsert", id_property=NUMBER, look=True)
    assert (report.ok, report.existing, report.new) == (True, 1, 2)
    flat = [{NUMBER: "N5", "hs_order_note": "x"}]
    assert found(client, box, flat, verb="upsert", id_property=NUMBER, look=True).existing == 1
    assert found(client, box, [], look=True).existing is None


def test_a_look_for_links_by_own_keys(client: Client, box: Sandbox) -> None:
    rows = [
        {
            "properties": {"name": "Lamp"},
            "associations": [{"to": {"type": "order", "property": NUMBER, "value": value}}],
        }
        for value in ("N5", "N6", "N5")
    ]
    assert "N5" not in repr(_check_account._End("orders", NUMBER, "N5"))
    report = found(client, box, rows, "line_items", look=True)
    assert told(report) == {
        "associations/0/to: there is no such record among the orders of the account": (1,)
    }
    upserts = [
        {
            "id": "N9",
            "properties": {"hs_order_name": "A"},
            "associations": [{"to": {"type": "contact", "id": record}}],
        }
        for record in ("301", "302")
    ]
    report = found(client, box, upserts, verb="upsert", id_property=NUMBER, look=True)
    assert told(report) == {
        "associations/0/to: there is no such record among the contacts of the account": (1,)
    }


def test_a_key_that_is_not_unique_is_refused_as_by_a_run(client: Client, box: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="does not hold hs_order_name unique"):
        found(client, box, [order(1)], unique_property="hs_order_name")


def test_definitions_that_cannot_be_had(client: Client, box: Sandbox) -> None:
    for fault, kind in (("503", ServerError), ("truncated", UnexpectedReplyError)):
        box.faults.next(fault)
        with pytest.raises(kind):
            found(client, box, [order(1)])
    with HubSpot(box.access_token, base_url=box.url) as hub:
        definitions = hub.orders.properties()
    with Sandbox(scopes=["crm.objects.orders.write"], properties=CUSTOM, records=RECORDS) as closed:
        with pytest.raises(PermissionDeniedError):
            found(client, closed, [order(1)])
        assert not closed.requests[1:]
        assert found(client, closed, [order(1)], definitions=definitions).ok
        assert len(closed.requests) == 1
        with pytest.raises(PermissionDeniedError):
            found(client, closed, [order(1)], definitions=definitions, unique_property=NUMBER, look=True)
    with pytest.raises(ConfigurationError, match="the list of property definitions is empty"):
        found(client, box, [order(1)], definitions=[])
    with Sandbox(scopes=["crm.objects.orders.read"], properties=CUSTOM, records=RECORDS) as closed:
        report = found(
            client, closed, [linked(1, "301"), *[linked(row, "302") for row in range(2, 200)]], look=True
        )
        assert (report.ok, report.unread) == (True, ("contacts",))


def test_one_id_that_hubspot_refuses_spoils_no_look_for_others(box: Sandbox) -> None:
    """A gateway refuses a whole request for one of its ids."""
    asked: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids = [item["id"] for item in json.loads(request.content)["inputs"]]
        asked.append(ids)
        if "13" in ids:
            return httpx.Response(400, json={"category": "VALIDATION_ERROR", "message": "bad"})
        moment = {"createdAt": "2026-09-01T08:15:02Z", "updatedAt": "2026-09-01T08:15:02Z"}
        results = [{"id": record, "properties": {}, "archived": False, **moment} for record in ids]
        times = {"startedAt": moment["createdAt"], "completedAt": moment["createdAt"]}
        return httpx.Response(200, json={"status": "COMPLETE", "results": results, **times})

    with HubSpot(box.access_token, base_url=box.url) as hub:
        definitions = hub.orders.properties()
    rows: list[Any] = [
        {"id": record, "properties": {"hs_order_note": "x"}} for record in ["1", "13", "2", "3", "1"]
    ]
    with HubSpot("t", transport=httpx.MockTransport(answer)) as hub:
        report = hub.orders.check(rows, verb="update", look=True, definitions=definitions)
    assert told(report) == {"id: the account has no such record": (1,)}
    assert (report.existing, report.new) == (4, 1)
    assert len(asked) == 5


def test_of_targets_only_some_are_kept(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_check_account, "_KNOWN_TARGETS", 50)
    rows = [linked(row, str(900 + row)) for row in range(300)] + [linked(300, "900")]
    report = found(HubSpot, box, rows, look=True)
    assert report.invalid == 301
    assert [request.inputs for request in box.requests] == [0, 100, 100, 100, 1]


def test_rows_may_come_asynchronously(box: Sandbox) -> None:
    async def rows() -> AsyncIterator[Any]:
        for number in range(120):
            yield order(number)

    assert found(AsyncHubSpot, box, rows()).requests == 2
    with pytest.raises(ConfigurationError, match="need AsyncHubSpot"):
        found(HubSpot, box, rows())


def test_without_an_account_definitions_say_the_same(box: Sandbox) -> None:
    with HubSpot(box.access_token, base_url=box.url) as hub:
        definitions = hub.orders.properties()
    checked = check("create_orders", [order(1, hs_tax="x"), order(1)], definitions=definitions)
    assert [len(faults) for faults in checked] == [1, 1]
    assert checked.report.compared
    assert not check("create_orders", [order(1)]).report.compared
    assert not check("read_orders", ["1"], definitions=definitions).report.compared


def test_memory_is_bounded_whatever_rows_hold(box: Sandbox) -> None:
    names = [{"properties": {f"column_{row}": "x", "hs_order_name": "A"}} for row in range(1_100)]
    report = found(HubSpot, box, names)
    assert (report.invalid, len(report.faults), report.further) == (1_100, 1_000, 100)
