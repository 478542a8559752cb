"""Links by own keys, over a socket: with new records, after upserts, and between records that exist."""

import asyncio
import errno
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hubspot_batch import AsyncHubSpot, HubSpot, InvalidInputError, Retries
from hubspot_batch.bulk import BulkError, Outcome, Report, read_outcomes, read_run
from hubspot_batch.bulk._late_links import LateLinks
from hubspot_batch.errors import ConfigurationError, PermissionDeniedError, SourceError
from hubspot_batch.sandbox import Behaviour, Property, Sandbox
from hubspot_batch.transport import _retries as policy
from hubspot_batch.types import AssociationRow, CreateRow, UpsertRow

NUMBER = "shop_number"
ITEM = "item_number"
UNIQUE = {
    "orders": {NUMBER: Property("text", unique=True), "shop_name": Property("text")},
    "line_items": {ITEM: Property("text", unique=True)},
}
TO_ORDER = 514
SOON = 0.02
READ = "/crm/v3/objects/orders/batch/read"
LINK = "/crm/associations/2026-09/line_items/orders/batch/create"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_FIRST_BACKOFF", 0.001)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with sandbox() as box:
        yield box


def sandbox(numbers: Iterable[object] = range(1000), **options: Any) -> Sandbox:  # noqa: ANN401
    """Return a sandbox that has an order `SO-5`, with the id 1005, and so on."""
    orders = [{"id": 1000 + place, NUMBER: f"SO-{number}"} for place, number in enumerate(numbers)]
    return Sandbox(properties=UNIQUE, records={"orders": orders}, **options)


def hub_of(box: Sandbox, **options: Any) -> HubSpot:  # noqa: ANN401
    return HubSpot(box.access_token, base_url=box.url, **options)


def order(number: object, **more: Any) -> AssociationRow:  # noqa: ANN401
    target: Any = {"type": "orders", "property": NUMBER, "value": number, **more}
    return {"to": target}


def item(number: int, *links: AssociationRow) -> CreateRow:
    return {"properties": {"name": f"{number}", ITEM: f"{number}"}, "associations": links}


def upsert(number: int, *links: AssociationRow) -> UpsertRow:
    return {"id": f"{number}", "properties": {"name": f"{number}"}, "associations": links}


def orders_of(box: Sandbox) -> dict[int, list[str]]:
    """Return the orders that each line item is linked with, by its number."""
    return {
        int(record.properties["name"] or ""): sorted(
            link.to_id for link in record.associations if link.type_id == TO_ORDER
        )
        for record in box.records("line_items")
    }


def asked(box: Sandbox, path: str) -> int:
    return sum(request.path == path for request in box.requests)


def faults_of(report: Report) -> dict[int, str]:
    return {outcome.index: outcome.text for outcome in report.outcomes if not outcome.ok}


def test_items_are_linked_with_the_orders_whose_numbers_they_have(box: Sandbox) -> None:
    with hub_of(box) as hub:
        report = hub.line_items.create_all(item(number, order(f"SO-{number // 4}")) for number in range(2000))

    assert (report.ok, report.requests, report.looks) == (True, 20, 5)
    assert orders_of(box) == {number: [f"{1000 + number // 4}"] for number in range(2000)}
    assert asked(box, READ) == 5


def test_asynchronous_code_links_too(box: Sandbox) -> None:
    async def push() -> list[Outcome]:
        async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
            rows = [item(number, order(f"SO-{number}")) for number in range(150)]
            return [outcome async for outcome in hub.line_items.stream_create(rows)]

    assert all(outcome.ok for outcome in asyncio.run(push()))
    assert orders_of(box) == {number: [f"{1000 + number}"] for number in range(150)}


def test_a_row_has_links_of_every_kind(box: Sandbox) -> None:
    box.add("contacts", 7, {"email": "ada@example.com"})
    types: Any = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TO_ORDER}]
    links: list[AssociationRow] = [
        order("SO-1"),
        order("SO-2", type="order"),
        {"to": {"type": "order", "id": 1003}},
        {"to": {"id": "1004"}, "types": types},
        {**order("SO-5"), "types": types},
    ]
    with hub_of(box) as hub:
        assert hub.line_items.create_all([item(1, *links)]).ok
        email: AssociationRow = {"to": {"type": "contacts", "property": "email", "value": "Ada@Example.com"}}
        report = hub.orders.create_all([{"properties": {"hs_order_name": "A"}, "associations": [email]}])

    assert orders_of(box) == {1: ["1001", "1002", "1003", "1004", "1005"]}
    (made,) = report.ids
    assert [link.to_id for link in {one.id: one for one in box.records("orders")}[made[1]].associations] == [
        "7"
    ]


