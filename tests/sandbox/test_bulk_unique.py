"""Runs ask the account whether the properties that name their records are unique."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx
import pytest

from hubspot_batch import AsyncHubSpot, HubSpot
from hubspot_batch.bulk import BulkError, Report
from hubspot_batch.bulk._unique import fault_of_key
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.results import PropertyDefinition
from hubspot_batch.sandbox import Property, Sandbox

NUMBER = "shop_number"
Client: TypeAlias = type[HubSpot] | type[AsyncHubSpot]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    custom = {"orders": {NUMBER: Property("text", unique=True), "note": Property("text")}}
    with Sandbox(properties=custom, records={"contacts": [{"email": "ada@example.com"}]}) as box:
        yield box


@pytest.fixture(params=[HubSpot, AsyncHubSpot])
def client(request: pytest.FixtureRequest) -> Client:
    return request.param  # type: ignore[no-any-return]


def run(client: Client, box: Sandbox, method: str, rows: object, **options: Any) -> Report:  # noqa: ANN401
    """Run a method of `hub.orders`, or of another namespace, to its end."""
    namespace, _, name = f"orders.{method}".rpartition(".")
    kind: dict[str, Any] = {"access_token": box.access_token, "base_url": box.url, "retries": 0}
    if issubclass(client, HubSpot):
        with client(**kind) as hub:
            return getattr(getattr(hub, namespace.rpartition(".")[2]), name)(rows, **options)  # type: ignore[no-any-return]

    async def go() -> Report:
        async with client(**kind) as hub:
            return await getattr(getattr(hub, namespace.rpartition(".")[2]), name)(rows, **options)  # type: ignore[no-any-return]

    return anyio.run(go)


def orders(count: int) -> list[Any]:
    return [{"properties": {NUMBER: f"S{row}", "hs_order_name": "x", "note": "x"}} for row in range(count)]


def paths(box: Sandbox) -> list[str]:
    return [request.path.rpartition("/crm/v3/")[2] for request in box.requests]


def test_a_property_that_cannot_name_records_is_refused_before_a_row_leaves(
    client: Client, box: Sandbox, tmp_path: Path
) -> None:
    journal = tmp_path / "orders.run"
    upserts = [{"id": "S1", "properties": {"note": "x"}}]
    key = "hs_unique_creation_key"
    cases: list[tuple[str, object, dict[str, Any], str]] = [
        ("create_all", orders(300), {"unique_property": "note"}, "does not hold note unique"),
        ("create_all", orders(300), {"unique_property": "shop_numbr"}, f"did you mean '{NUMBER}'?"),
        ("create_all", [{"properties": {key: "1"}}], {"unique_property": key}, "is read-only"),
        ("upsert_all", upserts, {"id_property": key}, "is read-only"),
        ("upsert_all", upserts, {"id_property": "note"}, "does not hold note unique"),
        ("update_all", upserts, {"id_property": "note", "keep_going": True}, "does not hold note unique"),
        ("update_all", [{**upserts[0], "idProperty": "note"}], {}, "does not hold note unique"),
        ("read_all", ["S1"], {"id_property": "note"}, "does not hold note unique"),
    ]
    for method, rows, options, problem in cases:
        before = len(box.requests)
        with pytest.raises(ConfigurationError) as caught:
            run(client, box, method, rows, journal=journal, **options)
        assert problem in str(caught.value), (method, options)
        assert f"unique properties of orders: {NUMBER}" in str(caught.value)
        assert paths(box)[before:] == ["properties/orders"]
        assert [*tmp_path.iterdir()] == []


def test_it_costs_one_request_and_none_where_nothing_is_named(client: Client, box: Sandbox) -> None:
    assert run(client, box, "create_all", orders(150), unique_property=NUMBER).done == 150
    assert paths(box) == ["properties/orders", *["objects/orders/batch/create"] * 2]
    record = box.records("orders")[0]
    run(client, box, "update_all", [{"id": record.id, "properties": {"note": "y"}}])
    run(client, box, "read_all", [record.id])
    run(client, box, "create_all", [], unique_property=NUMBER)
    run(client, box, "create_all", orders(1), unique_property="note", assume_unique=True)
    assert "properties/orders" not in paths(box)[1:]


def test_a_read_only_key_can_be_looked_up_and_the_email_of_contacts_is_one(
    client: Client, box: Sandbox
) -> None:
    found = run(client, box, "read_all", ["none"], id_property="hs_unique_creation_key")
    assert (found.finished, found.rejected) == (True, 1)
    row = {"id": "none", "idProperty": "hs_unique_creation_key", "properties": {"note": "x"}}
    assert run(client, box, "update_all", [row]).rejected == 1
    (contact,) = run(client, box, "contacts.read_all", ["ada@example.com"], id_property="email").records
    assert contact.properties["email"] == "ada@example.com"
    with pytest.raises(ConfigurationError, match="unique properties of contacts: email"):
        run(client, box, "contacts.read_all", ["ada"], id_property="firstname")


def test_without_the_scope_it_names_the_scope_and_the_option(client: Client, tmp_path: Path) -> None:
    custom = {"orders": {NUMBER: Property("text", unique=True), "note": Property("text")}}
    journal = tmp_path / "orders.run"
    with Sandbox(properties=custom, scopes=["crm.objects.orders.write"]) as box:
        with pytest.raises(ConfigurationError) as caught:
            run(client, box, "create_all", orders(3), unique_property=NUMBER, journal=journal)
        assert "the scope crm.objects.orders.read or crm.schemas.orders.read" in str(caught.value)
        assert "assume_unique=True (--assume-unique)" in str(caught.value)
        assert not journal.exists()
        trusting: dict[str, Any] = {"unique_property": NUMBER, "assume_unique": True, "journal": journal}
        assert run(client, box, "create_all", orders(3), **trusting).done == 3
        assert paths(box) == ["properties/orders", "objects/orders/batch/create"]
        # What is finished asks nothing.
        again = run(client, box, "create_all", orders(3), unique_property=NUMBER, journal=journal)
        assert again.done == 3
        assert len(box.requests) == 2


def test_definitions_that_cannot_be_had_for_now_stop_the_run_which_goes_on(
    client: Client, box: Sandbox, tmp_path: Path
) -> None:
    journal = tmp_path / "orders.run"
    options: dict[str, Any] = {"unique_property": NUMBER, "journal": journal}
    for fault in ("503", "reset-middle", "truncated", "502", "429-daily"):
        box.faults.next(fault)
        with pytest.raises(BulkError) as caught:
            run(client, box, "create_all", orders(250), **options)
        assert isinstance(caught.value.__cause__, HubSpotBatchError), fault
        assert not isinstance(caught.value.__cause__, ConfigurationError), fault
        assert "start it again to go on" in str(caught.value)
        assert "may have been written" not in str(caught.value)
        assert (caught.value.report.done, caught.value.report.requests) == (0, 0)
    assert not box.records("orders")
    # A run that goes on looks again.
    box.faults.next(None, None, "429-daily")
    with pytest.raises(BulkError):
        run(client, box, "create_all", orders(250), concurrency=1, **options)
    report = run(client, box, "create_all", orders(250), **options)
    assert report.done == 250
    assert paths(box).count("properties/orders") == 7


def test_a_refusal_that_stays_names_the_option() -> None:
    gateway = httpx.MockTransport(lambda _request: httpx.Response(404))
    with HubSpot("token-1", transport=gateway) as hub, pytest.raises(ConfigurationError) as caught:
        hub.orders.create_all(orders(1), unique_property=NUMBER)
    assert "cannot be read: list_properties: HTTP 404" in str(caught.value)
    assert "assume_unique=True (--assume-unique)" in str(caught.value)


def test_a_name_that_a_later_row_brings_stops_the_run(client: Client, box: Sandbox, tmp_path: Path) -> None:
    run(client, box, "create_all", orders(150))
    rows = [{"id": record.id, "properties": {"note": "y"}} for record in box.records("orders")]
    rows += [{"id": "S1", "idProperty": NUMBER, "properties": {"note": "z"}}] * 60
    rows += [{"id": "x", "idProperty": "note", "properties": {"note": "z"}}]
    with pytest.raises(BulkError, match="does not hold note unique") as caught:
        run(client, box, "update_all", rows, journal=tmp_path / "run")
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert 0 < caught.value.report.done <= 200
    assert paths(box).count("properties/orders") == 1
    report = run(client, box, "update_all", rows, journal=tmp_path / "run", keep_going=True)
    assert (report.done, report.rejected) == (210, 1)


def test_a_stream_that_is_left_does_not_wait_for_the_definitions(box: Sandbox) -> None:
    box.faults.next("slow=30")

    async def leave() -> None:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            stream = hub.orders.stream_create(orders(10), unique_property=NUMBER)

            async def read() -> None:
                await anext(stream, None)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                with anyio.fail_after(10):
                    await stream.close()

    anyio.run(leave)
    assert not box.records("orders")


def test_what_a_definition_says_of_a_key() -> None:
    archived = PropertyDefinition(
        name="a", label="A", type="string", field_type="text", has_unique_value=True, archived=True
    )
    assert fault_of_key("email", "contacts", {}, writes=True) is None
    fault = fault_of_key("a", "line_items", {"a": archived}, writes=False)
    assert fault is not None
    assert "line items have no property 'a' in this account" in fault
    assert "a property can be made unique only when it is created" in fault
    unique = PropertyDefinition(name="sku", label="", type="string", field_type="text", has_unique_value=True)
    for name in ("SKU", " sku", "skus"):
        fault = fault_of_key(name, "line_items", {"sku": unique}, writes=True)
        assert fault is not None
        assert "did you mean 'sku'?" in fault
