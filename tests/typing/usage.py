"""The package as users write against it. Nothing here runs: mypy --strict and pyright read it."""

import asyncio
import csv
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any, TextIO, assert_type

import httpx
import hubspot_batch_models as structs
from hubspot_batch_api import AuthenticatedClient, models
from hubspot_batch_models import inputs as generated

from hubspot_batch import (
    ApiError,
    Association,
    AssociationResult,
    AsyncHubSpot,
    AuthenticationError,
    BatchResult,
    BulkError,
    ConnectionFailedError,
    CreateInput,
    HubSpot,
    HubSpotBatchError,
    InputIssue,
    InvalidInputError,
    PermissionDeniedError,
    PropertyDefinition,
    PropertyValue,
    PropertyVersion,
    Quota,
    RateLimitError,
    Reason,
    Record,
    RecordError,
    RecordWarning,
    RequestTimeoutError,
    Response,
    Retries,
    SharedQuota,
    UnexpectedReplyError,
    UpdateInput,
    __version__,
    types,
    validate,
)
from hubspot_batch.bulk import (
    AsyncStream,
    Outcome,
    Outcomes,
    Progress,
    Report,
    Stream,
    flat_input,
    inputs_from,
    read_outcomes,
)
from hubspot_batch.types import AttemptReport, FailedAttempt, Pacer, RetryPolicy


def token() -> str:
    return "pat"


async def async_token() -> str:
    return "pat"


class EveryTwoSeconds:
    def __init__(self) -> None:
        self.limit, self.window, self.limit_known = 5, 10.0, True
        self.daily_remaining: int | None = None

    def reserve(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        return max(now, held or 0.0) if on_guess else now + 2.0

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        return self.reserve(now, held=held, on_guess=on_guess)

    def ended(self, attempt: AttemptReport) -> None:
        assert_type(attempt.refused_until, float | None)

    async def ended_async(self, attempt: AttemptReport) -> None:
        self.ended(attempt)


class Never:
    def wait_after(self, attempt: FailedAttempt) -> float | None:
        assert_type(attempt.error, HubSpotBatchError)
        assert_type(attempt.wait, float | None)
        return None


def policies(path: str) -> None:
    pacers: list[Pacer] = [EveryTwoSeconds(), Quota(), SharedQuota(path)]
    retries: list[RetryPolicy] = [Never(), Retries()]
    HubSpot("pat", quota=EveryTwoSeconds(), retries=Never())
    AsyncHubSpot("pat", quota=pacers[0], retries=retries[0])


def clients() -> None:
    with HubSpot() as hub:
        assert_type(hub, HubSpot)
        assert_type(hub.with_options(timeout=60, retries=0), HubSpot)
        assert_type(hub.with_options(timeout=httpx.Timeout(60), retries=Retries(limit=2)), HubSpot)
        assert_type(hub.with_options(quota=Quota(190, 10.0)), HubSpot)
        assert_type(hub.with_options(access_token="pat", attempt_timeout=90), HubSpot)
        assert_type(hub.with_options(access_token=lambda: "pat", max_reply_bytes=1000), HubSpot)
    HubSpot("pat")
    HubSpot(token, base_url="http://127.0.0.1:8080", api_version="2026-09")
    HubSpot(access_token=lambda: "pat", timeout=2.5, retries=4, quota=Quota())
    HubSpot(transport=httpx.MockTransport(lambda _request: httpx.Response(201)))
    HubSpot(http_client=httpx.Client(proxy="http://localhost:3128"))
    HubSpot("pat").close()
    version: str = __version__
    assert version


async def async_clients() -> None:
    async with AsyncHubSpot() as hub:
        assert_type(hub, AsyncHubSpot)
        assert_type(hub.with_options(retries=Retries(budget=600.0)), AsyncHubSpot)
    AsyncHubSpot(token)
    AsyncHubSpot(async_token, transport=httpx.MockTransport(lambda _request: httpx.Response(201)))
    AsyncHubSpot(http_client=httpx.AsyncClient())
    await AsyncHubSpot("pat").close()


class Shop(HubSpot):
    """A client of one's own."""


def subclass(shop: Shop) -> None:
    assert_type(shop.with_options(retries=0), Shop)
    with shop as same:
        assert_type(same, Shop)


def literals(hub: HubSpot) -> None:
    assert_type(hub.orders.batch_create([{"properties": {"hs_order_name": "A-1001"}}]), BatchResult)
    hub.orders.batch_create(inputs=[{"properties": {}}], unique_property="shop_order_number")
    hub.orders.batch_update([{"id": 44001, "properties": {"hs_order_note": ""}}])
    hub.orders.batch_update([{"id": "A-1", "idProperty": "shop_order_number", "properties": {}}])
    hub.line_items.batch_create([{"properties": {"quantity": 2, "price": Decimal("64.95")}}])
    hub.commerce_payments.batch_create(
        [{"properties": {"hs_initial_amount": 129.9, "hs_initiated_date": datetime.now(UTC)}}]
    )
    hub.carts.batch_create(
        [
            {
                "properties": {"a": True, "b": date(2026, 9, 1), "c": ["x", 1], "d": ("y", False), "e": ""},
                "objectWriteTraceId": "row-1",
                "associations": [
                    {
                        "to": {"id": 301},
                        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}],
                    }
                ],
            }
        ]
    )