def test_a_row_has_two_thousand_targets() -> None:
    with sandbox(range(2000)) as box, hub_of(box) as hub:
        report = hub.line_items.create_all([item(1, *(order(f"SO-{number}") for number in range(2000)))])

        assert (report.ok, report.looks) == (True, 20)
        assert orders_of(box) == {1: [f"{1000 + number}" for number in range(2000)]}


def test_keys_are_taken_as_they_are_and_hubspot_compares_them() -> None:
    numbers = ["a", "A", "A;b", "'\"x", " y ", "5"]
    with sandbox(numbers) as box, hub_of(box) as hub:
        box.add("contacts", 7, {"email": "ada@example.com"})
        values = ["SO-A", "SO-a", "SO-A;b", "SO-'\"x", "SO- y ", "SO-5", "so-5", "SO-a;b", "SO-y"]
        report = hub.line_items.create_all(
            (item(number, order(value)) for number, value in enumerate(values)), settle_after=SOON
        )

        assert {*faults_of(report)} == {6, 7, 8}
        ids = ["1001", "1000", "1002", "1003", "1004", "1005"]
        assert orders_of(box) == {number: [id_] for number, id_ in enumerate(ids)}


def test_a_row_whose_target_is_not_there_is_rejected_unsent(box: Sandbox) -> None:
    rows = [
        item(number, order(f"SO-{number}" if number % 3 else f"gone-{number // 6}")) for number in range(30)
    ]
    with hub_of(box) as hub:
        report = hub.line_items.create_all(rows, settle_after=SOON)
        archived = hub.orders.archive_all(["1001"])
        after = hub.line_items.create_all([item(100, order("SO-1"))], settle_after=SOON)

    gone = [number for number in range(30) if number % 3 == 0]
    assert [outcome.index for outcome in report.outcomes if not outcome.ok] == gone
    assert {*orders_of(box)} == {*range(30)} - {*gone}
    assert report.reasons == {f"orders.{NUMBER}: TARGET_NOT_FOUND": 10}
    assert faults_of(report)[0] == f"no record of type orders has the {NUMBER} 'gone-0'"
    assert "gone" not in f"{[*report.outcomes]} {report}"
    # Ten rows lack a target, and two of them the same one: five values, which are looked for twice.
    assert (report.requests, report.looks) == (1, 2)
    assert archived.ok
    assert after.reasons == {f"orders.{NUMBER}: TARGET_NOT_FOUND": 1}


def test_a_target_that_shows_late_is_looked_for_again() -> None:
    with sandbox([], behaviour=Behaviour(index_delay=0.5)) as box, hub_of(box) as hub:
        hub.orders.create_all(
            {"properties": {"hs_order_name": "A", NUMBER: f"SO-{number}"}} for number in range(3)
        ).raise_for_errors()
        items = (item(number, order(f"SO-{number}")) for number in range(4))
        report = hub.line_items.create_all(items, settle_after=0.5)

        assert faults_of(report) == {3: f"no record of type orders has the {NUMBER} 'SO-3'"}
        assert report.looks == 2


def test_rows_that_wait_are_not_overtaken_by_later_rows_of_their_record(box: Sandbox) -> None:
    def rows() -> Iterator[UpsertRow]:
        yield {"id": "A", "properties": {"name": "1"}, "associations": [order("SO-late")]}
        box.add("orders", 1, {NUMBER: "SO-late"})
        yield {"id": "A", "properties": {"name": "2"}, "associations": [order("SO-2")]}
        yield {"id": "A", "properties": {"name": "3"}}
        for number in range(200):
            yield {"id": f"B{number}", "properties": {"name": "4"}, "associations": [order(f"SO-{number}")]}

    with hub_of(box) as hub:
        report = hub.line_items.upsert_all(rows(), id_property=ITEM, settle_after=SOON)

    assert report.ok
    (record,) = (one for one in box.records("line_items") if one.properties[ITEM] == "A")
    assert record.properties["name"] == "3"


