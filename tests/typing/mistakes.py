"""What a type checker must refuse. Where it accepts a line, the ignore comment is unused, which is an error.

Nothing here runs. One comment serves both checkers: mypy by the code in it, pyright by its line.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

import hubspot_batch
from hubspot_batch import (
    Association,
    AsyncHubSpot,
    CreateInput,
    HubSpot,
    PropertyValue,
    Quota,
    Record,
    Response,
    Retries,
    UpdateInput,
    validate,
)
from hubspot_batch.bulk import Outcome, Report, inputs_from

if TYPE_CHECKING:
    from hubspot_batch_models import inputs as generated


async def async_token() -> str:
    return "pat"


def inputs(hub: HubSpot, thing: object) -> None:
    # A misspelt key, here and in what is nested.
    hub.orders.batch_create([{"propertis": {}}])  # type: ignore[list-item]
    hub.orders.batch_create([{"properties": {}, "objectWriteTraceID": "row-1"}])  # type: ignore[list-item]
    order: CreateInput = {"propertys": {}}  # type: ignore[typeddict-item]
    extra: CreateInput = {"properties": {}, "association": []}  # type: ignore[typeddict-unknown-key]
    link: Association = {"to": {"ID": "301"}, "types": []}  # type: ignore[typeddict-item]
    kind: Association = {
        "to": {"id": "301"},
        "types": [{"associationCategory": "HUBSPOT", "associationTypeId": 507}],  # type: ignore[typeddict-item]
    }

    # A value that has no text.
    hub.orders.batch_create([{"properties": {"hs_order_note": None}}])  # type: ignore[list-item]
    hub.orders.batch_create([{"properties": {"hs_order_note": thing}}])  # type: ignore[list-item]
    hub.orders.batch_create([{"properties": {"hs_order_note": {"a": "b"}}}])  # type: ignore[list-item]
    hub.orders.batch_create([{"properties": {"hs_order_note": timedelta(1)}}])  # type: ignore[list-item]
    nested: PropertyValue = [["a"]]  # type: ignore[list-item]
    raw: generated.CreateInput = {"properties": {"quantity": 2}}  # type: ignore[dict-item]

    # An update without id, an id that is none, a create with one.
    hub.orders.batch_update([{"properties": {}}])  # type: ignore[list-item]
    hub.orders.batch_update([{"id": 4.5, "properties": {}}])  # type: ignore[list-item]
    hub.orders.batch_create([{"id": "1", "properties": {}}])  # type: ignore[list-item]
    update: UpdateInput = {"id": None, "properties": {}}  # type: ignore[typeddict-item]

    # No list of inputs.
    hub.orders.batch_create({"properties": {}})  # type: ignore[dict-item]
    hub.orders.batch_create([thing])  # type: ignore[list-item]
    hub.orders.batch_create("row")  # type: ignore[arg-type]
    hub.orders.batch_create()  # type: ignore[call-arg]
    _ = (order, extra, link, kind, nested, raw, update)


def calls(hub: HubSpot, orders: list[CreateInput], updates: list[UpdateInput]) -> None:
    hub.orders.batch_create(orders, "shop_order_number")  # type: ignore[call-arg]
    hub.orders.batch_create(orders, unique_proprety="shop_order_number")  # type: ignore[call-arg]
    hub.orders.batch_update(updates, unique_property="shop_order_number")  # type: ignore[call-arg]
    hub.orders.batch_create(updates)  # type: ignore[arg-type]
    hub.deals.batch_create(orders)  # type: ignore[attr-defined]
    hub.with_options("pat")  # type: ignore[call-arg]
    hub.with_options(access_token=30)  # type: ignore[arg-type]
    hub.with_options(allow_http=True)  # type: ignore[call-arg]
    validate("create_deals", {})  # type: ignore[arg-type]


def family(hub: HubSpot, ids: list[str], orders: list[CreateInput]) -> None:
    hub.orders.batch_read(orders)  # type: ignore[arg-type]
    hub.orders.batch_read([1.5])  # type: ignore[list-item]
    hub.orders.batch_read(ids, ["hs_order_name"])  # type: ignore[call-arg]
    hub.orders.batch_read(ids, propertys=[])  # type: ignore[call-arg]
    hub.orders.batch_upsert(orders, id_property="a")  # type: ignore[arg-type]
    hub.orders.batch_archive(ids, archived=True)  # type: ignore[call-arg]
    hub.orders.properties(archived="yes")  # type: ignore[arg-type]
    hub.associations.batch_create("orders", "contacts", ids)  # type: ignore[arg-type]
    hub.associations.batch_create("orders", [(1, 2)])  # type: ignore[call-arg, arg-type]
    _ = hub.orders.batch_archive(ids).records[0].created.real  # type: ignore[union-attr]


def rows(
    hub: HubSpot,
    orders: list[CreateInput],
    updates: list[UpdateInput],
    texts: list[str],
    database: sqlite3.Connection,
) -> None:
    # Rows of the wrong kind.
    hub.orders.create_all(updates)  # type: ignore[arg-type]
    hub.orders.create_all(orders[0])  # type: ignore[arg-type]
    hub.orders.create_all([{"hs_order_name": "A-1001"}])  # type: ignore[list-item]
    hub.orders.create_all([{"properties": {"hs_order_note": None}}])  # type: ignore[list-item]
    hub.orders.create_all(texts)  # type: ignore[arg-type]
    hub.orders.create_all("orders.csv")  # type: ignore[arg-type]
    hub.orders.create_all(database)  # type: ignore[arg-type]
    hub.orders.create_all()  # type: ignore[call-arg]
    hub.orders.update_all([{"properties": {}}])  # type: ignore[list-item]
    hub.orders.stream_update(orders)  # type: ignore[arg-type]
    inputs_from([{"hs_order_name": "A"}], verb="merge")  # type: ignore[arg-type]


def options(hub: HubSpot, orders: list[CreateInput], updates: list[UpdateInput]) -> None:
    hub.orders.create_all(orders, "hs_external_order_id")  # type: ignore[call-arg]
    hub.orders.create_all(orders, unique_proprety="hs_external_order_id")  # type: ignore[call-arg]
    hub.orders.create_all(orders, id_property="hs_external_order_id")  # type: ignore[call-arg]
    hub.orders.update_all(updates, unique_property="hs_external_order_id")  # type: ignore[call-arg]
    hub.orders.create_all(orders, journal=True)  # type: ignore[arg-type]
    hub.orders.create_all(orders, concurrency=2.5)  # type: ignore[arg-type]
    hub.orders.create_all(orders, on_progress=lambda: None)  # type: ignore[arg-type, misc]
    hub.orders.stream_create(orders, "orders.run")  # type: ignore[call-arg]


def outcomes(hub: HubSpot, orders: list[CreateInput], outcome: Outcome, report: Report) -> None:
    outcome.status = "done"  # type: ignore[misc]
    _ = outcome.status == "failed"  # type: ignore[comparison-overlap]
    _ = outcome.id.upper()  # type: ignore[union-attr]
    _ = report.outcomes[0]  # type: ignore[index]
    report.done = 1  # type: ignore[misc]
    for _ in hub.orders.create_all(orders):  # type: ignore[attr-defined]
        pass


async def async_rows(
    hub: AsyncHubSpot, plain: HubSpot, orders: list[CreateInput], arriving: AsyncIterator[CreateInput]
) -> None:
    plain.orders.create_all(arriving)  # type: ignore[arg-type]
    plain.orders.stream_create(arriving)  # type: ignore[arg-type]
    await plain.orders.create_all(orders)  # type: ignore[misc]
    await hub.orders.stream_create(orders)  # type: ignore[misc]
    report = hub.orders.create_all(orders)
    _ = report.done  # type: ignore[attr-defined]
    await report
    for _ in hub.orders.stream_create(orders):  # type: ignore[attr-defined]
        pass
    with hub.orders.stream_create(orders):  # type: ignore[attr-defined]
        pass


def clients() -> None:
    HubSpot(async_token)  # type: ignore[arg-type]
    HubSpot(5)  # type: ignore[arg-type]
    HubSpot(lambda: 5)  # type: ignore[arg-type, return-value]
    HubSpot("pat", "https://api.hubapi.com")  # type: ignore[call-arg]
    HubSpot("pat", api_version=3)  # type: ignore[arg-type]
    HubSpot("pat", base_url=httpx.URL("https://api.hubapi.com"))  # type: ignore[arg-type]
    HubSpot("pat", timeout="30")  # type: ignore[arg-type]
    HubSpot("pat", timeout=None)  # type: ignore[arg-type]
    HubSpot("pat", quota=190)  # type: ignore[arg-type]
    HubSpot("pat", retries=Retries(4))  # type: ignore[call-arg]
    HubSpot("pat", retries=lambda _attempt: 1.0)  # type: ignore[arg-type]
    HubSpot("pat", http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    AsyncHubSpot("pat", http_client=httpx.Client())  # type: ignore[arg-type]
    with AsyncHubSpot("pat"):  # type: ignore[attr-defined]
        pass


async def async_clients(hub: AsyncHubSpot, orders: list[CreateInput]) -> None:
    async with HubSpot("pat"):  # type: ignore[attr-defined]
        pass
    result = hub.orders.batch_create(orders)
    _ = result.records  # type: ignore[attr-defined]
    await result


def results(record: Record, response: Response, retries: Retries, quota: Quota) -> None:
    record.id = "1"  # type: ignore[misc]
    response.status = 200  # type: ignore[misc]
    retries.limit = 9  # type: ignore[misc]
    _ = record.properties["hs_order_name"].upper()  # type: ignore[union-attr]
    _ = record.index + 1  # type: ignore[operator]
    _ = quota.remaining  # type: ignore[attr-defined]


def names() -> None:
    _ = hubspot_batch.Hubspot  # type: ignore[attr-defined]