def typed_inputs(hub: HubSpot, names: Sequence[str], ids: Mapping[str, int]) -> None:
    value: PropertyValue = Decimal("1.5")
    link: Association = {
        "to": {"id": "301"},
        "types": [{"associationCategory": "USER_DEFINED", "associationTypeId": 1}],
    }
    order: CreateInput = {"properties": {"price": value}, "associations": [link]}
    order["objectWriteTraceId"] = "row-1"
    hub.orders.batch_create([order])
    hub.orders.batch_create((order, order))
    hub.orders.batch_create({"properties": {"hs_order_name": name}} for name in names)

    creates: list[CreateInput] = [{"properties": {"hs_order_name": name}} for name in names]
    updates: list[UpdateInput] = [{"id": ids[name], "properties": {"name": name}} for name in names]
    hub.carts.batch_create(creates)
    hub.orders.batch_update(updates)


def rows_of_text(hub: HubSpot, rows: Sequence[dict[str, str]], more: Mapping[str, str]) -> None:
    """Values that are all text, or all of one other kind, as they come from csv or a database."""
    hub.orders.batch_create([{"properties": row} for row in rows])
    hub.orders.batch_create([{"properties": more}])
    numbers: dict[str, int] = {"quantity": 2}
    options: dict[str, list[str]] = {"hs_tags": ["a", "b"]}
    hub.line_items.batch_create([{"properties": numbers}, {"properties": options}])


def generated_typed_dicts(hub: HubSpot) -> None:
    link: generated.Association = {
        "to": {"id": "301"},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}],
    }
    create: generated.CreateInput = {"properties": {"name": "A"}, "associations": [link]}
    update: generated.UpdateInput = {"id": "44001", "properties": {"name": "A"}}
    creates: list[generated.CreateInput] = [create]
    request: generated.BatchUpdateRequest = {"inputs": [update]}
    hub.orders.batch_create([create])
    hub.orders.batch_create(creates)
    hub.orders.batch_update(request["inputs"])


def generated_models(hub: HubSpot) -> None:
    attrs_create = models.CreateInput(properties=models.PropertyValues.from_dict({"name": "A"}))
    attrs_update = models.UpdateInput(id="1", properties=models.PropertyValues.from_dict({"name": "A"}))
    struct_create = structs.CreateInput(properties={"name": "A"})
    struct_update = structs.UpdateInput(id="1", properties={"name": "A"})
    hub.orders.batch_create([attrs_create])
    hub.orders.batch_create([struct_create])
    hub.orders.batch_update([attrs_update])
    hub.orders.batch_update([struct_update])
    hub.orders.batch_create([attrs_create, struct_create, {"properties": {}}])
    many: list[models.CreateInput] = [attrs_create]
    hub.orders.batch_create(many)


def annotated(orders: types.Objects, rows: types.UpdateSource, inputs: list[UpdateInput]) -> BatchResult:
    """What a function takes can be annotated."""
    assert_type(orders.update_all(rows), Report)
    return orders.batch_update(inputs)


async def async_annotated(
    hub: AsyncHubSpot, source: types.AsyncTokenSource, rows: types.AsyncCreateSource
) -> None:
    orders: types.AsyncObjects = hub.orders
    assert_type(await orders.create_all(rows), Report)
    assert_type(hub.with_options(access_token=source), AsyncHubSpot)
    task = asyncio.create_task(orders.batch_create([]))
    assert_type(await task, BatchResult)