def test_a_row_that_is_held_back_goes_before_later_rows_of_its_record() -> None:
    def links(name: str) -> list[list[AssociationRow]]:
        hub.orders.batch_create([{"properties": {"hs_order_name": name, NUMBER: name}}])
        return [[order(name)], [order("SO-2")], []]

    with sandbox(behaviour=Behaviour(index_delay=0.3)) as box, hub_of(box) as hub:
        changed: list[UpsertRow] = [
            {"id": "A", "properties": {"name": str(place)}, "associations": some}
            for place, some in enumerate(links("SO-late"))
        ]
        assert hub.line_items.upsert_all(changed, id_property=ITEM, settle_after=0.5).ok
        new: list[CreateRow] = [
            {"properties": {"name": str(place), ITEM: "N"}, "associations": some}
            for place, some in enumerate(links("SO-later"))
        ]
        report = hub.line_items.create_all(new, unique_property=ITEM, settle_after=0.5)
        items = box.records("line_items")

    names = {record.properties[ITEM]: record.properties["name"] for record in items}
    assert names == {"A": "2", "N": "0"}
    assert [outcome.ok for outcome in report.outcomes] == [True, False, False]


def test_the_run_ends_where_no_target_of_the_first_rows_is_there(box: Sandbox, tmp_path: Path) -> None:
    rows = [item(number, order(f"none-{number}")) for number in range(1000)]
    with hub_of(box) as hub, pytest.raises(BulkError, match="TARGET_NOT_FOUND; mend that"):
        hub.line_items.create_all(rows, journal=tmp_path / "run", settle_after=SOON)
    with hub_of(box) as hub:
        report = hub.line_items.create_all(rows, journal=tmp_path / "run", keep_going=True, settle_after=SOON)

    assert (report.finished, report.rejected) == (True, 1000)
    assert not box.records("line_items")


def test_a_look_that_fails_stops_the_run_which_goes_on_later(tmp_path: Path) -> None:
    rows = [item(number, order(f"SO-{number}")) for number in range(250)]
    with sandbox(faults={"503": 1.0}) as box:
        with hub_of(box, retries=Retries(limit=1)) as hub, pytest.raises(BulkError, match="start it again"):
            hub.line_items.create_all(rows, journal=tmp_path / "run")
        assert not box.records("line_items")
        box.faults.set("503", 0)
        with hub_of(box) as hub:
            report = hub.line_items.create_all(rows, journal=tmp_path / "run")

        assert report.ok
        assert orders_of(box) == {number: [f"{1000 + number}"] for number in range(250)}


def test_a_token_that_may_not_look_is_told_its_scope() -> None:
    scopes = ["crm.objects.line_items.write", "crm.objects.line_items.read"]
    with sandbox(scopes=scopes) as box, hub_of(box) as hub:
        pair: Any = (1, {"property": NUMBER, "value": "SO-1"})
        with pytest.raises(BulkError, match=r"crm\.objects\.orders\.read") as raised:
            hub.line_items.create_all([item(1, order("SO-1"))])
        assert isinstance(raised.value.__cause__, PermissionDeniedError)
        with pytest.raises(BulkError, match=r"crm\.objects\.orders\.read"):
            hub.associations.create_all("line_items", "orders", [pair], assume_unique=True, settle_after=SOON)

        assert not box.records("line_items")
    assert not raised.value.report.requests


