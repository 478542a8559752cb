"""An input becomes a row: checked, in its wire form, and known again."""

import json
from collections.abc import Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hubspot_batch_models import CreateInput

from hubspot_batch.bulk._rows import Row, body_of, rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import InputIssue

VALUE = "a secret value"


def creates(*inputs: object, first: int = 0, unique: str | None = None) -> list[Row]:
    return rows_from(contract.operation("create_orders"), inputs, first, unique)


def line_items(*inputs: object, first: int = 0) -> list[Row]:
    return rows_from(contract.operation("create_line_items"), inputs, first, None)


def updates(*inputs: object, first: int = 0) -> list[Row]:
    return rows_from(contract.operation("update_orders"), inputs, first, None)


def order(**properties: object) -> dict[str, Any]:
    return {"properties": properties}


def change(record: object, name: str | None = None, **properties: object) -> dict[str, Any]:
    return {"id": record, "properties": properties} | ({} if name is None else {"idProperty": name})


def test_rows_are_numbered_from_the_first() -> None:
    assert [row.index for row in creates(order(), order(), order(), first=100)] == [100, 101, 102]


def test_a_row_has_the_wire_form_of_its_input() -> None:
    (row,) = updates(change(44001, price=Decimal("9.50"), paid=True))

    assert row.wire == {
        "id": "44001",
        "properties": {"price": "9.50", "paid": "true"},
        "objectWriteTraceId": "row-0",
    }
    assert json.loads(row.content) == row.wire
    assert row.faults == ()


def test_a_generated_model_is_an_input() -> None:
    (row,) = creates(CreateInput(properties={"name": "A"}))

    assert row.wire["properties"] == {"name": "A"}


def test_an_input_is_not_changed() -> None:
    item = order(price=9)

    creates(item)

    assert item == {"properties": {"price": 9}}


def test_the_trace_id_is_that_of_the_caller_or_the_number_of_the_row() -> None:
    rows = creates(order(), order() | {"objectWriteTraceId": 'my "own"'}, first=41)

    assert [row.wire["objectWriteTraceId"] for row in rows] == ["row-41", 'my "own"']
    assert [json.loads(row.content)["objectWriteTraceId"] for row in rows] == ["row-41", 'my "own"']


def test_a_body_holds_the_rows_in_their_order() -> None:
    rows = creates(order(name="A"), order(name="Ä\u2028"), order())

    assert json.loads(body_of(rows)) == {"inputs": [row.wire for row in rows]}
    assert json.loads(body_of([])) == {"inputs": []}


# What is wrong with a row.


def test_every_fault_belongs_to_its_row() -> None:
    rows = creates(order(a=None), order(), {"propertis": {}}, order(a=float("nan")))

    assert [{fault.pointer for fault in row.faults} for row in rows] == [
        {"/inputs/0/properties/a"},
        set(),
        {"/inputs/2", "/inputs/2/propertis"},
        {"/inputs/3/properties/a"},
    ]


@pytest.mark.parametrize("item", [None, 5, VALUE, [], object()])
def test_what_is_not_an_input_is_a_fault(item: object) -> None:
    (row,) = creates(item)

    assert row.faults


def test_half_a_surrogate_pair_is_a_fault_of_its_row_alone() -> None:
    good, bad = creates(order(name="A"), order(name="\ud800"))

    assert (good.faults, [fault.pointer for fault in bad.faults]) == ((), ["/inputs/1/properties/name"])


def test_plain_rows_are_what_any_other_mappings_become() -> None:
    orders, changes = [order(name="A", price="9.50")], [change("44001", "shop_number", price="\u00c4")]

    plain = [*creates(*orders), *updates(*changes)]
    others = [*creates(*map(MappingProxyType, orders)), *updates(*map(MappingProxyType, changes))]

    assert [msgspec.structs.asdict(row) for row in plain] == [msgspec.structs.asdict(row) for row in others]


def test_a_row_with_a_fault_has_nothing_that_could_be_sent() -> None:
    (row,) = creates(order(a=None, b=VALUE))

    assert (row.wire, row.content, row.conflict_keys, row.order_keys) == ({}, b"", (), ())


@pytest.mark.parametrize("unique", [None, "sku"])
@pytest.mark.parametrize("operation", ["create_orders", "update_orders"])
def test_a_row_that_could_not_be_read_keeps_that_fault_alone(operation: str, unique: str | None) -> None:
    fault = InputIssue(index=None, pointer="line 3", problem="a quote is open", remedy="close it")

    rows = rows_from(contract.operation(operation), [fault, change("1", sku="x")], 7, unique)

    assert rows[0].index == 7
    assert rows[0].faults == [fault]
    assert bool(rows[1].faults) is (operation == "create_orders")