def family(hub: HubSpot, ids: Sequence[int], upserts: list[types.UpsertInput]) -> None:
    assert_type(hub.carts.batch_read(ids), BatchResult)
    assert_type(hub.carts.batch_update([{"id": 1, "properties": {}}]), BatchResult)
    hub.orders.batch_read(iter(["A"]), properties=("a",), history={"b"}, id_property="a", archived=True)
    assert_type(hub.orders.batch_upsert([{"id": "A", "properties": {}}], id_property="a"), BatchResult)
    assert_type(hub.orders.batch_upsert(upserts), BatchResult)
    found = hub.orders.batch_read(ids).records
    assert_type(hub.orders.batch_archive(record.id for record in found), BatchResult)
    for definition in hub.orders.properties():
        assert_type(definition, PropertyDefinition)
        assert_type([option.value for option in definition.options], list[str])
    linked = hub.associations.batch_create("orders", "contacts", [(1, "2")], type_id=507)
    assert_type(linked, AssociationResult)
    assert_type([(pair.from_id, pair.to_id) for pair in linked.pairs], list[tuple[str, str]])
    hub.associations.batch_create("orders", "contacts", zip(ids, ids, strict=True))
    own: types.AssociationInput = {
        "from": {"id": 1},
        "to": {"id": 2},
        "types": [{"associationCategory": "USER_DEFINED", "associationTypeId": 1}],
    }
    hub.associations.batch_create("contacts", "deals", [own])
    assert_type(hub.generated, AuthenticatedClient)
    contacts: types.ReadOnlyObjects = hub.contacts
    assert_type(contacts.batch_read(["ada@example.com"], id_property="email"), BatchResult)
    assert_type(contacts.properties(), Sequence[PropertyDefinition])
    assert_type(hub.deals.read_all(ids, journal="deals.run"), Report)


async def async_family(hub: AsyncHubSpot, ids: list[str]) -> None:
    assert_type(await hub.carts.batch_read(ids), BatchResult)
    assert_type(await hub.carts.batch_archive(ids), BatchResult)
    assert_type(await hub.carts.properties(archived=True), Sequence[PropertyDefinition])
    assert_type(await hub.associations.batch_create("orders", "carts", [(1, 2)]), AssociationResult)
    assert_type(hub.generated, AuthenticatedClient)
    products: types.AsyncReadOnlyObjects = hub.products
    assert_type(await products.batch_read(ids), BatchResult)


async def async_calls(hub: AsyncHubSpot, orders: list[CreateInput]) -> None:
    assert_type(await hub.orders.batch_create(orders), BatchResult)
    assert_type(await hub.orders.batch_update([{"id": 1, "properties": {}}]), BatchResult)
    assert_type(await hub.line_items.batch_create(orders, unique_property="hs_external_id"), BatchResult)
    assert_type(await hub.commerce_payments.batch_create(orders), BatchResult)
    assert_type(await hub.carts.batch_create(orders), BatchResult)


def named(names: Sequence[str]) -> Iterator[CreateInput]:
    for name in names:
        yield {"properties": {"hs_order_name": name}}


async def arriving(names: Sequence[str]) -> AsyncIterator[CreateInput]:
    for name in names:
        yield {"properties": {"hs_order_name": name}}


async def changing(ids: Sequence[int]) -> AsyncIterator[UpdateInput]:
    for record in ids:
        yield {"id": record, "properties": {"hs_order_note": ""}}


def show(progress: Progress) -> None:
    assert_type(progress.total, int | None)
    assert_type(progress.pending, int)
    assert_type(progress.quota_share, float)


def runs(hub: HubSpot, orders: list[CreateInput], updates: list[UpdateInput], names: Sequence[str]) -> None:
    assert_type(hub.orders.create_all(orders), Report)
    assert_type(hub.orders.update_all(updates), Report)
    assert_type(hub.orders.stream_create(orders), Stream)
    assert_type(hub.orders.stream_update(updates), Stream)
    hub.orders.create_all(rows=orders)
    hub.orders.create_all([{"properties": {"hs_order_name": "A-1001"}}])
    hub.orders.update_all([{"id": 44001, "properties": {"hs_order_note": ""}}])
    hub.orders.update_all(
        [{"id": row.id, "properties": {}} for row in hub.orders.stream_create(orders) if row.id]
    )
    hub.line_items.create_all(named(names))
    hub.carts.create_all([{"properties": {"hs_cart_name": name}} for name in names])
    hub.commerce_payments.stream_create(iter(orders), concurrency=8, on_progress=show)
    hub.orders.create_all(
        orders, unique_property="hs_external_order_id", journal="orders.run", account="shop"
    )
    hub.orders.stream_create([structs.CreateInput(properties={"name": "A"})], journal=Path("orders.run"))
    hub.orders.create_all(orders, on_progress=lambda progress: print(progress.done))  # noqa: T201


def runs_from_flat_rows(hub: HubSpot, database: sqlite3.Connection, file: TextIO) -> None:
    select = "select name as hs_order_name from orders"
    assert_type(hub.orders.create_all(database.execute(select)), Report)
    hub.orders.update_all(database.execute("select number, note from orders"), id_property="number")
    for item in inputs_from(csv.DictReader(file), verb="update", id_property="number"):
        assert item["properties"]
    assert flat_input({"id": 1, "hs_order_note": None}, verb="update")