def test_the_property_of_a_key_is_unique_in_the_account(box: Sandbox) -> None:
    with hub_of(box) as hub:
        for name, problem in (
            ("shop_numbr", f"orders have no property 'shop_numbr' in this account; did you mean '{NUMBER}'?"),
            ("shop_name", "the account does not hold shop_name unique"),
        ):
            with pytest.raises(ConfigurationError, match=re.escape(problem)):
                hub.line_items.create_all([item(1), item(2, order("SO-1", property=name))])
        rows = (
            item(number, *([order("SO-1", property="shop_name")] * (number > 150))) for number in range(300)
        )
        with pytest.raises(BulkError, match="does not hold shop_name unique"):
            hub.line_items.create_all(rows)
    assert len(box.records("line_items")) <= 100


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ({"value": None}, "to/value: there is no value; fill it in, or leave the link out"),
        ({"value": " "}, "to/value: the value is empty; fill it in, or leave the link out"),
        ({"value": ["a"]}, "to/value: a list stands where one value belongs; make a link for each"),
        ({"value": "x" * 65_537}, "to/value: no property holds more than 65,536 characters"),
        ({"value": "\ud800"}, "to/value: the value is not Unicode text; write it as text"),
        ({"value": {}}, "to/value: a value of type dict has no text that HubSpot takes; write it as text"),
        ({"property": ""}, "to/property: the name of the property is empty; name a property"),
        ({"property": 5}, "to/property: a number stands where the name of a property belongs"),
        ({"property": "\ud800"}, "to/property: the name is not Unicode text"),
        ({"property": "hs_object_id"}, 'to/property: hs_object_id is the record id; write it as {"id": ...}'),
        ({"type": "ordrs"}, "to/type: this is not the name of an object type; did you mean 'orders'?"),
        ({"type": 7}, "to/type: this is not the name of an object type; write one of orders, line_items,"),
        ({"type": "invoices"}, "to/type: records of type invoices cannot be looked up here; give the id"),
        ({"type": "contacts"}, "to/type: there is no association from line_items to 'contacts'"),
        ({"id": "1001"}, "to: the record is named by its id and by a property; give one of the two"),
        ({"valeu": "x"}, "to/valeu: the end of a link has no such key; did you mean 'value'?"),
        ({"x": "x"}, "to/x: the end of a link has no such key; the keys are type, property, value"),
    ],
)
def test_a_key_that_names_nothing_rejects_its_row(box: Sandbox, target: dict[str, Any], fault: str) -> None:
    rows = [item(1, order("SO-1")), item(2, order("SO-1"), order("SO-2", **target))]
    with hub_of(box) as hub:
        report = hub.line_items.create_all(rows)

    assert [outcome.category for outcome in report.outcomes] == [None, "INVALID_INPUT"]
    assert faults_of(report)[1].startswith(f"associations/1/{fault}")
    assert orders_of(box) == {1: ["1001"]}


@pytest.mark.parametrize("missing", ["type", "property", "value"])
def test_a_key_lacks_nothing(box: Sandbox, missing: str) -> None:
    target: Any = {"type": "orders", "property": NUMBER, "value": "SO-1"}
    del target[missing]
    with hub_of(box) as hub:
        report = hub.line_items.create_all([item(2, {"to": target})])

    assert faults_of(report) == {0: f"associations/0/to: {missing!r} is missing; add it"}


def test_associations_that_are_not_a_list_reject_their_row(box: Sandbox) -> None:
    wrong: Any = {"to": {}}
    rows: list[Any] = [item(1, order("SO-1")), {**item(2), "associations": wrong}]
    with hub_of(box) as hub:
        created = hub.line_items.create_all(rows)
        rows = [upsert(1, order("SO-1")), {**upsert(2), "associations": wrong}]
        upserted = hub.line_items.upsert_all(rows, id_property=ITEM, settle_after=SOON)

    for report in (created, upserted):
        assert faults_of(report) == {1: "associations: a mapping stands where a list belongs; write a list"}


def test_a_single_request_takes_ids_only(box: Sandbox) -> None:
    with hub_of(box) as hub:
        rows: Any = [item(1, order("SO-1"))]
        with pytest.raises(InvalidInputError) as raised:
            hub.line_items.batch_create(rows)
        (fault,) = raised.value.faults
        assert str(fault) == (
            "/inputs/0/associations/0/to: one request takes record ids only; "
            "give the id, or let create_all look it up by the property"
        )
        pairs: Any = [({"property": ITEM, "value": "1"}, "1001")]
        with pytest.raises(InvalidInputError, match="let create_all look it up"):
            hub.associations.batch_create("line_items", "orders", pairs)
        upserts: Any = [upsert(1, order("SO-1"))]
        with pytest.raises(InvalidInputError, match="or let upsert_all write them after the records"):
            hub.line_items.batch_upsert(upserts, id_property=ITEM)
    assert box.requests == ()


