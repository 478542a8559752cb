"""Each item of a reply is given to its input where that is certain, and to none where it is not."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from types import MappingProxyType
from typing import Any

import pytest

from hubspot_batch.replies import _matching as matching
from hubspot_batch.replies._matching import (
    Input,
    RefusedEnds,
    Written,
    match_by_text,
    match_keyed,
    match_written,
    refused_inputs,
    refused_pairs,
    untold_inputs,
    with_last_input,
    without_repetitions,
)
from tests.conftest import case

Values = Mapping[str, str | None]


def creates(*properties: Mapping[str, str]) -> list[Input]:
    return [{"properties": values, "objectWriteTraceId": f"trace-{n}"} for n, values in enumerate(properties)]


def update(number: int, record: str, name: str | None = None, **properties: str) -> Input:
    item: dict[str, Any] = {"id": record, "properties": properties, "objectWriteTraceId": f"trace-{number}"}
    return item if name is None else item | {"idProperty": name}


def records(*properties: Values, traces: Sequence[str | None] = ()) -> list[Written]:
    """Return records whose ids are those of no input."""
    told = [*traces, *[None] * (len(properties) - len(traces))]
    return [Written(f"9000{n}", told[n], values) for n, values in enumerate(properties)]


ORDERS = list(permutations(range(3)))
NAMES = creates({"name": "A"}, {"name": "B"}, {"name": "C"})


# By trace id.


@pytest.mark.parametrize("order", ORDERS)
def test_a_record_that_repeats_its_trace_id_belongs_to_that_input(order: tuple[int, ...]) -> None:
    inputs = creates({"name": "same"}, {"name": "same"}, {"name": "same"})
    written = records(*[{"name": "same"}] * 3, traces=[f"trace-{n}" for n in order])
    assert match_written(inputs, written) == list(order)


def test_a_trace_id_outweighs_what_the_record_holds() -> None:
    inputs = creates({"name": "A"}, {"name": "B"})
    written = records({"name": "B"}, {"name": "A"}, traces=["trace-0", "trace-1"])
    assert match_written(inputs, written) == [0, 1]


def test_records_with_and_without_a_trace_id_may_stand_side_by_side() -> None:
    inputs = creates({"name": "same"}, {"name": "same"}, {"name": "other"})
    written = records({"name": "same"}, {"name": "other"}, {"name": "same"}, traces=["trace-1"])
    assert match_written(inputs, written) == [1, 2, 0]


def test_a_trace_id_that_two_records_claim_proves_nothing() -> None:
    inputs = creates({"name": "same"}, {"name": "same"})
    written = records({"name": "same"}, {"name": "same"}, traces=["trace-1", "trace-1"])
    assert match_written(inputs, written) == [None, None]


def test_a_trace_id_of_no_input_proves_nothing() -> None:
    written = records({"name": "B"}, {"name": "A"}, {"name": "C"}, traces=["trace-9", "", "trace-1 "])
    assert match_written(NAMES, written) == [1, 0, 2]


# By record id.


@pytest.mark.parametrize("order", ORDERS)
def test_an_update_is_known_by_its_record_id(order: tuple[int, ...]) -> None:
    inputs = [update(n, f"4400{n}", status="paid") for n in range(3)]
    written = [Written(f"4400{n}", None, {"status": "paid"}) for n in order]
    assert match_written(inputs, written) == list(order)


def test_the_value_of_a_unique_property_is_not_taken_for_a_record_id() -> None:
    inputs = [update(0, "44001", "ext", status="paid"), update(1, "44002", "ext", status="paid")]
    written = [Written("44001", None, {"status": "paid"}), Written("44002", None, {"status": "paid"})]
    assert match_written(inputs, written) == [None, None]


def test_an_update_whose_record_was_merged_into_another_is_the_one_that_remains() -> None:
    inputs = [update(0, "44001", status="paid"), update(1, "44002", status="open")]
    written = [Written("44003", None, {"status": "paid"}), Written("44002", None, {"status": "open"})]
    assert match_written(inputs, written) == [0, 1]


# By the value of a unique property.


def test_an_update_by_a_unique_property_is_known_by_its_value() -> None:
    inputs = [update(0, "E-1", "ext", status="paid"), update(1, "E-2", "ext", status="paid")]
    written = records({"ext": "e-2", "status": "paid"}, {"ext": "e-1", "status": "paid"})
    assert match_written(inputs, written) == [1, 0]


def test_each_update_is_known_by_the_property_that_it_names() -> None:
    inputs = [
        update(0, "5", status="paid"),
        update(1, "5", "ext", status="paid"),
        update(2, "5", "cart", status="paid"),
    ]
    written = [
        Written("7", None, {"cart": "5", "ext": "8", "status": "paid"}),
        Written("6", None, {"ext": "5", "cart": "9", "status": "paid"}),
        Written("5", None, {"status": "paid"}),
    ]
    assert match_written(inputs, written) == [2, 1, 0]


def test_updates_that_give_the_unique_property_a_new_value_are_known_by_the_new_one() -> None:
    inputs = [update(0, "X", "ext", ext="Y"), update(1, "Y", "ext", ext="Z")]
    assert match_written(inputs, records({"ext": "Z"}, {"ext": "Y"})) == [1, 0]


def test_updates_that_exchange_the_values_of_the_unique_property_are_not_mistaken() -> None:
    inputs = [update(0, "X", "ext", ext="Y"), update(1, "Y", "ext", ext="X")]
    assert match_written(inputs, records({"ext": "Y"}, {"ext": "X"})) == [0, 1]


def test_an_update_that_clears_the_unique_property_is_not_known_by_its_old_value() -> None:
    inputs = [update(0, "X", "ext", ext=""), update(1, "Y", "ext", ext="X")]
    assert match_written(inputs, records({"ext": "X"}, {"ext": None})) == [1, 0]


def test_a_create_is_known_by_the_unique_property_that_the_caller_names() -> None:
    inputs = creates({"sku": "a", "n": "1"}, {"sku": "b", "n": "1"}, {"sku": "c", "n": "1"})
    assert match_written(inputs, records({"sku": "c"}, {"sku": "A"}), unique_property="sku") == [2, 0]


def test_two_inputs_without_the_unique_property_have_no_value_in_common() -> None:
    inputs = creates({"sku": " "}, {"sku": "b"})
    assert match_written(inputs, records({"sku": None}), unique_property="sku") == [None]
    assert match_written(inputs, records({}), unique_property="sku") == [None]


def test_a_unique_property_outweighs_the_rest() -> None:
    inputs = creates({"n": "1", "sku": "a"}, {"n": "2", "sku": "b"})
    written = records({"n": "1", "sku": "b"}, {"n": "2", "sku": "a"})
    assert match_written(inputs, written, unique_property="sku") == [1, 0]


def test_values_that_only_their_case_tells_apart_are_not_taken_for_unique() -> None:
    inputs = creates({"sku": "abc"}, {"sku": "ABC"}, {"sku": "d"})
    written = records({"sku": "ABC"}, {"sku": "d"}, {"sku": "abc"})
    assert match_written(inputs, written, unique_property="sku") == [None, 2, None]


def test_a_record_that_does_not_tell_the_unique_property_is_matched_by_the_rest() -> None:
    inputs = creates({"sku": "a", "n": "1"}, {"sku": "b", "n": "2"})
    assert match_written(inputs, records({"n": "2"}, {"sku": None, "n": "1"}), unique_property="sku") == [
        1,
        0,
    ]


# By the submitted properties.


@pytest.mark.parametrize("order", ORDERS)
def test_records_in_any_order_are_known_by_a_value_that_no_other_has(order: tuple[int, ...]) -> None:
    names = ["A", "B", "C"]
    written = records(*({"name": names[n], "hs_object_id": f"9000{n}", "hs_source": None} for n in order))
    assert match_written(NAMES, written) == list(order)


def test_a_value_is_the_same_in_whichever_way_it_is_stored() -> None:
    cases: list[tuple[str, str]] = [
        ("A-1001", "A-1001"),
        ("9", "9.00"),
        ("9.50", "9.5"),
        ("-0.5", "-.5"),
        ("007", "7"),
        ("+5", "5"),
        ("5.", "5"),
        ("500", "500.0"),
        ("100000000000000000000.10", "100000000000000000000.1"),
        ("Ada@Example.COM", "ada@example.com"),
        ("STRASSE", "straße"),
        ("  padded ", "padded"),
        ("TRUE", "true"),
        ("2026-09-01", "1788220800000"),
        ("2026-09-01", "2026-09-01T00:00:00Z"),
        ("2026-09-01T08:15:00.000Z", "1788250500000"),
        ("2026-09-01T08:15:00.000Z", "2026-09-01T08:15:00Z"),
        ("2026-09-01T10:15:00+02:00", "2026-09-01T08:15:00.000Z"),
        ("2026-09-01T10:15:00.123+02:00", "1788250500123"),
        ("1969-12-31T23:59:59.999Z", "-1"),
        ("0001-01-01", "-62135596800000"),
        ("b;a;c", "a;b;c"),
        ("b;a", "A;B"),
        ("\u0662\u0660\u0662\u0666-09-01T08:15:00Z", "\u0662\u0660\u0662\u0666-09-01t08:15:00z"),
    ]
    for sent, stored in cases:
        with case(sent, stored):
            inputs = creates({"value": sent}, {"value": "another"})
            # Were the second not known by its value, the first would not remain.
            assert match_written(inputs, records({"value": "beyond recognition"}, {"value": stored})) == [
                1,
                0,
            ]


def test_values_that_mean_different_things_are_reported_apart() -> None:
    cases: list[tuple[str, str]] = [
        ("9", "9.01"),
        ("1e3", "1000"),
        ("1,000", "1000"),
        ("0x10", "16"),
        ("2026-09-01", "2026-09-02"),
        ("2026-09-01T08:15:00Z", "2026-09-01T08:15:00+02:00"),
        ("2026-09-01T08:15:00.123Z", "2026-09-01T08:15:00.124Z"),
        ("2026-13-01", "2026-14-01"),
        ("2026-02-30", "2026-03-02"),
        ("2026-09-01T08:15:00", "2026-09-01T08:15:00Z"),
        ("a;b", "a;c"),
        ("a;b", "a;b;b"),
        ("a;b", "ab"),
        ("\u0661", "\u0662"),
        ("\u0661", "1"),
    ]
    for one, other in cases:
        with case(one, other):
            inputs = creates({"value": one}, {"value": other})
            assert match_written(inputs, records({"value": other}, {"value": one})) == [1, 0]


@pytest.mark.parametrize("value", ["", " ", ";b", ";"])
def test_a_value_that_clears_or_adds_says_nothing_of_what_is_stored(value: str) -> None:
    inputs = creates({"tags": value, "name": "A"}, {"tags": value, "name": "B"}, {"tags": "x", "name": "B"})
    written = records({"tags": "x", "name": "B"}, {"tags": "a;b", "name": "A"}, {"tags": "c", "name": "B"})
    assert match_written(inputs, written) == [None, 0, None]
    both = creates({"tags": value, "name": "A"}, {"tags": "y", "name": "A"})
    written = records({"tags": "z", "name": "A"}, {"tags": "y", "name": "A"})
    assert match_written(both, written) == [None, None]


def test_several_properties_together_can_tell_what_each_alone_cannot() -> None:
    inputs = creates({"a": "1", "b": "1"}, {"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "2", "b": "2"})
    written = records({"a": "2", "b": "1"}, {"a": "1", "b": "1"}, {"a": "2", "b": "2"}, {"a": "1", "b": "2"})
    assert match_written(inputs, written) == [2, 0, 3, 1]


def test_a_property_that_the_reply_leaves_out_contradicts_nothing() -> None:
    inputs = creates({"name": "A", "note": "x"}, {"name": "B", "note": "y"})
    assert match_written(inputs, records({"name": "B"}, {"name": None, "note": "x"})) == [1, 0]


def test_no_record_is_tied_to_an_input_by_what_another_leaves_out() -> None:
    cases: list[tuple[str, str | None]] = [
        ("<b>new</b>", "new"),
        ("A & B", "A &amp; B"),
        ("a\r\nb", "a\nb"),
        ("(555) 010-0100", "+15550100100"),
        ("1.005", "1.01"),
        ("new", None),
        ("cafe\u0301", "caf\u00e9"),
        ("long text", "long t"),
    ]
    for sent, stored in cases:
        for filled_in in (None, "new", "A & B"):
            with case(sent, stored, filled_in):
                inputs = creates({"name": "A", "note": sent}, {"name": "A"})
                written = records({"name": "A", "note": stored}, {"name": "A", "note": filled_in})
                assert match_written(inputs, written) == [None, None]
                assert match_written(inputs, written[::-1]) == [None, None]
                with_another = [*inputs, *creates({"name": "B"})]
                assert match_written(with_another, [*written, *records({"name": "B"})]) == [None, None, 2]


def test_a_value_that_no_input_sent_rules_out_no_input() -> None:
    inputs = creates({"name": "A", "stage": "open"}, {"name": "B", "stage": "paid"})
    assert match_written(inputs, records({"name": "b", "stage": "new"}, {"stage": "new"})) == [1, 0]


def test_a_value_that_more_records_have_than_inputs_sent_rules_out_no_input() -> None:
    inputs = creates({"price": "1.005"}, {"price": "1.01"}, {})
    written = records({"price": "1.01"}, {"price": "1.01"}, {"price": None})
    assert match_written(inputs, written) == [None, None, None]


def test_an_input_that_leaves_a_property_out_may_have_become_any_record_of_it() -> None:
    inputs = creates({"name": "A"}, {"name": "A", "stage": "open"})
    written = records({"name": "A", "stage": "open"}, {"name": "A", "stage": "new"})
    assert match_written(inputs, written) == [None, None]


def test_where_two_inputs_fit_two_records_alike_none_is_named() -> None:
    inputs = creates({"name": "A"}, {"name": "A", "stage": "open"}, {"name": "B"})
    filled = {"name": "A", "stage": "open"}
    assert match_written(inputs, records(filled, {"name": "B"}, filled)) == [None, 2, None]
    with_twin = [*inputs, *creates({"name": "A"})]
    written = records(filled, {"name": "B"}, filled, {"name": "A", "stage": "new"})
    assert match_written(with_twin, written) == [None, 2, None, None]


def test_an_input_without_properties_may_have_become_any_record() -> None:
    inputs = [{"objectWriteTraceId": "trace-9"}, *creates({"name": "B"})]
    assert match_written(inputs, records({"name": "B"}, {"name": "A"})) == [None, None]


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_is_searched_where_one_property_decides(
    order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(matching._Contents, "_fitting")
    inputs = creates(*({"currency": "EUR", "name": name} for name in ("A", "B", "c")))
    written = records(*({"currency": "EUR", "name": "ABC"[n]} for n in order))

    assert match_written(inputs, written) == list(order)


# Identical inputs.


def test_identical_inputs_are_not_told_apart() -> None:
    inputs = creates({"name": "A"}, {"name": "B"}, {"name": "A"})
    assert match_written(inputs, records({"name": "A"}, {"name": "B"}, {"name": "A"})) == [None, 1, None]


def test_inputs_that_differ_in_their_writing_only_are_not_told_apart() -> None:
    inputs = creates({"price": "9"}, {"price": "9.0"}, {"price": "8"})
    assert match_written(inputs, records({"price": "9.00"}, {"price": "8"}, {"price": "9.00"})) == [
        None,
        2,
        None,
    ]


def test_inputs_that_differ_in_their_associations_only_are_not_told_apart() -> None:
    inputs = [
        {
            "properties": {"name": "A"},
            "objectWriteTraceId": f"trace-{n}",
            "associations": [{"to": {"id": str(n)}}],
        }
        for n in range(2)
    ]
    assert match_written(inputs, records({"name": "A"}, {"name": "A"})) == [None, None]
    assert match_written(inputs, records({"name": "A"})) == [None]


def test_merged_line_items_belong_to_none_of_their_inputs_and_the_others_are_known() -> None:
    inputs = creates({"name": "A"}, {"name": "B"}, {"name": "A"}, {"name": "C"}, {"name": "A"})
    assert match_written(inputs, records({"name": "C"}, {"name": "A"}, {"name": "B"})) == [3, None, 1]


def test_a_record_of_nothing_but_identical_inputs_belongs_to_none() -> None:
    assert match_written(creates({"n": "1"}, {"n": "1"}), records({"n": "1"})) == [None]
    assert match_written(creates({}, {}), records({}, {})) == [None, None]


def test_two_records_of_identical_inputs_are_not_taken_for_one_and_another_input_that_is_missing() -> None:
    """Whether line items were merged or one is missing cannot be counted: both leave two records of three."""
    inputs = creates({"name": "A"}, {"name": "A"}, {"name": "A", "stage": "open"})
    written = records({"name": "A", "stage": "new"}, {"name": "A", "stage": "open"})
    assert match_written(inputs, written) == [None, None]


# By elimination.


def test_the_record_that_remains_belongs_to_the_input_that_remains() -> None:
    inputs = creates({"name": "A"}, {"name": "B"}, {"name": "C"})
    written = records({"name": "B"}, {"name": "changed beyond recognition"}, {"name": "C"})
    assert match_written(inputs, written) == [1, 0, 2]


def test_a_record_that_contradicts_every_input_belongs_to_none() -> None:
    inputs = creates(*({"name": name, "kind": kind} for name, kind in ("Ax", "Ay", "Bx", "Bz")))
    told = [{"name": "B"}, {"name": "A", "kind": "z"}, {"name": "A", "kind": "y"}, {"name": "B", "kind": "x"}]
    assert match_written(inputs, records(*told)) == [3, None, 1, 2]


def test_one_record_of_one_input_needs_no_proof() -> None:
    assert match_written(creates({"name": "A"}), records({})) == [0]
    assert match_written(creates({"name": "A"}), records({"name": "B"})) == [0]


def test_two_records_that_are_changed_beyond_recognition_belong_to_none() -> None:
    inputs = creates({"name": "A"}, {"name": "B"}, {"name": "C"})
    assert match_written(inputs, records({"name": "x"}, {"name": "B"}, {"name": "y"})) == [None, 1, None]


def test_inputs_that_mean_the_same_leave_the_others_to_the_other_records() -> None:
    inputs = creates({"a": "1"}, {"a": "1.0"}, {"a": "2"}, {"b": "5"})
    written = records({"a": "1", "b": "6"}, {"a": "1", "b": "7"}, {"a": "2"}, {"a": "3", "b": "5"})
    assert match_written(inputs, written) == [None] * 4
    assert match_written(inputs[:3], written[:3]) == [None, None, 2]


@pytest.mark.parametrize("rare", ["colour", "note"])
def test_a_property_that_most_inputs_tell_outweighs_one_that_few_tell(rare: str) -> None:
    inputs = creates({rare: "x", "name": "A"}, {"name": "B"})
    written = records({rare: "changed beyond recognition", "name": "A"}, {})
    assert match_written(inputs, written) == [0, 1]


def test_refused_inputs_are_out_of_the_question() -> None:
    inputs = creates({"name": "A"}, {"name": "A"}, {"name": "B"}, {"name": "A"})
    assert match_written(inputs, records({"name": "A"}, {"name": "B"}), refused=[0, 3]) == [1, 2]
    assert match_written(inputs, records({"name": "A"}), refused={2, 3, 0}) == [1]
    assert match_written(inputs, records({"name": "A"}), refused=[0, 0, 2, 3, 99]) == [1]


def test_a_record_that_repeats_the_trace_id_of_a_refused_input_is_not_given_to_it() -> None:
    inputs = creates({"name": "A"}, {"name": "A"}, {"name": "B"})
    written = records({"name": "A"}, {"name": "B"}, traces=["trace-0"])
    assert match_written(inputs, written, refused=[0]) == [1, 2]


# Where records are missing.


def test_the_records_that_are_there_are_named() -> None:
    for missing in range(3):
        for order in ORDERS:
            with case(missing, order):
                there = [n for n in order if n != missing]
                inputs = creates(*({"name": name, "same": "x"} for name in "ABC"))
                written = records(*({"name": "ABC"[n].lower(), "same": "X"} for n in there))
                assert match_written(inputs, written) == there


def test_of_a_batch_of_100_with_one_missing_99_are_named() -> None:
    inputs = creates(*({"name": f"Order {n % 50}", "price": str(n // 2), "same": "x"} for n in range(100)))
    there = [n for n in reversed(range(100)) if n != 17]
    written = records(
        *({"same": "X", "price": f"{n // 2}.00", "name": f"order {n % 50}", "id": str(n)} for n in there)
    )
    assert match_written(inputs, written) == there


def test_nothing_follows_from_what_is_left_over() -> None:
    inputs = creates({"name": "A"}, {"name": "A", "stage": "open"}, {"name": "B"}, {"name": "C"})
    written = records({"name": "B"}, {"name": "A", "stage": "open"}, {"name": "x"})
    assert match_written(inputs, written) == [2, None, None]


def test_a_record_that_agrees_in_the_most_different_property_only_belongs_to_none() -> None:
    inputs = creates(*({"name": name, "kind": kind} for name, kind in ("Ax", "Bx", "Cy")))
    assert match_written(inputs, records({"name": "A", "kind": "y"}, {"name": "B", "kind": "x"})) == [None, 1]


def test_a_record_that_contradicts_its_look_alike_does_not_contest_what_that_claims() -> None:
    inputs = creates(*({"name": name, "kind": kind} for name, kind in ("Ax", "Bx", "Cy")))
    assert match_written(inputs, records({"name": "A", "kind": "y"}, {"name": "A", "kind": "x"})) == [None, 0]


def test_two_records_that_look_alike_make_all_doubtful() -> None:
    inputs = creates(*({"name": name} for name in "ABCD"))
    assert match_written(inputs, records({"name": "A"}, {"name": "B"}, {"name": "A"})) == [None, None, None]


@pytest.mark.parametrize("name", [{}, {"name": ""}, {"name": ";x"}])
def test_an_input_is_not_known_by_what_it_leaves_out_and_the_others_tell(name: dict[str, str]) -> None:
    inputs = creates({**name, "kind": "x"}, {"name": "A & B", "kind": "x"}, {"name": "C", "kind": "y"})
    written = records({"name": "A &amp; B", "kind": "x"}, {"name": "C", "kind": "y"})
    assert match_written(inputs, written) == [None, 2]


def test_an_input_that_tells_nothing_may_have_become_any_record() -> None:
    inputs = creates({}, {"name": "A"}, {"name": "B"})
    assert match_written(inputs, records({"name": "A"}, {"name": "B"})) == [None, None]


def test_a_record_that_tells_nothing_belongs_to_none() -> None:
    assert match_written(NAMES, records({}, {"name": "B"})) == [None, 1]
    assert match_written(NAMES[:2], records({"name": None})) == [None]


def test_updates_whose_records_tell_only_what_was_changed_are_named_by_it() -> None:
    inputs = [
        update(0, "E-1", "ext", status="paid"),
        update(1, "E-2", "ext", note="x"),
        update(2, "E-3", "ext", status="open", note="x"),
        update(3, "E-4", "ext", status="open", note="y"),
    ]
    assert match_written(inputs, records({"note": "x"}, {"status": "open", "note": "y"})) == [None, 3]
    assert match_written(inputs, records({"status": "paid"}, {"note": "x", "status": "paid"})) == [None, None]


def test_an_update_is_not_given_a_record_that_has_another_value_of_its_unique_property() -> None:
    inputs = [update(n, f"E-{n}", "ext", status=status) for n, status in enumerate(["paid", "open", "sent"])]
    written = records({"ext": "E-9", "status": "paid"}, {"status": "open"})
    assert match_written(inputs, written) == [None, 1]


def test_where_line_items_were_merged_and_others_are_missing_the_rest_are_named() -> None:
    inputs = creates(*({"name": name} for name in "AABACDD"))
    assert match_written(inputs, records({"name": "D"}, {"name": "C"}, {"name": "A"})) == [None, 4, None]


# Contested claims.


def test_an_input_that_two_records_claim_is_given_to_neither() -> None:
    claims = records({"name": "A"}, {"name": "C"}, {"name": "A"})
    first, _, third = match_written(NAMES, claims)
    assert (first, third) == (None, None)
    assert match_written(NAMES[:2], records({"name": "A"}, {"name": "A"})) == [None, None]


def test_more_records_than_inputs_prove_nothing() -> None:
    inputs = creates({"name": "A"})
    assert match_written(inputs, records({"name": "A"}, {"name": "A"})) == [None, None]
    assert match_written(inputs, records({}, {}), refused=[0]) == [None, None]


def test_of_more_records_than_inputs_none_is_named_by_its_properties() -> None:
    written = records({"name": "C"}, {"name": "B"}, {"name": "A"}, traces=[None, "trace-1"])
    assert match_written(NAMES, written, refused=[2]) == [None, 1, None]


def test_more_records_than_the_inputs_they_fit_make_all_doubtful() -> None:
    inputs = creates({"a": "1"}, {"a": "1.0", "b": "5"}, {"a": "2"})
    written = records({"a": "1", "b": "5"}, {"a": "1", "b": "6"}, {"a": "1", "b": "5"})
    assert match_written(inputs, written) == [None, None, None]


def test_two_records_that_fit_one_input_only_belong_to_none() -> None:
    inputs = creates({"a": "3", "b": "1"}, {"a": "1", "b": "3"})
    assert match_written(inputs, records({"a": "1"}, {"b": "3"})) == [None, None]


def test_missing_records_do_not_make_the_others_guesses() -> None:
    inputs = creates({"name": "A"}, {"name": "A"}, {"name": "A"}, {"name": "A", "stage": "open"})
    written = records({"name": "A", "stage": "open"}, {"name": "A"}, {"name": "A"})
    assert match_written(inputs, written) == [None, None, None]


@pytest.mark.parametrize("inputs", [[], NAMES])
def test_no_records_are_no_matches(inputs: list[Input]) -> None:
    assert match_written(inputs, []) == []


def test_a_batch_of_100_is_matched_whole() -> None:
    inputs = creates(*({"name": f"Order {n}", "price": str(n), "same": "x"} for n in range(100)))
    written = records(
        *({"price": f"{n}.00", "name": f"ORDER {n}", "same": "X"} for n in reversed(range(100)))
    )
    assert match_written(inputs, written) == list(reversed(range(100)))


def test_nothing_that_is_given_is_changed() -> None:
    inputs = [
        MappingProxyType({**item, "properties": MappingProxyType(item["properties"])}) for item in NAMES
    ]
    written = tuple(records({"name": "B"}, MappingProxyType({"name": "A"})))
    assert match_written(tuple(inputs), written, refused=frozenset([2])) == [1, 0]


@pytest.mark.parametrize(
    "value", ["9" * 20_000, "1." + "0" * 20_000, "a;" * 20_000, "2026-09-01T" + ":" * 20_000 + "Z"]
)
def test_values_of_any_length_are_compared(value: str) -> None:
    inputs = creates({"value": value}, {"value": "x"})
    assert match_written(inputs, records({"value": "x"}, {"value": value})) == [1, 0]


# Which inputs an error names.


def test_an_error_names_an_input_by_its_trace_id() -> None:
    contexts = [{"objectWriteTraceId": ["trace-2"]}, {"objectWriteTraceId": ["trace-0"]}]
    assert refused_inputs(NAMES, contexts) == [[2], [0]]


def test_one_error_may_name_several_inputs() -> None:
    assert refused_inputs(NAMES, [{"objectWriteTraceId": ["trace-2", "trace-0"], "x": ["y"]}]) == [[2, 0]]


def test_an_error_names_updates_by_their_ids() -> None:
    inputs = [update(0, "44001"), update(1, "44002"), update(2, "E-3", "ext")]
    assert refused_inputs(inputs, [{"ids": ["44002", "44001"]}, {"ids": ["E-3"]}]) == [[1, 0], [2]]


def test_an_error_that_names_an_update_by_trace_id_and_by_id_names_it_once() -> None:
    inputs = [update(0, "44001"), update(1, "44002")]
    assert refused_inputs(inputs, [{"ids": ["44002"], "objectWriteTraceId": ["trace-1"]}]) == [[1]]
    assert refused_inputs(inputs, [{"ids": ["44001"], "objectWriteTraceId": ["unknown"]}]) == [[0]]
    assert refused_inputs(inputs, [{"ids": ["unknown"], "objectWriteTraceId": ["trace-1"]}]) == [[1]]


def test_an_error_that_names_no_input_of_the_request_has_none() -> None:
    cases: list[dict[str, list[str]]] = [
        {},
        {"objectWriteTraceId": []},
        {"objectWriteTraceId": ["trace-9", ""]},
        {"ids": ["44001"]},
        {"id": ["trace-1"], "existingId": ["trace-0"]},
    ]
    for context in cases:
        with case(context):
            assert refused_inputs(NAMES, [context]) == [[]]


def test_what_an_error_says_of_other_requests_is_passed_over() -> None:
    inputs = [update(0, "44001"), update(1, "44002")]
    contexts = [{"objectWriteTraceId": ["other", "trace-1"]}, {"ids": ["other", "44001"]}]
    assert refused_inputs(inputs, contexts) == [[1], [0]]


def test_an_input_that_an_error_names_twice_is_named_once() -> None:
    inputs = [update(0, "44001"), update(1, "44002")]
    contexts = [{"objectWriteTraceId": ["trace-1", "trace-1"]}, {"ids": ["44001", "44001"]}]
    assert refused_inputs(inputs, contexts) == [[1], [0]]


def test_an_id_that_two_updates_have_under_different_properties_names_neither() -> None:
    inputs = [update(0, "5"), update(1, "5", "ext"), update(2, "6")]
    assert refused_inputs(inputs, [{"ids": ["5"]}, {"ids": ["5", "6"]}]) == [[], [2]]


def test_no_errors_name_no_inputs() -> None:
    assert refused_inputs(NAMES, []) == []


def test_a_record_whose_values_are_of_several_inputs_is_of_none_of_them() -> None:
    inputs = [{"properties": dict(zip("xyz", values, strict=True))} for values in ("111", "122", "212")]
    record = Written("1", None, {"x": "2", "y": "2", "z": "1"})
    assert match_written(inputs, [record]) == [None]


def test_an_error_names_links_by_both_ends_or_all_of_a_record_that_were_not_made() -> None:
    pairs = {("1", "7"): 0, ("1", "8"): 1, ("2", "7"): 2, ("3", "9"): 3}
    cases: list[tuple[RefusedEnds, Sequence[int | None], list[int]]] = [
        (RefusedEnds(["1"], ["7"]), [], [0]),
        (RefusedEnds(["1"], []), [], [0, 1]),
        (RefusedEnds([], ["7"]), [], [0, 2]),
        (RefusedEnds(["1", "3"], ["7", "9"]), [], [0, 3]),
        (RefusedEnds(["1"], ["9"]), [], []),
        (RefusedEnds([], []), [], []),
        (RefusedEnds(["1"], []), [0, None], [1]),
        (RefusedEnds(["1"], ["7"]), [0], []),
    ]
    for error, linked, named in cases:
        with case(error, linked):
            assert refused_pairs(pairs, [error, RefusedEnds(["2"], [])], linked) == [named, [2]]
    assert refused_pairs(pairs, [], [0]) == []


def test_the_input_that_is_left_over_is_that_of_the_error_that_names_none() -> None:
    cases: list[tuple[Sequence[int | None], Sequence[list[int]], Sequence[int], Sequence[list[int]]]] = [
        ([0], [[2], []], [1], [[2], [1]]),
        ([2, 0], [[]], [1], [[1]]),
        # Of two inputs, of a record whose input is not known, or of two errors, each could be the one.
        ([0], [[]], [1, 2], [[]]),
        ([0, None], [[2], []], [1], [[2], []]),
        ([0], [[2], [], []], [1], [[2], [], []]),
        # Every error names one.
        ([0], [[2]], [1], [[2]]),
        ([0, 1], [[2], []], [], [[2], []]),
    ]
    for owners, refused, untold, expected in cases:
        with case(owners, refused):
            assert untold_inputs(3, owners, refused) == untold
            assert with_last_input(3, owners, refused) == expected


def test_a_record_that_the_reply_repeats_has_what_its_repetitions_agree_on() -> None:
    once = Written("1", "t0", {"a": "1"})
    told = Written("2", "t1", {"a": "1", "b": None, "c": "3", "d": None})
    again = Written("2", "t1", {"a": "1", "b": None, "c": "4", "e": None})
    elsewhere = again._replace(trace_id="t2")

    assert without_repetitions([once, told]) == [once, told]
    assert without_repetitions([told, once, again]) == [Written("2", "t1", {"a": "1", "b": None}), once]
    assert without_repetitions([told, told, elsewhere]) == [Written("2", None, {"a": "1", "b": None})]


def test_keys_pair_a_whole_reply_or_nothing() -> None:
    keys = ["a", "b", "c"]
    assert match_keyed(keys, ["c", "a", "b"]) == [2, 0, 1]
    for inputs, found in (
        (keys, ["c", "a"]),
        (keys, ["c", "a", "x"]),
        (keys, ["c", "a", "a"]),
        (keys, ["c", "a", "b", "b"]),
        (keys, ["c", "a", "b", None]),
        (["a", "a"], ["a"]),
        (["a", "a"], ["a", "a"]),
    ):
        with case(inputs, found):
            assert match_keyed(inputs, found) is None


def test_one_property_with_another_text_in_each_input_pairs_a_whole_reply_or_nothing() -> None:
    named = creates({"kind": "x", "name": "A", "sku": "1"}, {"kind": "x", "name": "B", "sku": "2"})
    told: list[Values] = [{"name": "B", "sku": "1"}, {"name": "A", "sku": "2"}]
    keyed = [update(n, f"E-{n}", "ext", status="paid") for n in range(2)]
    cases: list[tuple[Sequence[Input], Sequence[Values], str | None, Sequence[int] | None]] = [
        (named, told, None, [1, 0]),
        # The unique property decides, whether the caller names it or the inputs do.
        (named, told, "sku", [0, 1]),
        (keyed, [{"ext": "E-1"}, {"ext": "E-0"}], "status", [1, 0]),
        (
            [update(0, "E-0", "ext", cart="C-0"), update(1, "C-1", "cart", ext="E-1")],
            [{"ext": "E-0", "cart": "C-0"}, {"ext": "E-1", "cart": "C-1"}],
            *(None, None),
        ),
        ([update(n, str(n), note=f"N{n}") for n in range(2)], [{"note": "N1"}, {"note": "N0"}], None, None),
        (named, told, "kind", None),
        (named, told, "untold", None),
        (creates({"kind": "x"}, {"kind": "x"}), [{"kind": "x"}, {"kind": "x"}], None, None),
        (creates({"name": "A"}, {}), [{"name": "A"}, {"name": "B"}], None, None),
        # Another text may mean the same, and none says what is stored.
        (creates({"name": "A"}, {"name": "a"}), [{"name": "a"}, {"name": "A"}], None, None),
        (creates({"name": "A"}, {"name": ""}), [{"name": ""}, {"name": "A"}], None, None),
        (named, [{"name": "B"}, {"name": "a"}], None, None),
        (named, [{"name": "B"}, {}], None, None),
        (named, [{"name": "B"}, {"name": "B"}], None, None),
        (named, told[:1], None, None),
        (named, [*told, {"name": "A"}], None, None),
    ]
    for inputs, stored, unique_property, owners in cases:
        with case(inputs, stored, unique_property):
            assert match_by_text(inputs, stored, unique_property) == owners