def streams(hub: HubSpot, orders: list[CreateInput]) -> None:
    with hub.orders.stream_create(orders) as stream:
        assert_type(stream, Stream)
        for outcome in stream:
            assert_type(outcome, Outcome)
            assert_type(orders[outcome.index], CreateInput)
            assert_type(outcome.id, str | None)
            assert_type(outcome.ok, bool)
            assert_type([reason.code for reason in outcome.reasons], list[str | None])
        assert_type(stream.report, Report)
    stream.close()
    assert_type(next(hub.orders.stream_create(orders)), Outcome)
    assert_type(hub.orders.stream_create(orders).complete(), Report)


def reports(report: Report, path: PathLike[str]) -> None:
    assert_type(report.done + report.rejected + report.unknown + report.pending, int)
    assert_type(report.outcomes, Outcomes)
    assert_type(list(report.outcomes), list[Outcome])
    assert_type(list(read_outcomes(path)), list[Outcome])
    assert_type(dict(report.ids), dict[int, str])
    assert_type(report.reasons, Mapping[str, int])
    assert_type(report.to_dict(), dict[str, Any])
    if report.journal is not None:
        json.dumps([outcome.to_dict() for outcome in read_outcomes(report.journal)])
    try:
        report.raise_for_errors()
    except BulkError as error:
        assert_type(error.report, Report)


async def async_runs(hub: AsyncHubSpot, orders: list[CreateInput], database: sqlite3.Connection) -> None:
    assert_type(await hub.orders.create_all(orders), Report)
    assert_type(await hub.orders.create_all(arriving(["A"]), journal="orders.run"), Report)
    assert_type(await hub.orders.update_all(changing([44001])), Report)
    await hub.line_items.create_all(named(["A"]), unique_property="hs_external_id", on_progress=show)
    await hub.carts.create_all(database.execute("select name from carts"))
    assert_type(hub.orders.stream_update(changing([44001]), concurrency=1), AsyncStream)
    async with hub.orders.stream_create(arriving(["A"])) as stream:
        assert_type(stream, AsyncStream)
        async for outcome in stream:
            assert_type(outcome, Outcome)
        assert_type(stream.report, Report)
    await stream.close()
    assert_type(await anext(hub.orders.stream_create(orders)), Outcome)
    assert_type(await hub.orders.stream_create(orders).complete(), Report)


def results(result: BatchResult, orders: list[CreateInput]) -> None:
    assert_type(result.ok, bool)
    assert_type(result.records, Sequence[Record])
    assert_type(result.errors, Sequence[RecordError])
    assert_type(result.unaccounted, Sequence[int])
    assert_type(result.response, Response)
    for record in result.records:
        assert_type(record.index, int | None)
        assert_type(record.id, str)
        assert_type(record.properties, Mapping[str, str | None])
        assert_type(record.created_at, str)
        assert_type(record.archived, bool)
        assert_type(record.url, str | None)
        assert_type(record.trace_id, str | None)
        assert_type(record.history, Mapping[str, Sequence[PropertyVersion]])
        assert_type(record.warnings, Sequence[RecordWarning])
        if record.index is not None:
            assert_type(orders[record.index], CreateInput)
    for error in result.errors:
        assert_type(error.category, str | None)
        assert_type(error.context, Mapping[str, Sequence[str]])
        assert_type(error.reasons, Sequence[Reason])
        assert_type([reason.code for reason in error.reasons], list[str | None])
    assert_type(result.response.status, int)
    assert_type(result.response.headers, Mapping[str, str])
    assert_type(result.response.content, bytes)
    assert_type(result.response.seconds, float)
    assert_type(result.response.correlation_id, str | None)


def errors(hub: HubSpot, orders: list[CreateInput]) -> None:
    try:
        hub.orders.batch_create(orders)
    except InvalidInputError as error:
        assert_type(error.faults, tuple[InputIssue, ...])
        assert_type([(f.index, f.pointer) for f in error.faults], list[tuple[int | None, str]])
    except PermissionDeniedError as error:
        assert_type(error.missing_scopes, Sequence[str])
    except RateLimitError as error:
        assert_type(error.daily, bool)
        assert_type(error.policy, str | None)
    except AuthenticationError:
        raise
    except ApiError as error:
        assert_type(error.status, int)
        assert_type(error.category, str | None)
        assert_type(error.message, str | None)
        assert_type(error.reasons, Sequence[Reason])
        assert_type(error.response, Response)
    except RequestTimeoutError as error:
        assert_type(error.attempts, int)
    except (ConnectionFailedError, UnexpectedReplyError) as error:
        assert_type(error.maybe_written, bool)
    except HubSpotBatchError as error:
        logging.getLogger(__name__).warning("%s", error)


def validation(payload: object) -> None:
    assert_type(validate("create_orders", payload), tuple[InputIssue, ...])
    for fault in validate("update_orders", {"inputs": []}):
        assert_type(fault.problem, str)
        assert_type(fault.remedy, str)