def test_pairs_are_linked_by_keys_on_either_side(box: Sandbox) -> None:
    with hub_of(box) as hub:
        made = dict(hub.line_items.create_all(item(number) for number in range(5)).ids)
        pairs: list[Any] = [
            ({"property": ITEM, "value": 0}, {"property": NUMBER, "value": "SO-0"}),
            (made[1], {"property": NUMBER, "value": "SO-1"}),
            ({"type": "line_item", "property": ITEM, "value": "2"}, 1002),
            (made[3], 1003),
            ({"property": ITEM, "value": "99"}, 1004),
            ({"type": "orders", "property": ITEM, "value": "99"}, 1004),
        ]
        report = hub.associations.create_all("line_items", "orders", pairs, settle_after=SOON)

    assert faults_of(report) == {
        4: f"no record of type line_items has the {ITEM} '99'",
        5: "from/type: this end of the links of the call is of type line_items; leave type out",
    }
    assert orders_of(box) == {0: ["1000"], 1: ["1001"], 2: ["1002"], 3: ["1003"], 4: []}


def test_upserts_are_linked_after_they_are_written(box: Sandbox) -> None:
    rows = [upsert(number, order(f"SO-{number // 2}"), order("SO-999")) for number in range(250)]
    with hub_of(box) as hub:
        first = hub.line_items.upsert_all(rows, id_property=ITEM, settle_after=SOON)
        second = hub.line_items.upsert_all(
            [*rows, upsert(250), upsert(251, order("none"))], id_property=ITEM, settle_after=SOON
        )

    # 3 batches of records, and 500 links 100 at a time.
    assert (first.actions, first.requests, first.looks) == ({"created": 250}, 8, 2)
    assert second.actions == {"updated": 250, "created": 1}
    assert faults_of(second) == {251: f"no record of type orders has the {NUMBER} 'none'"}
    assert orders_of(box) == {number: [f"{1000 + number // 2}", "1999"] for number in range(250)} | {250: []}


def test_an_upsert_whose_link_is_refused_says_that_the_record_is_there(box: Sandbox) -> None:
    gone: AssociationRow = {"to": {"type": "orders", "id": 99}}
    rows = [upsert(1, order("SO-1")), upsert(2, gone), upsert(3, order("SO-1"), gone)]
    with hub_of(box) as hub:
        report = hub.line_items.upsert_all(rows, id_property=ITEM, settle_after=SOON)

    ids = {record.properties[ITEM]: record.id for record in box.records("line_items")}
    assert [(outcome.status, outcome.category, outcome.id) for outcome in report.outcomes] == [
        ("done", None, ids["1"]),
        ("rejected", "NOT_LINKED", ids["2"]),
        ("rejected", "NOT_LINKED", ids["3"]),
    ]
    assert report.reasons == {"orders: NOT_LINKED": 2}
    assert faults_of(report)[1].startswith(f"the record {ids['2']} was written, and not linked with orders: ")
    assert orders_of(box) == {1: ["1001"], 2: [], 3: ["1001"]}


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ({"to": {"id": 1}}, "associations/0: 'types' is missing; add it"),
        ({"to": {"type": "quotes", "id": 1}}, "associations/0: an upsert links with orders, line_items, "),
        (
            {
                "to": {"id": 1},
                "types": [{"associationCategory": "USER_DEFINED", "associationTypeId": TO_ORDER}],
            },
            "associations/0: the type ids do not tell the object type of the target; name it: ",
        ),
        ("x", "associations/0: text stands where a mapping belongs"),
    ],
)
def test_an_upsert_tells_the_type_of_each_target(box: Sandbox, link: Any, fault: str) -> None:  # noqa: ANN401
    with hub_of(box) as hub:
        report = hub.line_items.upsert_all(
            [upsert(1, link), upsert(2, order("SO-2"))], id_property=ITEM, settle_after=SOON
        )

    assert [outcome.ok for outcome in report.outcomes] == [False, True]
    assert faults_of(report)[0].startswith(fault)
    assert orders_of(box) == {2: ["1002"]}