@pytest.mark.parametrize("item", [order(), order(sku=""), order(sku="a")])
def test_each_row_has_the_unique_property(item: dict[str, Any]) -> None:
    good, row = creates(order(sku="b"), item, unique="sku")

    assert good.faults == ()
    assert bool(row.faults) is (item != order(sku="a"))


def test_rows_may_repeat_the_value_of_the_unique_property() -> None:
    assert [row.faults for row in creates(order(sku="a"), order(sku="a"), unique="sku")] == [(), ()]


def test_rows_may_repeat_a_record_or_a_trace_id() -> None:
    traced = change("1") | {"objectWriteTraceId": "t"}

    assert [row.faults for row in updates(traced, traced)] == [(), ()]


# By what a row is known again.


def digests(rows: Sequence[Row]) -> set[bytes]:
    return {row.digest for row in rows}


def test_a_digest_does_not_depend_on_the_place_of_the_row_or_on_the_trace_id() -> None:
    rows = [
        *creates(order(a="1"), order(a="1")),
        *creates(order(a="1"), first=500),
        *creates(order(a="1") | {"objectWriteTraceId": "t"}),
    ]

    assert len(digests(rows)) == 1
    assert len(rows[0].digest) == 16


def test_the_order_of_keys_makes_no_difference() -> None:
    one, other = line_items(order(a="1", b="2"), order(b="2", a="1"))

    assert one.digest == other.digest
    assert not may_travel_together(one, other)


def test_a_digest_covers_all_that_the_caller_may_change() -> None:
    link = {
        "to": {"id": "1"},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}],
    }
    rows = [
        *creates(order(), order(a="1"), order(a="2"), order(b="1"), order(a="1") | {"associations": [link]}),
        *updates(
            change("1", a="1"), change("2", a="1"), change("1", "sku", a="1"), change("1", "ext", a="1")
        ),
    ]

    assert len(digests(rows)) == len(rows)


def test_the_digest_of_a_row_with_a_fault_does_not_depend_on_its_place() -> None:
    rows = [*creates(order(a=None)), *creates(order(), order(a=None), first=30)[1:]]

    assert len(digests(rows)) == 1


def test_the_digest_of_a_row_with_a_fault_tells_another_fault() -> None:
    (one, other, good) = creates(order(a=None), order(b=None), order())

    assert len(digests([one, other, good])) == 3


# What keeps rows apart, and in order.


def may_travel_together(one: Row, other: Row) -> bool:
    return set(one.conflict_keys).isdisjoint(other.conflict_keys)


def test_orders_that_are_alike_may_travel_together() -> None:
    assert may_travel_together(*creates(order(a="1"), order(a="1")))


@pytest.mark.parametrize("traces", [{}, {"objectWriteTraceId": "own"}])
def test_line_items_that_are_alike_must_not_travel_together(traces: dict[str, str]) -> None:
    one, same, other = line_items(order(a="1"), order(a="1") | traces, order(a="2"))

    assert not may_travel_together(one, same)
    assert may_travel_together(one, other)
    assert one.order_keys == same.order_keys == ()


def test_rows_with_the_same_trace_id_must_not_travel_together() -> None:
    own, numbered, other = creates(order() | {"objectWriteTraceId": "row-1"}, order(), order())

    assert not may_travel_together(own, numbered)
    assert may_travel_together(own, other)


def test_updates_of_one_record_keep_their_order_and_travel_conflict_keys() -> None:
    one, other, same = updates(change("1"), change("2"), change(1))

    assert one.order_keys == same.order_keys != other.order_keys
    assert set(one.order_keys) <= set(one.conflict_keys)
    assert may_travel_together(one, other)
    assert not may_travel_together(one, same)


def test_a_value_of_a_unique_property_is_not_a_record_id() -> None:
    rows = updates(change("1"), change("1", "sku"), change("1", "ext"))

    assert len({row.order_keys for row in rows}) == 3


def test_rows_with_one_value_of_the_unique_property_keep_their_order_and_travel_conflict_keys() -> None:
    one, other, same = creates(order(sku="a"), order(sku="b"), order(sku="a", n="2"), unique="sku")

    assert one.order_keys == same.order_keys != other.order_keys
    assert may_travel_together(one, other)
    assert not may_travel_together(one, same)


def test_creates_without_a_unique_property_have_no_order() -> None:
    assert [row.order_keys for row in creates(order(sku="a"), order(sku="a"))] == [(), ()]


def test_a_row_shows_no_value() -> None:
    good, bad = creates(order(a=VALUE), order(a=None, b=VALUE))

    assert repr(good) == f"Row(0, {len(good.content)} bytes, 0 faults)"
    assert repr(bad) == "Row(1, 0 bytes, 1 faults)"
    assert VALUE not in str(good) + str(bad) + "".join(map(str, bad.faults))