def test_a_run_that_stops_between_records_and_links_writes_the_links_later(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    journal = tmp_path / "run"
    rows = [upsert(number, order(f"SO-{number}")) for number in range(150)]
    with hub_of(box) as hub:
        with monkeypatch.context() as patch:
            patch.setattr(LateLinks, "write", stop)
            with pytest.raises(BulkError) as raised:
                hub.line_items.upsert_all(rows, id_property=ITEM, settle_after=SOON, journal=journal)
        written = len(box.records("line_items"))
        assert written in {50, 100, 150}
        assert not [*read_outcomes(journal)]
        # A batch that waits to leave goes back to those that are planned.
        assert (raised.value.report.pending, read_run(journal).counts["sent"]) == (150, written)

        report = hub.line_items.upsert_all(rows, id_property=ITEM, settle_after=SOON, journal=journal)

    assert (report.actions, report.ok) == ({"created": 150}, True)
    assert orders_of(box) == {number: [f"{1000 + number}"] for number in range(150)}
    # No record is written again.
    assert asked(box, "/crm/v3/objects/line_items/batch/upsert") == 2


def test_rows_whose_records_are_written_travel_with_others(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    rows = [upsert(number, order(f"SO-{number}")) for number in range(150)]
    with hub_of(box) as hub:
        with monkeypatch.context() as patch:
            patch.setattr(LateLinks, "write", stop)
            with pytest.raises(BulkError):
                hub.line_items.upsert_all(rows[:50], id_property=ITEM, journal=tmp_path / "run")
        report = hub.line_items.upsert_all(rows, id_property=ITEM, journal=tmp_path / "run")

    assert report.actions == {"created": 150}
    assert orders_of(box) == {number: [f"{1000 + number}"] for number in range(150)}
    assert asked(box, "/crm/v3/objects/line_items/batch/upsert") == 3


@pytest.mark.parametrize("verb", ["create", "upsert"])
@pytest.mark.parametrize("fault", ["504-after", "504-before", "reset-after", "truncated"])
def test_nothing_is_lost_or_doubled_with_the_answers(verb: str, fault: str) -> None:
    with sandbox(faults={fault: 0.3}, seed=5) as box, hub_of(box, retries=Retries(limit=20)) as hub:
        if verb == "create":
            rows = [item(number, order(f"SO-{number // 2}")) for number in range(600)]
            report = hub.line_items.create_all(rows, unique_property=ITEM, settle_after=0)
        else:
            upserts = [upsert(number, order(f"SO-{number // 2}")) for number in range(600)]
            report = hub.line_items.upsert_all(upserts, id_property=ITEM, settle_after=SOON)

        assert faults_of(report) == {}
        assert orders_of(box) == {number: [f"{1000 + number // 2}"] for number in range(600)}


def test_a_resumed_run_compares_keys_and_looks_again(box: Sandbox, tmp_path: Path) -> None:
    journal = tmp_path / "run"
    rows = [item(number, order(f"SO-{number}")) for number in range(10)]
    with hub_of(box) as hub:
        hub.line_items.create_all(rows, journal=journal).raise_for_errors()
        again = hub.line_items.create_all(rows, journal=journal)
        rows[7] = item(7, order("SO-8"))
        with pytest.raises(SourceError, match="row 7 of the source is not what it was"):
            hub.line_items.create_all(rows, journal=journal)

    assert (again.ok, again.requests, again.looks) == (True, 0, 0)


def test_a_run_that_is_left_looks_for_nothing_more(box: Sandbox) -> None:
    def rows() -> Iterator[CreateRow]:
        for number in range(100_000):
            yield item(number, order(f"SO-{number % 1000}"), order(f"none-{number}"))

    with hub_of(box) as hub:
        with hub.line_items.stream_create(rows(), keep_going=True, settle_after=SOON) as stream:
            next(stream)
        looks = asked(box, READ)
        assert stream.report.in_flight == 0
    assert asked(box, READ) == looks


def test_every_run_that_can_have_links_by_key_takes_how_long_to_look(box: Sandbox) -> None:
    with hub_of(box) as hub:
        pairs: Any = ("line_items", "orders", [])
        runs: Any = (
            (hub.line_items.create_all, ([],), {}),
            (hub.line_items.stream_create, ([],), {}),
            (hub.line_items.upsert_all, ([],), {"id_property": ITEM}),
            (hub.line_items.stream_upsert, ([],), {"id_property": ITEM}),
            (hub.associations.create_all, pairs, {}),
            (hub.associations.stream_create, pairs, {}),
        )
        for run, args, named in runs:
            with pytest.raises(ConfigurationError, match="settle_after must be a number of seconds"):
                run(*args, **named, settle_after=-1)
